"""SuperTrend(10, 3): a line that trails the middle of the candles by 3·ATR(10). Source: TradingView `ta.supertrend`.

While prices fall it is the upper band, which only sinks; while they rise the lower one, which only rises. A close
beyond it turns it. It begins as falling, with the first candle of the ATR.
"""

from typing import NamedTuple

from autogrid.trading.indicators import atr
from autogrid.trading.indicators.atr import AtrState


class SuperTrendState(NamedTuple):
    """What the next step needs."""

    factor: float
    """Distance of a band, in units of the ATR."""
    reach: AtrState
    upper: float
    """In quote; the bands and the line are 0 before there is one."""
    lower: float
    line: float
    """One of the two bands."""
    rising: bool
    """Whether it is the lower one."""


def start(period: int = 10, factor: float = 3.0) -> SuperTrendState:
    """Before the first candle; `period` is that of the ATR."""
    return SuperTrendState(float(factor), atr.start(period), 0.0, 0.0, 0.0, False)


def update(state: SuperTrendState, high: float, low: float, close: float) -> SuperTrendState:
    """With a further candle."""
    factor, before, upper_before, lower_before, line_before, _ = state
    reach = atr.update(before, high, low, close)
    if not atr.ready(reach):
        return SuperTrendState(factor, reach, 0.0, 0.0, 0.0, False)
    middle, distance = (high + low) / 2.0, factor * reach.average
    upper, lower = middle + distance, middle - distance
    if not atr.ready(before):
        return SuperTrendState(factor, reach, upper, lower, upper, False)
    if lower <= lower_before and before.close >= lower_before:
        lower = lower_before
    if upper >= upper_before and before.close <= upper_before:
        upper = upper_before
    rising = close > upper if line_before == upper_before else close >= lower
    return SuperTrendState(factor, reach, upper, lower, lower if rising else upper, rising)


def ready(state: SuperTrendState) -> bool:
    """From the first candle of the ATR on."""
    return atr.ready(state.reach)


def value(state: SuperTrendState) -> float | None:
    """The line, in quote; None before the ATR has a value."""
    return state.line if ready(state) else None


def rising(state: SuperTrendState) -> bool | None:
    """Whether the line trails rising prices; None before the ATR has a value."""
    return state.rising if ready(state) else None
