"""What a desk has to find out, each as a task: a fault in one ends the bot and no other."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

Work: TypeAlias = Coroutine[Any, Any, None]


class Chores:
    """The tasks of one desk."""

    def __init__(self, fail: Callable[[BaseException], None]) -> None:
        """`fail` hears a fault that nobody anticipated."""
        self._fail = fail
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._looks: dict[asyncio.Task[None], None] = {}
        """Of those, the ones that find out what became of an order."""
        self._owed: dict[asyncio.Task[None], None] = {}
        """Of those, the ones that find out what must be known of a trade before it can be told."""

    def begin(self, work: Work) -> asyncio.Task[None]:
        """Do it."""
        task = asyncio.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    def look(self, work: Work) -> None:
        """Find something out; the start is not settled before it is."""
        self._looks[self.begin(work)] = None

    def owe(self, work: Work) -> None:
        """Find something out of a trade, and then tell it; the start is not settled before."""
        task = self.begin(work)
        self._owed[task] = self._looks[task] = None

    @property
    def owed(self) -> list[asyncio.Task[None]]:
        """What was found of trades and is not told yet."""
        return list(self._owed)

    async def looked(self) -> None:
        """Return once all is found out."""
        while self._looks:
            await asyncio.wait(self._looks)

    async def stop(self) -> None:
        """Find nothing out any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        self._looks.pop(task, None)
        self._owed.pop(task, None)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._fail(fault)
