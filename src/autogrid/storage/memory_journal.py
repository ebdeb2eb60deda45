"""A journal in memory: for a backtest, and for tests."""

from collections.abc import Callable
from typing import NamedTuple

from autogrid.trading.event import Event
from autogrid.trading.money import ZERO, Amount, Quantity
from autogrid.trading.plan import Command
from autogrid.trading.risk import Refused
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.strategy import Tally


class Row(NamedTuple):
    """A step as it is kept: what happened, what followed, and what the bot owned and had earned then."""

    event: Event
    commands: tuple[Command, ...]
    refused: tuple[Refused, ...]
    note: str
    quote: Amount
    base: Quantity
    fee_value: Amount
    """Of fees in third assets, in quote, so far."""
    tally: Tally


class MemoryJournal:
    """Keeps every step as a row, oldest first."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._tally = Tally(ZERO, 0)

    async def append(self, step: Step, before: BotState, cursor: Callable[[], str]) -> None:  # noqa: ARG002
        """Keep `step`; nothing is resumed from here, so neither the state before nor the cursor is needed."""
        event, state, commands, refused, note = step
        ledger = state.ledger
        if state.memory is not before.memory:
            self._tally = state.strategy.tally(state.memory)
        self.rows.append(Row(event, commands, refused, note, ledger.quote, ledger.base, ledger.fee_value, self._tally))
