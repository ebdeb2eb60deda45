"""What MEXC tells everyone in REST. Lists of trades come newest first."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from autogrid.simulator.mexc.asked import Asked
from autogrid.simulator.mexc.book import levels, version
from autogrid.simulator.mexc.names import INTERVALS, TYPES, digits_of, id_of, symbol_of
from autogrid.simulator.mexc.refusals import BAD_COMBINATION, NO_INTERVAL, UnableToServe
from autogrid.simulator.records import Print
from autogrid.simulator.world import World
from autogrid.trading.candle import MINUTE_MS, Candle
from autogrid.trading.money import ZERO, text

DAY_MS: Final = 1440 * MINUTE_MS
MOST_VALUE: Final = Decimal(2_000_000)
"""Quote that one order may be worth; MEXC tells it for each symbol, here it is the same for all."""
MOST_VALUE_AT_MARKET: Final = Decimal(200_000)


def plain(figure: float) -> str:
    """A figure of a candle, as text."""
    return text(Decimal(repr(figure)))


def ping(_world: World, _asked: Asked) -> object:
    """Nothing."""
    return {}


def time(world: World, _asked: Asked) -> object:
    """The exchange's clock."""
    return {"serverTime": world.now_ms()}


def default_symbols(world: World, _asked: Asked) -> object:
    """The symbols that programs may trade."""
    ids = [id_of(symbol) for symbol in world.markets]
    return {"data": ids, "code": 0, "msg": "success", "timestamp": world.now_ms()}


def offline_symbols(_world: World, _asked: Asked) -> object:
    """Delisted ones; there are none."""
    return {"data": []}


def contracts(_world: World, _asked: Asked) -> object:
    """The futures; there are none."""
    return {"success": True, "code": 0, "data": []}


def exchange_info(world: World, asked: Asked) -> object:
    """The rules of all symbols, or of those asked for. There are no filters: tick and lot are told as decimals."""
    wanted = asked.maybe("symbols") or asked.maybe("symbol")
    symbols = [symbol_of(world, one) for one in wanted.split(",")] if wanted else list(world.markets)
    return {
        "timezone": "CST",
        "serverTime": world.now_ms(),
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [_symbol(world, symbol) for symbol in symbols],
    }


def _symbol(world: World, symbol: str) -> dict[str, object]:
    market, halted = world.markets[symbol], world.is_halted(symbol)
    price_digits, quantity_digits = digits_of(market.tick), digits_of(market.lot)
    return {
        "symbol": id_of(symbol),
        "status": "2" if halted else "1",
        "baseAsset": market.base,
        "baseAssetPrecision": quantity_digits,
        "quoteAsset": market.quote,
        "quotePrecision": price_digits,
        "quoteAssetPrecision": price_digits,
        "baseCommissionPrecision": quantity_digits,
        "quoteCommissionPrecision": price_digits,
        "orderTypes": [name for name in TYPES if "OR" not in name],
        "isSpotTradingAllowed": not halted,
        "isMarginTradingAllowed": False,
        "quoteAmountPrecision": text(market.min_notional),
        "baseSizePrecision": text(market.min_quantity),
        "permissions": ["SPOT"],
        "filters": [],
        "maxQuoteAmount": text(MOST_VALUE),
        "makerCommission": text(market.maker_fee),
        "takerCommission": text(market.taker_fee),
        "quoteAmountPrecisionMarket": text(market.min_notional),
        "maxQuoteAmountMarket": text(MOST_VALUE_AT_MARKET),
        "fullName": market.base,
        "tradeSideType": 1,
    }


def depth(world: World, asked: Asked) -> object:
    """The order book."""
    symbol = symbol_of(world, asked.text("symbol"))
    bids, asks = levels(world, symbol, asked.whole("limit", 100))
    return {
        "lastUpdateId": version(world, symbol),
        "bids": [[text(price), text(quantity)] for price, quantity in bids],
        "asks": [[text(price), text(quantity)] for price, quantity in asks],
        "timestamp": world.now_ms(),
    }


def _prints(world: World, asked: Asked) -> list[Print]:
    """The public trades asked for, newest first."""
    symbol, limit = symbol_of(world, asked.text("symbol")), min(asked.whole("limit", 500), 1000)
    start, end = asked.maybe_whole("startTime"), asked.maybe_whole("endTime")
    if (start is None) != (end is None):
        raise UnableToServe(*BAD_COMBINATION)
    found = world.prints(symbol, 1000)
    if start is not None and end is not None:
        found = [one for one in found if start <= one.at_ms <= end]
    return found[::-1][:limit]


def trades(world: World, asked: Asked) -> object:
    """Public trades; they have no ids in REST."""
    return [
        {
            "id": None,
            "price": text(one.price),
            "qty": text(one.quantity),
            "quoteQty": text(one.price * one.quantity),
            "time": one.at_ms,
            "isBuyerMaker": one.buyer_is_maker,
            "isBestMatch": True,
        }
        for one in _prints(world, asked)
    ]


