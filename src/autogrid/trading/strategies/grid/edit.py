"""Editing a running grid: new lines, what stays as it is, and where the coins of cells that vanish go."""

from itertools import pairwise

from autogrid.trading.ledger import Pool
from autogrid.trading.money import ZERO, Amount, Price, Quantity
from autogrid.trading.strategies.grid.config import GridSettings
from autogrid.trading.strategies.grid.memory import Cell, GridExtras, GridMemory, Phase, fill_cell, new_cell
from autogrid.trading.strategies.grid.sizing import check_profit, empty_line, sizes_at
from autogrid.trading.strategies.strategy import UnableToEdit, View


def refit(
    memory: GridMemory,
    settings: GridSettings,
    lines: tuple[Price, ...],
    old: GridSettings,
    investment: Amount,
    view: View,
    stop: Price | None,
) -> GridMemory:
    """`memory` for a running grid whose settings were `old` and become `settings` with `lines`.

    `stop` is where the new stop-loss stands, if the range stays where it is.

    A cell with the same two lines keeps its number, its coins and its half-done orders. Coins of cells that vanish
    fill new cells at or above the price, lowest first; what is left joins the pool. Raises `UnableToEdit`.
    """
    _check(settings, old, memory, view)
    if _same_shape(settings, old):
        _check_stop(stop, view)
        waits = settings.stop_for == old.stop_for and settings.stop_loss == old.stop_loss
        return memory if waits else memory._replace(extras=memory.extras._replace(beyond_ms=None))
    _check_stop(settings.stop_loss, view)
    check_profit(lines, view.market)
    extras = memory.extras
    sizes = sizes_at(settings, lines, view.market, investment + extras.funds, view.price)
    kept = {(cell.floor, cell.roof): cell for cell in memory.cells.values()}
    number = max((int(name) for name in memory.cells), default=-1) + 1
    cells: dict[str, Cell] = {}
    for index, pair in enumerate(pairwise(lines)):
        if sizes.buys[index] < view.market.least_quantity(pair[0]):
            raise UnableToEdit("the investment makes orders too small for that many grids; take fewer")
        same = kept.pop(pair, None)
        if same:
            sold = settings.reverse and same.phase == "empty"  # it buys for what its sale brought
            cells[same.name] = same if same.bought or sold else same._replace(quantity=sizes.buys[index])
        else:
            phase: Phase = "waiting" if index >= empty_line(lines, view.price) else "empty"
            cells[str(number)] = new_cell(str(number), *pair, sizes.buys[index], phase)
            number += 1
    pool = memory.pool
    for cell in kept.values():
        memory, base, cost = _inventory(memory, cell)
        pool = Pool(pool.base + base, pool.cost + cost)
    later = {name: slot for name, slot in extras.later.items() if name in cells}
    extras = GridExtras(later=later, funds=extras.funds, store=extras.store)
    cells = dict(sorted(cells.items(), key=lambda item: item[1].floor))
    memory = memory._replace(cells=cells, pool=pool, extras=extras)
    return _filled_up(memory, view)


def _same_shape(settings: GridSettings, old: GridSettings) -> bool:
    keys = ("lower", "upper", "grids", "spacing", "sizing", "reserve", "step")
    return all(getattr(settings, key) == getattr(old, key) for key in keys)


def _check(settings: GridSettings, old: GridSettings, memory: GridMemory, view: View) -> None:
    if settings.endless != old.endless or (old.endless and not _same_shape(settings, old)):
        raise UnableToEdit(
            "the lines of an infinity grid cannot be changed once it has started; stop it, start a new one"
        )
    for key in ("start", "own_base", "trigger_price", "reverse"):
        if getattr(settings, key) != getattr(old, key):
            raise UnableToEdit(f"{key} cannot be changed once the grid has started")
    if memory.stage == "opening":
        raise UnableToEdit("the opening purchase is under way; try again in a moment")
    if settings.take_profit is not None and settings.take_profit <= view.price:
        raise UnableToEdit("take_profit must be above the price")


def _check_stop(stop: Price | None, view: View) -> None:
    if stop is not None and stop >= view.price:
        raise UnableToEdit("stop_loss must be below the price")


def _inventory(memory: GridMemory, cell: Cell) -> tuple[GridMemory, Quantity, Amount]:
    """Coins that a cell holds, and what they cost; a half-done sell's earnings are set against the cost.

    A reverse cell that waits for its rebuy has made its profit: `memory` with it comes back.
    """
    if cell.phase == "empty" and cell.stock:
        profit = memory.profit + cell.earned - cell.cost
        memory = memory._replace(profit=profit, round_trips=memory.round_trips + 1)
        return memory, cell.received, cell.paid
    return memory, cell.stock - cell.sold + cell.received, cell.cost - cell.earned + cell.paid


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
