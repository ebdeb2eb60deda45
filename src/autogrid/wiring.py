"""The only place where ports meet adapters, and where modes are known: what is wired here runs one loop."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from autogrid.backtesting.run import Run
from autogrid.backtesting.tape_feed import TapeFeed
from autogrid.backtesting.tapes import Tape
from autogrid.engine.ports import Feed
from autogrid.engine.session import run
from autogrid.exchanges.simulated import SimulatedExchange
from autogrid.services.backtests import Walk
from autogrid.services.onlooker import WatchedJournal
from autogrid.storage.memory_journal import MemoryJournal
from autogrid.trading.bot import Bot
from autogrid.trading.event import Started
from autogrid.trading.matching import TOUCH, Book
from autogrid.trading.money import use_exact_figures
from autogrid.trading.state import BotState, Step

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
    )
    book = Book(bot.market, walk.rules, state.ledger.quote, state.ledger.base)
    first = (Started(tape.times.item(0), "b"),)
    exchange = SimulatedExchange(book, feed, thin=walk.skip, latency_ms=walk.latency_ms, first=first)
    last = asyncio.run(run(bot, state, exchange, journal))
    return last, journal


def backtest(bot: Bot, state: BotState, tape: Tape, walk: Walk = PLAINLY) -> Run:
    """As `simulate`, with what the figures need."""
    last, journal = simulate(bot, state, tape, walk)
    start_price = last.strategy.start_price(last.memory)
    if start_price is None:
        start_price = Decimal(int(tape.prices[0, 0])) * tape.unit
    return Run(bot.market, tape, bot.limits.investment, state.ledger, start_price, journal.rows, last)


def tape_feed(tape: Tape, speed: float) -> TapeFeed:
    """`tape` told at `speed` (candle time per real time; 0: as fast as it goes), corner by corner."""
    return TapeFeed(tape, skip=False, clock=True, speed=speed)


class OpenFeed(Feed, Protocol):
    """A feed that holds connections."""

    async def aclose(self) -> None:
        """Give them back."""
        ...

    def seek(self, cursor: str) -> None:
        """Stand where `cursor` was taken."""
        ...


async def demo_feed(
    factory: Callable[[str, str], OpenFeed], exchange: str, symbol: str, patience_s: float
) -> OpenFeed | None:
    """Live prices of `symbol` that stand at their first one; None where none came within `patience_s`.

    The `factory` is handed in, since what makes live feeds takes seconds to load.
    """
    feed = factory(exchange, symbol)
    try:
        async with asyncio.timeout(patience_s):
            await feed.reach(None, None, None, every=True)
    except TimeoutError:
        pass
    finally:
        if feed.here() is None:
            await feed.aclose()
    return feed if feed.here() is not None else None


async def demo(bot: Bot, state: BotState, feed: Feed, at_ms: int, tell: Callable[[BotState, Step], None]) -> BotState:
    """Run `bot` on paper from `at_ms` on at the pace of `feed`; `tell` hears of every step that is kept."""
    use_exact_figures()
    book = Book(bot.market, TOUCH, state.ledger.quote, state.ledger.base)
    exchange = SimulatedExchange(book, feed, thin=False, first=(Started(at_ms, "d"),))
    return await run(bot, state, exchange, WatchedJournal(MemoryJournal(), tell))
