"""A lower bound: the same fills by a hand-written compiled loop in float.

No orders, no ledger, no risk, no journal: one index (which line is empty), one float of cash, one of base.
Nothing that trades for real can be this fast; the distance to it is what the rest costs. It also says what
the fills and the final equity of the job must be.
"""

import argparse
from pathlib import Path

import numba
import numpy as np
import numpy.typing as npt

from benchmarks.candles import load
from benchmarks.job import Job, grid_of
from benchmarks.measure import Outcome, measure, tell


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def walk(
    prices: npt.NDArray[np.int64],
    lines: npt.NDArray[np.int64],
    empty: int,
    lots: int,
    fee: float,
    cash: float,
) -> tuple[int, float]:
    """Cell fills and final equity. Prices and lines in ticks, `cash` and equity in ticks times lots."""
    top = len(lines) - 1
    fills = 0
    held = (top - empty) * lots
    cash -= held * prices[0, 0] * (1.0 + fee)
    for i in range(len(prices)):
        below = lines[empty - 1] if empty > 0 else -1
        above = lines[empty + 1] if empty < top else np.iinfo(np.int64).max
        if prices[i, 2] > below and prices[i, 1] < above:
            continue
        rises = prices[i, 3] >= prices[i, 0]
        for point in (0, 2, 1, 3) if rises else (0, 1, 2, 3):
            price = prices[i, point]
            while empty > 0 and price <= lines[empty - 1]:
                empty -= 1
                cash -= lots * lines[empty] * (1.0 + fee)
                held += lots
                fills += 1
            while empty < top and price >= lines[empty + 1]:
                empty += 1
                cash += lots * lines[empty] * (1.0 - fee)
                held -= lots
                fills += 1
    return fills, cash + held * prices[-1, 3]


def main() -> None:
    """Measure the bare loop: `python -m benchmarks.plain_numba --candles FILE`."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--candles", type=Path, required=True)
    options.add_argument("--repeats", type=int, default=5)
    given = options.parse_args()
    job = Job()
    grid = grid_of(job)
    tape = load(given.candles)
    lines = np.array(grid.ticks(job.tick), dtype=np.int64)
    unit = float(job.tick * job.lot)
    lots = grid.lots(job.lot)

    def run() -> Outcome:
        fills, equity = walk(tape.prices, lines, grid.empty_line, lots, float(job.fee), float(job.investment) / unit)
        return Outcome(fills, round(equity * unit, 6))

    note = "A bound, not a bot: no orders, no ledger, no risk."
    tell(measure("bare numba loop", numba.__version__, run, given.repeats, note))


if __name__ == "__main__":
    main()
