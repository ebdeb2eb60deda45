"""Ours beside TA-Lib on made-up candles, where both have one definition; skipped where TA-Lib is not installed.

Its ATR leaves out the first true range, its MACD begins the fast average with the slow one, and its ADX begins with a
sum of one value less: these are compared once that is forgotten.
"""

from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from autogrid.backtesting.indicator_batch import (
    adx_series,
    atr_series,
    bollinger_series,
    ema_series,
    macd_series,
    rsi_series,
    sma_series,
    stochastic_rsi_series,
)
from tests.candles import columns, random_walk

talib = pytest.importorskip("talib", reason="TA-Lib is not installed")

MADE = columns(random_walk(7, 3000, price="250"))
HIGHS, LOWS, CLOSES = (np.array(MADE[name]) for name in ("high", "low", "close"))
ATR_WARM_UP = 20 * 14
MACD_WARM_UP = 26 * 12
ADX_WARM_UP = 14 * 25


def agrees(ours: NDArray[np.float64], theirs: Any, warm_up: int = 0, scale: float = 0.0) -> bool:
    """Within 1e-9 of theirs, or of `scale`, from `warm_up` on; from where both have a value if that is 0."""
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    both[:warm_up] = False
    assert both.sum() > 2000
    return bool(np.all(np.abs(ours - theirs)[both] <= 1e-9 * np.maximum(np.abs(theirs[both]), scale)))


def first(series: NDArray[np.float64]) -> int:
    return int(np.argmax(~np.isnan(series)))


@pytest.mark.parametrize("period", [2, 14, 100])
def test_averages_rsi_and_bands_are_those_of_ta_lib_from_the_first_value_on(period: int) -> None:
    pairs = [
        (sma_series(CLOSES, period), talib.SMA(CLOSES, period)),
        (ema_series(CLOSES, period), talib.EMA(CLOSES, period)),
        (rsi_series(CLOSES, period), talib.RSI(CLOSES, period)),
    ]
    bands = bollinger_series(CLOSES, period, 2.0)
    pairs += list(zip((bands.upper, bands.middle, bands.lower), talib.BBANDS(CLOSES, period, 2, 2), strict=True))
    for ours, theirs in pairs:
        assert agrees(ours, theirs, scale=1.0)
        assert first(ours) == first(theirs)


def test_stochastic_rsi_is_that_of_ta_lib() -> None:
    _, k = talib.STOCHRSI(CLOSES, 14, 14, 3)
    ours = stochastic_rsi_series(CLOSES)
    assert agrees(ours.k, k, scale=100.0)
    assert agrees(ours.d, talib.SMA(k, 3), scale=100.0)
    assert first(ours.k) == 29


def test_atr_macd_and_adx_are_those_of_ta_lib_once_the_start_is_forgotten() -> None:
    assert agrees(atr_series(HIGHS, LOWS, CLOSES), talib.ATR(HIGHS, LOWS, CLOSES, 14), ATR_WARM_UP)
    for ours, theirs in zip(macd_series(CLOSES), talib.MACD(CLOSES, 12, 26, 9), strict=True):
        assert agrees(ours, theirs, MACD_WARM_UP, scale=1.0)
    measured = adx_series(HIGHS, LOWS, CLOSES)
    both = partial(agrees, warm_up=ADX_WARM_UP, scale=1.0)
    assert both(measured.plus, talib.PLUS_DI(HIGHS, LOWS, CLOSES, 14))
    assert both(measured.minus, talib.MINUS_DI(HIGHS, LOWS, CLOSES, 14))
    assert both(measured.adx, talib.ADX(HIGHS, LOWS, CLOSES, 14))
