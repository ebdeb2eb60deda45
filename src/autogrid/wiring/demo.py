"""The demo: a made-up tape, a file or live prices on the simulated exchange, told to whoever watches."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from autogrid.backtesting.tape_feed import TapeFeed
from autogrid.backtesting.tapes import Tape
from autogrid.engine.ports import Feed
from autogrid.engine.session import run
from autogrid.exchanges.simulated import SimulatedExchange
from autogrid.services.onlooker import WatchedJournal
from autogrid.storage.memory_journal import MemoryJournal
from autogrid.trading.bot import Bot
from autogrid.trading.event import Started
from autogrid.trading.matching import TOUCH, Book
from autogrid.trading.money import use_exact_figures
from autogrid.trading.state import BotState, Step


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
