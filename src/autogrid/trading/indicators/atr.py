"""ATR(n): the RMA of the true range. Source: TradingView `ta.atr`; the first candle's true range is its own, H − L."""

from typing import NamedTuple

from autogrid.trading.indicators.smoothing import counted, smoothed


class AtrState(NamedTuple):
    """What the next step needs."""

    period: int
    """1 or more."""
    seen: int
    """Candles seen, at most `period`."""
    average: float
    """Of the true range, in quote; its sum while there are fewer than `period`."""
    close: float
    """Of the last candle, in quote; 0 before the first."""


def start(period: int) -> AtrState:
    """Before the first candle."""
    return AtrState(period, 0, 0.0, 0.0)


def true_range(high: float, low: float, close_before: float) -> float:
    """How far a price went, in quote, counted from the close before."""
    return max(high - low, abs(high - close_before), abs(low - close_before))


def update(state: AtrState, high: float, low: float, close: float) -> AtrState:
    """With a further candle."""
    period, seen, average, close_before = state
    reach = true_range(high, low, close_before) if seen > 0 else high - low
    average = smoothed(1.0 / period, period, seen, average, reach)
    return AtrState(period, counted(period, seen), average, close)


def ready(state: AtrState) -> bool:
    """From the n-th candle on."""
    return state.seen == state.period


def value(state: AtrState) -> float | None:
    """The average true range, in quote; None before the n-th candle."""
    return state.average if ready(state) else None
