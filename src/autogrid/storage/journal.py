"""The journal on disk: every step of a bot, kept in one transaction with all that it changed.

The truth are the steps; the state is their fold (`recall`). Orders, fills and notices are drawn from them in the same
transaction, to be looked at. A snapshot every hundred steps keeps the way back short. Ticks that changed nothing worth
keeping are not here; what they moved in the state stands with the next step, so the fold is exact at every step.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.storage import tables
from autogrid.storage.database import Database
from autogrid.storage.encoding import encode, encode_changes, encode_config, encode_many
from autogrid.storage.requests import mark_asked
from autogrid.trading.event import EditAsked, Filled
from autogrid.trading.order import Order
from autogrid.trading.plan import Place
from autogrid.trading.state import BotState, Step, find

SNAPSHOT_EVERY: Final = 100
"""Steps."""


class UnableToAppend(Exception):
    """Another process has written to this bot's journal meanwhile: two are running the same bot."""

    code = "journal-overtaken"


async def begin(connection: AsyncConnection, bot_id: str, state: BotState) -> None:
    """Keep the first state of a bot, before any step: what its journal is a fold from."""
    await _keep_snapshot(connection, bot_id, 0, state)


class SqlJournal:
    """The journal of one bot that is running."""

    def __init__(self, database: Database, bot_id: str, last: BotState, seq: int) -> None:
        """`last`: the state after step `seq`, as `begin` or `recall` left it."""
        self._database = database
        self._bot_id = bot_id
        self._last = last
        self.seq = seq
        """Of the last step that was kept."""

    async def append(self, step: Step, before: BotState, cursor: Callable[[], str]) -> None:
        """As `Journal.append`. Raises `UnableToAppend`."""
        seq, bot_id = self.seq + 1, self._bot_id
        row = self._step(seq, step, before, cursor())
        async with self._database.writing() as connection:
            try:
                await connection.execute(_INSERT_STEP, row)
            except IntegrityError as fault:
                raise UnableToAppend(
                    f"step {seq} of bot {bot_id} is there already: another process runs this bot; stop one of them"
                ) from fault
            await _keep_orders(connection, bot_id, seq, step, before)
            await _keep_what_it_means(connection, bot_id, seq, step, before)
            if seq % SNAPSHOT_EVERY == 0:
                await _keep_snapshot(connection, bot_id, seq, step.state)
        self.seq, self._last = seq, step.state

    def _step(self, seq: int, step: Step, before: BotState, cursor: str) -> dict[str, object]:
        event = step.event
        return {
            "bot_id": self._bot_id,
            "seq": seq,
            "at_ms": event.at_ms,
            "kind": type(event).__name__,
            "event": encode(event),
            "before": encode_changes(self._last, before),
            "commands": encode_many(step.commands),
            "refused": encode_many(step.refused),
            "note": step.note,
            "cursor": cursor,
        }


_INSERT_STEP: Final = insert(tables.steps)


async def _keep_orders(connection: AsyncConnection, bot_id: str, seq: int, step: Step, before: BotState) -> None:
    """New orders as rows, changed ones in theirs."""
    at_ms = step.event.at_ms
    placed = [command for command in step.commands if isinstance(command, Place)]
    if placed:
        when = {"bot_id": bot_id, "placed_seq": seq, "placed_ms": at_ms, "changed_ms": at_ms}
        rows = [{**when, "why": place.why, **_order(place.order)} for place in placed]
        await connection.execute(insert(tables.orders), rows)
    orders = tables.orders
    for order in changed_orders(before, step.state, {place.order.id for place in placed}):
        row = update(orders).where(orders.c.bot_id == bot_id, orders.c.id == order.id)
        await connection.execute(row.values(**_figures(order), changed_ms=at_ms))


def _order(order: Order) -> dict[str, Any]:
    return {"id": order.id, "slot": order.slot, "side": order.side, "kind": order.kind, **_figures(order)}


def _figures(order: Order) -> dict[str, Any]:
    names = ("price", "quantity", "filled", "value", "fee_base", "fee_quote", "fee_value", "status")
    return {name: getattr(order, name) for name in names}


def changed_orders(before: BotState, after: BotState, new: set[str]) -> list[Order]:
    """The orders that are not as they were `before`; `new` ones left out."""
    changed = [
        order
        for slot, order in after.standing.items()
        if before.standing.get(slot) is not order and order.id not in new
    ]
    if after.ended is not before.ended and after.ended and not any(o is after.ended[-1] for o in before.ended):
        changed.append(after.ended[-1])
    return changed


async def _keep_what_it_means(connection: AsyncConnection, bot_id: str, seq: int, step: Step, before: BotState) -> None:
    """The fill that was booked, the notice, the new configuration, and that a request was carried out."""
    event, state = step.event, step.state
    if isinstance(event, Filled):
        order = find(state, event.order_id)
        if order is not None and order is not find(before, event.order_id):
            await connection.execute(insert(tables.fills), _fill(bot_id, seq, event, order, _earned(before, state)))
    if step.note:
        await connection.execute(
            insert(tables.notices), {"bot_id": bot_id, "seq": seq, "at_ms": event.at_ms, "text": step.note}
        )
    if isinstance(event, EditAsked) and state.strategy != before.strategy:
        row = update(tables.bots).where(tables.bots.c.id == bot_id)
        await connection.execute(row.values(config=encode_config(state.strategy.config), changed_ms=event.at_ms))
    await mark_asked(connection, bot_id, event, seq)


def _fill(bot_id: str, seq: int, fill: Filled, order: Order, profit: Decimal | None) -> dict[str, object]:
    row = {**fill._asdict(), "bot_id": bot_id, "seq": seq, "slot": order.slot, "side": order.side}
    return {**row, "profit": profit}


def _earned(before: BotState, after: BotState) -> Decimal | None:
    """What the round trip that ended between the two brought; None where none did."""
    had, has = before.strategy.tally(before.memory), after.strategy.tally(after.memory)
    return has.profit - had.profit if has.round_trips > had.round_trips else None


async def _keep_snapshot(connection: AsyncConnection, bot_id: str, seq: int, state: BotState) -> None:
    """Keep `state`; of the snapshots only the first and the newest two stay."""
    snapshots = tables.snapshots
    await connection.execute(insert(snapshots), {"bot_id": bot_id, "seq": seq, "state": encode(state)})
    old = snapshots.c.seq.between(1, seq - 2 * SNAPSHOT_EVERY)
    await connection.execute(delete(snapshots).where(snapshots.c.bot_id == bot_id, old))
