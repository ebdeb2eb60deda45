"""The one loop: a step is kept before its commands leave, and a step that cannot be kept sends nothing."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest

from autogrid.engine.session import run
from autogrid.trading.event import Event, Started, Tick
from autogrid.trading.plan import Bounds, Cancel, Command, Place
from autogrid.trading.state import BotState, Step
from tests.builders import START_MS, D, bot_of


class Wire:
    """An exchange that only notes what reaches it, and a journal that notes what it keeps."""

    def __init__(self, *events: Event, full: bool = False) -> None:
        self.log: list[str] = []
        self._events = events
        self._full = full

    async def events(self) -> AsyncGenerator[Event, None]:
        for event in self._events:
            yield event

    async def execute(self, command: Command) -> None:
        assert isinstance(command, Place | Cancel)
        self.log.append(f"sent {command.order.id}" if isinstance(command, Place) else f"cancel {command.order_id}")

    def expect(self, quiet: Bounds | None) -> None:
        pass

    def cursor(self) -> str:
        return ""

    async def append(self, step: Step, before: BotState, cursor: Callable[[], str]) -> None:
        if self._full and step.commands:
            raise OSError("disk full")
        self.log += [f"kept {command.order.id}" for command in step.commands if isinstance(command, Place)]


START = (Started(START_MS, "n"), Tick(START_MS, D(10_500)))


def test_an_order_is_kept_before_it_is_sent() -> None:
    wire = Wire(*START)
    asyncio.run(run(*bot_of(), wire, wire))
    orders = [entry.split(" ")[1] for entry in wire.log if entry.startswith("sent")]
    assert len(orders) == 4
    for order in orders:
        assert wire.log.index(f"kept {order}") < wire.log.index(f"sent {order}")


def test_a_step_that_cannot_be_kept_sends_nothing() -> None:
    wire = Wire(*START, full=True)
    with pytest.raises(OSError, match="disk full"):
        asyncio.run(run(*bot_of(), wire, wire))
    assert wire.log == []


def test_a_tick_that_changes_nothing_is_not_kept() -> None:
    wire = Wire(*START, Tick(START_MS + 1, D(10_499)))
    asyncio.run(run(*bot_of(), wire, wire))
    assert len(wire.log) == 8
