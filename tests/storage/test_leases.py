"""A lease is one owner's at a time, and no step of an older epoch is kept once another has taken it over."""

import asyncio
import random
from contextlib import suppress

import pytest
from sqlalchemy import select

from autogrid.engine.lease import TTL_MS, Lease, LeaseLost
from autogrid.storage import tables
from autogrid.storage.bots import BotRow
from autogrid.storage.database import Database
from autogrid.storage.journal import SqlJournal
from autogrid.storage.leases import list_leases, release, renew, take
from autogrid.storage.orders import list_orders
from autogrid.storage.recall import load, machine_of
from autogrid.trading.event import Started, Tick
from autogrid.trading.state import BotState
from autogrid.trading.strategies.catalogue import build
from tests.builders import START_MS, D
from tests.storage.gate import Counted
from tests.storage.kept import Site, first_state, new_bot, opened, within

LONG_MS = 60_000
GONE_MS = -1
"""As how long a lease lasts: it has run out when it is taken, by the clock of whichever database."""


async def taken(
    database: Database, owner: str, now_ms: int = START_MS, ttl_ms: int = LONG_MS, account: str = "mine"
) -> Lease | None:
    async with database.writing() as connection:
        return await take(connection, account, owner, now_ms, ttl_ms)


async def held(database: Database, owner: str, ttl_ms: int = LONG_MS) -> Lease:
    lease = await taken(database, owner, ttl_ms=ttl_ms)
    assert lease is not None
    return lease


def test_a_free_lease_is_taken_and_a_held_one_is_not(place: Site) -> None:
    async def check(database: Database) -> None:
        lease = await held(database, "one")
        assert lease[:3] == ("mine", "one", 1)
        assert await taken(database, "two") is None
        other = await taken(database, "two", account="another")
        assert other is not None
        async with database.reading() as connection:
            assert await list_leases(connection) == [other, lease]

    within(place, check)


def test_a_lease_that_has_run_out_is_taken_over_at_the_next_epoch(place: Site) -> None:
    async def check(database: Database) -> None:
        first = await held(database, "one", GONE_MS)
        second = await held(database, "two")
        assert (second.owner, second.epoch) == ("two", 2)
        async with database.writing() as connection:
            assert await renew(connection, [first], START_MS) == [None]
            await release(connection, first)
            assert await list_leases(connection) == [second]
        assert await taken(database, "one") is None

    within(place, check)


def test_an_own_lease_is_renewed_at_its_epoch_and_one_that_ran_out_at_the_next(place: Site) -> None:
    async def check(database: Database) -> None:
        first = await held(database, "one", 5_000)
        again = await held(database, "one")
        assert again.epoch == first.epoch
        assert again.expires_ms > first.expires_ms
        await held(database, "one", GONE_MS)
        assert (await held(database, "one")).epoch == 2

    within(place, check)


def test_a_renewed_lease_lasts_longer_and_one_nobody_took_is_not_lost(place: Site) -> None:
    async def check(database: Database) -> None:
        lease = await held(database, "one", GONE_MS)
        async with database.writing() as connection:
            (renewed,) = await renew(connection, [lease], START_MS, LONG_MS)
        assert renewed is not None
        assert renewed.expires_ms > lease.expires_ms
        assert renewed.epoch == lease.epoch
        assert await taken(database, "two") is None

    within(place, check)


def test_a_released_lease_is_free_at_once_and_its_epoch_does_not_begin_anew(place: Site) -> None:
    async def check(database: Database) -> None:
        lease = await held(database, "one")
        async with database.writing() as connection:
            await release(connection, lease)
            assert await list_leases(connection) == []
            assert await renew(connection, [lease], START_MS) == [None]
        assert (await held(database, "two")).epoch == 2

    within(place, check)


def test_sqlite_counts_by_the_time_it_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    async def check(database: Database) -> None:
        lease = await taken(database, "one", START_MS, TTL_MS)
        assert lease is not None
        assert lease.expires_ms == START_MS + 6_000
        assert await taken(database, "two", START_MS + 5_999) is None
        assert await taken(database, "two", START_MS + 6_000) is not None

    within(tmp_path_factory.mktemp("sqlite"), check)


