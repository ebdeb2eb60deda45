"""The trading records as JSON text and back, exactly: what the journal is written in.

    {"version": 3, "record": "Filled", "at_ms": 1747699200000, "price": "98000", ...}

Rules: every record carries its kind, every text its version, every field its name. A figure of money is plain decimal
text, never a number. A kind is the name of its class, and stands in databases: renaming a class changes the form. What
is not known exactly (another version, a strange kind, a field too many or too few) is refused, never guessed.

A strategy is written as its name and configuration, and made again by the `rebuild` that the reader is given.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from autogrid.storage.codecs import (
    CONFIGURATION,
    Rebuild,
    UnableToReadRecord,
    fields_of,
    read_any,
    write_any,
)
from autogrid.storage.upgrades import OLDER, upgraded
from autogrid.trading.state import BotState
from autogrid.trading.strategies.strategy import AnyStrategy

VERSION: Final = 3
"""Of the form. A version that adds a field raises it, and says in `upgrades` what its absence meant before."""

R = TypeVar("R")


def no_strategy(name: str, config: Mapping[str, str]) -> AnyStrategy:  # noqa: ARG001
    """The `rebuild` of records that hold no strategy."""
    raise UnableToReadRecord(f"The strategy '{name}' stands where none is expected")


def encode(record: object) -> str:
    """One record as text."""
    return _dumps({"version": VERSION, **write_any(record)})


def decode(kind: type[R], encoded: str, rebuild: Rebuild = no_strategy) -> R:
    """The record of that kind. Raises `UnableToReadRecord`."""
    found = decode_any(encoded, rebuild)
    if type(found) is not kind:
        raise UnableToReadRecord(f"{type(found).__name__} stands where {kind.__name__} is expected")
    return found


def decode_any(encoded: str, rebuild: Rebuild = no_strategy) -> object:
    """The record, of whatever kind. Raises `UnableToReadRecord`."""
    return read_any(_versioned(encoded), rebuild)


def encode_many(records: Sequence[object]) -> str:
    """Records as one text, in order; the empty text where there are none."""
    return _dumps({"version": VERSION, "records": [write_any(one) for one in records]}) if records else ""


def decode_many(encoded: str) -> tuple[Any, ...]:
    """The records of one text. Raises `UnableToReadRecord`."""
    if not encoded:
        return ()
    records = _versioned(encoded).get("records")
    if not isinstance(records, list):
        raise UnableToReadRecord("A list of records is missing")
    return tuple(read_any(one, no_strategy) for one in records)


def encode_changes(before: BotState, after: BotState) -> str:
    """The fields of `after` that differ from `before`; the empty text where none does. The strategy may not."""
    assert before.strategy is after.strategy or before.strategy == after.strategy, "only a step changes the strategy"
    changed = {
        name: codec.write(new)
        for (name, codec), old, new in zip(_STATE_FIELDS.items(), before, after, strict=True)
        if old is not new and old != new
    }
    return _dumps({"version": VERSION, **changed}) if changed else ""


def decode_changes(encoded: str, before: BotState) -> BotState:
    """`before` with the fields that `encode_changes` wrote. Raises `UnableToReadRecord`."""
    if not encoded:
        return before
    document = _versioned(encoded)
    strange = document.keys() - _STATE_FIELDS.keys()
    if strange:
        raise UnableToReadRecord(f"A bot's state has no field {', '.join(sorted(strange))}")
    return before._replace(**{name: _STATE_FIELDS[name].read(value, no_strategy) for name, value in document.items()})


def encode_config(config: Mapping[str, str]) -> str:
    """A configuration as text."""
    return json.dumps(CONFIGURATION.write(config), ensure_ascii=False, separators=(",", ":"))


def decode_config(encoded: str) -> dict[str, str]:
    """A configuration. Raises `UnableToReadRecord`."""
    return dict(CONFIGURATION.read(_loads(encoded), no_strategy))


def _dumps(document: Mapping[str, object]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _loads(encoded: str) -> object:
    try:
        return json.loads(encoded)
    except json.JSONDecodeError as fault:
        raise UnableToReadRecord(f"'{encoded[:40]}' is not JSON ({fault})") from fault


def _versioned(encoded: str) -> dict[str, Any]:
    """What the text holds, without its version."""
    document = _loads(encoded)
    version = document.pop("version", None) if isinstance(document, dict) else None
    if not isinstance(document, dict) or version is None:
        raise UnableToReadRecord(f"'{encoded[:40]}' has no version")
    if type(version) is int and version in OLDER:
        found: dict[str, Any] = upgraded(document, version)
        return found
    if version != VERSION:
        raise UnableToReadRecord(f"A record has the form of version {version}; this AutoGrid knows version {VERSION}")
    return document


_STATE_FIELDS: Final = fields_of(BotState)
