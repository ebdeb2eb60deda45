"""The journal on disk: every step of a bot, kept in one transaction with all that it changed.

The truth are the steps; the state is their fold (`recall`). Orders, fills and notices are drawn from them in the same
transaction, to be looked at. A snapshot every hundred steps keeps the way back short. Ticks that changed nothing worth
keeping are not here; what they moved in the state stands with the next step, so the fold is exact at every step.

Two things stop a second process from writing: the number of a step, which is there once (the primary key), and for a
bot on an exchange's account the epoch of its lease, which the very statement that inserts the step asks for.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Text, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.engine.lease import LeaseLost
from autogrid.storage import tables
from autogrid.storage.commits import Write
from autogrid.storage.database import Database
from autogrid.storage.encoding import encode, encode_changes, encode_config, encode_many
from autogrid.storage.engines import broken_rule
from autogrid.storage.requests import MARK_ASKED, asked_row
from autogrid.trading.event import Accepted, EditAsked, Filled
from autogrid.trading.order import Order
from autogrid.trading.plan import Place
from autogrid.trading.state import BotState, Step, find

SNAPSHOT_EVERY: Final = 100
"""Steps."""


class UnableToAppend(Exception):
    """The step is there already, or one before it could not be kept: the bot is to be loaded anew from its journal."""

    code = "journal-overtaken"


async def begin(connection: AsyncConnection, bot_id: str, state: BotState) -> None:
    """Keep the first state of a bot, before any step: what its journal is a fold from."""
    await connection.execute(_INSERT_SNAPSHOT, _snapshot(bot_id, 0, state))


class SqlJournal:
    """The journal of one bot that is running."""

    def __init__(
        self, database: Database, bot_id: str, last: BotState, seq: int, lease: tuple[str, int] | None = None
    ) -> None:
        """`last`: the state after step `seq`, as `begin` or `recall` left it.

        `lease`: an account and the epoch at which this process holds it; None for a bot on no exchange's account.
        """
        self._database = database
        self._bot_id = bot_id
        self._last = last
        self._lease = lease
        self._over = False
        self.seq = seq
        """Of the last step that was kept."""

    async def append(self, step: Step, before: BotState, cursor: Callable[[], str]) -> None:
        """As `Journal.append`. Raises `UnableToAppend`, `LeaseLost`, and `UnableToKeep` where the database fails.

        After any of them nothing of this step may be sent and nothing more is appended here: the bot goes on from what
        its journal holds, which may be this step too (`UnableToKeep.in_doubt`).
        """
        seq, bot_id = self.seq + 1, self._bot_id
        if self._over:
            raise UnableToAppend(f"step {seq} of bot {bot_id} was not kept before; load the bot from its journal")
        writes = [
            self._step(seq, step, before, cursor()),
            *_orders(bot_id, seq, step, before),
            *_what_it_means(bot_id, seq, step, before),
        ]
        if seq % SNAPSHOT_EVERY == 0:
            old = Write(_DROP_SNAPSHOTS, [{"of_bot": bot_id, "before_seq": seq - 2 * SNAPSHOT_EVERY + 1}])
            writes += [Write(_INSERT_SNAPSHOT, [_snapshot(bot_id, seq, step.state)]), old]
        self._over = True  # until it is known to be kept
        try:
            await self._database.keep(writes)
        except IntegrityError as fault:
            if _INTO_STEPS in (fault.statement or ""):
                self._refuse(seq, fault)
            raise
        self._over = False
        self.seq, self._last = seq, step.state

    def _refuse(self, seq: int, fault: IntegrityError) -> None:
        """Say why the row of a step was refused, where that is known."""
        rule = broken_rule(fault)
        if rule == "missing" and self._lease is not None:
            account, epoch = self._lease
            raise LeaseLost(
                f"step {seq} of bot {self._bot_id} is not kept: another process has taken over the account {account} "
                f"since epoch {epoch}"
            ) from fault
        if rule == "twice":
            raise UnableToAppend(
                f"step {seq} of bot {self._bot_id} is there already: another process runs this bot; stop one of them"
            ) from fault

    def _step(self, seq: int, step: Step, before: BotState, cursor: str) -> Write:
        event = step.event
        row = {
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
        if self._lease is None:
            return Write(_INSERT_STEP, [{"bot_id": self._bot_id, **row}])
        account, epoch = self._lease
        return Write(_INSERT_STEP_UNDER_LEASE, [{"of_bot": self._bot_id, "of_account": account, "epoch": epoch, **row}])


_INTO_STEPS: Final = "INSERT INTO steps "
_INSERT_STEP: Final = insert(tables.steps)
_BY_WAY_OF_THE_LEASE: Final = (
    select(bindparam("of_bot", type_=Text))
    .select_from(tables.leases)
    .where(tables.leases.c.account == bindparam("of_account"), tables.leases.c.epoch == bindparam("epoch"))
    .with_for_update(read=True)
)
_INSERT_STEP_UNDER_LEASE: Final = insert(tables.steps).values(bot_id=_BY_WAY_OF_THE_LEASE.scalar_subquery())
"""The bot's id comes by way of the lease: where the epoch is another there is none, and a row without is refused.
`FOR SHARE` (PostgreSQL): a take-over that has begun is waited for, and then seen; one that begins later waits until
this transaction has ended. In SQLite a writer is alone in any case."""

_INSERT_ORDER: Final = insert(tables.orders)
_THE_ORDER: Final = (tables.orders.c.bot_id == bindparam("of_bot"), tables.orders.c.id == bindparam("order"))
_FIGURES: Final = ("price", "quantity", "filled", "value", "fee_base", "fee_quote", "fee_value", "status")
_CHANGE_ORDER: Final = (
    update(tables.orders)
    .where(*_THE_ORDER)
    .values({name: bindparam(f"new_{name}") for name in (*_FIGURES, "changed_ms")})
)
_NAME_ORDER: Final = update(tables.orders).where(*_THE_ORDER).values(exchange_id=bindparam("new_exchange_id"))
_INSERT_FILL: Final = insert(tables.fills)
_INSERT_NOTICE: Final = insert(tables.notices)
_CHANGE_CONFIG: Final = (
    update(tables.bots)
    .where(tables.bots.c.id == bindparam("of_bot"))
    .values(config=bindparam("new_config"), changed_ms=bindparam("new_changed_ms"))
)
_INSERT_SNAPSHOT: Final = insert(tables.snapshots)
_DROP_SNAPSHOTS: Final = delete(tables.snapshots).where(
    tables.snapshots.c.bot_id == bindparam("of_bot"),
    tables.snapshots.c.seq >= 1,
    tables.snapshots.c.seq < bindparam("before_seq"),
)
"""Of the snapshots only the first and the newest two stay."""


def _orders(bot_id: str, seq: int, step: Step, before: BotState) -> Iterator[Write]:
    """New orders as rows, changed ones in theirs, and what the exchange calls one."""
    event, at_ms = step.event, step.event.at_ms
    placed = [command for command in step.commands if isinstance(command, Place)]
    if placed:
        when = {"bot_id": bot_id, "placed_seq": seq, "placed_ms": at_ms, "changed_ms": at_ms}
        yield Write(_INSERT_ORDER, [{**when, "why": place.why, **_order(place.order)} for place in placed])
    changed = changed_orders(before, step.state, {place.order.id for place in placed})
    if changed:
        whose = {"of_bot": bot_id, "new_changed_ms": at_ms}
        yield Write(_CHANGE_ORDER, [{**whose, "order": order.id, **_new_figures(order)} for order in changed])
    if isinstance(event, Accepted) and event.exchange_id:
        row = {"of_bot": bot_id, "order": event.order_id, "new_exchange_id": event.exchange_id}
        yield Write(_NAME_ORDER, [row])


def _order(order: Order) -> dict[str, Any]:
    names = ("id", "slot", "side", "kind", "trigger", *_FIGURES)
    return {name: getattr(order, name) for name in names}


def _new_figures(order: Order) -> dict[str, Any]:
    return {f"new_{name}": getattr(order, name) for name in _FIGURES}


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


def _what_it_means(bot_id: str, seq: int, step: Step, before: BotState) -> Iterator[Write]:
    """The fill that was booked, the notice, the new configuration, and that a request was carried out."""
    event, state = step.event, step.state
    if isinstance(event, Filled):
        order = find(state, event.order_id)
        if order is not None and order is not find(before, event.order_id):
            yield Write(_INSERT_FILL, [_fill(bot_id, seq, event, order, _earned(before, state))])
    if step.note:
        yield Write(_INSERT_NOTICE, [{"bot_id": bot_id, "seq": seq, "at_ms": event.at_ms, "text": step.note}])
    if isinstance(event, EditAsked) and state.strategy != before.strategy:
        config = encode_config(state.strategy.config)
        yield Write(_CHANGE_CONFIG, [{"of_bot": bot_id, "new_config": config, "new_changed_ms": event.at_ms}])
    asked = asked_row(bot_id, event, seq)
    if asked is not None:
        yield Write(MARK_ASKED, [asked])


def _fill(bot_id: str, seq: int, fill: Filled, order: Order, profit: Decimal | None) -> dict[str, object]:
    row = {**fill._asdict(), "bot_id": bot_id, "seq": seq, "slot": order.slot, "side": order.side}
    return {**row, "profit": profit}


def _earned(before: BotState, after: BotState) -> Decimal | None:
    """What the round trip that ended between the two brought; None where none did."""
    had, has = before.strategy.tally(before.memory), after.strategy.tally(after.memory)
    return has.profit - had.profit if has.round_trips > had.round_trips else None


def _snapshot(bot_id: str, seq: int, state: BotState) -> dict[str, object]:
    return {"bot_id": bot_id, "seq": seq, "state": encode(state)}
