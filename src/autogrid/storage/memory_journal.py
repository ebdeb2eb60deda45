"""A journal in memory: for a backtest, and for tests."""

from collections.abc import Callable
from typing import NamedTuple

from autogrid.trading.state import Step
from autogrid.trading.event import Event
from autogrid.trading.ledger import Ledger
from autogrid.trading.plan import Command
from autogrid.trading.risk import Refused
from autogrid.trading.strategies.strategy import Tally


class Row(NamedTuple):
    """A step as it is kept: what happened, what followed, and what the bot owned and had earned then."""

    event: Event
    commands: tuple[Command, ...]
    refused: tuple[Refused, ...]
    note: str
    ledger: Ledger
    tally: Tally


class MemoryJournal:
    """Keeps every step as a row, oldest first."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    async def append(self, step: Step, cursor: Callable[[], str]) -> None:
        """Keep `step`; the cursor is not needed, nothing is resumed from here."""
        event, state, commands, refused, note = step
        self.rows.append(
            Row(event, commands, refused, note, state.ledger, state.strategy.tally(state.memory))
        )
