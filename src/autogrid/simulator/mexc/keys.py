"""Who asks, and whether the signature says so: API keys, HMAC signatures, timestamps, rights and rate limits.

A signature is the HMAC-SHA256 of the raw query without it, followed by the raw body, in lower-case hex. A request is
late when its timestamp is more than `recvWindow` behind, and early when it is a second or more ahead.
"""

import hashlib
import hmac
from collections import defaultdict, deque
from typing import Final, Literal, TypeAlias

from autogrid.simulator.mexc.asked import Asked, read
from autogrid.simulator.mexc.refusals import (
    BAD_KEY,
    BAD_SIGNATURE,
    BAD_TIME,
    BAD_WINDOW,
    NO_KEY_GIVEN,
    NO_RIGHT,
    TOO_MANY,
    UnableToServe,
    mandatory,
)
from autogrid.simulator.records import Key
from autogrid.simulator.world import World

Right: TypeAlias = Literal["reads", "trades"]

WINDOW_MS: Final = 5_000
MOST_WINDOW_MS: Final = 60_000
MOST_AHEAD_MS: Final = 1_000

ORDERS_A_SECOND: Final = 12
"""Orders and cancels together, of one account."""
REQUESTS_IN_TEN_SECONDS: Final = 500


def total_of(query: str, body: str) -> str:
    """What is signed: the raw query and then the raw body, without the signature."""
    return _unsigned(query) + (body if body.startswith("{") else _unsigned(body))


def _unsigned(query: str) -> str:
    return "&".join(part for part in query.split("&") if not part.startswith("signature="))


def signature_of(secret: str, total: str) -> str:
    """In lower-case hex."""
    return hmac.new(secret.encode(), total.encode(), hashlib.sha256).hexdigest()


def authenticate(world: World, key_text: str, query: str, body: str, right: Right) -> tuple[Key, Asked]:
    """The key that signed, and what it asks for. Raises UnableToServe."""
    if not key_text:
        raise UnableToServe(*NO_KEY_GIVEN)
    asked = read(query, body)
    signature = asked.text("signature")
    at_ms = asked.whole("timestamp", 0)
    if not at_ms:
        raise mandatory("timestamp")
    window_ms = asked.whole("recvWindow", WINDOW_MS)
    if window_ms > MOST_WINDOW_MS:
        raise UnableToServe(*BAD_WINDOW)
    now_ms = world.now_ms()
    if at_ms >= now_ms + MOST_AHEAD_MS or now_ms - at_ms > window_ms:
        raise UnableToServe(*BAD_TIME)
    key = world.key_of(key_text)
    if key is None:
        raise UnableToServe(*BAD_KEY)
    if key.expired or not hmac.compare_digest(
        signature.encode(), signature_of(key.secret, total_of(query, body)).encode()
    ):
        raise UnableToServe(*BAD_SIGNATURE)  # of an expired key MEXC says the same
    if not (key.trades if right == "trades" else key.reads):
        raise UnableToServe(*NO_RIGHT)
    return key, asked


class Pace:
    """At most so many requests of one kind within a time, by who asks."""

    def __init__(self, most: int, window_ms: int) -> None:
        self._most = most
        self._window_ms = window_ms
        self._taken: defaultdict[str, deque[int]] = defaultdict(deque)

    def take(self, who: str, now_ms: int) -> None:
        """Count one request. Raises UnableToServe (429) where it is one too many; then it is not counted."""
        taken = self._taken[who]
        while taken and taken[0] <= now_ms - self._window_ms:
            taken.popleft()
        if len(taken) >= self._most:
            wait_ms = taken[0] + self._window_ms - now_ms
            raise UnableToServe(*TOO_MANY, status=429, wait_s=max(1, -(-wait_ms // 1000)))
        taken.append(now_ms)
