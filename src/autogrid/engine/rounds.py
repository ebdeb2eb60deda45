"""What an exchange is asked about an account, once for all bots on it.

A *round* asks of one symbol what is open and what was traded since the last. Who wants one while one runs gets the
next. Trades are paged by the exchange's own cursor, never by time, and handed to every bot on the symbol; each knows
which are its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from autogrid.engine.lease import Hold
from autogrid.engine.outgoing import within
from autogrid.engine.timing import Timing
from autogrid.engine.venue import Balance, ExchangeAway, ExchangeRefused, OwnOrder, OwnTrade, Venue
from autogrid.engine.wire_ids import bot_of
from autogrid.trading.money import Price

AWAY = (ExchangeAway, ExchangeRefused, TimeoutError)
"""What asking may lead to; it says nothing of what was asked about."""
ENDED = "the account's traffic has ended; it is begun anew"
OWNERS_KEPT = 10_000
GATHERED = 5
"""So many moments of `Timing.gather_s` a round waits at most for more who want it."""
VALUE_MS = 60_000
"""So long a price that values a fee is good for."""


KeptOwner: TypeAlias = Callable[[str, str], Awaitable[str]]
"""The client id of an order, by its symbol and the exchange's id, where a journal knows it; else empty."""


class Round(NamedTuple):
    """What the exchange says of a symbol."""

    number: int
    """How many-th of the account; see `Rounds.begun`."""
    began_ms: int
    """When it was asked, by the steady clock: what was sent later may be missing."""
    open: dict[str, OwnOrder]
    """Open orders of AutoGrid's form, by client id."""
    foreign: int
    """Open orders that are somebody else's."""
    trades: tuple[OwnTrade, ...]
    cursor: str


