"""EWO(5, 35), the Elliott Wave Oscillator: a fast average less a slow one, in quote or as a percentage of the close.

The averages are SMAs by default, or EMAs, of the close by default, or of (H + L)/2. Its sign is what counts, so what is
only rounding is 0. Source: TradingView's "Elliott Wave Oscillator".
"""

from typing import Final, NamedTuple

from autogrid.trading.indicators import ema
from autogrid.trading.indicators.ema import EmaState
from autogrid.trading.indicators.window import Window, mean, moved

LEAST_SHARE: Final = 1e-12
"""A smaller oscillator, as a share of the close, is rounding."""


class EwoState(NamedTuple):
    """What the next step needs where the averages are SMAs."""

    fast_period: int
    slow_period: int
    """Longer than the fast one."""
    window: Window
    """The last values of the source, at most `slow_period`."""
    close: float
    """Of the last candle, in quote; 0 before the first."""


class EmaEwoState(NamedTuple):
    """What the next step needs where the averages are EMAs."""

    fast: EmaState
    slow: EmaState
    """Longer than the fast one."""
    close: float
    """Of the last candle, in quote; 0 before the first."""


def start(fast_period: int = 5, slow_period: int = 35) -> EwoState:
    """Before the first candle, with SMAs."""
    return EwoState(fast_period, slow_period, (), 0.0)


def start_ema(fast_period: int = 5, slow_period: int = 35) -> EmaEwoState:
    """Before the first candle, with EMAs."""
    return EmaEwoState(ema.start(fast_period), ema.start(slow_period), 0.0)


def update(state: EwoState, source: float, close: float) -> EwoState:
    """With a further candle; `source` is what is averaged."""
    fast_period, slow_period, window, _ = state
    return EwoState(fast_period, slow_period, moved(window, slow_period, source), close)


def update_ema(state: EmaEwoState, source: float, close: float) -> EmaEwoState:
    """With a further candle; `source` is what is averaged."""
    return EmaEwoState(ema.update(state.fast, source), ema.update(state.slow, source), close)


def oscillator(fast: float, slow: float, close: float) -> float:
    """The fast average less the slow one, in quote; 0 where that is rounding."""
    wave = fast - slow
    return 0.0 if abs(wave) < LEAST_SHARE * close else wave


def ready(state: EwoState) -> bool:
    """From the slow period's last candle on."""
    return len(state.window) == state.slow_period


def ready_ema(state: EmaEwoState) -> bool:
    """From the slow period's last candle on."""
    return ema.ready(state.slow)


def value(state: EwoState) -> float | None:
    """In quote; None before the slow average has a value."""
    if not ready(state):
        return None
    fast = mean(state.window[state.slow_period - state.fast_period :])
    return oscillator(fast, mean(state.window), state.close)


def value_ema(state: EmaEwoState) -> float | None:
    """In quote; None before the slow average has a value."""
    return oscillator(state.fast.average, state.slow.average, state.close) if ready_ema(state) else None


def percentage(wave: float, close: float) -> float | None:
    """An oscillator as a percentage of the close; None where the close is 0."""
    return wave * 100.0 / close if close != 0.0 else None
