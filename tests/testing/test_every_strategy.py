"""Every strategy of the catalogue, held to every law of the test kit, by its defaults and in livelier settings."""

import pytest

from autogrid.testing.check import ONCE, RUNNING, check_strategy
from autogrid.testing.forms import starts
from autogrid.trading.strategies.catalogue import CATALOGUE

GRID = {"lower": "8000", "upper": "12000", "grids": "8"}
"""The grid's range has no default."""
QUICK = {"timeframe": "5m", "fast": "5", "slow": "12"}

SETTINGS: dict[str, tuple[dict[str, str], ...]] = {
    "grid": (
        GRID,
        {**GRID, "spacing": "geometric", "stop_loss": "8200", "take_profit": "11900"},
        {**GRID, "start": "wait", "crossed": "wait", "grids": "20"},
        {**GRID, "trigger_price": "9700", "sizing": "equal_quote"},
    ),
}
"""Beside the defaults: what each strategy is tried with. One that does not stand here is tried by its defaults."""


def cases() -> list[tuple[str, dict[str, str]]]:
    return [(name, config) for name in CATALOGUE for config in SETTINGS.get(name, ({},))]


@pytest.mark.parametrize(("name", "config"), cases(), ids=lambda one: one if isinstance(one, str) else str(dict(one)))
def test_a_strategy_of_the_catalogue_keeps_every_law(name: str, config: dict[str, str]) -> None:
    done = check_strategy(CATALOGUE[name], config)
    assert done.fills > 10


@pytest.mark.reliability
@pytest.mark.parametrize("name", CATALOGUE)
def test_a_strategy_of_the_catalogue_keeps_every_law_for_long(name: str) -> None:
    check_strategy(CATALOGUE[name], SETTINGS.get(name, ({},))[0], thorough=True)


def test_the_guide_names_every_law() -> None:
    from tests.testing.own import GUIDE

    laws = {**ONCE, **RUNNING}
    assert [law for law in laws if law not in GUIDE] == []
