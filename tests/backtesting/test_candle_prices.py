"""Prices are exact: whole units times the unit are the shortest text of every float, and text itself."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from autogrid.backtesting.candle_prices import decimals_of, floats_of, whole_units
from autogrid.backtesting.tapes import read_tape
from tests.candles import (
    HEADER,
    MINUTE_MS,
    START_MS,
    changed,
    csv_text,
    random_walk,
    write_parquet,
    write_text,
)
from tests.tape_checks import must_equal, prices_of

WALK = random_walk(7, 300)


any_price = st.floats(min_value=1e-12, max_value=1e15, allow_nan=False, allow_subnormal=False)


@given(st.lists(any_price, min_size=1, max_size=20), st.integers(0, 14))
def test_units_are_the_shortest_text_of_every_float(prices: list[float], at_least: int) -> None:
    units, decimals = whole_units(np.array(prices), None, at_least)
    assert [Decimal(whole).scaleb(-decimals) for whole in units.tolist()] == [Decimal(repr(price)) for price in prices]
    assert decimals >= at_least
    least = max(-int(Decimal(repr(price)).normalize().as_tuple().exponent) for price in prices)
    assert decimals == max(0, at_least, least)


@given(st.lists(st.integers(1, 10**14), min_size=1, max_size=50), st.integers(0, 12))
def test_prices_on_a_tick_go_to_units_and_back(wholes: list[int], decimals: int) -> None:
    prices = np.array([float(Decimal(whole).scaleb(-decimals)) for whole in wholes])
    units, found = whole_units(prices, None, decimals)
    assert units.dtype == np.int64
    assert units.tolist() == wholes
    assert found == decimals
    assert floats_of(units, Decimal(1).scaleb(-found)).tolist() == prices.tolist()


@given(st.lists(any_price, min_size=1, max_size=20))
def test_floats_of_units_are_the_floats_they_came_from(prices: list[float]) -> None:
    units, decimals = whole_units(np.array(prices), None, 0)
    assert floats_of(units, Decimal(1).scaleb(-decimals)).tolist() == prices


def test_a_late_finer_price_counts() -> None:
    prices = np.full(50_000, 100.5)
    prices[49_999] = 100.12345678
    units, decimals = whole_units(prices, None, 0)
    assert (decimals, units[0], units[-1]) == (8, 10_050_000_000, 10_012_345_678)


def test_what_int64_cannot_hold_is_kept_in_python_ints(tmp_path: Path) -> None:
    candles = changed(random_walk(5, 20), 20, high=Decimal("123456789.123456789012345678901"))
    tape = read_tape([write_text(tmp_path / "a.csv", csv_text(candles))])
    assert tape.prices.dtype == object
    assert tape.unit == Decimal("1e-21")
    must_equal(tape, candles)


@pytest.mark.parametrize("text", ["0.1000000000000000055511151231257827", "100000.00000000000001", "9007199254740993"])
def test_text_with_more_digits_than_a_float_has_keeps_them(text: str, tmp_path: Path) -> None:
    rows = [f"{START_MS + at * MINUTE_MS},{text},{text},{text},{text},1" for at in range(3)]
    tape = read_tape([write_text(tmp_path / "a.csv", "\n".join([HEADER, *rows]))])
    assert prices_of(tape)[1][2] == Decimal(text)


def test_computed_prices_of_seventeen_digits_are_exact(tmp_path: Path) -> None:
    chance = np.random.default_rng(11)
    closes = 42_000 * np.exp(np.cumsum(chance.normal(0, 0.001, 500)))
    table = pa.table(
        {
            "timestamp": START_MS + np.arange(500) * MINUTE_MS,
            **dict.fromkeys(("open", "high", "low", "close"), closes),
            "volume": np.ones(500),
        }
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    tape = read_tape([tmp_path / "a.parquet"])
    assert [row[3] for row in prices_of(tape)] == decimals_of(closes).tolist()
    assert any("decimals" in warning for warning in tape.warnings) == (tape.unit < Decimal("1e-12"))


def test_more_decimals_can_be_asked_for(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", WALK)
    tape = read_tape([path], at_least_decimals=5)
    assert tape.unit == Decimal("0.00001")
    must_equal(tape, WALK)
    must_equal(read_tape([path], at_least_decimals=30), WALK)
