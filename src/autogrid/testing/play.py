"""Runs of one strategy over one tape, watched step by step; a market that is rough where that is asked for."""

import asyncio
import random
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from autogrid.backtesting.tape_feed import TapeFeed
from autogrid.backtesting.tapes import Tape
from autogrid.engine.session import run
from autogrid.exchanges.simulated import SimulatedExchange
from autogrid.storage.encoding import decode, encode
from autogrid.testing.bounds import must_want_nothing_else
from autogrid.testing.fault import Broken
from autogrid.trading.bot import Bot
from autogrid.trading.event import (
    Accepted,
    Cancelled,
    CandleClosed,
    Event,
    Expired,
    FeedBack,
    FeedSilent,
    Filled,
    Rejected,
    Started,
    StopAsked,
    Tick,
)
from autogrid.trading.ledger import opened
from autogrid.trading.market import Market
from autogrid.trading.matching import Book, MatchingRules, Point
from autogrid.trading.money import Amount, text
from autogrid.trading.plan import Cancel, Command, Place
from autogrid.trading.risk import Limits
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.catalogue import Entry
from autogrid.trading.strategies.strategy import AnyStrategy

ANSWERS: Final = (Accepted, Rejected, Filled, Cancelled, Expired)
Asks: TypeAlias = Mapping[int, Callable[[int], Event]]
"""What a user asks, from its time: told after so many events of the run."""
See: TypeAlias = Callable[[BotState, Step], None]
"""Looks at a step that is kept, with the state it started from. Raises `Broken`."""
NOTHING: Final[Asks] = {}
LONGEST: Final = 600
MOST_TRIES: Final = 200
"""So many orders may end unfilled at one moment of the tape; more of them, and it would never go on."""
MOST_TAKEN: Final = 1_000
"""So often it may trade at once at one moment, for the same reason."""


@dataclass(frozen=True)
class Case:
    """One configuration on one tape."""

    entry: Entry
    config: Mapping[str, str]
    market: Market
    investment: Amount
    tape: Tape
    seed: int
    many: int
    """How many points of a run a law tries that must hold at all of them."""
    seen: list[Event] = field(default_factory=list)
    """All events of the run that goes on."""
    counts: Counter[str] = field(default_factory=Counter)
    """Runs, events, orders and fills so far."""

    def build(self) -> AnyStrategy:
        """The strategy, new."""
        return self.entry.build(dict(self.config), self.market, self.investment)

    def rebuild(self, name: str, config: Mapping[str, str]) -> AnyStrategy:
        """The strategy as a journal makes it again."""
        if name != self.entry.name:
            raise Broken(f"the strategy calls itself '{name}', its entry '{self.entry.name}'; they must be one")
        return self.entry.build(config, self.market, self.investment)

    def where(self) -> str:
        """The event that was told last."""
        if not self.seen:
            return " before the first event"
        return f" at event {len(self.seen)} ({told(self.seen[-1])})"


class Played(NamedTuple):
    """A finished run."""

    rows: list[tuple[BotState, Step]]
    """Every step that was kept, with the state it started from."""
    events: list[Event]
    """Everything that was told."""
    first: BotState
    last: BotState
    bot: Bot


@dataclass(frozen=True)
class How:
    """How a tape is walked, and what goes wrong on the way."""

    skip: bool = False
    latency_ms: int = 0
    participation: Decimal | None = None
    slippage: Decimal = Decimal(0)
    rough: int | None = None
    """The seed of an exchange that refuses orders, drops orders and says things twice; None: a good one."""
    stored: bool = False
    """Whether every state is written as text and read back before the next event."""
    asked: bool = False
    """Whether the strategy is asked at every price, also between its bounds, where it must want nothing else."""
    asks: Asks = field(default_factory=dict)
    past: tuple[CandleClosed, ...] = ()
    """Candles told before the first price."""
    missed: int | None = None
    """The seed of a market whose closed candles are told late now and then, together with a later one."""


