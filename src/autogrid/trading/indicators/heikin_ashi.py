"""Heikin Ashi: candles averaged with the ones before. It has a value from the first candle on.

close = (O + H + L + C)/4; open = (open before + close before)/2, at first (O + C)/2; high = max(H, open, close), low
likewise. Source: TradingView's chart type.
"""

from typing import NamedTuple


class HeikinAshiState(NamedTuple):
    """The last averaged candle, which is all that the next step needs. Prices in quote."""

    begun: bool
    """Whether there is one; before that, the prices are 0."""
    open: float
    high: float
    low: float
    close: float


def start() -> HeikinAshiState:
    """Before the first candle."""
    return HeikinAshiState(False, 0.0, 0.0, 0.0, 0.0)


def averaged_close(opening: float, high: float, low: float, close: float) -> float:
    """The averaged close of a candle; it needs none before."""
    return (opening + high + low + close) / 4.0


def update(state: HeikinAshiState, opening: float, high: float, low: float, close: float) -> HeikinAshiState:
    """With a further candle."""
    shut = averaged_close(opening, high, low, close)
    opens = (state.open + state.close) / 2.0 if state.begun else (opening + close) / 2.0
    return HeikinAshiState(True, opens, max(high, opens, shut), min(low, opens, shut), shut)


def ready(state: HeikinAshiState) -> bool:
    """From the first candle on."""
    return state.begun


def value(state: HeikinAshiState) -> HeikinAshiState | None:
    """The averaged candle."""
    return state if state.begun else None


def bullish(state: HeikinAshiState) -> bool | None:
    """Whether the averaged candle closes above its open; None before the first."""
    return state.close > state.open if state.begun else None
