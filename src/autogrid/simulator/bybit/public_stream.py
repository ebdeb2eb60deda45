"""The stream of market data on spot: trades, tickers, books, candles. Whatever is told follows from public trades."""

from typing import Final, NamedTuple

from aiohttp import web

from autogrid.simulator.bybit.figures import FIRST_SEQUENCE, Json, market_name, own_symbol
from autogrid.simulator.bybit.quotes import (
    INTERVALS,
    Levels,
    candle_event,
    changed,
    day_row,
    level_rows,
    levels,
    opening,
    trade_event,
)
from autogrid.simulator.bybit.talk import MOST_TOPICS, Line, Talk, converse, told, topics_in
from autogrid.simulator.faults import Faults
from autogrid.simulator.records import Print, WorldNews
from autogrid.simulator.world import World

DEPTHS: Final = ("1", "50", "200", "1000")


class Topic(NamedTuple):
    """What a client wants to be told of."""

    name: str
    kind: str
    detail: str
    """A book's depth, a candle's interval."""
    symbol: str
    """Ours."""


class PublicStreams:
    """All connections for market data."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._talks: set[PublicTalk] = set()
        world.listen(self._follow)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """WS /v5/public/spot."""
        return await converse(request, self._faults, self._begin)

    def _begin(self, line: Line) -> Talk:
        talk = PublicTalk(self._world, line, self._talks)
        self._talks.add(talk)
        return talk

    def _follow(self, news: WorldNews) -> None:
        if isinstance(news, Print):
            for talk in tuple(self._talks):
                talk.tell(news)


class PublicTalk:
    """One connection for market data."""

    def __init__(self, world: World, line: Line, talks: "set[PublicTalk]") -> None:
        self._world = world
        self._line = line
        self._talks = talks
        self._topics: dict[str, Topic] = {}
        self._books: dict[str, tuple[Levels, Levels]] = {}
        """As last told, by topic."""
        self._opened: dict[str, int] = {}
        """The candle last told, by topic: when it opened."""
        self._updates = 0

    def hear(self, asked: Json) -> bool:
        """Answer a client."""
        match asked.get("op"):
            case "ping":
                self._line.answer(told(self._line, asked, "pong"))
            case "subscribe":
                self._subscribe(asked)
            case "unsubscribe":
                for name in topics_in(asked):
                    self._topics.pop(name, None)
                self._line.answer(told(self._line, asked, ""))
            case _:
                self._line.answer(told(self._line, asked, "error:invalid op", success=False))
        return True

    def gone(self) -> None:
        """It is told of nothing more."""
        self._talks.discard(self)

    def tell(self, printed: Print) -> None:
        """The market traded."""
        for topic in self._topics.values():
            if topic.symbol == printed.symbol:
                self._tell(topic, printed)

    def _subscribe(self, asked: Json) -> None:
        names = topics_in(asked)
        found = [_topic(self._world, name) for name in names]
        if not names or len(names) > MOST_TOPICS:
            self._line.answer(told(self._line, asked, f"args size >{MOST_TOPICS}", success=False))
            return
        if None in found:
            words = f"error:handler not found,topic:{names[found.index(None)]}"
            self._line.answer(told(self._line, asked, words, success=False))
            return
        self._line.answer(told(self._line, asked, "subscribe"))
        for topic in found:
            if topic is not None:
                self._topics[topic.name] = topic
                self._begin(topic)

    def _begin(self, topic: Topic) -> None:
        """How things stand, as the first event of a topic."""
        if self._world.price(topic.symbol) is None:
            return
        if topic.kind == "tickers":
            self._ticker(topic)
        elif topic.kind == "orderbook":
            self._book(topic, "snapshot")
        elif topic.kind == "kline":
            self._candle(topic)

    def _tell(self, topic: Topic, printed: Print) -> None:
        match topic.kind:
            case "publicTrade":
                self._event(topic, "snapshot", [trade_event(self._world, printed)])
            case "tickers":
                self._ticker(topic)
            case "orderbook":
                self._book(topic, "delta" if topic.name in self._books else "snapshot")
            case _:
                self._candle(topic)

    def _ticker(self, topic: Topic) -> None:
        self._event(topic, "snapshot", day_row(self._world, topic.symbol), cs=FIRST_SEQUENCE + self._updates)

    def _book(self, topic: Topic, kind: str) -> None:
        now = levels(self._world, topic.symbol, int(topic.detail))
        before = self._books.get(topic.name) if kind == "delta" else None
        self._books[topic.name] = now
        bids, asks = (level_rows(side) for side in now)
        if before is not None:
            bids, asks = (changed(old, new) for old, new in zip(before, now, strict=True))
            if not bids and not asks:
                return
        self._updates += 1
        data: Json = {"s": market_name(topic.symbol), "b": bids, "a": asks}
        data |= {"u": self._updates, "seq": FIRST_SEQUENCE + self._updates}
        self._event(topic, kind, data, cts=self._world.now_ms())

    def _candle(self, topic: Topic) -> None:
        """The unfinished candle, after the last one, if that was not told as closed."""
        world, length = self._world, INTERVALS[topic.detail]
        now = world.now_ms()
        opens = opening(topic.detail, now)
        before = self._opened.get(topic.name)
        if before is not None and before < opens:
            for candle in world.candles(topic.symbol, length, before, before + length - 1, 1):
                self._event(topic, "snapshot", [candle_event(candle, topic.detail, now, closed=True)])
        for candle in world.candles(topic.symbol, length, opens, None, 1):
            self._opened[topic.name] = opens
            self._event(topic, "snapshot", [candle_event(candle, topic.detail, now, closed=False)])

    def _event(self, topic: Topic, kind: str, data: object, **more: int) -> None:
        words: Json = {"topic": topic.name, "ts": self._world.now_ms(), "type": kind, **more, "data": data}
        self._line.event(words, topic.name)


def _topic(world: World, name: str) -> Topic | None:
    parts = name.split(".")
    symbol = own_symbol(world, parts[-1])
    if not symbol:
        return None
    match parts[:-1]:
        case ["publicTrade" | "tickers" as kind]:
            return Topic(name, kind, "", symbol)
        case ["orderbook", depth] if depth in DEPTHS:
            return Topic(name, "orderbook", depth, symbol)
        case ["kline", interval] if interval in INTERVALS:
            return Topic(name, "kline", interval, symbol)
        case _:
            return None
