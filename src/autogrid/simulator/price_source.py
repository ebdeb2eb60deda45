"""Where the simulated market's prices come from: candles of a tape along their path, or a walk drawn with a seed.

Of a tape, each candle is walked as in a backtest: open, low, high, close where it closes at or above its open, else
open, high, low, close, a quarter of its time and volume each. Times are real ones: at speed 60 a minute's candle takes
a second, and its prices are traded now.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from autogrid.backtesting.tapes import Tape
from autogrid.simulator.world import World
from autogrid.trading.candle import Candle
from autogrid.trading.market import Market
from autogrid.trading.money import ONE, ZERO, Price, Quantity

WALK_STEP_MS: Final = 1_000
WALK_SPREAD: Final = 0.0004
"""Standard deviation of a step of the walk, as a share of the price."""
LEAST_PRINT: Final = Decimal("0.00000001")


Sleep: TypeAlias = Callable[[float], Awaitable[object]]


class Step(NamedTuple):
    """A trade of the market, `after_ms` after the one before it."""

    after_ms: float
    price: Price
    quantity: Quantity


def tape_steps(tape: Tape, first: int = 0) -> Iterator[Step]:
    """The candles from number `first` on, each as four trades."""
    quarter = tape.interval_ms / 4
    for index in range(first, len(tape)):
        opens, high, low, close = (int(units) * tape.unit for units in tape.prices[index])
        quantity = max(LEAST_PRINT, Decimal(repr(float(tape.volumes[index]))) / 4)
        corners = (opens, low, high, close) if close >= opens else (opens, high, low, close)
        for corner in corners:
            yield Step(quarter, corner, quantity)


def tape_history(tape: Tape, number: int, until_ms: int) -> list[Candle]:
    """The first `number` candles of a tape, moved in time so that they end at `until_ms`."""
    shift = until_ms // tape.interval_ms * tape.interval_ms - int(tape.times[0]) - number * tape.interval_ms
    found = []
    for index in range(number):
        opens, high, low, close = (float(int(units) * tape.unit) for units in tape.prices[index])
        found.append(Candle(int(tape.times[index]) + shift, opens, high, low, close, float(tape.volumes[index])))
    return found


def walk_steps(seed: int, start: Price) -> Iterator[Step]:
    """A random walk without end; the same seed gives the same."""
    chance = random.Random(seed)  # noqa: S311 (to be repeatable is the point)
    price = start
    while True:
        price = max(start / 100, price * (ONE + Decimal(repr(chance.gauss(0, WALK_SPREAD)))))
        yield Step(WALK_STEP_MS, price, Decimal(repr(round(chance.uniform(0.001, 2), 5))))


def usual_market(base: str, quote: str, price: Price) -> Market:
    """Rules such as an exchange has for a market at about `price`: six figures of price, lots of about a tenth of
    a quote unit, and a tenth of a percent of fee.
    """
    power = price.adjusted()
    return Market(
        base,
        quote,
        tick=max(Decimal("0.00000001"), ONE.scaleb(power - 6)),
        lot=max(Decimal("0.00000001"), ONE.scaleb(min(0, -power - 1))),
        min_notional=Decimal(5),
        maker_fee=Decimal("0.001"),
        taker_fee=Decimal("0.001"),
        max_orders=200,
        least_share=Decimal("0.2"),
        most_share=Decimal(5),
    )


class Prices:
    """Moves one market in all worlds, step after step, as fast as is wanted."""

    def __init__(self, symbol: str, steps: Iterable[Step], worlds: list[World], speed: float) -> None:
        """`speed`: time of the tape per real time; 0: as fast as it goes while others may run."""
        self.symbol = symbol
        self.speed = speed
        self.ended = False
        """The tape is over; its last price goes on being traded."""
        self.taken = 0
        """Steps so far."""
        self._steps = iter(steps)
        self._worlds = worlds
        self._next: Step | None = None
        """Taken from the source, and not traded yet."""
        self._running = asyncio.Event()
        self._running.set()
        self._last = Step(WALK_STEP_MS, ZERO, LEAST_PRINT)

    def first(self) -> None:
        """Take the first step at once, so that there is a price."""
        self._take(next(self._steps))

    def hold(self) -> None:
        """Stand still until `go_on`."""
        self._running.clear()

    def go_on(self) -> None:
        """Move again."""
        self._running.set()

    def step(self, stops: Iterable[Price] = ()) -> Price | None:
        """Stand still, but for this: go on towards the next corner, no further than to the next price at which a
        resting order trades or which is one of `stops`. So whoever answers between two steps answers without delay.

        The price then; None where the tape is over.
        """
        self.hold()
        step = self._next = self._next or next(self._steps, None)
        if step is None:
            self.ended = True
            return None
        price = self._nearest(step.price, stops)
        if price == step.price:
            self._next = None
            self._take(step)
        else:
            self._move(price, LEAST_PRINT)
        return price

    def _nearest(self, corner: Price, stops: Iterable[Price]) -> Price:
        """The first price on the way to a corner at which something happens; the corner where nothing does."""
        stops, rises, met = list(stops), False, []
        for world in self._worlds:
            here, market = world.price(self.symbol), world.markets[self.symbol]
            assert here is not None, "the first step was taken"
            rises = corner > here
            orders = (order for name in world.accounts() for order in world.open_orders(name, self.symbol))
            met += [order.price for order in orders if order.side == ("sell" if rises else "buy") and not order.waiting]
            met += [market.price_up(stop) if rises else market.price_down(stop) for stop in stops]
            met = [price for price in met if min(here, corner) < price < max(here, corner)]
        return (min if rises else max)(met, default=corner)

    async def run(self, sleep: Sleep = asyncio.sleep) -> None:
        """Move for ever."""
        while True:
            await self._running.wait()
            step = self._next = self._next or next(self._steps, None)
            if step is None:
                self.ended = True
                step = Step(WALK_STEP_MS, self._last.price, LEAST_PRINT)
            pace = 1.0 if self.ended else self.speed
            await sleep(step.after_ms / 1000 / pace if pace else 0)
            await self._running.wait()
            if self._next is step or self.ended:  # else it was stepped over meanwhile
                self._next = None
                self._take(step)

    def _take(self, step: Step) -> None:
        self._last = step
        self.taken += 1
        self._move(step.price, step.quantity)

    def _move(self, wanted: Price, quantity: Quantity) -> None:
        for world in self._worlds:
            market = world.markets[self.symbol]
            world.move(self.symbol, max(market.tick, market.nearest_price(wanted)), quantity)
