"""A market that is not there: which orders a price fills, at what price and fee, and what an exchange would refuse.

Rules (fixed, so that two implementations agree to the last digit): a resting limit order fills whole at its own price
when the price touches it (`touch`) or passes it by one tick (`through`), as maker; one that could trade when it
arrives fills at the market's price as taker, or is refused where it is post-only; a market order fills at the market's
price worsened by `slippage`, on the worse side of the tick, as taker, and inside a jump between two candles at the
jump's end. A stop sleeps until the price touches its trigger, and is then a limit order that arrives: it fills at the
market's price worsened by `slippage`, never below its limit, as taker, in a jump at the jump's end; where the price
lies below its limit it rests there. Of an oco, the side that trades first ends the other. `participation` caps what
fills within one candle at a share of its volume. Free funds are needed for every order, as at the exchange, so no
balance goes below zero.
"""

from bisect import insort
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from typing import Final, Literal, NamedTuple

from autogrid.trading.event import Accepted, Cancelled, Expired, Filled, OrderEvent, Rejected
from autogrid.trading.market import RECEIVED, Market, ThirdAsset
from autogrid.trading.money import ONE, UNIT, ZERO, Amount, Price, Quantity, Share
from autogrid.trading.order import Order
from autogrid.trading.plan import Cancel, Command, Place

NO_FUNDS: Final = "not enough free funds"


@dataclass(frozen=True, slots=True)
class MatchingRules:
    """How the simulated market behaves."""

    fill: Literal["touch", "through"] = "touch"
    slippage: Share = ZERO
    """How much worse than the market's price a market order fills."""
    participation: Share | None = None
    """Share of a candle's volume that may fill within it; None: all of an order."""


TOUCH: Final = MatchingRules()


class Resting:
    """An order in the book, with what has become of it."""

    __slots__ = ("charged", "due", "fills", "held", "left", "order", "price", "trigger")

    def __init__(self, order: Order) -> None:
        self.order = order
        self.price = order.price
        """At which it rests; of an oco whose stop is reached, that of its stop."""
        self.trigger = order.trigger
        """Of its stop, while that sleeps."""
        self.left: Quantity = order.quantity - order.filled
        self.held: Amount = ZERO
        """Quote that a buy holds for what is left of it."""
        self.due: Decimal = ZERO
        """Its fee so far, before it is rounded: in base, or in quote (also where a third asset pays it)."""
        self.charged: Amount = ZERO
        """Its fee so far, as taken."""
        self.fills = 0


class Point(NamedTuple):
    """A place on the path of a price: where the market stands."""

    at_ms: int
    price: Price
    in_jump: bool
    """Strictly between a candle's close and the next one's open, where nobody traded."""
    volume: Quantity | None
    """Base traded in the candle the point lies in, where known."""
    candle: int
    """Which candle; rises by one each."""


