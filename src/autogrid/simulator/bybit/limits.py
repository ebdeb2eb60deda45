"""How many requests an account may send: so many a second for each endpoint, in a rolling window.

An order in a batch counts as one request. Source: Bybit's API document, "Rate Limit Rules" (default account, spot).
"""

from collections import deque
from typing import Final, NamedTuple

from autogrid.simulator.bybit import codes
from autogrid.simulator.bybit.codes import UnableToAnswer

WINDOW_MS: Final = 1_000

PER_SECOND: Final[dict[str, int]] = {
    "/v5/order/create": 20,
    "/v5/order/amend": 20,
    "/v5/order/cancel": 20,
    "/v5/order/cancel-all": 20,
    "/v5/order/create-batch": 20,
    "/v5/order/cancel-batch": 20,
    "/v5/order/realtime": 50,
    "/v5/order/history": 50,
    "/v5/execution/list": 50,
    "/v5/account/wallet-balance": 50,
    "/v5/account/info": 50,
    "/v5/account/fee-rate": 5,
    "/v5/user/query-api": 10,
}
OTHERS: Final = 5


class Standing(NamedTuple):
    """What is left of an endpoint's limit."""

    limit: int
    left: int
    reset_ms: int
    """When the next request may be sent; now where some are left."""

    @property
    def headers(self) -> dict[str, str]:
        """As every private answer bears it."""
        return {
            "X-Bapi-Limit": str(self.limit),
            "X-Bapi-Limit-Status": str(self.left),
            "X-Bapi-Limit-Reset-Timestamp": str(self.reset_ms),
        }


class Limits:
    """The requests of the last second, by account and endpoint."""

    def __init__(self) -> None:
        self._sent: dict[tuple[str, str], deque[int]] = {}

    def standing(self, account: str, path: str, now_ms: int) -> Standing:
        """Where the account stands at `path` now."""
        limit = PER_SECOND.get(path, OTHERS)
        sent = self._sent.setdefault((account, path), deque())
        while sent and sent[0] <= now_ms - WINDOW_MS:
            sent.popleft()
        reset = sent[0] + WINDOW_MS if len(sent) >= limit else now_ms
        return Standing(limit, max(0, limit - len(sent)), reset)

    def count(self, account: str, path: str, now_ms: int, requests: int = 1) -> None:
        """Note `requests` more of the account. Raises UnableToAnswer where they are too many; none is counted then."""
        if self.standing(account, path, now_ms).left < requests:
            raise UnableToAnswer(codes.TOO_MANY)
        self._sent[account, path].extend([now_ms] * requests)
