"""Every strategy of the catalogue, held to every law of the test kit, by its defaults and in livelier settings."""

from collections.abc import Mapping
from typing import Final

import pytest

from autogrid.testing.check import ONCE, RUNNING, check_strategy
from autogrid.trading.strategies.catalogue import CATALOGUE
from tests.testing.own import GUIDE

WIDE = {"lower": "8000", "upper": "12000", "grids": "8"}
NARROW = {"lower": "9500", "upper": "10500", "grids": "10"}

SETTINGS: Final[Mapping[str, tuple[Mapping[str, str], ...]]] = {
    "grid": (
        WIDE,
        {**WIDE, "spacing": "arithmetic", "stop_loss": "7800", "take_profit": "12500"},
        {**WIDE, "start": "wait", "crossed": "wait", "grids": "20"},
        {**WIDE, "trigger_price": "9700", "sizing": "equal_quote"},
        {**NARROW, "trailing_up": "yes", "trailing_down": "yes", "reinvest": "yes"},
        {**NARROW, "reverse": "yes"},
        {**WIDE, "stop_loss": "7900", "stop_for": "600", "total_loss_stop": "0.05"},
    ),
    "dca": (
        {},
        {"preset": "bold", "reinvest": "yes", "cooldown": "0"},
        {"trailing": "0.005"},
        {"stop_loss": "0.05", "take_profit": "0.01"},
        {"targets": "0.01:0.5,0.02:0.5", "break_even": "yes"},
        {"deal_timeout": "600"},
        {"mode": "accumulate", "amount": "500", "every": "hourly", "drop": "0.02", "drop_amount": "300"},
    ),
    "ppp_vishva": ({"timeframe": "5m", "confirm_timeframes": "none"},),
    "sma_cross": ({}, {"timeframe": "5m", "fast": "3", "slow": "8", "max_position": "1"}),
    "rsi": ({"timeframe": "5m"}, {"timeframe": "5m", "period": "5", "oversold": "40", "overbought": "60"}),
    "signal": ({}, {"size": "1", "stop_loss": "0.02", "take_profit": "0.03"}, {"max_entries": "3"}),
}
"""What each strategy is tried with; one that does not stand here is tried by its defaults."""


def cases() -> list[tuple[str, Mapping[str, str]]]:
    return [(name, config) for name in CATALOGUE for config in SETTINGS.get(name, ({},))]


def words(one: object) -> str:
    return one if isinstance(one, str) else " ".join(f"{key}={value}" for key, value in dict(one).items()) or "defaults"  # type: ignore[call-overload]


@pytest.mark.parametrize(("name", "config"), cases(), ids=words)
def test_a_strategy_of_the_catalogue_keeps_every_law(name: str, config: Mapping[str, str]) -> None:
    done = check_strategy(CATALOGUE[name], config)
    assert done.fills > 10


@pytest.mark.reliability
@pytest.mark.parametrize(("name", "config"), cases(), ids=words)
def test_a_strategy_of_the_catalogue_keeps_every_law_for_long(name: str, config: Mapping[str, str]) -> None:
    check_strategy(CATALOGUE[name], config, thorough=True)


def test_the_guide_names_every_law() -> None:
    assert [law for law in {**ONCE, **RUNNING} if law not in GUIDE] == []
