"""A paper bot on a live market's candles: it warms up, hears each as it closes, and goes on where it was stopped."""

import asyncio
import json
import random
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from autogrid.engine.inbox import Inbox
from autogrid.exchanges.live_feed import LivePriceFeed
from autogrid.exchanges.live_prices import Patience
from autogrid.storage import tables
from autogrid.storage.bots import BotRow, create_bot
from autogrid.storage.database import Database
from autogrid.trading.candle import MINUTE_MS, Candle
from autogrid.trading.event import Filled
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, Amount, Price
from autogrid.trading.order import Order
from autogrid.trading.plan import Target, Wish
from autogrid.trading.strategies.catalogue import CATALOGUE, Entry
from autogrid.trading.strategies.fields import Field
from autogrid.trading.strategies.strategy import Strategy, Tally, View
from autogrid.wiring.paper import run_paper_bot
from tests.builders import D
from tests.exchanges.fake_candles import START_MS, FakeCandles
from tests.exchanges.test_live_feed import FakeMarket, trade, until
from tests.storage.kept import NOW_MS, new_bot, opened

QUICK = Patience(60, 0.001, 10**6, 300, (0.001,), settle_s=1.5, late_s=(0.001,), wake_s=0.001)
WARM_UP = 5
TOLD_FIRST = 7
FIELDS: tuple[Field, ...] = ()


class Listener(Strategy[Candle]):
    """Buys once, at market, when it has heard the first candle that closed since it was started.

    Its memory is the last candle, with how many it heard as volume, and whether it has bought as close.
    """

    name = "listener"
    timeframe_ms = MINUTE_MS
    warm_up = WARM_UP

    def start(self) -> Candle:
        return Candle(0, 0.0, 0.0, 0.0, 0.0, 0.0)

    def look(self, memory: Candle, view: View) -> Candle:
        return memory

    def hear(self, memory: Candle, candle: Candle, view: View) -> Candle:
        return memory._replace(open_ms=candle.open_ms, volume=memory.volume + 1)

    def learn(self, memory: Candle, order: Order, fill: Filled | None, view: View) -> Candle:
        return memory._replace(close=1.0) if fill is not None else memory

    def targets(self, memory: Candle, view: View) -> Wish:
        if memory.volume <= TOLD_FIRST or memory.close:
            return Wish()
        return Wish({"buy": Target("buy", "buy", view.price, D("0.01"), "market")})

    def stop(self, memory: Candle, *, sell: bool) -> Candle:
        return memory

    def tally(self, memory: Candle) -> Tally:
        return Tally(ZERO, 0)

    def start_price(self, memory: Candle) -> Price | None:
        return None


@pytest.fixture(autouse=True)
def _in_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(config: Any, market: Market, investment: Amount) -> Listener:
        return Listener(config, market, investment)

    entry = Entry("listener", "Listener", "Ouvinte", "hears candles", "ouve velas", FIELDS, build)
    monkeypatch.setitem(CATALOGUE, "listener", entry)


class World:
    """A market, and one paper bot that sees it."""

    def __init__(self, database: Database, row: BotRow) -> None:
        self.database, self.row = database, row
        self.market = FakeMarket(clock=START_MS + 10_000)
        self.candles = FakeCandles(lambda: self.market.clock)
        self.inbox = Inbox()

    def feed(self, exchange: str, symbol: str, timeframe_ms: int | None, warm_up: int) -> LivePriceFeed:
        assert (timeframe_ms, warm_up) == (MINUTE_MS, WARM_UP)
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
        """The bot runs, and is stopped as an engine stops it."""
        self.inbox = Inbox()
        task = asyncio.create_task(run_paper_bot(self.database, self.feed, self.row, self.inbox))
        try:
            yield
            assert not task.done(), task.result()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def told(self, kind: str) -> list[dict[str, Any]]:
        """The events of that kind in the journal."""
        steps = tables.steps
        async with self.database.reading() as connection:
            found = await connection.execute(select(steps.c.event).where(steps.c.kind == kind).order_by(steps.c.seq))
        return [json.loads(event) for (event,) in found]

    async def numbers(self) -> list[int]:
        """Which candles the bot has heard."""
        return [(one["candle"]["open_ms"] - START_MS) // MINUTE_MS for one in await self.told("CandleClosed")]

    async def until(self, kind: str, count: int) -> None:
        async with asyncio.timeout(10):
            while len(await self.told(kind)) < count:  # noqa: ASYNC110 the journal is looked at from outside
                await asyncio.sleep(0.002)

    async def until_heard(self, number: int) -> None:
        async with asyncio.timeout(10):
            while number not in await self.numbers():  # noqa: ASYNC110 as above
                await asyncio.sleep(0.002)


def in_a_world(folder: Path, work: Callable[[World], Any]) -> None:
    async def run() -> None:
        async with opened(folder) as database:
            async with database.writing() as connection:
                new = new_bot("listener", {}, strategy="listener", exchange="binance")
                row = await create_bot(connection, new, NOW_MS)
            await work(World(database, row))

    asyncio.run(run())


def test_it_warms_up_and_what_it_orders_at_a_candles_close_meets_the_next_trade(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        world.market.stream.append([trade(9_000, "1000")])
        async with world.running():
            await world.until("CandleClosed", TOLD_FIRST)
            assert await world.numbers() == list(range(-TOLD_FIRST, 0))
            world.market.clock = START_MS + MINUTE_MS + 2_000
            await world.until("CandleClosed", TOLD_FIRST + 1)
            assert await world.told("Filled") == []
            world.market.stream.append([trade(MINUTE_MS + 3_000, "1500")])
            await world.until("Filled", 1)
        (fill,) = await world.told("Filled")
        assert (fill["at_ms"], fill["price"]) == (START_MS + MINUTE_MS + 3_000, "1500")

    in_a_world(tmp_path, work)


def test_an_order_decided_at_a_close_still_meets_the_next_trade_after_a_restart(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        world.market.stream.append([trade(9_000, "1000")])
        async with world.running():
            await world.until("CandleClosed", TOLD_FIRST)
            world.market.stream.append([trade(9_500, "1001")])
            await until(lambda: world.inbox.last_tick is not None)
            world.market.clock = START_MS + MINUTE_MS + 2_000
            await world.until("CandleClosed", TOLD_FIRST + 1)
        world.market.clock += 3_000
        world.market.answers = [[trade(MINUTE_MS + 4_000, "1500")]]
        async with world.running():
            await world.until("Filled", 1)
        (fill,) = await world.told("Filled")
        assert fill["price"] == "1500"

    in_a_world(tmp_path, work)


@pytest.mark.parametrize("seed", range(3))
def test_stopped_at_any_moment_it_hears_every_candle_once_and_in_order(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)

    async def work(world: World) -> None:
        world.market.stream.append([trade(9_000, "1000")])
        for _ in range(12):
            async with world.running():
                await asyncio.sleep(chance.random() * 0.1)
                world.market.clock += chance.randint(0, 3 * MINUTE_MS)
                at = world.market.clock - START_MS
                world.market.stream.append([trade(at, str(1_000 + chance.randint(-9, 9)))])
                await asyncio.sleep(chance.random() * 0.1)
            world.market.clock += chance.randint(0, 20 * MINUTE_MS)
        whole = (world.market.clock - 1_500 - START_MS) // MINUTE_MS
        async with world.running():
            await world.until_heard(whole - 1)
        heard = await world.numbers()
        assert heard == list(range(heard[0], whole))
        assert len(heard) >= TOLD_FIRST
        assert len(await world.told("Filled")) == 1

    in_a_world(tmp_path, work)
