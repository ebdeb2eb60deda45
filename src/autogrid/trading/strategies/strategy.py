"""What a strategy is: a memory, and pure functions of it. It names the orders that should rest; it never sends one.

The same object serves backtest, paper and live: it cannot tell which it is in. It may look at nothing but its memory
and the `View`, so a journal replays it exactly. A strategy of your own derives from `Strategy` and needs no more than
`start`, `look`, `learn`, `targets`, `stop`, `tally` and `start_price`: docs/guide/write-a-strategy.md.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, Literal, NamedTuple, Self, TypeVar

from autogrid.trading.candle import Candle
from autogrid.trading.event import Filled, SignalCame
from autogrid.trading.ledger import Ledger
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, Amount, Price, Quantity
from autogrid.trading.order import Order
from autogrid.trading.plan import Target, Wish

NO_ORDERS: Final[Mapping[str, Order]] = MappingProxyType({})


class View(NamedTuple):
    """All that a strategy may look at when it decides."""

    at_ms: int
    price: Price
    """The market's, at this moment."""
    market: Market
    ledger: Ledger
    traded: bool = True
    """False where the price was only passed, in a jump between two candles."""
    candle_ms: int = 0
    """Length of the candles that the prices come from; 0: they are live. Known where `look` and `targets` are asked."""
    standing: Mapping[str, Order] = NO_ORDERS
    """The bot's open orders by slot, where `look` and `targets` are asked: what is wanted should not hang on them but
    where the exchange acts by itself, as a stop that rests there does."""


class Tally(NamedTuple):
    """What a strategy has earned by its own reckoning: its closed round trips."""

    profit: Amount
    """In quote, after fees: proceeds less the cost of what was sold."""
    round_trips: int


Stage = Literal["new", "waiting", "opening", "running", "exiting", "ended"]


class Status(NamedTuple):
    """How far a strategy has come."""

    stage: Stage
    why: str = ""
    """What it waits for, or why it ends, for a person."""


RUNNING: Final = Status("running")


class UnableToEdit(Exception):
    """The configuration cannot be changed to that while the bot runs. The sentence says why and what would work."""

    code = "edit-refused"


class UnableToAct(Exception):
    """The strategy cannot do what was asked now. The sentence says why and what would work."""

    code = "action-refused"


Memory = TypeVar("Memory")


class Strategy(Generic[Memory]):
    """One way to trade, with its configuration. Immutable: all that changes is in the memory, a `NamedTuple`."""

    name: str = ""
    """As in the catalogue, such as `grid`."""
    timeframe_ms: int | None = None
    """Length of the candles it wants to hear of; None: none."""
    warm_up: int = 0
    """How many of them it must hear before it can decide."""
    hears_signals: bool = False
    """Whether it does anything when it is told a signal."""
    coarsest_ms: int | None = None
    """A tape whose candles are longer than this is too coarse for it, as for an hourly schedule; None: any will do."""
    trigger: Price | None = None
    """It starts only once the price gets there."""
    own_base: Quantity = ZERO
    """Base that it takes out of the account, beside the investment."""
    lines: tuple[Price, ...] = ()
    """Prices that it trades at, lowest first, where they are fixed: for pictures and for the time in range."""
    moves: bool = False
    """Whether these move with the price: then a time in range would mean nothing."""

    def __init__(self, config: Mapping[str, str], market: Market, investment: Amount) -> None:
        """From the configuration as text. Raises `UnableToConfigure` where it breaks a limit."""
        self.config: Mapping[str, str] = dict(config)
        self.market = market
        self.investment = investment

    def __eq__(self, other: object) -> bool:
        """Equal configuration on an equal market with an equal investment."""
        return (
            isinstance(other, Strategy)
            and type(self) is type(other)
            and (self.config, self.market, self.investment) == (other.config, other.market, other.investment)
        )

    def __hash__(self) -> int:
        """By the configuration."""
        return hash(tuple(sorted(self.config.items())))

    def check(self, price: Price) -> None:
        """Raises `UnableToConfigure` where it cannot be traded from `price` on."""

    def start(self) -> Memory:
        """The memory of a bot that has done nothing yet."""
        raise NotImplementedError

    def look(self, memory: Memory, view: View) -> Memory:
        """The memory after a look at the price and the time; the same object where they teach nothing."""
        raise NotImplementedError

    def hear(self, memory: Memory, candle: Candle, view: View) -> Memory:
        """The memory after a closed candle. What is wanted then meets the market after it, at the next price.

        The price is then its close. Before the first price is known, `view.price` is zero: candles of the past, to warm
        up on. `view.traded` is false for one that was missed while the bot was off: leave on it, but do not enter.
        """
        return memory

    def learn(self, memory: Memory, order: Order, fill: Filled | None, view: View) -> Memory:
        """The memory after `fill` changed `order`, or (None) after the order ended without being filled whole."""
        raise NotImplementedError

    def targets(self, memory: Memory, view: View) -> Wish:
        """All orders that should rest now."""
        raise NotImplementedError

    def revise(self, before: Memory, after: Memory, order: Order) -> tuple[Target, ...] | None:
        """The targets that are new since a fill of `order` turned `before` into `after`, where that is all that
        changed; None: ask for all of them.
        """
        return None

    def stop(self, memory: Memory, *, sell: bool) -> Memory:
        """The memory once the user wants the end: orders go, the base is sold at market or kept."""
        raise NotImplementedError

    def asked(self, memory: Memory, action: str, amount: Amount | None, view: View) -> Memory:
        """The memory once the user wants `action`. Raises `UnableToAct`."""
        raise UnableToAct(f"{self.name} knows no action '{action}'")

    def signalled(self, memory: Memory, signal: SignalCame, view: View) -> Memory:
        """The memory after a signal from outside; the same object where it means nothing to this strategy."""
        return memory

    def funded(self, memory: Memory, amount: Amount, view: View) -> Memory:
        """The memory after `amount` quote was put in, or (below zero) taken out; the ledger has it already."""
        return memory

    def edited(self, memory: Memory, config: Mapping[str, str], view: View) -> tuple[Self, Memory]:
        """The strategy and memory under another configuration; inventory is kept. Raises `UnableToEdit`."""
        raise UnableToEdit(f"{self.name} cannot be changed while it runs; stop it and create a new bot")

    def tally(self, memory: Memory) -> Tally:
        """Profit and round trips so far."""
        raise NotImplementedError

    def start_price(self, memory: Memory) -> Price | None:
        """The price at which its first orders were reckoned; None where it has not started."""
        raise NotImplementedError

    def status(self, memory: Memory) -> Status:
        """How far it has come."""
        return RUNNING

    def notices(self, memory: Memory) -> tuple[str, ...]:
        """What a person who looks at the bot should know: what it waits for, and why there is no order."""
        return ()


AnyStrategy = Strategy[Any]
