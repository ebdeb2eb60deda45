"""Which faults strike, when: drawn from the seed, counted by kind.

A run goes through storms and calms. For each storm a handful of kinds is drawn, each with a share of its own: so some
storms have one fault often and others many at once, which finds more than all of them at one even rate would.
"""

import random
from collections import Counter
from typing import Final

SHARES: Final = {
    # requests
    "away before": 0.2,  # the connection is refused, nothing was done
    "maintenance": 0.02,  # the exchange is away for seconds
    "rate limit": 0.1,  # 429, with how long to wait
    "clock refused": 0.05,
    "refused": 0.03,  # an order is refused for no reason of ours
    "key refused": 0.01,  # a question is refused
    "answer lost": 0.3,  # done, the connection is dropped
    "request lost": 0.2,  # not done, the connection is dropped
    "server error": 0.15,  # 5xx, done or not
    "answer broken": 0.15,  # done, the answer has no id
    "never answered": 0.1,
    "slow there": 0.2,  # seconds before it arrives
    "slow back": 0.2,  # seconds before the answer is here
    "gone early": 0.1,  # unclear at once, arrives seconds later
    "held back": 0.1,  # the client itself waits before it sends
    "question lost": 0.6,  # of all that only asks
    # answers that are not up to date
    "stale open orders": 0.3,
    "stale look-up": 0.3,
    "not found at first": 0.4,
    "not found by mistake": 0.3,  # once of an order
    "trades late": 0.3,
    "cancel late": 0.2,  # accepted, done later
    "cancel twice": 0.1,  # sent again by the network
    # the account's stream
    "event lost": 0.2,
    "event twice": 0.3,
    "events swapped": 0.3,
    "events coalesced": 0.4,
    "event late": 0.1,  # by minutes
    "stream stalls": 0.005,
    "stream breaks": 0.01,
    "stream does not begin": 0.3,
    # the market
    "partial fills": 0.7,
    "halt": 0.004,
    "prices silent": 0.004,
    "burst": 0.05,
    "manual trade": 0.03,
    "foreign order": 0.03,
    "deposit": 0.02,
    # the process
    "kill": 0.01,  # at any of its points
    "killed at a time": 0.01,
    "freeze": 0.01,
    "renewals fail": 0.004,  # it runs, and its lease runs out
    "clock jump": 0.003,
    "shutdown": 0.004,
    # the database
    "database full": 0.02,  # at the commit, before it is durable
    "database in doubt": 0.02,  # at the commit, after it is
    "database slow": 0.1,
    # people
    "request": 0.03,
    "kill switch": 0.004,
}
"""How likely each is at most, where it can strike."""

GENTLE: Final = ("partial fills", "burst", "request", "manual trade", "foreign order", "deposit")
"""What happens in a storm of every kind."""


class Chaos:
    """The faults of one run."""

    def __init__(self, seed: str, only: tuple[str, ...] = (), strength: float = 1.0) -> None:
        """`only`: no other kinds than these."""
        self._random = random.Random(seed)
        self._only = only
        self._strength = strength
        self._now: dict[str, float] = {}
        self.given: Counter[str] = Counter()

    def calm(self) -> None:
        """No fault strikes."""
        self._now = {}

    def storm(self) -> None:
        """Other faults than before."""
        kinds = [kind for kind in SHARES if not self._only or kind in self._only]
        chosen = self._random.sample(kinds, min(len(kinds), self._random.choice((4, 10, 20, len(kinds)))))
        chosen = list(dict.fromkeys((*chosen, *(kind for kind in GENTLE if kind in kinds))))
        self._now = {kind: SHARES[kind] * self._strength * self._random.choice((0.1, 0.3, 1.0)) for kind in chosen}

    def hits(self, kind: str) -> bool:
        """Whether the fault strikes now."""
        share = self._now.get(kind)
        if share is None or self._random.random() >= share:
            return False
        self.given[kind] += 1
        return True

    def at(self, kind: str) -> bool:
        """Whether it may strike at all now."""
        return kind in self._now

    def between(self, least: float, most: float) -> float:
        """A number."""
        return self._random.uniform(least, most)

    def one_of(self, *many: str) -> str:
        """One of them."""
        return self._random.choice(many)

    def latency(self) -> float:
        """Seconds on the wire: mostly tens of milliseconds."""
        return 0.01 + min(self._random.expovariate(12), 1.0)
