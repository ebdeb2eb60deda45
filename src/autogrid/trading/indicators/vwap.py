"""VWAP: the mean price of a session, weighted by volume. Source: TradingView `ta.vwap`, which averages (H + L + C)/3.

A session is a day in UTC unless another length is given; it begins anew at multiples of that length since 1970.
"""

from typing import Final, NamedTuple

DAY_MS: Final = 86_400_000


class VwapState(NamedTuple):
    """What the next step needs."""

    session_ms: int
    """Length of a session, in ms."""
    session: int
    """Which one, counted from 1970; −1 before the first candle."""
    paid: float
    """Price times volume so far in it, in quote."""
    volume: float
    """Volume so far in it, in base."""


def start(session_ms: int = DAY_MS) -> VwapState:
    """Before the first candle."""
    return VwapState(session_ms, -1, 0.0, 0.0)


def typical(high: float, low: float, close: float) -> float:
    """The price of a candle that is averaged, in quote."""
    return (high + low + close) / 3.0


def update(state: VwapState, open_ms: int, price: float, volume: float) -> VwapState:
    """With a further candle: when it opens (UTC ms), its price (see `typical`) and volume."""
    session_ms, before, paid, traded = state
    session = open_ms // session_ms
    if session != before:
        paid = traded = 0.0
    return VwapState(session_ms, session, paid + price * volume, traded + volume)


def ready(state: VwapState) -> bool:
    """Once something was traded in the session."""
    return state.volume > 0.0


def value(state: VwapState) -> float | None:
    """In quote; None while nothing was traded in the session."""
    return state.paid / state.volume if ready(state) else None
