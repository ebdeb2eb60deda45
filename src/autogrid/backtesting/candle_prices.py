"""Float prices as whole numbers of one power of ten, without a digit gained or lost.

A float x is the price that its shortest decimal text says. If r = round(x * 10^k) has at most fifteen digits
and r / 10^k gives x again, that text is r * 10^-k: two decimals of at most fifteen digits never share a
float. So the smallest k for which this holds of all prices is found with array operations; prices with more
digits go through their text, one by one.
"""

from decimal import Decimal
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

MOST_DECIMALS = 12
FIFTEEN_DIGITS = 1e15
LARGEST = 2**63 - 1
SAMPLE = 2_000

Integers = NDArray[np.int64]


def whole_units(prices: NDArray[np.float64], exact: NDArray[np.object_] | None, decimals: int) -> tuple[Integers, int]:
    """The prices as whole numbers of 10^-k, and k.

    `prices` must be finite and positive. `exact` holds the same prices as Decimals where floats cannot say
    them. k is the least that loses nothing, and at least `decimals`. The result is an object array of Python
    ints where int64 cannot hold them.
    """
    least = _least_decimals(prices) if exact is None else None
    if least is None:
        exact = decimals_of(prices) if exact is None else exact
        return _units_of_decimals(exact, decimals)
    units = np.rint(prices * 10.0**least).astype(np.int64)
    if decimals <= least:
        return units, least
    widen = 10 ** (decimals - least)
    if units.size and int(units.max()) * widen > LARGEST:
        return cast(Integers, units.astype(object) * widen), decimals
    return units * widen, decimals


def decimals_of(prices: NDArray[np.float64]) -> NDArray[np.object_]:
    """Each price's shortest decimal text as a Decimal."""
    out = np.empty(prices.size, object)
    out[:] = [Decimal(repr(price)) for price in prices.ravel().tolist()]
    return out.reshape(prices.shape)


def floats_of(units: Integers, unit: Decimal) -> NDArray[np.float64]:
    """The floats nearest to `units` times `unit`, the way back from `whole_units`."""
    decimals = -cast(int, unit.as_tuple().exponent)
    if units.dtype != object and units.size and int(units.max()) < FIFTEEN_DIGITS and decimals <= 22:
        return units / 10.0**decimals
    flat = [float(f"{price}e{-decimals}") for price in units.ravel().tolist()]
    return np.asarray(flat).reshape(units.shape)


def _least_decimals(prices: NDArray[np.float64]) -> int | None:
    flat = prices.ravel()
    least = _decimals_from(flat[:: max(1, flat.size // SAMPLE)], 0)
    return None if least is None else _decimals_from(flat, least)


def _decimals_from(rest: NDArray[np.float64], least: int) -> int | None:
    """The smallest k from `least` on that loses no digit of `rest`; None where fifteen digits do not do."""
    largest = float(rest.max(initial=0.0))
    for decimals in range(least, MOST_DECIMALS + 1):
        scale = 10.0**decimals
        if largest * scale >= FIFTEEN_DIGITS:
            return None
        rest = rest[np.rint(rest * scale) / scale != rest]
        if rest.size == 0:
            return decimals
    return None


def _units_of_decimals(exact: NDArray[np.object_], decimals: int) -> tuple[Integers, int]:
    parts = [_digits_and_exponent(price) for price in exact.ravel().tolist()]
    k = max([decimals, *(-exponent for _, exponent in parts)])
    whole = [int(Decimal((0, digits, exponent + k))) for digits, exponent in parts]
    out: NDArray[Any] = np.empty(len(whole), object if max(whole, default=0) > LARGEST else np.int64)
    out[:] = whole
    return out.reshape(exact.shape), k


def _digits_and_exponent(price: Decimal) -> tuple[tuple[int, ...], int]:
    """Without zeros at the end, so that 1.50 needs one decimal."""
    _, digits, exponent = price.as_tuple()
    zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return digits[: len(digits) - zeros], cast(int, exponent) + zeros
