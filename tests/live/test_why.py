"""`autogrid bot why` of a live bot: what holds an order back is said, with the rule and its numbers."""

import asyncio
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import update

from autogrid.services import bots, kills
from autogrid.simulator.faults import Fault
from autogrid.storage import tables
from autogrid.storage.encoding import encode
from tests.live.bench import Both, both
from tests.live.local import OWNER, SYMBOL


async def _says(it: Both, *words: str, within_s: float = 20.0) -> str:
    """What the bot says, once it says all of this."""
    deadline = time.monotonic() + within_s
    while True:
        said = await it.why()
        if all(one in said for one in words):
            return said
        assert time.monotonic() < deadline, said
        await asyncio.sleep(0.1)


async def _one_is_gone(it: Both) -> None:
    """A buy trades, so that the bot wants another order."""
    dearest = max(order.price for order in it.local.world.open_orders(OWNER) if order.side == "buy")
    it.local.world.move(SYMBOL, dearest)
    it.local.world.move(SYMBOL, dearest)


@pytest.mark.asyncio
async def test_a_bot_that_waits_for_its_start_to_be_settled_says_so(tmp_path: Path) -> None:
    async with both("binance", tmp_path) as it:
        it.local.faults.add(Fault("error-5xx", where="open_orders"))
        await it.grid.begin()
        said = await _says(it, "binance")
        assert "binance says" in said or "asking the exchange" in said
        row = await it.grid.bot(it.bot.id)
        assert row.actual == "starting"


@pytest.mark.asyncio
async def test_prices_that_fell_silent_are_named(tmp_path: Path) -> None:
    async with both("binance", tmp_path) as it:
        await it.grid.begin()
        await it.runs()
        assert it.grid.side is not None
        dearest = max(order.price for order in it.local.world.open_orders(OWNER) if order.side == "buy")
        board = it.grid.side._board
        for following in board._tasks.values():
            following.cancel()
        for prices in board.all:
            prices._say(silent=True)
        it.local.world.move(SYMBOL, dearest)
        await _says(it, "no price has come for too long")


@pytest.mark.asyncio
async def test_a_pause_and_a_kill_are_named(tmp_path: Path) -> None:
    async with both("binance", tmp_path) as it:
        await it.grid.begin()
        await it.runs()
        await bots.pause(it.grid.database, it.bot.id, cancel=True)
        await _says(it, "the bot is paused")
        await bots.start(it.grid.database, it.bot.id)
        await it.runs()
        await kills.kill(it.grid.database, it.bot.id, None, "me")
        await _says(it, "the kill switch is on")
        await it.until(lambda row: row.reason.startswith("the kill switch is on"))  # as a list of bots shows it


@pytest.mark.asyncio
async def test_an_order_that_the_exchange_refused_says_how_often_and_with_which_words(tmp_path: Path) -> None:
    async with both("binance", tmp_path) as it:
        await it.grid.begin()
        await it.runs()
        market = it.local.world.markets[SYMBOL]
        it.local.world.set_market(SYMBOL, replace(market, lot=Decimal("0.1"), min_quantity=Decimal("0.1")))
        await _one_is_gone(it)
        said = await _says(it, "refused", "by the exchange (binance refuses", "tried again at")
        assert "LOT_SIZE" in said
        it.local.world.set_market(SYMBOL, market)


@pytest.mark.asyncio
async def test_an_order_that_a_rule_of_ours_holds_back_names_the_rule_and_its_numbers(tmp_path: Path) -> None:
    async with both("binance", tmp_path) as it:
        limits = replace(it.bot.limits, breakers=True, orders_a_minute=1)
        async with it.grid.database.writing() as connection:
            changed = update(tables.bots).where(tables.bots.c.id == it.bot.id).values(limits=encode(limits))
            await connection.execute(changed)
        await it.grid.begin()
        await it.runs()
        for _ in range(16):
            it.local.prices.step()
            await asyncio.sleep(0.1)
        await _says(it, "held back by the rule 'order rate'", "new orders within 60 s, allowed are 1")
