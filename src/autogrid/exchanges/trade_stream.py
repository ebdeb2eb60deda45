"""Public trades of Binance, Bybit and MEXC, for a process that follows many markets: read by us, not by ccxt.

At 5,000 messages a second ccxt wants most of a core and a connection for each who follows. Here one connection carries
many markets for everyone in the process, and a message costs its JSON and a queue. Rules: a follower is woken at most
every 50 ms and gets all that came meanwhile, in order. A connection that breaks, falls silent, or tells what cannot be
read ends for all its followers with ccxt's NetworkError: each then asks for what it missed and comes again, as
`LivePrices` does. A market on which nothing was told when its follower leaves may
have stalled: its connection is given up too. Questions go through one ccxt client a process.
"""

import asyncio
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import aiohttp
import ccxt
from ccxt.protobuf.mexc.PushDataV3ApiWrapper_pb2 import PushDataV3ApiWrapper
from google.protobuf.message import DecodeError

from autogrid.engine.venue import ExchangeAway, ExchangeRefused
from autogrid.exchanges.ccxt_wire import prepare, shared_table
from autogrid.exchanges.connect_to import shared_session
from autogrid.exchanges.limited_client import limited
from autogrid.exchanges.live_prices import PriceClient
from autogrid.exchanges.public_client import public_client, streaming_client

COLLECT_S: Final = 0.05
"""A follower is woken no more often."""
SUBSCRIBE_S: Final = 0.05
"""So long subscriptions are gathered before they are sent: exchanges allow few requests a second on a connection."""
SILENT_S: Final = 30.0
"""A connection on which nothing came, not even a pong, is over."""
STALLED_S: Final = 15.0
"""A market that told nothing for so long when its follower leaves may have stalled."""
MOST_WAITING: Final = 50_000
"""Trades that a follower may leave lying; more, and it is told that its stream broke."""

Told = Mapping[str, Any]
"""A trade: `price` and `amount` as text, `timestamp` in UTC ms."""


class Talk(NamedTuple):
    """How an exchange's public stream is spoken to."""

    url: str
    topic: str
    subscribe: str
    """With `{topics}` as a JSON list."""
    leave: str
    ping: str
    """Empty: the protocol's own pings do."""
    most: int
    """Markets on one connection."""
    at_once: int
    """Markets in one request."""


TALKS: Final[Mapping[str, Talk]] = {
    "binance": Talk(
        "wss://stream.binance.com:9443/ws",
        "{id_lower}@trade",
        '{"method":"SUBSCRIBE","params":{topics},"id":1}',
        '{"method":"UNSUBSCRIBE","params":{topics},"id":2}',
        "",
        300,
        100,
    ),
    "bybit": Talk(
        "wss://stream.bybit.com/v5/public/spot",
        "publicTrade.{id}",
        '{"op":"subscribe","args":{topics}}',
        '{"op":"unsubscribe","args":{topics}}',
        '{"op":"ping"}',
        200,
        10,
    ),
    "mexc": Talk(
        "wss://wbs-api.mexc.com/ws",
        "spot@public.aggre.deals.v3.api.pb@100ms@{id}",
        '{"method":"SUBSCRIPTION","params":{topics}}',
        '{"method":"UNSUBSCRIPTION","params":{topics}}',
        '{"method":"PING"}',
        30,
        30,
    ),
}
"""Source: the exchanges' stream documents of July 2026."""


def trade_client(exchange: str) -> PriceClient:
    """A client of public trades for `LivePrices`: of the shared connection where there is one, else ccxt's own.

    Raises UnableToDownload (`unknown_exchange`).
    """
    return _Follower(exchange) if exchange in TALKS else limited(streaming_client(exchange))


class _Follower:
    """One who follows markets of an exchange; a `PriceClient`."""

    def __init__(self, exchange: str) -> None:
        self.has: Any = {"watchTrades": True, "watchTicker": False, "fetchTrades": True, "fetchTicker": True}
        self._hub = hub_of(exchange)
        self._queues: dict[str, _Queue] = {}
        self._entered = False

    async def load_markets(self) -> Any:
        """See PriceClient."""
        if not self._entered:
            self._entered = True
            self._hub.users += 1
        return (await self._hub.client()).markets

    async def watch_trades(self, symbol: str) -> list[Told]:
        """See PriceClient. Raises ccxt's NetworkError where the stream broke."""
        queue = self._queues.get(symbol)
        if queue is None:
            queue = self._queues[symbol] = _Queue(symbol)
            await self._hub.follow(queue)
        return await queue.take()

    async def watch_ticker(self, symbol: str) -> Any:
        """See PriceClient."""
        raise ccxt.NotSupported(f"trades of {symbol} are told")

    async def fetch_trades(self, symbol: str) -> Any:
        """See PriceClient."""
        return await (await self._hub.client()).fetch_trades(symbol)

    async def fetch_ticker(self, symbol: str) -> Any:
        """See PriceClient."""
        return await (await self._hub.client()).fetch_ticker(symbol)

    async def close(self) -> None:
        """See PriceClient."""
        for queue in self._queues.values():
            await self._hub.leave(queue)
        self._queues.clear()
        if self._entered:
            self._entered = False
            await self._hub.give_up()


