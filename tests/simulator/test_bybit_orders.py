"""Orders on the simulated Bybit: how they are refused, what is told of them, those that wait or end at once."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from tests.simulator.test_bybit import NAME, SYMBOL, Bench, opened
from tests.simulator.test_bybit_wire import Wire


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(tmp_path) as one:
        yield one


@pytest_asyncio.fixture
async def wire(bench: Bench) -> Wire:
    return Wire(bench)


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
