"""The state is the fold of the journal, exactly; and what is shown is drawn from the same steps."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Table, Text, insert, select, update
from sqlalchemy.exc import DBAPIError

from autogrid.storage import journal as journals
from autogrid.storage import tables
from autogrid.storage.bots import create_bot
from autogrid.storage.database import Database
from autogrid.storage.encoding import VERSION, decode_any, decode_many, encode
from autogrid.storage.journal import SqlJournal, UnableToAppend
from autogrid.storage.orders import count_fills, list_fills, list_orders
from autogrid.storage.recall import Loaded, Replayed, UnableToReplay, load, replay
from autogrid.trading.event import Accepted, Event, Filled, PauseAsked, Started, Tick
from autogrid.trading.order import OPEN
from autogrid.trading.plan import Place
from autogrid.trading.risk import Limits
from autogrid.trading.state import BotState, find
from autogrid.trading.strategies.catalogue import build
from tests.builders import START_MS, D, market
from tests.storage.kept import CELLS, Site, first_state, live, new_bot, opened, tell, wild_tape, within

MOVED_BY_TICKS = {"price", "at_ms", "risk", "bounds", "retry_ms", "refused", "backoffs"}
"""What ticks that are not kept may still move after the last step. The tape tells those ticks again."""


async def loaded(database: Database, bot_id: str) -> Loaded:
    async with database.reading() as connection:
        found = await load(connection, bot_id, build)
    assert found is not None
    return found


async def replayed(database: Database, bot_id: str) -> Replayed:
    async with database.reading() as connection:
        return await replay(connection, bot_id, build)


LADDER = (D("0.2"), D("0.25"), D("0.3"))
RUNS: dict[str, dict[str, Any]] = {
    "plain": {},
    "told every point": {"thin": False, "clock": True},
    "with breakers": {
        "limits": Limits(D(10_000), ladder=(D("0.04"), D("0.1"), D("0.2"))),
        "thin": False,
        "clock": True,
    },
    "few orders a minute": {"limits": Limits(D(10_000), orders_a_minute=2), "thin": False, "clock": True},
    "few orders rest": {"on": market(max_orders=6)},
    "stop-loss": {"config": {**CELLS, "stop_loss": "8900"}},
    "fees in quote": {"on": market(fee_in="quote")},
}


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("seed", [1])
def test_the_state_is_the_fold_of_the_journal(place: Site, name: str, seed: int) -> None:
    run = dict(RUNS[name])
    walk = {key: run.pop(key) for key in ("thin", "clock") if key in run}

    async def check(database: Database) -> None:
        lived = await live(database, new_bot(**run), wild_tape(seed, 160), **walk)
        found = await loaded(database, lived.row.id)
        assert found.state == lived.kept
        assert encode(found.state) == encode(lived.kept)
        assert found.seq == len(lived.steps) > 40
        moved = {name for name, a, b in zip(BotState._fields, lived.kept, lived.last, strict=True) if a != b}
        assert moved <= MOVED_BY_TICKS
        assert await replayed(database, lived.row.id) == Replayed(found.seq, None)

    within(place, check)


def test_every_step_stands_in_the_journal_as_it_was(place: Site) -> None:
    async def check(database: Database) -> None:
        lived = await live(database, new_bot(), wild_tape(3, 60))
        async with database.reading() as connection:
            rows = (await connection.execute(select(tables.steps).order_by(tables.steps.c.seq))).all()
        assert [row.seq for row in rows] == list(range(1, len(lived.steps) + 1))
        for row, step in zip(rows, lived.steps, strict=True):
            assert decode_any(row.event) == step.event
            assert (row.kind, row.at_ms, row.note) == (type(step.event).__name__, step.event.at_ms, step.note)
            assert decode_many(row.commands) == step.commands
            assert decode_many(row.refused) == step.refused
            assert ":" in row.cursor or isinstance(step.event, Started)

    within(place, check)


def test_orders_and_fills_are_shown_as_the_state_holds_them(place: Site) -> None:
    async def check(database: Database) -> None:
        lived = await live(database, new_bot(), wild_tape(4, 120))
        async with database.reading() as connection:
            orders = await list_orders(connection, lived.row.id)
            living = await list_orders(connection, lived.row.id, only_open=True)
            fills = await list_fills(connection, lived.row.id, oldest_first=True)
            last_two = await list_fills(connection, lived.row.id, limit=2, offset=1)
            assert await count_fills(connection, lived.row.id) == len(fills)
        placed = [c.order for step in lived.steps for c in step.commands if isinstance(c, Place)]
        assert {order.id for order in orders} == {order.id for order in placed}
        assert {order.id for order in living} == {order.id for order in lived.kept.standing.values()}
        assert all(order.status in OPEN for order in living)
        for shown in orders:
            held = find(lived.kept, shown.id)
            if held is not None:
                assert {name: getattr(held, name) for name in held._fields if hasattr(shown, name)} == {
                    name: getattr(shown, name) for name in held._fields if hasattr(shown, name)
                }
        told = [step.event for step in lived.steps if isinstance(step.event, Filled)]
        assert [(f.fill_id, f.price, f.quantity, f.fee) for f in fills] == [
            (f.fill_id, f.price, f.quantity, f.fee) for f in told
        ]
        assert last_two == list(reversed(fills))[1:3]
        tally = lived.kept.strategy.tally(lived.kept.memory)
        assert sum((f.profit for f in fills if f.profit is not None), D(0)) == tally.profit > 0
        assert sum(f.profit is not None for f in fills) == tally.round_trips

    within(place, check)


def test_only_the_first_snapshot_and_the_newest_two_are_kept(place: Site) -> None:
    async def check(database: Database) -> None:
        lived = await live(database, new_bot(), wild_tape(5, 400))
        async with database.reading() as connection:
            kept = list((await connection.execute(select(tables.snapshots.c.seq))).scalars())
        newest = len(lived.steps) // 100 * 100
        assert newest >= 300
        assert kept == [0, newest - 100, newest]

    within(place, check)


def test_a_bot_that_never_ran_has_nothing_to_load(place: Site) -> None:
    async def check(database: Database) -> None:
        async with database.writing() as connection:
            row = (await create_bot(connection, new_bot(), START_MS)).id
        async with database.reading() as connection:
            assert await load(connection, row, build) is None
            assert await replay(connection, row, build) == Replayed(0, None)

    within(place, check)


def test_a_bot_that_is_about_to_start_is_loaded_as_it_is(place: Site) -> None:
    async def check(database: Database) -> None:
        row, state = await first_state(database, new_bot())
        found = await loaded(database, row.id)
        assert (found.state, found.seq, found.cursor) == (state, 0, "")

    within(place, check)


def test_what_unkept_ticks_moved_stands_with_the_next_step(place: Site) -> None:
    """A price that is remembered from a tick nobody kept decides what is sent after it."""

    async def check(database: Database) -> None:
        row, _ = await first_state(database, new_bot(config={**CELLS, "start": "wait"}))
        ticks: list[Event] = [Started(START_MS, "n"), Tick(START_MS, D(9_990)), Tick(START_MS + 5, D("9995.5"))]
        state = await tell(database, row, [*ticks, PauseAsked(START_MS + 9, True)])
        assert state.price == D("9995.5")
        found = await loaded(database, row.id)
        assert found.state == state
        assert found.seq == 3
        async with database.reading() as connection:
            before = list((await connection.execute(select(tables.steps.c.before))).scalars())
        assert before[:2] == ["", ""]
        assert before[2] == f'{{"version":{VERSION},"price":"9995.5","at_ms":{START_MS + 5}}}'

    within(place, check)


async def change(database: Database, seq: int, **values: str) -> None:
    async with database.writing() as connection:
        await connection.execute(update(tables.steps).where(tables.steps.c.seq == seq).values(**values))


def test_a_journal_that_comes_out_otherwise_is_refused_and_the_step_is_named(place: Site) -> None:
    async def check(database: Database) -> None:
        lived = await live(database, new_bot(), wild_tape(6, 12))
        assert len(lived.steps) < 100
        victim = next(i for i, step in enumerate(lived.steps, 1) if isinstance(step.event, Filled) and step.commands)
        async with database.reading() as connection:
            steps = tables.steps
            kept = (await connection.execute(select(steps.c.commands).where(steps.c.seq == victim))).scalar_one()
        await change(database, victim, commands=kept.replace('"side":"buy"', '"side":"?"').replace("sell", "buy"))
        with pytest.raises(UnableToReplay, match=f"step {victim} of bot {lived.row.id}"):
            await loaded(database, lived.row.id)
        found = await replayed(database, lived.row.id)
        assert found.steps == victim - 1
        assert found.difference is not None
        assert (found.difference.seq, found.difference.what) == (victim, "commands")
        assert found.difference.found == kept

    within(place, check)


def test_a_snapshot_that_is_not_the_fold_is_found_by_a_replay(place: Site) -> None:
    async def check(database: Database) -> None:
        lived = await live(database, new_bot(), wild_tape(7, 150))
        async with database.writing() as connection:
            snapshots = tables.snapshots
            row = (await connection.execute(select(snapshots).order_by(snapshots.c.seq.desc()).limit(1))).one()
            false = row.state.replace('"round_trips":', '"round_trips":9')
            await connection.execute(update(snapshots).where(snapshots.c.seq == row.seq).values(state=false))
        found = await replayed(database, lived.row.id)
        assert found.difference is not None
        assert (found.difference.seq, found.difference.what) == (row.seq, "state")

    within(place, check)


def test_two_that_run_the_same_bot_do_not_both_write(place: Site) -> None:
    async def check() -> None:
        async with opened(place) as one, opened(place) as other:
            row, state = await first_state(one, new_bot())
            bot = (await loaded(one, row.id)).bot
            first, second = SqlJournal(one, row.id, state, 0), SqlJournal(other, row.id, state, 0)
            await first.append(bot.step(state, Started(START_MS, "a")), state, str)
            with pytest.raises(UnableToAppend, match="another process runs this bot"):
                await second.append(bot.step(state, Started(START_MS, "b")), state, str)
            found = await loaded(other, row.id)
            assert (found.seq, found.state.nonce, second.seq) == (1, "a", 0)

    asyncio.run(check())


def test_a_step_that_cannot_be_kept_whole_is_not_kept_at_all(place: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = insert(
        Table("nowhere", MetaData(), *(Column(name, Text) for name in [column.name for column in tables.orders.c]))
    )

    async def check(database: Database) -> None:
        row, _ = await first_state(database, new_bot())
        await tell(database, row, [Started(START_MS, "n")])
        with monkeypatch.context() as patch:
            patch.setattr(journals, "_INSERT_ORDER", nowhere)
            with pytest.raises(DBAPIError, match="nowhere"):
                await tell(database, row, [Tick(START_MS, D(10_000))])
        async with database.reading() as connection:
            assert await list_orders(connection, row.id) == []
        assert (await loaded(database, row.id)).seq == 1
        await tell(database, row, [Tick(START_MS, D(10_000))])
        assert (await loaded(database, row.id)).seq == 2

    within(place, check)


def test_what_the_exchange_calls_an_order_stands_with_it(place: Site) -> None:
    async def check(database: Database) -> None:
        row, _ = await first_state(database, new_bot())
        state = await tell(database, row, [Started(START_MS, "n"), Tick(START_MS, D(10_000))])
        one, two = list(state.standing.values())[:2]
        await tell(database, row, [Accepted(START_MS, one.id, "77"), Accepted(START_MS, two.id)])
        orders = tables.orders
        async with database.reading() as connection:
            named = await connection.execute(
                select(orders.c.id, orders.c.exchange_id).where(orders.c.exchange_id != "")
            )
            assert [tuple(order) for order in named] == [(one.id, "77")]

    within(place, check)
