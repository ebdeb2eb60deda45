"""What can be wrong with a key: each is said, costs nothing, and can be left."""

import asyncio
from pathlib import Path

import pytest

from autogrid.services import bots
from autogrid.services.credentials import UnableToCheckKey, UnableToUseKey, check, listed
from autogrid.simulator.price_source import tape_steps
from autogrid.simulator.records import Key
from autogrid.wiring.credentials import account_to_check
from tests.live.bench import both
from tests.live.local import (
    EXCHANGES,
    KEY,
    MAIN,
    OWNER,
    SECRET,
    autogrid,
    local_exchange,
)
from tests.live.through import lively_tape


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_a_key_that_is_wrong_is_refused_in_a_sentence_and_not_stored(exchange: str, tmp_path: Path) -> None:
    tape = lively_tape(2, 2, tmp_path)
    async with local_exchange(exchange, tmp_path, tape_steps(tape)) as local, autogrid(tmp_path) as grid:
        local.world.add_key(Key("expiredKey1234567890", SECRET, OWNER, expired=True))
        local.world.add_key(Key("readingKey1234567890", SECRET, OWNER, trades=False))
        local.world.add_key(Key("movingKey12345678901", SECRET, OWNER, withdraws=True))
        wrong = [("nobodysKey1234567890", SECRET), (KEY, "wrongSecret123456789"), ("expiredKey1234567890", SECRET)]
        if exchange != "mexc":  # which tells nobody what a key may do
            wrong += [("readingKey1234567890", SECRET), ("movingKey12345678901", SECRET)]
        for key, secret in wrong:
            with pytest.raises((UnableToUseKey, UnableToCheckKey)) as refusal:
                await grid.add_key(exchange, key, secret)
            assert len(str(refusal.value)) > 20
            assert secret not in str(refusal.value)
        assert await listed(grid.database) == []
        await grid.add_key(exchange)


@pytest.mark.asyncio
async def test_a_key_whose_rights_change_pauses_its_bots_until_a_person_starts_them_again(tmp_path: Path) -> None:
    async with both("binance", tmp_path) as it:
        await it.grid.begin()
        await it.runs()
        it.local.world.add_key(Key(KEY, SECRET, OWNER, withdraws=True))
        row = await it.until(lambda row: row.actual == "paused" and "withdraw" in row.reason)
        assert "credentials check" in row.reason
        resting = {order.exchange_id for order in it.local.world.open_orders(OWNER)}
        assert resting, "what rests goes on resting"
        with pytest.raises(bots.UnableToAsk, match="withdraw"):
            await bots.start(it.grid.database, it.bot.id)
        it.local.world.add_key(Key(KEY, SECRET, OWNER))
        await check(it.grid.database, it.grid.vault, account_to_check, MAIN, "me")
        await bots.start(it.grid.database, it.bot.id)
        await it.until(lambda row: row.actual == "running" and "withdraw" not in row.reason)
        await it.trades_on()
        await it.ends_well()


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_a_key_that_expires_while_a_bot_runs_is_said_and_costs_nothing(exchange: str, tmp_path: Path) -> None:
    async with both(exchange, tmp_path) as it:
        await it.grid.begin()
        await it.runs()
        it.local.world.add_key(Key(KEY, SECRET, OWNER, expired=True))
        await it.until(lambda row: row.actual == "paused" and "refuse" in row.reason)
        for _ in range(8):
            it.local.prices.step()
            await asyncio.sleep(0.05)
        it.local.world.add_key(Key(KEY, SECRET, OWNER))
        await check(it.grid.database, it.grid.vault, account_to_check, MAIN, "me")
        await bots.start(it.grid.database, it.bot.id)
        await it.runs()
        await it.ends_well()


@pytest.mark.asyncio
async def test_a_bot_whose_key_was_taken_away_while_no_engine_ran_says_so_and_starts_with_a_good_one(
    tmp_path: Path,
) -> None:
    async with both("binance", tmp_path) as it:
        it.local.world.add_key(Key(KEY, "another secret of another key", OWNER))
        await it.grid.begin()
        row = await it.until(lambda row: row.actual == "error" or "refuse" in row.reason)
        assert "binance refuses" in row.reason
        it.local.world.add_key(Key(KEY, SECRET, OWNER))
        await check(it.grid.database, it.grid.vault, account_to_check, MAIN, "me")
        await bots.start(it.grid.database, it.bot.id)
        await it.runs()
        await it.ends_well()
