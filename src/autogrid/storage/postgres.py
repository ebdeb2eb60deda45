"""All that only PostgreSQL knows: how it is reached, what it must be able to do, and what its faults mean.

Writers run beside each other under READ COMMITTED, so a statement that rests on what was read locks it (`FOR UPDATE`,
`FOR SHARE`) or says it in its own WHERE. Readers see one moment (REPEATABLE READ). A commit returns once it is on the
server's disk. The server ends a writing transaction whose process has been silent for four seconds: a process that is
stopped in the middle of one must not keep another from taking its lease over.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import Connection, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from autogrid.storage.engines import POOL_TIMEOUT_S, Engines

OLDEST: Final = 14
"""Major version."""
CONNECT_S: Final = 10.0
ANSWER_S: Final = 20.0
"""So long a statement waits for the server's answer; then the connection is given up."""
LOCK_MS: Final = 10_000
"""So long a statement waits for another's lock."""
SILENT_MS: Final = 4_000
"""So long a writing transaction may stand open with nothing to do."""
READERS: Final = 4
WRITERS: Final = 4
OPENING: Final = 0x6175_746F_6772_6964
"""The advisory lock under which the database is brought up to date: by one process at a time."""


class Postgres:
    """The database on a server."""

    one_writer: Final = False
    elsewhere: Final = "set AUTOGRID_DATABASE_URL to another database"

    def __init__(self, url: str, answer_s: float = ANSWER_S, silent_ms: int = SILENT_MS) -> None:
        """`url`: as libpq takes it, and secret: it may hold a password, so it never stands in a sentence."""
        self._url = url
        self._answer_s = answer_s
        self._silent_ms = silent_ms
        self.place = "the PostgreSQL database of AUTOGRID_DATABASE_URL"

    def engines(self) -> Engines:
        """Engines on the server; nothing is sent yet."""
        reader = self._engine(READERS, self._answer_s).execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        patience = {"lock_timeout": str(LOCK_MS), "idle_in_transaction_session_timeout": str(self._silent_ms)}
        return Engines(reader, self._engine(WRITERS, self._answer_s, patience), self._engine(1, None))

    def _engine(self, connections: int, answer_s: float | None, more: dict[str, str] | None = None) -> AsyncEngine:
        settings = {"application_name": "autogrid", "synchronous_commit": "on", **(more or {})}
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._creator(answer_s, settings),
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            pool_size=connections,
            max_overflow=0,
            pool_pre_ping=True,
            pool_timeout=POOL_TIMEOUT_S,
        )
        event.listen(engine.sync_engine, "handle_error", _remember_failure)
        event.listen(engine.sync_engine, "begin", _forget_failure)
        event.listen(engine.sync_engine, "rollback_savepoint", _forget_failure)
        event.listen(engine.sync_engine, "commit", _refuse_hollow_commit)
        return engine

    def _creator(self, answer_s: float | None, settings: dict[str, str]) -> Callable[..., Awaitable[Any]]:
        connect_s = min(CONNECT_S, self._answer_s)

        async def connect() -> Any:
            return await asyncpg.connect(
                self._url, timeout=connect_s, command_timeout=answer_s, server_settings=settings
            )

        return connect

    def prepare(self, connection: Connection) -> None:
        """Wait until no other process opens the database."""
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({OPENING})")

    def fault(self, connection: Connection) -> str:
        """Why the server cannot be used; empty where it can."""
        version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
        return version_fault(version)

    def warnings(self, connection: Connection) -> tuple[str, ...]:
        """What a person should know of this server."""
        risky = [
            name
            for name in ("fsync", "full_page_writes")
            if connection.exec_driver_sql(f"SHOW {name}").scalar_one() != "on"
        ]
        return tuple(
            f"PostgreSQL runs with {name} off: a power failure can lose or damage what was kept. Set it to on."
            for name in risky
        )

    def not_opened(self, fault: Exception) -> str:
        """Why it could not be opened; never the URL, which may hold a password."""
        if isinstance(fault, OSError):
            silent = isinstance(fault, TimeoutError)
            reason = fault.strerror or ("it did not answer in time" if silent else str(fault))
            return (
                f"the PostgreSQL server of AUTOGRID_DATABASE_URL cannot be reached ({reason}). Start it, or correct "
                "host and port."
            )
        state = _state(fault) if isinstance(fault, DBAPIError) else ""
        if state and isinstance(fault, DBAPIError):  # what has a state was said by the server, which knows no password
            why = _NOT_OPENED.get(state) or _NOT_OPENED.get(state[:2]) or "PostgreSQL refuses"
            return f"{self.place} cannot be opened: {why} ({_said(fault)})"
        return (
            "AUTOGRID_DATABASE_URL cannot be read; write it as postgresql://user:password@host:5432/database, with "
            "special characters of the password percent-encoded"
        )

    def failure(self, fault: Exception) -> str | None:
        """What is wrong with the server or the way to it, where `fault` says that something is."""
        if isinstance(fault, TimeoutError):
            return "the PostgreSQL server does not answer"
        if isinstance(fault, OSError):
            return f"the PostgreSQL server cannot be reached ({fault.strerror or fault})"
        if not isinstance(fault, DBAPIError):
            return None
        state = _state(fault)
        told = _FAILURES.get(state) or _FAILURES.get(state[:2])
        if told is not None:
            return f"{told} ({_said(fault)})"
        return f"the connection to PostgreSQL was lost ({_said(fault)})" if fault.connection_invalidated else None

    def in_doubt(self, fault: Exception) -> bool:
        """Whether a commit that failed so may stand all the same: its answer never came."""
        if not isinstance(fault, DBAPIError):
            return True
        return fault.connection_invalidated or _state(fault)[:2] in {"", "08", "57"}


