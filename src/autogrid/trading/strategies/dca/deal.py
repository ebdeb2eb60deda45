"""The life of a deal: it waits for its start, buys its base order, follows its ladder down, and is left or sold.

waiting -> opening (base order) -> running (safety orders, take-profit) -> waiting, or exiting first (at market)
"""

from typing import Final

from autogrid.trading.event import Filled
from autogrid.trading.money import ZERO, Amount, text
from autogrid.trading.order import Order
from autogrid.trading.strategies.dca.close import left, stopped, strayed, trailed
from autogrid.trading.strategies.dca.exit import Terms, shared_out, stop_price
from autogrid.trading.strategies.dca.guarded import profits_watched
from autogrid.trading.strategies.dca.memory import DcaMemory, Deal, Purchase, SafetyOrder, filled_more, joined
from autogrid.trading.strategies.dca.sizing import check_steps, order_sizes
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.strategy import View

REFUSALS: Final = 3
"""A safety order that the exchange refuses so often, one time after the other, ends the ladder."""
HELD_MS: Final = 3_600_000
"""A deal that the market's rules do not allow at this price is looked at again after an hour."""


def deal_looked(terms: Terms, memory: DcaMemory, view: View, *, timed: bool) -> DcaMemory:
    """A look at the price and the time, in deal mode."""
    if memory.stage == "waiting":
        return _waited(terms, memory, view, timed=timed)
    deal = memory.deal
    if memory.stage != "running" or deal is None:
        return memory
    stop = stop_price(terms, memory.position, deal)
    if stop is not None and view.price <= stop:
        return stopped(terms, memory, view, f"stop-loss at {text(stop)}")
    timeout_ms = terms.settings.timeout_ms
    if timeout_ms is not None and timed and view.at_ms >= deal.started_ms + timeout_ms:
        return left(terms, memory, view, f"deal timeout after {timeout_ms // 1000} s")
    memory = profits_watched(terms, trailed(terms, memory, view), view)
    return _advanced(terms, memory, view) if memory.stage == "running" else memory


def _waited(terms: Terms, memory: DcaMemory, view: View, *, timed: bool) -> DcaMemory:
    """A look while no deal runs."""
    settings = terms.settings
    if memory.short:
        return memory
    if memory.called is not None:
        return _begun(terms, memory._replace(called=None), view._replace(price=memory.called))
    if view.at_ms < memory.ready_ms or not view.traded or not timed:
        return memory
    if settings.start_when == "now":
        return _begun(terms, memory, view)
    target = settings.start_price
    if settings.start_when != "price" or target is None:
        return memory
    if memory.from_above is None and view.price != target:
        return memory._replace(from_above=view.price > target)
    reached = view.price <= target if memory.from_above else view.price >= target
    return _begun(terms, memory, view) if reached or memory.from_above is None else memory


def _begun(terms: Terms, memory: DcaMemory, view: View) -> DcaMemory:
    """A deal starts with its base order, unless it cannot be paid or would break the market's rules."""
    market, price = view.market, view.price
    sizes = order_sizes(terms.settings, market, terms.investment + memory.funds, memory.profit)
    quantity = market.quantity(sizes.base_order / price)
    breach = market.breach(price, quantity, market=True)
    if breach is None:
        try:
            check_steps(terms.settings, market, price)
        except UnableToConfigure as refusal:
            breach = str(refusal)
    if breach is not None:
        return memory._replace(held=f"the next deal cannot start: {breach}", ready_ms=view.at_ms + HELD_MS)
    needed, free = market.needed(quantity * price), view.ledger.free_quote
    if needed > free:
        held = (
            f"the base order needs {text(needed)} {market.quote}, free are {text(free)}; "
            "put money in, or give a smaller base_order"
        )
        return memory._replace(held=held, short=True)
    number = memory.number + 1
    why = f"base order of deal {number}: {text(sizes.base_order)} {market.quote} at {text(price)}"
    return memory._replace(
        stage="opening",
        why="",
        held="",
        short=False,
        number=number,
        purchase=Purchase(f"{number}-base", "base", quantity, price, why, decided_ms=view.at_ms),
        deal=Deal(view.at_ms, sizes.base_order, sizes.safety_order, None, (), 0, ""),
    )


