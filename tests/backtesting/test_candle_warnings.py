"""Holes are counted and walked; what is valid and yet odd is told; real files have known outcomes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pyarrow import parquet

from autogrid.backtesting.candle_faults import UnableToReadCandles
from autogrid.backtesting.candle_warnings import Gap
from autogrid.backtesting.tapes import read_tape
from tests.candles import (
    START_MS,
    changed,
    random_walk,
    without,
    write_parquet,
)
from tests.tape_checks import must_equal, prices_of, refusal

WALK = random_walk(7, 300)
DAY_S = 86_400
SHARED = Path(__file__).parents[2] / "../shared/data"


# --- gaps and warnings --------------------------------------------------------------------------------------


def test_holes_are_counted_and_walked(tmp_path: Path) -> None:
    candles = without(WALK, slice(10, 15), slice(100, 101))
    tape = read_tape([write_parquet(tmp_path / "a.parquet", candles)])
    must_equal(tape, candles)
    assert tape.gaps == (Gap(WALK[9].time_ms, 5), Gap(WALK[99].time_ms, 1))
    (warning,) = tape.warnings
    assert warning.startswith("2.00% of all candles are missing: 6 in 2 holes, the largest of 5 after 2025-05-20")


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
    assert (tape.gaps, tape.warnings) == ((), ())


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
