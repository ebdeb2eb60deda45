"""Candles in: every form gives the same tape, prices are exact, and what is wrong is told with its row."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from autogrid.backtesting.candle_faults import UnableToReadCandles, utc
from autogrid.backtesting.candle_prices import decimals_of, floats_of, whole_units
from autogrid.backtesting.candle_warnings import Gap
from autogrid.backtesting.tapes import Tape, read_tape
from tests.candles import (
    HEADER,
    HOUR_MS,
    MINUTE_MS,
    START_MS,
    Candles,
    archive_text,
    changed,
    columns,
    csv_text,
    gzipped,
    iso,
    klines_json,
    random_walk,
    without,
    write_feather,
    write_parquet,
    write_text,
    zipped,
)

SHARED = Path(__file__).parents[2] / "../shared/data"
WALK = random_walk(7, 300)
DAY_S = 86_400


def prices_of(tape: Tape) -> list[list[Decimal]]:
    """Not by multiplying: that would round to the context's 28 digits."""
    exponent = tape.unit.as_tuple().exponent
    return [[Decimal(f"{units}e{exponent}") for units in row] for row in tape.prices.tolist()]


def must_equal(tape: Tape, candles: Candles) -> None:
    assert tape.times.tolist() == [candle.time_ms for candle in candles]
    assert prices_of(tape) == [list(candle.prices) for candle in candles]
    assert tape.volumes.tolist() == [float(candle.volume) for candle in candles]


def refusal(path: Path, **how: Any) -> UnableToReadCandles:
    with pytest.raises(UnableToReadCandles) as caught:
        read_tape([path], **how)
    assert path.name in str(caught.value)
    return caught.value


# --- forms --------------------------------------------------------------------------------------------------


def _frame(candles: Candles, times: pa.Array) -> pa.Table:
    return pa.table({"timestamp": times, **columns(candles)})


def _times(candles: Candles, times: Callable[[int], object]) -> list[Any]:
    return [times(candle.time_ms) for candle in candles]


def _decimal_table(candles: Candles) -> pa.Table:
    figures = {
        name: pa.array([getattr(candle, name) for candle in candles], pa.decimal128(30, 10))
        for name in ("open", "high", "low", "close", "volume")
    }
    return pa.table({"time": pa.array(_times(candles, int)), **figures})


