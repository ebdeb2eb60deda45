"""The right to trade on an account: one process has it at a time, for a few seconds, and renews it while it lives.

Rules: a lease lasts 6 s and is renewed every 2 s; without a renewal nothing is sent after 4 s, measured by a clock that
also runs while the machine sleeps, from the moment *before* the renewal was asked for. A request carries a window that
ends half a second before the lease does, so that an exchange accepts nothing after it. Whoever takes a lease over
raises its epoch, and the journal keeps no step of an older one.
"""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

TTL_MS: Final = 6_000
RENEW_S: Final = 2.0
SEND_WITHIN_MS: Final = 4_000
"""After a renewal."""
LONGEST_WINDOW_MS: Final = 5_000
MARGIN_MS: Final = 500


class LeaseLost(Exception):
    """Another process trades on the account now, or the lease could not be renewed in time."""

    code = "lease-lost"


class Lease(NamedTuple):
    """Who may trade on an account."""

    account: str
    owner: str
    epoch: int
    """Raised by one at each take-over."""
    expires_ms: int
    """By the database's clock, UTC."""


def steady_ms() -> int:
    """Milliseconds that go by also while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(clock) // 1_000_000


class Hold:
    """A lease in this process's hands: whether it may send now, and for how long a request may be good."""

    def __init__(self, lease: Lease, asked_ms: int, steady_ms: Callable[[], int] = steady_ms) -> None:
        """`asked_ms`: by the steady clock, before the lease was asked for."""
        self.lease = lease
        self.steady_ms = steady_ms
        self._renewed_ms = asked_ms
        self.lost = False
        """Whether another has it for certain."""

    def renewed(self, lease: Lease, asked_ms: int) -> None:
        """It lasts longer."""
        self.lease = lease
        self._renewed_ms = max(self._renewed_ms, asked_ms)

    def may_send(self) -> bool:
        """Whether a request may leave now."""
        return not self.lost and self.steady_ms() < self._renewed_ms + SEND_WITHIN_MS

    def window_ms(self) -> int:
        """How long an exchange may take to accept what is sent now."""
        left_ms = self._renewed_ms + TTL_MS - self.steady_ms()
        return max(1, min(LONGEST_WINDOW_MS, left_ms - MARGIN_MS))
