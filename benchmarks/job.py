"""The job that every contender does: one grid, one fee, one year of one-minute candles.

Standard library only, because the peers import it inside their own environments.

The rules are those of AutoGrid's grid with `start = market`, `sizing = equal_base` and fees taken in quote
(the one way of taking fees that all contenders know):

- 50 geometric cells between 0.7 and 1.4 times the start; lines rounded half-even to the tick;
- the first line above the start carries no order: below it every cell waits to buy at its floor, from it
  upwards every cell is full and waits to sell at its roof; what those hold is bought in one order at the
  start price;
- a fill is answered at once by the counter-order of the same cell, so exactly one line is always without an
  order, and the whole state of the grid is which one: after a fill it is the line that was filled.
"""

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal, localcontext


@dataclass(frozen=True, slots=True)
class Job:
    """One grid on one tape. Money and prices in quote, shares as fractions."""

    candles: int = 525_600
    """Number of one-minute candles."""
    seed: int = 29
    """Seed of the tape, see `candles.made_up`."""
    start: Decimal = Decimal("30000.00")
    """Open of the first candle."""
    lower_share: Decimal = Decimal("0.7")
    upper_share: Decimal = Decimal("1.4")
    grids: int = 50
    investment: Decimal = Decimal(10000)
    reserve: Decimal = Decimal("0.02")
    """Share of the investment that stays unused."""
    fee: Decimal = Decimal("0.001")
    tick: Decimal = Decimal("0.01")
    lot: Decimal = Decimal("0.00001")

    @property
    def lower(self) -> Decimal:
        """Lower bound in quote."""
        return (self.start * self.lower_share).quantize(self.tick)

    @property
    def upper(self) -> Decimal:
        """Upper bound in quote."""
        return (self.start * self.upper_share).quantize(self.tick)


@dataclass(frozen=True, slots=True)
class Grid:
    """What the job comes to in numbers a peer can use."""

    lines: tuple[Decimal, ...]
    """The `grids + 1` prices, rising."""
    empty_line: int
    """Index of the one line that carries no order at the start."""
    quantity: Decimal
    """Base bought and sold by each cell, a whole number of lots."""

    @property
    def full_cells(self) -> int:
        """Cells that hold their base from the start on."""
        return len(self.lines) - 1 - self.empty_line

    def ticks(self, tick: Decimal) -> tuple[int, ...]:
        """The lines as whole numbers of ticks."""
        return tuple(int(line / tick) for line in self.lines)

    def lots(self, lot: Decimal) -> int:
        """The quantity of a cell as a whole number of lots."""
        return int(self.quantity / lot)


def grid_of(job: Job) -> Grid:
    """The lines, the empty line and the size of a cell, by the rules of `grid.md` in Decimal."""
    with localcontext() as context:
        context.prec = 40
        ratio = (job.upper / job.lower) ** (1 / Decimal(job.grids))
        exact = (job.lower * ratio**i for i in range(job.grids + 1))
        lines = tuple(price.quantize(job.tick, ROUND_HALF_EVEN) for price in exact)
        above = sum(1 for line in lines if line < job.start)
        empty_line = min(above, job.grids)
        buys = sum(lines[:empty_line], Decimal(0))
        worth = buys + (job.grids - empty_line) * job.start
        quantity = job.investment * (1 - job.reserve) / (1 + job.fee) / worth
        return Grid(lines, empty_line, quantity.quantize(job.lot, ROUND_DOWN))
