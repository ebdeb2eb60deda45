"""ADX(14): how strongly prices go one way, with +DI and −DI, all 0 to 100. Source: TradingView `ta.dmi`.

True range and directional movement count from the second candle on. +DI = 100·RMA(+DM)/RMA(TR), −DI likewise; where
nothing moved (TR 0) they stay what they were. ADX = 100·RMA(|+DI − −DI|/(+DI + −DI)), the share 0 where both are 0.
"""

from typing import NamedTuple

from autogrid.trading.indicators import rma
from autogrid.trading.indicators.atr import true_range
from autogrid.trading.indicators.rma import RmaState
from autogrid.trading.indicators.smoothing import counted, smoothed


class AdxState(NamedTuple):
    """What the next step needs."""

    period: int
    """Of the directional movement, 1 or more."""
    seen: int
    """Candles seen, at most `period` + 1: the first has none before it."""
    high: float
    """Of the last candle, in quote, as the next two; 0 before the first."""
    low: float
    close: float
    reach: float
    """Average true range, in quote; the sum while fewer than `period`. So are the next two."""
    rises: float
    """Average +DM."""
    falls: float
    """Average −DM."""
    plus: float
    """+DI, 0 to 100."""
    minus: float
    """−DI, 0 to 100."""
    directed: bool
    """Whether +DI and −DI have a value."""
    shares: RmaState
    """Of |+DI − −DI|/(+DI + −DI)."""


class Direction(NamedTuple):
    """0 to 100."""

    plus: float
    """+DI."""
    minus: float
    """−DI."""
    adx: float


def start(period: int = 14, smoothing: int = 14) -> AdxState:
    """Before the first candle; `smoothing` is the period of the last average."""
    return AdxState(period, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, False, rma.start(smoothing))


def update(state: AdxState, high: float, low: float, close: float) -> AdxState:
    """With a further candle."""
    period, seen = state.period, state.seen
    plus, minus, directed, shares = state.plus, state.minus, state.directed, state.shares
    if seen == 0:
        return AdxState(period, 1, high, low, close, 0.0, 0.0, 0.0, plus, minus, directed, shares)
    up, down = high - state.high, state.low - low
    alpha, past = 1.0 / period, seen - 1
    reach = smoothed(alpha, period, past, state.reach, true_range(high, low, state.close))
    rises = smoothed(alpha, period, past, state.rises, up if up > down and up > 0.0 else 0.0)
    falls = smoothed(alpha, period, past, state.falls, down if down > up and down > 0.0 else 0.0)
    if seen >= period:
        if reach > 0.0:
            plus, minus, directed = 100.0 * rises / reach, 100.0 * falls / reach, True
        if directed:
            both = plus + minus
            shares = rma.update(shares, abs(plus - minus) / both if both > 0.0 else 0.0)
    return AdxState(
        period, counted(period + 1, seen), high, low, close, reach, rises, falls, plus, minus, directed, shares
    )


def direction(state: AdxState) -> Direction:
    """The figures of a state that is ready."""
    return Direction(state.plus, state.minus, 100.0 * state.shares.average)


def ready(state: AdxState) -> bool:
    """Once the ADX has a value: with the usual periods from candle 28 on."""
    return rma.ready(state.shares)


def value(state: AdxState) -> Direction | None:
    """The figures; None before the ADX has a value."""
    return direction(state) if ready(state) else None
