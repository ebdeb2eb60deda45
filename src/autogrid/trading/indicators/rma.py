"""RMA(n), Wilder's average: α·x + (1 − α)·previous with α = 1/n, seeded with the SMA of the first n.

Source: TradingView `ta.rma`.
"""

from typing import NamedTuple

from autogrid.trading.indicators.smoothing import counted, smoothed


class RmaState(NamedTuple):
    """What the next step needs."""

    period: int
    """1 or more."""
    seen: int
    """Values seen, at most `period`."""
    average: float
    """In the unit of the values; their sum while there are fewer than `period`."""


def start(period: int) -> RmaState:
    """Before the first value."""
    return RmaState(period, 0, 0.0)


def update(state: RmaState, value: float) -> RmaState:
    """With a further value, of any unit."""
    period, seen, average = state
    average = smoothed(1.0 / period, period, seen, average, value)
    return RmaState(period, counted(period, seen), average)


def ready(state: RmaState) -> bool:
    """From the n-th value on."""
    return state.seen == state.period


def value(state: RmaState) -> float | None:
    """The average, in the unit of the values; None before the n-th."""
    return state.average if ready(state) else None
