"""Leases on accounts: which process may trade on one, so that two never do.

Whose clock: on PostgreSQL the server's own (`clock_timestamp`, which goes on inside a transaction too). Processes on
several machines ask one clock, so a machine whose clock runs ahead cannot take a living lease, and one whose clock is
behind cannot believe that a dead one lives. SQLite has one machine and no server, so the caller says the time; should
that clock be turned forward, a second process may take the lease early, and the epoch then keeps the first from
writing. No clock is trusted further: the holder stops sending by its own steady clock (`engine/lease.py`), and the
journal asks for the epoch.

On PostgreSQL one lease a transaction: a take-over waits for the steps that are being committed under the lease, and two
that wait for each other's would never end. An owner's name is of one process and one start of it.
"""

from collections.abc import Sequence
from typing import TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Update, case, cast, func, literal, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.engine.lease import TTL_MS, Lease
from autogrid.storage.tables import leases

Insert: TypeAlias = postgresql.Insert | sqlite.Insert

FREE = ""
"""The owner of a lease that was given back."""


async def take(
    connection: AsyncConnection, account: str, owner: str, now_ms: int, ttl_ms: int = TTL_MS
) -> Lease | None:
    """The lease on `account`, where it can be had; None where another has it.

    One that is free or has run out is taken over, at the next epoch; one that `owner` has already is renewed. `now_ms`:
    UTC, heard on SQLite only.
    """
    assert owner != FREE, "an owner has a name"
    now = _now(connection, now_ms)
    values = {"account": account, "owner": owner, "epoch": 1, "expires_ms": now + ttl_ms}
    new = _insert(connection).values(values)
    over = leases.c.expires_ms <= now
    taking = new.on_conflict_do_update(
        index_elements=[leases.c.account],
        set_={
            "owner": owner,
            "epoch": leases.c.epoch + case((over, 1), else_=0),
            "expires_ms": now + ttl_ms,
        },
        where=over | (leases.c.owner == owner),
    )
    row = (await connection.execute(taking.returning(*leases.c))).one_or_none()
    return None if row is None else Lease(*row)


async def renew(
    connection: AsyncConnection, held: Sequence[Lease], now_ms: int, ttl_ms: int = TTL_MS
) -> list[Lease | None]:
    """Each of the leases for longer; None where it is lost. One that has run out and that nobody took is not lost."""
    keys = [(lease.account, lease.owner, lease.epoch) for lease in held]
    mine = tuple_(leases.c.account, leases.c.owner, leases.c.epoch).in_(keys)
    longer = update(leases).where(mine).values(expires_ms=_now(connection, now_ms) + ttl_ms)
    rows = {row.account: Lease(*row) for row in await connection.execute(longer.returning(*leases.c))}
    return [rows.get(lease.account) for lease in held]


async def release(connection: AsyncConnection, lease: Lease) -> None:
    """Give the lease back, so that the next need not wait until it has run out. Does nothing where it is lost."""
    await connection.execute(_of(lease).values(owner=FREE, expires_ms=0))


async def list_leases(connection: AsyncConnection) -> list[Lease]:
    """The leases that were not given back, whether they have run out or not, by account."""
    rows = await connection.execute(select(leases).where(leases.c.owner != FREE).order_by(leases.c.account))
    return [Lease(*row) for row in rows]


def _of(lease: Lease) -> Update:
    mine = (leases.c.account == lease.account, leases.c.owner == lease.owner, leases.c.epoch == lease.epoch)
    return update(leases).where(*mine)


def _on_postgres(connection: AsyncConnection) -> bool:
    return connection.dialect.name == "postgresql"


def _now(connection: AsyncConnection, now_ms: int) -> ColumnElement[int]:
    if _on_postgres(connection):
        return cast(func.extract("epoch", func.clock_timestamp()) * 1000, BigInteger)
    return literal(now_ms, BigInteger)


def _insert(connection: AsyncConnection) -> Insert:
    return postgresql.insert(leases) if _on_postgres(connection) else sqlite.insert(leases)
