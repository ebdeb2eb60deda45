"""The kill switch as it is kept: what a person killed stays killed, through restarts, until a person lifts it."""

from typing import Literal, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.storage.tables import kills

Scope: TypeAlias = Literal["bot", "account", "all"]


class Kill(NamedTuple):
    """A kill that stands."""

    id: int
    scope: Scope
    target: str
    """A bot's id or an account's name; empty for all."""
    made_ms: int
    by: str
    """Who did it."""
    note: str


async def add_kill(
    connection: AsyncConnection, scope: Scope, target: str, by: str, now_ms: int, note: str = ""
) -> Kill:
    """Kill a bot, an account's bots, or all. Killing twice is two kills, lifted together."""
    assert bool(target) == (scope != "all"), "a bot or an account is named; all is not"
    values = {"scope": scope, "target": target, "by": by, "made_ms": now_ms, "note": note}
    added = await connection.execute(insert(kills).values(values).returning(kills.c.id))
    return Kill(added.scalar_one(), scope, target, now_ms, by, note)


async def lift(connection: AsyncConnection, scope: Scope, target: str, now_ms: int) -> int:
    """Lift what was killed just so; how many kills that were. Kills of another scope stand."""
    standing_so = (kills.c.scope == scope, kills.c.target == target, kills.c.lifted_ms.is_(None))
    lifted = await connection.execute(update(kills).where(*standing_so).values(lifted_ms=now_ms))
    return lifted.rowcount


async def standing(connection: AsyncConnection) -> list[Kill]:
    """The kills that nobody has lifted, oldest first."""
    columns = [kills.c[name] for name in Kill._fields]
    rows = await connection.execute(select(*columns).where(kills.c.lifted_ms.is_(None)).order_by(kills.c.id))
    return [Kill(*row) for row in rows]


async def is_killed(connection: AsyncConnection, bot_id: str, account: str) -> bool:
    """Whether a kill stands for this bot, for its account, or for all."""
    hit = or_(kills.c.scope == "all", _hits("bot", bot_id), _hits("account", account))
    count = select(func.count()).where(kills.c.lifted_ms.is_(None), hit)
    return bool((await connection.execute(count)).scalar_one())


def _hits(scope: Scope, target: str) -> ColumnElement[bool]:
    return (kills.c.scope == scope) & (kills.c.target == target)
