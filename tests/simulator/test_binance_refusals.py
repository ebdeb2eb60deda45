"""What our Binance refuses, in Binance's codes and words."""

import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from autogrid.simulator.binance.endpoints import REST
from autogrid.simulator.binance.params import Params
from autogrid.simulator.binance.refusals import UnableToAnswer
from autogrid.simulator.binance.signed import check_signed, fields_of, sorted_fields, unsigned
from autogrid.simulator.binance.venue import Asked, Venue
from autogrid.simulator.records import Key
from autogrid.simulator.world import World
from tests.simulator.local_binance import ACCOUNT, KEY, SECRET, SYMBOL, ask, local_binance, session_to, small_world

LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "59000",
}
OCO = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "0.01",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "61000",
    "belowType": "STOP_LOSS",
    "belowStopPrice": "59000",
}


def without(given: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in given.items() if name not in names}


def act(venue: Venue, method: str, path: str, given: Mapping[str, str]) -> Any:
    key = venue.world.key_of(KEY)
    return REST[method, path].act(Asked(venue, Params(given), key))


def refused(venue: Venue, method: str, path: str, given: Mapping[str, str]) -> tuple[int, str]:
    with pytest.raises(UnableToAnswer) as refusal:
        act(venue, method, path, given)
    return refusal.value.number, refusal.value.words


