"""The public side of one simulated market: its rules, its price, its trades, its candles."""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from autogrid.simulator.records import Print
from autogrid.trading.candle import MINUTE_MS, Candle, bucket_of
from autogrid.trading.market import Market
from autogrid.trading.money import Price, Quantity

KEPT_PRINTS: Final = 5_000
"""Public trades that can be asked for, the newest."""


class MarketSide:
    """What everyone sees of one market."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.price: Price | None = None
        self.halted = False
        self.depth: Quantity | None = None
        """Base that one order may trade at once when it arrives; None: any."""
        self.prints: deque[Print] = deque(maxlen=KEPT_PRINTS)
        self._next_trade = 1
        self._minutes: list[Candle] = []
        self._history: Sequence[Candle] = ()
        self._history_ms = MINUTE_MS

    def next_trade_id(self) -> int:
        """Ids of trades, public and own, rise by one."""
        self._next_trade += 1
        return self._next_trade - 1

    def print_at(self, price: Price, quantity: Quantity, at_ms: int) -> Print:
        """The market trades at `price`."""
        falls = self.price is not None and price < self.price
        self.price = price
        printed = Print(self.market.symbol, self.next_trade_id(), price, quantity, at_ms, falls)
        self.prints.append(printed)
        self._grow(float(price), float(quantity), at_ms)
        return printed

    def hand_history(self, candles: Sequence[Candle], interval_ms: int) -> None:
        """Closed candles from before the world began, oldest first."""
        self._history, self._history_ms = candles, interval_ms

    def candles(self, interval_ms: int, start_ms: int | None, end_ms: int | None, limit: int) -> list[Candle]:
        """Oldest first, the last one unfinished: the first `limit` from `start_ms` on, else the newest `limit`.

        History in coarser candles than asked for is left out.
        """
        sources: list[Sequence[Candle]] = [self._minutes]
        if interval_ms % self._history_ms == 0:
            sources.insert(0, self._history)
        first = None if start_ms is None else bucket_of(start_ms + interval_ms - 1, interval_ms)
        found: list[Candle] = []
        for source in sources:
            begin = 0 if first is None else bisect_left(source, first, key=_opens)
            found += source[begin:] if end_ms is None else source[begin : bisect_left(source, end_ms + 1, key=_opens)]
        coarse = _coarser(found, interval_ms)
        return coarse[:limit] if start_ms is not None else coarse[-limit:]

    def _grow(self, price: float, quantity: float, at_ms: int) -> None:
        opens, minutes = bucket_of(at_ms, MINUTE_MS), self._minutes
        if minutes and minutes[-1].open_ms >= opens:
            minutes[-1] = _joined(minutes[-1], Candle(minutes[-1].open_ms, price, price, price, price, quantity))
        else:
            minutes.append(Candle(opens, price, price, price, price, quantity))


def _opens(candle: Candle) -> int:
    return candle.open_ms


def _coarser(candles: Iterable[Candle], interval_ms: int) -> list[Candle]:
    found: list[Candle] = []
    for candle in candles:
        opens = bucket_of(candle.open_ms, interval_ms)
        if found and found[-1].open_ms == opens:
            found[-1] = _joined(found[-1], candle)
        else:
            found.append(candle._replace(open_ms=opens))
    return found


def _joined(first: Candle, then: Candle) -> Candle:
    high, low = max(first.high, then.high), min(first.low, then.low)
    return Candle(first.open_ms, first.open, high, low, then.close, first.volume + then.volume)
