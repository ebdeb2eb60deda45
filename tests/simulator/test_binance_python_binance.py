"""python-binance, unchanged, trades on our Binance."""

import asyncio
import ssl
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.simulator.local_binance import ACCOUNT, KEY, SECRET, SYMBOL, every_host_here, local_binance

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it imports what its own library calls deprecated
    from binance.async_client import AsyncClient  # type: ignore[import-untyped]
    from binance.client import Client  # type: ignore[import-untyped]
    from binance.exceptions import BinanceAPIException  # type: ignore[import-untyped]
    from binance.ws.streams import BinanceSocketManager  # type: ignore[import-untyped]

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")


def trade() -> None:
    client = Client(KEY, SECRET)
    try:
        walk(client)
    finally:
        client.close_connection()
        client.loop.close()  # it made one for this thread, and leaves it open


def walk(client: Any) -> None:
    info = client.get_symbol_info("BTCUSDT")
    assert info is not None
    assert info["status"] == "TRADING"
    made = client.order_limit_buy(symbol="BTCUSDT", quantity="0.01", price="59000", newClientOrderId="one")
    assert made["status"] == "NEW"
    assert [one["clientOrderId"] for one in client.get_open_orders(symbol="BTCUSDT")] == ["one"]
    assert client.get_asset_balance("USDT") == {"asset": "USDT", "free": "9410.00000000", "locked": "590.00000000"}
    assert client.cancel_order(symbol="BTCUSDT", orderId=made["orderId"])["status"] == "CANCELED"
    assert client.get_order(symbol="BTCUSDT", origClientOrderId="one")["status"] == "CANCELED"
    bought = client.order_market_buy(symbol="BTCUSDT", quantity="0.01")
    assert bought["fills"][0]["commissionAsset"] == "BTC"
    assert [one["orderId"] for one in client.get_my_trades(symbol="BTCUSDT")] == [bought["orderId"]]
    assert client.get_account_api_permissions()["enableWithdrawals"] is False
    with pytest.raises(BinanceAPIException, match="LOT_SIZE"):
        client.order_limit_buy(symbol="BTCUSDT", quantity="0.000001", price="59000")


@pytest.mark.asyncio
async def test_the_blocking_client_trades(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with local_binance(tmp_path) as local:
        with every_host_here(local, monkeypatch):
            await asyncio.to_thread(trade)
        assert [order.status for order in local.world.orders(ACCOUNT)] == ["cancelled", "filled"]


@pytest.mark.asyncio
async def test_the_user_socket_tells_fills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with local_binance(tmp_path) as local:
        with every_host_here(local, monkeypatch):
            tls = ssl.create_default_context(cafile=str(local.ca_file))
            client = AsyncClient(KEY, SECRET, session_params={"connector": aiohttp.TCPConnector(ssl=tls)})
            try:
                async with BinanceSocketManager(client).user_socket() as stream:
                    made = await client.order_limit_buy(symbol="BTCUSDT", quantity="0.01", price="59000")
                    local.world.move(SYMBOL, Decimal(58_999))
                    causes = []
                    while "TRADE" not in causes:
                        event = await asyncio.wait_for(stream.recv(), 10)
                        if event["e"] == "executionReport":
                            causes.append(event["x"])
                            assert event["i"] == made["orderId"]
                    assert causes == ["NEW", "TRADE"]
            finally:
                await client.close_connection()
