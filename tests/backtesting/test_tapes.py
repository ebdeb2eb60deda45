"""Candles in: every form gives the same tape, and files are joined and cut by time."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from autogrid.backtesting.candle_faults import UnableToReadCandles, utc
from autogrid.backtesting.tapes import read_tape
from tests.candles import (
    HEADER,
    HOUR_MS,
    MINUTE_MS,
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
from tests.tape_checks import must_equal, prices_of, refusal

WALK = random_walk(7, 300)


# --- forms --------------------------------------------------------------------------------------------------


def _frame(candles: Candles, times: Any) -> pa.Table:
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
    "archive that changes to µs": lambda candles: archive_text(candles[:150]) + archive_text(candles[150:], 1000),
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
    "seconds as int32": lambda candles: _frame(candles, pa.array(_times(candles, lambda ms: ms // 1000), pa.int32())),
    "seconds as double": lambda candles: _frame(candles, pa.array(_times(candles, lambda ms: ms / 1000))),
    "ns as int64": lambda candles: _frame(candles, pa.array(_times(candles, lambda ms: ms * 10**6))),
    "text": lambda candles: _frame(candles, pa.array(_times(candles, iso))),
    "dictionary of text": lambda candles: _frame(candles, pa.array(_times(candles, iso)).dictionary_encode()),
    "timestamps without zone": lambda candles: _frame(candles, pa.array(_times(candles, int), pa.timestamp("ms"))),
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
