"""The equity curve of a run, drawn from what was held after each fill and from the candles between.

Rules: between two fills nothing but the price moves, so a year of candles is a handful of array operations.
Equity is quote + base at the price, what rests in orders included. Curves are float64, for looking at and for
shares; the daily marks, from which the ratios come, are exact Decimals. Fills of a candle come before its
close, and carry the close's time, the finest time known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DAY_MS = 86_400_000
NOISE = 1e-12
"""A fall below this share is float rounding: equity counts as back at its peak."""


class Standing(NamedTuple):
    """What the bot held from one moment on."""

    row: int
    """Index of the candle in which it happened."""
    price: Decimal
    """Quote per base at that moment."""
    quote: Decimal
    """All quote, also what rests in orders, less the worth of fees paid in a third asset (so it may be below 0)."""
    base: Decimal
    """All base, also what rests in orders, dust included."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Equity over a run and the figures that are read off it; arrays have one element a candle."""

    times: Integers
    """int64 (n,): when each candle **closed**, ms since 1970 UTC."""
    equity: Floats
    """float64 (n,): quote, at each candle's close."""
    drawdown: Floats
    """float64 (n,): share below the highest equity so far (fills included), at each close; 0.05 is 5 %."""
    exposure: float
    """Mean share of equity that was held in base, over the closes."""
    max_drawdown: float
    """Deepest share below an earlier peak, over closes and fills; 0.05 is 5 %."""
    max_drawdown_days: float
    """Longest time from a peak until it was reached again, or until the end, in days."""
    time_in_range: float | None
    """Share of candles that closed within the bounds, both included; None where there is no bound."""
    daily: tuple[Decimal, ...]
    """Equity in quote at each 00:00 UTC from the first one in the run to the last, exact."""


def draw(
    times: Integers,
    prices: Integers,
    unit: Decimal,
    interval_ms: int,
    standings: Sequence[Standing],
    bounds: tuple[Decimal | None, Decimal | None],
) -> Curve:
    """The curve of a run.

    `times` int64 (n,) are opening times in ms UTC, strictly rising; `prices` int64 (n, 4) open, high, low,
    close in multiples of `unit` (quote). `standings` are in path order; the first is the start, in row 0,
    before any fill. `bounds` are the lower and upper price of the range, None for an open side.

    A deposit among the standings would look like a gain here: hand it to `performance.daily_returns` as well.

    Raises:
        ValueError: no candle; standings are empty, out of order, beyond the candles, or hold less than
            nothing or nothing at all.
    """
    if not len(times):
        raise ValueError("there is no candle to draw a curve over")
    rows = _rows(standings, len(times))
    quotes, bases, filled = _held(standings)
    spans = np.diff(rows, append=len(times))
    closes = prices[:, 3].astype(np.float64)
    inside = _share_inside(closes, unit, bounds)
    equity, scratch = closes, np.repeat(bases * float(unit), spans)
    equity *= scratch
    still = np.repeat(quotes, spans)
    equity += still
    np.divide(still, equity, out=still)
    closed = times + interval_ms
    drawdown, deepest, longest = _falls(equity, scratch, closed, rows, filled)
    return Curve(
        times=closed,
        equity=equity,
        drawdown=drawdown,
        exposure=1.0 - float(still.mean()),
        max_drawdown=deepest,
        max_drawdown_days=longest / DAY_MS,
        time_in_range=inside,
        daily=_daily(times, closed, prices, unit, standings, rows),
    )


def _rows(standings: Sequence[Standing], count: int) -> Integers:
    if not standings or standings[0].row != 0:
        raise ValueError("the first standing is the start, in row 0")
    rows = np.array([each.row for each in standings], np.int64)
    if rows[-1] >= count or (np.diff(rows) < 0).any():
        raise ValueError(f"standings go back in time, or beyond the {count} candles")
    return rows


def _held(standings: Sequence[Standing]) -> tuple[Floats, Floats, Floats]:
    """Quote, base and equity after each standing."""
    quotes = np.array([float(each.quote) for each in standings])
    bases = np.array([float(each.base) for each in standings])
    equity = quotes + bases * np.array([float(each.price) for each in standings])
    if bases.min() < 0 or equity.min() <= 0:
        raise ValueError("a standing holds less than nothing, or nothing at all")
    return quotes, bases, equity