def _advanced(terms: Terms, memory: DcaMemory, view: View) -> DcaMemory:
    """The nearest safety orders that may rest are placed, as far as the money goes."""
    deal, market = memory.deal, view.market
    assert deal is not None, "a ladder belongs to a deal"
    phases = [order.phase for order in deal.orders]
    waiting = [index for index, phase in enumerate(phases) if phase == "later"]
    room = terms.settings.max_active - phases.count("resting")
    if not waiting or room <= 0:
        return memory
    free = view.ledger.quote - _promised(memory, view)
    orders = list(deal.orders)
    for index in waiting[:room]:
        order = orders[index]
        needed = market.needed(order.quantity * order.price)
        breach = market.breach(order.price, order.quantity)
        if breach is None and needed > free:
            breach = f"it needs {text(needed)} {market.quote}, free are {text(free)}"
        if breach is not None:
            cut = f"the ladder ends before safety order {index + 1}: {breach}"
            return memory._replace(deal=_ended(deal._replace(orders=tuple(orders)), cut))
        free -= needed
        orders[index] = order._replace(phase="resting")
    return memory._replace(deal=deal._replace(orders=tuple(orders)))


def _promised(memory: DcaMemory, view: View) -> Amount:
    """Quote that the safety orders that rest, and a purchase under way, still take."""
    deal, purchase, market = memory.deal, memory.purchase, view.market
    found = ZERO
    for order in deal.orders if deal is not None else ():
        if order.phase == "resting":
            found += market.needed((order.quantity - order.bought) * order.price)
    if purchase is not None:
        found += market.needed((purchase.wanted - purchase.bought) * purchase.price)
    return found


def _ended(deal: Deal, cut: str) -> Deal:
    """The deal's ladder ends with what rests now."""
    orders = tuple(one._replace(phase="gone") if one.phase == "later" else one for one in deal.orders)
    return deal._replace(orders=orders, cut=cut)


def after_safety_order(terms: Terms, memory: DcaMemory, order: Order, fill: Filled | None, view: View) -> DcaMemory:
    """After a fill, or the end, of a safety order."""
    number, _, what = order.slot.partition("-")
    deal, index = memory.deal, int(what[1:]) - 1
    if deal is None or number != str(memory.number) or deal.orders[index].phase != "resting":
        return memory if fill is None else strayed(terms, memory, fill, view.market)
    ours = deal.orders[index]
    if fill is not None:
        ours = filled_more(ours, fill, view.market)
    elif order.status == "rejected":
        ours = ours._replace(refusals=ours.refusals + 1)
    rest = ours.quantity - ours.bought
    if fill is not None:
        done = rest <= 0
    else:
        small = rest < view.market.least_quantity(order.price)
        done = bool(ours.bought) and (small or ours.refusals >= REFUSALS)
    if done:
        ours = ours._replace(phase="done")
    elif ours.refusals >= REFUSALS:
        ours = ours._replace(phase="gone")
    deal = deal._replace(orders=(*deal.orders[:index], ours, *deal.orders[index + 1 :]))
    if ours.refusals >= REFUSALS:
        deal = _ended(deal, f"the exchange refused safety order {index + 1} {REFUSALS} times: the ladder ends there")
    if not done:
        return memory._replace(deal=deal)
    return memory._replace(deal=deal, position=shared_out(terms, joined(memory.position, ours), deal))


def resting_orders(deal: Deal) -> list[tuple[int, SafetyOrder]]:
    """The safety orders that should rest now, with their numbers."""
    return [(number, order) for number, order in enumerate(deal.orders, 1) if order.phase == "resting"]
