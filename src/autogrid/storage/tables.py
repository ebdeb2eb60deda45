"""The tables, the same for SQLite and PostgreSQL.

Money is text, exact to the last digit, and never a float. Times are UTC milliseconds. A column that holds a record is
named so and written by `encoding`. Rows of steps, orders and fills are never deleted: a cost basis stands on them.
"""

from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from autogrid.trading import money


class Figure(TypeDecorator[Decimal]):
    """A figure of money, kept as plain decimal text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """To the database."""
        assert value is None or type(value) is Decimal, f"{value!r} is no figure of money"
        return None if value is None else money.text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """From the database."""
        return None if value is None else Decimal(value)


METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

WANTED = ("running", "paused", "stopped")
ACTUAL = ("stopped", "starting", "running", "paused", "stopping", "ended", "error")
REQUESTS = ("pause", "resume", "stop", "kill", "edit", "action", "funds", "signal")
CREDENTIAL_STATES = ("good", "refused", "unchecked")
KILL_SCOPES = ("bot", "account", "all")


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=column)


def _bot_id() -> Column[str]:
    return Column("bot_id", Text, ForeignKey("bots.id"), nullable=False)


bots = Table(
    "bots",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("config", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("market", Text, nullable=False),
    Column("limits", Text, nullable=False),
    Column("investment", Figure, nullable=False),
    Column("own_base", Figure, nullable=False),
    Column("tape", Text),
    Column("speed", Figure),
    Column("exchange", Text),
    Column("wanted", Text, nullable=False),
    Column("actual", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("price", Figure),
    Column("price_ms", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("credential_id", Text),
    _one_of("wanted", WANTED),
    _one_of("actual", ACTUAL),
    Index("uq_bots_name", "name", unique=True, sqlite_where=text("NOT deleted"), postgresql_where=text("NOT deleted")),
)
"""`market`, `limits` and `config` hold records. A deleted bot keeps its rows and gives its name free.
`credential_id`: whose key its orders are sent with; a paper bot has none."""

steps = Table(
    "steps",
    METADATA,
    _bot_id(),
    Column("seq", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("commands", Text, nullable=False),
    Column("refused", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("cursor", Text, nullable=False),
    PrimaryKeyConstraint("bot_id", "seq"),
)
"""The journal. `before`: what ticks that were not kept had changed in the state since the step before."""

snapshots = Table(
    "snapshots",
    METADATA,
    _bot_id(),
    Column("seq", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    PrimaryKeyConstraint("bot_id", "seq"),
)
"""The state after step `seq`; 0 is the first state, before any step."""

orders = Table(
    "orders",
    METADATA,
    _bot_id(),
    Column("id", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("price", Figure, nullable=False),
    Column("quantity", Figure, nullable=False),
    Column("filled", Figure, nullable=False),
    Column("value", Figure, nullable=False),
    Column("fee_base", Figure, nullable=False),
    Column("fee_quote", Figure, nullable=False),
    Column("fee_value", Figure, nullable=False),
    Column("status", Text, nullable=False),
    Column("placed_seq", BigInteger, nullable=False),
    Column("placed_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("why", Text, nullable=False, server_default=""),
    Column("exchange_id", Text, nullable=False, server_default=""),
    Column("trigger", Figure),
    PrimaryKeyConstraint("bot_id", "id"),
    Index("ix_orders_bot_id_status", "bot_id", "status"),
    Index(
        "ix_orders_exchange_id",
        "exchange_id",
        sqlite_where=text("exchange_id <> ''"),
        postgresql_where=text("exchange_id <> ''"),
    ),
)
"""Every order of a bot as its last step left it. `exchange_id`: the exchange's own id; empty while it has told none.
`trigger`: of a protective stop."""

fills = Table(
    "fills",
    METADATA,
    _bot_id(),
    Column("seq", BigInteger, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("fill_id", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("slot", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("price", Figure, nullable=False),
    Column("quantity", Figure, nullable=False),
    Column("fee", Figure, nullable=False),
    Column("fee_asset", Text, nullable=False),
    Column("fee_value", Figure, nullable=False),
    Column("maker", Boolean, nullable=False),
    Column("profit", Figure),
    PrimaryKeyConstraint("bot_id", "seq"),
    UniqueConstraint("bot_id", "order_id", "fill_id"),
)
"""Every fill that was booked. `profit`: of the round trip it closed."""

notices = Table(
    "notices",
    METADATA,
    _bot_id(),
    Column("seq", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    PrimaryKeyConstraint("bot_id", "seq"),
)
"""What a person should know of a step."""

requests = Table(
    "requests",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _bot_id(),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("taken_seq", BigInteger),
    _one_of("kind", REQUESTS),
    Index("ix_requests_bot_id_taken_seq", "bot_id", "taken_seq"),
)
"""What a person asked of a bot. `taken_seq`: the step that carried it out."""

credentials = Table(
    "credentials",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False, server_default="local"),
    Column("name", Text, nullable=False),
    Column("exchange", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("rights", Text, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("checked_ms", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    _one_of("state", CREDENTIAL_STATES),
    Index(
        "uq_credentials_name",
        "tenant",
        "name",
        unique=True,
        sqlite_where=text("NOT deleted"),
        postgresql_where=text("NOT deleted"),
    ),
)
"""Keys of exchanges. `sealed`: field to sealed text, JSON, and empty once deleted; `rights` holds a record.
`confirmed`: the person vouches for what the exchange does not say."""

vault_keys = Table(
    "vault_keys",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("master_id", Text, nullable=False),
    Column("data_key", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("private_key", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "version"),
)
"""What secrets are sealed with. `data_key` is wrapped by the master key `master_id`, `private_key` by the data key."""

vault_audit = Table(
    "vault_audit",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("credential_id", Text),
    Column("note", Text, nullable=False),
    Index("ix_vault_audit_credential_id", "credential_id"),
)
"""Who sealed or opened what, and when. Rows are never changed or deleted."""

leases = Table(
    "leases",
    METADATA,
    Column("account", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)
"""Which engine may trade on an account. `epoch` rises with each new owner."""

kills = Table(
    "kills",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("scope", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("lifted_ms", BigInteger),
    Column("note", Text, nullable=False),
    _one_of("scope", KILL_SCOPES),
    Index("ix_kills_lifted_ms", "lifted_ms"),
)
"""What was killed, and is until it is lifted. `target`: a bot's id or an account's name; empty for all."""
