"""RSI(n): 100 − 100/(1 + RMA(gains)/RMA(losses)), 0 to 100. Source: TradingView `ta.rsi`.

Without a loss it is 100; where nothing moved at all, 50.
"""

from typing import NamedTuple

from autogrid.trading.indicators.smoothing import counted, smoothed


class RsiState(NamedTuple):
    """What the next step needs."""

    period: int
    """1 or more."""
    seen: int
    """Closes seen, at most `period` + 1: the first has no change."""
    gain: float
    """Average rise, in the unit of the closes; the sum while there are fewer than `period` changes."""
    loss: float
    """Average fall, likewise, not below 0."""
    close: float
    """The last one; 0 before the first."""


def start(period: int) -> RsiState:
    """Before the first close."""
    return RsiState(period, 0, 0.0, 0.0, 0.0)


def update(state: RsiState, close: float) -> RsiState:
    """With a further close."""
    period, seen, gain, loss, close_before = state
    if seen == 0:
        return RsiState(period, 1, 0.0, 0.0, close)
    change = close - close_before
    alpha = 1.0 / period
    gain = smoothed(alpha, period, seen - 1, gain, max(change, 0.0))
    loss = smoothed(alpha, period, seen - 1, loss, max(-change, 0.0))
    return RsiState(period, counted(period + 1, seen), gain, loss, close)


def strength(gain: float, loss: float) -> float:
    """The index from the average rise and fall."""
    if loss == 0.0:
        return 50.0 if gain == 0.0 else 100.0
    return 100.0 - 100.0 / (1.0 + gain / loss)


def ready(state: RsiState) -> bool:
    """From the close after the n-th on."""
    return state.seen > state.period


def value(state: RsiState) -> float | None:
    """The index, 0 to 100; None up to the n-th close."""
    return strength(state.gain, state.loss) if ready(state) else None
