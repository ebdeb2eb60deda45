"""The stopwatch of the live benchmarks: how long an order takes from what led to it to the socket, and what all costs.

An order's way: what leads to it is *heard* (put into its bot's queue), the step is *decided*, the journal has *kept*
it, it is *handed* to the account on its exchange, waits in the limiter (*limited*, which is not counted), and its
request is *sent*: the head is handed to the socket. The stopwatch stands around the product's own pieces; nothing of
them is replaced.
"""

import asyncio
import gc
import resource
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import aiohttp

from autogrid.engine.told import Told
from autogrid.engine.venue import Intent, OwnOrder, Venue
from autogrid.engine.wire_ids import wire_id
from autogrid.exchanges import connect_to
from autogrid.exchanges.ccxt_exchange import CcxtExchange
from autogrid.exchanges.limits import Kind, Limiter
from autogrid.storage.journal import SqlJournal
from autogrid.trading.event import CandleClosed, Filled, OrderEvent
from autogrid.trading.plan import Place
from autogrid.trading.state import BotState, Step
from autogrid.wiring import live


@dataclass(slots=True)
class Way:
    """One order on its way out; seconds of the steady clock."""

    heard: float
    decided: float
    kept: float = 0.0
    handed: float = 0.0
    limited: float = 0.0
    """How long it waited in the limiter."""
    sent: float = 0.0


WAYS: Final[dict[str, Way]] = {}
"""By client id: orders that were decided and have not been sent."""
SENT: Final[list[Way]] = []
HEARD: Final[dict[tuple[str, str], float]] = {}
LATE_MS: Final[deque[int]] = deque(maxlen=200_000)
"""Of every 16th public trade: from the exchange's stamp until the market's prices have it."""
STEPS: Final[Counter[str]] = Counter()
KEEPS: Final[list[float]] = []
"""How long each append to a journal took, in seconds."""
PAUSES: Final[list[float]] = []
"""How long the collector of garbage stopped everything, each time, in seconds."""
LAGS: Final[deque[float]] = deque(maxlen=200_000)
"""How much later than asked for the loop woke, in seconds."""
_NOW: Final[ContextVar[Way | None]] = ContextVar("way", default=None)


class TimedTold(Told):
    """Notes when a fill was heard."""

    def put(self, one: OrderEvent | CandleClosed | str) -> None:
        if isinstance(one, Filled):
            HEARD[one.order_id, one.fill_id] = time.perf_counter()
        super().put(one)


class TimedJournal(SqlJournal):
    """Notes when a step was decided, and when it was kept."""

    async def append(self, step: Step, before: BotState, cursor: Callable[[], str]) -> None:
        decided = time.perf_counter()
        STEPS[type(step.event).__name__] += 1
        heard = decided
        if isinstance(step.event, Filled):
            heard = HEARD.pop((step.event.order_id, step.event.fill_id), decided)
        ways = [Way(heard, decided) for command in step.commands if isinstance(command, Place)]
        ids = [wire_id(self._bot_id, one.order.id) for one in step.commands if isinstance(one, Place)]
        WAYS.update(zip(ids, ways, strict=True))
        await super().append(step, before, cursor)
        kept = time.perf_counter()
        KEEPS.append(kept - decided)
        for way in ways:
            way.kept = kept


class TimedLimiter(Limiter):
    """Notes how long an order waited."""

    async def turn(self, kind: Kind, weight: int = 1, *, key: str = "", within_s: float = 10.0) -> None:
        began = time.perf_counter()
        await super().turn(kind, weight, key=key, within_s=within_s)
        way = _NOW.get()
        if way is not None and kind == "create":
            way.limited += time.perf_counter() - began


def timed(open_venue: Callable[[str], Awaitable[Venue]]) -> Callable[[str], Awaitable[Venue]]:
    """Accounts that note when an order was handed to them."""

    async def opened(name: str) -> Venue:
        venue = await open_venue(name)
        assert isinstance(venue, CcxtExchange)
        place = venue.place

        async def place_timed(intent: Intent, window_ms: int) -> OwnOrder:
            way = WAYS.pop(intent.client_id, None)
            if way is None:
                return await place(intent, window_ms)
            way.handed = time.perf_counter()
            token = _NOW.set(way)
            try:
                return await place(intent, window_ms)
            finally:
                _NOW.reset(token)

        venue.place = place_timed  # type: ignore[method-assign]
        return venue

    return opened


async def _headers_sent(_session: aiohttp.ClientSession, _context: SimpleNamespace, asked: Any) -> None:
    way = _NOW.get()
    if way is not None and not way.sent and asked.method == "POST":
        way.sent = time.perf_counter()
        SENT.append(way)


def stand_around() -> None:
    """Put the stopwatch around the pieces of this process."""
    pieces: dict[str, object] = vars(live)
    pieces.update(Told=TimedTold, SqlJournal=TimedJournal)
    new_session = connect_to.new_session

    def new_session_timed(*given: Any) -> Any:
        session, context = new_session(*given)
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_headers_sent)
        trace.freeze()
        session.trace_configs.append(trace)
        return session, context

    vars(connect_to)["new_session"] = new_session_timed
    began: list[float] = []

    def collected(phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            began.append(time.perf_counter())
        elif began:
            PAUSES.append(time.perf_counter() - began.pop())

    gc.callbacks.append(collected)


async def feel_lag() -> None:
    """Note how late the loop wakes, for ever."""
    while True:
        due = time.perf_counter() + 0.02
        await asyncio.sleep(0.02)
        LAGS.append(time.perf_counter() - due)


def forget() -> None:
    """Begin to count anew."""
    for one in (SENT, KEEPS, PAUSES, LATE_MS, LAGS, STEPS, HEARD, WAYS):
        one.clear()


@dataclass(slots=True)
class Spent:
    """What this process has used."""

    at_s: float
    cpu_s: float
    rss_mib: float
    peak_mib: float

    @classmethod
    def now(cls) -> "Spent":
        """So far."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        lines = Path("/proc/self/status").read_text().splitlines()
        kib = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.startswith(("VmRSS", "VmHWM"))}
        return cls(time.monotonic(), usage.ru_utime + usage.ru_stime, kib["VmRSS"] / 1024, kib["VmHWM"] / 1024)

    def share_since(self, before: "Spent") -> float:
        """CPU seconds a second since then."""
        return (self.cpu_s - before.cpu_s) / (self.at_s - before.at_s)


def spread(figures: Iterable[float], unit: float = 1e3) -> str:
    """Median, the 99th of a hundred, and the greatest, in thousandths."""
    ordered = sorted(figures)
    if not ordered:
        return "none"
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99, 1.0)]
    return " / ".join(f"{one * unit:,.1f}" for one in at)
