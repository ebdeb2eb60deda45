"""Infinity: a grid without a top, whose coins are worth the same V at every line.

Lines lie at L, L(1 + step), L(1 + step)², and so on. Between two neighbouring lines the coins that are worth V change
by V·step/roof: that is what a cell trades. Only a few cells above the price are open; the coins of all the others are
kept in a store, and a cell opens on top as one sells.
"""

from autogrid.trading.ledger import Pool
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, Amount
from autogrid.trading.strategies.grid_config import GridSettings
from autogrid.trading.strategies.grid_memory import Cell, GridMemory, new_cell
from autogrid.trading.strategies.grid_sizing import AHEAD, endless_lines, endless_sizes, kept_value, line_at


def opened(settings: GridSettings, market: Market, investment: Amount, memory: GridMemory) -> GridMemory:
    """`memory` with its cells below the price, and all that the opening brought in the cells above and the store."""
    price = memory.start_price or ZERO
    lines = endless_lines(settings, market, price)
    sizes = endless_sizes(settings, market, investment, price)
    cells = {str(i): new_cell(str(i), lines[i], lines[i + 1], sizes.buys[i], "empty") for i in range(sizes.empty)}
    store = Pool(memory.opening.received, memory.opening.paid)
    extras = memory.extras._replace(high=sizes.empty, store=store)
    memory = memory._replace(stage="running", cells=cells, extras=extras)
    if not store.base:
        return memory
    return extended(memory, settings, market, investment)


def extended(memory: GridMemory, settings: GridSettings, market: Market, investment: Amount) -> GridMemory:
    """`memory` with cells opened out of the store until so many as should are full; the same object where none is."""
    full = sum(cell.phase == "full" for cell in memory.cells.values())
    value = kept_value(settings, market, investment, memory.start_price or ZERO)
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
    number, store = extras.high, extras.store
    floor, roof = line_at(settings, market, number), line_at(settings, market, number + 1)
    quantity = market.quantity(value * (settings.step or ZERO) / roof)
    stock = market.quantity(max(store.base - value / roof, ZERO))
    least = market.least_quantity(roof)
    if stock < least:
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