_NOT_OPENED: Final = {
    "28P01": "the password is wrong",
    "28": "the server does not let this user in",
    "3D000": "there is no such database; create it first",
    "42501": "the user may not create tables there; make it the owner of the database",
    "53300": "the server has no connection left",
    "55P03": "another process is bringing it up to date; try again in a moment",
    "57P03": "the server is starting or stopping; try again in a moment",
}
_FAILURES: Final = {
    "08": "the connection to PostgreSQL was lost",
    "25006": "PostgreSQL lets nothing be written; is this a standby",
    "25P03": "this process was silent for too long in the middle of a transaction",
    "40": "PostgreSQL undid the transaction in favour of another",
    "53100": "the disk of the PostgreSQL server is full; make room on it",
    "53": "PostgreSQL has run out of something",
    "55P03": "another transaction has held a lock for too long",
    "57": "PostgreSQL has ended the connection",
    "58": "PostgreSQL cannot use its files",
    "XX": "PostgreSQL found a fault in its files",
}
"""By SQLSTATE, or its class. Source: https://www.postgresql.org/docs/current/errcodes-appendix.html."""


def version_fault(number: int) -> str:
    """Why a server whose `server_version_num` is `number` cannot be used; empty where it can."""
    if number // 10_000 >= OLDEST:
        return ""
    return f"the PostgreSQL server has version {number // 10_000}; AutoGrid needs {OLDEST} or newer. Update the server."


def _state(fault: DBAPIError) -> str:
    return getattr(fault.orig, "sqlstate", None) or ""


def _said(fault: DBAPIError) -> str:
    """What the server said, without the name of a Python class before it."""
    return str(fault.orig).rpartition(">: ")[2]


def _remember_failure(context: ExceptionContext) -> None:
    if context.connection is not None and not context.is_disconnect:
        context.connection.info["failed"] = True


def _forget_failure(connection: Connection, *_: object) -> None:
    connection.info.pop("failed", None)


def _refuse_hollow_commit(connection: Connection) -> None:
    """PostgreSQL answers COMMIT after a failed statement by undoing all of it, without an error."""
    failed = connection.info.get("failed", False)
    assert not failed, "a statement failed and that was passed over: PostgreSQL would keep nothing of this transaction"
