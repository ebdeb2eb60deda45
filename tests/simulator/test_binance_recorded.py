"""Payloads that Binance once sent, recorded by others: ours have the same fields, of the same kinds.

The recordings are examples of Binance's documents and of other programs' tests, some older than a field, some with
fields of orders that are not made here; what may differ is named.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from tests.simulator.local_binance import ACCOUNT, SYMBOL, ask, local_binance, session_to, signed_request
from tests.simulator.test_binance_sdk import OCO, events_until, told

JKORF: Final = "data/fixtures/jkorf_binance"
NAUTILUS: Final = "data/fixtures/nautilus"
LIMIT: Final = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}


def kind(value: object) -> str:
    match value:
        case bool():
            return "truth"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case dict():
            return "object"
        case _:
            return "nothing"


def differences(ours: Any, theirs: Any, place: str = "") -> set[str]:
    """Where two payloads differ in shape: `-x` is missing here, `+x` is not in the recording, `x: a, not b` kinds."""
    if kind(ours) != kind(theirs):
        return {f"{place}: {kind(ours)}, not {kind(theirs)}"}
    if isinstance(ours, list):
        return differences(ours[0], theirs[0], f"{place}[]") if ours and theirs else set()
    if not isinstance(ours, dict):
        return set()
    found = {f"-{place}.{name}" for name in theirs.keys() - ours.keys()}
    found |= {f"+{place}.{name}" for name in ours.keys() - theirs.keys()}
    for name in ours.keys() & theirs.keys():
        found |= differences(ours[name], theirs[name], f"{place}.{name}")
    return found


def recorded(path: Path) -> Any:
    """The JSON of a recording: of three lines and an answer, of a dialogue, or plain."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    _, dialogue, answer = text.partition("\n= ")
    body = answer if dialogue else text.split("\n", 3)[3]
    return json.loads(re.sub(r"\|\d\|", "1", body.strip()))


