"""The leases of a process: renewed together, lost one by one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.engine.lease import TTL_MS
from autogrid.services.leases import Leases, free_leases
from autogrid.storage.database import Database, open_database
from autogrid.storage.leases import take


class Counted(Database):
    """Counts its writing transactions, each of which waits for the disk."""

    written = 0

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        self.written += 1
        async with super().writing() as connection:
            yield connection


async def counted(folder: Path) -> Counted:
    database = await open_database(folder)
    return Counted(database._store, database._engines)


@pytest.mark.asyncio
async def test_however_many_leases_there_are_one_transaction_renews_them(tmp_path: Path) -> None:
    database = await counted(tmp_path)
    now = [1_000]
    leases = Leases(database, "me", lambda: now[0], lambda: now[0])
    await leases.want(["a", "b", "c"])
    now[0] += 3_000
    before = database.written
    assert await leases.renew_all() == []
    assert database.written == before + 1
    now[0] += 3_000
    holds = [leases.of(account) for account in "abc"]
    assert all(hold is not None and hold.may_send() for hold in holds)
    await database.close()


@pytest.mark.asyncio
async def test_a_lease_that_another_took_is_lost_and_the_others_are_renewed(tmp_path: Path) -> None:
    database = await counted(tmp_path)
    now = [1_000]
    leases = Leases(database, "me", lambda: now[0], lambda: now[0])
    await leases.want(["a", "b"])
    now[0] += TTL_MS + 1
    async with database.writing() as connection:
        assert await take(connection, "a", "another", now[0]) is not None
    assert await leases.renew_all() == ["a"]
    lost, kept = leases.of("a"), leases.of("b")
    assert lost is not None
    assert lost.lost
    assert not lost.may_send()
    assert kept is not None
    assert kept.may_send()
    await database.close()


@pytest.mark.asyncio
async def test_without_leases_nothing_is_written(tmp_path: Path) -> None:
    database = await counted(tmp_path)
    assert await Leases(database, "me").renew_all() == []
    assert not database.written
    await database.close()


@pytest.mark.asyncio
async def test_what_a_dead_engine_held_can_be_had_at_once_and_its_epoch_is_over(tmp_path: Path) -> None:
    database = await counted(tmp_path)
    now = [1_000]
    dead = Leases(database, "dead", lambda: now[0], lambda: now[0])
    await dead.want(["a", "b"])
    mine = Leases(database, "me", lambda: now[0], lambda: now[0])
    await mine.want(["a"])
    assert mine.held == []
    await free_leases(database)
    await mine.want(["a", "b"])
    assert mine.held == ["a", "b"]
    old, new = dead.of("a"), mine.of("a")
    assert old is not None
    assert new is not None
    assert new.lease.epoch == old.lease.epoch + 1
    assert await dead.renew_all() == ["a", "b"]
    await database.close()
