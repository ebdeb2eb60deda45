"""The inbox of a live bot: more money is promised to it only where the account has it free of other bots."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from autogrid.engine.inbox import Inbox
from autogrid.trading.event import Event, FundsAsked, KillAsked, PauseAsked, StopAsked
from autogrid.trading.money import Amount


class FundedInbox(Inbox):
    """Asks the account before a deposit is handed on; one that it cannot pay is handed on with the reason.

    What comes behind a deposit waits for it, for it may count on the money, and the journal tells requests of one kind
    by their order alone. Only a pause, a stop and a kill overtake.
    """

    def __init__(self, unable_to_pay: Callable[[Amount], Awaitable[str]]) -> None:
        """`unable_to_pay`: why the account cannot give so much quote; empty where it can."""
        super().__init__()
        self._unable_to_pay = unable_to_pay
        self._behind: deque[tuple[int, Callable[[int], Event]]] = deque()
        """Deposits that are asked about, and what waits behind them."""
        self._working: asyncio.Task[None] | None = None

    def put(self, number: int, make: Callable[[int], Event]) -> None:
        """As `Inbox.put`."""
        event = make(0)
        overtakes = isinstance(event, PauseAsked | StopAsked | KillAsked)
        if overtakes or not (self._behind or isinstance(event, FundsAsked)):
            super().put(number, make)
        elif number not in self._given and all(number != other for other, _ in self._behind):
            self._behind.append((number, make))
            if self._working is None or self._working.done():
                self._working = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while self._behind:
            number, make = self._behind[0]
            event = make(0)
            if isinstance(event, FundsAsked) and event.amount > 0:
                make = _granted(event, await self._why_not(event.amount))
            super().put(number, make)
            self._behind.popleft()

    async def _why_not(self, amount: Amount) -> str:
        """Whatever goes wrong with the question refuses this deposit alone."""
        (found,) = await asyncio.gather(self._unable_to_pay(amount), return_exceptions=True)
        if isinstance(found, BaseException):
            return f"what the account has could not be found out ({found}); try again"
        return found

    def close(self) -> None:
        """Ask no more; what was not handed on stays asked for."""
        if self._working is not None:
            self._working.cancel()


def _granted(event: FundsAsked, refused: str) -> Callable[[int], Event]:
    return lambda at_ms: event._replace(at_ms=at_ms, refused=refused)
