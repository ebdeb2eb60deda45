"""Runs made up by Hypothesis, watched step by step."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from hypothesis import reject
from hypothesis import strategies as st

from autogrid.backtesting.tape_feed import TapeFeed
from autogrid.backtesting.tapes import Tape
from autogrid.engine.session import run
from autogrid.exchanges.simulated import SimulatedExchange
from autogrid.services.backtests import Walk
from autogrid.trading.bot import Bot
from autogrid.trading.event import Started
from autogrid.trading.ledger import opened
from autogrid.trading.matching import Book, MatchingRules
from autogrid.trading.risk import Limits
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid.grid import Grid
from tests.builders import START_MS
from tests.oracle.grid_oracle import GridJob
from tests.parity.oracle_run import config_of, market_of
from tests.parity.random_jobs import random_job, random_tape

D = Decimal

SEEDS = st.integers(0, 2**32 - 1)


class MadeUp(NamedTuple):
    """A bot, its first state, and what it will walk over."""

    job: GridJob
    bot: Bot
    state: BotState
    tape: Tape
    walk: Walk


def unchecked(
    seed: int,
    *,
    breakers: bool = False,
    latency_ms: int = 0,
    participation: Decimal | None = None,
    stops: bool = True,
    funds_short: bool = False,
) -> MadeUp:
    """A grid in any combination of settings over a tape with gaps, some prices off the tick.

    Raises `UnableToConfigure`.
    """
    chance = random.Random(seed)
    job = random_job(chance)
    if not stops:
        job = replace(job, stop_loss=None, take_profit=None, trigger_price=None)
    if funds_short:
        job = replace(job, reserve=D(0), slippage=D("0.02"), start="market", own_base=D(0))
    tape = random_tape(chance, job)
    if participation is not None:
        volumes = [chance.choice([0.0, 0.5, 3.0, 40.0, 1000.0]) for _ in range(len(tape))]
        tape = replace(tape, volumes=tape.volumes * 0 + volumes)
    market = market_of(job)
    grid = Grid(config_of(job), market, job.investment)
    bot = Bot(market, Limits(job.investment, breakers=breakers))
    ledger = opened(job.investment, job.own_base, tape.prices.item(0, 0) * tape.unit)
    rules = MatchingRules("through" if job.fill == "through" else "touch", job.slippage, participation)
    walk = Walk(rules, backwards=job.path == "reversed", latency_ms=latency_ms)
    return MadeUp(job, bot, bot.start(grid, ledger), tape, walk)


def made_up(seed: int, **changes: Any) -> MadeUp:
    """As `unchecked`; a configuration that is refused is none of the test's business."""
    try:
        return unchecked(seed, **changes)
    except UnableToConfigure:
        reject()


Kept = tuple[BotState, Step]


class Watching:
    """A journal that keeps each step with the state it started from, and shows it to the test."""

    def __init__(self, see: Callable[[BotState, Step], None] | None) -> None:
        self.kept: list[Kept] = []
        self._see = see

    async def append(self, step: Step, before: BotState, cursor: Callable[[], str]) -> None:
        self.kept.append((before, step))
        if self._see:
            self._see(before, step)


def watch(
    made: MadeUp, see: Callable[[BotState, Step], None] | None = None, *, skip: bool = True
) -> tuple[BotState, list[Kept]]:
    """Run it as a backtest does, and look at every step that is journalled."""
    walk, tape = made.walk, made.tape
    feed = TapeFeed(
        tape,
        backwards=walk.backwards,
        skip=skip and walk.rules.participation is None,
        clock=bool(walk.latency_ms) or made.bot.limits.breakers,
        volumes=walk.rules.participation is not None,
    )
    book = Book(made.bot.market, walk.rules, made.state.ledger.quote, made.state.ledger.base)
    exchange = SimulatedExchange(
        book, feed, thin=skip, latency_ms=walk.latency_ms, first=(Started(START_MS, "b", made.tape.interval_ms),)
    )
    journal = Watching(see)
    last = asyncio.run(run(made.bot, made.state, exchange, journal))
    return last, journal.kept
