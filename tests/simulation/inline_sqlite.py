"""SQLite without threads: the driver that SQLAlchemy awaits answers at once, on the loop, so a run can be repeated.

The file lies in memory where there is a folder for that. A killed process closes its connections as they are: what was
not committed is gone. Faults strike at the commit: before it, or after it became durable.
"""

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from autogrid.storage.database import Database, open_database
from autogrid.storage.engines import Engines
from autogrid.storage.sqlite import Sqlite, _begin

Around = Callable[[str], Awaitable[None]]
"""Awaited at the begin ("begin") of each transaction that writes, and before ("before") and after ("after") its commit.
It may raise or never return; at the begin and after it may take time too."""


class _Cursor:
    """As `aiosqlite.Cursor`."""

    def __init__(self, cursor: sqlite3.Cursor, owner: "_Connection") -> None:
        self._cursor = cursor
        self._owner = owner

    async def __aenter__(self) -> "_Cursor":
        return self

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> "_Cursor":
        if sql == "BEGIN IMMEDIATE":
            await self._owner.begins()
        self._cursor.execute(sql, tuple(parameters))
        return self

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> "_Cursor":
        self._cursor.executemany(sql, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    async def fetchone(self) -> Any:
        return self._cursor.fetchone()

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        return self._cursor.fetchmany(size or 100)

    async def close(self) -> None:
        self._cursor.close()

    @property
    def description(self) -> Any:
        return self._cursor.description

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def arraysize(self) -> int:
        return self._cursor.arraysize


class _Connection:
    """As `aiosqlite.Connection`."""

    def __init__(self, path: Path, around: Around | None) -> None:
        self._conn = self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._around = around
        self._writes = False

    async def begins(self) -> None:
        """A transaction that writes begins: from here to its commit nothing else runs."""
        self._writes = True
        if self._around is not None:
            await self._around("begin")

    def cursor(self) -> _Cursor:
        return _Cursor(self._conn.cursor(), self)

    async def commit(self) -> None:
        writes, self._writes = self._writes, False
        if writes and self._around is not None:
            await self._around("before")
        self._conn.commit()
        if writes and self._around is not None:
            await self._around("after")

    async def rollback(self) -> None:
        self._writes = False
        self._conn.rollback()

    async def close(self) -> None:
        self._conn.close()

    async def create_function(self, *args: Any, **more: Any) -> None:
        self._conn.create_function(*args, **more)

    @property
    def isolation_level(self) -> str | None:
        return self._conn.isolation_level

    @isolation_level.setter
    def isolation_level(self, value: Literal["DEFERRED", "EXCLUSIVE", "IMMEDIATE"] | None) -> None:
        self._conn.isolation_level = value

    @property
    def row_factory(self) -> Any:
        return self._conn.row_factory


class InlineDatabase:
    """A `Database` on a file, and the connections that die with its process."""

    def __init__(self, path: Path, around: Around | None = None) -> None:
        self._path = path
        self._around = around
        self._connections: list[_Connection] = []
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}", async_creator=self._connect, pool_size=20)
        engine.dialect.do_terminate = lambda _: None  # type: ignore[method-assign,assignment]
        event.listen(engine.sync_engine, "begin", _begin)
        self.engine: AsyncEngine = engine
        self.database = Database(Sqlite(path), Engines(engine, writer := engine.execution_options(writes=True), writer))

    async def _connect(self) -> _Connection:
        connection = _Connection(self._path, self._around)
        connection._conn.execute("PRAGMA busy_timeout=0")
        connection._conn.execute("PRAGMA foreign_keys=ON")
        connection._conn.execute("PRAGMA synchronous=OFF")
        self._connections.append(connection)
        return connection

    def kill(self) -> None:
        """The process is gone: the operating system closes what it had open."""
        for connection in self._connections:
            connection._conn.close()
        self._connections.clear()


def in_ram() -> Path | None:
    """A folder in memory, where there is one."""
    folder = Path("/dev/shm")
    return folder if folder.is_dir() else None


@cache
def template() -> bytes:
    """An empty database that is up to date."""
    with tempfile.TemporaryDirectory(dir=in_ram()) as folder:

        async def make() -> None:
            await (await open_database(Path(folder))).close()

        asyncio.run(make())
        with sqlite3.connect(Path(folder) / "autogrid.db") as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.close()
        return (Path(folder) / "autogrid.db").read_bytes()


@contextmanager
def folder_in_ram() -> Iterator[Path]:
    """A folder that is gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="simulation-", dir=in_ram()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
