"""Candles as a person asks for them: download, import, list, check.

Rules: what was fetched is kept as it comes, so a download that breaks off goes on where it stood; what is stored is
never fetched again. Where candles come from is given: nothing here knows an exchange.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from autogrid.backtesting.candle_report import CandleReport, check
from autogrid.backtesting.candle_store import (
    Candle,
    CandleKey,
    StoredCandles,
    UnableToStoreCandles,
    list_stored,
    save,
    spans_to_fetch,
)
from autogrid.backtesting.candle_warnings import timeframe_name
from autogrid.backtesting.tapes import read_tape
from autogrid.services.candle_names import named

KEEP_ROWS = 20_000
"""So many fetched candles are kept at a time: each keeping writes the whole file."""
DAY_MS = 86_400_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Fetch = Callable[[CandleKey, int, int, Callable[[float], None]], AsyncGenerator[list[Candle], None]]
"""Pages of a key's candles from start_ms to before end_ms, UTC ms; tells the share that is done, 0 to 1.

Raises UnableToFetchCandles.
"""
Told = Callable[[int, float], None]
"""Candles fetched so far, and the share of what is to be fetched."""


class UnableToFetchCandles(Exception):
    """Candles that cannot be had; the text is one sentence for who asked.

    Codes: those of the download, `bad_period`, `none_in_period`.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What a download came to."""

    stored: StoredCandles
    """All that is stored of this market and timeframe now."""
    fetched: int
    """Candles that were not there before."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to."""

    stored: StoredCandles
    added: int
    """Candles that were not there before."""
    warnings: tuple[str, ...]
    """What should be known of the file, in sentences."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What a person says of a file's candles; None: what its name says."""

    exchange: str | None = None
    symbol: str | None = None
    timeframe: str | None = None


def period(first: date, last: date | None, now_ms: int) -> tuple[int, int]:
    """From the start of the day `first` to the end of the day `last`, UTC ms, the end not included; None: until now.

    Raises UnableToFetchCandles (`bad_period`).
    """
    start_ms = _midnight_ms(first)
    end_ms = now_ms if last is None else _midnight_ms(last) + DAY_MS
    if last is not None and last < first:
        raise UnableToFetchCandles("bad_period", f"--from {first} lies after --to {last}; exchange them.")
    if start_ms >= now_ms:
        raise UnableToFetchCandles("bad_period", f"--from {first} lies in the future; there are no candles yet.")
    return start_ms, min(end_ms, now_ms)


async def download(
    data_dir: Path, key: CandleKey, start_ms: int, end_ms: int, fetch: Fetch, told: Told = lambda _rows, _share: None
) -> Downloaded:
    """Fetch what is not stored yet of start_ms ≤ time < end_ms, and keep it.

    What came before a fault is kept. Raises UnableToFetchCandles, UnableToReadCandles where what came cannot be a
    candle or disagrees with what is stored, UnableToStoreCandles, OSError.
    """
    spans = _spans(data_dir, key, start_ms, end_ms)
    whole_ms, done_ms, before = sum(end - start for start, end in spans), 0, _rows(data_dir, key)
    keeping = _Keeping(data_dir, key)
    try:
        for start, end in spans:
            tell = _share_of(told, keeping, done_ms / whole_ms, (end - start) / whole_ms)
            async with aclosing(fetch(key, start, end, tell)) as pages:
                async for page in pages:
                    keeping.take(page)
            done_ms += end - start
    finally:
        keeping.keep()
    stored = _find(data_dir, key)
    if stored is None:
        raise UnableToFetchCandles(
            "none_in_period", f"{key.exchange} has no {key.timeframe} candles of {key.symbol} in that time."
        )
    return Downloaded(stored, stored.rows - before)


def import_file(data_dir: Path, path: Path, said: Naming, *, replace: bool = False) -> Imported:
    """Keep a file's candles, in whatever order they stand there, together with those that are stored.

    With `replace` the file's are taken where both differ. Raises UnableToReadCandles, UnableToStoreCandles (also
    where neither `said` nor the file's name tell whose candles these are), OSError.
    """
    tape = read_tape([path], sort=True)
    key = _key(path, said, tape.interval_ms)
    before = _rows(data_dir, key)
    save(data_dir, key, tape, replace=replace)
    stored = _find(data_dir, key)
    assert stored is not None
    return Imported(stored, stored.rows - before, tape.warnings)


def check_file(path: Path) -> CandleReport:
    """All that can be told of a file, its faulty rows among it."""
    return check(path)


def list_all(data_dir: Path) -> list[StoredCandles]:
    """All that is stored, by name."""
    return list_stored(data_dir)


class _Keeping:
    """Keeps pages, many at a time."""

    def __init__(self, data_dir: Path, key: CandleKey) -> None:
        self.rows = 0
        self._data_dir = data_dir
        self._key = key
        self._waiting: list[Candle] = []

    def take(self, page: list[Candle]) -> None:
        self.rows += len(page)
        self._waiting += page
        if len(self._waiting) >= KEEP_ROWS:
            self.keep()

    def keep(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            save(self._data_dir, self._key, waiting)


def _spans(data_dir: Path, key: CandleKey, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """What is not stored, but for rests beside stored candles that are too short for another one."""
    spans = spans_to_fetch(data_dir, key, start_ms, end_ms)
    if spans == [(start_ms, end_ms)]:
        return spans
    shortest = 28 * DAY_MS if key.timeframe.endswith("M") else key.interval_ms()
    return [(start, end) for start, end in spans if end - start >= shortest]


def _share_of(told: Told, keeping: _Keeping, done: float, part: float) -> Callable[[float], None]:
    return lambda share: told(keeping.rows, done + part * share)


def _key(path: Path, said: Naming, interval_ms: int) -> CandleKey:
    guess = named(path)
    exchange, symbol = said.exchange or guess.exchange, said.symbol or guess.symbol
    if guess.futures and said.exchange is None:
        raise UnableToStoreCandles(
            "not_spot",
            f"{path.name} seems to hold candles of futures, whose prices are not the spot market's; if it does not, "
            "say whose they are with --exchange and --symbol.",
        )
    for name, value, example in (("exchange", exchange, "binance"), ("symbol", symbol, "BTC/USDT")):
        if not value:
            raise UnableToStoreCandles(
                "no_name", f"{path.name} does not say of which {name} its candles are; add --{name} {example}."
            )
    timeframe = said.timeframe or guess.timeframe or _timeframe(interval_ms)
    return CandleKey(str(exchange).lower(), str(symbol).upper(), timeframe)


def _timeframe(interval_ms: int) -> str:
    return "1M" if 28 * DAY_MS <= interval_ms <= 31 * DAY_MS else timeframe_name(interval_ms)


def _find(data_dir: Path, key: CandleKey) -> StoredCandles | None:
    return next((one for one in list_stored(data_dir) if one.key == key), None)


def _rows(data_dir: Path, key: CandleKey) -> int:
    stored = _find(data_dir, key)
    return stored.rows if stored else 0


def _midnight_ms(day: date) -> int:
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
