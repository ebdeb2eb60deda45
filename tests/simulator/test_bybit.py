"""ccxt.pro, as it is, trades on the simulated Bybit: production's names, TLS and all.

`Bench` is the simulated exchange with an account, and clients that are sent there; the other Bybit tests use it too.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import ccxt
import ccxt.pro
import pytest
import pytest_asyncio

from autogrid.exchanges.connect_to import new_session
from autogrid.exchanges.market_rules import market_from
from autogrid.settings import ExchangeSettings
from autogrid.simulator.bybit.app import add_routes
from autogrid.simulator.certificate import make_certificates
from autogrid.simulator.faults import Faults
from autogrid.simulator.records import Key
from autogrid.simulator.server import LOOPBACK, Listening, make_app
from autogrid.simulator.world import World
from autogrid.trading.market import Market

BTC = Market(
    "BTC",
    "USDT",
    tick=Decimal("0.1"),
    lot=Decimal("0.000001"),
    min_notional=Decimal(5),
    maker_fee=Decimal("0.001"),
    taker_fee=Decimal("0.0018"),
    min_quantity=Decimal("0.000011"),
    max_quantity=Decimal(83),
)
ETH = Market(
    "ETH",
    "USDT",
    tick=Decimal("0.01"),
    lot=Decimal("0.00001"),
    min_notional=Decimal(5),
    maker_fee=Decimal("0.001"),
    taker_fee=Decimal("0.001"),
)
SYMBOL, NAME = "BTC/USDT", "BTCUSDT"
KEY, SECRET = "bybit0test", "not-a-secret"
PATIENCE_S = 20


class Clock:
    """The machine's clock, which can be set ahead, or stand still."""

    def __init__(self) -> None:
        self.ahead_ms = 0
        self.stands_at: int | None = None

    def __call__(self) -> int:
        if self.stands_at is not None:
            return self.stands_at
        return time.time_ns() // 1_000_000 + self.ahead_ms


class Bench:
    """The simulated exchange, its world, and a session whose every connection goes there."""

    def __init__(
        self, world: World, clock: Clock, faults: Faults, session: aiohttp.ClientSession, listening: Listening
    ) -> None:
        self.world = world
        self.clock = clock
        self.faults = faults
        self.session = session
        self.listening = listening
        self.clients: list[Any] = []

    def client(self) -> Any:
        """ccxt.pro's own client with the account's key."""
        settings = {"apiKey": KEY, "secret": SECRET, "session": self.session, "enableRateLimit": False}
        client: Any = ccxt.pro.bybit(settings | {"options": {"defaultType": "spot"}})
        client.timeout_on_exit = 0
        self.clients.append(client)
        return client


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Bench]:
    """A bench; BTC stands at 50,000."""
    clock = Clock()
    world, faults = World({SYMBOL: BTC, "ETH/USDT": ETH}, clock, client_ids_once=True), Faults(1)
    world.add_account("ann", {"USDT": Decimal(10_000), "BTC": Decimal(1)})
    world.add_key(Key(KEY, SECRET, "ann"))
    world.move(SYMBOL, Decimal(50_000))
    async with Listening(make_app(add_routes, world, faults), tls=make_certificates(folder)) as listening:
        place = ExchangeSettings(connect_to=(LOOPBACK, listening.port), ca_file=folder / "ca.pem")
        session, _ = new_session(place, frozenset({"bybit.com"}))
        bench = Bench(world, clock, faults, session, listening)
        try:
            yield bench
        finally:
            for client in bench.clients:
                await client.close()
            await session.close()


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(tmp_path) as one:
        yield one


async def soon(awaited: Any) -> Any:
    """What is awaited, within reason."""
    return await asyncio.wait_for(awaited, PATIENCE_S)


