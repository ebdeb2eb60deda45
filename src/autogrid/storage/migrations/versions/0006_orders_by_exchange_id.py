"""Whose order an exchange means that tells its own id alone is found without a question to it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

NAMED = sa.text("exchange_id <> ''")


def upgrade() -> None:
    op.create_index("ix_orders_exchange_id", "orders", ["exchange_id"], sqlite_where=NAMED, postgresql_where=NAMED)
