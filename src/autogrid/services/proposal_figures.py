"""What candles say of a market at a moment, for a proposal: its price, how it moves by day and by hour, its extremes.

Rules: only candles that were closed by the moment are looked at, of the 90 days before it; at least 30 days are needed.
The deviation is that of the log returns between the closes of whole UTC days, of a sample (n − 1); the average true
range is Wilder's of 14 whole hours, begun at the first hour of those days. A day or an hour without any candle is left
out. What was measured is rounded to ten digits, so that what is shown is what was reckoned with.
"""

import math
from dataclasses import replace
from decimal import Context, Decimal
from typing import Final, NamedTuple

import numpy as np

from autogrid.backtesting.candle_faults import UnableToReadCandles, utc
from autogrid.backtesting.candle_warnings import find_gaps
from autogrid.backtesting.closed_candles import ClosedCandles
from autogrid.backtesting.tapes import Tape
from autogrid.trading.indicators import atr
from autogrid.trading.money import Price, Share
from autogrid.trading.strategies.grid.auto_words import Figures

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
LOOK_BACK_DAYS: Final = 90
LEAST_DAYS: Final = 30
LEAST_RETURNS: Final = 20
"""Daily returns without which a deviation says nothing: holes may leave fewer than the days would have."""
ATR_HOURS: Final = 14
TEN_DIGITS: Final = Context(prec=10)


class Moves(NamedTuple):
    """What days say of a market; enough for a range."""

    price: Price
    """The last close."""
    sigma_day: Share
    """Sample deviation of daily log returns."""
    low: Price
    high: Price
    days: int
    """How many days the candles cover."""


def end_of(tape: Tape) -> int:
    """When the last candle closed, UTC ms."""
    return tape.times.item(-1) + tape.interval_ms


def part(tape: Tape, start_ms: int, end_ms: int) -> Tape:
    """The candles that open at `start_ms` or later and are closed by `end_ms`; there may be none."""
    first = int(np.searchsorted(tape.times, start_ms))
    last = int(np.searchsorted(tape.times, end_ms - tape.interval_ms, side="right"))
    kept = slice(first, max(first, last))
    times = tape.times[kept]
    return replace(
        tape,
        times=times,
        prices=tape.prices[kept],
        volumes=tape.volumes[kept],
        gaps=find_gaps(times, tape.interval_ms),
        warnings=(),
    )


def figures_before(tape: Tape, at_ms: int) -> Figures:
    """The figures at `at_ms`, from the candles of the 90 days that were closed by then.

    Raises `UnableToReadCandles` where they are too few.
    """
    moves, before = moves_before(tape, at_ms), _before(tape, at_ms)
    hours = ClosedCandles(before, HOUR_MS)
    state = atr.start(ATR_HOURS)
    for index in range(len(hours)):
        candle = hours.closed(index).candle
        state = atr.update(state, candle.high, candle.low, candle.close)
    average = atr.value(state)
    if average is None:
        raise _too_short(before, f"{len(hours)} whole hours; at least {ATR_HOURS}", at_ms)
    return Figures(moves.price, moves.sigma_day, _measured(average), moves.low, moves.high, moves.days)


def _before(tape: Tape, at_ms: int) -> Tape:
    return part(tape, at_ms - LOOK_BACK_DAYS * DAY_MS, at_ms)


def moves_before(tape: Tape, at_ms: int) -> Moves:
    """How the price moved by the day before `at_ms`. Raises `UnableToReadCandles` where the candles are too few."""
    before = _before(tape, at_ms)
    covered_ms = at_ms - before.times.item(0) if len(before) else 0
    if covered_ms < LEAST_DAYS * DAY_MS:
        raise _too_short(before, f"{covered_ms / DAY_MS:.3g} days; at least {LEAST_DAYS} days", at_ms)
    days = ClosedCandles(before, DAY_MS)
    closes = [math.log(days.closed(index).candle.close) for index in range(len(days))]
    returns = np.diff(closes)
    if len(returns) < LEAST_RETURNS:
        raise _too_short(before, f"{len(closes)} whole UTC days; at least {LEAST_RETURNS + 1} of them", at_ms)
    unit = tape.unit
    return Moves(
        int(before.prices[-1, 3]) * unit,
        _measured(float(np.std(returns, ddof=1))),
        int(before.prices[:, 2].min()) * unit,
        int(before.prices[:, 1].max()) * unit,
        round(covered_ms / DAY_MS),
    )


def _measured(number: float) -> Decimal:
    """A figure of nature as an exact one, to ten digits."""
    return TEN_DIGITS.create_decimal(repr(number))


def _too_short(tape: Tape, found: str, at_ms: int) -> UnableToReadCandles:
    return UnableToReadCandles(
        "too_few_to_warm_up",
        f"{tape.source} holds {found} are needed before {utc(at_ms)} UTC to propose a grid; take more candles "
        f"({LOOK_BACK_DAYS} days are looked at, and {2 * LOOK_BACK_DAYS} show how earlier proposals fared).",
    )