def aggregate_trades(world: World, asked: Asked) -> object:
    """As `trades`, in short names."""
    return [
        {
            "a": None,
            "f": None,
            "l": None,
            "p": text(one.price),
            "q": text(one.quantity),
            "T": one.at_ms,
            "m": one.buyer_is_maker,
            "M": True,
        }
        for one in _prints(world, asked)
    ]


def klines(world: World, asked: Asked) -> object:
    """Candles, oldest first; the end of the time asked for is not part of it."""
    symbol, interval = symbol_of(world, asked.text("symbol")), asked.text("interval")
    if interval not in INTERVALS:
        raise UnableToServe(*NO_INTERVAL)
    interval_ms, end = INTERVALS[interval][1], asked.maybe_whole("endTime")
    limit = min(asked.whole("limit", 500), 1000)
    last = None if end is None else end - 1
    found = world.candles(symbol, interval_ms, asked.maybe_whole("startTime"), last, limit)
    return [_kline(candle, interval_ms) for candle in found]


def _kline(candle: Candle, interval_ms: int) -> list[object]:
    prices = (candle.open, candle.high, candle.low, candle.close)
    value = Decimal(repr(candle.close)) * Decimal(repr(candle.volume))
    end_ms = candle.open_ms + interval_ms
    return [candle.open_ms, *map(plain, prices), plain(candle.volume), end_ms, text(value)]


def average_price(world: World, asked: Asked) -> object:
    """The market's price; MEXC's is the mean of five minutes."""
    price = world.price(symbol_of(world, asked.text("symbol")))
    return {"mins": 5, "price": text(price or ZERO)}


def last_price(world: World, symbol: str) -> dict[str, object]:
    """Of one symbol."""
    return {"symbol": id_of(symbol), "price": text(world.price(symbol) or ZERO)}


def book_ticker(world: World, symbol: str) -> dict[str, object]:
    """Best bid and ask of one symbol."""
    bids, asks = levels(world, symbol, 1)
    bid, ask = bids[0] if bids else (ZERO, ZERO), asks[0] if asks else (ZERO, ZERO)
    return {
        "symbol": id_of(symbol),
        "bidPrice": text(bid[0]),
        "bidQty": text(bid[1]),
        "askPrice": text(ask[0]),
        "askQty": text(ask[1]),
    }


def day_ticker(world: World, symbol: str) -> dict[str, object]:
    """What one symbol did in 24 hours. A change is a fraction."""
    now_ms = world.now_ms()
    last = world.price(symbol) or ZERO
    day = world.candles(symbol, MINUTE_MS, now_ms - DAY_MS, now_ms, DAY_MS // MINUTE_MS + 1)
    first = Decimal(repr(day[0].open)) if day else last
    change = last - first
    volume = sum((Decimal(repr(candle.volume)) for candle in day), ZERO)
    value = sum((Decimal(repr(candle.volume)) * Decimal(repr(candle.close)) for candle in day), ZERO)
    return {
        **book_ticker(world, symbol),
        "priceChange": text(change),
        "priceChangePercent": f"{change / first if first else ZERO:.4f}",
        "prevClosePrice": text(first),
        "lastPrice": text(last),
        "openPrice": text(first),
        "highPrice": plain(max(candle.high for candle in day)) if day else text(last),
        "lowPrice": plain(min(candle.low for candle in day)) if day else text(last),
        "volume": text(volume),
        "quoteVolume": text(value),
        "openTime": now_ms - DAY_MS,
        "closeTime": now_ms,
        "count": None,
    }


def of_one_or_all(tell: Callable[[World, str], object]) -> Callable[[World, Asked], object]:
    """An answer about the symbol asked for, or a list of all."""

    def answer(world: World, asked: Asked) -> object:
        market_id = asked.maybe("symbol")
        if market_id:
            return tell(world, symbol_of(world, market_id))
        return [tell(world, symbol) for symbol in world.markets]

    return answer


PUBLIC: Final[Mapping[str, Callable[[World, Asked], object]]] = {
    "/api/v3/ping": ping,
    "/api/v3/time": time,
    "/api/v3/defaultSymbols": default_symbols,
    "/api/v3/symbol/offline": offline_symbols,
    "/api/v3/exchangeInfo": exchange_info,
    "/api/v3/depth": depth,
    "/api/v3/trades": trades,
    "/api/v3/historicalTrades": trades,
    "/api/v3/aggTrades": aggregate_trades,
    "/api/v3/klines": klines,
    "/api/v3/avgPrice": average_price,
    "/api/v3/ticker/price": of_one_or_all(last_price),
    "/api/v3/ticker/bookTicker": of_one_or_all(book_ticker),
    "/api/v3/ticker/24hr": of_one_or_all(day_ticker),
    "/api/v1/contract/detail": contracts,
}
"""By path; all are asked for with GET."""
