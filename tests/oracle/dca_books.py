"""The books of the DCA oracle: balances, the pool of coins and what they cost, fees, fills, closed deals.

It shares no code with the engine. Where the specification leaves a choice, the comment says "DCA_NOTES n", which
is the number in DCA_NOTES.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tests.oracle.dca_rules import Market
from tests.oracle.grid_oracle import ZERO, down, fee_of, share_of_cost, third_asset, up


@dataclass(frozen=True)
class Fill:
    index: int  # of the candle; a fill in a jump belongs to the candle the jump leads to
    side: str  # buy | sell
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str  # base | quote | the third asset's name
    role: str  # maker | taker
    kind: str  # base_order | safety | schedule | drop | take_profit | trailing | stop_loss


@dataclass(frozen=True)
class Deal:
    opened: int  # candle indexes
    closed: int
    profit: Decimal
    kind: str


class Books:
    """An account with one market. All of its base is the pool."""

    def __init__(self, market: Market, investment: Decimal, slippage: Decimal) -> None:
        self.market = market
        self.slippage = slippage
        self.quote = investment
        self.pool = ZERO
        self.pool_cost = ZERO
        self.paid = ZERO  # by all buys so far, for the budget
        self.fees: dict[str, Decimal] = {}
        self.third_worth = ZERO
        self.fills: list[Fill] = []
        self.deals: list[Deal] = []
        self.notes: list[tuple[int, str]] = []
        self.index = 0  # of the candle
        self.in_jump = False
        self.jump_end = ZERO
        self.active = False  # coins are held
        self.opened = 0
        self.base_price = ZERO  # of the position's first buy

    def note(self, text: str) -> None:
        self.notes.append((self.index, text))

    def book(self, side: str, price: Decimal, quantity: Decimal, role: str, kind: str) -> tuple[Decimal, Decimal]:
        """One fill. Gives the base it moved and the quote it is worth to the books, fees included."""
        rate = self.market.maker_fee if role == "maker" else self.market.taker_fee
        fee, asset = fee_of(side, price, quantity, rate, self.market.fee_in)
        in_base = fee if asset == "base" else ZERO
        in_quote = fee if asset == "quote" else ZERO
        third = third_asset(self.market.fee_in)
        worth = fee * third[1] if third is not None else ZERO
        self.quote += -price * quantity - in_quote if side == "buy" else price * quantity - in_quote
        self.third_worth += worth
        self.fees[asset] = self.fees.get(asset, ZERO) + fee
        self.fills.append(Fill(self.index, side, price, quantity, fee, asset, role, kind))
        if self.quote < 0:
            raise RuntimeError("the quote balance fell below zero")
        if side == "buy":
            return quantity - in_base, price * quantity + in_quote + worth
        return quantity, price * quantity - in_quote - worth

    def bought(self, price: Decimal, quantity: Decimal, role: str, kind: str) -> None:
        """A buy joins the pool, dust of an earlier deal included."""
        coins, cost = self.book("buy", price, quantity, role, kind)
        self.pool += coins
        self.pool_cost += cost
        self.paid += cost
        if not self.active:
            self.active = True
            self.opened = self.index
            self.base_price = price

    def sold(self, price: Decimal, quantity: Decimal, role: str, kind: str) -> None:
        """A sale of the whole lots of the pool closes the deal; what is left is dust with its share of the cost."""
        profit = ZERO
        if quantity > 0:
            cost = share_of_cost(self.pool_cost, quantity, self.pool)
            _, proceeds = self.book("sell", price, quantity, role, kind)
            self.pool -= quantity
            self.pool_cost -= cost
            profit = proceeds - cost
        self.deals.append(Deal(self.opened, self.index, profit, kind))
        self.active = False

    def market_price(self, side: str, point: Decimal) -> Decimal:
        """The path's price (in a jump the one at its end), worsened by the slippage, on the tick on the worse side."""
        at = self.jump_end if self.in_jump else point
        if self.slippage == 0:
            return at
        if side == "buy":
            return up(Fraction(at) * (1 + Fraction(self.slippage)), self.market.tick)
        return down(Fraction(at) * (1 - Fraction(self.slippage)), self.market.tick)

    def buy_at_market(self, point: Decimal, size: Decimal, kind: str) -> bool:
        """Coins by the path's price (DCA_NOTES 10); False where the exchange refuses the order."""
        at = self.jump_end if self.in_jump else point
        quantity = down(Fraction(size) / Fraction(at), self.market.lot)
        price = self.market_price("buy", point)
        if quantity <= 0 or price * quantity < self.market.min_notional:
            self.note(f"{kind}: under the minimum")
            return False
        if price * quantity + self.market.buy_fee(price, quantity, self.market.taker_fee)[1] > self.quote:
            self.note(f"{kind}: not enough funds")
            return False
        self.bought(price, quantity, "taker", kind)
        return True
