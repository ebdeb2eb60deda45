"""A database whose transactions a test holds back just before they commit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.storage.database import Database


class Counted(Database):
    """Counts its transactions, and holds each back at its end while the gate is shut."""

    def __init__(self, real: Database) -> None:
        super().__init__(real._store, real._engines)
        self.tries = self.commits = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.arrived = asyncio.Event()
        self.fail: BaseException | None = None

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        self.tries += 1
        async with super().writing() as connection:
            yield connection
            self.arrived.set()
            await self.gate.wait()
            if self.fail is not None:
                raise self.fail
        self.commits += 1
