"""What an exchange's public market is told to trade at, followed for as long as it is wanted.

Rules: trades are followed by a stream where the exchange has one, else asked for every few seconds; where it tells no
trades, its last price is. A stream may fall silent with its connection alive, so after a while of nothing the
exchange is asked: a trade that the stream should have told makes a new client. Nothing that goes wrong here reaches
a bot: it is noted, tried again, and seen as silence. While nobody trades the price is told again, so that a bot's
clock goes on.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final, Literal, NamedTuple, Protocol

import ccxt

from autogrid.exchanges.public_client import exact, streaming_client
from autogrid.trading.money import ZERO, Price, Quantity

ANTICIPATED: Final = (ccxt.BaseError, OSError, TimeoutError, ValueError, TypeError, LookupError, AttributeError)
"""What a network, an exchange, and an answer that is none lead to inside ccxt."""
DAY_MS: Final = 86_400_000
CATCH_UP_S: Final = 0.1
"""So long a price may wait for the next one; see `_uncollected`."""
Source = Literal["stream", "requests"]


class PriceClient(Protocol):
    """The part of a ccxt client that is used here; `has` says which of the ways to prices there are."""

    has: Any

    async def load_markets(self) -> Any:
        """The markets by symbol."""

    async def watch_trades(self, symbol: str) -> Any:
        """The next trades, when there are any."""

    async def watch_ticker(self, symbol: str) -> Any:
        """The next last price, when there is one."""

    async def fetch_trades(self, symbol: str) -> Any:
        """The newest trades."""

    async def fetch_ticker(self, symbol: str) -> Any:
        """The last price."""

    async def close(self) -> None:
        """Give the connections back."""


ClientFactory = Callable[[str], PriceClient]


class Traded(NamedTuple):
    """Somebody traded at this price."""

    at_ms: int
    """The exchange's time, UTC."""
    price: Price
    quantity: Quantity | None
    """None where only the last price is told; 0: nobody did, and the price stands."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what; all in seconds."""

    quiet_s: float = 20.0
    """A stream that told nothing for so long is checked."""
    poll_s: float = 2.0
    """Between two requests where there is no stream."""
    silent_s: float = 30.0
    """An exchange that told nothing for so long is silent."""
    stream_again_s: float = 300.0
    """After so long of requests a stream that failed is tried again."""
    retry_s: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
    """Before a new client, by how many failed one after the other."""
    most_faults: int = 3
    """So many failures one after the other, and a stream is given up, or a client of requests replaced."""
    settle_s: float = 1.5
    """After a candle's end, before it is asked for."""
    late_s: tuple[float, ...] = (2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0)
    """Before a candle that was not there is asked for again, by how often it was not."""
    wake_s: float = 30.0
    """Longer than this nothing is waited for without a look at the clock."""
    history_s: float = 30.0
    """So long prices wait at the start for the candles that closed before them."""


PATIENT: Final = Patience()


class StreamStalled(Exception):
    """The exchange tells of trades that its stream did not."""


def now_ms() -> int:
    """This machine's clock, UTC."""
    return time.time_ns() // 1_000_000


