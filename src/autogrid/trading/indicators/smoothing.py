"""The exponential average that EMA and RMA are; they differ in α alone.

It is seeded with the mean of the first `period` values, as TradingView does. Until then the field that will hold the
average holds their sum, oldest first, so that one float is all there is to keep.
"""


def smoothed(alpha: float, period: int, count: int, average: float, value: float) -> float:
    """The average after `value`, in the unit of the values; their sum while there are fewer than `period`.

    `count` values came before this one; where it is `period` or more it may stand still.
    """
    if count >= period:
        return alpha * value + (1.0 - alpha) * average
    total = average + value
    return total / period if count + 1 == period else total


def counted(period: int, count: int) -> int:
    """The count after one more value; it stands still at `period`, so that a state does not grow."""
    return count + 1 if count < period else count
