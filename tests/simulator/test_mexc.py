"""ccxt.pro, as it is, trades on the simulated MEXC: production's names, TLS and all.

`Bench` is the simulated exchange with an account, and clients that are sent there; the other MEXC tests use it too.
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
from autogrid.simulator.certificate import make_certificates
from autogrid.simulator.faults import Fault, Faults
from autogrid.simulator.mexc.app import STREAMS, add_routes
from autogrid.simulator.mexc.stream import Streams
from autogrid.simulator.records import Key
from autogrid.simulator.server import LOOPBACK, Listening, make_app
from autogrid.simulator.world import World
from autogrid.trading.market import QUOTE, Market

BTC = Market(
    "BTC",
    "USDT",
    tick=Decimal("0.01"),
    lot=Decimal("0.000001"),
    min_notional=Decimal(1),
    maker_fee=Decimal("0.0001"),
    taker_fee=Decimal("0.0005"),
    fee_in=QUOTE,
)
MX = Market(
    "MX",
    "USDT",
    tick=Decimal("0.0001"),
    lot=Decimal("0.01"),
    min_notional=Decimal(1),
    maker_fee=Decimal(0),
    taker_fee=Decimal("0.0005"),
    min_quantity=Decimal("0.1"),
)
SYMBOL = "BTC/USDT"
KEY, SECRET = "mx0test", "not-a-secret"
PATIENCE_S = 20


class Clock:
    """The machine's clock, which can be set ahead, or stopped."""

    def __init__(self) -> None:
        self.ahead_ms = 0
        self.stands_ms: int | None = None

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms if self.stands_ms is None else self.stands_ms


class Bench:
    """The simulated exchange, its world, and a session whose every connection goes there."""

    def __init__(self, world: World, clock: Clock, faults: Faults, streams: Streams) -> None:
        self.world = world
        self.clock = clock
        self.faults = faults
        self.streams = streams
        self.session: aiohttp.ClientSession
        self.clients: list[Any] = []

    def client(self) -> Any:
        """ccxt.pro's own client with the account's key."""
        settings = {"apiKey": KEY, "secret": SECRET, "session": self.session, "enableRateLimit": False}
        client: Any = ccxt.pro.mexc(settings)
        client.timeout_on_exit = 0
        self.clients.append(client)
        return client


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Bench]:
    """A bench; BTC stands at 50,000."""
    clock = Clock()
    world, faults = World({"BTC/USDT": BTC, "MX/USDT": MX}, clock, client_ids_once=True), Faults(1)
    world.add_account("ann", {"USDT": Decimal(10_000), "BTC": Decimal(1)})
    world.add_key(Key(KEY, SECRET, "ann"))
    world.move(SYMBOL, Decimal(50_000))
    app = make_app(add_routes, world, faults)
    bench = Bench(world, clock, faults, app[STREAMS])
    async with Listening(app, tls=make_certificates(folder)) as listening:
        place = ExchangeSettings(connect_to=(LOOPBACK, listening.port), ca_file=folder / "ca.pem")
        bench.session, _ = new_session(place, frozenset({"mexc.com"}))
        try:
            yield bench
        finally:
            for client in bench.clients:
                await client.close()
            await bench.session.close()


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(tmp_path) as one:
        yield one


async def soon(awaited: Any) -> Any:
    """What is awaited, within reason."""
    return await asyncio.wait_for(awaited, PATIENCE_S)


@pytest.mark.asyncio
async def test_ccxt_reads_the_markets_as_they_are(bench: Bench) -> None:
    client = bench.client()
    client.number = str
    markets = await client.load_markets()

    assert sorted(markets) == ["BTC/USDT", "MX/USDT"]
    read = market_from(markets["MX/USDT"], "mexc")
    assert (read.tick, read.lot, read.min_notional) == (MX.tick, MX.lot, MX.min_notional)
    assert (read.min_quantity, read.maker_fee, read.taker_fee) == (MX.min_quantity, MX.maker_fee, MX.taker_fee)
    assert markets[SYMBOL]["info"]["baseSizePrecision"] == "0"
    assert markets[SYMBOL]["info"]["filters"] == []


@pytest.mark.asyncio
async def test_a_halted_market_is_not_active(bench: Bench) -> None:
    bench.world.halt("MX/USDT")
    client = bench.client()
    await client.load_markets()
    assert client.market("MX/USDT")["active"] is False
    assert client.market(SYMBOL)["active"] is True


