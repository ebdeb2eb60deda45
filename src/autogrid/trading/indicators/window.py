"""The last values of a series, oldest first, and what is counted over all of them.

A step keeps a tuple; the compiled batch hands a stretch of an array to the same functions. They only iterate, index
and take the length. A sum is built by a plain loop from the oldest on: the builtin `sum` rounds otherwise since
Python 3.12.
"""

from collections.abc import Iterator
from typing import Protocol, TypeAlias

Window: TypeAlias = tuple[float, ...]
"""Oldest first; shorter than its period until that many values have come."""


class Values(Protocol):
    """A window, or a stretch of an array; never empty."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[float]: ...
    def __getitem__(self, index: int, /) -> float: ...


def moved(window: Window, period: int, value: float) -> Window:
    """The last `period` values once `value` has come."""
    return (*window, value) if len(window) < period else (*window[1:], value)


def mean(values: Values) -> float:
    """Their mean, summed afresh."""
    total = 0.0
    for value in values:
        total += value
    return total / len(values)
