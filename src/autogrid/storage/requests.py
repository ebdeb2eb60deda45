"""What a person asked of a bot, kept until a step of the bot has carried it out."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import insert, select, update
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


async def mark_asked(connection: AsyncConnection, bot_id: str, event: Event, seq: int) -> None:
    """The oldest open request that `event` carries out, if any, was carried out by the step `seq`."""
    kind = ASKED.get(type(event))
    if kind is None:
        return
    requests = tables.requests
    oldest = select(requests.c.id).where(
        requests.c.bot_id == bot_id, requests.c.kind == kind, requests.c.taken_seq.is_(None)
    )
    found = (await connection.execute(oldest.order_by(requests.c.id).limit(1))).scalar_one_or_none()
    if found is not None:
        await mark_taken(connection, found, seq)
