"""How a database is reached, whichever it is: what `sqlite` and `postgres` both give."""

import sqlite3
from typing import Final, Literal, NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

POOL_TIMEOUT_S: Final = 120.0
"""So long a transaction waits for a connection: a thousand bots that start together read one after another."""


class Engines(NamedTuple):
    """The engines of one database; some may be one and the same."""

    reader: AsyncEngine
    """Its transactions see one moment, and write nothing."""
    writer: AsyncEngine
    opener: AsyncEngine
    """For the transaction that brings the database up to date, which may take long."""
    direct: Engine | None = None
    """For transactions whose statements are all known before: carried out in a thread in one go, where a driver that is
    awaited would go to its thread and back for each statement, and wait each time for its turn on a busy loop.
    """

    async def dispose(self) -> None:
        """Close every connection."""
        for engine in (self.reader, self.writer, self.opener):
            await engine.dispose()
        if self.direct is not None:
            self.direct.dispose()


def broken_rule(fault: IntegrityError) -> Literal["missing", "twice", ""]:
    """Which rule of a table a row broke: a value is missing, or a key is there already; empty: another one."""
    found = getattr(fault.orig, "sqlstate", None) or getattr(fault.orig, "sqlite_errorcode", None)
    if found in {"23502", sqlite3.SQLITE_CONSTRAINT_NOTNULL}:
        return "missing"
    if found in {"23505", sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE}:
        return "twice"
    return ""
