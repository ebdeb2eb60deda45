"""MACD(12, 26, 9): a fast EMA less a slow one, and the EMA of that as its signal. Source: TradingView `ta.macd`.

With the usual periods the line comes with value 26, the signal with 34. The signal is seeded with the first nine lines.
"""

from typing import NamedTuple

from autogrid.trading.indicators import ema
from autogrid.trading.indicators.ema import EmaState


class MacdState(NamedTuple):
    """What the next step needs."""

    fast: EmaState
    slow: EmaState
    """Longer than the fast one."""
    signal: EmaState
    """Of the lines."""


class MacdLines(NamedTuple):
    """In the unit of the values."""

    line: float
    signal: float
    histogram: float
    """The line less the signal."""


def start(fast_period: int = 12, slow_period: int = 26, signal_period: int = 9) -> MacdState:
    """Before the first value."""
    return MacdState(ema.start(fast_period), ema.start(slow_period), ema.start(signal_period))


def update(state: MacdState, value: float) -> MacdState:
    """With a further value, of any unit."""
    fast, slow, signal = ema.update(state.fast, value), ema.update(state.slow, value), state.signal
    if ema.ready(slow):
        signal = ema.update(signal, fast.average - slow.average)
    return MacdState(fast, slow, signal)


def lines(state: MacdState) -> MacdLines:
    """The lines of a state that is ready."""
    line = state.fast.average - state.slow.average
    return MacdLines(line, state.signal.average, line - state.signal.average)


def ready(state: MacdState) -> bool:
    """Once the signal has a value."""
    return ema.ready(state.signal)


def value(state: MacdState) -> MacdLines | None:
    """The lines; None before the signal has a value."""
    return lines(state) if ready(state) else None
