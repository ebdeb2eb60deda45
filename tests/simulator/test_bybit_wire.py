"""The wire itself: signatures, rights, limits, refusals by code, pages, conditional orders, made-up faults."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import pytest_asyncio
from yarl import URL

from autogrid.simulator.bybit.signing import sign
from autogrid.simulator.faults import Fault
from autogrid.simulator.records import Key
from tests.simulator.test_bybit import KEY, NAME, PATIENCE_S, SECRET, SYMBOL, Bench, opened

HOST = "https://api.bybit.com"
ORDER = {"category": "spot", "symbol": NAME, "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "49000"}


class Wire:
    """Signed requests, made by hand."""

    def __init__(self, bench: Bench, key: str = KEY, secret: str = SECRET) -> None:
        self.bench = bench
        self.key = key
        self.secret = secret
        self.late_ms = 0
        self.window = "5000"
        self.headers: Mapping[str, str] = {}
        """Of the last answer."""
        self.status = 0

    async def get(self, path: str, **params: str) -> Any:
        query = urlencode(params)
        return await self._send("GET", f"{path}?{query}", query, None)

    async def post(self, path: str, body: Mapping[str, object]) -> Any:
        text = json.dumps(body)
        return await self._send("POST", path, text, text)

    async def create(self, **fields: object) -> Any:
        return await self.post("/v5/order/create", ORDER | fields)

    async def _send(self, method: str, path: str, payload: str, body: str | None) -> Any:
        stamp = str(self.bench.clock() - self.late_ms)
        signature = hmac.new(self.secret.encode(), f"{stamp}{self.key}{self.window}{payload}".encode(), hashlib.sha256)
        headers = {
            "X-BAPI-API-KEY": self.key,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": self.window,
            "X-BAPI-SIGN": signature.hexdigest(),
            "Content-Type": "application/json",
        }
        url = URL(HOST + path, encoded=True)
        async with self.bench.session.request(method, url, data=body, headers=headers) as answer:
            self.headers, self.status = answer.headers, answer.status
            text = await answer.text()
        return json.loads(text) if text.startswith("{") else text


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(tmp_path) as one:
        yield one


@pytest_asyncio.fixture
async def wire(bench: Bench) -> Wire:
    return Wire(bench)


# --- who asks


def test_a_signature_is_the_one_of_the_standard() -> None:
    """RFC 4231, test case 2."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert sign("Jefe", "what do ya want for nothing?") == expected


@pytest.mark.asyncio
async def test_a_key_that_is_none_is_refused(bench: Bench) -> None:
    assert (await Wire(bench, key="nobody").create())["retCode"] == 10003


@pytest.mark.asyncio
async def test_a_wrong_signature_is_refused_and_nothing_is_done(bench: Bench) -> None:
    assert (await Wire(bench, secret="wrong").create())["retCode"] == 10004
    assert bench.world.open_orders("ann") == []


@pytest.mark.asyncio
async def test_an_expired_key_is_refused(bench: Bench, wire: Wire) -> None:
    bench.world.add_key(Key(KEY, SECRET, "ann", expired=True))
    assert (await wire.create())["retCode"] == 33004


@pytest.mark.asyncio
@pytest.mark.parametrize(("late_ms", "window", "ret_code"), [(6_000, "5000", 10002), (6_000, "60000", 0)])
async def test_a_request_older_than_its_window_is_refused(wire: Wire, late_ms: int, window: str, ret_code: int) -> None:
    wire.late_ms, wire.window = late_ms, window
    assert (await wire.create())["retCode"] == ret_code


@pytest.mark.asyncio
async def test_a_request_from_the_future_is_refused(wire: Wire) -> None:
    wire.late_ms = -3_000
    assert (await wire.create())["retCode"] == 10002


@pytest.mark.asyncio
async def test_a_key_that_may_only_read_reads_and_does_not_trade(bench: Bench) -> None:
    bench.world.add_key(Key("reader", "r", "ann", trades=False, withdraws=True, bound=False))
    reader = Wire(bench, "reader", "r")
    assert (await reader.create())["retCode"] == 10005
    rights = (await reader.get("/v5/user/query-api"))["result"]
    assert (rights["readOnly"], rights["permissions"]["Spot"], rights["ips"]) == (1, [], ["*"])
    assert "Withdraw" in rights["permissions"]["Wallet"]


