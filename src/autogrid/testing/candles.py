"""The law of the candles: those of the past, told before the first price, and those that were missed and come late."""

from typing import Final

from autogrid.backtesting.closed_candles import ClosedCandles
from autogrid.testing.fault import Broken
from autogrid.testing.play import Case, How, play
from autogrid.testing.steps import books_close, on_the_grid
from autogrid.trading.event import CandleClosed
from autogrid.trading.plan import Place
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.strategy import View

BESIDE: Final = 2
"""So many more candles of the past are told than it asks for."""


def candles(case: Case) -> None:
    """Candles of the past teach, at a price that is zero; on one that comes late nothing is bought at market."""
    timeframe_ms = case.build().timeframe_ms
    if timeframe_ms is None:
        return

    def see(before: BotState, step: Step) -> None:
        books_close(step.state, case.market)
        on_the_grid(step, case.market)
        if isinstance(step.event, CandleClosed) and step.event.late:
            _must_not_enter(case, before, step)

    past = past_candles(case, timeframe_ms)
    for missed in (None, case.seed):
        play(case, How(past=past, missed=missed), see)


def past_candles(case: Case, timeframe_ms: int) -> tuple[CandleClosed, ...]:
    """The tape's own first candles, as if they had been before it: late but the last, as live prices tell them."""
    made = ClosedCandles(case.tape, timeframe_ms)
    events = [made.closed(number) for number in range(min(len(made), case.build().warm_up + BESIDE))]
    if not events:
        return ()
    back_ms = events[-1].at_ms - events[0].candle.open_ms
    return tuple(
        event._replace(
            at_ms=event.at_ms - back_ms,
            candle=event.candle._replace(open_ms=event.candle.open_ms - back_ms),
            late=event is not events[-1],
        )
        for event in events
    )


def _must_not_enter(case: Case, before: BotState, step: Step) -> None:
    bought = [
        one.order.slot
        for one in step.commands
        if isinstance(one, Place) and one.order.side == "buy" and one.order.kind == "market"
    ]
    if not bought or before.price is None:
        return
    view = View(before.at_ms, before.price, case.market, before.ledger, candle_ms=before.candle_ms)
    wanted = before.strategy.targets(before.strategy.look(before.memory, view), view).targets
    new = [slot for slot in bought if slot not in wanted]
    if new:
        raise Broken(
            f"it buys at market, in the slot '{new[0]}', on a candle that it was told late (view.traded is False in "
            "hear()): the market has moved on; learn from it, leave on it, but do not enter"
        )
