"""The terminal while the demo runs: the whole screen is ours, `q` and Ctrl-C end it, and it is given back as it was."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live

try:
    import termios
    import tty

    HAS_KEYS = True
except ImportError:  # Windows has neither: there Ctrl-C ends the demo
    HAS_KEYS = False

FRAME_S: Final = 0.125
"""Between two drawings: enough to look alive, and little work."""
QUITS: Final = frozenset({"q", "Q", "\x03", "\x04"})


async def show(draw: Callable[[int, int], RenderableType | None], console: Console, stop: asyncio.Event) -> None:
    """Draw what `draw(width, height)` gives on the whole screen until `stop`; None: nothing has changed."""
    with _keys(stop), Live(console=console, screen=True, auto_refresh=False, redirect_stderr=False) as live:
        while not stop.is_set():
            size = console.size
            picture = draw(size.width, size.height)
            if picture is not None:
                live.update(picture, refresh=True)
            await pause(stop, FRAME_S)


def has_screen(console: Console) -> bool:
    """Whether there is a terminal that can be drawn on; else lines are written."""
    return sys.stdout.isatty() and not console.is_dumb_terminal


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until `stop`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


@contextlib.contextmanager
def ends_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """Within this, Ctrl-C and a polite kill set `stop`, so that the end is clean."""
    loop = asyncio.get_running_loop()
    caught = []
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: KeyboardInterrupt as ever
            loop.add_signal_handler(name, stop.set)
            caught.append(name)
    try:
        yield
    finally:
        for name in caught:
            loop.remove_signal_handler(name)


@contextlib.contextmanager
def _keys(stop: asyncio.Event) -> Iterator[None]:
    """Within this, single keys are heard and not shown."""
    if not HAS_KEYS or not sys.stdin.isatty():
        yield
        return
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    loop = asyncio.get_running_loop()
    tty.setcbreak(fd)
    loop.add_reader(fd, _heard, stop)
    try:
        yield
    finally:
        loop.remove_reader(fd)
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _heard(stop: asyncio.Event) -> None:
    """A key was struck, or the terminal is gone (nothing to read). Arrows and the like begin with Escape."""
    keys = os.read(sys.stdin.fileno(), 16).decode(errors="ignore")
    if keys in {"", "\x1b"} or keys[:1] in QUITS:
        stop.set()
