"""The compiled scan: where on the path of a tape is a bound first reached. It only jumps over what changes nothing."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit("int64(int64[:, ::1], boolean, int64, int64)", cache=True, nogil=True)
def corner_at(prices: NDArray[np.int64], backwards: bool, candle: int, corner: int) -> int:
    """The price of a candle's corner 0 to 3 in the order they are walked."""
    if corner in (0, 3):
        return int(prices[candle, corner])
    low_first = (prices[candle, 3] >= prices[candle, 0]) != backwards
    return int(prices[candle, 2] if (corner == 1) == low_first else prices[candle, 1])


@njit("int64(int64[:, ::1], boolean, int64, int64, int64, int64)", cache=True, nogil=True)
def first_reached(prices: NDArray[np.int64], backwards: bool, start: int, end: int, floor: int, roof: int) -> int:
    """The first corner in [start, end) at or below `floor` or at or above `roof`; `end` if there is none.

    Corners are counted along the whole tape, four a candle; `prices` are open, high, low, close in the tape's units.
    """
    index = start
    while index < end:
        candle = index >> 2
        if prices[candle, 2] > floor and prices[candle, 1] < roof:
            index = (candle + 1) << 2  # a candle whose low and high lie between the bounds reaches none of them
            continue
        price = corner_at(prices, backwards, candle, index & 3)
        if price <= floor or price >= roof:
            return index
        index += 1
    return end
