"""What a session needs from outside. A port stands here only where two adapters stand in the tree."""

from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from autogrid.trading.event import CandleClosed, Event
from autogrid.trading.matching import Point
from autogrid.trading.money import Price
from autogrid.trading.plan import Bounds, Command
from autogrid.trading.state import BotState, Step


class Exchange(Protocol):
    """A place that tells what happens and takes orders. Two: the simulated and the real."""

    def events(self) -> AsyncGenerator[Event, None]:
        """Everything that happens to this bot, in order, until there is no more to tell."""
        ...

    async def execute(self, command: Command) -> None:
        """Carry out `command`; what comes of it is told by `events`."""
        ...

    def expect(self, quiet: Bounds | None) -> None:
        """Ticks inside `quiet` may be left out; its bounds are told when they are met. None: every tick is wanted."""
        ...

    def cursor(self) -> str:
        """How far it has told: kept with each step, and given back when the bot is run again."""
        ...


class Journal(Protocol):
    """Where every step is kept before its commands leave. Two: the database and memory."""

    async def append(self, step: Step, before: BotState, cursor: Callable[[], str]) -> None:
        """Keep `step` with the exchange's `cursor`; durable when it returns.

        `before`: the state that the step started from. Ticks that are not kept may have moved it since the last step.
        """
        ...


class Feed(Protocol):
    """Where prices come from. Two: a tape and a live stream."""

    async def reach(
        self, floor: Price | None, roof: Price | None, until_ms: int | None, *, every: bool
    ) -> Point | None:
        """The next point at or below `floor`, at or above `roof`, or at or after `until_ms`; None: the end.

        `every`: corners of the path are points too. The last point of a path is always given.
        """
        ...

    @property
    def waits(self) -> bool:
        """Whether points come in real time, so that `ready` must be awaited before each."""
        ...

    async def ready(self) -> None:
        """Return when the next point can be given, or there is none."""
        ...

    def here(self) -> Point | None:
        """The last point given; None before the first."""
        ...

    def closed(self) -> CandleClosed | None:
        """The candle that closed at the last point given, told once: of the strategy's timeframe, where it has one.

        From then on `here` stands behind that candle: what is ordered now meets the next price.
        """
        ...

    def ended(self) -> bool:
        """Whether the last point of the path was given."""
        ...

    def cursor(self) -> str:
        """How far the feed was told, as text that the feed understands again."""
        ...
