"""The events of the market streams: what each stream tells of a trade, and what it tells at its beginning."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from autogrid.simulator.binance.book import levels
from autogrid.simulator.binance.public import agg_trade
from autogrid.simulator.binance.ticker import DAY_MS, last_day, percent
from autogrid.simulator.binance.venue import Venue
from autogrid.simulator.binance.wire import INTERVALS, figure, real, wire_symbol
from autogrid.simulator.records import Print
from autogrid.trading.candle import Candle

Event = Mapping[str, object]
PARTIAL: Final = {"depth5": 5, "depth10": 10, "depth20": 20}
STATES: Final = ("bookTicker", "ticker", "miniTicker", "avgPrice", *PARTIAL)
"""Streams that tell how things stand, and so tell it at once."""


class Shown(NamedTuple):
    """The book as followers of its changes know it."""

    update_id: int
    bids: dict[str, str]
    asks: dict[str, str]


class Events:
    """What is told, and the book and candles as they were told last."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._world = venue.world
        self._shown: dict[str, Shown] = {}
        self._opened: dict[tuple[str, str], int] = {}
        """When the candle opened that a stream told last, by market and interval."""

    def begun(self, stream: str) -> list[object]:
        """What a new follower of `stream` is told at once."""
        name, _, kind = stream.partition("@")
        symbol = self._symbol(name)
        if symbol is None or self._world.price(symbol) is None:
            return []
        kind = kind.partition("@")[0]
        if kind == "depth" and symbol not in self._shown:
            self._shown[symbol] = self._book(symbol)
        if kind in STATES:
            return list(self._render(kind, symbol, self._world.prints(symbol, 1)[-1]))
        return []

    def after(self, printed: Print, wanted: Iterable[str]) -> dict[str, list[object]]:
        """By stream, what is told of a public trade."""
        told: dict[str, list[object]] = {}
        kinds: dict[str, list[Event]] = {}
        lower = wire_symbol(printed.symbol).lower()
        for stream in wanted:
            name, _, rest = stream.partition("@")
            every = name in ("!ticker", "!miniTicker", "!bookTicker")
            if name != lower and not every:
                continue
            kind = name[1:] if every else rest.partition("@")[0]
            if kind not in kinds:
                kinds[kind] = self._render(kind, printed.symbol, printed)
            events = kinds[kind]
            told[stream] = [events] if every and rest == "arr" else list(events)
        if printed.symbol in self._shown:
            self._shown[printed.symbol] = self._book(printed.symbol)
        return told

    def _render(self, kind: str, symbol: str, printed: Print) -> list[Event]:
        head = {"E": self._world.now_ms(), "s": wire_symbol(symbol)}
        match kind:
            case "trade":
                return [{"e": "trade", **head, **_trade(printed)}]
            case "aggTrade":
                return [{"e": "aggTrade", **head, **agg_trade(printed)}]
            case "bookTicker":
                return [self._top(symbol)]
            case "ticker":
                return [{"e": "24hrTicker", **head, **self._day(symbol)}]
            case "miniTicker":
                return [{"e": "24hrMiniTicker", **head, **self._mini(symbol)}]
            case "depth":
                return [{"e": "depthUpdate", **head, **self._changes(symbol, printed)}]
            case _:
                return self._render_named(kind, symbol, printed)

    def _render_named(self, kind: str, symbol: str, printed: Print) -> list[Event]:
        """Streams whose name holds a number or an interval."""
        if kind in PARTIAL:
            bids, asks = levels(self._world, symbol, PARTIAL[kind])
            return [{"lastUpdateId": printed.id, "bids": bids, "asks": asks}]
        interval = kind.removeprefix("kline_")
        if interval == kind or interval not in INTERVALS:
            return []
        head = {"E": self._world.now_ms(), "s": wire_symbol(symbol)}
        return [{"e": "kline", **head, "k": candle} for candle in self._klines(symbol, interval)]

    def _top(self, symbol: str) -> Event:
        book = self._book(symbol)
        (bid, bid_quantity), (ask, ask_quantity) = next(iter(book.bids.items())), next(iter(book.asks.items()))
        return {
            "u": book.update_id,
            "s": wire_symbol(symbol),
            "b": bid,
            "B": bid_quantity,
            "a": ask,
            "A": ask_quantity,
        }

    def _day(self, symbol: str) -> Event:
        day, now, top = last_day(self._world, symbol), self._world.now_ms(), self._top(symbol)
        return {
            "p": real(day.close - day.open),
            "P": percent(day),
            "w": real(day.value / day.volume if day.volume else day.close),
            "x": real(day.open),
            "c": real(day.close),
            "Q": figure(day.last_quantity),
            **{name: top[name] for name in "bBaA"},
            "o": real(day.open),
            "h": real(day.high),
            "l": real(day.low),
            "v": real(day.volume),
            "q": real(day.value),
            "O": now - DAY_MS,
            "C": now,
            "F": day.first_id,
            "L": day.last_id,
            "n": day.trades,
        }

    def _mini(self, symbol: str) -> Event:
        day = self._day(symbol)
        return {name: day[name] for name in "cohlvq"}

    def _changes(self, symbol: str, printed: Print) -> Event:
        before, now = self._shown.get(symbol), self._book(symbol)
        if before is None:
            before = Shown(printed.id - 1, {}, {})
        return {
            "U": before.update_id + 1,
            "u": printed.id,
            "b": _changed(before.bids, now.bids),
            "a": _changed(before.asks, now.asks),
        }

    def _book(self, symbol: str) -> Shown:
        bids, asks = levels(self._world, symbol, 20)
        newest = self._world.prints(symbol, 1)
        return Shown(newest[-1].id if newest else 0, {one[0]: one[1] for one in bids}, {one[0]: one[1] for one in asks})

    def _klines(self, symbol: str, interval: str) -> list[Event]:
        """The candle in the making, and before it the one that it has closed."""
        length = INTERVALS[interval]
        candles = self._world.candles(symbol, length, None, None, 2)
        if not candles:
            return []
        running = candles[-1]
        opened = self._opened.get((symbol, interval))
        self._opened[symbol, interval] = running.open_ms
        told = [_kline(symbol, interval, running, length, closed=False)]
        if opened is not None and opened != running.open_ms and len(candles) == 2 and candles[0].open_ms == opened:
            told.insert(0, _kline(symbol, interval, candles[0], length, closed=True))
        return told

    def _symbol(self, lower: str) -> str | None:
        names = {wire_symbol(symbol).lower(): symbol for symbol in self._world.markets}
        return names.get(lower)


def _trade(printed: Print) -> Event:
    return {
        "t": printed.id,
        "p": figure(printed.price),
        "q": figure(printed.quantity),
        "T": printed.at_ms,
        "m": printed.buyer_is_maker,
        "M": True,
    }


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[list[str]]:
    gone = [[price, figure(Decimal(0))] for price in before if price not in now]
    return gone + [[price, quantity] for price, quantity in now.items() if before.get(price) != quantity]


def _kline(symbol: str, interval: str, candle: Candle, length_ms: int, *, closed: bool) -> Event:
    half = candle.volume / 2
    return {
        "t": candle.open_ms,
        "T": candle.open_ms + length_ms - 1,
        "s": wire_symbol(symbol),
        "i": interval,
        "f": -1,
        "L": -1,
        "o": real(candle.open),
        "c": real(candle.close),
        "h": real(candle.high),
        "l": real(candle.low),
        "v": real(candle.volume),
        "n": 1,
        "x": closed,
        "q": real(candle.close * candle.volume),
        "V": real(half),
        "Q": real(candle.close * half),
        "B": "0",
    }
