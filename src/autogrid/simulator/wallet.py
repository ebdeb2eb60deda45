"""What one account owns: free amounts by asset, and what waiting stops hold of them.

What resting orders hold is known to their books; see `books.py`. Nothing here goes below zero.
"""

from collections.abc import Mapping
from decimal import Decimal

from autogrid.simulator.records import OrderKey, UnableToTrade
from autogrid.trading.money import ZERO, Amount, text


class Wallet:
    """The free funds of an account, shared by its books on all markets, and the holds of its waiting stops."""

    def __init__(self, funds: Mapping[str, Decimal]) -> None:
        self.free: dict[str, Amount] = dict(funds)
        self._holds: dict[OrderKey, tuple[str, Amount]] = {}

    def add(self, asset: str, amount: Amount) -> None:
        """Give `amount`, or take it where it is below zero. Raises UnableToTrade (`funds`)."""
        free = self.free.get(asset, ZERO) + amount
        if free < 0:
            raise UnableToTrade("funds", f"{text(-amount)} {asset} asked, {text(self.free.get(asset, ZERO))} free")
        self.free[asset] = free

    def hold(self, order: OrderKey, asset: str, amount: Amount) -> None:
        """Set `amount` aside for a waiting order. Raises UnableToTrade (`funds`)."""
        self.add(asset, -amount)
        self._holds[order] = (asset, amount)

    def release(self, order: OrderKey) -> None:
        """Free what was set aside for the order, if anything was."""
        if order in self._holds:
            asset, amount = self._holds.pop(order)
            self.add(asset, amount)

    def held(self, asset: str) -> Amount:
        """What waiting orders hold of `asset`."""
        return sum((amount for name, amount in self._holds.values() if name == asset), ZERO)
