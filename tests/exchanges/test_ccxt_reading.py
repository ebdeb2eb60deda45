"""Readers against recorded answers of the real exchanges, where the shared data are beside the repository."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from autogrid.engine.venue import OwnOrder, OwnTrade
from autogrid.exchanges import binance_reading, bybit_reading, mexc_reading
from autogrid.exchanges.ccxt_errors import Reply, answer_of
from autogrid.exchanges.ccxt_reading import ccxt_balances, ccxt_order, ccxt_trade
from autogrid.exchanges.dialect import StreamEnded, TimeCursor

D = Decimal
FIXTURES = Path(__file__).parents[2] / "../shared/data/fixtures"
recorded = pytest.mark.skipif(not FIXTURES.is_dir(), reason="the shared data are not beside the repository")
NAMES = {"SOLUSDT": "SOL/USDT", "LTCUSDT": "LTC/USDT", "BTCUSDT": "BTC/USDT", "ETHUSDT": "ETH/USDT"}


def symbol(name: object) -> str:
    return NAMES.get(str(name), str(name))


def answers(exchange: str, method: str) -> list[Any]:
    told = json.loads((FIXTURES / f"ccxt_static/{exchange}.response.json").read_text())["methods"].get(method, [])
    return [answer_of(exchange, Reply(200, {}, json.dumps(one["httpResponse"])), "create") for one in told]


def jkorf(path: str) -> Any:
    """The answer of one of these files; it stands below three lines."""
    return json.loads((FIXTURES / path).read_text().split("\n", 3)[3])


def frame(path: str) -> Any:
    """The one frame that a stream file tells."""
    return json.loads((FIXTURES / path).read_text().partition("= \n")[2])


def nautilus(path: str) -> Any:
    return json.loads((FIXTURES / "nautilus" / path).read_text())


@recorded
def test_binances_answer_to_an_order_is_read() -> None:
    (told,) = answers("binance", "createOrder")
    order = binance_reading.order(told, "SOL/USDT")
    assert order == OwnOrder(
        "SOL/USDT",
        "x-R4BD3S824d31be3228a348eaa0a303",
        "9780331417",
        "buy",
        "open",
        D(241),
        D("0.05"),
        D(0),
        1_737_635_557_417,
    )


@recorded
def test_binances_own_trades_are_read() -> None:
    ((told,),) = answers("binance", "fetchMyTrades")
    trade = binance_reading.trade(told, "LTC/USDT", "", str)
    assert trade == OwnTrade(
        "LTC/USDT",
        "309520010",
        "3784695242",
        "",
        "sell",
        D("69.63"),
        D("0.2"),
        D("0.013926"),
        "USDT",
        False,
        1_698_138_992_358,
    )
    assert not binance_reading.in_list(told)


@recorded
def test_every_recorded_order_of_binance_is_read() -> None:
    for path in ("GetOpenOrders", "GetOrders"):
        for told in jkorf(f"jkorf_binance/Endpoints/Spot/Trading/{path}.txt"):
            assert binance_reading.order(told, "LTC/BTC").exchange_id
    for told in nautilus("binance/spot/http_json/all_orders_response.json"):
        assert binance_reading.order(told, "ETH/USDT").quantity > 0
    for name in ("order_response", "new_order_full_response", "cancel_order_response"):
        assert binance_reading.order(nautilus(f"binance/spot/http_json/{name}.json"), "ETH/USDT").quantity > 0


@recorded
def test_binances_rights_and_balances_are_read() -> None:
    rights = binance_reading.rights(jkorf("jkorf_binance/Endpoints/Spot/Account/GetAPIKeyPermissions.txt"))
    assert (rights.reads, rights.trades, rights.withdraws, rights.bound) == (True, False, False, False)
    assert binance_reading.balances(nautilus("binance/spot/http_json/account_response.json"), str)


@recorded
def test_binances_events_are_read() -> None:
    events = binance_reading.Events(symbol, str)
    trade, order = events.read(nautilus("binance/spot/user_data_json/execution_report_trade.json"))
    assert isinstance(trade, OwnTrade)
    assert (trade.trade_id, trade.fee, trade.fee_asset, trade.maker) == ("98765432", D("0.001"), "ETH", True)
    assert isinstance(order, OwnOrder)
    assert (order.status, order.filled, order.client_id) == ("filled", D(1), "x-TD67BGP9-T0000000000000")
    (new,) = events.read(nautilus("binance/spot/user_data_json/execution_report_new.json"))
    assert isinstance(new, OwnOrder)
    assert new.status == "open"
    (gone,) = events.read(nautilus("binance/spot/user_data_json/execution_report_canceled.json"))
    assert isinstance(gone, OwnOrder)
    assert gone.status == "cancelled"
    for quiet in ("account_position", "balance_update", "list_status_wrapped"):
        assert list(events.read(nautilus(f"binance/spot/user_data_json/{quiet}.json"))) == []


def test_the_end_of_binances_stream_is_an_end() -> None:
    events = binance_reading.Events(symbol, str)
    with pytest.raises(StreamEnded):
        list(events.read({"subscriptionId": 0, "event": {"e": "eventStreamTerminated", "E": 1}}))


def report(client_id: str, order_id: int, now: str, **also: object) -> dict[str, Any]:
    told = {
        "e": "executionReport",
        "s": "BTCUSDT",
        "c": client_id,
        "S": "SELL",
        "q": "1",
        "p": "52000",
        "x": now,
        "X": now,
    }
    return told | {"r": "NONE", "i": order_id, "z": "0", "T": 7, "t": -1, "m": False, "g": 5, "C": "", "N": None} | also


def test_the_legs_of_an_order_list_are_one_order_in_the_stream() -> None:
    events = binance_reading.Events(symbol, str)
    made = [told for one in (("ag-1_a", 1), ("ag-1_b", 2)) for told in events.read(report(*one, "NEW"))]
    assert {(one.client_id, one.status) for one in made if isinstance(one, OwnOrder)} == {("ag-1", "open")}
    assert list(events.read(report("ag-1_b", 2, "EXPIRED"))) == []
    filled = report("ag-1_a", 1, "FILLED", x="TRADE", z="1", l="1", L="52000", n="52", N="USDT", t=9)
    trade, order = events.read(filled)
    assert isinstance(trade, OwnTrade)
    assert isinstance(order, OwnOrder)
    assert (trade.client_id, order.client_id, order.status, order.filled) == ("ag-1", "ag-1", "filled", D(1))
    assert list(events.read({"e": "listStatus", "g": 5, "L": "ALL_DONE", "T": 8})) == []


def test_an_order_list_that_was_taken_out_is_told_as_cancelled_once() -> None:
    events = binance_reading.Events(symbol, str)
    for leg in (("x", 1, {"C": "ag-1_a"}), ("x", 2, {"C": "ag-1_b"})):
        list(events.read(report(leg[0], leg[1], "NEW", **leg[2])))
        assert list(events.read(report(leg[0], leg[1], "CANCELED", **leg[2]))) == []
    (done,) = events.read({"e": "listStatus", "g": 5, "L": "ALL_DONE", "T": 8})
    assert isinstance(done, OwnOrder)
    assert (done.client_id, done.status, done.filled) == ("ag-1", "cancelled", D(0))


@recorded
def test_bybits_own_trades_are_read_and_a_fee_without_a_name_is_of_what_was_received() -> None:
    (told,) = answers("bybit", "fetchMyTrades")
    (one,) = bybit_reading.listed(told)
    trade = bybit_reading.trade(one, "BTC/USDT", str)
    assert trade == OwnTrade(
        "BTC/USDT",
        "2100000000047087120",
        "1550857400238740992",
        "1550857400247129600",
        "buy",
        D("29708.7"),
        D("0.000336"),
        D("0.000000336"),
        "BTC",
        False,
        1_699_612_608_878,
    )
    assert bybit_reading.next_page(told) == "4159101%3A0%2C4159101%3A0"
    assert bybit_reading.trade({**one, "execFee": "-0.01"}, "BTC/USDT", str).fee_asset == "USDT"
    assert bybit_reading.trade({**one, "side": "Sell"}, "BTC/USDT", str).fee_asset == "USDT"


@recorded
def test_every_recorded_order_of_bybit_is_read() -> None:
    for told in bybit_reading.listed(jkorf("jkorf_bybit/Endpoints/V5Api/Trading/GetOrders.txt")):
        assert bybit_reading.order(told, "ETH/USDT").status == "open"
    for told in bybit_reading.listed(nautilus("bybit/http_get_orders_realtime_tp_sl.json")):
        assert bybit_reading.order(told, "BTC/USDT").exchange_id
    for name in ("ws_account_order", "ws_account_order_filled"):
        for one in nautilus(f"bybit/{name}.json")["data"]:
            assert bybit_reading.order(one, "BTC/USDT").quantity > 0


@recorded
def test_bybits_events_of_other_categories_are_not_ours() -> None:
    events = bybit_reading.Events(symbol, str)
    linear = nautilus("bybit/ws_account_execution.json")
    assert list(events.read(linear)) == []
    spot = {**linear, "data": [{**linear["data"][0], "category": "spot", "feeCurrency": "USDT"}]}
    (trade,) = events.read(spot)
    assert isinstance(trade, OwnTrade)
    assert (trade.client_id, trade.fee, trade.fee_asset) == ("test-order-link-001", D("26.3725275"), "USDT")
    assert list(events.read(nautilus("bybit/ws_account_wallet.json"))) == []
    assert list(events.read({"op": "pong"})) == []


@recorded
def test_bybits_balances_are_read() -> None:
    assert bybit_reading.balances(nautilus("bybit/http_get_wallet_balance_spot_short.json"), str)


@pytest.mark.parametrize(
    ("permissions", "withdraws"),
    [
        ({"Spot": ["SpotTrade"]}, None),
        ({"Spot": ["SpotTrade"], "Wallet": []}, False),
        ({"Spot": ["SpotTrade"], "Wallet": ["Withdraw"]}, True),
        ({"Spot": ["SpotTrade"], "Wallet": ["AccountTransfer"]}, True),
        ({"Spot": ["SpotTrade"], "Wallet": ["SubMemberTransferList"]}, True),
    ],
)
def test_a_bybit_key_that_can_move_money_is_known(permissions: dict[str, list[str]], withdraws: bool | None) -> None:
    rights = bybit_reading.rights({"result": {"readOnly": 0, "permissions": permissions, "ips": ["1.2.3.4"]}})
    assert (rights.trades, rights.withdraws, rights.bound) == (True, withdraws, True)


@recorded
def test_mexcs_own_trades_are_read() -> None:
    ((told,),) = answers("mexc", "fetchMyTrades")
    trade = mexc_reading.trade(told, "ATLAS/USDT", str)
    assert (trade.trade_id, trade.client_id) == ("dd44f79dda764c2e927a190ac5e7a1e5", "")
    assert (trade.price, trade.quantity, trade.fee, trade.side) == (D("0.004542"), D(1220), D(0), "sell")


@recorded
def test_every_recorded_order_of_mexc_is_read() -> None:
    for name in ("GetOpenOrders", "GetOrders"):
        for told in jkorf(f"jkorf_mexc/Endpoints/SpotApi/Trading/{name}.txt"):
            assert mexc_reading.order(told, "LTC/BTC").client_id == "myOrder1"


def test_mexcs_events_are_read() -> None:
    events = mexc_reading.Events(symbol, str)
    deal = {
        "price": "3.6962",
        "quantity": "1",
        "tradeType": 2,
        "tradeId": "505X1",
        "orderId": "C02__5",
        "feeAmount": "0.1",
    }
    told = {"channel": "spot@private.deals.v3.api.pb", "symbol": "BTCUSDT", "sendTime": "9"}
    (trade,) = events.read({**told, "privateDeals": {**deal, "feeCurrency": "MX", "time": "8", "clientOrderId": "a"}})
    assert trade == OwnTrade("BTC/USDT", "505X1", "C02__5", "a", "sell", D("3.6962"), D(1), D("0.1"), "MX", False, 8)
    order = {"id": "C02__5", "clientId": "a", "price": "3.5", "quantity": "2", "tradeType": 1, "status": 5}
    (now,) = events.read({**told, "privateOrders": {**order, "cumulativeQuantity": "1"}})
    assert now == OwnOrder("BTC/USDT", "a", "C02__5", "buy", "cancelled", D("3.5"), D(2), D(1), 9)


def test_structures_of_ccxt_are_read() -> None:
    order = {"id": "1", "clientOrderId": "a", "symbol": "BTC/USDT", "side": "buy", "status": "closed", "price": "2"}
    assert ccxt_order({**order, "amount": "3", "filled": "3", "timestamp": 7}).status == "filled"
    assert ccxt_order({**order, "amount": "3", "filled": "1", "timestamp": 7}).status == "cancelled"
    trade = {"id": "7", "order": "1", "symbol": "BTC/USDT", "side": "buy", "price": "1", "amount": "2", "timestamp": 8}
    assert ccxt_trade({**trade, "fee": {"cost": "0.1", "currency": "BNB"}}).fee_asset == "BNB"
    with pytest.raises(ValueError):
        ccxt_trade({**trade, "price": None})
    assert set(ccxt_balances({"free": {"BTC": "1", "ETH": "0"}, "used": {"BTC": None}})) == {"BTC"}


def test_a_cursor_of_time_keeps_the_ids_of_what_may_be_told_again() -> None:
    cursor = TimeCursor(100_000, {}).beyond({"a": 95_000, "b": 89_000, "c": 120_000})
    assert (cursor.at_ms, cursor.ids) == (120_000, {"c": 120_000})
    cursor = cursor.beyond({"d@e": 119_999})
    again = TimeCursor.of(str(cursor))
    assert (again.at_ms, again.ids, again.since_ms) == (120_000, {"c": 120_000, "d@e": 119_999}, 110_000)
