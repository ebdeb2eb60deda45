"""A database, a bot in it, and its runs on a tape."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from autogrid.backtesting.tape_feed import TapeFeed
from autogrid.backtesting.tapes import Tape
from autogrid.engine.session import run
from autogrid.exchanges.simulated import SimulatedExchange
from autogrid.storage.bots import BotRow, NewBot, create_bot
from autogrid.storage.database import Database, open_database
from autogrid.storage.journal import SqlJournal, begin
from autogrid.storage.recall import load, machine_of
from autogrid.trading.event import Event, Started
from autogrid.trading.market import Market
from autogrid.trading.matching import TOUCH, Book
from autogrid.trading.money import ZERO
from autogrid.trading.risk import Limits
from autogrid.trading.state import BotState, Step, is_news
from autogrid.trading.strategies.catalogue import build
from tests.builders import PLAIN_MARKET, START_MS, D, first_ledger, tape_of

T = TypeVar("T")

CELLS = {"lower": "9000", "upper": "11000", "grids": "20", "spacing": "arithmetic"}
NOW_MS = START_MS


def new_bot(
    name: str = "first", config: Mapping[str, str] = CELLS, on: Market = PLAIN_MARKET, **more: object
) -> NewBot:
    limits = Limits(D(10_000), breakers=False)
    values = {"strategy": "grid", "account": "paper", "investment": D(10_000), "own_base": ZERO, "limits": limits}
    return NewBot(name=name, config=config, market=on, **{**values, **more})  # type: ignore[arg-type]


class Site(NamedTuple):
    """Where a database is: SQLite in the folder, or PostgreSQL at the URL."""

    folder: Path
    url: str = ""


@asynccontextmanager
async def opened(place: Site | Path) -> AsyncIterator[Database]:
    """The database there, closed at the end."""
    database = await open_database(*place) if isinstance(place, Site) else await open_database(place)
    try:
        yield database
    finally:
        await database.close()


def within(place: Site | Path, work: Callable[[Database], Awaitable[T]]) -> T:
    """What `work` gives on the database there."""

    async def do() -> T:
        async with opened(place) as database:
            return await work(database)

    return asyncio.run(do())


async def first_state(database: Database, new: NewBot) -> tuple[BotRow, BotState]:
    """A new bot that is about to run for the first time."""
    async with database.writing() as connection:
        row = await create_bot(connection, new, NOW_MS)
        grid = build("grid", row.config, row.market, row.investment)
        state = machine_of(row).start(grid, first_ledger(grid, row.investment, D(10_000)))  # type: ignore[arg-type]
        await begin(connection, row.id, state)
    return row, state


class Lived(NamedTuple):
    """A run that has ended, or was stopped."""

    row: BotRow
    kept: BotState
    """After the last step that was kept."""
    last: BotState
    """After the last tick."""
    steps: list[Step]


class Remembering(SqlJournal):
    """Keeps the steps in memory too."""

    def __init__(self, database: Database, bot_id: str, last: BotState, seq: int) -> None:
        super().__init__(database, bot_id, last, seq)
        self.steps: list[Step] = []

    async def append(self, step: Step, before: BotState, cursor: Callable[[], str]) -> None:
        await super().append(step, before, cursor)
        self.steps.append(step)


async def live(database: Database, new: NewBot, tape: Tape, *, thin: bool = True, clock: bool = False) -> Lived:
    """A new bot's life on a tape."""
    row, state = await first_state(database, new)
    feed = TapeFeed(tape, skip=not clock, clock=clock)
    book = Book(row.market, TOUCH, state.ledger.quote, state.ledger.base)
    exchange = SimulatedExchange(book, feed, thin=thin, first=(Started(START_MS, "n"),))
    journal = Remembering(database, row.id, state, 0)
    last = await run(machine_of(row), state, exchange, journal)
    return Lived(row, journal.steps[-1].state, last, journal.steps)


async def tell(database: Database, row: BotRow, events: Sequence[Event]) -> BotState:
    """The bot's state after it was told `events` from where its journal stands, each step kept as a session would."""
    async with database.reading() as connection:
        loaded = await load(connection, row.id, build)
    assert loaded is not None
    state, journal = loaded.state, SqlJournal(database, row.id, loaded.state, loaded.seq)
    for event in events:
        step = loaded.bot.step(state, event)
        if is_news(state, step):
            await journal.append(step, state, lambda: "here")
        state = step.state
    return state


def wild_tape(seed: int, candles: int, span: int = 60_000) -> Tape:
    """Candles around 10,000 that wander, in units of 0.01."""
    chance, at, found = random.Random(seed), 1_000_000, []
    for _ in range(candles):
        close = at + chance.randint(-span, span) + (1_000_000 - at) // 10
        reach = chance.randint(0, span // 4)
        found.append((at, max(at, close) + reach, min(at, close) - reach, close))
        at = close
    return tape_of(found)
