"""How many requests an exchange may get from this process: one limiter an exchange, for all its accounts and bots.

Rules: what is asked for waits here, in this order: cancels, new orders, the rest; within each the first comes first.
A pool holds what may be spent in a window that slides, so that no window of the exchange's own is ever overspent. Reads
may not use up a pool: the last fifth of it is kept for orders, the last twentieth for cancels. A 429 stops everything
but cancels for as long as the exchange says, a 418 (banned) cancels too: a call inside it makes the ban longer.
Who cannot be served in time is told so (`ExchangeAway`) and nothing was sent.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, Literal, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

from autogrid.engine.venue import ExchangeAway

Kind: TypeAlias = Literal["cancel", "create", "read"]
ORDER: Final[Mapping[Kind, int]] = {"cancel": 0, "create": 1, "read": 2}
SHARE: Final[Mapping[Kind, float]] = {"cancel": 1.0, "create": 0.95, "read": 0.8}
"""Of a pool that this kind may use."""


class Rule(NamedTuple):
    """What may be spent in a window."""

    most: int
    window_s: float
    kinds: frozenset[Kind]
    """What it is spent on."""
    per_key: bool = False
    """Each key has its own; else all share what this address has."""
    weighted: bool = False
    """By the weight of a request; else each counts one."""
    header: str = ""
    """The answer's header that tells what was spent, in lower case."""


ALL: Final[frozenset[Kind]] = frozenset({"cancel", "create", "read"})
CREATES: Final[frozenset[Kind]] = frozenset({"create"})
RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "binance": (
        Rule(6_000, 60.0, ALL, weighted=True, header="x-mbx-used-weight-1m"),
        Rule(100, 10.0, CREATES, per_key=True, header="x-mbx-order-count-10s"),
    ),
    "bybit": (
        Rule(600, 5.0, ALL),
        Rule(20, 1.0, CREATES, per_key=True),
        Rule(20, 1.0, frozenset({"cancel"}), per_key=True, weighted=True),
        Rule(40, 1.0, frozenset({"read"}), per_key=True),
    ),
    "mexc": (
        Rule(500, 10.0, ALL, weighted=True),
        Rule(12, 1.0, CREATES | {"cancel"}, per_key=True),
    ),
}
"""By exchange. Source: their API documents of July 2026."""
OTHERS: Final = (Rule(10, 1.0, ALL),)
"""For an exchange that is not listed; few allow less."""


class _Pool:
    """What was spent in a sliding window."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._spent: deque[tuple[float, int]] = deque()
        self._sum = 0

    def spent(self, now_s: float) -> int:
        while self._spent and self._spent[0][0] <= now_s - self.rule.window_s:
            self._sum -= self._spent.popleft()[1]
        return self._sum

    def spend(self, now_s: float, units: int) -> None:
        self._spent.append((now_s, units))
        self._sum += units

    def told(self, now_s: float, units: int) -> None:
        """The exchange says that so much was spent; more than we know of was spent by others at this address."""
        if (unknown := units - self.spent(now_s)) > 0:
            self.spend(now_s, unknown)

    def wait_s(self, now_s: float, ahead: int, units: int, share: float) -> float:
        """Until there is room for so much, and for what stands ahead of it."""
        room = max(1, int(self.rule.most * share))
        left = self.spent(now_s) + ahead + min(units, room) - room
        if left <= 0:
            return 0.0
        for at_s, spent in self._spent:
            left -= spent
            if left <= 0:
                return at_s + self.rule.window_s - now_s
        return self.rule.window_s


class _Waiting(NamedTuple):
    rank: tuple[int, int]
    kind: Kind
    weight: int
    key: str


class Limiter:
    """Lets requests to one exchange pass, in their order, as its rules allow."""

    def __init__(
        self,
        exchange: str,
        rules: Iterable[Rule],
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._exchange = exchange
        self._rules = tuple(rules)
        self._clock_s = clock_s
        self._sleep = sleep
        self._pools: dict[tuple[Rule, str], _Pool] = {}
        self._waiting: list[_Waiting] = []
        self._came = 0
        self._stopped_until_s = 0.0
        self._banned_until_s = 0.0

    async def turn(self, kind: Kind, weight: int = 1, *, key: str = "", within_s: float = 10.0) -> None:
        """Wait until a request may go out. Raises ExchangeAway where it may not `within_s`; then it must not go."""
        until_s = self._clock_s() + within_s
        self._came += 1
        me = _Waiting((ORDER[kind], self._came), kind, weight, key)
        self._waiting.append(me)
        try:
            while (wait_s := self._wait_s(me)) > 0:
                if self._clock_s() + wait_s > until_s:
                    raise ExchangeAway(
                        f"{self._exchange} takes no more requests for {wait_s:.1f} s", int(wait_s * 1_000)
                    )
                await self._sleep(wait_s)
        finally:
            self._waiting.remove(me)
        for pool in self._pools_of(me):
            pool.spend(self._clock_s(), weight if pool.rule.weighted else 1)

    def heard(self, headers: Mapping[str, str], *, key: str = "") -> None:
        """What an answer's headers, in lower case, say of the limits."""
        for rule in self._rules:
            if rule.header and (told := headers.get(rule.header, "")).isdecimal():
                self._pool(rule, key).told(self._clock_s(), int(told))

    def stop(self, for_s: float, *, banned: bool = False) -> None:
        """Let nothing but cancels pass for so long; where we are banned, not even those."""
        until_s = self._clock_s() + for_s
        self._stopped_until_s = max(self._stopped_until_s, until_s)
        if banned:
            self._banned_until_s = max(self._banned_until_s, until_s)

    def _wait_s(self, me: _Waiting) -> float:
        now_s = self._clock_s()
        stopped_s = self._banned_until_s if me.kind == "cancel" else self._stopped_until_s
        ahead = [other for other in self._waiting if other.rank < me.rank]
        waits = [stopped_s - now_s, 0.0]
        for pool in self._pools_of(me):
            rule = pool.rule
            before = (one for one in ahead if one.kind in rule.kinds and (not rule.per_key or one.key == me.key))
            units = sum(one.weight if rule.weighted else 1 for one in before)
            share = SHARE[me.kind] if len(rule.kinds) > 1 else 1.0
            waits.append(pool.wait_s(now_s, units, me.weight if rule.weighted else 1, share))
        return max(waits)

    def _pools_of(self, me: _Waiting) -> list[_Pool]:
        return [self._pool(rule, me.key) for rule in self._rules if me.kind in rule.kinds]

    def _pool(self, rule: Rule, key: str) -> _Pool:
        name = (rule, key if rule.per_key else "")
        return self._pools.setdefault(name, _Pool(rule))


_LIMITERS: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Limiter]]] = WeakKeyDictionary()


def limiter_of(exchange: str) -> Limiter:
    """The process's one limiter of an exchange. Wants a running loop."""
    of_loop = _LIMITERS.setdefault(asyncio.get_running_loop(), {})
    return of_loop.setdefault(exchange, Limiter(exchange, RULES.get(exchange, OTHERS)))
