"""A virtual clock, and processes that can be frozen and killed, all on one event loop.

Time stands still while anything can run, and jumps to the next timer when nothing can. Nothing here waits for the
outside, so a run depends on its seed and on nothing else. Which process a piece of work belongs to is a context
variable, which every task and timer inherits: what belongs to a frozen process is put aside until it thaws, what
belongs to a dead one is dropped.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from heapq import heappush
from typing import Any

PROCESS: ContextVar["Host | None"] = ContextVar("PROCESS", default=None)
"""Whose work is being done; None: the world's."""


class Stuck(Exception):
    """Nothing can run any more, and no timer is set."""

    code = "simulation-stuck"


class Host:
    """One simulated process: what of it may run."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.frozen = False
        self.was_frozen = False
        """Since the last kill switch."""
        self.dead = False
        self.parked: list[_Handle] = []
        self.tasks: list[asyncio.Task[Any]] = []
        """All that it began, so that none is collected, and finalised, before the run has ended."""
        self.context: Context = copy_context()
        self.context.run(PROCESS.set, self)


class _Handle(asyncio.Handle):
    """A piece of work of the process in whose context it was scheduled."""

    __slots__ = ()

    def _run(self) -> None:
        host = self._context.get(PROCESS)  # type: ignore[attr-defined]
        if host is None or not (host.frozen or host.dead):
            super()._run()
        elif not host.dead:
            host.parked.append(self)


class _Timer(_Handle, asyncio.TimerHandle):
    __slots__ = ()


class _Nothing(selectors.BaseSelector):
    """A selector of no files: to wait is to let virtual time go by."""

    def __init__(self) -> None:
        self.now = 0.0
        self._files: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = self._files[fileobj] = selectors.SelectorKey(fileobj, 0, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._files.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck("nothing can run, and no timer is set")
        if timeout > 0:
            self.now += timeout
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._files


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop of a run."""

    def __init__(self) -> None:
        self._nothing = _Nothing()
        super().__init__(self._nothing)
        self._clock_resolution = 1e-6
        self.turns = 0
        """How many pieces of work were scheduled."""

    def time(self) -> float:
        """Seconds since the beginning, virtual."""
        return self._nothing.now

    def now_ms(self) -> int:
        """Milliseconds since the beginning."""
        return int(self._nothing.now * 1000 + 1e-3)

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """As of any loop."""
        self.turns += 1
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)  # type: ignore[attr-defined]
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As of any loop."""
        self.turns += 1
        timer = _Timer(when, callback, args, self, context)
        heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        timer._scheduled = True  # type: ignore[attr-defined]
        return timer

    def create_task(self, coro: Any, **more: Any) -> Any:
        task = super().create_task(coro, **more)
        host = PROCESS.get()
        if host is not None:
            host.tasks.append(task)
            if len(host.tasks) > 4_000:
                host.tasks = [one for one in host.tasks if not one.done()]
        return task

    # --- processes ----------------------------------------------------------------------------------------------

    def begin(self, host: Host, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run `work` as that process."""
        task: asyncio.Task[Any] = host.context.copy().run(self.create_task, work)
        return task

    def thaw(self, host: Host) -> None:
        """It goes on where it stood; what came meanwhile comes now."""
        host.frozen = False
        parked, host.parked = host.parked, []
        self._ready.extend(parked)  # type: ignore[attr-defined]

    def bury(self, host: Host) -> None:
        """After the run: let go of what the dead process had begun, without letting it do anything."""
        for task in host.tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                with suppress(RuntimeError, BaseExceptionGroup):
                    coro = task.get_coro()
                    assert coro is not None
                    coro.close()
        host.tasks.clear()
        host.parked.clear()


def run(main: Callable[[VirtualLoop], Coroutine[Any, Any, Any]]) -> Any:
    """What `main` gives, on a virtual loop of its own."""
    loop = VirtualLoop()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main(loop))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
