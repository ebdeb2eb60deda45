"""What only Binance has: stops, order lists, and the same client id again."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from autogrid.engine.venue import ExchangeRefused, Intent
from tests.exchanges.venue_bench import SYMBOL, Bench, benched, buy, listening

D = Decimal
OCO = Intent(SYMBOL, "ag-oco", "sell", "oco", D(52000), D("0.01"), D(48000), D(47900))
STOP = Intent(SYMBOL, "ag-stop", "sell", "stop", D(47900), D("0.01"), D(48000))
WINDOW_MS = 5_000


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with benched("binance", tmp_path) as one:
        yield one


@pytest.mark.asyncio
async def test_a_stop_waits_and_then_trades(bench: Bench) -> None:
    account = bench.account()
    assert (await account.place(STOP, WINDOW_MS)).status == "open"
    bench.move("47950")
    found = await account.find(SYMBOL, "ag-stop")
    assert found is not None
    assert found.status == "filled"


@pytest.mark.asyncio
async def test_an_order_list_is_one_order_by_the_intents_client_id(bench: Bench) -> None:
    account = bench.account()
    placed = await account.place(OCO, WINDOW_MS)
    assert (placed.client_id, placed.status, placed.price, placed.quantity) == ("ag-oco", "open", D(52000), D("0.01"))
    assert await account.find(SYMBOL, "ag-oco") == placed._replace(at_ms=placed.at_ms)
    assert await account.find_by_id(SYMBOL, placed.exchange_id) == placed
    assert [one.client_id for one in await account.open_orders(SYMBOL)] == ["ag-oco"]

    await account.cancel(SYMBOL, ["ag-oco"])
    found = await account.find(SYMBOL, "ag-oco")
    assert found is not None
    assert found.status in ("cancelled", "expired")
    assert bench.world.open_orders("ann") == []
    await account.cancel(SYMBOL, ["ag-oco"])


@pytest.mark.asyncio
@pytest.mark.parametrize("price", ["52100", "47950"])
async def test_whichever_leg_trades_its_trade_and_its_end_are_told_by_the_intents_id(bench: Bench, price: str) -> None:
    account = bench.account()
    start = await account.trades_after(SYMBOL, "")
    async with listening(account) as told:
        await told.until(len)
        await account.place(OCO, WINDOW_MS)
        bench.move(price)
        await told.until(lambda _: told.trades and any(one.status == "filled" for one in told.orders))
    assert {one.client_id for one in told.trades} == {one.client_id for one in told.orders} == {"ag-oco"}
    assert not [one for one in told.orders if one.status in ("cancelled", "expired")]
    page = await account.trades_after(SYMBOL, start.cursor)
    assert {one.client_id for one in page.trades} == {"ag-oco"}
    assert sum(one.quantity for one in page.trades) == D("0.01")
    found = await account.find(SYMBOL, "ag-oco")
    assert found is not None
    assert (found.status, found.filled) == ("filled", D("0.01"))


@pytest.mark.asyncio
async def test_a_client_id_is_free_again_once_its_first_order_is_done(bench: Bench) -> None:
    account = bench.account()
    first = await account.place(buy("ag-1"), WINDOW_MS)
    await account.cancel(SYMBOL, ["ag-1"])
    second = await account.place(buy("ag-1"), WINDOW_MS)
    assert first.exchange_id != second.exchange_id


@pytest.mark.asyncio
async def test_an_order_list_without_its_figures_is_not_sent(bench: Bench) -> None:
    for intent in (OCO._replace(stop_price=None), OCO._replace(trigger=None), STOP._replace(trigger=None)):
        with pytest.raises(ExchangeRefused) as caught:
            await bench.account().place(intent, WINDOW_MS)
        assert caught.value.why == "rule"
