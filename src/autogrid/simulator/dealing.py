"""What becomes of orders once the world has taken them: they enter the book, fill, wait, are triggered, and end."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final, Literal

from autogrid.simulator.accounts import Account
from autogrid.simulator.checks import crosses
from autogrid.simulator.market_side import MarketSide
from autogrid.simulator.records import OrderNews, SimList, SimOrder, SimTrade, WalletNews, Wanted, WorldNews
from autogrid.trading.event import Expired, Filled, OrderEvent, Rejected
from autogrid.trading.market import ThirdAsset
from autogrid.trading.matching import MatchingRules
from autogrid.trading.money import ZERO, Price, Quantity
from autogrid.trading.order import Kind

KINDS: Final[dict[str, Kind]] = {"maker": "maker", "market": "market", "stop": "market"}
"""Of an order in the book, by its type; every other is a limit order."""
Ended = Literal["cancelled", "expired"]


class Dealing:
    """The life of orders on one market."""

    def __init__(
        self,
        side: MarketSide,
        rules: MatchingRules,
        clock_ms: Callable[[], int],
        lists: dict[int, SimList],
        tell: Callable[[WorldNews], None],
    ) -> None:
        self.side = side
        self._rules = rules
        self._clock_ms = clock_ms
        self._lists = lists
        self._tell = tell

    def take(self, owner: Account, wanted: Wanted, exchange_id: int, quantity: Quantity) -> SimOrder:
        """A new order of the account, told to nobody yet."""
        now = self._clock_ms()
        order = SimOrder(
            exchange_id=exchange_id,
            account=owner.name,
            symbol=wanted.symbol,
            client_id=wanted.client_id or f"sim{exchange_id:019d}",
            side=wanted.side,
            type=wanted.type,
            price=ZERO if wanted.type in ("market", "stop") else wanted.price or ZERO,
            quantity=quantity,
            quote_quantity=wanted.quote_quantity or ZERO,
            trigger=wanted.trigger,
            made_ms=now,
            changed_ms=now,
            waiting=wanted.type in ("stop", "stop_limit"),
        )
        owner.keep(order)
        return order

    def begin(self, owner: Account, order: SimOrder, weighed: Price) -> None:
        """An order that was checked takes its course; a waiting stop holds its funds, a buy's weighed at `weighed`."""
        self.tell_order(order, "new")
        if order.waiting:
            owner.hold(order, self.side.market, weighed)
        else:
            self._enter(owner, order)

    def begin_list(self, owner: Account, limit: SimOrder, stop: SimOrder, dearer: Price) -> None:
        """Both orders of a list that was checked; what a stop to buy needs beyond the limit order is held for it."""
        self.tell_order(limit, "new")
        self.tell_order(stop, "new")
        self._enter(owner, limit)
        market = self.side.market
        more = market.needed(dearer * limit.quantity) - market.needed(limit.price * limit.quantity)
        if more > 0 and limit.side == "buy":
            owner.wallet.hold(stop.key, market.quote, more)

    def fill_resting(self, owner: Account, most: Quantity | None) -> bool:
        """Fill what the present price touches; whether anything did."""
        book, price = owner.books.get(self.side.market.symbol), self.side.price
        if book is None or price is None:
            return False
        book.stand_at(price, self._clock_ms())
        fills = book.fills(most)
        for fill in fills:
            self._fill(owner, owner.orders[self.side.market.symbol, int(fill.order_id)], fill)
        return bool(fills)

    def trigger_stops(self, owner: Account) -> bool:
        """Bring the stops to life whose trigger the present price has reached; whether any was."""
        symbol, price = self.side.market.symbol, self.side.price
        assert price is not None
        waiting = [order for order in owner.open.values() if order.waiting and order.symbol == symbol]
        reached = [order for order in waiting if _reached(order, price)]
        for order in reached:
            if order.is_open:
                self._trigger(owner, order)
        return bool(reached)

    def end(self, owner: Account, order: SimOrder, status: Ended, why: str = "") -> None:
        """An open order ends without (further) trades; what it held is free."""
        owner.wallet.release(order.key)
        if not order.waiting:
            owner.book(self.side.market, self._rules).remove_order(order.exchange_id)
        self._close(owner, order, status, why)

    def other(self, order: SimOrder) -> SimOrder | None:
        """The open other order of its list."""
        if order.list_id is None:
            return None
        return next((one for one in self._lists[order.list_id].orders if one is not order and one.is_open), None)

    def tell_order(
        self,
        order: SimOrder,
        cause: Literal["new", "trade", "cancelled", "expired", "rejected", "triggered"],
        trade: SimTrade | None = None,
    ) -> None:
        """To every listener."""
        self._tell(OrderNews(order, cause, trade))

    def tell_wallet(self, owner: Account) -> None:
        """What changed of the assets that this market trades."""
        market = self.side.market
        third = (market.fee_in.asset,) if isinstance(market.fee_in, ThirdAsset) else ()
        for asset in (market.base, market.quote, *third):
            self.tell_asset(owner, asset)

    def tell_asset(self, owner: Account, asset: str) -> None:
        """What the account owns of `asset`, where that changed."""
        holding = owner.holding(asset)
        if owner.told.get(asset) != holding:
            owner.told[asset] = holding
            self._tell(WalletNews(owner.name, asset, holding, self._clock_ms()))

    def _enter(self, owner: Account, order: SimOrder) -> None:
        side, now = self.side, self._clock_ms()
        assert side.price is not None
        if order.type == "fok" and not self._whole(order, side.price):
            self._close(owner, order, "expired", "it could not trade whole at once")
            return
        book = owner.book(side.market, self._rules)
        book.stand_at(side.price, now)
        kind = KINDS.get(order.type, "limit")
        price = side.price if kind == "market" else order.price
        for event in book.enter_order(order.exchange_id, order.side, kind, price, order.quantity, side.depth):
            self._follow(owner, order, event)
        if order.type == "ioc" and order.is_open:
            self.end(owner, order, "expired", "what did not trade at once was cancelled")

    def _whole(self, order: SimOrder, price: Price) -> bool:
        enough = self.side.depth is None or self.side.depth >= order.quantity
        return enough and crosses(order.side, order.price, price)

    def _follow(self, owner: Account, order: SimOrder, event: OrderEvent) -> None:
        match event:
            case Filled():
                self._fill(owner, order, event)
            case Rejected():
                self._close(owner, order, "expired", event.reason)
            case Expired():
                self._close(owner, order, "expired", "the market was too thin for all of it")
            case _:
                raise AssertionError(f"the book answers {event} to a new order")

    def _fill(self, owner: Account, order: SimOrder, fill: Filled) -> None:
        market = self.side.market
        fee = fill.fee
        if fill.fee_asset not in (market.base, market.quote):
            fee = min(fee, owner.wallet.free.get(fill.fee_asset, ZERO))
            owner.wallet.add(fill.fee_asset, -fee)
        trade = SimTrade(
            self.side.next_trade_id(),
            order.exchange_id,
            owner.name,
            order.symbol,
            order.client_id,
            order.side,
            fill.price,
            fill.quantity,
            fee,
            fill.fee_asset,
            fill.maker,
            fill.at_ms,
        )
        order.filled += fill.quantity
        order.value += fill.price * fill.quantity
        order.status = "filled" if order.filled == order.quantity else "partial"
        order.changed_ms = fill.at_ms
        order.trades.append(trade)
        owner.trades.append(trade)
        if not order.is_open:
            del owner.open[order.key]
        self.tell_order(order, "trade", trade)
        other = self.other(order)
        if other is not None:
            self.end(owner, other, "expired", "the other order of its list traded")

    def _trigger(self, owner: Account, order: SimOrder) -> None:
        other = self.other(order)
        if other is not None:
            self.end(owner, other, "expired", "the other order of its list was triggered")
        owner.wallet.release(order.key)
        order.waiting = False
        order.changed_ms = order.triggered_ms = self._clock_ms()
        self.tell_order(order, "triggered")
        self._enter(owner, order)

    def _close(self, owner: Account, order: SimOrder, status: Ended, why: str) -> None:
        order.status, order.why, order.changed_ms = status, why, self._clock_ms()
        order.waiting = False
        del owner.open[order.key]
        self.tell_order(order, status)


def _reached(order: SimOrder, price: Decimal) -> bool:
    assert order.trigger is not None
    return price <= order.trigger if order.side == "sell" else price >= order.trigger
