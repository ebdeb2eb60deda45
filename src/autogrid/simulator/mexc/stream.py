"""MEXC's stream: requests in JSON, their answers in JSON, events in protobuf.

One connection hears at most thirty channels; those of an account only where it was opened with a valid listen key. A
request that is refused is answered with code 0 all the same: only its words say so. A connection that asks for nothing
is closed after 30 seconds, one that hears and says nothing after 60.
"""

import asyncio
import json
from typing import Final

from aiohttp import WSMsgType, web

from autogrid.simulator.app_keys import FAULTS, SUBSCRIBERS
from autogrid.simulator.mexc import public_frames
from autogrid.simulator.mexc.book import Levels, levels, version
from autogrid.simulator.mexc.listen_keys import ListenKeys
from autogrid.simulator.mexc.private_frames import account_frame, deal_frame, order_frame
from autogrid.simulator.mexc.topics import PRIVATE, Topic, topic_of
from autogrid.simulator.records import CreditNews, Holding, OrderNews, Print, WalletNews, WorldNews
from autogrid.simulator.streams import Subscriber
from autogrid.simulator.world import World
from autogrid.trading.money import ZERO

MOST_CHANNELS: Final = 30
IDLE_S: Final = {False: 30.0, True: 60.0}
"""How long a connection may be silent, by whether it hears anything."""
MINI_TICKER_MS: Final = 3_000
"""So often the figures of a day are told at most."""
NOTHING: Final = Holding(ZERO, ZERO)


class Connection:
    """One open stream."""

    def __init__(self, subscriber: Subscriber, account: str, listen_key: str) -> None:
        """`account`: empty for one that hears public channels only."""
        self.subscriber = subscriber
        self.account = account
        self.listen_key = listen_key
        self.topics: dict[str, Topic] = {}
        """By channel."""
        self.told_s = asyncio.get_running_loop().time()
        """When it last was told anything, by the loop's clock."""

    def tell(self, frame: bytes, key: str = "") -> None:
        """Send an event."""
        self.told_s = asyncio.get_running_loop().time()
        self.subscriber.send(frame, key)

    def hears(self, kind: str) -> bool:
        """Whether it hears an account's channel."""
        return any(topic.kind == kind for topic in self.topics.values())


