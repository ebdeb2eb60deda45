"""Laws of the simulated world that hold after whatever is asked of it, and whatever the market does."""

from collections import defaultdict
from decimal import Decimal
from typing import Final

from hypothesis import given, strategies

from autogrid.simulator.records import SimOrder, UnableToTrade, WalletNews, Wanted, WorldNews
from autogrid.simulator.world import World
from autogrid.trading.market import FeeIn, Market
from autogrid.trading.money import ZERO

SYMBOLS: Final = ("BTC/USDT", "ETH/USDT", "ETH/BTC")
ACCOUNTS: Final = ("anna", "bert")
FUNDS: Final = {"USDT": Decimal(2_000), "BTC": Decimal(20), "ETH": Decimal(20)}

symbols = strategies.sampled_from(SYMBOLS)
accounts = strategies.sampled_from(ACCOUNTS)
sides = strategies.sampled_from(("buy", "sell"))
prices = strategies.integers(50, 150).map(Decimal)
quantities = strategies.integers(1, 80).map(lambda number: Decimal(number) / 10)
names = strategies.sampled_from(("", "", "", "a", "b"))
types = strategies.sampled_from(("limit", "limit", "maker", "market", "ioc", "fok", "stop", "stop_limit"))
commands = strategies.one_of(
    strategies.tuples(strategies.just("place"), accounts, symbols, sides, types, names, prices, quantities, prices),
    strategies.tuples(strategies.just("list"), accounts, symbols, sides, prices, quantities, prices, prices),
    strategies.tuples(strategies.just("move"), symbols, prices, strategies.none() | quantities),
    strategies.tuples(strategies.just("move"), symbols, prices, strategies.none() | quantities),
    strategies.tuples(strategies.just("cancel"), accounts, strategies.integers(0, 9)),
    strategies.tuples(strategies.just("credit"), accounts, strategies.sampled_from(("USDT", "BTC")), quantities),
    strategies.tuples(strategies.just("depth"), symbols, strategies.none() | quantities),
)


def make_world(fee_in: FeeIn) -> World:
    found = {}
    for symbol in SYMBOLS:
        base, quote = symbol.split("/")
        figures = (Decimal(1), Decimal("0.1"), Decimal(5), Decimal("0.0003"), Decimal("0.0007"))
        found[symbol] = Market(base, quote, *figures, fee_in=fee_in)
    world = World(found, lambda: 1_700_000_000_000)
    for account in ACCOUNTS:
        world.add_account(account, FUNDS)
    for symbol in SYMBOLS:
        world.move(symbol, Decimal(100))
    return world


