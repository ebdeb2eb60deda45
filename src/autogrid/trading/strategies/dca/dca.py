"""DCA: buy on a schedule or on drops and keep (accumulate), or buy, buy cheaper, and sell at a profit (deal).

Both are one strategy with one way of counting coins and costs (`dca_memory.py`). What it looks at is in `dca_deal.py`
and `dca_accumulate.py`, what it wants in `dca_targets.py`, where it sells in `dca_exit.py` and `dca_close.py`, what
is refused in `config.py` and `sizing.py`. Rules with worked examples: docs/strategies/dca.md.
"""

from collections.abc import Mapping
from typing import Final

from autogrid.trading.candle import Candle, exact
from autogrid.trading.event import Filled, SignalCame
from autogrid.trading.indicators import rsi
from autogrid.trading.market import Market
from autogrid.trading.money import Amount, Price, text
from autogrid.trading.order import Order
from autogrid.trading.plan import Wish
from autogrid.trading.strategies.dca.accumulate import accumulate_begun, accumulate_looked, next_due_ms
from autogrid.trading.strategies.dca.asked import acted, refitted
from autogrid.trading.strategies.dca.close import after_sale, exit_looked, gathered, left, strayed
from autogrid.trading.strategies.dca.config import DcaSettings, read_settings
from autogrid.trading.strategies.dca.deal import after_safety_order, deal_looked
from autogrid.trading.strategies.dca.exit import Terms
from autogrid.trading.strategies.dca.memory import DcaMemory, new_memory
from autogrid.trading.strategies.dca.purchase import after_purchase, refreshed, tried_again
from autogrid.trading.strategies.dca.schedule import shown_time
from autogrid.trading.strategies.dca.sizing import check_start
from autogrid.trading.strategies.dca.targets import wish
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.guard import notices
from autogrid.trading.strategies.strategy import Status, Strategy, Tally, UnableToEdit, View

SIGNALS_KEPT: Final = 64
"""Ids of so many signals are remembered, so that each counts once."""


