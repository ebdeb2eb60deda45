"""What leaves for one account's exchange: orders once each, cancels first.

Rules: an order leaves only while the lease is held and no kill stands. What the exchange answers is one of three:
placed, refused, or unclear, and goes back to whose order it is. An exchange that is away or wants to be left alone is
waited for; an order that waited for too long goes back unsent. Cancels pass every rule and wait for nothing but the
lease.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Coroutine, Iterable
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple, Protocol, TypeVar
from weakref import WeakSet

from autogrid.engine.known_orders import Known
from autogrid.engine.lease import Hold, LeaseLost
from autogrid.engine.timing import Timing
from autogrid.engine.venue import (
    ExchangeAway,
    ExchangeRefused,
    ExchangeUnclear,
    Intent,
    OwnOrder,
    Venue,
)

Result = TypeVar("Result")
AT_ONCE = 16
"""Requests on their way at one time."""


class Sender(Protocol):
    """Whose order it is, and who hears what came of it."""

    @property
    def bot_id(self) -> str: ...  # noqa: D102
    def placed(self, known: Known, own: OwnOrder) -> None: ...  # noqa: D102
    def refused(self, known: Known, why: str, words: str) -> None: ...  # noqa: D102
    def unclear(self, known: Known) -> None: ...  # noqa: D102
    def unsent(self, known: Known) -> None: ...  # noqa: D102
    def cancel_left(self, known: Known) -> None: ...  # noqa: D102
    def fail(self, fault: BaseException) -> None: ...  # noqa: D102


class _Order(NamedTuple):
    sender: Sender
    known: Known
    intent: Intent


class _Cancel(NamedTuple):
    symbol: str
    client_id: str
    sender: Sender | None
    known: Known | None


class Outgoing:
    """The queue of one account."""

    def __init__(self, name: str, venue: Venue, hold: Hold, timing: Timing) -> None:
        self.sent = 0
        """Orders that left."""
        self.trouble = ""
        """Why nothing leaves, where that is so."""
        self._name = name
        self._venue = venue
        self._hold = hold
        self._timing = timing
        self._exits: deque[_Order] = deque()
        """Orders that end a position: they leave before others."""
        self._orders: deque[_Order] = deque()
        self._cancels: dict[str, _Cancel] = {}
        """By client id: of one order one cancel waits, whoever asks for it."""
        self._away_until_ms = 0
        self._news = asyncio.Event()
        self._placing: dict[asyncio.Task[None], _Order] = {}
        self._cancelling: dict[asyncio.Task[None], list[_Cancel]] = {}
        self._gone: WeakSet[Sender] = WeakSet()
        """Whose orders do not leave any more."""
        self._killed: frozenset[str] | None = frozenset()
        """Bots whose orders may not leave; None: all."""

    def send(self, sender: Sender, known: Known, intent: Intent, *, exits: bool = False) -> None:
        """Let an order leave, in its turn; one that `exits` before others."""
        known.queued_ms = self._hold.steady_ms()
        (self._exits if exits else self._orders).append(_Order(sender, known, intent))
        self._news.set()

    def withdraw(self, known: Known) -> bool:
        """Take back an order that has not left; whether that was so."""
        before = len(self._orders) + len(self._exits)
        self._orders = deque(one for one in self._orders if one.known is not known)
        self._exits = deque(one for one in self._exits if one.known is not known)
        return len(self._orders) + len(self._exits) < before

    def cancel(self, symbol: str, client_id: str, sender: Sender | None = None, known: Known | None = None) -> None:
        """Take an order out at the exchange; it leaves before any order."""
        self._wait(_Cancel(symbol, client_id, sender, known))
        self._news.set()

    def _wait(self, cancel: _Cancel) -> None:
        waits = self._cancels.get(cancel.client_id)
        if waits is None or waits.sender is None:
            self._cancels[cancel.client_id] = cancel

    def forget(self, sender: Sender) -> None:
        """What a bot has waiting here does not leave any more, nor what comes back from an exchange that is away."""
        self._gone.add(sender)
        self._orders = deque(one for one in self._orders if one.sender is not sender)
        self._exits = deque(one for one in self._exits if one.sender is not sender)

    def kill(self, bots: Iterable[str] | None) -> None:
        """From this moment no order of these bots leaves (None: of any), nor one that waits for its turn at the
        exchange's limit: what is on its way is broken off and looked up. None takes it back.
        """
        self._killed = None if bots is None else frozenset(bots)
        for task, order in self._placing.items():
            if self.is_killed(order.sender):
                task.cancel()
        self._news.set()

    def is_killed(self, sender: Sender) -> bool:
        """Whether a kill stands for whose orders these are."""
        return self._killed is None or sender.bot_id in self._killed

    async def run(self) -> None:
        """Let what waits leave, until cancelled. Raises `LeaseLost`."""
        while True:
            if not self._hold.may_send() and (self._orders or self._exits or self._cancels):
                raise LeaseLost(
                    f"the lease on account {self._name} was not renewed in time; nothing is sent without it"
                )
            if len(self._cancelling) < AT_ONCE and self._cancels:
                batch = self._next_cancels()
                self._cancelling[self._begin(self._take_out(batch), [one.sender for one in batch])] = batch
            elif len(self._placing) < AT_ONCE and not self._waits() and (self._exits or self._orders):
                order = (self._exits or self._orders).popleft()
                self._placing[self._begin(self._place(order), [order.sender])] = order
            else:
                self._news.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), 0.2 if self._orders or self._exits else None)

    def _waits(self) -> bool:
        """Whether the exchange wants to be left alone. What waits for too long goes back to its bot."""
        now = self._hold.steady_ms()
        for queue in (self._exits, self._orders):
            while queue and now > (queue[0].known.queued_ms or now) + self._timing.queue_s * 1_000:
                old = queue.popleft()
                old.sender.unsent(old.known)
        return now < self._away_until_ms

    def _begin(self, work: Coroutine[Any, Any, None], senders: Iterable[Sender | None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        task.add_done_callback(lambda done: self._done(done, senders))
        return task

    def _done(self, task: asyncio.Task[None], senders: Iterable[Sender | None]) -> None:
        """A fault of ours, which nobody anticipated, ends the bots it happened to; their orders are looked up then."""
        self._placing.pop(task, None)
        self._cancelling.pop(task, None)
        self._news.set()
        if not task.cancelled() and (fault := task.exception()) is not None:
            for sender in senders:
                if sender is not None:
                    sender.fail(fault)

    def _next_cancels(self) -> list[_Cancel]:
        """As many as one request may name, of one symbol."""
        symbol = next(iter(self._cancels.values())).symbol
        same = (one for one in self._cancels.values() if one.symbol == symbol)
        batch = list(islice(same, self._venue.cancels_at_once))
        for one in batch:
            del self._cancels[one.client_id]
        return batch

    async def _place(self, order: _Order) -> None:
        sender, known, intent = order
        if self.is_killed(sender):
            sender.refused(known, "kill", "the kill switch is on")
            return
        window_ms = self._hold.window_ms()
        known.left = True
        known.deadline_ms = self._hold.steady_ms() + window_ms
        self.sent += 1
        try:
            own = await within(self._timing, self._venue.place(intent, window_ms))
        except ExchangeRefused as no:
            self._refused(order, no)
        except ExchangeAway as away:
            self._came_back(order, away)
        except (ExchangeUnclear, TimeoutError):
            sender.unclear(known)
        except asyncio.CancelledError:
            if self.is_killed(sender):
                sender.unclear(known)  # it is looked up, and taken out where it has arrived
            raise
        else:
            self.trouble = ""
            if own.exchange_id and own.client_id == intent.client_id:
                sender.placed(known, own)
            else:
                sender.unclear(known)

    def _refused(self, order: _Order, no: ExchangeRefused) -> None:
        if no.why == "duplicate":
            order.sender.unclear(order.known)
        else:
            order.sender.refused(order.known, no.why, str(no))

    def _came_back(self, order: _Order, away: ExchangeAway) -> None:
        """An order that did not leave waits for its turn again."""
        sender, known, _ = order
        if not known.is_unanswered:
            return  # the stream told of it meanwhile: it had arrived
        known.left = False
        self.trouble = str(away)
        self._away_until_ms = self._hold.steady_ms() + max(away.wait_ms, 1_000)
        if sender in self._gone:
            return  # whoever runs the bot next looks it up
        if known.order.cancel_asked:
            sender.unsent(known)
        else:
            (self._exits if known.exits else self._orders).appendleft(order)

    async def _take_out(self, batch: list[_Cancel]) -> None:
        try:
            await within(self._timing, self._venue.cancel(batch[0].symbol, [one.client_id for one in batch]))
        except (ExchangeAway, TimeoutError) as away:
            wait_ms = away.wait_ms if isinstance(away, ExchangeAway) else 0
            await asyncio.sleep(max(wait_ms, 500) / 1_000)
            for one in batch:
                if one.known is None or one.known.order.is_open:
                    self._wait(one)
            return
        except (ExchangeRefused, ExchangeUnclear):
            pass  # what became of it is looked up, in each case
        for one in batch:
            if one.sender is not None and one.known is not None:
                one.sender.cancel_left(one.known)

    async def quiet(self) -> None:
        """Return once nothing is on its way."""
        while self._working:
            await asyncio.wait(self._working)

    @property
    def _working(self) -> list[asyncio.Task[None]]:
        return [*self._placing, *self._cancelling]

    async def stop(self) -> None:
        """Wait for nothing more."""
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    async def carried(self, client_ids: Iterable[str]) -> None:
        """Return once the cancels of these have left and were answered."""
        wanted = frozenset(client_ids)
        while not wanted.isdisjoint(self._cancels) or any(
            one.client_id in wanted for batch in self._cancelling.values() for one in batch
        ):
            if self._cancelling:
                await asyncio.wait(list(self._cancelling), timeout=0.2)
            else:
                await asyncio.sleep(0.05)

    def waiting_cancels(self) -> frozenset[str]:
        """Client ids of orders whose cancel has not left yet."""
        return frozenset(self._cancels)


async def within(timing: Timing, work: Awaitable[Result]) -> Result:
    """The answer to a request, waited for so long and no longer. Raises TimeoutError."""
    async with asyncio.timeout(timing.answer_s):
        return await work