def test_postgres_counts_by_its_own_clock_whatever_it_is_told(postgres_ready: Site) -> None:
    async def check(database: Database) -> None:
        lease = await taken(database, "one", now_ms=0)
        assert lease is not None
        assert lease.expires_ms > START_MS
        assert await taken(database, "two", now_ms=lease.expires_ms * 2) is None

    within(postgres_ready, check)


def test_of_many_that_take_a_free_lease_at_once_one_gets_it(place: Site) -> None:
    async def check() -> None:
        async with opened(place) as one, opened(place) as two:
            for round_ in range(5):
                account = f"account {round_}"
                tries = [taken(database, f"{n}", account=account) for n, database in enumerate([one, two] * 4)]
                found = [lease for lease in await asyncio.gather(*tries) if lease is not None]
                assert [lease.epoch for lease in found] == [1]

    asyncio.run(check())


def under(database: Database, row: BotRow, state: BotState, seq: int, lease: Lease) -> SqlJournal:
    return SqlJournal(database, row.id, state, seq, (lease.account, lease.epoch))


def test_a_step_under_a_lease_is_kept_as_one_without(place: Site) -> None:
    async def check(database: Database) -> None:
        row, state = await first_state(database, new_bot())
        journal = under(database, row, state, 0, await held(database, "one"))
        bot = machine_of(row)
        for event in (Started(START_MS, "n"), Tick(START_MS, D(10_000))):
            step = bot.step(state, event)
            await journal.append(step, state, lambda: "here")
            state = step.state
        async with database.reading() as connection:
            found = await load(connection, row.id, build)
        assert found is not None
        assert (found.state, found.seq, found.cursor) == (state, 2, "here")

    within(place, check)


def test_nothing_of_a_step_is_kept_once_another_has_the_lease(place: Site) -> None:
    async def check() -> None:
        async with opened(place) as one, opened(place) as two:
            row, state = await first_state(one, new_bot())
            bot, lease = machine_of(row), await held(one, "one", GONE_MS)
            journal = under(one, row, state, 0, lease)
            first = bot.step(state, Started(START_MS, "n"))
            await journal.append(first, state, str)
            assert (await held(two, "two")).epoch == lease.epoch + 1
            second = bot.step(first.state, Tick(START_MS, D(10_000)))
            with pytest.raises(LeaseLost, match="another process has taken over the account mine since epoch 1"):
                await journal.append(second, first.state, str)
            async with two.reading() as connection:
                assert list((await connection.execute(select(tables.steps.c.seq))).scalars()) == [1]
                assert await list_orders(connection, row.id) == []

    asyncio.run(check())


def test_no_lease_on_another_account_lets_a_step_in(place: Site) -> None:
    async def check(database: Database) -> None:
        row, state = await first_state(database, new_bot())
        await held(database, "one")
        step = machine_of(row).step(state, Started(START_MS, "n"))
        for lease in (Lease("another", "one", 1, 0), Lease("mine", "one", 2, 0)):
            with pytest.raises(LeaseLost):
                await under(database, row, state, 0, lease).append(step, state, str)

    within(place, check)


def test_bots_whose_lease_is_lost_do_not_hold_up_others_that_share_their_commit(place: Site) -> None:
    async def check(database: Database) -> None:
        lost, good = await held(database, "one", GONE_MS), None
        assert (await held(database, "two")).epoch == 2
        good = await taken(database, "one", account="another")
        assert good is not None
        appends = []
        for number in range(10):
            row, state = await first_state(database, new_bot(f"bot {number}"))
            journal = under(database, row, state, 0, good if number % 2 else lost)
            appends.append(journal.append(machine_of(row).step(state, Started(START_MS, "n")), state, str))
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [LeaseLost, type(None)] * 5

    within(place, check)