class Dca(Strategy[DcaMemory]):
    """A DCA bot with its configuration. Immutable; all that changes is in `DcaMemory`."""

    name = "dca"

    def __init__(self, config: Mapping[str, str], market: Market, investment: Amount) -> None:
        """Raises `UnableToConfigure` where the configuration breaks a limit."""
        super().__init__(config, market, investment)
        settings = read_settings(config)
        self.settings: DcaSettings = settings
        self.terms = Terms(settings, market, investment)
        self.timeframe_ms = settings.timeframe_ms
        self.warm_up = settings.rsi_period + 1 if settings.timeframe_ms is not None else 0
        self.trigger = settings.start_price
        self._waits_for_times = settings.schedule is not None or settings.timeout_ms is not None
        self.hears_signals = settings.start_when == "signal"
        self.coarsest_ms = settings.schedule.least_interval_ms if settings.schedule is not None else None

    def check(self, price: Price) -> None:
        """Raises `UnableToConfigure` where it cannot be traded from `price` on."""
        check_start(self.settings, self.market, self.investment, price)

    def start(self) -> DcaMemory:
        """A bot that has not seen a price."""
        has_rsi = self.settings.timeframe_ms is not None
        return new_memory(rsi.start(self.settings.rsi_period) if has_rsi else None)

    def look(self, memory: DcaMemory, view: View) -> DcaMemory:
        """Starts, schedules, drops, stops, the trailing take-profit, and further safety orders."""
        timed = view.traded and not memory.answered
        if memory.answered:
            memory = memory._replace(answered=False)
        if memory.stage == "new":
            return self._begun(memory, view)
        if memory.stage == "ended":
            return memory
        if memory.stage == "exiting":
            return exit_looked(self.terms, memory, view, timed=timed)
        if memory.purchase is not None:
            memory = tried_again(self.terms, memory, view, timed=timed)
            memory = refreshed(self.terms, memory, view, timed=timed)
        if self.settings.mode == "deal":
            return deal_looked(self.terms, memory, view, timed=timed)
        return accumulate_looked(self.terms, memory, view, timed=view.traded)

    def hear(self, memory: DcaMemory, candle: Candle, view: View) -> DcaMemory:
        """The RSI after a closed candle; it may want the next deal."""
        if memory.rsi is None:
            return memory
        state = rsi.update(memory.rsi, candle.close)
        found = rsi.value(state)
        wants = (
            memory.stage == "waiting"
            and view.price > 0
            and view.traded
            and view.at_ms >= memory.ready_ms
            and found is not None
            and found < self.settings.rsi_below
        )
        called = exact(candle.close) if wants else None  # the view's price may be older than the close
        return memory._replace(rsi=state, called=called, answered=view.price > 0)

    def learn(self, memory: DcaMemory, order: Order, fill: Filled | None, view: View) -> DcaMemory:
        """What a fill, or the end of an order, does to its purchase, to the ladder or to the position."""
        if self._waits_for_times and not memory.answered:
            memory = memory._replace(answered=True)
        if memory.short:
            memory = memory._replace(held="", short=False)
        if order.side == "sell":
            return after_sale(self.terms, memory, order, fill, view)
        if memory.purchase is not None and memory.purchase.slot == order.slot:
            return after_purchase(self.terms, memory, fill, view)
        if "-s" in order.slot:
            return after_safety_order(self.terms, memory, order, fill, view)
        return memory if fill is None else strayed(self.terms, memory, fill, view.market)

    def targets(self, memory: DcaMemory, view: View) -> Wish:
        """Purchases, safety orders and take-profits, or the exit; and when to be asked again."""
        return wish(self.terms, memory, view)

    def stop(self, memory: DcaMemory, *, sell: bool) -> DcaMemory:
        """The user wants the end."""
        if memory.stage == "ended":
            return memory
        if memory.stage == "new" or not sell:
            return gathered(memory)._replace(stage="ended", why="stopped", finishing=True)
        if memory.stage == "exiting":
            return memory._replace(finishing=True)
        return gathered(memory)._replace(stage="exiting", why="stopped", finishing=True, exit_ms=0, exits=0)

    def asked(self, memory: DcaMemory, action: str, amount: Amount | None, view: View) -> DcaMemory:
        """Finish, close, keep or add. Raises `UnableToAct`."""
        return acted(self.terms, memory, action, amount, view)

    def signalled(self, memory: DcaMemory, signal: SignalCame, view: View) -> DcaMemory:
        """With start_when=signal: `enter` starts the next deal where none runs, `leave` sells the one that does."""
        if self.settings.start_when != "signal" or signal.signal_id in memory.signals:
            return memory
        memory = memory._replace(signals=(*memory.signals, signal.signal_id)[-SIGNALS_KEPT:])
        if signal.action == "leave":
            runs = memory.stage in ("opening", "running")
            return left(self.terms, memory, view, "a signal to leave") if runs else memory._replace(called=None)
        ready = memory.stage == "waiting" and view.at_ms >= memory.ready_ms and not memory.short
        return memory._replace(called=view.price) if ready else memory

    def funded(self, memory: DcaMemory, amount: Amount, view: View) -> DcaMemory:  # noqa: ARG002
        """Sizes and budget that follow from the investment follow from the new sum, from the next deal on."""
        return memory._replace(funds=memory.funds + amount, held="", short=False)

    def edited(self, memory: DcaMemory, config: Mapping[str, str], view: View) -> tuple["Dca", DcaMemory]:
        """The bot under `config`; the deal that runs keeps its ladder. Raises `UnableToEdit`."""
        if memory.stage == "ended" or (memory.stage == "exiting" and memory.finishing):
            raise UnableToEdit("the bot is ending; create a new one")
        if memory.stage == "exiting":
            raise UnableToEdit("everything is being sold; try again in a moment")
        try:
            dca = Dca({**self.config, **config}, self.market, self.investment)
            if memory.stage == "new":
                return dca, dca.start()
            check_start(dca.settings, dca.market, self.investment + memory.funds, view.price)
        except UnableToConfigure as refusal:
            raise UnableToEdit(str(refusal)) from refusal
        return dca, refitted(self.settings, dca.terms, memory, view)

    def tally(self, memory: DcaMemory) -> Tally:
        """Profit of the closed deals, and how many."""
        return Tally(memory.profit, memory.closed)

    def start_price(self, memory: DcaMemory) -> Price | None:
        """The first price it saw; None before."""
        return memory.start_price

    def status(self, memory: DcaMemory) -> Status:
        """How far it has come."""
        why = memory.why
        if memory.stage == "waiting":
            why = memory.held or self._waits_for()
        elif memory.deal is not None and memory.deal.cut and not why:
            why = memory.deal.cut
        elif memory.stage == "running" and memory.next_ms is not None and not why:
            spent = next_due_ms(self.terms, memory) is None
            why = f"the budget is spent: {text(memory.spent)} {self.market.quote} so far" if spent else ""
        return Status(memory.stage, why)

    def notices(self, memory: DcaMemory) -> tuple[str, ...]:
        """When the next purchase on the schedule is due, and where the stop is not where it should be."""
        found = notices(memory.guard)
        due_ms = next_due_ms(self.terms, memory) if memory.stage == "running" else None
        if due_ms is None or self.settings.mode != "accumulate":
            return found
        return (*found, f"the next purchase is due at {shown_time(due_ms)}")

    def _waits_for(self) -> str:
        settings = self.settings
        start = settings.start_price
        return {
            "now": f"the next deal starts {settings.cooldown_ms // 1000} s after the last one closed",
            "price": f"the next deal starts when the price reaches {text(start) if start is not None else ''}",
            "rsi": f"the next deal starts when the RSI closes below {settings.rsi_below:g}",
            "signal": "the next deal starts with a signal",
        }[settings.start_when]

    def _begun(self, memory: DcaMemory, view: View) -> DcaMemory:
        """The first look at a price."""
        if not view.traded:
            return memory
        memory = memory._replace(start_price=view.price)
        try:
            self.check(self.trigger or view.price)
        except UnableToConfigure as refusal:
            return memory._replace(stage="ended", why=f"not started: {refusal}")
        if self.settings.mode == "accumulate":
            return accumulate_begun(self.terms, memory, view)
        return deal_looked(self.terms, memory._replace(stage="waiting"), view, timed=True)
