"""What a market did in the last 24 hours."""

from decimal import Decimal
from typing import NamedTuple

from autogrid.simulator.binance.book import levels
from autogrid.simulator.binance.wire import figure, real, wire_symbol
from autogrid.simulator.world import World
from autogrid.trading.candle import MINUTE_MS
from autogrid.trading.money import ZERO

DAY_MS = 1440 * MINUTE_MS


class Day(NamedTuple):
    """The last 24 hours in figures."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    value: float
    """Of the volume, in quote."""
    first_id: int
    last_id: int
    last_quantity: Decimal
    trades: int


def last_day(world: World, symbol: str) -> Day:
    """From the candles of the last 24 hours and the newest public trades."""
    now = world.now_ms()
    candles = world.candles(symbol, MINUTE_MS, None, now, 1440)
    candles = [candle for candle in candles if candle.open_ms > now - DAY_MS]
    prints = world.prints(symbol, 5000)
    last = prints[-1] if prints else None
    price = float(world.price(symbol) or ZERO)
    return Day(
        candles[0].open if candles else price,
        max((candle.high for candle in candles), default=price),
        min((candle.low for candle in candles), default=price),
        price,
        sum(candle.volume for candle in candles),
        sum(candle.volume * candle.close for candle in candles),
        prints[0].id if prints else -1,
        last.id if last else -1,
        last.quantity if last else ZERO,
        len(prints),
    )


def day_ticker(world: World, symbol: str, *, mini: bool = False) -> dict[str, object]:
    """A row of ticker/24hr; `mini`: only prices and volumes."""
    day, now = last_day(world, symbol), world.now_ms()
    told: dict[str, object] = {"symbol": wire_symbol(symbol)}
    if not mini:
        bids, asks = levels(world, symbol, 1)
        (bid, bid_quantity), (ask, ask_quantity) = bids[0] if bids else ("0", "0"), asks[0] if asks else ("0", "0")
        told |= {
            "priceChange": real(day.close - day.open),
            "priceChangePercent": percent(day),
            "weightedAvgPrice": real(day.value / day.volume if day.volume else day.close),
            "prevClosePrice": real(day.open),
            "lastQty": figure(day.last_quantity),
            "bidPrice": bid,
            "bidQty": bid_quantity,
            "askPrice": ask,
            "askQty": ask_quantity,
        }
    return told | {
        "lastPrice": real(day.close),
        "openPrice": real(day.open),
        "highPrice": real(day.high),
        "lowPrice": real(day.low),
        "volume": real(day.volume),
        "quoteVolume": real(day.value),
        "openTime": now - DAY_MS,
        "closeTime": now,
        "firstId": day.first_id,
        "lastId": day.last_id,
        "count": day.trades,
    }


def percent(day: Day) -> str:
    """The change, in per cent with three decimals."""
    return f"{(day.close / day.open - 1) * 100 if day.open else 0:.3f}"
