"""A tape on the simulated exchange, with a journal in memory: the backtest."""

import asyncio
from decimal import Decimal

from autogrid.backtesting.run import Run
from autogrid.backtesting.tape_feed import TapeFeed
from autogrid.backtesting.tapes import Tape
from autogrid.engine.session import run
from autogrid.exchanges.simulated import SimulatedExchange
from autogrid.services.backtests import Walk
from autogrid.storage.memory_journal import MemoryJournal
from autogrid.trading.bot import Bot
from autogrid.trading.event import Started
from autogrid.trading.matching import Book
from autogrid.trading.money import use_exact_figures
from autogrid.trading.state import BotState

PLAINLY = Walk()


def simulate(bot: Bot, state: BotState, tape: Tape, walk: Walk = PLAINLY) -> tuple[BotState, MemoryJournal]:
    """Run `bot` from `state` over `tape` on the simulated exchange; its last state and its journal."""
    use_exact_figures()
    journal = MemoryJournal()
    feed = TapeFeed(
        tape,
        backwards=walk.backwards,
        skip=walk.skip and walk.rules.participation is None,
        clock=bool(walk.latency_ms) or bot.limits.breakers,
        volumes=walk.rules.participation is not None,
        timeframe_ms=state.strategy.timeframe_ms,
    )
    book = Book(bot.market, walk.rules, state.ledger.quote, state.ledger.base)
    first = (Started(tape.times.item(0), "b", tape.interval_ms),)
    exchange = SimulatedExchange(
        book, feed, thin=walk.skip and not bot.limits.breakers, latency_ms=walk.latency_ms, first=first
    )
    last = asyncio.run(run(bot, state, exchange, journal))
    return last, journal


def backtest(bot: Bot, state: BotState, tape: Tape, walk: Walk = PLAINLY) -> Run:
    """As `simulate`, with what the figures need."""
    last, journal = simulate(bot, state, tape, walk)
    start_price = last.strategy.start_price(last.memory)
    if start_price is None:
        start_price = Decimal(int(tape.prices[0, 0])) * tape.unit
    return Run(bot.market, tape, bot.limits.investment, state.ledger, start_price, journal.rows, last)
