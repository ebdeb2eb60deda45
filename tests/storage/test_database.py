"""The database opens durable and up to date, or says in a sentence why it cannot."""

import asyncio
import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError, StatementError

from autogrid.storage import tables
from autogrid.storage.bots import create_bot
from autogrid.storage.database import Database, UnableToOpenDatabase, open_database, sqlite_warnings
from autogrid.storage.tables import METADATA
from tests.builders import D
from tests.storage.kept import new_bot, opened, within


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), METADATA))


def test_the_migrations_make_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    async def check(database: Database) -> list[object]:
        async with database.reading() as connection:
            return await connection.run_sync(differences)

    assert within(tmp_path, check) == []


def test_a_commit_is_on_the_disk_and_rows_that_belong_nowhere_are_refused(tmp_path: Path) -> None:
    async def check(database: Database) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        async with database.writing() as connection:
            return [(await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one() for name in names]

    full = 2
    assert within(tmp_path, check) == ["wal", full, 1, 10_000]

    async def orphan(database: Database) -> None:
        async with database.writing() as connection:
            row = {"bot_id": "nobody", "seq": 1, "at_ms": 1, "text": "who?"}
            await connection.execute(insert(tables.notices), row)

    with pytest.raises(IntegrityError):
        within(tmp_path, orphan)


def test_the_folder_and_the_file_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "down"

    async def nothing(_: Database) -> None:
        pass

    within(folder, nothing)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "autogrid.db").stat().st_mode) == 0o600


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    async def write(database: Database) -> None:
        async with database.writing() as connection:
            await connection.exec_driver_sql("CREATE TABLE mine (a INTEGER)")
            await connection.exec_driver_sql("INSERT INTO mine VALUES (7)")

    async def read(database: Database) -> int:
        async with database.reading() as connection:
            return int((await connection.exec_driver_sql("SELECT a FROM mine")).scalar_one())

    within(tmp_path, write)
    assert within(tmp_path, read) == 7


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    async def fail(database: Database) -> None:
        async with database.writing() as connection:
            await connection.exec_driver_sql("CREATE TABLE mine (a INTEGER)")
            raise RuntimeError

    async def count(database: Database) -> int:
        async with database.reading() as connection:
            found = await connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE name = 'mine'")
            return int(found.scalar_one())

    with pytest.raises(RuntimeError):
        within(tmp_path, fail)
    assert within(tmp_path, count) == 0


def test_writers_wait_for_each_other_in_one_process_and_in_two(tmp_path: Path) -> None:
    async def add(database: Database, times: int) -> None:
        for _ in range(times):
            async with database.writing() as connection:
                number = (await connection.exec_driver_sql("SELECT a FROM counter")).scalar_one()
                await asyncio.sleep(0)
                await connection.exec_driver_sql("UPDATE counter SET a = ?", (number + 1,))

    async def check() -> int:
        async with opened(tmp_path) as one, opened(tmp_path) as other:
            async with one.writing() as connection:
                await connection.exec_driver_sql("CREATE TABLE counter (a INTEGER)")
                await connection.exec_driver_sql("INSERT INTO counter VALUES (0)")
            await asyncio.gather(add(one, 10), add(one, 10), add(other, 10))
            async with one.reading() as connection:
                return int((await connection.exec_driver_sql("SELECT a FROM counter")).scalar_one())

    assert asyncio.run(check()) == 30


def refusal(folder: Path) -> str:
    with pytest.raises(UnableToOpenDatabase) as caught:
        asyncio.run(open_database(folder))
    return str(caught.value)


def test_a_database_that_is_newer_than_the_code_is_refused(tmp_path: Path) -> None:
    async def age(database: Database) -> None:
        async with database.writing() as connection:
            await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    within(tmp_path, age)
    said = refusal(tmp_path)
    assert "newer AutoGrid" in said
    assert "9999" in said
    assert "Update AutoGrid" in said


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "autogrid.db").write_bytes(b"once upon a time " * 1_000)
    assert "restore a backup" in refusal(tmp_path)


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    async def fill(database: Database) -> None:
        async with database.writing() as connection:
            await connection.exec_driver_sql("CREATE TABLE mine (a TEXT)")
            for _ in range(200):
                await connection.exec_driver_sql("INSERT INTO mine VALUES (?)", ("x" * 1_000,))

    within(tmp_path, fill)
    path = tmp_path / "autogrid.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2))
    assert "damaged" in refusal(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "choose another --data-dir" in refusal(tmp_path)


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert "choose another --data-dir" in refusal(tmp_path / "file")


def test_an_sqlite_with_the_fault_of_its_log_is_told_and_a_sound_one_is_not() -> None:
    (warning,) = sqlite_warnings((3, 51, 2))
    assert "3.51.2" in warning
    assert "3.51.3" in warning
    assert sqlite_warnings((3, 51, 3)) == sqlite_warnings((4, 0, 0)) == ()


def test_money_is_kept_to_the_last_digit_and_never_as_a_float(tmp_path: Path) -> None:
    fine = D("123456789012345678.000000000000000001")

    async def keep(database: Database, investment: Any) -> tuple[object, object]:
        async with database.writing() as connection:
            await create_bot(connection, new_bot(investment=investment), 1)
            read = (await connection.execute(select(tables.bots.c.investment))).scalar_one()
            raw = (await connection.exec_driver_sql("SELECT typeof(investment) FROM bots")).scalar_one()
            return read, raw

    assert within(tmp_path, lambda database: keep(database, fine)) == (fine, "text")
    with pytest.raises((AssertionError, StatementError)):
        within(tmp_path / "other", lambda database: keep(database, 1.5))
