"""The database: a file of SQLite in the data folder, or a PostgreSQL server; opened, and brought up to date.

What only one of them knows stands in `sqlite` and `postgres`. The tables, the migrations and all else are the same.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.storage.commits import CommitQueue, Rows, UnableToKeep, Write, ended
from autogrid.storage.engines import Engines
from autogrid.storage.postgres import Postgres
from autogrid.storage.sqlite import FILE_NAME, Sqlite

MIGRATIONS: Final = Path(__file__).parent / "migrations"


class UnableToOpenDatabase(Exception):
    """The database cannot be used as it is. The sentence says why and what would help."""

    code = "database-unusable"


class UnableToRead(Exception):
    """The database does not answer. The sentence says why; trying again later may help."""

    code = "database-away"


class Store(Protocol):
    """Where a database is, and how it differs from others. Two: SQLite and PostgreSQL."""

    place: str
    """As sentences call it."""

    @property
    def one_writer(self) -> bool:
        """Whether writers must come one at a time."""
        ...

    @property
    def elsewhere(self) -> str:
        """How a person chooses another."""
        ...

    def engines(self) -> Engines:
        """How it is reached. Raises `OSError`."""
        ...

    def prepare(self, connection: Connection) -> None:
        """Have it to oneself until the transaction of `connection` ends, to bring it up to date."""
        ...

    def fault(self, connection: Connection) -> str:
        """Why it cannot be used; empty where it can."""
        ...

    def warnings(self, connection: Connection) -> tuple[str, ...]:
        """Sentences worth telling the person who runs this."""
        ...

    def not_opened(self, fault: Exception) -> str:
        """Why it could not be opened, in a sentence without secrets."""
        ...

    def failure(self, fault: Exception) -> str | None:
        """What is wrong with the database or the way to it; None where `fault` is about what was asked of it."""
        ...

    def in_doubt(self, fault: Exception) -> bool:
        """Whether a commit that failed with `fault` may stand all the same."""
        ...


class Database:
    """An open database. `reading` and `writing` are its two kinds of transaction; `keep` shares one with others."""

    def __init__(self, store: Store, engines: Engines) -> None:
        self.warnings: tuple[str, ...] = ()
        """Sentences worth telling the person who runs this."""
        self.one_writer: Final = store.one_writer
        """Whether writers come one at a time."""
        self._store = store
        self._engines = engines
        self._turn: AbstractAsyncContextManager[object] = asyncio.Lock() if store.one_writer else nullcontext()
        self._commits = CommitQueue(self._together)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="autogrid-keeps")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that reads: all of it sees the same moment. Raises `UnableToRead`."""
        inside = False
        try:
            async with self._engines.reader.connect() as connection:
                inside = True
                yield connection
                inside = False
        except (DBAPIError, OSError) as fault:
            why = self._failure(fault, inside)
            if why is None:
                raise
            raise UnableToRead(f"the database cannot be read: {why}") from fault

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes: durable once it is left, undone where it is left by an exception.

        Raises `UnableToKeep`.
        """
        inside = committing = False
        try:
            async with self._turn, self._engines.writer.begin() as connection:
                inside = True
                yield connection
                inside, committing = False, True
        except (DBAPIError, OSError) as fault:
            self._raise_not_kept(fault, inside, committing)
            raise

    async def keep(self, writes: Sequence[Write]) -> None:
        """As `CommitQueue.keep`: return once all of `writes` is durable, in a transaction shared with others."""
        await self._commits.keep(writes)

    async def keep_beside(self, write: Write) -> None:
        """Rows that no step waits for. Where there is one writer they share its next transaction; on a server they have
        one of their own, so that a lock they wait for holds up nobody. Raises `UnableToKeep`.
        """
        if self.one_writer:
            await self.keep([write])
            return
        async with self.writing() as connection:
            await connection.execute(write.statement, write.rows)

    async def _together(self, rows: Rows) -> None:
        """As `Together`. Raises `UnableToKeep`."""
        direct = self._engines.direct
        if direct is None:
            async with self.writing() as connection:
                for statement, its in rows.items():
                    await connection.execute(statement, its)
            return
        step = _Step()
        async with self._turn:
            work = asyncio.get_running_loop().run_in_executor(self._thread, _carry_out, direct, rows, step)
            await ended(work)
        try:
            work.result()
        except (DBAPIError, OSError) as fault:
            self._raise_not_kept(fault, step.inside, step.committing)
            raise

    async def close(self) -> None:
        """Close every connection, once all that was to be kept is."""
        await self._commits.close()
        self._thread.shutdown()
        await self._engines.dispose()

    def _raise_not_kept(self, fault: Exception, inside: bool, committing: bool) -> None:
        """Raises `UnableToKeep` where `fault` is the database's."""
        why = self._failure(fault, inside)
        if why is not None:
            in_doubt = committing and self._store.in_doubt(fault)
            outcome = "whether it was kept is not known" if in_doubt else "nothing of it was kept"
            raise UnableToKeep(f"{outcome}: {why}", in_doubt=in_doubt) from fault

    def _failure(self, fault: Exception, inside: bool) -> str | None:
        """What is wrong with the database; a file or a wait of the caller's own is none of it."""
        if inside and not isinstance(fault, DBAPIError | TimeoutError):
            return None
        return self._store.failure(fault)


@dataclass(slots=True)
class _Step:
    """How far a transaction has come."""

    inside: bool = False
    committing: bool = False


def _carry_out(engine: Engine, rows: Rows, step: _Step) -> None:
    """A whole transaction, in a thread."""
    with engine.begin() as connection:
        step.inside = True
        for statement, its in rows.items():
            connection.execute(statement, its)
        step.inside, step.committing = False, True


async def open_database(data_dir: Path, url: str = "") -> Database:
    """The database at `url`, or without one in `data_dir`, brought up to date. Raises `UnableToOpenDatabase`."""
    store: Store = Postgres(url) if url else Sqlite(data_dir / FILE_NAME)
    return await open_store(store)


async def open_store(store: Store) -> Database:
    """The database there, made where there is none, and brought up to date. Raises `UnableToOpenDatabase`."""
    try:
        engines = store.engines()
    except OSError as fault:
        raise UnableToOpenDatabase(store.not_opened(fault)) from fault
    database = Database(store, engines)
    try:
        async with engines.opener.begin() as connection:
            database.warnings = await connection.run_sync(_bring_up_to_date, store)
        if engines.opener is not engines.writer:
            await engines.opener.dispose()
    except UnableToOpenDatabase:
        await database.close()
        raise
    except (DBAPIError, OSError, ValueError) as fault:
        await database.close()
        raise UnableToOpenDatabase(store.not_opened(fault)) from None
    return database


def _bring_up_to_date(connection: Connection, store: Store) -> tuple[str, ...]:
    """The warnings of a database that can be used. Raises `UnableToOpenDatabase` where it cannot."""
    fault = store.fault(connection)
    if fault:
        raise UnableToOpenDatabase(fault)
    store.prepare(connection)
    upgrade(connection, store)
    return store.warnings(connection)


def upgrade(connection: Connection, store: Store) -> None:
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
            f"{store.place} was written by a newer AutoGrid (its form is {newer[0]}, the newest known here is "
            f"{scripts.get_current_head()}). Update AutoGrid, or {store.elsewhere}."
        )
    if present != (scripts.get_current_head(),):
        command.upgrade(config, "head")