@pytest.mark.asyncio
async def test_a_limit_order_rests_is_found_and_is_cancelled(bench: Bench) -> None:
    client = bench.client()
    placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 49_000, {"clientOrderId": "a-1"})
    assert placed["clientOrderId"] is None, "MEXC does not repeat it"

    [order] = await client.fetch_open_orders(SYMBOL)
    assert (order["id"], order["clientOrderId"], order["status"]) == (placed["id"], "a-1", "open")
    found = await client.fetch_order("", SYMBOL, {"clientOrderId": "a-1"})
    assert (found["id"], found["price"], found["amount"], found["side"]) == (placed["id"], 49_000, 0.01, "buy")
    balance = await client.fetch_balance()
    assert (balance["USDT"]["used"], balance["USDT"]["free"]) == (490.245, 9_509.755)

    await client.cancel_order("", SYMBOL, {"clientOrderId": "a-1"})
    assert await client.fetch_open_orders(SYMBOL) == []
    assert (await client.fetch_order(placed["id"], SYMBOL))["status"] == "canceled"
    with pytest.raises(ccxt.BadRequest, match="-2011"):
        await client.cancel_order(placed["id"], SYMBOL)
    with pytest.raises(ccxt.ExchangeError, match="-2013"):
        await client.fetch_order("", SYMBOL, {"clientOrderId": "a-2"})


@pytest.mark.asyncio
async def test_a_fill_is_heard_as_trade_and_order_and_is_the_same_in_rest(bench: Bench) -> None:
    client = bench.client()
    await client.load_markets()
    trades, orders = asyncio.ensure_future(client.watch_my_trades()), asyncio.ensure_future(client.watch_orders())
    await heard(bench, "spot@private.orders.v3.api.pb", "spot@private.deals.v3.api.pb")

    placed = await client.create_order(SYMBOL, "limit", "sell", 0.02, 51_000, {"clientOrderId": "s-1"})
    [new] = await soon(orders)
    assert (new["id"], new["status"], new["clientOrderId"]) == (placed["id"], "open", "s-1")

    orders = asyncio.ensure_future(client.watch_orders())
    bench.world.move(SYMBOL, Decimal(51_000))
    [done] = await soon(orders)
    assert (done["id"], done["status"], done["filled"], done["average"]) == (placed["id"], "closed", 0.02, 51_000)

    [told] = await soon(trades)
    assert (told["price"], told["amount"], told["side"], told["order"]) == (51_000, 0.02, "sell", placed["id"])
    assert told["fee"] == {"cost": 0.102, "currency": "USDT"}
    assert (told["info"]["isMaker"], told["info"]["clientOrderId"]) == (True, "s-1")
    [asked] = await client.fetch_my_trades(SYMBOL)
    assert (asked["id"], asked["order"], asked["fee"]) == (told["id"], told["order"], told["fee"])
    assert asked["takerOrMaker"] == "maker"
    assert asked["timestamp"] == told["timestamp"] // 1000 * 1000, "REST cuts times to the second"


@pytest.mark.asyncio
async def test_an_order_whose_answer_is_lost_is_found_by_its_client_id(bench: Bench) -> None:
    client = bench.client()
    await client.load_markets()
    bench.faults.add(Fault("lost-answer", where="place", count=1))
    with pytest.raises(ccxt.NetworkError):
        await client.create_order(SYMBOL, "limit", "buy", 0.01, 49_000, {"clientOrderId": "l-1"})
    assert (await client.fetch_order("", SYMBOL, {"clientOrderId": "l-1"}))["status"] == "open"
    with pytest.raises(ccxt.BadRequest, match="duplicate"):
        await client.create_order(SYMBOL, "limit", "buy", 0.01, 49_000, {"clientOrderId": "l-1"})


@pytest.mark.asyncio
async def test_balances_are_told_as_they_change(bench: Bench) -> None:
    client = bench.client()
    await client.load_markets()
    watched = asyncio.ensure_future(client.watch_balance())
    await heard(bench, "spot@private.account.v3.api.pb")
    await client.create_order(SYMBOL, "limit", "buy", 0.01, 49_000)
    balance = await soon(watched)
    assert (balance["USDT"]["free"], balance["USDT"]["used"]) == (9_509.755, 490.245)
    assert (balance["info"]["type"], balance["info"]["frozenAmountChange"]) == ("ENTRUST_PLACE", "490.245")


@pytest.mark.asyncio
async def test_a_market_buy_spends_the_cost(bench: Bench) -> None:
    client = bench.client()
    placed = await client.create_market_buy_order_with_cost(SYMBOL, 100)
    order = await client.fetch_order(placed["id"], SYMBOL)
    [trade] = await client.fetch_order_trades(placed["id"], SYMBOL)
    assert order["status"] == "closed"
    assert order["filled"] == trade["amount"]
    assert 99.9 < trade["cost"] + trade["fee"]["cost"] <= 100
    with pytest.raises(ccxt.BadRequest, match="-1128"):
        await client.create_order(SYMBOL, "market", "buy", 0.01)


@pytest.mark.asyncio
async def test_a_market_sell_gives_the_quantity(bench: Bench) -> None:
    client = bench.client()
    placed = await client.create_order(SYMBOL, "market", "sell", 0.5)
    order = await client.fetch_order(placed["id"], SYMBOL)
    assert (order["filled"], order["average"], order["type"]) == (0.5, 50_000, "market")


