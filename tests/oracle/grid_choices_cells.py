"""The account and the cells of the grid-choices oracle: orders, fills, round trips, dust, reverse, reinvest.

It shares no code with the engine. Where the documents leave a choice, the comment says "CHOICES n", which is the
number in GRID_CHOICES_NOTES.md; "NOTES n" is a number of the plain grid's NOTES.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tests.oracle.dca_rules import Market
from tests.oracle.grid_choices_rules import OPEN_CELLS, Choices, Lines, fee_on_top, too_small
from tests.oracle.grid_oracle import ZERO, down, fee_of, share_of_cost, third_asset


@dataclass(frozen=True)
class Fill:
    index: int  # of the candle; a fill in a jump belongs to the candle the jump leads to
    side: str  # buy | sell
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str  # base | quote | the third asset's name
    role: str  # maker | taker
    kind: str  # opening | cell | trailing | stop_loss | take_profit | total_profit | total_loss


@dataclass(frozen=True)
class Trip:
    index: int  # of the candle
    cell: int  # the number of its lower line
    profit: Decimal


@dataclass
class Cell:
    number: int  # of its lower line
    floor: Decimal
    roof: Decimal
    size: Decimal = ZERO  # what its next buy buys
    full: bool = False
    resting: bool = False  # has an order out
    waiting: bool = False  # no buy before the price has been above the floor
    coins: Decimal = ZERO  # full: what it sells
    cost: Decimal = ZERO  # full: what that cost
    held: Decimal = ZERO  # quote held by its resting buy
    put_in: Decimal = ZERO  # profit that enlarges it
    pending: Decimal = ZERO  # profit that is not put in yet
    sold: Decimal = ZERO  # reverse: what the sale that waits for its rebuy sold
    proceeds: Decimal | None = None  # reverse: what that brought


class Cells:
    """An account with one market, and the cells that trade on it."""

    def __init__(self, choices: Choices, market: Market, investment: Decimal) -> None:
        self.choices = choices
        self.market = market
        self.investment = investment
        self.lines = Lines(choices, market.tick)
        self.cells: list[Cell] = []  # by number
        self.worth = Fraction(0)  # of one cell: v, or V of an infinity grid
        self.base = choices.own_base
        self.quote = investment
        self.dust = ZERO
        self.dust_cost = ZERO
        self.store = ZERO  # infinity: coins of cells that are not open
        self.store_cost = ZERO
        self.gain = ZERO  # reverse: coins that no cell sells
        self.grid_profit = ZERO
        self.third_worth = ZERO  # of all fees in a third asset, in quote
        self.fills: list[Fill] = []
        self.trips: list[Trip] = []
        self.index = 0  # of the candle

    # ------------------------------------------------ money

    def book(self, side: str, price: Decimal, quantity: Decimal, role: str, kind: str) -> tuple[Decimal, Decimal]:
        """One fill. Gives the base it moved and the quote it is worth to the books, fees included."""
        rate = self.market.maker_fee if role == "maker" else self.market.taker_fee
        fee, asset = fee_of(side, price, quantity, rate, self.market.fee_in)
        in_base = fee if asset == "base" else ZERO
        in_quote = fee if asset == "quote" else ZERO
        third = third_asset(self.market.fee_in)
        worth = fee * third[1] if third is not None else ZERO
        sign = 1 if side == "buy" else -1
        self.base += sign * quantity - in_base
        self.quote -= sign * price * quantity + in_quote
        self.third_worth += worth
        self.fills.append(Fill(self.index, side, price, quantity, fee, asset, role, kind))
        if self.base < 0 or self.quote < 0:
            raise RuntimeError("a balance fell below zero")
        if side == "buy":
            return quantity - in_base, price * quantity + in_quote + worth
        return quantity, price * quantity - in_quote - worth

    def need(self, cell: Cell, role: str = "maker") -> Decimal:
        """The quote that the next buy of a cell takes, its fee included where that is in quote."""
        rate = self.market.maker_fee if role == "maker" else self.market.taker_fee
        fee, asset = fee_of("buy", cell.floor, cell.size, rate, self.market.fee_in)
        return cell.floor * cell.size + (fee if asset == "quote" else ZERO)

    def free_quote(self) -> Decimal:
        """Quote that no resting order holds."""
        return self.quote - sum((cell.held for cell in self.cells), ZERO)

    def spare_quote(self) -> Decimal:
        """Quote that no cell needs for its buy, whether that is out or not."""
        dearer = "taker" if self.market.taker_fee > self.market.maker_fee else "maker"  # CHOICES 16
        needs = (self.need(cell, dearer) for cell in self.cells if not cell.full)
        return self.quote - sum(needs, ZERO)

    # ------------------------------------------------ orders

    def place_buy(self, cell: Cell, path: Decimal, kind: str = "cell") -> None:
        """A buy at the floor, if it is covered; one that is crossed on arrival fills at once as taker."""
        crossed = cell.floor >= path
        if crossed and self.choices.crossed == "wait":
            cell.waiting = True  # CHOICES 14
            return
        if crossed and cell.floor * 10 > path * 11:
            return  # more than 10 % beyond the market: tried again later (CHOICES 13)
        role = "taker" if crossed else "maker"
        needed = self.need(cell, role)
        if needed > self.free_quote():
            return  # asked again after the next fill (NOTES 6)
        if crossed:
            self.buy_filled(cell, path, "taker", kind)
            return
        cell.resting = True
        cell.held = needed

    def place_sell(self, cell: Cell) -> None:
        """A full cell's sell; one under the exchange's least order cannot rest (CHOICES 26)."""
        cell.full = True
        cell.resting = cell.coins > 0 and cell.coins * cell.roof >= self.market.min_notional

    def ask_again(self, path: Decimal, *, lowest_first: bool = False) -> None:
        """Buys that found no free funds are tried again after a fill, the highest first (NOTES 6, CHOICES 13)."""
        for cell in list(self.cells) if lowest_first else list(reversed(self.cells)):
            if not cell.full and not cell.resting and not cell.waiting:
                self.place_buy(cell, path)

    def above_floors(self, price: Decimal) -> None:
        """The buys whose floor the price has now risen above are placed, from the lowest up."""
        for cell in list(self.cells):
            if cell.waiting and price > cell.floor:
                cell.waiting = False
                self.place_buy(cell, price)

    # ------------------------------------------------ fills

    def buy_filled(self, cell: Cell, price: Decimal, role: str, kind: str = "cell") -> None:
        """The cell's buy has filled; it sells from this point of the path on."""
        cell.held = ZERO
        received, paid = self.book("buy", price, cell.size, role, kind)
        if cell.proceeds is not None:
            self.rebought(cell, price, received, paid)
        else:
            joined = not self.choices.reverse  # CHOICES 22
            pool = received + (self.dust if joined else ZERO)
            pool_cost = paid + (self.dust_cost if joined else ZERO)
            cell.coins = down(Fraction(pool), self.market.lot)
            cell.cost = share_of_cost(pool_cost, cell.coins, pool)
            self.dust = pool - cell.coins + (ZERO if joined else self.dust)
            self.dust_cost = pool_cost - cell.cost + (ZERO if joined else self.dust_cost)
        self.place_sell(cell)

    def sell_filled(self, cell: Cell, path: Decimal) -> None:
        """The cell's sell has filled: the round trip is made, or with reverse its rebuy is due."""
        sold = cell.coins
        _, proceeds = self.book("sell", cell.roof, sold, "maker", "cell")
        cell.full = False
        cell.resting = False
        cell.coins = ZERO
        if self.choices.reverse:
            cell.sold = sold
            cell.proceeds = proceeds
            each = Fraction(cell.floor) * fee_on_top(self.market)
            cell.size = down(Fraction(proceeds) / each, self.market.lot)  # CHOICES 24
        else:
            self.closed(cell, proceeds - cell.cost)
            cell.pending += proceeds - cell.cost
        cell.cost = ZERO
        if self.choices.reinvest:
            self.put_back(cell)
        self.place_buy(cell, path)
        if self.choices.upper is None:
            self.open_on_top()

    def closed(self, cell: Cell, profit: Decimal) -> None:
        """A round trip is made."""
        self.grid_profit += profit
        self.trips.append(Trip(self.index, cell.number, profit))

    # ------------------------------------------------ reverse

    def rebought(self, cell: Cell, price: Decimal, received: Decimal, paid: Decimal) -> None:
        """The rebuy closes the round trip: the gain at its price, and the cents that it left."""
        proceeds = cell.proceeds or ZERO
        cell.coins = cell.sold
        if received >= cell.sold:
            self.gain += received - cell.sold
        else:  # dust fills it up (CHOICES 23); what it cost does not matter, as no round trip bears it
            pool = received + self.dust
            cell.coins = min(cell.sold, down(Fraction(pool), self.market.lot))
            self.dust = pool - cell.coins
        cell.proceeds = None
        self.closed(cell, (received - cell.sold) * price + proceeds - paid)

    # ------------------------------------------------ reinvest

    def put_back(self, cell: Cell) -> None:
        """Profit not put in yet buys whole lots more at the floor, as far as quote is free (CHOICES 16)."""
        each = Fraction(cell.floor) * fee_on_top(self.market)
        spare = self.spare_quote()  # less its own next buy without the increase, since it is empty now
        money = min(cell.pending, spare)
        if money <= 0:
            return
        more = down(Fraction(money) / each, self.market.lot)
        cost = exact(Fraction(more) * each)
        cell.size += more
        cell.put_in += cost
        cell.pending -= cost

    # ------------------------------------------------ infinity

    def open_on_top(self) -> None:
        """Five cells above the price are open; one that opens sells what leaves coins worth V (CHOICES 18)."""
        while sum(1 for cell in self.cells if cell.full) < OPEN_CELLS:
            number = self.cells[-1].number + 1 if self.cells else 0
            cell = self.infinity_cell(number)
            self.fill_from_store(cell)
            self.cells.append(cell)

    def infinity_cell(self, number: int) -> Cell:
        """A cell that buys by how much the coins change that are worth V (CHOICES 19)."""
        low, high = self.lines.at(number), self.lines.at(number + 1)
        size = down(self.worth / Fraction(low) - self.worth / Fraction(high), self.market.lot)
        return Cell(number, low, high, size)

    def fill_from_store(self, cell: Cell) -> None:
        """The cell takes what the store has beyond V at the cell's roof, with its share of the cost."""
        excess = Fraction(self.store) - self.worth / Fraction(cell.roof)
        cell.coins = max(ZERO, down(excess, self.market.lot))
        if self.store > 0:
            cell.cost = share_of_cost(self.store_cost, cell.coins, self.store)
        self.store -= cell.coins
        self.store_cost -= cell.cost
        self.place_sell(cell)

    # ------------------------------------------------ trailing, the cell itself

    def trailed_cell(self, number: int) -> Cell | None:
        """The cell that would open at that number; None where it would not earn, or trade too little (CHOICES 9)."""
        low, high = self.lines.at(number), self.lines.at(number + 1)
        if low <= 0 or low >= high:
            return None
        if (1 - Fraction(self.market.maker_fee)) ** 2 * Fraction(high) / Fraction(low) <= 1:
            return None
        size = down(self.worth / Fraction(low), self.market.lot)
        return None if too_small(self.market, size, low, high) else Cell(number, low, high, size)


def exact(value: Fraction) -> Decimal:
    """A fraction whose denominator has only twos and fives, as a Decimal; the context traps any other."""
    return Decimal(value.numerator) / Decimal(value.denominator)
