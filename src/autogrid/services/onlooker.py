"""Somebody who looks on while a bot runs: the journal in between keeps each step first, and then tells them."""

from collections.abc import Callable

from autogrid.engine.ports import Journal
from autogrid.trading.state import BotState, Step


class WatchedJournal:
    """A journal whose steps are told, once they are kept."""

    def __init__(self, journal: Journal, tell: Callable[[BotState, Step], None]) -> None:
        """`tell` is given the state before each step, and the step."""
        self._journal = journal
        self._tell = tell

    async def append(self, step: Step, before: BotState, cursor: Callable[[], str]) -> None:
        """Keep `step`, then tell it."""
        await self._journal.append(step, before, cursor)
        self._tell(before, step)
