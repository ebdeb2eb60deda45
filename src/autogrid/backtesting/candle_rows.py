"""Candles as rows of numbers: parsed, put in order, joined."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from autogrid.backtesting.candle_columns import FIELDS, Numbers, RawCandles, read_numbers
from autogrid.backtesting.candle_faults import Faults, UnableToReadCandles, utc
from autogrid.backtesting.candle_prices import decimals_of
from autogrid.backtesting.candle_times import read_times

PRICES = FIELDS[1:5]


@dataclass(frozen=True, slots=True)
class CandleRows:
    """n candles of one source."""

    source: str
    rows: NDArray[np.int64]
    """Each candle's row in its file, from 1."""
    times: NDArray[np.int64]
    """Open times, UTC ms."""
    prices: NDArray[np.float64]
    """(n, 4) open, high, low, close."""
    exact: NDArray[np.object_] | None
    """The prices as Decimals, where floats cannot say them."""
    volumes: NDArray[np.float64]
    unread: NDArray[np.bool_] | None
    """(n, 5) where a number could not be read."""

    def __len__(self) -> int:
        return len(self.times)

    def take(self, which: NDArray[np.int64] | slice) -> "CandleRows":
        """These candles alone, in this order."""
        return replace(
            self,
            rows=self.rows[which],
            times=self.times[which],
            prices=self.prices[which],
            exact=None if self.exact is None else self.exact[which],
            volumes=self.volumes[which],
            unread=None if self.unread is None else self.unread[which],
        )

    def price_matrix(self) -> NDArray[np.float64] | NDArray[np.object_]:
        """What prices are compared by."""
        return self.prices if self.exact is None else self.exact


def parse(raw: RawCandles, faults: Faults) -> CandleRows:
    """The numbers of a file; what cannot be read is NaN (times: 0) and noted in `faults`."""
    times = read_times(raw.columns[0], raw.rows, faults)
    numbers = [
        read_numbers(column, name, raw.rows, faults) for name, column in zip(FIELDS[1:], raw.columns[1:], strict=True)
    ]
    prices = np.empty((len(times), 4))
    for at, column in enumerate(numbers[:4]):
        prices[:, at] = column.floats
    exact = _exact(numbers[:4]) if any(column.exact for column in numbers[:4]) else None
    return CandleRows(raw.source, raw.rows, times, prices, exact, numbers[4].floats, _unread(numbers))


def _exact(numbers: list[Numbers]) -> NDArray[np.object_]:
    columns = [
        np.array(column.exact, object) if column.exact else decimals_of(np.nan_to_num(column.floats))
        for column in numbers
    ]
    return np.ascontiguousarray(np.stack(columns, axis=1))


def _unread(numbers: list[Numbers]) -> NDArray[np.bool_] | None:
    if all(column.unread is None for column in numbers):
        return None
    none = np.zeros(len(numbers[0].floats), np.bool_)
    return np.stack([none if column.unread is None else column.unread for column in numbers], axis=1)


def sort_rows(candles: CandleRows) -> tuple[CandleRows, int]:
    """The candles by time, without rows that repeat another entirely, and how many of those there were."""
    ordered = candles.take(np.argsort(candles.times, kind="stable"))
    again = ordered.times[1:] == ordered.times[:-1]
    prices = ordered.price_matrix()
    same = again & (prices[1:] == prices[:-1]).all(axis=1) & _near(ordered.volumes[1:], ordered.volumes[:-1])
    keep = np.flatnonzero(np.concatenate(([True], ~same))[: len(ordered)])
    return ordered.take(keep), len(ordered) - len(keep)


def merge(old: CandleRows, new: CandleRows, *, replace_old: bool = False) -> CandleRows:
    """Both, by time.

    Candles that are in both must agree, else raises UnableToReadCandles (`files_disagree`); with
    `replace_old` the new ones are taken.
    """
    _, in_old, in_new = np.intersect1d(old.times, new.times, assume_unique=True, return_indices=True)
    old, new = _alike(old, new)
    if len(in_old) and not replace_old:
        _refuse_disagreement(old, new, in_old, in_new)
    keep = np.ones(len(old), np.bool_)
    keep[in_old] = False
    rest = old.take(np.flatnonzero(keep))
    both = CandleRows(
        old.source if old.source == new.source else f"{old.source}, {new.source}",
        np.concatenate((rest.rows, new.rows)),
        np.concatenate((rest.times, new.times)),
        np.concatenate((rest.prices, new.prices)),
        None if rest.exact is None or new.exact is None else np.concatenate((rest.exact, new.exact)),
        np.concatenate((rest.volumes, new.volumes)),
        None,
    )
    if len(rest) and len(new) and rest.times[-1] > new.times[0]:
        both = both.take(np.argsort(both.times, kind="stable"))
    return both


def _alike(old: CandleRows, new: CandleRows) -> tuple[CandleRows, CandleRows]:
    """Both with exact prices where one has them."""
    if (old.exact is None) == (new.exact is None):
        return old, new
    return _exactly(old), _exactly(new)


def _exactly(candles: CandleRows) -> CandleRows:
    return candles if candles.exact is not None else replace(candles, exact=decimals_of(candles.prices))


def _refuse_disagreement(
    old: CandleRows, new: CandleRows, in_old: NDArray[np.int64], in_new: NDArray[np.int64]
) -> None:
    before, after = old.price_matrix()[in_old], new.price_matrix()[in_new]
    differ = (before != after).any(axis=1) | ~_near(old.volumes[in_old], new.volumes[in_new])
    if not differ.any():
        return
    at = int(np.flatnonzero(differ)[0])
    fields = np.flatnonzero(before[at] != after[at])
    name = PRICES[fields[0]] if len(fields) else "volume"
    was = before[at, fields[0]] if len(fields) else old.volumes[in_old[at]]
    now = after[at, fields[0]] if len(fields) else new.volumes[in_new[at]]
    row = int(new.rows[in_new[at]])
    raise UnableToReadCandles(
        "files_disagree",
        f"{new.source}, row {row}: the candle of {utc(new.times[in_new[at]])} has the {name} {now}, but "
        f"{was} in {old.source}; {int(differ.sum())} candles of both differ, and what is joined must agree.",
        row,
    )


def _near(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Volumes are sums, and their last digits depend on who summed them."""
    return cast(NDArray[np.bool_], np.isclose(one, other, rtol=1e-9, atol=0.0, equal_nan=True))


def most_common_distance(times: NDArray[np.int64]) -> int:
    """The timeframe in ms: the most common distance of neighbours, the smaller where two are as common."""
    distances = np.diff(times)
    if distances.min() == distances.max():
        return int(distances[0])
    lengths, counts = np.unique(distances, return_counts=True)
    return int(lengths[counts.argmax()])
