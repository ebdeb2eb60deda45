"""What can be wrong with an exchange or an account: each is said, costs nothing, and can be left."""

import asyncio
import random
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from autogrid.exchanges.ccxt_wire import Wire
from autogrid.exchanges.market_cache import UnableToFindMarket
from autogrid.exchanges.market_rules import fetch_market
from autogrid.services import bots, showing
from autogrid.simulator.faults import Fault
from autogrid.simulator.price_source import tape_steps
from autogrid.simulator.records import Wanted
from tests.live.bench import both
from tests.live.compare import differences
from tests.live.local import (
    EXCHANGES,
    FUNDS,
    OWNER,
    SYMBOL,
    local_exchange,
)
from tests.live.through import lively_tape

# --- markets --------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_an_unknown_symbol_is_named(exchange: str, tmp_path: Path) -> None:
    tape = lively_tape(2, 2, tmp_path)
    async with local_exchange(exchange, tmp_path, tape_steps(tape)):
        with pytest.raises(UnableToFindMarket, match="no spot market 'NOSUCH/USDT'"):
            await fetch_market(exchange, "NOSUCH/USDT")


@pytest.mark.asyncio
async def test_a_market_that_is_halted_at_the_start_is_waited_for(tmp_path: Path) -> None:
    async with both("binance", tmp_path) as it:
        it.local.world.halt(SYMBOL)
        await it.grid.begin()
        await it.until(lambda row: row.actual == "starting" and "not traded" in row.reason)
        it.local.world.resume(SYMBOL)
        await it.runs()
        await it.ends_well()


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_a_market_that_is_halted_while_a_bot_runs_is_said_and_it_goes_on_after(
    exchange: str, tmp_path: Path
) -> None:
    async with both(exchange, tmp_path) as it:
        await it.grid.begin()
        await it.runs()
        it.local.prices.step()
        it.local.world.halt(SYMBOL)
        dearest = max(order.price for order in it.local.world.open_orders(OWNER) if order.side == "buy")
        it.local.world.resume(SYMBOL)
        it.local.world.move(SYMBOL, dearest)
        it.local.world.halt(SYMBOL)
        await it.until(lambda row: "halted" in row.reason)
        assert "halted" in await it.why()
        it.local.world.resume(SYMBOL)
        await it.until(lambda row: "halted" not in row.reason)
        await it.trades_on()
        await it.ends_well()


@pytest.mark.asyncio
async def test_rules_that_change_while_a_bot_runs_are_said_and_no_order_is_lost(tmp_path: Path) -> None:
    async with both("binance", tmp_path) as it:
        await it.grid.begin()
        await it.runs()
        market = it.local.world.markets[SYMBOL]
        it.local.world.set_market(SYMBOL, replace(market, tick=Decimal(10), lot=Decimal("0.01")))
        await it.trades_on(20)
        row = await it.until(lambda row: "changed its rules" in row.reason)
        assert "tick from 0.01 to 10" in row.reason
        it.local.world.set_market(SYMBOL, market)
        await it.until(lambda row: "changed its rules" not in row.reason, 30)
        await it.ends_well()


# --- the exchange ---------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_a_clock_that_is_off_by_an_hour_is_measured_and_nothing_is_lost(exchange: str, tmp_path: Path) -> None:
    async with both(exchange, tmp_path) as it:
        it.local.clock.ahead_ms = -3_600_000
        await it.grid.begin()
        await it.runs()
        it.local.clock.ahead_ms = 3_600_000
        await it.trades_on(24)
        await it.ends_well()


@pytest.mark.asyncio
async def test_an_exchange_that_cannot_be_reached_at_the_start_is_tried_again(tmp_path: Path) -> None:
    async with both("binance", tmp_path) as it:
        await it.local.exchange.listening.refuse()
        await it.grid.begin()
        row = await it.until(lambda row: "tried again" in row.reason)
        assert row.actual == "starting"
        await it.local.exchange.listening.start()
        await it.runs()
        await it.ends_well()


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_pages_in_place_of_answers_hold_a_bot_up_and_no_more(exchange: str, tmp_path: Path) -> None:
    async with both(exchange, tmp_path) as it:
        it.local.faults.add(Fault("html"))
        await it.grid.begin()
        await it.until(lambda row: row.actual == "starting" and len(row.reason) > 20 and "tried again" in row.reason)
        it.local.faults.clear()
        await it.runs()
        it.local.faults.add(Fault("html"))
        for _ in range(12):
            it.local.prices.step()
            await asyncio.sleep(0.1)
        it.local.faults.clear()
        await it.ends_well()


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_answers_with_fields_that_are_missing_empty_or_negative_are_no_answers(
    exchange: str, tmp_path: Path
) -> None:
    chance, ask = random.Random(5), Wire.ask

    async def spoiled(wire: Wire, method: str, *more: Any, **named: Any) -> Any:
        told = await ask(wire, method, *more, **named)
        return _spoiled(told, chance) if chance.random() < 0.3 else told

    async with both(exchange, tmp_path) as it:
        await it.grid.begin()
        await it.runs()
        with mock.patch.object(Wire, "ask", spoiled):
            for _ in range(30):
                it.local.prices.step()
                await asyncio.sleep(0.1)
            row = await it.grid.bot(it.bot.id)
            assert row.actual != "error", row.reason
        await it.ends_well()


