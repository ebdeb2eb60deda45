"""The port `Venue` over a simulated exchange, with every way in which a request or a stream can go wrong.

What belongs to the wire and the exchange goes on when the process that asked is frozen or dead: a request that has left
arrives, an answer waits in the socket.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextvars import Context
from typing import Final, Protocol, TypeVar

from autogrid.engine.venue import (
    Balance,
    ExchangeAway,
    ExchangeRefused,
    ExchangeUnclear,
    Intent,
    MarketNow,
    News,
    OwnOrder,
    OwnTrade,
    Page,
    Rights,
    StreamBegan,
    StreamBroke,
    Why,
)
from autogrid.simulator.records import OrderType, Refused, UnableToTrade, Wanted
from autogrid.trading.money import Price
from tests.simulation.clock import Host
from tests.simulation.exchange_side import ExchangeSide

Answer = TypeVar("Answer")
WHY: Final[Mapping[Refused, Why]] = {
    "unknown-symbol": "symbol",
    "halted": "symbol",
    "funds": "funds",
    "would-trade": "post-only",
    "unknown-order": "unknown-order",
    "duplicate-client-id": "duplicate",
    "bad-request": "other",
    "max-orders": "rule",
}
TYPES: Final[Mapping[str, OrderType]] = {"maker": "maker", "limit": "limit", "now": "ioc", "stop": "stop_limit"}
PAGE: Final = (2, 7, 100)
LOST: Final = ("answer lost", "request lost", "server error", "never answered", "gone early", "answer broken")
LAG_MS: Final = 4_000
"""Answers are at most so much behind; less than what the engine waits before *not found* counts."""


class Witness(Protocol):
    """Who is told what leaves, and may end the process there."""

    async def point(self, host: Host, name: str) -> None:
        """The process is at a point where it touches the world; it may die here."""
        ...

    def sends(self, account: str, intent: Intent) -> None:
        """An order is leaving."""
        ...

    def arrives(self, account: str, epoch: int, intent: Intent) -> None:
        """It reaches the exchange."""
        ...

    def cancels(self, account: str, client_id: str) -> None:
        """A cancel reaches the exchange."""
        ...


class WorldVenue:
    """One account, as one process reaches it."""

    exchange = "simulated"

    def __init__(self, side: ExchangeSide, account: str, host: Host, witness: Witness, epoch: int) -> None:
        self._side = side
        self._account = account
        self._host = host
        self._witness = witness
        self._epoch = epoch
        self._loop = side.loop
        self._world = side.context
        self._mistaken: dict[tuple[str, int], None] = {}
        self._off_ms = int(side.chaos.between(-150, 150))
        """How wrong its idea of the exchange's clock is."""

    @property
    def cancels_at_once(self) -> int:
        return 1 if self._side.style == "mexc" else 10

    def now_ms(self) -> int:
        return self._side.now_ms() + self._off_ms

    async def measure_clock(self) -> int:
        self._off_ms = int(self._side.chaos.between(-150, 150))
        return 0

    async def aclose(self) -> None:
        pass

    # --- requests -----------------------------------------------------------------------------------------------

    async def _ask(
        self,
        do: Callable[[], Answer],
        *,
        until_ms: int | None = None,
        unclear: bool = False,
        broken: Answer | None = None,
    ) -> Answer:
        """What the exchange does at the arrival of a request, answered some time later.

        `until_ms`: it is refused later than that, by the exchange's clock. `unclear`: a lost answer says nothing of
        whether it was done, else it is as if the exchange were away. `broken`: an answer that has lost its id.
        """
        chaos, loop = self._side.chaos, self._loop
        await self._leave(until_ms)
        there, back = chaos.latency(), chaos.latency()
        if chaos.hits("slow there"):
            there += chaos.between(0.5, 8)
        if chaos.hits("slow back"):
            back += chaos.between(0.5, 20)
        lost = next((kind for kind in LOST if chaos.hits(kind)), "")
        undone = lost == "request lost" or (lost in ("server error", "answer broken") and chaos.between(0, 1) < 0.5)
        answer: asyncio.Future[Answer] = loop.create_future()
        word = ExchangeUnclear if unclear else ExchangeAway
        if lost == "gone early":
            loop.call_later(0.05, _fail, answer, word("the connection was dropped"), context=self._world)
            there += chaos.between(0.1, 4)

        def arrive() -> None:
            found, fault = (None, None) if undone else self._done(do, until_ms)
            if lost == "never answered":
                return
            if lost == "answer broken" and broken is not None and fault is None:
                found = broken
            elif undone or lost not in ("", "gone early"):
                fault = word("no answer, or one that makes no sense")
            if fault is not None:
                loop.call_later(back, _fail, answer, fault, context=self._world)
            else:
                loop.call_later(back, _give, answer, found, context=self._world)

        loop.call_later(there, arrive, context=self._world)
        await self._witness.point(self._host, "a request is on its way")
        return await answer

    async def _leave(self, until_ms: int | None) -> None:
        """A request leaves the process, or does not. Raises `ExchangeAway`."""
        chaos, side = self._side.chaos, self._side
        if chaos.hits("held back"):
            await asyncio.sleep(chaos.between(0, 3))
            if until_ms is not None and side.now_ms() >= until_ms:
                raise ExchangeAway("it waited for too long and did not leave")
        if chaos.hits("maintenance"):
            side.away_until_ms = side.now_ms() + int(chaos.between(1_000, 60_000))
        if chaos.hits("away before") or side.now_ms() < side.away_until_ms:
            await asyncio.sleep(chaos.latency())
            raise ExchangeAway("connection refused")
        if chaos.hits("rate limit"):
            await asyncio.sleep(chaos.latency())
            raise ExchangeAway("too many requests", int(chaos.between(0, 10_000)))

    def _done(self, do: Callable[[], Answer], until_ms: int | None) -> tuple[Answer | None, Exception | None]:
        """What the exchange does, or how it refuses."""
        try:
            if until_ms is not None and self._side.now_ms() > until_ms:
                raise ExchangeRefused("clock", "the request came after its window")
            if self._side.chaos.hits("clock refused"):
                raise ExchangeRefused("clock", "the request's time is off")
            return do(), None
        except (ExchangeRefused, ExchangeAway) as no:
            return None, no
        except UnableToTrade as no:
            return None, ExchangeRefused(WHY.get(no.why, "rule"), str(no))

    async def place(self, intent: Intent, window_ms: int) -> OwnOrder:
        until_ms = self.now_ms() + window_ms
        self._witness.sends(self._account, intent)
        await self._witness.point(self._host, "before a create")
        nothing = OwnOrder(
            intent.symbol, "", "", intent.side, "open", intent.price, intent.quantity, intent.quantity * 0, 0
        )
        own = await self._ask(lambda: self._place(intent), until_ms=until_ms, unclear=True, broken=nothing)
        await self._witness.point(self._host, "after a create")
        return own

    def _place(self, intent: Intent) -> OwnOrder:
        side, world = self._side, self._side.world
        self._witness.arrives(self._account, self._epoch, intent)
        if side.chaos.hits("refused"):
            raise ExchangeRefused("other", "not now")
        wanted = Wanted(
            intent.symbol,
            intent.side,
            TYPES.get(intent.kind, "maker"),
            intent.client_id,
            intent.price,
            intent.quantity,
            trigger=intent.trigger if intent.kind == "stop" else None,
        )
        if intent.kind == "oco":
            stop = wanted._replace(
                type="stop_limit", client_id=f"{intent.client_id}s", price=intent.stop_price, trigger=intent.trigger
            )
            return side.told(world.place_list(self._account, wanted, stop, intent.client_id)[0])
        try:
            return side.told(world.place(self._account, wanted))
        except UnableToTrade as no:
            if no.why != "would-trade" or side.style != "bybit":
                raise
            order = world.keep_rejected(self._account, wanted, "it would have traded at once")
            return side.told(order)._replace(status="open")

    async def cancel(self, symbol: str, client_ids: Sequence[str]) -> None:
        await self._witness.point(self._host, "before a cancel")
        late_s = self._side.chaos.between(0.1, 3) if self._side.chaos.hits("cancel late") else 0.0

        def arrive() -> None:
            if late_s:
                self._loop.call_later(late_s, self._cancel, symbol, client_ids, context=self._world)
            else:
                self._cancel(symbol, client_ids)
            if self._side.chaos.hits("cancel twice"):
                self._loop.call_later(0.2, self._cancel, symbol, client_ids, context=self._world)

        await self._ask(arrive, unclear=True)
        await self._witness.point(self._host, "after a cancel")

    def _cancel(self, symbol: str, client_ids: Sequence[str]) -> None:
        for client_id in client_ids:
            self._witness.cancels(self._account, client_id)
            try:
                self._side.world.cancel(self._account, symbol, client_id=client_id)
            except UnableToTrade:
                continue  # it is not open: what became of it is looked up

    def _lag_ms(self, kind: str) -> int:
        return int(self._side.chaos.between(100, LAG_MS)) if self._side.chaos.hits(kind) else 0

    def _question(self, do: Callable[[], Answer]) -> Callable[[], Answer]:
        def asked() -> Answer:
            if self._side.chaos.hits("question lost"):
                raise ExchangeAway("the answer was lost")
            if self._side.chaos.hits("key refused"):
                raise ExchangeRefused("key", "the key is not known here")
            return do()

        return asked

    async def find(self, symbol: str, client_id: str) -> OwnOrder | None:
        return await self._ask(self._question(lambda: self._find(symbol, client_id, None)))

    async def find_by_id(self, symbol: str, exchange_id: str) -> OwnOrder | None:
        return await self._ask(self._question(lambda: self._find(symbol, "", int(exchange_id))))

    def _find(self, symbol: str, client_id: str, exchange_id: int | None) -> OwnOrder | None:
        side = self._side
        order = side.world.find(self._account, symbol, client_id=client_id, exchange_id=exchange_id)
        if order is not None and side.now_ms() < order.made_ms + LAG_MS and side.chaos.hits("not found at first"):
            return None
        if order is not None and order.key not in self._mistaken and side.chaos.hits("not found by mistake"):
            self._mistaken[order.key] = None
            return None
        return side.found(self._account, order, self._lag_ms("stale look-up"))

    async def open_orders(self, symbol: str) -> Sequence[OwnOrder]:
        side = self._side
        return await self._ask(
            self._question(lambda: side.open_orders(self._account, symbol, self._lag_ms("stale open orders")))
        )

    async def trades_after(self, symbol: str, cursor: str) -> Page:
        await self._witness.point(self._host, "before a page of trades")
        return await self._ask(self._question(lambda: self._page(symbol, cursor)))

    def _page(self, symbol: str, cursor: str) -> Page:
        side = self._side
        if not cursor:
            return Page((), str(side.last_trade(self._account, symbol)))
        most = PAGE[int(cursor) % len(PAGE)]
        trades = side.trades_from(self._account, symbol, int(cursor) + 1, most, self._lag_ms("trades late"))
        return Page(trades, trades[-1].trade_id if trades else cursor, len(trades) == most)

    async def trades_of(self, symbol: str, exchange_id: str) -> Sequence[OwnTrade]:
        return await self._ask(self._question(lambda: self._trades_of(symbol, exchange_id)))

    def _trades_of(self, symbol: str, exchange_id: str) -> Sequence[OwnTrade]:
        side = self._side
        last = side.last_trade(self._account, symbol)
        trades = side.trades_from(self._account, symbol, 1, int(last) + 1, 0) if last else []
        return [one for one in trades if one.exchange_id == exchange_id]

    async def balances(self) -> Mapping[str, Balance]:
        return await self._ask(
            lambda: {a: Balance(*h) for a, h in self._side.world.wallet(self._account).items() if h.free or h.held}
        )

    async def rights(self) -> Rights:
        return Rights(True, True, False, True)

    async def market(self, symbol: str) -> MarketNow:
        world = self._side.world
        return await self._ask(lambda: MarketNow(world.markets[symbol], not world.is_halted(symbol), ""))

    async def price_of(self, symbol: str) -> Price | None:
        world = self._side.world
        return await self._ask(lambda: world.price(symbol) if symbol in world.markets else None)

    # --- the account's stream -----------------------------------------------------------------------------------

    async def news(self) -> AsyncIterator[News]:
        chaos = self._side.chaos
        while True:
            await asyncio.sleep(chaos.latency())
            if chaos.hits("stream does not begin") or self._side.now_ms() < self._side.away_until_ms:
                await asyncio.sleep(chaos.between(0.5, 20))
                continue
            stream = _Stream(self._side, self._account, self._world)
            try:
                yield StreamBegan(self._side.now_ms())
                while (one := await stream.next()) is not None:
                    yield one
            finally:
                stream.close()
            yield StreamBroke(self._side.now_ms(), "the connection was lost")
            await asyncio.sleep(chaos.between(0.1, 5))


