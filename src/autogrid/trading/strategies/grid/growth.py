"""How the size of a cell changes while the grid runs: funds put in or taken out, and its own profit put back to work.

Nothing changes at once. A cell takes its new size when its next cycle begins, which is when it has sold.
"""

from typing import Final

from autogrid.trading.market import Market
from autogrid.trading.money import ONE, ZERO, Amount, round_up
from autogrid.trading.strategies.grid.config import GridSettings
from autogrid.trading.strategies.grid.memory import GridMemory, Growth, spare_quote
from autogrid.trading.strategies.grid.sizing import least_for
from autogrid.trading.strategies.strategy import View

NONE: Final = Growth()


def after_funds(memory: GridMemory, settings: GridSettings, market: Market, amount: Amount) -> GridMemory:
    """`memory` after `amount` quote was put in, or (below zero) taken out.

    Less the reserve's share it is divided among the cells there are: by equal quantity or by equal value.
    """
    extras = memory.extras._replace(funds=memory.extras.funds + amount)
    cells = memory.cells
    if not cells or settings.reverse or memory.stage in ("exiting", "ended"):
        return memory._replace(extras=extras)
    share = abs(amount) * (ONE - settings.reserve) / (ONE + market.quote_fee)
    floors = sum((cell.floor for cell in cells.values()), ZERO)
    growth = dict(extras.growth)
    for name, cell in cells.items():
        divisor = floors if settings.sizing == "equal_base" else cell.floor * len(cells)
        part = share // (divisor * market.lot) * market.lot if amount > 0 else -round_up(share / divisor, market.lot)
        before = growth.get(name, NONE)
        growth[name] = before._replace(due=before.due + part)
    return memory._replace(extras=extras._replace(growth=growth))


def after_sale(memory: GridMemory, name: str, profit: Amount, view: View, *, reinvest: bool) -> GridMemory:
    """`memory` with the cell of that name, which has just sold with `profit`, at the size of its next cycle.

    Its profit enlarges it (`reinvest`) by whole lots, as far as quote is free that no other cell needs.
    """
    market = view.market
    cell, extras = memory.cells[name], memory.extras
    due, gain, put = extras.growth.get(name, NONE)
    quantity = cell.quantity + due
    if due < 0:
        quantity = max(quantity, least_for(cell.floor, cell.roof, market))
    if reinvest:
        gain += profit
        price = cell.floor * (ONE + market.quote_fee)
        free = spare_quote(memory, view.ledger, market) - (quantity - cell.quantity) * price
        more = max(min(gain, free), ZERO) // (price * market.lot) * market.lot
        quantity, gain, put = quantity + more, gain - more * price, put + more * price
    growth = dict(extras.growth)
    growth[name] = Growth(ZERO, gain, put)
    if growth[name] == NONE:
        del growth[name]
    cells = memory.cells if quantity == cell.quantity else {**memory.cells, name: cell._replace(quantity=quantity)}
    return memory._replace(cells=cells, extras=extras._replace(growth=growth))
