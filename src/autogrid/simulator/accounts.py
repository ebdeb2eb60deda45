"""One account of the simulated world: its wallet, its orders and trades, and its book on each market."""

from collections.abc import Mapping
from decimal import Decimal

from autogrid.simulator.books import AccountBook
from autogrid.simulator.records import Holding, OrderKey, SimOrder, SimTrade, UnableToTrade
from autogrid.simulator.wallet import Wallet
from autogrid.trading.market import Market
from autogrid.trading.matching import MatchingRules
from autogrid.trading.money import ZERO, Price, Quantity, text


class Account:
    """What belongs to one account."""

    def __init__(self, name: str, funds: Mapping[str, Decimal]) -> None:
        self.name = name
        self.wallet = Wallet(funds)
        self.orders: dict[OrderKey, SimOrder] = {}
        """All, oldest first."""
        self.open: dict[OrderKey, SimOrder] = {}
        self.trades: list[SimTrade] = []
        self.books: dict[str, AccountBook] = {}
        self.told = {asset: Holding(amount, ZERO) for asset, amount in funds.items()}
        """What listeners were last told that it owns."""
        self._named: dict[tuple[str, str], SimOrder] = {}

    def book(self, market: Market, rules: MatchingRules) -> AccountBook:
        """Its book on `market`."""
        book = self.books.get(market.symbol)
        if book is None:
            book = self.books[market.symbol] = AccountBook(market, rules, self.wallet)
        return book

    def keep(self, order: SimOrder) -> None:
        """A new order, open as yet."""
        self.orders[order.key] = self.open[order.key] = order
        self._named[order.symbol, order.client_id] = order

    def named(self, symbol: str, client_id: str) -> SimOrder | None:
        """The newest order with that client id."""
        return self._named.get((symbol, client_id))

    def holding(self, asset: str) -> Holding:
        """Free and held of `asset`."""
        held = self.wallet.held(asset) + sum((book.held(asset) for book in self.books.values()), ZERO)
        return Holding(self.wallet.free.get(asset, ZERO), held)

    def check_funds(self, market: Market, order_side: str, price: Price, quantity: Quantity) -> None:
        """Raise UnableToTrade (`funds`) where an order of `quantity` at `price` is not covered."""
        asset = market.quote if order_side == "buy" else market.base
        need = market.needed(price * quantity) if order_side == "buy" else quantity
        free = self.wallet.free.get(asset, ZERO)
        if need > free:
            raise UnableToTrade("funds", f"{text(need)} {asset} needed, {text(free)} free")

    def hold(self, order: SimOrder, market: Market, price: Price) -> None:
        """Set aside what a waiting stop will need, a buy weighed at `price`."""
        asset = market.quote if order.side == "buy" else market.base
        need = market.needed(price * order.quantity) if order.side == "buy" else order.quantity
        self.wallet.hold(order.key, asset, need)