def test_a_take_over_waits_for_a_step_that_is_being_kept(postgres_ready: Site) -> None:
    """Else the step would come to stand after the new owner has looked what stands."""

    async def check() -> None:
        async with opened(postgres_ready) as real, opened(postgres_ready) as two:
            one = Counted(real)
            row, state = await first_state(one, new_bot())
            journal = under(one, row, state, 0, await held(one, "one", GONE_MS))
            one.arrived.clear()
            one.gate.clear()
            step = machine_of(row).step(state, Started(START_MS, "n"))
            append = asyncio.create_task(journal.append(step, state, str))
            await one.arrived.wait()
            take_over = asyncio.create_task(held(two, "two"))
            await asyncio.wait({take_over}, timeout=0.2)
            assert not take_over.done()
            one.gate.set()
            assert (await take_over).epoch == 2
            assert await count_steps(two, row) == 1
            await append

    asyncio.run(check())


def test_a_step_waits_for_a_take_over_that_has_begun_and_is_not_kept(postgres_ready: Site) -> None:
    async def check() -> None:
        async with opened(postgres_ready) as one, opened(postgres_ready) as two:
            row, state = await first_state(one, new_bot())
            journal = under(one, row, state, 0, await held(one, "one", GONE_MS))
            step = machine_of(row).step(state, Started(START_MS, "n"))
            async with two.writing() as connection:
                assert await take(connection, "mine", "two", START_MS) is not None
                append = asyncio.create_task(journal.append(step, state, str))
                await asyncio.wait({append}, timeout=0.2)
                assert not append.done()
            with pytest.raises(LeaseLost):
                await append
            assert await count_steps(two, row) == 0

    asyncio.run(check())


def test_a_take_over_that_is_undone_lets_the_step_in(postgres_ready: Site) -> None:
    async def check() -> None:
        async with opened(postgres_ready) as one, opened(postgres_ready) as two:
            row, state = await first_state(one, new_bot())
            journal = under(one, row, state, 0, await held(one, "one", GONE_MS))
            step = machine_of(row).step(state, Started(START_MS, "n"))
            append = None
            with suppress(RuntimeError):
                async with two.writing() as connection:
                    assert await take(connection, "mine", "two", START_MS) is not None
                    append = asyncio.create_task(journal.append(step, state, str))
                    await asyncio.wait({append}, timeout=0.1)
                    raise RuntimeError
            assert append is not None
            await append
            assert await count_steps(two, row) == 1

    asyncio.run(check())


async def append_until_lost(database: Database, row: BotRow, state: BotState, lease: Lease) -> int:
    """Steps under `lease`, one after another, until it is lost; how many were kept."""
    bot, journal = machine_of(row), under(database, row, state, 0, lease)
    while True:
        step = bot.step(state, Started(START_MS, f"{lease.epoch}-{journal.seq}"))
        try:
            await journal.append(step, state, str)
        except LeaseLost:
            return journal.seq
        state = step.state


@pytest.mark.parametrize(
    "rounds", [pytest.param(8, id="a few"), pytest.param(300, id="many", marks=pytest.mark.reliability)]
)
def test_no_step_of_an_older_epoch_is_kept_after_a_take_over(postgres_ready: Site, rounds: int) -> None:
    """Steps of several bots race with a take-over; what stands when it has committed is all that ever stands."""
    chance = random.Random(rounds)

    async def one_round(one: Database, two: Database, number: int) -> int:
        account = f"account {number}"
        lease = await taken(one, "one", account=account, ttl_ms=GONE_MS)
        assert lease is not None
        bots = [await first_state(one, new_bot(f"bot {number} {n}")) for n in range(3)]
        running = [asyncio.create_task(append_until_lost(one, row, state, lease)) for row, state in bots]
        await asyncio.sleep(chance.uniform(0, 0.03))
        assert await asyncio.wait_for(taken(two, "two", account=account), 5) is not None
        at_take_over = [await count_steps(two, row) for row, _ in bots]
        kept = await asyncio.gather(*running)
        assert [await count_steps(two, row) for row, _ in bots] == at_take_over == kept
        return sum(kept)

    async def check() -> int:
        async with opened(postgres_ready) as one, opened(postgres_ready) as two:
            return sum([await one_round(one, two, number) for number in range(rounds)])

    assert asyncio.run(check()) > rounds


async def count_steps(database: Database, row: BotRow) -> int:
    async with database.reading() as connection:
        found = await connection.execute(select(tables.steps.c.seq).where(tables.steps.c.bot_id == row.id))
        return len(found.all())
