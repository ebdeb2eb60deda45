"""Candles that were imported or downloaded, one Parquet file for each market and timeframe.

Rules: files stand in `<data_dir>/candles` and are called `binance_BTC-USDT_1m.parquet`; a month is `1mo`, so
that names differ where capitals do not count. What is stored and what comes must agree where they overlap. A
file is written beside its place and then moved there: a reader sees the old file or the new one. Two writers
at once are not foreseen: the later one wins.
"""

import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from autogrid.backtesting.candle_checks import check_order, check_values
from autogrid.backtesting.candle_faults import Faults, UnableToReadCandles
from autogrid.backtesting.candle_prices import decimals_of, floats_of
from autogrid.backtesting.candle_rows import CandleRows, merge, most_common_distance
from autogrid.backtesting.candle_warnings import find_gaps, timeframe_name
from autogrid.backtesting.tapes import Tape, read_rows

FOLDER = "candles"
UNIT_MS = {
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "M": 31 * 86_400_000,
}
TIMEFRAME = re.compile(r"([1-9]\d{0,2})([smhdwM])")
LARGE_HOLE = 1_000
"""Holes of so many candles are asked for again: a download may have been broken off there."""

Candle = tuple[int, float, float, float, float, float]
"""Open time in UTC ms, open, high, low, close, volume."""


class UnableToStoreCandles(Exception):
    """Candles that cannot be kept; the text is one sentence for their owner."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class CandleKey:
    """Whose candles: of which exchange, market and timeframe. Raises UnableToStoreCandles (`bad_name`)."""

    exchange: str
    """As ccxt calls it: `binance`."""
    symbol: str
    """`BTC/USDT`."""
    timeframe: str
    """`1m`, `1h`, `1d`, `1w`, `1M`."""

    def __post_init__(self) -> None:
        base, _, quote = self.symbol.partition("/")
        if not (self.exchange.isalnum() and base.isalnum() and quote.isalnum()):
            raise UnableToStoreCandles(
                "bad_name",
                f"'{self.exchange} {self.symbol}' is no exchange and spot market; right would be: binance BTC/USDT.",
            )
        if not TIMEFRAME.fullmatch(self.timeframe):
            raise UnableToStoreCandles(
                "bad_name", f"'{self.timeframe}' is no timeframe; right would be 1m, 5m, 1h, 1d, 1w or 1M."
            )

    def interval_ms(self) -> int:
        """The timeframe in ms; a month counts as 31 days."""
        number, unit = self.timeframe[:-1], self.timeframe[-1]
        return int(number) * UNIT_MS[unit]

    def path(self, data_dir: Path) -> Path:
        """Where these candles stand, or would."""
        timeframe = self.timeframe.replace("M", "mo")
        return data_dir / FOLDER / f"{self.exchange}_{self.symbol.replace('/', '-')}_{timeframe}.parquet"


@dataclass(frozen=True, slots=True)
class StoredCandles:
    """One stored file."""

    key: CandleKey
    path: Path
    rows: int
    first_ms: int
    """Open time of the first candle, UTC ms."""
    last_ms: int
    gaps: int
    """Holes."""
    missing: int
    """Candles missing in them."""
    bytes: int
    fault: str | None
    """Why the file cannot be read; all figures but `bytes` are 0 then."""


def save(data_dir: Path, key: CandleKey, candles: Tape | Sequence[Candle], *, replace: bool = False) -> Path:
    """Keep candles, together with those that are stored already, and give the file.

    Where both hold a candle they must agree; with `replace` the new one is taken. Raises UnableToReadCandles
    where a candle cannot be one, is not later than the one before, or disagrees; UnableToStoreCandles where a
    tape is of another timeframe, or a price has more digits than a float64 keeps.
    """
    path = key.path(data_dir)
    new = _rows_of_tape(candles, key) if isinstance(candles, Tape) else _rows_of_candles(candles, key)
    if not len(new):
        return path
    if path.exists():
        new = merge(_read_stored(path), new, replace_old=replace)
    _write(path, new)
    return path


def load_path(data_dir: Path, key: CandleKey) -> Path | None:
    """The file of these candles, if they are stored."""
    path = key.path(data_dir)
    return path if path.exists() else None


def list_stored(data_dir: Path) -> list[StoredCandles]:
    """All stored files by name; one that cannot be read says why."""
    paths = sorted((data_dir / FOLDER).glob("*.parquet"))
    return [_stored(key, path) for path in paths if (key := key_of(path))]


def spans_to_fetch(data_dir: Path, key: CandleKey, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """What of start_ms ≤ time < end_ms is not stored yet: before, after, and in holes of 1,000 candles.

    Smaller holes are taken for the exchange's own. Raises UnableToReadCandles.
    """
    path = load_path(data_dir, key)
    if path is None:
        return [(start_ms, end_ms)]
    times = _times(path)
    holes = np.flatnonzero(np.diff(times) > LARGE_HOLE * key.interval_ms())
    # From 1 ms after a candle: where the next one is, the exchange says.
    spans = [
        (start_ms, int(times[0])),
        *((int(times[at]) + 1, int(times[at + 1])) for at in holes),
        (int(times[-1]) + 1, end_ms),
    ]
    cut = ((max(start_ms, first), min(end_ms, last)) for first, last in spans)
    return [(first, last) for first, last in cut if first < last]


def key_of(path: Path) -> CandleKey | None:
    """Whose candles a file of this name holds; None where the name is another's."""
    parts = path.stem.split("_")
    if len(parts) != 3:
        return None
    exchange, symbol, timeframe = parts
    try:
        return CandleKey(exchange, symbol.replace("-", "/"), timeframe.replace("mo", "M"))
    except UnableToStoreCandles:
        return None


