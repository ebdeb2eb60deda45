"""A file of SQLite: durable, for its owner only, and refused in a sentence where it cannot be used."""

import asyncio
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from autogrid.storage.database import Database, UnableToOpenDatabase, open_database
from autogrid.storage.sqlite import sqlite_warnings
from tests.storage.kept import opened, within


def refusal(folder: Path) -> str:
    with pytest.raises(UnableToOpenDatabase) as caught:
        asyncio.run(open_database(folder))
    return str(caught.value)


def test_a_commit_is_on_the_disk(tmp_path: Path) -> None:
    async def check(database: Database) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        async with database.writing() as connection:
            return [(await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one() for name in names]

    full = 2
    assert within(tmp_path, check) == ["wal", full, 1, 10_000]


def test_the_folder_and_the_file_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "down"

    async def nothing(_: Database) -> None:
        pass

    within(folder, nothing)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "autogrid.db").stat().st_mode) == 0o600


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
