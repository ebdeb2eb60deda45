"""A real exchange for one bot: its orders at the `Desk`, the market's prices, and closed candles, as one stream of
events.

Until all that was open before is settled, and while prices are silent, the bot is told so and places no orders.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Protocol

from autogrid.engine.account import Account
from autogrid.engine.desk import Desk
from autogrid.engine.prices import MarketPrices
from autogrid.engine.told import Told
from autogrid.trading.event import CandleClosed, Event, Started
from autogrid.trading.money import Price
from autogrid.trading.plan import Bounds, Cancel, Command, Place


class Candles(Protocol):
    """Closed candles of the strategy's timeframe, live."""

    async def run(self) -> None:
        """Follow until cancelled."""
        ...

    def take(self) -> CandleClosed | None:
        """The next one that can be told; None where there is none."""
        ...

    @property
    def caught_up(self) -> bool:
        """Whether all that had closed at the beginning can be taken."""
        ...

    def cursor(self) -> str:
        """How far they were taken."""
        ...

    async def news(self) -> None:
        """Return once there is one to take, or the past is complete."""
        ...


class LiveExchange:
    """The port `Exchange`, on one account and one market."""

    def __init__(
        self,
        desk: Desk,
        account: Account,
        prices: MarketPrices,
        told: Told,
        started: Started,
        candles: Candles | None = None,
    ) -> None:
        self.bounds: Bounds | None = None
        self.card = ""
        """What was found at the start, and what was done; empty until it is known."""
        self._untold = ""
        """The card, until the bot was told."""
        self.desk = desk
        self._account = account
        self._prices = prices
        self._told = told
        self._started = started
        self._candles = candles
        self._settled = False
        self._heard = False
        """Whether a price came since the start, or since the last silence."""
        self._said_silent = True

    def expect(self, quiet: Bounds | None) -> None:
        """As `Exchange.expect`."""
        self.bounds = quiet
        self._prices.bounds_changed()

    def cursor(self) -> str:
        """The account's trades up to which all were told, and the candles behind a bar."""
        told = self.desk.cursor_told
        return told if self._candles is None else f"{told}|{self._candles.cursor()}"

    async def execute(self, command: Command) -> None:
        """As `Exchange.execute`: an order waits for its turn; what comes of it is told."""
        if isinstance(command, Place):
            self.desk.place(command.order, exits=command.exits)
        elif isinstance(command, Cancel):
            self.desk.cancel(command.order_id)

    async def events(self) -> AsyncGenerator[Event, None]:
        """As `Exchange.events`; ends when `close` was called and nothing is on its way."""
        yield self._started
        self._told.silence(starting=True)
        self._account.join(self.desk)
        self._prices.follow(self)
        tasks = [asyncio.create_task(self._settle())]
        if self._candles is not None:
            tasks.append(asyncio.create_task(self._hear_candles(self._candles)))
        for task in tasks:
            task.add_done_callback(self._ended)
        try:
            async for event in self._told.events():
                if isinstance(event, str):
                    self.desk.cursor_told = event
                else:
                    yield event
        finally:
            self._prices.leave(self)
            self._account.leave(self.desk)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.desk.stop()

    async def close(self) -> None:
        """Send no order more; `events` ends when what is on its way was answered, or waited for long enough."""
        await self.desk.close()
        self._told.end()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._told.fail(fault)

    async def _settle(self) -> None:
        await self.desk.settle()
        found = [f"{count} {what}" for what, count in self.desk.found.items()]
        if self.desk.foreign:
            found.append(f"{self.desk.foreign} open orders that are not ours, left alone")
        self.card = self._untold = ", ".join(found) or "all as it was left"
        self._settled = True
        self._speak_again()

    def hear_price(self, at_ms: int, price: Price) -> None:
        """As `Listener`."""
        if self._candles is None or self._candles.caught_up:
            self._heard = True
            self._told.price(at_ms, price)
            self._speak_again()

    def hear_silence(self, silent: bool) -> None:
        """As `Listener`."""
        if not silent:
            self._speak_again()
            return
        self._heard = False
        if not self._said_silent:
            self._said_silent = True
            self._told.silence()

    def _speak_again(self) -> None:
        """Prices are heard, and what was open is settled: orders may be decided."""
        if self._said_silent and self._settled and self._heard and not self._prices.silent:
            self._said_silent = False
            found, self._untold = self._untold, ""
            self._told.back(found)

    async def _hear_candles(self, candles: Candles) -> None:
        run = asyncio.create_task(candles.run())
        run.add_done_callback(self._ended)
        try:
            while True:
                while (closed := candles.take()) is not None:
                    self._told.put(closed)
                if candles.caught_up and not self._heard and self._prices.price is not None:
                    self.hear_price(self._prices.at_ms, self._prices.price)
                await candles.news()
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
