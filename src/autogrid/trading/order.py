"""An order from intent to its end: one literal table says what may follow what.

    intended  -> decided and journalled, not yet known to have left (where the exchange is simulated and knows no
                 delay, an order begins as working: it is in the book the moment it is decided)
    sending   -> leaving, or left without an answer so far
    working   -> in the exchange's book (or, a market order, on its way through it)
    partial   -> in the book, traded in part
    unclear   -> sent, its answer is lost: looked up, never sent again
    cancelling-> we asked for it to be taken out; it may still trade until the answer
    filled, cancelled, expired, rejected, absent -> ended

Answers come late, twice and out of order. A fill is booked whenever it comes, after a cancel too; a second fill of the
same id is the same fill. What the table does not hold raises `UnableToFollow`, which stops that bot and no other.
"""

from typing import Final, Literal, NamedTuple, TypeAlias

from autogrid.trading.event import (
    Accepted,
    Cancelled,
    Expired,
    Filled,
    Missing,
    OrderEvent,
    Rejected,
    Sending,
    Unclear,
)
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, Amount, Price, Quantity

Side: TypeAlias = Literal["buy", "sell"]
BUY: Final = "buy"
SELL: Final = "sell"

Kind: TypeAlias = Literal["limit", "maker", "market", "stop", "oco"]
"""`maker` is a limit order that is refused rather than trade at once (post-only). `stop` sells at its limit or better
once the market has come down to its trigger. `oco` is a take-profit that rests, and a stop beside it: one order to us,
with one id. As soon as one of its two sides trades, in part even, the exchange takes the other one out."""

Status: TypeAlias = Literal[
    "intended",
    "sending",
    "working",
    "partial",
    "unclear",
    "cancelling",
    "filled",
    "cancelled",
    "expired",
    "rejected",
    "absent",
]

OPEN: Final = frozenset({"intended", "sending", "working", "partial", "unclear", "cancelling"})
"""Not ended: such an order may still trade."""


STARTED: Final = frozenset({"intended", "sending", "unclear", "working", "absent"})
"""A part fill makes such an order partial."""


class UnableToFollow(Exception):
    """An answer came that cannot follow what is known of its order."""

    code = "impossible-answer"


class Order(NamedTuple):
    """One order of a bot, and all that became of it."""

    status: Status
    filled: Quantity
    """Of base, so far."""
    value: Amount
    """Quote traded so far, without fees."""
    fee_base: Amount
    fee_quote: Amount
    fee_value: Amount
    """Of fees in a third asset: what they were worth in quote."""
    fill_ids: tuple[str, ...]
    id: str
    """Ours, sent along as client id."""
    slot: str
    """What the strategy calls it, such as `7.3b`: cell 7, cycle 3, its buy."""
    side: Side
    kind: Kind
    price: Price
    """Its limit. A market order's: the price it was decided at, which it may pass by the slippage allowed."""
    quantity: Quantity
    cancel_asked: bool
    trigger: Price | None = None
    """Of a stop or an oco: the market price at or below which its stop sells."""
    stop_price: Price | None = None
    """Of an oco: the limit of its stop, as `price` is that of a stop."""

    @property
    def is_open(self) -> bool:
        """Whether it may still trade."""
        return self.status in OPEN

    @property
    def remaining(self) -> Quantity:
        """What has not been traded of it."""
        return self.quantity - self.filled

    @property
    def least_price(self) -> Price:
        """The limit below which its stop sells nothing."""
        return self.price if self.stop_price is None else self.stop_price

    @property
    def is_take_profit_only(self) -> bool:
        """Whether it is an oco whose take-profit has traded in part: its stop is gone."""
        return self.kind == "oco" and self.filled > 0 and self.value >= self.price * self.filled

    @property
    def guards(self) -> bool:
        """Whether a stop of it is known to rest at the exchange, or sells already."""
        is_there = self.status in ("working", "partial") and not self.cancel_asked
        return self.trigger is not None and is_there and not self.is_take_profit_only


def decided(
    order_id: str, slot: str, side: Side, kind: Kind, price: Price, quantity: Quantity, status: Status = "intended"
) -> Order:
    """A new order, not yet sent; `working` where the exchange has it in its book the moment it is decided."""
    return Order(status, ZERO, ZERO, ZERO, ZERO, ZERO, (), order_id, slot, side, kind, price, quantity, False)


