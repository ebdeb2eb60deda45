"""Every order passes here before it is journalled and sent. A refusal is a value that names its rule and its numbers.

Always: the market's rules, the bot's own free funds, the price of what could trade at once, a silent feed, a pause, a
kill. With `breakers` also the windows of time that guard against a world that misbehaves: the rate of orders, the loss
within an hour, the drawdown ladder. Cancels always pass. An exit is held back by the market's rules alone.

The order rate is a sliding window kept in the state, so a restart does not clear it. Loss is measured on the bot's
own ledger at marks (the price, at most one a second), realised and unrealised together, against the best equity of
the last hour. That best is kept per minute; a minute counts until all of it has left the hour, so the rule trips at
most a minute early and never late.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from autogrid.trading.ledger import Ledger
from autogrid.trading.market import Market
from autogrid.trading.money import Amount, Price, Share, text
from autogrid.trading.order import Order
from autogrid.trading.plan import Place

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
LADDER: Final = ((DAY_MS, "day"), (7 * DAY_MS, "week"), (30 * DAY_MS, "month"))


@dataclass(frozen=True, slots=True)
class Limits:
    """The rules of one bot. Shares are fractions."""

    investment: Amount
    """What the loss rule measures by, in quote."""
    breakers: bool = True
    """Whether the windows of time are watched."""
    orders_a_minute: int = 50
    loss_an_hour: Share = Decimal("0.05")
    price_band: Share = Decimal("0.10")
    cooldown_ms: int = 300_000
    trial_orders: int = 3
    """New orders let through, half-open, before the breaker closes again."""
    ladder: tuple[Share, Share, Share] | None = None
    """Fall from the best equity of a day, a week, a month at which the bot pauses, such as 0.04, 0.10, 0.20."""


class Refused(NamedTuple):
    """An order that was not placed: which, by what rule, with which numbers."""

    slot: str
    rule: str
    why: str


class Trip(NamedTuple):
    """The breaker opened."""

    at_ms: int
    rule: str
    why: str


class Mark(NamedTuple):
    """The best equity of one minute."""

    minute: int
    equity: Amount


class RiskState(NamedTuple):
    """What the rules remember."""

    trip: Trip | None = None
    """Open or half-open since then; None: closed."""
    trials: int = 0
    """Orders let through since it is half-open."""
    placed_at: tuple[int, ...] = ()
    """Times of counted orders in the last minute."""
    throttled_since: int | None = None
    """When an order was first held back by the rate, with never a whole minute without another since."""
    marks: tuple[Mark, ...] = ()
    """Falling best equities, oldest first: a later mark that is higher replaces the lower ones before it."""
    marked_at: int | None = None
    equity: Amount | None = None
    """Profit at the last mark, in quote: what the marks are made of."""
    days: tuple[Mark, ...] = ()
    """As `marks`, a day each, for the ladder."""
    throttled_at: int | None = None
    """When an order was last held back by the rate: what gets through in between is no end of it."""


CALM: Final = RiskState()


class Holds(NamedTuple):
    """What else holds orders back at this moment."""

    killed: bool
    paused: bool
    silent: bool


FREE: Final = Holds(killed=False, paused=False, silent=False)


def review(  # noqa: PLR0913, PLR0917
    limits: Limits,
    risk: RiskState,
    places: Iterable[Place],
    ledger: Ledger,
    open_orders: int,
    market: Market,
    price: Price,
    at_ms: int,
    holds: Holds,
) -> tuple[list[Place], tuple[Refused, ...], RiskState, Ledger]:
    """Divide `places` into those that may go and those that may not.

    Given with them: what the rules remember now, and the ledger with what the orders that may go will hold. `price` is
    the market's, `ledger` as it is before the orders, `open_orders` how many stand.
    """
    approved: list[Place] = []
    refused: list[Refused] = []
    free_quote, free_base = ledger.free_quote, ledger.free_base
    for place in places:
        order = place.order
        buys = order.side == "buy"
        no = None if holds is FREE else _held(place, holds)
        if no is None:
            no = _market(order, market, price, open_orders + len(approved), limits, place.exits)
        needs = market.needed(order.price * order.quantity) if buys else order.quantity
        free = free_quote if buys else free_base
        if not no and needs > free:
            no = ("funds", f"needs {text(needs)}, free are {text(free)}")
        if not no and limits.breakers and not place.exits:
            no, risk = _windows(limits, risk, place, at_ms)
        if no:
            refused.append(Refused(order.slot, *no))
            continue
        approved.append(place)
        if buys:
            free_quote -= needs
        else:
            free_base -= needs
    quote, base = ledger.quote, ledger.base
    ledger = Ledger(quote, base, quote - free_quote, base - free_base, *ledger[4:])
    return approved, tuple(refused), risk, ledger


def _held(place: Place, holds: Holds) -> tuple[str, str] | None:
    if holds.killed:
        return "kill-switch", "the kill switch is on; lift it to go on"
    if place.exits:
        return None
    if holds.paused:
        return "paused", "the bot is paused"
    if holds.silent:
        return "stale", "no price or heartbeat for 30 s"
    return None


def _market(
    order: Order, market: Market, price: Price, resting: int, limits: Limits, exits: bool
) -> tuple[str, str] | None:
    breach = market.breach(order.price, order.quantity, market=order.kind == "market")
    if breach is None and order.trigger is not None:
        breach = market.breach(order.least_price, order.quantity) or market.breach(order.trigger, order.quantity)
    if breach:
        return "market", breach
    if order.trigger is not None and order.trigger >= price:
        return "price", f"a stop at {text(order.trigger)} is not below the price {text(price)}"
    if market.max_orders is not None and resting >= market.max_orders:
        return "market", f"the exchange allows {market.max_orders} open orders"
    if exits or order.kind == "market":
        return None
    if order.side == "buy":
        if order.price > price and order.price > price * (1 + limits.price_band):
            return (
                "price",
                f"buy at {text(order.price)} is over {text(limits.price_band)} above {text(price)}",
            )
    elif order.price < price and order.price < price * (1 - limits.price_band):
        return "price", f"sell at {text(order.price)} is over {text(limits.price_band)} below {text(price)}"
    return None


def _windows(limits: Limits, risk: RiskState, place: Place, at_ms: int) -> tuple[tuple[str, str] | None, RiskState]:
    if risk.trip and place.order.side == "buy":
        if at_ms < risk.trip.at_ms + limits.cooldown_ms:
            return ("breaker", f"{risk.trip.rule}: {risk.trip.why}"), risk
        if risk.trials >= limits.trial_orders:
            return ("breaker", f"half-open: {limits.trial_orders} orders are on trial"), risk
        risk = risk._replace(trials=risk.trials + 1)
    if place.initial:
        return None, risk
    recent = tuple(at for at in risk.placed_at if at > at_ms - MINUTE_MS)
    if len(recent) < limits.orders_a_minute:
        return None, risk._replace(placed_at=(*recent, at_ms))
    since, last = risk.throttled_since, risk.throttled_at
    if since is None or last is None or at_ms - last > MINUTE_MS:
        since = at_ms
    why = f"{len(recent)} new orders within 60 s, allowed are {limits.orders_a_minute}"
    risk = risk._replace(placed_at=recent, throttled_since=since, throttled_at=at_ms)
    if at_ms - since >= MINUTE_MS and not risk.trip:
        risk = risk._replace(trip=Trip(at_ms, "order rate", why), trials=0, throttled_since=None)
    return ("order rate", why), risk


def watch(limits: Limits, risk: RiskState, ledger: Ledger, price: Price, at_ms: int) -> RiskState:
    """What the rules remember after a mark at `price`; the same object within a second of the last mark."""
    if risk.marked_at is not None and at_ms < risk.marked_at + 1_000:
        return risk
    equity = ledger.profit(price)
    risk = _cooled(limits, risk, at_ms)
    marks = marked(risk.marks, Mark(at_ms // MINUTE_MS, equity), HOUR_MS // MINUTE_MS)
    days = marked(risk.days, Mark(at_ms // DAY_MS, equity), 30) if limits.ladder else risk.days
    risk = risk._replace(marks=marks, days=days, marked_at=at_ms, equity=equity)
    if risk.trip:
        return risk
    fall = marks[0].equity - equity
    most = limits.loss_an_hour * limits.investment
    if fall >= most and fall > 0:
        why = f"lost {text(fall)} within 60 min, allowed are {text(most)}"
        return risk._replace(trip=Trip(at_ms, "loss", why), trials=0, marks=(Mark(at_ms // MINUTE_MS, equity),))
    return risk


def _cooled(limits: Limits, risk: RiskState, at_ms: int) -> RiskState:
    """Half-open becomes closed when its trial orders went out and a minute later nothing has tripped again."""
    if not risk.trip or risk.trials < limits.trial_orders:
        return risk
    if at_ms < risk.trip.at_ms + limits.cooldown_ms + MINUTE_MS:
        return risk
    return risk._replace(trip=None, trials=0)


def marked(marks: tuple[Mark, ...], mark: Mark, window: int) -> tuple[Mark, ...]:
    """`marks` with one more: those older than `window` units and the lower ones before it are gone.

    Of one unit only the best stays. The first of the result is the best of the whole window.
    """
    kept = tuple(old for old in marks if old.minute >= mark.minute - window and old.equity > mark.equity)
    return kept if kept and kept[-1].minute == mark.minute else (*kept, mark)


def fallen(limits: Limits, risk: RiskState, at_ms: int) -> Trip | None:
    """The step of the drawdown ladder that was reached, if any."""
    if not limits.ladder or not risk.days or risk.equity is None:
        return None
    today, now = at_ms // DAY_MS, risk.equity
    for (length_ms, name), most in zip(LADDER, limits.ladder, strict=True):
        best = max((mark.equity for mark in risk.days if mark.minute > today - length_ms // DAY_MS), default=now)
        peak = best + limits.investment
        if peak > 0 and (best - now) / peak >= most:
            return Trip(at_ms, f"drawdown {name}", f"{text(best - now)} below the best {text(peak)}")
    return None
