"""What a bot missed while it was away: the exchange is asked about its orders, and the answers become events.

There is no other start-up path: the events go through `bot.step` like any others. First come the orders that arrived
after all, then fills in the order they happened, then what ended; the order table takes them in this order. A second
report that says the same leads to nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from autogrid.trading.event import Accepted, Cancelled, Expired, Filled, Missing, OrderEvent, Rejected
from autogrid.trading.order import Order, Status

Ending: TypeAlias = Literal["filled", "cancelled", "expired", "rejected"]

UNANSWERED: Final[frozenset[Status]] = frozenset({"intended", "sending", "unclear"})
"""Sent, or about to be: whether they arrived is not known."""

UNKNOWN_MEANS_GONE: Final[frozenset[Status]] = UNANSWERED | {"cancelling"}
"""Where the exchange does not know such an order, it never arrived, or is gone for good."""


class Report(NamedTuple):
    """What the exchange says of a bot's orders, by our ids, asked after everything on the way must have arrived."""

    at_ms: int
    known: frozenset[str]
    """Those it knows at all."""
    open: frozenset[str]
    """Those in its book."""
    fills: Mapping[str, tuple[Filled, ...]]
    """Every fill of an order, with the exchange's ids, as far back as the bot's last one."""
    ended: Mapping[str, Ending]
    """How those that are in its book no more came to their end."""


def missed(orders: Iterable[Order], report: Report) -> tuple[OrderEvent, ...]:
    """The events that lead from what the bot knows of its `orders`, standing and lately ended, to what `report` says.

    An order that was in the book and that the report leaves out is left as it is: a later report knows more.
    """
    arrived: list[OrderEvent] = []
    fills: list[Filled] = []
    ended: list[OrderEvent] = []
    for order in orders:
        how = report.ended.get(order.id)
        if order.id not in report.known:
            if order.status in UNKNOWN_MEANS_GONE:
                ended.append(Missing(report.at_ms, order.id))
            continue
        if (order.status in UNANSWERED and how != "rejected") or order.status == "absent":
            arrived.append(Accepted(report.at_ms, order.id))
        fills += (fill for fill in report.fills.get(order.id, ()) if fill.fill_id not in order.fill_ids)
        if order.is_open or order.status == "absent":
            ended += _ending(order.id, how, report.at_ms)
    fills.sort(key=lambda fill: fill.at_ms)
    return (*arrived, *fills, *ended)


def _ending(order_id: str, how: Ending | None, at_ms: int) -> list[OrderEvent]:
    """The event of an order's end; none where it is open, or its fills say that it is filled."""
    match how:
        case "cancelled":
            return [Cancelled(at_ms, order_id)]
        case "expired":
            return [Expired(at_ms, order_id)]
        case "rejected":
            return [Rejected(at_ms, order_id, "refused while the bot was away")]
        case "filled" | None:
            return []
