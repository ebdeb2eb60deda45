"""What a bot knows between two events, and what one event leads to."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from autogrid.trading.event import Event, Tick
from autogrid.trading.ledger import Ledger
from autogrid.trading.money import Price
from autogrid.trading.order import OPEN, Order
from autogrid.trading.plan import Backoff, Bounds, Command, Slot
from autogrid.trading.risk import CALM, FREE, Holds, Refused, RiskState
from autogrid.trading.strategies.strategy import AnyStrategy

ENDED_KEPT: Final = 64
"""Ended orders are kept this long, since answers about them still arrive, and in any order."""

Standing: TypeAlias = Mapping[Slot, Order]
"""Open orders by slot: at most one in each."""

NO_ORDERS: Final[Standing] = MappingProxyType({})
NO_BACKOFFS: Final[Mapping[Slot, Backoff]] = MappingProxyType({})
NO_SLOTS: Final[frozenset[Slot]] = frozenset()


class BotState(NamedTuple):
    """All that a bot knows; enough to go on after a crash."""

    price: Price | None
    """The market's, as last heard."""
    at_ms: int
    """Of the last event."""
    risk: RiskState
    memory: Any
    """The strategy's."""
    ledger: Ledger
    standing: Standing
    ended: tuple[Order, ...]
    """The last orders that ended, oldest first."""
    bounds: Bounds | None
    """Where the strategy wants nothing else than what stands; None: it must be asked."""
    placed: int
    """Orders placed so far; numbers their ids."""
    strategy: AnyStrategy
    nonce: str
    """Drawn afresh at each start, part of order ids: a restored backup repeats none."""
    backoffs: Mapping[Slot, Backoff]
    retry_ms: int | None
    """When to plan again what was refused."""
    refused: tuple[Refused, ...]
    """What was held back when last planned."""
    uncounted: frozenset[Slot]
    """Slots of a confirmed edit: their first orders do not count for the order rate."""
    holds: Holds
    ended_why: str
    """Why the bot is done; empty while it is not."""
    candle_ms: int
    """Length of the candles that the prices come from; 0: they are live."""


class Step(NamedTuple):
    """What an event led to."""

    event: Event
    state: BotState
    commands: tuple[Command, ...] = ()
    refused: tuple[Refused, ...] = ()
    """Orders held back, where that is news."""
    note: str = ""
    """What a person should know of this step: an answer about an unknown order, a trip, an edit refused."""


def first_state(strategy: AnyStrategy, ledger: Ledger) -> BotState:
    """The state of a bot that has done nothing yet."""
    return BotState(
        None, 0, CALM, strategy.start(), ledger, NO_ORDERS, (), None, 0, strategy, "0",
        NO_BACKOFFS, None, (), NO_SLOTS, FREE, "", 0,
    )  # fmt: skip


def is_news(before: BotState, step: Step) -> bool:
    """Whether `step` must be journalled: a tick that changed nothing is not."""
    event, state, commands, refused, note = step
    return type(event) is not Tick or bool(commands or refused or note) or state.memory is not before.memory


def find(state: BotState, order_id: str) -> Order | None:
    """The order of that id among those that stand or ended lately. Ids end in the slot: nonce-number-slot."""
    order = state.standing.get(order_id.split("-", 2)[-1])
    if order is not None and order.id == order_id:
        return order
    return state.standing.get(order_id) or next((o for o in state.ended if o.id == order_id), None)


def key_of(standing: Standing, order: Order) -> Slot:
    """Where `order` stands: its slot, or its id where another order holds the slot."""
    holder = standing.get(order.slot)
    return order.slot if holder is None or holder.id == order.id else order.id


def kept(state: BotState, order: Order) -> tuple[dict[Slot, Order], tuple[Order, ...]]:
    """Open orders (a new dict) and ended ones with `order` as it is now."""
    standing, ended = dict(state.standing), state.ended
    key = order.slot
    holder = standing.get(key)
    if holder is None or holder.id != order.id:
        key = key_of(standing, order)
        ended = tuple(old for old in ended if old.id != order.id)
    if order.status in OPEN:
        standing[key] = order
        return standing, ended
    standing.pop(key, None)
    return standing, (*ended[1 - ENDED_KEPT :], order)
