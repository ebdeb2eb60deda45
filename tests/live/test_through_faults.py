"""A grid and a DCA bot trade through every fault over the real wire, and the books are the exchange's to the last unit.

The default suite takes a few minutes of tape on each exchange; `make reliability` an hour of a real one, with crashes
of the engine on the way, which `python -m tests.live` does as well.
"""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from autogrid.simulator.faults import Fault
from autogrid.simulator.price_source import tape_steps
from autogrid.simulator.records import Wanted
from tests.live.__main__ import said
from tests.live.compare import differences
from tests.live.local import EXCHANGES, FUNDS, OWNER, SYMBOL, autogrid, local_exchange
from tests.live.stepping import quiet
from tests.live.through import EVERYTHING, REAL, Plan, lively_tape, trade_through


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_a_few_minutes_of_faults_and_a_crash_cost_no_order_and_no_coin(exchange: str, tmp_path: Path) -> None:
    plan = Plan(exchange, minutes=5, seed=3, crashes=1)
    outcome = await trade_through(plan, tmp_path)
    print(said(plan, outcome))  # noqa: T201
    assert outcome.wrong == []
    assert outcome.trades >= 4
    assert len(outcome.given) >= 8


@pytest.mark.reliability
@pytest.mark.asyncio
@pytest.mark.skipif(not REAL.exists(), reason="needs the real candles of ../shared")
@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_an_hour_of_a_falling_market_with_every_fault_costs_no_order_and_no_coin(
    exchange: str, tmp_path: Path
) -> None:
    plan = Plan(exchange, minutes=60, seed=5, speed=30.0, real=True, crashes=3)
    outcome = await trade_through(plan, tmp_path)
    print(said(plan, outcome))  # noqa: T201
    assert outcome.wrong == []
    assert outcome.trades >= 40
    assert set(outcome.given) >= {fault.kind for fault in usual(EVERYTHING)}


def usual(faults: Sequence[Fault]) -> list[Fault]:
    """Those that an hour cannot do without; the rest are rare by intention."""
    return [fault for fault in faults if fault.share >= 0.02]


@pytest.mark.asyncio
async def test_the_comparison_sees_an_order_that_no_journal_knows_and_what_it_cost(tmp_path: Path) -> None:
    tape = lively_tape(1, 2, tmp_path)
    async with local_exchange("binance", tmp_path, tape_steps(tape)) as local, autogrid(tmp_path) as grid:
        await grid.add_key("binance")
        bot = await grid.make_bot("binance", "grid", {"lower": "57000", "upper": "63000", "grids": "6"})
        await grid.begin()
        await grid.until(bot.id, lambda row: row.actual == "running")
        await quiet(local, grid, bot.id)
        await grid.end()
        assert await differences(local.world, OWNER, grid.database, FUNDS) == []
        local.world.place(OWNER, Wanted(SYMBOL, "buy", "market", f"{bot.id}-ffff-7", None, Decimal("0.01")))
        wrong = await differences(local.world, OWNER, grid.database, FUNDS)
    assert any("in no journal" in one for one in wrong)
    assert any("the wallet has" in one for one in wrong)
    assert any("is not booked" in one for one in wrong)
