"""Stops that rest at the exchange: where they lie, how long the exchange is left to sell, what is said of them.

Rules: a stop at the exchange is a stop-limit order (alone, or one side of an oco), so a fall can jump over it. The bot
keeps its own watch on the price behind it: it takes the order out and sells at market when the price lies below the
limit, or when the order has not sold all some seconds after the stop was reached. What the bot cannot see resting, or
what does not cover the coins, it does not count on. A line that follows the price is moved at the exchange in steps; in
between the bot's own watch is exact.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from autogrid.trading.market import Market
from autogrid.trading.money import ONE, ZERO, Price, Quantity, Share, text
from autogrid.trading.order import Order
from autogrid.trading.plan import Target
from autogrid.trading.strategies.fields import Field
from autogrid.trading.strategies.strategy import View

GRACE_MS: Final = 10_000
"""So long the exchange has to sell by its stop, once that is reached."""
PART_MS: Final = 5_000
"""So long a take-profit that trades in part keeps its place in the book; then it gets a stop beside it again."""
REFUSALS: Final = 3
"""After so many refusals of its stops the bot watches the price itself."""
STEP: Final = Decimal("0.002")
"""Share by which a line must have risen for its stop at the exchange to follow."""
FINEST: Final = Decimal("1e-18")
"""No price is finer: a price below another is below it by at least this, on the tick or not."""

STOP_AT: Final = Field(
    "stop_at",
    "choice",
    "Stop at",
    "Stop em",
    "exchange: stops rest at the exchange where it has them, and hold while the computer is off; bot: only the bot "
    "watches the price",
    "exchange: stops ficam na corretora onde ela os oferece, e valem com o computador desligado; bot: só o robô vigia "
    "o preço",
    default="exchange",
    choices=("exchange", "bot"),
    group="exit",
)

MAX_SLIPPAGE: Final = Field(
    "max_slippage",
    "share",
    "Most slippage",
    "Derrapagem máxima",
    "how far below its trigger a stop at the exchange may sell; below that the bot sells at market, while it runs",
    "quão abaixo do gatilho um stop na corretora pode vender; abaixo disso o robô vende a mercado, enquanto roda",
    default="0.01",
    least=ZERO,
    most=Decimal("0.1"),
    group="exit",
)

SLEEPS: Final = (
    "The stop is not at the exchange: this bot watches the price and sells at market. While the computer sleeps or is "
    "off, there is no stop."
)
TOO_SMALL: Final = "What is bought first is too small for an order of its own at the stop's limit"


class Guard(NamedTuple):
    """What is remembered of the stops at the exchange."""

    trusted_ms: int = 0
    """A stop is reached, and the exchange is left to sell until then; 0: none is."""
    refusals: int = 0
    """How often in a row the exchange refused them."""
    part_ms: int = 0
    """A take-profit that traded in part keeps its place until then."""
    reach: Price = ZERO
    """Where the exchange has no oco: take-profits up to here rest in place of the stop; the others are watched."""

    def ended(self, order: Order) -> "Guard":
        """After the end of `order`: whether the exchange refused its stop, or took it out by itself, is counted."""
        if order.trigger is None:
            return self
        if order.status == "rejected" or (order.status == "expired" and not order.filled and not order.cancel_asked):
            return self._replace(refusals=self.refusals + 1)
        return self._replace(refusals=0) if order.status == "cancelled" else self


NO_GUARD: Final = Guard()


def limit_of(trigger: Price, slippage: Share, market: Market) -> Price:
    """The limit of a stop at `trigger`, down to the tick."""
    return max(market.tick, market.price_down(trigger * (ONE - slippage)))


def stepped(line: Price, scale: Price, market: Market) -> Price:
    """Where the stop of a rising `line` lies at the exchange: the last of the steps, measured by `scale`, up to it."""
    step = scale * STEP
    return market.price_down(line // step * step)


def guards_of(orders: Iterable[Order]) -> list[Order]:
    """Those of `orders` whose stops are known to rest at the exchange."""
    return [order for order in orders if order.trigger is not None and order.guards]


def sells_there(guards: list[Order], rest: Quantity, price: Price, market: Market, *, reached: bool = False) -> bool:
    """Whether the exchange can be left to sell the coins that are left by these stops.

    `reached`: only now the bot learns that the stop is reached, by the price; that must be true for the stops too.
    """
    if not guards or (reached and any(price > (order.trigger or ZERO) for order in guards)):
        return False
    least = max(order.least_price for order in guards)
    covered = sum((order.remaining for order in guards), ZERO)
    return price >= least and rest - covered < market.least_quantity(least)


def kept(guards: Iterable[Order]) -> list[Target]:
    """Targets that leave these orders as they are."""
    return [
        Target(
            order.slot,
            "sell",
            order.price,
            order.remaining,
            order.kind,
            exits=True,
            why="the exchange sells by its stop",
            trigger=order.trigger,
            stop_price=order.stop_price,
        )
        for order in guards
    ]


def floor_of(guards: Iterable[Order]) -> Price:
    """The highest price at which one of these stops sells nothing any more."""
    return max(order.least_price for order in guards) - FINEST


def with_stop(target: Target, trigger: Price, limit: Price) -> Target:
    """A take-profit with a stop beside it."""
    why = f"{target.why}; {words(trigger, limit)}"
    return target._replace(kind="oco", trigger=trigger, stop_price=limit, why=why)


def alone(slot: str, trigger: Price, limit: Price, quantity: Quantity) -> Target:
    """A stop by itself."""
    return Target(slot, "sell", limit, quantity, "stop", exits=True, why=words(trigger, limit), trigger=trigger)


def is_plain(guard: Guard, view: View, target: Target) -> bool:
    """Whether a take-profit rests without a stop beside it for now: it trades in part, or the price is there."""
    order = view.standing.get(target.slot)
    if order is not None and order.is_take_profit_only:
        return view.at_ms < guard.part_ms
    return view.price >= target.price and not _rests(view, target)


def _rests(view: View, target: Target) -> bool:
    """Whether the take-profit and its stop are out."""
    order = view.standing.get(target.slot)
    return order is not None and order.kind == "oco" and not order.cancel_asked


def half_way(cost: Price, take_profit: Price) -> Price:
    """Where a take-profit that was reached gives the coins back to the stop."""
    return (cost + take_profit) / 2


def bounds_of(
    guard: Guard, view: View, profits: Iterable[Target], cost: Price
) -> tuple[list[Price], list[Price], int | None]:
    """Floors, roofs and the time between which the stops beside the take-profits `profits` stay as they are.

    `cost`: per coin.
    """
    floors: list[Price] = []
    roofs: list[Price] = []
    if view.market.stops == "oco":
        for target in profits:
            if view.price >= target.price:
                floors.append(target.price - FINEST)
            elif not _rests(view, target):
                roofs.append(target.price)
        waits = any(_trades(view, target) for target in profits) and view.at_ms < guard.part_ms
        return floors, roofs, guard.part_ms if waits else None
    near = [target.price for target in profits if target.price <= guard.reach]
    far = [target.price for target in profits if target.price > guard.reach]
    if near:
        floors.append(half_way(cost, min(near)))
    if far:
        roofs.append(min(far))
    return floors, roofs, None


def _trades(view: View, target: Target) -> bool:
    order = view.standing.get(target.slot)
    return order is not None and order.is_take_profit_only


def aimed(guard: Guard, view: View, profits: list[Price], cost: Price) -> Guard:
    """After a look at take-profits that are watched because the stop holds the coins; the same object where nothing is
    new. `cost`: per coin.
    """
    near = [price for price in profits if price <= guard.reach]
    reached = max((price for price in profits if price <= view.price), default=ZERO)
    if reached > guard.reach and view.traded:
        return guard._replace(reach=reached)
    if near and view.price <= half_way(cost, min(near)):
        return guard._replace(reach=ZERO)
    return guard


def notices(guard: Guard) -> tuple[str, ...]:
    """What a person must know of the stops now."""
    if guard.refusals < REFUSALS:
        return ()
    words = f"the exchange refused the stop {REFUSALS} times: the bot watches the price itself"
    return (f"{words}, and while the computer sleeps or is off, there is no stop",)


def words(trigger: Price, limit: Price) -> str:
    """Where a stop lies, for a person."""
    return f"the stop rests at the exchange: at {text(trigger)} it sells, not below {text(limit)}"


class Example(NamedTuple):
    """A stop as it would lie for what is bought first."""

    quantity: Quantity
    trigger: Price


def told(market: Market, example: Example | None, *, at_exchange: bool, take_profits: bool, slippage: Share) -> str:
    """What a person must know of a stop before it is needed, in plain words."""
    if not at_exchange:
        return SLEEPS
    if example is not None and example.trigger > 0:
        least = market.least_quantity(limit_of(example.trigger, slippage, market))
        if example.quantity < least:
            return f"{TOO_SMALL} (the least is {text(least)} {market.base} at {text(example.trigger)}). {SLEEPS}"
    found = (
        "The stop rests at the exchange and holds while the computer sleeps or is off. It sells down to "
        f"{text(slippage * 100)} % below its trigger; a faster fall jumps over it, and then only a running bot sells. "
        "While an order is replaced, for a moment nothing rests."
    )
    if market.stops == "stop" and take_profits:
        found += (
            " This exchange lets either a stop or a take-profit hold the coins: the stop does. The take-profit is "
            "watched by the bot, and while the computer sleeps there is none; stop_at=bot turns that round."
        )
    return found
