"""All that only SQLite knows: one file in the data folder, opened so that what is committed stays.

Writing takes the write lock at once (`BEGIN IMMEDIATE`), so that no transaction that has read finds itself overtaken
when it writes. SQLite lets one write at a time, so within the process writers queue and none is starved.
"""

import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from autogrid.storage.engines import POOL_TIMEOUT_S, Engines

FILE_NAME: Final = "autogrid.db"
BUSY_MS: Final = 10_000
"""So long a connection waits for another process that writes."""
SOUND_SQLITE: Final = (3, 51, 3)
"""Earlier versions have the WAL-reset bug. Source: https://sqlite.org/wal.html, "The WAL-reset bug"."""


class Sqlite:
    """The database in one file."""

    one_writer: Final = True
    elsewhere: Final = "choose another --data-dir"

    def __init__(self, path: Path) -> None:
        self._path = path
        self.place = str(path)

    def engines(self) -> Engines:
        """Engines on the file. Raises `OSError` where it cannot be written."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        engine = sqlite_engine(self._path)
        writer = engine.execution_options(writes=True)
        direct = _always_durable(create_engine(_url(self._path, "pysqlite"), hide_parameters=True))
        return Engines(engine, writer, writer, direct.execution_options(writes=True))

    def prepare(self, connection: Connection) -> None:
        """Nothing: the transaction that opens the file already has it for itself."""

    def fault(self, connection: Connection) -> str:
        """Why the file cannot be used: it is damaged, or cannot be written durably. Empty where it is sound."""
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        if mode != "wal":
            return (
                f"{self.place} lies where SQLite cannot keep a write-ahead log, such as a network drive; choose a "
                "--data-dir on a local disk."
            )
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if found != "ok":
            mend = "Restore a backup, or move the file away to start with an empty one"
            return f"{self.place} is damaged ({found}). {mend}."
        return ""

    def warnings(self, connection: Connection) -> tuple[str, ...]:  # noqa: ARG002
        """What a person should know of this SQLite."""
        return sqlite_warnings(sqlite3.sqlite_version_info)

    def not_opened(self, fault: Exception) -> str:
        """Why it could not be opened."""
        if isinstance(fault, OSError):
            return f"{self.place} cannot be written: {fault.strerror}; {self.elsewhere}"
        reason = fault.orig if isinstance(fault, DBAPIError) else fault
        return (
            f"{self.place} cannot be opened ({reason}). If it is damaged, restore a backup, or move the file away to "
            "start with an empty one."
        )

    def failure(self, fault: Exception) -> str | None:
        """What is wrong with the file, where `fault` says that something is."""
        kind = _kind(fault)
        reason = fault.orig if isinstance(fault, DBAPIError) else fault
        return _FAILURES[kind].format(place=self.place, reason=reason) if kind in _FAILURES else None

    def in_doubt(self, fault: Exception) -> bool:
        """Whether a commit that failed so may stand all the same: a write that failed may have reached the disk."""
        return _kind(fault) == sqlite3.SQLITE_IOERR


def _kind(fault: Exception) -> int:
    """The primary result code; 0 where there is none."""
    found: int = getattr(fault.orig, "sqlite_errorcode", 0) if isinstance(fault, DBAPIError) else 0
    return found & 0xFF


_FAILURES: Final = {
    sqlite3.SQLITE_FULL: "the disk that holds {place} is full; make room on it",
    sqlite3.SQLITE_IOERR: "the disk that holds {place} does not answer as it should ({reason}); look at it first",
    sqlite3.SQLITE_BUSY: f"another process has been writing to {{place}} for {BUSY_MS // 1000} s; find and stop it",
    sqlite3.SQLITE_READONLY: "{place} can no longer be written; look at its permissions and at its disk",
    sqlite3.SQLITE_CANTOPEN: "{place} can no longer be opened ({reason}); look at its permissions and at its disk",
    sqlite3.SQLITE_CORRUPT: "{place} is damaged ({reason}); restore a backup",
    sqlite3.SQLITE_NOTADB: "{place} is no database any more; restore a backup",
}
"""By primary result code. Source: https://sqlite.org/rescode.html."""


def sqlite_warnings(version: tuple[int, ...]) -> tuple[str, ...]:
    """What a person should know of that version of SQLite."""
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
    engine = create_async_engine(_url(path, "aiosqlite"), hide_parameters=True, pool_timeout=POOL_TIMEOUT_S)
    _always_durable(engine.sync_engine)
    return engine


def _url(path: Path, driver: str) -> URL:
    return URL.create(f"sqlite+{driver}", database=str(path))


def _always_durable(engine: Engine) -> Engine:
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
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
