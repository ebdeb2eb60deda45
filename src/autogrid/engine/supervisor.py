"""Keeps bots running, each as a task of its own.

Rules: a fault costs the bot that it happens to and no other. What may heal by itself (an exchange that is away, a lost
lease, a database that was restarted) is tried again, each time after twice as long; anything else waits for a person.
A stop is orderly: nothing new is sent, what is on its way is waited for, and what is wanted stays wanted.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, Protocol

from autogrid.engine.inbox import Inbox
from autogrid.trading.state import BotState

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0
CALM_S: Final = 300.0
"""A bot that ran for so long has shown that it can: its next fault is its first again."""


class Run(Protocol):
    """A bot that can be run once, from where its journal left it."""

    inbox: Inbox

    async def run(self) -> BotState:
        """Run until it has ended, or its prices have, or `close`."""
        ...

    async def close(self) -> None:
        """Send nothing new; `run` returns when what is on its way was answered, or waited for long enough."""
        ...

    def words(self) -> tuple[bool, str]:
        """Whether it is still starting, and what a person should know of it now."""
        ...


class Ended(NamedTuple):
    """How a run ended."""

    bot_id: str
    run: Run
    state: BotState | None
    fault: BaseException | None
    again_s: float | None
    """After so long it may be started again; None: a person must."""

    @property
    def needs_person(self) -> bool:
        """Whether a fault ended it that does not pass by itself."""
        return self.fault is not None and self.again_s is None


class _Task(NamedTuple):
    run: Run
    task: "asyncio.Task[BotState]"
    began: float


class Supervisor:
    """The bots that run in this process."""

    def __init__(self, heals: tuple[type[BaseException], ...], clock: Callable[[], float]) -> None:
        """`heals`: faults that may pass by themselves. `clock`: seconds that never run back."""
        self._heals = heals
        self._clock = clock
        self._tasks: dict[str, _Task] = {}
        self._waits: dict[str, tuple[float, float]] = {}
        """By bot: the length of its last wait, and when it is over."""

    @property
    def running(self) -> dict[str, Run]:
        """By bot."""
        return {bot_id: one.run for bot_id, one in self._tasks.items()}

    def run_of(self, bot_id: str) -> Run | None:
        """A bot's run; None where it does not run."""
        one = self._tasks.get(bot_id)
        return None if one is None else one.run

    def may_start(self, bot_id: str) -> bool:
        """Whether it does not run, and its wait is over."""
        return bot_id not in self._tasks and self._clock() >= self._waits.get(bot_id, (0.0, 0.0))[1]

    def start(self, bot_id: str, run: Run) -> None:
        """Run it."""
        self._tasks[bot_id] = _Task(run, asyncio.create_task(run.run(), name=bot_id), self._clock())

    def ended(self) -> list[Ended]:
        """Those that ended since this was asked last."""
        found = [(bot_id, one) for bot_id, one in self._tasks.items() if one.task.done()]
        for bot_id, _ in found:
            del self._tasks[bot_id]
        return [self._how(bot_id, one) for bot_id, one in found]

    def _how(self, bot_id: str, one: _Task) -> Ended:
        if one.task.cancelled():
            return Ended(bot_id, one.run, None, asyncio.CancelledError(), FIRST_WAIT_S)
        fault = one.task.exception()
        if fault is None:
            self._waits.pop(bot_id, None)
            return Ended(bot_id, one.run, one.task.result(), None, None)
        if not isinstance(fault, self._heals):
            self._waits.pop(bot_id, None)
            return Ended(bot_id, one.run, None, fault, None)
        last_s = 0.0 if self._clock() > one.began + CALM_S else self._waits.get(bot_id, (0.0, 0.0))[0]
        wait_s = min(max(2 * last_s, FIRST_WAIT_S), LONGEST_WAIT_S)
        self._waits[bot_id] = wait_s, self._clock() + wait_s
        return Ended(bot_id, one.run, None, fault, wait_s)

    async def stop(self, bots: Iterable[str], within_s: float) -> None:
        """End these in good order; what has not ended `within_s` is ended all the same, as by a crash."""
        meant = [self._tasks[bot_id] for bot_id in bots if bot_id in self._tasks]
        closing = [asyncio.create_task(one.run.close()) for one in meant]
        tasks = [one.task for one in meant]
        if tasks:
            await asyncio.wait([*tasks, *closing], timeout=within_s)
            await asyncio.wait(tasks, timeout=within_s / 10)
        for task in (*tasks, *closing):
            task.cancel()
        await asyncio.gather(*tasks, *closing, return_exceptions=True)

    async def drop(self, bots: Iterable[str]) -> None:
        """End these at once, as by a crash: nothing of theirs may be written any more."""
        tasks = [self._tasks[bot_id].task for bot_id in bots if bot_id in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
