"""What raw answers mean: refused, away, or unclear."""

import socket
from unittest import mock

import aiohttp
import ccxt
import pytest

from autogrid.engine.venue import ExchangeAway, ExchangeRefused, ExchangeUnclear
from autogrid.exchanges.ccxt_errors import AWAY, FAULTS, REFUSED, Reply, answer_of, no_answer
from autogrid.exchanges.connect_to import UnknownHost
from autogrid.exchanges.limits import Kind

BINANCE = '{"code":%s,"msg":"%s"}'
BYBIT = '{"retCode":%s,"retMsg":"%s","result":{},"retExtInfo":{},"time":1}'
MEXC = '{"code":%s,"msg":"%s"}'


def meaning(exchange: str, reply: Reply, kind: Kind) -> Exception:
    with pytest.raises((ExchangeAway, ExchangeRefused, ExchangeUnclear)) as caught:
        answer_of(exchange, reply, kind)
    return caught.value


@pytest.mark.parametrize(
    ("exchange", "body", "why"),
    [
        ("binance", BINANCE % (-1013, "Filter failure: PRICE_FILTER"), "rule"),
        ("binance", BINANCE % (-1021, "Timestamp for this request is outside of the recvWindow."), "clock"),
        ("binance", BINANCE % (-1022, "Signature for this request is not valid."), "key"),
        ("binance", BINANCE % (-1111, "Precision is over the maximum defined for this asset."), "rule"),
        ("binance", BINANCE % (-1121, "Invalid symbol."), "symbol"),
        ("binance", BINANCE % (-2010, "Account has insufficient balance for requested action."), "funds"),
        ("binance", BINANCE % (-2010, "Order would immediately match and take."), "post-only"),
        ("binance", BINANCE % (-2010, "Duplicate order sent."), "duplicate"),
        ("binance", BINANCE % (-2010, "Market is closed."), "symbol"),
        ("binance", BINANCE % (-2010, "This action is disabled on this account."), "right"),
        ("binance", BINANCE % (-2010, "Something new."), "other"),
        ("binance", BINANCE % (-2011, "Unknown order sent."), "unknown-order"),
        ("binance", BINANCE % (-2013, "Order does not exist."), "unknown-order"),
        ("binance", BINANCE % (-2015, "Invalid API-key, IP, or permissions for action."), "key"),
        ("bybit", BYBIT % (10001, "params error"), "other"),
        ("bybit", BYBIT % (10002, "invalid request, please check your server timestamp"), "clock"),
        ("bybit", BYBIT % (10003, "API key is invalid."), "key"),
        ("bybit", BYBIT % (10005, "Permission denied"), "right"),
        ("bybit", BYBIT % (33004, "Your api key has expired."), "key"),
        ("bybit", BYBIT % (170131, "Insufficient balance."), "funds"),
        ("bybit", BYBIT % (170134, "Order price has too many decimals."), "rule"),
        ("bybit", BYBIT % (170140, "Order value exceeded lower limit."), "rule"),
        ("bybit", BYBIT % (170141, "Duplicate clientOrderId"), "duplicate"),
        ("bybit", BYBIT % (170213, "Order does not exist."), "unknown-order"),
        ("mexc", MEXC % (30002, "The minimum transaction volume cannot be less than：5USDT"), "rule"),
        ("mexc", MEXC % (30004, "Insufficient position"), "funds"),
        ("mexc", MEXC % (30005, "Oversold"), "funds"),
        ("mexc", MEXC % (10007, "bad symbol"), "symbol"),
        ("mexc", MEXC % (700002, "Signature for this request is not valid."), "key"),
        ("mexc", MEXC % (700003, "Timestamp for this request is outside of the recvWindow."), "clock"),
        ("mexc", MEXC % (-2011, "Unknown order sent."), "unknown-order"),
    ],
)
@pytest.mark.parametrize("kind", ["create", "cancel", "read"])
def test_a_code_on_the_list_is_a_refusal(exchange: str, body: str, why: str, kind: Kind) -> None:
    refusal = meaning(exchange, Reply(200 if exchange == "bybit" else 400, {}, body), kind)
    assert isinstance(refusal, ExchangeRefused)
    assert refusal.why == why


ILL = [
    ("binance", Reply(500, {}, BINANCE % (-1000, "An unknown error"))),
    ("binance", Reply(504, {}, BINANCE % (-1007, "Timeout waiting for response from backend server."))),
    ("binance", Reply(400, {}, BINANCE % (-1006, "An unexpected response was received from the message bus."))),
    ("binance", Reply(200, {}, "<html>hello</html>")),
    ("binance", Reply(200, {}, "")),
    ("binance", Reply(200, {}, '"a text"')),
    ("binance", Reply(200, {}, '{"symbol":"BTCUSDT","orderId":1,')),
    ("binance", Reply(503, {}, "Service Unavailable")),
    ("bybit", Reply(200, {}, BYBIT % (10000, "Server Timeout"))),
    ("bybit", Reply(200, {}, BYBIT % (10016, "Server error."))),
    ("bybit", Reply(200, {}, BYBIT % (170146, "Order creation timeout"))),
    ("bybit", Reply(200, {}, BYBIT % (170147, "Order cancellation timeout"))),
    ("bybit", Reply(502, {}, "<html>")),
    ("mexc", Reply(500, {}, MEXC % (500, "Internal error"))),
    ("mexc", Reply(504, {}, MEXC % (504, "Gateway Time-out"))),
    ("mexc", Reply(200, {}, "<html>")),
]


