"""An exchange gives both sides of a trade with oneself one id: a fill is known by its order too."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    with op.batch_alter_table("fills") as fills:
        fills.drop_constraint("uq_fills_bot_id_fill_id", type_="unique")
        fills.create_unique_constraint("uq_fills_bot_id_order_id_fill_id", ["bot_id", "order_id", "fill_id"])
