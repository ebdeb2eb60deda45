"""Made-up one-minute candles from a seed: the tape on which all contenders run.

A random walk of the logarithm of the price, sixteen steps a minute, rounded to the tick. The first step of a
minute is its open, the last its close, so that between a close and the next open lies one step, as on a
market. Nothing pulls the price back: the seed is chosen so that the year stays inside the grid (but for ten
minutes above it) and makes 1,939 cell fills. The same seed gives the same arrays for one release of numpy
(its normal draws are not promised for ever), which is why the digest of the tape is printed with the results.
"""

import argparse
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.job import Job

STEPS_A_MINUTE = 16
SIGMA_A_MINUTE = 0.00085
"""Standard deviation of a minute's return: about 62 % a year."""
FIRST_MS = 1_704_067_200_000
"""2024-01-01 00:00 UTC."""
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Candles:
    """Columns of a tape, one row a candle."""

    times: npt.NDArray[np.int64]
    """Start of the candle, milliseconds UTC, shape (n,)."""
    prices: npt.NDArray[np.int64]
    """Open, high, low, close in ticks, shape (n, 4), C order."""
    volumes: npt.NDArray[np.float64]
    """Base traded, shape (n,)."""

    def __len__(self) -> int:
        return len(self.times)

    def head(self, count: int) -> "Candles":
        """The first `count` candles."""
        return Candles(self.times[:count], self.prices[:count], self.volumes[:count])

    def digest(self) -> str:
        """First twelve digits of the SHA-256 of times and prices: equal digests, equal tapes."""
        return hashlib.sha256(self.times.tobytes() + self.prices.tobytes()).hexdigest()[:12]


def made_up(job: Job, sigma: float = SIGMA_A_MINUTE) -> Candles:
    """The tape of a job."""
    chance = np.random.default_rng(job.seed)
    steps = chance.standard_normal(job.candles * STEPS_A_MINUTE)
    steps[0] = 0.0
    steps *= sigma / np.sqrt(STEPS_A_MINUTE)
    np.cumsum(steps, out=steps)
    np.exp(steps, out=steps)
    steps *= float(job.start / job.tick)
    walk = np.rint(steps).astype(np.int64).reshape(job.candles, STEPS_A_MINUTE)
    prices = np.stack((walk[:, 0], walk.max(axis=1), walk.min(axis=1), walk[:, -1]), axis=1)
    times = FIRST_MS + MINUTE_MS * np.arange(job.candles, dtype=np.int64)
    volumes = np.round(chance.lognormal(2.0, 1.0, job.candles), 5)
    return Candles(times, np.ascontiguousarray(prices), volumes)


def save(candles: Candles, file: Path) -> None:
    """Write the tape as an uncompressed `.npz`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez(file, times=candles.times, prices=candles.prices, volumes=candles.volumes)


def load(file: Path) -> Candles:
    """Read what `save` wrote."""
    with np.load(file) as columns:
        return Candles(columns["times"], columns["prices"], columns["volumes"])


def main() -> None:
    """Write the tape of the standard job: `python -m benchmarks.candles FILE`."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("file", type=Path)
    file: Path = options.parse_args().file
    tape = made_up(Job())
    save(tape, file)
    print(tape.digest())


if __name__ == "__main__":
    main()
