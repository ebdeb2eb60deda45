"""A connection that is lost while a step is kept: the step is there whole or not at all, and who asked is told."""

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from autogrid.storage import tables
from autogrid.storage.bots import BotRow
from autogrid.storage.commits import UnableToKeep
from autogrid.storage.database import Database, UnableToRead, open_store
from autogrid.storage.journal import SqlJournal, UnableToAppend
from autogrid.storage.orders import list_orders
from autogrid.storage.postgres import Postgres
from autogrid.storage.recall import Loaded, load, machine_of
from autogrid.trading.event import Started, Tick
from autogrid.trading.plan import Place
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.catalogue import build
from tests.builders import START_MS, D
from tests.postgres import Server, own_server, shared_server
from tests.storage.kept import Site, first_state, new_bot, opened
from tests.storage.relay import Relay, relay


async def loaded(database: Database, bot_id: str) -> Loaded:
    async with database.reading() as connection:
        found = await load(connection, bot_id, build)
    assert found is not None
    return found


async def started(database: Database, name: str = "first") -> tuple[BotRow, SqlJournal, BotState]:
    """A bot whose first step is kept; its next places orders."""
    row, state = await first_state(database, new_bot(name))
    step = machine_of(row).step(state, Started(START_MS, "n"))
    journal = SqlJournal(database, row.id, state, 0)
    await journal.append(step, state, str)
    return row, journal, step.state


def opening(row: BotRow, state: BotState) -> Step:
    """The step that places the first orders."""
    step = machine_of(row).step(state, Tick(START_MS, D(10_000)))
    assert any(isinstance(command, Place) for command in step.commands)
    return step


async def whole(database: Database, row: BotRow, step: Step) -> bool:
    """Whether the second step is there with its orders; it may not be there in part."""
    async with database.reading() as connection:
        orders = await list_orders(connection, row.id)
        steps = (await connection.execute(select(func.count()).where(tables.steps.c.bot_id == row.id))).scalar_one()
    placed = {command.order.id for command in step.commands if isinstance(command, Place)}
    assert (steps, {order.id for order in orders}) in ((1, set()), (2, placed))
    assert (await loaded(database, row.id)).seq == steps
    return bool(steps == 2)


@asynccontextmanager
async def through_relay(site: Site, answer_s: float = 20.0) -> AsyncIterator[tuple[Database, Relay]]:
    """The database, reached through a relay."""
    with tempfile.TemporaryDirectory(prefix="r") as folder:
        async with relay(shared_server().socket_dir, Path(folder)) as between:
            url = site.url.replace(str(shared_server().socket_dir), folder)
            database = await open_store(Postgres(url, answer_s))
            try:
                yield database, between
            finally:
                between.fault = ""
                await database.close()


@pytest.mark.parametrize(("fault", "is_there"), [("cut before", False), ("cut after", True)])
def test_a_connection_that_is_cut_at_commit_leaves_the_step_whole_or_not_there(
    postgres_ready: Site, fault: str, is_there: bool
) -> None:
    async def check() -> None:
        async with through_relay(postgres_ready) as (database, between):
            row, journal, state = await started(database)
            step, before = opening(row, state), between.commits
            between.fault = fault  # type: ignore[assignment]
            with pytest.raises(UnableToKeep, match=r"whether it was kept is not known: .*connection") as caught:
                await journal.append(step, state, str)
            assert caught.value.in_doubt
            assert between.commits == before + 1
            between.fault = ""
            with pytest.raises(UnableToAppend, match="load the bot from its journal"):
                await journal.append(step, state, str)
            assert await whole(database, row, step) is is_there

            found = await loaded(database, row.id)
            again = SqlJournal(database, row.id, found.state, found.seq)
            if not is_there:
                await again.append(step, found.state, str)
            assert await whole(database, row, step)

    asyncio.run(check())


@pytest.mark.parametrize(("fault", "in_doubt"), [("silent", True), ("mute", False)])
def test_a_server_that_falls_silent_is_given_up_and_found_again(
    postgres_ready: Site, fault: str, in_doubt: bool
) -> None:
    async def check() -> None:
        async with through_relay(postgres_ready, answer_s=0.3) as (database, between):
            row, journal, state = await started(database)
            step = opening(row, state)
            between.fault = fault  # type: ignore[assignment]
            with pytest.raises(UnableToKeep, match="the PostgreSQL server does not answer") as caught:
                await asyncio.wait_for(journal.append(step, state, str), 10)
            assert caught.value.in_doubt is in_doubt
            if fault == "mute":
                with pytest.raises(UnableToRead, match="the PostgreSQL server does not answer"):
                    await asyncio.wait_for(loaded(database, row.id), 10)
            between.fault = ""
            await whole(database, row, step)
            found = await loaded(database, row.id)
            if found.seq == 1:
                await SqlJournal(database, row.id, found.state, 1).append(step, found.state, str)
            assert await whole(database, row, step)

    asyncio.run(check())


@pytest.fixture(scope="module")
def mortal() -> Iterator[Server]:
    """A server that these tests may kill."""
    with own_server() as server:
        yield server


def test_a_server_that_is_killed_between_two_transactions_is_found_again(mortal: Server) -> None:
    async def check(server: Server) -> None:
        async with opened(Site(Path(), server.url())) as database:
            row, journal, state = await started(database, "killed between")
            step = opening(row, state)
            server.kill()
            with pytest.raises(UnableToKeep, match="nothing of it was kept: ") as caught:
                await journal.append(step, state, str)
            assert not caught.value.in_doubt
            with pytest.raises(UnableToRead, match="the database cannot be read: "):
                await loaded(database, row.id)
            server.start()
            assert not await whole(database, row, step)
            found = await loaded(database, row.id)
            await SqlJournal(database, row.id, found.state, found.seq).append(step, found.state, str)
            assert await whole(database, row, step)

    asyncio.run(check(mortal))


async def kill_while_appending(server: Server, database: Database, name: str, after_s: float) -> tuple[bool, bool]:
    """Whether `append` returned, and whether the step is there after a restart."""
    row, journal, state = await started(database, name)
    step = opening(row, state)
    append = asyncio.create_task(journal.append(step, state, str))
    await asyncio.sleep(after_s)
    await asyncio.to_thread(server.kill)
    (outcome,) = await asyncio.gather(append, return_exceptions=True)
    assert outcome is None or isinstance(outcome, UnableToKeep), outcome
    server.start()
    is_there = await whole(database, row, step)
    if isinstance(outcome, UnableToKeep) and not outcome.in_doubt:
        assert not is_there
    return outcome is None, is_there


@pytest.mark.parametrize(
    "kills", [pytest.param(4, id="a few"), pytest.param(60, id="many", marks=pytest.mark.reliability)]
)
def test_a_server_killed_while_a_step_is_kept_has_it_whole_or_not_at_all(mortal: Server, kills: int) -> None:
    chance = random.Random(kills)

    async def check(server: Server) -> list[tuple[bool, bool]]:
        async with opened(Site(Path(), server.url())) as database:
            return [
                await kill_while_appending(server, database, f"bot {number}", chance.uniform(0, 0.01))
                for number in range(kills)
            ]

    found = asyncio.run(check(mortal))
    assert all(is_there for returned, is_there in found if returned), found
