"""The orders that a DCA bot wants to rest, and the prices and the time at which it wants something else."""

from decimal import Decimal
from typing import Final

from autogrid.trading.money import Price, text
from autogrid.trading.plan import Slot, Target, Wish
from autogrid.trading.strategies.dca.accumulate import drop_price, follows_high, next_due_ms
from autogrid.trading.strategies.dca.deal import resting_orders
from autogrid.trading.strategies.dca.exit import Terms, profit_price, sellable, stop_price, trailing_line
from autogrid.trading.strategies.dca.guarded import guard_bounds, guarded
from autogrid.trading.strategies.dca.memory import DcaMemory, Purchase
from autogrid.trading.strategies.dca.purchase import stale_ms
from autogrid.trading.strategies.guard import floor_of, guards_of, kept
from autogrid.trading.strategies.strategy import View

LEAST: Final = Decimal("1e-18")
"""No price is finer: a price above another is above it by at least this, on the tick or not."""


def wish(terms: Terms, memory: DcaMemory, view: View) -> Wish:
    """Everything that is wanted now."""
    if memory.stage == "ended":
        return Wish(ended=memory.why)
    if memory.stage == "exiting":
        return _exit(memory, view)
    if memory.stage == "waiting":
        return _wait(terms, memory, view)
    targets: dict[Slot, Target] = {}
    if memory.purchase is not None and not memory.purchase.wait_ms:
        target = _purchase(memory.purchase)
        targets[target.slot] = target
    profits = _take_profits(terms, memory, view)
    for target in (*_safety_orders(memory), *guarded(terms, memory, view, profits)):
        targets[target.slot] = target
    floors, roofs, until_ms = guard_bounds(terms, memory, view, profits)
    floor, roof, every = _prices(terms, memory, view, floors, roofs)
    return Wish(targets, floor, roof, _time(terms, memory, until_ms), every=every)


def _exit(memory: DcaMemory, view: View) -> Wish:
    guards = guards_of(view.standing.values()) if memory.guard.trusted_ms else []
    if guards:
        return Wish(
            {target.slot: target for target in kept(guards)}, floor=floor_of(guards), until_ms=memory.guard.trusted_ms
        )
    quantity = sellable(memory.position, view.market)
    if not quantity or (quantity < view.market.least_quantity(view.price) and not memory.selling):
        return Wish(ended=memory.why)
    if memory.exit_ms:
        return Wish(until_ms=memory.exit_ms)
    slot = f"{memory.number}-exit"
    target = Target(slot, "sell", view.price, quantity, "market", alone=True, exits=True, why=memory.why)
    return Wish({slot: target})


def _wait(terms: Terms, memory: DcaMemory, view: View) -> Wish:
    """Between deals nothing rests."""
    if view.at_ms < memory.ready_ms:
        return Wish(until_ms=memory.ready_ms)
    settings = terms.settings
    if memory.short or settings.start_when in ("rsi", "signal"):
        return Wish()
    if settings.start_when == "now" or memory.from_above is None:
        return Wish(until_ms=memory.ready_ms)
    return Wish(floor=settings.start_price) if memory.from_above else Wish(roof=settings.start_price)


def _purchase(purchase: Purchase) -> Target:
    rest = purchase.wanted - purchase.bought
    alone = purchase.purpose == "base"
    return Target(purchase.slot, "buy", purchase.price, rest, "market", alone=alone, why=purchase.why)


def _safety_orders(memory: DcaMemory) -> list[Target]:
    deal = memory.deal
    if deal is None:
        return []
    start = text(deal.start) if deal.start is not None else ""
    return [
        Target(
            f"{memory.number}-s{number}",
            "buy",
            order.price,
            order.quantity - order.bought,
            why=f"safety order {number} of {len(deal.orders)}, below the base order at {start}",
        )
        for number, order in resting_orders(deal)
    ]


def _take_profits(terms: Terms, memory: DcaMemory, view: View) -> list[Target]:
    settings, position = terms.settings, memory.position
    if settings.trailing is not None or not position.aims:
        return []
    found = []
    for index, (goal, aim) in enumerate(zip(settings.goals, position.aims, strict=True)):
        rest = aim.wanted - aim.sold
        if aim.done or rest <= 0:
            continue
        price = profit_price(terms, position, memory.deal, goal.profit)
        if not aim.sold and rest < view.market.least_quantity(price):
            continue
        why = f"take-profit of {text(goal.profit * 100)} % on what cost {text(position.pool.cost)} {view.market.quote}"
        found.append(Target(f"{memory.number}-t{index + 1}", "sell", price, rest, exits=True, why=why))
    return found


def _prices(
    terms: Terms, memory: DcaMemory, view: View, floors: list[Price], roofs: list[Price]
) -> tuple[Price | None, Price | None, bool]:
    """Floor, roof, and whether every turn of the price counts: only while it makes a new peak.

    `floors` and `roofs` are those of the stops at the exchange.
    """
    settings, position, price = terms.settings, memory.position, view.price
    stop = stop_price(terms, position, memory.deal)
    every = False
    peaks: list[Price] = []
    if settings.trailing is not None and position.base > 0 and position.aims:
        if position.peak is None:
            roofs.append(profit_price(terms, position, memory.deal, settings.goals[0].profit))
        else:
            floors.append(trailing_line(terms, position.peak))
            peaks.append(position.peak)
    if settings.drop is not None:
        trigger = drop_price(terms, memory, view.ledger) if memory.purchase is None else None
        if trigger is not None:
            floors.append(trigger)
        if follows_high(terms, memory):
            peaks.append(memory.high)
    for peak in peaks:
        if price >= peak:
            every = True
        else:
            roofs.append(peak + LEAST)
    known = [floor for floor in (stop, *floors) if floor is not None]
    return max(known, default=None), min(roofs, default=None), every


def _time(terms: Terms, memory: DcaMemory, until_ms: int | None) -> int | None:
    settings, deal = terms.settings, memory.deal
    times: list[int] = []
    if memory.purchase is not None and memory.purchase.wait_ms:
        times.append(memory.purchase.wait_ms)
    elif memory.purchase is not None and not memory.purchase.bought:
        times.append(stale_ms(memory.purchase))
    if deal is not None and settings.timeout_ms is not None:
        times.append(deal.started_ms + settings.timeout_ms)
    times += [due_ms for due_ms in (next_due_ms(terms, memory), until_ms) if due_ms is not None]
    return min(times, default=None)
