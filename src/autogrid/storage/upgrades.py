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


def upgraded(value: Any) -> Any:
    """What version 1 wrote, as version 2 writes it."""
    if isinstance(value, list):
        return [upgraded(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: upgraded(one) for name, one in value.items()}
    added = SINCE_1.get(str(found.get("record")), {})
    return found | {name: one for name, one in added.items() if name not in found}
