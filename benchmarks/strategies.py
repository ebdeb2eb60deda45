"""Other strategies than the grid over the made-up year: DCA deals, and PPP Vishva on 15m candles made from its minutes.

    python -m benchmarks.strategies WHAT --candles FILE

As with the grid, bot, exchange, loop and journal are measured; the curves and ratios of a report are not.
"""

import argparse
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import autogrid
from autogrid.backtesting.tapes import Tape
from autogrid.trading.bot import Bot
from autogrid.trading.event import Filled
from autogrid.trading.ledger import opened
from autogrid.trading.market import Market
from autogrid.trading.money import use_exact_figures
from autogrid.trading.risk import Limits
from autogrid.trading.strategies.catalogue import build
from autogrid.wiring.simulation import backtest
from benchmarks.candles import Candles, load
from benchmarks.job import Job
from benchmarks.measure import Outcome, Result, measure, tell

CONFIGS = {
    "dca": ("dca", {"mode": "deal", "preset": "standard"}),
    "accumulate": ("dca", {"mode": "accumulate", "every": "daily", "amount": "10"}),
    "ppp": ("ppp_vishva", {"timeframe": "15m", "confirm_timeframes": "4h,1d"}),
}


def run_once(candles: Candles, job: Job, what: str) -> Outcome:
    """One backtest of that strategy with its defaults."""
    name, config = CONFIGS[what]
    tape = Tape("made up", candles.times, candles.prices, candles.volumes, job.tick, 60_000, (), ())
    market = Market("BASE", "QUOTE", job.tick, job.lot, Decimal(5), job.fee, job.fee)
    strategy = build(name, config, market, job.investment)
    bot = Bot(market, Limits(job.investment, breakers=False), at_once=True)
    run = backtest(bot, bot.start(strategy, opened(job.investment)), tape)
    last = Decimal(int(tape.prices[-1, 3])) * tape.unit
    return Outcome(sum(type(row.event) is Filled for row in run.rows), float(run.last.ledger.equity(last)))


def measured(what: str) -> Callable[[Candles, Job, int], Result]:
    """How that strategy is measured."""

    def timed(candles: Candles, job: Job, repeats: int) -> Result:
        return measure(f"AutoGrid, {what}", autogrid.__version__, lambda: run_once(candles, job, what), repeats)

    return timed


def main() -> None:
    """Measure one strategy."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("what", choices=CONFIGS)
    options.add_argument("--candles", type=Path, required=True)
    options.add_argument("--repeats", type=int, default=5)
    given = options.parse_args()
    use_exact_figures()
    tell(measured(given.what)(load(given.candles), Job(), given.repeats))


if __name__ == "__main__":
    main()
