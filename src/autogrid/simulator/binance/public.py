"""What everybody may ask: time, prices, trades, candles."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from autogrid.simulator.binance.book import levels
from autogrid.simulator.binance.exchange_info import names_in
from autogrid.simulator.binance.refusals import UnableToAnswer
from autogrid.simulator.binance.ticker import day_ticker
from autogrid.simulator.binance.venue import Asked
from autogrid.simulator.binance.wire import INTERVALS, Json, figure, real, wire_symbol
from autogrid.simulator.records import Print
from autogrid.trading.candle import MINUTE_MS, Candle
from autogrid.trading.money import ZERO

Tell: TypeAlias = Callable[[str], Mapping[str, object]]
"""Of one market, by our symbol."""


def ping(asked: Asked) -> Json:  # noqa: ARG001
    """GET ping."""
    return {}


def time(asked: Asked) -> Json:
    """GET time."""
    return {"serverTime": asked.world.now_ms()}


def depth(asked: Asked) -> Json:
    """GET depth."""
    symbol, limit = asked.symbol(), asked.params.limit(100, 5000)
    bids, asks = levels(asked.world, symbol, limit)
    prints = asked.world.prints(symbol, 1)
    return {"lastUpdateId": prints[-1].id if prints else 0, "bids": bids, "asks": asks}


def trades(asked: Asked) -> Json:
    """GET trades, and historicalTrades with `fromId`."""
    symbol, limit = asked.symbol(), asked.params.limit(500, 1000)
    return [_trade(one) for one in asked.world.prints(symbol, limit, asked.params.whole("fromId"))]


def agg_trades(asked: Asked) -> Json:
    """GET aggTrades: each trade is one."""
    symbol, params = asked.symbol(), asked.params
    limit, from_id = params.limit(500, 1000), params.whole("fromId")
    start, end = params.whole("startTime"), params.whole("endTime")
    if start is None and end is None:
        return [agg_trade(one) for one in asked.world.prints(symbol, limit, from_id)]
    found = asked.world.prints(symbol, 1_000_000)
    within = [one for one in found if (start or 0) <= one.at_ms and (end is None or one.at_ms <= end)]
    return [agg_trade(one) for one in within[:limit]]


def agg_trade(printed: Print) -> dict[str, object]:
    """One trade as an aggregate of one."""
    return {
        "a": printed.id,
        "p": figure(printed.price),
        "q": figure(printed.quantity),
        "f": printed.id,
        "l": printed.id,
        "T": printed.at_ms,
        "m": printed.buyer_is_maker,
        "M": True,
    }


def klines(asked: Asked) -> Json:
    """GET klines."""
    symbol, params = asked.symbol(), asked.params
    params.ignore("timeZone")
    length = INTERVALS.get(params.text("interval"))
    if length is None:
        raise UnableToAnswer(-1120, "Invalid interval.")
    limit, start, end = params.limit(500, 1000), params.whole("startTime"), params.whole("endTime")
    return [_kline(candle, length) for candle in asked.world.candles(symbol, length, start, end, limit)]


def average_price(asked: Asked) -> Json:
    """GET avgPrice: of the last five minutes."""
    symbol, world = asked.symbol(), asked.world
    recent = [one for one in world.prints(symbol, 5000) if one.at_ms > world.now_ms() - 5 * MINUTE_MS]
    volume = sum((one.quantity for one in recent), ZERO)
    mean = sum((one.price * one.quantity for one in recent), ZERO) / volume if volume else world.price(symbol) or ZERO
    return {"mins": 5, "price": figure(mean), "closeTime": world.now_ms()}


def ticker_price(asked: Asked) -> Json:
    """GET ticker/price."""
    return _each(
        asked, lambda symbol: {"symbol": wire_symbol(symbol), "price": figure(asked.world.price(symbol) or ZERO)}
    )


def book_ticker(asked: Asked) -> Json:
    """GET ticker/bookTicker."""
    return _each(asked, lambda symbol: _top(asked, symbol))


def ticker_24h(asked: Asked) -> Json:
    """GET ticker/24hr."""
    mini = asked.params.optional("type") == "MINI"
    return _each(asked, lambda symbol: day_ticker(asked.world, symbol, mini=mini))


def _each(asked: Asked, tell: Tell) -> Json:
    """Of the one symbol that is named, else of those in `symbols`, else of all."""
    asked.params.ignore("symbolStatus")
    one, several = asked.symbol_or_none(), asked.params.optional("symbols")
    if one is not None:
        return tell(one)
    if several is not None:
        return [tell(asked.venue.symbol(str(name))) for name in names_in(several)]
    return [tell(symbol) for symbol in asked.world.markets]


def _top(asked: Asked, symbol: str) -> dict[str, object]:
    bids, asks = levels(asked.world, symbol, 1)
    (bid, bid_quantity), (ask, ask_quantity) = bids[0] if bids else ("0", "0"), asks[0] if asks else ("0", "0")
    return {
        "symbol": wire_symbol(symbol),
        "bidPrice": bid,
        "bidQty": bid_quantity,
        "askPrice": ask,
        "askQty": ask_quantity,
    }


def _trade(printed: Print) -> dict[str, object]:
    return {
        "id": printed.id,
        "price": figure(printed.price),
        "qty": figure(printed.quantity),
        "quoteQty": figure(printed.price * printed.quantity),
        "time": printed.at_ms,
        "isBuyerMaker": printed.buyer_is_maker,
        "isBestMatch": True,
    }


def _kline(candle: Candle, length_ms: int) -> list[object]:
    value, half = candle.close * candle.volume, candle.volume / 2
    return [
        candle.open_ms,
        real(candle.open),
        real(candle.high),
        real(candle.low),
        real(candle.close),
        real(candle.volume),
        candle.open_ms + length_ms - 1,
        real(value),
        1,
        real(half),
        real(candle.close * half),
        "0",
    ]