class LivePrices:
    """Follows one market; what is traded goes to `tell`, in order of time, none twice."""

    def __init__(
        self,
        market: tuple[str, str],
        tell: Callable[[Traded], None],
        client_factory: ClientFactory = streaming_client,
        patience: Patience = PATIENT,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        """`market`: exchange as ccxt calls it, and symbol."""
        self._exchange, self._symbol = market
        self._tell = tell
        self._factory = client_factory
        self._patience = patience
        self._clock_ms = clock_ms
        self._last: Traded | None = None
        self._from_ms = 0
        """Trades before this are known."""
        self._taken_ms = clock_ms()
        """When the last trade came, by this machine's clock."""
        self._traded = False
        """Whether any came since this was begun."""
        self._stream_faults = 0
        self._faults = 0
        self._pending: asyncio.Future[Any] | None = None
        self._collected: object = None
        """The last that was taken from what ccxt keeps."""
        self.heard_ms = clock_ms()
        """When the exchange last told anything, by this machine's clock."""
        self.source: Source | None = None
        self.fault: str | None = None
        """What went wrong last; None once the exchange is heard again."""

    @property
    def silent_since_ms(self) -> int | None:
        """Since when nothing was heard, UTC; None while the exchange is heard, or a short silence lasts."""
        silent = self._clock_ms() - self.heard_ms > self._patience.silent_s * 1_000
        return self.heard_ms if silent else None

    @property
    def exchange_ms(self) -> int | None:
        """The exchange's clock, by the last trade and the time since it came: never fast. None before the first."""
        if self._last is None or not self._traded:
            return None
        return self._last.at_ms + max(0, self._clock_ms() - self._taken_ms)

    def resume_after(self, last: Traded) -> None:
        """What was traded up to `last` is known already; what came after it is not."""
        self._last, self._from_ms = last, last.at_ms + 1

    async def run(self) -> None:
        """Follow until cancelled. Raises UnableToDownload (`unknown_exchange`), and our own faults."""
        while True:
            client = self._factory(self._exchange)
            try:
                await client.load_markets()
                if self._has_stream(client) and self._stream_faults < self._patience.most_faults:
                    await self._follow(client)
                else:
                    await self._ask_on(client)
                    self._stream_faults = 0
            except StreamStalled as stalled:
                self._note(stalled)
            except ANTICIPATED as error:
                self._note(error)
            finally:
                await self._close(client)
            waits = self._patience.retry_s
            await asyncio.sleep(waits[min(self._faults, len(waits) - 1)])

    async def _follow(self, client: PriceClient) -> None:
        """By stream, until it fails."""
        self._collected = None
        try:
            await self._look(client)
            while True:
                told = await self._next(client)
                if told is not None:
                    self._take(told, looked=False)
                    self.source, self._stream_faults = "stream", 0
                elif await self._look(client):
                    raise StreamStalled(f"{self._exchange}'s stream left out what was traded")
        except ccxt.NotSupported:
            self._stream_faults = self._patience.most_faults
            raise
        except (StreamStalled, *ANTICIPATED):
            self._stream_faults += 1
            raise

    async def _next(self, client: PriceClient) -> list[Any] | None:
        """What the stream tells next; None where it tells nothing for too long."""
        trades = bool(client.has.get("watchTrades"))
        if self._pending is None:
            watch = client.watch_trades if trades else client.watch_ticker
            self._pending = asyncio.ensure_future(watch(self._symbol))
        for wait_s in (CATCH_UP_S, self._patience.quiet_s):
            done, _ = await asyncio.wait({self._pending}, timeout=wait_s)
            new = self._uncollected(client, trades=trades)
            if done:
                pending, self._pending = self._pending, None
                told = pending.result()
                return new if new is not None else told if trades else [told]
            if new:
                return new
        return None

    def _uncollected(self, client: PriceClient, *, trades: bool) -> list[Any] | None:
        """What ccxt keeps of the stream and we have not seen; None where it keeps nothing.

        A message that comes before the next call of `watch_…` is kept, but told only with the one after it.
        """
        kept = (getattr(client, "trades" if trades else "tickers", None) or {}).get(self._symbol)
        if kept is None:
            return None
        newest_first = reversed(kept) if trades else iter([kept])
        new = list(takewhile(lambda one: one is not self._collected, newest_first))[::-1]
        self._collected = new[-1] if new else self._collected
        return new

    async def _ask_on(self, client: PriceClient) -> None:
        """By requests, until they fail, or it is time to try the stream again."""
        until_ms = self._clock_ms() + self._patience.stream_again_s * 1_000
        failed = 0
        while not self._has_stream(client) or self._clock_ms() < until_ms:
            try:
                await self._look(client)
                self.source, failed = "requests", 0
            except ANTICIPATED as error:
                failed += 1
                if failed >= self._patience.most_faults:
                    raise
                self.fault = short(error)
            await asyncio.sleep(self._patience.poll_s)

    async def _look(self, client: PriceClient) -> int:
        """Ask for what was traded last; how many trades that were not known."""
        if not client.has.get("fetchTrades"):
            return self._take([await client.fetch_ticker(self._symbol)], looked=True)
        trades = await client.fetch_trades(self._symbol)
        found = sorted(trades, key=lambda trade: trade.get("timestamp") or 0)
        # What was traded before we came is not ours to walk through.
        return self._take(found if self._last else found[-1:], looked=True)

    def _take(self, told: list[Mapping[str, Any]], *, looked: bool) -> int:
        """Tell what is new. A stream tells trades of one ms one after the other; an answer has them all."""
        now, new = self._clock_ms(), 0
        if looked and self._last:
            self._from_ms = max(self._from_ms, self._last.at_ms + 1)
        for traded in map(self._read, told):
            if traded.at_ms > now + DAY_MS:
                raise ValueError(f"{self._exchange} tells of a trade at {traded.at_ms} ms, which is not yet")
            known = traded.quantity is None and self._last and self._last.price == traded.price
            if traded.at_ms >= self._from_ms and not known:
                self._last, self._from_ms, self._taken_ms, self._traded = traded, traded.at_ms, now, True
                self._tell(traded)
                new += 1
        if not new:
            self._beat(now)
        if looked and self._last:
            self._from_ms = max(self._from_ms, self._last.at_ms + 1)
        self.heard_ms, self.fault, self._faults = now, None, 0
        return new

    def _beat(self, now: int) -> None:
        """The exchange is heard and nobody traded: the price stands, and time goes on, by the exchange's clock."""
        if self._last is not None:
            self._tell(Traded(self._last.at_ms + max(0, now - self._taken_ms), self._last.price, ZERO))

    def _read(self, told: Mapping[str, Any]) -> Traded:
        """A ccxt trade, or a ccxt ticker."""
        price = exact(told.get("price") if "price" in told else told.get("last"))
        if price is None or price <= 0:
            raise ValueError(f"{self._exchange} tells of a trade without a price")
        quantity = exact(told.get("amount")) if "price" in told else None
        return Traded(int(told.get("timestamp") or self._clock_ms()), price, quantity)

    def _has_stream(self, client: PriceClient) -> bool:
        return bool(client.has.get("watchTrades") or client.has.get("watchTicker"))

    def _note(self, error: Exception) -> None:
        self.fault = short(error)
        self._faults += 1

    async def _close(self, client: PriceClient) -> None:
        """Give the client back, also when we are cancelled just then."""
        pending, self._pending = self._pending, None
        await to_its_end(self._give_back(client, pending))

    async def _give_back(self, client: PriceClient, pending: asyncio.Future[Any] | None) -> None:
        """What client and stream say at that is of no more interest."""
        if pending is not None:
            pending.cancel()
            await asyncio.wait({pending}, timeout=1)
            if pending.done() and not pending.cancelled():
                pending.exception()
        try:
            await client.close()
        except ANTICIPATED as error:
            self.fault = self.fault or short(error)


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Do `work` whole, also when we are cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


def short(error: Exception) -> str:
    """What an exception says, on one line."""
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
