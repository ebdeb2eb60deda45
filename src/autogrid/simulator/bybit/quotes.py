"""The public side of the markets as Bybit writes it: rules, tickers, books, trades, candles.

Behind the best bid and ask, a tick around the price, stands a made-up depth: the same on every tick. A candle's
turnover is its volume at its closing price, for the world's candles know no turnover.
"""

from decimal import Decimal
from typing import Final

from autogrid.simulator.bybit.figures import FIRST_SEQUENCE, Json, market_name, trade_id
from autogrid.simulator.records import Print
from autogrid.simulator.world import World
from autogrid.trading.candle import MINUTE_MS, Candle, bucket_of, exact
from autogrid.trading.market import Market
from autogrid.trading.money import UNIT, ZERO, Price, Quantity, text

HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
INTERVALS: Final[dict[str, int]] = {
    str(minutes): minutes * MINUTE_MS for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)
} | {"D": DAY_MS, "W": 7 * DAY_MS}
"""Names of candle lengths, with the lengths in ms; months are not simulated."""
DEPTH_A_TICK: Final = 10
"""Lots times a thousand: what every tick of the made-up depth offers."""
NO_CAP: Final = "1000000000"

Levels = dict[Price, Quantity]


def instrument_row(world: World, symbol: str, place: int) -> Json:
    """A market's rules."""
    market = world.markets[symbol]
    most = NO_CAP if market.max_quantity is None else text(market.max_quantity)
    return {
        "symbolId": place + 1,
        "symbol": market_name(symbol),
        "baseCoin": market.base,
        "quoteCoin": market.quote,
        "innovation": "0",
        "status": "Closed" if world.is_halted(symbol) else "Trading",
        "marginTrading": "none",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": text(market.lot),
            "quotePrecision": text(UNIT),
            "minOrderQty": text(max(market.min_quantity, market.lot)),
            "maxOrderQty": most,
            "minOrderAmt": text(market.min_notional),
            "maxOrderAmt": NO_CAP,
            "maxLimitOrderQty": most,
            "maxMarketOrderQty": most,
            "postOnlyMaxLimitOrderSize": most,
        },
        "priceFilter": {"tickSize": text(market.tick)},
        "riskParameters": _risk(market),
        "symbolType": "",
        "xstockMultiplier": "",
    }


def _risk(market: Market) -> Json:
    least = 1 - market.least_share if market.least_share is not None else Decimal("0.5")
    return {"priceLimitRatioX": text(least), "priceLimitRatioY": text(least)}


def day_row(world: World, symbol: str) -> Json:
    """The ticker as its stream tells it: the last 24 hours."""
    now, last = world.now_ms(), world.price(symbol) or ZERO
    candles = world.candles(symbol, HOUR_MS, now - DAY_MS, now, 25)
    begin = exact(candles[0].open) if candles else last
    volume = sum((exact(candle.volume) for candle in candles), ZERO)
    turnover = sum((exact(candle.volume) * exact(candle.close) for candle in candles), ZERO)
    change = (last - begin) / begin if begin else ZERO
    return {
        "symbol": market_name(symbol),
        "lastPrice": text(last),
        "highPrice24h": text(max((exact(candle.high) for candle in candles), default=last)),
        "lowPrice24h": text(min((exact(candle.low) for candle in candles), default=last)),
        "prevPrice24h": text(begin),
        "volume24h": text(volume.quantize(UNIT)),
        "turnover24h": text(turnover.quantize(UNIT)),
        "price24hPcnt": text(change.quantize(Decimal("0.0001"))),
        "usdIndexPrice": text(last),
    }


def ticker_row(world: World, symbol: str) -> Json:
    """The ticker as requests tell it: with the best bid and ask."""
    bids, asks = levels(world, symbol, 1)
    (bid, bid_size), (ask, ask_size) = next(iter(bids.items())), next(iter(asks.items()))
    best = {"bid1Price": text(bid), "bid1Size": text(bid_size), "ask1Price": text(ask), "ask1Size": text(ask_size)}
    return day_row(world, symbol) | best


def levels(world: World, symbol: str, depth: int) -> tuple[Levels, Levels]:
    """Bids and asks, the best first."""
    market = world.markets[symbol]
    bid, ask = world.top(symbol)
    size = market.lot * DEPTH_A_TICK * 1000
    bids = {bid - market.tick * step: size for step in range(depth) if bid > market.tick * step}
    return bids or {ZERO: size}, {ask + market.tick * step: size for step in range(depth)}


def level_rows(side: Levels) -> list[list[str]]:
    """Price and size of each level."""
    return [[text(price), text(size)] for price, size in side.items()]


def changed(old: Levels, new: Levels) -> list[list[str]]:
    """The levels that are gone (size 0), and those that are new or of another size."""
    gone = dict.fromkeys((price for price in old if price not in new), ZERO)
    return level_rows(gone | {price: size for price, size in new.items() if old.get(price) != size})


def public_trade_row(world: World, printed: Print) -> Json:
    """A public trade as requests tell it; its side is the taker's."""
    return {
        "execId": trade_id(world, printed.symbol, printed.id),
        "symbol": market_name(printed.symbol),
        "price": text(printed.price),
        "size": text(printed.quantity),
        "side": "Sell" if printed.buyer_is_maker else "Buy",
        "time": str(printed.at_ms),
        "isBlockTrade": False,
        "isRPITrade": False,
        "seq": str(FIRST_SEQUENCE + printed.id),
    }


def trade_event(world: World, printed: Print) -> Json:
    """A public trade as its stream tells it."""
    return {
        "i": trade_id(world, printed.symbol, printed.id),
        "T": printed.at_ms,
        "p": text(printed.price),
        "v": text(printed.quantity),
        "S": "Sell" if printed.buyer_is_maker else "Buy",
        "seq": FIRST_SEQUENCE + printed.id,
        "s": market_name(printed.symbol),
        "BT": False,
        "RPI": False,
    }


def candle_row(candle: Candle) -> list[str]:
    """A candle as requests tell it: opening time, open, high, low, close, volume, turnover."""
    prices = [text(exact(price)) for price in (candle.open, candle.high, candle.low, candle.close)]
    return [str(candle.open_ms), *prices, *_volumes(candle)]


def candle_event(candle: Candle, interval: str, now_ms: int, *, closed: bool) -> Json:
    """A candle as its stream tells it."""
    volume, turnover = _volumes(candle)
    return {
        "start": candle.open_ms,
        "end": candle.open_ms + INTERVALS[interval] - 1,
        "interval": interval,
        "open": text(exact(candle.open)),
        "close": text(exact(candle.close)),
        "high": text(exact(candle.high)),
        "low": text(exact(candle.low)),
        "volume": volume,
        "turnover": turnover,
        "confirm": closed,
        "timestamp": now_ms,
    }


def opening(interval: str, now_ms: int) -> int:
    """When the candle of now opened."""
    return bucket_of(now_ms, INTERVALS[interval])


def _volumes(candle: Candle) -> tuple[str, str]:
    volume = exact(candle.volume).quantize(UNIT)
    return text(volume), text((volume * exact(candle.close)).quantize(UNIT))
