"""A grid and a DCA bot trade through every fault over the real wire, and the books are the exchange's to the last unit.

The default suite takes a few minutes of tape on each exchange; `make reliability` an hour of a real one, with crashes
of the engine on the way, which `python -m tests.live` does as well.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from autogrid.simulator.faults import Fault
from tests.live.__main__ import said
from tests.live.local import EXCHANGES
from tests.live.through import EVERYTHING, REAL, Plan, trade_through


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_a_few_minutes_of_faults_and_a_crash_cost_no_order_and_no_coin(exchange: str, tmp_path: Path) -> None:
    plan = Plan(exchange, minutes=5, seed=3, crashes=1)
    outcome = await trade_through(plan, tmp_path)
    print(said(plan, outcome))  # noqa: T201
    assert outcome.wrong == []
    assert outcome.trades >= 10
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
async def test_the_comparison_sees_an_order_that_no_journal_knows(tmp_path: Path) -> None:
    plan = Plan("binance", minutes=2, faults=(), stray=True)
    outcome = await trade_through(plan, tmp_path)
    assert any("in no journal" in one for one in outcome.wrong)
    assert any("the wallet has" in one for one in outcome.wrong)
