"""Markets, tapes, grids and runs for tests, each with what most tests want as its default."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from autogrid.backtesting.tapes import Tape
from autogrid.services.backtests import Walk
from autogrid.storage.memory_journal import Row
from autogrid.trading.bot import Bot
from autogrid.trading.event import Accepted, Event, Filled, Started, Tick
from autogrid.trading.ledger import Ledger, opened
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, fee_due, use_exact_figures
from autogrid.trading.order import Kind, Order, Side, decided
from autogrid.trading.plan import Place
from autogrid.trading.risk import Limits
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.grid.grid import Grid
from autogrid.trading.strategies.grid.memory import GridMemory
from autogrid.wiring.simulation import PLAINLY, simulate

D = Decimal
START_MS = 1_747_699_200_000
"""2025-05-20 00:00 UTC."""
MINUTE_MS = 60_000

use_exact_figures()

PLAIN_MARKET = Market(
    base="BTC",
    quote="USDT",
    tick=D("0.01"),
    lot=D("0.00001"),
    min_notional=D(5),
    maker_fee=D("0.001"),
    taker_fee=D("0.001"),
)

FOUR_CELLS = {"lower": "8000", "upper": "12000", "grids": "4", "spacing": "arithmetic"}
"""Lines at 8,000, 9,000, 10,000, 11,000 and 12,000."""


def market(**changes: Any) -> Market:
    """BTC/USDT with a tick of 0.01, a lot of 0.00001, a least value of 5 and fees of 0.1 %; or otherwise."""
    return replace(PLAIN_MARKET, **changes)


def tape_of(
    candles: Sequence[tuple[int, int, int, int]],
    *,
    unit: str = "0.01",
    interval_ms: int = MINUTE_MS,
    volumes: Sequence[float] | None = None,
    times: Sequence[int] | None = None,
) -> Tape:
    """A tape of candles (open, high, low, close) in whole units."""
    moments = [START_MS + i * interval_ms for i in range(len(candles))] if times is None else times
    amounts = [1_000.0] * len(candles) if volumes is None else volumes
    return Tape(
        "made up",
        np.array(moments, np.int64),
        np.ascontiguousarray(np.array(candles, np.int64)),
        np.array(amounts, np.float64),
        D(unit),
        interval_ms,
        (),
        (),
    )


def tape_through(*prices: str, unit: str = "0.01") -> Tape:
    """A tape whose candles open at the close before and go straight to each of `prices` in turn."""
    units = [int(D(price) / D(unit)) for price in prices]
    candles = [(a, max(a, b), min(a, b), b) for a, b in pairwise(units)]
    return tape_of(candles, unit=unit)


def jumps(*prices: str, unit: str = "0.01") -> Tape:
    """A tape of candles that stand still at each of `prices`: all movement is jumps between them."""
    units = [int(D(price) / D(unit)) for price in prices]
    return tape_of([(u, u, u, u) for u in units], unit=unit)


class Played(NamedTuple):
    """A finished run."""

    bot: Bot
    first: BotState
    last: BotState
    rows: list[Row]

    @property
    def memory(self) -> GridMemory:
        """The grid's, at the end."""
        memory = self.last.memory
        assert isinstance(memory, GridMemory)
        return memory

    @property
    def ledger(self) -> Ledger:
        """At the end."""
        return self.last.ledger

    @property
    def fills(self) -> list[Filled]:
        """In the order they happened."""
        return [row.event for row in self.rows if isinstance(row.event, Filled)]

    @property
    def orders(self) -> dict[str, Order]:
        """All that were placed, by id, as they were then."""
        return {c.order.id: c.order for row in self.rows for c in row.commands if isinstance(c, Place)}

    def trades(self) -> list[tuple[str, Decimal, Decimal]]:
        """Side, price and quantity of each fill."""
        orders = self.orders
        return [(orders[fill.order_id].side, fill.price, fill.quantity) for fill in self.fills]


def first_ledger(grid: Grid, investment: Decimal, price: Decimal) -> Ledger:
    """What a bot with that grid starts with at `price`."""
    return opened(investment, grid.settings.own_base or ZERO, price)


