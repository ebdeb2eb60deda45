"""What users asked while no engine ran: carried out at the first price of the new run, or passed over as too old."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from pathlib import Path

import pytest

from autogrid.engine.inbox import Attended, Inbox
from autogrid.engine.lease import Hold
from autogrid.services.bots import now_ms
from autogrid.services.running import SIGNAL_MS, Engine
from autogrid.storage.bots import BotRow, create_bot, set_wanted
from autogrid.storage.database import Database
from autogrid.storage.requests import add_request, list_signals, take_requests
from autogrid.trading.event import (
    ActionAsked,
    Event,
    FeedBack,
    KillAsked,
    PauseAsked,
    ResumeAsked,
    SignalCame,
    Started,
    StopAsked,
    Tick,
)
from autogrid.trading.plan import Bounds, Command
from autogrid.trading.state import BotState
from tests.builders import MINUTE_MS, START_MS, D, bot_of
from tests.storage.kept import new_bot, within

LATER_MS = START_MS + 10 * 60 * MINUTE_MS
"""When the engine runs again."""
STARTED = Started(LATER_MS, "n2")
PRICE = Tick(LATER_MS + 1, D(500))


class Told:
    """An exchange that tells what it is given, and counts how often it was asked for more."""

    def __init__(self, *events: Event) -> None:
        self.left = list(events)
        self.closed = False

    def expect(self, quiet: Bounds | None) -> None:
        """It leaves nothing out."""

    def cursor(self) -> str:
        return str(len(self.left))

    async def execute(self, command: Command) -> None:
        """Nothing is commanded here."""

    async def events(self) -> AsyncGenerator[Event, None]:
        try:
            while self.left:
                yield self.left.pop(0)
        finally:
            self.closed = True


def heard(inbox: Inbox, *events: Event, after: Callable[[Event], None] = lambda event: None) -> list[Event]:
    """What a bot hears of an exchange that tells `events`; `after` is called after each."""

    async def listen() -> list[Event]:
        found = []
        async with aclosing(Attended(Told(*events), inbox, lambda: LATER_MS + 7).events()) as source:
            async for event in source:
                found.append(event)
                after(event)
        return found

    return asyncio.run(listen())


@pytest.mark.asyncio
async def test_a_run_that_is_broken_off_leaves_nothing_of_its_exchange_behind() -> None:
    told = Told(STARTED, PRICE)
    async with aclosing(Attended(told, Inbox(), lambda: LATER_MS).events()) as source:
        async for _ in source:
            break
    assert told.left == [PRICE]
    assert told.closed


def inbox_with(*asked: Callable[[int], Event]) -> Inbox:
    inbox = Inbox()
    for number, make in enumerate(asked):
        inbox.put(number, make)
    return inbox


def leave(at_ms: int) -> SignalCame:
    return SignalCame(at_ms, "a", "leave", None)


def pause(at_ms: int) -> PauseAsked:
    return PauseAsked(at_ms, cancel=True)


def sell(at_ms: int) -> StopAsked:
    return StopAsked(at_ms, sell=True)


def keep(at_ms: int) -> StopAsked:
    return StopAsked(at_ms, sell=False)


def close(at_ms: int) -> ActionAsked:
    return ActionAsked(at_ms, "close", None)


@pytest.mark.parametrize("asked", [leave, sell, close, ResumeAsked])
def test_what_may_trade_waits_for_the_first_price_of_the_run_and_bears_the_time_after_it(
    asked: Callable[[int], Event],
) -> None:
    told = heard(inbox_with(asked), STARTED, FeedBack(LATER_MS), PRICE)
    assert told == [STARTED, FeedBack(LATER_MS), PRICE, asked(LATER_MS + 7)]


@pytest.mark.parametrize("asked", [pause, keep, KillAsked])
def test_what_only_holds_the_bot_back_is_done_before_a_price_is_known(asked: Callable[[int], Event]) -> None:
    told = heard(inbox_with(asked), STARTED, FeedBack(LATER_MS), PRICE)
    assert told == [STARTED, asked(LATER_MS + 7), FeedBack(LATER_MS), PRICE]


def test_what_waits_for_a_price_is_done_in_the_order_it_was_asked_in_and_once() -> None:
    told = heard(inbox_with(leave, pause, close, sell), STARTED, PRICE, Tick(LATER_MS + 9, D(510)))
    assert [type(event) for event in told] == [Started, PauseAsked, Tick, SignalCame, ActionAsked, StopAsked, Tick]


def test_what_waits_goes_before_what_is_asked_once_a_price_is_known() -> None:
    inbox = inbox_with(leave)
    told = heard(inbox, STARTED, PRICE, after=lambda event: inbox.put(9, close) if event is PRICE else None)
    assert [type(event) for event in told] == [Started, Tick, SignalCame, ActionAsked]


def test_a_request_that_is_handed_in_twice_is_done_once() -> None:
    inbox = inbox_with(leave)
    inbox.put(0, leave)
    assert [type(event) for event in heard(inbox, STARTED, PRICE)] == [Started, Tick, SignalCame]


@pytest.mark.parametrize("asked", [pause, KillAsked])
def test_a_bot_that_was_held_back_after_it_was_resumed_stays_held_back(asked: Callable[[int], Event]) -> None:
    told = heard(inbox_with(ResumeAsked, asked), STARTED, PRICE)
    assert [type(event) for event in told if type(event) not in (Started, Tick)][-1] is type(asked(0))


# ---------------------------------------------------------------- signals that are too old


class Ran:
    """What an engine that ran for a moment did: what it handed to its bot, and what it said."""

    def __init__(self) -> None:
        self.handed: list[Event] = []
        self.said: list[str] = []

    def make(self, row: BotRow, hold: Hold) -> "Taker":
        return Taker(self.handed)

    def killed(self, account: str, bots: frozenset[str] | None) -> None:
        assert not bots, "nobody kills here"

    async def sweep(self, account: str, hold: Hold, bots: frozenset[str], symbols: Iterable[str]) -> int:
        raise AssertionError("nobody kills here")

    async def leave(self, account: str) -> None:
        """Nothing to leave."""

    async def run(self, database: Database) -> None:
        """An engine, until its bot has ended or it has looked a few times."""
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.6, stop.set)
        await Engine(database, self, "this one", self.said.append).run(stop, until_idle=True)


class Taker:
    """A bot that takes what it is handed, and has ended then."""

    def __init__(self, handed: list[Event]) -> None:
        self.inbox = Inbox()
        self._handed = handed
        self._closing = asyncio.Event()

    async def run(self) -> BotState:
        closing = asyncio.ensure_future(self._closing.wait())
        while not self._handed and not closing.done():
            news = asyncio.ensure_future(self.inbox.news())
            await asyncio.wait((news, closing), return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
            while (make := self.inbox.take()) is not None:
                self._handed.append(make(LATER_MS))
        closing.cancel()
        return bot_of()[1]._replace(ended_why="done" if self._handed else "")

    async def close(self) -> None:
        self._closing.set()

    def words(self) -> tuple[bool, str]:
        return False, ""


async def bot_with(database: Database, *asked: tuple[str, int]) -> str:
    """A bot that should run, and what was asked of it so many milliseconds ago; its id."""
    async with database.writing() as connection:
        row = await create_bot(connection, new_bot(), now_ms())
        await set_wanted(connection, row.id, "running", now_ms())
        for kind, age_ms in asked:
            payload = {"id": f"s{age_ms}", "action": "enter"} if kind == "signal" else {"sell": "yes"}
            await add_request(connection, row.id, kind, payload, now_ms() - age_ms)  # type: ignore[arg-type]
    return row.id


async def open_requests(database: Database, bot_id: str) -> list[str]:
    async with database.reading() as connection:
        return [request.kind for request in await take_requests(connection, bot_id)]


def test_a_signal_that_came_a_minute_before_the_engine_is_passed_over_for_good(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        bot_id = await bot_with(database, ("signal", SIGNAL_MS + 1_000))
        ran = Ran()
        await ran.run(database)
        assert ran.handed == []
        assert any("passed over: it is too old" in line for line in ran.said)
        assert await open_requests(database, bot_id) == []
        async with database.reading() as connection:
            assert [one.taken_seq for one in await list_signals(connection, bot_id, 0)] == [0]

    within(tmp_path, work)


def test_a_signal_that_came_just_before_the_engine_is_handed_to_the_bot(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        await bot_with(database, ("signal", SIGNAL_MS // 2))
        ran = Ran()
        await ran.run(database)
        assert ran.handed == [SignalCame(LATER_MS, f"s{SIGNAL_MS // 2}", "enter", None)]

    within(tmp_path, work)


def test_a_stop_is_never_too_old(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        await bot_with(database, ("stop", 100 * SIGNAL_MS), ("signal", 2 * SIGNAL_MS))
        ran = Ran()
        await ran.run(database)
        assert ran.handed == [StopAsked(LATER_MS, sell=True)]

    within(tmp_path, work)
