"""What an account's stream tells, healed whenever it breaks.

Rules: frames are read as they come, before ccxt makes anything of them, and what they tell goes into a queue: a slow
reader loses nothing. ccxt signs in, subscribes and answers pings; its own loops are only kept turning. A stream is
given up for a new client where its connection breaks or falls silent, where a frame cannot be read, where the exchange
says that it ends, and where the account's balances change while it tells nothing: a stall with living pongs is seen in
no other way. `StreamBegan` is told when the exchange has confirmed every subscription, not before.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import ccxt
from google.protobuf.message import DecodeError

from autogrid.engine.venue import Balance, ExchangeAway, ExchangeRefused, News, StreamBegan, StreamBroke
from autogrid.exchanges.dialect import Dialect, EventReader, StreamEnded
from autogrid.exchanges.live_prices import ANTICIPATED, to_its_end

EVENT_KEYS: Final = frozenset({"e", "event", "topic", "channel"})
"""A frame that has one of these tells of the account; others are answers and pongs."""


@dataclass(frozen=True, slots=True)
class StreamPatience:
    """How long to wait for what; all in seconds."""

    keep_alive_s: float = 10.0
    """Between two pings."""
    begin_s: float = 20.0
    """Until every subscription is confirmed."""
    settle_s: float = 2.0
    """After the last event, before the balances are taken as what it told."""
    compare_s: float = 30.0
    """Between two looks at the balances while nothing is told; half of it between any two."""
    steady_s: float = 30.0
    """A stream that told for so long had nothing wrong with it when it broke."""
    look_s: float = 0.5
    """Between two looks at the stream itself."""
    again_s: tuple[float, ...] = (0.2, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
    """Before a new client, by how many broke one after the other before they were steady."""
    close_s: float = 5.0
    """For giving a client back."""


STREAM_PATIENCE: Final = StreamPatience()


class _Broke(Exception):
    """This client's stream is over."""


