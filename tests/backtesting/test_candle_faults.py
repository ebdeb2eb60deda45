"""What is wrong with a file of candles is told with its row."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from autogrid.backtesting.candle_faults import UnableToReadCandles
from autogrid.backtesting.tapes import read_tape
from tests.candles import (
    HEADER,
    START_MS,
    Candles,
    archive_text,
    changed,
    columns,
    csv_text,
    gzipped,
    klines_json,
    random_walk,
    write_feather,
    write_parquet,
    write_text,
    zipped,
)
from tests.tape_checks import must_equal, refusal

WALK = random_walk(7, 300)


def _frame(candles: Candles, times: Any) -> pa.Table:
    return pa.table({"timestamp": times, **columns(candles)})


def _times(candles: Candles, times: Callable[[int], object]) -> list[Any]:
    return [times(candle.time_ms) for candle in candles]


FIELDS = ("open", "high", "low", "close", "volume")


def with_cell(row: int, name: str, cell: str) -> str:
    """The walk as CSV with one cell replaced; rows from 1."""
    lines = csv_text(WALK).splitlines()
    cells = lines[row].split(",")
    cells[HEADER.split(",").index(name)] = cell
    lines[row] = ",".join(cells)
    return "\n".join(lines) + "\n"


WRONG_CELLS = [
    ("close", "63.1.2", "not_a_number"),
    ("open", "abc", "not_a_number"),
    ("open", "1_000", "not_a_number"),
    ("high", "nan", "not_a_number"),
    ("high", "inf", "not_a_number"),
    ("high", "1e999", "not_a_number"),
    ("low", "", "empty_cell"),
    ("volume", "", "empty_cell"),
    ("volume", "-1", "bad_volume"),
    ("volume", "nan", "not_a_number"),
    ("low", "0", "not_positive"),
    ("open", "-100", "not_positive"),
    ("high", "1", "high_too_low"),
    ("low", "999999999", "low_too_high"),
    ("timestamp", "", "empty_cell"),
    ("timestamp", "yesterday", "bad_time"),
    ("timestamp", "17", "bad_time"),
    ("timestamp", "99999999999999999999", "bad_time"),
    ("timestamp", "1969-01-01", "bad_time"),
]


@pytest.mark.parametrize(("name", "cell", "code"), WRONG_CELLS)
@pytest.mark.parametrize("row", [1, 17, 300])
def test_a_wrong_cell_is_told_with_its_row(name: str, cell: str, code: str, row: int, tmp_path: Path) -> None:
    error = refusal(write_text(tmp_path / "a.csv", with_cell(row, name, cell)))
    assert (error.code, error.row) == (code, row)
    assert f"a.csv, row {row}: " in str(error)
    assert str(error).endswith(".")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "empty_cell"),
        (float("nan"), "not_a_number"),
        (float("inf"), "not_a_number"),
        (0.0, "not_positive"),
    ],
)
def test_a_wrong_value_in_parquet_is_told_with_its_row(value: float | None, code: str, tmp_path: Path) -> None:
    figures: dict[str, Any] = columns(WALK)
    figures["low"][41] = value
    times = pa.array(_times(WALK, int))
    parquet.write_table(pa.table({"timestamp": times, **figures}), tmp_path / "a.parquet")
    error = refusal(tmp_path / "a.parquet")
    assert (error.code, error.row) == (code, 42)


def test_an_empty_time_in_parquet_is_told_with_its_row(tmp_path: Path) -> None:
    times = pa.array([None if at == 9 else candle.time_ms for at, candle in enumerate(WALK)], pa.int64())
    parquet.write_table(_frame(WALK, times), tmp_path / "a.parquet")
    error = refusal(tmp_path / "a.parquet")
    assert (error.code, error.row) == ("empty_cell", 10)


@pytest.mark.parametrize("rising", [True, False])
@pytest.mark.parametrize(("name", "code"), [("high", "high_too_low"), ("low", "low_too_high")])
def test_a_high_or_low_inside_the_body_is_refused(name: str, code: str, rising: bool, tmp_path: Path) -> None:
    figures = {"open": 101, "high": 110, "low": 90, "close": 103} | {name: 102}
    if not rising:
        figures |= {"open": 103, "close": 101}
    wrong = changed(WALK, 3, **{field: Decimal(figure) for field, figure in figures.items()})
    error = refusal(write_parquet(tmp_path / "a.parquet", wrong))
    assert (error.code, error.row) == (code, 3)


def test_the_first_wrong_row_is_told_whatever_is_wrong_with_it(tmp_path: Path) -> None:
    candles = changed(changed(WALK, 200, volume=Decimal(-1)), 100, high=Decimal(1))
    candles = changed(candles, 150, time_ms=START_MS)
    assert refusal(write_parquet(tmp_path / "a.parquet", candles)).row == 100


def test_a_price_wrong_by_less_than_a_float_shows_is_told(tmp_path: Path) -> None:
    text = f"{HEADER}\n{START_MS},1.00000000000000000002,1.00000000000000000001,1,1,1\n{START_MS + 60_000},1,1,1,1,1\n"
    error = refusal(write_text(tmp_path / "a.csv", text))
    assert (error.code, error.row) == ("high_too_low", 1)


def test_a_repeated_time_names_the_row_it_repeats(tmp_path: Path) -> None:
    candles = [*WALK[:120], WALK[30], *WALK[120:]]
    error = refusal(write_parquet(tmp_path / "a.parquet", candles))
    assert (error.code, error.row) == ("repeated_time", 121)
    assert "of row 31 with the same prices" in str(error)


def test_a_time_before_the_last_one_is_told_with_its_row(tmp_path: Path) -> None:
    candles = changed(WALK, 88, time_ms=START_MS + 1)
    error = refusal(write_parquet(tmp_path / "a.parquet", candles))
    assert (error.code, error.row) == ("not_rising", 88)


def test_a_file_with_the_newest_candle_first_is_refused_and_can_be_sorted(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", csv_text(WALK[::-1]))
    error = refusal(path)
    assert (error.code, error.row) == ("newest_first", 2)
    assert "`autogrid data import FILE`" in str(error)
    must_equal(read_tape([path], sort=True), WALK)


def test_sorting_leaves_out_repeated_rows_but_not_those_that_disagree(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", [*WALK[100:], *WALK[:150]])
    must_equal(read_tape([path], sort=True), WALK)
    other = changed(WALK, 8, volume=Decimal(77))
    error = refusal(write_parquet(tmp_path / "b.parquet", [*WALK[100:], *WALK[:150], other[7]]), sort=True)
    assert (error.code, error.row) == ("repeated_time", 351)


def test_missing_columns_are_named_with_those_found(tmp_path: Path) -> None:
    text = csv_text(WALK, "when,open,high,low,last,volume")
    error = refusal(write_text(tmp_path / "a.csv", text))
    assert error.code == "missing_column"
    assert "timestamp, close" in str(error)
    assert "when, open, high, low, last, volume" in str(error)
    table = pa.table({"timestamp": [1], "open": [1.0]})
    parquet.write_table(table, tmp_path / "a.parquet")
    assert "high, low, close, volume" in str(refusal(tmp_path / "a.parquet"))


def test_a_column_of_another_kind_is_refused(tmp_path: Path) -> None:
    times = pa.array(_times(WALK, int))
    table = pa.table({"timestamp": times, **columns(WALK), "close": [True] * len(WALK)})
    parquet.write_table(table, tmp_path / "a.parquet")
    assert refusal(tmp_path / "a.parquet").code == "not_a_number"
    table = pa.table({"timestamp": [[1]] * len(WALK), **columns(WALK)})
    parquet.write_table(table, tmp_path / "b.parquet")
    assert refusal(tmp_path / "b.parquet").code == "bad_time"


CONTENTS: dict[str, Callable[[Path], bytes]] = {
    "parquet": lambda path: write_parquet(path, WALK).read_bytes(),
    "feather": lambda path: write_feather(path, WALK).read_bytes(),
    "gz": lambda _: gzipped(csv_text(WALK).encode()),
    "zip": lambda _: zipped("a.csv", csv_text(WALK).encode()),
    "json": lambda _: klines_json(WALK).encode(),
}


@pytest.mark.parametrize("form", CONTENTS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_file_that_was_cut_off_is_refused(form: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / f"a.{form}"
    content = CONTENTS[form](path)
    path.write_bytes(content[: int(len(content) * share)])
    assert refusal(path).code == "cut_off"


def test_a_csv_that_was_cut_off_names_its_last_row(tmp_path: Path) -> None:
    text = csv_text(WALK[:100]).rstrip("\n").rsplit(",", 2)[0]
    error = refusal(write_text(tmp_path / "a.csv", text))
    assert (error.code, error.row) == ("crooked_row", 100)
    archive = archive_text(WALK[:100]).rstrip("\n").rsplit(",", 2)[0]
    assert refusal(write_text(tmp_path / "b.csv", archive)).row == 100


def test_a_row_with_too_many_cells_is_told(tmp_path: Path) -> None:
    lines = csv_text(WALK).splitlines()
    lines[9] += ",1"
    assert refusal(write_text(tmp_path / "a.csv", "\n".join(lines))).row == 9


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (HEADER.encode() + b"\n", "empty"),
        (b"[]", "empty"),
        (gzipped(b""), "empty"),
        (csv_text(WALK[:1]).encode(), "too_few"),
        (b'{"code": -1121}', "unknown_format"),
        (b"<html><body>not found</body></html>", "unknown_format"),
        (bytes(range(256)), "unknown_format"),
        (csv_text(WALK).encode("utf-16"), "unknown_format"),
        (zipped("readme.md", b"x"), "unknown_format"),
        (b"hello", "missing_column"),
        (b"[[1, 2], 3]", "crooked_row"),
        (b'[{"time": 1, "open": 2}]', "missing_column"),
    ],
)
def test_what_holds_no_candles_is_refused(content: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert refusal(path).code == code


def test_an_empty_parquet_is_refused(tmp_path: Path) -> None:
    assert refusal(write_parquet(tmp_path / "a.parquet", [])).code == "empty"


def test_a_zip_must_hold_one_file(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped("a.csv", b"") + b"")
    assert refusal(tmp_path / "a.zip").code == "empty"


def test_what_is_not_there_or_a_directory_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.csv").code == "not_found"
    assert refusal(tmp_path).code == "is_directory"
    with pytest.raises(UnableToReadCandles, match="No file"):
        read_tape([])
