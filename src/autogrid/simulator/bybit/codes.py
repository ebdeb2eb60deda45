"""What Bybit answers where it refuses: a code and its words, over HTTP 200.

Source: Bybit's API document, "Error Codes" (state of 2026), and answers recorded by others.
"""

from typing import Final

from autogrid.simulator.records import Refused, UnableToTrade
from autogrid.trading.order import BUY, Side

OK: Final = 0
SERVER_TIMEOUT: Final = 10000
BAD_REQUEST: Final = 10001
OUTSIDE_WINDOW: Final = 10002
WRONG_KEY: Final = 10003
WRONG_SIGN: Final = 10004
NO_RIGHT: Final = 10005
TOO_MANY: Final = 10006
NO_ROUTE: Final = 10017
SERVER_ERROR: Final = 10016
EXPIRED_KEY: Final = 33004
UNKNOWN_OPERATION: Final = 10404
EMPTY_FIELD: Final = 170105
BAD_TIME_IN_FORCE: Final = 170115
BAD_TYPE: Final = 170116
BAD_SIDE: Final = 170117
BAD_FIELD: Final = 170130
WAS_FILLED: Final = 170139
DUPLICATE: Final = 170141
WAS_CANCELLED: Final = 170142
CREATION_TIMEOUT: Final = 170146
BAD_FILTER: Final = 170201
REJECTED: Final = 170210
NO_ORDER: Final = 170213
PRICE_TOO_LOW: Final = 170371
PRICE_TOO_HIGH: Final = 170372
NOT_AMENDABLE: Final = 170312

WORDS: Final[dict[int, str]] = {
    OK: "OK",
    SERVER_TIMEOUT: "Server Timeout",
    WRONG_KEY: "API key is invalid.",
    NO_RIGHT: "Permission denied, please check your API key permissions.",
    TOO_MANY: "Too many visits!",
    NO_ROUTE: "Route not found.",
    SERVER_ERROR: "Server error.",
    EXPIRED_KEY: "Your api key has expired.",
    BAD_TIME_IN_FORCE: "Invalid timeInForce.",
    BAD_TYPE: "Invalid orderType.",
    BAD_SIDE: "Invalid side.",
    WAS_FILLED: "Order has been filled.",
    WAS_CANCELLED: "Order has been cancelled.",
    CREATION_TIMEOUT: "Order creation timeout.",
    BAD_FILTER: "Invalid orderFilter parameter.",
    NOT_AMENDABLE: "The current order does not support modification.",
}

REFUSALS: Final[dict[Refused, tuple[int, str]]] = {
    "unknown-symbol": (170121, "Invalid symbol."),
    "halted": (170151, "The trading pair is not open yet."),
    "tick": (170134, "Order price decimal too long."),
    "lot": (170137, "Order volume decimal too long."),
    "least-quantity": (170136, "Order quantity lower than the minimum."),
    "most-quantity": (170124, "Order amount too large."),
    "least-value": (170140, "Order value exceeded lower limit."),
    "price-band": (PRICE_TOO_LOW, "Order price cannot be lower than the price limitation."),
    "max-orders": (170810, "Cannot exceed maximum of 500 conditional, TP/SL and active orders."),
    "would-trade": (170218, "The LIMIT-MAKER order is rejected due to invalid price."),
    "would-trigger": (REJECTED, "New order rejected."),
    "funds": (170131, "Insufficient balance."),
    "duplicate-client-id": (DUPLICATE, "Duplicate clientOrderId."),
    "unknown-order": (NO_ORDER, "Order does not exist."),
    "bad-request": (BAD_REQUEST, "Request parameter error."),
}
"""By the world's reason. That a post-only order would trade is not told so: it is accepted, then rejected."""


class UnableToAnswer(Exception):
    """Bybit refuses a request: `ret_code` is its code, the text its words."""

    code = "simulator-bybit-refused"

    def __init__(self, ret_code: int, words: str = "") -> None:
        super().__init__(words or WORDS[ret_code])
        self.ret_code = ret_code


def refusal(error: UnableToTrade, side: Side = BUY) -> UnableToAnswer:
    """The world's refusal of an order on `side`, in Bybit's codes."""
    if error.why == "price-band" and side != BUY:
        return UnableToAnswer(PRICE_TOO_HIGH, "Order price cannot be higher than the price limitation.")
    return UnableToAnswer(*REFUSALS[error.why])