@pytest.mark.asyncio
async def test_a_private_request_without_a_key_is_unauthorised(bench: Bench) -> None:
    async with bench.session.get(f"{HOST}/v5/account/info") as answer:
        assert answer.status == 401


# --- limits


@pytest.mark.asyncio
async def test_the_twenty_first_order_within_a_second_is_too_many(bench: Bench, wire: Wire) -> None:
    frozen = bench.clock.stands_at = bench.clock()
    answers = [(await wire.create(orderLinkId=f"n{number}", qty="0.001"))["retCode"] for number in range(21)]
    assert answers == [0] * 20 + [10006]
    assert (wire.headers["X-Bapi-Limit"], wire.headers["X-Bapi-Limit-Status"]) == ("20", "0")
    assert int(wire.headers["X-Bapi-Limit-Reset-Timestamp"]) == frozen + 1_000
    bench.clock.stands_at = frozen + 1_000
    assert (await wire.create(orderLinkId="n21", qty="0.001"))["retCode"] == 0


@pytest.mark.asyncio
async def test_each_order_of_a_batch_counts(bench: Bench, wire: Wire) -> None:
    bench.clock.stands_at = bench.clock()
    orders = [{name: value for name, value in ORDER.items() if name != "category"} for _ in range(10)]
    batch = {"category": "spot", "request": orders}
    answers = [(await wire.post("/v5/order/create-batch", batch))["retCode"] for _ in range(3)]
    assert answers == [0, 0, 10006]


# --- what is refused


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fields", "ret_code"),
    [
        ({"symbol": "NOPEUSDT"}, 170121),
        ({"price": "49000.05"}, 170134),
        ({"qty": "0.0100001"}, 170137),
        ({"qty": "0.00001"}, 170136),
        ({"qty": "84"}, 170124),
        ({"qty": "0.0001", "price": "49000"}, 170140),
        ({"qty": "1"}, 170131),
        ({"side": "Sell", "qty": "2", "price": "51000"}, 170131),
        ({"side": "Up"}, 170117),
        ({"orderType": "Wild"}, 170116),
        ({"timeInForce": "GTX"}, 170115),
        ({"qty": "much"}, 170130),
        ({"qty": "-1"}, 170130),
        ({"qty": ""}, 170105),
        ({"price": None}, 170105),
        ({"qty": 0.01}, 10001),
        ({"category": "linear"}, 10001),
        ({"orderLinkId": "x" * 37}, 10001),
        ({"orderFilter": "Wild"}, 170201),
        ({"orderType": "Market", "qty": "1"}, 170140),
        ({"orderType": "Market", "qty": "4", "marketUnit": "quoteCoin"}, 170140),
        ({"takeProfit": "60000"}, 170227),
    ],
)
async def test_an_order_that_breaks_a_rule_is_refused_with_its_code(
    bench: Bench, wire: Wire, fields: dict[str, object], ret_code: int
) -> None:
    told = await wire.create(**fields)
    assert told["retCode"] == ret_code, told
    assert bench.world.orders("ann") == []


@pytest.mark.asyncio
async def test_a_halted_market_takes_no_orders_but_cancels(bench: Bench, wire: Wire) -> None:
    made = (await wire.create())["result"]
    bench.world.halt(SYMBOL)
    assert (await wire.create())["retCode"] == 170151
    cancelled = await wire.post("/v5/order/cancel", {"category": "spot", "symbol": NAME, "orderId": made["orderId"]})
    assert cancelled["retCode"] == 0


@pytest.mark.asyncio
async def test_a_link_id_is_never_accepted_twice(bench: Bench, wire: Wire) -> None:
    assert (await wire.create(orderLinkId="once"))["retCode"] == 0
    assert (await wire.create(orderLinkId="once"))["retCode"] == 170141
    await wire.post("/v5/order/cancel", {"category": "spot", "symbol": NAME, "orderLinkId": "once"})
    assert (await wire.create(orderLinkId="once"))["retCode"] == 170141
    await wire.create(orderLinkId="crossing", price="51000", timeInForce="PostOnly")
    assert (await wire.create(orderLinkId="crossing"))["retCode"] == 170141
    bench.world.move("ETH/USDT", Decimal(2_000))
    on_another = await wire.create(orderLinkId="once", symbol="ETHUSDT", price="1900", qty="0.1")
    assert on_another["retCode"] == 170141


