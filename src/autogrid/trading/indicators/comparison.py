"""Which of two prices is above the other, as every indicator and strategy on candles asks it."""

from typing import Final

TOLERANCE: Final = 1e-10
"""Prices that differ by less, as a share of the larger, count as equal: that much is rounding."""


def above(left: float, right: float) -> bool:
    """Whether the price `left` lies above `right` by more than rounding."""
    return left - right > TOLERANCE * max(abs(left), abs(right))