def _stored(key: CandleKey, path: Path) -> StoredCandles:
    size = path.stat().st_size
    try:
        times = _times(path)
    except UnableToReadCandles as error:
        return StoredCandles(key, path, 0, 0, 0, 0, 0, size, error.sentence)
    gaps = find_gaps(times, most_common_distance(times)) if len(times) > 1 else ()
    missing = sum(gap.missing for gap in gaps)
    return StoredCandles(key, path, len(times), int(times[0]), int(times[-1]), len(gaps), missing, size, None)


def _times(path: Path) -> NDArray[np.int64]:
    try:
        table = parquet.read_table(path, columns=["timestamp"], memory_map=False)
        times: NDArray[np.int64] = table["timestamp"].cast(pa.int64()).to_numpy()
    except (pa.ArrowException, OSError, KeyError) as error:
        sentence = f"{path.name} cannot be read; remove it and fetch the candles anew."
        raise UnableToReadCandles("cut_off", sentence) from error
    if len(times) == 0:
        raise UnableToReadCandles("empty", f"{path.name} holds no candles; remove it.")
    return times


def _rows_of_tape(tape: Tape, key: CandleKey) -> CandleRows:
    if not key.timeframe.endswith("M") and tape.interval_ms != key.interval_ms():
        raise UnableToStoreCandles(
            "wrong_timeframe",
            f"{tape.source} holds {timeframe_name(tape.interval_ms)} candles, not {key.timeframe}.",
        )
    prices = floats_of(tape.prices, tape.unit)
    if tape.prices.dtype == object or int(tape.prices.max()) >= 10**15:
        decimals = -int(tape.unit.as_tuple().exponent)
        back = [int(price.scaleb(decimals)) for price in decimals_of(prices).ravel()]
        if back != tape.prices.ravel().tolist():
            raise UnableToStoreCandles(
                "too_many_digits",
                f"{tape.source} has prices of more digits than the store keeps; run it from its own file.",
            )
    rows = np.arange(1, len(tape) + 1)
    return CandleRows(tape.source, rows, tape.times, prices, None, tape.volumes, None)


def _rows_of_candles(candles: Sequence[Candle], key: CandleKey) -> CandleRows:
    times = np.array([candle[0] for candle in candles], np.int64)
    figures = np.array([candle[1:] for candle in candles], np.float64).reshape(-1, 5)
    prices = np.ascontiguousarray(figures[:, :4])
    source = f"{key.exchange} {key.symbol} {key.timeframe}"
    rows = CandleRows(source, np.arange(1, len(times) + 1), times, prices, None, figures[:, 4], None)
    faults = Faults(source)
    check_values(rows, faults)
    check_order(rows, faults)
    faults.raise_first()
    return rows


def _read_stored(path: Path) -> CandleRows:
    """A download may have stopped after a single candle, which is no tape yet."""
    return read_rows(path, at_least=1)


def _write(path: Path, candles: CandleRows) -> None:
    columns = [candles.times, *candles.prices.T, candles.volumes]
    names = ["timestamp", "open", "high", "low", "close", "volume"]
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            arrays = [pa.array(np.ascontiguousarray(column)) for column in columns]
            parquet.write_table(pa.table(dict(zip(names, arrays, strict=True))), file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