@pytest.mark.asyncio
async def test_a_refused_order_does_not_use_up_its_link_id(wire: Wire) -> None:
    assert (await wire.create(orderLinkId="again", qty="1"))["retCode"] == 170131
    assert (await wire.create(orderLinkId="again"))["retCode"] == 0


@pytest.mark.asyncio
async def test_a_cancel_of_what_is_done_says_how_it_ended(bench: Bench, wire: Wire) -> None:
    for link_id in ("gone", "filled"):
        await wire.create(orderLinkId=link_id)
    ask = {"category": "spot", "symbol": NAME}
    assert (await wire.post("/v5/order/cancel", ask | {"orderLinkId": "gone"}))["retCode"] == 0
    bench.world.move(SYMBOL, Decimal(48_000))
    codes = [
        (await wire.post("/v5/order/cancel", ask | {"orderLinkId": link_id}))["retCode"]
        for link_id in ("gone", "filled", "never")
    ]
    assert codes == [170142, 170139, 170213]


# --- what is asked


@pytest.mark.asyncio
async def test_an_ended_order_is_told_by_history_and_no_longer_as_open(bench: Bench, wire: Wire) -> None:
    await wire.create(orderLinkId="a")
    ask = {"category": "spot", "orderLinkId": "a"}
    assert [row["orderStatus"] for row in (await wire.get("/v5/order/realtime", **ask))["result"]["list"]] == ["New"]
    assert (await wire.get("/v5/order/history", **ask))["result"]["list"] == []
    bench.world.move(SYMBOL, Decimal(49_000), most=Decimal("0.004"))
    (row,) = (await wire.get("/v5/order/realtime", **ask))["result"]["list"]
    assert (row["orderStatus"], row["cumExecQty"], row["leavesQty"]) == ("PartiallyFilled", "0.004", "0.006")
    bench.world.move(SYMBOL, Decimal(49_000))
    assert (await wire.get("/v5/order/realtime", **ask))["result"]["list"] == []
    (row,) = (await wire.get("/v5/order/history", **ask))["result"]["list"]
    assert (row["orderStatus"], row["avgPrice"], row["cumFeeDetail"]) == ("Filled", "49000", {"BTC": "0.00001"})
    assert len((await wire.get("/v5/order/realtime", openOnly="1", **ask))["result"]["list"]) == 1


@pytest.mark.asyncio
async def test_trades_are_paged_by_a_cursor_and_none_is_lost_or_told_twice(bench: Bench, wire: Wire) -> None:
    for number in range(7):
        await wire.create(orderLinkId=f"n{number}", qty="0.001")
    bench.world.move(SYMBOL, Decimal(48_000))
    begin = str(bench.clock() - 60_000)
    told: list[str] = []
    cursor = ""
    while True:
        page = await wire.get(
            "/v5/execution/list", category="spot", symbol=NAME, startTime=begin, limit="3", cursor=cursor
        )
        told += [row["execId"] for row in page["result"]["list"]]
        cursor = page["result"]["nextPageCursor"]
        if not cursor:
            break
        await wire.create(side="Sell", price="40000", qty="0.001")  # newer trades shift nothing
    assert told == sorted(set(told), reverse=True)
    assert len(told) == 7


@pytest.mark.asyncio
async def test_a_span_longer_than_a_week_is_refused(bench: Bench, wire: Wire) -> None:
    now = bench.clock()
    span = {"startTime": str(now - 8 * 86_400_000), "endTime": str(now)}
    assert (await wire.get("/v5/execution/list", category="spot", **span))["retCode"] == 10001


@pytest.mark.asyncio
async def test_a_cursor_is_understood_percent_encoded_and_plain(bench: Bench, wire: Wire) -> None:
    for number in range(3):
        await wire.create(orderLinkId=f"n{number}", qty="0.001")
    first = (await wire.get("/v5/order/realtime", category="spot", limit="2"))["result"]
    cursor = first["nextPageCursor"]
    assert quote(cursor, safe="%") == cursor
    query = f"category=spot&limit=2&cursor={cursor}"
    second = (await wire._send("GET", f"/v5/order/realtime?{query}", query, None))["result"]
    assert [row["orderLinkId"] for row in first["list"] + second["list"]] == ["n2", "n1", "n0"]