class _Queue:
    """What one follower has not taken yet of one market."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self._waiting: list[Told] = []
        self._came = asyncio.Event()
        self._taken_s = 0.0
        self._broke: str | None = None

    def put(self, trades: Iterable[Told]) -> None:
        """Trades came."""
        if len(self._waiting) > MOST_WAITING:
            self.break_off("more trades came than were taken")
            return
        self._waiting.extend(trades)
        self._came.set()

    def break_off(self, words: str) -> None:
        """Nothing more comes."""
        self._broke = words
        self._came.set()

    async def take(self) -> list[Told]:
        """All that came, once there is any. Raises ccxt's NetworkError."""
        await self._came.wait()
        early_s = self._taken_s + COLLECT_S - time.monotonic()
        if early_s > 0 and self._broke is None:
            await asyncio.sleep(early_s)
        if not self._waiting and self._broke is not None:
            raise ccxt.NetworkError(self._broke)
        taken, self._waiting = self._waiting, []
        self._taken_s = time.monotonic()
        if self._broke is None:
            self._came.clear()
        return taken


class Hub:
    """All of one exchange's public trades that this process follows."""

    def __init__(self, exchange: str) -> None:
        self.exchange = exchange
        self.talk = TALKS[exchange]
        self.users = 0
        self._client: Any = None
        self._connections: list[_Connection] = []

    async def client(self) -> Any:
        """The one client that asks, with the markets. Raises ccxt's NetworkError where they cannot be had."""
        try:
            table = await shared_table(self.exchange)
        except (ExchangeAway, ExchangeRefused) as error:
            raise ccxt.NetworkError(str(error)) from None
        if self._client is None:
            self._client = limited(prepare(public_client(self.exchange)))
            self._client.enableRateLimit = True
        if self._client.markets is not table.markets:
            self._client.set_markets_from_exchange(table)
        return self._client

    async def follow(self, queue: _Queue) -> None:
        """Let a market's trades go into `queue` from now on."""
        client = await self.client()
        if queue.symbol not in client.markets:
            raise ccxt.BadSymbol(f"{self.exchange} has no market {queue.symbol}")
        market_id = str(client.markets[queue.symbol]["id"])
        self._connections = [one for one in self._connections if not one.over]
        found = next((one for one in self._connections if one.has_room(market_id)), None)
        if found is None:
            found = _Connection(self.talk, self.exchange)
            self._connections.append(found)
            found.start(await shared_session(client))
        found.add(market_id, queue)

    async def leave(self, queue: _Queue) -> None:
        """No more trades into `queue`."""
        for one in self._connections:
            one.remove(queue)

    async def give_up(self) -> None:
        """One user less; the last closes everything."""
        self.users -= 1
        if self.users > 0:
            return
        connections, self._connections = self._connections, []
        client, self._client = self._client, None
        for one in connections:
            await one.stop()
        if client is not None:
            await client.close()


