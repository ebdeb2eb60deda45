"""pybit, the exchange's own client, as it is, trades on the simulated Bybit.

It blocks and has threads of its own, so it runs in a thread; its connections are sent here by what a host name
resolves to, and they trust the simulator's authority.
"""

import asyncio
import os
import queue
import socket
import time
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pybit.exceptions import InvalidRequestError  # type: ignore[import-untyped]
from pybit.unified_trading import HTTP, WebSocket, WebSocketTrading  # type: ignore[import-untyped]

from tests.simulator.test_bybit import KEY, NAME, PATIENCE_S, SECRET, SYMBOL, Bench, a_moment, opened

HOSTS = ("api.bybit.com", "stream.bybit.com")


@pytest_asyncio.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    async with opened(tmp_path) as one:
        resolve = socket.getaddrinfo

        def resolve_here(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
            if host in HOSTS:
                return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", one.listening.port))]
            if host in ("127.0.0.1", "localhost"):
                return resolve(host, port, *args, **kwargs)
            raise AssertionError(f"pybit asks for {host}")

        monkeypatch.setattr(socket, "getaddrinfo", resolve_here)
        monkeypatch.setenv("WEBSOCKET_CLIENT_CA_BUNDLE", str(tmp_path / "ca.pem"))
        yield one
        await all_gone(one)


async def all_gone(bench: Bench) -> None:
    """Wait until the server has noticed that every connection ended."""
    server = bench.listening._runner.server
    deadline = time.monotonic() + PATIENCE_S
    while server is not None and server.connections and time.monotonic() < deadline:
        await a_moment()
    await a_moment()  # TLS ends after the protocol above it has


async def in_thread(act: Callable[[], Any]) -> Any:
    return await asyncio.wait_for(asyncio.to_thread(act), PATIENCE_S)


def http() -> Any:
    """pybit sends what it has prepared itself, so that `requests` does not look at REQUESTS_CA_BUNDLE."""
    session = HTTP(api_key=KEY, api_secret=SECRET, recv_window=5_000, max_retries=1)
    session.client.verify = os.environ["WEBSOCKET_CLIENT_CA_BUNDLE"]
    return session


def refused_with(act: Callable[[], Any]) -> int:
    """The code; `pytest.raises` would keep the answer, and with it the connection, open."""
    try:
        act()
    except InvalidRequestError as error:
        return int(error.status_code)
    return 0


@pytest.mark.asyncio
async def test_pybit_reads_the_market(bench: Bench) -> None:
    def act() -> None:
        with_session = http()
        assert int(with_session.get_server_time()["result"]["timeSecond"]) > 0
        (rules,) = with_session.get_instruments_info(category="spot", symbol=NAME)["result"]["list"]
        assert rules["priceFilter"]["tickSize"] == "0.1"
        (ticker,) = with_session.get_tickers(category="spot", symbol=NAME)["result"]["list"]
        assert ticker["lastPrice"] == "50000"
        assert with_session.get_orderbook(category="spot", symbol=NAME)["result"]["b"] == [["49999.9", "0.01"]]
        assert len(with_session.get_kline(category="spot", symbol=NAME, interval=1)["result"]["list"]) == 1
        (trade,) = with_session.get_public_trade_history(category="spot", symbol=NAME)["result"]["list"]
        assert trade["price"] == "50000"
        with_session.client.close()

    await in_thread(act)


@pytest.mark.asyncio
async def test_pybit_places_finds_and_cancels_orders(bench: Bench) -> None:
    def act() -> None:
        session = http()
        made = session.place_order(
            category="spot", symbol=NAME, side="Buy", orderType="Limit", qty="0.01", price="49000", orderLinkId="a-1"
        )["result"]
        assert made["orderLinkId"] == "a-1"
        (standing,) = session.get_open_orders(category="spot", symbol=NAME)["result"]["list"]
        assert (standing["orderId"], standing["orderStatus"]) == (made["orderId"], "New")
        (coin,) = session.get_wallet_balance(accountType="UNIFIED", coin="USDT")["result"]["list"][0]["coin"]
        assert (coin["walletBalance"], coin["locked"]) == ("10000", "490")
        session.cancel_order(category="spot", symbol=NAME, orderLinkId="a-1")
        (ended,) = session.get_order_history(category="spot", orderLinkId="a-1")["result"]["list"]
        assert (ended["orderStatus"], ended["cancelType"]) == ("Cancelled", "CancelByUser")
        cancel_unknown = partial(session.cancel_order, category="spot", symbol=NAME, orderLinkId="a-2")
        assert refused_with(cancel_unknown) == 170213
        assert session.get_api_key_information()["result"]["permissions"]["Spot"] == ["SpotTrade"]
        assert session.get_fee_rates(category="spot", symbol=NAME)["result"]["list"][0]["takerFeeRate"] == "0.0018"
        session.client.close()

    await in_thread(act)


@pytest.mark.asyncio
async def test_pybit_hears_a_fill_on_its_streams(bench: Bench) -> None:
    heard: queue.Queue[Any] = queue.Queue()
    private = await in_thread(partial(WebSocket, testnet=False, channel_type="private", api_key=KEY, api_secret=SECRET))
    public = await in_thread(partial(WebSocket, testnet=False, channel_type="spot"))
    # pybit sends first and notes its callback then: from the server's thread, so that no answer overtakes it
    private.order_stream(callback=heard.put)
    private.execution_stream(callback=heard.put)
    private.wallet_stream(callback=heard.put)
    public.trade_stream(symbol=NAME, callback=heard.put)
    public.orderbook_stream(depth=1, symbol=NAME, callback=heard.put)
    public.ticker_stream(symbol=NAME, callback=heard.put)

    def until(topic: str, **wanted: str) -> Any:
        while True:
            told = heard.get(timeout=PATIENCE_S)
            rows = told["data"] if isinstance(told["data"], list) else [told["data"]]
            if told["topic"] == topic and all(rows[0].get(name) == value for name, value in wanted.items()):
                return rows[0]

    def buy() -> None:
        session = http()
        session.place_order(category="spot", symbol=NAME, side="Buy", orderType="Limit", qty="0.01", price="49000")
        session.client.close()

    try:
        await in_thread(lambda: until(f"tickers.{NAME}"))
        await in_thread(buy)
        await in_thread(lambda: until("order", orderStatus="New"))
        bench.world.move(SYMBOL, Decimal(48_900))
        await in_thread(lambda: until("order", orderStatus="Filled"))
        trade = await in_thread(lambda: until("execution"))
        assert (trade["execPrice"], trade["execQty"], trade["feeCurrency"]) == ("49000", "0.01", "BTC")
    finally:
        await in_thread(private.exit)
        await in_thread(public.exit)


@pytest.mark.asyncio
async def test_pybit_sends_orders_on_the_trade_stream(bench: Bench) -> None:
    heard: queue.Queue[Any] = queue.Queue()

    async def answer() -> Any:
        return await in_thread(lambda: heard.get(timeout=PATIENCE_S))

    trading = await in_thread(partial(WebSocketTrading, testnet=False, api_key=KEY, api_secret=SECRET))
    order = {"category": "spot", "symbol": NAME, "side": "Buy", "orderType": "Limit", "qty": "0.01"}
    try:
        trading.place_order(heard.put, **order, price="49000", orderLinkId="ws-1")
        made = await answer()
        assert (made["retCode"], made["data"]["orderLinkId"]) == (0, "ws-1")
        trading.place_order(heard.put, heard.put, **order, price="49000.05")
        assert (await answer())["retCode"] == 170134
        trading.cancel_order(heard.put, category="spot", symbol=NAME, orderId=made["data"]["orderId"])
        assert (await answer())["retCode"] == 0
    finally:
        await in_thread(trading.exit)
    assert bench.world.open_orders("ann") == []
