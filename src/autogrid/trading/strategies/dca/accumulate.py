"""Accumulating: a purchase at each anchor of a schedule, and one on each further drop, until the budget is spent."""

from typing import Final

from autogrid.trading.ledger import Ledger
from autogrid.trading.money import ONE, Amount, Price, text
from autogrid.trading.strategies.dca.close import trailed
from autogrid.trading.strategies.dca.exit import Terms
from autogrid.trading.strategies.dca.memory import DcaMemory, Purchase, Purpose
from autogrid.trading.strategies.dca.schedule import last_anchor, next_anchor
from autogrid.trading.strategies.dca.sizing import budget, drop_amount, scheduled_amount
from autogrid.trading.strategies.strategy import View

MINUTE_MS: Final = 60_000


def accumulate_begun(terms: Terms, memory: DcaMemory, view: View) -> DcaMemory:
    """The first look: the schedule's first anchor, and a purchase at once where that is wanted."""
    settings = terms.settings
    memory = memory._replace(stage="running", number=1, high=view.price)
    if settings.schedule is None:
        return memory
    memory = memory._replace(next_ms=next_anchor(settings.schedule, view.at_ms))
    return _scheduled(terms, memory, view) if settings.first_now else memory


def accumulate_looked(terms: Terms, memory: DcaMemory, view: View, *, timed: bool) -> DcaMemory:
    """A look at the price and the time, in accumulate mode."""
    settings = terms.settings
    memory = trailed(terms, memory, view)
    if memory.stage != "running":
        return memory
    if view.traded and view.price > memory.high and follows_high(terms, memory):
        memory = memory._replace(high=view.price)
    if memory.purchase is not None or memory.finishing:
        return memory
    trigger = drop_price(terms, memory, view.ledger)
    if trigger is not None and view.traded and view.price <= trigger:
        amount = drop_amount(settings, terms.investment + memory.funds)
        why = f"{text(view.price)} is at or below {text(trigger)}, {text((settings.drop or ONE) * 100)} % down"
        memory = _bought(terms, memory, view, "drop", amount, why)
    if memory.purchase is not None:
        return memory
    due_ms = next_due_ms(terms, memory)
    if timed and due_ms is not None and settings.schedule is not None and view.at_ms >= due_ms:
        anchor = last_anchor(settings.schedule, view.at_ms)
        memory = memory._replace(next_ms=next_anchor(settings.schedule, view.at_ms))
        if settings.catch_up or view.at_ms - anchor < (view.candle_ms or MINUTE_MS):
            memory = _scheduled(terms, memory, view)
    return memory


def fits(terms: Terms, memory: DcaMemory, amount: Amount) -> bool:
    """Whether the budget has room for a purchase of `amount`."""
    return memory.spent + amount <= budget(terms.settings, terms.investment + memory.funds)


def next_due_ms(terms: Terms, memory: DcaMemory) -> int | None:
    """When the next scheduled purchase is due; None where there is none, or no room for it in the budget."""
    if memory.next_ms is None or memory.finishing:
        return None
    amount = scheduled_amount(terms.settings, terms.investment + memory.funds)
    return memory.next_ms if fits(terms, memory, amount) else None


def follows_high(terms: Terms, memory: DcaMemory) -> bool:
    """Whether the highest price since the last purchase is of use: not once the budget is spent."""
    settings = terms.settings
    if settings.drop is None or settings.reference != "high" or memory.finishing:
        return False
    return fits(terms, memory, drop_amount(settings, terms.investment + memory.funds))


def drop_price(terms: Terms, memory: DcaMemory, ledger: Ledger) -> Price | None:
    """The price at or below which a drop is bought; None where there is none, or no money for it."""
    settings, position = terms.settings, memory.position
    if settings.drop is None or memory.finishing:
        return None
    amount = drop_amount(settings, terms.investment + memory.funds)
    if not fits(terms, memory, amount) or terms.market.needed(amount) > ledger.free_quote:
        return None
    reference = memory.last_buy or memory.start_price or memory.high
    if settings.reference == "high":
        reference = memory.high
    elif settings.reference == "average" and memory.last_buy is not None and position.base > 0:
        reference = min(reference, position.pool.cost / position.pool.base)
    return terms.market.price_down(reference * (ONE - settings.drop))


def _scheduled(terms: Terms, memory: DcaMemory, view: View) -> DcaMemory:
    amount = scheduled_amount(terms.settings, terms.investment + memory.funds)
    schedule = terms.settings.schedule
    return _bought(terms, memory, view, "schedule", amount, schedule.words if schedule else "")


def _bought(terms: Terms, memory: DcaMemory, view: View, purpose: Purpose, amount: Amount, why: str) -> DcaMemory:
    """A purchase is wanted, if the budget, the money and the market's rules let it."""
    market, price = view.market, view.price
    if not fits(terms, memory, amount):
        return memory
    quantity = market.quantity(amount / price)
    breach = market.breach(price, quantity, market=True)
    needed, free = market.needed(quantity * price), view.ledger.free_quote
    if breach is None and needed > free:
        breach = f"it needs {text(needed)} {market.quote}, free are {text(free)}"
    if breach is not None:
        if purpose == "drop":
            memory = memory._replace(last_buy=price, high=price)
        return memory._replace(why=f"a purchase of {text(amount)} {market.quote} was left out: {breach}")
    number = memory.buys + 1
    purchase = Purchase(f"buy-{number}", purpose, quantity, price, why, decided_ms=view.at_ms)
    return memory._replace(buys=number, why="", purchase=purchase)