@pytest.mark.asyncio
async def test_what_does_not_trade_at_once_of_an_immediate_order_is_cancelled(bench: Bench) -> None:
    client = bench.client()
    bench.world.set_depth(SYMBOL, Decimal("0.004"))
    part = await client.create_order(SYMBOL, "limit", "buy", 0.01, 50_000, {"timeInForce": "IOC"})
    none = await client.create_order(SYMBOL, "limit", "buy", 0.01, 50_000, {"timeInForce": "FOK"})
    found = await client.fetch_order(part["id"], SYMBOL)
    assert (found["status"], found["filled"], found["info"]["status"]) == ("canceled", 0.004, "PARTIALLY_CANCELED")
    assert (await client.fetch_order(none["id"], SYMBOL))["info"]["status"] == "CANCELED"


@pytest.mark.asyncio
async def test_a_post_only_order_that_would_trade_is_accepted_and_cancelled(bench: Bench) -> None:
    client = bench.client()
    placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 50_100, {"postOnly": True, "clientOrderId": "p"})
    order = await client.fetch_order(placed["id"], SYMBOL)
    assert (order["status"], order["filled"], order["info"]["type"]) == ("canceled", 0, "LIMIT_MAKER")
    assert await client.fetch_my_trades(SYMBOL) == []


@pytest.mark.asyncio
async def test_all_open_orders_are_cancelled_at_once(bench: Bench) -> None:
    client = bench.client()
    batch = [
        {
            "symbol": SYMBOL,
            "type": "limit",
            "side": "buy",
            "amount": 0.01,
            "price": price,
            "params": {"clientOrderId": of},
        }
        for of, price in (("b-1", 49_000), ("b-2", 48_000), ("b-3", 0.01))
    ]
    answered = await client.create_orders(batch)
    assert [order["status"] for order in answered] == [None, None, "rejected"]
    assert answered[2]["info"]["code"] == 30002
    assert len(await client.cancel_all_orders(SYMBOL)) == 2
    await client.create_order(SYMBOL, "limit", "buy", 0.01, 49_000)
    await client.cancel_all_orders()
    assert bench.world.open_orders("ann") == []


@pytest.mark.asyncio
async def test_public_prices_are_told_in_rest(bench: Bench) -> None:
    client = bench.client()
    assert abs(await client.fetch_time() - bench.clock()) < 5_000
    assert (await client.fetch_status())["status"] == "ok"
    book = await client.fetch_order_book(SYMBOL, 5)
    assert (book["bids"][0][0], book["asks"][0][0], len(book["bids"])) == (49_999.99, 50_000.01, 5)
    bench.world.move(SYMBOL, Decimal(50_500), Decimal(2))
    [first, second] = await client.fetch_trades(SYMBOL)
    assert (first["price"], second["price"], second["amount"], second["side"]) == (50_000, 50_500, 2, "buy")
    ticker = await client.fetch_ticker(SYMBOL)
    assert (ticker["last"], ticker["open"], ticker["high"], ticker["percentage"]) == (50_500, 50_000, 50_500, 1)
    candles = await client.fetch_ohlcv(SYMBOL, "1h")
    assert (candles[0][1], candles[-1][4]) == (50_000, 50_500)
    assert (await client.fetch_bids_asks())[SYMBOL]["bid"] == 50_499.99
    assert (await client.fetch_trading_fee(SYMBOL))["taker"] == 0.0005
    assert (await client.spotPrivateGetSelfSymbols())["data"] == ["BTCUSDT", "MXUSDT"]


@pytest.mark.asyncio
async def test_public_streams_tell_trades_prices_books_and_candles(bench: Bench) -> None:
    client = bench.client()
    await client.load_markets()
    assert (await soon(client.watch_ticker(SYMBOL)))["bid"] == 49_999.99
    [candle] = await soon(client.watch_ohlcv(SYMBOL, "1m"))
    assert candle[4] == 50_000
    trades = asyncio.ensure_future(client.watch_trades(SYMBOL))
    book = asyncio.ensure_future(client.watch_order_book(SYMBOL))
    await heard(bench, "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT")
    await heard(bench, "spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT")
    price = Decimal(50_000)
    while not book.done():
        price += 1
        bench.world.move(SYMBOL, price, Decimal("0.5"))
        await asyncio.sleep(0)
    first = (await soon(trades))[0]
    assert (first["price"], first["amount"], first["side"]) == (50_001, 0.5, "buy")
    told = await soon(book)
    assert told["bids"][0][0] < told["asks"][0][0]
    assert len(told["bids"]) == len(told["asks"]) == 20


async def heard(bench: Bench, *channels: str) -> None:
    """Wait until those channels are subscribed to."""
    deadline = time.monotonic() + PATIENCE_S
    while not set(channels) <= bench.streams.heard():
        assert time.monotonic() < deadline, f"{channels} are not subscribed to, {bench.streams.heard()} are"
        await asyncio.sleep(0.005)
