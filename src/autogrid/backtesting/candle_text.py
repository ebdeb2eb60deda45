"""Candles in CSV and JSON, as columns of text.

CSV: with a header in any case and order, more columns are ignored; or without one, as the exchanges' public
archives have it: open time, open, high, low, close, volume, and whatever follows. Separated by comma,
semicolon, tab or bar.

JSON: a list of rows, each a list in the same order (Binance's raw klines, ccxt) or an object with names.
"""

import io
import json
import re
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from autogrid.backtesting.candle_columns import FIELDS, RawCandles, find_columns
from autogrid.backtesting.candle_faults import Faults, UnableToReadCandles

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
SHORT = "a row holds at least time, open, high, low, close, volume"


def read_csv(content: bytes, source: str, faults: Faults) -> RawCandles:
    """The six columns as text. A row with too few or too many cells is noted in `faults`."""
    names, delimiter, headed = _first_line(content, source)
    positions = find_columns(names, source) if headed else range(len(FIELDS))
    columns = [str(at) for at in range(len(names))]
    wanted = [str(at) for at in positions]
    crooked: list[tuple[int, str]] = []

    def note(row: arrow_csv.InvalidRow) -> Literal["skip", "error"]:
        number = (row.number or 0) - headed
        cells = f"it has {row.actual_columns} cells where {row.expected_columns} are wanted"
        crooked.append((number, f"{cells}; the file may be cut off there"))
        return "skip"

    try:
        table = arrow_csv.read_csv(
            io.BytesIO(content),
            # One thread: only so are rows counted, and it is no slower.
            arrow_csv.ReadOptions(use_threads=False, column_names=columns, skip_rows=_lines_before(content, headed)),
            arrow_csv.ParseOptions(delimiter=delimiter, invalid_row_handler=note),
            arrow_csv.ConvertOptions(include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string())),
        )
    except pa.ArrowInvalid as error:
        reason = str(error).splitlines()[0][:160]
        raise UnableToReadCandles("unknown_format", f"{source} is no CSV that can be read: {reason}.") from error
    faults.extend("crooked_row", crooked[: faults.keep], len(crooked))
    rows = np.arange(1, len(table) + len(crooked) + 1)
    rows = np.delete(rows, [number - 1 for number, _ in crooked])
    return RawCandles(source, tuple(table[name] for name in wanted), rows)


def _first_line(content: bytes, source: str) -> tuple[list[str], str, bool]:
    """The cells of the first line, what separates them, and whether they are names."""
    line = content.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").split(b"\n", 1)[0]
    try:
        text = line.decode().strip("\r")
    except UnicodeDecodeError:
        raise UnableToReadCandles("unknown_format", f"{source} is no text in UTF-8.") from None
    delimiter = max(",;\t|", key=text.count)
    cells = [cell.strip().strip('"') for cell in text.split(delimiter)]
    numeric = len(cells) >= len(FIELDS) and all(NUMBER.fullmatch(cell) for cell in cells[1 : len(FIELDS)])
    return cells, delimiter, not numeric


def _lines_before(content: bytes, headed: bool) -> int:
    """Lines to leave out: the header, and blank ones above it."""
    text = content.removeprefix(b"\xef\xbb\xbf")
    blank = text[: len(text) - len(text.lstrip(b"\r\n"))].count(b"\n")
    return blank + 1 if headed else 0


def read_json(content: bytes, source: str, faults: Faults) -> RawCandles:
    """The six columns as text. A row that is too short or no row is noted in `faults`."""
    try:
        text = content.decode("utf-8-sig")
        candles = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except json.JSONDecodeError as error:
        rows = max(text.count("]", 0, error.pos), text.count("}", 0, error.pos))
        raise UnableToReadCandles(
            "cut_off",
            f"{source} is cut off or no JSON after row {rows} ({error.msg}); fetch or export it anew.",
            rows + 1,
        ) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise UnableToReadCandles("unknown_format", f"{source} is no JSON that can be read.") from error
    if not isinstance(candles, list):
        raise UnableToReadCandles("unknown_format", f"{source} holds no list of candles; {SHORT}.")
    if candles and isinstance(candles[0], dict):
        return _of_objects(candles, source, faults)
    return _of_cells(candles, range(len(FIELDS)), source, faults)


def _of_objects(candles: list[Any], source: str, faults: Faults) -> RawCandles:
    names = list(candles[0])
    wanted = [names[at] for at in find_columns(names, source)]
    cells = [[row.get(name) for name in wanted] if isinstance(row, dict) else None for row in candles]
    return _of_cells(cells, range(len(FIELDS)), source, faults)


def _of_cells(candles: list[Any], positions: range, source: str, faults: Faults) -> RawCandles:
    whole = [isinstance(row, list) and len(row) >= len(FIELDS) for row in candles]
    short = [(at + 1, f"it is no candle; {SHORT}") for at, good in enumerate(whole) if not good]
    faults.extend("crooked_row", short[: faults.keep], len(short))
    good = [row for row, is_whole in zip(candles, whole, strict=True) if is_whole]
    columns = tuple(pa.chunked_array([pa.array([_text(row[at]) for row in good], pa.string())]) for at in positions)
    return RawCandles(source, columns, np.flatnonzero(whole) + 1)


def _text(cell: Any) -> str | None:
    return cell if cell is None or isinstance(cell, str) else str(cell)
