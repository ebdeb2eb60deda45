"""The ladder of a deal: how far down each safety order lies, how large it is, and what all of it takes.

Deviation of order k: d·(1 + s + … + s^(k−1)) below the base order's price, or (`from = previous`) a further
d·s^(k−1) below the order before. Its size: S·v^(k−1). Prices go down to the tick, coins down to the lot.
"""

from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from autogrid.trading.market import Market
from autogrid.trading.money import ONE, ZERO, Amount, Price, Quantity, Share

DeviationFrom = Literal["base", "previous"]


class Shape(NamedTuple):
    """The form of a ladder, whatever its size."""

    deviation: Share
    step_scale: Decimal
    volume_scale: Decimal
    safety_orders: int
    deviation_from: DeviationFrom = "base"


class Rung(NamedTuple):
    """One safety order as it would be sent."""

    deviation: Share
    """Below the base order, exactly; the price is this rounded to the tick."""
    size: Amount
    """What it should spend."""
    price: Price
    quantity: Quantity


@lru_cache(maxsize=256)
def deviations(shape: Shape) -> tuple[Share, ...]:
    """How far below the base order each safety order lies, first one first; 1 and more where the ladder is too deep."""
    found = []
    step, depth, left = shape.deviation, ZERO, ONE
    for _ in range(shape.safety_orders):
        depth += step
        left *= ONE - step if step < ONE else ZERO
        found.append(depth if shape.deviation_from == "base" else ONE - left)
        step *= shape.step_scale
    return tuple(found)


@lru_cache(maxsize=256)
def sizes(shape: Shape, safety_order: Amount) -> tuple[Amount, ...]:
    """What each safety order spends."""
    found = []
    size = safety_order
    for _ in range(shape.safety_orders):
        found.append(size)
        size *= shape.volume_scale
    return tuple(found)


def required(shape: Shape, base_order: Amount, safety_order: Amount) -> Amount:
    """What a deal takes when all its orders fill, without fees."""
    return sum(sizes(shape, safety_order), base_order)


def multiple(shape: Shape) -> Decimal:
    """The same as a multiple of the base order, where the first safety order is as large as it."""
    return required(shape, ONE, ONE)


def rungs(shape: Shape, safety_order: Amount, start: Price, market: Market) -> tuple[Rung, ...]:
    """The safety orders of a deal whose base order filled at `start`."""
    found = []
    for deviation, size in zip(deviations(shape), sizes(shape, safety_order), strict=True):
        price = market.price_down(start * (ONE - deviation))
        found.append(Rung(deviation, size, price, market.quantity(size / price) if price > 0 else ZERO))
    return tuple(found)