@pytest.mark.parametrize(
    ("given", "number", "words"),
    [
        (without(LIMIT, "symbol"), -1102, "'symbol'"),
        ({**LIMIT, "symbol": "BTCUSD"}, -1121, "Invalid symbol."),
        ({**LIMIT, "side": "buy"}, -1117, "Invalid side."),
        ({**LIMIT, "type": "STOP"}, -1116, "Invalid orderType."),
        ({**LIMIT, "type": "TAKE_PROFIT"}, -2010, "Take profit"),
        ({**LIMIT, "timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
        (without(LIMIT, "timeInForce"), -1102, "'timeInForce'"),
        (without(LIMIT, "price"), -1102, "'price'"),
        (without(LIMIT, "quantity"), -1102, "'quantity'"),
        ({**LIMIT, "quantity": ""}, -1105, "'quantity' was empty"),
        ({**LIMIT, "quantity": "1e-2"}, -1100, "Illegal characters found in parameter 'quantity'"),
        ({**LIMIT, "price": "59000.123456789"}, -1111, "'price' has too much precision"),
        ({**LIMIT, "newClientOrderId": "a b"}, -1100, "'newClientOrderId'"),
        ({**LIMIT, "newClientOrderId": "x" * 37}, -1100, "'newClientOrderId'"),
        ({**LIMIT, "clientOrderId": "one"}, -1104, "read '6' parameter(s) but was sent '7'"),
        ({**LIMIT, "type": "LIMIT_MAKER"}, -1106, "'timeInForce' sent when not required"),
        ({**without(LIMIT, "timeInForce"), "type": "LIMIT_MAKER", "price": "60000"}, -2010, "match and take"),
        ({**without(LIMIT, "timeInForce"), "type": "MARKET"}, -1106, "'price' sent when not required"),
        ({**LIMIT, "icebergQty": "0.005"}, -2010, "Iceberg"),
        ({**LIMIT, "newOrderRespType": "ALL"}, -1130, "newOrderRespType"),
        ({**LIMIT, "type": "STOP_LOSS_LIMIT"}, -1102, "'stopPrice'"),
        ({**LIMIT, "type": "STOP_LOSS_LIMIT", "stopPrice": "59000"}, -2010, "Stop price would trigger immediately."),
        ({**LIMIT, "price": "59000.005"}, -1013, "Filter failure: PRICE_FILTER"),
        ({**LIMIT, "quantity": "0.000005"}, -1013, "Filter failure: LOT_SIZE"),
        ({**LIMIT, "quantity": "0.00008"}, -1013, "Filter failure: NOTIONAL"),
        ({**LIMIT, "quantity": "1", "price": "11000"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        ({**LIMIT, "quantity": "1"}, -2010, "Account has insufficient balance for requested action."),
    ],
)
def test_a_new_order_is_refused_with_its_code(given: dict[str, str], number: int, words: str) -> None:
    venue = Venue(small_world())
    found, said = refused(venue, "POST", "/api/v3/order", given)
    assert (found, words in said) == (number, True), said
    assert venue.world.orders(ACCOUNT) == []


@pytest.mark.parametrize(
    ("method", "path", "given", "number"),
    [
        ("GET", "/api/v3/order", {"symbol": "BTCUSDT", "orderId": "9"}, -2013),
        ("GET", "/api/v3/order", {"symbol": "BTCUSDT"}, -1102),
        ("DELETE", "/api/v3/order", {"symbol": "BTCUSDT", "orderId": "9"}, -2011),
        ("DELETE", "/api/v3/openOrders", {"symbol": "BTCUSDT"}, -2011),
        ("GET", "/api/v3/orderList", {"orderListId": "9"}, -2018),
        ("DELETE", "/api/v3/orderList", {"symbol": "BTCUSDT", "orderListId": "9"}, -2011),
        ("GET", "/api/v3/myTrades", {"symbol": "BTCUSDT", "fromId": "1", "startTime": "1"}, -1128),
        ("GET", "/api/v3/myTrades", {"symbol": "BTCUSDT", "startTime": "1", "endTime": "86400002"}, -1127),
        ("GET", "/api/v3/klines", {"symbol": "BTCUSDT", "interval": "7m"}, -1120),
        ("POST", "/api/v3/orderList/oco", {**OCO, "aboveType": "STOP_LOSS"}, -2010),
        ("POST", "/api/v3/orderList/oco", {**OCO, "abovePrice": "59500"}, -2010),
        ("POST", "/api/v3/orderList/oco", {**OCO, "belowStopPrice": "60500"}, -2010),
    ],
)
def test_other_requests_are_refused_with_their_codes(
    method: str, path: str, given: dict[str, str], number: int
) -> None:
    assert refused(Venue(small_world()), method, path, given)[0] == number


def test_a_halted_market_is_closed() -> None:
    venue = Venue(small_world())
    venue.world.halt(SYMBOL)
    assert refused(venue, "POST", "/api/v3/order", LIMIT) == (-1013, "Market is closed.")
    assert act(venue, "GET", "/api/v3/exchangeInfo", {"symbol": "BTCUSDT"})["symbols"][0]["status"] == "BREAK"


def test_a_client_id_that_is_open_is_refused_and_free_again_when_done() -> None:
    venue = Venue(small_world())
    named = {**LIMIT, "newClientOrderId": "one"}
    act(venue, "POST", "/api/v3/order", named)
    assert refused(venue, "POST", "/api/v3/order", named) == (-2010, "Duplicate order sent.")
    act(venue, "DELETE", "/api/v3/order", {"symbol": "BTCUSDT", "origClientOrderId": "one"})
    assert act(venue, "POST", "/api/v3/order", named)["status"] == "NEW"


def test_five_stops_may_wait_and_no_more() -> None:
    venue = Venue(small_world())
    stop = {**LIMIT, "side": "SELL", "type": "STOP_LOSS_LIMIT", "stopPrice": "59000"}
    for _ in range(5):
        act(venue, "POST", "/api/v3/order", stop)
    assert refused(venue, "POST", "/api/v3/order", stop) == (-1013, "Filter failure: MAX_NUM_ALGO_ORDERS")


@pytest.mark.parametrize(
    ("response", "fields"),
    [("ACK", False), ("RESULT", True), ("FULL", True)],
)
def test_a_new_order_is_answered_as_shortly_as_wanted(response: str, fields: bool) -> None:
    answer = act(Venue(small_world()), "POST", "/api/v3/order", {**LIMIT, "newOrderRespType": response})
    assert (("status" in answer), ("fills" in answer)) == (fields, response == "FULL")


def test_trades_are_asked_for_by_id_by_order_and_the_newest() -> None:
    venue = Venue(small_world())
    made = [act(venue, "POST", "/api/v3/order", {**LIMIT, "price": "60000"}) for _ in range(3)]
    ids = [one["fills"][0]["tradeId"] for one in made]
    asked = {"symbol": "BTCUSDT"}
    path = "/api/v3/myTrades"
    assert [one["id"] for one in act(venue, "GET", path, {**asked, "fromId": str(ids[1])})] == ids[1:]
    assert [one["id"] for one in act(venue, "GET", path, {**asked, "fromId": "0", "limit": "1"})] == ids[:1]
    assert [one["id"] for one in act(venue, "GET", path, {**asked, "limit": "1"})] == ids[2:]
    assert [one["id"] for one in act(venue, "GET", path, {**asked, "orderId": str(made[1]["orderId"])})] == ids[1:2]


def test_a_replacement_stops_where_the_old_order_is_gone() -> None:
    venue = Venue(small_world())
    made = act(venue, "POST", "/api/v3/order", {**LIMIT, "newClientOrderId": "old"})
    path, new = "/api/v3/order/cancelReplace", {**LIMIT, "price": "58000", "cancelReplaceMode": "STOP_ON_FAILURE"}
    answer = act(venue, "POST", path, {**new, "cancelOrderId": str(made["orderId"])})
    assert (answer["cancelResult"], answer["newOrderResponse"]["status"]) == ("SUCCESS", "NEW")
    assert refused(venue, "POST", path, {**new, "cancelOrderId": str(made["orderId"])})[0] == -2022
    assert [order.price for order in venue.world.open_orders(ACCOUNT)] == [Decimal(58_000)]


def test_an_order_list_of_the_old_form_is_one_of_the_new() -> None:
    venue = Venue(small_world())
    old = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01", "price": "61000", "stopPrice": "59000"}
    answer = act(venue, "POST", "/api/v3/order/oco", {**old, "listClientOrderId": "pair"})
    assert [one["type"] for one in answer["orderReports"]] == ["LIMIT_MAKER", "STOP_LOSS"]
    gone = act(venue, "DELETE", "/api/v3/orderList", {"symbol": "BTCUSDT", "listClientOrderId": "pair"})
    assert [one["status"] for one in gone["orderReports"]] == ["CANCELED", "CANCELED"]


def signed(world: World, given: Mapping[str, str], right: str = "reads", key: str = KEY) -> int:
    query = sorted_fields(given)
    proof = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
    try:
        check_signed(world, key, {"signature": proof, **given}, query, right)
    except UnableToAnswer as refusal:
        return refusal.number
    return 0


def test_keys_signatures_and_times_are_checked() -> None:
    world = small_world()
    now = world.now_ms()
    good = {"timestamp": str(now)}
    assert signed(world, good) == 0
    assert signed(world, good, key="no key!") == -2014
    assert signed(world, good, key="unknownkey00") == -2015
    assert signed(world, {}) == -1102
    assert signed(world, {**good, "signature": "00"}) == -1022
    assert signed(world, {"timestamp": "now"}) == -1100
    assert signed(world, {"timestamp": str(now - 6_000)}) == -1021
    assert signed(world, {"timestamp": str(now - 6_000), "recvWindow": "20000"}) == 0
    assert signed(world, {"timestamp": str(now + 5_000)}) == -1021
    assert signed(world, {**good, "recvWindow": "60001"}) == -1131
    world.add_key(Key("readonlykey0", SECRET, ACCOUNT, trades=False))
    assert signed(world, good, key="readonlykey0") == 0
    assert signed(world, good, "trades", key="readonlykey0") == -2015
    world.add_key(Key("expiredkey00", SECRET, ACCOUNT, expired=True))
    assert signed(world, good, key="expiredkey00") == -2015


def test_a_signature_is_of_query_and_form_as_they_were_sent() -> None:
    assert unsigned("a=1&signature=x", "b=%2F&signature=y") == "a=1b=%2F"
    assert fields_of("a=1", "b=%2F+x") == {"a": "1", "b": "/ x"}
    with pytest.raises(UnableToAnswer, match="Duplicate"):
        fields_of("a=1&a=2")


@pytest.mark.asyncio
async def test_a_refusal_comes_with_its_status_and_the_weight_that_was_used(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, session_to(local) as session:
        status, told = await ask(session, "GET", "/api/v3/order", {"symbol": "BTCUSDT", "orderId": "9"})
        assert (status, told) == (400, {"code": -2013, "msg": "Order does not exist."})
        async with session.get("https://api.binance.com/api/v3/account") as answer:
            assert (answer.status, (await answer.json())["code"]) == (401, -2014)
            assert answer.headers["X-MBX-USED-WEIGHT-1M"] == "24"
