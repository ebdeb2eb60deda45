"""The six columns of a candle, found among those of a file, and turned into numbers.

A number stands for its shortest decimal text: the float 0.1 is the price 0.1. Text is read as it stands;
where a float would not give the same text back (more than fifteen digits) the column is kept as Decimals as
well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from autogrid.backtesting.candle_faults import Faults, UnableToReadCandles

FIELDS = ("time", "open", "high", "low", "close", "volume")
TIME_NAMES = (
    "timestamp",
    "time",
    "date",
    "datetime",
    "open_time",
    "opentime",
    "unix",
    "ts",
    "__index_level_0__",
)
"""What the open time may be called, first choice first; the last is what pandas calls an index."""
Column: TypeAlias = "pa.ChunkedArray[Any]"

EXACT_DIGITS = 15
"""A decimal of so many digits is given back unchanged by the float nearest to it (IEEE 754 binary64)."""


@dataclass(frozen=True, slots=True)
class RawCandles:
    """The columns of a file, not yet read as numbers."""

    source: str
    """The file's name, for sentences."""
    columns: tuple[Column, ...]
    """In the order of FIELDS; of any type."""
    rows: NDArray[np.int64]
    """Each candle's row in the file, from 1; rows that are no candles are left out, and told as faults."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """One column of numbers."""

    floats: NDArray[np.float64]
    """NaN where the file holds no number."""
    exact: list[Decimal] | None
    """Where the floats do not say it all."""
    unread: NDArray[np.bool_] | None
    """Where a fault was already told."""


def find_columns(names: Sequence[str], source: str) -> list[int]:
    """The position in `names` of each of FIELDS. Raises UnableToReadCandles (`missing_column`)."""
    plain = [name.strip().strip('"').lower().replace(" ", "_") for name in names]
    twice = next((name for name in FIELDS[1:] if plain.count(name) > 1), None)
    if twice:
        raise UnableToReadCandles("missing_column", f"{source} has more than one column named {twice}.")
    time = next((name for name in TIME_NAMES if name in plain), None)
    missing = [name for name in FIELDS[1:] if name not in plain]
    if time is None:
        missing.insert(0, "timestamp")
    if time is None or missing:
        raise UnableToReadCandles(
            "missing_column",
            f"{source} has no column {', '.join(missing)}; wanted are timestamp, open, high, low, close and "
            f"volume, found are: {', '.join(name.strip()[:40] for name in names[:30]) or 'none'}.",
        )
    return [plain.index(name) for name in (time, *FIELDS[1:])]


def read_numbers(column: Column, name: str, rows: NDArray[np.int64], faults: Faults) -> Numbers:
    """A column as numbers; what is empty or no number is noted in `faults`."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    empty: NDArray[np.bool_] | None = None
    if column.null_count:
        empty = column.is_null().to_numpy()
        faults.add("empty_cell", np.flatnonzero(empty), rows, lambda _: f"the {name} is empty; it must be a number")
    if pa.types.is_float64(column.type):
        return Numbers(column.to_numpy(), None, empty)
    return _of_text(_as_text(column, name, faults.source), name, rows, faults, empty)


def _as_text(column: Column, name: str, source: str) -> Column:
    """Whole numbers, short floats and decimals by their own text: a float32 of 0.1 is 0.1."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return column.cast(pa.string())
    sentence = f"{source}: the column {name} holds {kind}; it must hold numbers."
    raise UnableToReadCandles("not_a_number", sentence)


def _of_text(
    text: Column, name: str, rows: NDArray[np.int64], faults: Faults, empty: NDArray[np.bool_] | None
) -> Numbers:
    try:
        floats = text.cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        text = pc.utf8_trim_whitespace(text)
        floats = _one_by_one(text.to_pylist(), name, rows, faults)
        empty = np.isnan(floats)
    if name == "volume" or _floats_say_it_all(text, floats):
        return Numbers(floats, None, empty)
    cells: list[Any] = text.to_pylist()
    exact = [
        Decimal(cell) if finite else Decimal(0)
        for cell, finite in zip(cells, np.isfinite(floats).tolist(), strict=True)
    ]
    return Numbers(floats, exact, empty)


def _floats_say_it_all(text: Column, floats: NDArray[np.float64]) -> bool:
    """Whether the shortest text of each float is the number in the file."""
    if (pc.max(pc.binary_length(text)).as_py() or 0) <= EXACT_DIGITS:
        return True
    digits = pc.utf8_trim(pc.replace_substring(text, ".", ""), "0")
    long = np.nan_to_num(pc.binary_length(digits).to_numpy()) > EXACT_DIGITS
    cells: list[Any] = text.filter(pa.array(long)).to_pylist()
    return all(
        not np.isfinite(value) or Decimal(cell) == Decimal(repr(value))
        for cell, value in zip(cells, floats[long].tolist(), strict=True)
    )


def _one_by_one(cells: list[Any], name: str, rows: NDArray[np.int64], faults: Faults) -> NDArray[np.float64]:
    """The slow way, for columns in which something is no number: NaN there, and a fault told."""
    floats = np.full(len(cells), np.nan)
    wrong: list[int] = []
    blank: list[int] = []
    for at, cell in enumerate(cells):
        if cell is None:
            continue
        try:
            floats[at] = float(Decimal(cell)) if "_" not in cell else np.nan
        except (InvalidOperation, ValueError):
            floats[at] = np.nan
        if np.isnan(floats[at]):
            (wrong if cell else blank).append(at)
    faults.add("empty_cell", np.asarray(blank, np.intp), rows, lambda _: f"the {name} is empty; it must be a number")
    faults.add(
        "not_a_number",
        np.asarray(wrong, np.intp),
        rows,
        lambda at: f"the {name} is '{cells[at][:40]}'; it must be a number such as 63327.6",
    )
    return floats