class _Stream:
    """One connection: what the exchange puts in comes out, or not."""

    def __init__(self, side: ExchangeSide, account: str, world: Context) -> None:
        self._side = side
        self._account = account
        self._world = world
        self._waiting: deque[OwnOrder | OwnTrade] = deque()
        self._news = asyncio.Event()
        self._broken = False
        self._stalled_until = 0.0
        self._last = 0.0
        side.of(account).streams[self._tell] = None

    def close(self) -> None:
        self._side.of(self._account).streams.pop(self._tell, None)

    async def next(self) -> OwnOrder | OwnTrade | None:
        """The next event; None: the connection is lost."""
        while not self._waiting:
            if self._broken:
                return None
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()

    def _tell(self, one: OwnOrder | OwnTrade) -> None:
        """The exchange sends an event."""
        chaos, loop = self._side.chaos, self._side.loop
        now = loop.time()
        if chaos.hits("stream breaks"):
            self._broken = True
            self.close()
            self._news.set()
            return
        if chaos.hits("stream stalls"):
            self._stalled_until = now + chaos.between(5, 600)
        coalesced = isinstance(one, OwnOrder) and one.status == "open" and chaos.hits("events coalesced")
        if now < self._stalled_until or coalesced or chaos.hits("event lost"):
            return
        for _ in range(2 if chaos.hits("event twice") else 1):
            when = max(self._last, now + chaos.latency())
            if chaos.hits("events swapped"):
                when = now + chaos.between(0.01, 2)
            elif chaos.hits("event late"):
                when = now + chaos.between(5, 240)
            else:
                self._last = when
            loop.call_at(when, self._deliver, one, context=self._world)

    def _deliver(self, one: OwnOrder | OwnTrade) -> None:
        if not self._broken:
            self._waiting.append(one)
            self._news.set()


def _give(future: "asyncio.Future[Answer]", answer: Answer | None) -> None:
    if not future.done():
        future.set_result(answer)  # type: ignore[arg-type]


def _fail(future: "asyncio.Future[Answer]", fault: Exception) -> None:
    if not future.done():
        future.set_exception(fault)
