"""Whether a strategy wants the same at every price between the bounds of its wish, where nobody asks it."""

from autogrid.testing.fault import Broken
from autogrid.trading.bot import Bot
from autogrid.trading.event import Tick
from autogrid.trading.money import text
from autogrid.trading.plan import Bounds, Target, Wish
from autogrid.trading.state import BotState
from autogrid.trading.strategies.strategy import View


def must_want_nothing_else(bot: Bot, state: BotState, tick: Tick) -> None:
    """Raises `Broken` where `tick`, which lies between the bounds, would change the memory or the targets."""
    bounds = bot.quiet(state)
    if state.price is None or state.ended_why or bounds is None or bounds.every or not _inside(bounds, tick):
        return
    strategy, memory = state.strategy, state.memory
    here = View(tick.at_ms, tick.price, bot.market, state.ledger, tick.traded, standing=state.standing)
    after = strategy.look(memory, here)
    said = f"its bounds are {_words(bounds)}, the price was {text(state.price)} and is {text(tick.price)}"
    if after != memory:
        raise Broken(f"{said}: look() learns something there; set floor, roof or until_ms where it does")
    view = View(state.at_ms, state.price, bot.market, state.ledger, standing=state.standing)
    before = strategy.targets(memory, view)
    wish = strategy.targets(after, here)
    if _wanted(before) != _wanted(wish):
        raise Broken(
            f"{said}: targets() wants something else there, and is not asked; set floor, roof or until_ms where it does"
        )


def _inside(bounds: Bounds, tick: Tick) -> bool:
    """As the bot decides whether to ask."""
    return (
        (bounds.floor is None or tick.price > bounds.floor)
        and (bounds.roof is None or tick.price < bounds.roof)
        and (bounds.until_ms is None or tick.at_ms < bounds.until_ms or not tick.traded)
    )


def _wanted(wish: Wish) -> tuple[object, ...]:
    """What would be placed; the price of a market order is only the one it is decided at, and so is its quantity."""
    return (wish.ended, *(_order(target) for _, target in sorted(wish.targets.items())))


def _order(target: Target) -> tuple[object, ...]:
    figures = () if target.kind == "market" else (target.price, target.quantity)
    return target.slot, target.side, target.kind, *figures


def _words(bounds: Bounds) -> str:
    low = "none" if bounds.floor is None else text(bounds.floor)
    high = "none" if bounds.roof is None else text(bounds.roof)
    return f"floor {low}, roof {high}"
