"""A bot on a simulated exchange that can die at every point where it touches the world, and what outlives it."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from functools import partial

from autogrid.backtesting.tape_feed import TapeFeed
from autogrid.backtesting.tapes import Tape
from autogrid.engine.inbox import Attended, Inbox
from autogrid.engine.ports import Exchange
from autogrid.engine.session import run
from autogrid.exchanges.simulated import SimulatedExchange
from autogrid.storage.encoding import decode, encode
from autogrid.trading.bot import Bot
from autogrid.trading.candle import Candle
from autogrid.trading.event import CandleClosed, Event, Filled, Started, UserEvent
from autogrid.trading.ledger import opened
from autogrid.trading.market import Market
from autogrid.trading.matching import TOUCH, Book, MatchingRules
from autogrid.trading.plan import Command
from autogrid.trading.risk import Limits
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.catalogue import build
from autogrid.trading.strategies.strategy import AnyStrategy
from tests.builders import MINUTE_MS, START_MS, D, market, tape_of


class Killed(Exception):
    """The process died."""


class Fate:
    """Counts the points where a bot touches the world, and kills it at one."""

    def __init__(self, kill_at: int | None = None) -> None:
        self.touches = 0
        self.kill_at = kill_at

    def touch(self) -> None:
        self.touches += 1
        if self.touches == self.kill_at:
            raise Killed


@dataclass
class Disk:
    """What outlives the process."""

    state: BotState
    cursor: str = ""
    steps: list[Step] = field(default_factory=list)

    @property
    def fills(self) -> int:
        return sum(isinstance(step.event, Filled) for step in self.steps)


class Recorder(Fate):
    """Kills nobody, and keeps what would have outlived a kill at each point."""

    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self.disk = disk
        self.left: list[Disk] = []

    def touch(self) -> None:
        super().touch()
        self.left.append(replace(self.disk, steps=list(self.disk.steps)))


class FrailJournal:
    def __init__(self, disk: Disk, fate: Fate) -> None:
        self.disk, self.fate = disk, fate

    async def append(self, step: Step, before: BotState, cursor: Callable[[], str]) -> None:
        self.fate.touch()
        self.disk.state, self.disk.cursor = step.state, cursor()
        if not isinstance(step.event, Started):
            self.disk.steps.append(step)
        self.fate.touch()


class FrailExchange(SimulatedExchange):
    """It may die after each command; and a user asks for something when it is due, between two of its events."""

    fate = Fate()
    asks: tuple[UserEvent, ...] = ()
    inbox: Inbox | None = None
    """Where what is asked is put; None: it is told here."""

    async def execute(self, command: Command) -> None:
        await super().execute(command)
        self.fate.touch()

    async def events(self) -> AsyncGenerator[Event, None]:
        async for event in super().events():
            due = tuple(ask for ask in self.asks if event.at_ms >= ask.at_ms)
            self.asks = self.asks[len(due) :]
            if self.inbox is not None:
                for number, ask in enumerate(due, -len(self.asks) - len(due)):  # each its own
                    self.inbox.put(number, partial(_at, ask))
                due = ()
            yield event
            for ask in due:
                yield ask


def _at(ask: UserEvent, at_ms: int) -> Event:
    return ask._replace(at_ms=at_ms)


@dataclass(frozen=True)
class Setting:
    """A bot, its market and how its tape is walked."""

    config: dict[str, str] = field(default_factory=dict)
    """Of a grid: what differs from a plain one."""
    on: Market = field(default_factory=market)
    rules: MatchingRules = TOUCH
    limits: Limits | None = None
    paper: bool = True
    """Told every point, with a clock; else as a backtest."""
    asks: tuple[UserEvent, ...] = ()
    """What the user asks, each at its time."""
    inbox: bool = False
    """Asked through the inbox, as the engine does it; else told by the exchange."""
    seed: int = 7
    span: int = 90_000
    """Of prices, in units of 0.01."""
    strategy: str = "grid"
    history: int = 0
    """So many candles it has heard before the tape begins."""
    length: int = 4
    """Candles of a short run."""
    pull: int = 8
    """The smaller, the stronger prices are drawn back to 10,000."""
    interval_ms: int = MINUTE_MS

    def bot(self) -> tuple[Bot, AnyStrategy]:
        plain = {"lower": "9000", "upper": "11000", "grids": "8", "spacing": "arithmetic"}
        config = {**plain, **self.config} if self.strategy == "grid" else self.config
        config = {key: value for key, value in config.items() if value != "left out"}
        bot = Bot(self.on, self.limits or Limits(D(10_000), breakers=False), at_once=True)
        return bot, build(self.strategy, config, self.on, D(10_000))

    def tape(self, length: int) -> Tape:
        """Candles that wander wildly, most of them opening with a jump; some prices lie just on a line."""
        chance, at = random.Random(self.seed), 1_000_000
        candles = []
        for _ in range(length):
            corners = [self._wander(chance, at) for _ in range(4)]
            start = at if chance.random() < 0.3 else corners[0]
            candles.append((start, max(start, *corners), min(start, *corners), corners[3]))
            at = corners[3]
        return tape_of(candles, interval_ms=self.interval_ms)

    def _wander(self, chance: random.Random, at: int) -> int:
        to = at + chance.randint(-self.span, self.span) + (1_000_000 - at) // self.pull
        return round(to / 25_000) * 25_000 if chance.random() < 0.4 else to


def minute(number: int) -> int:
    """When that candle of a tape opens."""
    return START_MS + number * MINUTE_MS


def first_disk(setting: Setting) -> Disk:
    bot, strategy = setting.bot()
    state = bot.start(strategy, opened(D(10_000), strategy.own_base, D(10_000)))
    if setting.history:
        before = replace(setting, seed=setting.seed + 1_000, history=0).tape(setting.history)
        for number in range(setting.history):
            at_ms = START_MS - (setting.history - number) * setting.interval_ms
            opens, high, low, close = (float(units) / 100 for units in before.prices[number])
            candle = Candle(at_ms, opens, high, low, close, 1_000.0)
            state = bot.step(state, CandleClosed(at_ms + setting.interval_ms, candle)).state
    return Disk(state)


def live(setting: Setting, tape: Tape, disk: Disk, fate: Fate, life: int) -> BotState:
    """One process: from what the disk holds until the tape ends, the bot ends, or fate strikes."""
    bot, strategy = setting.bot()
    state = decode(BotState, encode(disk.state), lambda name, config: build(name, config, setting.on, D(10_000)))
    clock = setting.paper or bot.limits.breakers
    feed = TapeFeed(tape, skip=not setting.paper, clock=clock, speed=None, timeframe_ms=strategy.timeframe_ms)
    feed.seek(disk.cursor)
    here = feed.here()
    started = Started(here.at_ms if here else tape.times.item(0), f"n{life}", tape.interval_ms)
    book = Book(setting.on, setting.rules, state.ledger.quote, state.ledger.base)
    thin = not setting.paper and not bot.limits.breakers
    exchange = FrailExchange(book, feed, thin=thin, first=(started,))
    exchange.fate = fate
    exchange.asks = setting.asks[sum(isinstance(step.event, UserEvent) for step in disk.steps) :]
    if disk.cursor:
        exchange.resume(state)
    attended: Exchange = exchange
    if setting.inbox:
        exchange.inbox = Inbox()
        attended = Attended(exchange, exchange.inbox, lambda: book.at.at_ms or state.at_ms)
    return asyncio.run(run(bot, state, attended, FrailJournal(disk, fate)))
