"""What all strategies on signals share: they decide at a closed candle or an alert, and `positions` does the rest."""

from collections.abc import Mapping
from typing import Final, Generic, Protocol, Self, TypeVar

from autogrid.trading.event import Filled
from autogrid.trading.market import break_even_rise
from autogrid.trading.money import Price, Share, text
from autogrid.trading.order import Order
from autogrid.trading.plan import Wish
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.guard import notices
from autogrid.trading.strategies.signals.held import Positions, Terms
from autogrid.trading.strategies.signals.positions import decided, learned, swept, watched, wished
from autogrid.trading.strategies.signals.sizing_by_risk import Sized
from autogrid.trading.strategies.strategy import Status, Strategy, Tally, UnableToEdit, View


class Holding(Protocol):
    """A memory that holds positions."""

    @property
    def positions(self) -> Positions:
        """Everything bought and sold."""
        ...

    def _replace(self, *, positions: Positions = ...) -> Self: ...


LASTS_MS: Final = 60_000
"""A purchase that was held back so long is not sent at its old price."""

M = TypeVar("M", bound=Holding)


class OnSignals(Strategy[M], Generic[M]):
    """A strategy whose memory holds `positions`; it adds when to enter and when to leave."""

    most: Share
    """Largest share of the equity in one entry."""
    take_profit: Share | None = None
    """Its target as a share of an entry's price, where it is one."""

    def check(self, price: Price) -> None:
        """Raises `UnableToConfigure` where not even the largest entry could be ordered at `price`."""
        market = self.market
        rise = break_even_rise(market)
        if self.take_profit and self.take_profit <= rise:
            raise UnableToConfigure(
                "take_profit",
                f"take_profit is {text(self.take_profit * 100)} %, not above the fees of a round trip; "
                f"break-even is a rise of {text(round(rise * 100, 4))} %: take more",
                rule="take-profit below the fees",
            )
        least = market.least_quantity(price) * price
        if self.investment * self.most < least:
            raise UnableToConfigure(
                "investment",
                f"an entry is at most {text(self.investment * self.most)} {market.quote} "
                f"({text(self.most)} of {text(self.investment)}), and the exchange takes no order below "
                f"{text(least)} {market.quote}; invest at least {text(least / self.most)}",
            )

    def look(self, memory: M, view: View) -> M:
        """Stops, trailing lines, and purchases whose time is over."""
        positions = memory.positions
        if not positions.entries:
            if positions.start_price is not None:
                return memory
            return memory._replace(positions=positions._replace(start_price=view.price))
        after = watched(positions, view)
        return memory if after is positions else memory._replace(positions=after)

    def learn(self, memory: M, order: Order, fill: Filled | None, view: View) -> M:
        """What a fill, or the end of an order, does to its entry."""
        return memory._replace(positions=learned(memory.positions, order, fill, view))

    def targets(self, memory: M, view: View) -> Wish:
        """Purchases, targets and exits."""
        return wished(memory.positions, view)

    def stop(self, memory: M, *, sell: bool) -> M:
        """The user wants the end: everything is sold at market, or kept."""
        positions = memory.positions
        if positions.ended or (positions.leaving and sell):
            return memory
        if sell:
            return memory._replace(
                positions=swept(positions, self.market, "stopped")._replace(leaving=True, why="stopped")
            )
        return memory._replace(positions=positions._replace(ended=True, why="stopped"))

    def edited(self, memory: M, config: Mapping[str, str], view: View) -> tuple[Self, M]:  # noqa: ARG002
        """Under `config`: what is bought keeps its stop and target, the next entry goes by the new rules.

        Where the indicators change, they warm up again. Raises `UnableToEdit`.
        """
        if memory.positions.leaving or memory.positions.ended:
            raise UnableToEdit("the bot is ending; create a new one")
        try:
            changed = type(self)({**self.config, **config}, self.market, self.investment)
        except UnableToConfigure as refusal:
            raise UnableToEdit(str(refusal)) from refusal
        if changed.timeframe_ms != self.timeframe_ms:
            raise UnableToEdit("timeframe cannot be changed while the bot runs; stop it and create a new one")
        if changed.looks_at() == self.looks_at():
            return changed, memory
        return changed, changed.warmed(memory)

    def warmed(self, memory: M) -> M:
        """The memory of a bot whose indicators changed: they begin anew, what is held stays."""
        return self.start()._replace(positions=memory.positions)

    def looks_at(self) -> object:
        """Everything in the configuration that its indicators depend on."""
        return None

    def tally(self, memory: M) -> Tally:
        """Profit of what was sold, and how many entries were."""
        return Tally(memory.positions.profit, memory.positions.round_trips)

    def start_price(self, memory: M) -> Price | None:
        """The first price it saw."""
        return memory.positions.start_price

    def status(self, memory: M) -> Status:
        """How far it has come."""
        positions = memory.positions
        if positions.ended:
            return Status("ended", positions.why)
        if positions.leaving:
            return Status("exiting" if positions.entries else "ended", positions.why)
        if positions.start_price is None:
            return Status("new")
        heard = self.heard(memory)
        if heard < self.warm_up:
            return Status("waiting", f"candles to warm up on: {heard} of {self.warm_up}")
        return Status("running")

    def notices(self, memory: M) -> tuple[str, ...]:
        """What it waits for while nothing is held, and where a stop is not where it should be."""
        if memory.positions.entries:
            refused = max(memory.positions.entries, key=lambda entry: entry.guard.refusals)
            return notices(refused.guard)
        if self.heard(memory) < self.warm_up:
            return ()
        if self.timeframe_ms is None:
            return ("no order: it waits to be told, with a signal",)
        return ("no order: it waits for its signal on a closed candle",)

    def heard(self, memory: M) -> int:  # noqa: ARG002
        """How many candles it has heard of since it began to warm up."""
        return self.warm_up

    def entered(
        self, positions: Positions, terms: Terms, sized: Sized, view: View, why: str, lasts_ms: int | None = None
    ) -> Positions:
        """`positions` with a purchase, where one of that size can be made at all.

        It is given up after `lasts_ms`; None: after a minute, and where the prices come from candles at the next close,
        however long a hole in them is.
        """
        if not sized.quantity:
            return positions
        reasons = f"{why}; size {text(sized.quantity)} {self.market.base} by {sized.by}"
        lasts_ms = lasts_ms or (0 if view.candle_ms else LASTS_MS)
        until_ms = view.at_ms + lasts_ms if lasts_ms else 0
        return decided(positions, terms, view.price, sized.quantity, until_ms, reasons)
