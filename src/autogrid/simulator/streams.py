"""The sending side of a WebSocket: every event of every stream goes through a `Subscriber`: there faults strike.

`send` never waits: frames go into a queue, and one task writes them. Answers to what a client asked, and pongs, are
not touched by faults, so that a stalled stream looks alive.
"""

import asyncio
import contextlib
from typing import Final

from aiohttp import web

from autogrid.simulator.faults import STREAM_KINDS, Faults

Frame = str | bytes
LATE_MS: Final = 50
"""How long an event is held back at most for one to overtake or to replace it."""


class Subscriber:
    """One open WebSocket."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, faults: Faults) -> None:
        self.socket = socket
        self._transport = request.transport
        self._faults = faults
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._held: list[tuple[str, Frame]] = []
        """Events that wait to be overtaken, or replaced by one of the same key."""
        self._silent_until: float = 0.0
        self._writer = asyncio.get_running_loop().create_task(self._write())

    def answer(self, frame: Frame) -> None:
        """Send what the client asked for; no fault touches it."""
        self._frames.put_nowait(frame)

    def send(self, frame: Frame, key: str = "") -> None:
        """Send an event. `key`: of what it tells, such as an order's id; with `coalesce` a newer one replaces it."""
        if asyncio.get_running_loop().time() < self._silent_until:
            return
        fault = self._faults.draw("stream", *STREAM_KINDS)
        kind = "" if fault is None else fault.kind
        if kind == "drop-event":
            return
        if kind == "drop-stream":
            self.drop()
            return
        if kind == "stall":
            assert fault is not None
            self.stall(fault.ms)
            return
        if kind in ("swap-events", "coalesce"):
            self._hold("" if kind == "swap-events" else key, frame)
            return
        if kind == "bad-frame":
            self._frames.put_nowait(frame[: len(frame) // 2])
        if kind == "duplicate-event":
            self._frames.put_nowait(frame)
        self._held = [(held, old) for held, old in self._held if not held or held != key]
        self._frames.put_nowait(frame)
        self._let_go()

    def stall(self, ms: int = 0) -> None:
        """Events are lost from now on, for `ms`, or for ever (0); the connection stays."""
        loop = asyncio.get_running_loop()
        self._silent_until = loop.time() + ms / 1000 if ms else float("inf")

    def drop(self) -> None:
        """The connection breaks without a word."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Send what is left and end the writing; the socket itself is closed by its owner."""
        self._frames.put_nowait(None)
        with contextlib.suppress(asyncio.CancelledError):
            await self._writer

    def _hold(self, key: str, frame: Frame) -> None:
        self._held = [(held, old) for held, old in self._held if not key or held != key]
        self._held.append((key, frame))
        asyncio.get_running_loop().call_later(LATE_MS / 1000, self._let_go)

    def _let_go(self) -> None:
        for _, frame in self._held:
            self._frames.put_nowait(frame)
        self._held.clear()

    async def _write(self) -> None:
        while (frame := await self._frames.get()) is not None:
            try:
                if isinstance(frame, str):
                    await self.socket.send_str(frame)
                else:
                    await self.socket.send_bytes(frame)
            except (ConnectionError, RuntimeError):  # the client is gone; its handler ends by itself
                return


class Subscribers:
    """All open WebSockets of an exchange, for what strikes them together."""

    def __init__(self) -> None:
        self._open: set[Subscriber] = set()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, subscriber: Subscriber) -> None:
        """It is open."""
        self._open.add(subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        """It is closed."""
        self._open.discard(subscriber)

    def drop(self) -> int:
        """Break them all; how many there were."""
        for subscriber in self._open:
            subscriber.drop()
        return len(self._open)

    def stall(self, ms: int = 0) -> int:
        """Silence them all; how many there are."""
        for subscriber in self._open:
            subscriber.stall(ms)
        return len(self._open)
