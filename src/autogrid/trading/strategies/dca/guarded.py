"""A DCA bot's stops at the exchange: which sells rest there, so that the coins of the position are covered.

With `oco` each take-profit has the stop beside it. With `stop` the stop holds the coins, and a take-profit takes its
place once the price is there (`reach`), until the price is half-way back to what the coins cost. Coins that no
take-profit covers, those of a half bought safety order too, have a stop of their own.
"""

from typing import Final

from autogrid.trading.money import ONE, ZERO, Price, Quantity
from autogrid.trading.plan import Target
from autogrid.trading.strategies.dca.exit import Terms, profit_price, sellable, stop_price, trailing_line
from autogrid.trading.strategies.dca.memory import DcaMemory
from autogrid.trading.strategies.guard import (
    REFUSALS,
    aimed,
    alone,
    bounds_of,
    is_plain,
    limit_of,
    stepped,
    with_stop,
)
from autogrid.trading.strategies.strategy import View

PARTS: Final = 4
"""The stop follows a safety order that is filled in parts by quarters, not by each fill."""


def trigger_of(terms: Terms, memory: DcaMemory) -> Price | None:
    """Where the stop at the exchange lies; None where there is none."""
    position = memory.position
    if not terms.at_exchange or memory.guard.refusals >= REFUSALS or memory.stage != "running" or position.base <= 0:
        return None
    stop = stop_price(terms, position, memory.deal)
    if terms.settings.trailing is not None and position.peak is not None and position.aims:
        scale = profit_price(terms, position, memory.deal, terms.settings.goals[0].profit)
        line = stepped(trailing_line(terms, position.peak), scale, terms.market)
        stop = line if stop is None else max(stop, line)
    return stop or None


def covered(terms: Terms, memory: DcaMemory) -> Quantity:
    """The coins that a stop covers: those of the position, and of safety orders that rest and are bought in part."""
    position, market = memory.position, terms.market
    base = position.base
    for order in memory.deal.orders if memory.deal is not None else ():
        if order.phase == "resting" and order.bought:
            part = order.bought * PARTS // order.quantity * order.quantity / PARTS
            base += min(order.received, part * (ONE - market.most_base_fee))
    return sellable(position._replace(pool=position.pool._replace(base=base + position.gone)), market)


def guarded(terms: Terms, memory: DcaMemory, view: View, profits: list[Target]) -> list[Target]:
    """The take-profits `profits` with their stops, and a stop for the coins that none of them covers."""
    trigger, market = trigger_of(terms, memory), view.market
    if trigger is None or trigger >= view.price:
        return profits
    limit = limit_of(trigger, terms.settings.max_slippage, market)
    least = market.least_quantity(limit)
    if market.stops == "oco":
        found = [
            target
            if target.quantity < least or is_plain(memory.guard, view, target)
            else with_stop(target, trigger, limit)
            for target in profits
        ]
    else:
        found = [target for target in profits if target.price <= memory.guard.reach]
    rest = covered(terms, memory) - sum((target.quantity for target in found), ZERO)
    if rest >= least:
        found.append(alone(f"{memory.number}-stop", trigger, limit, rest))
    return found


def guard_bounds(
    terms: Terms, memory: DcaMemory, view: View, profits: list[Target]
) -> tuple[list[Price], list[Price], int | None]:
    """Floors, roofs and the time between which the stops stay as they are."""
    if trigger_of(terms, memory) is None:
        return [], [], None
    return bounds_of(memory.guard, view, profits, _cost(memory))


def _cost(memory: DcaMemory) -> Price:
    """What a coin cost."""
    base, cost = memory.position.pool
    return cost / base


def profits_watched(terms: Terms, memory: DcaMemory, view: View) -> DcaMemory:
    """A look at the take-profits, where the stop holds the coins."""
    settings, position = terms.settings, memory.position
    if view.market.stops != "stop" or settings.trailing is not None or trigger_of(terms, memory) is None:
        return memory
    prices = [
        profit_price(terms, position, memory.deal, goal.profit)
        for goal, aim in zip(settings.goals, position.aims, strict=False)
        if not aim.done and aim.wanted > aim.sold
    ]
    guard = aimed(memory.guard, view, prices, _cost(memory))
    return memory if guard is memory.guard else memory._replace(guard=guard)
