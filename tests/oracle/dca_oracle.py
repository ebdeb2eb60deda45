"""A second, independent calculation of the DCA backtest, written from the specification alone.

It shares no code with the engine it is held against. It is meant to be read beside spec/dca.md and
spec/simulation.md: one loop over the candles, one over the segments of a candle, one over what happens within a
segment. Money is exact (the decimal context traps any rounding; divisions go through Fraction).
The arithmetic is in dca_rules.py, the account in dca_books.py.

Where the specification leaves a choice, the comment says "DCA_NOTES n", which is the number in DCA_NOTES.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

from tests.oracle.dca_books import Books, Deal, Fill
from tests.oracle.dca_rules import (
    Market,
    Plan,
    below,
    check_market,
    check_tape,
    interval_of,
    ladder,
    ladder_rows,
    next_anchor,
    plan_of,
    take_profit_price,
    too_fine,
)
from tests.oracle.grid_oracle import ZERO, Candle, check_candles, down, exact_context, walk_of

__all__ = ["Deal", "Fill", "Market", "Result", "ladder_rows", "plan_of", "run"]


@dataclass(frozen=True)
class Result:
    fills: list[Fill]
    deals: list[Deal]  # closed ones
    base: Decimal
    quote: Decimal
    fees: dict[str, Decimal]
    equity_end: Decimal
    total_profit: Decimal
    realised_profit: Decimal
    round_trips: int
    pool_cost: Decimal
    resting: list[tuple[str, Decimal, Decimal]]
    plan: Plan
    notes: list[tuple[int, str]]  # what was refused, when


@dataclass(frozen=True)
class Rung:
    price: Decimal
    quantity: Decimal
    held: Decimal


HELD_MS = 3_600_000  # a deal that the market's rules forbid is looked at again then (DCA_NOTES 15)

Event = tuple[Decimal, int, str, Decimal]  # distance along the path, rank at one point, name, point


class Run(Books):
    """Everything the bot and its account know, at one point of the path."""

    def __init__(self, plan: Plan, market: Market, investment: Decimal, fill: str, slippage: Decimal) -> None:
        super().__init__(market, investment, slippage)
        self.plan = plan
        self.beyond = market.tick if fill == "through" else ZERO
        self.time = 0
        self.interval = 0
        # the deal
        self.paused = False
        self.ready_at = 0
        self.rungs: list[tuple[Decimal, Decimal]] = []  # safety orders not yet placed
        self.resting: list[Rung] = []
        self.target: Decimal | None = None  # the take-profit's price
        self.target_quantity = ZERO  # of its resting order; 0: no order out
        self.target_crossed = False
        self.stop: Decimal | None = None
        self.peak: Decimal | None = None  # of an armed trailing take-profit
        self.line: Decimal | None = None
        # accumulate
        self.anchor = 0
        self.last_buy = ZERO
        self.high = ZERO
        self.drop_level: Decimal | None = None

    # ------------------------------------------------ exits

    def close(self, price: Decimal, quantity: Decimal, role: str, kind: str, point: Decimal) -> None:
        """The sale, everything cancelled, and the wait for what comes next."""
        self.sold(price, quantity, role, kind)
        self.ready_at = self.time + self.plan.cooldown_ms
        self.rungs = []
        self.resting = []
        self.target = self.stop = self.peak = self.line = None
        self.target_quantity = ZERO
        if self.plan.mode == "accumulate":  # references begin anew where the position ended (DCA_NOTES 24)
            self.last_buy = self.high = point
            self.set_drop_level()

    def exit_at_market(self, point: Decimal, kind: str) -> None:
        """Everything at once; a sale too small to be taken leaves the coins as dust (DCA_NOTES 21)."""
        price = self.market_price("sell", point)
        quantity = down(Fraction(self.pool), self.market.lot)
        if price * quantity < self.market.min_notional:
            self.note(f"{kind}: under the minimum")
            quantity = ZERO
        self.close(price, quantity, "taker", kind, self.jump_end if self.in_jump else point)

    # ------------------------------------------------ the deal

    def start_deal(self, point: Decimal) -> None:
        quantity = down(Fraction(self.plan.base_order) / Fraction(point), self.market.lot)
        small = quantity <= 0 or point * quantity < self.market.min_notional
        if small or too_fine(self.plan, point, self.market):
            self.note("base_order: " + ("under the minimum" if small else "the ladder is finer than three ticks"))
            self.ready_at = self.time + HELD_MS
            return
        if not self.buy_at_market(point, self.plan.base_order, "base_order"):
            self.paused = True
            self.note("the bot is paused")
            return
        self.rungs = ladder(self.plan, self.base_price, self.market)
        self.after_buy(point)

    def place_rungs(self, point: Decimal) -> None:
        """At most max_active rest; a refused one ends this deal's ladder."""
        while self.rungs and len(self.resting) < self.plan.max_active:
            price, quantity = self.rungs.pop(0)
            crossed = price >= point
            rate = max(self.market.taker_fee, self.market.maker_fee)  # what it takes at most (DCA_NOTES 19)
            held = price * quantity + self.market.buy_fee(price, quantity, rate)[1]
            free = self.quote - sum((rung.held for rung in self.resting), ZERO)
            if quantity <= 0 or price * quantity < self.market.min_notional or held > free:
                self.note("safety: refused, the ladder ends")
                self.rungs = []
            elif crossed:
                self.bought(point, quantity, "taker", "safety")
            else:
                self.resting.append(Rung(price, quantity, held))

    def after_buy(self, point: Decimal) -> None:
        """The ladder's next orders, then the targets anew."""
        self.place_rungs(point)
        plan = self.plan
        self.target_quantity = ZERO
        if plan.take_profit is not None:
            self.target = take_profit_price(self.pool_cost, self.pool, plan, self.market)
            quantity = down(Fraction(self.pool), self.market.lot)
            if plan.trailing is None and quantity > 0 and quantity * self.target >= self.market.min_notional:
                self.target_quantity = quantity
                self.target_crossed = self.target <= point
        if plan.stop_loss is not None:
            average = Fraction(self.pool_cost) / Fraction(self.pool)
            start = average if plan.stop_loss_from == "average" else Fraction(self.base_price)
            self.stop = below(start, plan.stop_loss, self.market.tick)

    # ------------------------------------------------ accumulate

    def set_drop_level(self) -> None:
        if self.plan.drop is None or self.plan.mode != "accumulate":
            return
        reference = Fraction(self.high if self.plan.reference == "high" else self.last_buy)
        if self.plan.reference == "average" and self.active:
            reference = min(reference, Fraction(self.pool_cost) / Fraction(self.pool))
        self.drop_level = below(reference, self.plan.drop, self.market.tick)

    def accumulate(self, point: Decimal, amount: Decimal, kind: str) -> None:
        """One buy within the budget; it moves every reference to itself."""
        if self.paid + amount > self.plan.budget:
            self.note(f"{kind}: the budget is spent")
        elif self.buy_at_market(point, amount, kind):
            self.last_buy = self.high = self.fills[-1].price
            self.set_drop_level()
            self.after_buy(self.jump_end if self.in_jump else point)
            return
        if kind == "drop":
            self.drop_level = None  # not asked again before the reference moves (DCA_NOTES 12)

    def due(self) -> bool:
        """Whether a scheduled time has come since the last open; several make one buy."""
        latest = None
        while self.anchor <= self.time:
            latest = self.anchor
            self.anchor = next_anchor(self.plan, self.anchor)
        if latest is None:
            return False
        return self.plan.catch_up == "once" or self.time - latest < self.interval

    def at_open(self, point: Decimal, first: bool) -> None:
        """What waited for a time, after the jump."""
        plan = self.plan
        if plan.mode == "deal":
            full = plan.max_deals is not None and len(self.deals) >= plan.max_deals
            if not (self.active or self.paused or full) and self.time >= self.ready_at:
                self.start_deal(point)
            return
        if first:
            self.last_buy = self.high = point  # P0 before any buy
            self.set_drop_level()
        if plan.every == "none":
            return
        if first:
            self.anchor = next_anchor(plan, self.time)
            if plan.first == "now":
                self.accumulate(point, plan.amount, "schedule")
        elif self.due():
            self.accumulate(point, plan.amount, "schedule")

    # ------------------------------------------------ the path

    def watched(self) -> list[tuple[str, int, bool, Decimal]]:
        """Name, rank at an equal point, whether it waits for a fall, and the price at which it happens."""
        levels = []
        if self.stop is not None:
            levels.append(("stop_loss", 0, True, self.stop))
        if self.line is not None:
            levels.append(("trailing", 1, True, self.line))
        if self.resting:
            levels.append(("safety", 2, True, max(rung.price for rung in self.resting) - self.beyond))
        if self.target is not None and self.target_quantity > 0:
            beyond = ZERO if self.target_crossed else self.beyond
            levels.append(("take_profit", 3, False, self.target + beyond))
        elif self.target is not None and self.plan.trailing is not None and self.peak is None:
            levels.append(("arm", 4, False, self.target))
        if self.drop_level is not None:
            levels.append(("drop", 5, True, self.drop_level))
        return levels

    def next_event(self, position: Decimal, end: Decimal) -> Event | None:
        """The nearest thing that happens between here and the segment's end; what is already true happens here."""
        best: Event | None = None
        stopped = False
        for name, rank, waits_for_fall, level in self.watched():
            if waits_for_fall:
                if level < position and level < end:
                    continue
                point = min(position, level)
            else:
                if level > position and level > end:
                    continue
                point = max(position, level)
            stopped = stopped or name == "stop_loss"
            if name == "drop" and stopped and self.in_jump:
                continue  # both would fill at the jump's end, and the stop beats every buy (DCA_NOTES 22)
            event = (abs(point - position), rank, name, point)
            if best is None or event < best:
                best = event
        return best

    def follow(self, price: Decimal) -> None:
        """The path has come here: the peak of a trailing exit and the high of a drop go along."""
        if self.peak is not None and self.plan.trailing is not None and price > self.peak:
            self.peak = price
            self.line = below(Fraction(price), self.plan.trailing, self.market.tick)
        if price > self.high and self.plan.mode == "accumulate":
            self.high = price
            if self.plan.reference == "high":
                self.set_drop_level()

    def handle(self, name: str, point: Decimal) -> Decimal:
        """One event; gives where the path stands after it."""
        if name == "arm":
            assert self.plan.trailing is not None
            self.peak = point
            self.line = below(Fraction(point), self.plan.trailing, self.market.tick)
            return point
        if name == "safety":
            rung = max(self.resting, key=lambda one: one.price)  # the oldest of equal ones
            self.resting.remove(rung)
            self.bought(rung.price, rung.quantity, "maker", "safety")
            self.after_buy(point)
            return point
        if name == "take_profit":
            assert self.target is not None
            price, role = (point, "taker") if self.target_crossed else (self.target, "maker")
            self.close(price, self.target_quantity, role, "take_profit", point)
            return point
        if name == "drop":
            self.accumulate(point, self.plan.drop_amount, "drop")
        else:
            self.exit_at_market(point, name)
        return self.jump_end if self.in_jump else point

    def segment(self, begin: Decimal, end: Decimal, *, is_jump: bool) -> None:
        self.in_jump = is_jump
        self.jump_end = end
        position = begin
        while (event := self.next_event(position, end)) is not None:
            self.follow(event[3])
            position = self.handle(event[2], event[3])
        self.follow(end)
        self.in_jump = False


