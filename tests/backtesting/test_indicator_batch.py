"""The compiled series are the steps, to the last bit."""

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from autogrid.backtesting import indicator_batch as batch
from autogrid.trading.candle import Candle
from tests.trading.indicators.cases import CASES, Case, Periods, averaged, hl2, said, typical
from tests.trading.indicators.made_candles import candles, frozen, periods


class Columns:
    """Candles as the series that the batch takes."""

    def __init__(self, made: list[Candle]) -> None:
        self.times = np.array([candle.open_ms for candle in made], np.int64)
        self.opens, self.highs, self.lows, self.closes, self.volumes = (
            np.array([candle[at] for candle in made], np.float64) for at in range(1, 6)
        )
        self.middles, self.averaged, self.typical = (
            np.array([of(candle) for candle in made]) for of in (hl2, averaged, typical)
        )


def ut_bot(c: Columns, p: Periods, sources: batch.Series) -> tuple[NDArray[np.generic], ...]:
    return batch.ut_bot_series(c.highs, c.lows, c.closes, sources, p[1] / 2, p[0])


BATCHES: dict[str, Callable[[Columns, Periods], tuple[NDArray[np.generic], ...]]] = {
    "sma": lambda c, p: (batch.sma_series(c.volumes, p[0]),),
    "ema": lambda c, p: (batch.ema_series(c.closes, p[0]),),
    "rma": lambda c, p: (batch.rma_series(c.closes, p[0]),),
    "atr": lambda c, p: (batch.atr_series(c.highs, c.lows, c.closes, p[0]),),
    "rsi": lambda c, p: (batch.rsi_series(c.closes, p[0]),),
    "stochastic_rsi": lambda c, p: batch.stochastic_rsi_series(c.closes, p[0], p[1], p[2], p[0]),
    "ewo": lambda c, p: (batch.ewo_series(c.middles, c.closes, p[0], p[0] + p[1]),),
    "ema_ewo": lambda c, p: (batch.ema_ewo_series(c.closes, c.closes, p[0], p[0] + p[1]),),
    "heikin_ashi": lambda c, p: batch.heikin_ashi_series(c.opens, c.highs, c.lows, c.closes),
    "ut_bot": lambda c, p: ut_bot(c, p, c.closes),
    "ut_bot_of_heikin_ashi": lambda c, p: ut_bot(c, p, c.averaged),
    "bollinger": lambda c, p: batch.bollinger_series(c.closes, p[0], p[1] / 2),
    "macd": lambda c, p: batch.macd_series(c.closes, p[0], p[0] + p[1], p[2]),
    "adx": lambda c, p: batch.adx_series(c.highs, c.lows, c.closes, p[0], p[1]),
    "supertrend": lambda c, p: batch.supertrend_series(c.highs, c.lows, c.closes, p[0], p[1] / 2),
    "vwap": lambda c, p: (batch.vwap_series(c.times, c.typical, c.volumes, p[0] * 3_600_000),),
}


def bits(value: float | None) -> str:
    """All of a figure, the sign of a zero included."""
    return "none" if value is None or math.isnan(value) else float(value).hex()


def assert_equal_to_the_last_bit(case: Case, made: list[Candle], given: Periods) -> None:
    rows = said(case, made, given)
    for at, series in enumerate(BATCHES[case.name](Columns(made), given)):
        assert [bits(row[at]) for row in rows] == [bits(value) for value in series.tolist()], f"column {at}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@given(st.one_of(candles(), frozen), periods)
def test_a_series_equals_its_steps_to_the_last_bit(case: Case, made: list[Candle], given: Periods) -> None:
    assert_equal_to_the_last_bit(case, made, given)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_long_series_equal_their_steps_to_the_last_bit(case: Case) -> None:
    chance = np.random.default_rng(5)
    closes = 30_000.0 * np.exp(np.cumsum(chance.normal(0.0, 0.002, 5_000)))
    reach = closes * np.abs(chance.normal(0.0, 0.001, 5_000))
    opens, volumes = np.roll(closes, 1), chance.lognormal(2.0, 1.0, 5_000)
    highs, lows = np.maximum(opens, closes) + reach, np.minimum(opens, closes) - reach
    times = np.arange(5_000) * 900_000
    rows = zip(*(column.tolist() for column in (times, opens, highs, lows, closes, volumes)), strict=True)
    assert_equal_to_the_last_bit(case, [Candle(*row) for row in rows], (14, 21, 9))


@pytest.mark.parametrize("name", BATCHES)
def test_a_series_of_no_candles_or_fewer_than_its_period_has_no_values(name: str) -> None:
    for count in (0, 1):
        made = [Candle(0, 1.0, 1.0, 1.0, 1.0, 0.0)] * count
        for series in BATCHES[name](Columns(made), (9, 9, 5)):
            assert len(series) == count
            if series.dtype == np.float64 and name != "heikin_ashi":
                assert np.isnan(series).all()


def test_the_usual_periods_stand_where_none_are_given_and_names_may_be() -> None:
    closes = np.arange(100.0) % 7
    named = batch.stochastic_rsi_series(closes, k_period=3, rsi_period=14)
    assert np.array_equal(named.k, batch.stochastic_rsi_series(closes, 14, 14, 3, 3).k, equal_nan=True)


def test_a_column_of_a_table_is_taken_as_it_is() -> None:
    table = np.random.default_rng(3).normal(100.0, 1.0, (200, 4))
    ours = batch.ema_series(table[:, 3], 20)
    assert np.array_equal(ours, batch.ema_series(np.ascontiguousarray(table[:, 3]), 20), equal_nan=True)


def test_importing_the_batch_compiles_nothing() -> None:
    script = (
        "from numba.core import event\n"
        "with event.install_recorder('numba:compile') as recorder:\n"
        "    import autogrid.backtesting.indicator_batch\n"
        "print(len(recorder.buffer))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_what_is_kept_on_disk_is_named_by_the_source_of_the_steps() -> None:
    place = Path(batch.__file__).parent / "__pycache__"
    batch.ema_series(np.arange(5.0), 2)
    kept = list(place.glob(f"indicator_batch.ema_series_{batch.source_of_steps()}*.nbi"))
    assert kept or not place.is_dir(), "a step that changes would leave a stale compiled loop behind"
