"""Which closed candles of a live market are told as late: all that were missed but the newest."""

import asyncio
from typing import Any

import pytest

from autogrid.exchanges.live_feed import LivePriceFeed
from autogrid.trading.candle import MINUTE_MS
from tests.exchanges.fake_candles import START_MS, FakeCandleClient
from tests.exchanges.test_live_feed import trade
from tests.exchanges.test_live_feed_candles import Live, number, price, ready


async def lates(feed: LivePriceFeed, count: int) -> list[tuple[int | None, bool]]:
    """The next candles: which, and whether each is told as late."""
    found: list[tuple[int | None, bool]] = []
    while len(found) < count:
        await ready(feed)
        closed = feed.closed()
        assert closed is not None
        found.append((number(closed), closed.late))
    return found


@pytest.mark.parametrize("missed", [1, 2, 3, 100, 101, 250])
def test_of_candles_that_were_missed_all_but_the_newest_are_late(missed: int) -> None:
    live = Live()

    async def run() -> None:
        async with live.feed(warm_up=5) as feed:
            feed.seek(f"{START_MS + 500}:100:{START_MS - (missed + 1) * MINUTE_MS}")
            found = await lates(feed, missed)
            assert found == [(each, each < -1) for each in range(-missed, 0)]

    asyncio.run(run())


def test_the_last_candle_of_a_page_is_late_though_the_page_after_it_is_still_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once = FakeCandleClient.fetch_ohlcv

    async def slowly(client: FakeCandleClient, *asked: Any) -> list[Any]:
        await asyncio.sleep(0.005)
        return await at_once(client, *asked)

    monkeypatch.setattr(FakeCandleClient, "fetch_ohlcv", slowly)
    live = Live()

    async def run() -> None:
        async with live.feed(warm_up=5) as feed:
            feed.seek(f"{START_MS + 500}:100:{START_MS - 251 * MINUTE_MS}")
            assert await lates(feed, 250) == [(each, each < -1) for each in range(-250, 0)]

    asyncio.run(run())


def test_a_candle_that_is_told_in_its_time_is_not_late() -> None:
    live = Live([[trade(500, "100")]])

    async def run() -> None:
        async with live.feed() as feed:
            await price(feed)
            for each in range(4):
                live.market.clock = START_MS + (each + 1) * MINUTE_MS + 1_500
                assert await lates(feed, 1) == [(each, False)]

    asyncio.run(run())


def test_a_candle_that_its_exchange_publishes_only_after_the_next_is_over_is_late() -> None:
    live = Live([[trade(500, "100")]], late_ms={0: MINUTE_MS + 30_000})

    async def run() -> None:
        async with live.feed() as feed:
            await price(feed)
            live.market.clock = START_MS + 2 * MINUTE_MS + 1_000
            await asyncio.sleep(0.02)
            assert feed.closed() is None
            live.market.clock = START_MS + 2 * MINUTE_MS + 30_000
            assert await lates(feed, 2) == [(0, True), (1, False)]

    asyncio.run(run())
