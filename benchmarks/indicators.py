"""The indicators of PPP Vishva over five years of one-minute candles, compiled; and one step of each in plain Python.

    python -m benchmarks.indicators

Candles are a seeded random walk, not market data. *cold* is the first call in this process: compiling, or loading what
an earlier process kept on disk; *median* and *best* are of the warm repeats, the arrays they give included. The goal is
for the six together. A step is timed over the last candles of the same walk, in CPython, with its state.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autogrid.backtesting import indicator_batch as batch
from autogrid.trading.indicators import atr, ema, ewo, heikin_ashi, stochastic_rsi, ut_bot
from benchmarks.report import Goal, goals

CANDLES = 2_600_000
STEPS = 20_000
GOAL_MS = 350.0


class Walk(NamedTuple):
    """Columns of made-up candles."""

    opens: batch.Series
    highs: batch.Series
    lows: batch.Series
    closes: batch.Series


class Timed(NamedTuple):
    """One indicator."""

    name: str
    cold_ms: float
    median_ms: float
    best_ms: float
    step_us: float
    """One step in CPython and the value it gives."""


class Subject(NamedTuple):
    """How an indicator is run both ways."""

    name: str
    series: Callable[[Walk], object]
    start: Any
    step: Callable[[Any, tuple[float, float, float, float]], Any]
    """With the open, high, low and close."""
    value: Callable[[Any], object]


SUBJECTS = (
    Subject(
        "EMA(100)",
        lambda w: batch.ema_series(w.closes, 100),
        ema.start(100),
        lambda s, c: ema.update(s, c[3]),
        ema.value,
    ),
    Subject(
        "UT Bot(1, 10)",
        lambda w: batch.ut_bot_series(w.highs, w.lows, w.closes, w.closes, 1.0, 10),
        ut_bot.start(1.0, 10),
        lambda s, c: ut_bot.update(s, c[1], c[2], c[3], c[3]),
        ut_bot.value,
    ),
    Subject(
        "EWO(5, 35)",
        lambda w: batch.ewo_series(w.closes, w.closes, 5, 35),
        ewo.start(5, 35),
        lambda s, c: ewo.update(s, c[3], c[3]),
        ewo.value,
    ),
    Subject(
        "Stochastic RSI(14, 14, 3, 3)",
        lambda w: batch.stochastic_rsi_series(w.closes, 14, 14, 3, 3),
        stochastic_rsi.start(14, 14, 3, 3),
        lambda s, c: stochastic_rsi.update(s, c[3]),
        stochastic_rsi.d,
    ),
    Subject(
        "Heikin Ashi",
        lambda w: batch.heikin_ashi_series(w.opens, w.highs, w.lows, w.closes),
        heikin_ashi.start(),
        lambda s, c: heikin_ashi.update(s, *c),
        heikin_ashi.value,
    ),
    Subject(
        "ATR(14)",
        lambda w: batch.atr_series(w.highs, w.lows, w.closes, 14),
        atr.start(14),
        lambda s, c: atr.update(s, c[1], c[2], c[3]),
        atr.value,
    ),
)


def made_up(count: int) -> Walk:
    """A walk of `count` one-minute candles from 50,000 on, about 36 % a year."""
    chance = np.random.default_rng(11)
    closes = 50_000.0 * np.exp(np.cumsum(chance.normal(0.0, 5e-4, count)))
    opens = np.concatenate((closes[:1], closes[:-1]))
    reach = closes * np.abs(chance.normal(0.0, 3e-4, (2, count)))
    return Walk(opens, np.maximum(opens, closes) + reach[0], np.minimum(opens, closes) - reach[1], closes)


def timed(subject: Subject, walk: Walk, repeats: int) -> Timed:
    """Run it once cold and `repeats` times warm, then step by step."""
    spent = []
    for _ in range(repeats + 1):
        before = time.perf_counter()
        subject.series(walk)
        spent.append(1e3 * (time.perf_counter() - before))
    tail = (column[-STEPS:].tolist() for column in walk)
    rows = list(zip(*tail, strict=True))
    state = subject.start
    before = time.perf_counter()
    for row in rows:
        state = subject.step(state, row)
        subject.value(state)
    step_us = 1e6 * (time.perf_counter() - before) / len(rows)
    return Timed(subject.name, spent[0], statistics.median(spent[1:]), min(spent[1:]), step_us)


def together(rows: list[Timed]) -> Timed:
    """The sums."""
    figures = (sum(column) for column in zip(*(row[1:] for row in rows), strict=True))
    return Timed("together", *figures)


def main() -> int:
    """Print the table and whether the goal is reached."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.indicators", description=__doc__)
    options.add_argument("--candles", type=int, default=CANDLES)
    options.add_argument("--repeats", type=int, default=7, metavar="N", help="warm repeats of each (default 7)")
    given = options.parse_args()
    walk = made_up(given.candles)
    rows = [timed(subject, walk, given.repeats) for subject in SUBJECTS]
    rows.append(together(rows))
    print(f"{given.candles:,} candles\n")
    print(f"{'':30}{'cold ms':>10}{'median ms':>11}{'best ms':>10}{'step µs':>10}")
    for row in rows:
        print(f"{row.name:30}{row.cold_ms:10.1f}{row.median_ms:11.1f}{row.best_ms:10.1f}{row.step_us:10.2f}")
    print()
    print(goals([Goal(f"six indicators over {given.candles:,} candles", rows[-1].median_ms, GOAL_MS, "ms")]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
