"""What a strategy is: a memory, and pure functions of it. It names the orders that should rest; it never sends one.

The same object serves backtest, paper and live: it cannot tell which it is in. It may look at nothing but its memory
and the `View`, so a journal replays it exactly.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

from autogrid.trading.event import Filled
from autogrid.trading.ledger import Ledger
from autogrid.trading.market import Market
from autogrid.trading.money import Amount, Price
from autogrid.trading.order import Order
from autogrid.trading.plan import Target, Wish


class View(NamedTuple):
    """All that a strategy may look at when it decides."""

    at_ms: int
    price: Price
    """The market's, at this moment."""
    market: Market
    ledger: Ledger
    traded: bool = True
    """False where the price was only passed, in a jump between two candles."""


class Tally(NamedTuple):
    """What a strategy has earned by its own reckoning: its closed round trips."""

    profit: Amount
    """In quote, after fees: proceeds less the cost of what was sold."""
    round_trips: int


class UnableToEdit(Exception):
    """The configuration cannot be changed to that while the bot runs. The sentence says why and what would work."""

    code = "edit-refused"


Memory = TypeVar("Memory")


class Strategy(Protocol[Memory]):
    """One way to trade, with its configuration. Immutable."""

    @property
    def name(self) -> str:
        """As in the catalogue, such as `grid`."""
        ...

    @property
    def config(self) -> Mapping[str, str]:
        """The configuration as text, enough to build the strategy again."""
        ...

    def start(self) -> Memory:
        """The memory of a bot that has done nothing yet."""
        ...

    def look(self, memory: Memory, view: View) -> Memory:
        """The memory after a look at the price and the time; the same object where they teach nothing."""
        ...

    def learn(self, memory: Memory, order: Order, fill: Filled | None, view: View) -> Memory:
        """The memory after `fill` changed `order`, or (None) after the order ended without being filled whole."""
        ...

    def targets(self, memory: Memory, view: View) -> Wish:
        """All orders that should rest now."""
        ...

    def revise(self, before: Memory, after: Memory, order: Order) -> tuple[Target, ...] | None:
        """The targets that are new since a fill of `order` turned `before` into `after`, where that is all that
        changed; None: ask for all of them.
        """
        ...

    def stop(self, memory: Memory, *, sell: bool) -> Memory:
        """The memory once the user wants the end: orders go, the base is sold at market or kept."""
        ...

    def edited(self, memory: Memory, config: Mapping[str, str], view: View) -> tuple["Strategy[Memory]", Memory]:
        """The strategy and memory under another configuration; inventory is kept. Raises `UnableToEdit`."""
        ...

    def tally(self, memory: Memory) -> Tally:
        """Profit and round trips so far."""
        ...

    def start_price(self, memory: Memory) -> Price | None:
        """The price at which its first orders were reckoned; None where it has not started."""
        ...


AnyStrategy = Strategy[Any]
