"""The grid job in vectorbt: a flexible order function that walks each candle's path.

vectorbt has no resting orders. A flexible order function is asked again and again within one candle and may
return one order each time at any price, so the whole grid (which line is empty, how far along the path we
are) is kept by hand in a small array, and the fills come out equal to AutoGrid's, one by one. What is not
there: an order book, a ledger by cell, funds held by resting orders, money that is exact (everything is
float). Fees are taken in quote.

The options are those that cost vectorbt least: room for 20,000 orders instead of one for each candle, no
position records (this job does not use them), and a candle that reaches neither neighbouring line is left at
once. Measured twice: the bare simulation with its final value, and with `--stats` all that
`Portfolio.stats()` gives (drawdown, Sharpe, Sortino, trades, ...), which is what a backtest shows its user
and takes ten times as long.

Run by `python -m benchmarks`, in its own environment.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import vectorbt as vbt
from numba import njit
from vectorbt.portfolio.enums import Direction, FlexOrderContext, Order, SizeType
from vectorbt.portfolio.nb import order_nb, order_nothing_nb

from benchmarks.candles import Candles, load
from benchmarks.job import Grid, Job, grid_of
from benchmarks.measure import Outcome, measure, tell

EMPTY, POINT, OPENED = 0, 1, 2
"""What the three numbers of the state mean: the empty line, the point of the path, whether the base was
bought."""


@njit
def grid_order_nb(
    context: FlexOrderContext,
    prices: npt.NDArray[np.float64],
    lines: npt.NDArray[np.float64],
    state: npt.NDArray[np.int64],
    quantity: float,
    fee: float,
) -> tuple[int, Order]:
    """The next fill on this candle's path, or -1 when the path is at its end."""
    i = context.i
    top = len(lines) - 1
    if context.call_idx == 0:
        state[POINT] = 0
        if state[OPENED] == 0:
            state[OPENED] = 1
            opening = (top - state[EMPTY]) * quantity
            return 0, order_nb(opening, prices[0, 0], SizeType.Amount, Direction.LongOnly, fee)
    empty = state[EMPTY]
    low_safe = empty == 0 or prices[i, 2] > lines[empty - 1]
    high_safe = empty == top or prices[i, 1] < lines[empty + 1]
    if low_safe and high_safe:
        return -1, order_nothing_nb()
    rises = prices[i, 3] >= prices[i, 0]
    while state[POINT] < 4:
        column = state[POINT]
        if rises and column in (1, 2):
            column = 3 - column
        price = prices[i, column]
        if empty > 0 and price <= lines[empty - 1]:
            state[EMPTY] = empty - 1
            return 0, order_nb(quantity, lines[empty - 1], SizeType.Amount, Direction.LongOnly, fee)
        if empty < top and price >= lines[empty + 1]:
            state[EMPTY] = empty + 1
            return 0, order_nb(-quantity, lines[empty + 1], SizeType.Amount, Direction.LongOnly, fee)
        state[POINT] += 1
    return -1, order_nothing_nb()


def portfolio(job: Job, grid: Grid, close: pd.Series, prices: npt.NDArray[np.float64]) -> vbt.Portfolio:
    """Simulate the job once."""
    lines = np.array([float(line) for line in grid.lines])
    state = np.array([grid.empty_line, 0, 0], dtype=np.int64)
    return vbt.Portfolio.from_order_func(
        close,
        grid_order_nb,
        prices,
        lines,
        state,
        float(grid.quantity),
        float(job.fee),
        flexible=True,
        init_cash=float(job.investment),
        max_orders=20_000,
        fill_pos_record=False,
        freq="1min",
    )


def columns_of(tape: Candles, job: Job) -> tuple[pd.Series, npt.NDArray[np.float64]]:
    """Closes with their times, and the prices as float."""
    prices = tape.prices / float(1 / job.tick)
    return pd.Series(prices[:, 3], index=pd.to_datetime(tape.times, unit="ms")), prices


def main() -> None:
    """Measure vectorbt on the job."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--candles", type=Path, required=True)
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--stats", action="store_true", help="with Portfolio.stats()")
    given = options.parse_args()
    job = Job()
    grid = grid_of(job)
    close, prices = columns_of(load(given.candles), job)

    def run() -> Outcome:
        done = portfolio(job, grid, close, prices)
        if given.stats:
            done.stats(silence_warnings=True)
        return Outcome(int(done.orders.count()) - 1, round(float(done.final_value()), 6))

    name = "vectorbt, stats" if given.stats else "vectorbt"
    note = "No resting orders: the grid is kept by hand in the order function. Money in float."
    tell(measure(name, vbt.__version__, run, given.repeats, note))


if __name__ == "__main__":
    main()