class Book:
    """One account's orders on one simulated market."""

    def __init__(self, market: Market, rules: MatchingRules, quote: Amount, base: Quantity) -> None:
        """`quote` and `base` are all that the account owns."""
        self.market = market
        self.rules = rules
        self.free_quote = quote
        self.free_base = base
        self.at = Point(0, ZERO, False, None, -1)
        self.allowance: Quantity | None = None
        """Base that may still fill within this candle; None: any."""
        self._margin = market.tick if rules.fill == "through" else ZERO
        self._orders: dict[str, Resting] = {}
        self._buys: list[tuple[Decimal, int, str]] = []
        """Price, minus age, id: the next to fill is the last."""
        self._sells: list[tuple[Decimal, int, str]] = []
        """Price, age, id: the next to fill is the first."""
        self._stops: list[tuple[Decimal, int, str]] = []
        """Trigger, minus age, id: the next to be reached is the last."""
        self.waiting: list[str] = []
        """Market orders, and stops that were reached, that wait for the end of a jump."""
        self._age = 0

    @property
    def floor(self) -> Price | None:
        """The price at or below which the first buy fills, or the first stop is reached."""
        stop = self._stops[-1][0] if self._stops else None
        if not self._buys:
            return stop
        price = self._buys[-1][0]
        price = price - self._margin if self._margin else price
        return price if stop is None or stop < price else stop

    @property
    def roof(self) -> Price | None:
        """The price at or above which the first sell fills."""
        if not self._sells:
            return None
        price = self._sells[0][0]
        return price + self._margin if self._margin else price

    def execute(self, command: Command) -> list[OrderEvent]:
        """What the exchange answers to `command` at the present price."""
        if isinstance(command, Place):
            return self._arrive(command.order)
        if not isinstance(command, Cancel):
            self.free_quote += command.amount
            return []
        if command.order_id not in self._orders:
            return []
        self._remove(command.order_id)
        return [Cancelled(self.at.at_ms, command.order_id)]

    def restore(self, order: Order) -> None:
        """Put `order` back as it was: it was accepted before, and its funds are part of what the account owns."""
        resting = Resting(order)
        resting.charged = order.fee_base + order.fee_quote
        if isinstance(self.market.fee_in, ThirdAsset):
            resting.charged = order.fee_value / self.market.fee_in.price
        traded = self._chargeable(order, order.filled, order.value)
        rates = (self.market.maker_fee, self.market.taker_fee)
        exact = (traded * rate for rate in rates if self._fee_of(traded * rate) == resting.charged)
        resting.due = next(exact, order.fee_base + order.fee_quote + order.fee_value)
        resting.fills = len(order.fill_ids)
        self._hold(resting)
        if order.trigger is not None and order.filled:
            resting.trigger = None
            resting.price = order.price if order.is_take_profit_only else order.least_price
        if order.kind == "market":
            self._orders[order.id] = resting
            self.waiting.append(order.id)
        else:
            self._rest(resting)

    def touched(self) -> Filled | None:
        """The next fill at the present price, if any: stops first, then the best price, equal prices by age."""
        price, buys, sells = self.at.price, self._buys, self._sells
        while self._stops and price <= self._stops[-1][0]:
            fill = self._reached(self._orders[self._stops[-1][2]])
            if fill is not None:
                return fill
        if buys and price <= (buys[-1][0] - self._margin if self._margin else buys[-1][0]):
            resting = self._orders[buys[-1][2]]
        elif sells and price >= (sells[0][0] + self._margin if self._margin else sells[0][0]):
            resting = self._orders[sells[0][2]]
        else:
            return None
        quantity = resting.left if self.allowance is None else self._allowed(resting.left)
        return self._trade(resting, resting.price, quantity, maker=True) if quantity else None

    def market_orders(self) -> list[OrderEvent]:
        """Fills of the market orders, and of the stops, that waited for the end of a jump."""
        waiting, self.waiting = self.waiting, []
        found: list[OrderEvent] = []
        for order_id in waiting:
            resting = self._orders.get(order_id)
            if resting is not None and resting.order.kind == "market":
                found += self._at_market(resting)
            elif resting is not None and (fill := self._as_limit(resting)) is not None:
                found.append(fill)
        return found

    def _reached(self, resting: Resting) -> Filled | None:
        """The stop of an order is awake: an oco's take-profit is gone."""
        self._unlist(resting)
        resting.trigger, resting.price = None, resting.order.least_price
        if self.at.in_jump:
            self.waiting.append(resting.order.id)
            return None
        return self._as_limit(resting)

    def _as_limit(self, resting: Resting) -> Filled | None:
        """A stop arrives as a limit order: what it trades at once; what is left of it rests."""
        price, limit = self.at.price, resting.price
        quantity = self._allowed(resting.left) if price >= limit else ZERO
        fill = None
        if quantity:
            worse = self.market.price_down(price * (ONE - self.rules.slippage)) if self.rules.slippage else price
            fill = self._trade(resting, max(limit, worse), quantity, maker=False)
        if resting.left:
            self._rest(resting)
        return fill

    def _arrive(self, order: Order) -> list[OrderEvent]:
        crosses = self.crosses(order)
        breach = self._breach(order, crosses=crosses)
        if breach is not None:
            return [Rejected(self.at.at_ms, order.id, breach)]
        if not crosses and order.kind != "market" and order.status != "intended":
            resting = Resting(order)
            self._hold(resting)
            self._rest(resting)
            return []
        answers = self.enter(order)
        if order.status == "intended":
            answers.insert(0, Accepted(self.at.at_ms, order.id))
        return answers

    def crosses(self, order: Order) -> bool:
        """Whether a limit order would trade at once at the present price."""
        if order.kind == "market" or order.trigger is not None:
            return False
        return order.price >= self.at.price if order.side == "buy" else order.price <= self.at.price

    def enter(self, order: Order) -> list[OrderEvent]:
        """What follows at once when `order` was accepted; what is left of it then rests."""
        resting = Resting(order)
        self._hold(resting)
        if order.kind == "market":
            self._orders[order.id] = resting
            if not self.at.in_jump:
                return self._at_market(resting)
            self.waiting.append(order.id)
            return []
        answers: list[OrderEvent] = []
        if self.crosses(order):
            self._orders[order.id] = resting
            quantity = self._allowed(resting.left)
            if quantity:
                answers.append(self._trade(resting, self.at.price, quantity, maker=False))
        if resting.left:
            self._rest(resting)
        return answers

    def _breach(self, order: Order, *, crosses: bool) -> str | None:
        """Why the exchange would refuse `order`."""
        market = self.market
        breach = market.breach(order.price, order.quantity, market=order.kind == "market")
        if breach is None and order.trigger is not None:
            breach = self._stop_breach(order, order.trigger)
        if breach is not None:
            return breach
        if market.max_orders is not None and len(self._orders) >= market.max_orders:
            return f"more than {market.max_orders} open orders"
        if crosses and order.kind == "maker":
            return "post-only order would trade at once"
        return None if self._affords(order) else NO_FUNDS

    def _stop_breach(self, order: Order, trigger: Price) -> str | None:
        """Why the exchange would refuse the stop of `order`."""
        market, price = self.market, self.at.price
        if market.stops == "none" or (market.stops == "stop" and order.kind == "oco") or order.side == "buy":
            return f"this market takes no {order.kind} to {order.side}"
        if trigger >= price:
            return f"the stop at {trigger} would be reached at once"
        if order.kind == "oco" and order.price <= price:
            return "the take-profit beside the stop would trade at once"
        return market.breach(trigger, order.quantity) or market.breach(order.least_price, order.quantity)

    def _at_market(self, resting: Resting) -> list[OrderEvent]:
        order = resting.order
        slippage = self.rules.slippage
        price = self.at.price
        if slippage and order.side == "buy":
            price = self.market.price_up(price * (ONE + slippage))
        elif slippage:
            price = self.market.price_down(price * (ONE - slippage))
        quantity = self._allowed(resting.left)
        dearer = (price - order.price) * quantity * (ONE + self.market.quote_fee)
        if order.side == "buy" and dearer > self.free_quote:
            quantity = ZERO
        found: list[OrderEvent] = []
        if quantity:
            found.append(self._trade(resting, price, quantity, maker=False))
        if resting.left and order.id in self._orders:
            self._remove(order.id)
            found.append(Expired(self.at.at_ms, order.id))
        return found

    def _rest(self, resting: Resting) -> None:
        order = resting.order
        self._age += 1
        self._orders[order.id] = resting
        if resting.trigger is not None:
            insort(self._stops, (resting.trigger, -self._age, order.id))
            if order.kind == "stop":
                return
        if order.side == "buy":
            insort(self._buys, (order.price, -self._age, order.id))
        else:
            insort(self._sells, (resting.price, self._age, order.id))

    def _remove(self, order_id: str) -> None:
        """Take an order out of the book and free what it held."""
        resting = self._orders.pop(order_id)
        self._free(resting)
        self._unlist(resting)

    def _unlist(self, resting: Resting) -> None:
        order = resting.order
        if order.trigger is not None:
            self._stops = [one for one in self._stops if one[2] != order.id]
        side, best = (self._buys, -1) if order.side == "buy" else (self._sells, 0)
        if side and side[best][2] == order.id:
            del side[best]
            return
        for index, (_, _, order_id) in enumerate(side):
            if order_id == order.id:
                del side[index]
                return

    def _trade(self, resting: Resting, price: Price, quantity: Quantity, *, maker: bool) -> Filled:
        order, market = resting.order, self.market
        value = price * quantity
        buys = order.side == "buy"
        in_base = buys and market.fee_in == RECEIVED
        rate = market.maker_fee if maker else market.taker_fee
        resting.due = resting.due + (quantity if in_base else value) * rate
        fee = self._fee_of(resting.due) - resting.charged
        resting.charged = resting.charged + fee
        resting.left = resting.left - quantity
        resting.fills += 1
        asset, fee_value = market.base if in_base else market.quote, ZERO
        if isinstance(market.fee_in, ThirdAsset):
            asset, fee_value = market.fee_in.asset, fee * market.fee_in.price
        quote_fee = fee if asset == market.quote else ZERO
        if buys:
            held = market.needed(order.price * resting.left) if resting.left else ZERO
            self.free_quote += resting.held - held - value - quote_fee
            self.free_base += quantity - fee if in_base else quantity
            resting.held = held
        else:
            self.free_quote += value - quote_fee
        if not resting.left:
            self._orders.pop(order.id, None)
            self._unlist(resting)
        elif resting.trigger is not None:  # the take-profit of an oco traded in part: its stop is gone
            resting.trigger = None
            self._stops = [one for one in self._stops if one[2] != order.id]
        if self.allowance is not None:
            self.allowance -= quantity
        return Filled(
            self.at.at_ms,
            order.id,
            f"{order.id}-{resting.fills}",
            price,
            quantity,
            fee,
            asset,
            fee_value,
            maker,
        )

    def _pays_base(self, order: Order) -> bool:
        return order.side == "buy" and self.market.fee_in == RECEIVED

    def _chargeable(self, order: Order, quantity: Quantity, value: Amount) -> Decimal:
        """What a fee is reckoned on."""
        return quantity if self._pays_base(order) else value

    def _fee_of(self, due: Decimal) -> Amount:
        """What is taken, in the asset that pays, for a fee of `due`; divided last, so that it is rounded once."""
        fee_in = self.market.fee_in
        exact = due / fee_in.price if isinstance(fee_in, ThirdAsset) else due
        return exact.quantize(UNIT, ROUND_UP)

    def _allowed(self, quantity: Quantity) -> Quantity:
        if self.allowance is None:
            return quantity
        return self.market.quantity(max(ZERO, min(quantity, self.allowance)))

    def _affords(self, order: Order) -> bool:
        if order.side == "sell":
            return order.quantity <= self.free_base
        return self.market.needed(order.price * order.quantity) <= self.free_quote

    def _hold(self, resting: Resting) -> None:
        """Take what is left of an order out of what is free."""
        if resting.order.side == "sell":
            self.free_base -= resting.left
        else:
            resting.held = self.market.needed(resting.price * resting.left)
            self.free_quote -= resting.held

    def _free(self, resting: Resting) -> None:
        """Give back what is left of an order."""
        if resting.order.side == "sell":
            self.free_base += resting.left
        else:
            self.free_quote += resting.held
