"""The order book that everyone sees: made up around the market's price, one level a tick, each of one size.

It has a version, which is the id of the market's last trade: it changes with every trade and with nothing else.
"""

from decimal import Decimal
from typing import Final, NamedTuple

from autogrid.simulator.world import World
from autogrid.trading.market import Market
from autogrid.trading.money import ONE, Price, Quantity

MOST_LEVELS: Final = 20
"""How deep it is told in streams, and how deep it is at all."""
Level = tuple[Price, Quantity]


class Levels(NamedTuple):
    """Both sides, the best price first."""

    bids: list[Level]
    asks: list[Level]


def size_of(market: Market) -> Quantity:
    """The quantity at each level: about one of the base asset."""
    return max(market.lot, market.min_quantity, market.quantity(ONE))


def levels(world: World, symbol: str, most: int = MOST_LEVELS) -> Levels:
    """The best `most` of each side; none before the market's first trade."""
    if world.price(symbol) is None:
        return Levels([], [])
    market = world.markets[symbol]
    bid, ask = world.top(symbol)
    size, depth = size_of(market), min(most, MOST_LEVELS)
    bids = [(bid - step * market.tick, size) for step in range(depth)]
    asks = [(ask + step * market.tick, size) for step in range(depth)]
    return Levels([level for level in bids if level[0] > 0], asks)


def version(world: World, symbol: str) -> int:
    """Of the book as it stands."""
    newest = world.prints(symbol, 1)
    return newest[-1].id if newest else 0


def changes(before: list[Level], after: list[Level]) -> list[Level]:
    """What turns one side into another: prices that are gone (quantity zero), then those that are new."""
    old, new = dict(before), dict(after)
    gone = [(price, Decimal(0)) for price in old if price not in new]
    return gone + [level for level in after if old.get(level[0]) != level[1]]
