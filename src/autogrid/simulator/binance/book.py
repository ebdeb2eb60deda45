"""The order book as everybody sees it: some levels around the last price, each of the same quantity."""

from decimal import Decimal
from typing import Final

from autogrid.simulator.binance.wire import figure
from autogrid.simulator.world import World

LEVELS: Final = 20
QUANTITY: Final = Decimal(1)
"""Base at each level."""


def levels(world: World, symbol: str, limit: int) -> tuple[list[list[str]], list[list[str]]]:
    """Bids and asks, the best first, as pairs of price and quantity."""
    if world.price(symbol) is None:
        return [], []
    tick = world.markets[symbol].tick
    bid, ask = world.top(symbol)
    steps = range(min(limit, LEVELS))
    bids = [bid - tick * step for step in steps if bid > tick * step]
    quantity = figure(QUANTITY)
    return [[figure(price), quantity] for price in bids], [[figure(ask + tick * step), quantity] for step in steps]
