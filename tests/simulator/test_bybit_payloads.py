"""What the simulator sends has every field, of the same JSON type, that recorded payloads of Bybit have.

The recordings are those of other clients' tests and of the exchange's documents; where they tell of contracts, or were
edited by hand, the fields that spot has not are named below.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from autogrid.simulator.bybit.signing import sign
from tests.simulator.test_bybit import KEY, NAME, PATIENCE_S, SECRET, SYMBOL, opened
from tests.simulator.test_bybit_wire import Wire

NOT_OF_SPOT: Final = frozenset({"L", "createType", "tpslMode"})
"""A trade's direction, an order's origin and how much of a position it closes: contracts only."""
OF_ANOTHER_TYPE: Final = frozenset({"smpGroup", "seq"})
"""Text in newer recordings and a number in older ones, or the reverse."""
NOT_OF_BYBIT: Final = frozenset({"totalPerpUpl", "nextPageCursor"})
"""Misspelt by whoever edited the recording; put into a row by a client."""
JKORF: Final[Mapping[str, str]] = {
    "Trading/PlaceOrder": "create",
    "Trading/CancelAllOrder": "cancel-all",
    "Trading/CancelMultipleOrders": "cancel-batch",
    "Trading/GetOrders": "realtime",
    "Trading/GetUserTrades": "executions",
    "ExchangeData/GetSpotTickers": "tickers",
    "ExchangeData/GetOrderbook": "book",
    "ExchangeData/GetKlines": "candles",
    "ExchangeData/GetTradeHistory": "trades",
    "Account/GetFeeRate": "fees",
    "Account/GetMarginAccountInfo": "account",
}
JKORF_STREAMS: Final[Mapping[str, str]] = {
    "Spot/Trades": "publicTrade",
    "Private/Balance": "wallet",
    "Private/UserTrades": "execution",
    "Private/MinimalUserTrades": "execution.fast",
}
NAUTILUS: Final[Mapping[str, str]] = {
    "http_get_instruments_spot": "instruments",
    "http_get_wallet_balance_spot_short": "wallet-balance",
    "http_get_orderbook": "book",
    "http_get_account_info": "account",
    "http_get_fee_rate": "fees",
    "ws_account_order": "order",
    "ws_account_order_filled": "order",
    "ws_account_execution": "execution",
    "ws_account_execution_fast": "execution.fast",
    "ws_account_wallet": "wallet",
    "ws_orderbook_snapshot": "orderbook",
    "ws_subscription_ack": "subscribed",
    "ws_order_response": "trade stream",
}


def differences(recorded: Any, sent: Any, where: str) -> list[str]:
    """Fields that are missing from what was sent, or of another type."""
    if type(recorded) is not type(sent):
        return [f"{where}: recorded {recorded!r}, sent {sent!r}"]
    if isinstance(recorded, list) and recorded:
        return differences(recorded[0], sent[0], f"{where}[0]") if sent else [f"{where}: nothing sent"]
    found: list[str] = []
    if isinstance(recorded, dict):
        for name, value in recorded.items():
            if name in NOT_OF_SPOT | NOT_OF_BYBIT and name not in sent:
                continue
            if name not in sent:
                found.append(f"{where}.{name} is missing")
            elif name not in OF_ANOTHER_TYPE:
                found += differences(value, sent[name], f"{where}.{name}")
    return found


async def everything(folder: Path) -> dict[str, Any]:
    """One of each answer and event that the simulator sends."""
    sent: dict[str, Any] = {}
    async with opened(folder) as bench:
        wire, spot = Wire(bench), {"category": "spot", "symbol": NAME}
        async with bench.session.ws_connect("wss://stream.bybit.com/v5/public/spot") as stream:
            topics = ["publicTrade", "tickers", "orderbook.1"]
            await stream.send_json({"op": "subscribe", "req_id": "1", "args": [f"{topic}.{NAME}" for topic in topics]})
            sent["subscribed"] = await stream.receive_json(timeout=PATIENCE_S)
            bench.world.move(SYMBOL, Decimal(50_000))
            while not {"publicTrade", "tickers", "orderbook"} <= set(sent):
                event = await stream.receive_json(timeout=PATIENCE_S)
                sent.setdefault(event["topic"].split(".")[0], event)
        async with bench.session.ws_connect("wss://stream.bybit.com/v5/private") as stream:
            until = bench.clock() + 5_000
            await stream.send_json({"op": "auth", "args": [KEY, until, sign(SECRET, f"GET/realtime{until}")]})
            await stream.send_json({"op": "subscribe", "args": ["order", "execution", "execution.fast", "wallet"]})
            await wire.create(orderType="Market", qty="100")
            while not {"order", "execution", "execution.fast", "wallet"} <= set(sent):
                event = await stream.receive_json(timeout=PATIENCE_S)
                sent.setdefault(event.get("topic", "answer"), event)
        async with bench.session.ws_connect("wss://stream.bybit.com/v5/trade") as stream:
            until = bench.clock() + 5_000
            await stream.send_json({"op": "auth", "args": [KEY, until, sign(SECRET, f"GET/realtime{until}")]})
            sent["signed in to trade"] = await stream.receive_json(timeout=PATIENCE_S)
            order = spot | {"side": "Buy", "orderType": "Limit", "qty": "0.001", "price": "49000"}
            header = {"X-BAPI-TIMESTAMP": str(bench.clock())}
            await stream.send_json({"reqId": "1", "op": "order.create", "header": header, "args": [order]})
            sent["trade stream"] = await stream.receive_json(timeout=PATIENCE_S)
        sent["create"] = await wire.create()
        sent["realtime"] = await wire.get("/v5/order/realtime", **spot)
        sent["history"] = await wire.get("/v5/order/history", **spot)
        sent["executions"] = await wire.get("/v5/execution/list", **spot)
        named = [{"symbol": NAME, "orderId": sent["create"]["result"]["orderId"]}]
        sent["cancel-batch"] = await wire.post("/v5/order/cancel-batch", {"category": "spot", "request": named})
        sent["cancel-all"] = await wire.post("/v5/order/cancel-all", spot)
        sent["tickers"] = await wire.get("/v5/market/tickers", **spot)
        sent["book"] = await wire.get("/v5/market/orderbook", **spot)
        sent["candles"] = await wire.get("/v5/market/kline", interval="1", **spot)
        sent["trades"] = await wire.get("/v5/market/recent-trade", **spot)
        sent["instruments"] = await wire.get("/v5/market/instruments-info", **spot)
        sent["fees"] = await wire.get("/v5/account/fee-rate", **spot)
        sent["account"] = await wire.get("/v5/account/info")
        sent["wallet-balance"] = await wire.get("/v5/account/wallet-balance", accountType="UNIFIED")
    return sent


@pytest.mark.asyncio
async def test_all_fields_of_recorded_payloads_are_sent(shared_data: Path, tmp_path: Path) -> None:
    sent = await everything(tmp_path)
    fixtures = shared_data / "data" / "fixtures"
    jkorf = fixtures / "jkorf_bybit"
    found: list[str] = []
    for name, answer in JKORF.items():
        text = (jkorf / "Endpoints" / "V5Api" / f"{name}.txt").read_text("utf-8-sig")
        found += differences(json.loads(text.split("\n", 3)[3]), sent[answer], name)
    for name, event in JKORF_STREAMS.items():
        text = (jkorf / "Subscriptions" / "V5" / f"{name}.txt").read_text("utf-8-sig")
        found += differences(json.loads(text.split("\n=", 1)[1]), sent[event], name)
    for name, answer in NAUTILUS.items():
        recorded = json.loads((fixtures / "nautilus" / "bybit" / f"{name}.json").read_text())
        found += differences(recorded, sent[answer], name)
    assert not found, "\n".join(found)


@pytest.mark.asyncio
async def test_an_answer_on_the_trade_stream_has_the_recorded_header(shared_data: Path, tmp_path: Path) -> None:
    sent = await everything(tmp_path)
    folder = shared_data / "data" / "fixtures" / "jkorf_bybit" / "Socket" / "V5Api" / "Private"
    text = (folder / "PlaceOrder.txt").read_text("utf-8-sig")
    assert not differences(json.loads(text.split("\n=", 1)[1]), sent["trade stream"], "PlaceOrder")


@pytest.mark.asyncio
async def test_a_real_trade_on_spot_has_no_field_that_is_not_sent(shared_data: Path, tmp_path: Path) -> None:
    sent = await everything(tmp_path)
    text = (shared_data / "data" / "fixtures" / "ccxt_static" / "bybit.response.json").read_text()
    cases = json.loads(text)["methods"]["fetchMyTrades"]
    (recorded,) = [case["httpResponse"] for case in cases if case["httpResponse"]["result"]["category"] == "spot"]
    assert not differences(recorded["result"], sent["executions"]["result"], "fetchMyTrades")


def test_a_missing_field_and_one_of_another_type_are_found() -> None:
    assert differences({"a": "1", "b": [{"c": 1}]}, {"a": 1, "b": [{}]}, "x") == [
        "x.a: recorded '1', sent 1",
        "x.b[0].c is missing",
    ]
