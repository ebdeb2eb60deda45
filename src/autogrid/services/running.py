"""The engine as a person starts it: it brings what runs to what is wanted, until it is stopped.

Each bot is one task on one loop. A fault in one ends that one, says why, and leaves the others alone. When the engine
stops, what is wanted stays wanted and orders keep resting: the next engine goes on from the journal.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple

from autogrid.engine.inbox import Inbox
from autogrid.services.asked_events import event_of
from autogrid.services.bots import now_ms
from autogrid.storage.bots import Actual, BotRow, list_bots, set_actual, set_price, set_wanted
from autogrid.storage.database import Database
from autogrid.storage.requests import Request, mark_taken, take_requests
from autogrid.trading.state import BotState

LOOK_S: Final = 0.2
"""So often the engine looks at what is wanted."""

SIGNAL_MS: Final = 60_000
"""An older signal that no engine has heard is passed over."""

PRICES_S: Final = 1.0
"""So often the prices that bots hear are written down."""

RunBot = Callable[[BotRow, Inbox], Awaitable[BotState]]
"""Runs one bot until it has ended or its prices have; given by the wiring."""


class _Running(NamedTuple):
    name: str
    task: "asyncio.Task[BotState]"
    inbox: Inbox

    async def keep_price(self, database: Database, bot_id: str) -> None:
        """Write down the last price that the bot heard, for `show`."""
        tick = self.inbox.last_tick
        if tick is not None:
            async with database.writing() as connection:
                await set_price(connection, bot_id, tick.price, tick.at_ms)


class Engine:
    """Runs the bots of one database."""

    def __init__(self, database: Database, run_bot: RunBot, tell: Callable[[str], None]) -> None:
        """`tell` hears a sentence whenever a bot starts, ends or fails."""
        self._database = database
        self._run_bot = run_bot
        self._tell = tell
        self._running: dict[str, _Running] = {}
        self._kept_at = 0.0
        self._given: set[int] = set()
        """Requests that were handed to their bots."""
        self.failed = False
        """Whether a bot was stopped by a fault."""

    async def run(self, stop: asyncio.Event, *, until_idle: bool = False) -> None:
        """Run until `stop` is set; with `until_idle`, until nothing is left to run."""
        try:
            while not stop.is_set():
                await self._look()
                await self._keep_prices()
                if until_idle and not self._running:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_S)
        finally:
            for running in self._running.values():
                running.task.cancel()
            await asyncio.gather(*(one.task for one in self._running.values()), return_exceptions=True)
            for bot_id, running in self._running.items():
                await running.keep_price(self._database, bot_id)
                await self._actual(bot_id, "stopped", "the engine was stopped; it goes on when one runs again")

    async def _look(self) -> None:
        """Bring what runs to what is wanted."""
        for bot_id, running in list(self._running.items()):
            if running.task.done():
                del self._running[bot_id]
                await running.keep_price(self._database, bot_id)
                await self._ended(bot_id, running)
        async with self._database.reading() as connection:
            bots = await list_bots(connection)
            asked = {bot.id: await take_requests(connection, bot.id) for bot in bots if bot.wanted != "stopped"}
        for bot in bots:
            if bot.id not in self._running and bot.wanted != "stopped" and bot.actual not in ("ended", "error"):
                await self._start(bot)
            running_now = self._running.get(bot.id)
            for request in asked.get(bot.id, ()):
                if running_now is not None and not await self._is_too_old(request):
                    running_now.inbox.put(request.id, event_of(request))
            if running_now is not None and bot.actual != _shown(bot):
                await self._actual(bot.id, _shown(bot), "")

    async def _is_too_old(self, request: Request) -> bool:
        """Whether a signal came so long ago, while no engine ran, that nobody means it any more; it is passed over."""
        if request.kind != "signal" or now_ms() < request.made_ms + SIGNAL_MS or request.id in self._given:
            self._given.add(request.id)
            return False
        async with self._database.writing() as connection:
            await mark_taken(connection, request.id, 0)
        self._tell(f"a signal from {(now_ms() - request.made_ms) // 1000} s ago was passed over: it is too old")
        return True

    async def _keep_prices(self) -> None:
        """Once a second, for those who look from outside."""
        if time.monotonic() < self._kept_at + PRICES_S:
            return
        self._kept_at = time.monotonic()
        for bot_id, running in self._running.items():
            await running.keep_price(self._database, bot_id)

    async def _start(self, bot: BotRow) -> None:
        inbox = Inbox()
        task = asyncio.create_task(_run(self._run_bot, bot, inbox), name=bot.id)
        self._running[bot.id] = _Running(bot.name, task, inbox)
        await self._actual(bot.id, _shown(bot), "")
        self._tell(f"{bot.name} runs on {bot.tape or bot.exchange}, {bot.symbol}")

    async def _ended(self, bot_id: str, running: _Running) -> None:
        """Write down how a bot's task came to its end."""
        task = running.task
        fault = task.exception()
        if fault is not None:
            kind = "" if hasattr(fault, "code") else f"{type(fault).__name__}: "
            await self._actual(bot_id, "error", f"{kind}{fault}")
            self._tell(f"{running.name} stopped by a fault: {kind}{fault}")
            self.failed = True
            return
        why = task.result().ended_why or "its prices have come to an end"
        async with self._database.writing() as connection:
            await set_wanted(connection, bot_id, "stopped", now_ms())
        await self._actual(bot_id, "ended", why)
        self._tell(f"{running.name} ended: {why}")

    async def _actual(self, bot_id: str, actual: Actual, reason: str) -> None:
        async with self._database.writing() as connection:
            await set_actual(connection, bot_id, actual, reason, now_ms())


async def _run(run_bot: RunBot, bot: BotRow, inbox: Inbox) -> BotState:
    return await run_bot(bot, inbox)


def _shown(bot: BotRow) -> Actual:
    return "paused" if bot.wanted == "paused" else "running"
