"""The way of one account's requests to an exchange: ccxt signs and sends them, once; what comes back is read raw.

Rules: every request passes the process's limiter. Nothing is sent twice by us. A new order is accepted by the exchange
within the time its sender gave, counted from when it was asked for and never beyond 5 s; what waited too long is
not sent. Where the exchange says that our clock is off, it is measured anew; also every hour.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import ccxt

from autogrid.engine.venue import ExchangeAway, ExchangeRefused
from autogrid.exchanges.candle_download import UnableToDownload
from autogrid.exchanges.ccxt_errors import Reply, answer_of, lost, no_answer
from autogrid.exchanges.even_clock import even_ms, even_s
from autogrid.exchanges.limits import Kind, Limiter, limiter_of
from autogrid.exchanges.live_prices import ANTICIPATED
from autogrid.exchanges.public_client import public_client

WINDOW_MS: Final = 5_000
"""The longest an exchange may accept a request after it was made."""
LEAST_WINDOW_MS: Final = 100
"""With less left, a new order is not sent: it would be refused on the way."""
TIMEOUT_MS: Final = 10_000
CLOCK_S: Final = 3_600.0
TABLE_S: Final = 3_600.0
SILENT: Final = logging.getLogger("autogrid.exchanges.wire")
"""ccxt would log headers, which hold keys."""
SILENT.disabled = True

T = TypeVar("T")
_REPLY: ContextVar[Reply | None] = ContextVar("reply", default=None)


class Wire:
    """Requests of one account."""

    def __init__(self, client: Any, limiter: Limiter | None = None, now_s: Callable[[], float] = even_s) -> None:
        """`client`: a ccxt client with the account's key; it is closed by `aclose`."""
        self.exchange: str = client.id
        self.client = client
        self._limiter = limiter
        self._now_s = now_s
        self._ahead_ms = 0
        self._measured_s: float | None = None
        self.server_ms: Callable[[], Awaitable[int]] | None = None
        """Asks the exchange's clock; set by who knows how."""
        prepare(client, self._heard)

    async def ask(
        self,
        method: str,
        params: Mapping[str, object],
        *,
        kind: Kind = "read",
        weight: int = 1,
        window_ms: int = WINDOW_MS,
    ) -> Any:
        """The answer to one request of ccxt's implicit interface, as JSON with figures as text.

        Raises ExchangeRefused, ExchangeAway and, where `kind` is no read, ExchangeUnclear.
        """
        reply, _ = await self._send(lambda: getattr(self.client, method)(dict(params)), kind, weight, window_ms)
        return await self._answer(reply, kind)

    async def unified(self, call: Callable[[], Awaitable[T]], *, kind: Kind = "read", weight: int = 1) -> T:
        """What ccxt itself makes of an answer. Raises as `ask`."""
        reply, outcome = await self._send(call, kind, weight, WINDOW_MS)
        await self._answer(reply, kind)
        if isinstance(outcome, BaseException):
            raise lost(f"{self.exchange} sent no answer that can be read ({type(outcome).__name__})", kind)
        made: T = outcome
        return made

    def read(self, reader: Callable[[], T], kind: Kind = "read") -> T:
        """What a reader makes of an answer. Raises ExchangeAway, ExchangeUnclear where it is not what it should be."""
        try:
            return reader()
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            fault = lost(f"{self.exchange} sent an answer that is none ({type(error).__name__}: {error})", kind)
        raise fault

    async def markets(self, *, anew: bool = False) -> Mapping[str, Any]:
        """The process's table of markets by symbol, at most an hour old. Raises ExchangeAway."""
        table = await shared_table(self.exchange, anew=anew)
        if self.client.markets is not table.markets:
            self.client.set_markets_from_exchange(table)
        found: Mapping[str, Any] = table.markets
        return found

    async def id_of(self, symbol: str) -> str:
        """What the exchange calls a symbol. Raises ExchangeRefused (`symbol`), ExchangeAway."""
        found = (await self.markets()).get(symbol)
        if found is None or not found.get("spot", True):
            raise ExchangeRefused("symbol", f"{self.exchange} has no spot market '{symbol}'")
        return str(found["id"])

    def asset(self, told: object) -> str:
        """What we call an asset of the exchange."""
        return str(self.client.safe_currency_code(str(told)) or told)

    def symbol(self, market_id: object) -> str:
        """What we call a market of the exchange; its own name where the table does not have it."""
        return str(self.client.safe_symbol(str(market_id), None, None, "spot"))

    def now_ms(self) -> int:
        """The exchange's clock, UTC."""
        return int(self._now_s() * 1_000) - self._ahead_ms

    async def measure_clock(self) -> int:
        """How far this machine's clock is ahead, in ms. Raises ExchangeAway."""
        assert self.server_ms is not None
        before_s = self._now_s()
        server_ms = await self.server_ms()
        after_s = self._now_s()
        self._ahead_ms = round((before_s + after_s) * 500) - server_ms
        self._measured_s = after_s
        self.client.options["timeDifference"] = self._ahead_ms
        return self._ahead_ms

    async def measure_if_due(self) -> None:
        """Measure the clock where that was never done, or an hour ago. Raises ExchangeAway."""
        if self._measured_s is None or abs(self._now_s() - self._measured_s) > CLOCK_S:
            await self.measure_clock()

    async def aclose(self) -> None:
        """Give the connections back."""
        try:
            await self.client.close()
        except ANTICIPATED:
            return

    async def _send(
        self, call: Callable[[], Awaitable[T]], kind: Kind, weight: int, window_ms: int
    ) -> tuple[Reply, Any]:
        """One request: what came back, and what ccxt made of it, be it an exception."""
        limiter = self._limiter = self._limiter or limiter_of(self.exchange)
        until_s = time.monotonic() + min(window_ms, WINDOW_MS) / 1_000
        within_s = max(0.0, until_s - time.monotonic()) if kind == "create" else 2 * WINDOW_MS / 1_000
        await limiter.turn(kind, weight, key=str(self.client.apiKey or ""), within_s=within_s)
        left_ms = min(window_ms, WINDOW_MS) if kind != "create" else int((until_s - time.monotonic()) * 1_000)
        if left_ms < LEAST_WINDOW_MS:
            raise ExchangeAway(f"the order waited too long for its turn at {self.exchange} and was not sent")
        reply = Reply()
        token = _REPLY.set(reply)
        outcome: Any
        try:
            # Read when the request is signed, which is before anything is awaited.
            self.client.options["recvWindow"] = left_ms
            outcome = await call()
        except (ccxt.BaseError, *ANTICIPATED) as error:
            outcome = error
        finally:
            _REPLY.reset(token)
        if reply.status == 0:
            raise (
                no_answer(self.exchange, outcome, kind)
                if isinstance(outcome, Exception)
                else lost(f"{self.exchange} did not answer", kind)
            )
        return reply, outcome

    async def _answer(self, reply: Reply, kind: Kind) -> Any:
        try:
            return answer_of(self.exchange, reply, kind)
        except ExchangeAway as away:
            if away.wait_ms and self._limiter is not None:
                self._limiter.stop(away.wait_ms / 1_000, banned=reply.status in (403, 418))
            raise
        except ExchangeRefused as refusal:
            if refusal.why == "clock":
                await self._measure_quietly()
            raise

    async def _measure_quietly(self) -> None:
        try:
            await self.measure_clock()
        except (ExchangeAway, ExchangeRefused):
            self._measured_s = None

    def _heard(self, headers: Mapping[str, str]) -> None:
        if self._limiter is not None:
            self._limiter.heard(headers, key=str(self.client.apiKey or ""))


