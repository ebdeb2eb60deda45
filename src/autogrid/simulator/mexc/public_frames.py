"""The frames of public channels: what each tells of a market as it stands, or of its newest trade."""

from decimal import Decimal
from typing import Final

from autogrid.simulator.mexc.book import Level, Levels, changes, levels, version
from autogrid.simulator.mexc.frames import frame
from autogrid.simulator.mexc.names import INTERVALS_OF_STREAMS, SIDE_NUMBERS, id_of
from autogrid.simulator.mexc.public import book_ticker, day_ticker, plain
from autogrid.simulator.mexc.topics import Topic
from autogrid.simulator.records import Print
from autogrid.simulator.world import World
from autogrid.trading.candle import bucket_of
from autogrid.trading.money import text

TICKER_FIELDS: Final = {
    "bidPrice": "bidPrice",
    "bidQuantity": "bidQty",
    "askPrice": "askPrice",
    "askQuantity": "askQty",
}
EVENT_PARTS: Final = {"deals": 3, "depth": 3, "limit_depth": 2}
"""How much of the channel's name an event's type repeats."""


def deals(topic: Topic, printed: Print) -> bytes:
    """A public trade."""
    deal = {
        "price": text(printed.price),
        "quantity": text(printed.quantity),
        "tradeType": SIDE_NUMBERS["sell" if printed.buyer_is_maker else "buy"],
        "time": printed.at_ms,
    }
    body = {"deals": [deal], "eventType": _event_type(topic)}
    return frame(topic.channel, printed.at_ms, "publicAggreDeals", body, symbol=id_of(topic.symbol))


def depth(topic: Topic, sent_ms: int, before: tuple[int, Levels], after: tuple[int, Levels]) -> bytes:
    """How the book changed between two versions of it."""
    body = {
        "asks": _levels(changes(before[1].asks, after[1].asks)),
        "bids": _levels(changes(before[1].bids, after[1].bids)),
        "eventType": _event_type(topic),
        "fromVersion": str(before[0] + 1),
        "toVersion": str(after[0]),
    }
    return frame(topic.channel, sent_ms, "publicAggreDepths", body, symbol=id_of(topic.symbol))


def standing(world: World, topic: Topic) -> bytes | None:
    """What a channel tells of its market as it stands; None of those that tell only what happens."""
    if topic.kind == "minis":
        return _frame(world, topic, "publicMiniTickers", {"items": [_mini(world, one) for one in world.markets]})
    if not topic.symbol or world.price(topic.symbol) is None:
        return None
    match topic.kind:
        case "ticker":
            return _frame(world, topic, "publicAggreBookTicker", _ticker(world, topic.symbol))
        case "ticker_batch":
            return _frame(world, topic, "publicBookTickerBatch", {"items": [_ticker(world, topic.symbol)]})
        case "limit_depth":
            return _frame(world, topic, "publicLimitDepths", _limit_depth(world, topic))
        case "kline":
            return _frame(world, topic, "publicSpotKline", _kline(world, topic))
        case "mini":
            return _frame(world, topic, "publicMiniTicker", _mini(world, topic.symbol))
        case _:
            return None


def _frame(world: World, topic: Topic, body: str, values: dict[str, object]) -> bytes:
    # All tickers at once are about no symbol; the wrapper then says when it was made, as for accounts.
    return frame(topic.channel, world.now_ms(), body, values, symbol=id_of(topic.symbol))


def _event_type(topic: Topic) -> str:
    return "@".join(topic.channel.split("@")[: EVENT_PARTS[topic.kind]])


def _levels(side: list[Level]) -> list[dict[str, str]]:
    return [{"price": text(price), "quantity": text(quantity)} for price, quantity in side]


def _ticker(world: World, symbol: str) -> dict[str, object]:
    told = book_ticker(world, symbol)
    return {theirs: told[name] for theirs, name in TICKER_FIELDS.items()}


def _limit_depth(world: World, topic: Topic) -> dict[str, object]:
    bids, asks = levels(world, topic.symbol, int(topic.detail))
    return {
        "asks": _levels(asks),
        "bids": _levels(bids),
        "eventType": _event_type(topic),
        "version": str(version(world, topic.symbol)),
    }


def _kline(world: World, topic: Topic) -> dict[str, object]:
    """The candle that is being made; its times are in seconds."""
    interval_ms = INTERVALS_OF_STREAMS[topic.detail]
    candle = world.candles(topic.symbol, interval_ms, bucket_of(world.now_ms(), interval_ms), None, 1)
    if not candle:
        candle = world.candles(topic.symbol, interval_ms, None, None, 1)
    newest = candle[-1]
    return {
        "interval": topic.detail,
        "windowStart": newest.open_ms // 1000,
        "openingPrice": plain(newest.open),
        "closingPrice": plain(newest.close),
        "highestPrice": plain(newest.high),
        "lowestPrice": plain(newest.low),
        "volume": plain(newest.volume),
        "amount": text(Decimal(repr(newest.volume)) * Decimal(repr(newest.close))),
        "windowEnd": (newest.open_ms + interval_ms) // 1000,
    }


def _mini(world: World, symbol: str) -> dict[str, object]:
    day = day_ticker(world, symbol)
    rate, high, low = day["priceChangePercent"], day["highPrice"], day["lowPrice"]
    return {
        "symbol": id_of(symbol),
        "price": day["lastPrice"],
        "rate": rate,
        "zonedRate": rate,
        "high": high,
        "low": low,
        "volume": day["quoteVolume"],
        "quantity": day["volume"],
        "lastCloseRate": rate,
        "lastCloseZonedRate": rate,
        "lastCloseHigh": high,
        "lastCloseLow": low,
    }
