"""Faults on demand: which shall happen, where, how often. Drawn with a seed, and every one given is counted.

Of requests, by what the client then must believe:

    lost-answer         done; the connection ends without an answer
    truncated           done; half a body
    html                done; 200 with a page of HTML
    delay-after         done at once, answered `ms` later
    delay-before        done `ms` later
    reset-before        the connection ends, nothing was done
    refuse-connect      the same, before anything was read
    error-5xx           not done (`ms` = 1: done)
    limit-429, ban-418, clock-skew, maintenance    refused, not done
    not-found-at-first  a look-up says that there is no such order

Of streams: duplicate-event, swap-events, drop-event, coalesce (of one order only the newest update), stall (silent
for `ms`, 0: for ever; pongs go on), drop-stream, bad-frame.
"""

import random
from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

REQUEST_KINDS: Final = (
    "lost-answer",
    "delay-before",
    "delay-after",
    "truncated",
    "html",
    "error-5xx",
    "limit-429",
    "ban-418",
    "clock-skew",
    "not-found-at-first",
    "reset-before",
    "refuse-connect",
    "maintenance",
)
STREAM_KINDS: Final = (
    "duplicate-event",
    "swap-events",
    "drop-event",
    "coalesce",
    "stall",
    "drop-stream",
    "bad-frame",
)
OPERATIONS: Final = (
    "place",
    "cancel",
    "find",
    "open_orders",
    "trades",
    "balances",
    "market",
    "time",
    "stream",
    "connect",
    "other",
)
"""Where a fault may strike; `connect` is the opening of a stream, `stream` each of its events."""


class UnableToPlan(ValueError):
    """A fault that is none was asked for."""

    code = "not-a-fault"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that may happen."""

    kind: str
    share: float = 1.0
    """How likely it is each time, 0 to 1."""
    count: int | None = None
    """How many more times; None: without end."""
    where: str = ""
    """One of `OPERATIONS`; empty: anywhere."""
    ms: int = 0
    """Of delays and stalls; see above for the rest."""


class Faults:
    """The faults that are wanted now."""

    def __init__(self, seed: int) -> None:
        self.given: Counter[str] = Counter()
        """How often each kind was given."""
        self._random = random.Random(seed)  # noqa: S311 (to be repeatable is the point)
        self._wanted: dict[int, Fault] = {}
        self._next_id = 1

    def add(self, fault: Fault) -> int:
        """Want `fault` from now on; its id. Raises UnableToPlan."""
        if fault.kind not in REQUEST_KINDS + STREAM_KINDS:
            raise UnableToPlan(f"no fault is called '{fault.kind}'")
        if fault.where and fault.where not in OPERATIONS:
            raise UnableToPlan(f"no operation is called '{fault.where}'; there are {', '.join(OPERATIONS)}")
        self._wanted[self._next_id] = fault
        self._next_id += 1
        return self._next_id - 1

    def remove(self, fault_id: int) -> bool:
        """Whether it was there."""
        return self._wanted.pop(fault_id, None) is not None

    def clear(self) -> None:
        """No more faults."""
        self._wanted.clear()

    def list(self) -> dict[int, Fault]:
        """By id, with the counts that are left."""
        return dict(self._wanted)

    def draw(self, where: str, *kinds: str) -> Fault | None:
        """The fault that strikes now at the operation `where`, out of `kinds`; the first wanted that does."""
        for fault_id, fault in list(self._wanted.items()):
            if fault.kind not in kinds or fault.where not in ("", where):
                continue
            if fault.share < 1 and self._random.random() >= fault.share:
                continue
            if fault.count is not None:
                self._wanted[fault_id] = replace(fault, count=fault.count - 1)
                if fault.count <= 1:
                    del self._wanted[fault_id]
            self.given[fault.kind] += 1
            return fault
        return None
