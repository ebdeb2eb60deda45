"""What only MEXC has: no stops, and an answer that does not name its client id."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from autogrid.engine.venue import ExchangeRefused, ExchangeUnclear, Intent
from autogrid.exchanges.ccxt_wire import Wire
from autogrid.exchanges.mexc_dialect import MexcDialect
from autogrid.exchanges.public_client import public_client
from tests.exchanges.venue_bench import SYMBOL, Bench, benched, buy

D = Decimal


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with benched("mexc", tmp_path) as one:
        yield one


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["stop", "oco"])
async def test_stops_and_order_lists_are_refused(bench: Bench, kind: str) -> None:
    stop = Intent(SYMBOL, "ag-1", "sell", kind, D(47900), D("0.1"), D(48000), D(47900))  # type: ignore[arg-type]
    with pytest.raises(ExchangeRefused) as caught:
        await bench.account().place(stop, 5_000)
    assert caught.value.why == "rule"
    assert bench.world.orders("ann") == []


@pytest.mark.asyncio
async def test_the_listen_key_is_given_back(bench: Bench) -> None:
    account = bench.account()
    news = account.news()
    await anext(news)
    await news.aclose()  # type: ignore[attr-defined]
    assert await account.balances()


ANSWER = {"symbol": "BTCUSDT", "orderId": "7", "orderListId": -1, "price": "49000", "origQty": "0.01", "side": "BUY"}


@pytest.mark.parametrize(
    "other",
    [
        {"orderId": ""},
        {"orderId": None},
        {"symbol": "ETHUSDT"},
        {"side": "SELL"},
        {"price": "48000"},
        {"origQty": "0.02"},
        {"clientOrderId": "another"},
    ],
)
def test_an_answer_that_is_not_to_our_order_is_unclear(other: dict[str, object]) -> None:
    dialect = MexcDialect(Wire(public_client("mexc")))
    intent = buy("ag-1")
    placed = dialect._placed(ANSWER, intent, "BTCUSDT")
    assert (placed.client_id, placed.exchange_id) == ("ag-1", "7")
    assert dialect._placed(ANSWER | {"clientOrderId": "ag-1"}, intent, "BTCUSDT") == placed
    with pytest.raises(ExchangeUnclear):
        dialect._placed(ANSWER | other, intent, "BTCUSDT")
