"""Records of earlier versions in the form of this one: each field that came later, with what its absence meant.

Nothing else is changed, and nothing is guessed: a record that misses any other field is refused when it is read.
"""

from collections.abc import Mapping
from typing import Any, Final

SINCE_1: Final[Mapping[str, Mapping[str, object]]] = {
    "Target": {"after": "", "why": ""},
    "Bounds": {"every": False},
    "Wish": {"every": False},
    "Place": {"why": ""},
    "Started": {"candle_ms": 0},
    "BotState": {"candle_ms": 0},
    "GridMemory": {
        "extras": {
            "record": "GridExtras",
            "low": 0,
            "high": 0,
            "later": {},
            "growth": {},
            "funds": "0",
            "beyond_ms": None,
            "store": {"record": "Pool", "base": "0", "cost": "0"},
        },
    },
}
"""By kind of record: fields that version 1 did not have."""

_NO_GUARD: Final = {"record": "Guard", "trusted_ms": 0, "refusals": 0, "part_ms": 0, "reach": "0"}

SINCE_2: Final[Mapping[str, Mapping[str, object]]] = {
    "Accepted": {"exchange_id": ""},
    "FundsAsked": {"refused": ""},
    "FeedSilent": {"starting": False},
    "FeedBack": {"found": ""},
    "Market": {"stops": "none"},
    "Order": {"trigger": None, "stop_price": None},
    "Target": {"trigger": None, "stop_price": None},
    "Terms": {"at_exchange": False, "slippage": "0"},
    "HeldEntry": {"guard": _NO_GUARD},
    "DcaMemory": {"guard": _NO_GUARD},
}
"""By kind of record: fields that version 2 did not have."""

_SINCE: Final[Mapping[int, tuple[Mapping[str, Mapping[str, object]], ...]]] = {1: (SINCE_1, SINCE_2), 2: (SINCE_2,)}
OLDER: Final = frozenset(_SINCE)
"""Versions that can be read."""


def upgraded(value: Any, version: int) -> Any:
    """What an older `version` wrote, as this one writes it."""
    if isinstance(value, list):
        return [upgraded(one, version) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: upgraded(one, version) for name, one in value.items()}
    for since in _SINCE[version]:
        added = since.get(str(found.get("record")), {})
        found |= {name: one for name, one in added.items() if name not in found}
    return found
