"""The public endpoints: time, rules, tickers, books, trades, candles. Source: Bybit's API document, "Market"."""

from collections.abc import Mapping
from typing import Final

from autogrid.simulator.bybit import codes
from autogrid.simulator.bybit.codes import UnableToAnswer
from autogrid.simulator.bybit.figures import FIRST_SEQUENCE, Json, market_name, own_symbol
from autogrid.simulator.bybit.quotes import (
    INTERVALS,
    candle_row,
    instrument_row,
    level_rows,
    levels,
    public_trade_row,
    ticker_row,
)
from autogrid.simulator.bybit.requests import Reply, whole, word
from autogrid.simulator.world import World

Fields = Mapping[str, object]
EVERY_CANDLE: Final = 10**9
OTHER_CATEGORIES: Final = ("linear", "inverse", "option")
"""Products that are not simulated: their lists are empty."""


def time(world: World, fields: Fields) -> Reply:
    """GET /v5/market/time."""
    del fields
    now = world.now_ms()
    return Reply({"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)})


def instruments(world: World, fields: Fields) -> Reply:
    """GET /v5/market/instruments-info: all at once, for spot knows no pages."""
    category, name = word(fields, "category"), word(fields, "symbol")
    rows = [instrument_row(world, symbol, place) for place, symbol in enumerate(world.markets)]
    rows = [row for row in rows if name in ("", row["symbol"]) and _is_spot(category)]
    return Reply({"category": category, "list": rows, "nextPageCursor": ""})


def tickers(world: World, fields: Fields) -> Reply:
    """GET /v5/market/tickers: of one market or of all that ever traded."""
    category = word(fields, "category")
    if not _is_spot(category):
        return Reply({"category": category, "list": []})
    named = [_symbol(world, fields)] if word(fields, "symbol") else list(world.markets)
    traded = [symbol for symbol in named if world.price(symbol) is not None]
    return Reply({"category": category, "list": [ticker_row(world, symbol) for symbol in traded]})


def order_book(world: World, fields: Fields) -> Reply:
    """GET /v5/market/orderbook."""
    symbol, now = _spot_symbol(world, fields), world.now_ms()
    bids, asks = levels(world, symbol, whole(fields, "limit", 1, 200))
    printed = world.prints(symbol, 1)
    update = printed[-1].id if printed else 1
    book: Json = {"s": market_name(symbol), "b": level_rows(bids), "a": level_rows(asks)}
    return Reply(book | {"ts": now, "u": update, "seq": FIRST_SEQUENCE + update, "cts": now})


def recent_trades(world: World, fields: Fields) -> Reply:
    """GET /v5/market/recent-trade: newest first."""
    symbol = _spot_symbol(world, fields)
    prints = world.prints(symbol, whole(fields, "limit", 60, 60))
    return Reply({"category": "spot", "list": [public_trade_row(world, printed) for printed in reversed(prints)]})


def candles(world: World, fields: Fields) -> Reply:
    """GET /v5/market/kline: newest first, the unfinished one too; with a start alone the first from there on, of a span
    that is too long the newest.
    """
    symbol, interval = _spot_symbol(world, fields), word(fields, "interval")
    if interval not in INTERVALS:
        raise UnableToAnswer(codes.BAD_REQUEST, "Invalid period!")
    start, end = (str(fields.get(name) or "") for name in ("start", "end"))
    first, last = int(start) if start.isdigit() else None, int(end) if end.isdigit() else None
    limit = whole(fields, "limit", 200, 1000)
    within = first is not None and last is not None
    found = world.candles(symbol, INTERVALS[interval], first, last, EVERY_CANDLE if within else limit)[-limit:]
    return Reply({"category": "spot", "symbol": market_name(symbol), "list": [candle_row(one) for one in found[::-1]]})


def _is_spot(category: str) -> bool:
    if category not in ("spot", *OTHER_CATEGORIES):
        raise UnableToAnswer(codes.BAD_REQUEST, "Illegal category")
    return category == "spot"


def _spot_symbol(world: World, fields: Fields) -> str:
    if not _is_spot(word(fields, "category")):
        raise UnableToAnswer(codes.BAD_REQUEST, "Not supported symbols")
    return _symbol(world, fields)


def _symbol(world: World, fields: Fields) -> str:
    symbol = own_symbol(world, word(fields, "symbol"))
    if not symbol:
        raise UnableToAnswer(codes.BAD_REQUEST, "Not supported symbols")
    return symbol
