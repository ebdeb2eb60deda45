"""Steps of many bots share a transaction: each is told after the commit, and one's fault is its own alone."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from autogrid.storage import tables
from autogrid.storage.commits import MOST, UnableToKeep, Write
from autogrid.storage.database import Database
from tests.storage.gate import Counted
from tests.storage.kept import Site, opened


def on_counted(place: Site, check: Callable[[Counted], Awaitable[None]]) -> None:
    async def do() -> None:
        async with opened(place) as database:
            await check(Counted(database))

    asyncio.run(do())


KILL = insert(tables.kills)  # a table whose rows need no other
NOTE = insert(tables.vault_audit)


def making(name: str, scope: str = "bot") -> list[Write]:
    row = {"scope": scope, "target": name, "made_ms": 1, "by": "", "note": ""}
    noted = {"at_ms": 1, "tenant": "", "by": "", "act": name, "note": ""}
    return [Write(NOTE, [noted]), Write(KILL, [row])]


REFUSED = making("refused", scope="nothing")


async def names(database: Database) -> set[str]:
    """What is there whole."""
    async with database.reading() as connection:
        found = set((await connection.execute(select(tables.kills.c.target))).scalars())
        assert found == set((await connection.execute(select(tables.vault_audit.c.act))).scalars())
        return found


def test_all_that_come_while_one_is_committed_share_the_next_commit(place: Site) -> None:
    async def check(database: Counted) -> None:
        database.gate.clear()
        first = asyncio.create_task(database.keep(making("first")))
        await database.arrived.wait()
        others = [asyncio.create_task(database.keep(making(f"bot {number}"))) for number in range(20)]
        await asyncio.sleep(0)
        assert not first.done()
        database.gate.set()
        await asyncio.gather(first, *others)
        assert database.commits == 2
        assert len(await names(database)) == 21

    on_counted(place, check)


def test_nobody_is_told_before_the_commit(place: Site) -> None:
    async def check(database: Counted) -> None:
        database.gate.clear()
        one, two = (asyncio.create_task(database.keep(making(name))) for name in ("one", "two"))
        await database.arrived.wait()
        await asyncio.wait({one, two}, timeout=0.05)
        assert not one.done()
        assert not two.done()
        assert await names(database) == set()
        database.gate.set()
        await one
        assert "one" in await names(database)
        await two

    on_counted(place, check)


def test_a_row_that_is_refused_leaves_the_others_alone(place: Site) -> None:
    async def check(database: Counted) -> None:
        works = [making("a"), REFUSED, making("b"), REFUSED, making("c")]
        outcomes = await asyncio.gather(*(database.keep(work) for work in works), return_exceptions=True)
        assert [outcome is None for outcome in outcomes] == [True, False, True, False, True]
        assert all(isinstance(outcome, IntegrityError) for outcome in outcomes if outcome is not None)
        assert await names(database) == {"a", "b", "c"}

    on_counted(place, check)


def test_a_database_that_fails_at_commit_is_told_to_each_and_nothing_is_done_again(place: Site) -> None:
    async def check(database: Counted) -> None:
        database.fail = UnableToKeep("whether it was kept is not known", in_doubt=True)
        outcomes = await asyncio.gather(*(database.keep(making("x")) for _ in range(3)), return_exceptions=True)
        assert all(isinstance(outcome, UnableToKeep) and outcome.in_doubt for outcome in outcomes)
        assert len({id(outcome) for outcome in outcomes}) == 3
        assert database.tries == 1
        database.fail = None
        await database.keep(making("after"))
        assert await names(database) == {"after"}

    on_counted(place, check)


def test_whoever_is_cancelled_before_its_turn_keeps_nothing(place: Site) -> None:
    async def check(database: Counted) -> None:
        database.gate.clear()
        first = asyncio.create_task(database.keep(making("first")))
        await database.arrived.wait()
        late = asyncio.create_task(database.keep(making("late")))
        await asyncio.sleep(0)
        late.cancel()
        with pytest.raises(asyncio.CancelledError):
            await late
        database.gate.set()
        await first
        assert await names(database) == {"first"}

    on_counted(place, check)


def test_whoever_is_cancelled_in_its_turn_ends_after_the_commit_and_harms_nobody(place: Site) -> None:
    """So that what is read after the cancellation is what stands."""

    async def check(database: Counted) -> None:
        database.gate.clear()
        one, two = (asyncio.create_task(database.keep(making(name))) for name in ("one", "two"))
        await database.arrived.wait()
        for _ in range(2):
            one.cancel()
            await asyncio.wait({one}, timeout=0.02)
            assert not one.done()
        database.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await one
        assert await names(database) == {"one", "two"}
        await two

    on_counted(place, check)


def test_a_transaction_holds_so_many_pieces_and_no_more(place: Site) -> None:
    async def check(database: Counted) -> None:
        await asyncio.gather(*(database.keep(making(f"{number}")) for number in range(2 * MOST + 5)))
        assert database.commits == 3
        assert len(await names(database)) == 2 * MOST + 5

    on_counted(place, check)


def test_a_database_is_closed_after_what_waits_is_kept(place: Site) -> None:
    async def check() -> None:
        async with opened(place) as database:
            waiting = [asyncio.create_task(database.keep(making(f"bot {number}"))) for number in range(5)]
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        async with opened(place) as database:
            assert len(await names(database)) == 5

    asyncio.run(check())
