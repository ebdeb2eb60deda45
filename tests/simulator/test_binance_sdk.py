"""Binance's own SDK, unchanged, trades on our Binance; its models find no field that they do not know."""

import asyncio
import json
import ssl
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from binance_common.configuration import ConfigurationRestAPI, ConfigurationWebSocketAPI
from binance_sdk_spot.spot import Spot
from binance_sdk_spot.websocket_api.models.user_data_stream_events_response import UserDataStreamEventsResponse
from pydantic import BaseModel

from tests.simulator.local_binance import (
    ACCOUNT,
    KEY,
    SECRET,
    SYMBOL,
    every_host_here,
    local_binance,
    session_to,
    signed_request,
)


def unknown_fields(told: object, place: str = "answer") -> list[str]:
    """Fields of an answer, however deep, that the SDK's models do not know."""
    if isinstance(told, list | tuple):
        return [name for index, one in enumerate(told) for name in unknown_fields(one, f"{place}[{index}]")]
    if not isinstance(told, BaseModel):
        return []
    extra = getattr(told, "additional_properties", {})
    found = [f"{place}.{name}" for name in extra]
    for name in type(told).model_fields:
        if name not in ("additional_properties", "one_of_schemas"):
            found += unknown_fields(getattr(told, name), f"{place}.{name}")
    return found


def rest() -> Any:
    config = ConfigurationRestAPI(api_key=KEY, api_secret=SECRET, retries=0, timeout=10_000)
    return Spot(config_rest_api=config).rest_api


@pytest.mark.asyncio
async def test_rest_answers_hold_nothing_that_the_models_do_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with local_binance(tmp_path) as local:
        with every_host_here(local, monkeypatch):
            answers = await asyncio.to_thread(_walk, rest())
        assert [one for one in answers.pop("list gone") if not one.endswith(UNKNOWN_TO_THE_SDK)] == []
        assert {name: fields for name, fields in answers.items() if fields} == {}
        assert local.world.open_orders(ACCOUNT) == []


def _walk(api: Any) -> dict[str, list[str]]:
    """Trade, and look at every answer."""
    answers = {
        "info": api.exchange_info(symbol="BTCUSDT").data(),
        "depth": api.depth(symbol="BTCUSDT").data(),
        "trades": api.get_trades(symbol="BTCUSDT").data(),
        "aggregates": api.agg_trades(symbol="BTCUSDT").data(),
        "average": api.avg_price(symbol="BTCUSDT").data(),
        "time": api.time().data(),
        "ticker": api.ticker24hr(symbol="BTCUSDT").data(),
        "price": api.ticker_price(symbol="BTCUSDT").data(),
        "book": api.ticker_book_ticker(symbol="BTCUSDT").data(),
        "klines": api.klines(symbol="BTCUSDT", interval="1m").data(),
    }
    limit = {"symbol": "BTCUSDT", "side": "BUY", "quantity": 0.01}
    made = api.new_order(**limit, type="LIMIT", time_in_force="GTC", price=59000, new_client_order_id="one").data()
    assert (made.status, made.client_order_id) == ("NEW", "one")
    answers |= {
        "new": made,
        "found": api.get_order(symbol="BTCUSDT", orig_client_order_id="one").data(),
        "open": api.get_open_orders(symbol="BTCUSDT").data(),
        "cancelled": api.delete_order(symbol="BTCUSDT", order_id=made.order_id).data(),
        "market": api.new_order(**limit, type="MARKET").data(),
        "mine": api.my_trades(symbol="BTCUSDT").data(),
        "all": api.all_orders(symbol="BTCUSDT").data(),
        "account": api.get_account().data(),
        "commission": api.account_commission(symbol="BTCUSDT").data(),
        "limits": api.rate_limit_order().data(),
        "test": api.order_test(**limit, type="MARKET", compute_commission_rates=True).data(),
    }
    oco = api.order_list_oco(
        symbol="BTCUSDT",
        side="SELL",
        quantity=0.01,
        above_type="LIMIT_MAKER",
        above_price=61000,
        below_type="STOP_LOSS_LIMIT",
        below_stop_price=59000,
        below_price=58900,
        below_time_in_force="GTC",
    ).data()
    answers |= {
        "oco": oco,
        "list": api.get_order_list(order_list_id=oco.order_list_id).data(),
        "lists": api.open_order_list().data(),
        "list gone": api.delete_order_list(symbol="BTCUSDT", order_list_id=oco.order_list_id).data(),
    }
    return {name: unknown_fields(answer, name) for name, answer in answers.items()}