def _share_inside(closes: Floats, unit: Decimal, bounds: tuple[Decimal | None, Decimal | None]) -> float | None:
    """Compares in whole units, so that a close on a bound is inside whatever floats make of the bound."""
    lower, upper = bounds
    if lower is None and upper is None:
        return None
    outside = 0
    if lower is not None:
        outside += int(np.count_nonzero(closes < int((lower / unit).to_integral_value(ROUND_CEILING))))
    if upper is not None:
        outside += int(np.count_nonzero(closes > int((upper / unit).to_integral_value(ROUND_FLOOR))))
    return 1.0 - outside / len(closes)


def _falls(
    equity: Floats, scratch: Floats, closed: Integers, rows: Integers, filled: Floats
) -> tuple[Floats, float, int]:
    """Drawdown at each close, the deepest over closes and fills, and the longest stretch below a peak in ms.

    `filled` is the equity after each standing. The fills are not merged into half a million closes: a
    candle's highest fill is laid over its close before the running peak is taken. `scratch` (n,) is written
    over and becomes the drawdown: fresh memory costs more here than the arithmetic.
    """
    peak = scratch
    peak[:] = equity
    np.maximum.at(peak, rows, filled)
    _raise_to_running_peak(peak)
    before = np.where(rows > 0, peak[rows - 1], -np.inf)
    top = np.maximum(before, np.maximum.accumulate(filled))
    fall = 1.0 - filled / top
    drawdown = np.divide(equity, peak, out=peak)
    np.subtract(1.0, drawdown, out=drawdown)
    deepest = max(float(drawdown.max()), float(fall.max()))
    return drawdown, deepest if deepest > NOISE else 0.0, _longest(drawdown, fall, closed, rows)


def _raise_to_running_peak(values: Floats) -> None:
    """Each element becomes the highest up to it, in place.

    A running maximum waits on itself at every step. Equity makes no new high in most stretches of a run, so
    only the blocks that hold one are walked; the others are filled.
    """
    whole = len(values) // _BLOCK * _BLOCK
    blocks, tail = values[:whole].reshape(-1, _BLOCK), values[whole:]
    tops = np.maximum.accumulate(blocks.max(axis=1)) if whole else np.empty(0)
    before = np.concatenate(([-np.inf], tops))
    rising = before[1:] > before[:-1]
    fresh = np.maximum.accumulate(np.maximum(blocks[rising], before[:-1][rising, None]), axis=1)
    blocks[:] = before[:-1, None]
    blocks[rising] = fresh
    np.maximum(tail, before[-1], out=tail)
    np.maximum.accumulate(tail, out=tail)


_BLOCK = 512


def _longest(drawdown: Floats, fall: Floats, closed: Integers, rows: Integers) -> int:
    """Two peaks that are neighbours in the path have no fall between them, so such a pair does not count."""
    low_close = drawdown > NOISE
    at_peak = ~low_close
    at_peak[rows[fall <= NOISE]] = True
    first = np.diff(rows, prepend=-1) > 0
    falls_first = np.zeros(len(closed), np.bool_)
    falls_first[rows[first & (fall > NOISE)]] = True
    peaks = np.flatnonzero(at_peak)
    here, there = peaks[:-1], peaks[1:]
    below = (there - here > 1) | low_close[here] | falls_first[there]
    last = int(closed[-1] - closed[peaks[-1]])
    return max(last, int((closed[there] - closed[here])[below].max(initial=0)))


def _daily(
    times: Integers,
    closed: Integers,
    prices: Integers,
    unit: Decimal,
    standings: Sequence[Standing],
    rows: Integers,
) -> tuple[Decimal, ...]:
    """Equity at the last close at or before each midnight; the start's where no candle had closed by then."""
    first = -(-int(times[0]) // DAY_MS) * DAY_MS
    midnights = np.arange(first, int(closed[-1]) + 1, DAY_MS)
    candles = np.searchsorted(closed, midnights, side="right") - 1
    held = np.searchsorted(rows, candles, side="right") - 1
    start = standings[0]
    return tuple(
        standings[index].quote + standings[index].base * (int(prices[candle, 3]) * unit)
        if candle >= 0
        else start.quote + start.base * start.price
        for candle, index in zip(candles.tolist(), held.tolist(), strict=True)
    )