class Streams:
    """All open streams, and what the world tells them."""

    def __init__(self, world: World, keys: ListenKeys) -> None:
        self._world = world
        self._keys = keys
        self._open: set[Connection] = set()
        self._books: dict[str, tuple[int, Levels]] = {}
        """The version and the book that listeners of depth were last told, by symbol."""
        self._minis: dict[str, int] = {}
        """When a day's figures were last told, by channel, UTC ms."""
        self._owned: dict[tuple[str, str], Holding] = {}
        """What was last known of an account's asset."""
        self._credited: tuple[str, str] | None = None
        """The account and asset of a deposit or withdrawal whose outcome is told next."""
        self.idle_s = dict(IDLE_S)
        """As `IDLE_S`; may be changed."""
        self._closing: set[asyncio.Task[bool]] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One stream, from its opening to its end."""
        socket, key = web.WebSocketResponse(), request.query.get("listenKey", "")
        await socket.prepare(request)
        subscriber = Subscriber(socket, request, request.app[FAULTS])
        request.app[SUBSCRIBERS].add(subscriber)
        connection = Connection(subscriber, (self._keys.account_of(key) or "") if key else "", key)
        self._open.add(connection)
        try:
            if key and not connection.account:
                subscriber.answer("Invalid listen key")
            else:
                await self._listen(connection, socket)
        finally:
            self._open.discard(connection)
            request.app[SUBSCRIBERS].remove(subscriber)
            await subscriber.close()
            await socket.close()
        return socket

    def heard(self) -> set[str]:
        """The channels that anyone hears."""
        return {channel for connection in self._open for channel in connection.topics}

    def close_key(self, listen_key: str) -> None:
        """End the streams that `listen_key` opened."""
        for connection in self._open:
            if connection.listen_key == listen_key:
                task = asyncio.get_running_loop().create_task(connection.subscriber.socket.close())
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)

    def hear(self, news: WorldNews) -> None:
        """Pass on what happened in the world."""
        if isinstance(news, Print):
            self._hear_print(news)
        elif isinstance(news, OrderNews):
            self._hear_order(news)
        elif isinstance(news, CreditNews):
            self._credited = (news.account, news.asset)
        else:
            self._hear_wallet(news)

    def answer(self, connection: Connection, said: str) -> str:
        """What is answered to a request."""
        try:
            asked = json.loads(said)
        except ValueError:
            return _reply(0, "Invalid message")
        if not isinstance(asked, dict):
            return _reply(0, "Invalid message")
        number = asked.get("id") if isinstance(asked.get("id"), int) else 0
        params = asked.get("params")
        channels = [one for one in params if isinstance(one, str)] if isinstance(params, list) else []
        match str(asked.get("method")).upper():
            case "PING":
                return _reply(number, "PONG")
            case "SUBSCRIPTION":
                return _reply(number, self._subscribe(connection, channels))
            case "UNSUBSCRIPTION":
                for channel in channels:
                    connection.topics.pop(channel, None)
                return _reply(number, ",".join(channels))
            case _:
                return _reply(number, "Invalid method")

    def show(self, connection: Connection, channels: list[Topic]) -> None:
        """What those channels tell of their markets as they stand."""
        for topic in channels:
            shown = public_frames.standing(self._world, topic)
            if shown is not None:
                connection.tell(shown, topic.channel)

    async def _listen(self, connection: Connection, socket: web.WebSocketResponse) -> None:
        while not connection.listen_key or self._keys.account_of(connection.listen_key):
            idle_s = self.idle_s[bool(connection.topics)]
            try:
                message = await socket.receive(timeout=idle_s)
            except TimeoutError:
                quiet_s = asyncio.get_running_loop().time() - connection.told_s
                if not connection.topics or quiet_s >= idle_s:
                    return
                continue
            if message.type is not WSMsgType.TEXT:
                return
            before = set(connection.topics)
            connection.subscriber.answer(self.answer(connection, message.data))
            self.show(connection, [topic for name, topic in connection.topics.items() if name not in before])

    def _subscribe(self, connection: Connection, channels: list[str]) -> str:
        refused = []
        for channel in channels:
            topic = topic_of(self._world, channel)
            full = len(connection.topics) >= MOST_CHANNELS and channel not in connection.topics
            if topic is None or full or (topic.kind in PRIVATE and not connection.account):
                refused.append(channel)
                continue
            connection.topics[channel] = topic
            if topic.kind == "depth":
                self._books.setdefault(topic.symbol, self._book(topic.symbol))
            elif topic.kind == "account":
                owned = self._world.wallet(connection.account).items()
                self._owned |= {(connection.account, asset): holding for asset, holding in owned}
        if not refused:
            return ",".join(channels)
        taken = [channel for channel in channels if channel not in refused]
        words = f"Not Subscribed successfully! [{','.join(refused)}].  Reason： Blocked! "
        return f"Subscribed successful! [{','.join(taken)}]. {words}" if taken else words

    def _book(self, symbol: str) -> tuple[int, Levels]:
        return version(self._world, symbol), levels(self._world, symbol)

    def _hear_print(self, printed: Print) -> None:
        before, after = self._books.get(printed.symbol), None
        if before is not None:
            after = self._books[printed.symbol] = (printed.id, levels(self._world, printed.symbol))
        due = self._due_minis(printed.at_ms)
        for connection in tuple(self._open):
            for topic in tuple(connection.topics.values()):
                if topic.symbol != printed.symbol and topic.kind != "minis":
                    continue
                if topic.kind == "deals":
                    connection.tell(public_frames.deals(topic, printed))
                elif topic.kind == "depth" and before is not None and after is not None:
                    connection.tell(public_frames.depth(topic, printed.at_ms, before, after))
                elif topic.kind not in ("mini", "minis") or topic.channel in due:
                    self.show(connection, [topic])

    def _due_minis(self, at_ms: int) -> set[str]:
        """The channels of a day's figures that are due; they are told once in three seconds."""
        heard = {name for one in self._open for name, topic in one.topics.items() if topic.kind in ("mini", "minis")}
        due = {name for name in heard if at_ms - self._minis.get(name, 0) >= MINI_TICKER_MS}
        self._minis |= dict.fromkeys(due, at_ms)
        return due

    def _hear_order(self, news: OrderNews) -> None:
        order, sent_ms = news.order, self._world.now_ms()
        for connection in self._of(order.account):
            if connection.hears("own_orders"):
                connection.tell(order_frame(news, sent_ms), f"order {order.exchange_id}")
            if news.trade is not None and connection.hears("own_deals"):
                connection.tell(deal_frame(order, news.trade, sent_ms), f"trade {order.symbol} {news.trade.id}")

    def _hear_wallet(self, news: WalletNews) -> None:
        before = self._owned.get((news.account, news.asset), NOTHING)
        self._owned[news.account, news.asset] = news.holding
        credited, self._credited = self._credited == (news.account, news.asset), None
        for connection in self._of(news.account):
            if connection.hears("account"):
                connection.tell(account_frame(news, before, credited=credited), f"wallet {news.asset}")

    def _of(self, account: str) -> list[Connection]:
        """The account's streams; one whose listen key has run out hears nothing more."""
        return [one for one in self._open if one.account == account and self._keys.account_of(one.listen_key)]


def _reply(number: object, words: str) -> str:
    return json.dumps({"id": number, "code": 0, "msg": words}, ensure_ascii=False)