PLAINLY: Final = How()


def play(case: Case, how: How = PLAINLY, see: See | None = None, strategy: AnyStrategy | None = None) -> Played:
    """Run it as a backtest does, and show every step that is kept to `see`."""
    built = case.build() if strategy is None else strategy
    tape, market = case.tape, case.market
    first = tape.prices.item(0, 0) * tape.unit
    bot = _Machine(market, Limits(case.investment, breakers=False), how.rough is None and not how.latency_ms)
    bot.about.append(_About(case, how.stored, how.asked))
    state = bot.start(built, opened(case.investment, built.own_base, built.trigger or first))
    feed = TapeFeed(
        tape,
        skip=how.skip and how.participation is None,
        clock=bool(how.latency_ms),
        volumes=how.participation is not None,
        timeframe_ms=built.timeframe_ms,
    )
    book = Book(market, MatchingRules("touch", how.slippage, how.participation), state.ledger.quote, state.ledger.base)
    exchange = _Exchange(
        book,
        feed,
        thin=how.skip,
        latency_ms=how.latency_ms,
        first=(Started(tape.times.item(0), "k", tape.interval_ms), *how.past),
    )
    exchange.missing = None if how.missed is None else random.Random(how.missed)  # noqa: S311
    exchange.asks, exchange.chance = how.asks, None if how.rough is None else random.Random(how.rough)  # noqa: S311
    journal = _Watching(see)
    case.seen.clear()
    last = asyncio.run(run(bot, state, exchange, journal))
    case.counts["runs"] += 1
    case.counts["events"] += len(case.seen)
    case.counts["fills"] += sum(type(event) is Filled for event in case.seen)
    case.counts["orders"] += last.placed
    plain = Bot(market, bot.limits, bot.at_once)
    return Played(journal.rows, list(case.seen), state, last, plain)


def told(event: Event) -> str:
    """An event for a person."""
    named = [(name, getattr(event, name)) for name in event._fields if name not in ("fee", "fee_asset", "fee_value")]
    return f"{type(event).__name__} " + ", ".join(
        f"{name} {text(value) if isinstance(value, Decimal) else value}" for name, value in named
    )


def shown(value: object) -> str:
    """A value of a step for a person: commands by their slots, all else as it is, cut short."""
    if isinstance(value, tuple) and value and all(isinstance(one, Place | Cancel) for one in value):
        return "; ".join(
            f"cancel {one.order_id}"
            if isinstance(one, Cancel)
            else f"{one.order.side} {text(one.order.quantity)} at {text(one.order.price)} ({one.order.kind}) in "
            f"'{one.order.slot}'"
            for one in value
        )
    words = str(value) if value not in ((), "") else "nothing"
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}…"


@dataclass
class _About:
    case: Case
    stored: bool
    asked: bool
    lived: BotState | None = None
    """The state that was read back last, as it was before it was written."""
    revived: BotState | None = None
    """As it came back."""

    def again(self, state: BotState) -> BotState:
        """`state` as it comes back from text; price and time alone, which most ticks change alone, are set by hand."""
        lived, revived = self.lived, self.revived
        if lived is None or revived is None or any(a is not b for a, b in zip(lived[2:], state[2:], strict=True)):
            revived = decode(BotState, encode(state), self.case.rebuild)
            if revived.memory != state.memory:
                raise Broken(f"the memory comes back from the journal as {revived.memory}, and it was {state.memory}")
        self.lived, self.revived = state, revived._replace(price=state.price, at_ms=state.at_ms)
        return self.revived


@dataclass(frozen=True)
class _Machine(Bot):
    """A bot that notes what it is told, and may live on what a journal would give back."""

    about: list[_About] = field(default_factory=list)

    def step(self, state: BotState, event: Event) -> Step:
        about = self.about[0]
        about.case.seen.append(event)
        if about.asked and type(event) is Tick:
            must_want_nothing_else(self, state, event)
        if not about.stored:
            return Bot.step(self, state, event)
        revived = about.again(state)
        step = Bot.step(self, revived, event)
        # what stayed the same stays the same object: a tick that taught nothing is no news here either
        kept = (old if new is back else new for old, new, back in zip(state, step.state, revived, strict=True))
        return step._replace(state=BotState(*kept))


