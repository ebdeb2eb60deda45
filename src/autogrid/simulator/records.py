"""What the simulated world knows of orders, trades and accounts. Times are UTC milliseconds, money is Decimal."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from autogrid.trading.money import ZERO, Amount, Price, Quantity
from autogrid.trading.order import Side

OrderType: TypeAlias = Literal["limit", "maker", "market", "ioc", "fok", "stop", "stop_limit"]
"""`stop` becomes a market order at its trigger, `stop_limit` a limit order."""

Status: TypeAlias = Literal["new", "partial", "filled", "cancelled", "expired", "rejected"]

Refused: TypeAlias = Literal[
    "unknown-symbol",
    "halted",
    "tick",
    "lot",
    "least-quantity",
    "most-quantity",
    "least-value",
    "price-band",
    "max-orders",
    "would-trade",
    "would-trigger",
    "funds",
    "duplicate-client-id",
    "unknown-order",
    "bad-request",
]
"""Why the world refuses; each protocol has its own code for each."""


OrderKey: TypeAlias = tuple[str, int]
"""Symbol and exchange id of an order: the id alone may be that of orders on other markets too."""


class UnableToTrade(Exception):
    """The world refuses. `why` is one of `Refused`, the text says it with numbers."""

    code = "simulator-refused"

    def __init__(self, why: Refused, words: str) -> None:
        super().__init__(words)
        self.why: Refused = why


class Wanted(NamedTuple):
    """An order as a client asks for it, whatever the protocol."""

    symbol: str
    """Ours: BTC/USDT."""
    side: Side
    type: OrderType
    client_id: str
    """Empty: the world makes one."""
    price: Price | None = None
    quantity: Quantity | None = None
    quote_quantity: Amount | None = None
    """A market order may name what to spend or to receive instead of a quantity."""
    trigger: Price | None = None


@dataclass(slots=True)
class SimOrder:
    """An order in the world; its figures change while it lives."""

    exchange_id: int
    account: str
    symbol: str
    client_id: str
    side: Side
    type: OrderType
    price: Price
    """Its limit; zero for a market order."""
    quantity: Quantity
    quote_quantity: Amount
    """Zero where a quantity was given."""
    trigger: Price | None
    made_ms: int
    changed_ms: int
    status: Status = "new"
    waiting: bool = False
    """A stop whose trigger was not reached."""
    filled: Quantity = ZERO
    value: Amount = ZERO
    """Quote traded so far."""
    why: str = ""
    """Why it ended, where that is not plain."""
    list_id: int | None = None
    """Of an order list (OCO), where it belongs to one."""
    triggered_ms: int | None = None
    """When its trigger was reached."""
    trades: list["SimTrade"] = field(default_factory=list)

    @property
    def key(self) -> OrderKey:
        """What no other order has."""
        return self.symbol, self.exchange_id

    @property
    def is_open(self) -> bool:
        """Whether it may still trade."""
        return self.status in ("new", "partial")

    @property
    def left(self) -> Quantity:
        """What has not been traded of it."""
        return self.quantity - self.filled


class SimTrade(NamedTuple):
    """A trade of an account's order. `id` rises by symbol."""

    id: int
    exchange_id: int
    account: str
    symbol: str
    client_id: str
    side: Side
    price: Price
    quantity: Quantity
    fee: Amount
    fee_asset: str
    maker: bool
    at_ms: int


@dataclass(slots=True)
class SimList:
    """Orders of which one ends the other (OCO)."""

    list_id: int
    account: str
    symbol: str
    client_id: str
    made_ms: int
    orders: list[SimOrder] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether one of them may still trade."""
        return any(order.is_open for order in self.orders)


class Holding(NamedTuple):
    """What an account owns of an asset."""

    free: Amount
    held: Amount


@dataclass(slots=True)
class Key:
    """An API key and what it may do."""

    key: str
    secret: str
    account: str
    reads: bool = True
    trades: bool = True
    withdraws: bool = False
    bound: bool = True
    """To an internet address."""
    expired: bool = False


class OrderNews(NamedTuple):
    """An order changed: the cause, and the trade where it is one."""

    order: SimOrder
    cause: Literal["new", "trade", "cancelled", "expired", "rejected", "triggered"]
    trade: SimTrade | None


class WalletNews(NamedTuple):
    """What an account owns changed."""

    account: str
    asset: str
    holding: Holding
    at_ms: int


class CreditNews(NamedTuple):
    """A deposit, or below zero a withdrawal; news of the wallet follow."""

    account: str
    asset: str
    amount: Amount
    at_ms: int


class Print(NamedTuple):
    """A public trade."""

    symbol: str
    id: int
    price: Price
    quantity: Quantity
    at_ms: int
    buyer_is_maker: bool


WorldNews: TypeAlias = OrderNews | WalletNews | CreditNews | Print

FEE: Decimal = Decimal("0.001")
"""Maker and taker, where a market does not say."""
