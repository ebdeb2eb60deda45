"""Live prices as a feed: what is traded comes once, in order, exact; what fails is told and never raised."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

import ccxt.async_support as ccxt
import pytest
from aiohttp import WSMsgType, web
from hypothesis import given
from hypothesis import strategies as st

from autogrid.exchanges.candle_download import UnableToDownload
from autogrid.exchanges.live_feed import MOST_WAITING, FeedState, LivePriceFeed, UnableToResumePrices, turns
from autogrid.exchanges.live_prices import Patience, Traded
from autogrid.exchanges.public_client import exact, streaming_client
from autogrid.trading.matching import Point
from autogrid.trading.money import use_exact_figures

D = Decimal
START_MS = 1_747_699_200_000
HURRY = Patience(quiet_s=0.02, poll_s=0.001, silent_s=30, stream_again_s=300, retry_s=(0.001,))
PATIENT = Patience(quiet_s=60, poll_s=0.001, silent_s=30, stream_again_s=300, retry_s=(0.001,))


def trade(at: int, price: object, amount: object = "1") -> dict[str, Any]:
    return {"timestamp": START_MS + at, "price": price, "amount": amount}


@dataclass
class FakeMarket:
    """A market all clients see: what their streams will tell, and what requests are answered."""

    stream: list[list[dict[str, Any]] | Exception] = field(default_factory=list)
    answers: list[list[dict[str, Any]] | Exception] = field(default_factory=list)
    """The last one is given again and again."""
    has: dict[str, bool] = field(default_factory=lambda: {"watchTrades": True, "fetchTrades": True})
    clients: list["FakeClient"] = field(default_factory=list)
    clock: int = START_MS + 1_000

    def client(self, exchange: str) -> "FakeClient":
        self.clients.append(FakeClient(self))
        return self.clients[-1]

    def feed(self, patience: Patience = PATIENT) -> LivePriceFeed:
        return LivePriceFeed("binance", "BTC/USDT", self.client, patience=patience, clock_ms=lambda: self.clock)


class FakeClient:
    def __init__(self, market: FakeMarket) -> None:
        self.market = market
        self.has = market.has
        self.closed = False

    async def load_markets(self) -> None:
        pass

    async def watch_trades(self, symbol: str) -> Any:
        while not self.market.stream:  # noqa: ASYNC110 tests put into it what they like
            await asyncio.sleep(0.001)
        return self._give(self.market.stream.pop(0))

    async def fetch_trades(self, symbol: str) -> Any:
        answers = self.market.answers
        return self._give(answers.pop(0) if len(answers) > 1 else answers[0] if answers else [])

    async def watch_ticker(self, symbol: str) -> Any:
        return (await self.watch_trades(symbol))[0]

    async def fetch_ticker(self, symbol: str) -> Any:
        return (await self.fetch_trades(symbol))[0]

    async def close(self) -> None:
        self.closed = True

    def _give(self, told: Any) -> Any:
        if isinstance(told, Exception):
            raise told
        return told


async def points(feed: LivePriceFeed, count: int) -> list[Point]:
    """The next points, every one of them."""
    use_exact_figures()
    found: list[Point] = []
    async with asyncio.timeout(5):
        while len(found) < count:
            await feed.ready()
            point = await feed.reach(None, None, None, every=True)
            assert point is not None
            found.append(point)
    return found


def prices(market: FakeMarket, count: int, patience: Patience = PATIENT) -> list[str]:
    async def run() -> list[str]:
        async with market.feed(patience) as feed:
            return [str(point.price) for point in await points(feed, count)]

    found = asyncio.run(run())
    assert all(client.closed for client in market.clients)
    return found


async def until_price(feed: LivePriceFeed, price: int) -> None:
    async with asyncio.timeout(5):
        while (await points(feed, 1))[0].price != price:
            pass


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 what is waited for is seen from outside only
            await asyncio.sleep(0.001)


def test_trades_of_the_stream_come_one_by_one_at_the_exchanges_time() -> None:
    market = FakeMarket([[trade(1, "100.10", "2"), trade(1, "100.20")], [trade(5, "99.00")]])

    async def run() -> list[Point]:
        async with market.feed() as feed:
            assert feed.waits
            assert feed.here() is None
            assert feed.cursor() == ""
            found = await points(feed, 3)
            assert feed.here() == found[-1]
            assert feed.cursor() == f"{START_MS + 5}:99"
            assert feed.state.source == "stream"
            return found

    found = asyncio.run(run())
    assert [point.at_ms - START_MS for point in found] == [1, 1, 5]
    assert [point.price for point in found] == [D("100.10"), D("100.20"), D("99.00")]
    assert found[0] == Point(START_MS + 1, D("100.10"), False, D(2), 0)
    assert [point.candle for point in found] == [0, 1, 2]


@pytest.mark.parametrize(
    ("told", "price"), [("0.10000000", "0.10000000"), (0.1, "0.1"), (67_123.45, "67123.45"), (1e-08, "1E-8"), (3, "3")]
)
def test_a_price_is_the_text_that_came_or_a_floats_shortest(told: object, price: str) -> None:
    assert exact(told) == D(price)
    assert prices(FakeMarket([[trade(1, told)]]), 1) == [price]


def test_the_first_price_comes_by_request_without_what_was_traded_before() -> None:
    market = FakeMarket(answers=[[trade(3, "103"), trade(1, "101"), trade(2, "102")]])
    assert prices(market, 1) == ["103"]


def test_what_the_stream_tells_again_after_a_request_is_not_told_twice() -> None:
    market = FakeMarket([[trade(2, "102"), trade(3, "103")], [trade(4, "104")]], [[trade(3, "103")]])
    # The stream's first message is old: time goes on at the price that stands.
    assert prices(market, 3) == ["103", "103", "104"]


def test_a_stream_that_stalls_is_found_out_and_what_it_left_out_is_told() -> None:
    market = FakeMarket([[trade(1, "101")]], [[], [trade(1, "101"), trade(2, "90"), trade(3, "110")]])
    assert prices(market, 3, HURRY) == ["101", "90", "110"]


def test_a_stalled_stream_gets_a_new_client_and_the_old_one_is_closed() -> None:
    market = FakeMarket([[trade(1, "101")]], [[], [trade(2, "102")]])

    async def run() -> None:
        async with market.feed(HURRY) as feed:
            await points(feed, 2)
            await until(lambda: len(market.clients) > 1)
            market.stream.append([trade(4, "104")])
            await until_price(feed, 104)
            assert market.clients[0].closed

    asyncio.run(run())
    assert all(client.closed for client in market.clients)


class KeepingClient(FakeClient):
    """As ccxt: what comes between two calls of watch_trades is kept, and told with what comes after it only."""

    def __init__(self, market: FakeMarket) -> None:
        super().__init__(market)
        self.trades: dict[str, list[dict[str, Any]]] = {"BTC/USDT": []}

    async def watch_trades(self, symbol: str) -> Any:
        kept = self.trades[symbol]
        kept.append(trade(len(kept) + 1, str(100 + len(kept))))
        if len(kept) > 1:
            await asyncio.Event().wait()
        return kept[-1:]


def test_a_price_that_ccxt_keeps_back_does_not_wait_for_the_next_trade() -> None:
    market = FakeMarket()

    async def run() -> None:
        client = KeepingClient(market)
        async with LivePriceFeed("binance", "BTC/USDT", lambda _: client, patience=PATIENT) as feed:
            assert [point.price for point in await points(feed, 2)] == [100, 101]

    asyncio.run(run())


def test_a_market_without_trades_keeps_its_stream_and_its_clock_goes_on() -> None:
    market = FakeMarket([[trade(1, "101")]], [[trade(1, "101")]])

    async def run() -> None:
        async with market.feed(HURRY) as feed:
            await points(feed, 1)
            market.clock += 7_000
            async with asyncio.timeout(5):
                (point,) = await points(feed, 1)
                while point.at_ms < START_MS + 7_000:
                    (point,) = await points(feed, 1)
            assert point.price == 101
            assert point.volume == 0
            assert feed.state.silent_since_ms is None
            assert len(market.clients) == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    "fault",
    [
        ccxt.NetworkError("connection reset"),
        ccxt.ExchangeNotAvailable("503"),
        OSError("no route to host"),
        KeyError("price"),
        AttributeError("'NoneType' object has no attribute 'append'"),
    ],
)
def test_a_fault_of_the_stream_is_followed_by_a_new_client_and_never_raised(fault: Exception) -> None:
    market = FakeMarket([[trade(1, "101")], fault, [trade(2, "102")]])

    async def run() -> None:
        async with market.feed() as feed:
            await until_price(feed, 101)
            await until_price(feed, 102)

    asyncio.run(run())
    assert len(market.clients) == 2


@pytest.mark.parametrize("told", [{"timestamp": 1, "price": None}, {"timestamp": 1, "price": "0"}, {"price": "x"}])
def test_an_answer_that_is_no_trade_is_a_fault_not_a_price(told: dict[str, Any]) -> None:
    market = FakeMarket([[told], [trade(2, "102")]])
    assert prices(market, 1) == ["102"]
    assert len(market.clients) == 2


def test_a_trade_of_days_to_come_is_refused_so_that_it_does_not_hide_those_of_now() -> None:
    market = FakeMarket([[trade(3 * 86_400_000, "666")], [trade(2, "102")]])
    assert prices(market, 1) == ["102"]


def test_a_stream_that_fails_again_and_again_is_replaced_by_requests() -> None:
    failing: list[list[dict[str, Any]] | Exception] = [ccxt.NetworkError("refused")] * 3
    market = FakeMarket(failing, [[trade(1, "101")], [trade(1, "101")], [trade(1, "101")], [trade(2, "102")]])

    async def run() -> None:
        async with market.feed() as feed:
            await until_price(feed, 102)
            assert feed.state.source == "requests"
            assert not market.stream

    asyncio.run(run())
    assert len(market.clients) == 4


def test_a_stream_that_ccxt_does_not_have_is_not_asked_for_twice() -> None:
    market = FakeMarket([ccxt.NotSupported("needs protobuf")], [[trade(1, "101")], [trade(2, "102")]])
    found = prices(market, 2)
    assert found == ["101", "102"]
    assert len(market.clients) == 2


def test_after_a_while_of_requests_the_stream_is_tried_again() -> None:
    market = FakeMarket([ccxt.NotSupported("not now")], [[trade(1, "101")]])

    async def run() -> None:
        async with market.feed() as feed:
            await points(feed, 1)
            await until(lambda: feed.state.source == "requests")
            market.stream.append([trade(4, "104")])
            market.clock += 301_000
            await until_price(feed, 104)
            assert feed.state.source == "stream"

    asyncio.run(run())


def test_without_streams_and_trades_the_last_price_is_asked_for() -> None:
    market = FakeMarket(
        answers=[[{"last": "100.5", "timestamp": None}], [{"last": "100.7", "timestamp": START_MS + 2_000}]],
        has={"fetchTicker": True},
        clock=START_MS,
    )
    found = prices(market, 2)
    assert found == ["100.5", "100.7"]


def test_a_stream_of_last_prices_serves_where_there_is_none_of_trades() -> None:
    market = FakeMarket([[{"last": 7.25, "timestamp": START_MS}]], [[]], {"watchTicker": True, "fetchTrades": True})
    assert prices(market, 1) == ["7.25"]


def test_silence_is_told_with_its_beginning_and_its_cause_and_ends_when_the_exchange_is_heard() -> None:
    market = FakeMarket(answers=[ccxt.NetworkError("no route\n to host")], has={"fetchTrades": True})

    async def run() -> None:
        async with market.feed() as feed:
            began = market.clock
            following = asyncio.create_task(feed.ready())
            await until(lambda: feed.state.fault is not None)
            market.clock += 30_000
            assert feed.state == FeedState(None, None, "no route to host")
            market.clock += 1
            assert feed.state == FeedState(None, began, "no route to host")
            assert not following.done()
            market.answers = [[trade(9, "109")]]
            await asyncio.wait_for(following, 5)
            assert feed.state == FeedState("requests", None, None)

    asyncio.run(run())


def test_trades_within_the_bounds_are_passed_over_but_the_last_is_given() -> None:
    batch = [trade(at, price) for at, price in enumerate(["100", "101", "95", "99", "104", "100", "101"])]
    market = FakeMarket([batch])

    async def run() -> list[Point | None]:
        async with market.feed() as feed:
            use_exact_figures()
            await feed.ready()
            return [await feed.reach(D(96), D(103), None, every=False) for _ in range(3)]

    found = asyncio.run(run())
    assert [(point.price, point.volume) for point in found if point] == [(D(95), D(3)), (D(104), D(2)), (D(101), D(2))]


def test_a_time_is_reached_by_the_first_trade_at_or_after_it() -> None:
    market = FakeMarket([[trade(1, "100"), trade(5, "101"), trade(9, "102")]])

    async def run() -> Point | None:
        async with market.feed() as feed:
            await feed.ready()
            return await feed.reach(None, None, START_MS + 4, every=False)

    point = asyncio.run(run())
    assert point is not None
    assert point.at_ms == START_MS + 5


def test_a_feed_resumed_stands_where_it_stood_and_tells_what_was_traded_since() -> None:
    market = FakeMarket(answers=[[trade(at, str(100 + at)) for at in range(1, 6)]])

    async def run() -> list[Point]:
        async with market.feed() as feed:
            feed.seek(f"{START_MS + 3}:103")
            here = feed.here()
            assert here is not None
            assert (here.at_ms, here.price) == (START_MS + 3, D(103))
            assert feed.cursor() == f"{START_MS + 3}:103"
            return await points(feed, 2)

    assert [point.price for point in asyncio.run(run())] == [104, 105]


@pytest.mark.parametrize("cursor", ["12", "a:1", "1:b", "1:NaN"])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(UnableToResumePrices):
        FakeMarket().feed().seek(cursor)


def test_closing_lets_go_who_waits_and_ends_the_path() -> None:
    market = FakeMarket()

    async def run() -> None:
        feed = market.feed()
        waiting = asyncio.create_task(feed.ready())
        await until(lambda: bool(market.clients))
        assert not feed.ended()
        await feed.aclose()
        await asyncio.wait_for(waiting, 1)
        assert feed.ended()
        assert await feed.reach(None, None, None, every=True) is None
        await feed.aclose()

    asyncio.run(run())
    assert market.clients[0].closed


def test_an_exchange_that_does_not_exist_is_no_silence_but_an_error() -> None:
    async def run() -> None:
        async with LivePriceFeed("binanze", "BTC/USDT") as feed:
            await feed.ready()

    with pytest.raises(UnableToDownload, match="did you mean binance"):
        asyncio.run(run())


@given(st.lists(st.integers(1, 6), min_size=1, max_size=60))
def test_when_too_many_wait_only_the_turns_of_the_path_are_kept(walk: list[int]) -> None:
    path = [Traded(at, D(price), D(1)) for at, price in enumerate(walk)]
    kept = list(turns(type(LivePriceFeed("binance", "A/B")._waiting)(path)))
    assert kept[0].price == path[0].price
    assert (kept[-1].at_ms, kept[-1].price) == (path[-1].at_ms, path[-1].price)
    assert sum(one.quantity or 0 for one in kept) == len(walk)
    for bound in range(1, 7):
        crossings = [one.price <= bound for one in path]
        assert sum(a != b for a, b in pairwise(crossings)) == sum(
            a != b for a, b in pairwise(one.price <= bound for one in kept)
        )


def test_a_bot_that_does_not_keep_up_does_not_fill_the_memory() -> None:
    batch = [trade(at, "100") for at in range(3 * MOST_WAITING)]
    market = FakeMarket([batch, [trade(3 * MOST_WAITING, "101")]])

    async def run() -> None:
        async with market.feed() as feed:
            await feed.ready()
            await until(lambda: not market.stream)
            assert len(feed._waiting) <= MOST_WAITING
            use_exact_figures()
            point = await feed.reach(None, None, None, every=False)
            assert point is not None
            assert point.volume is not None
            assert point.volume >= 3 * MOST_WAITING

    asyncio.run(run())


# --- ccxt itself, against a server on loopback ----------------------------------------------------------------------

SYMBOL = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "isSpotTradingAllowed": True,
    "permissions": ["SPOT"],
    "filters": [
        {"filterType": "PRICE_FILTER", "tickSize": "0.01000000"},
        {"filterType": "LOT_SIZE", "stepSize": "0.00001000"},
    ],
}


@asynccontextmanager
async def binance(trades: list[str]) -> AsyncIterator[tuple[str, list[str]]]:
    """As much of Binance as a feed of prices asks for: its address, and what was asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        if request.path.endswith("exchangeInfo"):
            return web.json_response({"symbols": [SYMBOL]})
        first = {"a": 1, "p": "67000.10000000", "q": "0.5", "f": 1, "l": 1, "T": START_MS, "m": True, "M": True}
        return web.json_response([first])

    async def stream(request: web.Request) -> web.WebSocketResponse:
        asked.append(request.path)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type == WSMsgType.TEXT and "SUBSCRIBE" in message.data:
                await socket.send_json({"result": None, "id": json.loads(message.data)["id"]})
                for number, price in enumerate(trades, 1):
                    event = {"e": "trade", "E": START_MS + number, "s": "BTCUSDT", "t": number, "p": price}
                    await socket.send_json(event | {"q": "0.001", "T": START_MS + number, "m": True, "M": True})
        return socket

    app = web.Application()
    app.router.add_get("/api/v3/{path:.*}", answer)
    app.router.add_get("/stream.ws/{path:.*}", stream)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][0] + ":" + str(runner.addresses[0][1]), asked
    finally:
        await runner.cleanup()


def test_ccxts_own_stream_gives_the_prices_digit_for_digit() -> None:
    told = ["67000.20000000", "67000.30000000", "66999.99000000"]

    async def run() -> None:
        async with binance(told) as (address, asked):

            def client(exchange: str) -> Any:
                made = streaming_client(exchange)
                made.urls["api"]["public"] = f"http://{address}/api/v3"
                made.urls["api"]["ws"]["spot"] = f"ws://{address}/stream.ws"
                return made

            async with LivePriceFeed("binance", "BTC/USDT", client, patience=PATIENT) as feed:
                found = await points(feed, 4)
                assert [str(point.price) for point in found] == ["67000.10000000", *told]
                assert [point.at_ms - START_MS for point in found] == [0, 1, 2, 3]
                assert [point.volume for point in found[1:]] == [D("0.001")] * 3
                assert feed.state.source == "stream"
            assert sorted(set(asked))[:2] == ["/api/v3/aggTrades", "/api/v3/exchangeInfo"]

    asyncio.run(run())
