"""Candles that are kept: merged, never half written, found again; and what a check tells of a file."""

import resource
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from autogrid.backtesting.candle_faults import UnableToReadCandles
from autogrid.backtesting.candle_report import check
from autogrid.backtesting.candle_store import (
    CandleKey,
    UnableToStoreCandles,
    key_of,
    list_stored,
    load_path,
    save,
    spans_to_fetch,
)
from autogrid.backtesting.tapes import read_tape
from tests.candles import (
    HOUR_MS,
    MINUTE_MS,
    START_MS,
    changed,
    csv_text,
    random_walk,
    without,
    write_parquet,
    write_text,
)

KEY = CandleKey("binance", "BTC/USDT", "1m")
WALK = random_walk(3, 200)
ROWS = [candle.row for candle in WALK]


def stored_rows(path: Path) -> list[tuple[float, ...]]:
    table = parquet.read_table(path)
    assert table.column_names == ["timestamp", "open", "high", "low", "close", "volume"]
    return list(zip(*table.to_pydict().values(), strict=True))


def test_rows_are_stored_under_the_name_of_their_market(tmp_path: Path) -> None:
    path = save(tmp_path, KEY, ROWS)
    assert path == tmp_path / "candles" / "binance_BTC-USDT_1m.parquet"
    assert stored_rows(path) == ROWS
    assert load_path(tmp_path, KEY) == path
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_imported_file_is_stored_sorted_with_the_very_same_prices(tmp_path: Path) -> None:
    file = write_text(tmp_path / "a.csv", csv_text(WALK[::-1]))
    path = save(tmp_path, KEY, read_tape([file], sort=True))
    assert stored_rows(path) == ROWS


def test_what_is_stored_grows_in_both_directions_and_overlaps(tmp_path: Path) -> None:
    for part in (ROWS[80:120], ROWS[100:], ROWS[:90], ROWS[20:30], []):
        path = save(tmp_path, KEY, part)
    assert stored_rows(path) == ROWS


def test_a_single_candle_is_kept_too(tmp_path: Path) -> None:
    save(tmp_path, KEY, ROWS[:1])
    assert stored_rows(save(tmp_path, KEY, ROWS[1:2])) == ROWS[:2]


def test_what_disagrees_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    path = save(tmp_path, KEY, ROWS[:100])
    other = [candle.row for candle in changed(WALK[50:], 7, volume=Decimal(5))]
    with pytest.raises(UnableToReadCandles) as caught:
        save(tmp_path, KEY, other)
    assert caught.value.code == "files_disagree"
    assert stored_rows(path) == ROWS[:100]
    save(tmp_path, KEY, other, replace=True)
    assert stored_rows(path) == [*ROWS[:50], *other]


@pytest.mark.parametrize("broken", [{"high": Decimal(1)}, {"low": Decimal(0)}, {"time_ms": START_MS}])
def test_rows_that_are_no_candles_are_not_stored(broken: dict[str, Decimal | int], tmp_path: Path) -> None:
    rows = [candle.row for candle in changed(WALK, 9, **broken)]
    with pytest.raises(UnableToReadCandles) as caught:
        save(tmp_path, KEY, rows)
    assert caught.value.row == 9
    assert not KEY.path(tmp_path).exists()


def test_a_tape_of_another_timeframe_is_not_stored(tmp_path: Path) -> None:
    tape = read_tape([write_parquet(tmp_path / "a.parquet", random_walk(1, 9, interval_ms=HOUR_MS))])
    with pytest.raises(UnableToStoreCandles, match="1h candles, not 1m") as caught:
        save(tmp_path, KEY, tape)
    assert caught.value.code == "wrong_timeframe"


def test_prices_that_a_float_cannot_keep_are_not_stored(tmp_path: Path) -> None:
    long = changed(WALK, 4, high=Decimal("123456789.12345678901234567"))
    tape = read_tape([write_text(tmp_path / "a.csv", csv_text(long))])
    with pytest.raises(UnableToStoreCandles) as caught:
        save(tmp_path, KEY, tape)
    assert caught.value.code == "too_many_digits"


def test_who_reads_while_another_writes_sees_the_old_file(tmp_path: Path) -> None:
    path = save(tmp_path, KEY, ROWS[:50])
    before = path.read_bytes()
    with path.open("rb") as reader:
        save(tmp_path, KEY, ROWS)
        assert reader.read() == before
    assert stored_rows(path) == ROWS


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = save(tmp_path, KEY, ROWS[:20])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, before[1]))  # as if the disk were full
    try:
        with pytest.raises(OSError, match="File too large"):
            save(tmp_path, KEY, ROWS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert stored_rows(path) == ROWS[:20]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("exchange", "symbol", "timeframe"),
    [
        ("binance", "BTCUSDT", "1m"),
        ("binance", "BTC/USDT:USDT", "1m"),
        ("../x", "BTC/USDT", "1m"),
        ("binance", "../USDT", "1m"),
        ("binance", "BTC/USDT", "1x"),
        ("binance", "BTC/USDT", "0m"),
        ("", "BTC/USDT", "1m"),
    ],
)
def test_names_that_are_no_market_are_refused(exchange: str, symbol: str, timeframe: str) -> None:
    with pytest.raises(UnableToStoreCandles) as caught:
        CandleKey(exchange, symbol, timeframe)
    assert caught.value.code == "bad_name"


