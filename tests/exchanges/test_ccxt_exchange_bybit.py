"""What only Bybit has: answers without a state, stops that hold their assets, cancels by the dozen."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from autogrid.engine.venue import ExchangeRefused, ExchangeUnclear, Intent
from autogrid.exchanges.bybit_dialect import BybitDialect
from tests.exchanges.test_placed_is_ours import Canned
from tests.exchanges.venue_bench import SYMBOL, Bench, benched, buy, listening

D = Decimal
STOP = Intent(SYMBOL, "ag-stop", "sell", "stop", D(47900), D("0.4"), D(48000))
WINDOW_MS = 5_000


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with benched("bybit", tmp_path) as one:
        yield one


@pytest.mark.asyncio
async def test_a_stop_holds_its_assets_while_it_waits_and_can_be_taken_out(bench: Bench) -> None:
    account = bench.account()
    await account.place(STOP, WINDOW_MS)
    assert (await account.balances())["BTC"].held == D("0.4")
    assert [one.client_id for one in await account.open_orders(SYMBOL)] == ["ag-stop"]
    await account.cancel(SYMBOL, ["ag-stop"])
    found = await account.find(SYMBOL, "ag-stop")
    assert found is not None
    assert found.status == "cancelled"


@pytest.mark.asyncio
async def test_a_stop_of_an_earlier_process_is_taken_out_too(bench: Bench) -> None:
    await bench.account().place(STOP, WINDOW_MS)
    await bench.account().place(buy("ag-1"), WINDOW_MS)
    await bench.account().cancel(SYMBOL, ["ag-stop", "ag-1"])
    assert bench.world.open_orders("ann") == []


@pytest.mark.asyncio
async def test_a_post_only_order_that_would_have_traded_says_why_it_ended(bench: Bench) -> None:
    account = bench.account()
    async with listening(account) as told:
        await told.until(len)
        placed = await account.place(buy("ag-1", "50100"), WINDOW_MS)
        assert placed.status == "open"
        await told.until(lambda _: any(one.status != "open" for one in told.orders))
    ended = next(one for one in told.orders if one.status != "open")
    assert (ended.client_id, ended.words) == ("ag-1", "EC_PostOnlyWillTakeLiquidity")


@pytest.mark.asyncio
async def test_order_lists_are_refused(bench: Bench) -> None:
    with pytest.raises(ExchangeRefused) as caught:
        await bench.account().place(STOP._replace(kind="oco", stop_price=D(47900)), WINDOW_MS)
    assert caught.value.why == "rule"


def codes(*told: int) -> BybitDialect:
    """Its batch of cancels is answered so."""
    return BybitDialect(
        Canned("bybit", {"result": {"list": []}, "retExtInfo": {"list": [{"code": one} for one in told]}})
    )


@pytest.mark.asyncio
async def test_each_cancel_of_a_batch_has_its_own_answer() -> None:
    await codes(0, 0).cancel(SYMBOL, ["a", "b"])
    await codes(0, 170213).cancel(SYMBOL, ["a", "b"])
    with pytest.raises(ExchangeRefused) as caught:
        await codes(0, 10005).cancel(SYMBOL, ["a", "b"])
    assert caught.value.why == "right"
    for unclear in (codes(0, 170147), codes(0, 999999), codes(0)):
        with pytest.raises(ExchangeUnclear):
            await unclear.cancel(SYMBOL, ["a", "b"])
