"""A second, independent calculation of the grid backtest, written from the specification alone.

It shares no code with the engine it is held against. It is meant to be read beside spec/grid.md and
spec/simulation.md: one loop over the candles, one over the segments of a candle, one over the cells.
Only the standard library takes part in the calculation (pyarrow reads the files). Every sum and product of
money is exact: the decimal context traps any rounding, and every division goes through Fraction and is
rounded by name.

Where the specification leaves a choice, the comment says "NOTES n", which is the number in NOTES.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from decimal import ROUND_FLOOR, Context, Decimal, Inexact, localcontext
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from pathlib import Path
from typing import Any

from pyarrow import parquet

Candle = tuple[int, Decimal, Decimal, Decimal, Decimal]
Fill = tuple[int, str, Decimal, Decimal, Decimal, str, str]

ZERO = Decimal(0)
ONE = Decimal(1)
EIGHT = Decimal("0.00000001")
CENT = Decimal("0.01")


# ---------------------------------------------------------------- rounding


def exact_context() -> Context:
    """A context in which a rounding is an error, not an accident."""
    return Context(prec=100, traps=[Inexact])


def times_step(count: int, step: Decimal) -> Decimal:
    with localcontext(exact_context()):
        return Decimal(count) * step


def down(value: Fraction, step: Decimal) -> Decimal:
    return times_step(floor(value / Fraction(step)), step)


def up(value: Fraction, step: Decimal) -> Decimal:
    return times_step(ceil(value / Fraction(step)), step)


def half_even(value: Fraction, step: Decimal) -> Decimal:
    return times_step(round(value / Fraction(step)), step)  # round() of a Fraction is half-even, exactly


# ---------------------------------------------------------------- the job


@dataclass
class GridJob:
    lower: Decimal
    upper: Decimal
    grids: int
    investment: Decimal
    _: KW_ONLY
    spacing: str = "geometric"  # geometric | arithmetic
    sizing: str = "equal_base"  # equal_base | equal_quote
    start: str = "market"  # market | wait | own
    own_base: Decimal = ZERO
    reserve: Decimal = Decimal("0.02")
    maker_fee: Decimal
    taker_fee: Decimal
    fee_in: str = "received"  # received | quote | ASSET:price
    tick: Decimal
    lot: Decimal
    min_notional: Decimal
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    trigger_price: Decimal | None = None
    on_exit: str = "sell"  # sell | hold
    path: str = "normal"  # normal | reversed
    fill: str = "touch"  # touch | through
    slippage: Decimal = ZERO


# ---------------------------------------------------------------- lines


def geometric_line(lower: Decimal, upper: Decimal, grids: int, index: int, tick: Decimal) -> Decimal:
    """L*(U/L)^(i/N) rounded half-even to the tick, decided in whole numbers, so no precision is too little.

    With everything in units of 10^-d: the line is k ticks where k^N * t^N <= l^(N-i) * u^i < (k+1)^N * t^N.
    """
    exponents = (Fraction(lower).denominator, Fraction(upper).denominator, Fraction(tick).denominator)
    unit = exponents[0] * exponents[1] * exponents[2]
    whole_lower = int(Fraction(lower) * unit)
    whole_upper = int(Fraction(upper) * unit)
    whole_tick = int(Fraction(tick) * unit)
    target: int = whole_lower ** (grids - index) * whole_upper**index

    with localcontext(Context(prec=80, rounding=ROUND_FLOOR)):
        ratio = (upper / lower).ln() * index / grids
        count = int(lower * ratio.exp() / tick)
    while (count * whole_tick) ** grids > target:
        count -= 1
    while ((count + 1) * whole_tick) ** grids <= target:
        count += 1

    # the middle between count and count + 1, doubled on both sides to stay whole
    middle = ((2 * count + 1) * whole_tick) ** grids
    doubled = target * 2**grids
    if doubled > middle or (doubled == middle and count % 2 == 1):
        count += 1
    return times_step(count, tick)


def rounded_lines(lower: Decimal, upper: Decimal, grids: int, spacing: str, tick: Decimal) -> list[Decimal]:
    lines = []
    for index in range(grids + 1):
        if spacing == "geometric":
            lines.append(geometric_line(lower, upper, grids, index, tick))
        else:
            step = (Fraction(upper) - Fraction(lower)) / grids
            lines.append(half_even(Fraction(lower) + index * step, tick))
    return lines


def are_distinct(lines: list[Decimal]) -> bool:
    return all(low < high for low, high in pairwise(lines))


def make_lines(lower: Decimal, upper: Decimal, grids: int, spacing: str, tick: Decimal) -> list[Decimal]:
    """N grids are N + 1 lines; they must stay distinct, else the largest N that would work is named."""
    if spacing not in ("geometric", "arithmetic"):
        raise ValueError(f"spacing is geometric or arithmetic, not {spacing!r}")
    if not 2 <= grids <= 1000:
        raise ValueError("grids must be from 2 to 1000")
    if not ZERO < lower < upper:
        raise ValueError("the lower bound must be above zero and below the upper one")
    if Fraction(upper) > 1_000_000 * Fraction(lower):
        raise ValueError("the upper bound may be at most a million times the lower one")
    lines = rounded_lines(lower, upper, grids, spacing, tick)
    if lines[0] <= 0:
        raise ValueError("the lowest line is zero after rounding to the tick")
    if not are_distinct(lines):
        largest = 0
        candidate = min(grids - 1, floor((Fraction(upper) - Fraction(lower)) / Fraction(tick)) + 1)
        while candidate >= 2:
            if are_distinct(rounded_lines(lower, upper, candidate, spacing, tick)):
                largest = candidate
                break
            candidate -= 1
        raise ValueError(f"lines are not distinct on the tick {tick}; the largest number of grids is {largest}")
    return lines


def empty_line(lines: list[Decimal], price: Decimal) -> int:
    """The line P0 lies on, else the next one above P0; above U it is U, below L it is L."""
    for index, line in enumerate(lines):
        if line >= price:
            return index
    return len(lines) - 1


def start_orders(lines: list[Decimal], price: Decimal) -> tuple[list[Decimal], list[Decimal], Decimal]:
    """Buys from the highest down, sells from the lowest up, and the empty line."""
    empty = empty_line(lines, price)
    buys = [lines[index] for index in range(empty - 1, -1, -1)]
    sells = [lines[index + 1] for index in range(empty, len(lines) - 1)]
    return buys, sells, lines[empty]


# ---------------------------------------------------------------- fees


def third_asset(fee_in: str) -> tuple[str, Decimal] | None:
    if fee_in in ("received", "quote"):
        return None
    name, _, price = fee_in.partition(":")
    if not name or not price or Decimal(price) <= 0:
        raise ValueError(f"fee_in is received, quote or ASSET:price, not {fee_in!r}")
    return name, Decimal(price)


def fee_of(side: str, price: Decimal, quantity: Decimal, rate: Decimal, fee_in: str) -> tuple[Decimal, str]:
    """The fee of an order that fills whole, rounded up to 8 decimals, and the asset it is taken in."""
    notional = Fraction(price) * Fraction(quantity)
    third = third_asset(fee_in)
    if third is not None:
        return up(notional * Fraction(rate) / Fraction(third[1]), EIGHT), third[0]
    if fee_in == "received" and side == "buy":
        return up(Fraction(quantity) * Fraction(rate), EIGHT), "base"
    return up(notional * Fraction(rate), EIGHT), "quote"


def size_fee(job: GridJob) -> Fraction:
    """The one rate f of the size rules where maker and taker differ: the larger (NOTES 1)."""
    return Fraction(max(job.maker_fee, job.taker_fee))


# ---------------------------------------------------------------- size


def base_fee(job: GridJob) -> Fraction:
    """The share of a purchase the fee takes away in base: none if paid in quote or in a third asset."""
    return size_fee(job) if job.fee_in == "received" else Fraction(0)


def fee_divisor(job: GridJob) -> Fraction:
    return 1 + size_fee(job) if job.fee_in == "quote" else Fraction(1)


def price_sum(job: GridJob, lines: list[Decimal], price: Decimal) -> Fraction:
    """What one unit of base in every cell costs the investment."""
    empty = empty_line(lines, price)
    if job.start == "wait":
        return sum((Fraction(line) for line in lines[:-1]), Fraction(0))
    buys = sum((Fraction(line) for line in lines[:empty]), Fraction(0))
    if job.start == "own":
        return buys
    return buys + (job.grids - empty) * Fraction(price)


def equal_base_quantity(job: GridJob, lines: list[Decimal], price: Decimal) -> Decimal:
    budget = Fraction(job.investment) * (1 - Fraction(job.reserve)) / fee_divisor(job)
    total = price_sum(job, lines, price)
    if total == 0:  # start = own below L: nothing is bought by the investment (NOTES 12)
        return down(Fraction(job.own_base) / job.grids, job.lot)
    return down(budget / total, job.lot)


def equal_quote_value(job: GridJob, lines: list[Decimal], price: Decimal) -> Fraction:
    parts = job.grids
    if job.start == "own":  # the investment pays the buys alone (NOTES 12)
        parts = empty_line(lines, price)
        if parts == 0:
            return Fraction(job.own_base) * Fraction(price) / job.grids
    return Fraction(job.investment) * (1 - Fraction(job.reserve)) / parts / fee_divisor(job)


def least_quantity(job: GridJob, lines: list[Decimal]) -> Decimal:
    """The least step multiple with q*P_lowest and floor(q(1-f))*roof at or above the minimum."""
    quantity = max(up(Fraction(job.min_notional) / Fraction(lines[0]), job.lot), job.lot)
    while True:
        sold = down(Fraction(quantity) * (1 - base_fee(job)), job.lot)
        if sold > 0 and all(sold * roof >= job.min_notional for roof in lines[1:]):
            return quantity
        quantity += job.lot


def least_investment(job: GridJob, price: Decimal) -> tuple[Decimal, Decimal]:
    """q_min and the investment it takes, rounded up to the cent."""
    lines = make_lines(job.lower, job.upper, job.grids, job.spacing, job.tick)
    quantity = least_quantity(job, lines)
    needed = Fraction(quantity) * price_sum(job, lines, price) * fee_divisor(job) / (1 - Fraction(job.reserve))
    return quantity, up(needed, CENT)


# ---------------------------------------------------------------- profit of a grid


def net_profit(low: Decimal, high: Decimal, fee: Decimal) -> Fraction:
    return (1 - Fraction(fee)) ** 2 * Fraction(high) / Fraction(low) - 1


def profit_per_grid(lines: list[Decimal], fee: Decimal) -> tuple[Fraction, Fraction]:
    profits = [net_profit(low, high, fee) for low, high in pairwise(lines)]
    return min(profits), max(profits)


def break_even_step(fee: Decimal) -> Fraction:
    return 1 / (1 - Fraction(fee)) ** 2 - 1


def check_profit(lines: list[Decimal], fee: Decimal) -> None:
    if profit_per_grid(lines, fee)[0] <= 0:
        raise ValueError("net profit per grid is not above zero")


def share_of_cost(pool_cost: Decimal, part: Decimal, pool: Decimal) -> Decimal:
    return half_even(Fraction(pool_cost) * Fraction(part) / Fraction(pool), EIGHT)


def check_job(job: GridJob, first_open: Decimal) -> list[Decimal]:
    """Everything that can be refused before a price is known to start from; gives the lines."""
    lines = make_lines(job.lower, job.upper, job.grids, job.spacing, job.tick)
    if job.sizing not in ("equal_base", "equal_quote"):
        raise ValueError(f"sizing is equal_base or equal_quote, not {job.sizing!r}")
    if job.start not in ("market", "wait", "own"):
        raise ValueError(f"start is market, wait or own, not {job.start!r}")
    if job.on_exit not in ("sell", "hold"):
        raise ValueError(f"on_exit is sell or hold, not {job.on_exit!r}")
    if job.path not in ("normal", "reversed"):
        raise ValueError(f"path is normal or reversed, not {job.path!r}")
    if job.fill not in ("touch", "through"):
        raise ValueError(f"fill is touch or through, not {job.fill!r}")
    if not ZERO <= job.reserve <= Decimal("0.5"):
        raise ValueError("the reserve must be from 0 to 0.5")
    for fee in (job.maker_fee, job.taker_fee):
        if not ZERO <= fee < Decimal("0.1"):
            raise ValueError("a fee rate must be from 0 to below 0.1")
    if job.investment <= 0 or job.own_base < 0 or not ZERO <= job.slippage < ONE:
        raise ValueError("investment must be above zero, own_base not below zero, slippage from 0 to below 1")
    third_asset(job.fee_in)
    check_profit(lines, job.maker_fee)  # both fills of a cycle rest (NOTES 2)
    check_stops(job, first_open if job.trigger_price is None else job.trigger_price)
    return lines


def check_stops(job: GridJob, price: Decimal) -> None:
    if job.stop_loss is not None and not job.stop_loss < min(job.lower, price):
        raise ValueError("the stop-loss must be below the lower bound and the price")
    if job.take_profit is not None and not job.take_profit > max(job.upper, price):
        raise ValueError("the take-profit must be above the upper bound and the price")


def check_candles(candles: Sequence[Candle]) -> None:
    if not candles:
        raise ValueError("there are no candles")
    before: int | None = None
    for row, (time, opened, high, low, close) in enumerate(candles):
        if not (opened.is_finite() and high.is_finite() and low.is_finite() and close.is_finite()):
            raise ValueError(f"row {row}: a value is not a number")
        if min(opened, high, low, close) <= 0:
            raise ValueError(f"row {row}: a price is not above zero")
        if high < max(opened, close) or low > min(opened, close):
            raise ValueError(f"row {row}: high or low does not enclose open and close")
        if before is not None and time <= before:
            raise ValueError(f"row {row}: times are not strictly rising")
        before = time


# ---------------------------------------------------------------- the run


@dataclass
class Cell:
    floor: Decimal
    roof: Decimal
    full: bool = False
    resting: bool = False  # has an order out
    waiting: bool = False  # start = wait: no buy before the price has been above the floor
    quantity: Decimal = ZERO  # full: what it sells; empty: what it buys
    cost: Decimal = ZERO  # full: what that cost
    held: Decimal = ZERO  # quote held by its resting buy


class Run:
    def __init__(self, job: GridJob, lines: list[Decimal]) -> None:
        self.job = job
        self.lines = lines
        self.cells: list[Cell] = []
        self.base = job.own_base
        self.quote = job.investment
        self.dust = ZERO
        self.dust_cost = ZERO
        self.grid_profit = ZERO
        self.round_trips = 0
        self.placed = 0
        self.cancelled = 0
        self.refused = 0
        self.fees: dict[str, Decimal] = {}
        self.third_worth = ZERO  # of all fees in a third asset, in quote (NOTES 3)
        self.fills: list[Fill] = []
        self.started = False
        self.finished = False
        self.start_price = ZERO
        self.buy_quantity: list[Decimal] = []
        self.time = 0
        self.in_jump = False
        self.jump_end = ZERO
        self.peak = ZERO
        self.drawdown = Fraction(0)

    # ------------------------------------------------ money

    def mark(self, price: Decimal) -> None:
        """Equity at this point against the highest so far."""
        equity = self.quote + self.base * price - self.third_worth
        if equity > self.peak:
            self.peak = equity
        elif equity < self.peak:
            self.drawdown = max(self.drawdown, 1 - Fraction(equity) / Fraction(self.peak))

    def book(self, side: str, price: Decimal, quantity: Decimal, rate: Decimal, kind: str) -> tuple[Decimal, str]:
        """One fill: balances, fees, the list. Gives the fee and its asset."""
        fee, asset = fee_of(side, price, quantity, rate, self.job.fee_in)
        if side == "buy":
            self.base += quantity
            self.quote -= price * quantity
        else:
            self.base -= quantity
            self.quote += price * quantity
        if asset == "base":
            self.base -= fee
        if asset == "quote":
            self.quote -= fee
        self.fees[asset] = self.fees.get(asset, ZERO) + fee
        self.third_worth += self.worth_in_third(fee, asset)
        self.fills.append((self.time, side, price, quantity, fee, asset, kind))
        if self.base < 0 or self.quote < 0:
            raise RuntimeError("a balance fell below zero")
        return fee, asset

    def worth_in_third(self, fee: Decimal, asset: str) -> Decimal:
        """What a fee in a third asset is worth in quote; nothing for a fee in base or quote."""
        third = third_asset(self.job.fee_in)
        return fee * third[1] if third is not None and asset == third[0] else ZERO

    def market_price(self, side: str, price: Decimal) -> Decimal:
        """The path's price worsened by the slippage, on the tick on the worse side (NOTES 7)."""
        if self.job.slippage == 0:
            return price
        if side == "buy":
            return up(Fraction(price) * (1 + Fraction(self.job.slippage)), self.job.tick)
        return down(Fraction(price) * (1 - Fraction(self.job.slippage)), self.job.tick)

    # ------------------------------------------------ start

    def begin(self, price: Decimal) -> None:  # noqa: C901, PLR0912
        job = self.job
        check_stops(job, price)
        self.started = True
        self.start_price = price
        self.peak = job.investment + job.own_base * price
        empty = empty_line(self.lines, price)
        number_full = job.grids - empty

        # sizes
        opening_each = ZERO
        if job.sizing == "equal_base":
            quantity = equal_base_quantity(job, self.lines, price)
            self.buy_quantity = [quantity] * job.grids
            opening_each = quantity
        else:
            value = equal_quote_value(job, self.lines, price)
            self.buy_quantity = [down(value / Fraction(line), job.lot) for line in self.lines[:-1]]
            opening_each = down(value / Fraction(price), job.lot)
        for index in range(job.grids):
            self.check_size(self.buy_quantity[index], self.lines[index], self.lines[index + 1])
            if job.start != "wait" and index >= empty:
                self.check_size(opening_each, None, self.lines[index + 1])

        # cells
        for index in range(job.grids):
            cell = Cell(floor=self.lines[index], roof=self.lines[index + 1], quantity=self.buy_quantity[index])
            if index >= empty:
                if job.start == "wait":
                    cell.waiting = True
                else:
                    cell.full = True
            self.cells.append(cell)

        # the opening
        if number_full > 0 and job.start == "market":
            wanted = opening_each * number_full
            paid_price = self.market_price("buy", price)
            fee, asset = fee_of("buy", paid_price, wanted, job.taker_fee, job.fee_in)
            needed = paid_price * wanted + (fee if asset == "quote" else ZERO)
            if needed > self.quote:
                raise ValueError("the opening purchase is not covered by the investment")
            if paid_price * wanted < job.min_notional:
                raise ValueError("investment too small: the opening purchase is under the minimum notional")
            self.placed += 1
            self.book("buy", paid_price, wanted, job.taker_fee, "opening")
            received = wanted - fee if asset == "base" else wanted
            self.share_out(received, needed + self.worth_in_third(fee, asset), empty)
            self.mark(price)
        if number_full > 0 and job.start == "own":
            wanted = opening_each * number_full
            if wanted > job.own_base:
                raise ValueError("own_base does not cover the cells above the price")
            self.share_out(wanted, wanted * price, empty)

        # the orders: from the highest line down (NOTES 6)
        for cell in reversed(self.cells):
            if cell.full:
                cell.resting = True
                self.placed += 1
            elif not cell.waiting:
                self.place_buy(cell, price)

    def check_size(self, quantity: Decimal, buy_price: Decimal | None, roof: Decimal) -> None:
        """A full cell whose sell would be under the minimum notional cannot exist."""
        minimum = self.job.min_notional
        sold = down(Fraction(quantity) * (1 - base_fee(self.job)), self.job.lot)
        lowest = self.lines[0] if self.job.sizing == "equal_base" else buy_price
        if sold <= 0 or sold * roof < minimum or (lowest is not None and quantity * lowest < minimum):
            raise ValueError("investment too small: an order would be under the minimum notional")

    def share_out(self, pool: Decimal, pool_cost: Decimal, empty: int) -> None:
        """Each full cell gets floor(received/n), spare lots one each from the lowest roof up."""
        full = self.cells[empty:]
        each = down(Fraction(pool) / len(full), self.job.lot)
        spare_lots = floor(Fraction(pool - each * len(full)) / Fraction(self.job.lot))
        self.dust = pool
        self.dust_cost = pool_cost
        for position, cell in enumerate(full):
            cell.quantity = each + (self.job.lot if position < spare_lots else ZERO)
            cell.cost = share_of_cost(pool_cost, cell.quantity, pool)
            self.dust -= cell.quantity
            self.dust_cost -= cell.cost

    # ------------------------------------------------ orders of cells

    def free_quote(self) -> Decimal:
        return self.quote - sum((cell.held for cell in self.cells), ZERO)

    def place_buy(self, cell: Cell, path_price: Decimal) -> None:
        """A buy at the floor, if it is covered; one that is crossed on arrival fills at once as taker."""
        crossed = cell.floor >= path_price
        rate = self.job.taker_fee if crossed else self.job.maker_fee
        needed = cell.floor * cell.quantity
        fee, asset = fee_of("buy", cell.floor, cell.quantity, rate, self.job.fee_in)
        if asset == "quote":
            needed += fee
        if needed > self.free_quote():
            self.refused += 1  # asked again after the next fill (NOTES 6)
            return
        self.placed += 1
        if crossed:
            self.buy_filled(cell, path_price, path_price, rate)
            return
        cell.resting = True
        cell.held = needed

    def buy_filled(self, cell: Cell, price: Decimal, path_price: Decimal, rate: Decimal) -> None:
        bought = cell.quantity
        cell.held = ZERO
        fee, asset = self.book("buy", price, bought, rate, "cell")
        pool = bought + self.dust - (fee if asset == "base" else ZERO)
        pool_cost = price * bought + self.dust_cost + (fee if asset == "quote" else ZERO)
        pool_cost += self.worth_in_third(fee, asset)
        cell.quantity = down(Fraction(pool), self.job.lot)
        cell.cost = share_of_cost(pool_cost, cell.quantity, pool)
        self.dust = pool - cell.quantity
        self.dust_cost = pool_cost - cell.cost
        cell.full = True
        cell.resting = True  # its sell at the roof, active from this point of the path on
        self.placed += 1
        self.mark(path_price)

    def sell_filled(self, index: int, path_price: Decimal) -> None:
        cell = self.cells[index]
        sold = cell.quantity
        fee, asset = self.book("sell", cell.roof, sold, self.job.maker_fee, "cell")
        proceeds = cell.roof * sold - (fee if asset == "quote" else ZERO)
        proceeds -= self.worth_in_third(fee, asset)
        self.grid_profit += proceeds - cell.cost
        self.round_trips += 1
        cell.full = False
        cell.resting = False
        cell.cost = ZERO
        cell.quantity = self.buy_quantity[index]
        self.mark(path_price)
        self.place_buy(cell, path_price)

    def ask_again(self, path_price: Decimal) -> None:
        """Buys that found no free funds are tried again after a fill, the highest first (NOTES 6)."""
        for cell in reversed(self.cells):
            if not cell.full and not cell.resting and not cell.waiting:
                self.place_buy(cell, path_price)

    # ------------------------------------------------ exit

    def leave(self, path_price: Decimal, kind: str) -> None:
        """Cancel all, then sell at market (or hold). Inside a jump the sale fills at the jump's end."""
        self.finished = True
        for cell in self.cells:
            if cell.resting:
                cell.resting = False
                cell.held = ZERO
                self.cancelled += 1
        if self.job.on_exit == "hold":
            return
        at = self.jump_end if self.in_jump else path_price
        price = self.market_price("sell", at)
        quantity = down(Fraction(self.base), self.job.lot)
        if quantity <= 0 or price * quantity < self.job.min_notional:
            return
        self.placed += 1
        self.book("sell", price, quantity, self.job.taker_fee, kind)
        self.mark(at)

    # ------------------------------------------------ the path

    def falling(self, begin: Decimal, end: Decimal) -> None:
        """Buys in falling order of price; a stop-loss at the same point comes first."""
        beyond = self.job.tick if self.job.fill == "through" else ZERO
        position = begin
        stop = self.job.stop_loss
        while not self.finished:
            chosen: Cell | None = None
            point = ZERO
            for cell in self.cells:
                if cell.resting and not cell.full:
                    touched = cell.floor - beyond
                    if end <= touched <= position and (chosen is None or touched > point):
                        chosen = cell
                        point = touched
            if stop is not None and end <= stop <= position and (chosen is None or stop >= point):
                self.leave(stop, "stop_loss")
                return
            if chosen is None:
                return
            position = point
            self.buy_filled(chosen, chosen.floor, position, self.job.maker_fee)
            self.ask_again(position)

    def rising(self, begin: Decimal, end: Decimal) -> None:
        """Sells in rising order of price; a take-profit at the same point comes first."""
        beyond = self.job.tick if self.job.fill == "through" else ZERO
        position = begin
        target = self.job.take_profit
        while not self.finished:
            chosen = -1
            point = ZERO
            for index, cell in enumerate(self.cells):
                if cell.resting and cell.full:
                    touched = cell.roof + beyond
                    if position <= touched <= end and (chosen < 0 or touched < point):
                        chosen = index
                        point = touched
            if target is not None and position <= target <= end and (chosen < 0 or target <= point):
                self.above_floors(target)
                self.leave(target, "take_profit")
                return
            if chosen < 0:
                break
            self.above_floors(point)
            position = point
            self.sell_filled(chosen, position)
            self.ask_again(position)
        self.above_floors(end)

    def above_floors(self, price: Decimal) -> None:
        """start = wait: the buys whose floor the price has now risen above are placed, from the lowest up."""
        for cell in self.cells:
            if cell.waiting and price > cell.floor:
                cell.waiting = False
                self.place_buy(cell, price)

    def segment(self, begin: Decimal, end: Decimal, is_jump: bool) -> None:
        self.in_jump = is_jump
        self.jump_end = end
        if self.finished:
            return
        if not self.started:
            trigger = self.job.trigger_price
            if trigger is None or not min(begin, end) <= trigger <= max(begin, end):
                return
            begin = end if is_jump else trigger  # NOTES 8
            self.begin(begin)
        if end < begin:
            self.falling(begin, end)
        elif end > begin:
            self.rising(begin, end)


