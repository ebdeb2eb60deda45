"""A PostgreSQL server: refused in a sentence where it cannot be used, and never with its password in it."""

import asyncio
import traceback
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from autogrid.storage import tables
from autogrid.storage.bots import create_bot
from autogrid.storage.commits import UnableToKeep
from autogrid.storage.database import Database, UnableToOpenDatabase, UnableToRead, open_database, open_store
from autogrid.storage.leases import take
from autogrid.storage.postgres import Postgres, version_fault
from tests.postgres import shared_server
from tests.storage.kept import Site, new_bot, opened, within

SECRET = "hunter2"


def refusal(url: str) -> str:
    with pytest.raises(UnableToOpenDatabase) as caught:
        asyncio.run(open_database(Path(), url))
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told
    return str(caught.value)


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "cannot be reached" in refusal(f"postgresql://me:{SECRET}@/db?host={tmp_path}")
    assert "cannot be reached" in refusal(f"postgresql://me:{SECRET}@127.0.0.1:1/db")


def test_a_database_that_is_not_there_is_named() -> None:
    assert "there is no such database" in refusal(shared_server().url("nowhere"))


def test_a_wrong_password_is_told_and_not_shown(postgres: Site) -> None:
    server = shared_server()
    server.ask_password("guarded", "right")
    url = postgres.url.replace("postgres@", f"guarded:{SECRET}@")
    assert "the password is wrong" in refusal(url)
    assert "user" in refusal(postgres.url.replace("postgres@", f"stranger:{SECRET}@"))
    said = refusal(url.replace(SECRET, "right"))
    assert "may not create tables" in said


@pytest.mark.parametrize(
    "url",
    [f"postgresql://me:{SECRET}/x@host/db", f"postgresql://me:{SECRET}@host:port/db", f"mysql://me:{SECRET}@host/db"],
)
def test_a_url_that_cannot_be_read_is_told_and_not_shown(url: str) -> None:
    assert "AUTOGRID_DATABASE_URL" in refusal(url)


def test_a_server_that_is_too_old_is_refused() -> None:
    assert "version 13; AutoGrid needs 14" in version_fault(130_022)
    assert version_fault(140_000) == version_fault(180_004) == ""


def test_a_server_that_does_not_wait_for_its_disk_is_told(postgres: Site) -> None:
    async def warnings(database: Database) -> tuple[str, ...]:
        return database.warnings

    (warning,) = within(postgres, warnings)  # the shared server of these tests is such a one
    assert "fsync off" in warning


def test_a_writer_waits_for_the_disk_and_a_reader_cannot_write(postgres_ready: Site) -> None:
    async def check(database: Database) -> None:
        async with database.writing() as connection:
            shown = [
                (await connection.exec_driver_sql(f"SHOW {name}")).scalar_one()
                for name in ("synchronous_commit", "transaction_isolation", "lock_timeout")
            ]
        assert shown == ["on", "read committed", "10s"]
        with pytest.raises(UnableToRead, match="read-only transaction"):
            async with database.reading() as connection:
                await create_bot(connection, new_bot(), 1)

    within(postgres_ready, check)


def test_a_failed_statement_that_was_passed_over_is_no_silent_loss(postgres_ready: Site) -> None:
    """PostgreSQL answers COMMIT with an undoing then, and no error."""

    async def pass_over(database: Database) -> None:
        async with database.writing() as connection:
            await create_bot(connection, new_bot(), 1)
            with suppress(IntegrityError):
                await connection.execute(insert(tables.notices), {"bot_id": "nobody", "seq": 1, "at_ms": 1, "text": ""})

    async def check(database: Database) -> None:
        with pytest.raises(AssertionError, match="would keep nothing"):
            await pass_over(database)
        async with database.writing() as connection:
            assert (await connection.execute(select(tables.bots.c.id))).all() == []
            await create_bot(connection, new_bot(), 1)
        async with database.reading() as connection:
            assert len((await connection.execute(select(tables.bots.c.id))).all()) == 1

    within(postgres_ready, check)


def test_a_process_that_stops_inside_a_transaction_does_not_keep_a_lease_from_others(postgres_ready: Site) -> None:
    async def stop_inside(stopped: Database, other: Database) -> None:
        async with stopped.writing() as held:
            await held.execute(text("SELECT 1 FROM leases WHERE account = 'mine' FOR SHARE"))
            async with other.writing() as connection:
                lease = await asyncio.wait_for(take(connection, "mine", "two", 0), 5)
            assert lease is not None
            assert lease.epoch == 2
            await held.execute(text("SELECT 1"))

    async def check() -> None:
        stopped = await open_store(Postgres(postgres_ready.url, silent_ms=200))
        async with opened(postgres_ready) as other:
            async with other.writing() as connection:
                assert await take(connection, "mine", "one", 0, ttl_ms=-1)
            with pytest.raises(UnableToKeep, match="nothing of it was kept"):
                await stop_inside(stopped, other)
        await stopped.close()

    asyncio.run(check())


def test_a_lock_that_is_held_too_long_is_told(postgres_ready: Site) -> None:
    mine = text("UPDATE bots SET reason = 'x'")

    async def wait(database: Database) -> None:
        async with database.writing() as connection:
            await connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
            await connection.execute(mine)

    async def check(database: Database) -> None:
        async with database.writing() as connection:
            await create_bot(connection, new_bot(), 1)
        async with database.writing() as one:
            await one.execute(mine)
            with pytest.raises(UnableToKeep, match="another transaction has held a lock for too long"):
                await wait(database)

    within(postgres_ready, check)
