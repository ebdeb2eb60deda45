"""How a position ends: sold at a take-profit or at market; what is gathered before it and what is booked after it."""

from typing import Final

from autogrid.trading.event import Filled
from autogrid.trading.ledger import paid_for, received_of
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, text
from autogrid.trading.order import Order, by_its_stop
from autogrid.trading.strategies.dca.exit import (
    Terms,
    after_aim,
    all_sold,
    profit_price,
    sellable,
    shared_out,
    trailing_line,
)
from autogrid.trading.strategies.dca.memory import DcaMemory, Position, Purchase, Stage, joined, settled, sold_at
from autogrid.trading.strategies.guard import GRACE_MS, NO_GUARD, PART_MS, guards_of, sells_there
from autogrid.trading.strategies.strategy import View

SOON_MS: Final = 1
"""Not at the very moment of the close: at the next price, as live."""

FIRST_WAIT_MS: Final = 1_000
LONGEST_WAIT_MS: Final = 60_000


def gathered(memory: DcaMemory) -> DcaMemory:
    """With all that purchases under way have brought in the position, and no more of them wanted."""
    position, purchase, deal = memory.position, memory.purchase, memory.deal
    if purchase is not None and purchase.bought:
        position = joined(position, purchase)
    if deal is not None:
        for order in deal.orders:
            if order.phase == "resting" and order.bought:
                position = joined(position, order)
        orders = tuple(one if one.phase == "done" else one._replace(phase="gone") for one in deal.orders)
        deal = deal._replace(orders=orders)
    return memory._replace(position=position, purchase=None, deal=deal)


def left(terms: Terms, memory: DcaMemory, view: View, why: str) -> DcaMemory:
    """All is to be sold at market now."""
    memory = gathered(memory)._replace(stage="exiting", why=why, exit_ms=0, exits=0)
    return exit_looked(terms, memory, view, timed=False)


def stopped(terms: Terms, memory: DcaMemory, view: View, why: str) -> DcaMemory:
    """A stop or a line is reached: the exchange sells where its own stop does, else all is sold at market now."""
    memory = gathered(memory)._replace(stage="exiting", why=why, exit_ms=0, exits=0)
    rest = sellable(memory.position, view.market)
    if sells_there(guards_of(view.standing.values()), rest, view.price, view.market, reached=True):
        return memory._replace(guard=memory.guard._replace(trusted_ms=view.at_ms + GRACE_MS))
    return exit_looked(terms, memory, view, timed=False)


def exit_looked(terms: Terms, memory: DcaMemory, view: View, *, timed: bool) -> DcaMemory:
    """While all is being sold: closed once nothing that could be ordered is left."""
    if memory.guard.trusted_ms:
        rest, guards = sellable(memory.position, view.market), guards_of(view.standing.values())
        if view.at_ms < memory.guard.trusted_ms and sells_there(guards, rest, view.price, view.market):
            return memory
        memory = memory._replace(guard=memory.guard._replace(trusted_ms=0))
    rest = sellable(memory.position, view.market)
    if not rest or (rest < view.market.least_quantity(view.price) and not memory.selling):
        return closed(terms, memory, view)
    if memory.exit_ms and timed and view.at_ms >= memory.exit_ms:
        return memory._replace(exit_ms=0)
    return memory


def closed(terms: Terms, memory: DcaMemory, view: View) -> DcaMemory:
    """The deal is over: its profit is booked, its dust stays for the next one."""
    settings, before = terms.settings, memory.position
    if memory.stage == "exiting" and memory.finishing and memory.deal is None and not before.gone:
        return memory
    position = settled(before)
    trades = memory.deal is not None or bool(before.gone or before.won)
    count = memory.closed + 1 if trades else memory.closed
    limit = settings.max_deals is not None and count >= settings.max_deals
    ends = memory.finishing or limit
    why = memory.why
    if not ends:
        why = ""
    elif memory.stage != "exiting":
        why = "finished as asked" if memory.finishing else f"all {settings.max_deals} deals are closed"
    elif limit and not memory.finishing:
        why = f"all {settings.max_deals} deals are closed, the last by {why}"
    goes_on: Stage = "waiting" if settings.mode == "deal" else "running"
    return memory._replace(
        stage="exiting" if ends else goes_on,
        why=why,
        position=Position(position.pool, position.gross, ZERO, ZERO, ZERO, (), None),
        deal=None,
        profit=memory.profit + position.won,
        closed=count,
        number=memory.number + (settings.mode == "accumulate" and trades),
        finishing=ends,
        ready_ms=view.at_ms + max(settings.cooldown_ms, SOON_MS),
        from_above=None,
        called=None,
        held="",
        short=False,
        exit_ms=0,
        exits=0,
        selling=False,
        guard=NO_GUARD,
    )


