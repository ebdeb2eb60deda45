"""What users ask of a running bot, handed into its stream of events one at a time between what the exchange tells."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

from autogrid.engine.ports import Exchange
from autogrid.trading.event import Event, KillAsked, PauseAsked, ResumeAsked, StopAsked, Tick
from autogrid.trading.plan import Bounds, Command


class Inbox:
    """Requests for one bot, each with a number by which the giver knows it again."""

    def __init__(self) -> None:
        self.last_tick: Tick | None = None
        """The last price the bot heard."""
        self._given: set[int] = set()
        self._waiting: deque[Callable[[int], Event]] = deque()
        self._news = asyncio.Event()

    def put(self, number: int, make: Callable[[int], Event]) -> None:
        """Hand in a request, once: `make` gives its event from the time at which it is taken (UTC ms)."""
        if number not in self._given:
            self._given.add(number)
            self._waiting.append(make)
            self._news.set()

    def take(self) -> Callable[[int], Event] | None:
        """The next request; None where there is none."""
        if not self._waiting:
            self._news.clear()
            return None
        return self._waiting.popleft()

    async def news(self) -> None:
        """Return once there is a request."""
        await self._news.wait()


class Attended:
    """An exchange whose events are joined by what users ask."""

    def __init__(self, exchange: Exchange, inbox: Inbox, now_ms: Callable[[], int]) -> None:
        """`now_ms`: the market's time, which a request bears."""
        self._exchange = exchange
        self._inbox = inbox
        self._now_ms = now_ms
        self._cursor: str | None = None
        """Where the exchange stood before the event that it is being asked for; None: it is not being asked."""
        self._held: deque[Callable[[int], Event]] = deque()
        """Asked before the first price of this run: at the last one's nothing may be traded."""
        self._priced = False

    def expect(self, quiet: Bounds | None) -> None:
        """As the exchange."""
        self._exchange.expect(quiet)

    def cursor(self) -> str:
        """Where the exchange stood when it told the last event: it may be on its way to the next already."""
        return self._exchange.cursor() if self._cursor is None else self._cursor

    async def execute(self, command: Command) -> None:
        """As the exchange."""
        await self._exchange.execute(command)

    def _asked(self) -> Event | None:
        """The next of what users asked that can be carried out now."""
        if self._priced and self._held:
            return self._held.popleft()(self._now_ms())
        while (request := self._inbox.take()) is not None:
            event = request(self._now_ms())
            if self._priced or not _needs_price(event):
                if any(isinstance(one(0), ResumeAsked) for one in self._held):
                    self._held.append(request)  # asked after a resume that waits: it must hold after that too
                return event
            self._held.append(request)
        return None

    async def events(self) -> AsyncGenerator[Event, None]:
        """What the exchange tells, and what users ask as soon as the bot has taken in what was told."""
        source = self._exchange.events()
        begun = False
        told: asyncio.Future[Event] | None = None
        news = asyncio.ensure_future(self._inbox.news())
        try:
            while True:
                while begun and (asked := self._asked()) is not None:
                    yield asked
                if news.done():
                    news = asyncio.ensure_future(self._inbox.news())
                if told is None:
                    self._cursor = self._exchange.cursor()
                    told = asyncio.ensure_future(anext(source))
                await asyncio.wait((told, news), return_when=asyncio.FIRST_COMPLETED)
                if told.done():
                    try:
                        event = told.result()
                    except StopAsyncIteration:
                        return
                    told = self._cursor = None
                    begun = True
                    if type(event) is Tick:
                        self._inbox.last_tick = event
                        self._priced = True
                    yield event
        finally:
            for task in (news, told):
                if task is not None:
                    task.cancel()
                    with suppress(asyncio.CancelledError, StopAsyncIteration):
                        await task
            await source.aclose()


def _needs_price(event: Event) -> bool:
    """Whether what was asked may trade: not a pause, a kill, or an end that keeps the coins."""
    return not isinstance(event, PauseAsked | KillAsked) and not (isinstance(event, StopAsked) and not event.sell)
