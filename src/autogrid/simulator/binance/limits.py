"""Binance's rate limits: weight by address and minute, new orders by account in ten seconds and a day.

The call that goes beyond a limit is answered 429 with Retry-After; one inside that time earns a ban (418).
"""

from collections.abc import Callable
from typing import Final

from autogrid.simulator.binance.refusals import UnableToAnswer

MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
TEN_SECONDS_MS: Final = 10_000
BAN_S: Final = 120
"""How long the first ban is."""


class Window:
    """What was used within the running stretch of time; stretches begin at whole multiples of their length."""

    def __init__(self, length_ms: int, most: int) -> None:
        self.length_ms = length_ms
        self.most = most
        self._used = 0
        self._began = -1

    def used(self, now_ms: int) -> int:
        """So far."""
        return self._used if now_ms // self.length_ms == self._began else 0

    def use(self, amount: int, now_ms: int) -> bool:
        """Use up `amount`; whether it was within the limit."""
        self._used = self.used(now_ms) + amount
        self._began = now_ms // self.length_ms
        return self._used <= self.most

    def left_s(self, now_ms: int) -> int:
        """Seconds until the next stretch, at least one."""
        return max(1, -(-(self.length_ms - now_ms % self.length_ms) // 1000))


class Limits:
    """All limits of one exchange; everybody comes from one address."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self.weight = Window(MINUTE_MS, 6000)
        self.orders = {"10S": Window(TEN_SECONDS_MS, 100), "1D": Window(DAY_MS, 200_000)}
        self.total_weight = 0
        """Since the beginning."""
        self.refused = 0
        """Calls answered 429 or 418."""
        self.grace_ms = 0
        """So long after a 429 calls count as on their way already, and are answered 429 too; then they earn a ban."""
        self._quiet_since = 0
        self._quiet_until = 0
        self._banned_until = 0

    def ask(self, weight: int, orders: int) -> None:
        """Use up `weight`, and `orders` new orders. Raises UnableToAnswer where that is too much."""
        now = self._clock_ms()
        if now < self._banned_until:
            raise self._ban(now)
        if now < self._quiet_until and now < self._quiet_since + self.grace_ms:
            raise UnableToAnswer(-1003, f"Too many requests. {ADVICE}", 429, -(-(self._quiet_until - now) // 1000))
        if now < self._quiet_until:
            self.ban(BAN_S)
            raise self._ban(now)
        self.total_weight += weight
        if not self.weight.use(weight, now):
            words = f"Too much request weight used; current limit is {self.weight.most} request weight per 1 MINUTE."
            raise self.slow_down(self.weight.left_s(now), f"{words} {ADVICE}")
        within = [(name, window.use(orders, now), window) for name, window in self.orders.items() if orders]
        for name, fits, window in within:
            if not fits:
                self.refused += 1
                words = f"Too many new orders; current limit is {window.most} orders per {SAID[name]}."
                raise UnableToAnswer(-1015, words, 429, window.left_s(now))

    def slow_down(self, wait_s: int, words: str = "") -> UnableToAnswer:
        """The answer 429; who calls again within `wait_s` is banned."""
        self.refused += 1
        self._quiet_since = self._clock_ms()
        self._quiet_until = self._quiet_since + wait_s * 1000
        return UnableToAnswer(-1003, words or f"Too many requests. {ADVICE}", 429, wait_s)

    def ban(self, wait_s: int) -> None:
        """Answer 418 for so long."""
        self._banned_until = self._clock_ms() + wait_s * 1000

    def forgive(self) -> None:
        """No more 429 and 418."""
        self._quiet_until = self._banned_until = 0

    def headers(self, *, ordering: bool) -> dict[str, str]:
        """What answers tell; with orders, where one was asked for."""
        now = self._clock_ms()
        used = str(self.weight.used(now))
        told = {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}
        if ordering:
            told |= {f"X-MBX-ORDER-COUNT-{name}": str(window.used(now)) for name, window in self.orders.items()}
        return told

    def told(self, *, ordering: bool = False, counted: bool = True) -> list[dict[str, object]]:
        """As the WebSocket API and exchangeInfo tell them; `counted`: with what was used."""
        now = self._clock_ms()
        rows = [("REQUEST_WEIGHT", "MINUTE", 1, self.weight)]
        if ordering:
            found = [
                ("ORDERS", "SECOND", 10, self.orders["10S"]),
                ("ORDERS", "DAY", 1, self.orders["1D"]),
            ]
            rows = found + rows if counted else rows + found
        return [
            {"rateLimitType": kind, "interval": name, "intervalNum": number, "limit": window.most}
            | ({"count": window.used(now)} if counted else {})
            for kind, name, number, window in rows
        ]

    def _ban(self, now: int) -> UnableToAnswer:
        self.refused += 1
        words = f"Way too much request weight used; IP banned until {self._banned_until}. {ADVICE}"
        return UnableToAnswer(-1003, words, 418, max(1, -(-(self._banned_until - now) // 1000)))


ADVICE: Final = "Please use WebSocket Streams for live updates to avoid polling the API."
SAID: Final = {"10S": "10 SECOND", "1D": "1 DAY"}
