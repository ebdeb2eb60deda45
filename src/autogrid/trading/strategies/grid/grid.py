"""Grid: buy at each line below the price, sell what was bought one line higher, again and again.

The model is the cell, the room between two neighbouring lines: an empty cell wants a buy at its floor, a full one a
sell at its roof. So N cells want at most N orders and exactly one line has none. Life of a grid:

    new -> (triggered: waits for the trigger price) -> opening (buys what the upper cells will sell) -> running
        -> exiting (stop-loss, take-profit, or the user) -> ended

Rules with their sources: docs/strategies/grid.md.
"""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Final

from autogrid.trading.event import Filled
from autogrid.trading.ledger import Pool, earned_by, paid_for, received_of
from autogrid.trading.market import RECEIVED, Market, net_of
from autogrid.trading.money import ONE, ZERO, Amount, Price, text
from autogrid.trading.order import Kind, Order
from autogrid.trading.plan import Target, Wish
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid import growth, infinity, reverse, stops
from autogrid.trading.strategies.grid.config import GridSettings, read_settings
from autogrid.trading.strategies.grid.edit import refit
from autogrid.trading.strategies.grid.memory import (
    NO_OPENING,
    NO_POOL,
    Cell,
    GridExtras,
    GridMemory,
    Opening,
    Phase,
    after_buy,
    after_end,
    after_sell,
    distribute,
    new_cell,
)
from autogrid.trading.strategies.grid.sizing import check_profit, check_start, lines_of
from autogrid.trading.strategies.grid.stops import LEAST
from autogrid.trading.strategies.grid.trailing import Trail
from autogrid.trading.strategies.strategy import Status, Strategy, Tally, UnableToEdit, View

TRIES: Final = 3
"""So often the opening purchase is tried; cells it could not fill wait to buy."""


