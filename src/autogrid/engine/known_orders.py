"""What one bot's live orders are known to be: the bot's own view, ahead of it by what it has not been told yet.

Every answer passes the order's table here before it is told, so the bot hears nothing twice and nothing that cannot
follow what it knows.
"""

from collections.abc import Iterable
from typing import Final

from autogrid.engine.venue import OwnOrder
from autogrid.engine.wire_ids import wire_id
from autogrid.trading.event import OrderEvent
from autogrid.trading.market import Market
from autogrid.trading.order import Order, Status, apply
from autogrid.trading.state import BotState

ENDED_KEPT: Final = 256
VAIN: Final = 8
"""So often trades may be asked for in vain before that is said: about a minute."""
UNANSWERED: Final[frozenset[Status]] = frozenset({"intended", "sending", "unclear"})
"""Whether such an order is at the exchange is not known."""


class Known:
    """One order, and what is known of its way to the exchange."""

    __slots__ = (
        "cancelling",
        "client_id",
        "deadline_ms",
        "end",
        "exchange_id",
        "exits",
        "left",
        "looking",
        "missed_ms",
        "misses",
        "order",
        "queued_ms",
        "vain",
    )

    def __init__(self, order: Order, client_id: str) -> None:
        self.order = order
        self.client_id = client_id
        self.exchange_id = ""
        self.queued_ms: int | None = None
        """When it was handed over to be sent, by the steady clock; None: by an earlier run."""
        self.left = False
        """Whether it may have left for the exchange."""
        self.deadline_ms = 0
        """The exchange accepts it no later than this, by the steady clock."""
        self.exits = False
        """Whether it ends a position."""
        self.cancelling = False
        """Whether a cancel waits, is on its way, or was answered a moment ago."""
        self.looking = False
        """Whether it is being looked up."""
        self.misses = 0
        """In how many rounds the exchange did not know it."""
        self.missed_ms = 0
        """Since when, by the steady clock."""
        self.end: OwnOrder | None = None
        """How it ended, where trades of it are still missing."""
        self.vain = 0
        """How often they were asked for."""

    @property
    def is_unanswered(self) -> bool:
        """Whether it is not known to be at the exchange, nor not to be."""
        return self.order.status in UNANSWERED


class KnownOrders:
    """All open orders of one bot, and those that ended lately."""

    def __init__(self, bot_id: str, state: BotState, market: Market) -> None:
        self._bot_id = bot_id
        self._market = market
        self._by_id: dict[str, Known] = {}
        self._by_client: dict[str, Known] = {}
        self._by_exchange: dict[str, Known] = {}
        for order in (*state.ended, *state.standing.values()):
            self.add(order).left = True

    def add(self, order: Order) -> Known:
        """Know one more."""
        known = Known(order, wire_id(self._bot_id, order.id))
        self._by_id[order.id] = known
        self._by_client[known.client_id] = known
        if len(self._by_id) > 2 * ENDED_KEPT:
            self._forget()
        return known

    def named(self, known: Known, exchange_id: str) -> None:
        """The exchange's id of an order."""
        if exchange_id and not known.exchange_id:
            known.exchange_id = exchange_id
            self._by_exchange[exchange_id] = known

    def of_id(self, order_id: str) -> Known | None:
        """By the bot's id."""
        return self._by_id.get(order_id)

    def of(self, client_id: str, exchange_id: str = "") -> Known | None:
        """By the id that it bears at the exchange, or the exchange's own."""
        return self._by_client.get(client_id) or self._by_exchange.get(exchange_id)

    def take(self, event: OrderEvent) -> bool:
        """Let an event happen to its order; whether that was news. Raises `UnableToFollow`."""
        known = self._by_id[event.order_id]
        after = apply(known.order, event, self._market)
        changed = after is not known.order
        known.order = after
        return changed

    @property
    def open(self) -> Iterable[Known]:
        """Those that may still trade."""
        return [known for known in self._by_id.values() if known.order.is_open]

    @property
    def untold(self) -> str:
        """What a person should know of trades that the exchange does not tell; empty where none is missing for long."""
        many = sum(1 for known in self._by_id.values() if known.vain > VAIN)
        return f"the exchange does not tell the trades of {many} orders that it says have traded" if many else ""

    def _forget(self) -> None:
        """Of those that ended the oldest."""
        ended = [known for known in self._by_id.values() if not known.order.is_open]
        for known in ended[:-ENDED_KEPT]:
            del self._by_id[known.order.id]
            del self._by_client[known.client_id]
            self._by_exchange.pop(known.exchange_id, None)
