"""How much a signal buys: so much that its stop costs a fixed share of the bot's equity, within caps."""

from decimal import Decimal
from typing import Final, NamedTuple

from autogrid.trading.market import net_of
from autogrid.trading.money import ONE, ZERO, Price, Quantity, Share
from autogrid.trading.strategies.signals.held import Terms
from autogrid.trading.strategies.strategy import View

ROOM: Final = Decimal("0.995")
"""An entry takes no more of the money than this: the price may rise before it is filled."""


class Sized(NamedTuple):
    """What is to be bought, and what decided that."""

    quantity: Quantity
    """In base, on the lot; zero where it would be too small to be sold at the stop."""
    by: str
    """Such as `risk`: which rule gave the least."""


def by_risk(view: View, terms: Terms, risk: Share, most: Share) -> Sized:
    """The quantity that loses `risk` of the equity from the price to its stop, at most `most` of the equity.

    All positions together take at most the equity, and no more than the free quote, rounded down to the lot.
    """
    equity = view.ledger.equity(view.price)
    distance, stop = terms.distance(view.price), terms.stop_at(view.price, view.market)
    if not stop or equity <= 0:
        return Sized(ZERO, "risk")
    return capped(view, equity * risk / distance, "risk", stop, most)


def by_share(view: View, share: Share, stop: Price) -> Sized:
    """The quantity that is worth `share` of the equity, within the free quote; `stop`: zero where there is none."""
    equity = view.ledger.equity(view.price)
    return capped(view, max(ZERO, equity) * share / view.price, "size", stop, ONE)


def capped(view: View, wanted: Quantity, by: str, stop: Price, most: Share) -> Sized:
    """`wanted` base, at most what the caps leave, rounded down to the lot; `by` names who wanted it."""
    price, market, ledger = view.price, view.market, view.ledger
    equity = ledger.equity(price)
    rules = (
        (wanted, by),
        (equity * most / price, "max_position"),
        ((equity * ROOM - ledger.base * price) / price, "all of the equity"),
        (ledger.free_quote * ROOM / (price * (ONE + market.quote_fee)), "free quote"),
    )
    least, name = min(rules, key=lambda rule: rule[0])
    quantity = market.quantity(max(ZERO, least))
    if market.needed(quantity * price) > ledger.free_quote:
        quantity -= market.lot
    if market.max_quantity is not None and quantity > market.max_quantity:
        quantity, name = market.quantity(market.max_quantity), "the exchange's greatest order"
    sellable = market.quantity(max(ZERO, quantity) * net_of(market.most_base_fee))
    if quantity < market.least_quantity(price) or sellable < market.least_quantity(stop or price):
        return Sized(ZERO, name)
    return Sized(quantity, name)
