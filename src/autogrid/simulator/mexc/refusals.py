"""What MEXC answers when it refuses: a number, a sentence, an HTTP status.

The numbers are those of its documents and of recorded answers. A price off the tick is refused in no document; it is
refused here as a quantity off the lot is (400). The same holds for a client id that was used before.
"""

from collections.abc import Mapping
from typing import Final

from autogrid.simulator.records import Refused, UnableToTrade
from autogrid.trading.order import Side

NO_SYMBOL: Final = (-1121, "Invalid symbol.")
NO_INTERVAL: Final = (-1121, "Invalid interval.")
BAD_COMBINATION: Final = (-1128, "Combination of optional parameters invalid.")
UNKNOWN_TO_CANCEL: Final = (-2011, "Unknown order sent.")
UNKNOWN_TO_FIND: Final = (-2013, "Order does not exist.")
NO_KEY_GIVEN: Final = (400, "api key required")
BAD_AMOUNT_SCALE: Final = (400, " amount scale is invalid")
NO_LISTEN_KEY: Final = (400, "listenKey does not exist")
TOO_MANY: Final = (429, "Too Many Requests")
BAD_TYPE: Final = (500, "invalid type")
BAD_KEY: Final = (10072, "Api key info invalid")
NOT_ABOVE_ZERO: Final = (10102, "Amount cannot be zero or negative")
TOO_SMALL: Final = (30002, "The minimum transaction volume cannot be less than:")
TOO_LARGE: Final = (30003, "The maximum transaction volume cannot be greater than:")
NO_FUNDS_TO_BUY: Final = (30004, "Insufficient position")
NO_FUNDS_TO_SELL: Final = (30005, "Oversold")
BAD_SIGNATURE: Final = (700002, "Signature for this request is not valid.")
BAD_TIME: Final = (700003, "Timestamp for this request is outside of the recvWindow.")
NO_ORDER_ID: Final = (700004, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
BAD_WINDOW: Final = (700005, "recvWindow must less than 60000")
NO_RIGHT: Final = (700007, "No permission to access the endpoint.")
NO_API_KEY_INFO: Final = (730706, "API KEY information does not exist")

OF_THE_WORLD: Final[Mapping[Refused, tuple[int, str]]] = {
    "unknown-symbol": NO_SYMBOL,
    "halted": (30016, "Trading disabled"),
    "tick": (400, "price scale is invalid"),
    "lot": (400, "quantity scale is invalid"),
    "least-quantity": TOO_SMALL,
    "most-quantity": TOO_LARGE,
    "least-value": TOO_SMALL,
    "price-band": (30087, "Order price exceeds allowed range"),
    "max-orders": (30029, "Cannot exceed the maximum order limit"),
    "would-trade": BAD_COMBINATION,
    "would-trigger": BAD_COMBINATION,
    "duplicate-client-id": (400, "duplicate client order id"),
    "unknown-order": UNKNOWN_TO_CANCEL,
    "bad-request": BAD_COMBINATION,
}
"""By what the world says; funds by the order's side. A post-only order that would trade is not refused at all: it is
accepted and cancelled, see `orders.py`."""


class UnableToServe(Exception):
    """MEXC refuses a request. `number` is its own code; the text its words."""

    code = "simulator-mexc-refused"

    def __init__(self, number: int, words: str, *, status: int = 400, wait_s: int | None = None) -> None:
        """`status`: of HTTP. `wait_s`: seconds to stay away (Retry-After)."""
        super().__init__(words)
        self.number = number
        self.status = status
        self.wait_s = wait_s

    @property
    def answer(self) -> dict[str, object]:
        """The body."""
        return {"code": self.number, "msg": str(self)}


def mandatory(name: str) -> UnableToServe:
    """A parameter is missing or none that could be."""
    return UnableToServe(700004, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def illegal(name: str) -> UnableToServe:
    """A parameter holds characters that it may not."""
    return UnableToServe(700008, f"Illegal characters found in parameter '{name}'.")


def of_the_world(error: UnableToTrade, side: Side = "buy") -> UnableToServe:
    """What MEXC says where the world refuses an order of `side`."""
    if error.why == "funds":
        number, words = NO_FUNDS_TO_BUY if side == "buy" else NO_FUNDS_TO_SELL
    else:
        number, words = OF_THE_WORLD[error.why]
    if words.endswith(":"):
        words = f"{words} {error}"
    return UnableToServe(number, words)
