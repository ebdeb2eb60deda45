"""Reverse: profit in coins. A cell sells first, and all that the sale brought buys coins back at the cell's floor.

A cell sells the same quantity each time. What a rebuy brings beyond it is the gain: it is kept aside, never sold by a
cell, and the tally values it at the floor, the price of the rebuy. A cell that waits for its rebuy remembers what it
sold (`stock`, `cost`) and what that brought (`earned`); the round trip is closed, and its profit booked, by the rebuy.
"""

from autogrid.trading.event import Filled
from autogrid.trading.ledger import Pool, earned_by, paid_for, received_of
from autogrid.trading.market import Market
from autogrid.trading.money import ONE, UNIT, ZERO, Amount, Quantity, part_of
from autogrid.trading.order import Order
from autogrid.trading.strategies.grid.memory import NO_POOL, Cell, GridMemory, with_cell


def after_fill(memory: GridMemory, cell: Cell, order: Order, fill: Filled, market: Market) -> GridMemory:
    """`memory` after a fill of the cell's sell or of its rebuy."""
    if order.side == "sell":
        sold, earned = cell.sold + fill.quantity, cell.earned + earned_by(fill, market)
        cell = cell._replace(sold=sold, earned=earned)
        if sold >= cell.stock:
            cell = _sold(cell, market)
        return _with(memory, cell)
    bought = cell.bought + fill.quantity
    received, paid = cell.received + received_of(fill, market), cell.paid + paid_for(fill, market)
    cell = cell._replace(bought=bought, received=received, paid=paid)
    return _with(memory, cell) if bought < cell.wanted else _bought(memory, cell, market)


def after_end(memory: GridMemory, cell: Cell, order: Order, market: Market) -> GridMemory:
    """`memory` after an order of `cell` ended before it was filled whole: a rest too small to order is let go."""
    if order.side == "buy" and cell.phase != "full" and cell.bought:
        least = market.least_quantity(cell.floor)
        if cell.wanted - cell.bought >= least:
            return memory
        coins = market.quantity(cell.received + memory.pool.base + memory.extras.store.base)
        if min(coins, cell.stock or coins) < market.least_quantity(cell.roof):
            return _with(memory, cell._replace(topped=cell.bought + least - cell.quantity))
        return _bought(memory, cell, market)
    if order.side == "sell" and cell.phase == "full" and cell.sold:
        rest = cell.stock - cell.sold
        if rest >= market.least_quantity(cell.roof):
            return memory
        cost, left = Pool(cell.stock, cell.cost).draw(cell.sold)
        memory = _kept(memory, left)
        return _with(memory, _sold(cell._replace(stock=cell.sold, cost=cost), market))
    return memory


def _sold(cell: Cell, market: Market) -> Cell:
    """`cell` after its sale, waiting to buy for all that it brought."""
    rounding = UNIT if market.quote_fee else ZERO
    lot = market.lot
    quantity = max(cell.earned - rounding, ZERO) // (cell.floor * (ONE + market.quote_fee) * lot) * lot
    quantity = max(quantity, market.least_quantity(cell.floor))
    return cell._replace(phase="empty", cycle=cell.cycle + 1, quantity=quantity, topped=ZERO)


def _bought(memory: GridMemory, cell: Cell, market: Market) -> GridMemory:
    """`memory` with `cell` full again; what was received beyond what it sells is kept aside."""
    memory = _kept(memory, memory.pool)._replace(pool=NO_POOL)
    store = memory.extras.store
    if not cell.stock:  # its first purchase: nothing was sold before
        stock = market.quantity(cell.received)
        cost = part_of(cell.paid, stock, cell.received)
        memory = _kept(memory, Pool(cell.received - stock, cell.paid - cost))
        return _with(memory, _full(cell, stock, cost))
    gain = (cell.received - cell.stock) * cell.floor
    base, worth = store.base + cell.received, store.cost + cell.cost + gain
    stock = min(cell.stock, market.quantity(base))
    cost = cell.cost if stock == cell.stock else part_of(worth, stock, base)
    extras = memory.extras._replace(store=Pool(base - stock, worth - cost))
    profit = memory.profit + gain + cell.earned - cell.paid
    memory = memory._replace(extras=extras, profit=profit, round_trips=memory.round_trips + 1)
    return _with(memory, _full(cell, stock, cost))


def _full(cell: Cell, stock: Quantity, cost: Amount) -> Cell:
    return cell._replace(
        phase="full",
        stock=stock,
        cost=cost,
        bought=ZERO,
        received=ZERO,
        paid=ZERO,
        sold=ZERO,
        earned=ZERO,
        topped=ZERO,
    )


def _kept(memory: GridMemory, coins: Pool) -> GridMemory:
    """`memory` with `coins` put aside."""
    if coins == NO_POOL:
        return memory
    store = memory.extras.store
    store = Pool(store.base + coins.base, store.cost + coins.cost)
    return memory._replace(extras=memory.extras._replace(store=store))


def _with(memory: GridMemory, cell: Cell) -> GridMemory:
    return with_cell(memory, cell, memory.pool, memory.profit, memory.round_trips)
