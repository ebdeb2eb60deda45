"""A bot that was off for three days, on three ways of having been off: a hole in the tape of a backtest, the same tape
under a paper bot with its journal on disk, and a paper bot on live prices whose process ends and comes back.

The market: an hour a candle, the price going straight from one hour to the next. The bot is off from 20 May 14:00 to
23 May 17:00.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select

from autogrid.backtesting.tapes import Tape
from autogrid.engine.inbox import Inbox
from autogrid.exchanges.live_feed import LivePriceFeed
from autogrid.exchanges.live_prices import Patience
from autogrid.storage import tables
from autogrid.storage.bots import BotRow, create_bot
from autogrid.storage.database import Database
from autogrid.storage.encoding import decode_any
from autogrid.trading.bot import Bot
from autogrid.trading.event import CandleClosed, Filled
from autogrid.trading.ledger import opened
from autogrid.trading.money import text
from autogrid.trading.risk import Limits
from autogrid.trading.strategies.catalogue import build
from autogrid.wiring.paper import run_paper_bot
from autogrid.wiring.simulation import simulate
from tests.builders import PLAIN_MARKET, START_MS, D, tape_of
from tests.engine.frail import Setting
from tests.engine.test_resume import must_survive_every_kill
from tests.exchanges.fake_candles import FakeCandles
from tests.exchanges.test_live_feed import FakeMarket
from tests.storage.kept import NOW_MS, new_bot
from tests.storage.kept import opened as opened_database

HOUR_MS = 3_600_000
FROM, TO, END = 14, 89, 104
"""Hours: off from 20 May 14:00 to 23 May 17:00; the end is 24 May 08:00."""
ON = (*range(FROM), *range(TO, END))
QUICK = Patience(60, 0.001, 10**9, 10**9, (0.001,), settle_s=1.5, late_s=(0.001,), wake_s=0.001)
Prices = Callable[[int], int]
"""The price at the beginning of an hour, in whole units of quote."""
Trade = tuple[str, str, str]
"""Slot, when (day and time) and price."""


def hour(number: float) -> str:
    """Day of May 2025 and time, UTC."""
    day, rest = divmod(number, 24)
    return f"{20 + int(day)} {int(rest):02}:{round(rest % 1 * 60):02}"


def when(at_ms: int) -> str:
    return hour((at_ms - START_MS) / HOUR_MS)


def holed_tape(prices: Prices) -> Tape:
    corners = [(prices(each) * 100, prices(each + 1) * 100) for each in ON]
    candles = [(start, max(start, end), min(start, end), end) for start, end in corners]
    return tape_of(candles, interval_ms=HOUR_MS, times=[START_MS + each * HOUR_MS for each in ON])


# --- the three ways -------------------------------------------------------------------------------------------------


def backtested(strategy: str, config: Mapping[str, str], prices: Prices) -> list[Trade]:
    bot = Bot(PLAIN_MARKET, Limits(D(10_000), breakers=False), at_once=True)
    state = bot.start(build(strategy, config, PLAIN_MARKET, D(10_000)), opened(D(10_000)))
    _, journal = simulate(bot, state, holed_tape(prices))
    fills = [row.event for row in journal.rows if isinstance(row.event, Filled)]
    return [(fill.order_id.split("-", 2)[2], when(fill.at_ms), f"{fill.price:f}") for fill in fills]


async def fills_of(database: Database) -> list[Trade]:
    fills = tables.fills
    async with database.reading() as connection:
        rows = await connection.execute(select(fills.c.slot, fills.c.at_ms, fills.c.price).order_by(fills.c.seq))
        return [(slot, when(at_ms), f"{price:f}") for slot, at_ms, price in rows]


async def created(database: Database, strategy: str, config: Mapping[str, str], **where: Any) -> BotRow:
    async with database.writing() as connection:
        return await create_bot(connection, new_bot("off", config, strategy=strategy, **where), NOW_MS)


def no_live_prices(*_: object) -> Any:
    raise AssertionError("a bot on a tape asks for no live prices")


def on_paper(folder: Path, strategy: str, config: Mapping[str, str], prices: Prices) -> list[Trade]:
    """A paper bot on the tape, stopped twice on the way."""
    path = folder / "tape.csv"
    rows = ["timestamp,open,high,low,close,volume"]
    for each in ON:
        start, end = prices(each), prices(each + 1)
        rows.append(f"{START_MS + each * HOUR_MS},{start},{max(start, end)},{min(start, end)},{end},10")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")

    async def run() -> list[Trade]:
        async with opened_database(folder) as database:
            row = await created(database, strategy, config, tape=str(path), speed=D(0))
            for patience_s in (0.02, 0.04):
                with suppress(TimeoutError):
                    await asyncio.wait_for(run_paper_bot(database, no_live_prices, row, Inbox()), patience_s)
            await run_paper_bot(database, no_live_prices, row, Inbox())
            return await fills_of(database)

    return asyncio.run(run())


class LiveWorld:
    """A market whose exchange lives on while the bot is off."""

    def __init__(self, database: Database, row: BotRow, prices: Prices) -> None:
        self.database, self.row, self.prices = database, row, prices
        self.market = FakeMarket(clock=START_MS)
        self.candles = FakeCandles(lambda: self.market.clock, length=HOUR_MS, timeframes=("1h",), wild=self._priced)
        self.inbox = Inbox()

    def _priced(self, rows: list[Any]) -> list[Any]:
        found = []
        for opens, *_ in rows:
            each = (opens - START_MS) // HOUR_MS
            start, end = self.prices(each), self.prices(each + 1)
            found.append((opens, start, max(start, end), min(start, end), end, 10))
        return found

    def feed(self, exchange: str, symbol: str, timeframe_ms: int | None, warm_up: int) -> LivePriceFeed:
        return LivePriceFeed(
            exchange,
            symbol,
            self.market.client,
            patience=QUICK,
            clock_ms=lambda: self.market.clock,
            timeframe_ms=timeframe_ms,
            warm_up=warm_up,
            candle_client=self.candles.client,
        )

    @asynccontextmanager
    async def running(self) -> Any:
        """One process, from its start until it is gone."""
        self.inbox = Inbox()
        task = asyncio.create_task(run_paper_bot(self.database, self.feed, self.row, self.inbox))
        try:
            yield
            assert not task.done(), task.result()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def trade(self, each: int, *, after_candle: bool) -> dict[str, Any]:
        """The first trade of an hour; where candles are heard, after the one that closed then is told."""
        at_ms = START_MS + each * HOUR_MS + (5_000 if after_candle else 0)
        return {"timestamp": at_ms, "price": str(self.prices(each)), "amount": "1"}

    async def trades(self, hours: range, wait: Callable[[int], Awaitable[None]] | None = None) -> None:
        """One trade at the beginning of each hour, and the bot has taken it in."""
        for each in hours:
            told = self.trade(each, after_candle=wait is not None)
            at_ms = told["timestamp"]
            self.market.clock = max(self.market.clock, START_MS + each * HOUR_MS + 2_000)
            if wait is not None:
                await wait(each)
            self.market.clock = at_ms + 2_000
            self.market.stream.append([told])
            self.market.answers = [[told]]
            async with asyncio.timeout(10):
                while self.inbox.last_tick is None or self.inbox.last_tick.at_ms < at_ms:  # noqa: ASYNC110 from outside
                    await asyncio.sleep(0.001)

    async def heard(self) -> list[tuple[int, bool]]:
        """The candles that were told, by the hour at which they closed, and which of them late."""
        steps = tables.steps
        async with self.database.reading() as connection:
            kind = steps.c.kind == "CandleClosed"
            rows = await connection.execute(select(steps.c.event).where(kind).order_by(steps.c.seq))
        return [told_of(event) for (event,) in rows]

    async def until_heard(self, each: int) -> None:
        async with asyncio.timeout(10):
            while not any(closed == each for closed, _ in await self.heard()):  # noqa: ASYNC110 from outside
                await asyncio.sleep(0.001)


def told_of(event: str) -> tuple[int, bool]:
    closed = decode_any(event)
    assert isinstance(closed, CandleClosed)
    return (closed.at_ms - START_MS) // HOUR_MS, closed.late


class Seen(NamedTuple):
    """What came of a bot on live prices."""

    fills: list[Trade]
    heard: list[tuple[int, bool]]


def on_live_prices(
    folder: Path, strategy: str, config: Mapping[str, str], prices: Prices, *, off: bool = True, hears: int = 0
) -> Seen:
    """A paper bot on live prices whose process ends and is begun again three days later; or is never off.

    `hears`: it ends as soon as it has heard the candle that closes at that hour.
    """

    async def run() -> Seen:
        async with opened_database(folder) as database:
            row = await created(database, strategy, config, exchange="binance")
            world = LiveWorld(database, row, prices)
            listens = build(strategy, config, PLAIN_MARKET, D(10_000)).timeframe_ms is not None
            wait = world.until_heard if listens else None
            world.market.stream.append([{"timestamp": START_MS - 1, "price": str(prices(0)), "amount": "1"}])
            async with world.running():
                await world.trades(range(FROM if off else END), wait)
                if hears:
                    world.market.clock = START_MS + hears * HOUR_MS + 2_000
                    await world.until_heard(hears)
            if off:
                world.market.clock = START_MS + TO * HOUR_MS + 2_000
                world.market.answers = [[world.trade(TO, after_candle=listens)]]
                async with world.running():
                    await world.trades(range(TO, END), wait)
            return Seen(await fills_of(database), await world.heard())

    return asyncio.run(run())


# --- schedules and deals --------------------------------------------------------------------------------------------


def rising(each: int) -> int:
    return 10_000 + 10 * each


def sold_and_flat(each: int) -> int:
    """A take-profit of 1 % is reached at about 9:00."""
    return 10_000 + 15 * each if each <= FROM else 10_200


def fallen(each: int) -> int:
    return 10_000 if each <= FROM else 9_000


DAILY = {"mode": "accumulate", "amount": "100", "every": "daily", "hour": "6"}
DEAL = {"base_order": "1000", "safety_orders": "0", "take_profit": "0.01"}
BEFORE = [("buy-1", "20 00:00", "10000"), ("buy-2", "20 06:00", "10060")]
CASES: dict[str, tuple[dict[str, str], Prices, list[Trade]]] = {
    "catch up once": (
        {**DAILY, "catch_up": "once"},
        rising,
        [*BEFORE, ("buy-3", "23 17:00", "10890"), ("buy-4", "24 06:00", "11020")],
    ),
    "skip": ({**DAILY, "catch_up": "skip"}, rising, [*BEFORE, ("buy-3", "24 06:00", "11020")]),
    "cooldown over meanwhile": (
        {**DEAL, "cooldown": "28800"},
        sold_and_flat,
        [("1-base", "20 00:00", "10000"), ("1-t1", "", "10120.24"), ("2-base", "23 17:00", "10200")],
    ),
    "cooldown not over": (
        {**DEAL, "cooldown": "360000"},
        sold_and_flat,
        [("1-base", "20 00:00", "10000"), ("1-t1", "", "10120.24")],
    ),
    "timeout and stop-loss": (
        {**DEAL, "stop_loss": "0.05", "deal_timeout": "86400", "cooldown": "360000"},
        fallen,
        [("1-base", "20 00:00", "10000"), ("1-exit", "23 17:00", "9000")],
    ),
}


def without_times_of_limits(fills: list[Trade]) -> list[Trade]:
    """On a tape a limit order fills between two hours, on live prices at the next trade."""
    return [(slot, "" if "-t" in slot else at, text(D(price))) for slot, at, price in fills]


@pytest.mark.parametrize("name", CASES)
def test_three_days_off_are_the_same_on_a_tape_on_paper_and_after_a_kill(tmp_path: Path, name: str) -> None:
    config, prices, expected = CASES[name]
    for way in (backtested("dca", config, prices), on_paper(tmp_path, "dca", config, prices)):
        assert without_times_of_limits(way) == expected
    (tmp_path / "live").mkdir()
    seen = on_live_prices(tmp_path / "live", "dca", config, prices)
    assert without_times_of_limits(seen.fills) == expected


@pytest.mark.parametrize("name", CASES)
def test_killed_at_every_point_before_and_after_the_three_days_it_is_the_same(name: str) -> None:
    config, prices, expected = CASES[name]
    whole = must_survive_every_kill(Setting(config, strategy="dca"), holed_tape(prices), name)
    assert whole.fills == len(expected)


# --- candles that were missed ---------------------------------------------------------------------------------------

CROSS = {"timeframe": "1h", "fast": "2", "slow": "4", "stop_loss": "0.4", "take_profit": "0.9"}
RSI = {"timeframe": "1h", "period": "3", "oversold": "30", "overbought": "70", "stop_loss": "0.4", "take_profit": "0.9"}


def turning_at(turn: int, way: int) -> Prices:
    """Falls (or, with -1, rises) until that hour, and then the other way."""
    return lambda each: 10_000 + 20 * way * (abs(each - turn) - 50)


def turning_at_the_end(each: int) -> int:
    return 10_000 - 10 * each if each < TO else 9_500 + 10 * each


@pytest.mark.parametrize(("strategy", "config"), [("sma_cross", CROSS), ("rsi", RSI)])
def test_on_candles_that_were_missed_nothing_is_bought(tmp_path: Path, strategy: str, config: dict[str, str]) -> None:
    prices = turning_at(40, 1)
    seen = on_live_prices(tmp_path, strategy, config, prices)
    assert [fill for fill in seen.fills if fill[0].endswith("-in")] == []
    missed = [(each, each < TO) for each in range(FROM, TO + 1)]
    assert seen.heard[-len(missed) - (END - TO) + 1 : -(END - TO) + 1] == missed
    assert all(not late for each, late in seen.heard if 0 < each < FROM or each > TO)
    (tmp_path / "on").mkdir()
    on = on_live_prices(tmp_path / "on", strategy, config, prices, off=False)
    assert any("21 14:00" < at < "23" for slot, at, _ in on.fills if slot == "1-in"), on.fills


def test_on_candles_that_were_missed_what_is_held_is_sold_at_the_first_price_after(tmp_path: Path) -> None:
    def prices(each: int) -> int:
        return 10_000 + 20 * (abs(each - 6) if each < 40 else 80 - each)

    seen = on_live_prices(tmp_path, "sma_cross", CROSS, prices)
    assert [fill[:2] for fill in seen.fills][-1:] == [("1-out", "23 17:00")]
    assert len(seen.fills) == 2


def test_on_the_newest_of_the_candles_that_were_missed_it_buys(tmp_path: Path) -> None:
    seen = on_live_prices(tmp_path, "sma_cross", CROSS, turning_at_the_end)
    assert [fill[:2] for fill in seen.fills] == [("1-in", "23 17:00")]
    assert (TO, False) in seen.heard


def test_what_a_candle_called_for_just_before_is_not_bought_three_days_later(tmp_path: Path) -> None:
    def prices(each: int) -> int:
        return 10_000 - 10 * each if each < FROM else 9_900 + 10 * each

    seen = on_live_prices(tmp_path, "sma_cross", CROSS, prices, hears=FROM)
    assert seen.fills == []
    (tmp_path / "on").mkdir()
    on = on_live_prices(tmp_path / "on", "sma_cross", CROSS, prices, off=False)
    assert [fill[:2] for fill in on.fills] == [("1-in", "20 14:00")]


def test_a_deal_on_an_rsi_is_not_begun_on_a_candle_that_was_missed(tmp_path: Path) -> None:
    config = {**DEAL, "start_when": "rsi", "timeframe": "1h", "rsi_period": "3", "rsi_below": "30"}

    def prices(each: int) -> int:
        return 10_000 + 10 * each if each < 30 else 10_600 - 10 * each if each < 60 else 9_400 + 10 * each

    assert on_live_prices(tmp_path, "dca", config, prices).fills == []
    (tmp_path / "on").mkdir()
    on = on_live_prices(tmp_path / "on", "dca", config, prices, off=False)
    assert on.fills[0][0] == "1-base"
