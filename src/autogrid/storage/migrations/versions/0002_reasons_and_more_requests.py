"""Why an order was placed, and what more a person can ask of a bot."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("orders", sa.Column("why", sa.Text, nullable=False, server_default=""))
    kinds = "kind IN ('pause', 'resume', 'stop', 'kill', 'edit', 'action', 'funds', 'signal')"
    with op.batch_alter_table("requests") as requests:
        requests.drop_constraint("kind", type_="check")
        requests.create_check_constraint("kind", kinds)