def _spoiled(told: Any, chance: random.Random) -> Any:
    """An answer, one field of which is no such field."""
    if isinstance(told, list):
        return [_spoiled(one, chance) for one in told]
    if not isinstance(told, dict) or not told:
        return told
    name = chance.choice(list(told))
    if isinstance(told[name], dict | list) and chance.random() < 0.8:
        return {**told, name: _spoiled(told[name], chance)}
    spoiled = {**told, name: chance.choice([None, "", "x", {}, []])}
    return {one: its for one, its in spoiled.items() if one != name} if chance.random() < 0.2 else spoiled


# --- the account ----------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_what_a_person_trades_by_hand_moves_no_ledger(exchange: str, tmp_path: Path) -> None:
    async with both(exchange, tmp_path) as it:
        await it.grid.begin()
        await it.runs()
        market = it.local.world.markets[SYMBOL]
        resting = it.local.world.place(OWNER, Wanted(SYMBOL, "buy", "limit", "mine", Decimal(40_000), market.lot * 200))
        bought = it.local.world.place(OWNER, Wanted(SYMBOL, "buy", "market", "mine-too", None, Decimal("0.01")))
        await it.trades_on()
        assert resting.is_open
        funds = dict(FUNDS)
        for trade in bought.trades:
            funds["BTC"] += trade.quantity
            funds["USDT"] -= trade.price * trade.quantity
            funds[trade.fee_asset] -= trade.fee
        await it.ends_well(funds)


@pytest.mark.asyncio
async def test_a_trade_of_an_order_with_our_name_that_no_journal_knows_is_noted_and_not_booked(tmp_path: Path) -> None:
    async with both("binance", tmp_path) as it:
        await it.grid.begin()
        await it.runs()
        name = f"{it.bot.id}-ffff-7"
        stray = it.local.world.place(OWNER, Wanted(SYMBOL, "buy", "market", name, None, Decimal("0.01")))
        deadline = time.monotonic() + 15
        while not any("unknown order" in one for one in (await showing.show(it.grid.database, it.bot.id)).notices):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        await it.grid.end()
        (trade,) = stray.trades
        change = {"BTC": trade.quantity - trade.fee, "USDT": -trade.price * trade.quantity}
        funds = {asset: amount + change.get(asset, Decimal(0)) for asset, amount in FUNDS.items()}
        wrong = await differences(it.local.world, OWNER, it.grid.database, funds)
        assert all(name in one for one in wrong), wrong


@pytest.mark.asyncio
async def test_funds_that_were_taken_out_by_hand_are_missed_by_name_and_back_all_goes_on(tmp_path: Path) -> None:
    async with both("binance", tmp_path) as it:
        await it.grid.begin()
        await it.runs()
        free = it.local.world.wallet(OWNER)["USDT"].free
        it.local.world.credit(OWNER, "USDT", -free)
        row = await it.until(lambda row: "missing on the account" in row.reason)
        assert "USDT" in row.reason
        it.local.world.credit(OWNER, "USDT", free)
        await it.until(lambda row: "missing" not in row.reason)
        await it.trades_on()
        await it.ends_well()


@pytest.mark.asyncio
async def test_an_account_without_the_funds_for_a_bot_says_how_much_is_there(tmp_path: Path) -> None:
    async with both("binance", tmp_path) as it:
        it.local.world.credit(OWNER, "USDT", Decimal(-99_000))
        await it.grid.begin()
        row = await it.until(lambda row: "needs 10000 USDT" in row.reason)
        assert row.actual == "starting"
        it.local.world.credit(OWNER, "USDT", Decimal(99_000))
        await it.runs()
        await it.ends_well()


@pytest.mark.asyncio
async def test_a_deposit_that_the_account_does_not_have_is_refused_and_one_that_it_has_is_taken_in(
    tmp_path: Path,
) -> None:
    async with both("binance", tmp_path) as it:
        database, bot_id = it.grid.database, it.bot.id
        await bots.fund(database, bot_id, Decimal(100))  # asked while no engine runs
        await it.grid.begin()
        for amount in (200_000, 100, -101):
            await bots.fund(database, bot_id, Decimal(amount))
        await it.runs()
        deadline = time.monotonic() + 15
        while True:
            shown = await showing.show(database, bot_id)
            assert shown.loaded is not None
            if shown.loaded.state.ledger.funded_quote == it.bot.investment + 99:
                break
            assert time.monotonic() < deadline, shown.notices
            await asyncio.sleep(0.05)
        (refusal,) = [one for one in shown.notices if one.startswith("deposit refused")]
        assert "are free of other bots" in refusal
        await it.trades_on()
        await it.ends_well()


@pytest.mark.asyncio
async def test_a_bot_that_could_never_begin_can_be_stopped_and_deleted(tmp_path: Path) -> None:
    async with both("binance", tmp_path) as it:
        it.local.world.credit(OWNER, "USDT", Decimal(-99_000))
        await it.grid.begin()
        await it.until(lambda row: "needs 10000 USDT" in row.reason)
        await bots.stop(it.grid.database, it.bot.id, sell=False)
        await it.until(lambda row: row.actual == "stopped" and row.wanted == "stopped")
        await asyncio.sleep(0.5)
        assert (await it.grid.bot(it.bot.id)).actual == "stopped"
        await bots.remove(it.grid.database, it.bot.id)
        assert it.local.world.orders(OWNER) == []


@pytest.mark.asyncio
async def test_a_request_refused_for_its_time_at_the_start_is_no_fault_of_the_bot(tmp_path: Path) -> None:
    async with both("bybit", tmp_path) as it:
        it.local.faults.add(Fault("clock-skew", count=2, where="market"))
        it.local.faults.add(Fault("clock-skew", count=2, where="balances"))
        await it.grid.begin()
        await it.runs()
        assert not any("stopped by a fault" in one for one in it.grid.said)
        await it.ends_well()
