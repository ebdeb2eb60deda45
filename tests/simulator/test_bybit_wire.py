"""The wire itself: signatures, rights, limits, made-up faults, streams by hand. `Wire` signs requests by hand."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

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
    assert (await wire.post("/v5/order/create-batch", batch | {"request": orders[:1]}))["retCode"] == 0
    answers = [(await wire.post("/v5/order/create-batch", batch))["retCode"] for _ in range(2)]
    assert answers == [0, 10006]
    assert wire.headers["X-Bapi-Limit-Status"] == "9"


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
async def test_a_cancel_does_not_fail_as_a_creation(bench: Bench, wire: Wire) -> None:
    bench.faults.add(Fault("error-5xx", count=4, where="cancel"))
    made = (await wire.create())["result"]
    seen = set()
    for _ in range(4):
        told = await wire.post("/v5/order/cancel", {"category": "spot", "symbol": NAME, "orderId": made["orderId"]})
        seen.add(told["retCode"] if isinstance(told, dict) else wire.status)
    assert seen == {502, 10000, 10016}
    assert len(bench.world.open_orders("ann")) == 1


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