def by_its_stop(order: Order, fill: Filled) -> bool:
    """Whether a fill of `order` came of its stop; an oco's take-profit sells at its own price or better."""
    return order.kind == "stop" or (order.kind == "oco" and fill.price < order.price)


FOLLOWS: Final[dict[tuple[Status, type[OrderEvent]], Status]] = {
    ("intended", Sending): "sending",
    ("intended", Accepted): "working",
    ("intended", Rejected): "rejected",
    ("intended", Cancelled): "cancelled",
    ("intended", Expired): "expired",
    ("intended", Unclear): "unclear",
    ("intended", Missing): "absent",
    ("sending", Sending): "sending",
    ("sending", Accepted): "working",
    ("sending", Rejected): "rejected",
    ("sending", Cancelled): "cancelled",
    ("sending", Expired): "expired",
    ("sending", Unclear): "unclear",
    ("sending", Missing): "absent",
    ("unclear", Sending): "unclear",
    ("unclear", Accepted): "working",
    ("unclear", Rejected): "rejected",
    ("unclear", Cancelled): "cancelled",
    ("unclear", Expired): "expired",
    ("unclear", Unclear): "unclear",
    ("unclear", Missing): "absent",
    ("working", Sending): "working",
    ("working", Accepted): "working",
    ("working", Unclear): "working",
    ("working", Rejected): "rejected",
    ("working", Cancelled): "cancelled",
    ("working", Expired): "expired",
    ("partial", Sending): "partial",
    ("partial", Accepted): "partial",
    ("partial", Unclear): "partial",
    ("partial", Cancelled): "cancelled",
    ("partial", Expired): "expired",
    ("cancelling", Sending): "cancelling",
    ("cancelling", Accepted): "cancelling",
    ("cancelling", Unclear): "cancelling",
    ("cancelling", Rejected): "rejected",
    ("cancelling", Cancelled): "cancelled",
    ("cancelling", Expired): "expired",
    ("cancelling", Missing): "absent",
    ("filled", Sending): "filled",
    ("filled", Accepted): "filled",
    ("filled", Unclear): "filled",
    ("filled", Cancelled): "filled",
    ("filled", Expired): "filled",
    ("cancelled", Sending): "cancelled",
    ("cancelled", Accepted): "cancelled",
    ("cancelled", Unclear): "cancelled",
    ("cancelled", Cancelled): "cancelled",
    ("cancelled", Expired): "cancelled",
    ("expired", Sending): "expired",
    ("expired", Accepted): "expired",
    ("expired", Unclear): "expired",
    ("expired", Cancelled): "expired",
    ("expired", Expired): "expired",
    ("rejected", Sending): "rejected",
    ("rejected", Unclear): "rejected",
    ("rejected", Rejected): "rejected",
    ("rejected", Cancelled): "rejected",
    ("absent", Sending): "absent",
    ("absent", Unclear): "absent",
    ("absent", Missing): "absent",
    ("absent", Cancelled): "absent",
    ("absent", Accepted): "working",
}
"""What follows a status when an answer comes. An order thought absent that turns up is working again."""


def apply(order: Order, event: OrderEvent, market: Market) -> Order:
    """`order` on `market` after `event`; the same object where the event says nothing new.

    Raises `UnableToFollow` where the event cannot follow.
    """
    if type(event) is Filled:
        return _filled(order, event, market)
    status = FOLLOWS.get((order.status, type(event)))
    if status is None:
        raise UnableToFollow(f"order {order.id} is {order.status}; {type(event).__name__} cannot follow that")
    if status == order.status:
        return order
    if status == "working" and order.filled:
        status = "partial"
    return Order(status, *order[1:])


def _filled(order: Order, fill: Filled, market: Market) -> Order:
    if fill.fill_id in order.fill_ids:
        return order
    filled = order.filled + fill.quantity
    if order.status == "rejected":
        raise UnableToFollow(f"order {order.id} was rejected; a fill cannot follow that")
    if filled > order.quantity:
        raise UnableToFollow(f"order {order.id} of {order.quantity} was filled with {filled}")
    status: Status = "filled" if filled == order.quantity else order.status
    if status in STARTED:
        status = "partial"
    asset = fill.fee_asset
    return Order(
        status,
        filled,
        order.value + fill.price * fill.quantity,
        order.fee_base + fill.fee if asset == market.base else order.fee_base,
        order.fee_quote + fill.fee if asset == market.quote else order.fee_quote,
        order.fee_value + fill.fee_value,
        (*order.fill_ids, fill.fill_id),
        *order[7:],
    )