def prepare(client: Any, heard: Callable[[Mapping[str, str]], None] = lambda _: None) -> Any:
    """Make a ccxt client send once, without its own limiter and retries, and hand on what comes back, raw."""
    client.enableRateLimit = False
    client.options["maxRetriesOnFailure"] = 0
    client.options["adjustForTimeDifference"] = False
    client.timeout = TIMEOUT_MS
    client.logger = SILENT
    client.milliseconds = even_ms
    on_response = client.on_rest_response

    def noted(
        status: int, reason: str, url: str, method: str, headers: Mapping[str, str], body: str, *sent: object
    ) -> str:
        lower = {str(name).lower(): str(value) for name, value in headers.items()}
        reply = _REPLY.get()
        if reply is not None:
            reply.status, reply.headers, reply.body = status, lower, body
        heard(lower)
        stripped: str = on_response(status, reason, url, method, headers, body, *sent)
        return stripped

    client.on_rest_response = noted
    return client


class _Table:
    """The markets of one exchange, as this process knows them."""

    def __init__(self) -> None:
        self.client: Any = None
        self.read_s = 0.0
        self.reading = asyncio.Lock()


_TABLES: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Table]]] = WeakKeyDictionary()


async def shared_table(exchange: str, *, anew: bool = False) -> Any:
    """A ccxt client whose table of markets all clients of the process share. Raises ExchangeAway, ExchangeRefused."""
    of_loop = _TABLES.setdefault(asyncio.get_running_loop(), {})
    table = of_loop.setdefault(exchange, _Table())
    asked_s = time.monotonic()
    async with table.reading:
        fresh = table.client is not None and asked_s - table.read_s < TABLE_S
        if not fresh or (anew and table.read_s < asked_s):
            try:
                table.client = await _load(exchange)
                table.read_s = time.monotonic()
            except ExchangeAway:
                # An old table is better than none: it says what markets are called.
                if table.client is None or anew:
                    raise
    return table.client


async def _load(exchange: str) -> Any:
    try:
        client = prepare(public_client(exchange))
    except UnableToDownload as error:
        raise ExchangeRefused("other", error.sentence) from None
    reply = Reply()
    token = _REPLY.set(reply)
    try:
        await client.load_markets()
    except (ccxt.BaseError, *ANTICIPATED) as error:
        if reply.status:
            answer_of(exchange, reply, "read")
        raise no_answer(exchange, error, "read") from None
    finally:
        _REPLY.reset(token)
        await client.close()
    return client
