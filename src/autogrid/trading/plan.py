"""From the orders that should rest to commands: what is missing is placed, what is not wanted is cancelled.

A strategy gives *targets*, each in a *slot*. At most one order is open in a slot: one that is not as wanted is
cancelled first, and its successor is placed when the exchange has confirmed that it is gone, so nothing is ever
doubled. A slot whose order was refused waits, twice as long each time. Counter-orders, restarts, lost answers and a
user's edit are all this one difference.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from autogrid.trading.money import Amount, Price, Quantity
from autogrid.trading.order import Kind, Order, Side

Slot: TypeAlias = str


class Target(NamedTuple):
    """An order that should rest (or, of kind market, trade at once)."""

    slot: Slot
    side: Side
    price: Price
    """Its limit; of a market order, the price it is decided at."""
    quantity: Quantity
    kind: Kind = "limit"
    alone: bool = False
    """Wait until no order of the same side is open: an exit needs the coins that other sells hold."""
    initial: bool = False
    """Part of the first placement, which does not count for the order rate."""
    exits: bool = False
    """Ends the bot's position: no rule but the market's own may hold it back."""
    after: Slot = ""
    """Wait until no order stands in this slot: it holds what this one needs."""
    why: str = ""
    """Why it is wanted, with values, for a person."""
    trigger: Price | None = None
    """Of a stop or an oco: the market price at or below which its stop sells."""
    stop_price: Price | None = None
    """Of an oco: the limit of its stop."""


NO_TARGETS: Final[Mapping[Slot, Target]] = MappingProxyType({})


class Bounds(NamedTuple):
    """The prices and the time between which a strategy wants nothing else."""

    floor: Price | None
    roof: Price | None
    until_ms: int | None
    every: bool = False
    """Each turn of the price counts, whether a bound is met or not."""


class Wish(NamedTuple):
    """What a strategy wants, and the prices and the time between which it wants nothing else."""

    targets: Mapping[Slot, Target] = NO_TARGETS
    floor: Price | None = None
    """Ask again once the price is at or below this."""
    roof: Price | None = None
    """Ask again once the price is at or above this."""
    until_ms: int | None = None
    """Ask again at this time."""
    ended: str = ""
    """Why the strategy is done, where it is."""
    every: bool = False
    """Ask again at each turn of the price too, as while a peak is followed."""

    @property
    def bounds(self) -> Bounds:
        """Where nothing else is wanted."""
        return Bounds(self.floor, self.roof, self.until_ms, self.every)


class Place(NamedTuple):
    """Send this order."""

    order: Order
    initial: bool = False
    exits: bool = False
    why: str = ""
    """As its target says."""


class Cancel(NamedTuple):
    """Take this order out of the book."""

    order_id: str


class Fund(NamedTuple):
    """The account has so much quote more (below zero: less) for this bot. An exchange that is real knows already."""

    amount: Amount


Command: TypeAlias = Place | Cancel | Fund


class Backoff(NamedTuple):
    """A slot whose order was refused so many times waits until then."""

    tries: int
    until_ms: int


FIRST_WAIT_MS: Final = 1_000
LONGEST_WAIT_MS: Final = 300_000


def waited(backoff: Backoff | None, at_ms: int) -> Backoff:
    """The wait of a slot whose order was refused at `at_ms`: 1 s, then twice as long each time, at most 5 min."""
    tries = backoff.tries + 1 if backoff else 1
    return Backoff(tries, at_ms + min(FIRST_WAIT_MS << min(tries - 1, 20), LONGEST_WAIT_MS))


def serves(order: Order, target: Target) -> bool:
    """Whether the open `order` is what `target` wants."""
    return (
        order.quantity - order.filled == target.quantity
        and order.price == target.price
        and order.side == target.side
        and not order.cancel_asked
        and ((order.trigger is None and target.trigger is None) or _guards_as(order, target))
    ) or (order.kind == "market" and target.kind == "market" and order.side == target.side)


def _guards_as(order: Order, target: Target) -> bool:
    """Whether the stop of `order` is what `target` wants; one whose take-profit has traded in part has none left."""
    if order.is_take_profit_only:
        return target.trigger is None
    return order.trigger == target.trigger and order.stop_price == target.stop_price


def plan(
    targets: Mapping[Slot, Target],
    standing: Mapping[Slot, Order],
    backoffs: Mapping[Slot, Backoff],
    at_ms: int,
) -> tuple[list[Order], list[Target]]:
    """What to cancel and what to place that the `standing` (open) orders become the `targets`."""
    cancel = [
        order
        for slot, order in standing.items()
        if not order.cancel_asked and (slot not in targets or not serves(order, targets[slot]))
    ]
    return cancel, missing(targets.values(), standing, backoffs, at_ms)


def missing(
    targets: Iterable[Target],
    standing: Mapping[Slot, Order],
    backoffs: Mapping[Slot, Backoff],
    at_ms: int,
) -> list[Target]:
    """Those of `targets` that can be placed now."""
    return [
        target
        for target in targets
        if target.slot not in standing
        and (target.slot not in backoffs or backoffs[target.slot].until_ms <= at_ms)
        and not (target.alone and any(order.side == target.side for order in standing.values()))
        and not (target.after and target.after in standing)
    ]


def payable(targets: Sequence[Target], standing: Iterable[Order], free_base: Quantity) -> list[Target]:
    """Those of `targets` that need not wait for coins of a protective sell which is being taken out.

    A stop is replaced by another one only once it is gone: until then its coins are not free.
    """
    leaving = [order for order in standing if order.side == "sell" and order.cancel_asked]
    guarded = any(order.trigger is not None for order in leaving)
    found: list[Target] = []
    for target in targets:
        if target.side == "sell" and leaving and (guarded or target.trigger is not None):
            if target.quantity > free_base:
                continue
            free_base -= target.quantity
        found.append(target)
    return found