def walk_of(candle: Candle, path: str) -> list[Decimal]:
    """O-L-H-C where C >= O, else O-H-L-C; reversed takes the other order."""
    _, opened, high, low, close = candle
    low_first = close >= opened
    if path == "reversed":
        low_first = not low_first
    return [opened, low, high, close] if low_first else [opened, high, low, close]


def hold_variants(job: GridJob, price: Decimal, last: Decimal) -> dict[str, Decimal]:
    """What holding would have made, under each reading of the sentence (NOTES 10)."""
    money = Fraction(job.investment)
    fee = Fraction(job.taker_fee)
    at = Fraction(price)
    whole = down(money / at, job.lot)
    less_fee = whole - up(Fraction(whole) * fee, EIGHT)
    return {
        "fee_off_then_lot": down(money * (1 - fee) / at, job.lot) * last - job.investment,
        "lot_then_fee_off": less_fee * last - job.investment,
        "lot_then_fee_off_with_change": less_fee * last + (job.investment - whole * price) - job.investment,
        "fee_on_top_then_lot": down(money / (1 + fee) / at, job.lot) * last - job.investment,
        "no_fee": whole * last - job.investment,
    }


def hold_profit(job: GridJob, price: Decimal, last: Decimal) -> Decimal:
    variants = hold_variants(job, price, last)
    if job.fee_in == "received":
        return variants["fee_off_then_lot"]
    if job.fee_in == "quote":
        return variants["fee_on_top_then_lot"]
    return variants["no_fee"]


