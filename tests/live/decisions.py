"""What a run decided and what came of it, slot by slot, so that runs of different modes can be held side by side.

Nonces, epochs, sessions, times and everything that was reconciled stay out: an order is its slot, side, kind, price and
quantity, a fill its price, quantity and fee.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import NamedTuple

from autogrid.storage.database import Database
from autogrid.storage.memory_journal import MemoryJournal
from autogrid.storage.orders import list_fills, list_orders
from autogrid.trading.event import Filled
from autogrid.trading.order import Order
from autogrid.trading.plan import Place


class Filling(NamedTuple):
    """A fill of an order."""

    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str


class Decided(NamedTuple):
    """An order as it was decided, and all that it traded."""

    side: str
    kind: str
    price: Decimal
    quantity: Decimal
    fills: tuple[Filling, ...]
    status: str = ""
    """How it ended, where that is known; not part of what is compared."""

    @property
    def order(self) -> tuple[str, str, Decimal, Decimal]:
        return self.side, self.kind, self.price, self.quantity


Decisions = Mapping[str, Sequence[Decided]]
"""By slot, in the order in which they were decided."""


def of_memory(journal: MemoryJournal) -> Decisions:
    """Of a backtest."""
    orders: dict[str, Order] = {}
    fills: dict[str, list[Filling]] = {}
    for row in journal.rows:
        if isinstance(row.event, Filled):
            told = Filling(row.event.price, row.event.quantity, row.event.fee, row.event.fee_asset)
            fills.setdefault(row.event.order_id, []).append(told)
        for command in row.commands:
            if isinstance(command, Place):
                orders[command.order.id] = command.order
    found: dict[str, list[Decided]] = {}
    for name, one in orders.items():
        traded = tuple(fills.get(name, ()))
        found.setdefault(one.slot, []).append(Decided(one.side, one.kind, one.price, one.quantity, traded))
    return found


async def of_database(database: Database, bot_id: str) -> Decisions:
    """Of a paper bot or a live one."""
    async with database.reading() as connection:
        orders = await list_orders(connection, bot_id)
        booked = await list_fills(connection, bot_id, oldest_first=True)
    fills: dict[str, list[Filling]] = {}
    for fill in booked:
        fills.setdefault(fill.order_id, []).append(Filling(fill.price, fill.quantity, fill.fee, fill.fee_asset))
    found: dict[str, list[Decided]] = {}
    for one in sorted(orders, key=lambda order: (order.placed_seq, int(order.id.split("-")[1]))):
        traded = tuple(fills.get(one.id, ()))
        decided = Decided(one.side, one.kind, one.price, one.quantity, traded, one.status)
        found.setdefault(one.slot, []).append(decided)
    return found


class Difference(NamedTuple):
    """Where two runs part at a slot, and why."""

    slot: str
    number: int
    """Of the order within the slot, from 0."""
    why: str
    first: Decided | None
    second: Decided | None


def compared(first: Decisions, second: Decisions) -> list[Difference]:
    """Every order of either run that the other has not just so, with the reason. Empty: they are equal.

    `first` knows no delay (a backtest); `second` may be late (live, on a wire).
    """
    found = []
    for slot in sorted({*first, *second}):
        for number, (one, other) in enumerate(zip_longest(first.get(slot, ()), second.get(slot, ()))):
            if one is None or other is None or one.order != other.order or one.fills != other.fills:
                found.append(Difference(slot, number, reason(one, other), one, other))
    return found


def reason(one: Decided | None, other: Decided | None) -> str:  # noqa: PLR0911
    """What made an order of a run without delay and its counterpart on the wire differ."""
    if one is None:
        assert other is not None
        if other.status == "rejected":
            return "refused on arrival: the price had moved on, so that it would have traded at once"
        if other.status == "absent":
            return "it could not leave in time, and was decided anew"
        return "an order more: what came before it in this slot came out otherwise"
    if other is None:
        return "an order fewer: its occasion had gone by before the order ahead of it had arrived"
    if other.status == "rejected":
        return "refused on arrival: the price had moved on, so that it would have traded at once"
    if one.order != other.order:
        return "decided at another price: the market had moved on before the news of the fill had come"
    if one.fills and not other.fills:
        return "never traded: it arrived after the price had been there and gone"
    if other.fills and not one.fills:
        return "traded where the other did not: it stood longer, since its cancel arrived late"
    return "traded at another price: it arrived after the price had moved on"


def told(differences: Sequence[Difference]) -> str:
    """The differences, for whoever reads them."""
    return "\n".join(f"{one.slot} #{one.number}: {one.why}\n    {one.first}\n    {one.second}" for one in differences)


REASONS = frozenset(
    {
        "refused on arrival: the price had moved on, so that it would have traded at once",
        "it could not leave in time, and was decided anew",
        "an order more: what came before it in this slot came out otherwise",
        "an order fewer: its occasion had gone by before the order ahead of it had arrived",
        "decided at another price: the market had moved on before the news of the fill had come",
        "never traded: it arrived after the price had been there and gone",
        "traded where the other did not: it stood longer, since its cancel arrived late",
        "traded at another price: it arrived after the price had moved on",
        "\n",
    }
)
"""All that `reason` may say."""
