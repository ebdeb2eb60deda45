"""A fill cut into parts, as an exchange would have told them; and memories that are alike but for roundings."""

import random
from decimal import ROUND_UP, Decimal

from autogrid.trading.event import Filled
from autogrid.trading.market import RECEIVED, Market, ThirdAsset
from autogrid.trading.money import UNIT, ZERO
from autogrid.trading.order import Order


def parts_of(fill: Filled, order: Order, market: Market, chance: random.Random) -> list[Filled]:
    """`fill` of `order`, cut anywhere on the lot; the fee of all parts together is that of the whole, each rounded up.

    A fill that is not the first of its order is left whole: the fee of its parts would depend on those before.
    """
    lots = int(fill.quantity / market.lot)
    if order.filled or lots < 2:
        return [fill]
    cut_at = sorted({chance.randint(1, lots - 1) for _ in range(chance.randint(1, 4))} | {lots})
    rate = market.maker_fee if fill.maker else market.taker_fee
    third = market.fee_in if isinstance(market.fee_in, ThirdAsset) else None
    charged, done, parts = ZERO, ZERO, []
    for number, cut in enumerate(cut_at):
        quantity = cut * market.lot - done
        done += quantity
        due = (done if order.side == "buy" and market.fee_in == RECEIVED else done * fill.price) * rate
        whole = (due / third.price if third else due).quantize(UNIT, ROUND_UP)
        fee, charged = whole - charged, whole
        worth = fee * third.price if third else ZERO
        parts.append(fill._replace(fill_id=f"{fill.fill_id}.{number}", quantity=quantity, fee=fee, fee_value=worth))
    return parts


def close(one: object, other: object, tick: Decimal) -> bool:
    """Whether two pictures of memories differ by roundings at most: a tick of a price, else the seventh decimal."""
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return abs(one - other) <= (tick if abs(one) > 1000 * tick else UNIT * 10)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(close(a, b, tick) for a, b in zip(one, other, strict=True))
    return one == other
