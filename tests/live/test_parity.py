"""Backtest, paper and live decide the same over the same prices, to the last digit, where nothing is late."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.live.decisions import compared, told
from tests.live.stepping import backtest, live, paper
from tests.live.through import lively_tape

GRIDS: Final[Mapping[str, Mapping[str, str]]] = {
    "plain": {"lower": "57000", "upper": "63000", "grids": "20"},
    "arithmetic": {"lower": "57000", "upper": "63000", "grids": "15", "spacing": "arithmetic", "sizing": "equal_quote"},
    "trailing": {"lower": "59500", "upper": "60500", "grids": "6", "trailing_up": "yes", "trailing_down": "yes"},
    "waiting": {"lower": "58000", "upper": "62000", "grids": "12", "start": "wait", "crossed": "wait"},
    "stopped": {"lower": "59400", "upper": "60600", "grids": "8", "stop_loss": "59300", "take_profit": "60900"},
}
DCA: Final = {
    "base_order": "500",
    "safety_order": "500",
    "deviation": "0.003",
    "safety_orders": "4",
    "take_profit": "0.003",
    "max_deals": "1",  # the next would begin after a wait, and the clocks of wall and tape differ
}
CROSS: Final = {"timeframe": "1m", "fast": "3", "slow": "8"}


async def _equal(
    exchange: str, strategy: str, config: Mapping[str, str], folder: Path, *, minutes: int, seed: int, least: int
) -> None:
    tape = lively_tape(seed, minutes, folder, swing=0.008)
    on_wire, row = await live(exchange, tape, strategy, config, folder)
    tested = await backtest(row, tape)
    on_paper = await paper(row, row.market, folder / f"lively-{seed}-{minutes}.csv", folder / "paper")
    assert told(compared(tested, on_paper)) == ""
    assert told(compared(tested, on_wire)) == ""
    assert sum(len(one.fills) for slot in on_wire.values() for one in slot) >= least


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", GRIDS)
async def test_a_grid_decides_the_same_in_a_backtest_on_paper_and_live(kind: str, tmp_path: Path) -> None:
    await _equal("binance", "grid", GRIDS[kind], tmp_path, minutes=6, seed=11, least=3)


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange", ["binance", "bybit", "mexc"])
async def test_dca_deals_are_the_same_in_a_backtest_on_paper_and_live(exchange: str, tmp_path: Path) -> None:
    await _equal(exchange, "dca", DCA, tmp_path, minutes=5, seed=4, least=3)


@pytest.mark.asyncio
async def test_a_strategy_on_candles_decides_the_same_in_a_backtest_on_paper_and_live(tmp_path: Path) -> None:
    await _equal("mexc", "sma_cross", CROSS, tmp_path, minutes=24, seed=6, least=2)
