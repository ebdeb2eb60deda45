"""The shared stream of public trades, against the simulated exchanges and through `LivePrices`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import ccxt
import pytest
import pytest_asyncio

from autogrid.exchanges.live_prices import LivePrices, Patience, Traded
from autogrid.exchanges.public_client import streaming_client
from autogrid.exchanges.trade_stream import (
    MOST_WAITING,
    READERS,
    STALLED_S,
    TALKS,
    _Connection,
    _Queue,
    hub_of,
    trade_client,
)
from autogrid.simulator.faults import Fault
from tests.exchanges.venue_bench import EXCHANGES, SYMBOL, WAIT_S, Bench, benched

D = Decimal
QUICK = Patience(quiet_s=0.5, poll_s=0.1, retry_s=(0.05, 0.1))


@pytest_asyncio.fixture(params=EXCHANGES)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    async with benched(request.param, tmp_path) as one:
        yield one


class Heard:
    """What one follower was told."""

    def __init__(self) -> None:
        self.told: list[Traded] = []

    @property
    def prices(self) -> list[Decimal]:
        """Of trades; that a price stands is no trade."""
        return [one.price for one in self.told if one.quantity]


@asynccontextmanager
async def following(bench: Bench) -> AsyncIterator[tuple[Heard, LivePrices]]:
    heard = Heard()
    prices = LivePrices((bench.exchange, SYMBOL), heard.told.append, trade_client, QUICK)
    task = asyncio.create_task(prices.run())
    try:
        yield heard, prices
    finally:
        task.cancel()
        await asyncio.wait({task})


async def by_stream(bench: Bench, prices: LivePrices) -> None:
    """Until the stream tells; the market trades meanwhile."""
    async with asyncio.timeout(WAIT_S):
        while prices.source != "stream":
            bench.move("50001")
            await asyncio.sleep(0.05)


async def until(heard: Heard, bench: Bench, price: int) -> None:
    """Until a trade at this price was told; the market trades there again and again."""
    async with asyncio.timeout(WAIT_S):
        while D(price) not in heard.prices:
            bench.move(str(price))
            await asyncio.sleep(0.05)


@pytest.mark.asyncio
async def test_trades_are_told_by_the_stream(bench: Bench) -> None:
    async with following(bench) as (heard, prices):
        await until(heard, bench, 50_001)
        await by_stream(bench, prices)
        for price in (50_002, 50_003, 50_004):
            bench.move(str(price))
        async with asyncio.timeout(WAIT_S):
            while heard.prices[-3:] != [D(50_002), D(50_003), D(50_004)]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@pytest.mark.asyncio
async def test_all_who_follow_share_one_connection_and_the_last_one_closes_it(bench: Bench) -> None:
    async with following(bench) as (first, _), following(bench) as (second, _):
        await until(first, bench, 50_001)
        await until(second, bench, 50_002)
        hub = hub_of(bench.exchange)
        assert hub.users == 2
        assert len(hub._connections) == 1
    assert hub.users == 0
    assert hub._connections == []


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["drop-stream", "bad-frame", "stall"])
async def test_a_stream_that_breaks_or_stalls_is_healed(
    bench: Bench, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autogrid.exchanges.trade_stream.STALLED_S", 0.3)
    async with following(bench) as (heard, prices):
        await until(heard, bench, 50_001)
        await by_stream(bench, prices)
        bench.faults.add(Fault(kind, count=1, where="stream"))
        await until(heard, bench, 50_002)
        await until(heard, bench, 50_003)


@pytest.mark.asyncio
async def test_who_leaves_too_much_lying_is_told_that_the_stream_broke() -> None:
    queue = _Queue(SYMBOL)
    queue.put([{"price": "1"}] * (MOST_WAITING + 1))
    queue.put([{"price": "2"}])
    assert len(await queue.take()) == MOST_WAITING + 1
    with pytest.raises(ccxt.NetworkError):
        await queue.take()


@pytest.mark.asyncio
async def test_what_comes_together_is_taken_together() -> None:
    queue = _Queue(SYMBOL)
    queue.put([{"price": "1"}])
    assert await queue.take() == [{"price": "1"}]
    waiting = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    queue.put([{"price": "2"}])
    await asyncio.sleep(0.001)
    queue.put([{"price": "3"}])
    assert await waiting == [{"price": "2"}, {"price": "3"}]


@pytest.mark.asyncio
async def test_who_leaves_a_market_that_fell_silent_ends_its_connection_for_all() -> None:
    for silent_s, over in ((STALLED_S + 1, True), (0.0, False)):
        connection = _Connection(TALKS["binance"], "binance")
        leaves, stays = _Queue("BTC/USDT"), _Queue("ETH/USDT")
        connection.add("BTCUSDT", leaves)
        connection.add("ETHUSDT", stays)
        connection._told_s["BTCUSDT"] -= silent_s
        connection.remove(leaves)
        assert connection.over is over
        if over:
            with pytest.raises(ccxt.NetworkError):
                await stays.take()


def test_frames_that_are_no_trades_tell_nothing() -> None:
    assert list(READERS["binance"]('{"result":null,"id":1}')) == []
    assert list(READERS["bybit"]('{"success":true,"op":"subscribe"}')) == []
    assert list(READERS["mexc"]('{"id":0,"code":0,"msg":"PONG"}')) == []


@pytest.mark.asyncio
async def test_an_exchange_without_a_stream_of_ours_is_followed_by_ccxt() -> None:
    client = trade_client("kraken")
    assert type(client) is type(streaming_client("kraken"))
