"""The simulated MEXC's answers have the names and JSON types of answers that others recorded from MEXC.

Two sets: one of documents' examples (`jkorf_mexc`), one of real answers (`ccxt_static`), whose numbers became text when
they were kept. A recorded null says nothing about a type.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from autogrid.simulator.mexc.asked import Asked, read
from autogrid.simulator.mexc.listen_keys import ListenKeys
from autogrid.simulator.mexc.orders import wanted_order
from autogrid.simulator.mexc.private import PRIVATE, listen_key_routes
from autogrid.simulator.mexc.public import PUBLIC
from autogrid.simulator.records import Wanted
from autogrid.simulator.world import World
from autogrid.trading.market import Market
from tests.simulator.test_mexc import BTC, MX, SYMBOL

ASKED: Final = {
    "symbol": "BTCUSDT",
    "interval": "1m",
    "side": "BUY",
    "type": "LIMIT",
    "quantity": "0.01",
    "price": "49000",
    "limit": "10",
}
DOCUMENTED: Final = {
    "ExchangeData/GetServerTime": {},
    "ExchangeData/GetApiSymbols": {},
    "ExchangeData/GetBookPrices": {"symbol": ""},
    "ExchangeData/GetPrices": {"symbol": ""},
    "ExchangeData/GetTickers": {"symbol": ""},
    "ExchangeData/GetAggregatedTradeHistory": {},
    "ExchangeData/GetKlines": {},
    "Account/GetUserAssets": {},
    "Account/GetMxDeductionStatus": {},
    "Account/StopUserStream": {},
    "Trading/PlaceOrder": {},
    "Trading/GetOpenOrders": {},
    "Trading/GetOrders": {},
    "Trading/CancelAllOrders": {},
}
"""Files, and what is asked otherwise than above."""
RECORDED: Final = {
    "fetchMyTrades": "/api/v3/myTrades",
    "fetchTicker": "/api/v3/ticker/24hr",
    "fetchOHLCV": "/api/v3/klines",
}
NUMBERS_IN_EXAMPLES: Final = {"orderId"}
"""Documents' examples have numbers where MEXC sends text."""
LATER: Final = {"stpMode"}
"""Came after the examples; it is in answers recorded in 2025."""


def a_world() -> World:
    """With an open order, a trade, and prices."""
    world = World({SYMBOL: BTC, "MX/USDT": MX}, lambda: 1_790_000_000_123)
    world.add_account("ann", {"USDT": Decimal(10_000), "BTC": Decimal(1)})
    world.move(SYMBOL, Decimal(50_000))
    world.move("MX/USDT", Decimal(2))
    world.place("ann", Wanted(SYMBOL, "sell", "market", "m-1", quantity=Decimal("0.1")))
    world.place("ann", Wanted(SYMBOL, "buy", "limit", "l-1", Decimal(48_000), Decimal("0.01")))
    return world


def answered(method: str, path: str, **asked: str) -> Any:
    """What the simulator answers, through JSON."""
    world = a_world()
    keys = ListenKeys(world)
    values = Asked({**ASKED, "listenKey": keys.make("ann"), **asked})
    if path in PUBLIC:
        answer = PUBLIC[path](world, values)
    else:
        routes = {**PRIVATE, **listen_key_routes(keys, lambda _key: None)}
        answer = routes[method, path].act(world, "ann", values)
    return json.loads(json.dumps(answer))


def differences(sent: Any, recorded: Any, where: str = "", *, quoted: bool = False) -> Iterator[str]:
    """In what an answer is not of the recorded one's shape. `quoted`: the recorded numbers became text."""
    if sent is None or recorded is None:
        return
    if isinstance(recorded, dict) and isinstance(sent, dict):
        yield from (f"{where}.{name} is missing" for name in recorded.keys() - sent.keys())
        yield from (f"{where}.{name} is not recorded" for name in sent.keys() - recorded.keys() - LATER)
        for name in (recorded.keys() & sent.keys()) - NUMBERS_IN_EXAMPLES:
            yield from differences(sent[name], recorded[name], f"{where}.{name}", quoted=quoted)
    elif isinstance(recorded, list) and isinstance(sent, list):
        if recorded and not sent:
            yield f"{where} is empty"
        row = len({type(one) for one in recorded}) > 1
        if row and sent and len(sent) != len(recorded):
            yield f"{where} has {len(sent)} places, recorded {len(recorded)}"
        pairs = zip(sent, recorded, strict=False) if row else zip(sent[:1], recorded[:1], strict=False)
        for one, other in pairs:
            yield from differences(one, other, f"{where}[]", quoted=quoted)
    elif type(sent) is not type(recorded) and not (quoted and type(sent) is int and isinstance(recorded, str)):
        yield f"{where} is {sent!r}, recorded {recorded!r}"


@pytest.mark.parametrize("name", DOCUMENTED)
def test_an_answer_has_the_shape_of_the_documented_one(shared_data: Path, name: str) -> None:
    folder = shared_data / "data" / "fixtures" / "jkorf_mexc" / "Endpoints" / "SpotApi"
    if not folder.is_dir():
        pytest.skip(f"the recorded answers are not at {folder}")
    method, path, _, *body = (folder / f"{name}.txt").read_text("utf-8-sig").splitlines()
    sent = answered(method, path, **DOCUMENTED[name])
    assert list(differences(sent, json.loads("\n".join(body)))) == []


@pytest.mark.parametrize("name", RECORDED)
def test_an_answer_has_the_shape_of_the_recorded_one(shared_data: Path, name: str) -> None:
    for case in _static(shared_data, "response")[name]:
        sent = answered("GET", RECORDED[name])
        assert list(differences(sent, case["httpResponse"], quoted=True)) == []


def test_requests_that_were_recorded_are_understood(shared_data: Path) -> None:
    coins = [Market(base, "USDT", BTC.tick, BTC.lot, Decimal(1), Decimal(0), Decimal(0)) for base in ("ATLAS", "ADA")]
    world = World({coin.symbol: coin for coin in coins}, lambda: 0)
    wanted = [
        wanted_order(world, read(urlsplit(case["url"]).query, ""))
        for case in _static(shared_data, "request")["createOrder"]
    ]
    assert [(one.type, one.quantity, one.quote_quantity) for one in wanted] == [
        ("limit", 1000, None),
        ("market", None, 8),
        ("fok", Decimal("0.5"), None),
        ("market", None, 6),
    ]


def test_another_shape_is_seen() -> None:
    assert list(differences({"a": 1}, {"a": "1"})) == [".a is 1, recorded '1'"]
    assert list(differences({"a": 1}, {"a": "1"}, quoted=True)) == []
    assert list(differences([{"a": 1}], [{"b": 1}])) == ["[].b is missing", "[].a is not recorded"]
    assert list(differences([], ["x"])) == [" is empty"]
    assert list(differences([[1, 2]], [[1, "a"]])) == ["[][] is 2, recorded 'a'"]
    assert list(differences([[1]], [[1, "a"]])) == ["[] has 1 places, recorded 2"]


def _static(shared_data: Path, kind: str) -> Any:
    file = shared_data / "data" / "fixtures" / "ccxt_static" / f"mexc.{kind}.json"
    if not file.is_file():
        pytest.skip(f"the recorded answers are not at {file}")
    return json.loads(file.read_text("utf-8"))["methods"]
