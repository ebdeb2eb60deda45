"""EMA(n): α·x + (1 − α)·previous with α = 2/(n + 1), seeded with the SMA of the first n.

Source: TradingView `ta.ema`.
"""

from typing import NamedTuple

from autogrid.trading.indicators.smoothing import counted, smoothed


class EmaState(NamedTuple):
    """What the next step needs."""

    period: int
    """1 or more."""
    seen: int
    """Values seen, at most `period`."""
    average: float
    """In the unit of the values; their sum while there are fewer than `period`."""


def start(period: int) -> EmaState:
    """Before the first value."""
    return EmaState(period, 0, 0.0)


def update(state: EmaState, value: float) -> EmaState:
    """With a further value, of any unit."""
    period, seen, average = state
    average = smoothed(2.0 / (period + 1), period, seen, average, value)
    return EmaState(period, counted(period, seen), average)


def ready(state: EmaState) -> bool:
    """From the n-th value on."""
    return state.seen == state.period


def value(state: EmaState) -> float | None:
    """The average, in the unit of the values; None before the n-th."""
    return state.average if ready(state) else None
