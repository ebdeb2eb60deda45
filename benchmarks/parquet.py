"""The tape as a Parquet file, as a person would have it who runs `autogrid backtest`."""

import argparse
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.candles import Candles, load, made_up
from benchmarks.job import Job


def write(candles: Candles, job: Job, file: Path) -> None:
    """Write timestamp (int64, milliseconds UTC), open, high, low, close and volume (float64)."""
    prices = candles.prices / float(1 / job.tick)
    columns = {"timestamp": pa.array(candles.times)}
    columns |= {name: pa.array(prices[:, i]) for i, name in enumerate(("open", "high", "low", "close"))}
    columns["volume"] = pa.array(candles.volumes)
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), file)


def main() -> None:
    """Write the first COUNT candles of the standard tape to FILE."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("file", type=Path)
    options.add_argument("--candles", type=Path, help="an .npz of benchmarks.candles; made anew when not given")
    options.add_argument("--count", type=int, default=60_480, help="42 days by default")
    given = options.parse_args()
    job = Job()
    tape = load(given.candles) if given.candles else made_up(job)
    write(tape.head(given.count), job, given.file)


if __name__ == "__main__":
    main()
