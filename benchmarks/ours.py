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

import autogrid
from autogrid.backtesting.tapes import Tape
from autogrid.services.backtests import Walk
from autogrid.trading.bot import Bot
from autogrid.trading.event import Filled
from autogrid.trading.ledger import opened
from autogrid.trading.market import Market
from autogrid.trading.money import text, use_exact_figures
from autogrid.trading.risk import Limits
from autogrid.trading.state import BotState
from autogrid.trading.strategies.catalogue import build
from autogrid.wiring.simulation import backtest, simulate
from benchmarks.candles import Candles, load
from benchmarks.job import Job
from benchmarks.measure import Outcome, Result, measure, tell

TICKS_CANDLES = 60_480
POINTS_A_CANDLE = 4
"""A candle is walked as four points: open, low and high in either order, close."""


def run_grid(candles: Candles, job: Job, *, skip: bool) -> Outcome:
    """Backtest the job once, with or without the compiled skip: the bot, the loop and the figures of money.

    The curves and ratios of a report are not part of it, as they are not part of the peers' bare runs.
    """
    bot, state, tape = prepared(candles, job)
    run = backtest(bot, state, tape, Walk(skip=skip))
    cells = sum(type(row.event) is Filled for row in run.rows) - 1
    last = Decimal(int(tape.prices[-1, 3])) * tape.unit
    return Outcome(max(cells, 0), float(run.last.ledger.equity(last)))


def prepared(candles: Candles, job: Job) -> tuple[Bot, BotState, Tape]:
    """The job's bot before its first price, and its tape."""
    tape = Tape("made up", candles.times, candles.prices, candles.volumes, job.tick, 60_000, (), ())
    market = Market("BASE", "QUOTE", job.tick, job.lot, Decimal(5), job.fee, job.fee, "quote")
    config = {"lower": text(job.lower), "upper": text(job.upper), "grids": str(job.grids), "reserve": text(job.reserve)}
    bot = Bot(market, Limits(job.investment, breakers=False), at_once=True)
    state = bot.start(build("grid", config, market, job.investment), opened(job.investment))
    return bot, state, tape


def with_skip(tape: Candles, job: Job, repeats: int) -> Result:
    """The job as a user runs it."""
    return measure("AutoGrid, skip", autogrid.__version__, lambda: run_grid(tape, job, skip=True), repeats)


def without_skip(tape: Candles, job: Job, repeats: int) -> Result:
    """The job with the bot asked at every point of every candle."""
    return measure("AutoGrid, every tick", autogrid.__version__, lambda: run_grid(tape, job, skip=False), repeats)


def scan(tape: Candles, job: Job, repeats: int) -> Result:
    """A grid that the tape never reaches: the skip passes over all of it."""
    far = replace(job, lower_share=Decimal("0.1"), upper_share=Decimal("0.2"))
    return measure("AutoGrid, no fills", autogrid.__version__, lambda: run_grid(tape, far, skip=True), repeats)


def steps(tape: Candles, job: Job, repeats: int) -> Result:
    """The same events through `Bot.step` alone: order table, ledger, strategy, plan, risk; no exchange, no journal."""
    bot, state, walked = prepared(tape, job)
    _, journal = simulate(bot, state, walked)
    events = [row.event for row in journal.rows]

    def replay() -> Outcome:
        last = state
        for event in events:
            last = bot.step(last, event).state
        price = Decimal(int(walked.prices[-1, 3])) * walked.unit
        fills = sum(type(event) is Filled for event in events) - 1
        return Outcome(fills, float(last.ledger.equity(price)))

    return measure("AutoGrid, steps alone", autogrid.__version__, replay, repeats)


def ticks(tape: Candles, job: Job, repeats: int) -> Result:
    """Points walked a second without skip, 20 cells, the first 42 days."""
    short = tape.head(TICKS_CANDLES)
    small = replace(job, grids=20, candles=TICKS_CANDLES)
    result = measure("AutoGrid, 20 cells", autogrid.__version__, lambda: run_grid(short, small, skip=False), repeats)
    rate = POINTS_A_CANDLE * TICKS_CANDLES / result.seconds_median
    return replace(result, more={"ticks_per_second": rate, "candles_per_second": rate / POINTS_A_CANDLE})


ENTRIES: dict[str, Callable[[Candles, Job, int], Result]] = {
    "skip": with_skip,
    "plain": without_skip,
    "scan": scan,
    "steps": steps,
    "ticks": ticks,
}


def main() -> None:
    """Measure one of AutoGrid's entries."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("what", choices=ENTRIES)
    options.add_argument("--candles", type=Path, required=True)
    options.add_argument("--repeats", type=int, default=5)
    given = options.parse_args()
    use_exact_figures()
    tell(ENTRIES[given.what](load(given.candles), Job(), given.repeats))


if __name__ == "__main__":
    main()
