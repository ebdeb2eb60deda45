"""The wiring of paper bots: a journal on disk, a simulated exchange, a tape or live prices, and what users ask.

Apart from `wiring` because the database takes a second to load, and a backtest needs none.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import Protocol, TypeAlias

from autogrid.backtesting.tape_feed import TapeFeed
from autogrid.engine.inbox import Attended, Inbox
from autogrid.engine.lease import Hold
from autogrid.engine.ports import Feed
from autogrid.engine.session import run
from autogrid.exchanges.simulated import SimulatedExchange
from autogrid.services.bots import first_ledger, strategy_of, tape_of
from autogrid.storage.bots import BotRow
from autogrid.storage.database import Database
from autogrid.storage.journal import SqlJournal, begin
from autogrid.storage.recall import load, machine_of
from autogrid.trading.event import Started
from autogrid.trading.matching import TOUCH, Book
from autogrid.trading.money import Price, use_exact_figures
from autogrid.trading.state import BotState
from autogrid.trading.strategies.catalogue import build
from autogrid.wiring.demo import OpenFeed


class LiveFeed(OpenFeed, Protocol):
    """Live prices, and candles as they close."""

    def hearing(self, before: bool) -> bool:
        """Whether the exchange is heard, where it was so `before` or not."""
        ...


LiveFeeds: TypeAlias = Callable[[str, str, int | None, int], LiveFeed]
"""Live prices of an exchange's symbol, with candles of a timeframe in ms, and how many of the past it must tell.

Handed in, since what makes them takes seconds to load.
"""


class PaperRun:
    """A paper bot, to be run from where its journal left it, or for the first time."""

    def __init__(self, database: Database, live: LiveFeeds, row: BotRow, hold: Hold) -> None:
        self.inbox = Inbox()
        self._database = database
        self._live = live
        self._row = row
        self._hold = hold
        self._closing = asyncio.Event()

    async def run(self) -> BotState:
        """Run until it or its prices have ended, or `close`."""
        work = asyncio.create_task(run_paper_bot(self._database, self._live, self._row, self.inbox, self._hold))
        closing = asyncio.create_task(self._closing.wait())
        try:
            await asyncio.wait((work, closing), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
            return await work
        finally:
            work.cancel()
            closing.cancel()
            await asyncio.gather(work, closing, return_exceptions=True)

    async def close(self) -> None:
        """End as it stands: nothing of a paper bot is on its way."""
        self._closing.set()

    def words(self) -> tuple[bool, str]:
        """As `Run`."""
        return False, ""


async def run_paper_bot(
    database: Database, live: LiveFeeds, row: BotRow, inbox: Inbox, hold: Hold | None = None
) -> BotState:
    """Run a paper bot from where its journal left it, or for the first time, until it or its prices have ended."""
    use_exact_figures()
    feed = await _feed_of(row, live)
    try:
        state, seq = await _state_of(database, row, feed)
        bot = machine_of(row)
        book = Book(bot.market, TOUCH, state.ledger.quote, state.ledger.base)
        started = Started(_time_of(feed, state), secrets.token_hex(3), _candle_ms(feed))
        hearing = None if isinstance(feed, TapeFeed) else feed.hearing
        exchange = SimulatedExchange(book, feed, thin=False, first=(started,), hearing=hearing)
        if seq:
            exchange.resume(state)
        lease = None if hold is None else (hold.lease.account, hold.lease.epoch)
        journal = SqlJournal(database, row.id, state, seq, lease)
        attended = Attended(exchange, inbox, lambda: _time_of(feed, state))
        return await run(bot, state, attended, journal)
    finally:
        if not isinstance(feed, TapeFeed):
            await feed.aclose()


async def _feed_of(row: BotRow, live: LiveFeeds) -> TapeFeed | LiveFeed:
    strategy = strategy_of(row)
    timeframe_ms = strategy.timeframe_ms
    if row.tape is not None:
        tape = await asyncio.to_thread(tape_of, row)
        return TapeFeed(tape, skip=False, clock=True, speed=float(row.speed or 0), timeframe_ms=timeframe_ms)
    assert row.exchange is not None, "a paper bot sees a tape or an exchange's prices"
    return live(row.exchange, row.symbol, timeframe_ms, strategy.warm_up)


async def _state_of(database: Database, row: BotRow, feed: TapeFeed | LiveFeed) -> tuple[BotState, int]:
    """Where the bot stands, and the number of its last step; the feed is taken there."""
    async with database.reading() as connection:
        loaded = await load(connection, row.id, build)
    if loaded is not None:
        feed.seek(loaded.cursor)
        return loaded.state, loaded.seq
    first = feed.first_price() if isinstance(feed, TapeFeed) else await _first_live_price(feed)
    state = machine_of(row).start(strategy_of(row), first_ledger(row, first))
    async with database.writing() as connection:
        await begin(connection, row.id, state)
    return state, 0


async def _first_live_price(feed: LiveFeed) -> Price:
    await feed.ready()
    point = feed.here() or await feed.reach(None, None, None, every=True)
    assert point is not None, "a live feed has no end"
    return point.price


def _time_of(feed: Feed, state: BotState) -> int:
    """The market's time."""
    point = feed.here()
    return point.at_ms if point is not None else state.at_ms


def _candle_ms(feed: Feed) -> int:
    """Length of the candles that the prices come from; 0: they are live."""
    return feed.candle_ms if isinstance(feed, TapeFeed) else 0
