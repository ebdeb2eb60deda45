"""What the grid-choices oracle does by the price: the range that follows it, the stops, the exit.

It shares no code with the engine. Where the documents leave a choice, the comment says "CHOICES n", which is the
number in GRID_CHOICES_NOTES.md; "NOTES n" is a number of the plain grid's NOTES.md.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from tests.oracle.dca_rules import Market
from tests.oracle.grid_choices_cells import Cell, Cells
from tests.oracle.grid_choices_rules import Choices, fee_on_top
from tests.oracle.grid_oracle import ZERO, down, up


class Moves(Cells):
    """Cells whose range may follow the price, and that may end."""

    def __init__(self, choices: Choices, market: Market, investment: Decimal) -> None:
        super().__init__(choices, market, investment)
        self.started = False
        self.finished = False
        self.start_price = ZERO
        self.in_jump = False
        self.moves_in_jumps = False
        self.jump_end = ZERO
        self.time = 0  # open time of the candle, in ms
        self.below_since: int | None = None  # stop_for: open time of the candle in which the stop was reached

    # ------------------------------------------------ a range that follows the price

    def next_above(self) -> Cell | None:
        """The cell that would open on top, if one may."""
        if not self.choices.trailing_up or not any(not cell.full for cell in self.cells):
            return None
        cell = self.trailed_cell(self.cells[-1].number + 1)
        limit = self.choices.trailing_up_limit
        if cell is None or (limit is not None and cell.roof > limit):
            return None
        return cell

    def next_below(self) -> Cell | None:
        """The cell that would open beneath, if one may and its quote is there (CHOICES 11)."""
        if not self.choices.trailing_down:
            return None
        cell = self.trailed_cell(self.cells[0].number - 1)
        limit, stop = self.choices.trailing_down_limit, self.stop_level()
        if cell is None or (limit is not None and cell.floor < limit) or (stop is not None and cell.floor <= stop):
            return None
        role = "taker" if self.choices.crossed == "send" else "maker"
        return cell if self.spare_quote() >= self.need(cell, role) else None

    def waits_for_end(self) -> bool:
        """Whether the range moves only where the segment ends: in a jump, unless told otherwise (CHOICES 10)."""
        return self.in_jump and not self.moves_in_jumps

    def step_up(self, cell: Cell, path: Decimal) -> None:
        """The lowest empty cell goes, a new one waits to buy at the old highest line."""
        gone = next(one for one in self.cells if not one.full)
        self.cells.remove(gone)
        self.cells.append(cell)
        if self.choices.reinvest:
            self.take_over(cell, gone)
        self.place_buy(cell, path)
        self.ask_again(path)

    def take_over(self, cell: Cell, gone: Cell) -> None:
        """What was put into the cell that went enlarges the new one: floor((v + put in)/floor) (CHOICES 17)."""
        cell.put_in = gone.put_in
        cell.pending = gone.pending
        value = self.worth + Fraction(gone.put_in) / fee_on_top(self.market)
        cell.size = down(value / Fraction(cell.floor), self.market.lot)

    def step_down(self, cell: Cell, path: Decimal) -> None:
        """A cell opens beneath the range and buys at once, at its line or better."""
        self.cells.insert(0, cell)
        self.place_buy(cell, path, "trailing")
        self.ask_again(path)

    def follow(self, path: Decimal) -> bool:
        """One step of the range, if the price is a whole step beyond it (CHOICES 10)."""
        if self.waits_for_end() and path != self.jump_end:
            return False
        above = self.next_above()
        if above is not None and path >= above.roof:
            self.step_up(above, path)
            return True
        below = self.next_below()
        if below is not None and path <= below.floor:
            self.step_down(below, path)
            return True
        return False

    # ------------------------------------------------ stops

    def stop_level(self) -> Decimal | None:
        """The stop-loss, as many steps higher as the lowest line, never lower than configured (CHOICES 6)."""
        stop = self.choices.stop_loss
        if stop is None or not self.choices.trailing_up or not self.cells:
            return stop
        return self.lines.moved(stop, max(0, self.cells[0].number))

    def put_in(self) -> Decimal:
        """All that was put in: the investment, and own coins at P0."""
        return self.investment + self.choices.own_base * self.start_price

    def worth_at(self, price: Decimal) -> Decimal:
        """Quote and all coins at a price, with no fee for a sale."""
        return self.quote + self.base * price - self.third_worth

    def total_due(self, price: Decimal) -> str:
        """The total stop that is reached at a price, by name; empty if none is."""
        put_in, worth = self.put_in(), self.worth_at(price)
        profit, loss = self.choices.total_profit_stop, self.choices.total_loss_stop
        if profit is not None and worth >= put_in * (1 + profit):
            return "total_profit"
        if loss is not None and worth <= put_in * (1 - loss):
            return "total_loss"
        return ""

    def total_level(self, share: Decimal | None, *, rising: bool) -> Decimal | None:
        """The first tick at which the total reaches that share of what was put in (CHOICES 2)."""
        if share is None or self.base == 0:
            return None
        wanted = Fraction(self.put_in()) * (1 + Fraction(share))
        price = (wanted - Fraction(self.quote - self.third_worth)) / Fraction(self.base)
        return up(price, self.market.tick) if rising else down(price, self.market.tick)

    def ending_above(self) -> list[tuple[Decimal, str]]:
        """The prices above at which the grid would end, with the reason."""
        rows = [(self.choices.take_profit, "take_profit")]
        rows.append((self.total_level(self.choices.total_profit_stop, rising=True), "total_profit"))
        return [(price, kind) for price, kind in rows if price is not None]

    def ending_below(self) -> list[tuple[Decimal, str]]:
        """The prices below at which the grid would end, with the reason; a stop that must wait is not among them."""
        loss = self.choices.total_loss_stop
        rows = [(self.total_level(None if loss is None else -loss, rising=False), "total_loss")]
        if self.choices.stop_for == 0:
            rows.append((self.stop_level(), "stop_loss"))
        return [(price, kind) for price, kind in rows if price is not None]

    def clock(self, price: Decimal) -> None:
        """stop_for: since when the price stands at or below the stop-loss, by candles' open times (CHOICES 7)."""
        stop = self.stop_level()
        if stop is None or price > stop:
            self.below_since = None
        elif self.below_since is None:
            self.below_since = self.time

    def leave(self, path: Decimal, kind: str) -> None:
        """Take all orders out, then sell at market (or hold). Inside a jump the sale fills at the jump's end."""
        self.finished = True
        for cell in self.cells:
            cell.resting = False
            cell.held = ZERO
        if self.choices.on_exit == "hold":
            return
        price = self.jump_end if self.in_jump else path
        quantity = down(Fraction(self.base), self.market.lot)
        if quantity > 0 and price * quantity >= self.market.min_notional:
            self.book("sell", price, quantity, "taker", kind)

    def settle(self, path: Decimal) -> None:
        """What is due at a point of the path, whichever way it came: totals first, then steps of the range."""
        while not self.finished:
            kind = self.total_due(path)
            if kind:
                self.leave(path, kind)
                return
            if not self.follow(path):
                return