class _Connection:
    """One WebSocket with many markets."""

    def __init__(self, talk: Talk, exchange: str) -> None:
        self._talk = talk
        self._read = READERS[exchange]
        self._queues: dict[str, list[_Queue]] = {}
        self._told_s: dict[str, float] = {}
        self._wanted: list[str] = []
        self._unwanted: list[str] = []
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._heard_s = 0.0
        """When anything came last."""
        self.over = False

    def has_room(self, market_id: str) -> bool:
        """Whether it can carry this market too."""
        return market_id in self._queues or len(self._queues) < self._talk.most

    def add(self, market_id: str, queue: _Queue) -> None:
        """One more who follows a market."""
        if market_id not in self._queues:
            self._queues[market_id] = []
            self._told_s[market_id] = time.monotonic()
            self._wanted.append(market_id)
            self._changed.set()
        self._queues[market_id].append(queue)

    def remove(self, queue: _Queue) -> None:
        """One who follows a market leaves."""
        for market_id, queues in list(self._queues.items()):
            if queue not in queues:
                continue
            queues.remove(queue)
            stalled = time.monotonic() - self._told_s[market_id] > STALLED_S
            if not queues:
                del self._queues[market_id], self._told_s[market_id]
                self._unwanted.append(market_id)
                self._changed.set()
            if stalled or not self._queues:
                self._end("a market on the connection may have stalled")

    def start(self, session: aiohttp.ClientSession) -> None:
        """Connect, and read to the end."""
        self._task = asyncio.create_task(self._run(session))

    async def stop(self) -> None:
        """End, and wait for it."""
        self._end("closed")
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _run(self, session: aiohttp.ClientSession) -> None:
        words = "the connection was closed"
        try:
            async with session.ws_connect(
                self._talk.url, heartbeat=None if self._talk.ping else SILENT_S / 3, max_msg_size=1 << 20, compress=0
            ) as socket:
                talking = asyncio.create_task(self._talk_on(socket))
                try:
                    await self._listen(socket)
                finally:
                    talking.cancel()
                    with suppress(asyncio.CancelledError, aiohttp.ClientError, OSError):
                        await talking
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            words = f"the stream broke ({type(error).__name__})"
        except (ValueError, LookupError, TypeError, DecodeError) as error:
            words = f"a message cannot be read ({type(error).__name__})"
        finally:
            self._end(words)

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Hand out what comes. Raises what a fault of the network, or of a message, raises."""
        while True:
            message = await socket.receive()  # without a timeout of its own, which costs as much as the reading
            self._heard_s = time.monotonic()
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                return
            for market_id, trades in self._read(message.data):
                self._told_s[market_id] = self._heard_s
                for queue in self._queues.get(market_id, ()):
                    queue.put(trades)

    async def _talk_on(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Subscribe to what is wanted, leave what is not, ping, and see that something comes."""
        pinged_s = self._heard_s = time.monotonic()
        while True:
            if self._talk.ping and time.monotonic() - self._heard_s > SILENT_S:
                self._end("the connection is silent")  # the protocol's own pings see that by themselves
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(SILENT_S / 3):
                    await self._changed.wait()
            await asyncio.sleep(SUBSCRIBE_S)
            self._changed.clear()
            for words, ids in ((self._talk.subscribe, self._wanted), (self._talk.leave, self._unwanted)):
                topics = [self._talk.topic.format(id=one, id_lower=one.lower()) for one in ids]
                ids.clear()
                for start in range(0, len(topics), self._talk.at_once):
                    await socket.send_str(
                        words.replace("{topics}", json.dumps(topics[start : start + self._talk.at_once]))
                    )
                    await asyncio.sleep(SUBSCRIBE_S)
            if self._talk.ping and time.monotonic() - pinged_s > SILENT_S / 4:
                pinged_s = time.monotonic()
                await socket.send_str(self._talk.ping)

    def _end(self, words: str) -> None:
        if self.over:
            return
        self.over = True
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        for queues in self._queues.values():
            for queue in queues:
                queue.break_off(words)


def _binance(frame: str | bytes) -> Iterator[tuple[str, list[Told]]]:
    """`{"e": "trade", "s": "BTCUSDT", "t": 7, "p": "61234.56", "q": "0.001", "T": 1700000000000, "m": true}`."""
    told = json.loads(frame)
    if told.get("e") == "trade":
        yield told["s"], [{"price": told["p"], "amount": told["q"], "timestamp": told["T"], "id": told["t"]}]


def _bybit(frame: str | bytes) -> Iterator[tuple[str, list[Told]]]:
    """`{"topic": "publicTrade.BTCUSDT", "data": [{"i": "2290", "T": 1700000000000, "p": "61234", "v": "0.1"}]}`."""
    told = json.loads(frame)
    if str(told.get("topic", "")).startswith("publicTrade."):
        trades: list[Told] = [
            {"price": one["p"], "amount": one["v"], "timestamp": one["T"], "id": one["i"]} for one in told["data"]
        ]
        yield told["topic"].partition(".")[2], trades


def _mexc(frame: str | bytes) -> Iterator[tuple[str, list[Told]]]:
    """Protobuf: `publicAggreDeals.deals` of price, quantity, tradeType, time. Text frames are answers and pongs."""
    if isinstance(frame, str):
        return
    message = PushDataV3ApiWrapper()
    message.ParseFromString(frame)
    deals = message.publicAggreDeals.deals
    if deals:
        yield message.symbol, [{"price": one.price, "amount": one.quantity, "timestamp": one.time} for one in deals]


READERS: Final = {"binance": _binance, "bybit": _bybit, "mexc": _mexc}
_HUBS: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Hub]]] = WeakKeyDictionary()


def hub_of(exchange: str) -> Hub:
    """The process's one hub of an exchange. Wants a running loop."""
    of_loop = _HUBS.setdefault(asyncio.get_running_loop(), {})
    if exchange not in of_loop:
        of_loop[exchange] = Hub(exchange)
    return of_loop[exchange]
