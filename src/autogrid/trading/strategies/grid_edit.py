"""Editing a running grid: new lines, what stays as it is, and where the coins of cells that vanish go."""

from itertools import pairwise

from autogrid.trading.ledger import Pool
from autogrid.trading.money import ZERO, Amount, Price
from autogrid.trading.strategies.grid_config import GridSettings
from autogrid.trading.strategies.grid_memory import Cell, GridMemory, Phase, fill_cell, new_cell
from autogrid.trading.strategies.grid_sizing import check_profit, empty_line, sizes_at
from autogrid.trading.strategies.strategy import UnableToEdit, View


def refit(
    memory: GridMemory,
    settings: GridSettings,
    lines: tuple[Price, ...],
    old: GridSettings,
    investment: Amount,
    view: View,
) -> GridMemory:
    """`memory` for a running grid whose settings were `old` and become `settings` with `lines`.

    A cell with the same two lines keeps its number, its coins and its half-done orders. Coins of cells that vanish
    fill new cells at or above the price, lowest first; what is left joins the pool. Raises `UnableToEdit`.
    """
    _check(settings, old, memory, view)
    if _same_shape(settings, old):
        return memory
    check_profit(lines, view.market)
    sizes = sizes_at(settings, lines, view.market, investment, view.price)
    kept = {(cell.floor, cell.roof): cell for cell in memory.cells.values()}
    number = max((int(name) for name in memory.cells), default=-1) + 1
    cells: dict[str, Cell] = {}
    for index, pair in enumerate(pairwise(lines)):
        if sizes.buys[index] < view.market.least_quantity(pair[0]):
            raise UnableToEdit("the investment makes orders too small for that many grids; take fewer")
        same = kept.pop(pair, None)
        if same:
            cells[same.name] = same if same.bought else same._replace(quantity=sizes.buys[index])
        else:
            phase: Phase = "waiting" if index >= empty_line(lines, view.price) else "empty"
            cells[str(number)] = new_cell(str(number), *pair, sizes.buys[index], phase)
            number += 1
    pool = memory.pool
    for cell in kept.values():
        base, cost = _inventory(cell)
        pool = Pool(pool.base + base, pool.cost + cost)
    memory = memory._replace(cells=dict(sorted(cells.items(), key=lambda item: item[1].floor)), pool=pool)
    return _filled_up(memory, view)


def _same_shape(settings: GridSettings, old: GridSettings) -> bool:
    keys = ("lower", "upper", "grids", "spacing", "sizing", "reserve")
    return all(getattr(settings, key) == getattr(old, key) for key in keys)


def _check(settings: GridSettings, old: GridSettings, memory: GridMemory, view: View) -> None:
    for key in ("start", "own_base", "trigger_price"):
        if getattr(settings, key) != getattr(old, key):
            raise UnableToEdit(f"{key} cannot be changed once the grid has started")
    if memory.stage == "opening":
        raise UnableToEdit("the opening purchase is under way; try again in a moment")
    if settings.stop_loss is not None and settings.stop_loss >= view.price:
        raise UnableToEdit("stop_loss must be below the price")
    if settings.take_profit is not None and settings.take_profit <= view.price:
        raise UnableToEdit("take_profit must be above the price")


def _inventory(cell: Cell) -> tuple[Amount, Amount]:
    """Coins that a cell holds, and what they cost; a half-done sell's earnings are set against the cost."""
    if cell.phase == "full":
        return cell.stock - cell.sold, cell.cost - cell.earned
    return cell.received, cell.paid


def _filled_up(memory: GridMemory, view: View) -> GridMemory:
    """New cells above the price filled from the pool, lowest first, as far as it goes."""
    market = view.market
    for cell in list(memory.cells.values()):
        least = max(cell.quantity, market.least_quantity(cell.roof))
        if cell.phase != "waiting" or memory.pool.base < least:
            continue
        cost, rest = memory.pool.draw(least)
        memory = fill_cell(memory._replace(pool=Pool(ZERO, ZERO)), cell, least, cost, market)
        memory = memory._replace(pool=Pool(rest.base + memory.pool.base, rest.cost + memory.pool.cost))
    return memory