@pytest.mark.parametrize(("exchange", "reply"), ILL)
def test_an_exchange_that_is_ill_leaves_an_order_unclear_and_a_question_unanswered(exchange: str, reply: Reply) -> None:
    for kind in ("create", "cancel"):
        assert isinstance(meaning(exchange, reply, kind), ExchangeUnclear)
    assert isinstance(meaning(exchange, reply, "read"), ExchangeAway)


@pytest.mark.parametrize(
    ("exchange", "body"),
    [("binance", BINANCE % (-9999, "New")), ("bybit", BYBIT % (999999, "New")), ("mexc", MEXC % (999999, "New"))],
)
def test_a_code_that_nobody_knows_leaves_an_order_unclear(exchange: str, body: str) -> None:
    assert isinstance(meaning(exchange, Reply(400, {}, body), "create"), ExchangeUnclear)
    assert isinstance(meaning(exchange, Reply(400, {}, body), "read"), ExchangeRefused)


@pytest.mark.parametrize(
    ("exchange", "reply", "wait_ms"),
    [
        ("binance", Reply(429, {"retry-after": "30"}, BINANCE % (-1003, "Way too many requests")), 30_000),
        ("binance", Reply(418, {"retry-after": "600"}, BINANCE % (-1003, "IP banned")), 600_000),
        ("binance", Reply(429, {}, "no words"), 10_000),
        ("binance", Reply(400, {}, BINANCE % (-1015, "Too many new orders")), 10_000),
        ("bybit", Reply(200, {}, BYBIT % (10006, "Too many visits!")), 1_000),
        ("bybit", Reply(403, {}, "403 access too frequent"), 600_000),
        ("mexc", Reply(429, {}, MEXC % (429, "Too Many Requests")), 10_000),
    ],
)
def test_too_many_requests_mean_away_and_say_for_how_long(exchange: str, reply: Reply, wait_ms: int) -> None:
    for kind in ("create", "cancel", "read"):
        away = meaning(exchange, reply, kind)
        assert isinstance(away, ExchangeAway)
        assert away.wait_ms == wait_ms


@pytest.mark.parametrize("body", ["", "{}", BYBIT % (0, ""), "<html>"])
def test_who_is_not_known_is_refused_whatever_the_body_says(body: str) -> None:
    for exchange in ("binance", "bybit", "mexc"):
        refusal = meaning(exchange, Reply(401, {}, body), "create")
        assert isinstance(refusal, ExchangeRefused)
        assert refusal.why == "key"


def test_an_answer_keeps_its_figures_as_text() -> None:
    told = answer_of(
        "binance", Reply(200, {}, '{"price":0.10000000000000000001,"orderId":12345678901234567890}'), "read"
    )
    assert told == {"price": "0.10000000000000000001", "orderId": 12345678901234567890}


@pytest.mark.parametrize(
    "cause",
    [
        aiohttp.ClientConnectorError(mock.Mock(), OSError("refused")),
        aiohttp.ConnectionTimeoutError("slow"),
        socket.gaierror("no name"),
        UnknownHost("elsewhere"),
    ],
)
def test_what_had_no_connection_was_not_sent(cause: Exception) -> None:
    error = ccxt.ExchangeNotAvailable("binance POST https://api.binance.com/api/v3/order?signature=abc")
    error.__cause__ = cause
    assert isinstance(no_answer("binance", error, "create"), ExchangeAway)
    assert isinstance(no_answer("binance", error, "cancel"), ExchangeUnclear)


@pytest.mark.parametrize(
    "cause",
    [aiohttp.ServerDisconnectedError(), ConnectionResetError(), TimeoutError(), aiohttp.ClientPayloadError()],
)
def test_a_connection_that_broke_leaves_an_order_unclear_and_no_url_is_told(cause: Exception) -> None:
    error = ccxt.ExchangeNotAvailable("binance POST https://api.binance.com/api/v3/order?signature=abc")
    error.__cause__ = cause
    unclear = no_answer("binance", error, "create")
    assert isinstance(unclear, ExchangeUnclear)
    assert "signature" not in str(unclear)
    assert isinstance(no_answer("binance", error, "read"), ExchangeAway)


def test_no_code_means_two_things() -> None:
    for exchange, codes in REFUSED.items():
        assert not codes.keys() & AWAY[exchange].keys()
        assert not codes.keys() & FAULTS[exchange]
        assert not AWAY[exchange].keys() & FAULTS[exchange]