def run(
    config: Mapping[str, str],
    candles: Sequence[Candle],
    market: Market,
    investment: Decimal | str,
    *,
    backwards: bool = False,
    fill: str = "touch",
    slippage: Decimal | str = ZERO,
) -> Result:
    """Walk the whole tape."""
    money, slip = Decimal(investment), Decimal(slippage)
    if money <= 0 or not 0 <= slip < 1 or fill not in ("touch", "through"):
        raise ValueError("investment above zero, slippage from 0 to below 1, fill touch or through")
    with localcontext(exact_context()):
        check_candles(candles)
        check_market(market)
        plan = plan_of(config, money, market)
        check_tape(plan, candles, market)
        state = Run(plan, market, money, fill, slip)
        state.interval = interval_of(candles)
        state.ready_at = candles[0][0]
        before: Decimal | None = None
        for index, candle in enumerate(candles):
            state.index, state.time = index, candle[0]
            points = walk_of(candle, "reversed" if backwards else "normal")
            if before is not None:
                state.segment(before, points[0], is_jump=True)
            state.at_open(points[0], first=before is None)
            for begin, end in pairwise(points):
                state.segment(begin, end, is_jump=False)
            before = points[-1]
        return result_of(state, money, candles[-1][4])


def result_of(state: Run, investment: Decimal, last: Decimal) -> Result:
    equity = state.quote + state.pool * last - state.third_worth
    resting = [("buy", rung.price, rung.quantity) for rung in state.resting]
    if state.target is not None and state.target_quantity > 0:
        resting.append(("sell", state.target, state.target_quantity))
    return Result(
        fills=state.fills,
        deals=state.deals,
        base=state.pool,
        quote=state.quote,
        fees=state.fees,
        equity_end=equity,
        total_profit=equity - investment,
        realised_profit=sum((deal.profit for deal in state.deals), ZERO),
        round_trips=len(state.deals),
        pool_cost=state.pool_cost,
        resting=resting,
        plan=state.plan,
        notes=state.notes,
    )
