"""Bollinger(20, 2): the SMA, with bands that many standard deviations beside it. Source: TradingView `ta.bb`.

The deviation divides by n, not n − 1.
"""

from math import sqrt
from typing import NamedTuple

from autogrid.trading.indicators.window import Values, Window, mean, moved


class BollingerState(NamedTuple):
    """What the next step needs."""

    period: int
    """Values in the mean, 1 or more."""
    factor: float
    """Distance of a band, in standard deviations."""
    window: Window
    """The last values, at most `period`."""


class Bands(NamedTuple):
    """In the unit of the values."""

    lower: float
    middle: float
    """The SMA."""
    upper: float


def start(period: int = 20, factor: float = 2.0) -> BollingerState:
    """Before the first value."""
    return BollingerState(period, float(factor), ())


def update(state: BollingerState, value: float) -> BollingerState:
    """With a further value, of any unit."""
    period, factor, window = state
    return BollingerState(period, factor, moved(window, period, value))


def bands(values: Values, factor: float) -> Bands:
    """The bands of a full window."""
    middle = mean(values)
    squares = 0.0
    for value in values:
        squares += (value - middle) * (value - middle)
    distance = factor * sqrt(squares / len(values))
    return Bands(middle - distance, middle, middle + distance)


def ready(state: BollingerState) -> bool:
    """From the n-th value on."""
    return len(state.window) == state.period


def value(state: BollingerState) -> Bands | None:
    """The bands; None before the n-th value."""
    return bands(state.window, state.factor) if ready(state) else None