@pytest.mark.asyncio
async def test_a_batch_says_how_each_order_fared(bench: Bench, wire: Wire) -> None:
    fields = {"symbol": NAME, "side": "Buy", "orderType": "Limit", "price": "49000"}
    batch = [fields | {"qty": "0.001", "orderLinkId": "good"}, fields | {"qty": "9", "orderLinkId": "bad"}]
    told = await wire.post("/v5/order/create-batch", {"category": "spot", "request": batch})
    assert [one["code"] for one in told["retExtInfo"]["list"]] == [0, 170131]
    assert [row["orderLinkId"] for row in told["result"]["list"]] == ["good", "bad"]
    names = [{"symbol": NAME, "orderLinkId": name} for name in ("good", "never")]
    told = await wire.post("/v5/order/cancel-batch", {"category": "spot", "request": names})
    assert [one["code"] for one in told["retExtInfo"]["list"]] == [0, 170213]
    assert bench.world.open_orders("ann") == []


@pytest.mark.asyncio
async def test_cancel_all_takes_the_plain_orders_of_a_market(bench: Bench, wire: Wire) -> None:
    bench.world.move("ETH/USDT", Decimal(2_000))
    for number in range(3):
        await wire.create(orderLinkId=f"n{number}", qty="0.001")
    await wire.create(symbol="ETHUSDT", price="1900", qty="0.1")
    told = await wire.post("/v5/order/cancel-all", {"category": "spot", "symbol": NAME})
    assert told["result"]["success"] == "1"
    assert len(told["result"]["list"]) == 3
    assert [order.symbol for order in bench.world.open_orders("ann")] == ["ETH/USDT"]


# --- waiting orders


@pytest.mark.asyncio
async def test_a_take_profit_or_stop_holds_its_coins_at_once(bench: Bench, wire: Wire) -> None:
    stop = {"side": "Sell", "qty": "0.5", "price": "44900", "orderFilter": "tpslOrder", "triggerPrice": "45000"}
    assert (await wire.create(orderLinkId="stop", **stop))["retCode"] == 0
    assert bench.world.wallet("ann")["BTC"].held == Decimal("0.5")
    (row,) = (await wire.get("/v5/order/realtime", category="spot"))["result"]["list"]
    assert (row["orderStatus"], row["stopOrderType"], row["triggerPrice"]) == ("Untriggered", "tpslOrder", "45000")
    bench.world.move(SYMBOL, Decimal(45_000))
    (row,) = (await wire.get("/v5/order/history", category="spot"))["result"]["list"]
    assert (row["orderStatus"], row["orderLinkId"], row["cumExecQty"]) == ("Filled", "stop", "0.5")


@pytest.mark.asyncio
async def test_a_stop_that_is_cancelled_before_its_trigger_is_deactivated(wire: Wire) -> None:
    stop = {"side": "Sell", "price": "44900", "orderFilter": "tpslOrder", "triggerPrice": "45000"}
    made = (await wire.create(**stop))["result"]
    await wire.post("/v5/order/cancel", {"category": "spot", "symbol": NAME, "orderId": made["orderId"]})
    (row,) = (await wire.get("/v5/order/history", category="spot"))["result"]["list"]
    assert row["orderStatus"] == "Deactivated"


@pytest.mark.asyncio
async def test_a_conditional_order_holds_nothing_until_its_trigger_and_keeps_its_ids(bench: Bench, wire: Wire) -> None:
    entry = {"orderFilter": "StopOrder", "triggerPrice": "49500", "qty": "0.1"}
    made = (await wire.create(orderLinkId="entry", **entry))["result"]
    assert bench.world.wallet("ann")["USDT"].held == 0
    assert (await wire.create(orderLinkId="entry"))["retCode"] == 170141
    bench.world.move(SYMBOL, Decimal(49_400))
    (row,) = (await wire.get("/v5/order/realtime", category="spot"))["result"]["list"]
    assert (row["orderId"], row["orderStatus"], row["stopOrderType"]) == (made["orderId"], "New", "Stop")
    assert bench.world.wallet("ann")["USDT"].held == 4_900
    bench.world.move(SYMBOL, Decimal(49_000))
    (trade,) = (await wire.get("/v5/execution/list", category="spot"))["result"]["list"]
    assert (trade["orderId"], trade["orderLinkId"]) == (made["orderId"], "entry")


