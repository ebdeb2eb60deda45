"""Candles in, checked: the tape a backtest walks.

Rules: prices are exact, as whole numbers of one power of ten. A row that cannot be a candle is refused with
its number. Holes are counted, told and walked. Nothing is filled in, nothing is left out silently.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from autogrid.backtesting.candle_checks import check_order, check_values
from autogrid.backtesting.candle_faults import Faults, UnableToReadCandles, utc
from autogrid.backtesting.candle_files import open_candles
from autogrid.backtesting.candle_prices import whole_units
from autogrid.backtesting.candle_rows import CandleRows, merge, most_common_distance, parse, sort_rows
from autogrid.backtesting.candle_warnings import Gap, find_gaps, find_warnings, timeframe_name


@dataclass(frozen=True, slots=True)
class Tape:
    """Candles of one market and one timeframe, n of them, at least 2."""

    source: str
    """The names of the files."""
    times: NDArray[np.int64]
    """(n,) open times, UTC ms, strictly rising."""
    prices: NDArray[np.int64]
    """(n, 4) C-contiguous: open, high, low, close, in whole `unit`s. An object array of Python ints where
    int64 cannot hold them (`prices.dtype == object`)."""
    volumes: NDArray[np.float64]
    """(n,) in base."""
    unit: Decimal
    """Quote per unit of price: a power of ten."""
    interval_ms: int
    """The timeframe: the most common distance of two neighbours."""
    gaps: tuple[Gap, ...]
    warnings: tuple[str, ...]
    """Sentences worth telling a person."""

    def __len__(self) -> int:
        return len(self.times)


def read_tape(
    paths: Sequence[Path],
    *,
    start: date | None = None,
    end: date | None = None,
    at_least_decimals: int = 0,
    sort: bool = False,
) -> Tape:
    """The candles of one or more files as one tape.

    Several files are joined by time: candles that occur in two must agree. `start` is included, the day
    `end` whole (UTC). `unit` has at least `at_least_decimals` decimals. With `sort` a file may be in any
    order, and may repeat whole rows. Raises UnableToReadCandles.
    """
    if not paths:
        raise UnableToReadCandles("not_found", "No file of candles was named.")
    files = sorted((read_rows(path, sort=sort) for path in paths), key=lambda candles: int(candles.times[0]))
    candles = join(files)
    return tape_of(_between(candles, start, end), most_common_distance(candles.times), at_least_decimals)


def read_rows(path: Path, *, sort: bool = False, at_least: int = 2) -> CandleRows:
    """The candles of one file, each row checked. Raises UnableToReadCandles for the first that is wrong."""
    faults = Faults(path.name)
    candles = parse(open_candles(path, faults), faults)
    check_values(candles, faults)
    if sort:
        faults.raise_first()
        candles, _ = sort_rows(candles)
    check_order(candles, faults)
    faults.raise_first()
    if len(candles) < at_least:
        raise UnableToReadCandles("too_few", f"{path.name} holds one candle; at least 2 are needed.", 1)
    return candles


def join(files: Sequence[CandleRows]) -> CandleRows:
    """Files that were sorted by their first time, as one. Raises UnableToReadCandles."""
    whole, *others = files
    interval = most_common_distance(whole.times)
    for other in others:
        found = most_common_distance(other.times)
        if found != interval:
            raise UnableToReadCandles(
                "mixed_timeframes",
                f"{other.source} holds {timeframe_name(found)} candles and {files[0].source} "
                f"{timeframe_name(interval)}; files that are joined must be of one timeframe.",
            )
        whole = merge(whole, other)
    return whole


def tape_of(candles: CandleRows, interval_ms: int, at_least_decimals: int = 0) -> Tape:
    """Checked candles as a tape."""
    units, decimals = whole_units(candles.prices, candles.exact, at_least_decimals)
    gaps = find_gaps(candles.times, interval_ms)
    return Tape(
        candles.source,
        np.ascontiguousarray(candles.times),
        np.ascontiguousarray(units),
        np.ascontiguousarray(candles.volumes),
        Decimal(1).scaleb(-decimals),
        interval_ms,
        gaps,
        find_warnings(candles, interval_ms, gaps, decimals),
    )


def _between(candles: CandleRows, start: date | None, end: date | None) -> CandleRows:
    if start is None and end is None:
        return candles
    first = 0 if start is None else int(np.searchsorted(candles.times, _midnight_ms(start)))
    last = len(candles)
    if end is not None:
        last = int(np.searchsorted(candles.times, _midnight_ms(end) + 86_400_000))
    if last - first < 2:
        period = f"from {start or 'its start'} to {end or 'its end'}"
        raise UnableToReadCandles(
            "none_in_period",
            f"{candles.source} holds {max(0, last - first)} candles {period}, at least 2 are needed; it has "
            f"{utc(candles.times[0])} to {utc(candles.times[-1])} UTC.",
        )
    return candles.take(slice(first, last))


def _midnight_ms(day: date) -> int:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
