"""Stochastic RSI(14, 14, 3, 3): where the RSI stands between its lowest and highest of late.

raw = 100·(RSI − lowest)/(highest − lowest) over the stochastic period; K is the SMA of raw, D the SMA of K.
All are 0 to 100. Where the RSI does not move, raw is 50. With the usual periods the first K comes with candle 30, the
first D with 32.
Source: TradingView's "Stochastic RSI".
"""

from typing import Final, NamedTuple

from autogrid.trading.indicators import rsi
from autogrid.trading.indicators.rsi import RsiState
from autogrid.trading.indicators.window import Values, Window, mean, moved

LEAST_SPAN: Final = 1e-9
"""A narrower span of the RSI is rounding."""


class StochasticRsiState(NamedTuple):
    """What the next step needs."""

    rsi: RsiState
    stochastic_period: int
    """Values of the RSI that are looked at, 1 or more."""
    k_period: int
    d_period: int
    strengths: Window
    """The last values of the RSI, at most `stochastic_period`."""
    raws: Window
    """The last raw values, at most `k_period`."""
    ks: Window
    """The last K, at most `d_period`."""


def start(
    rsi_period: int = 14, stochastic_period: int = 14, k_period: int = 3, d_period: int = 3
) -> StochasticRsiState:
    """Before the first close. All periods are counted in candles, 1 or more."""
    return StochasticRsiState(rsi.start(rsi_period), stochastic_period, k_period, d_period, (), (), ())


def update(state: StochasticRsiState, close: float) -> StochasticRsiState:
    """With a further close, in any unit."""
    before, stochastic_period, k_period, d_period, strengths, raws, ks = state
    now = rsi.update(before, close)
    if rsi.ready(now):
        strengths = moved(strengths, stochastic_period, rsi.strength(now.gain, now.loss))
        if len(strengths) == stochastic_period:
            raws = moved(raws, k_period, stochastic(strengths))
            if len(raws) == k_period:
                ks = moved(ks, d_period, mean(raws))
    return StochasticRsiState(now, stochastic_period, k_period, d_period, strengths, raws, ks)


def stochastic(values: Values) -> float:
    """Where the last value stands between the lowest, 0, and the highest, 100."""
    low = high = last = values[0]
    for value in values:
        low = value if value < low else low  # noqa: FURB136 (four times as fast as `min` in CPython)
        high = value if value > high else high  # noqa: FURB136
        last = value
    span = high - low
    return 50.0 if span < LEAST_SPAN else 100.0 * (last - low) / span


def ready(state: StochasticRsiState) -> bool:
    """Once both K and D have a value."""
    return len(state.ks) == state.d_period


def k(state: StochasticRsiState) -> float | None:
    """The faster line, 0 to 100."""
    return state.ks[-1] if state.ks else None


def d(state: StochasticRsiState) -> float | None:
    """The slower line, 0 to 100."""
    return mean(state.ks) if ready(state) else None