YOUNGER: Final = {"+.origQuoteOrderQty"}
"""Fields that Binance has added since."""
REST: Final[Mapping[str, tuple[str, str, dict[str, str], set[str]]]] = {
    "jkorf_binance/Endpoints/Spot/Trading/PlaceOrder.txt": (
        "POST",
        "/api/v3/order",
        {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"},
        YOUNGER,
    ),
    "nautilus/binance/spot/http_json/new_order_full_response.json": (
        "POST",
        "/api/v3/order",
        {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"},
        set(),
    ),
    "jkorf_binance/Endpoints/Spot/Trading/GetOpenOrders.txt": ("GET", "/api/v3/openOrders", {}, set()),
    "jkorf_binance/Endpoints/Spot/Trading/GetOrders.txt": (
        "GET",
        "/api/v3/allOrders",
        {"symbol": "BTCUSDT"},
        set(),
    ),
    "nautilus/binance/spot/http_json/order_response.json": (
        "GET",
        "/api/v3/order",
        {"symbol": "BTCUSDT", "origClientOrderId": "resting"},
        set(),
    ),
    "nautilus/binance/spot/http_json/cancel_order_response.json": (
        "DELETE",
        "/api/v3/order",
        {"symbol": "BTCUSDT", "origClientOrderId": "resting"},
        set(),
    ),
    "jkorf_binance/Endpoints/Spot/Trading/GetUserTrades.txt": (
        "GET",
        "/api/v3/myTrades",
        {"symbol": "BTCUSDT"},
        set(),
    ),
    "jkorf_binance/Endpoints/Spot/Trading/GetOcoOrders.txt": ("GET", "/api/v3/allOrderList", {}, set()),
    "jkorf_binance/Endpoints/Spot/Trading/CancelOcoOrder.txt": (
        "DELETE",
        "/api/v3/orderList",
        {"symbol": "BTCUSDT", "orderListId": "1"},
        {"+.orderReports[].origQuoteOrderQty", "-.orderReports[].stopPrice"},  # theirs begins with the stop
    ),
    "nautilus/binance/spot/http_json/account_response.json": ("GET", "/api/v3/account", {}, set()),
    "jkorf_binance/Endpoints/Spot/Account/GetAPIKeyPermissions.txt": (
        "GET",
        "/sapi/v1/account/apiRestrictions",
        {},
        {"+.enableFixApiTrade", "+.enableFixReadOnly"},
    ),
    "jkorf_binance/Endpoints/Spot/ExchangeData/GetAggregatedTradeHistory.txt": (
        "GET",
        "/api/v3/aggTrades",
        {"symbol": "BTCUSDT"},
        set(),
    ),
    "jkorf_binance/Endpoints/Spot/ExchangeData/GetAvgPrice.txt": (
        "GET",
        "/api/v3/avgPrice",
        {"symbol": "BTCUSDT"},
        set(),
    ),
    "jkorf_binance/Endpoints/Spot/ExchangeData/GetRecentTrades.txt": (
        "GET",
        "/api/v3/trades",
        {"symbol": "BTCUSDT"},
        set(),
    ),
    "jkorf_binance/Endpoints/Spot/ExchangeData/GetTicker.txt": (
        "GET",
        "/api/v3/ticker/24hr",
        {"symbol": "BTCUSDT"},
        set(),
    ),
    "nautilus/binance/spot/http_json/book_ticker_response.json": (
        "GET",
        "/api/v3/ticker/bookTicker",
        {"symbol": "BTCUSDT"},
        set(),
    ),
    "nautilus/binance/spot/http_json/ticker_price_response.json": (
        "GET",
        "/api/v3/ticker/price",
        {"symbol": "BTCUSDT"},
        set(),
    ),
    "nautilus/binance/spot/http_json/server_time_response.json": ("GET", "/api/v3/time", {}, set()),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("name", REST)
async def test_an_answer_has_the_shape_of_the_recorded_one(shared_data: Path, tmp_path: Path, name: str) -> None:
    theirs = recorded(shared_data / "data/fixtures" / name)
    method, path, params, may_differ = REST[name]
    async with local_binance(tmp_path) as local, session_to(local) as session:
        bought = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
        await ask(session, "POST", "/api/v3/order", bought)
        await ask(session, "POST", "/api/v3/order", {**LIMIT, "price": "59000", "newClientOrderId": "resting"})
        assert (await ask(session, "POST", "/api/v3/orderList/oco", OCO))[0] == 200
        public = path.rpartition("/")[2] in PUBLIC
        if public:
            async with session.get(f"https://api.binance.com{path}", params=params) as answer:
                status, ours = answer.status, await answer.json()
        else:
            status, ours = await ask(session, method, path, params)
        assert status == 200, ours
        assert local.world.orders(ACCOUNT)
    assert differences(ours, theirs) <= may_differ


PUBLIC: Final = ("time", "price", "bookTicker", "24hr", "trades", "avgPrice", "aggTrades")


@pytest.mark.asyncio
async def test_the_rules_of_markets_have_the_shape_of_production(shared_data: Path, tmp_path: Path) -> None:
    theirs = recorded(shared_data / "data/markets/binance_spot_exchangeInfo_20240908_selected.json")
    async with (
        local_binance(tmp_path) as local,
        session_to(local) as session,
        session.get("https://api.binance.com/api/v3/exchangeInfo") as answer,
    ):
        ours = await answer.json()
    theirs["symbols"] = [one for one in theirs["symbols"] if one["symbol"] == "BTCUSDT"]
    younger = {"amendAllowed", "opoAllowed", "pegInstructionsAllowed"}
    assert differences(ours, theirs) == {f"+.symbols[].{name}" for name in younger}
    filters = {one["filterType"]: one for one in theirs["symbols"][0]["filters"]}
    known = {one["filterType"]: one for one in ours["symbols"][0]["filters"]}
    assert filters.keys() - known.keys() == {"TRAILING_DELTA"}
    assert known.keys() - filters.keys() == {"MAX_NUM_ORDER_LISTS", "MAX_NUM_ORDER_AMENDS"}
    for name in filters.keys() & known.keys():
        assert differences(known[name], filters[name]) == set(), name


EVENTS: Final[Mapping[str, tuple[str, str, set[str]]]] = {
    "nautilus/py_binance/resources/ws_messages/ws_spot_execution_report_new.json": (
        "executionReport",
        "NEW",
        {"+.W", "+.V"},
    ),
    "nautilus/py_binance/resources/ws_messages/ws_spot_execution_report_trade.json": (
        "executionReport",
        "TRADE",
        {"+.W", "+.V"},
    ),
    "nautilus/py_binance/resources/ws_messages/ws_spot_execution_report_binance_us.json": (
        "executionReport",
        "TRADE",
        set(),
    ),
    "nautilus/py_binance/resources/ws_messages/ws_spot_execution_report_canceled.json": (
        "executionReport",
        "CANCELED",
        {"+.W", "+.V"},
    ),
    "nautilus/binance/spot/user_data_json/account_position.json": ("outboundAccountPosition", "", set()),
    "nautilus/binance/spot/user_data_json/balance_update.json": ("balanceUpdate", "", set()),
    "nautilus/binance/spot/user_data_json/list_status_wrapped.json": ("listStatus", "", set()),
    "jkorf_binance/Subscriptions/Spot/Account/AccountPosition.txt": ("outboundAccountPosition", "", set()),
    "jkorf_binance/Subscriptions/Spot/Account/OcoOrder.txt": ("listStatus", "", set()),
}


@pytest.mark.asyncio
async def test_user_events_have_the_shape_of_the_recorded_ones(shared_data: Path, tmp_path: Path) -> None:
    async with (
        local_binance(tmp_path) as local,
        session_to(local) as session,
        session.ws_connect("wss://ws-api.binance.com/ws-api/v3") as socket,
    ):
        await socket.send_str(signed_request("userDataStream.subscribe.signature", {}))
        await told(socket)
        await socket.send_str(signed_request("order.place", {**LIMIT, "price": "59000", "newClientOrderId": "a"}))
        events = await events_until(socket, 2)
        local.world.credit(ACCOUNT, "USDT", Decimal(1))
        events += await events_until(socket, 2)
        local.world.move(SYMBOL, Decimal(59_000), most=Decimal("0.005"))
        events += await events_until(socket, 2)
        await socket.send_str(signed_request("order.cancel", {"symbol": "BTCUSDT", "origClientOrderId": "a"}))
        events += await events_until(socket, 2)
        await socket.send_str(signed_request("orderList.place.oco", {**OCO, "belowStopPrice": "58000"}))
        events += await events_until(socket, 4)
    for name, (event, cause, may_differ) in EVENTS.items():
        theirs = recorded(shared_data / "data/fixtures" / name)
        theirs = theirs.get("event") or theirs.get("data") or theirs
        ours = next(one for one in events if one["e"] == event and cause in ("", one.get("x")))
        assert differences(ours, theirs) <= may_differ, name


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "stream", "may_differ"),
    [
        ("Trades.txt", "btcusdt@trade", {"-.data.a", "-.data.b"}),  # gone from Binance's streams since
        ("AggregatedTrades.txt", "btcusdt@aggTrade", set()),
        ("MiniTicker.txt", "btcusdt@miniTicker", set()),
    ],
)
async def test_market_events_have_the_shape_of_the_recorded_ones(
    shared_data: Path, tmp_path: Path, name: str, stream: str, may_differ: set[str]
) -> None:
    theirs = recorded(shared_data / JKORF / "Subscriptions/Spot/ExchangeData" / name)
    async with (
        local_binance(tmp_path) as local,
        session_to(local) as session,
        session.ws_connect(f"wss://stream.binance.com:9443/stream?streams={stream}") as socket,
    ):
        ours = await first_event(socket, local)
    assert differences(ours, theirs) == may_differ


async def first_event(socket: aiohttp.ClientWebSocketResponse, local: Any) -> Any:
    await socket.send_str('{"method": "LIST_SUBSCRIPTIONS", "id": 1}')
    frame = await told(socket)
    while "result" in frame:
        local.world.move(SYMBOL, Decimal(60_001))
        frame = await told(socket)
    return frame