class Law:
    """A world, and what was put into it from outside."""

    def __init__(self, fee_in: FeeIn) -> None:
        self.world = make_world(fee_in)
        self.credited: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self.told: dict[tuple[str, str], object] = {}
        self.world.listen(self._hear)

    def _hear(self, news: WorldNews) -> None:
        if isinstance(news, WalletNews):
            self.told[news.account, news.asset] = news.holding

    def obey(self, command: tuple[object, ...]) -> None:
        before = self.picture()
        try:
            self._do(command)
        except UnableToTrade:
            assert self.picture() == before, f"{command} was refused and changed something"

    def picture(self) -> object:
        orders = [
            (order.exchange_id, order.status, order.filled, order.waiting)
            for account in ACCOUNTS
            for order in self.world.orders(account)
        ]
        return orders, [self.world.wallet(account) for account in ACCOUNTS], len(self.world.lists)

    def _do(self, command: tuple[object, ...]) -> None:
        world = self.world
        match command:
            case ("place", str(account), symbol, side, kind, name, price, quantity, trigger):
                stop = kind in ("stop", "stop_limit")
                wanted = Wanted(symbol, side, kind, name, price, quantity, None, trigger if stop else None)  # type: ignore[arg-type]
                world.place(account, wanted)
            case ("list", str(account), symbol, side, price, quantity, trigger, stop_price):
                limit = Wanted(symbol, side, "maker", "", price, quantity)  # type: ignore[arg-type]
                below = limit._replace(type="stop_limit", price=stop_price, trigger=trigger)  # type: ignore[arg-type]
                world.place_list(account, limit, below)
            case ("move", str(symbol), Decimal() as price, most):
                world.move(symbol, price, most=most)  # type: ignore[arg-type]
            case ("cancel", str(account), int(number)):
                orders = world.orders(account)
                if orders:
                    chosen = orders[number % len(orders)]
                    world.cancel(account, chosen.symbol, exchange_id=chosen.exchange_id)
            case ("credit", str(account), str(asset), Decimal() as amount):
                world.credit(account, asset, amount)
                self.credited[account, asset] += amount
            case ("depth", str(symbol), depth):
                world.set_depth(symbol, depth)  # type: ignore[arg-type]
            case _:
                raise AssertionError(command)

    def check(self) -> None:
        for account in ACCOUNTS:
            wallet = self.world.wallet(account)
            for asset, holding in wallet.items():
                assert holding.free >= 0
                assert holding.held >= 0
                assert holding.free + holding.held == self.owed(account, asset), f"{account}'s {asset}"
                assert holding.held == self.needed(account, asset), f"{account}'s {asset} held"
                told = self.told.get((account, asset))
                assert told is None or told == holding, f"{account} was told of another {asset}"
            self.check_orders(account)

    def owed(self, account: str, asset: str) -> Decimal:
        """What the account must own of `asset`, from its trades."""
        total = FUNDS.get(asset, ZERO) + self.credited[account, asset]
        for trade in self.world.trades(account, limit=10**9):
            base, quote = trade.symbol.split("/")
            sign = 1 if trade.side == "buy" else -1
            if asset == base:
                total += sign * trade.quantity
            if asset == quote:
                total -= sign * trade.quantity * trade.price
            if asset == trade.fee_asset:
                total -= trade.fee
        return total

    def needed(self, account: str, asset: str) -> Decimal:
        """What open orders must hold of `asset`: each list once."""
        total, lists = ZERO, set()
        for order in self.world.open_orders(account):
            market = self.world.markets[order.symbol]
            if asset != (market.quote if order.side == "buy" else market.base):
                continue
            if order.list_id is not None:
                if order.list_id in lists:
                    continue
                lists.add(order.list_id)
            total += max(self._needs(one, market) for one in self._together(order))
        return total

    def _needs(self, order: SimOrder, market: Market) -> Decimal:
        if order.side == "sell":
            return order.left
        price = order.trigger if order.type == "stop" else order.price
        return market.needed((price or ZERO) * order.left)

    def _together(self, order: SimOrder) -> list[SimOrder]:
        orders = [order] if order.list_id is None else self.world.lists[order.list_id].orders
        return [one for one in orders if one.is_open]

    def check_orders(self, account: str) -> None:
        for order in self.world.orders(account):
            assert sum((trade.quantity for trade in order.trades), ZERO) == order.filled <= order.quantity
            assert (order.status == "filled") == (order.filled == order.quantity)
            assert (order.status == "partial") <= (order.filled > 0)
            assert order.is_open == (order in self.world.open_orders(account))
        ids = [trade.id for symbol in SYMBOLS for trade in self.world.trades(account, symbol)]
        assert len({(trade.symbol, trade.id) for trade in self.world.trades(account)}) == len(ids)


@given(strategies.lists(commands, max_size=40), strategies.sampled_from(("received", "quote")))
def test_no_money_is_made_or_lost_and_none_is_held_without_an_order(
    asked: list[tuple[object, ...]], fee_in: FeeIn
) -> None:
    law = Law(fee_in)
    for command in asked:
        law.obey(command)
        law.check()


@given(strategies.lists(commands, max_size=40))
def test_the_same_commands_lead_to_the_same_world(asked: list[tuple[object, ...]]) -> None:
    first, second = Law("received"), Law("received")
    for command in asked:
        first.obey(command)
        second.obey(command)
    assert first.picture() == second.picture()