async def subscribed(client: Any, topics: int) -> None:
    """Wait until the exchange has answered to as many subscriptions: a ping is answered after them."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        stream = next((one for one in client.clients.values() if len(_topics(one)) >= topics), None)
        if stream is not None and stream.connection is not None:
            stream.lastPong = None
            await stream.send({"op": "ping", "req_id": "0"})
            while stream.lastPong is None and time.monotonic() < deadline:
                await a_moment()
            return
        await a_moment()
    raise TimeoutError("nothing was subscribed to")


async def a_moment() -> None:
    """Let the others go on."""
    await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=0.01)


def _topics(stream: Any) -> set[str]:
    told = [one.get("topics", []) for one in stream.subscriptions.values() if isinstance(one, dict)]
    return {topic for topics in told for topic in topics}


@pytest.mark.asyncio
async def test_ccxt_reads_the_markets_as_they_are(bench: Bench) -> None:
    client = bench.client()
    client.number = str
    markets = await client.load_markets()
    read = market_from(markets[SYMBOL], "bybit")
    assert (read.tick, read.lot, read.min_notional) == (BTC.tick, BTC.lot, BTC.min_notional)
    assert (read.min_quantity, read.max_quantity) == (BTC.min_quantity, BTC.max_quantity)
    assert markets[SYMBOL]["active"]


@pytest.mark.asyncio
async def test_a_halted_market_is_told_as_closed(bench: Bench) -> None:
    bench.world.halt(SYMBOL)
    markets = await bench.client().load_markets()
    assert not markets[SYMBOL]["active"]


@pytest.mark.asyncio
async def test_ccxt_reads_time_ticker_book_trades_and_candles(bench: Bench) -> None:
    client = bench.client()
    bench.world.move(SYMBOL, Decimal(50_100))
    assert abs(await client.fetch_time() - bench.clock()) < 5_000
    ticker = await client.fetch_ticker(SYMBOL)
    assert (ticker["last"], ticker["bid"], ticker["ask"]) == (50_100, 50_099.9, 50_100.1)
    book = await client.fetch_order_book(SYMBOL, 5)
    assert [len(book["bids"]), len(book["asks"])] == [5, 5]
    assert book["bids"][0][0] < book["asks"][0][0]
    trades = await client.fetch_trades(SYMBOL)
    assert [trade["price"] for trade in trades] == [50_000, 50_100]
    candles = await client.fetch_ohlcv(SYMBOL, "1m")
    assert candles[-1][4] == 50_100


@pytest.mark.asyncio
async def test_a_limit_order_stands_and_is_cancelled(bench: Bench) -> None:
    client = bench.client()
    made = await client.create_order(SYMBOL, "limit", "buy", 0.01, 49_000, {"clientOrderId": "grid-1"})
    (standing,) = await client.fetch_open_orders(SYMBOL)
    assert (standing["id"], standing["clientOrderId"], standing["status"]) == (made["id"], "grid-1", "open")
    assert (standing["price"], standing["amount"]) == (49_000, 0.01)
    balance = await client.fetch_balance()
    assert (balance["USDT"]["used"], balance["USDT"]["free"]) == (490, 9_510)
    await client.cancel_order(made["id"], SYMBOL)
    assert await client.fetch_open_orders(SYMBOL) == []
    (ended,) = await client.fetch_canceled_orders(SYMBOL)
    assert ended["status"] == "canceled"


@pytest.mark.asyncio
async def test_a_fill_is_told_by_the_streams_and_by_asking(bench: Bench) -> None:
    client = bench.client()
    await client.load_markets()
    made = await client.create_order(SYMBOL, "limit", "buy", 0.01, 49_000, {"clientOrderId": "grid-1"})
    orders = asyncio.ensure_future(client.watch_orders(SYMBOL))
    trades = asyncio.ensure_future(client.watch_my_trades(SYMBOL))
    await subscribed(client, 2)
    bench.world.move(SYMBOL, Decimal(48_900))
    (order,) = await soon(orders)
    assert (order["id"], order["clientOrderId"], order["status"]) == (made["id"], "grid-1", "closed")
    (trade,) = await soon(trades)
    assert (trade["order"], trade["price"], trade["amount"]) == (made["id"], 49_000, 0.01)
    assert (trade["fee"]["cost"], trade["fee"]["currency"], trade["takerOrMaker"]) == (0.00001, "BTC", "maker")
    (asked,) = await client.fetch_my_trades(SYMBOL)
    assert asked["id"] == trade["id"]
    (ended,) = await client.fetch_closed_orders(SYMBOL)
    assert (ended["filled"], ended["average"]) == (0.01, 49_000)


@pytest.mark.asyncio
async def test_what_the_account_owns_is_told_by_its_stream(bench: Bench) -> None:
    client = bench.client()
    await client.load_markets()
    balance = asyncio.ensure_future(client.watch_balance())
    await subscribed(client, 1)
    bench.world.credit("ann", "USDT", Decimal(500))
    told = await soon(balance)
    assert told["USDT"]["total"] == 10_500


@pytest.mark.asyncio
async def test_a_market_buy_spends_an_amount_and_a_market_sale_a_quantity(bench: Bench) -> None:
    client = bench.client()
    await client.create_market_buy_order_with_cost(SYMBOL, 100)
    await client.create_order(SYMBOL, "market", "sell", 0.001)
    bought, sold = await client.fetch_my_trades(SYMBOL)
    assert (bought["side"], bought["cost"], bought["takerOrMaker"]) == ("buy", 100, "taker")
    assert (sold["side"], sold["amount"], sold["fee"]["currency"]) == ("sell", 0.001, "USDT")


@pytest.mark.asyncio
async def test_a_post_only_order_that_would_trade_is_accepted_and_rejected_afterwards(bench: Bench) -> None:
    client = bench.client()
    await client.load_markets()
    orders = asyncio.ensure_future(client.watch_orders(SYMBOL))
    await subscribed(client, 1)
    made = await client.create_order(SYMBOL, "limit", "buy", 0.01, 51_000, {"postOnly": True})
    assert made["id"]
    (order,) = await soon(orders)
    assert (order["id"], order["status"], order["filled"]) == (made["id"], "rejected", 0)
    assert order["info"]["rejectReason"] == "EC_PostOnlyWillTakeLiquidity"
    assert await client.fetch_open_orders(SYMBOL) == []
    assert bench.world.wallet("ann")["USDT"].held == 0


@pytest.mark.asyncio
async def test_the_market_is_told_by_its_streams(bench: Bench) -> None:
    client = bench.client()
    await client.load_markets()
    assert (await soon(client.watch_ticker(SYMBOL)))["last"] == 50_000
    book = await soon(client.watch_order_book(SYMBOL))
    assert book["bids"][0][0] == 49_999.9
    await soon(client.watch_ohlcv(SYMBOL, "1m"))
    trades = asyncio.ensure_future(client.watch_trades(SYMBOL))
    await subscribed(client, 4)
    moved = asyncio.ensure_future(client.watch_order_book(SYMBOL))
    await asyncio.wait({moved}, timeout=0.01)
    bench.world.move(SYMBOL, Decimal(50_200))
    assert (await soon(trades))[-1]["price"] == 50_200
    assert (await soon(moved))["asks"][0][0] == 50_200.1


@pytest.mark.asyncio
async def test_orders_are_sent_and_cancelled_over_the_trade_stream(bench: Bench) -> None:
    client = bench.client()
    await client.load_markets()
    made = await soon(client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 49_000, {"clientOrderId": "ws-1"}))
    (standing,) = bench.world.open_orders("ann")
    assert standing.client_id == "ws-1"
    await soon(client.cancel_order_ws(made["id"], SYMBOL))
    assert bench.world.open_orders("ann") == []
    with pytest.raises(ccxt.InsufficientFunds):
        await soon(client.create_order_ws(SYMBOL, "limit", "buy", 10, 49_000))
