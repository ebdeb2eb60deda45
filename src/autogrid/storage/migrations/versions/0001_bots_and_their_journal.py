"""Bots, their journal, and what is shown of it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _bots()
    _journal()
    _orders()
    _requests()


def _bots() -> None:
    op.create_table(
        "bots",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("strategy", sa.Text, nullable=False),
        sa.Column("config", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("market", sa.Text, nullable=False),
        sa.Column("limits", sa.Text, nullable=False),
        sa.Column("investment", sa.Text, nullable=False),
        sa.Column("own_base", sa.Text, nullable=False),
        sa.Column("tape", sa.Text),
        sa.Column("speed", sa.Text),
        sa.Column("exchange", sa.Text),
        sa.Column("wanted", sa.Text, nullable=False),
        sa.Column("actual", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.Column("price", sa.Text),
        sa.Column("price_ms", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.CheckConstraint("wanted IN ('running', 'paused', 'stopped')", name="wanted"),
        sa.CheckConstraint(
            "actual IN ('stopped', 'starting', 'running', 'paused', 'stopping', 'ended', 'error')", name="actual"
        ),
    )
    alive = sa.text("NOT deleted")
    op.create_index("uq_bots_name", "bots", ["name"], unique=True, sqlite_where=alive, postgresql_where=alive)


def _journal() -> None:
    op.create_table(
        "steps",
        sa.Column("bot_id", sa.Text, sa.ForeignKey("bots.id"), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("commands", sa.Text, nullable=False),
        sa.Column("refused", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("cursor", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("bot_id", "seq"),
    )
    op.create_table(
        "snapshots",
        sa.Column("bot_id", sa.Text, sa.ForeignKey("bots.id"), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("bot_id", "seq"),
    )
    op.create_table(
        "notices",
        sa.Column("bot_id", sa.Text, sa.ForeignKey("bots.id"), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("bot_id", "seq"),
    )


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("bot_id", sa.Text, sa.ForeignKey("bots.id"), nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("slot", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("price", sa.Text, nullable=False),
        sa.Column("quantity", sa.Text, nullable=False),
        sa.Column("filled", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("fee_base", sa.Text, nullable=False),
        sa.Column("fee_quote", sa.Text, nullable=False),
        sa.Column("fee_value", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("placed_seq", sa.BigInteger, nullable=False),
        sa.Column("placed_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("bot_id", "id"),
    )
    op.create_index("ix_orders_bot_id_status", "orders", ["bot_id", "status"])
    op.create_table(
        "fills",
        sa.Column("bot_id", sa.Text, sa.ForeignKey("bots.id"), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("fill_id", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("slot", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("price", sa.Text, nullable=False),
        sa.Column("quantity", sa.Text, nullable=False),
        sa.Column("fee", sa.Text, nullable=False),
        sa.Column("fee_asset", sa.Text, nullable=False),
        sa.Column("fee_value", sa.Text, nullable=False),
        sa.Column("maker", sa.Boolean, nullable=False),
        sa.Column("profit", sa.Text),
        sa.PrimaryKeyConstraint("bot_id", "seq"),
        sa.UniqueConstraint("bot_id", "fill_id"),
    )


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("bot_id", sa.Text, sa.ForeignKey("bots.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("made_ms", sa.BigInteger, nullable=False),
        sa.Column("taken_seq", sa.BigInteger),
        sa.CheckConstraint("kind IN ('pause', 'resume', 'stop', 'kill', 'edit')", name="kind"),
    )
    op.create_index("ix_requests_bot_id_taken_seq", "requests", ["bot_id", "taken_seq"])
