"""A database whose transactions a test holds back just before they commit."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.storage.database import Database


class Counted(Database):
    """Counts its transactions, and holds each back at its end while the gate is shut."""

    def __init__(self, real: Database) -> None:
        super().__init__(real._store, real._engines)
        self.tries = self.commits = 0
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = asyncio.Event()
        self.fail: BaseException | None = None
        self._loop = asyncio.get_running_loop()
        direct = real._engines.direct
        if direct is not None:
            event.listen(direct, "begin", self._begins)
            event.listen(direct, "commit", self._commits_in_thread)

    def _begins(self, _: Connection) -> None:
        self.tries += 1

    def _commits_in_thread(self, _: Connection) -> None:
        self._loop.call_soon_threadsafe(self.arrived.set)
        assert self.gate.wait(20), "the gate was never opened"
        if self.fail is not None:
            raise self.fail
        self.commits += 1

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        self.tries += 1
        async with super().writing() as connection:
            yield connection
            self.arrived.set()
            assert await asyncio.to_thread(self.gate.wait, 20), "the gate was never opened"
            if self.fail is not None:
                raise self.fail
        self.commits += 1
