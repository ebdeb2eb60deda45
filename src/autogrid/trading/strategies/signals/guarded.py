"""Stops of entries at the exchange: beside the target where the exchange has an oco, alone where there is no target.

Where it has none, the stop holds the coins, and the target takes its place once the price is there, until the price is
half-way back to the entry.
"""

from autogrid.trading.market import Market
from autogrid.trading.money import Price, text
from autogrid.trading.order import Order
from autogrid.trading.plan import Target
from autogrid.trading.strategies.guard import (
    GRACE_MS,
    REFUSALS,
    aimed,
    alone,
    bounds_of,
    guards_of,
    is_plain,
    limit_of,
    sells_there,
    stepped,
    with_stop,
)
from autogrid.trading.strategies.signals.held import HeldEntry
from autogrid.trading.strategies.strategy import View


def trigger_of(entry: HeldEntry, market: Market) -> Price | None:
    """Where the entry's stop at the exchange lies; None where there is none."""
    if not entry.terms.at_exchange or entry.phase != "open" or not entry.stop or entry.guard.refusals >= REFUSALS:
        return None
    return max(entry.stop, stepped(entry.line, entry.stop, market)) if entry.line > entry.stop else entry.stop


def guarded(entry: HeldEntry, view: View, target: Target | None) -> list[Target]:
    """The target with its stop, or the one that is to rest of the two."""
    profits = [] if target is None else [target]
    trigger = trigger_of(entry, view.market)
    if trigger is None or trigger >= view.price:
        return profits
    limit = limit_of(trigger, entry.terms.slippage, view.market)
    if entry.rest < view.market.least_quantity(limit):
        return profits
    if target is not None and view.market.stops == "oco":
        return profits if is_plain(entry.guard, view, target) else [with_stop(target, trigger, limit)]
    if target is not None and target.price <= entry.guard.reach:
        return profits
    return [alone(f"{entry.number}-stop", trigger, limit, entry.rest)]


def guard_bounds(entry: HeldEntry, view: View, target: Target | None) -> tuple[list[Price], list[Price], int | None]:
    """Floors, roofs and the time between which the stop stays as it is."""
    if target is None or trigger_of(entry, view.market) is None:
        return [], [], None
    return bounds_of(entry.guard, view, [target], entry.price)


def target_watched(entry: HeldEntry, view: View) -> HeldEntry:
    """A look at the target, where the stop holds the coins."""
    if view.market.stops != "stop" or not entry.target or trigger_of(entry, view.market) is None:
        return entry
    guard = aimed(entry.guard, view, [entry.target], entry.price)
    return entry if guard is entry.guard else entry._replace(guard=guard)


def guards(entry: HeldEntry, view: View) -> list[Order]:
    """The entry's orders whose stops are known to rest at the exchange."""
    slots = (f"{entry.number}-target", f"{entry.number}-stop")
    return guards_of(view.standing[slot] for slot in slots if slot in view.standing)


def reached(entry: HeldEntry, view: View) -> HeldEntry:
    """An entry that leaves because its line is reached: the exchange is left to sell where its own stop does."""
    if not sells_there(guards(entry, view), entry.rest, view.price, view.market, reached=True):
        return entry
    return trusted(entry, view)


def trusted(entry: HeldEntry, view: View) -> HeldEntry:
    """With some time for the exchange to sell."""
    return entry._replace(guard=entry.guard._replace(trusted_ms=view.at_ms + GRACE_MS))


def still_trusted(entry: HeldEntry, view: View) -> HeldEntry:
    """A look at an entry that the exchange is left to sell: after some time, or below its limit, it is no more."""
    sells = sells_there(guards(entry, view), entry.rest, view.price, view.market)
    if sells and view.at_ms < entry.guard.trusted_ms:
        return entry
    return entry._replace(guard=entry.guard._replace(trusted_ms=0))


def stop_words(order: Order) -> str:
    """Why an entry leaves whose stop at the exchange sold."""
    assert order.trigger is not None, "only an order with a trigger sells by its stop"
    return f"stop {text(order.trigger)} reached, sold by the exchange"