class Grid(Strategy[GridMemory]):
    """A grid with its configuration. Immutable; all that changes is in `GridMemory`."""

    name = "grid"

    def __init__(self, config: Mapping[str, str], market: Market, investment: Amount) -> None:
        """Raises `UnableToConfigure` where the configuration breaks a limit."""
        super().__init__(config, market, investment)
        self.settings: GridSettings = read_settings(config)
        self.lines = lines_of(self.settings, market)
        """The grid's N + 1 lines at its start, lowest first; none of an infinity grid."""
        self.moves = self.settings.trails
        self.trigger = self.settings.trigger_price
        self.own_base = self.settings.own_base or ZERO
        self._kind: Kind = "maker" if self.settings.crossed == "wait" else "limit"
        if self.lines:
            check_profit(self.lines, market)
        choices = self.settings
        self._trail = Trail(choices, self.lines, market, investment)
        self._has_totals = choices.total_profit_stop is not None or choices.total_loss_stop is not None
        self._is_plain = not (choices.trails or choices.stop_for or self._has_totals)
        """Whether its stops are prices that do not move, and its range does not."""
        self._turns = choices.reverse or choices.reinvest or choices.endless
        """Whether a fill does more to its cell than fill or empty it."""
        self._moves_bounds = choices.trailing_down or self._has_totals
        """Whether a fill moves the prices at which something else is wanted."""

    def opened_at(self, price: Price) -> GridMemory:
        """What it would remember once it has started at `price` and its opening, if any, has filled there whole."""
        memory, market = self._open(self.start(), price), self.market
        wanted, *_ = memory.opening
        if memory.stage != "opening":
            return memory
        received = wanted * net_of(market.taker_fee if market.fee_in == RECEIVED else ZERO)
        paid = wanted * price * (ONE + (ZERO if market.fee_in == RECEIVED else market.taker_fee))
        return self._opened(memory._replace(opening=Opening(wanted, 0, wanted, received, paid)))

    def check(self, price: Price) -> None:
        """Raises `UnableToConfigure` where it cannot be traded from `price` on."""
        check_start(self.settings, self.lines, self.market, self.investment, price)

    def start(self) -> GridMemory:
        """A grid that has not seen a price."""
        return GridMemory("new", {}, NO_POOL, ZERO, 0, None, False, NO_OPENING, "", 0)

    def look(self, memory: GridMemory, view: View) -> GridMemory:
        """Start, stop-loss, take-profit, and cells that waited for the price to rise above their floor."""
        price, settings = view.price, self.settings
        if memory.stage == "new":
            trigger = settings.trigger_price
            if trigger is None or price == trigger:
                return self._trail.followed(self._open(memory, price), view)
            return memory._replace(stage="triggered", from_above=price > trigger)
        if memory.stage == "triggered":
            trigger = settings.trigger_price or price
            reached = price <= trigger if memory.from_above else price >= trigger
            return self._trail.followed(self._open(memory, price), view) if reached and view.traded else memory
        if memory.stage not in ("opening", "running"):
            return memory
        if not self._is_plain or memory.extras.low > 0:
            return self._looked(memory, view)
        if settings.stop_loss is not None and price <= settings.stop_loss:
            return self._leave(memory, f"stop-loss at {text(settings.stop_loss)}", settings.on_exit == "sell")
        if settings.take_profit is not None and price >= settings.take_profit:
            return self._leave(memory, f"take-profit at {text(settings.take_profit)}", settings.on_exit == "sell")
        return self._risen(memory, price)

    def _looked(self, memory: GridMemory, view: View) -> GridMemory:
        """As `look`, of a grid whose range moves or whose stops are more than two prices."""
        settings, stop = self.settings, self._trail.stop_loss(memory)
        memory = stops.watched(memory, settings, stop, view)
        why = stops.reason(memory, settings, stop, view)
        if why:
            return self._leave(memory, why, settings.on_exit == "sell")
        return self._trail.followed(self._risen(memory, view.price), view)

    def _risen(self, memory: GridMemory, price: Price) -> GridMemory:
        """Cells that waited for the price to rise above their floor, and see it there, wait to buy."""
        risen = [cell for cell in memory.cells.values() if cell.phase == "waiting" and price > cell.floor]
        if risen:
            cells = {**memory.cells, **{cell.name: cell._replace(phase="empty") for cell in risen}}
            return memory._replace(cells=cells)
        return memory

    def learn(self, memory: GridMemory, order: Order, fill: Filled | None, view: View) -> GridMemory:
        """What a fill, or the end of an order, does to its cell, to the opening or to the exit."""
        name, _, cycle = order.slot.rpartition("-")
        if name == "open":
            return self._opening(memory, fill, view)
        if name == "exit":
            return memory if fill else memory._replace(exits=memory.exits + 1)
        cell = memory.cells.get(name)
        is_late = cell is not None and order.side == "buy" and cell.phase == "full"
        if cell is None or cell.cycle != int(cycle[:-1]) or is_late:
            return self._stray(memory, order, fill, view.market)
        if self._turns or memory.extras.growth:
            return self._turned(memory, cell, order, fill, view)
        if fill is None:
            return after_end(memory, cell, order, view.market)
        if order.side == "buy":
            return after_buy(memory, cell, fill, view.market)
        return after_sell(memory, cell, fill, view.market)

    def _turned(self, memory: GridMemory, cell: Cell, order: Order, fill: Filled | None, view: View) -> GridMemory:
        """As `learn` of an order of `cell`, where a fill does more than fill or empty it."""
        settings, market = self.settings, self.market
        if settings.reverse:
            if fill is None:
                return reverse.after_end(memory, cell, order, market)
            return reverse.after_fill(memory, cell, order, fill, market)
        if fill is None:
            after = after_end(memory, cell, order, market)
        elif order.side == "buy":
            after = after_buy(memory, cell, fill, market)
        else:
            after = after_sell(memory, cell, fill, market)
        if after.cells[cell.name].cycle == cell.cycle:
            return after
        profit = after.profit - memory.profit
        if settings.reinvest or memory.extras.growth:
            after = growth.after_sale(after, cell.name, profit, view, reinvest=settings.reinvest)
        return infinity.extended(after, settings, market) if settings.endless else after

    def targets(self, memory: GridMemory, view: View) -> Wish:
        """The opening, the cells' orders, or the exit; and the prices at which something else will be wanted."""
        stage, settings = memory.stage, self.settings
        if stage == "ended":
            return Wish(ended=memory.why)
        if stage == "exiting":
            return self._exit(memory, view)
        if stage == "triggered":
            trigger = settings.trigger_price
            return Wish(floor=trigger) if memory.from_above else Wish(roof=trigger)
        targets: dict[str, Target] = {}
        if stage == "opening":
            rest = memory.opening.wanted - memory.opening.bought
            slot = f"open-{memory.opening.tries}"
            start = memory.start_price or view.price
            targets[slot] = Target(slot, "buy", start, rest, "market", initial=True)
        found = (self._target(cell) for cell in self._nearest_first(memory))
        targets |= {target.slot: target for target in found if target is not None}
        if memory.extras.later:
            targets = {slot: self._later(target, memory) for slot, target in targets.items()}
        waits = [cell.floor + LEAST for cell in memory.cells.values() if cell.phase == "waiting"]
        if not self._is_plain or memory.extras.low > 0:
            return self._bounded(targets, waits, memory, view)
        if settings.take_profit is not None:
            waits.append(settings.take_profit)
        return Wish(targets, settings.stop_loss, min(waits, default=None))

    def _bounded(self, targets: dict[str, Target], waits: list[Price], memory: GridMemory, view: View) -> Wish:
        """`targets`, and where the grid must look again, where its range moves or its stops are more than prices."""
        settings, ledger, stop = self.settings, view.ledger, self._trail.stop_loss(memory)
        above, below = self._trail.above(memory), self._trail.below(memory, ledger)
        floors = stops.floors(memory, settings, stop, ledger) + ([] if below is None else [below])
        roofs = waits + stops.roofs(memory, settings, stop, ledger) + ([] if above is None else [above])
        return Wish(targets, max(floors, default=None), min(roofs, default=None), stops.until_ms(memory, settings))

    def _later(self, target: Target, memory: GridMemory) -> Target:
        """`target`, where its cell was opened while the grid ran: it counts for the order rate, and may wait."""
        slot = memory.extras.later.get(target.slot.rpartition("-")[0])
        if slot is None:
            return target
        return target._replace(initial=False, after=slot if target.side == "buy" else "")

    def revise(self, before: GridMemory, after: GridMemory, order: Order) -> tuple[Target, ...] | None:
        """A fill changes the target of its own cell and nothing else; while the grid ends, cells want nothing."""
        name = order.slot.rpartition("-")[0]
        if before.stage != after.stage or after.stage not in ("opening", "running") or name not in after.cells:
            return None
        cell = after.cells[name]
        if self._moves_bounds or after.extras is not before.extras or (not cell.cycle and name in after.extras.later):
            return None
        target = self._target(cell)
        return (target,) if target else ()

    def stop(self, memory: GridMemory, *, sell: bool) -> GridMemory:
        """The user wants the end."""
        if memory.stage in ("exiting", "ended"):
            return memory
        return self._leave(memory, "stopped", sell)

    def edited(self, memory: GridMemory, config: Mapping[str, str], view: View) -> tuple["Grid", GridMemory]:
        """The grid under `config`. Cells that keep their lines keep their orders and coins. Raises `UnableToEdit`."""
        if memory.stage in ("exiting", "ended"):
            raise UnableToEdit("the bot is ending; create a new one")
        try:
            grid = Grid({**self.config, **config}, self.market, self.investment)
            if memory.stage in ("new", "triggered"):
                return grid, grid.start()._replace(extras=GridExtras(funds=memory.extras.funds))
            stop = grid._trail.stop_loss(memory)
            return grid, refit(memory, grid.settings, grid.lines, self.settings, self.investment, view, stop)
        except UnableToConfigure as refusal:
            raise UnableToEdit(str(refusal)) from refusal

    def funded(self, memory: GridMemory, amount: Amount, view: View) -> GridMemory:
        """Quote that was put in or taken out changes the size of each cell from its next cycle on."""
        return growth.after_funds(memory, self.settings, view.market, amount)

    def tally(self, memory: GridMemory) -> Tally:
        """Profit of the closed round trips, and how many."""
        return Tally(memory.profit, memory.round_trips)

    def start_price(self, memory: GridMemory) -> Price | None:
        """P0; None before the start."""
        return memory.start_price

    def status(self, memory: GridMemory) -> Status:
        """How far the grid has come."""
        if memory.stage == "triggered":
            return Status("waiting", f"until the price reaches {text(self.trigger or ZERO)}")
        gained = memory.extras.store.base
        if self.settings.reverse and gained and memory.stage == "running":
            return Status("running", f"{text(gained)} {self.market.base} gained and kept aside")
        return Status(memory.stage, memory.why)

    def _open(self, memory: GridMemory, price: Price) -> GridMemory:
        """The cells of a grid that starts at `price`."""
        settings, market = self.settings, self.market
        try:
            sizes = check_start(settings, self.lines, market, self.investment + memory.extras.funds, price)
        except UnableToConfigure as refusal:
            return memory._replace(stage="ended", why=f"not started: {refusal}", start_price=price)
        if settings.endless:
            memory = memory._replace(stage="opening", start_price=price)
            return memory._replace(opening=Opening(sizes.opening, 0, ZERO, ZERO, ZERO))
        full: Phase = "waiting" if settings.start == "wait" else "opening"
        cells = {
            str(i): new_cell(str(i), floor, roof, sizes.buys[i], full if i >= sizes.empty else "empty")
            for i, (floor, roof) in enumerate(pairwise(self.lines))
        }
        memory = memory._replace(stage="running", cells=cells, start_price=price)
        wanted = sizes.opening * (len(cells) - sizes.empty)
        if settings.start == "wait" or not wanted:
            return memory
        opening = Opening(wanted, 0, ZERO, ZERO, ZERO)
        if settings.start == "own":
            return self._opened(memory._replace(opening=Opening(wanted, 0, wanted, wanted, wanted * price)))
        return memory._replace(stage="opening", opening=opening)

    def _opening(self, memory: GridMemory, fill: Filled | None, view: View) -> GridMemory:
        wanted, tries, bought, received, paid = memory.opening
        if fill is None:
            opening = Opening(wanted, tries + 1, bought, received, paid)
            rest = wanted - bought
            given_up = opening.tries >= TRIES or rest < view.market.least_quantity(view.price)
        else:
            opening = Opening(
                wanted,
                tries,
                bought + fill.quantity,
                received + received_of(fill, view.market),
                paid + paid_for(fill, view.market),
            )
            given_up = opening.bought >= wanted
        memory = memory._replace(opening=opening)
        return self._opened(memory) if given_up and memory.stage == "opening" else memory

    def _opened(self, memory: GridMemory) -> GridMemory:
        if self.settings.endless:
            return infinity.opened(self.settings, self.market, memory)
        cells, pool = distribute(memory.opening, memory.cells, self.market)
        pool = Pool(memory.pool.base + pool.base, memory.pool.cost + pool.cost)
        return memory._replace(stage="running", cells=cells, pool=pool)

    def _leave(self, memory: GridMemory, why: str, sell: bool) -> GridMemory:
        return memory._replace(stage="exiting" if sell else "ended", why=why)

    def _exit(self, memory: GridMemory, view: View) -> Wish:
        quantity, slot = view.market.quantity(view.ledger.base), f"exit-{memory.exits}"
        is_small = quantity < view.market.least_quantity(view.price)
        if memory.exits >= TRIES or (is_small and slot not in view.standing):  # what is left of one that trades may be
            return Wish(ended=memory.why)
        return Wish({slot: Target(slot, "sell", view.price, quantity, "market", alone=True, exits=True)})

    def _stray(self, memory: GridMemory, order: Order, fill: Filled | None, market: Market) -> GridMemory:
        """A fill of an order whose cell has moved on (late, after a cancel or an edit): its coins join the pool."""
        if fill is None:
            return memory
        if order.side == "buy":
            pool = Pool(memory.pool.base + received_of(fill, market), memory.pool.cost + paid_for(fill, market))
            return memory._replace(pool=pool)
        pool = Pool(memory.pool.base - fill.quantity, memory.pool.cost - earned_by(fill, market))
        return memory._replace(pool=pool)

    def _target(self, cell: Cell) -> Target | None:
        if cell.phase == "full":
            rest = cell.stock - cell.sold
            return Target(cell.sell_slot, "sell", cell.roof, rest, self._kind, False, not cell.cycle) if rest else None
        if cell.phase == "empty":
            rest = cell.wanted - cell.bought
            return Target(cell.buy_slot, "buy", cell.floor, rest, self._kind, False, not cell.cycle)
        return None

    def _nearest_first(self, memory: GridMemory) -> list[Cell]:
        """Cells by their distance to the price at start, so that the orders most likely to trade are sent first."""
        start = memory.start_price or Decimal(0)
        return sorted(memory.cells.values(), key=lambda cell: abs(cell.floor + cell.roof - 2 * start))