CSV_FORMS: dict[str, Callable[[Candles], str]] = {
    "milliseconds": csv_text,
    "seconds": lambda candles: csv_text(candles, time=lambda ms: str(ms // 1000)),
    "microseconds": lambda candles: csv_text(candles, time=lambda ms: f"{ms}000"),
    "nanoseconds": lambda candles: csv_text(candles, time=lambda ms: f"{ms}000000"),
    "seconds as floats": lambda candles: csv_text(candles, time=lambda ms: f"{ms / 1000:.1f}"),
    "exponent": lambda candles: csv_text(candles, time=lambda ms: f"{Decimal(ms):.12E}"),
    "iso with Z": lambda candles: csv_text(candles, "date,open,high,low,close,volume", iso),
    "iso without offset": lambda candles: csv_text(candles, time=lambda ms: iso(ms)[:-1].replace("T", " ")),
    "iso with fraction": lambda candles: csv_text(candles, time=lambda ms: iso(ms)[:-1] + ".000000"),
    "iso with offset": lambda candles: csv_text(candles, time=lambda ms: _at_offset(ms, -4)),
    "iso with changing offset": lambda candles: csv_text(
        candles, time=lambda ms: iso(ms) if ms % 7 else _at_offset(ms, 2)
    ),
    "iso with UTC": lambda candles: csv_text(candles, time=lambda ms: f"{iso(ms)[:-1]} UTC"),
    "capitals": lambda candles: csv_text(candles, "Datetime,Open,HIGH,Low,Close,Volume"),
    "spaces in names": lambda candles: csv_text(candles, "Open Time, Open, High, Low, Close, Volume"),
    "semicolons": lambda candles: csv_text(candles).replace(",", ";"),
    "tabs": lambda candles: csv_text(candles).replace(",", "\t"),
    "quotes": lambda candles: csv_text(candles, '"timestamp","open","high","low","close","volume"'),
    "byte order mark": lambda candles: "\ufeff" + csv_text(candles),
    "carriage returns": lambda candles: csv_text(candles).replace("\n", "\r\n"),
    "no line end at the end": lambda candles: csv_text(candles).rstrip("\n"),
    "blank lines": lambda candles: "\n\n" + csv_text(candles).replace("\n", "\n\n"),
    "blanks around numbers": lambda candles: csv_text(candles).replace(",", ", ").replace(" open", "open"),
    "more columns": lambda candles: csv_text(candles, HEADER + ",trades,close_time", extra=",12,"),
    "archive in ms": archive_text,
    "archive in µs": lambda candles: archive_text(candles, 1000),
    "archive that changes to µs": lambda candles: (
        archive_text(candles[:150]) + archive_text(candles[150:], 1000)
    ),
    "klines": klines_json,
    "ccxt rows": lambda candles: str([list(candle.row) for candle in candles]),
}


def _at_offset(ms: int, hours: int) -> str:
    text = iso(ms + hours * HOUR_MS)[:-1].replace("T", " ")
    return f"{text}{'-' if hours < 0 else '+'}{abs(hours):02d}:00"


@pytest.mark.parametrize("form", CSV_FORMS)
def test_every_form_of_text_gives_the_same_tape(form: str, tmp_path: Path) -> None:
    tape = read_tape([write_text(tmp_path / "candles.csv", CSV_FORMS[form](WALK))])
    must_equal(tape, WALK)
    assert (tape.unit, tape.interval_ms, tape.gaps, tape.warnings) == (Decimal("0.01"), MINUTE_MS, (), ())
    assert tape.prices.flags.c_contiguous
    assert tape.prices.dtype == np.int64


@pytest.mark.parametrize("name", ["candles.csv.gz", "BTCUSDT-1m-2025-05.zip", "named.wrongly"])
def test_packed_text_is_told_by_its_first_bytes(name: str, tmp_path: Path) -> None:
    content = archive_text(WALK, 1000).encode()
    path = tmp_path / name
    path.write_bytes(zipped("BTCUSDT-1m-2025-05.csv", content) if "zip" in name else gzipped(content))
    must_equal(read_tape([path]), WALK)


TABLES: dict[str, Callable[[Candles], pa.Table]] = {
    "ms as int64": lambda candles: _frame(candles, pa.array(_times(candles, int))),
    "seconds as int32": lambda candles: _frame(
        candles, pa.array(_times(candles, lambda ms: ms // 1000), pa.int32())
    ),
    "seconds as double": lambda candles: _frame(candles, pa.array(_times(candles, lambda ms: ms / 1000))),
    "ns as int64": lambda candles: _frame(candles, pa.array(_times(candles, lambda ms: ms * 10**6))),
    "text": lambda candles: _frame(candles, pa.array(_times(candles, iso))),
    "dictionary of text": lambda candles: _frame(candles, pa.array(_times(candles, iso)).dictionary_encode()),
    "timestamps without zone": lambda candles: _frame(
        candles, pa.array(_times(candles, int), pa.timestamp("ms"))
    ),
    "decimals": _decimal_table,
}


@pytest.mark.parametrize("form", TABLES)
def test_every_form_of_parquet_gives_the_same_tape(form: str, tmp_path: Path) -> None:
    parquet.write_table(TABLES[form](WALK), tmp_path / "candles.parquet")
    must_equal(read_tape([tmp_path / "candles.parquet"]), WALK)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_freqtrade_feather_is_read(unit: str, tmp_path: Path) -> None:
    must_equal(read_tape([write_feather(tmp_path / "BTC_USDT-1m.feather", WALK, unit)]), WALK)


def test_short_floats_stand_for_their_own_text(tmp_path: Path) -> None:
    candles = random_walk(3, 50, price="0.5", tick="0.0001")
    figures = {name: pa.array(column, pa.float32()) for name, column in columns(candles).items()}
    table = pa.table({"time": pa.array(_times(candles, int)), **figures})
    parquet.write_table(table, tmp_path / "a.parquet")
    tape = read_tape([tmp_path / "a.parquet"])
    assert prices_of(tape) == [list(candle.prices) for candle in candles]


# --- exact prices -------------------------------------------------------------------------------------------

any_price = st.floats(min_value=1e-12, max_value=1e15, allow_nan=False, allow_subnormal=False)


@given(st.lists(any_price, min_size=1, max_size=20), st.integers(0, 14))
def test_units_are_the_shortest_text_of_every_float(prices: list[float], at_least: int) -> None:
    units, decimals = whole_units(np.array(prices), None, at_least)
    assert [Decimal(whole).scaleb(-decimals) for whole in units.tolist()] == [
        Decimal(repr(price)) for price in prices
    ]
    assert decimals >= at_least
    least = max(-int(Decimal(repr(price)).normalize().as_tuple().exponent) for price in prices)
    assert decimals == max(0, at_least, least)


@given(st.lists(st.integers(1, 10**14), min_size=1, max_size=50), st.integers(0, 12))
def test_prices_on_a_tick_go_to_units_and_back(wholes: list[int], decimals: int) -> None:
    prices = np.array([float(Decimal(whole).scaleb(-decimals)) for whole in wholes])
    units, found = whole_units(prices, None, decimals)
    assert units.dtype == np.int64
    assert units.tolist() == wholes
    assert found == decimals
    assert floats_of(units, Decimal(1).scaleb(-found)).tolist() == prices.tolist()


@given(st.lists(any_price, min_size=1, max_size=20))
def test_floats_of_units_are_the_floats_they_came_from(prices: list[float]) -> None:
    units, decimals = whole_units(np.array(prices), None, 0)
    assert floats_of(units, Decimal(1).scaleb(-decimals)).tolist() == prices


def test_a_late_finer_price_counts() -> None:
    prices = np.full(50_000, 100.5)
    prices[49_999] = 100.12345678
    units, decimals = whole_units(prices, None, 0)
    assert (decimals, units[0], units[-1]) == (8, 10_050_000_000, 10_012_345_678)


def test_what_int64_cannot_hold_is_kept_in_python_ints(tmp_path: Path) -> None:
    candles = changed(random_walk(5, 20), 20, high=Decimal("123456789.123456789012345678901"))
    tape = read_tape([write_text(tmp_path / "a.csv", csv_text(candles))])
    assert tape.prices.dtype == object
    assert tape.unit == Decimal("1e-21")
    must_equal(tape, candles)


@pytest.mark.parametrize(
    "text", ["0.1000000000000000055511151231257827", "100000.00000000000001", "9007199254740993"]
)
def test_text_with_more_digits_than_a_float_has_keeps_them(text: str, tmp_path: Path) -> None:
    rows = [f"{START_MS + at * MINUTE_MS},{text},{text},{text},{text},1" for at in range(3)]
    tape = read_tape([write_text(tmp_path / "a.csv", "\n".join([HEADER, *rows]))])
    assert prices_of(tape)[1][2] == Decimal(text)


def test_computed_prices_of_seventeen_digits_are_exact(tmp_path: Path) -> None:
    chance = np.random.default_rng(11)
    closes = 42_000 * np.exp(np.cumsum(chance.normal(0, 0.001, 500)))
    table = pa.table(
        {
            "timestamp": START_MS + np.arange(500) * MINUTE_MS,
            **dict.fromkeys(("open", "high", "low", "close"), closes),
            "volume": np.ones(500),
        }
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    tape = read_tape([tmp_path / "a.parquet"])
    assert [row[3] for row in prices_of(tape)] == decimals_of(closes).tolist()
    assert any("decimals" in warning for warning in tape.warnings) == (tape.unit < Decimal("1e-12"))


def test_more_decimals_can_be_asked_for(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", WALK)
    tape = read_tape([path], at_least_decimals=5)
    assert tape.unit == Decimal("0.00001")
    must_equal(tape, WALK)
    must_equal(read_tape([path], at_least_decimals=30), WALK)


# --- period and joining -------------------------------------------------------------------------------------


def test_the_first_day_is_included_and_the_last_one_whole(tmp_path: Path) -> None:
    candles = random_walk(9, 24 * 10, interval_ms=HOUR_MS)
    path = write_parquet(tmp_path / "a.parquet", candles)
    tape = read_tape([path], start=date(2025, 5, 22), end=date(2025, 5, 23))
    must_equal(tape, candles[48:96])
    assert (utc(tape.times[0]), utc(tape.times[-1])) == ("2025-05-22 00:00", "2025-05-23 23:00")
    must_equal(read_tape([path], start=date(2025, 5, 22)), candles[48:])
    must_equal(read_tape([path], end=date(2025, 5, 20)), candles[:24])


def test_a_period_without_candles_is_refused_with_what_there_is(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", WALK)
    error = refusal(path, start=date(2026, 1, 1))
    assert error.code == "none_in_period"
    assert "2025-05-20 00:00" in str(error)


def test_files_are_joined_by_time_in_any_order_and_format(tmp_path: Path) -> None:
    first = write_parquet(tmp_path / "z.parquet", WALK[:100])
    second = write_text(tmp_path / "b.csv", csv_text(WALK[80:200]))
    third = write_feather(tmp_path / "a.feather", WALK[200:])
    tape = read_tape([third, first, second])
    must_equal(tape, WALK)
    assert tape.source == "z.parquet, b.csv, a.feather"


def test_a_file_may_fill_the_hole_of_another(tmp_path: Path) -> None:
    holed = write_parquet(tmp_path / "a.parquet", without(WALK, slice(50, 60)))
    filling = write_parquet(tmp_path / "b.parquet", WALK[45:65])
    tape = read_tape([holed, filling])
    must_equal(tape, WALK)
    assert tape.gaps == ()


def test_files_of_different_decimals_are_joined_exactly(tmp_path: Path) -> None:
    long = changed(WALK[:100], 5, high=Decimal("123456789.123456789012345678901"))
    first = write_text(tmp_path / "a.csv", csv_text(long))
    second = write_parquet(tmp_path / "b.parquet", WALK[100:])
    must_equal(read_tape([first, second]), [*long, *WALK[100:]])


@pytest.mark.parametrize("figure", ["close", "volume"])
def test_files_that_disagree_are_refused_with_the_row(figure: str, tmp_path: Path) -> None:
    first = write_parquet(tmp_path / "a.parquet", WALK[:100])
    value = WALK[93].close if figure == "close" else WALK[93].volume
    other = changed(WALK[90:], 4, **{figure: value + (1 if figure == "volume" else 0)})
    if figure == "close":
        other = changed(WALK[90:], 4, close=value + Decimal("0.01"), high=WALK[93].high + 1)
    with pytest.raises(UnableToReadCandles) as caught:
        read_tape([first, write_parquet(tmp_path / "b.parquet", other)])
    assert (caught.value.code, caught.value.row) == ("files_disagree", 4)
    assert "b.parquet, row 4" in str(caught.value)
    assert "a.parquet" in str(caught.value)


def test_files_of_two_timeframes_are_not_joined(tmp_path: Path) -> None:
    minutes = write_parquet(tmp_path / "a.parquet", WALK)
    hours = write_parquet(tmp_path / "b.parquet", random_walk(1, 50, interval_ms=HOUR_MS))
    with pytest.raises(UnableToReadCandles, match=r"1m candles and b\.parquet 1h") as caught:
        read_tape([hours, minutes])
    assert caught.value.code == "mixed_timeframes"


# --- refused ------------------------------------------------------------------------------------------------

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
def test_a_wrong_value_in_parquet_is_told_with_its_row(
    value: float | None, code: str, tmp_path: Path
) -> None:
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


def test_the_first_wrong_row_is_told_whatever_is_wrong_with_it(tmp_path: Path) -> None:
    candles = changed(changed(WALK, 200, volume=Decimal(-1)), 100, high=Decimal(1))
    candles = changed(candles, 150, time_ms=START_MS)
    assert refusal(write_parquet(tmp_path / "a.parquet", candles)).row == 100


def test_a_price_wrong_by_less_than_a_float_shows_is_told(tmp_path: Path) -> None:
    text = (
        f"{HEADER}\n{START_MS},1.00000000000000000002,1.00000000000000000001,1,1,1\n"
        f"{START_MS + 60_000},1,1,1,1,1\n"
    )
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


# --- gaps and warnings --------------------------------------------------------------------------------------


def test_holes_are_counted_and_walked(tmp_path: Path) -> None:
    candles = without(WALK, slice(10, 15), slice(100, 101))
    tape = read_tape([write_parquet(tmp_path / "a.parquet", candles)])
    must_equal(tape, candles)
    assert tape.gaps == (Gap(WALK[9].time_ms, 5), Gap(WALK[99].time_ms, 1))
    (warning,) = tape.warnings
    assert warning.startswith(
        "2.00% of all candles are missing: 6 in 2 holes, the largest of 5 after 2025-05-20"
    )


def test_holes_of_one_length_are_told_as_lost_pages(tmp_path: Path) -> None:
    candles = without(random_walk(2, 3000), *(slice(at + 200, at + 1000) for at in (0, 1000, 2000)))
    tape = read_tape([write_parquet(tmp_path / "a.parquet", candles)])
    assert "2 of 2 holes are of exactly 800 candles" in tape.warnings[1]


def test_filled_outages_are_told(tmp_path: Path) -> None:
    flat = WALK[99].close
    figures = dict.fromkeys(("open", "high", "low", "close"), flat)
    candles = WALK
    for row in range(101, 113):
        candles = changed(candles, row, volume=Decimal(0), **figures)
    tape = read_tape([write_parquet(tmp_path / "a.parquet", candles)])
    assert "12 of them in a row from 2025-05-20 01:40 (row 101)" in tape.warnings[0]


def test_times_off_the_grid_are_told(tmp_path: Path) -> None:
    candles = random_walk(4, 50, start_ms=START_MS + 16_423)
    tape = read_tape([write_parquet(tmp_path / "a.parquet", candles)])
    assert "50 candles off the grid of 1m, first at 2025-05-20 00:00:16.423 (row 1)" in tape.warnings[0]


@pytest.mark.parametrize("days", [1, 3, 7])
def test_long_timeframes_are_on_the_grid_of_days(days: int, tmp_path: Path) -> None:
    candles = random_walk(4, 50, interval_ms=days * DAY_S * 1000)
    assert read_tape([write_parquet(tmp_path / "a.parquet", candles)]).warnings == ()


def test_months_have_no_holes(tmp_path: Path) -> None:
    starts = [datetime(2023 + month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in range(24)]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    candles = [
        changed([candle], 1, time_ms=(start - epoch) // timedelta(milliseconds=1))[0]
        for start, candle in zip(starts, random_walk(4, 24), strict=True)
    ]
    tape = read_tape([write_parquet(tmp_path / "a.parquet", candles)])
    assert tape.gaps == tape.warnings == ()


def test_a_price_that_doubles_within_a_minute_is_told(tmp_path: Path) -> None:
    candles = changed(WALK, 70, high=WALK[69].high * 3)
    tape = read_tape([write_parquet(tmp_path / "a.parquet", candles)])
    assert "leaps in 1 candle, first at 2025-05-20 01:09 (row 70" in tape.warnings[0]


def test_errors_pass_between_processes() -> None:
    error = UnableToReadCandles("empty", "a.csv is empty.", 3)
    again = error.__reduce__()
    assert isinstance(again, tuple)
    made = again[0](*again[1])
    assert (made.code, str(made), made.row) == ("empty", "a.csv is empty.", 3)


# --- real files ---------------------------------------------------------------------------------------------

BAD_FILES: dict[str, tuple[str | None, int | None, tuple[str, ...]]] = {
    # name: (code and row of the refusal, or none; what the warnings say)
    "BTCUSDT_15m_descending_local_time_offset.csv": ("newest_first", 2, ()),
    "binance_usdm_BTCUSDT_1h_two_500_bar_holes.feather": (
        None,
        None,
        ("1000 in 2 holes", "2 of 2 holes are of exactly 500 candles"),
    ),
    "binance_usdm_BTCUSDT_5m_silently_filled_outage.parquet": (
        None,
        None,
        ("14 of them in a row from 2024-10-28 20:00 (row 2545)",),
    ),
    "bybit_TESTNET_BTCUSDT_1m_page_holes.parquet": (
        None,
        None,
        ("79.86% of all candles are missing", "99 of 99 holes are of exactly 801", "(row 10647"),
    ),
    "bybit_linear_BNBUSDT_1m_page_holes.parquet": (
        None,
        None,
        ("79.86% of all candles are missing", "99 of 99 holes are of exactly 801"),
    ),
    "synthetic_named_real_data_DOGEUSDT_1h_head.csv": (
        None,
        None,
        ("1499 candles off the grid of 1h", "up to 18 decimals"),
    ),
    "synthetic_posing_as_binance_BTC_USDT-1h.feather": ("low_too_high", 8, ()),
    "tradingview_export_BTC_4h_short.csv": (None, None, ()),
}


@pytest.mark.skipif(not (SHARED / "bad").is_dir(), reason="the shared data are not beside the repository")
def test_every_bad_file_has_a_known_outcome() -> None:
    assert {path.name for path in (SHARED / "bad").iterdir()} == set(BAD_FILES)


@pytest.mark.skipif(not (SHARED / "bad").is_dir(), reason="the shared data are not beside the repository")
@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_are_told_or_walked(name: str) -> None:
    code, row, said = BAD_FILES[name]
    path = SHARED / "bad" / name
    if code is not None:
        error = refusal(path)
        assert (error.code, error.row) == (code, row)
        return
    tape = read_tape([path])
    assert len(tape.warnings) == len(said)
    for warning, part in zip(tape.warnings, said, strict=True):
        assert part in warning


@pytest.mark.skipif(not (SHARED / "raw").is_dir(), reason="the shared data are not beside the repository")
def test_the_same_candles_are_the_same_in_every_source() -> None:
    for name, whole in (
        ("finom_BTCUSDT_15m_2025-05-26.json", "binance_spot_BTCUSDT_15m_20241230-20250630.parquet"),
        ("finom_BTCUSDT_1h_2025-05.json", "binance_spot_BTCUSDT_1h_20240421-20250630.parquet"),
        ("freqtrade_XRP_ETH-1m.feather", "binance_spot_XRPETH_1m_20191011-20191013.parquet"),
        ("bybit_spot_BTC_USDT-1h.feather", "bybit_spot_BTCUSDT_1h_20241101-20250528.parquet"),
    ):
        part = read_tape([SHARED / "raw" / name])
        joined = read_tape([SHARED / "candles" / whole, SHARED / "raw" / name])
        alone = read_tape([SHARED / "candles" / whole])
        assert joined.times.tolist() == alone.times.tolist()
        assert joined.prices.tolist() == alone.prices.tolist()
        assert len(part) > 600


@pytest.mark.skipif(not (SHARED / "candles").is_dir(), reason="the shared data are not beside the repository")
def test_real_prices_are_the_shortest_text_of_their_floats() -> None:
    paths = sorted((SHARED / "candles").glob("*_1h_*.parquet"))
    assert paths
    for path in paths:
        tape = read_tape([path])
        floats = parquet.read_table(path)["close"].to_pylist()
        assert [row[3] for row in prices_of(tape)] == [Decimal(repr(price)) for price in floats]
