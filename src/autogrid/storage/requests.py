"""What a person asked of a bot, kept until a step of the bot has carried it out."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.storage import tables
from autogrid.storage.encoding import decode_config, encode_config
from autogrid.trading.event import (
    ActionAsked,
    EditAsked,
    Event,
    FundsAsked,
    KillAsked,
    PauseAsked,
    ResumeAsked,
    SignalCame,
    StopAsked,
)

RequestKind: TypeAlias = Literal["pause", "resume", "stop", "kill", "edit", "action", "funds", "signal"]

ASKED: Final[Mapping[type[Event], RequestKind]] = {
    PauseAsked: "pause",
    ResumeAsked: "resume",
    StopAsked: "stop",
    KillAsked: "kill",
    EditAsked: "edit",
    ActionAsked: "action",
    FundsAsked: "funds",
    SignalCame: "signal",
}
"""The event that carries out a request of that kind."""


class Request(NamedTuple):
    """One thing a person asked."""

    id: int
    bot_id: str
    kind: RequestKind
    payload: Mapping[str, str]
    """What belongs to it: `sell` or `cancel` ("yes"/"no"), an edit's configuration, an action with its amount, funds,
    a signal."""
    made_ms: int
    taken_seq: int | None
    """The step of the bot's journal that carried it out."""


async def add_request(
    connection: AsyncConnection, bot_id: str, kind: RequestKind, payload: Mapping[str, str], now_ms: int
) -> int:
    """Ask the bot for something; the request's id."""
    values = {"bot_id": bot_id, "kind": kind, "payload": encode_config(payload), "made_ms": now_ms}
    added = await connection.execute(insert(tables.requests).values(values).returning(tables.requests.c.id))
    return int(added.scalar_one())


async def take_requests(connection: AsyncConnection, bot_id: str) -> list[Request]:
    """What was asked of the bot and not carried out yet, oldest first."""
    requests = tables.requests
    open_ones = select(requests).where(requests.c.bot_id == bot_id, requests.c.taken_seq.is_(None))
    rows = await connection.execute(open_ones.order_by(requests.c.id))
    return [Request(**{**row, "payload": decode_config(row["payload"])}) for row in rows.mappings()]


async def list_signals(connection: AsyncConnection, bot_id: str, since_ms: int) -> list[Request]:
    """The signals for the bot that came since then, carried out or not, oldest first."""
    requests = tables.requests
    recent = select(requests).where(
        requests.c.bot_id == bot_id, requests.c.kind == "signal", requests.c.made_ms >= since_ms
    )
    rows = await connection.execute(recent.order_by(requests.c.id))
    return [Request(**{**row, "payload": decode_config(row["payload"])}) for row in rows.mappings()]


async def mark_taken(connection: AsyncConnection, request_id: int, seq: int) -> None:
    """The request was carried out by the step `seq`; the journal does this itself for each of the user's events."""
    requests = tables.requests
    first = update(requests).where(requests.c.id == request_id, requests.c.taken_seq.is_(None))
    await connection.execute(first.values(taken_seq=seq))


def asked_row(bot_id: str, event: Event, seq: int) -> dict[str, object] | None:
    """What `MARK_ASKED` needs where `event` carries out a request: the oldest open one of its kind, by step `seq`."""
    kind = ASKED.get(type(event))
    return None if kind is None else {"of_bot": bot_id, "of_kind": kind, "by_seq": seq}


_open = tables.requests.alias("open_one")
_oldest = select(func.min(_open.c.id)).where(
    _open.c.bot_id == bindparam("of_bot"), _open.c.kind == bindparam("of_kind"), _open.c.taken_seq.is_(None)
)
MARK_ASKED: Final = (
    update(tables.requests)
    .where(tables.requests.c.id == _oldest.scalar_subquery())
    .values(taken_seq=bindparam("by_seq"))
)
"""Mark as carried out the oldest open request of a bot and a kind, if there is one."""
