"""Infinity: a grid without a top, whose coins are worth the same V at every line.

Lines lie at L, L(1 + step), L(1 + step)², and so on. The one nearest to the price at start begins without an order and
with the coins worth V at that price. Between two other neighbouring lines the coins worth V change by V·step/roof:
that is what a cell trades. Only a few cells above the price are open; the coins of all the others are kept in a store,
and a cell opens on top as one sells.
"""

from decimal import Decimal
from typing import Final

from autogrid.trading.ledger import Pool
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, Amount
from autogrid.trading.strategies.grid.config import GridSettings
from autogrid.trading.strategies.grid.memory import Cell, GridMemory, new_cell
from autogrid.trading.strategies.grid.sizing import AHEAD, endless_lines, free_line, held_shares, least_for, line_at

SLIP: Final = Decimal("1e-40")
"""More than a quotient of sixty digits is off by, and less than any lot: whole lots stay whole."""


def opened(settings: GridSettings, market: Market, memory: GridMemory) -> GridMemory:
    """`memory` with its cells below the price, and all that the opening brought in the cells above and the store."""
    price = memory.start_price or ZERO
    lines = endless_lines(settings, market, price)
    free, value = free_line(lines, price), _value(memory)
    shares = held_shares(lines, price)
    cells: dict[str, Cell] = {}
    for number in range(free):
        quantity = market.quantity(value * (shares[number] - shares[number + 1]) + SLIP)
        cells[str(number)] = new_cell(str(number), lines[number], lines[number + 1], quantity, "empty")
    store = Pool(memory.opening.received, memory.opening.paid)
    extras = memory.extras._replace(high=free, store=store)
    memory = memory._replace(stage="running", cells=cells, extras=extras)
    return extended(memory, settings, market)


def _value(memory: GridMemory) -> Amount:
    """The worth of coins that is kept at every line: what was to be bought at the start."""
    return memory.opening.wanted * (memory.start_price or ZERO)


def extended(memory: GridMemory, settings: GridSettings, market: Market) -> GridMemory:
    """`memory` with cells opened out of the store until so many as should are full; the same object where none is."""
    full = sum(cell.phase == "full" for cell in memory.cells.values())
    value = _value(memory)
    while full < AHEAD:
        wider = _open(memory, settings, market, value)
        if wider is memory:
            break
        memory, full = wider, full + 1
    return memory


def _open(memory: GridMemory, settings: GridSettings, market: Market, value: Amount) -> GridMemory:
    """`memory` with one more full cell on top; the same object where the coins do not do.

    It sells what leaves `value` in coins once all open cells have sold: so no rounding, nor the opening's fee, adds up.
    Where the store holds less than that, it sells what a cell trades.
    """
    extras = memory.extras
    number, store, start = extras.high, extras.store, memory.start_price or ZERO
    floor, roof = line_at(settings, market, number), line_at(settings, market, number + 1)
    is_first = all(cell.phase == "empty" and not cell.cycle for cell in memory.cells.values())
    exact = value / (start if is_first else floor) - value / roof
    least, quantity = least_for(floor, roof, market), market.quantity(exact + SLIP)
    if quantity < least <= quantity + market.lot:
        quantity = least  # no more than a lot is missing: what a rounded sale brought pays for it
    stock = market.quantity(max(store.base - value / roof, ZERO))
    if stock < market.least_quantity(roof):
        stock = quantity
    if stock > store.base or quantity < least:
        return memory
    cost, rest = store.draw(stock)
    name = str(number)
    cell: Cell = new_cell(name, floor, roof, quantity, "full")._replace(stock=stock, cost=cost)
    later = extras.later if memory.cells == {} or not memory.round_trips else {**extras.later, name: cell.buy_slot}
    return memory._replace(
        cells={**memory.cells, name: cell}, extras=extras._replace(high=number + 1, store=rest, later=later)
    )
