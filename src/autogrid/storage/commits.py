"""Steps of many bots share a transaction: one flush of the disk keeps them all.

Whoever comes first opens a transaction; all who come while it is being committed go into the next one together, and
rows of one statement are sent at once. Each is told only after the commit that holds its rows. Where a row is refused,
all of the transaction is undone and each piece is done again in one of its own: one's fault is its own alone.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import Executable

MOST: Final = 200
"""Pieces in one transaction: beyond this the flush weighs little, and all wait for the last."""

Rows: TypeAlias = Mapping[Executable, Sequence[Mapping[str, Any]]]
"""Rows for each statement, in the order in which the statements are carried out."""
Together: TypeAlias = Callable[[Rows], Awaitable[None]]
"""Carries rows out in one transaction, durable once it returns, undone where it raises."""


class Write(NamedTuple):
    """Rows for one statement."""

    statement: Executable
    """The same object each time, so that the rows of several pieces are sent together."""
    rows: Sequence[Mapping[str, Any]]


class UnableToKeep(Exception):
    """The database could not keep what was to be written. The sentence says why."""

    code = "not-kept"

    def __init__(self, sentence: str, *, in_doubt: bool) -> None:
        super().__init__(sentence)
        self.in_doubt = in_doubt
        """Whether it may stand all the same: the commit was sent, and no answer came. Load what is there anew."""


class _Piece(NamedTuple):
    writes: Sequence[Write]
    kept: asyncio.Future[None]


class CommitQueue:
    """What waits for a transaction."""

    def __init__(self, together: Together) -> None:
        self._carry_out = together
        self._waiting: deque[_Piece] = deque()
        self._running: asyncio.Task[None] | None = None

    async def keep(self, writes: Sequence[Write]) -> None:
        """Return once all of `writes` is durable. Raises `UnableToKeep`, or why a row is refused; then none of it is.

        No write may rest on one before it, for those of others come between. Where the caller is cancelled, a commit
        that has begun is waited for, so that what is read after is what stands.
        """
        piece = _Piece(writes, asyncio.get_running_loop().create_future())
        self._waiting.append(piece)
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        try:
            await asyncio.shield(piece.kept)
        except asyncio.CancelledError:
            if piece in self._waiting:
                self._waiting.remove(piece)
            else:
                await ended(piece.kept)
            raise

    async def close(self) -> None:
        """Return once nothing waits any more."""
        if self._running is not None:
            await asyncio.wait({self._running})

    async def _run(self) -> None:
        pieces: list[_Piece] = []
        try:
            while self._waiting:
                pieces = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
                await self._commit(pieces)
        finally:
            for piece in (*pieces, *self._waiting):
                piece.kept.cancel()  # does nothing to one that was told

    async def _commit(self, pieces: list[_Piece]) -> None:
        attempt = asyncio.create_task(self._together(pieces))
        try:
            await asyncio.wait({attempt})
        except asyncio.CancelledError:
            attempt.cancel()
            await ended(attempt)
            raise
        fault = attempt.exception()
        if fault is None:
            for piece in pieces:
                _tell(piece, None)
        elif isinstance(fault, UnableToKeep):
            for piece in pieces:
                _tell(piece, UnableToKeep(str(fault), in_doubt=fault.in_doubt))
        elif len(pieces) == 1:
            _tell(pieces[0], fault)
        else:
            for piece in pieces:
                await self._commit([piece])

    async def _together(self, pieces: list[_Piece]) -> None:
        rows: dict[Executable, list[Mapping[str, Any]]] = {}
        for piece in pieces:
            for write in piece.writes:
                rows.setdefault(write.statement, []).extend(write.rows)
        await self._carry_out(rows)


def _tell(piece: _Piece, fault: BaseException | None) -> None:
    if piece.kept.done():
        return
    if fault is None:
        piece.kept.set_result(None)
    else:
        piece.kept.set_exception(fault)


async def ended(future: asyncio.Future[None]) -> None:
    """Return once `future` has ended, however often the caller is cancelled meanwhile."""
    while not future.done():
        try:
            await asyncio.wait({future})
        except asyncio.CancelledError:
            continue
    if not future.cancelled():
        future.exception()  # seen
