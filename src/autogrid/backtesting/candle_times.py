"""Open times of candles, in whichever form a file holds them, as UTC milliseconds.

Numbers are told apart by size: from 2000 to 2099 a time in seconds, milliseconds, microseconds and
nanoseconds lies in four ranges that do not touch, so each value has one meaning (an archive may change its
unit in the middle). Text is ISO 8601; without an offset it is UTC. Parts of a millisecond are cut off.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from autogrid.backtesting.candle_faults import Faults, UnableToReadCandles

EARLIEST_S = 946_684_800
"""2000-01-01, in seconds."""
LATEST_S = 4_102_444_800
"""2100-01-01, in seconds; not included."""
PER_SECOND = {"s": 1, "ms": 1_000, "µs": 1_000_000, "ns": 1_000_000_000}
NUMBER = re.compile(r"\s*[+-]?\d+(\.\d*)?([eE][+-]?\d+)?\s*")
WANTED = "a time is a whole number of s, ms, µs or ns since 1970, or text such as 2025-05-20T00:00:00Z"

Times = NDArray[np.int64]
Column: TypeAlias = "pa.ChunkedArray[Any]"


def read_times(column: Column, rows: NDArray[np.int64], faults: Faults) -> Times:
    """Each row's open time in UTC ms, 0 where it cannot be read (which is then among the faults)."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    empty = _positions(column.is_null())
    faults.add("empty_cell", empty, rows, lambda _: f"the time is empty; {WANTED}")
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        stamps = column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
        return _within(_numpy(stamps), 1_000, rows, faults, empty)
    if pa.types.is_integer(column.type):
        return _of_numbers(_numpy(column.cast(pa.int64())), rows, faults, empty)
    if pa.types.is_floating(column.type):
        return _of_floats(_numpy(column.cast(pa.float64())), rows, faults, empty)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return _of_text(column, rows, faults, empty)
    sentence = f"{faults.source}: the time column holds {column.type}; {WANTED}."
    raise UnableToReadCandles("bad_time", sentence)


def _of_text(column: Column, rows: Times, faults: Faults, empty: NDArray[np.intp]) -> Times:
    first = next((cell.as_py() for cell in column if cell.is_valid and cell.as_py()), "")
    if NUMBER.fullmatch(first):
        return _of_numeric_text(column, rows, faults, empty)
    for zone in ("UTC", None):
        try:
            stamps = column.cast(pa.timestamp("ns", zone))
        except pa.ArrowInvalid:
            continue
        ns = stamps.cast(pa.int64())
        return _within(_numpy(ns) // 1_000_000, 1_000, rows, faults, empty)
    read = _one_by_one(column, _ms_of_iso, rows, faults)
    return _within(read, 1_000, rows, faults, np.flatnonzero(read == 0))


def _of_numeric_text(column: Column, rows: Times, faults: Faults, empty: NDArray[np.intp]) -> Times:
    try:
        return _of_numbers(_numpy(column.cast(pa.int64())), rows, faults, empty)
    except pa.ArrowInvalid:
        pass
    read = _one_by_one(column, _ms_of_number, rows, faults)
    return _within(read, 1_000, rows, faults, np.flatnonzero(read == 0))


def _ms_of_iso(text: str) -> int:
    at = datetime.fromisoformat(text.strip().removesuffix(" UTC"))
    since = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000


def _ms_of_number(text: str) -> int:
    value = Decimal(text.strip())
    for per_second in PER_SECOND.values():
        if EARLIEST_S * per_second <= value < LATEST_S * per_second:
            return int(value * 1_000 / per_second)
    raise ValueError(text)


def _one_by_one(column: Column, ms_of: Callable[[str], int], rows: Times, faults: Faults) -> Times:
    """The slow way, for files in which the forms are mixed or a row is wrong; 0 for what cannot be read."""
    texts: list[Any] = column.to_pylist()
    read = np.zeros(len(texts), np.int64)
    wrong: list[int] = []
    blank: list[int] = []
    for at, text in enumerate(texts):
        if text is None:
            continue
        try:
            read[at] = ms_of(text)
        except (ValueError, ArithmeticError):
            (wrong if text.strip() else blank).append(at)
    where = np.asarray(wrong, np.intp)
    faults.add("bad_time", where, rows, lambda at: f"the time '{texts[at][:40]}' cannot be read; {WANTED}")
    faults.add("empty_cell", np.asarray(blank, np.intp), rows, lambda _: f"the time is empty; {WANTED}")
    return read


def _of_floats(values: NDArray[np.float64], rows: Times, faults: Faults, empty: NDArray[np.intp]) -> Times:
    """Numbers that a table program kept as floats: whole from ms on, with parts of a second in seconds."""
    finite = np.where(np.isfinite(values), values, 0.0)
    seconds = (finite >= EARLIEST_S) & (finite < LATEST_S)
    whole = np.where(seconds, np.rint(finite * 1_000), np.clip(finite, -9e18, 9e18)).astype(np.int64)
    return _of_numbers(whole, rows, faults, empty)


def _of_numbers(values: Times, rows: Times, faults: Faults, empty: NDArray[np.intp]) -> Times:
    if len(values) == 0:
        return values
    low, high = int(values.min()), int(values.max())
    for per_second in PER_SECOND.values():
        if EARLIEST_S * per_second <= low and high < LATEST_S * per_second:
            return values * 1_000 if per_second == 1 else values // (per_second // 1_000)
    ms = np.zeros_like(values)
    for per_second in PER_SECOND.values():
        inside = (values >= EARLIEST_S * per_second) & (values < LATEST_S * per_second)
        ms[inside] = values[inside] * 1_000 if per_second == 1 else values[inside] // (per_second // 1_000)
    _note_implausible(values, ms == 0, rows, faults, empty)
    return ms


def _within(ms: Times, per_second: int, rows: Times, faults: Faults, known: NDArray[np.intp]) -> Times:
    outside = (ms < EARLIEST_S * per_second) | (ms >= LATEST_S * per_second)
    if outside.any():
        _note_implausible(ms, outside, rows, faults, known)
        ms = np.where(outside, 0, ms)
    return ms


def _note_implausible(
    values: Times, outside: NDArray[np.bool_], rows: Times, faults: Faults, known: NDArray[np.intp]
) -> None:
    outside = outside.copy()
    outside[known] = False
    faults.add(
        "bad_time",
        np.flatnonzero(outside),
        rows,
        lambda at: f"the time {values[at]} is before 2000 or after 2099 in any unit; {WANTED}",
    )


def _numpy(column: Column) -> NDArray[Any]:
    """With 0 where nothing stands."""
    filled = column.fill_null(pa.scalar(0).cast(column.type)) if column.null_count else column
    values: NDArray[Any] = filled.to_numpy()
    return values


def _positions(mask: Column) -> NDArray[np.intp]:
    return np.flatnonzero(_numpy(mask)) if pc.any(mask).as_py() else np.zeros(0, np.intp)