def after_sale(terms: Terms, memory: DcaMemory, order: Order, fill: Filled | None, view: View) -> DcaMemory:
    """After a fill, or the end, of a take-profit order or of the exit."""
    number, _, what = order.slot.partition("-")
    is_ours = number == str(memory.number) and memory.stage in ("running", "exiting")
    if fill is None:
        return _sale_ended(terms, memory, order, view) if is_ours else memory
    by_stop = by_its_stop(order, fill)
    if by_stop and is_ours and memory.stage == "running":
        memory = gathered(memory)._replace(stage="exiting", why=stop_words(memory, order), exit_ms=0, exits=0)
        memory = memory._replace(guard=memory.guard._replace(trusted_ms=view.at_ms + GRACE_MS))
    position = sold_at(memory.position, fill, view.market)
    if not is_ours or (memory.deal is None and terms.settings.mode == "deal" and memory.stage != "exiting"):
        position = settled(position)  # late, of a deal that is closed: what it earns is booked at once
        profit = memory.profit + position.won
        return memory._replace(position=position._replace(won=ZERO), profit=profit)
    if what == "exit" or by_stop:
        return memory._replace(position=position, exits=0, selling=order.is_open and order.remaining > 0)
    position = after_aim(position, int(what[1:]) - 1, fill.quantity)
    memory = memory._replace(position=position)
    if order.trigger is not None and order.is_open:
        memory = memory._replace(guard=memory.guard._replace(part_ms=view.at_ms + PART_MS))
    return _sold(terms, memory, view) if memory.stage == "running" and all_sold(position) else memory


def _sold(terms: Terms, memory: DcaMemory, view: View) -> DcaMemory:
    """Every take-profit is filled: coins of purchases that were still under way are sold too, or it is over."""
    deal = memory.deal
    if deal is not None and (memory.purchase is not None or any(one.bought for one in deal.orders)):
        memory = gathered(memory)
    if sellable(memory.position, view.market) < view.market.least_quantity(view.price):
        return closed(terms, memory, view)
    return memory._replace(position=shared_out(terms, settled(memory.position), memory.deal))


def stop_words(memory: DcaMemory, order: Order) -> str:
    """Why all is sold where the exchange did it by its stop."""
    assert order.trigger is not None, "only an order with a trigger sells by its stop"
    name = "stop-loss" if memory.position.peak is None else "trailing take-profit"
    return f"{name} at {text(order.trigger)}, sold by the exchange"


def _sale_ended(terms: Terms, memory: DcaMemory, order: Order, view: View) -> DcaMemory:
    """An order to sell ended before it was filled whole: a rest too small to order is let go."""
    what = order.slot.partition("-")[2]
    if order.trigger is not None:
        memory = memory._replace(guard=memory.guard.ended(order))
        if memory.stage == "exiting":
            return memory._replace(selling=False)
        if what == "stop":
            return memory
    if what == "exit":
        wait_ms = min(FIRST_WAIT_MS << min(memory.exits, 10), LONGEST_WAIT_MS)
        return memory._replace(exits=memory.exits + 1, exit_ms=view.at_ms + wait_ms, selling=False)
    position, index = memory.position, int(what[1:]) - 1
    if memory.stage != "running" or index >= len(position.aims):
        return memory
    aim = position.aims[index]
    if aim.done or not aim.sold or aim.wanted - aim.sold >= view.market.least_quantity(view.price):
        return memory
    aims = tuple(one._replace(done=True) if at == index else one for at, one in enumerate(position.aims))
    memory = memory._replace(position=position._replace(aims=aims))
    return _sold(terms, memory, view) if all_sold(memory.position) else memory


def strayed(terms: Terms, memory: DcaMemory, fill: Filled, market: Market) -> DcaMemory:
    """A buy's fill that came after its purchase was given up: its coins join the position."""
    late = Purchase("", "add", fill.quantity, fill.price, "")
    late = late._replace(
        bought=fill.quantity,
        received=received_of(fill, market),
        paid=paid_for(fill, market),
        value=fill.price * fill.quantity,
    )
    position = joined(memory.position, late)
    if memory.stage == "running" and (memory.deal is not None or terms.settings.mode == "accumulate"):
        position = shared_out(terms, position, memory.deal)
    elif memory.stage == "waiting" and sellable(position, market) >= market.least_quantity(fill.price):
        why = "bought after its deal was closed"
        return memory._replace(position=position, stage="exiting", why=why, exit_ms=0, exits=0)
    return memory._replace(position=position)


def trailed(terms: Terms, memory: DcaMemory, view: View) -> DcaMemory:
    """A look at the trailing take-profit: armed, its peak followed, or left."""
    settings, position, price = terms.settings, memory.position, view.price
    if settings.trailing is None or sellable(position, view.market) <= 0:
        return memory
    peak = position.peak
    if peak is None:
        target = profit_price(terms, position, memory.deal, settings.goals[0].profit)
        armed = view.traded and price >= target
        return memory._replace(position=position._replace(peak=price)) if armed else memory
    if price > peak:
        return memory._replace(position=position._replace(peak=price)) if view.traded else memory
    line = trailing_line(terms, peak)
    if price > line:
        return memory
    return stopped(terms, memory, view, f"trailing take-profit at {text(line)}, the peak was {text(peak)}")
