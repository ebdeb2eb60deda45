"""How figures, markets, orders and times are written on Binance's wire."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeAlias

from autogrid.simulator.records import OrderType, Status
from autogrid.trading.candle import MINUTE_MS

Json: TypeAlias = Mapping[str, object] | Sequence[object]
"""What an answer may be; numbers of money are text."""

STATUSES: Final[Mapping[Status, str]] = {
    "new": "NEW",
    "partial": "PARTIALLY_FILLED",
    "filled": "FILLED",
    "cancelled": "CANCELED",
    "expired": "EXPIRED",
    "rejected": "REJECTED",
}
TYPES: Final[Mapping[OrderType, tuple[str, str]]] = {
    "limit": ("LIMIT", "GTC"),
    "ioc": ("LIMIT", "IOC"),
    "fok": ("LIMIT", "FOK"),
    "maker": ("LIMIT_MAKER", "GTC"),
    "market": ("MARKET", "GTC"),
    "stop": ("STOP_LOSS", "GTC"),
    "stop_limit": ("STOP_LOSS_LIMIT", "GTC"),
}
"""Type and time in force, by the world's type."""
INTERVALS: Final = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": 60 * MINUTE_MS,
    "2h": 120 * MINUTE_MS,
    "4h": 240 * MINUTE_MS,
    "6h": 360 * MINUTE_MS,
    "8h": 480 * MINUTE_MS,
    "12h": 720 * MINUTE_MS,
    "1d": 1440 * MINUTE_MS,
    "3d": 3 * 1440 * MINUTE_MS,
    "1w": 7 * 1440 * MINUTE_MS,
}
STP: Final = "EXPIRE_MAKER"
"""Self-trade prevention; nobody here trades with himself."""


def figure(number: Decimal) -> str:
    """With eight decimals."""
    return f"{number:.8f}"


def real(number: float) -> str:
    """A candle's figure, with eight decimals."""
    return f"{Decimal(repr(number)):.8f}"


def wire_symbol(symbol: str) -> str:
    """BTC/USDT as BTCUSDT."""
    return symbol.replace("/", "")
