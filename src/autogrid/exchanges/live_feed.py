"""Live public prices as a feed: a paper bot walks the trades of a real market, as a backtest walks a tape.

Each trade is a point of the path. The path runs from trade to trade; where nobody asks for every point, trades that
reach no bound are passed over, but the last one that is known is always given. A point's time is the exchange's.

With a timeframe, closed candles are told too: each after all trades that are known of its time, and what is ordered
then meets the next trade. Those of the past come before the first price, which waits for them a while, not for ever.
Of several that were missed all but the newest are told as late.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from autogrid.exchanges.live_candles import CandleFactory, LiveCandles, Wanted
from autogrid.exchanges.live_prices import (
    PATIENT,
    ClientFactory,
    LivePrices,
    Patience,
    Source,
    Traded,
    now_ms,
)
from autogrid.exchanges.public_client import public_client, streaming_client
from autogrid.trading.candle import Candle
from autogrid.trading.event import CandleClosed
from autogrid.trading.matching import Point
from autogrid.trading.money import Price, Quantity, figure, text

MOST_WAITING: Final = 10_000
"""Of more trades than this only those at which the price turned are kept."""
BEHIND: Final = "closed"
"""Ends a cursor that was taken after a candle was told, and before the next price."""


class UnableToResumePrices(ValueError):
    """A cursor that no live feed gave."""

    code = "cursor-off-feed"


@dataclass(frozen=True, slots=True)
class FeedState:
    """How the feed is doing, for a person to see."""

    source: Source | None
    """`stream` or `requests`; None before the first price."""
    silent_since_ms: int | None
    """UTC; None while the exchange is heard. A market without trades is not silent."""
    fault: str | None
    """What went wrong last, in a sentence; None once the exchange is heard again."""


class LivePriceFeed:
    """One market's public prices. The first `ready` starts it; `aclose`, or `async with`, ends it."""

    def __init__(
        self,
        exchange: str,
        symbol: str,
        client_factory: ClientFactory = streaming_client,
        *,
        patience: Patience = PATIENT,
        clock_ms: Callable[[], int] = now_ms,
        timeframe_ms: int | None = None,
        warm_up: int = 0,
        candle_client: CandleFactory = public_client,
    ) -> None:
        """`exchange` as ccxt calls it. `timeframe_ms`: tell candles of that length as they close; `warm_up`: how many
        of those that closed before are told first.
        """
        self._prices = LivePrices((exchange, symbol), self._tell, client_factory, patience, clock_ms)
        self._patience = patience
        self._clock_ms = clock_ms
        self._waiting: deque[Traded] = deque()
        self._most = MOST_WAITING
        self._news = asyncio.Event()
        self._following: list[asyncio.Task[None]] = []
        self._closed = False
        self._point: Point | None = None
        self._candles: LiveCandles | None = None
        self._timeframe_ms = timeframe_ms or 0
        if timeframe_ms is not None:
            wanted = Wanted(exchange, symbol, timeframe_ms, warm_up)
            self._candles = LiveCandles(
                wanted, self._keep, self._exchange_ms, candle_client, patience=patience, clock_ms=clock_ms
            )
        self._untold: deque[Candle] = deque()
        self._told_ms: int | None = None
        """Open time of the last candle that was told."""
        self._patient_until_ms = 0
        """Until then prices wait for candles that closed before them, by this machine's clock."""
        self._said: bool | None = None
        """What `hearing` was told last; None: nobody asks."""
        self._given = False
        """Whether a price was given since this was begun, or since the last silence."""

    @property
    def waits(self) -> bool:
        """Always: prices come when they come."""
        return True

    @property
    def state(self) -> FeedState:
        """How the feed is doing."""
        prices, candles = self._prices, self._candles
        fault = prices.fault or (candles.fault if candles is not None else None)
        return FeedState(prices.source, prices.silent_since_ms, fault)

    def hearing(self, before: bool) -> bool:
        """Whether the exchange is heard, where it was so `before`, or was not. It is again once a new price was given:
        what is ordered then meets that price, not one from before the silence.

        Once asked, `ready` returns when the answer has become another too.
        """
        self._said = before
        if self._prices.silent_since_ms is not None:
            self._given = False
        return self._prices.silent_since_ms is None and (before or self._given)

    async def ready(self) -> None:
        """Return when a new price or a candle can be told, the exchange fell silent or is back, or the feed was closed.

        Raises UnableToDownload where there is no such exchange, or none of such candles can be made from its own; a
        failed connection is not told here.
        """
        await self._until(self._has_news)

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Return when `condition` holds, or the feed was closed."""
        if not self._following and not self._closed:
            self._patient_until_ms = self._clock_ms() + int(self._patience.history_s * 1_000)
            self._follow()
        while not self._closed:
            for task in self._following:
                if task.done():
                    task.result()
            if condition():
                return
            self._news.clear()
            with suppress(TimeoutError):  # time alone is news: a silence begins, or patience ends
                await asyncio.wait_for(self._news.wait(), self._patience.poll_s)

    def _follow(self) -> None:
        runs = [self._prices.run()] if self._candles is None else [self._prices.run(), self._candles.run()]
        for run in runs:
            task = asyncio.create_task(run)
            task.add_done_callback(lambda _: self._news.set())
            self._following.append(task)

    def _has_news(self) -> bool:
        if self._said is not None and self.hearing(self._said) != self._said:
            return True
        return self._is_due() or (bool(self._waiting) and not self._awaits_candles())

    def _awaits_candles(self) -> bool:
        """Whether prices wait still for the candles that closed before them."""
        candles = self._candles
        return candles is not None and not candles.caught_up and self._clock_ms() < self._patient_until_ms

    def _is_due(self) -> bool:
        """Whether a candle can be told: no trade is known that is older than its end and was not given."""
        if not self._untold:
            return False
        return not self._waiting or self._waiting[0].at_ms >= self._untold[0].open_ms + self._timeframe_ms

    async def reach(
        self, floor: Price | None, roof: Price | None, until_ms: int | None, *, every: bool
    ) -> Point | None:
        """As `Feed.reach`: the first trade at or beyond a bound, or else the last one known."""
        await self._until(lambda: bool(self._waiting))
        volume: Quantity | None = None
        while self._waiting:
            traded = self._waiting.popleft()
            volume = _sum(volume, traded.quantity)
            price = traded.price
            if (
                every
                or not self._waiting
                or self._is_due()
                or (floor is not None and price <= floor)
                or (roof is not None and price >= roof)
                or (until_ms is not None and traded.at_ms >= until_ms)
            ):
                return self._stand(traded, volume)
        return None

    def here(self) -> Point | None:
        """The last point given; None before the first."""
        return self._point

    def closed(self) -> CandleClosed | None:
        """As `Feed.closed`."""
        if not self._is_due():
            return None
        candle = self._untold.popleft()
        self._told_ms = candle.open_ms
        if self._point is not None:
            self._point = self._point._replace(in_jump=True)
        return CandleClosed(candle.open_ms + self._timeframe_ms, candle, self._is_late(candle))

    def _is_late(self, candle: Candle) -> bool:
        """Whether a later candle than this one is closed already: one is known, or by the exchange's clock one must be.

        The clock too, since long pasts come in pages: the last candle of a page is not the newest.
        """
        assert self._candles is not None, "without candles none is told"
        return bool(self._untold) or self._candles.asked_ms >= candle.open_ms + 2 * self._timeframe_ms

    def ended(self) -> bool:
        """Whether the feed was closed and all it knew was given."""
        return self._closed and not self._waiting

    def cursor(self) -> str:
        """Time in ms and price of the last point; with candles also when the last one told opened, and whether it was
        told after that point. Empty before there is anything to tell.
        """
        point, told_ms = self._point, self._told_ms
        place = "" if point is None else f"{point.at_ms}:{text(point.price)}"
        if self._candles is None:
            return place
        if told_ms is None:
            told_ms = self._candles.known_ms
        if told_ms is None:
            return place
        place = f"{place or ':'}:{told_ms}"
        return f"{place}:{BEHIND}" if point is not None and point.in_jump else place

    def seek(self, cursor: str) -> None:
        """Stand where `cursor` was taken: what was told before is not told again. Raises UnableToResumePrices."""
        if not cursor:
            return
        at, price, told, behind = (*cursor.split(":"), "", "", "")[:4]
        try:
            last = Traded(int(at), figure(price), None) if at or price or not told else None
            told_ms = int(told) if told else None
        except ValueError:
            raise UnableToResumePrices(f"'{cursor}' is no place in a live feed") from None
        if last is not None:
            self._point = Point(last.at_ms, last.price, behind == BEHIND, None, 0)
            self._prices.resume_after(last)
        if told_ms is not None and self._candles is not None:
            self._told_ms = told_ms
            self._candles.resume_after(told_ms)

    async def aclose(self) -> None:
        """End the feed and give its connections back; what waits in `ready` goes on."""
        self._closed = True
        self._news.set()
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _tell(self, traded: Traded) -> None:
        self._waiting.append(traded)
        if len(self._waiting) > self._most:
            self._waiting = turns(self._waiting)
            self._most = max(MOST_WAITING, 2 * len(self._waiting))
        self._news.set()

    def _exchange_ms(self) -> int | None:
        return self._prices.exchange_ms

    def _keep(self, candle: Candle) -> None:
        self._untold.append(candle)
        self._news.set()

    def _stand(self, traded: Traded, volume: Quantity | None) -> Point:
        before, self._given = self._point, True
        at_ms = traded.at_ms if before is None else max(traded.at_ms, before.at_ms)
        if self._told_ms is not None:
            at_ms = max(at_ms, self._told_ms + self._timeframe_ms)
        candle = 0 if before is None else before.candle + 1
        self._point = point = Point(at_ms, traded.price, False, volume, candle)
        return point


def turns(path: deque[Traded]) -> deque[Traded]:
    """The ends of `path` and the trades at which its price turned; the last trade of a stretch bears its quantity."""
    kept: deque[Traded] = deque()
    for traded in path:
        if len(kept) > 1 and _is_on_the_way(kept[-2].price, kept[-1].price, traded.price):
            quantity = _sum(kept.pop().quantity, traded.quantity)
            kept.append(traded._replace(quantity=quantity))
        else:
            kept.append(traded)
    return kept


def _is_on_the_way(start: Price, middle: Price, end: Price) -> bool:
    return start <= middle <= end or start >= middle >= end


def _sum(one: Quantity | None, other: Quantity | None) -> Quantity | None:
    if one is None or other is None:
        return one if other is None else other
    return one + other
