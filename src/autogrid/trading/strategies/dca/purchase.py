"""Purchases at market: decided, filled in parts, tried again, and what follows once one is done or has failed."""

from typing import Final

from autogrid.trading.event import Filled
from autogrid.trading.ledger import paid_for
from autogrid.trading.money import Price, text
from autogrid.trading.strategies.dca.close import closed
from autogrid.trading.strategies.dca.exit import Terms, profit_price, sellable, shared_out
from autogrid.trading.strategies.dca.memory import DcaMemory, Position, Purchase, SafetyOrder, bought_more, joined
from autogrid.trading.strategies.dca.schedule import next_anchor
from autogrid.trading.strategies.dca.sizing import Sizes, ladder_of
from autogrid.trading.strategies.strategy import View

TRIES: Final = 3
"""So often a purchase is tried; then what it brought is all."""
WAIT_MS: Final = 1_000
STALE_MS: Final = 60_000
"""A purchase that was held back so long is not sent at its old price."""
FAILED_MS: Final = 60_000
"""After a base order that could not be bought at all, the next deal waits so long."""


def after_purchase(terms: Terms, memory: DcaMemory, fill: Filled | None, view: View) -> DcaMemory:
    """After a fill, or the end, of the order of the purchase under way."""
    purchase = memory.purchase
    assert purchase is not None, "only the purchase under way is told of its order"
    if fill is not None:
        purchase = bought_more(purchase, fill, view.market)
        is_over = purchase.bought >= purchase.wanted
        spent = memory.spent + paid_for(fill, view.market)
        memory = memory._replace(purchase=None if is_over else purchase, spent=spent)
        return _over(terms, memory, purchase, view) if is_over else memory
    purchase = purchase._replace(tries=purchase.tries + 1, wait_ms=view.at_ms + WAIT_MS)
    rest = purchase.wanted - purchase.bought
    if purchase.tries >= TRIES or rest < view.market.least_quantity(view.price):
        return _over(terms, memory, purchase, view)
    return memory._replace(purchase=purchase)


def tried_again(terms: Terms, memory: DcaMemory, view: View, *, timed: bool) -> DcaMemory:
    """A look at a purchase that waits for its next try."""
    purchase = memory.purchase
    if purchase is None or not purchase.wait_ms or not timed or view.at_ms < purchase.wait_ms:
        return memory
    rest = purchase.wanted - purchase.bought
    if rest < view.market.least_quantity(view.price) or view.market.needed(rest * view.price) > view.ledger.free_quote:
        return _over(terms, memory, purchase, view)
    return memory._replace(purchase=purchase._replace(price=view.price, wait_ms=0))


def refreshed(terms: Terms, memory: DcaMemory, view: View, *, timed: bool) -> DcaMemory:
    """A look at a purchase that was held back for a minute (a pause, a breaker): its price and size are old.

    One that a schedule or a start at once wants is asked anew, in the same slot, so that it is never made twice; any
    other is dropped, and made again where its reason still holds.
    """
    purchase = memory.purchase
    if purchase is None or not timed or purchase.bought or purchase.tries or view.at_ms < stale_ms(purchase):
        return memory
    settings = terms.settings
    if purchase.purpose != "add" and view.ledger.held_quote:
        return memory  # its order is out: nothing else holds money while it is wanted
    if purchase.purpose == "schedule" and settings.schedule is not None:
        memory = memory._replace(next_ms=next_anchor(settings.schedule, view.at_ms))
    again = settings.catch_up if purchase.purpose == "schedule" else settings.start_when == "now"
    if purchase.purpose == "drop":
        return memory._replace(purchase=None)
    if not again or purchase.purpose not in ("schedule", "base"):
        return _failed(memory._replace(purchase=None), purchase, view)
    quantity = view.market.quantity(purchase.wanted * purchase.price / view.price)
    least, needed = view.market.least_quantity(view.price), view.market.needed(quantity * view.price)
    if quantity < least or needed > view.ledger.free_quote:
        return _failed(memory._replace(purchase=None), purchase, view)
    fresh = purchase._replace(wanted=quantity, price=view.price, decided_ms=view.at_ms)
    return memory._replace(purchase=fresh)


def stale_ms(purchase: Purchase) -> int:
    """When a purchase that has brought nothing was decided too long ago."""
    return purchase.decided_ms + STALE_MS


def _over(terms: Terms, memory: DcaMemory, purchase: Purchase, view: View) -> DcaMemory:
    """The purchase is done, as far as it could be."""
    if not purchase.bought:
        return _failed(memory._replace(purchase=None), purchase, view)
    price = purchase.value / purchase.bought
    position = joined(memory.position, purchase)
    if purchase.purpose == "base":
        return _opened(terms, memory, position, price, view)
    if terms.settings.mode == "accumulate":
        memory = memory._replace(last_buy=price, high=price)
    return memory._replace(purchase=None, position=shared_out(terms, position, memory.deal))


def _failed(memory: DcaMemory, purchase: Purchase, view: View) -> DcaMemory:
    """Nothing could be bought."""
    why = f"a purchase of {text(purchase.wanted)} {view.market.base} at {text(purchase.price)} could not be made"
    if purchase.purpose == "base" and memory.finishing:
        return memory._replace(stage="exiting", why="finished as asked", deal=None)
    if purchase.purpose == "base":
        return memory._replace(stage="waiting", why="", deal=None, held=why, ready_ms=view.at_ms + FAILED_MS)
    if purchase.purpose == "drop":
        memory = memory._replace(last_buy=purchase.price, high=purchase.price)
    return memory._replace(why=why)


def _opened(terms: Terms, memory: DcaMemory, position: Position, start: Price, view: View) -> DcaMemory:
    """The base order is filled at `start`: the ladder is drawn from there."""
    deal, market = memory.deal, view.market
    assert deal is not None, "a base order belongs to a deal"
    sizes = Sizes(deal.base_order, deal.safety_order)
    rungs = ladder_of(terms.settings, sizes, start, market)
    orders = tuple(SafetyOrder(rung.price, rung.quantity, "later") for rung in rungs)
    deal = deal._replace(start=start, orders=orders)
    position = shared_out(terms, position, deal)
    memory = memory._replace(stage="running", why="", deal=deal, position=position, purchase=None)
    target = profit_price(terms, position, deal, terms.settings.goals[0].profit)
    if sellable(position, market) < market.least_quantity(target):
        return closed(terms, memory, view)  # so little that it could not be sold: it stays for the next deal
    return memory
