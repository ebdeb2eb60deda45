"""The inbox of a live bot: more money is promised to it only where the account has it free of other bots."""

import asyncio
from collections.abc import Awaitable, Callable

from autogrid.engine.inbox import Inbox
from autogrid.trading.event import Event, FundsAsked
from autogrid.trading.money import Amount


class FundedInbox(Inbox):
    """Asks the account before a deposit is handed on; one that it cannot pay is handed on with the reason."""

    def __init__(self, unable_to_pay: Callable[[Amount], Awaitable[str]]) -> None:
        """`unable_to_pay`: why the account cannot give so much quote; empty where it can."""
        super().__init__()
        self._unable_to_pay = unable_to_pay
        self._asking: dict[int, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()

    def put(self, number: int, make: Callable[[int], Event]) -> None:
        """As `Inbox.put`."""
        event = make(0)
        if not isinstance(event, FundsAsked):
            super().put(number, make)
        elif number not in self._asking:
            self._asking[number] = asyncio.create_task(self._put_asked(number, event))

    async def _put_asked(self, number: int, event: FundsAsked) -> None:
        async with self._turn:  # withdrawals keep their places between deposits: the journal counts them by kind
            refused = await self._unable_to_pay(event.amount) if event.amount > 0 else ""
            super().put(number, lambda at_ms: event._replace(at_ms=at_ms, refused=refused))

    def close(self) -> None:
        """Ask no more."""
        for task in self._asking.values():
            task.cancel()
