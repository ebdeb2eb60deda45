"""What a person may ask of a running DCA bot: to finish, to close, to keep, to add; and another configuration."""

from autogrid.trading.money import Amount, text
from autogrid.trading.strategies.dca.accumulate import fits
from autogrid.trading.strategies.dca.close import gathered, left
from autogrid.trading.strategies.dca.config import DcaSettings
from autogrid.trading.strategies.dca.exit import (
    Terms,
    profit_price,
    sellable,
    shared_out,
    stop_price,
)
from autogrid.trading.strategies.dca.memory import DcaMemory, Purchase, settled
from autogrid.trading.strategies.dca.schedule import next_anchor
from autogrid.trading.strategies.strategy import UnableToAct, UnableToEdit, View


def acted(terms: Terms, memory: DcaMemory, action: str, amount: Amount | None, view: View) -> DcaMemory:
    """The memory once the user wants `action`. Raises `UnableToAct`."""
    if view.price <= 0 or memory.stage == "new":
        raise UnableToAct("the bot has not seen a price yet; ask again once it runs")
    if memory.stage == "ended" or (memory.stage == "exiting" and memory.finishing):
        raise UnableToAct(f"the bot is ending already: {memory.why}")
    if action == "keep":
        return gathered(memory)._replace(stage="ended", why="stopped as asked, the coins are kept", finishing=True)
    if action == "finish":
        return _finished(terms, memory)
    if action == "close":
        return _closed(terms, memory, view)
    if action == "add":
        return _added(terms, memory, amount, view)
    raise UnableToAct(f"dca knows no action '{action}'; it knows finish, close, keep and add")


def _finished(terms: Terms, memory: DcaMemory) -> DcaMemory:
    if memory.stage == "exiting":
        return memory._replace(finishing=True)
    if terms.settings.mode == "deal":
        if memory.deal is None:
            return memory._replace(stage="exiting", why="finished as asked, no deal was running", finishing=True)
        return memory._replace(finishing=True)
    if not terms.settings.goals:
        raise UnableToAct(
            "there is no take-profit to finish at; use keep to stop with the coins, or close to sell them"
        )
    if not sellable(memory.position, terms.market) and memory.purchase is None:
        return memory._replace(stage="exiting", why="finished as asked", finishing=True)
    return memory._replace(finishing=True)


def _closed(terms: Terms, memory: DcaMemory, view: View) -> DcaMemory:
    if memory.stage == "exiting":
        raise UnableToAct(f"all is being sold already: {memory.why}")
    if memory.stage == "waiting" or (memory.deal is None and not sellable(memory.position, view.market)):
        raise UnableToAct("there is nothing to sell now; close works while coins are held")
    return left(terms, memory, view, "closed as asked")


def _added(terms: Terms, memory: DcaMemory, amount: Amount | None, view: View) -> DcaMemory:
    market, price = view.market, view.price
    if amount is None or amount <= 0:
        raise UnableToAct("add needs an amount above 0, in quote")
    if memory.stage != "running":
        raise UnableToAct("a manual safety order needs a deal that runs; wait until the base order is filled")
    if memory.purchase is not None:
        raise UnableToAct("a purchase is under way; ask again when it is done")
    quantity = market.quantity(amount / price)
    breach = market.breach(price, quantity, market=True)
    if breach is not None:
        raise UnableToAct(f"a purchase of {text(amount)} {market.quote} cannot be made: {breach}")
    needed, free = market.needed(quantity * price), view.ledger.free_quote
    if needed > free:
        raise UnableToAct(f"it needs {text(needed)} {market.quote}, free of orders are {text(free)}; take less")
    deal = memory.deal
    if deal is None:
        if not fits(terms, memory, amount):
            raise UnableToAct(
                f"the budget has no room: {text(memory.spent)} {market.quote} are spent; raise budget first"
            )
        number = memory.buys + 1
        purchase = Purchase(f"buy-{number}", "add", quantity, price, "asked for by hand", decided_ms=view.at_ms)
        return memory._replace(buys=number, purchase=purchase)
    manual = deal.manual + 1
    slot = f"{memory.number}-add{manual}"
    purchase = Purchase(slot, "add", quantity, price, "asked for by hand", decided_ms=view.at_ms)
    return memory._replace(deal=deal._replace(manual=manual), purchase=purchase)


def refitted(old: DcaSettings, terms: Terms, memory: DcaMemory, view: View) -> DcaMemory:
    """The memory under the settings of `terms`. Raises `UnableToEdit`.

    Sizes and ladder count from the next deal on; take-profit, trailing and stop at once, unless they would sell now.
    """
    new, market, price = terms.settings, terms.market, view.price
    if new.mode != old.mode:
        raise UnableToEdit("mode cannot be changed while the bot runs; stop it and create a new bot")
    if (new.timeframe_ms, new.rsi_period) != (old.timeframe_ms, old.rsi_period):
        raise UnableToEdit("the RSI, its period and timeframe cannot be changed while the bot runs; create a new bot")
    if memory.stage == "waiting":
        ready_ms = view.at_ms if memory.held else memory.ready_ms
        return memory._replace(from_above=None, called=None, held="", short=False, ready_ms=ready_ms)
    changed = (old.goals, old.gross, old.profit_from, old.trailing) != (
        new.goals,
        new.gross,
        new.profit_from,
        new.trailing,
    )
    position = memory.position
    if changed and memory.stage == "running":
        position = settled(position)._replace(peak=None, aims=position.aims if old.goals == new.goals else ())
        position = shared_out(terms, position, memory.deal)
        if new.goals and sellable(position, market) > 0:
            target = profit_price(terms, position, memory.deal, new.goals[0].profit)
            if price >= target:
                raise UnableToEdit(
                    f"the take-profit would be {text(target)}, not above the price: use close to sell now"
                )
    age_ms = 0 if memory.deal is None else view.at_ms - memory.deal.started_ms
    if new.timeout_ms is not None and new.timeout_ms != old.timeout_ms and age_ms >= new.timeout_ms:
        raise UnableToEdit("the deal that runs is older than that deal_timeout: use close to sell now")
    stop = stop_price(terms, position, memory.deal)
    if stop is not None and price <= stop and stop != stop_price(terms._replace(settings=old), position, memory.deal):
        raise UnableToEdit(
            f"the stop-loss would be {text(stop)}, not below the price {text(price)}: use close to sell now"
        )
    memory = memory._replace(position=position)
    if new.schedule != old.schedule:
        anchor = None if new.schedule is None else next_anchor(new.schedule, view.at_ms)
        memory = memory._replace(next_ms=anchor)
    return memory._replace(high=max(memory.high, price)) if new.mode == "accumulate" else memory
