"""What a grid remembers: its cells, its left-over coins, and how far its start or its end has come."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from autogrid.trading.event import Filled
from autogrid.trading.ledger import Ledger, Pool, earned_by, paid_for, received_of
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, Amount, Price, Quantity, part_of
from autogrid.trading.order import Order

Phase = Literal["waiting", "empty", "opening", "full"]
Stage = Literal["new", "triggered", "opening", "running", "exiting", "ended"]

NO_POOL: Final = Pool(ZERO, ZERO)


class Cell(NamedTuple):
    """The room between two lines: empty it waits to buy at its floor, full it waits to sell at its roof."""

    name: str
    """Part of its slots; a number that is never given twice in a bot."""
    floor: Price
    roof: Price
    quantity: Quantity
    """What it buys, in base."""
    phase: Phase
    """`waiting`: empty, and its buy is placed once the price is above its floor."""
    cycle: int
    """How many times it has sold."""
    stock: Quantity
    """What it sells, while full."""
    cost: Amount
    """What that stock cost, in quote."""
    bought: Quantity
    """Filled of this cycle's buy."""
    received: Quantity
    """Of that, after fees in base."""
    paid: Amount
    """For that, with fees in quote and in third assets."""
    sold: Quantity
    """Filled of this cycle's sell."""
    earned: Amount
    """For that, after fees."""
    topped: Quantity = ZERO
    """What this cycle's buy takes beyond its quantity, because the rest alone was too small to order."""

    @property
    def wanted(self) -> Quantity:
        """What this cycle's buy takes in all."""
        return self.quantity + self.topped

    @property
    def buy_slot(self) -> str:
        """The slot of this cycle's buy."""
        return f"{self.name}-{self.cycle}b"

    @property
    def sell_slot(self) -> str:
        """The slot of this cycle's sell."""
        return f"{self.name}-{self.cycle}s"


def new_cell(name: str, floor: Price, roof: Price, quantity: Quantity, phase: Phase) -> Cell:
    """A cell that has not traded."""
    return Cell(name, floor, roof, quantity, phase, 0, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO)


class Opening(NamedTuple):
    """The purchase at the start, in up to three tries."""

    wanted: Quantity
    tries: int
    bought: Quantity
    received: Quantity
    paid: Amount


NO_OPENING: Final = Opening(ZERO, 0, ZERO, ZERO, ZERO)


class Growth(NamedTuple):
    """What changes the size of one cell when its next cycle begins."""

    due: Quantity = ZERO
    """Base that its buy takes more (below zero: less) since funds were put in or taken out."""
    gain: Amount = ZERO
    """Its profit, in quote, that is not put into its size yet."""
    put: Amount = ZERO
    """Its profit, in quote, that is."""


class GridExtras(NamedTuple):
    """What the choices beside the plain grid remember."""

    low: int = 0
    """Steps by which the lowest line stands above `lower` (trailing); below zero: beneath it."""
    high: int = 0
    """Steps by which the highest line stands above `upper`; of an infinity grid: the number of its highest line."""
    later: Mapping[str, str] = MappingProxyType({})
    """Cells that were opened while the grid ran, each with the slot that must be free before its first order."""
    growth: Mapping[str, Growth] = MappingProxyType({})
    """By name of the cell."""
    funds: Amount = ZERO
    """Quote put in while the grid ran, less what was taken out."""
    store: Pool = NO_POOL
    """Coins kept aside: an infinity grid's for cells not yet open, a reverse grid's gain."""
    beyond_ms: int | None = None
    """Since when the price is at or below the stop-loss; None: it is not, or the stop has no delay."""


PLAIN: Final = GridExtras()


class GridMemory(NamedTuple):
    """All that a grid remembers."""

    stage: Stage
    cells: Mapping[str, Cell]
    """By name, lowest first."""
    pool: Pool
    """Coins left over by rounding, with their cost; every buy takes them along."""
    profit: Amount
    """Of all closed round trips."""
    round_trips: int
    start_price: Price | None
    from_above: bool
    """Whether the price was above the trigger at creation."""
    opening: Opening
    why: str
    """Why it is exiting or has ended."""
    exits: int
    """Orders of the exit that ended without being filled whole."""
    extras: GridExtras = PLAIN


def after_buy(memory: GridMemory, cell: Cell, fill: Filled, market: Market) -> GridMemory:
    """`memory` after a fill of the cell's buy; the cell is full once all it wants is bought."""
    bought = cell.bought + fill.quantity
    received = cell.received + received_of(fill, market)
    paid = cell.paid + paid_for(fill, market)
    if bought >= cell.wanted:
        return fill_cell(memory, cell, received, paid, market)
    cell = cell._replace(bought=bought, received=received, paid=paid)
    return with_cell(memory, cell, memory.pool, memory.profit, memory.round_trips)


