"""One exchange account in this process, shared by all bots on it.

What leaves goes through `Outgoing`, what is asked through `Rounds`. What the account's stream tells goes to the bot
whose order it is. Every minute, at every start and after each interruption of the stream there is a round of each
symbol. What bears none of our ids is somebody else's: counted, never touched.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol, TypeVar

from autogrid.engine.lease import Hold
from autogrid.engine.outgoing import Outgoing, Sender, within
from autogrid.engine.rounds import AWAY, ENDED, KeptOwner, Round, Rounds
from autogrid.engine.timing import PATIENT, Timing
from autogrid.engine.venue import (
    ExchangeAway,
    News,
    OwnOrder,
    OwnTrade,
    StreamBegan,
    StreamBroke,
    Venue,
)
from autogrid.engine.wire_ids import bot_of
from autogrid.trading.order import UnableToFollow

Heard = TypeVar("Heard")


class Link(Sender, Protocol):
    """A bot's side of the account."""

    @property
    def symbol(self) -> str:
        """What it trades."""
        ...

    cursor_told: str
    """The trades up to there were told."""

    def hear(self, news: OwnOrder | OwnTrade) -> None:
        """The stream tells of an order or a trade."""
        ...

    def report(self, found: Round) -> None:
        """A round was made."""
        ...

    def client_id_of(self, exchange_id: str) -> str:
        """What one of its orders bears, by the exchange's id; empty where it knows none such."""
        ...


class Account:
    """The traffic of one account."""

    def __init__(
        self,
        name: str,
        venue: Venue,
        hold: Hold,
        timing: Timing = PATIENT,
        kept_owner: KeptOwner | None = None,
    ) -> None:
        """`kept_owner`: what the journals know of orders, so that the exchange need not be asked."""
        self.name = name
        self.venue = venue
        self.hold = hold
        self.timing = timing
        self.outgoing = Outgoing(name, venue, hold, timing)
        self.rounds = Rounds(venue, hold, timing, self._cursors_on, self._rounded, kept_owner)
        self._links: dict[str, Link] = {}
        self._since: dict[str, int] = {}
        """By bot: the last round that had begun when it joined."""
        self._listening = asyncio.Event()
        """Set once the stream tells, or is known not to."""
        self._trouble = ""
        self._blind = self._ended = False

    @property
    def trouble(self) -> str:
        """What a person should know of the account; empty where all is well."""
        return self._trouble or self.outgoing.trouble

    def join(self, link: Link) -> None:
        """A bot begins. One that comes after the traffic has ended is told so."""
        if self._ended:
            link.fail(ExchangeAway(ENDED))
        self._links[link.bot_id] = link
        self._since[link.bot_id] = self.rounds.begun

    def leave(self, link: Link) -> None:
        """It ends: what it has waiting does not leave any more."""
        if self._links.get(link.bot_id) is link:
            del self._links[link.bot_id]
        self.outgoing.forget(link)

    @property
    def symbols(self) -> list[str]:
        """What the bots trade."""
        return list(dict.fromkeys(link.symbol for link in self._links.values()))

    async def listening(self) -> None:
        """Return once the stream tells or is known not to, and after a while in any case: what is asked before may be
        out of date when it begins, and is then asked again.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._listening.wait(), self.timing.listen_s)

    async def run(self) -> None:
        """Carry the traffic until cancelled. Raises `LeaseLost`."""
        tasks = [asyncio.create_task(one) for one in (self._listen(), self.outgoing.run(), self._compare())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if (fault := task.exception()) is not None:
                    self.fail(fault)
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._ended = True
            await self.outgoing.stop()
            await self.rounds.stop()

    def fail(self, fault: BaseException) -> None:
        """No bot can go on here."""
        for link in list(self._links.values()):
            link.fail(fault)

    async def _listen(self) -> None:
        async for news in self.venue.news():
            self._take(news)

    def _take(self, news: News) -> None:
        if isinstance(news, StreamBroke):
            self._blind = True
            self._trouble = f"the account's stream is broken: {news.words}"
            self._listening.set()
            return
        if isinstance(news, StreamBegan):
            self._blind, self._trouble = False, ""
            self._listening.set()
            for symbol in self.symbols:
                if self.rounds.has_asked(symbol):  # who waits for the stream asks by itself
                    self.rounds.ask_round(symbol)
            return
        if isinstance(news, OwnTrade):
            news = self._named(news)
        bot_id = bot_of(news.client_id)
        if bot_id is not None:
            link = self._links.get(bot_id)
            if link is not None:
                _told(link, link.hear, news)
        elif not news.client_id:
            for link in self._on(news.symbol):  # a trade that does not tell whose order it was
                _told(link, link.hear, news)

    async def _compare(self) -> None:
        """A round of every symbol each minute, and more often while the stream tells nothing."""
        waited = 0.0
        while True:
            await asyncio.sleep(self.timing.blind_s)
            waited += self.timing.blind_s
            if self._blind or waited >= self.timing.round_s:
                waited = 0.0
                for symbol in self.symbols:
                    self.rounds.ask_round(symbol)

    def _on(self, symbol: str) -> list[Link]:
        return [link for link in self._links.values() if link.symbol == symbol]

    def _cursors_on(self, symbol: str) -> list[str]:
        return [link.cursor_told for link in self._on(symbol)]

    def _named(self, trade: OwnTrade) -> OwnTrade:
        """The trade with the client id of its order, where that is known here: to ask the exchange for it is dear."""
        if trade.client_id:
            return trade
        known = (link.client_id_of(trade.exchange_id) for link in self._on(trade.symbol))
        return trade._replace(client_id=next(filter(None, known), ""))

    def _rounded(self, symbol: str, found: Round | BaseException) -> None:
        if isinstance(found, Round):
            found = found._replace(trades=tuple(map(self._named, found.trades)))
        for link in self._on(symbol):
            if isinstance(found, Round):
                if found.number > self._since[link.bot_id]:
                    _told(link, link.report, found)
            elif not isinstance(found, AWAY):
                link.fail(found)
        if isinstance(found, AWAY):
            self._trouble = str(found) or "the exchange does not answer"
        elif not self._blind:
            self._trouble = ""

    async def sweep(self, symbols: Iterable[str], is_meant: Callable[[str], bool]) -> int:
        """Take every open order of AutoGrid's out whose bot `is_meant`, until none is left; how many there were."""
        gone: set[str] = set()
        for symbol in symbols:
            while True:
                try:
                    orders = await within(self.timing, self.venue.open_orders(symbol))
                except AWAY:
                    await asyncio.sleep(0.5)
                    continue
                bots = {own.client_id: bot_of(own.client_id) for own in orders}
                ours = [client_id for client_id, bot_id in bots.items() if bot_id is not None and is_meant(bot_id)]
                if not ours:
                    break
                waiting = self.outgoing.waiting_cancels()
                for client_id in ours:
                    if client_id not in waiting:
                        self.outgoing.cancel(symbol, client_id)
                again = not gone.isdisjoint(ours)
                gone.update(ours)
                await self.outgoing.carried(ours)
                if again:
                    await asyncio.sleep(0.5)  # not taken out at the first try
        return len(gone)


def _told(link: Link, tell: Callable[[Heard], None], what: Heard) -> None:
    """Tell a bot's side; what cannot follow there ends that bot, and no other hears of it."""
    try:
        tell(what)
    except UnableToFollow as fault:
        link.fail(fault)
