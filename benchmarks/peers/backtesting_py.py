"""The grid job in backtesting.py: real limit orders, looked at once a candle.

The strategy keeps one limit order for each cell and answers a fill with the counter-order of that cell. Where
this is not the same job:

- An order is tested against a candle's high and low as a whole; there is no path inside it. The strategy is
  asked only after the close, so a counter-order works from the next candle on: a cell that would be bought
  and sold again within one minute is not. On this tape (a cell is 1.4 %, a minute 0.085 %) that never
  happens, and the fills are as many.
- An order that the open of a candle has already crossed fills at that open, which is better than its own
  price. The final equity is therefore a little higher than it is for orders that rest at an exchange (by 3 of
  13,000 here).
- The first candle is never traded on, so one flat candle at the start price is put before the tape.
- Sizes are whole units; `FractionalBacktest` makes one lot a unit. Sells close the oldest purchases first;
  cash and position come out the same. Cash of resting orders is not held. Everything is float; fees are taken
  in quote.

Run by `python -m benchmarks`, in its own environment.
"""

import argparse
import warnings
from pathlib import Path

import backtesting
import numpy as np
import pandas as pd
from backtesting import Strategy
from backtesting.backtesting import Order
from backtesting.lib import FractionalBacktest

from benchmarks.candles import MINUTE_MS, Candles, load
from benchmarks.job import Grid, Job, grid_of
from benchmarks.measure import Outcome, measure, tell


class CellGrid(Strategy):  # type: ignore[misc, unused-ignore]
    """One limit order for each cell. Prices are those of one lot, sizes are in lots."""

    lines: tuple[float, ...] = ()
    empty_line = 0
    lots = 0

    def init(self) -> None:
        """Buy what the full cells hold and place every order: all before the first candle."""
        self.fills = 0
        cells = len(self.lines) - 1
        self.full = [cell >= self.empty_line for cell in range(cells)]
        self.buy(size=(cells - self.empty_line) * self.lots)
        self.resting: dict[Order, int] = {self.place(cell): cell for cell in range(cells)}
        self.count = cells

    def place(self, cell: int) -> Order:
        """Place the one order that this cell wants now."""
        if self.full[cell]:
            return self.sell(size=self.lots, limit=self.lines[cell + 1])
        return self.buy(size=self.lots, limit=self.lines[cell])

    def next(self) -> None:
        """Answer what was filled on this candle; when as many orders rest as before, nothing was."""
        orders = self.orders
        if len(orders) == self.count:
            return
        resting = set(orders)
        filled = [(order, cell) for order, cell in self.resting.items() if order not in resting]
        self.fills += len(filled)
        for order, cell in filled:
            del self.resting[order]
            self.full[cell] = not self.full[cell]
            self.resting[self.place(cell)] = cell


def frame_of(tape: Candles, job: Job) -> pd.DataFrame:
    """The tape as backtesting.py wants it, with the flat candle before it."""
    prices = tape.prices / float(1 / job.tick)
    prices = np.vstack((np.full((1, 4), prices[0, 0]), prices))
    times = np.concatenate(([tape.times[0] - MINUTE_MS], tape.times))
    frame = pd.DataFrame(prices, columns=["Open", "High", "Low", "Close"], index=pd.to_datetime(times, unit="ms"))
    frame["Volume"] = np.concatenate(([0.0], tape.volumes))
    return frame


def simulate(job: Job, grid: Grid, frame: pd.DataFrame) -> Outcome:
    """Do the job once, from a new `Backtest` to its statistics."""
    unit = float(job.lot)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*insufficient margin.*")
        warnings.filterwarnings("ignore", message=".*remain open at the end.*")
        stats = FractionalBacktest(
            frame, CellGrid, cash=float(job.investment), commission=float(job.fee), fractional_unit=unit
        ).run(
            lines=tuple(float(line) * unit for line in grid.lines),
            empty_line=grid.empty_line,
            lots=grid.lots(job.lot),
        )
    return Outcome(stats["_strategy"].fills, round(float(stats["Equity Final [$]"]), 6))


def main() -> None:
    """Measure backtesting.py on the job."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--candles", type=Path, required=True)
    options.add_argument("--repeats", type=int, default=5)
    given = options.parse_args()
    job = Job()
    grid = grid_of(job)
    frame = frame_of(load(given.candles), job)
    note = (
        "Orders are tested once a candle: no path inside it, counter-orders from the next candle on; "
        "what the open has crossed fills at the open, hence the higher equity."
    )

    def run() -> Outcome:
        return simulate(job, grid, frame)

    tell(measure("backtesting.py", backtesting.__version__, run, given.repeats, note))


if __name__ == "__main__":
    main()