def fill_cell(memory: GridMemory, cell: Cell, received: Quantity, paid: Amount, market: Market) -> GridMemory:
    """`memory` with `cell` full of what was received and of what was left over before, in whole lots."""
    dust, dust_cost = memory.pool
    base, worth = received + dust, paid + dust_cost
    stock = base // market.lot * market.lot
    cost = part_of(worth, stock, base)
    rest = Pool(base - stock, worth - cost)
    cell = Cell(
        cell.name, cell.floor, cell.roof, cell.quantity, "full", cell.cycle, stock, cost,
        ZERO, ZERO, ZERO, ZERO, ZERO,
    )  # fmt: skip
    return with_cell(memory, cell, rest, memory.profit, memory.round_trips)


def after_sell(memory: GridMemory, cell: Cell, fill: Filled, market: Market) -> GridMemory:
    """`memory` after a fill of the cell's sell; the cell is empty, and a round trip made, once all is sold."""
    sold = cell.sold + fill.quantity
    earned = cell.earned + earned_by(fill, market)
    if sold < cell.stock:
        cell = Cell(*cell[:11], sold, earned)
        return with_cell(memory, cell, memory.pool, memory.profit, memory.round_trips)
    return empty_cell(memory, cell, memory.pool, cell.cost, earned)


def empty_cell(memory: GridMemory, cell: Cell, pool: Pool, cost: Amount, earned: Amount) -> GridMemory:
    """`memory` after a round trip of `cell` that brought `earned` for what had cost `cost`."""
    cell = Cell(
        cell.name, cell.floor, cell.roof, cell.quantity, "empty", cell.cycle + 1,
        ZERO, ZERO, cell.bought, cell.received, cell.paid, ZERO, ZERO,
    )  # fmt: skip
    return with_cell(memory, cell, pool, memory.profit + earned - cost, memory.round_trips + 1)


def with_cell(memory: GridMemory, cell: Cell, pool: Pool, profit: Amount, round_trips: int) -> GridMemory:
    """`memory` with `cell` as it is now, and with these figures."""
    cells = dict(memory.cells)
    cells[cell.name] = cell
    return GridMemory(memory.stage, cells, pool, profit, round_trips, *memory[5:])


def after_end(memory: GridMemory, cell: Cell, order: Order, market: Market) -> GridMemory:
    """`memory` after an order of `cell` ended before it was filled whole: a rest too small to order is let go."""
    if order.side == "buy" and cell.phase != "full" and cell.bought:
        least = market.least_quantity(cell.floor)
        if cell.wanted - cell.bought >= least:
            return memory
        stock = (cell.received + memory.pool.base) // market.lot * market.lot
        if stock < market.least_quantity(cell.roof):
            cell = cell._replace(topped=cell.bought + least - cell.quantity)
            return with_cell(memory, cell, memory.pool, memory.profit, memory.round_trips)
        return fill_cell(memory, cell, cell.received, cell.paid, market)
    if order.side == "sell" and cell.phase == "full" and cell.sold:
        rest = cell.stock - cell.sold
        if rest >= market.least_quantity(cell.roof):
            return memory
        cost, left = Pool(cell.stock, cell.cost).draw(cell.sold)
        pool = Pool(memory.pool.base + left.base, memory.pool.cost + left.cost)
        return empty_cell(memory, cell, pool, cost, cell.earned)
    return memory


def distribute(opening: Opening, cells: Mapping[str, Cell], market: Market) -> tuple[dict[str, Cell], Pool]:
    """The cells that start full with their shares of what the opening brought, and what is left over.

    Each gets the same whole lots; lots that remain go one each from the lowest roof up; costs by the same proportion.
    Where the opening brought less than was wanted, the lowest cells get all they want and the rest wait to buy.
    """
    filled = [cell for cell in cells.values() if cell.phase == "opening"]
    lot, received = market.lot, opening.received
    each = received // (lot * len(filled)) * lot
    if opening.bought < opening.wanted:
        each = opening.wanted // (lot * len(filled)) * lot
        each -= each - market.quantity(each * (1 - market.most_base_fee))
        enough = int(received // each) if each else 0
        filled, unfilled = filled[:enough], filled[enough:]
    else:
        unfilled = []
    extra = int((received - each * len(filled)) // lot) if opening.bought == opening.wanted else 0
    pool = Pool(received, opening.paid)
    changed = dict(cells)
    for cell in unfilled:
        changed[cell.name] = cell._replace(phase="waiting")
    base, cost = ZERO, ZERO
    for index, cell in enumerate(filled):
        stock = each + lot if index < extra else each
        share = pool.draw(stock).cost
        base, cost = base + stock, cost + share
        changed[cell.name] = cell._replace(phase="full", stock=stock, cost=share)
    return changed, Pool(pool.base - base, pool.cost - cost)


def spare_quote(memory: GridMemory, ledger: Ledger, market: Market) -> Amount:
    """Quote that no cell needs for its buy."""
    found = ledger.quote
    for cell in memory.cells.values():
        if cell.phase != "full":
            found -= market.needed((cell.wanted - cell.bought) * cell.floor)
    return found
