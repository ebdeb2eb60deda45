"""Backtest, paper and live decide the same over the same prices, to the last digit, where nothing is late."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from tests.live.decisions import REASONS, Decided, Filling, compared, reason, told
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


@pytest.mark.asyncio
async def test_where_the_market_does_not_wait_every_difference_has_its_reason(tmp_path: Path) -> None:
    tape = lively_tape(11, 6, tmp_path, swing=0.008)
    for pace_s in (0.005, 0.001, 0.0):  # on a machine that happens to be quick the bot keeps up with the first
        on_wire, row = await live("binance", tape, "grid", GRIDS["plain"], tmp_path / str(pace_s), pace_s=pace_s)
        differences = compared(await backtest(row, tape), on_wire)
        print(told(differences) or "nothing differs")  # noqa: T201
        if differences:
            break
    assert differences, "a market that runs away from its bot must leave traces"
    assert {one.why for one in differences} <= REASONS


def test_reasons_name_what_happened() -> None:
    fill = Filling(Decimal(10), Decimal(1), Decimal(0), "USDT")
    stood = Decided("buy", "maker", Decimal(10), Decimal(1), (fill,), "filled")
    cases = {
        "never traded": (stood, stood._replace(fills=())),
        "refused on arrival": (stood, stood._replace(fills=(), status="rejected")),
        "decided at another price": (stood, stood._replace(price=Decimal(9))),
        "an order fewer": (stood, None),
        "an order more": (None, stood),
        "it could not leave in time": (None, stood._replace(status="absent")),
        "traded at another price": (stood, stood._replace(fills=(fill._replace(price=Decimal(9)),))),
        "traded where the other did not": (stood._replace(fills=()), stood),
    }
    for words, (one, other) in cases.items():
        assert reason(one, other).startswith(words)
    assert compared({"a": [stood]}, {"a": [stood._replace(status="cancelled")]}) == []
