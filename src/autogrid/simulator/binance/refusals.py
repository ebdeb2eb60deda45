"""Binance's error codes and words. Source: its error code document and answers seen in the wild."""

from collections.abc import Mapping
from typing import Final

from autogrid.simulator.records import Refused, UnableToTrade


class UnableToAnswer(Exception):
    """Binance refuses a request: HTTP status, code and words."""

    code = "binance-refusal"

    def __init__(self, number: int, words: str, status: int = 400, wait_s: int | None = None) -> None:
        super().__init__(words)
        self.number = number
        self.words = words
        self.status = status
        self.wait_s = wait_s
        """For the header Retry-After."""

    @property
    def body(self) -> dict[str, object]:
        """As JSON."""
        return {"code": self.number, "msg": self.words}


WORDS: Final[Mapping[Refused, tuple[int, str]]] = {
    "unknown-symbol": (-1121, "Invalid symbol."),
    "halted": (-1013, "Market is closed."),
    "tick": (-1013, "Filter failure: PRICE_FILTER"),
    "lot": (-1013, "Filter failure: LOT_SIZE"),
    "least-quantity": (-1013, "Filter failure: LOT_SIZE"),
    "most-quantity": (-1013, "Filter failure: LOT_SIZE"),
    "least-value": (-1013, "Filter failure: NOTIONAL"),
    "price-band": (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    "max-orders": (-1013, "Filter failure: MAX_NUM_ORDERS"),
    "would-trade": (-2010, "Order would immediately match and take."),
    "would-trigger": (-2010, "Stop price would trigger immediately."),
    "funds": (-2010, "Account has insufficient balance for requested action."),
    "duplicate-client-id": (-2010, "Duplicate order sent."),
    "unknown-order": (-2011, "Unknown order sent."),
    "bad-request": (-1102, "A mandatory parameter was not sent, was empty/null, or malformed."),
}
"""What Binance says where the world refuses."""

NO_ORDER: Final = (-2013, "Order does not exist.")
BAD_KEY_FORMAT: Final = (-2014, "API-key format invalid.")
BAD_KEY: Final = (-2015, "Invalid API-key, IP, or permissions for action.")
BAD_SIGNATURE: Final = (-1022, "Signature for this request is not valid.")
BAD_TIME: Final = (-1021, "Timestamp for this request is outside of the recvWindow.")
EARLY: Final = (-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
TIMEOUT: Final = (
    -1007,
    "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
)
MAINTENANCE: Final = (1, "System is under maintenance.")
PRICES_CROSSED: Final = (-2010, "The relationship of the prices for the orders is not correct.")


def from_world(refusal: UnableToTrade) -> UnableToAnswer:
    """The world's refusal as Binance words it."""
    return UnableToAnswer(*WORDS[refusal.why])


def missing(name: str) -> UnableToAnswer:
    """A parameter that must be there is not."""
    return UnableToAnswer(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
