"""Keys of exchanges and what they are sealed with, leases on accounts, kills, and what live orders need."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("bots", sa.Column("credential_id", sa.Text))
    op.add_column("orders", sa.Column("exchange_id", sa.Text, nullable=False, server_default=""))
    _credentials()
    _vault()
    _leases_and_kills()


def _credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False, server_default="local"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("rights", sa.Text, nullable=False),
        sa.Column("confirmed", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("checked_ms", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.CheckConstraint("state IN ('good', 'refused', 'unchecked')", name="state"),
    )
    alive = sa.text("NOT deleted")
    op.create_index(
        "uq_credentials_name",
        "credentials",
        ["tenant", "name"],
        unique=True,
        sqlite_where=alive,
        postgresql_where=alive,
    )


def _vault() -> None:
    op.create_table(
        "vault_keys",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("master_id", sa.Text, nullable=False),
        sa.Column("data_key", sa.Text, nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("private_key", sa.Text, nullable=False),
        sa.Column("made_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "version"),
    )
    op.create_table(
        "vault_audit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("credential_id", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("ix_vault_audit_credential_id", "vault_audit", ["credential_id"])


def _leases_and_kills() -> None:
    op.create_table(
        "leases",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "kills",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("made_ms", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("lifted_ms", sa.BigInteger),
        sa.Column("note", sa.Text, nullable=False),
        sa.CheckConstraint("scope IN ('bot', 'account', 'all')", name="scope"),
    )
    op.create_index("ix_kills_lifted_ms", "kills", ["lifted_ms"])
