"""Closed candles for a live bot: taken one at a time, the last of several that were missed being the only fresh one."""

import asyncio
from collections import deque
from collections.abc import Callable

from autogrid.exchanges.live_candles import CandleFactory, LiveCandles, Wanted
from autogrid.exchanges.live_prices import PATIENT, Patience, now_ms
from autogrid.exchanges.public_client import public_client
from autogrid.trading.candle import Candle
from autogrid.trading.event import CandleClosed


class ClosedCandles:
    """One market's candles of one timeframe, as the live engine takes them."""

    def __init__(
        self,
        wanted: Wanted,
        exchange_ms: Callable[[], int | None],
        cursor: str = "",
        *,
        candle_client: CandleFactory = public_client,
        patience: Patience = PATIENT,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        """`exchange_ms`: the exchange's clock by its prices. `cursor`: where they were left; empty: at the start."""
        self._length_ms = wanted.timeframe_ms
        self._waiting: deque[Candle] = deque()
        self._news = asyncio.Event()
        self._told_ms: int | None = int(cursor) if cursor else None
        self._candles = LiveCandles(
            wanted, self._keep, exchange_ms, candle_client, patience=patience, clock_ms=clock_ms
        )
        if self._told_ms is not None:
            self._candles.resume_after(self._told_ms)
        self._patience = patience

    async def run(self) -> None:
        """Follow until cancelled. Raises UnableToDownload, and own faults."""
        await self._candles.run()

    def take(self) -> CandleClosed | None:
        """The next one; None where there is none."""
        if not self._waiting:
            return None
        candle = self._waiting.popleft()
        self._told_ms = candle.open_ms
        late = bool(self._waiting) or self._candles.asked_ms >= candle.open_ms + 2 * self._length_ms
        return CandleClosed(candle.open_ms + self._length_ms, candle, late)

    @property
    def caught_up(self) -> bool:
        """Whether all that had closed at the beginning were told, and taken."""
        return self._candles.caught_up and not self._waiting

    def cursor(self) -> str:
        """When the last one that was taken opened."""
        told_ms = self._told_ms if self._told_ms is not None else self._candles.known_ms
        return "" if told_ms is None else str(told_ms)

    async def news(self) -> None:
        """Return once there is one to take, or the past may have become complete."""
        self._news.clear()
        if self._waiting:
            return
        try:
            await asyncio.wait_for(self._news.wait(), self._patience.poll_s)
        except TimeoutError:
            return

    def _keep(self, candle: Candle) -> None:
        self._waiting.append(candle)
        self._news.set()
