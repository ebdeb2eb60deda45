"""The laws of what a strategy says of itself: every method is there, and what people see can be told at any time."""

from decimal import Decimal
from typing import Any, Final, get_args

from autogrid.testing.fault import Broken
from autogrid.testing.play import Case, How, play
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.strategy import AnyStrategy, Stage, Status, Strategy, Tally

NEEDED: Final = ("start", "look", "learn", "targets", "stop", "tally", "start_price")
"""The methods that every strategy writes itself."""
SELDOM: Final = 16
"""A memory in so many is asked, and the first and the last."""


def must_have_methods(strategy: AnyStrategy) -> None:
    """Raises `Broken` where a method is missing."""
    if not isinstance(strategy, Strategy):
        raise Broken(f"{type(strategy).__name__} is no Strategy; write class {type(strategy).__name__}(Strategy[…])")
    for name in NEEDED:
        if getattr(type(strategy), name) is getattr(Strategy, name):
            raise Broken(f"{type(strategy).__name__} has no method `{name}`; write the method `{name}`")


def must_tell_all(case: Case, how: How) -> None:
    """`tally`, `start_price`, `status` and `notices` answer for any memory of a run, with what they must."""
    strategy = case.build()
    must_tell(strategy, strategy.start())
    count = 0

    def see(before: BotState, step: Step) -> None:
        nonlocal count
        if step.state.memory is before.memory:
            return
        count += 1
        if count % SELDOM == 1:
            must_tell(strategy, step.state.memory)

    last = play(case, how, see).last
    for memory in (last.memory, strategy.stop(last.memory, sell=True), strategy.stop(last.memory, sell=False)):
        must_tell(strategy, memory)


def must_tell(strategy: Any, memory: object) -> None:
    """Raises `Broken` where one of them says something that cannot be shown."""
    tally = strategy.tally(memory)
    if not isinstance(tally, Tally) or type(tally.profit) is not Decimal or type(tally.round_trips) is not int:
        raise Broken(f"tally() gave {tally!r}; it must be a Tally of a Decimal and an int")
    if not tally.profit.is_finite():
        raise Broken(f"tally() gave the profit {tally.profit}")
    price = strategy.start_price(memory)
    if price is not None and (type(price) is not Decimal or not price > 0):
        raise Broken(f"start_price() gave {price!r}; it must be a Decimal above zero, or None before the start")
    status = strategy.status(memory)
    if not isinstance(status, Status) or status.stage not in get_args(Stage) or type(status.why) is not str:
        raise Broken(f"status() gave {status!r}; it must be a Status, its stage one of {', '.join(get_args(Stage))}")
    notices = strategy.notices(memory)
    if not isinstance(notices, tuple) or not all(type(one) is str for one in notices):
        raise Broken(f"notices() gave {notices!r}; it must be a tuple of texts")