@pytest.mark.asyncio
async def test_a_conditional_order_without_funds_at_its_trigger_is_rejected(bench: Bench, wire: Wire) -> None:
    await wire.create(orderFilter="StopOrder", triggerPrice="49500", qty="0.15")
    await wire.create(qty="0.15")
    bench.world.move(SYMBOL, Decimal(49_400))
    (row,) = (await wire.get("/v5/order/history", category="spot"))["result"]["list"]
    assert (row["orderStatus"], row["rejectReason"]) == ("Rejected", "EC_Others")


@pytest.mark.asyncio
async def test_a_conditional_order_can_be_cancelled(bench: Bench, wire: Wire) -> None:
    made = (await wire.create(orderFilter="StopOrder", triggerPrice="51000", price="51500"))["result"]
    gone = await wire.post("/v5/order/cancel", {"category": "spot", "symbol": NAME, "orderId": made["orderId"]})
    assert gone["retCode"] == 0
    bench.world.move(SYMBOL, Decimal(51_000))
    assert (await wire.get("/v5/order/realtime", category="spot"))["result"]["list"] == []
    assert bench.world.orders("ann") == []


# --- at once or not at all


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"timeInForce": "IOC"}, "Cancelled"),
        ({"timeInForce": "FOK"}, "Cancelled"),
        ({"timeInForce": "IOC", "price": "51000"}, "Filled"),
        ({"timeInForce": "FOK", "price": "51000"}, "Filled"),
        ({"timeInForce": "PostOnly", "price": "51000"}, "Rejected"),
        ({"orderType": "Market", "marketUnit": "baseCoin"}, "Filled"),
        ({"orderType": "Market", "qty": "100"}, "Filled"),
        ({"orderType": "Market", "qty": "100.01"}, "PartiallyFilledCanceled"),
    ],
)
async def test_an_order_ends_at_once_as_its_kind_says(wire: Wire, fields: dict[str, str], status: str) -> None:
    assert (await wire.create(**fields))["retCode"] == 0
    (row,) = (await wire.get("/v5/order/history", category="spot"))["result"]["list"]
    assert row["orderStatus"] == status


@pytest.mark.asyncio
async def test_an_order_that_finds_too_little_trades_in_part(bench: Bench, wire: Wire) -> None:
    bench.world.set_depth(SYMBOL, Decimal("0.004"))
    await wire.create(timeInForce="IOC", price="51000")
    (row,) = (await wire.get("/v5/order/history", category="spot"))["result"]["list"]
    assert (row["orderStatus"], row["cumExecQty"]) == ("PartiallyFilledCanceled", "0.004")


# --- faults


@pytest.mark.asyncio
async def test_made_up_server_errors_are_all_of_the_unclear_kinds(bench: Bench, wire: Wire) -> None:
    bench.faults.add(Fault("error-5xx", count=4, where="place", ms=1))
    seen = set()
    for _ in range(4):
        told = await wire.create()
        seen.add(told["retCode"] if isinstance(told, dict) else wire.status)
    assert seen == {502, 10000, 10016, 170146}
    assert len(bench.world.open_orders("ann")) == 4


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("kind", "expected"), [("limit-429", 10006), ("clock-skew", 10002), ("ban-418", 403), ("maintenance", 503)]
)
async def test_made_up_refusals_are_in_the_words_of_bybit(bench: Bench, wire: Wire, kind: str, expected: int) -> None:
    bench.faults.add(Fault(kind, count=1))
    told = await wire.create()
    assert (told["retCode"] if isinstance(told, dict) else wire.status) == expected
    assert bench.world.orders("ann") == []


@pytest.mark.asyncio
async def test_an_order_can_be_unknown_at_first(bench: Bench, wire: Wire) -> None:
    await wire.create(orderLinkId="a")
    bench.faults.add(Fault("not-found-at-first", count=1))
    ask = {"category": "spot", "orderLinkId": "a"}
    lists = [(await wire.get("/v5/order/realtime", **ask))["result"]["list"] for _ in range(2)]
    assert [len(one) for one in lists] == [0, 1]


