"""Candles made up from a seed, and written in every form they come in. None of this is market data."""

import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
from pyarrow import feather, parquet

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
START_MS = 1_747_699_200_000
"""2025-05-20 00:00 UTC."""
HEADER = "timestamp,open,high,low,close,volume"


@dataclass(frozen=True, slots=True)
class MadeCandle:
    time_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal

    @property
    def prices(self) -> tuple[Decimal, ...]:
        return (self.open, self.high, self.low, self.close)

    @property
    def row(self) -> tuple[int, float, float, float, float, float]:
        open_, high, low, close = map(float, self.prices)
        return (self.time_ms, open_, high, low, close, float(self.volume))


Candles = Sequence[MadeCandle]


def random_walk(
    seed: int,
    count: int,
    *,
    price: str = "100000",
    tick: str = "0.01",
    interval_ms: int = MINUTE_MS,
    start_ms: int = START_MS,
) -> list[MadeCandle]:
    """Neighbours join: each candle opens where the one before closed. Prices stay above 0 and on the tick."""
    chance = random.Random(seed)
    unit = Decimal(tick)
    at = int(Decimal(price) / unit)
    reach = max(2, at // 1_000)
    made: list[MadeCandle] = []
    for number in range(count):
        close = max(1, at + chance.randint(-reach, reach))
        high = max(at, close) + chance.randint(0, reach // 2)
        low = max(1, min(at, close) - chance.randint(0, reach // 2))
        volume = Decimal(chance.randint(1, 10**8)).scaleb(-5)
        open_, top, bottom, last = (Decimal(whole) * unit for whole in (at, high, low, close))
        made.append(MadeCandle(start_ms + number * interval_ms, open_, top, bottom, last, volume))
        at = close
    return made


def without(candles: Candles, *holes: slice) -> list[MadeCandle]:
    """The candles without those of the holes."""
    gone = {number for hole in holes for number in range(*hole.indices(len(candles)))}
    return [candle for number, candle in enumerate(candles) if number not in gone]


def changed(candles: Candles, row: int, **figures: Decimal | int) -> list[MadeCandle]:
    """With other figures in one row, counted from 1."""
    return [
        replace(candle, **figures) if number == row else candle  # type: ignore[arg-type]
        for number, candle in enumerate(candles, 1)
    ]


def columns(candles: Candles) -> dict[str, list[float]]:
    names = ("open", "high", "low", "close", "volume")
    return {name: [float(getattr(candle, name)) for candle in candles] for name in names}


def write_parquet(path: Path, candles: Candles) -> Path:
    times = pa.array([candle.time_ms for candle in candles], pa.int64())
    parquet.write_table(pa.table({"timestamp": times, **columns(candles)}), path, compression="zstd")
    return path


def write_feather(path: Path, candles: Candles, unit: str = "ms") -> Path:
    """As freqtrade keeps them: the column `date`, lz4."""
    times = pa.array([candle.time_ms for candle in candles], pa.timestamp("ms", "UTC"))
    table = pa.table({"date": times.cast(pa.timestamp(unit, "UTC")), **columns(candles)})
    feather.write_feather(table, str(path), compression="lz4")
    return path


def csv_text(candles: Candles, header: str = HEADER, time: Callable[[int], str] = str, extra: str = "") -> str:
    lines = [header] if header else []
    lines += [
        ",".join((time(candle.time_ms), *map(str, candle.prices), str(candle.volume))) + extra for candle in candles
    ]
    return "\n".join(lines) + "\n"


def write_text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def archive_text(candles: Candles, per_ms: int = 1) -> str:
    """As in Binance's public archive: no header, twelve columns; µs with per_ms = 1000."""
    return csv_text(candles, "", lambda ms: str(ms * per_ms), ",1748218499999,15422023.94024780,36336,72.6,7909462.0,0")


def zipped(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def klines_json(candles: Candles) -> str:
    """As `/api/v3/klines` answers: twelve fields, prices as text with eight decimals."""
    rows = [
        [
            candle.time_ms,
            *(f"{price:.8f}" for price in (*candle.prices, candle.volume)),
            *(candle.time_ms + 59_999, "1.0", 3, "1.0", "1.0", "0"),
        ]
        for candle in candles
    ]
    return json.dumps(rows)


def iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
