"""What a person can ask for about candles. The exchange here is made up, and so are its candles."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from autogrid.backtesting.candle_faults import UnableToReadCandles
from autogrid.backtesting.candle_store import Candle, CandleKey, UnableToStoreCandles
from autogrid.backtesting.tapes import read_tape
from autogrid.services.candle_names import NamedCandles, named
from autogrid.services.candles import (
    Downloaded,
    Naming,
    UnableToFetchCandles,
    check_file,
    download,
    import_file,
    list_all,
    period,
)
from tests.candles import (
    MINUTE_MS,
    START_MS,
    MadeCandle,
    archive_text,
    csv_text,
    random_walk,
    write_feather,
    write_parquet,
    write_text,
    zipped,
)

WALK = random_walk(11, 600)
KEY = CandleKey("binance", "BTC/USDT", "1m")
END_MS = START_MS + 600 * MINUTE_MS
NOTHING = Naming()
ALL = Naming("binance", "BTC/USDT", "1m")


@dataclass
class MadeExchange:
    """Gives candles in pages of 100; breaks off before the page `fails_at`."""

    fails_at: int | None = None
    asked: list[tuple[int, int]] = field(default_factory=list)
    closed: int = 0

    async def fetch(
        self, key: CandleKey, start_ms: int, end_ms: int, told: Callable[[float], None]
    ) -> AsyncGenerator[list[Candle], None]:
        self.asked.append((start_ms, end_ms))
        rows = [candle.row for candle in WALK if start_ms <= candle.time_ms < end_ms]
        try:
            for page, first in enumerate(range(0, len(rows), 100)):
                if page == self.fails_at:
                    raise UnableToFetchCandles("exchange_away", "binance cannot be reached, try again later.")
                yield rows[first : first + 100]
                told(min(1.0, (first + 100) / len(rows)))
        finally:
            self.closed += 1


def fetched(
    folder: Path, exchange: MadeExchange, start_ms: int = START_MS, end_ms: int = END_MS
) -> tuple[Downloaded, list[tuple[int, float]]]:
    told: list[tuple[int, float]] = []
    done = asyncio.run(
        download(folder, KEY, start_ms, end_ms, exchange.fetch, lambda rows, share: told.append((rows, share)))
    )
    return done, told


def times(path: Path) -> list[int]:
    found: list[int] = read_tape([path]).times.tolist()
    return found


def test_a_download_keeps_every_candle_and_tells_how_far_it_is(tmp_path: Path) -> None:
    done, told = fetched(tmp_path, MadeExchange())
    assert (done.fetched, done.stored.rows, done.stored.gaps) == (600, 600, 0)
    assert times(done.stored.path) == [candle.time_ms for candle in WALK]
    assert [rows for rows, _ in told] == [100, 200, 300, 400, 500, 600]
    assert [round(share, 3) for _, share in told] == [0.167, 0.333, 0.5, 0.667, 0.833, 1.0]


def test_what_is_stored_is_not_fetched_again(tmp_path: Path) -> None:
    fetched(tmp_path, MadeExchange())
    again = MadeExchange()
    done, _ = fetched(tmp_path, again)
    assert (done.fetched, done.stored.rows, again.asked) == (0, 600, [])


def test_a_download_that_broke_off_keeps_what_came_and_goes_on_from_there(tmp_path: Path) -> None:
    broken = MadeExchange(fails_at=3)
    with pytest.raises(UnableToFetchCandles, match="cannot be reached"):
        fetched(tmp_path, broken)
    assert broken.closed == 1
    assert list_all(tmp_path)[0].rows == 300
    whole = MadeExchange()
    done, _ = fetched(tmp_path, whole)
    assert (done.fetched, done.stored.rows) == (300, 600)
    assert whole.asked == [(START_MS + 299 * MINUTE_MS + 1, END_MS)]


def test_earlier_and_later_candles_are_fetched_around_those_that_are_there(tmp_path: Path) -> None:
    fetched(tmp_path, MadeExchange(), START_MS + 200 * MINUTE_MS, START_MS + 400 * MINUTE_MS)
    done, told = fetched(tmp_path, MadeExchange())
    assert (done.fetched, done.stored.rows, done.stored.gaps) == (400, 600, 0)
    assert (told[-1][0], round(told[-1][1], 6)) == (400, 1.0)
    assert [share for _, share in told] == sorted(share for _, share in told)


def test_a_time_without_candles_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnableToFetchCandles, match="no 1m candles of BTC/USDT") as caught:
        fetched(tmp_path, MadeExchange(), END_MS, END_MS + MINUTE_MS)
    assert caught.value.code == "none_in_period"


def test_a_candle_that_cannot_be_one_is_not_kept(tmp_path: Path) -> None:
    async def fetch(
        key: CandleKey, start_ms: int, end_ms: int, told: Callable[[float], None]
    ) -> AsyncGenerator[list[Candle], None]:
        yield [(START_MS, 100.0, 99.0, 98.0, 98.5, 1.0)]

    with pytest.raises(UnableToReadCandles):
        asyncio.run(download(tmp_path, KEY, START_MS, END_MS, fetch))
    assert list_all(tmp_path) == []


DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("last", "now_ms", "expected"),
    [
        (date(2025, 5, 20), START_MS + 9 * DAY_MS, (START_MS, START_MS + DAY_MS)),
        (date(2025, 5, 21), START_MS + 9 * DAY_MS, (START_MS, START_MS + 2 * DAY_MS)),
        (date(2025, 5, 21), START_MS + 5, (START_MS, START_MS + 5)),
        (None, START_MS + 5, (START_MS, START_MS + 5)),
    ],
)
def test_the_last_day_is_included_whole_and_ends_now_at_the_latest(
    last: date | None, now_ms: int, expected: tuple[int, int]
) -> None:
    assert period(date(2025, 5, 20), last, now_ms) == expected


@pytest.mark.parametrize(
    ("last", "now_ms", "says"),
    [(date(2025, 5, 19), START_MS + DAY_MS, "lies after --to"), (None, START_MS - 1, "lies in the future")],
)
def test_a_period_that_holds_nothing_is_refused(last: date | None, now_ms: int, says: str) -> None:
    with pytest.raises(UnableToFetchCandles, match=says):
        period(date(2025, 5, 20), last, now_ms)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("binance_spot_BTCUSDT_1m_20250520-20250630.parquet", ("binance", "BTC/USDT", "1m", False)),
        ("mexc_spot_ETHUSDT_1h_20260501-20260604.parquet", ("mexc", "ETH/USDT", "1h", False)),
        ("coinbase_spot_BTC-USD_1h_20200101-20221231.parquet", ("coinbase", "BTC/USD", "1h", False)),
        ("binance_spot_XRPETH_5m_20191011-20191013.parquet", ("binance", "XRP/ETH", "5m", False)),
        ("BTCUSDT-1m-2024-01.zip", ("binance", "BTC/USDT", "1m", False)),
        ("SHIBUSDT-1mo-2024-01.zip", ("binance", "SHIB/USDT", "1M", False)),
        ("BTCUSDT-1s-2024-01-31.csv.gz", ("binance", "BTC/USDT", "1s", False)),
        ("data/bybit/BTC_USDT-1h.feather", ("bybit", "BTC/USDT", "1h", False)),
        ("BTC_USDT-1h.feather", (None, "BTC/USDT", "1h", False)),
        ("binance/futures/BTC_USDT_USDT-1h-futures.feather", ("binance", "BTC/USDT", "1h", True)),
        ("BTC_USDT_USDT-1h.feather", (None, "BTC/USDT", "1h", True)),
        ("binance_usdm_BTCUSDT_1m_20250504-20250603.parquet", ("binance", "BTC/USDT", "1m", True)),
        ("binance_BTC-USDT_1mo.parquet", ("binance", "BTC/USDT", "1M", False)),
        ("bybit_1000SATS-USDT_15m.parquet", ("bybit", "1000SATS/USDT", "15m", False)),
        ("ethbtc.csv", (None, "ETH/BTC", None, False)),
        ("candles.csv", (None, None, None, False)),
        ("export_2024.csv", (None, None, None, False)),
    ],
)
def test_a_name_says_whose_candles_a_file_holds(
    path: str, expected: tuple[str | None, str | None, str | None, bool]
) -> None:
    assert named(Path(path)) == NamedCandles(*expected)


def test_a_file_is_imported_by_its_name(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "bybit_spot_BTCUSDT_1m_20250520.parquet", WALK)
    done = import_file(tmp_path / "kept", file, NOTHING)
    assert done.stored.key == CandleKey("bybit", "BTC/USDT", "1m")
    assert (done.added, done.stored.rows, done.warnings) == (600, 600, ())
    assert times(done.stored.path) == [candle.time_ms for candle in WALK]


def test_an_archive_and_a_feather_file_join(tmp_path: Path) -> None:
    archive = tmp_path / "BTCUSDT-1m-2025-05.zip"
    archive.write_bytes(zipped("BTCUSDT-1m-2025-05.csv", archive_text(WALK[:400]).encode()))
    folder = tmp_path / "binance"
    folder.mkdir()
    feather = write_feather(folder / "BTC_USDT-1m.feather", WALK[300:])
    first = import_file(tmp_path / "kept", archive, NOTHING)
    second = import_file(tmp_path / "kept", feather, NOTHING)
    assert first.stored.path == second.stored.path
    assert (first.added, second.added, second.stored.rows) == (400, 200, 600)


def test_what_a_person_says_wins_over_the_name(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "binance_spot_BTCUSDT_1h_2025.parquet", WALK)
    done = import_file(tmp_path, file, Naming("MEXC", "eth/usdt", "1m"))
    assert done.stored.key == CandleKey("mexc", "ETH/USDT", "1m")


def test_the_timeframe_is_read_off_the_times_where_nobody_says_it(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "walk.parquet", WALK)
    assert import_file(tmp_path, file, Naming("binance", "BTC/USDT")).stored.key.timeframe == "1m"
    months = [  # 31 days of January, 28 of February, 31 of March
        MadeCandle(START_MS + day * DAY_MS, *(one.prices[0],) * 4, one.volume)
        for day, one in zip((0, 31, 59, 90), WALK, strict=False)
    ]
    monthly = write_parquet(tmp_path / "months.parquet", months)
    assert import_file(tmp_path, monthly, Naming("binance", "BTC/USDT")).stored.key.timeframe == "1M"


@pytest.mark.parametrize(
    ("name", "said", "says"),
    [
        ("candles.parquet", NOTHING, "--exchange binance"),
        ("candles.parquet", Naming("binance"), "--symbol BTC/USDT"),
        ("binance_spot_BTCUSDT_1h.parquet", NOTHING, "holds 1m candles, not 1h"),
        ("binance_usdm_BTCUSDT_1m.parquet", NOTHING, "futures"),
        ("candles.parquet", Naming("../..", "BTC/USDT", "1m"), "is no exchange"),
    ],
)
def test_an_import_that_cannot_be_named_is_refused_with_what_would_be_right(
    tmp_path: Path, name: str, said: Naming, says: str
) -> None:
    file = write_parquet(tmp_path / name, WALK)
    with pytest.raises(UnableToStoreCandles, match=says):
        import_file(tmp_path / "kept", file, said)
    assert list_all(tmp_path / "kept") == []


def test_a_file_with_the_newest_first_is_sorted(tmp_path: Path) -> None:
    file = write_text(tmp_path / "walk.csv", csv_text(WALK[::-1]))
    done = import_file(tmp_path, file, ALL)
    assert times(done.stored.path) == [candle.time_ms for candle in WALK]


def test_candles_that_disagree_are_refused_unless_the_new_ones_are_to_be_taken(tmp_path: Path) -> None:
    import_file(tmp_path, write_parquet(tmp_path / "one.parquet", WALK), ALL)
    other = write_parquet(tmp_path / "other.parquet", random_walk(12, 600))
    with pytest.raises(UnableToReadCandles):
        import_file(tmp_path, other, ALL)
    assert import_file(tmp_path, other, ALL, replace=True).added == 0


def test_a_check_tells_faults_and_does_not_raise(tmp_path: Path) -> None:
    assert check_file(write_parquet(tmp_path / "good.parquet", WALK)).good
    assert not check_file(tmp_path / "none.csv").good
