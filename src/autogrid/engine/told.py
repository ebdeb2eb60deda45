"""What waits to be told to one bot, in order; its times never run back.

Prices may be many: of those that wait only the turns of the price stay.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from autogrid.trading.event import CandleClosed, Event, FeedBack, FeedSilent, OrderEvent, Tick
from autogrid.trading.money import Price


class Told:
    """A queue of events, and of cursors (text) between them."""

    def __init__(self, at_ms: int) -> None:
        """`at_ms`: of the last event that the bot knows."""
        self._at_ms = at_ms
        self._waiting: deque[Event | str] = deque()
        self._news = asyncio.Event()
        self._ended = False
        self._fault: BaseException | None = None

    def put(self, one: OrderEvent | CandleClosed | str) -> None:
        """An event to be told, or how far all was told."""
        self._waiting.append(one)
        self._news.set()

    def price(self, at_ms: int, price: Price) -> None:
        """A price; of several on one way, that no event lies between, the last stays."""
        waiting = self._waiting
        if (
            len(waiting) > 1
            and isinstance(last := waiting[-1], Tick)
            and isinstance(before := waiting[-2], Tick)
            and (before.price <= last.price <= price or before.price >= last.price >= price)
        ):
            waiting.pop()
        waiting.append(Tick(at_ms, price))
        self._news.set()

    def silence(self, *, starting: bool = False) -> None:
        """Prices fell silent, or (`starting`) were not heard yet."""
        self._waiting.append(FeedSilent(0, starting))
        self._news.set()

    def back(self, found: str = "") -> None:
        """Prices are heard. `found`: after a start, what was found at it."""
        self._waiting.append(FeedBack(0, found))
        self._news.set()

    def fail(self, fault: BaseException) -> None:
        """Nothing more can be told; whoever listens is given the fault."""
        self._fault = self._fault or fault
        self._news.set()

    def end(self) -> None:
        """Tell what waits, and end."""
        self._ended = True
        self._news.set()

    async def events(self) -> AsyncIterator[Event | str]:
        """What waits, and what comes. Raises the fault of `fail`."""
        while True:
            while self._waiting:
                one = self._waiting.popleft()
                yield one if isinstance(one, str) else self._timed(one)
            if self._fault is not None:
                raise self._fault
            if self._ended:
                return
            self._news.clear()
            await self._news.wait()

    def _timed(self, event: Event) -> Event:
        """The event, no earlier than the one before it. A candle keeps its own time, which says when it closed."""
        if isinstance(event, CandleClosed):
            return event
        if event.at_ms < self._at_ms:
            return event._replace(at_ms=self._at_ms)
        self._at_ms = event.at_ms
        return event
