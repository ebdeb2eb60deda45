"""What can be wrong with a key, an exchange or an account: each is said, costs nothing, and can be left."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from autogrid.exchanges.ccxt_wire import Wire
from autogrid.exchanges.market_cache import UnableToFindMarket
from autogrid.exchanges.market_rules import fetch_market
from autogrid.services import bots, showing
from autogrid.services.credentials import UnableToCheckKey, UnableToUseKey, check, listed
from autogrid.simulator.faults import Fault
from autogrid.simulator.price_source import tape_steps
from autogrid.simulator.records import Key, Wanted
from autogrid.storage.bots import BotRow
from autogrid.wiring.credentials import account_to_check
from tests.live.compare import differences
from tests.live.local import (
    EXCHANGES,
    FUNDS,
    KEY,
    MAIN,
    OWNER,
    SECRET,
    SYMBOL,
    AutoGrid,
    Local,
    autogrid,
    local_exchange,
)
from tests.live.through import lively_tape

GRID = {"lower": "57000", "upper": "63000", "grids": "20"}


@dataclass
class Both:
    """The two sides, and a bot that is wanted to run."""

    local: Local
    grid: AutoGrid
    bot: BotRow

    async def until(self, says: Callable[[BotRow], object], within_s: float = 20.0) -> BotRow:
        return await self.grid.until(self.bot.id, says, within_s)

    async def runs(self) -> BotRow:
        return await self.until(lambda row: row.actual == "running" and self.local.world.open_orders(OWNER))

    async def ends_well(self, funds: dict[str, Decimal] | None = None) -> None:
        """In the end the books are the exchange's."""
        deadline = time.monotonic() + 40
        while wrong := await differences(self.local.world, OWNER, self.grid.database, funds or FUNDS, replayed=False):
            assert time.monotonic() < deadline, wrong
            await asyncio.sleep(0.1)
        await self.grid.end()
        assert await differences(self.local.world, OWNER, self.grid.database, funds or FUNDS) == []

    async def why(self) -> str:
        """As `autogrid bot why`."""
        shown = await showing.show(self.grid.database, self.bot.id)
        return "\n".join([shown.row.reason, *(shown.picture.reasons if shown.picture else ())])

    async def trades_on(self, steps: int = 12) -> None:
        """The market moves, and the bot with it."""
        before = len(self.local.world.trades(OWNER, limit=10**9))
        for _ in range(steps):
            self.local.prices.step()
            await asyncio.sleep(0.1)
        deadline = time.monotonic() + 20
        while len(self.local.world.trades(OWNER, limit=10**9)) == before:
            assert time.monotonic() < deadline, "nothing was traded"
            self.local.prices.step()
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def both(exchange: str, folder: Path) -> AsyncIterator[Both]:
    """A grid bot that was started, and no engine yet."""
    tape = lively_tape(2, 40, folder, swing=0.006)
    async with local_exchange(exchange, folder, tape_steps(tape)) as local, autogrid(folder) as grid:
        await grid.add_key(exchange)
        yield Both(local, grid, await grid.make_bot(exchange, "grid", GRID))


# --- keys -----------------------------------------------------------------------------------------------------------


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