# --- streams by hand


@pytest.mark.asyncio
async def test_the_account_stream_wants_a_sign_in(bench: Bench) -> None:
    async with bench.session.ws_connect("wss://stream.bybit.com/v5/private") as stream:
        await stream.send_json({"op": "subscribe", "args": ["order"]})
        assert not (await stream.receive_json(timeout=PATIENCE_S))["success"]
        until = bench.clock() + 5_000
        await stream.send_json({"op": "auth", "args": [KEY, until, sign("wrong", f"GET/realtime{until}")]})
        assert not (await stream.receive_json(timeout=PATIENCE_S))["success"]
        assert (await stream.receive(timeout=PATIENCE_S)).type.name in ("CLOSE", "CLOSED")


@pytest.mark.asyncio
async def test_a_sign_in_is_good_for_its_time_only(bench: Bench) -> None:
    async with bench.session.ws_connect("wss://stream.bybit.com/v5/private") as stream:
        until = bench.clock() - 1
        await stream.send_json({"op": "auth", "args": [KEY, until, sign(SECRET, f"GET/realtime{until}")]})
        assert not (await stream.receive_json(timeout=PATIENCE_S))["success"]


@pytest.mark.asyncio
async def test_a_topic_that_is_none_is_refused_and_the_others_too(bench: Bench) -> None:
    async with bench.session.ws_connect("wss://stream.bybit.com/v5/public/spot") as stream:
        await stream.send_json({"op": "subscribe", "req_id": "1", "args": [f"publicTrade.{NAME}", "tickers.NOPE"]})
        told = await stream.receive_json(timeout=PATIENCE_S)
        assert (told["success"], told["req_id"]) == (False, "1")
        await stream.send_json({"op": "subscribe", "args": [f"orderbook.{depth}.{NAME}" for depth in range(11)]})
        assert not (await stream.receive_json(timeout=PATIENCE_S))["success"]
        await stream.send_json({"op": "ping", "req_id": "2"})
        assert (await stream.receive_json(timeout=PATIENCE_S))["ret_msg"] == "pong"


@pytest.mark.asyncio
async def test_a_candle_is_told_as_closed_when_the_next_one_begins(bench: Bench) -> None:
    async with bench.session.ws_connect("wss://stream.bybit.com/v5/public/spot") as stream:
        await stream.send_json({"op": "subscribe", "args": [f"kline.1.{NAME}"]})
        await stream.receive_json(timeout=PATIENCE_S)
        first = (await stream.receive_json(timeout=PATIENCE_S))["data"][0]
        bench.clock.ahead_ms += 60_000
        bench.world.move(SYMBOL, Decimal(50_500))
        closed = (await stream.receive_json(timeout=PATIENCE_S))["data"][0]
        then = (await stream.receive_json(timeout=PATIENCE_S))["data"][0]
        assert (closed["start"], closed["close"], closed["confirm"]) == (first["start"], "50000", True)
        assert (then["start"], then["open"], then["confirm"]) == (first["start"] + 60_000, "50500", False)


@pytest.mark.asyncio
async def test_one_trade_is_one_event_of_the_wallet_with_both_coins(bench: Bench, wire: Wire) -> None:
    async with bench.session.ws_connect("wss://stream.bybit.com/v5/private") as stream:
        until = bench.clock() + 5_000
        await stream.send_json({"op": "auth", "args": [KEY, until, sign(SECRET, f"GET/realtime{until}")]})
        assert (await stream.receive_json(timeout=PATIENCE_S))["success"]
        await stream.send_json({"op": "subscribe", "args": ["wallet", "execution.fast.spot"]})
        assert (await stream.receive_json(timeout=PATIENCE_S))["success"]
        await wire.create(orderType="Market", qty="100")
        events = [await stream.receive_json(timeout=PATIENCE_S) for _ in range(2)]
        fast, wallet = sorted(events, key=lambda event: event["topic"])
        assert (fast["topic"], fast["data"][0]["execQty"]) == ("execution.fast.spot", "0.002")
        assert {coin["coin"] for coin in wallet["data"][0]["coin"]} == {"BTC", "USDT"}
        with pytest.raises(asyncio.TimeoutError):
            await stream.receive_json(timeout=0.05)
