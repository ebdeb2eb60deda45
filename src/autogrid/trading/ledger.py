"""What a bot owns and how it came by it: a double-entry ledger, booked fill by fill, to the last unit.

Every fill moves equal amounts between accounts, so these two sums hold after every booking, exactly:

    base  = funded_base  + bought - sold - fee_base
    quote = funded_quote + earned - paid - fee_quote

A fee in a third asset comes out of the account's own stock of it. Its worth (`fee_value`) is taken off the equity, so
that profit is profit after all fees. `held_*` is the part of a balance that resting orders need.
A bot's ledger is moved by the bot's own fills, deposits and withdrawals, and by nothing else on the account.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from autogrid.trading.event import Filled
from autogrid.trading.market import QUOTE, Market
from autogrid.trading.money import ZERO, Amount, Price, Quantity, part_of
from autogrid.trading.order import OPEN, Order

NOTHING: Final[Mapping[str, Amount]] = MappingProxyType({})


class Ledger(NamedTuple):
    """Balances and the sums that explain them."""

    quote: Amount
    """All of it, also what orders hold."""
    base: Quantity
    """All of it, dust included, also what orders hold."""
    held_quote: Amount
    held_base: Quantity
    bought: Quantity
    paid: Amount
    sold: Quantity
    earned: Amount
    fee_base: Quantity
    fee_quote: Amount
    cost: Amount
    """Quote spent on the base still owned, at average cost, fees of buys included."""
    fee_value: Amount
    """In quote: what fees in third assets were worth when they were paid."""
    other_fees: Mapping[str, Amount]
    """Fees in third assets, each in its own unit."""
    funded_quote: Amount
    funded_base: Quantity
    funded_value: Amount
    """In quote: all that was put in, base at the price of that moment."""

    @property
    def free_quote(self) -> Amount:
        """Quote that no order needs."""
        return self.quote - self.held_quote

    @property
    def free_base(self) -> Quantity:
        """Base that no order needs."""
        return self.base - self.held_base

    @property
    def average_cost(self) -> Price | None:
        """Quote spent per base still owned; None where none is."""
        return self.cost / self.base if self.base else None

    def equity(self, price: Price) -> Amount:
        """All of it in quote, the base valued at `price`, no exit fee; less the worth of fees in third assets."""
        return self.quote + self.base * price - self.fee_value

    def profit(self, price: Price) -> Amount:
        """Equity at `price` less all that was put in."""
        return self.equity(price) - self.funded_value

    def fees(self, market: Market) -> dict[str, Amount]:
        """Fees paid so far by asset."""
        return {market.base: self.fee_base, market.quote: self.fee_quote, **self.other_fees}


def opened(quote: Amount, base: Quantity = ZERO, price: Price = ZERO) -> Ledger:
    """A ledger with its first deposit: `quote`, and `base` valued at `price`."""
    value = base * price
    return Ledger(
        quote,
        base,
        *(ZERO,) * 8,
        cost=value,
        fee_value=ZERO,
        other_fees=NOTHING,
        funded_quote=quote,
        funded_base=base,
        funded_value=quote + value,
    )


def book(ledger: Ledger, before: Order, after: Order, fill: Filled, market: Market) -> Ledger:
    """`ledger` after `fill`, which turned `before` into `after`."""
    fee_base = after.fee_base - before.fee_base
    fee_quote = after.fee_quote - before.fee_quote
    other_fees = ledger.other_fees
    if fill.fee_value or (not fee_base and not fee_quote and fill.fee):
        other_fees = {**other_fees, fill.fee_asset: other_fees.get(fill.fee_asset, ZERO) + fill.fee}
    quantity = fill.quantity
    value = fill.price * quantity
    was_held = before.status in OPEN
    if after.side == "buy":
        released = quantity * after.price if was_held else ZERO
        if was_held and market.fee_in == QUOTE:
            released = held_quote(before, market) - held_quote(after, market)
        return Ledger(
            ledger.quote - value - fee_quote,
            ledger.base + quantity - fee_base,
            ledger.held_quote - released,
            ledger.held_base,
            ledger.bought + quantity,
            ledger.paid + value,
            ledger.sold,
            ledger.earned,
            ledger.fee_base + fee_base,
            ledger.fee_quote + fee_quote,
            ledger.cost + value + fee_quote + fill.fee_value,
            ledger.fee_value + fill.fee_value,
            other_fees,
            *ledger[13:],
        )
    released = quantity if was_held else ZERO
    gone = quantity + fee_base
    return Ledger(
        ledger.quote + value - fee_quote,
        ledger.base - gone,
        ledger.held_quote,
        ledger.held_base - released,
        ledger.bought,
        ledger.paid,
        ledger.sold + quantity,
        ledger.earned + value,
        ledger.fee_base + fee_base,
        ledger.fee_quote + fee_quote,
        ledger.cost - part_of(ledger.cost, gone, ledger.base),
        ledger.fee_value + fill.fee_value,
        other_fees,
        *ledger[13:],
    )


def funded(ledger: Ledger, amount: Amount) -> Ledger:
    """`ledger` after a deposit of `amount` quote, or (below zero) a withdrawal: neither is profit."""
    return ledger._replace(
        quote=ledger.quote + amount,
        funded_quote=ledger.funded_quote + amount,
        funded_value=ledger.funded_value + amount,
    )


def held_quote(order: Order, market: Market) -> Amount:
    """Quote that `order` needs while it is open: the rest of a buy at its limit, with the fee where it is in quote."""
    if order.side != "buy" or order.status not in OPEN:
        return ZERO
    return market.needed((order.quantity - order.filled) * order.price)


def held_base(order: Order) -> Quantity:
    """Base that `order` needs while it is open: the rest of a sell."""
    if order.side != "sell" or order.status not in OPEN:
        return ZERO
    return order.quantity - order.filled


def hold(ledger: Ledger, before: Order | None, after: Order, market: Market) -> Ledger:
    """`ledger` when `before` (None: it is new) became `after` without a fill: what it needs is held or set free."""
    quote, base, in_quote, in_base = ledger[:4]
    if after.side == "buy":
        change = held_quote(after, market)
        if before is not None:
            change -= held_quote(before, market)
        return Ledger(quote, base, in_quote + change, in_base, *ledger[4:])
    change = held_base(after)
    if before is not None:
        change -= held_base(before)
    return Ledger(quote, base, in_quote, in_base + change, *ledger[4:])


def received_of(fill: Filled, market: Market) -> Quantity:
    """Base that a buy's fill brought, after a fee in base."""
    return fill.quantity - fill.fee if fill.fee_asset == market.base else fill.quantity


def paid_for(fill: Filled, market: Market) -> Amount:
    """Quote that a buy's fill cost, with its fee in quote or in a third asset."""
    value = fill.price * fill.quantity + fill.fee_value
    return value + fill.fee if fill.fee_asset == market.quote else value


def earned_by(fill: Filled, market: Market) -> Amount:
    """Quote that a sell's fill brought, less its fee in quote or in a third asset."""
    value = fill.price * fill.quantity - fill.fee_value
    return value - fill.fee if fill.fee_asset == market.quote else value


class Pool(NamedTuple):
    """Base on its way into orders: what was received with what was left over before, and what it cost in quote."""

    base: Quantity
    cost: Amount

    def draw(self, quantity: Quantity) -> "Draw":
        """Take `quantity` out with its share of the cost (half-even to the eighth decimal); the rest stays."""
        cost = part_of(self.cost, quantity, self.base)
        return Draw(cost, Pool(self.base - quantity, self.cost - cost))


class Draw(NamedTuple):
    """What was taken out of a pool cost this much, and this is left."""

    cost: Amount
    rest: Pool
