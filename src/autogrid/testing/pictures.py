"""Pictures of values: what a memory or an object holds at a moment, so that it can be compared with later.

A memory may hold frozen pieces only, since a journal keeps it by reference and another process reads it back: records,
tuples, frozensets, tables that nobody changes, texts, figures, None.
"""

import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from types import FunctionType, ModuleType
from typing import Final

from autogrid.testing.fault import Broken

PLAIN: Final = (str, int, bool, float, Decimal, type(None), bytes)
SAME: Final = (type, ModuleType, FunctionType)
DEEPEST: Final = 40


def memory_picture(value: object, where: str = "memory") -> object:
    """What a memory holds. Raises `Broken` for a piece that could be changed, or could not be kept."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, tuple):
        names = getattr(value, "_fields", None) or range(len(value))
        return type(value).__name__, tuple(
            memory_picture(one, f"{where}.{name}") for name, one in zip(names, value, strict=True)
        )
    if isinstance(value, frozenset):
        return frozenset(memory_picture(one, where) for one in value)
    if isinstance(value, Mapping):
        if not all(type(key) is str for key in value):
            raise Broken(f"{where} is a table with keys that are no texts; it would not come back from the journal")
        return tuple((key, memory_picture(one, f"{where}[{key!r}]")) for key, one in value.items())
    if is_dataclass(value) and not isinstance(value, type) and type(value).__dataclass_params__.frozen:  # type: ignore[attr-defined]
        return type(value).__name__, tuple(
            memory_picture(getattr(value, field.name), f"{where}.{field.name}") for field in fields(value)
        )
    raise Broken(f"{where} is a {type(value).__name__}, which can be changed; a memory holds frozen pieces only")


def object_picture(value: object, deep: int = 0) -> object:
    """What any object holds, as far as it can be looked into."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, SAME) or deep > DEEPEST:
        return id(value)
    if isinstance(value, Mapping):
        return {object_picture(key): object_picture(one, deep + 1) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return type(value).__name__, tuple(object_picture(one, deep + 1) for one in value)
    if isinstance(value, set | frozenset):
        return frozenset(object_picture(one, deep + 1) for one in value)
    if is_dataclass(value):
        return tuple(object_picture(getattr(value, field.name, None), deep + 1) for field in fields(value))
    held = getattr(value, "__dict__", None)
    return id(value) if held is None else (type(value).__name__, object_picture(held, deep + 1))


def has_changed(before: object, after: object) -> bool:
    """Whether an object says something else than in its earlier picture; a table that gained entries only remembers."""
    if isinstance(before, dict) and isinstance(after, dict):
        return any(key not in after or has_changed(one, after[key]) for key, one in before.items())
    if isinstance(before, tuple) and isinstance(after, tuple):
        return len(before) != len(after) or any(has_changed(a, b) for a, b in zip(before, after, strict=True))
    return before != after


def globals_picture(kind: type) -> dict[str, object]:
    """The data that stand in a class and in its module, which a strategy may read and must not change."""
    module = sys.modules.get(kind.__module__)
    found: dict[str, object] = {}
    for place in (module, *(one for one in kind.__mro__ if one.__module__ == kind.__module__)):
        for name, value in vars(place).items() if place is not None else ():
            if not name.startswith("__") and not callable(value) and not isinstance(value, ModuleType | property):
                found[f"{getattr(place, '__name__', '')}.{name}"] = object_picture(value)
    return found
