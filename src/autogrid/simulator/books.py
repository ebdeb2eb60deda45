"""The resting orders of one account on one market: the book of trading/matching over the account's one wallet."""

from decimal import Decimal

from autogrid.simulator.wallet import Wallet
from autogrid.trading.event import Filled, OrderEvent
from autogrid.trading.market import Market
from autogrid.trading.matching import Book, MatchingRules, Point
from autogrid.trading.money import ZERO, Amount, Price, Quantity
from autogrid.trading.order import Kind, Side, decided
from autogrid.trading.plan import Cancel, Place


class AccountBook(Book):
    """A book whose free funds are the wallet's, so that markets with one quote asset share them."""

    def __init__(self, market: Market, rules: MatchingRules, wallet: Wallet) -> None:
        self._wallet = wallet
        self._base, self._quote = market.base, market.quote
        free = wallet.free
        super().__init__(market, rules, free.get(market.quote, ZERO), free.get(market.base, ZERO))

    @property
    def free_quote(self) -> Amount:
        """Of the account, whatever market it was last traded on."""
        return self._wallet.free.get(self._quote, ZERO)

    @free_quote.setter
    def free_quote(self, amount: Amount) -> None:
        self._wallet.free[self._quote] = amount

    @property
    def free_base(self) -> Quantity:
        """Of the account."""
        return self._wallet.free.get(self._base, ZERO)

    @free_base.setter
    def free_base(self, amount: Quantity) -> None:
        self._wallet.free[self._base] = amount

    def stand_at(self, price: Price, at_ms: int) -> None:
        """The market trades at `price`."""
        self.at = Point(at_ms, price, False, None, self.at.candle + 1)

    def enter_order(
        self, exchange_id: int, side: Side, kind: Kind, price: Price, quantity: Quantity, most: Quantity | None
    ) -> list[OrderEvent]:
        """Place an order of which at most `most` may trade at once (None: all); the rest of a limit order rests."""
        self.allowance = most
        order = decided(str(exchange_id), "", side, kind, price, quantity, "working")
        events = self.execute(Place(order))
        self.allowance = None
        return events

    def remove_order(self, exchange_id: int) -> None:
        """Take an order out and free what it held."""
        self.execute(Cancel(str(exchange_id)))

    def fills(self, most: Quantity | None) -> list[Filled]:
        """What the present price fills of the resting orders, of all together at most `most` (None: any)."""
        self.allowance = most
        found = []
        while (fill := self.touched()) is not None:
            found.append(fill)
        self.allowance = None
        return found

    def held(self, asset: str) -> Amount:
        """What resting orders hold of `asset`."""
        total = Decimal(0)
        for resting in self._orders.values():
            sells = resting.order.side == "sell"
            if asset == (self._base if sells else self._quote):
                total += resting.left if sells else resting.held
        return total
