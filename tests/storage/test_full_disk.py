"""A disk that is full: it is told, nothing that was kept is lost, and once there is room the bot goes on."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from autogrid.storage.bots import BotRow
from autogrid.storage.commits import UnableToKeep
from autogrid.storage.database import Database
from autogrid.storage.journal import SqlJournal
from autogrid.storage.recall import load, machine_of
from autogrid.trading.event import Started
from autogrid.trading.state import BotState
from autogrid.trading.strategies.catalogue import build
from tests.builders import START_MS
from tests.postgres import own_server
from tests.storage.kept import Site, first_state, new_bot, opened


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 24 MB, where the user that PostgreSQL runs as may go too."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux may make a small disk")
    place = Path(tempfile.mkdtemp(prefix="disk"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=777", "none", place], check=False)
    if mounted.returncode:
        place.rmdir()
        pytest.skip("this system lets nobody make a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)
        place.rmdir()


async def go_on(database: Database, row: BotRow, state: BotState, seq: int, steps: int) -> int:
    """Append up to so many steps, from where the journal stands; the number of the last one that was kept."""
    journal, bot = SqlJournal(database, row.id, state, seq), machine_of(row)
    for _ in range(steps):
        step = bot.step(state, Started(START_MS, f"n{journal.seq}" + "x" * 4_000))
        (fault,) = await asyncio.gather(journal.append(step, state, str), return_exceptions=True)
        if fault is not None:
            assert isinstance(fault, UnableToKeep)
            assert "full" in str(fault)
            assert not fault.in_doubt
            break
        state = step.state
    return journal.seq


async def check_that_nothing_is_lost(database: Database, fill: "Filler") -> None:
    row, state = await first_state(database, new_bot())
    first = await go_on(database, row, state, 0, 5)
    assert first == 5
    fill.up()
    async with database.reading() as connection:
        before = await load(connection, row.id, build)
    assert before is not None
    last = await go_on(database, row, before.state, before.seq, 5_000)
    assert last < 5_005
    fill.empty()
    async with database.reading() as connection:
        found = await load(connection, row.id, build)
    assert found is not None
    assert found.seq == last
    assert await go_on(database, row, found.state, found.seq, 3) == last + 3


class Filler:
    """Fills a disk but for a little, and empties it again."""

    def __init__(self, disk: Path) -> None:
        self._file = disk / "filler"

    def up(self) -> None:
        free = shutil.disk_usage(self._file.parent).free
        self._file.write_bytes(bytes(max(0, free - 200_000)))

    def empty(self) -> None:
        self._file.unlink()


def test_a_full_disk_loses_nothing_on_sqlite(small_disk: Path) -> None:
    async def check() -> None:
        async with opened(small_disk) as database:
            await check_that_nothing_is_lost(database, Filler(small_disk))

    asyncio.run(check())


def test_a_full_disk_loses_nothing_on_postgres(small_disk: Path) -> None:
    """The tables lie on the small disk; the server's log does not, for without it PostgreSQL stops altogether."""
    with own_server() as server:
        place = small_disk / "tables"
        place.mkdir()
        shutil.chown(place, Path(server.socket_dir).owner())
        server.sql(f"CREATE TABLESPACE small LOCATION '{place}'", "CREATE DATABASE little TABLESPACE small")

        async def check() -> None:
            async with opened(Site(Path(), server.url("little"))) as database:
                await check_that_nothing_is_lost(database, Filler(small_disk))

        asyncio.run(check())
        server.sql("DROP DATABASE little WITH (FORCE)", "DROP TABLESPACE small")


def test_a_database_that_may_not_grow_says_so_and_keeps_what_it_has(tmp_path: Path) -> None:
    """As on a full disk, for those who may not make one."""

    class Limit(Filler):
        pages = 1 << 30

        def up(self) -> None:
            self.pages = 1

        def empty(self) -> None:
            self.pages = 1 << 30

    async def check() -> None:
        limit = Limit(tmp_path)
        async with opened(tmp_path) as database:
            engines = database._engines
            assert engines.direct is not None
            for engine in (engines.writer.sync_engine, engines.direct):
                event.listen(
                    engine,
                    "begin",
                    lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count={limit.pages}"),
                )
            await check_that_nothing_is_lost(database, limit)

    asyncio.run(check())
