"""The orders of all accounts as Bybit knows them: the world's, each with what only Bybit says of it.

A conditional order (`StopOrder`) needs no funds until its trigger, so it waits here and not in the world, and enters
the world when the price has come. The world calls its listeners in the middle of its own work, so such an order enters
a moment later: with the event loop's next turn, or with the next request.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from autogrid.simulator.bybit import codes
from autogrid.simulator.bybit.codes import UnableToAnswer, refusal
from autogrid.simulator.records import OrderNews, Print, SimOrder, UnableToTrade, Wanted, WorldNews
from autogrid.simulator.world import World
from autogrid.trading.money import ZERO, Price

OrderFilter: TypeAlias = Literal["Order", "tpslOrder", "StopOrder"]

FIRST_ID: Final = 2_300_000_000_000_000_000
ID_STEP: Final = 256
"""Order ids are 19 digits, rise, and leave gaps."""

POST_ONLY_CROSSES: Final = "EC_PostOnlyWillTakeLiquidity"


@dataclass(slots=True)
class Ticket:
    """One order, and what the world does not know of it."""

    order: SimOrder
    order_id: str
    order_filter: OrderFilter = "Order"
    market_unit: str = ""
    """Of a market order: `baseCoin` or `quoteCoin`."""
    time_in_force: str = ""
    """As asked for; empty: it follows from the type."""
    trigger: Price | None = None
    triggered: bool = False
    last_price: Price = ZERO
    """When it was made."""
    made_ms: int = 0


@dataclass(slots=True)
class Conditional:
    """An order that waits for its trigger, and what it then becomes."""

    ticket: Ticket
    wanted: Wanted
    rises: bool
    """It waits for the price to rise to its trigger, not to fall."""


Hear: TypeAlias = Callable[[Ticket, OrderNews], None]


class Tickets:
    """All orders there ever were, by Bybit's order id."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._by_id: dict[str, Ticket] = {}
        self._by_exchange_id: dict[int, Ticket] = {}
        self._by_link_id: dict[tuple[str, str], Ticket] = {}
        self._by_account: dict[str, list[Ticket]] = {}
        self._waiting: dict[str, Conditional] = {}
        self._due: list[Conditional] = []
        self._arriving: Ticket | None = None
        self._hear: list[Hear] = []
        for account in world.accounts():
            for order in world.orders(account):
                self._adopt(order)
        world.listen(self._follow)

    def listen(self, hear: Hear) -> None:
        """Be told of every change of an order, with its ticket."""
        self._hear.append(hear)

    # --- asking

    def of(self, account: str, symbol: str | None = None) -> list[Ticket]:
        """Of an account, oldest first."""
        return [ticket for ticket in self._by_account.get(account, ()) if symbol in (None, ticket.order.symbol)]

    def with_exchange_id(self, exchange_id: int) -> Ticket:
        """The ticket of an order of the world."""
        return self._by_exchange_id[exchange_id]

    def find(self, account: str, order_id: str, link_id: str) -> Ticket | None:
        """By order id, where that is given, else the newest of that link id."""
        if order_id:
            ticket = self._by_id.get(order_id)
            return ticket if ticket is not None and ticket.order.account == account else None
        return self._by_link_id.get((account, link_id))

    # --- placing and cancelling

    def place(self, account: str, wanted: Wanted, ticket: Ticket) -> Ticket:
        """A new order, described by a `ticket` that has no order yet. A post-only order that would trade is accepted,
        and rejected afterwards. Raises UnableToAnswer.
        """
        if wanted.client_id and self.find(account, "", wanted.client_id) is not None:
            raise UnableToAnswer(codes.DUPLICATE, codes.REFUSALS["duplicate-client-id"][1])
        self._arriving = ticket
        try:
            order = self.world.place(account, wanted)
        except UnableToTrade as error:
            if error.why != "would-trade":
                by_value = error.why == "least-quantity" and wanted.quantity is None
                raise refusal(UnableToTrade("least-value", "") if by_value else error, wanted.side) from error
            order = self.world.keep_rejected(account, wanted, POST_ONLY_CROSSES)
        finally:
            self._arriving = None
        return self._by_exchange_id[order.exchange_id]

    def wait(self, account: str, wanted: Wanted, ticket: Ticket, trigger: Price) -> Ticket:
        """A conditional order, to be placed as `wanted` once the market trades at `trigger`. Raises UnableToAnswer."""
        if wanted.client_id and self.find(account, "", wanted.client_id) is not None:
            raise UnableToAnswer(codes.DUPLICATE, codes.REFUSALS["duplicate-client-id"][1])
        last = self.world.price(wanted.symbol) or ZERO
        now = self.world.now_ms()
        ticket.order_id, ticket.trigger = self._new_id(), trigger
        ticket.last_price, ticket.made_ms = last, now
        ticket.order = SimOrder(
            exchange_id=-len(self._by_id) - 1,
            account=account,
            symbol=wanted.symbol,
            client_id=wanted.client_id or str(int(ticket.order_id) + 1),
            side=wanted.side,
            type="stop" if wanted.type == "market" else "stop_limit",
            price=wanted.price or ZERO,
            quantity=wanted.quantity or ZERO,
            quote_quantity=wanted.quote_quantity or ZERO,
            trigger=trigger,
            made_ms=now,
            changed_ms=now,
            waiting=True,
        )
        self._keep(ticket)
        wanted = wanted._replace(client_id=ticket.order.client_id)
        self._waiting[ticket.order_id] = Conditional(ticket, wanted, trigger > last)
        self._tell(ticket, OrderNews(ticket.order, "new", None))
        return ticket

    def cancel(self, ticket: Ticket) -> None:
        """Take an order out. Raises UnableToAnswer where it is done already."""
        order = ticket.order
        if not order.is_open:
            done = codes.WAS_FILLED if order.status == "filled" else codes.WAS_CANCELLED
            raise UnableToAnswer(done if order.status != "rejected" else codes.NO_ORDER, "Order does not exist.")
        if ticket.order_id not in self._waiting:
            self.world.cancel(order.account, order.symbol, exchange_id=order.exchange_id)
            return
        del self._waiting[ticket.order_id]
        order.status, order.changed_ms, order.waiting = "cancelled", self.world.now_ms(), False
        self._tell(ticket, OrderNews(order, "cancelled", None))

    def settle(self) -> None:
        """Place the conditional orders whose price has come."""
        due, self._due = self._due, []
        for conditional in due:
            if self._waiting.pop(conditional.ticket.order_id, None) is not None:
                self._fire(conditional)

    def _fire(self, conditional: Conditional) -> None:
        ticket, order = conditional.ticket, conditional.ticket.order
        ticket.triggered, order.waiting, order.changed_ms = True, False, self.world.now_ms()
        self._tell(ticket, OrderNews(order, "triggered", None))
        self._arriving = ticket
        try:
            self.world.place(order.account, conditional.wanted)
        except UnableToTrade as error:
            order.status = "rejected"
            order.why = POST_ONLY_CROSSES if error.why == "would-trade" else "EC_Others"
            self._tell(ticket, OrderNews(order, "rejected", None))
        finally:
            self._arriving = None

    # --- within

    def _follow(self, news: WorldNews) -> None:
        if isinstance(news, Print):
            self._watch(news)
        elif isinstance(news, OrderNews):
            ticket = self._by_exchange_id.get(news.order.exchange_id) or self._adopt(news.order)
            ticket.triggered = ticket.triggered or news.cause == "triggered"
            self._tell(ticket, news)

    def _watch(self, news: Print) -> None:
        reached = [
            one
            for one in self._waiting.values()
            if one.ticket.order.symbol == news.symbol and one not in self._due and _reached(one, news.price)
        ]
        if not reached:
            return
        self._due += reached
        try:
            asyncio.get_running_loop().call_soon(self.settle)
        except RuntimeError:
            return  # no loop runs: the next request settles it

    def _adopt(self, order: SimOrder) -> Ticket:
        ticket, self._arriving = self._arriving, None
        if ticket is None:
            ticket = Ticket(order, "", "tpslOrder" if order.trigger is not None else "Order")
        if not ticket.order_id:
            ticket.order_id, ticket.trigger = self._new_id(), order.trigger
            ticket.last_price, ticket.made_ms = self.world.price(order.symbol) or ZERO, order.made_ms
        ticket.order = order
        self._by_exchange_id[order.exchange_id] = ticket
        self._keep(ticket)
        return ticket

    def _keep(self, ticket: Ticket) -> None:
        if ticket.order_id not in self._by_id:
            self._by_account.setdefault(ticket.order.account, []).append(ticket)
        self._by_id[ticket.order_id] = ticket
        self._by_link_id[ticket.order.account, ticket.order.client_id] = ticket

    def _new_id(self) -> str:
        return str(FIRST_ID + (len(self._by_id) + 1) * ID_STEP)

    def _tell(self, ticket: Ticket, news: OrderNews) -> None:
        for hear in tuple(self._hear):
            hear(ticket, news)


def blank(order_filter: OrderFilter, market_unit: str, time_in_force: str) -> Ticket:
    """A ticket for an order that is yet to come."""
    nothing = SimOrder(0, "", "", "", "buy", "limit", ZERO, ZERO, ZERO, None, 0, 0)
    return Ticket(nothing, "", order_filter, market_unit, time_in_force)


def _reached(conditional: Conditional, price: Price) -> bool:
    trigger = conditional.ticket.trigger
    assert trigger is not None
    return price >= trigger if conditional.rises else price <= trigger