@pytest.mark.asyncio
async def test_user_events_hold_nothing_that_the_models_do_not_know_and_lack_nothing(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, session_to(local) as session:
        url = "wss://ws-api.binance.com/ws-api/v3"
        async with session.ws_connect(url) as socket:
            await socket.send_str(signed_request("userDataStream.subscribe.signature", {}))
            assert (await told(socket))["result"] == {"subscriptionId": 0}
            events: list[dict[str, Any]] = []
            for method, params, number in REQUESTS:
                await socket.send_str(signed_request(method, params))
                events += await events_until(socket, number)
            local.world.credit(ACCOUNT, "USDT", Decimal(5))
            local.world.move(SYMBOL, Decimal(61_000))
            events += await events_until(socket, 5)
    kinds = [(event["e"], event.get("x", event.get("l"))) for event in events]
    report, position = "executionReport", ("outboundAccountPosition", None)
    assert kinds == [
        *((report, "NEW"), position),
        *((report, "CANCELED"), position),
        *((report, "NEW"), (report, "TRADE"), position),
        *((report, "NEW"), (report, "NEW"), ("listStatus", "EXEC_STARTED"), position),
        ("balanceUpdate", None),
        *((report, "TRADE"), (report, "EXPIRED"), ("listStatus", "ALL_DONE"), position),
    ]
    for event in events:
        parsed = UserDataStreamEventsResponse.model_validate(event).actual_instance
        assert parsed is not None
        assert unknown_fields(parsed) == ["answer.e"]  # by which the SDK chose the model
        if event["e"] == report:
            assert set(event) - {"W"} == ALWAYS
    cancelled = events[2]
    assert (cancelled["C"], cancelled["c"] != "one") == ("one", True)


ALWAYS = set("eEscSofqpPFgCxXrilzLnNTtIwmMOZYQV")
"""Fields of an execution report that production always sends; W comes where the order has been in the book."""
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.01"}
LIMIT = {**ORDER, "type": "LIMIT", "timeInForce": "GTC", "price": "59000", "newClientOrderId": "one"}
OCO = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "0.01",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "61000",
    "belowType": "STOP_LOSS",
    "belowStopPrice": "59000",
}
REQUESTS = (
    ("order.place", LIMIT, 2),
    ("order.cancel", {"symbol": "BTCUSDT", "origClientOrderId": "one"}, 2),
    ("order.place", {**ORDER, "type": "MARKET"}, 3),
    ("orderList.place.oco", OCO, 4),
)
"""What is asked, and how many events follow."""
UNKNOWN_TO_THE_SDK = "selfTradePreventionMode"
"""Production sends it with each order of a cancelled list, as recorded; that one model of the SDK lacks it."""


async def told(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((await socket.receive(timeout=10)).data)
    return answer


async def events_until(socket: aiohttp.ClientWebSocketResponse, number: int) -> list[dict[str, Any]]:
    """So many events, whatever answers come between; every answer must be good."""
    events: list[dict[str, Any]] = []
    while len(events) < number:
        frame = await told(socket)
        if "event" in frame:
            events.append(frame["event"])
        else:
            assert frame["status"] == 200, frame
    return events


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
@pytest.mark.asyncio
async def test_the_sdk_hears_a_fill_over_the_websocket_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with local_binance(tmp_path) as local:
        with every_host_here(local, monkeypatch):
            tls = ssl.create_default_context(cafile=str(local.ca_file))
            config = ConfigurationWebSocketAPI(api_key=KEY, api_secret=SECRET, https_agent=tls)
            api: Any = Spot(config_ws_api=config).websocket_api
            await api.create_connection()
            heard: asyncio.Queue[Any] = asyncio.Queue()
            subscription = await api.user_data_stream_subscribe_signature()
            subscription.stream.on("message", heard.put_nowait)
            made = await api.order_place(
                symbol="BTCUSDT", side="BUY", type="LIMIT", time_in_force="GTC", quantity=0.01, price=59000
            )
            assert made.data().result.status == "NEW"
            local.world.move(SYMBOL, Decimal(58_999))
            causes = []
            while "TRADE" not in causes:
                event = (await asyncio.wait_for(heard.get(), 10)).actual_instance
                causes.append(getattr(event, "x", None))
            assert causes[0] == "NEW"
            await api.close_connection(close_session=True)
