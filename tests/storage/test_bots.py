"""Bots are found by what people call them, changed by what people want, and taken away only when nothing can trade."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.storage import tables
from autogrid.storage.bots import (
    UnableToCreateBot,
    UnableToDeleteBot,
    UnableToFindBot,
    begun_on,
    create_bot,
    delete_bot,
    find_bot,
    list_bots,
    set_actual,
    set_config,
    set_price,
    set_wanted,
)
from autogrid.storage.database import Database
from autogrid.storage.orders import list_fills, list_orders
from autogrid.storage.requests import add_request, mark_taken, take_requests
from autogrid.trading.event import Started, Tick
from autogrid.trading.market import ThirdAsset
from autogrid.trading.risk import Limits
from tests.builders import START_MS, D, market
from tests.storage.kept import CELLS, Site, first_state, live, new_bot, tell, wild_tape, within

T = TypeVar("T")


def written(place: Site, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """What `work` gives in one transaction."""

    async def do(database: Database) -> T:
        async with database.writing() as connection:
            return await work(connection)

    return within(place, do)


def test_a_bot_is_read_back_as_it_was_made(place: Site) -> None:
    limits = Limits(D(500), orders_a_minute=7, ladder=(D("0.04"), D("0.1"), D("0.2")))
    on = market(fee_in=ThirdAsset("BNB", D("600.5")), max_orders=9, least_share=D("0.2"))
    new = new_bot(
        "Zé's grid", on=on, limits=limits, investment=D(500), own_base=D("0.1"), tape="a b.csv", speed=D("2.5")
    )

    async def check(connection: AsyncConnection) -> None:
        made = await create_bot(connection, new, 5)
        assert len(made.id) == 8
        assert made.id[0] == "b"
        assert made.id.isalnum()
        assert made.id.islower()
        assert (made.wanted, made.actual, made.reason) == ("stopped", "stopped", "")
        assert (made.created_ms, made.changed_ms, made.symbol) == (5, 5, "BTC/USDT")
        assert {name: getattr(made, name) for name in new._fields} == new._asdict()
        assert await find_bot(connection, made.id) == made
        assert await list_bots(connection) == [made]

    written(place, check)


def test_a_bot_is_found_by_its_id_its_name_or_the_start_of_its_id(place: Site) -> None:
    async def check(connection: AsyncConnection) -> None:
        made = [await create_bot(connection, new_bot(f"bot {number}"), number) for number in range(3)]
        for bot, new_id in zip(made, ("baa00000", "bab00000", "bc000000"), strict=True):
            await connection.execute(update(tables.bots).where(tables.bots.c.id == bot.id).values(id=new_id))
        assert (await find_bot(connection, "baa00000")).name == "bot 0"
        assert (await find_bot(connection, "bot 1")).id == "bab00000"
        assert (await find_bot(connection, "bc")).name == "bot 2"
        with pytest.raises(UnableToFindBot, match=r"'ba' may be baa00000 \(bot 0\), bab00000 \(bot 1\); write more"):
            await find_bot(connection, "ba")
        with pytest.raises(UnableToFindBot, match=r"no bot is called 'bz'; there are baa00000 \(bot 0\), "):
            await find_bot(connection, "bz")
        with pytest.raises(UnableToFindBot, match="no bot is called ''"):
            await find_bot(connection, "")

    written(place, check)


def test_where_there_are_no_bots_that_is_said(place: Site) -> None:
    async def check(connection: AsyncConnection) -> None:
        with pytest.raises(UnableToFindBot, match="there are no bots yet"):
            await find_bot(connection, "b")

    written(place, check)


def test_a_name_that_is_the_start_of_an_id_wins(place: Site) -> None:
    async def check(connection: AsyncConnection) -> None:
        first = await create_bot(connection, new_bot("one"), 1)
        second = await create_bot(connection, new_bot(first.id[:3]), 2)
        assert await find_bot(connection, first.id[:3]) == second

    written(place, check)


def test_of_an_account_those_are_told_that_ran_and_have_not_ended(place: Site) -> None:
    async def check(database: Database) -> None:
        ran, _ = await first_state(database, new_bot("ran", account="main"))
        ended, _ = await first_state(database, new_bot("ended", account="main"))
        gone, _ = await first_state(database, new_bot("gone", account="main"))
        await first_state(database, new_bot("elsewhere", account="other"))
        async with database.writing() as connection:
            await create_bot(connection, new_bot("never ran", account="main"), 9)
            await set_actual(connection, ended.id, "ended", "it is over", 9)
            await delete_bot(connection, gone.id, 9)
            assert await begun_on(connection, "main") == [ran.id]

    within(place, check)


def test_a_name_is_given_once_until_its_bot_is_deleted(place: Site) -> None:
    async def check(connection: AsyncConnection) -> None:
        first = await create_bot(connection, new_bot("one"), 1)
        with pytest.raises(UnableToCreateBot, match="'one' exists already"):
            await create_bot(connection, new_bot("one"), 2)
        await delete_bot(connection, first.id, 3)
        second = await create_bot(connection, new_bot("one"), 4)
        assert await list_bots(connection) == [second]
        assert (await connection.execute(select(func.count()).select_from(tables.bots))).scalar_one() == 2

    written(place, check)


def test_what_is_wanted_and_what_is_are_two_things(place: Site) -> None:
    async def check(connection: AsyncConnection) -> None:
        made = await create_bot(connection, new_bot(), 1)
        await set_wanted(connection, made.id, "running", 2)
        await set_actual(connection, made.id, "error", "the tape is gone", 3)
        await set_price(connection, made.id, D("98000.5"), 77)
        now = await find_bot(connection, made.id)
        assert (now.wanted, now.actual, now.reason, now.changed_ms) == ("running", "error", "the tape is gone", 3)
        assert (now.price, now.price_ms) == (D("98000.5"), 77)

    written(place, check)


def test_a_bot_that_never_ran_takes_another_configuration(place: Site) -> None:
    async def check(connection: AsyncConnection) -> None:
        made = await create_bot(connection, new_bot(), 1)
        await set_config(connection, made.id, {**CELLS, "start": "own", "own_base": "2"}, D(2), 2)
        now = await find_bot(connection, made.id)
        assert now.config["own_base"] == "2"
        assert now.own_base == D(2)

    written(place, check)


@pytest.mark.parametrize("actual", ["starting", "running", "paused", "stopping"])
def test_a_bot_that_runs_is_not_deleted(place: Site, actual: str) -> None:
    async def check(connection: AsyncConnection) -> None:
        made = await create_bot(connection, new_bot(), 1)
        await set_actual(connection, made.id, actual, "", 2)  # type: ignore[arg-type]
        with pytest.raises(UnableToDeleteBot, match=f"is {actual}; stop it first"):
            await delete_bot(connection, made.id, 3)
        await set_actual(connection, made.id, "error", "", 4)
        await delete_bot(connection, made.id, 5)
        assert await list_bots(connection) == []

    written(place, check)


def test_a_bot_whose_orders_may_trade_at_an_exchange_is_not_deleted(place: Site) -> None:
    async def check(database: Database) -> None:
        row, _ = await first_state(database, new_bot(account="my keys"))
        await tell(database, row, [Started(START_MS, "n"), Tick(START_MS, D(10_000))])
        async with database.writing() as connection:
            living = len(await list_orders(connection, row.id, only_open=True))
            with pytest.raises(UnableToDeleteBot, match=f"{living} orders of bot {row.id} may still trade"):
                await delete_bot(connection, row.id, 3)
            await connection.execute(update(tables.orders).values(status="cancelled"))
            await delete_bot(connection, row.id, 4)

    within(place, check)


def test_a_deleted_bot_keeps_what_it_did(place: Site) -> None:
    async def check(database: Database) -> None:
        lived = await live(database, new_bot(), wild_tape(1, 30))
        async with database.writing() as connection:
            fills = await list_fills(connection, lived.row.id)
            await delete_bot(connection, lived.row.id, 4)
            assert len(fills) > 3
            assert await list_fills(connection, lived.row.id) == fills

    within(place, check)


def test_requests_are_taken_in_the_order_they_were_made_and_once(place: Site) -> None:
    async def check(connection: AsyncConnection) -> None:
        one = await create_bot(connection, new_bot("one"), 1)
        two = await create_bot(connection, new_bot("two"), 1)
        pause = await add_request(connection, one.id, "pause", {"cancel": "yes"}, 10)
        await add_request(connection, two.id, "kill", {}, 11)
        edit = await add_request(connection, one.id, "edit", {"upper": "12000"}, 12)
        asked = await take_requests(connection, one.id)
        assert [(r.id, r.kind, r.payload, r.made_ms, r.taken_seq) for r in asked] == [
            (pause, "pause", {"cancel": "yes"}, 10, None),
            (edit, "edit", {"upper": "12000"}, 12, None),
        ]
        await mark_taken(connection, pause, 7)
        await mark_taken(connection, pause, 9)
        assert [request.id for request in await take_requests(connection, one.id)] == [edit]
        taken = select(tables.requests.c.taken_seq).where(tables.requests.c.id == pause)
        assert (await connection.execute(taken)).scalar_one() == 7

    written(place, check)
