"""A second, independent calculation of the grid's extra choices in a backtest, written from the documents alone.

Trailing up and down, infinity, reverse, reinvest, stops at a total, a stop with a delay. It shares no code with the
engine it is held against, and is meant to be read beside docs/strategies/grid.md: one loop over the candles, one
over the segments of a candle, one over what happens within a segment. Money is exact (the decimal context traps any
rounding; divisions go through Fraction). Settings and lines are in grid_choices_rules.py, the account and its cells in
grid_choices_cells.py, what follows the price in grid_choices_moves.py.

Where the documents leave a choice, the comment says "CHOICES n", which is the number in GRID_CHOICES_NOTES.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from math import floor

from tests.oracle.dca_rules import Market
from tests.oracle.grid_choices_cells import Cell, Fill, Trip
from tests.oracle.grid_choices_moves import Moves
from tests.oracle.grid_choices_rules import (
    OPEN_CELLS,
    Choices,
    check_before,
    check_infinity,
    choices_of,
    infinity_worth,
    nearest_line,
    plain_job,
    too_small,
)
from tests.oracle.grid_oracle import (
    ZERO,
    Candle,
    GridJob,
    check_candles,
    check_stops,
    down,
    empty_line,
    equal_base_quantity,
    equal_quote_value,
    exact_context,
    fee_of,
    share_of_cost,
    walk_of,
)

__all__ = ["Cell", "Choices", "Fill", "Market", "Result", "Trip", "choices_of", "run"]


@dataclass(frozen=True)
class Result:
    fills: list[Fill]
    trips: list[Trip]
    round_trips: int
    base: Decimal
    quote: Decimal
    equity_start: Decimal
    equity_end: Decimal
    grid_profit: Decimal
    total_profit: Decimal
    dust: Decimal
    dust_cost: Decimal
    store: Decimal  # infinity: coins of cells that are not open
    gain: Decimal  # reverse: coins that no cell sells
    stop_loss: Decimal | None  # where it stands at the end
    resting: list[tuple[str, Decimal, Decimal]]  # side, price, quantity, from the lowest cell up
    finished: bool


class Run(Moves):
    """One grid from its first candle to its last."""

    def __init__(self, choices: Choices, market: Market, investment: Decimal, fill: str) -> None:
        super().__init__(choices, market, investment)
        self.beyond = market.tick if fill == "through" else ZERO

    # ------------------------------------------------ start

    def begin(self, price: Decimal) -> None:
        """The grid starts: its cells, its purchase, its orders."""
        self.started = True
        self.start_price = price
        if self.choices.upper is None:
            self.begin_infinity(price)
        else:
            self.begin_range(price, plain_job(self.choices, self.market, self.investment))
        for cell in reversed(list(self.cells)):
            if cell.full:
                self.place_sell(cell)
            elif not cell.waiting:
                self.place_buy(cell, price)
        self.clock(price)
        if not self.total_due(price):
            self.open_beneath(price)
        self.settle(price)

    def open_beneath(self, price: Decimal) -> None:
        """A start whole steps below the range: all cells open first, then buy from the lowest up (CHOICES 8)."""
        opened = 0
        while (cell := self.next_below()) is not None and price <= cell.floor:
            self.cells.insert(0, cell)
            opened += 1
        for cell in self.cells[:opened]:
            self.place_buy(cell, price, "trailing")

    def begin_range(self, price: Decimal, job: GridJob) -> None:
        """A grid with a lower and an upper price."""
        check_stops(job, price)
        lines = [self.lines.at(number) for number in range(job.grids + 1)]
        opening = ZERO
        if job.sizing == "equal_base":
            opening = equal_base_quantity(job, lines, price)
        else:
            self.worth = equal_quote_value(job, lines, price)
            opening = down(self.worth / Fraction(price), job.lot)
        first = self.first_number(price, job.grids)
        lines = [self.lines.at(first + number) for number in range(job.grids + 1)]
        empty = empty_line(lines, price)
        for place, (low, high) in enumerate(pairwise(lines)):
            size = opening if job.sizing == "equal_base" else down(self.worth / Fraction(low), job.lot)
            lowest = lines[0] if job.sizing == "equal_base" else low
            if too_small(self.market, size, lowest, high):
                raise ValueError("investment too small: an order would be under the minimum notional")
            full = place >= empty and job.start != "wait"
            if full and too_small(self.market, opening, high, high):
                raise ValueError("investment too small: a first sell would be under the minimum notional")
            waiting = place >= empty and job.start == "wait"
            self.cells.append(Cell(first + place, low, high, size, full=full, waiting=waiting))
        full_cells = [cell for cell in self.cells if cell.full]
        if full_cells:
            self.share_out(full_cells, *self.coins_at_start(opening * len(full_cells), price))

    def first_number(self, price: Decimal, grids: int) -> int:
        """Which line is the lowest: a trailing grid that starts below the price goes there first (CHOICES 8)."""
        first = 0
        limit = self.choices.trailing_up_limit
        while self.choices.trailing_up:
            cell = self.trailed_cell(first + grids)
            if cell is None or price < cell.roof or (limit is not None and cell.roof > limit):
                break
            first += 1
        return first

    def coins_at_start(self, wanted: Decimal, price: Decimal) -> tuple[Decimal, Decimal]:
        """What the full cells will sell, and its cost: bought at P0, or out of the account."""
        if self.choices.start == "own":
            if wanted > self.choices.own_base:
                raise ValueError("own_base does not cover the cells above the price")
            return wanted, wanted * price
        fee, asset = fee_of("buy", price, wanted, self.market.taker_fee, self.market.fee_in)
        if price * wanted + (fee if asset == "quote" else ZERO) > self.quote:
            raise ValueError("the opening purchase is not covered by the investment")
        if wanted <= 0 or price * wanted < self.market.min_notional:
            raise ValueError("investment too small: the opening purchase is under the minimum notional")
        return self.book("buy", price, wanted, "taker", "opening")

    def share_out(self, full: list[Cell], pool: Decimal, pool_cost: Decimal) -> None:
        """Each full cell gets floor(received/n), spare lots one each from the lowest roof up; the rest is dust."""
        lot = self.market.lot
        each = down(Fraction(pool) / len(full), lot)
        spare_lots = floor(Fraction(pool - each * len(full)) / Fraction(lot))
        self.dust = pool
        self.dust_cost = pool_cost
        for place, cell in enumerate(full):
            cell.coins = each + (lot if place < spare_lots else ZERO)
            cell.cost = share_of_cost(pool_cost, cell.coins, pool)
            self.dust -= cell.coins
            self.dust_cost -= cell.cost

    def begin_infinity(self, price: Decimal) -> None:
        """A grid without a top: coins worth V, cells down to `lower`, and five above the price."""
        check_infinity(self.choices, self.market, price)
        self.worth = infinity_worth(self.choices, self.market, self.investment, price)
        bought = down(self.worth / Fraction(price), self.market.lot)
        self.worth = Fraction(bought) * Fraction(price)  # CHOICES 21
        free = nearest_line(self.lines, price)
        self.cells = [self.infinity_cell(number) for number in range(free)]
        if self.cells:  # up to what is worth V at its floor
            below = self.cells[-1]
            below.size = down(self.worth / Fraction(below.floor) - Fraction(bought), self.market.lot)
        self.store, self.store_cost = self.coins_at_start(bought, price)
        for number in range(free, free + OPEN_CELLS):
            cell = self.infinity_cell(number)
            self.fill_from_store(cell)
            if number == free:  # it buys down to its floor, where the coins were bought (CHOICES 19)
                cell.size = down(Fraction(bought) - self.worth / Fraction(cell.roof), self.market.lot)
            self.cells.append(cell)
        for cell in self.cells:
            least = cell.full and not cell.resting
            if least or too_small(self.market, cell.size, cell.floor, cell.roof):
                raise ValueError("investment too small: an order would be under the minimum notional")

    # ------------------------------------------------ the path

    def falling(self, begin: Decimal, end: Decimal) -> None:
        """Buys in falling order of price; at one point ends come first, then fills, then steps of the range."""
        position = begin
        while not self.finished:
            due: list[tuple[Decimal, int, str]] = []
            for price, kind in self.ending_below():
                due.append((min(price, position), 2, kind))
            for place, cell in enumerate(self.cells):
                touched = cell.floor - self.beyond
                if cell.resting and not cell.full and touched <= position:
                    due.append((touched, 1, str(place)))
            below = None if self.waits_for_end() else self.next_below()
            if below is not None:
                due.append((min(below.floor, position), 0, ""))
            due = [row for row in due if row[0] >= end]
            if not due:
                return
            position, rank, name = max(due)
            if rank == 2:
                self.leave(position, name)
            elif rank == 1:
                cell = self.cells[int(name)]
                cell.resting = False
                self.buy_filled(cell, cell.floor, "maker")
                self.ask_again(position)
                self.settle(position)
            else:
                self.settle(position)

    def rising(self, begin: Decimal, end: Decimal) -> None:
        """Sells in rising order of price; at one point ends come first, then fills, then steps of the range."""
        position = begin
        while not self.finished:
            due: list[tuple[Decimal, int, str]] = []
            for price, kind in self.ending_above():
                due.append((max(price, position), 0, kind))
            for place, cell in enumerate(self.cells):
                touched = cell.roof + self.beyond
                if cell.resting and cell.full and touched >= position:
                    due.append((touched, 1, str(place)))
            above = None if self.waits_for_end() else self.next_above()
            if above is not None:
                due.append((max(above.roof, position), 2, ""))
            due = [row for row in due if row[0] <= end]
            if not due:
                break
            position, rank, name = min(due)
            self.above_floors(position)
            if rank == 0:
                self.leave(position, name)
            elif rank == 1:
                self.sell_filled(self.cells[int(name)], position)
                self.ask_again(position)
                self.settle(position)
            else:
                self.settle(position)
        if not self.finished:
            self.above_floors(end)

    def segment(self, begin: Decimal, end: Decimal, *, is_jump: bool) -> None:
        """A straight piece of the path; a jump is one too, but what is decided by price waits for its end."""
        self.in_jump = is_jump
        self.jump_end = end
        if self.finished:
            return
        if not self.started:
            trigger = self.choices.trigger_price
            if trigger is None or not min(begin, end) <= trigger <= max(begin, end):
                return
            begin = end if is_jump else trigger
            self.begin(begin)
        if end < begin:
            self.falling(begin, end)
        elif end > begin:
            self.rising(begin, end)
        self.arrive(end)

    def arrive(self, end: Decimal) -> None:
        """The end of a segment: the clock of the stop-loss, and what is due there."""
        if self.finished:
            return
        self.clock(end)
        if self.in_jump:
            if self.below_since is not None and self.time - self.below_since >= self.choices.stop_for * 1000:
                self.leave(end, "stop_loss")
                return
            self.ask_again(end, lowest_first=True)  # CHOICES 13
        self.settle(end)


def run(
    config: Mapping[str, str],
    candles: Sequence[Candle],
    market: Market,
    investment: Decimal,
    *,
    backwards: bool = False,
    fill: str = "touch",
    moves_in_jumps: bool = False,
) -> Result:
    """The whole backtest; ValueError says why it is refused. `moves_in_jumps` is the other reading of CHOICES 10."""
    with localcontext(exact_context()):
        state = Run(choices_of(config), market, investment, fill)
        state.moves_in_jumps = moves_in_jumps
        return calculate(state, candles, backwards=backwards)


def calculate(state: Run, candles: Sequence[Candle], *, backwards: bool) -> Result:
    """One loop over the candles, within it one over the four pieces of the path."""
    choices = state.choices
    check_candles(candles)
    first_open = candles[0][1]
    check_before(choices, state.market, state.investment, first_open)
    state.time = candles[0][0]
    if choices.trigger_price is None or choices.trigger_price == first_open:
        state.begin(first_open)
    before: Decimal | None = None
    for index, candle in enumerate(candles):
        state.index = index
        state.time = candle[0]
        points = walk_of(candle, "reversed" if backwards else "normal")
        if before is not None:
            state.segment(before, points[0], is_jump=True)
        for begin, end in pairwise(points):
            state.segment(begin, end, is_jump=False)
        before = points[-1]
    return result_of(state, first_open, candles[-1][4])


def result_of(state: Run, first_open: Decimal, last: Decimal) -> Result:
    """What a run gives; a grid that did not start is worth what it was."""
    if not state.started:
        state.start_price = first_open
    put_in = state.put_in()
    equity = state.worth_at(last)
    return Result(
        fills=state.fills,
        trips=state.trips,
        round_trips=len(state.trips),
        base=state.base,
        quote=state.quote,
        equity_start=put_in,
        equity_end=equity,
        grid_profit=state.grid_profit,
        total_profit=equity - put_in,
        dust=state.dust,
        dust_cost=state.dust_cost,
        store=state.store,
        gain=state.gain,
        stop_loss=state.stop_level(),
        resting=[
            ("sell", cell.roof, cell.coins) if cell.full else ("buy", cell.floor, cell.size)
            for cell in state.cells
            if cell.resting
        ],
        finished=state.finished,
    )
