"""Live public prices as a feed: a paper bot walks the trades of a real market, as a backtest walks a tape.

Each trade is a point of the path. The path runs from trade to trade; where nobody asks for every point, trades that
reach no bound are passed over, but the last one that is known is always given. A point's time is the exchange's.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from autogrid.exchanges.live_prices import (
    PATIENT,
    ClientFactory,
    LivePrices,
    Patience,
    Source,
    Traded,
    now_ms,
)
from autogrid.exchanges.public_client import streaming_client
from autogrid.trading.event import CandleClosed
from autogrid.trading.matching import Point
from autogrid.trading.money import Price, Quantity, figure, text

MOST_WAITING: Final = 10_000
"""Of more trades than this only those at which the price turned are kept."""


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
    ) -> None:
        """`exchange` as ccxt calls it."""
        self._prices = LivePrices((exchange, symbol), self._tell, client_factory, patience, clock_ms)
        self._waiting: deque[Traded] = deque()
        self._most = MOST_WAITING
        self._news = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._closed = False
        self._point: Point | None = None

    @property
    def waits(self) -> bool:
        """Always: prices come when they come."""
        return True

    @property
    def state(self) -> FeedState:
        """How the feed is doing."""
        prices = self._prices
        return FeedState(prices.source, prices.silent_since_ms, prices.fault)

    async def ready(self) -> None:
        """Return when a new price is there, or the feed was closed.

        Raises UnableToDownload where there is no such exchange; a failed connection is not told here.
        """
        if self._following is None and not self._closed:
            self._following = asyncio.create_task(self._prices.run())
            self._following.add_done_callback(lambda _: self._news.set())
        while not self._waiting and not self._closed:
            self._news.clear()
            assert self._following is not None
            if self._following.done():
                self._following.result()
            await self._news.wait()

    async def reach(
        self, floor: Price | None, roof: Price | None, until_ms: int | None, *, every: bool
    ) -> Point | None:
        """As `Feed.reach`: the first trade at or beyond a bound, or else the last one known."""
        await self.ready()
        volume: Quantity | None = None
        while self._waiting:
            traded = self._waiting.popleft()
            volume = _sum(volume, traded.quantity)
            price = traded.price
            if (
                every
                or not self._waiting
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
        return None

    def ended(self) -> bool:
        """Whether the feed was closed and all it knew was given."""
        return self._closed and not self._waiting

    def cursor(self) -> str:
        """Time in ms and price of the last point; empty before the first."""
        return "" if self._point is None else f"{self._point.at_ms}:{text(self._point.price)}"

    def seek(self, cursor: str) -> None:
        """Stand where `cursor` was taken: what was traded before is not told again. Raises UnableToResumePrices."""
        if not cursor:
            return
        at, _, price = cursor.partition(":")
        try:
            last = Traded(int(at), figure(price), None)
        except ValueError:
            raise UnableToResumePrices(f"'{cursor}' is no place in a live feed") from None
        self._point = Point(last.at_ms, last.price, False, None, 0)
        self._prices.resume_after(last)

    async def aclose(self) -> None:
        """End the feed and give its connections back; what waits in `ready` goes on."""
        self._closed = True
        self._news.set()
        if self._following is not None and not self._following.done():
            self._following.cancel()
            await asyncio.wait({self._following})

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

    def _stand(self, traded: Traded, volume: Quantity | None) -> Point:
        before = self._point
        at_ms = traded.at_ms if before is None else max(traded.at_ms, before.at_ms)
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
