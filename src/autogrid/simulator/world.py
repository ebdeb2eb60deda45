"""The simulated world: markets, accounts, orders, trades. Synchronous, deterministic, without a clock or I/O.

All that a protocol does goes through one `World`. A refusal raises `UnableToTrade` and changes nothing; whatever
changes is told to the listeners at once, in order; a listener reads the records there and then, for they change later,
and never calls back into the world's commands. What fills, at which price and fee, are the rules of
`trading/matching.py`; stops and order lists are this room's own: a stop waits outside the book with its funds held, and
a list of two (OCO) holds the coins once, for its resting leg.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import count
from typing import Final

from autogrid.simulator.accounts import Account
from autogrid.simulator.checks import check_filters, check_trigger, crosses, quantity_of, reference_price
from autogrid.simulator.dealing import Dealing
from autogrid.simulator.market_side import MarketSide
from autogrid.simulator.records import (
    CreditNews,
    Holding,
    Key,
    Print,
    SimList,
    SimOrder,
    SimTrade,
    UnableToTrade,
    Wanted,
    WorldNews,
)
from autogrid.trading.candle import Candle
from autogrid.trading.market import Market
from autogrid.trading.matching import TOUCH, MatchingRules
from autogrid.trading.money import ZERO, Price, Quantity

NORMAL: Final = Decimal(1)
"""What a print trades where nobody says."""
Hear = Callable[[WorldNews], None]


class World:
    """Everything that an exchange knows, for a handful of markets and accounts."""

    def __init__(
        self,
        markets: Mapping[str, Market],
        clock_ms: Callable[[], int],
        rules: MatchingRules = TOUCH,
        *,
        client_ids_once: bool = False,
        ids_by_market: bool = False,
    ) -> None:
        """`clock_ms`: UTC ms. `client_ids_once`: a client id is never accepted twice, as on Bybit and MEXC; otherwise
        it is free again when its order is done, as on Binance. `ids_by_market`: each market numbers its orders from 1,
        so that orders on two of them have the same exchange id, as on Binance; otherwise no two have.
        """
        self._deals: dict[str, Dealing] = {}
        self._clock_ms = clock_ms
        self._rules = rules
        self._ids_once = client_ids_once
        self._accounts: dict[str, Account] = {}
        self._keys: dict[str, Key] = {}
        self._listeners: list[Hear] = []
        self._ids_by_market = ids_by_market
        self._new_ids: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(1))
        self._next_list = 1
        self.lists: dict[int, SimList] = {}
        """Order lists (OCO) by id, the done ones too."""
        for symbol, market in markets.items():
            self.set_market(symbol, market)

    # --- who and what there is

    @property
    def markets(self) -> dict[str, Market]:
        """By our symbol, such as BTC/USDT."""
        return {symbol: deal.side.market for symbol, deal in self._deals.items()}

    def now_ms(self) -> int:
        """UTC ms."""
        return self._clock_ms()

    def add_account(self, name: str, funds: Mapping[str, Decimal]) -> None:
        """An account that owns `funds`."""
        self._accounts[name] = Account(name, funds)

    def add_key(self, key: Key) -> None:
        """An API key; a second one of the same text replaces the first."""
        self._keys[key.key] = key

    def key_of(self, key_text: str) -> Key | None:
        """The API key of that text."""
        return self._keys.get(key_text)

    def accounts(self) -> list[str]:
        """Their names."""
        return list(self._accounts)

    def set_market(self, symbol: str, market: Market) -> None:
        """Other rules for a market, or a new market. Resting orders stay as they are."""
        if symbol in self._deals:
            self._deals[symbol].side.market = market
        else:
            side = MarketSide(market)
            self._deals[symbol] = Dealing(side, self._rules, self._clock_ms, self.lists, self._tell)
        for account in self._accounts.values():
            if symbol in account.books:
                account.books[symbol].market = market

    def listen(self, hear: Hear) -> Callable[[], None]:
        """Be told of everything that changes; the result, called, ends it."""
        self._listeners.append(hear)

        def stop() -> None:
            if hear in self._listeners:
                self._listeners.remove(hear)

        return stop

    # --- orders

    def place(self, account: str, wanted: Wanted) -> SimOrder:
        """The order as it stands after it arrived. Raises UnableToTrade, then nothing has changed."""
        owner, deal = self._owner(account), self._trading(wanted.symbol)
        price, quantity = self._weigh(owner, deal.side, wanted, 1)
        owner.check_funds(deal.side.market, wanted.side, price, quantity)
        order = deal.take(owner, wanted, self._new_id(wanted.symbol), quantity)
        deal.begin(owner, order, price)
        deal.tell_wallet(owner)
        return order

    def check(self, account: str, wanted: Wanted) -> None:
        """Refuse what `place` would refuse for other reasons than funds; nothing changes. Raises UnableToTrade."""
        self._weigh(self._owner(account), self._trading(wanted.symbol).side, wanted, 1)

    def place_list(
        self, account: str, limit: Wanted, stop: Wanted, list_client_id: str = ""
    ) -> tuple[SimOrder, SimOrder]:
        """Two orders of which one that trades, or is triggered, ends the other (OCO): a post-only limit order, and a
        stop on the other side of the market's price. The coins are held once. Raises UnableToTrade.
        """
        owner, deal = self._owner(account), self._trading(limit.symbol)
        twins = limit.symbol == stop.symbol and limit.side == stop.side and limit.quantity == stop.quantity
        if not twins or limit.type != "maker" or stop.type not in ("stop", "stop_limit"):
            raise UnableToTrade("bad-request", "a list is a post-only limit order and a stop for the same coins")
        price, quantity = self._weigh(owner, deal.side, limit, 2)
        stop_price, _ = self._weigh(owner, deal.side, stop, 2)
        if limit.client_id and limit.client_id == stop.client_id:
            raise UnableToTrade("duplicate-client-id", f"both orders are called {stop.client_id}")
        dearer = max(price, stop_price)
        owner.check_funds(deal.side.market, limit.side, dearer, quantity)
        first = deal.take(owner, limit, self._new_id(limit.symbol), quantity)
        second = deal.take(owner, stop, self._new_id(stop.symbol), quantity)
        list_id, self._next_list = self._next_list, self._next_list + 1
        name = list_client_id or f"list{list_id:018d}"
        self.lists[list_id] = SimList(list_id, account, limit.symbol, name, self.now_ms(), [first, second])
        first.list_id = second.list_id = list_id
        deal.begin_list(owner, first, second, dearer)
        deal.tell_wallet(owner)
        return first, second

    def cancel(self, account: str, symbol: str, *, exchange_id: int | None = None, client_id: str = "") -> SimOrder:
        """The order, cancelled; with it the other order of its list. Raises UnableToTrade (`unknown-order`)."""
        owner, deal = self._owner(account), self._deal(symbol)
        order = self.find(account, symbol, exchange_id=exchange_id, client_id=client_id)
        if order is None or not order.is_open:
            raise UnableToTrade("unknown-order", f"no open order {exchange_id or client_id} of {symbol}")
        other = deal.other(order)
        deal.end(owner, order, "cancelled")
        if other is not None:
            deal.end(owner, other, "cancelled", "the other order of its list was cancelled")
        deal.tell_wallet(owner)
        return order

    def keep_rejected(self, account: str, wanted: Wanted, why: str) -> SimOrder:
        """Keep an order that was refused as one that existed (Bybit takes some and then cancels them)."""
        owner, deal = self._owner(account), self._deal(wanted.symbol)
        order = deal.take(owner, wanted, self._new_id(wanted.symbol), wanted.quantity or ZERO)
        del owner.open[order.key]
        order.status, order.why, order.waiting = "rejected", why, False
        deal.tell_order(order, "rejected")
        return order

    # --- what can be asked

    def find(
        self, account: str, symbol: str, *, exchange_id: int | None = None, client_id: str = ""
    ) -> SimOrder | None:
        """The order of that id, or the newest with that client id."""
        owner = self._owner(account)
        if exchange_id is not None:
            order = owner.orders.get((symbol, exchange_id))
            same = order is not None and client_id in ("", order.client_id)
            return order if same else None
        return owner.named(symbol, client_id)

    def open_orders(self, account: str, symbol: str | None = None) -> list[SimOrder]:
        """Oldest first."""
        found = self._owner(account).open.values()
        return [order for order in found if symbol is None or order.symbol == symbol]

    def orders(self, account: str, symbol: str | None = None) -> list[SimOrder]:
        """All there ever were, oldest first."""
        found = self._owner(account).orders.values()
        return [order for order in found if symbol is None or order.symbol == symbol]

    def trades(self, account: str, symbol: str | None = None, *, from_id: int = 0, limit: int = 1000) -> list[SimTrade]:
        """Of the account's orders, those with an id from `from_id` on, oldest first, at most `limit`."""
        found = self._owner(account).trades
        wanted = [one for one in found if (symbol is None or one.symbol == symbol) and one.id >= from_id]
        return wanted[:limit]

    def wallet(self, account: str) -> dict[str, Holding]:
        """What the account owns, by asset."""
        owner = self._owner(account)
        return {asset: owner.holding(asset) for asset in owner.wallet.free}

    def price(self, symbol: str) -> Price | None:
        """Of the last trade."""
        return self._deal(symbol).side.price

    def top(self, symbol: str) -> tuple[Price, Price]:
        """Best bid and ask: one tick below and above the last trade."""
        side = self._deal(symbol).side
        price = side.price or ZERO
        return max(ZERO, price - side.market.tick), price + side.market.tick

    def prints(self, symbol: str, limit: int = 500, from_id: int | None = None) -> list[Print]:
        """Public trades, oldest first: the newest `limit`, or the first `limit` from an id on."""
        found = list(self._deal(symbol).side.prints)
        if from_id is None:
            return found[-limit:] if limit else []
        return [one for one in found if one.id >= from_id][:limit]

    def candles(
        self, symbol: str, interval_ms: int, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[Candle]:
        """Oldest first, the last one unfinished: the first `limit` from `start_ms` on, else the newest `limit`."""
        return self._deal(symbol).side.candles(interval_ms, start_ms, end_ms, limit)

    def hand_history(self, symbol: str, candles: Sequence[Candle], interval_ms: int) -> None:
        """Closed candles from before the world began, oldest first."""
        self._deal(symbol).side.hand_history(candles, interval_ms)

    # --- what happens

    def credit(self, account: str, asset: str, amount: Decimal) -> None:
        """A deposit, or below zero a withdrawal. Raises UnableToTrade (`funds`)."""
        owner = self._owner(account)
        owner.wallet.add(asset, amount)
        self._tell(CreditNews(account, asset, amount, self.now_ms()))
        next(iter(self._deals.values())).tell_asset(owner, asset)

    def move(self, symbol: str, price: Price, quantity: Quantity = NORMAL, *, most: Quantity | None = None) -> None:
        """The market trades `quantity` at `price`: resting orders fill, of each account at most `most` base in all
        (None: any), stops are triggered. A halted market does not trade: then nothing happens.
        """
        deal = self._deal(symbol)
        if deal.side.halted:
            return
        self._tell(deal.side.print_at(price, quantity, self.now_ms()))
        for owner in self._accounts.values():
            filled = deal.fill_resting(owner, most)
            if deal.trigger_stops(owner) or filled:
                deal.tell_wallet(owner)

    def set_depth(self, symbol: str, depth: Quantity | None) -> None:
        """Base that one arriving order may trade at once; None: any. What is left of a market order expires."""
        self._deal(symbol).side.depth = depth

    def halt(self, symbol: str) -> None:
        """No orders are taken and nothing trades; cancels go on."""
        self._deal(symbol).side.halted = True

    def resume(self, symbol: str) -> None:
        """Trade again."""
        self._deal(symbol).side.halted = False

    def is_halted(self, symbol: str) -> bool:
        """Whether it does not trade."""
        return self._deal(symbol).side.halted

    # --- within

    def _weigh(self, owner: Account, side: MarketSide, wanted: Wanted, orders: int) -> tuple[Price, Quantity]:
        """At which price an order needs funds, and its quantity, once every rule but funds was checked."""
        if wanted.client_id:
            named = owner.named(wanted.symbol, wanted.client_id)
            if named is not None and (self._ids_once or named.is_open):
                raise UnableToTrade("duplicate-client-id", f"order {wanted.client_id} is there already")
        market, last = side.market, side.price
        assert last is not None
        price = reference_price(wanted, market, last, self._rules.slippage)
        quantity = quantity_of(wanted, market, price)
        check_filters(wanted, market, last if wanted.type == "market" else price, quantity, last)
        stands = sum(1 for order in owner.open.values() if order.symbol == wanted.symbol)
        if market.max_orders is not None and stands + orders > market.max_orders:
            raise UnableToTrade("max-orders", f"{market.max_orders} orders may be open")
        if wanted.type in ("stop", "stop_limit"):
            check_trigger(wanted, last)
        elif wanted.type == "maker" and crosses(wanted.side, price, last):
            raise UnableToTrade("would-trade", f"a post-only order at {price} would trade at once at {last}")
        return price, quantity

    def _new_id(self, symbol: str) -> int:
        return next(self._new_ids[symbol if self._ids_by_market else ""])

    def _owner(self, account: str) -> Account:
        return self._accounts[account]

    def _deal(self, symbol: str) -> Dealing:
        deal = self._deals.get(symbol)
        if deal is None:
            raise UnableToTrade("unknown-symbol", f"there is no market {symbol}")
        return deal

    def _trading(self, symbol: str) -> Dealing:
        deal = self._deal(symbol)
        if deal.side.halted or deal.side.price is None:
            raise UnableToTrade("halted", f"{symbol} does not trade")
        return deal

    def _tell(self, news: WorldNews) -> None:
        for hear in tuple(self._listeners):
            hear(news)
