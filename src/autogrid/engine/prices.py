"""One market's prices for all bots on it: a subscription per exchange and symbol, however many listen.

A price is handed on where it matters: to whom it leaves the bounds that they gave, and to all once a second, as marks
for their breakers. So thousands of trades a second cost a comparison each, not a step of every bot.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from autogrid.trading.money import Price
from autogrid.trading.plan import Bounds

MARK_MS = 1_000
AGAIN_S = 2.0
"""Before a source of prices that ended is begun again."""


class Listener(Protocol):
    """Who hears prices."""

    bounds: Bounds | None
    """Prices inside need not be told; None: every one is wanted."""

    def hear_price(self, at_ms: int, price: Price) -> None:
        """The market trades at `price`."""
        ...

    def hear_silence(self, silent: bool) -> None:
        """Prices fell silent, or are heard again."""
        ...


class MarketPrices:
    """The prices of one symbol on one exchange."""

    def __init__(self, now_ms: Callable[[], int], silent_s: float) -> None:
        """`now_ms`: this machine's clock, UTC."""
        self._now_ms = now_ms
        self._silent_ms = int(silent_s * 1_000)
        self._listeners: list[Listener] = []
        self._floor: Price | None = None
        self._roof: Price | None = None
        self._until_ms: int | None = None
        self._all = False
        """Whether somebody wants every price."""
        self._stale = True
        """Whether the bounds above must be drawn anew."""
        self._marked_s = 0
        self.price: Price | None = None
        self.at_ms = 0
        """Of the last price, by the exchange's clock."""
        self._heard_ms: int | None = None
        self.silent = True
        self.told = 0
        """How many prices came."""
        self.trouble = ""
        """What went wrong with the source, while no price has come since."""

    def follow(self, listener: Listener) -> None:
        """Tell `listener` from now on."""
        self._listeners.append(listener)
        self._stale = True

    def leave(self, listener: Listener) -> None:
        """Tell it no more."""
        self._listeners = [one for one in self._listeners if one is not listener]
        self._stale = True

    def bounds_changed(self) -> None:
        """A listener's bounds are others now."""
        self._stale = True

    @property
    def listened(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def hear(self, at_ms: int, price: Price) -> None:
        """The source tells a trade, or that the price stands."""
        self._heard_ms = self._now_ms()
        self.told += 1
        self.trouble = ""
        self.price = price
        self.at_ms = at_ms = max(at_ms, self.at_ms)
        second = at_ms // MARK_MS
        if second != self._marked_s or self.silent:
            self._marked_s = second
            for listener in self._listeners:
                listener.hear_price(at_ms, price)
            if self.silent:
                self._say(silent=False)  # after the price: what is ordered then meets it
            return
        if self._stale:
            self._draw()
        if (
            self._all
            or (self._floor is not None and price <= self._floor)
            or (self._roof is not None and price >= self._roof)
            or (self._until_ms is not None and at_ms >= self._until_ms)
        ):
            for listener in self._listeners:
                if _is_wanted(listener.bounds, at_ms, price):
                    listener.hear_price(at_ms, price)

    def _draw(self) -> None:
        """The narrowest of all bounds."""
        bounds = [listener.bounds for listener in self._listeners]
        self._all = any(one is None or one.every for one in bounds)
        known = [one for one in bounds if one is not None]
        self._floor = max((one.floor for one in known if one.floor is not None), default=None)
        self._roof = min((one.roof for one in known if one.roof is not None), default=None)
        self._until_ms = min((one.until_ms for one in known if one.until_ms is not None), default=None)
        self._stale = False

    def look(self) -> None:
        """Once a second: whether the source is silent."""
        heard_ms = self._heard_ms
        silent = heard_ms is None or self._now_ms() - heard_ms > self._silent_ms
        if silent and not self.silent:
            self._say(silent=True)

    def _say(self, *, silent: bool) -> None:
        self.silent = silent
        for listener in list(self._listeners):
            listener.hear_silence(silent)


def _is_wanted(bounds: Bounds | None, at_ms: int, price: Price) -> bool:
    return (
        bounds is None
        or bounds.every
        or (bounds.floor is not None and price <= bounds.floor)
        or (bounds.roof is not None and price >= bounds.roof)
        or (bounds.until_ms is not None and at_ms >= bounds.until_ms)
    )


class Board:
    """The prices of all markets that bots of this process are on; each is followed while somebody listens."""

    def __init__(
        self,
        source: Callable[[str, str, Callable[[int, Price], None]], Awaitable[None]],
        now_ms: Callable[[], int],
        silent_s: float,
    ) -> None:
        """`source` follows an exchange's symbol until cancelled and tells its prices."""
        self._source = source
        self._now_ms = now_ms
        self._silent_s = silent_s
        self._markets: dict[tuple[str, str], MarketPrices] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}

    def of(self, exchange: str, symbol: str) -> MarketPrices:
        """The prices of a market, followed from now on."""
        key = exchange, symbol
        if key not in self._markets:
            prices = self._markets[key] = MarketPrices(self._now_ms, self._silent_s)
            self._tasks[key] = asyncio.create_task(self._follow(key, prices), name=f"prices {exchange} {symbol}")
        return self._markets[key]

    async def _follow(self, key: tuple[str, str], prices: MarketPrices) -> None:
        """Follow a market; a source that ends, however it does, is begun again: without it a market falls silent."""
        looking = asyncio.create_task(_looked_after(prices))
        source: asyncio.Task[None] | None = None
        try:
            while True:
                source = asyncio.create_task(_consume(self._source(*key, prices.hear)))
                await asyncio.wait({source})
                fault = None if source.cancelled() else source.exception()
                prices.trouble = f"the source of prices ended ({fault}); it is begun again"
                await asyncio.sleep(AGAIN_S)
        finally:
            for task in (looking, source):
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)

    def release(self, exchange: str, symbol: str) -> None:
        """Follow the market no more, where nobody listens."""
        key = exchange, symbol
        prices = self._markets.get(key)
        if prices is not None and not prices.listened:
            del self._markets[key]
            self._tasks.pop(key).cancel()

    @property
    def all(self) -> Iterable[MarketPrices]:
        """The prices of each market that is followed."""
        return self._markets.values()

    async def aclose(self) -> None:
        """Follow none any more."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        self._markets.clear()


async def _consume(work: Awaitable[None]) -> None:
    await work


async def _looked_after(prices: MarketPrices) -> None:
    while True:
        await asyncio.sleep(1)
        prices.look()
