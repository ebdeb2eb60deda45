"""An order counts as placed only where the answer has an id and our client id; everything else is unclear."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from autogrid.engine.venue import ExchangeUnclear, Intent
from autogrid.exchanges.binance_dialect import BinanceDialect
from autogrid.exchanges.bybit_dialect import BybitDialect
from autogrid.exchanges.ccxt_wire import Wire
from autogrid.exchanges.dialect import Dialect
from autogrid.exchanges.other_dialect import OtherDialect
from autogrid.exchanges.public_client import public_client
from tests.exchanges.venue_bench import SYMBOL, buy

D = Decimal
OCO = Intent(SYMBOL, "ag-1", "sell", "oco", D(52000), D("0.01"), D(48000), D(47900))


class Canned(Wire):
    """Answers what it was given."""

    def __init__(self, exchange: str, answer: object) -> None:
        super().__init__(public_client(exchange))
        self.answer = answer

    async def id_of(self, symbol: str) -> str:
        return "BTCUSDT"

    async def ask(self, method: str, params: Mapping[str, object], **_: object) -> Any:
        return self.answer

    async def unified(self, call: object, **_: object) -> Any:
        return self.answer


BINANCE = {"orderId": 1, "clientOrderId": "ag-1", "side": "BUY", "status": "NEW", "origQty": "0.01", "executedQty": "0"}
BYBIT = {"orderId": "1", "orderLinkId": "ag-1"}
CCXT = {"id": "1", "clientOrderId": "ag-1"}


def binance(answer: object) -> Dialect:
    return BinanceDialect(Canned("binance", answer))


def bybit(answer: object) -> Dialect:
    return BybitDialect(Canned("bybit", answer))


def other(answer: object) -> Dialect:
    return OtherDialect(Canned("kraken", answer))


@pytest.mark.asyncio
@pytest.mark.parametrize("dialect", [binance(BINANCE), bybit({"result": BYBIT, "time": 1}), other(CCXT)])
async def test_an_answer_with_both_ids_is_placed(dialect: Dialect) -> None:
    placed = await dialect.place(buy("ag-1"), 5_000)
    assert (placed.exchange_id, placed.client_id) == ("1", "ag-1")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "dialect",
    [
        binance({}),
        binance([]),
        binance(BINANCE | {"orderId": None}),
        binance(BINANCE | {"clientOrderId": "another"}),
        binance(BINANCE | {"clientOrderId": None}),
        binance(BINANCE | {"status": "ODD"}),
        bybit({"result": {}}),
        bybit({"result": None}),
        bybit({"result": BYBIT | {"orderId": ""}}),
        bybit({"result": BYBIT | {"orderLinkId": "another"}}),
        bybit({"result": BYBIT | {"orderLinkId": ""}}),
        other({}),
        other(CCXT | {"id": None}),
        other(CCXT | {"clientOrderId": None}),
    ],
)
async def test_any_other_answer_is_unclear(dialect: Dialect) -> None:
    with pytest.raises(ExchangeUnclear):
        await dialect.place(buy("ag-1"), 5_000)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "other_answer",
    [{}, {"listClientOrderId": "another", "orderReports": []}, {"listClientOrderId": "ag-1", "orderReports": []}],
)
async def test_an_order_list_that_is_not_told_whole_is_unclear(other_answer: dict[str, object]) -> None:
    with pytest.raises(ExchangeUnclear):
        await binance(other_answer).place(OCO, 5_000)
