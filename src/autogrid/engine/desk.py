"""One bot's orders at an exchange: each sent once, each fill told once, nothing guessed.

The way of an order: its step is in the journal; it leaves through the account; the answer is *placed*, *refused* or
*unclear*. What is unclear is looked up by our client id until the exchange has told it, or has said twice, long after
it could still accept it, that it knows none such; only then the bot decides anew, with a new id. Fills come from
trades, never from an order's state; an end that was told is held back until all its trades are there, and how far the
trades were read is told behind the last of them. After a start all that was open is settled before anything leaves.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress

from autogrid.engine.account import Account
from autogrid.engine.chores import Chores
from autogrid.engine.known_orders import Known, KnownOrders
from autogrid.engine.outgoing import within
from autogrid.engine.rounds import AWAY, Round
from autogrid.engine.told import Told
from autogrid.engine.venue import OwnOrder, OwnTrade
from autogrid.engine.wire_ids import bot_of
from autogrid.engine.wire_orders import filled_by, intent_of
from autogrid.trading.event import Accepted, Cancelled, Expired, Missing, OrderEvent, Rejected, Unclear
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, Amount, Share
from autogrid.trading.order import Order
from autogrid.trading.state import BotState

ROUNDS_TRIED = 4
"""After so many rounds without the trades of an order, the exchange is asked for those of that order."""
OWNER_TRIES = 30
"""So often an exchange may not know the order of a trade: some seven minutes."""


class Desk:
    """What one bot has at the exchange, and what becomes of it; the bot's `Link` to its account."""

    def __init__(self, bot_id: str, state: BotState, market: Market, account: Account, told: Told) -> None:
        """`state`: as the journal left it. What is found out goes to `told`."""
        self.bot_id = bot_id
        self.symbol = market.symbol
        self.cursor_told = ""
        self.slippage: Share = ZERO
        """How far an order that must trade now may pass the price it was decided at."""
        self.foreign = 0
        """Open orders on the symbol that are somebody else's."""
        self.found: dict[str, int] = {}
        """What was found until the start was settled."""
        self._market = market
        self._account = account
        self._told = told
        self.known = KnownOrders(bot_id, state, market)
        self._since_ms = state.at_ms
        self._waiting: deque[Known] = deque()
        """Orders that wait for the start to be settled."""
        self._settled = False
        self._closing = False
        self._chores = Chores(told.fail)
        self._strange: dict[tuple[str, str], None] = {}

    # --- what the bot wants -------------------------------------------------------------------------------------

    def place(self, order: Order, *, exits: bool = False) -> None:
        """Send an order, in its turn; one that ends a position (`exits`) before others."""
        known = self.known.add(order)
        known.exits = exits
        if not self._closing:
            self._waiting.append(known)
            self._let_go()

    def cancel(self, order_id: str) -> None:
        """Take an order out, at the exchange or out of the queue."""
        known = self.known.of_id(order_id)
        if known is None or not known.order.is_open:
            return
        order = known.order
        status = "cancelling" if order.status in ("working", "partial") else order.status
        known.order = order._replace(status=status, cancel_asked=True)
        waits = known in self._waiting
        if not known.left and (waits or self._account.outgoing.withdraw(known)):
            if waits:
                self._waiting.remove(known)
            self._tell(Cancelled(self._now(), order_id))
        else:
            self._take_out(known)

    def _take_out(self, known: Known) -> None:
        """Let a cancel leave, one at a time of an order; it is repeated while the order is seen open."""
        if not known.cancelling:
            known.cancelling = True
            self._account.outgoing.cancel(self.symbol, known.client_id, self, known)

    def _let_go(self) -> None:
        while self._settled and self._waiting:
            known = self._waiting.popleft()
            intent = intent_of(known.order, known.client_id, self._market, self.slippage)
            self._account.outgoing.send(self, known, intent, exits=known.exits)

    # --- the start and the end ----------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Settle all that was open before this run; then orders leave."""
        timing, hold = self._account.timing, self._account.hold
        before = [known for known in self.known.open if known.is_unanswered]
        for known in before:
            known.deadline_ms = hold.steady_ms() + hold.window_ms()
        await self._account.listening()
        tries = 0
        while True:
            try:
                await self._account.rounds.rounded(self.symbol)
                break
            except AWAY:
                await asyncio.sleep(timing.after(tries))
                tries += 1
        for known in before:  # and not what was decided meanwhile, which has not left
            if known.is_unanswered:  # one round tells most of them; a look-up each would be dear
                self._look_up(known)
        await self._chores.looked()
        self._settled = True
        self._let_go()

    async def close(self) -> None:
        """Send no order more; return when what is on its way was answered, or waited for long enough."""
        self._closing = True
        self._waiting.clear()
        self._account.outgoing.forget(self)
        try:
            async with asyncio.timeout(self._account.timing.close_s):
                await self._account.outgoing.quiet()
        except TimeoutError:
            return

    async def stop(self) -> None:
        """Look nothing up any more."""
        await self._chores.stop()

    # --- what the account says ----------------------------------------------------------------------------------

    def placed(self, known: Known, own: OwnOrder) -> None:
        """The exchange has it."""
        self._take(known, own)

    def refused(self, known: Known, why: str, words: str) -> None:
        """The exchange refused it for certain."""
        self._tell(Rejected(self._now(), known.order.id, f"{words} ({why})"))

    def unsent(self, known: Known) -> None:
        """It never left."""
        self._tell(Missing(self._now(), known.order.id))

    def unclear(self, known: Known) -> None:
        """It left, and no answer is to be had."""
        self._tell(Unclear(self._now(), known.order.id))
        self._look_up(known)

    def cancel_left(self, known: Known) -> None:
        """A cancel was answered, well or not: the order is looked up, where nothing tells its end soon."""
        self._chores.begin(self._look_later(known))

    def fail(self, fault: BaseException) -> None:
        """The account cannot go on."""
        self._told.fail(fault)

    def hear(self, news: OwnOrder | OwnTrade) -> None:
        """The stream, or a round, tells of an order or a trade."""
        known = self.known.of(news.client_id, news.exchange_id)
        if isinstance(news, OwnOrder):
            if known is not None:
                self._take(known, news)
        elif known is not None:
            self.known.named(known, news.exchange_id)
            self._trade(known, news)
        elif news.client_id:
            self._strange_trade(news)
        else:
            self._chores.owe(self._find_owner(news))

    def client_id_of(self, exchange_id: str) -> str:
        """As `Link`."""
        known = self.known.of("", exchange_id)
        return "" if known is None else known.client_id

    def report(self, found: Round) -> None:
        """A round: what is open, what was traded."""
        self.foreign = found.foreign
        for trade in found.trades:
            if not trade.client_id or bot_of(trade.client_id) == self.bot_id:
                self.hear(trade)
        self._told_up_to(found.cursor)
        for known in self.known.open:
            own = found.open.get(known.client_id)
            if own is not None:
                known.misses = 0
                self._take(known, own)
            elif not known.is_unanswered and (known.queued_ms is None or known.queued_ms < found.began_ms):
                known.missed_ms = known.missed_ms if known.misses else self._account.hold.steady_ms()
                known.misses += 1
                self._chores.begin(self._look_ended(known))
        self._put_out_orphans(own for own in found.open.values() if bot_of(own.client_id) == self.bot_id)

    def _told_up_to(self, cursor: str) -> None:
        """Tell how far the trades were read, behind the last of them."""
        if owed := self._chores.owed:
            self._chores.begin(self._tell_later(cursor, owed))
        else:
            self._told.put(cursor)

    async def _tell_later(self, cursor: str, owed: list[asyncio.Task[None]]) -> None:
        await asyncio.wait(owed)
        if not any(task.cancelled() or task.exception() is not None for task in owed):
            self._told.put(cursor)

    def _put_out_orphans(self, orders: Iterable[OwnOrder]) -> None:
        """Open orders of this bot that it takes for ended, or never knew: they go, or come back into its books."""
        for own in orders:
            known = self.known.of(own.client_id)
            if known is not None and known.order.status == "absent":
                self._take(known, own)
            elif known is None or not known.order.is_open:
                self._count("orders of its own that it did not know, taken out")
                self._account.outgoing.cancel(self.symbol, own.client_id)

    # --- one order ----------------------------------------------------------------------------------------------

    def _take(self, known: Known, own: OwnOrder) -> None:
        """What the exchange says of an order."""
        self.known.named(known, own.exchange_id)
        order_id, status = known.order.id, known.order.status
        if own.status == "rejected" and not known.order.filled and not own.filled:
            if known.order.is_open:
                self._tell(Rejected(self._now(), order_id, own.words or "refused by the exchange"))
            return
        if known.is_unanswered or (status == "absent" and own.status == "open"):
            if known.queued_ms is None:
                self._count("orders that had arrived")
            known.cancelling = known.cancelling and status != "absent"
            self._tell(Accepted(self._now(), order_id, own.exchange_id))
        if own.status != "open" or own.filled > known.order.filled:
            self._ending(known, own)
        elif known.order.cancel_asked and known.order.is_open:
            self._take_out(known)  # asked before, perhaps by an earlier run, and not done

    def _ending(self, known: Known, own: OwnOrder) -> None:
        """It has ended at the exchange; that is told once all its trades are known."""
        order = known.order
        if not order.is_open:
            known.end = None
            return
        if own.filled > order.filled:
            if known.end is None:
                self._chores.look(self._fetch_trades(known))
            known.end = own
            return
        known.end = None
        if own.status == "open":
            return
        at_ms = self._now()
        if order.cancel_asked or (own.status == "cancelled" and self._account.outgoing.is_killed(self)):
            self._tell(Cancelled(at_ms, order.id))
        elif order.kind == "maker" and not order.filled and own.status in ("cancelled", "expired"):
            self._tell(Rejected(at_ms, order.id, own.words or "it would have traded at once, or was taken out"))
        else:
            self._tell(Expired(at_ms, order.id))

    def _trade(self, known: Known, trade: OwnTrade) -> None:
        if trade.trade_id in known.order.fill_ids:
            return
        if self._needs_value(trade):
            self._chores.owe(self._trade_with_value(known, trade))
        else:
            self._fill(known, trade, ZERO)

    def _needs_value(self, trade: OwnTrade) -> bool:
        """Whether its fee is in a third asset."""
        return bool(trade.fee) and trade.fee_asset not in (self._market.base, self._market.quote)

    def _fill(self, known: Known, trade: OwnTrade, fee_value: Amount) -> None:
        if known.is_unanswered:
            self._tell(Accepted(self._now(), known.order.id, known.exchange_id))
        if self._tell(filled_by(known.order.id, trade, fee_value)):
            self._count("fills")
        if known.end is not None:
            self._ending(known, known.end)

    def _strange_trade(self, trade: OwnTrade) -> None:
        """A trade of an order of this bot that it does not know: told once, so that it stands in the journal."""
        key = trade.trade_id, trade.client_id
        if trade.at_ms > self._since_ms and key not in self._strange:
            self._strange[key] = None
            self._told.put(filled_by(trade.client_id, trade, ZERO))

    def _tell(self, event: OrderEvent) -> bool:
        """Tell what is news; whether it was."""
        news = self.known.take(event)
        if news:
            self._told.put(event)
        return news

    def _now(self) -> int:
        return self._account.venue.now_ms()

    def _count(self, what: str) -> None:
        if not self._settled:
            self.found[what] = self.found.get(what, 0) + 1

    # --- looking up ---------------------------------------------------------------------------------------------

    def _look_up(self, known: Known) -> None:
        if not known.looking:
            known.looking = True
            self._chores.look(self._resolve(known))

    async def _resolve(self, known: Known) -> None:
        """Look for an order until the exchange has it, or surely never got it."""
        timing, venue, hold, tries, missed = self._account.timing, self._account.venue, self._account.hold, 0, 0
        while known.is_unanswered:
            await asyncio.sleep(timing.after(tries))
            tries += 1
            asked_ms = hold.steady_ms()
            try:
                own = await within(timing, venue.find(self.symbol, known.client_id))
            except AWAY:
                continue  # a fault while asking says nothing of the order
            if own is not None:
                self._take(known, own)
            elif asked_ms >= known.deadline_ms + timing.settle_s * 1_000:
                missed += 1
                if missed >= timing.misses and known.is_unanswered:
                    self._count("orders that never arrived")
                    self._tell(Missing(self._now(), known.order.id))
        known.looking = False

    async def _look_later(self, known: Known) -> None:
        await asyncio.sleep(self._account.timing.end_s)
        known.cancelling = False
        await self._look_ended(known)

    async def _look_ended(self, known: Known) -> None:
        """An order that should have ended: how did it?"""
        timing, hold, tries = self._account.timing, self._account.hold, 0
        while known.order.is_open and not known.is_unanswered and known.end is None:
            try:
                own = await within(timing, self._account.venue.find(self.symbol, known.client_id))
            except AWAY:
                await asyncio.sleep(timing.after(tries))
                tries += 1
                continue
            if own is not None:
                known.misses = 0
                self._take(known, own)
            elif known.misses >= timing.gone and hold.steady_ms() >= known.missed_ms + timing.gone_s * 1_000:
                self._count("orders that the exchange knows no more")
                self._tell(Expired(self._now(), known.order.id))
            return

    async def _fetch_trades(self, known: Known) -> None:
        """Ask for the trades of an order that ended, or has traded more than was told, until they are all there."""
        timing, tries = self._account.timing, 0
        await asyncio.sleep(timing.end_s)
        while known.end is not None:
            if tries < ROUNDS_TRIED or not known.exchange_id:
                self._account.rounds.ask_round(self.symbol)
            else:  # a trade that came late may lie before what was read already
                with suppress(*AWAY):
                    venue = self._account.venue
                    for trade in await within(timing, venue.trades_of(self.symbol, known.exchange_id)):
                        self._trade(known, trade)
            await asyncio.sleep(timing.after(tries))
            known.vain = tries = tries + 1
        known.vain = 0

    async def _find_owner(self, trade: OwnTrade) -> None:
        """Whose order an unnamed trade was: what traded exists, so who does not know it is asked again."""
        timing, tries = self._account.timing, 0
        while tries < OWNER_TRIES:
            try:
                client_id = await self._account.rounds.owner_of(self.symbol, trade.exchange_id)
            except AWAY:
                await asyncio.sleep(timing.end_s)
                continue
            if client_id is not None:
                known = self.known.of(client_id, trade.exchange_id)
                if known is not None and self._needs_value(trade):
                    await self._trade_with_value(known, trade)
                elif bot_of(client_id) == self.bot_id:
                    self.hear(trade._replace(client_id=client_id))
                return
            await asyncio.sleep(timing.after(tries))
            tries += 1

    async def _trade_with_value(self, known: Known, trade: OwnTrade) -> None:
        worth = await self._account.rounds.value_of(trade.fee_asset, self._market.quote)
        self._fill(known, trade, ZERO if worth is None else trade.fee * worth)
