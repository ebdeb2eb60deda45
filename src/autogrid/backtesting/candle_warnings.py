"""What a person should know of candles that are valid row by row.

Told are: holes, holes that a broken download left, outages that were filled in, and figures no market gives.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autogrid.backtesting.candle_checks import CLOSE, HIGH, LOW, OPEN
from autogrid.backtesting.candle_faults import utc
from autogrid.backtesting.candle_rows import CandleRows

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MOST_DECIMALS_QUOTED = 12
"""More than any exchange quotes."""
FLAT_RUN = 10
"""So many candles in a row without a trade are told."""
PAGE = 50
"""Holes of one length are no chance from so many missing candles on."""
NAMES = ((604_800_000, "w"), (DAY_MS, "d"), (HOUR_MS, "h"), (60_000, "m"), (1_000, "s"))


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole between two candles."""

    after_ms: int
    """Open time of the last candle before the hole, UTC ms."""
    missing: int
    """Candles missing."""


def find_gaps(times: NDArray[np.int64], interval_ms: int) -> tuple[Gap, ...]:
    """Every hole, by time."""
    missing = (np.diff(times) + interval_ms // 2) // interval_ms - 1
    where = np.flatnonzero(missing > 0)
    return tuple(map(Gap, times[where].tolist(), missing[where].tolist()))


def timeframe_name(interval_ms: int) -> str:
    """`1m`, `4h`, `1d`, `1w`; what is none of these is given in ms."""
    whole = (f"{interval_ms // ms}{name}" for ms, name in NAMES if interval_ms % ms == 0)
    return next(whole, f"{interval_ms} ms")


def find_warnings(candles: CandleRows, interval_ms: int, gaps: tuple[Gap, ...], decimals: int) -> tuple[str, ...]:
    """One sentence each. The candles must have passed the checks; `decimals` are those of the prices."""
    found = (
        _missing(len(candles), gaps),
        _equal_holes(gaps),
        _flat(candles),
        _off_grid(candles, interval_ms),
        _leaps(candles, interval_ms),
        _too_many_decimals(decimals),
    )
    return tuple(sentence for sentence in found if sentence)


def count(number: int, noun: str) -> str:
    """`1 candle`, `2 candles`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _missing(present: int, gaps: tuple[Gap, ...]) -> str | None:
    if not gaps:
        return None
    missing = sum(gap.missing for gap in gaps)
    largest = max(gaps, key=lambda gap: gap.missing)
    return (
        f"{missing / (missing + present):.2%} of all candles are missing: {missing} in "
        f"{count(len(gaps), 'hole')}, the largest of {largest.missing} after "
        f"{utc(largest.after_ms)}; a hole is walked as one jump."
    )


def _equal_holes(gaps: tuple[Gap, ...]) -> str | None:
    lengths, counts = np.unique([gap.missing for gap in gaps] or [0], return_counts=True)
    at = counts.argmax()
    if lengths[at] < PAGE or counts[at] < 2 or counts[at] < 0.8 * len(gaps):
        return None
    return (
        f"{counts[at]} of {len(gaps)} holes are of exactly {lengths[at]} candles: a download lost pages "
        "there, and should be repeated."
    )


def _flat(candles: CandleRows) -> str | None:
    flat = (candles.volumes == 0) & (candles.prices[:, HIGH] == candles.prices[:, LOW])
    if not flat.any():
        return None
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flat, [False])).astype(np.int8)))
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    longest = int(lengths.argmax())
    if lengths[longest] < FLAT_RUN:
        return None
    first = starts[longest]
    return (
        f"{count(int(flat.sum()), 'candle')} without a trade, {lengths[longest]} of them in a row from "
        f"{utc(candles.times[first])} (row {candles.rows[first]}): an outage, a quiet market, or a hole that "
        "was filled in while the market moved."
    )


def _off_grid(candles: CandleRows, interval_ms: int) -> str | None:
    off = np.flatnonzero(candles.times % min(interval_ms, DAY_MS))
    if len(off) == 0:
        return None
    first = off[0]
    return (
        f"{count(len(off), 'candle')} off the grid of {timeframe_name(interval_ms)}, first at "
        f"{utc(candles.times[first])} (row {candles.rows[first]}): exchanges open candles on it, so these "
        "were made or cut elsewhere."
    )


def _leaps(candles: CandleRows, interval_ms: int) -> str | None:
    """A price that doubles within minutes, or opens far from the close just before."""
    prices = candles.prices
    wild = prices[:, HIGH] / prices[:, LOW] > (2.0 if interval_ms < HOUR_MS else np.inf)
    opening = np.abs(prices[1:, OPEN] / prices[:-1, CLOSE] - 1)
    wild[1:] |= (opening > 0.25) & (np.diff(candles.times) == interval_ms)
    where = np.flatnonzero(wild)
    if len(where) == 0:
        return None
    first = where[0]
    return (
        f"the price leaps in {count(len(where), 'candle')}, first at {utc(candles.times[first])} (row "
        f"{candles.rows[first]}, low {prices[first, LOW]}, high {prices[first, HIGH]}): no real market?"
    )


def _too_many_decimals(decimals: int) -> str | None:
    if decimals <= MOST_DECIMALS_QUOTED:
        return None
    return f"prices have up to {decimals} decimals, more than exchanges quote: they were computed, not traded."