@given(
    st.sampled_from(["binance", "bybit", "mexc"]),
    st.sampled_from(["BTC/USDT", "1000SATS/USDT", "ETH/BTC", "币安人生/USDT"]),
    st.sampled_from(["1s", "1m", "15m", "4h", "1d", "1w", "1M", "3M"]),
)
def test_a_name_gives_its_market_back(exchange: str, symbol: str, timeframe: str) -> None:
    key = CandleKey(exchange, symbol, timeframe)
    assert key_of(key.path(Path("data"))) == key


def test_a_minute_and_a_month_have_names_that_differ_without_capitals() -> None:
    names = [CandleKey("binance", "BTC/USDT", frame).path(Path()).name.lower() for frame in ("1m", "1M")]
    assert len(set(names)) == 2


def test_stored_files_are_listed_with_their_holes(tmp_path: Path) -> None:
    assert list_stored(tmp_path) == []
    save(tmp_path, KEY, [candle.row for candle in without(WALK, slice(5, 8), slice(20, 21))])
    save(tmp_path, CandleKey("bybit", "ETH/USDT", "1h"), [candle.row for candle in WALK[:2]])
    (tmp_path / "candles" / "notes.parquet").write_bytes(b"")
    (tmp_path / "candles" / "mexc_BTC-USDT_1m.parquet").write_bytes(b"PAR1")
    first, second, third = list_stored(tmp_path)
    assert (first.key, first.rows, first.gaps, first.missing) == (KEY, 196, 2, 4)
    assert (first.first_ms, first.last_ms) == (START_MS, START_MS + 199 * MINUTE_MS)
    assert first.bytes == first.path.stat().st_size
    assert (second.key.symbol, second.fault) == ("ETH/USDT", None)
    assert third.fault is not None


def test_only_what_is_not_stored_is_to_be_fetched(tmp_path: Path) -> None:
    start, end = START_MS, START_MS + 10_000 * MINUTE_MS
    assert spans_to_fetch(tmp_path, KEY, start, end) == [(start, end)]
    long = random_walk(1, 9_000)
    holed = without(long, slice(0, 100), slice(500, 510), slice(3000, 5000))
    save(tmp_path, KEY, [candle.row for candle in holed])
    assert spans_to_fetch(tmp_path, KEY, start, end) == [
        (start, long[100].time_ms),
        (long[2999].time_ms + 1, long[5000].time_ms),
        (long[8999].time_ms + 1, end),
    ]
    assert spans_to_fetch(tmp_path, KEY, long[200].time_ms, long[400].time_ms) == []


# --- check --------------------------------------------------------------------------------------------------


def test_a_check_tells_everything_of_a_good_file(tmp_path: Path) -> None:
    candles = changed(without(random_walk(6, 300, tick="0.05"), slice(7, 9)), 20, volume=Decimal(0))
    report = check(write_parquet(tmp_path / "a.parquet", candles))
    assert report.good
    assert (report.rows, report.missing, report.zero_volume) == (298, 2, 1)
    assert (report.first_ms, report.interval_ms) == (START_MS, MINUTE_MS)
    assert (report.decimals, report.tick) == (2, Decimal("0.05"))
    assert len(report.warnings) == 1


def test_a_check_goes_on_after_the_first_fault(tmp_path: Path) -> None:
    candles = changed(changed(WALK, 5, high=Decimal(1)), 30, low=Decimal(-3))
    candles = changed(changed(candles, 60, time_ms=START_MS), 90, volume=Decimal(-1))
    lines = csv_text(candles).splitlines()
    lines[100] = "1,2,3"
    lines[120] = lines[120].rsplit(",", 1)[0] + ",much"
    report = check(write_text(tmp_path / "a.csv", "\n".join(lines)))
    assert not report.good
    assert [(fault.row, fault.code) for fault in report.faults] == [
        (5, "high_too_low"),
        (30, "not_positive"),
        (60, "repeated_time"),
        (90, "bad_volume"),
        (100, "crooked_row"),
        (120, "not_a_number"),
    ]
    assert report.fault_count == 6
    assert report.rows == 199


def test_a_check_tells_twenty_faults_and_counts_all(tmp_path: Path) -> None:
    candles = WALK
    for row in range(50, 150):
        candles = changed(candles, row, volume=Decimal(-1))
    report = check(write_parquet(tmp_path / "a.parquet", candles))
    assert [fault.row for fault in report.faults] == list(range(50, 70))
    assert report.fault_codes == {"bad_volume": 100}
    assert report.fault_count == 100


@pytest.mark.parametrize("content", [b"", b"PAR1xxxx", b"a,b\n1,2\n"])
def test_a_check_of_what_is_no_file_of_candles_says_why(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    report = check(tmp_path / "a.csv")
    assert not report.good
    assert report.unreadable is not None
    assert report.unreadable.startswith("a.csv")


def test_a_check_of_one_candle_says_that_two_are_needed(tmp_path: Path) -> None:
    report = check(write_parquet(tmp_path / "a.parquet", WALK[:1]))
    assert (report.rows, report.good) == (1, False)