class Rounds:
    """The questions of one account."""

    def __init__(
        self,
        venue: Venue,
        hold: Hold,
        timing: Timing,
        cursors: Callable[[str], Iterable[str]],
        tell: Callable[[str, "Round | BaseException"], None],
        kept_owner: KeptOwner | None = None,
    ) -> None:
        """`cursors`: how far each bot on a symbol was told. `tell` hears what came of each round of a symbol."""
        self.begun = 0
        """How many rounds have begun: one that began before a bot joined did not ask from where that bot stands."""
        self.made = 0
        """How many were answered."""
        self._venue = venue
        self._hold = hold
        self._timing = timing
        self._told_to = cursors
        self._tell = tell
        self._kept_owner = kept_owner
        self._cursors: dict[str, str] = {}
        self._rounds: dict[str, asyncio.Task[Round]] = {}
        self._gathering: dict[str, asyncio.Task[Round]] = {}
        """Of those who ask at about the same time: the round that they wait for, until it begins."""
        self._wanted_at: dict[str, float] = {}
        """When the last of them asked, by the loop's clock."""
        self._again: dict[str, None] = {}
        self._asked: set[str] = set()
        self._over = False
        self._values: dict[tuple[str, str], tuple[int, Price | None]] = {}
        self._owners: dict[tuple[str, str], asyncio.Task[str | None]] = {}
        """By symbol and the exchange's id: Binance gives one id to orders on several markets."""
        self._balances: asyncio.Task[Mapping[str, Balance]] | None = None
        """The question for them, until it leaves."""
        self._asking: set[asyncio.Task[Mapping[str, Balance]]] = set()

    def ask_round(self, symbol: str) -> None:
        """Ask the exchange about a symbol soon; the answer goes to every bot on it."""
        if symbol in self._rounds:
            self._again[symbol] = None
            return
        task = self._rounds[symbol] = asyncio.create_task(self._round(symbol))
        task.add_done_callback(lambda _: self._rounded(symbol))

    def has_asked(self, symbol: str) -> bool:
        """Whether a round of the symbol has begun."""
        return symbol in self._asked

    def _rounded(self, symbol: str) -> None:
        task = self._rounds.pop(symbol)
        if task.cancelled():
            return
        fault = task.exception()
        self._tell(symbol, task.result() if fault is None else fault)
        if symbol in self._again:
            del self._again[symbol]
            self.ask_round(symbol)

    async def rounded(self, symbol: str) -> Round:
        """A round that begins now or later, shared by all who ask at about the same time: bots start together, and a
        round is the dearest question there is. Raises `ExchangeAway`, `ExchangeRefused`, TimeoutError.
        """
        self._must_go_on()
        self._wanted_at[symbol] = asyncio.get_running_loop().time()
        task = self._gathering.get(symbol)
        if task is None:
            task = self._gathering[symbol] = asyncio.create_task(self._gather(symbol))
            task.add_done_callback(_seen)
        return await asyncio.shield(task)

    def _must_go_on(self) -> None:
        if self._over:
            raise ExchangeAway(ENDED)

    async def _gather(self, symbol: str) -> Round:
        """A round that begins once nobody more has asked for one for a moment, or many moments have passed."""
        loop, moment = asyncio.get_running_loop(), self._timing.gather_s
        latest = loop.time() + GATHERED * moment
        while True:
            more_s = min(self._wanted_at[symbol] + moment, latest) - loop.time()
            if more_s <= 0:
                break
            await asyncio.sleep(more_s)
        if symbol in self._rounds:
            await asyncio.wait({self._rounds[symbol]})
        del self._gathering[symbol]
        if symbol not in self._rounds:
            self.ask_round(symbol)
        return await asyncio.shield(self._rounds[symbol])

    async def _round(self, symbol: str) -> Round:
        self.begun += 1
        self._asked.add(symbol)
        number, began_ms = self.begun, self._hold.steady_ms()
        cursor = _oldest(self._cursors.get(symbol), *self._told_to(symbol))
        orders = await within(self._timing, self._venue.open_orders(symbol))
        trades: list[OwnTrade] = []
        while True:
            page = await within(self._timing, self._venue.trades_after(symbol, cursor))
            trades += page.trades
            cursor = page.cursor
            if not page.more:
                break
        self._cursors[symbol] = cursor
        ours = {own.client_id: own for own in orders if bot_of(own.client_id) is not None}
        self.made += 1
        return Round(number, began_ms, ours, len(orders) - len(ours), tuple(trades), cursor)

    async def owner_of(self, symbol: str, exchange_id: str) -> str | None:
        """The client id of an order that is known by the exchange's id only; empty where it has none, None where the
        exchange does not know the order (yet).

        Raises `ExchangeAway`, `ExchangeRefused`, TimeoutError.
        """
        key = symbol, exchange_id
        asked = self._owners.get(key)
        if asked is None or (asked.done() and not _has_answer(asked)):
            if len(self._owners) > OWNERS_KEPT:
                self._owners.clear()
            asked = self._owners[key] = asyncio.create_task(self._ask_owner(symbol, exchange_id))
        return await asyncio.shield(asked)

    async def _ask_owner(self, symbol: str, exchange_id: str) -> str | None:
        if self._kept_owner is not None and (kept := await self._kept_owner(symbol, exchange_id)):
            return kept
        own = await within(self._timing, self._venue.find_by_id(symbol, exchange_id))
        return None if own is None else own.client_id

    async def balances(self) -> Mapping[str, Balance]:
        """What the account owns, asked from now on, once for all who ask at about the same time.

        Raises `ExchangeAway`, `ExchangeRefused`, TimeoutError.
        """
        self._must_go_on()
        asked = self._balances
        if asked is None:
            asked = self._balances = asyncio.create_task(self._ask_balances())
            self._asking.add(asked)
            asked.add_done_callback(self._asking.discard)
            asked.add_done_callback(_seen)
        return await asyncio.shield(asked)

    async def _ask_balances(self) -> Mapping[str, Balance]:
        await asyncio.sleep(self._timing.gather_s)
        self._balances = None
        return await within(self._timing, self._venue.balances())

    async def value_of(self, asset: str, quote: str) -> Price | None:
        """What one of `asset` is worth in `quote`, as of the last minute; None where there is no such market."""
        now, key = self._hold.steady_ms(), (asset, quote)
        known = self._values.get(key)
        if known is None or now > known[0] + VALUE_MS:
            try:
                price = await within(self._timing, self._venue.price_of(f"{asset}/{quote}"))
            except AWAY:
                price = known[1] if known is not None else None
            known = self._values[key] = now, price
        return known[1]

    async def stop(self) -> None:
        """Ask nothing more: who asks now is told that the exchange is away."""
        self._over = True
        tasks = [*self._rounds.values(), *self._gathering.values(), *self._owners.values(), *self._asking]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _seen(task: asyncio.Task[Any]) -> None:
    """Whoever waits is told; nobody may be waiting any more."""
    if not task.cancelled():
        task.exception()


def _has_answer(asked: asyncio.Task[str | None]) -> bool:
    """Whether the exchange has told whose order it is."""
    return not asked.cancelled() and asked.exception() is None and asked.result() is not None


def _oldest(*cursors: str | None) -> str:
    """The one that stands furthest back. A cursor begins with a number that rises, and of one number the shorter knows
    fewer trades; the empty one has no past.
    """
    known = [cursor for cursor in cursors if cursor]
    return min(known, key=lambda cursor: (int(cursor.split(":", 1)[0]), len(cursor)), default="")
