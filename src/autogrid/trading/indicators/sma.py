"""SMA(n): the mean of the last n values, summed afresh each time. Source: TradingView `ta.sma`."""

from typing import NamedTuple

from autogrid.trading.indicators.window import Window, mean, moved


class SmaState(NamedTuple):
    """What the next step needs."""

    period: int
    """Values in the mean, 1 or more."""
    window: Window
    """The last values, at most `period`."""


def start(period: int) -> SmaState:
    """Before the first value."""
    return SmaState(period, ())


def update(state: SmaState, value: float) -> SmaState:
    """With a further value, of any unit."""
    return SmaState(state.period, moved(state.window, state.period, value))


def ready(state: SmaState) -> bool:
    """From the n-th value on."""
    return len(state.window) == state.period


def value(state: SmaState) -> float | None:
    """The mean, in the unit of the values; None before the n-th."""
    return mean(state.window) if ready(state) else None
