"""Live prices with candles: the past before the first price, each candle after the trades of its time, none twice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import ccxt.async_support as ccxt
import pytest

from autogrid.exchanges.candle_download import UnableToDownload
from autogrid.exchanges.live_feed import FeedState, LivePriceFeed, UnableToResumePrices
from autogrid.exchanges.live_prices import Patience
from autogrid.exchanges.simulated import SimulatedExchange
from autogrid.trading.candle import MINUTE_MS
from autogrid.trading.event import CandleClosed, Event, FeedBack, FeedSilent, Tick
from autogrid.trading.matching import TOUCH, Book, Point
from autogrid.trading.money import use_exact_figures
from autogrid.trading.risk import Holds
from autogrid.trading.state import BotState, first_state
from autogrid.trading.strategies.grid.grid import Grid
from tests.builders import FOUR_CELLS, PLAIN_MARKET, D, first_ledger
from tests.exchanges.fake_candles import START_MS, FakeCandles
from tests.exchanges.test_live_feed import FakeMarket, trade, until

QUICK = Patience(60, 0.001, 30, 300, (0.001,), settle_s=1.5, late_s=(0.001,), wake_s=0.001)


class Live:
    """A market with candles, and feeds of it."""

    def __init__(self, stream: list[list[dict[str, Any]] | Exception] | None = None, **candles: Any) -> None:
        self.market = FakeMarket(stream or [], clock=START_MS + 10_000)
        self.candles = FakeCandles(lambda: self.market.clock, **candles)

    def feed(self, warm_up: int = 0, timeframe_ms: int | None = MINUTE_MS, patience: Patience = QUICK) -> LivePriceFeed:
        return LivePriceFeed(
            "binance",
            "BTC/USDT",
            self.market.client,
            patience=patience,
            clock_ms=lambda: self.market.clock,
            timeframe_ms=timeframe_ms,
            warm_up=warm_up,
            candle_client=self.candles.client,
        )


def number(closed: CandleClosed | None) -> int | None:
    return None if closed is None else (closed.candle.open_ms - START_MS) // MINUTE_MS


async def ready(feed: LivePriceFeed) -> None:
    use_exact_figures()
    async with asyncio.timeout(5):
        await feed.ready()


async def candle(feed: LivePriceFeed) -> int | None:
    await ready(feed)
    return number(feed.closed())


async def price(feed: LivePriceFeed) -> Point:
    await ready(feed)
    assert feed.closed() is None
    point = await feed.reach(None, None, None, every=True)
    assert point is not None
    return point


def test_the_candles_of_the_past_come_before_the_first_price() -> None:
    live = Live([[trade(500, "100")]])

    async def run() -> None:
        async with live.feed(warm_up=3) as feed:
            assert [await candle(feed) for _ in range(5)] == [-5, -4, -3, -2, -1]
            assert feed.here() is None
            assert feed.cursor() == f"::{START_MS - MINUTE_MS}"
            assert (await price(feed)).price == 100
            assert feed.cursor() == f"{START_MS + 500}:100:{START_MS - MINUTE_MS}"

    asyncio.run(run())
    assert all(client.closed for client in live.candles.clients)


def test_a_candle_alone_makes_the_feed_ready_and_what_is_ordered_then_meets_the_next_price() -> None:
    live = Live([[trade(500, "100")]])

    async def run() -> None:
        async with live.feed() as feed:
            assert (await price(feed)).price == 100
            live.market.clock = START_MS + MINUTE_MS + 1_499
            await asyncio.sleep(0.02)
            assert feed.closed() is None
            live.market.clock += 1
            await ready(feed)
            assert feed.here() == Point(START_MS + 500, D(100), False, D(1), 0)
            closed = feed.closed()
            assert closed is not None
            assert closed.at_ms == START_MS + MINUTE_MS
            assert closed.candle.open_ms == START_MS
            assert feed.here() == Point(START_MS + 500, D(100), True, D(1), 0)
            assert feed.cursor() == f"{START_MS + 500}:100:{START_MS}:closed"
            live.market.stream.append([trade(MINUTE_MS + 1_600, "101")])
            assert (await price(feed)).in_jump is False
            assert feed.cursor() == f"{START_MS + MINUTE_MS + 1_600}:101:{START_MS}"

    asyncio.run(run())


@pytest.mark.parametrize("every", [False, True])
def test_a_candle_comes_after_all_trades_of_its_time_and_before_those_that_followed(every: bool) -> None:
    live = Live()

    async def run() -> None:
        async with live.feed() as feed:
            feed.seek(f"{START_MS + 1}:100:{START_MS - MINUTE_MS}")
            ends = MINUTE_MS
            live.market.answers = [[trade(ends - 9, "98"), trade(ends - 1, "99"), trade(ends, "110")]]
            live.market.clock = START_MS + 2 * MINUTE_MS - 1
            await ready(feed)
            await until(lambda: bool(feed._untold) and len(feed._waiting) >= 3)
            found: list[object] = []
            while feed._waiting or feed._untold:
                await ready(feed)
                if (closed := feed.closed()) is not None:
                    found.append(number(closed))
                else:
                    point = await feed.reach(None, None, None, every=every)
                    assert point is not None
                    found.append(str(point.price))
            assert found[-3:] == ["99", 0, "110"]

    asyncio.run(run())


def test_prices_wait_for_candles_for_a_while_and_not_for_ever() -> None:
    live = Live([[trade(500, "100")]], away=lambda _: True)

    async def run() -> None:
        async with live.feed(warm_up=3) as feed:
            waiting = asyncio.create_task(feed.ready())
            await until(lambda: bool(feed._waiting))
            await asyncio.sleep(0.02)
            assert not waiting.done()
            assert feed.state == FeedState("stream", None, "no route to host")
            live.market.clock += 30_000
            await waiting
            assert (await price(feed)).price == 100
            live.candles.away = lambda _: False
            assert [await candle(feed) for _ in range(5)] == [-5, -4, -3, -2, -1]
            assert feed.state.fault is None

    asyncio.run(run())


def test_a_feed_resumed_tells_what_closed_since_and_stands_behind_what_was_told() -> None:
    live = Live()

    async def run() -> None:
        cursor = f"{START_MS + 500}:100:{START_MS - 3 * MINUTE_MS}:closed"
        async with live.feed(warm_up=50) as feed:
            feed.seek(cursor)
            assert feed.cursor() == cursor
            assert feed.here() == Point(START_MS + 500, D(100), True, None, 0)
            assert [await candle(feed) for _ in range(2)] == [-2, -1]
            assert feed.closed() is None
            assert feed.cursor() == f"{START_MS + 500}:100:{START_MS - MINUTE_MS}:closed"

    asyncio.run(run())


def test_a_feed_that_had_told_candles_and_no_price_is_resumed_too() -> None:
    live = Live([[trade(500, "100")]])

    async def run() -> None:
        async with live.feed(warm_up=50) as feed:
            feed.seek(f"::{START_MS - 2 * MINUTE_MS}")
            assert feed.here() is None
            assert await candle(feed) == -1
            assert (await price(feed)).price == 100

    asyncio.run(run())


def test_where_the_past_was_not_wanted_its_end_is_kept_and_nothing_after_it_is_lost() -> None:
    live = Live([[trade(500, "100")]])

    async def run() -> None:
        async with live.feed() as feed:
            await price(feed)
            cursor = feed.cursor()
            assert cursor == f"{START_MS + 500}:100:{START_MS - MINUTE_MS}"
        live.market.clock = START_MS + 2 * MINUTE_MS + 5_000
        live.market.answers = [[trade(2 * MINUTE_MS, "101")]]
        async with live.feed() as feed:
            feed.seek(cursor)
            assert [await candle(feed) for _ in range(2)] == [0, 1]
            assert (await price(feed)).price == 101

    asyncio.run(run())


def test_a_cursor_with_candles_is_understood_where_none_are_wanted_any_more() -> None:
    feed = Live().feed(timeframe_ms=None)
    feed.seek(f"{START_MS}:100:{START_MS}:closed")
    assert feed.cursor() == f"{START_MS}:100"


def test_a_cursor_without_candles_leads_to_the_whole_past() -> None:
    live = Live()

    async def run() -> None:
        async with live.feed(warm_up=1) as feed:
            feed.seek(f"{START_MS}:100")
            assert [await candle(feed) for _ in range(3)] == [-3, -2, -1]

    asyncio.run(run())


@pytest.mark.parametrize("cursor", [":", "::", "::x", "1:100:x", "1::5", ":100:5"])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(UnableToResumePrices):
        Live().feed().seek(cursor)


def test_candles_that_cannot_be_had_are_an_error_not_a_silence() -> None:
    live = Live([[trade(500, "100")]], timeframes=("1h",))

    async def run() -> None:
        async with live.feed() as feed:
            async with asyncio.timeout(5):
                await feed.ready()

    with pytest.raises(UnableToDownload, match="binance has no candles of 1m"):
        asyncio.run(run())


# --- what the simulated exchange makes of it ------------------------------------------------------------------------


@asynccontextmanager
async def events(feed: LivePriceFeed, state: BotState | None = None) -> AsyncIterator[Callable[[], Any]]:
    """The next event of a simulated exchange on `feed`, within seconds."""
    exchange = SimulatedExchange(Book(PLAIN_MARKET, TOUCH, D(10_000), D(0)), feed, thin=False, hearing=feed.hearing)
    if state is not None:
        exchange.resume(state)
    use_exact_figures()
    source = exchange.events()

    async def told() -> Event:
        async with asyncio.timeout(5):
            return await anext(source)

    async with feed:
        yield told


def silenced() -> BotState:
    """A bot that was told of a silence."""
    grid = Grid(FOUR_CELLS, PLAIN_MARKET, D(10_000))
    state = first_state(grid, first_ledger(grid, D(10_000), D(10_000)))
    return state._replace(holds=Holds(killed=False, paused=False, silent=True))


def test_candles_are_told_before_any_price_is_there() -> None:
    live = Live()

    async def run() -> None:
        async with events(live.feed(warm_up=1, patience=replace(QUICK, silent_s=600))) as told:
            assert [number(await told()) for _ in range(3)] == [-3, -2, -1]
            live.market.stream.append([trade(500, "100")])
            assert await told() == Tick(START_MS + 500, D(100))
            live.market.clock = START_MS + MINUTE_MS + 2_000
            assert number(await told()) == 0

    asyncio.run(run())


def test_an_exchange_that_is_not_heard_is_told_as_silent_and_as_back_after_its_next_price() -> None:
    live = Live([[trade(500, "100")]])

    async def run() -> None:
        async with events(live.feed(timeframe_ms=None)) as told:
            assert await told() == Tick(START_MS + 500, D(100))
            live.market.clock += 30_001
            assert await told() == FeedSilent(START_MS + 500)
            live.market.clock += 600_000
            live.market.stream.append([trade(630_000, "90")])
            assert await told() == Tick(START_MS + 630_000, D(90))
            assert await told() == FeedBack(START_MS + 630_000)
            live.market.stream.append([trade(631_000, "91")])
            assert await told() == Tick(START_MS + 631_000, D(91))

    asyncio.run(run())


def test_a_market_where_nobody_trades_is_not_silent_while_its_exchange_answers() -> None:
    live = Live([[trade(500, "100")]])
    live.market.answers = [[trade(500, "100")]]

    async def run() -> None:
        async with events(live.feed(timeframe_ms=None, patience=replace(QUICK, quiet_s=0.001))) as told:
            for _ in range(4):
                live.market.clock += 20_000
                for _ in range(3):
                    assert type(await told()) is Tick

    asyncio.run(run())


def test_a_bot_that_was_told_of_a_silence_hears_of_its_end_after_a_restart() -> None:
    live = Live()
    live.market.answers = [ccxt.NetworkError("no route")]

    async def run() -> None:
        feed = live.feed()
        feed.seek(f"{START_MS}:100:{START_MS - 3 * MINUTE_MS}")
        async with events(feed, silenced()) as told:
            assert [number(await told()) for _ in range(2)] == [-2, -1]
            telling = asyncio.ensure_future(told())
            await until(lambda: feed.state.fault is not None)
            live.market.clock += 40_000
            await asyncio.sleep(0.05)
            assert not telling.done()
            live.market.answers = [[trade(45_000, "90")]]
            assert await telling == Tick(START_MS + 45_000, D(90))
            assert await told() == FeedBack(START_MS + 45_000)

    asyncio.run(run())