class _Watching:
    """A journal in memory that shows each step."""

    def __init__(self, see: See | None) -> None:
        self.rows: list[tuple[BotState, Step]] = []
        self._see = see

    async def append(self, step: Step, before: BotState, cursor: Callable[[], str]) -> None:  # noqa: ARG002
        self.rows.append((before, step))
        if self._see is not None:
            self._see(before, step)


class _Exchange(SimulatedExchange):
    """A user asks between its events; with `chance` it refuses, drops and repeats, with `missing` candles come late."""

    asks: Asks = NOTHING
    chance: random.Random | None = None
    missing: random.Random | None = None
    _held: tuple[CandleClosed, ...] = ()
    """Candles that closed and were not told."""
    _due: deque[CandleClosed] | None = None
    """Those that are told now."""
    _calm = False
    _moment: Point | None = None
    _tries = 0
    """How many orders ended unfilled at that moment, since the last that filled there."""
    _taken = 0
    """How often it traded at once at that moment."""

    async def execute(self, command: Command) -> None:
        if self.chance is not None and not self._calm and isinstance(command, Place) and self.chance.random() < 0.1:
            self._answers.append(Rejected(self._book.at.at_ms, command.order.id, "made up: try again"))
            return
        await super().execute(command)
        if self.chance is not None and not self._calm and isinstance(command, Place) and self.chance.random() < 0.05:
            for gone in self._book.execute(Cancel(command.order.id)):
                self._answers.append(Expired(*gone[:2]) if isinstance(gone, Cancelled) else gone)

    async def events(self) -> AsyncGenerator[Event, None]:
        count = 0
        past: list[Event] = []
        async for event in super().events():
            yield event
            count += 1
            if isinstance(event, ANSWERS):
                self._must_come_to_an_end(event)
                past.append(event)
                if self.chance is not None and self.chance.random() < 0.2:
                    yield self.chance.choice(past[-5:])
            if count in self.asks:
                asked = self.asks[count](self._book.at.at_ms)
                if isinstance(asked, StopAsked):
                    self._calm, self._book.allowance = True, None
                yield asked

    def _news(self) -> CandleClosed | FeedSilent | FeedBack | None:
        if self._due:
            return self._due.popleft()
        news = super()._news()
        if self.missing is None or not isinstance(news, CandleClosed):
            return news
        if self.missing.random() < 0.4:
            self._held += (news._replace(late=True),)
            return None
        self._due, self._held = deque((*self._held, news)), ()
        return self._due.popleft()

    def _must_come_to_an_end(self, answer: Event) -> None:
        """Raises `Broken` where orders end unfilled again and again while the market stands still."""
        if self._book.at is not self._moment:
            self._moment, self._tries, self._taken = self._book.at, 0, 0
        if isinstance(answer, Filled):
            self._tries = 0
            self._taken += not answer.maker
            if self._taken > MOST_TAKEN:
                raise Broken(
                    f"it trades again and again at one moment: {self._taken} times there; after a trade at market wait "
                    "for another price or candle"
                )
        if isinstance(answer, Expired | Rejected):
            self._tries += 1
            if self._tries > MOST_TRIES:
                slot = answer.order_id.split("-", 2)[-1]
                raise Broken(
                    f"it asks for an order again and again at one moment, lastly in the slot '{slot}': {self._tries} "
                    "ended there unfilled; wait for another price or candle, or count the tries and give up"
                )

    def _move(self, point: Point) -> None:
        super()._move(point)
        if self._calm:  # so that it can be told whether everything is sold in the end
            self._book.allowance = None
