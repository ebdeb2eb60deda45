"""The database: one SQLite file in the data folder, opened so that what is committed stays, and brought up to date.

All that only SQLite knows stands here. Writing takes the write lock at once (`BEGIN IMMEDIATE`), so that no transaction
that has read finds itself overtaken when it writes; within the process writers queue, so that none is starved.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

FILE_NAME: Final = "autogrid.db"
BUSY_MS: Final = 10_000
"""So long a connection waits for another process that writes."""
SOUND_SQLITE: Final = (3, 51, 3)
"""Earlier versions have the WAL-reset bug. Source: https://sqlite.org/wal.html, "The WAL-reset bug"."""
MIGRATIONS: Final = Path(__file__).parent / "migrations"


class UnableToOpenDatabase(Exception):
    """The database cannot be used as it is. The sentence says why and what would help."""

    code = "database-unusable"


class Database:
    """An open database. `reading` and `writing` are its two kinds of transaction."""

    def __init__(self, engine: AsyncEngine, warnings: tuple[str, ...] = ()) -> None:
        """`warnings`: sentences worth telling the person who runs this."""
        self.warnings = warnings
        self._engine = engine
        self._writer = engine.execution_options(writes=True)
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that reads: all of it sees the same moment."""
        async with self._engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes: durable once it is left, undone where it is left by an exception."""
        async with self._turn, self._writer.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


async def open_database(data_dir: Path) -> Database:
    """The database in `data_dir`, made where there is none, and brought up to date. Raises `UnableToOpenDatabase`."""
    path = data_dir / FILE_NAME
    _make_place(path)
    database = Database(sqlite_engine(path), sqlite_warnings(sqlite3.sqlite_version_info))
    try:
        async with database.writing() as connection:
            await connection.run_sync(_check, path)
            await connection.run_sync(upgrade, path)
    except DatabaseError as fault:
        await database.close()
        raise UnableToOpenDatabase(
            f"{path} cannot be opened ({fault.orig}). If it is damaged, restore a backup, or move the file away to "
            "start with an empty one."
        ) from fault
    except UnableToOpenDatabase:
        await database.close()
        raise
    return database


def _make_place(path: Path) -> None:
    """The folder and the file, for their owner only."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as fault:
        raise UnableToOpenDatabase(f"{path} cannot be written: {fault.strerror}; choose another --data-dir") from fault


def sqlite_warnings(version: tuple[int, ...]) -> tuple[str, ...]:
    """What a person should know of this SQLite."""
    if version >= SOUND_SQLITE:
        return ()
    present, sound = (".".join(map(str, one)) for one in (version, SOUND_SQLITE))
    warning = (
        f"SQLite {present} has a rare fault (WAL-reset) that can damage a database to which several processes write in "
        f"the same moment; it is mended in {sound}. Keep backups, and update Python or the system's SQLite."
    )
    return (warning,)


def sqlite_engine(path: Path) -> AsyncEngine:
    """An engine on the file at `path`, each of its connections durable and strict."""
    engine = create_async_engine(URL.create("sqlite+aiosqlite", database=str(path)))
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin where we say, in `_begin`
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _check(connection: Connection, path: Path) -> None:
    """Raises `UnableToOpenDatabase` where the file is damaged or cannot be written durably."""
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    if mode != "wal":
        raise UnableToOpenDatabase(
            f"{path} lies where SQLite cannot keep a write-ahead log, such as a network drive; choose a --data-dir on "
            "a local disk."
        )
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if found != "ok":
        raise UnableToOpenDatabase(
            f"{path} is damaged ({found}). Restore a backup, or move the file away to start with an empty one."
        )


def upgrade(connection: Connection, path: Path) -> None:
    """Run the migrations that are missing. Raises `UnableToOpenDatabase` where the database is newer than this code."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    present = MigrationContext.configure(connection).get_current_heads()
    newer = [revision for revision in present if revision not in known]
    if newer:
        raise UnableToOpenDatabase(
            f"{path} was written by a newer AutoGrid (its form is {newer[0]}, the newest known here is "
            f"{scripts.get_current_head()}). Update AutoGrid, or choose another --data-dir."
        )
    if present != (scripts.get_current_head(),):
        command.upgrade(config, "head")
