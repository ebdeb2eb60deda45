"""MEXC's names for what the world holds: symbols, order ids, types, sides and statuses, in REST and in the stream."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from autogrid.simulator.mexc.refusals import NO_SYMBOL, UNKNOWN_TO_FIND, UnableToServe
from autogrid.simulator.records import OrderType, SimOrder, SimTrade
from autogrid.simulator.world import World
from autogrid.trading.candle import MINUTE_MS
from autogrid.trading.order import Side

TYPES: Final[Mapping[str, OrderType]] = {
    "LIMIT": "limit",
    "LIMIT_MAKER": "maker",
    "MARKET": "market",
    "IMMEDIATE_OR_CANCEL": "ioc",
    "FILL_OR_KILL": "fok",
}
"""There are no stops."""
TYPE_NAMES: Final[Mapping[OrderType, str]] = {ours: theirs for theirs, ours in TYPES.items()}
TYPE_NUMBERS: Final[Mapping[OrderType, int]] = {"limit": 1, "maker": 2, "ioc": 3, "fok": 4, "market": 5}
SIDES: Final[Mapping[str, Side]] = {"BUY": "buy", "SELL": "sell"}
SIDE_NUMBERS: Final[Mapping[Side, int]] = {"buy": 1, "sell": 2}

NEW: Final = ("NEW", 1)
FILLED: Final = ("FILLED", 2)
PARTIAL: Final = ("PARTIALLY_FILLED", 3)
CANCELLED: Final = ("CANCELED", 4)
PARTLY_CANCELLED: Final = ("PARTIALLY_CANCELED", 5)
STATUSES: Final = {"new": NEW, "partial": PARTIAL, "filled": FILLED}

INTERVALS: Final[Mapping[str, tuple[str, int]]] = {
    "1m": ("Min1", MINUTE_MS),
    "5m": ("Min5", 5 * MINUTE_MS),
    "15m": ("Min15", 15 * MINUTE_MS),
    "30m": ("Min30", 30 * MINUTE_MS),
    "60m": ("Min60", 60 * MINUTE_MS),
    "4h": ("Hour4", 240 * MINUTE_MS),
    "8h": ("Hour8", 480 * MINUTE_MS),
    "1d": ("Day1", 1440 * MINUTE_MS),
    "1W": ("Week1", 7 * 1440 * MINUTE_MS),
}
"""Of candles: REST's name, the stream's, the length in ms. MEXC has months too; they have no one length."""
INTERVALS_OF_STREAMS: Final[Mapping[str, int]] = dict(INTERVALS.values())

ORDER_PREFIX: Final = "C02__"
FIRST_ORDER: Final = 700_000_000_000_000_000_000
FIRST_TRADE: Final = 700_000_000_000_000_000


def id_of(symbol: str) -> str:
    """BTCUSDT for BTC/USDT."""
    return symbol.replace("/", "")


def symbol_of(world: World, market_id: str) -> str:
    """BTC/USDT for BTCUSDT. Raises UnableToServe."""
    symbol = next((one for one in world.markets if id_of(one) == market_id), None)
    if symbol is None:
        raise UnableToServe(*NO_SYMBOL)
    return symbol


def order_id(exchange_id: int) -> str:
    """An order's id as MEXC writes it."""
    return f"{ORDER_PREFIX}{FIRST_ORDER + exchange_id}"


def exchange_id(written: str) -> int:
    """The world's id of an order. Raises UnableToServe where MEXC never writes such a one."""
    digits = written.removeprefix(ORDER_PREFIX)
    if not written.startswith(ORDER_PREFIX) or not digits.isdecimal() or not digits.isascii():
        raise UnableToServe(*UNKNOWN_TO_FIND)
    return int(digits) - FIRST_ORDER


def trade_id(trade: SimTrade) -> str:
    """A trade's id; the same in REST and in the stream."""
    return f"{FIRST_TRADE + trade.id}X1"


def status_of(order: SimOrder) -> tuple[str, int]:
    """Its status in REST and in the stream. MEXC knows no expired and no rejected orders: they are cancelled."""
    if order.status in STATUSES:
        return STATUSES[order.status]
    return PARTLY_CANCELLED if order.filled else CANCELLED


def digits_of(step: Decimal) -> int:
    """How many decimals a tick or a lot has; MEXC tells no steps."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
