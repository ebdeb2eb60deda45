"""A second, independent calculation of the backtest of PPP Vishva, SMA cross and RSI, from the written rules alone.

It shares no code with the engine it is held against and is meant to be read beside spec/signals.md and
spec/simulation.md. Indicators are floats (signal_indicators.py), conditions are computed for the whole tape
beforehand (signal_views.py), and this file walks the price path with money in exact Decimals.

Where the specification leaves a choice, the comment says "N n", which is the number in SIGNAL_NOTES.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tests.oracle import signal_indicators as ind
from tests.oracle.grid_oracle import Candle, check_candles, down, exact_context, fee_of, share_of_cost, up, walk_of
from tests.oracle.signal_views import Config, View, confirming, full_config, views

ZERO = Decimal(0)


@dataclass(frozen=True)
class Market:
    """What the exchange asks of an order; the fee is taken from what is received."""

    tick: Decimal
    lot: Decimal
    min_notional: Decimal = Decimal(5)
    maker_fee: Decimal = Decimal("0.001")
    taker_fee: Decimal = Decimal("0.001")


@dataclass(frozen=True)
class Readings:
    """The readings that were tried against the printed counts; the defaults are the ones chosen."""

    cross_scope: str = "position"  # a stochastic cross serves one entry of a: position | run  (N 1)
    profit: str = "last"  # in profit against: last | first | average | all  (N 12)
    slots: str = "position"  # max_entries counts: position (since flat) | open  (N 13)
    size_at: str = "close"  # a size is fixed at: close (of the decision) | fill  (N 15)
    target_from: str = "atr"  # the target's distance: atr (unrounded) | stop (as rounded)  (N 17)
    dust: str = "carry"  # what is under a lot: carry (to the next entry) | keep  (N 20)


@dataclass(frozen=True)
class Order:
    """A market buy decided at a close."""

    number: int
    reason: str
    quantity: Decimal
    atr: Fraction


@dataclass
class Entry:
    """One entry with its own stop, target and trailing line."""

    time: int
    number: int
    reason: str
    price: Decimal
    quantity: Decimal  # as bought
    stop: Decimal
    target: Decimal
    atr: Fraction
    held: Decimal = ZERO  # what its sale sells
    cost: Decimal = ZERO
    peak: Decimal = ZERO
    leave: str = ""  # decided at a close: sold at the next open


@dataclass(frozen=True)
class Fill:
    """One fill."""

    time: int
    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    reason: str


@dataclass(frozen=True)
class Trade:
    """An entry and its sale."""

    entered: int
    left: int
    number: int
    entry_price: Decimal
    exit_price: Decimal
    quantity: Decimal
    reason: str
    profit: Decimal


@dataclass
class Result:
    """What a run gives."""

    entries: list[Entry] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    base: Decimal = ZERO
    quote: Decimal = ZERO
    equity_end: Decimal = ZERO
    total_profit: Decimal = ZERO
    refused: int = 0

    def first_entries(self) -> int:
        """How many entries opened a position."""
        return sum(1 for entry in self.entries if entry.number == 1)


class Run:
    """The state of one run: money, the open entries, what was decided at the last close."""

    def __init__(self, config: Mapping[str, Any], market: Market, investment: Decimal, readings: Readings) -> None:
        self.config = config
        self.market = market
        self.readings = readings
        self.result = Result(quote=investment)
        self.open: list[Entry] = []
        self.order: Order | None = None
        self.first_quantity = ZERO
        self.count = 0  # entries since flat
        self.used_trigger = -1
        self.used_cross = -1
        self.dust = ZERO
        self.dust_cost = ZERO
        self.time = 0
        self.day = 0
        self.day_equity = investment
        self.halted = False

    # ------------------------------------------------ decisions, at a close

    def equity(self, price: Decimal) -> Decimal:
        return self.result.quote + self.result.base * price

    def decide(self, view: View) -> None:
        self.watch_the_day(view)
        if view.leave:
            for entry in self.open:
                entry.leave = view.leave
            return
        if self.halted or not view.steady or view.reload is None:
            return
        newer = view.reload > self.used_cross
        if not self.open:
            allowed = newer or self.readings.cross_scope == "position"
            if allowed and view.trigger is not None and view.trigger > self.used_trigger:
                self.send(view, 1, "first")
        elif newer and self.may_add(view):
            self.send(view, self.count + 1, "added")

    def may_add(self, view: View) -> bool:
        taken = self.count if self.readings.slots == "position" else len(self.open)
        return view.long and taken < int(self.config["max_entries"]) and self.in_profit(view.close)

    def in_profit(self, close: Decimal) -> bool:
        prices = [entry.price for entry in self.open]
        if self.readings.profit == "last":
            mark = Fraction(prices[-1])
        elif self.readings.profit == "first":
            mark = Fraction(prices[0])
        elif self.readings.profit == "all":
            mark = Fraction(max(prices))
        else:
            paid = sum((entry.price * entry.quantity for entry in self.open), ZERO)
            mark = Fraction(paid) / Fraction(sum((entry.quantity for entry in self.open), ZERO))
        return ind.above(float(close), float(mark))

    def watch_the_day(self, view: View) -> None:
        """max_daily_loss: of the equity at 00:00 UTC, marked at the closes (N 22)."""
        limit = self.config["max_daily_loss"]
        if limit is None:
            return
        equity = self.equity(view.close)
        day = view.ends // ind.UNITS["d"]
        if day != self.day:
            self.day, self.day_equity, self.halted = day, equity, False
        if equity <= self.day_equity * (1 - Decimal(str(limit))):
            self.halted = True

    def send(self, view: View, number: int, reason: str) -> None:
        """A market order, filled at the next open; its signals are spent now."""
        average = Fraction(0) if view.atr is None else Fraction(Decimal(repr(view.atr)))
        if "stop_atr" in self.config and average <= 0:
            return
        quantity = self.size(view.close, average, number)
        if quantity <= 0 or quantity * view.close < self.market.min_notional:
            self.result.refused += 1
            return
        self.order = Order(number, reason, quantity, average)
        assert view.reload is not None
        self.used_cross = view.reload
        if number == 1 and view.trigger is not None:
            self.used_trigger = view.trigger

    def size(self, price: Decimal, average: Fraction, number: int) -> Decimal:
        """Risk over the distance of the stop, under the caps; a later entry is a half of the one before it."""
        equity = Fraction(self.equity(price))
        at = Fraction(price)
        if number == 1:
            wanted = equity * self.share("risk_per_trade") / self.distance(price, average)
        else:
            wanted = Fraction(self.first_quantity) / 2 ** (number - 1)
        cap = equity * self.share("max_position") / at
        return down(min(wanted, cap, Fraction(self.result.quote) / at), self.market.lot)

    def share(self, key: str) -> Fraction:
        return Fraction(Decimal(str(self.config[key])))

    def distance(self, price: Decimal, average: Fraction) -> Fraction:
        """From the entry to the stop, not yet on the tick."""
        if "stop_atr" in self.config:
            return self.share("stop_atr") * average
        return Fraction(price) * self.share("stop_loss")

    # ------------------------------------------------ fills

    def book(self, side: str, price: Decimal, quantity: Decimal, rate: Decimal, reason: str) -> Decimal:
        """One fill: balances and the list. Gives the fee."""
        fee, asset = fee_of(side, price, quantity, rate, "received")
        result = self.result
        if side == "buy":
            result.base += quantity - fee
            result.quote -= price * quantity
        else:
            result.base -= quantity
            result.quote += price * quantity - fee
        if result.base < 0 or result.quote < 0:
            raise RuntimeError("a balance fell below zero")
        result.fills.append(Fill(self.time, side, price, quantity, fee, asset, reason))
        return fee

    def enter(self, price: Decimal) -> None:
        """The market buy decided at the last close, at this open."""
        order, self.order = self.order, None
        if order is None:
            return
        quantity = order.quantity
        if self.readings.size_at == "fill":
            quantity = self.size(price, order.atr, order.number)
        if quantity <= 0 or price * quantity > self.result.quote or price * quantity < self.market.min_notional:
            self.result.refused += 1
            return
        stop, target = self.bounds(price, order.atr)
        entry = Entry(self.time, order.number, order.reason, price, quantity, stop, target, order.atr, peak=price)
        fee = self.book("buy", price, quantity, self.market.taker_fee, order.reason)
        pool, cost = quantity - fee, price * quantity
        if self.readings.dust == "carry":
            pool, cost = pool + self.dust, cost + self.dust_cost
        entry.held = down(Fraction(pool), self.market.lot)
        entry.cost = share_of_cost(cost, entry.held, pool)
        self.dust, self.dust_cost = pool - entry.held, cost - entry.cost
        if order.number == 1:
            self.first_quantity = quantity
        self.count = order.number
        self.open.append(entry)
        self.result.entries.append(entry)

    def bounds(self, price: Decimal, average: Fraction) -> tuple[Decimal, Decimal]:
        """The stop down, the target up to the tick (N 17)."""
        distance = self.distance(price, average)
        stop = down(Fraction(price) - distance, self.market.tick)
        if "take_profit" in self.config:
            reach = Fraction(price) * self.share("take_profit")
        else:
            if self.readings.target_from == "stop":
                distance = Fraction(price) - Fraction(stop)
            reach = self.share("reward_risk") * distance
        return stop, up(Fraction(price) + reach, self.market.tick)

    def leave(self, entry: Entry, price: Decimal, rate: Decimal, reason: str) -> None:
        self.open.remove(entry)
        if entry.held <= 0:
            return
        fee = self.book("sell", price, entry.held, rate, reason)
        profit = price * entry.held - fee - entry.cost
        self.result.trades.append(
            Trade(entry.time, self.time, entry.number, entry.price, price, entry.held, reason, profit)
        )

    # ------------------------------------------------ the path

    def line(self, entry: Entry) -> tuple[Decimal, str]:
        """Where the entry is sold by a falling path: its stop, or the trailing line once that is armed (N 19)."""
        if "trail_atr" not in self.config:
            return entry.stop, "stop"
        if 2 * entry.peak < entry.price + entry.target:
            return entry.stop, "stop"
        trailing = down(Fraction(entry.peak) - self.share("trail_atr") * entry.atr, self.market.tick)
        return (trailing, "trailing") if trailing > entry.stop else (entry.stop, "stop")

    def falling(self, end: Decimal, is_jump: bool) -> None:
        """Stops from the highest down, equal ones by age; in a jump they fill at its end."""
        while True:
            chosen: Entry | None = None
            best, reason = ZERO, ""
            for entry in self.open:
                level, kind = self.line(entry)
                if not entry.leave and end <= level and (chosen is None or level > best):
                    chosen, best, reason = entry, level, kind
            if chosen is None:
                return
            self.leave(chosen, end if is_jump else best, self.market.taker_fee, reason)

    def rising(self, end: Decimal) -> None:
        """Targets from the lowest up, at their own price, as maker; then the peaks."""
        while True:
            reached = [entry for entry in self.open if not entry.leave and entry.target <= end]
            if not reached:
                break
            chosen = min(reached, key=lambda entry: entry.target)  # the oldest of equals
            self.leave(chosen, chosen.target, self.market.maker_fee, "target")
        for entry in self.open:
            entry.peak = max(entry.peak, end)

    def segment(self, begin: Decimal, end: Decimal, is_jump: bool) -> None:
        if end < begin:
            self.falling(end, is_jump)
        elif end > begin:
            self.rising(end)

    def at_open(self, price: Decimal) -> None:
        """What was decided at the last close: the exits first, oldest entry first, then the entry."""
        for entry in [entry for entry in self.open if entry.leave]:
            self.leave(entry, price, self.market.taker_fee, entry.leave)
        self.enter(price)

    def candle(self, candle: Candle, before: Decimal | None) -> None:
        self.time = candle[0]
        points = walk_of(candle, "normal")
        if before is not None:
            self.segment(before, points[0], is_jump=True)
        self.at_open(points[0])
        for begin, end in pairwise(points):
            self.segment(begin, end, is_jump=False)


def run(
    strategy: str,
    config: Config,
    candles: Sequence[Candle],
    market: Market,
    investment: Decimal,
    timeframe: str,
    readings: Readings | None = None,
) -> Result:
    """The backtest of one strategy on a tape whose candles have the given timeframe."""
    check_candles(candles)
    settings = full_config(strategy, config)
    tape = ind.milliseconds(timeframe)
    own = ind.milliseconds(str(settings["timeframe"]))
    if own % tape:
        raise ValueError(f"candles of {timeframe} do not make candles of {settings['timeframe']}")
    check_longer(settings, own)
    bars = ind.plain_bars(candles, tape)
    if own != tape:
        bars = ind.built_bars(bars, own)
    with localcontext(exact_context()):
        state = Run(settings, market, investment, readings or Readings())
        walk(state, candles, views(strategy, settings, bars), tape)
        result = state.result
        result.equity_end = state.equity(candles[-1][4])
        result.total_profit = result.equity_end - investment
    return result


def check_longer(settings: Mapping[str, Any], own: int) -> None:
    """A confirming timeframe is made of whole candles of the strategy's own."""
    for name in confirming(settings):
        if ind.milliseconds(name) % own:
            raise ValueError(f"candles of {settings['timeframe']} do not make candles of {name}")


def walk(state: Run, candles: Sequence[Candle], seen: Sequence[View], tape: int) -> None:
    """Each candle of the path, and after its close the views that have become known by the next open (N 2)."""
    position = 0
    before: Decimal | None = None
    for index, candle in enumerate(candles):
        state.candle(candle, before)
        before = candle[4]
        last = index + 1 == len(candles)
        known = candle[0] + tape if last else candles[index + 1][0]
        while position < len(seen) and seen[position].ends <= known:
            state.decide(seen[position])
            position += 1