def play(
    config: Mapping[str, str],
    tape: Tape,
    on: Market = PLAIN_MARKET,
    *,
    investment: str | Decimal = "10000",
    walk: Walk = PLAINLY,
    breakers: bool = False,
) -> Played:
    """Run a grid over a tape."""
    funds = D(investment)
    grid = Grid(config, on, funds)
    bot = Bot(on, Limits(funds, breakers=breakers))
    price = tape.prices.item(0, 0) * tape.unit
    first = bot.start(grid, first_ledger(grid, funds, price))
    last, journal = simulate(bot, first, tape, walk)
    return Played(bot, first, last, journal.rows)


def bot_of(
    config: Mapping[str, str] = FOUR_CELLS,
    on: Market = PLAIN_MARKET,
    *,
    investment: str = "10000",
    limits: Limits | None = None,
) -> tuple[Bot, BotState]:
    """A bot with a grid that has not seen a price, and its first state."""
    funds = D(investment)
    grid = Grid(config, on, funds)
    bot = Bot(on, limits or Limits(funds, breakers=False))
    return bot, bot.start(grid, first_ledger(grid, funds, D(10_000)))


class Hand:
    """Leads a bot by the hand, one event after the other, as an exchange that does what the test says."""

    def __init__(self, bot: Bot, state: BotState) -> None:
        self.bot = bot
        self.state = state
        self.steps: list[Step] = []
        self.at_ms = START_MS
        self.fills = 0

    def tell(self, event: Event) -> Step:
        """The step that `event` leads to; the state goes on from it."""
        step = self.bot.step(self.state, event)
        self.state = step.state
        self.steps.append(step)
        return step

    def started(self) -> "Hand":
        """The first event of a run."""
        self.tell(Started(self.at_ms, "n"))
        return self

    def price(self, price: str, *, after_ms: int = 0) -> Step:
        """The market trades at `price`, some time later."""
        self.at_ms += after_ms
        return self.tell(Tick(self.at_ms, D(price)))

    def order(self, slot: str) -> Order:
        """The order that stands in `slot`."""
        return self.state.standing[slot]

    def accept_all(self) -> None:
        """The exchange takes every order that was placed into its book."""
        for order in list(self.state.standing.values()):
            if order.status == "intended":
                self.tell(Accepted(self.at_ms, order.id))

    def fill(self, slot: str, quantity: Decimal | None = None, price: Decimal | None = None) -> Step:
        """Part of the order in `slot` is traded, or all of it."""
        return self.tell(self.filled(self.order(slot), quantity, price))

    def filled(self, order: Order, quantity: Decimal | None = None, price: Decimal | None = None) -> Filled:
        """A fill of `order` at its own price, its fee as the market says."""
        self.fills += 1
        amount = order.remaining if quantity is None else quantity
        return fill_of(
            order, self.bot.market, amount, order.price if price is None else price, f"f{self.fills}", self.at_ms
        )


def fill_of(order: Order, on: Market, quantity: Decimal, price: Decimal, fill_id: str, at_ms: int = START_MS) -> Filled:
    """A maker's fill of `order` with the cumulative fee: the whole so far rounded up, less what was charged."""
    before = order.value
    if on.fee_in == "received" and order.side == "buy":
        fee = fee_due(order.filled + quantity, on.maker_fee, order.fee_base)
        return Filled(at_ms, order.id, fill_id, price, quantity, fee, on.base, ZERO, True)
    value = before + price * quantity
    if isinstance(on.fee_in, str):
        fee = fee_due(value, on.maker_fee, order.fee_quote)
        return Filled(at_ms, order.id, fill_id, price, quantity, fee, on.quote, ZERO, True)
    asset, worth = on.fee_in
    charged = order.fee_value / worth
    fee = fee_due(value / worth, on.maker_fee, charged)
    return Filled(at_ms, order.id, fill_id, price, quantity, fee, asset, fee * worth, True)


def new_order(
    side: Side = "buy",
    price: str = "100",
    quantity: str = "1",
    *,
    slot: str = "0-0b",
    kind: Kind = "limit",
    order_id: str = "n-1-0-0b",
) -> Order:
    """An order that was decided and not yet sent."""
    return decided(order_id, slot, side, kind, D(price), D(quantity))
