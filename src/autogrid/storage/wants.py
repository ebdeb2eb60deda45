"""What is wanted of all bots, in a few columns: the engine looks five times a second, at thousands of bots."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.storage import tables
from autogrid.storage.bots import Actual, Wanted
from autogrid.storage.commits import Write
from autogrid.storage.encoding import decode_config
from autogrid.storage.requests import Request
from autogrid.trading.money import Price


class Want(NamedTuple):
    """What is wanted of one bot, and what it does."""

    id: str
    name: str
    account: str
    symbol: str
    wanted: Wanted
    actual: Actual
    reason: str


async def list_wants(connection: AsyncConnection) -> list[Want]:
    """All bots that are not deleted, oldest first."""
    bots = tables.bots
    columns = [bots.c[name] for name in Want._fields]
    rows = await connection.execute(select(*columns).where(~bots.c.deleted).order_by(bots.c.created_ms, bots.c.id))
    return [Want(*row) for row in rows]


async def open_requests(connection: AsyncConnection) -> dict[str, list[Request]]:
    """What was asked of each bot and not carried out yet, oldest first."""
    requests = tables.requests
    rows = await connection.execute(select(requests).where(requests.c.taken_seq.is_(None)).order_by(requests.c.id))
    found: dict[str, list[Request]] = {}
    for row in rows.mappings():
        found.setdefault(row["bot_id"], []).append(Request(**{**row, "payload": decode_config(row["payload"])}))
    return found


_THE_BOT: Final = update(tables.bots).where(tables.bots.c.id == bindparam("meant"))
_SET_PRICE: Final = _THE_BOT.values(price=bindparam("new_price"), price_ms=bindparam("new_ms"))
_SET_ACTUAL: Final = _THE_BOT.values(
    actual=bindparam("new_actual"), reason=bindparam("new_reason"), changed_ms=bindparam("new_ms")
)


# Rows are written in the order of the bots: two processes that write to the same ones then never wait crosswise.


def prices_heard(prices: Mapping[str, tuple[Price, int]]) -> Write:
    """The market's price as each bot last heard it, with the market's time, UTC ms."""
    rows = [{"meant": bot_id, "new_price": price, "new_ms": at_ms} for bot_id, (price, at_ms) in sorted(prices.items())]
    return Write(_SET_PRICE, rows)


def how_they_do(news: Mapping[str, tuple[Actual, str]], now_ms: int) -> Write:
    """What each bot does now, and why."""
    rows = [
        {"meant": bot_id, "new_actual": actual, "new_reason": reason, "new_ms": now_ms}
        for bot_id, (actual, reason) in sorted(news.items())
    ]
    return Write(_SET_ACTUAL, rows)
