"""The compiled scan: where on a path of prices is a bound first reached. It only jumps over what changes nothing."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit("int64(int64[::1], int64, int64, int64, int64)", cache=True, nogil=True)
def first_reached(path: NDArray[np.int64], start: int, end: int, floor: int, roof: int) -> int:
    """The first index in [start, end) at which `path` is at or below `floor` or at or above `roof`; `end` if none.

    All prices in the tape's units.
    """
    for index in range(start, end):
        price = path[index]
        if price <= floor or price >= roof:
            return index
    return end
