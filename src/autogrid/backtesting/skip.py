"""The compiled scan: where on the path of a tape is a bound first reached. It only jumps over what changes nothing."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit("int64(int64[:, ::1], boolean, int64, int64, int64, int64)", cache=True, nogil=True)
def first_reached(prices: NDArray[np.int64], backwards: bool, start: int, end: int, floor: int, roof: int) -> int:
    """The first corner in [start, end) at or below `floor` or at or above `roof`; `end` if there is none.

    Corners are counted along the whole tape, four a candle, in the order they are walked; `prices` are open, high, low,
    close in the tape's units.
    """
    index = start
    while index < end:
        candle, corner = index >> 2, index & 3
        if prices[candle, 2] > floor and prices[candle, 1] < roof:
            index = (candle + 1) << 2  # a candle whose low and high lie between the bounds reaches none of them
            continue
        column = corner
        if corner in (1, 2):
            low_first = (prices[candle, 3] >= prices[candle, 0]) != backwards
            column = 2 if (corner == 1) == low_first else 1
        if prices[candle, column] <= floor or prices[candle, column] >= roof:
            return index
        index += 1
    return end
