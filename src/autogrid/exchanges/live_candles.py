"""The candles of a market as they close, asked of its exchange: what a strategy with a timeframe hears on live prices.

Rules: a candle is told as the exchange publishes it, once, in order, and only when its time is over by the exchange's
clock and a moment more has gone by. Each is asked for shortly after its end, and again, ever more patiently, until it
is there: exchanges publish late, and some publish none where nobody traded. First come those of the past that a
strategy must hear to begin; after an interruption those that closed meanwhile. A timeframe that the exchange does not
offer is built from the coarsest one that divides it, so that the past takes few requests, and reaches far where an
exchange keeps only so many candles. Nothing that goes wrong here reaches a bot: it is noted, and tried again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from math import isfinite
from typing import Any, Final, NamedTuple, Protocol

from autogrid.exchanges.candle_download import SURE_PAGE, CandleClient, UnableToDownload
from autogrid.exchanges.live_prices import ANTICIPATED, DAY_MS, PATIENT, Patience, now_ms, short, to_its_end
from autogrid.exchanges.public_client import public_client
from autogrid.trading.candle import TIMEFRAMES, Bucket, Candle, bucket_of, joined

BESIDE: Final = 2
"""So many candles more than a strategy needs are told at the beginning."""
LOOKS_BACK: Final = 4
"""So often the past is asked for, each time twice as far back, where candles are left out for want of trades."""


class ClosedCandleClient(CandleClient, Protocol):
    """The part of a ccxt client that is used here; `has` says whether it tells its clock."""

    has: Any


CandleFactory = Callable[[str], ClosedCandleClient]


class Wanted(NamedTuple):
    """Which candles, and how many of the past."""

    exchange: str
    """As ccxt calls it."""
    symbol: str
    timeframe_ms: int
    warm_up: int
    """How many must be told at the beginning, as far as the exchange has them; 0: only those that close from now on."""


class _Source(NamedTuple):
    name: str
    """As ccxt calls the timeframe."""
    ms: int


class LiveCandles:
    """Follows one market's candles of one timeframe; each goes to `tell`."""

    def __init__(
        self,
        wanted: Wanted,
        tell: Callable[[Candle], None],
        exchange_ms: Callable[[], int | None],
        client_factory: CandleFactory = public_client,
        *,
        patience: Patience = PATIENT,
        clock_ms: Callable[[], int] = now_ms,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`exchange_ms`: the exchange's clock by its trades, for one that does not tell its clock; None: not known."""
        self._wanted = wanted
        self._tell = tell
        self._exchange_ms = exchange_ms
        self._factory = client_factory
        self._patience = patience
        self._clock_ms = clock_ms
        self._sleep = sleep
        self._source: _Source
        self._bucket: Bucket | None = None
        """The coarser candle in the making, where it is built from finer ones."""
        self._next_ms: int | None = None
        """Open time of the next candle of the source; None while the past was not told."""
        self._missed, self._missed_ms = 0, 0
        """How often the candle that was due at that time was not there."""
        self._faults = 0
        self.known_ms: int | None = None
        """All candles that open up to then were told before, or are not wanted; None while the past was not told."""
        self.asked_ms = 0
        """The exchange's clock when candles were asked for last."""
        self.caught_up = False
        """Whether all candles that had closed when this was begun are told."""
        self.fault: str | None = None
        """What went wrong last; None once the exchange has answered again."""

    def resume_after(self, open_ms: int) -> None:
        """The candle that opened then was the last that was told: no past is needed, but all that closed since."""
        timeframe_ms = self._wanted.timeframe_ms
        self.known_ms, self._next_ms = open_ms, open_ms + timeframe_ms
        self._bucket = Bucket(Candle(bucket_of(open_ms, timeframe_ms), 0.0, 0.0, 0.0, 0.0, 0.0), False)

    async def run(self) -> None:
        """Follow until cancelled. Raises UnableToDownload (`unknown_exchange`, `unknown_timeframe`), and own faults."""
        while True:
            client = self._factory(self._wanted.exchange)
            try:
                await client.load_markets()
                self._source = source_of(self._wanted, client.timeframes or {})
            except ANTICIPATED as error:
                self._note(error)
            else:
                await self._follow(client)
            finally:
                await to_its_end(self._give_back(client))
            await self._rest(self._retry_s())

    async def _follow(self, client: ClosedCandleClient) -> None:
        """With this client, until it fails again and again."""
        while True:
            try:
                now = await self._now(client)
                asked_ms = self._clock_ms()
                if now is not None:
                    await self._take_in(client, now)
            except ANTICIPATED as error:
                self._note(error)
                if self._faults >= self._patience.most_faults:
                    return
                await self._rest(self._retry_s())
                continue
            self.fault, self._faults = None, 0
            if now is None:
                await self._rest(self._patience.poll_s)
            else:
                self.caught_up = True
                await self._rest(self._wait_s(now + max(0, self._clock_ms() - asked_ms)))

    async def _now(self, client: ClosedCandleClient) -> int | None:
        """The exchange's clock, which says what is closed; None where it tells none and nobody traded yet."""
        if not client.has.get("fetchTime"):
            return self._exchange_ms()
        now = int(await client.fetch_time())
        if now > self._clock_ms() + DAY_MS:
            raise ValueError(f"{self._wanted.exchange} says that it is {now} ms, which is not yet")
        return now

    async def _take_in(self, client: ClosedCandleClient, now: int) -> None:
        """Tell all that is closed and was not told."""
        self.asked_ms = now
        if self._next_ms is None:
            await self._look_back(client, now)
            return
        async for fine in self._closed(client, self._next_ms, now):
            self._next_ms = fine.open_ms + self._source.ms
            self._bucket, coarse = self._built(self._bucket, (fine,))
            for candle in coarse:
                self._tell(candle)

    async def _look_back(self, client: ClosedCandleClient, now: int) -> None:
        """Tell the last closed candles, as many as are wanted and there."""
        timeframe_ms, warm_up = self._wanted.timeframe_ms, self._wanted.warm_up
        count = warm_up + BESIDE if warm_up else 0
        present, span, seen = bucket_of(now, timeframe_ms), count + 1, 0
        for _ in range(LOOKS_BACK):
            fine = [candle async for candle in self._closed(client, present - span * timeframe_ms, now)]
            bucket, coarse = self._built(None, fine)
            if len(coarse) >= count or len(fine) <= seen:
                break
            span, seen = 2 * span, len(fine)
        told = coarse[-count:] if count else []
        if told:
            self.known_ms = told[0].open_ms - timeframe_ms
        else:
            self.known_ms = coarse[-1].open_ms if coarse else present - timeframe_ms
        self._bucket = bucket
        self._next_ms = fine[-1].open_ms + self._source.ms if fine else bucket_of(now, self._source.ms)
        for candle in told:
            self._tell(candle)

    def _built(self, bucket: Bucket | None, fine: Iterable[Candle]) -> tuple[Bucket | None, list[Candle]]:
        """The coarser candles that `fine` ones close, and the one in the making."""
        timeframe_ms, found = self._wanted.timeframe_ms, list[Candle]()
        for candle in fine:
            if self._source.ms == timeframe_ms:
                found.append(candle)
            else:
                bucket, closed = joined(bucket, candle, timeframe_ms, self._source.ms)
                found += closed
        return bucket, found

    async def _closed(self, client: ClosedCandleClient, since_ms: int, now: int) -> AsyncIterator[Candle]:
        """The source's candles that open from then on and are closed, by time, none twice.

        They are asked for in pages so small that every exchange gives them whole.
        """
        name, length = self._source
        over = now - length - int(self._patience.settle_s * 1_000)
        while since_ms <= over:
            answer = await client.fetch_ohlcv(self._wanted.symbol, name, since_ms, SURE_PAGE)
            rows = {row.open_ms: row for row in map(self._read, answer or ()) if row.open_ms >= since_ms}
            for open_ms in sorted(rows):
                if open_ms <= over:
                    yield rows[open_ms]
            since_ms = max(rows) + length if rows else since_ms + SURE_PAGE * length

    def _read(self, row: Any) -> Candle:
        opens, open_, high, low, close, volume = row[:6]
        prices = (float(open_), float(high), float(low), float(close))
        candle = Candle(int(opens), *prices, 0.0 if volume is None else float(volume))
        if not all(isfinite(price) and price > 0 for price in prices) or not isfinite(candle.volume):
            raise ValueError(f"{self._wanted.exchange} tells of a candle that is none: {str(row)[:120]}")
        return candle

    def _wait_s(self, now: int) -> float:
        """Until the next candle should be there; where one should be already, a while that grows with each miss."""
        assert self._next_ms is not None, "the past was told"
        length, late_s = self._source.ms, self._patience.late_s
        due = self._next_ms + length + int(self._patience.settle_s * 1_000)
        if now < due:
            return (due - now) / 1_000
        due = now - (now - due) % length
        self._missed = self._missed + 1 if due == self._missed_ms else 0
        self._missed_ms = due
        return min(late_s[min(self._missed, len(late_s) - 1)], (due + length - now) / 1_000)

    async def _rest(self, wait_s: float) -> None:
        """Wait in parts, until either clock says that it is over: one may be set, and a machine may be put to sleep."""
        until_ms = self._clock_ms() + wait_s * 1_000
        while wait_s > 0 and self._clock_ms() < until_ms:
            part_s = min(wait_s, self._patience.wake_s)
            await self._sleep(part_s)
            wait_s -= part_s

    def _retry_s(self) -> float:
        waits = self._patience.retry_s
        return waits[min(self._faults, len(waits) - 1)]

    def _note(self, error: Exception) -> None:
        self.fault = short(error)
        self._faults += 1

    async def _give_back(self, client: ClosedCandleClient) -> None:
        try:
            await client.close()
        except ANTICIPATED as error:
            self.fault = self.fault or short(error)


def source_of(wanted: Wanted, offered: Collection[str]) -> _Source:
    """What to ask for: the timeframe itself, or else the coarsest that divides it.

    Raises UnableToDownload (`unknown_timeframe`).
    """
    names = [name for name in offered if name in TIMEFRAMES]
    fitting = [_Source(name, TIMEFRAMES[name]) for name in names if wanted.timeframe_ms % TIMEFRAMES[name] == 0]
    if not fitting:
        wished = next((name for name, ms in TIMEFRAMES.items() if ms == wanted.timeframe_ms), None)
        raise UnableToDownload(
            "unknown_timeframe",
            f"{wanted.exchange} has no candles of {wished or f'{wanted.timeframe_ms} ms'}, nor any they could be built "
            f"from; it has {', '.join(offered) or 'none at all'}.",
        )
    return max(fitting, key=lambda source: source.ms)
