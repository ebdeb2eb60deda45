"""What the simulated MEXC refuses, with MEXC's own numbers: signatures, times, rights, filters, funds, rates."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
import yarl

from autogrid.simulator.faults import OPERATIONS, Fault
from autogrid.simulator.mexc.keys import signature_of
from autogrid.simulator.mexc.refusals import OF_THE_WORLD, of_the_world
from autogrid.simulator.records import Key, UnableToTrade, Wanted
from tests.simulator.test_mexc import KEY, SECRET, SYMBOL, Bench, bench

__all__ = ["bench"]  # the fixture
API = "https://api.mexc.com"
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "49000"}


class Answer(NamedTuple):
    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> object:
        return self.body.get("code") if isinstance(self.body, dict) else None


async def ask(bench: Bench, method: str, path: str, query: str, *, key: str = KEY, body: str = "") -> Answer:
    """A raw request, sent byte by byte as it is written here."""
    headers = {"X-MEXC-APIKEY": key, "Content-Type": "application/json"} if key else {}
    url = yarl.URL(f"{API}{path}?{query}", encoded=True)
    async with bench.session.request(method, url, headers=headers, data=body or None) as response:
        return Answer(response.status, await response.json(), response.headers)


def signed(bench: Bench, params: Mapping[str, str], *, secret: str = SECRET, ahead_ms: int = 0, body: str = "") -> str:
    """A query with a timestamp and a signature."""
    query = urlencode({**params, "timestamp": str(bench.clock() + ahead_ms)})
    return f"{query}&signature={signature_of(secret, query + body)}"


async def order(bench: Bench, **params: str) -> Answer:
    wanted = {name: value for name, value in {**ORDER, **params}.items() if value}
    return await ask(bench, "POST", "/api/v3/order", signed(bench, wanted))


@pytest.mark.asyncio
async def test_a_signed_request_is_served(bench: Bench) -> None:
    answer = await order(bench)
    assert answer.status == 200
    assert set(answer.body) == {
        *("symbol", "orderId", "orderListId", "price", "origQty", "type", "side", "transactTime"),
    }


@pytest.mark.asyncio
async def test_the_body_is_signed_too_and_may_hold_the_parameters(bench: Bench) -> None:
    body = '{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","quantity":"0.01","price":"49000"}'
    query = signed(bench, {}, body=body)
    assert (await ask(bench, "POST", "/api/v3/order", query, body=body)).status == 200
    form = urlencode({**ORDER, "timestamp": str(bench.clock())})
    whole = f"{form}&signature={signature_of(SECRET, form)}"
    assert (await ask(bench, "POST", "/api/v3/order", "", body=whole)).status == 200
    other = body.replace("49000", "48000")
    assert (await ask(bench, "POST", "/api/v3/order", query, body=other)).code == 700002


@pytest.mark.asyncio
async def test_a_wrong_signature_is_refused(bench: Bench) -> None:
    account = "/api/v3/account"
    assert (await ask(bench, "GET", account, signed(bench, {}, secret="another"))).code == 700002
    loud = signed(bench, {})
    head, _, signature = loud.partition("&signature=")
    assert (await ask(bench, "GET", account, f"{head}&signature={signature.upper()}")).code == 700002
    assert (await ask(bench, "GET", account, f"{head}&recvWindow=4999&signature={signature}")).code == 700002
    assert (await ask(bench, "GET", account, head)).code == 700004
    assert (await ask(bench, "GET", account, loud, key="")).code == 400
    assert (await ask(bench, "GET", account, loud, key="another")).code == 10072
    assert (await ask(bench, "GET", account, loud)).status == 200


@pytest.mark.parametrize(
    ("ahead_ms", "window", "code"),
    [
        (0, "", None),
        (-4_000, "", None),
        (-5_500, "", 700003),
        (-5_500, "9000", None),
        (-1_500, "1000", 700003),
        (1_500, "60000", 700003),
        (0, "60001", 700005),
        (0, "abc", 700008),
    ],
)
@pytest.mark.asyncio
async def test_a_request_out_of_its_time_is_refused(bench: Bench, ahead_ms: int, window: str, code: int | None) -> None:
    params = {"recvWindow": window} if window else {}
    answer = await ask(bench, "GET", "/api/v3/account", signed(bench, params, ahead_ms=ahead_ms))
    assert answer.code == code
    assert answer.status == (200 if code is None else 400)


@pytest.mark.asyncio
async def test_a_key_does_only_what_it_may(bench: Bench) -> None:
    bench.world.add_key(Key(KEY, SECRET, "ann", trades=False))
    assert (await order(bench)).code == 700007
    assert (await ask(bench, "GET", "/api/v3/account", signed(bench, {}))).status == 200
    bench.world.add_key(Key(KEY, SECRET, "ann", reads=False))
    assert (await order(bench)).status == 200
    assert (await ask(bench, "GET", "/api/v3/account", signed(bench, {}))).code == 700007
    bench.world.add_key(Key(KEY, SECRET, "ann", expired=True))
    assert (await order(bench)).code == 700002


@pytest.mark.asyncio
async def test_the_rights_of_a_key_can_be_asked_for(bench: Bench) -> None:
    bench.world.add_key(Key("other", SECRET, "bob", withdraws=True, bound=False))
    own = await ask(bench, "GET", "/api/v3/apiKeyInfo", signed(bench, {"accessKey": KEY}))
    assert own.body["permissions"] == "SPOT_ACCOUNT_READ,SPOT_DEAL_READ,SPOT_DEAL_WRITE"
    assert (own.body["status"], own.body["ipWhiteList"]) == ("VALID", "127.0.0.1")
    foreign = await ask(bench, "GET", "/api/v3/apiKeyInfo", signed(bench, {"accessKey": "other"}))
    assert foreign.code == 730706


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"symbol": "NONEUSDT"}, -1121),
        ({"symbol": ""}, 700004),
        ({"side": "HOLD"}, 700004),
        ({"type": "STOP_LIMIT"}, 500),
        ({"price": "49000.001"}, 400),
        ({"price": ""}, 700004),
        ({"price": "cheap"}, 700004),
        ({"quantity": "0.0100001"}, 400),
        ({"quantity": "0"}, 10102),
        ({"quantity": "0.00001"}, 30002),
        ({"quantity": "50"}, 30003),
        ({"quantity": "1"}, 30004),
        ({"side": "SELL", "price": "51000", "quantity": "2"}, 30005),
        ({"symbol": "MXUSDT", "price": "20", "quantity": "0.05"}, 30016),
        ({"newClientOrderId": "x" * 33}, 700008),
        ({"newClientOrderId": "a b"}, 700008),
        ({"type": "MARKET", "price": ""}, -1128),
        ({"type": "MARKET", "quantity": "", "quoteOrderQty": "10.001"}, 400),
        ({"type": "MARKET", "quantity": "", "quoteOrderQty": "200001"}, 30003),
        ({"type": "MARKET", "quantity": "", "quoteOrderQty": "0.5"}, 30002),
    ],
)
@pytest.mark.asyncio
async def test_an_order_that_breaks_a_rule_is_refused(bench: Bench, params: dict[str, str], code: int) -> None:
    answer = await order(bench, **params)
    assert (answer.status, answer.code) == (400, code)
    assert answer.body["msg"]
    assert bench.world.orders("ann") == []


@pytest.mark.asyncio
async def test_a_least_quantity_and_a_band_of_prices_are_kept(bench: Bench) -> None:
    bench.world.move("MX/USDT", Decimal(2))
    assert (await order(bench, symbol="MXUSDT", price="20", quantity="0.05")).code == 30002
    banded = replace(bench.world.markets[SYMBOL], least_share=Decimal("0.5"), max_orders=1)
    bench.world.set_market(SYMBOL, banded)
    assert (await order(bench, price="24000")).code == 30087
    assert (await order(bench)).status == 200
    assert (await order(bench)).code == 30029


@pytest.mark.asyncio
async def test_a_client_id_is_taken_once(bench: Bench) -> None:
    name = "n" * 32
    assert (await order(bench, newClientOrderId=name)).status == 200
    by_name = {"symbol": "BTCUSDT", "origClientOrderId": name}
    assert (await ask(bench, "DELETE", "/api/v3/order", signed(bench, by_name))).status == 200
    again = await order(bench, newClientOrderId=name)
    assert (again.code, again.body["msg"]) == (400, "duplicate client order id")


@pytest.mark.asyncio
async def test_an_order_is_tried_out_without_being_sent(bench: Bench) -> None:
    path = "/api/v3/order/test"
    assert (await ask(bench, "POST", path, signed(bench, ORDER))).body == {}
    assert (await ask(bench, "POST", path, signed(bench, {**ORDER, "price": "1.001"}))).code == 400
    assert bench.world.orders("ann") == []


@pytest.mark.asyncio
async def test_an_unknown_order_has_one_number_for_finding_and_one_for_cancelling(bench: Bench) -> None:
    for params in ({"orderId": "C02__1"}, {"orderId": "17"}, {"origClientOrderId": "nobody"}):
        query = {"symbol": "BTCUSDT", **params}
        assert (await ask(bench, "GET", "/api/v3/order", signed(bench, query))).code == -2013
        assert (await ask(bench, "DELETE", "/api/v3/order", signed(bench, query))).code == -2011
    assert (await ask(bench, "GET", "/api/v3/order", signed(bench, {"symbol": "BTCUSDT"}))).code == 700004


@pytest.mark.asyncio
async def test_the_thirteenth_order_of_a_second_is_refused_and_told_when_to_come_again(bench: Bench) -> None:
    bench.clock.stands_ms = bench.clock()
    answers = [await order(bench) for _ in range(13)]
    assert [answer.status for answer in answers] == [200] * 12 + [429]
    assert (answers[-1].code, answers[-1].headers["Retry-After"]) == (429, "1")
    assert len(bench.world.orders("ann")) == 12
    bench.clock.stands_ms += 1_000
    assert (await order(bench)).status == 200


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("error-5xx", 500, 500),
        ("limit-429", 429, 429),
        ("ban-418", 418, 429),
        ("clock-skew", 400, 700003),
        ("maintenance", 503, 500),
    ],
)
@pytest.mark.asyncio
async def test_made_up_refusals_are_worded_as_real_ones(bench: Bench, kind: str, status: int, code: int) -> None:
    bench.faults.add(Fault(kind, where="place", count=1))
    answer = await order(bench)
    assert (answer.status, answer.code) == (status, code)
    assert ("Retry-After" in answer.headers) == (status in (418, 429))
    assert bench.world.orders("ann") == []


@pytest.mark.parametrize(
    ("operation", "method", "path"),
    [
        ("cancel", "DELETE", "/api/v3/openOrders"),
        ("find", "GET", "/api/v3/order"),
        ("open_orders", "GET", "/api/v3/openOrders"),
        ("trades", "GET", "/api/v3/myTrades"),
        ("balances", "GET", "/api/v3/account"),
        ("market", "GET", "/api/v3/exchangeInfo"),
        ("time", "GET", "/api/v3/time"),
        ("connect", "GET", "/ws"),
        ("other", "POST", "/api/v3/userDataStream"),
    ],
)
@pytest.mark.asyncio
async def test_faults_find_the_operation_they_are_meant_for(
    bench: Bench, operation: str, method: str, path: str
) -> None:
    for wrong in set(OPERATIONS) - {operation}:
        bench.faults.add(Fault("ban-418", where=wrong))
    bench.faults.add(Fault("maintenance", where=operation))
    assert (await ask(bench, method, path, signed(bench, {"symbol": "BTCUSDT"}))).status == 503


@pytest.mark.asyncio
async def test_a_new_order_may_be_unknown_at_first(bench: Bench) -> None:
    await order(bench, newClientOrderId="n-1")
    bench.faults.add(Fault("not-found-at-first", count=1))
    query = {"symbol": "BTCUSDT", "origClientOrderId": "n-1"}
    assert (await ask(bench, "GET", "/api/v3/order", signed(bench, query))).code == -2013
    assert (await ask(bench, "GET", "/api/v3/order", signed(bench, query))).body["clientOrderId"] == "n-1"


@pytest.mark.asyncio
async def test_what_there_is_not_is_not_found(bench: Bench) -> None:
    assert (await ask(bench, "GET", "/api/v3/nothing", "")).status == 404
    assert (await ask(bench, "GET", "/api/v3/klines", "symbol=BTCUSDT&interval=2m")).code == -1121
    assert (await ask(bench, "GET", "/api/v3/depth", "symbol=BTC_USDT")).code == -1121


@pytest.mark.asyncio
async def test_trades_are_told_newest_first_by_whole_seconds_and_a_hundred_at_most(bench: Bench) -> None:
    start = bench.clock() // 1000 * 1000 - 3_600_000
    for number in range(105):
        bench.clock.stands_ms = start + number * 1_000 + 700
        bench.world.place("ann", Wanted(SYMBOL, "sell", "market", f"t-{number}", quantity=Decimal("0.001")))
    bench.clock.stands_ms = None
    path, query = "/api/v3/myTrades", {"symbol": "BTCUSDT"}
    all_of = (await ask(bench, "GET", path, signed(bench, query))).body
    assert len(all_of) == 100
    assert [one["clientOrderId"] for one in all_of[:2]] == ["t-104", "t-103"]
    assert all_of[0]["time"] == start + 104_000
    later = {**query, "startTime": str(start + 1_500), "endTime": str(start + 4_000)}
    some = (await ask(bench, "GET", path, signed(bench, later))).body
    assert [one["clientOrderId"] for one in some] == ["t-4", "t-3", "t-2"]


@pytest.mark.parametrize("why", sorted(OF_THE_WORLD))
def test_every_refusal_of_the_world_has_a_number(why: Any) -> None:
    assert of_the_world(UnableToTrade(why, "words")).number


@pytest.mark.parametrize(("side", "number"), [("buy", 30004), ("sell", 30005)])
def test_a_lack_of_funds_is_told_by_the_side(side: Any, number: int) -> None:
    assert of_the_world(UnableToTrade("funds", "words"), side).number == number