class UserStream:
    """One account's stream."""

    def __init__(
        self,
        new_client: Callable[[], Awaitable[Any]],
        dialect: Dialect,
        now_ms: Callable[[], int],
        patience: StreamPatience = STREAM_PATIENCE,
    ) -> None:
        """`new_client`: a streaming ccxt client with the key and the markets; may raise ExchangeAway."""
        self._new_client = new_client
        self._dialect = dialect
        self._now_ms = now_ms
        self._patience = patience

    async def news(self) -> AsyncIterator[News]:
        """What is told, until closed. Raises our own faults only."""
        queue: asyncio.Queue[News | None] = asyncio.Queue()
        running = asyncio.create_task(self._run(queue.put_nowait))
        running.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (told := await queue.get()) is not None:
                yield told
            running.result()
        finally:
            running.cancel()
            await asyncio.wait({running})

    async def _run(self, tell: Callable[[News], None]) -> None:
        failed = 0
        while True:
            began_s: list[float] = []

            def told(one: News, began_s: list[float] = began_s) -> None:
                if isinstance(one, StreamBegan):
                    began_s.append(time.monotonic())
                tell(one)

            try:
                await self._live(told)
            except (_Broke, ExchangeAway, ExchangeRefused) as error:
                steady = bool(began_s) and time.monotonic() - began_s[0] > self._patience.steady_s
                failed = 0 if steady else failed + 1
                if began_s:
                    tell(StreamBroke(self._now_ms(), str(error)))
            waits = self._patience.again_s
            await asyncio.sleep(waits[min(failed, len(waits) - 1)])

    async def _live(self, tell: Callable[[News], None]) -> None:
        """One client, from its beginning to its end. Raises _Broke, ExchangeAway, ExchangeRefused."""
        client = await self._new_client()
        life = _Life(client, self._dialect.events(), tell)
        watches = [asyncio.create_task(life.keep(watch)) for watch in self._dialect.watches(client)]
        watcher = asyncio.create_task(self._attend(life, len(watches)))
        try:
            ends: set[asyncio.Future[Any]] = {life.over, watcher, *watches}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if life.over.done():
                raise _Broke(life.over.result())
            for task in (watcher, *watches):
                if task.done():
                    task.result()
        finally:
            life.tell = _nobody
            await to_its_end(self._end(client, [watcher, *watches]))

    async def _attend(self, life: "_Life", watches: int) -> None:
        """See that it begins, and that it goes on telling."""
        until_s = time.monotonic() + self._patience.begin_s
        while life.confirmed < watches:
            if time.monotonic() > until_s:
                raise _Broke("the exchange did not confirm the stream")
            await asyncio.sleep(min(0.05, self._patience.look_s))
        compared = _Compared()
        if watches:
            # Before anybody is told to go on: what changes from here on must be told.
            await self._take_stock(life, compared)
        life.tell(StreamBegan(self._now_ms()))
        if not watches:
            await asyncio.get_running_loop().create_future()
        while True:
            await asyncio.sleep(self._patience.look_s)
            if life.silent_s() > 3 * self._patience.keep_alive_s:
                raise _Broke("the connection is silent")
            await self._compare(life, compared)

    async def _compare(self, life: "_Life", known: "_Compared") -> None:
        """The balances may not change while nothing is told."""
        patience, now_s = self._patience, time.monotonic()
        if known.balances is None or known.heard != life.heard:
            settled = now_s - life.heard_s >= patience.settle_s and now_s - known.asked_s >= patience.compare_s / 2
            if settled:
                await self._take_stock(life, known)
            return
        if now_s - known.asked_s < patience.compare_s:
            return
        found = await self._balances(known)
        if found is not None and found != known.balances and known.heard == life.heard:
            await asyncio.sleep(patience.settle_s)
            if known.heard == life.heard:
                raise _Broke("the account changed and the stream did not tell")

    async def _take_stock(self, life: "_Life", known: "_Compared") -> None:
        heard = life.heard
        known.balances = await self._balances(known)
        known.heard = heard

    async def _balances(self, known: "_Compared") -> Mapping[str, Balance] | None:
        try:
            return await self._dialect.balances()
        except (ExchangeAway, ExchangeRefused):
            return None
        finally:
            known.asked_s = time.monotonic()

    async def _end(self, client: Any, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.exception()
        try:
            async with asyncio.timeout(self._patience.close_s):
                if client.id == "mexc" and client.options.get("listenKey"):
                    await client.spotPrivateDeleteUserDataStream({"listenKey": client.options["listenKey"]})
        except (ccxt.BaseError, *ANTICIPATED):
            pass  # it ends by itself within the hour
        try:
            async with asyncio.timeout(self._patience.close_s):
                await client.close()
        except (ccxt.BaseError, *ANTICIPATED):
            return


@dataclass(slots=True)
class _Compared:
    """The balances as they were when the stream had told everything."""

    balances: Mapping[str, Balance] | None = None
    heard: int = -1
    asked_s: float = 0.0


class _Life:
    """One client's stream: how much it told, and whether it is over."""

    def __init__(self, client: Any, events: EventReader, tell: Callable[[News], None]) -> None:
        self._client = client
        self._events = events
        self.tell = tell
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.confirmed = 0
        self.heard = 0
        self.heard_s = time.monotonic()
        self._newest = 0
        self._changed_s = time.monotonic()
        self._tap()

    async def keep(self, watch: Callable[[], Awaitable[object]]) -> None:
        """Call `watch` again and again; ccxt answers pings only while somebody waits. Raises _Broke."""
        while True:
            try:
                await watch()
            except (ccxt.BaseError, *ANTICIPATED) as error:
                raise _Broke(f"the stream broke ({type(error).__name__})") from None
            except asyncio.CancelledError:
                # ccxt cancels its futures where it closes a connection.
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                raise _Broke("the connection was closed") from None

    def silent_s(self) -> float:
        """Since when nothing came, not even a pong, as far as was seen by asking here again and again."""
        connections = [one for one in (self._client.clients or {}).values() if one.connection is not None]
        newest = max((one.last_message_at or 0 for one in connections), default=0)
        if newest != self._newest:  # by the machine's clock, which may be turned: that it changes is what counts
            self._newest, self._changed_s = newest, time.monotonic()
        return time.monotonic() - self._changed_s

    def _tap(self) -> None:
        """See every frame first, and every fault inside ccxt that would else end its loop without a word."""
        client = self._client
        new_connection, on_message = client.client, client.handle_message
        on_protobuf = getattr(client, "handle_protobuf_message", None)

        def connection(url: str) -> Any:
            made = new_connection(url)
            if "handle_message" not in vars(made):
                made.handle_message = self._guarded(made.handle_message)
            return made

        def message(its: Any, frame: object) -> None:
            if not isinstance(frame, bytes):
                self._hear(frame)
            on_message(its, frame)

        def protobuf(its: Any, frame: object) -> object:
            self._hear(frame)
            return on_protobuf(its, frame) if on_protobuf is not None else None

        client.client, client.handle_message = connection, message
        if on_protobuf is not None:
            client.handle_protobuf_message = protobuf

    def _guarded(self, receive: Callable[[Any], None]) -> Callable[[Any], None]:
        def guarded(message: Any) -> None:
            try:
                receive(message)
            except (ccxt.BaseError, StreamEnded, DecodeError, *ANTICIPATED) as error:
                self._end(f"a frame cannot be read ({type(error).__name__})")

        return guarded

    def _hear(self, frame: object) -> None:
        if isinstance(frame, dict) and EVENT_KEYS & frame.keys():
            self.heard += 1
            self.heard_s = time.monotonic()
        if self._events.confirms(frame):
            self.confirmed += 1
        try:
            for told in self._events.read(frame):
                self.tell(told)
        except StreamEnded as ended:
            self._end(str(ended))

    def _end(self, words: str) -> None:
        if not self.over.done():
            self.over.set_result(words)


def _nobody(_: News) -> None:
    """What comes after a stream's end is not told: it will be asked for."""
