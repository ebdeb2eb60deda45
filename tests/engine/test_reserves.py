"""No coin of an account is promised twice."""

from pathlib import Path

import pytest

from autogrid.engine.venue import Balance
from autogrid.storage import tables
from autogrid.storage.bots import BotRow
from autogrid.wiring.reserves import Reserves
from tests.builders import D
from tests.storage.kept import first_state, new_bot, opened

HAS = {"USDT": Balance(D(25_000), D(5_000)), "BTC": Balance(D(0), D(0))}
"""Thrice what a bot of these tests begins with."""


async def two_bots(folder: Path) -> tuple[BotRow, BotRow]:
    async with opened(folder) as database:
        return (await first_state(database, new_bot("one")))[0], (await first_state(database, new_bot("two")))[0]


@pytest.mark.asyncio
async def test_what_is_granted_counts_before_it_is_in_a_ledger(tmp_path: Path) -> None:
    one, two = await two_bots(tmp_path)
    reserves = Reserves()
    assert [reserves.unable_to_begin(row, HAS) for row in (one, two)] == ["", ""]
    assert reserves.unable_to_deposit(one, D(6_000), HAS) == ""
    assert "4000 USDT of the account are free" in reserves.unable_to_deposit(two, D(6_000), HAS)
    reserves.took_in(one.id)
    assert reserves.unable_to_deposit(two, D(6_000), HAS) == "", "then the ledger has it, which is told apart"
    reserves.stops(two.id, ended=False)
    assert reserves.unable_to_deposit(one, D(10_000), HAS) == ""
    reserves.stops(one.id, ended=True)
    assert reserves.unable_to_deposit(two, D(20_000), HAS) == ""


@pytest.mark.asyncio
async def test_of_bots_that_do_not_run_the_journal_tells_and_one_that_cannot_be_read_hinders_nobody(
    tmp_path: Path,
) -> None:
    one, two = await two_bots(tmp_path)
    async with opened(tmp_path) as database:
        async with database.writing() as connection:
            await connection.execute(
                tables.snapshots.update().where(tables.snapshots.c.bot_id == two.id).values(state="{}")
            )
        reserves = Reserves()
        async with database.reading() as connection:
            await reserves.learn(connection, one.account)
        free = "10000 USDT of the account are free"
        assert free in reserves.unable_to_deposit(one, D(10_001), HAS)
        assert reserves.unable_to_deposit(one, D(10_000), HAS) == ""