def run(job: GridJob, candles: Sequence[Candle]) -> dict[str, Any]:
    with localcontext(exact_context()):
        return calculate(job, candles)


def calculate(job: GridJob, candles: Sequence[Candle]) -> dict[str, Any]:
    check_candles(candles)
    first_open = candles[0][1]
    lines = check_job(job, first_open)
    run_state = Run(job, lines)
    run_state.time = candles[0][0]

    if job.trigger_price is None or job.trigger_price == first_open:
        run_state.begin(first_open)

    before: Decimal | None = None
    for candle in candles:
        run_state.time = candle[0]
        points = walk_of(candle, job.path)
        if before is not None:
            run_state.segment(before, points[0], is_jump=True)
        for begin, end in pairwise(points):
            run_state.segment(begin, end, is_jump=False)
        before = points[-1]
        if run_state.started:
            run_state.mark(before)

    last = candles[-1][4]
    start_price = run_state.start_price if run_state.started else first_open
    equity_start = job.investment + job.own_base * start_price
    equity_end = run_state.quote + run_state.base * last - run_state.third_worth
    total = equity_end - equity_start
    return {
        "fills": len(run_state.fills),
        "round_trips": run_state.round_trips,
        "orders_placed": run_state.placed,
        "orders_cancelled": run_state.cancelled,
        "orders_refused": run_state.refused,
        "fees": run_state.fees,
        "base": run_state.base,
        "quote": run_state.quote,
        "dust": run_state.dust,
        "dust_cost": run_state.dust_cost,
        "equity_start": equity_start,
        "equity_end": equity_end,
        "total_profit": total,
        "grid_profit": run_state.grid_profit,
        "trend_profit": total - run_state.grid_profit,
        "hold_profit": hold_profit(job, start_price, last) if run_state.started else ZERO,
        "hold_variants": hold_variants(job, start_price, last),
        "max_drawdown": as_decimal(run_state.drawdown),
        "start_price": start_price,
        "lines": lines,
        "buy_quantity": run_state.buy_quantity,
        "resting": [
            ("sell", cell.roof, cell.quantity) if cell.full else ("buy", cell.floor, cell.quantity)
            for cell in run_state.cells
            if cell.resting
        ],
        "fill_list": run_state.fills,
    }


def as_decimal(value: Fraction) -> Decimal:
    with localcontext(Context(prec=50)):
        return Decimal(value.numerator) / Decimal(value.denominator)


# ---------------------------------------------------------------- files


def read_candles(path: Path | str, first: int | None = None, last: int | None = None) -> list[Candle]:
    """A Parquet file of the data set; times in ms, both ends included; prices by their shortest text."""
    table = parquet.read_table(path, columns=["timestamp", "open", "high", "low", "close"])
    columns = [table.column(name).to_pylist() for name in ("timestamp", "open", "high", "low", "close")]
    candles: list[Candle] = []
    for time, opened, high, low, close in zip(*columns, strict=True):
        if (first is None or time >= first) and (last is None or time <= last):
            prices = [Decimal(repr(price)) for price in (opened, high, low, close)]
            candles.append((int(time), prices[0], prices[1], prices[2], prices[3]))
    return candles


def plain(value: Decimal) -> str:
    """Plain decimals, no exponent, no trailing zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
