"""UT Bot(a, c): a stop that trails the price by a·ATR(c), with a buy or sell where the price crosses it.

It has a value from the first candle of the ATR on; the first stop lies below the price, and no signal comes with it.
The price it looks at, the source, is the close or the averaged close of Heikin Ashi.
Source: "UT Bot Alerts" by QuantNomad on TradingView; comparisons as in `comparison.py`.
"""

from typing import NamedTuple

from autogrid.trading.indicators import atr
from autogrid.trading.indicators.atr import AtrState
from autogrid.trading.indicators.comparison import above


class UtBotState(NamedTuple):
    """What the next step needs."""

    factor: float
    """a, in units of the ATR."""
    reach: AtrState
    source: float
    """The last price looked at, in quote."""
    stop: float
    """In quote; 0 before there is one."""
    position: int
    """1 after the price went up through the stop of the candle before, −1 after down, 0 before either."""
    buy: bool
    """Whether the source crossed above the stop on this very candle."""
    sell: bool
    """Whether it crossed below."""


def start(factor: float = 1.0, period: int = 10) -> UtBotState:
    """Before the first candle; `period` is that of the ATR."""
    return UtBotState(float(factor), atr.start(period), 0.0, 0.0, 0, False, False)


def update(state: UtBotState, high: float, low: float, close: float, source: float) -> UtBotState:
    """With a further candle, and the price of it to look at."""
    factor, before, source_before, stop_before, position, _, _ = state
    reach = atr.update(before, high, low, close)
    if not atr.ready(before):
        stop = source - factor * reach.average if atr.ready(reach) else 0.0
        return UtBotState(factor, reach, source, stop, 0, False, False)
    was_above, was_below = above(source_before, stop_before), above(stop_before, source_before)
    is_above, is_below = above(source, stop_before), above(stop_before, source)
    stop = _trailed(stop_before, source, factor * reach.average, is_above, is_below, was_above, was_below)
    if was_below and is_above:
        position = 1
    elif was_above and is_below:
        position = -1
    buy = not was_above and above(source, stop)
    sell = not was_below and above(stop, source)
    return UtBotState(factor, reach, source, stop, position, buy, sell)


def _trailed(
    stop: float, source: float, loss: float, is_above: bool, is_below: bool, was_above: bool, was_below: bool
) -> float:
    """The stop, which follows a price that stays on its side and jumps to the other with one that crosses."""
    if is_above and was_above:
        return max(stop, source - loss)
    if is_below and was_below:
        return min(stop, source + loss)
    return source - loss if is_above else source + loss


def ready(state: UtBotState) -> bool:
    """From the c-th candle on."""
    return atr.ready(state.reach)


def value(state: UtBotState) -> float | None:
    """The stop, in quote; None before the c-th candle."""
    return state.stop if ready(state) else None


def trend(state: UtBotState) -> int | None:
    """1 while the source is above the stop, −1 while below, 0 where they are equal; None before the c-th candle."""
    if not ready(state):
        return None
    return int(above(state.source, state.stop)) - int(above(state.stop, state.source))
