"""Trailing: the range of a grid follows the price, without a market order.

Up: once the price is a whole step above the range, the lowest empty cell goes and a cell opens on top, waiting to buy
at the old highest line; its order waits until that of the cell that went is gone, whose quote it needs. Down: once the
price is a whole step below, a cell opens beneath, paid by quote that no other cell needs. Full cells stay and wait for
their prices: nothing is sold for less than its cell was to bring.
"""

from typing import Final

from autogrid.trading.ledger import Ledger
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, Amount, Price, Quantity
from autogrid.trading.strategies.grid.config import GridSettings
from autogrid.trading.strategies.grid.memory import GridMemory, Growth, new_cell, spare_quote
from autogrid.trading.strategies.grid.sizing import funds_of_cells, least_for, line_at, moved, net_profit
from autogrid.trading.strategies.strategy import View

MOST_CELLS: Final = 1_000
"""A range is not widened beyond so many."""


class Trail:
    """Where the lines of one grid lie, however far its range moves, and how it moves."""

    def __init__(self, settings: GridSettings, lines: tuple[Price, ...], market: Market, investment: Amount) -> None:
        """`lines` are those between `lower` and `upper`."""
        self._settings = settings
        self._lines = lines
        self._market = market
        self._investment = investment
        self._known: dict[int, Price] = dict(enumerate(lines))
        self._stops: dict[int, Price] = {}

    def line(self, number: int) -> Price:
        """The line so many steps above `lower`; zero or less where there is none."""
        price = self._known.get(number)
        if price is None:
            price = self._known[number] = line_at(self._settings, self._market, number)
        return price

    def stop_loss(self, memory: GridMemory) -> Price | None:
        """The stop-loss: as many steps higher as the lowest line is, and never lower than configured."""
        stop, steps = self._settings.stop_loss, memory.extras.low
        if stop is None or steps <= 0:
            return stop
        if steps not in self._stops:
            self._stops[steps] = moved(self._settings, self._market, stop, steps)
        return self._stops[steps]

    def above(self, memory: GridMemory) -> Price | None:
        """The price at which the range rises by a step, which will be its highest line; None where it may not."""
        settings, top = self._settings, self._settings.grids + memory.extras.high
        if not settings.trailing_up or memory.stage != "running":
            return None
        floor, roof = self.line(top), self.line(top + 1)
        limit = settings.trailing_up_limit
        return roof if (limit is None or roof <= limit) and self._works(memory, floor, roof) else None

    def below(self, memory: GridMemory, ledger: Ledger) -> Price | None:
        """The price at which a line is added, which it will be; None where it may not, or no quote is left."""
        settings, low = self._settings, memory.extras.low
        most = min(MOST_CELLS, self._market.max_orders or MOST_CELLS)
        if not settings.trailing_down or memory.stage != "running" or len(memory.cells) >= most:
            return None
        floor, roof = self.line(low - 1), self.line(low)
        limit, stop = settings.trailing_down_limit, self.stop_loss(memory)
        if floor <= 0 or (limit is not None and floor < limit) or (stop is not None and floor <= stop):
            return None
        if not self._works(memory, floor, roof):
            return None
        needs = self._market.needed(self._quantity(memory, floor) * floor)
        return floor if needs <= spare_quote(memory, ledger, self._market) else None

    def followed(self, memory: GridMemory, view: View) -> GridMemory:
        """`memory` with the range moved to where the price asks for it; the same object where it does not."""
        price = view.price
        while (roof := self.above(memory)) is not None and price >= roof:
            risen = self._risen(memory, roof)
            if risen is memory:
                break
            memory = risen
        while (floor := self.below(memory, view.ledger)) is not None and price <= floor:
            memory = self._sunk(memory, floor, price)
        return memory

    def _risen(self, memory: GridMemory, roof: Price) -> GridMemory:
        """A step up; the same object while no cell is empty."""
        gone = next((c for c in memory.cells.values() if c.phase in ("empty", "waiting") and not c.bought), None)
        if gone is None:
            return memory
        extras = memory.extras
        floor = self.line(self._settings.grids + extras.high)
        growth = dict(extras.growth)
        grown = growth.pop(gone.name, None)
        put = Growth(ZERO, grown.gain, grown.put) if grown else None
        cells = {name: cell for name, cell in memory.cells.items() if name != gone.name}
        cell = new_cell(_name(memory), floor, roof, self._quantity(memory, floor, put.put if put else ZERO), "empty")
        later = {name: slot for name, slot in extras.later.items() if name != gone.name} | {cell.name: gone.buy_slot}
        if put:
            growth[cell.name] = put
        cells[cell.name] = cell
        low, floors = extras.low, {one.floor for one in cells.values()}
        while self.line(low) not in floors:
            low += 1
        extras = extras._replace(low=low, high=extras.high + 1, later=later, growth=growth)
        return memory._replace(cells=cells, extras=extras)

    def _sunk(self, memory: GridMemory, floor: Price, price: Price) -> GridMemory:
        """A step down: a cell more, beneath."""
        roof, extras, name = self.line(memory.extras.low), memory.extras, _name(memory)
        waits = self._settings.crossed == "wait" and price <= floor
        cell = new_cell(name, floor, roof, self._quantity(memory, floor), "waiting" if waits else "empty")
        extras = extras._replace(low=extras.low - 1, later={**extras.later, name: cell.sell_slot})
        return memory._replace(cells={name: cell, **memory.cells}, extras=extras)

    def _quantity(self, memory: GridMemory, floor: Price, put: Amount = ZERO) -> Quantity:
        """What a cell with that floor buys: of the value that every cell has, and of profit that was `put` in."""
        funds, lot = self._investment + memory.extras.funds, self._market.lot
        start = memory.start_price or floor
        value, parts = funds_of_cells(self._settings, self._lines, self._market, funds, start)
        value = max(value, ZERO) + put * parts
        return value // (parts * (1 + self._market.quote_fee) * floor * lot) * lot

    def _works(self, memory: GridMemory, floor: Price, roof: Price) -> bool:
        """Whether a cell between these lines would earn its fees, and trade what the exchange takes."""
        market = self._market
        return (
            floor < roof
            and net_profit(floor, roof, market.maker_fee) > 0
            and self._quantity(memory, floor) >= least_for(floor, roof, market)
        )


def _name(memory: GridMemory) -> str:
    """A number that no cell of the bot has had: cells only ever go while one with a higher number comes."""
    return str(max((int(name) for name in memory.cells), default=-1) + 1)
