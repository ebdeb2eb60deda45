"""AutoGrid's side of the comparison: the code that trades live, on the made-up tape.

    python -m benchmarks.ours WHAT --candles FILE

`skip` is the job with the compiled skip, `plain` the same without it. `scan` is a grid far below the tape
that never fills: what the skip alone costs. `ticks` is a grid of 20 cells without skip, for the
points it walks a second.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from benchmarks.candles import Candles, load
from benchmarks.job import Job
from benchmarks.measure import Outcome, Result, measure, tell

TICKS_CANDLES = 60_480
POINTS_A_CANDLE = 4
"""A candle is walked as four points: open, low and high in either order, close."""

# ------------------------------------------------------------------------------------------------------------
# The one place that knows AutoGrid's interface. TO FILL IN when `autogrid.backtesting` is there.
#
# `run_grid` gets the tape and the job and gives what a backtest by `autogrid backtest grid` would: market
# order at the first open, `sizing = equal_base`, path O-L-H-C / O-H-L-C, fill on touch, maker = taker =
# `job.fee`, `fee_in = quote` (the peers know no other; then fills AND final equity must equal those of
# `plain_numba`: 1,939 and 12,978.484579). Prices come in ticks as int64; `job.lower`, `job.upper`,
# `job.tick`, `job.lot`, `job.reserve` are Decimal. Outcome.fills counts the fills of cells, without the
# opening purchase.
VERSION = "not there yet"


def run_grid(candles: Candles, job: Job, *, skip: bool) -> Outcome:
    """Backtest the job once, with or without the compiled skip."""
    raise NotImplementedError("run_grid in benchmarks/ours.py is not connected to autogrid.backtesting yet")


# ------------------------------------------------------------------------------------------------------------


def with_skip(tape: Candles, job: Job, repeats: int) -> Result:
    """The job as a user runs it."""
    return measure("AutoGrid, skip", VERSION, lambda: run_grid(tape, job, skip=True), repeats)


def without_skip(tape: Candles, job: Job, repeats: int) -> Result:
    """The job with the bot asked at every point of every candle."""
    return measure("AutoGrid, every tick", VERSION, lambda: run_grid(tape, job, skip=False), repeats)


def scan(tape: Candles, job: Job, repeats: int) -> Result:
    """A grid that the tape never reaches: the skip passes over all of it."""
    far = replace(job, lower_share=Decimal("0.1"), upper_share=Decimal("0.2"))
    return measure("AutoGrid, no fills", VERSION, lambda: run_grid(tape, far, skip=True), repeats)


def ticks(tape: Candles, job: Job, repeats: int) -> Result:
    """Points walked a second without skip, 20 cells, the first 42 days."""
    short = tape.head(TICKS_CANDLES)
    small = replace(job, grids=20, candles=TICKS_CANDLES)
    result = measure("AutoGrid, 20 cells", VERSION, lambda: run_grid(short, small, skip=False), repeats)
    rate = POINTS_A_CANDLE * TICKS_CANDLES / result.seconds_median
    return replace(result, more={"ticks_per_second": rate, "candles_per_second": rate / POINTS_A_CANDLE})


ENTRIES: dict[str, Callable[[Candles, Job, int], Result]] = {
    "skip": with_skip,
    "plain": without_skip,
    "scan": scan,
    "ticks": ticks,
}


def main() -> None:
    """Measure one of AutoGrid's entries."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("what", choices=ENTRIES)
    options.add_argument("--candles", type=Path, required=True)
    options.add_argument("--repeats", type=int, default=5)
    given = options.parse_args()
    tell(ENTRIES[given.what](load(given.candles), Job(), given.repeats))


if __name__ == "__main__":
    main()
