"""A market and the rules its exchange sets for orders on it: tick, lot, least value, caps and fees."""

from dataclasses import dataclass, field
from decimal import ROUND_UP, Decimal
from typing import Final, Literal, NamedTuple, TypeAlias

from autogrid.trading.money import (
    ONE,
    UNIT,
    ZERO,
    Amount,
    Price,
    Quantity,
    Share,
    round_down,
    round_nearest,
    round_up,
    text,
)


class ThirdAsset(NamedTuple):
    """Fees are paid in an asset that is neither traded one, such as BNB, out of the account's own stock of it."""

    asset: str
    price: Price
    """Quote per one of it."""


FeeIn: TypeAlias = Literal["received", "quote"] | ThirdAsset
"""`received`: a buy pays in base, a sell in quote (Binance, Bybit, MEXC spot). `quote`: both pay in quote."""

Stops: TypeAlias = Literal["none", "stop", "oco"]
"""Which protective sells an exchange keeps on spot. `stop`: a stop-limit order. `oco`: that too, and a take-profit and
a stop of which one that trades ends the other, so that both hold the same coins."""

RECEIVED: Final = "received"
QUOTE: Final = "quote"


@dataclass(frozen=True, slots=True)
class Market:
    """One traded pair; figures are as the exchange publishes them."""

    base: str
    quote: str
    tick: Price
    """Smallest step of a price, in quote."""
    lot: Quantity
    """Smallest step of a quantity, in base."""
    min_notional: Amount
    """Smallest value of an order, in quote."""
    maker_fee: Share
    taker_fee: Share
    fee_in: FeeIn = RECEIVED
    min_quantity: Quantity = ZERO
    max_quantity: Quantity | None = None
    max_orders: int | None = None
    """Most orders that may rest at once."""
    least_share: Share | None = None
    """A buy below this share of the market price is refused by the exchange (percent-price rule)."""
    most_share: Share | None = None
    """A sell above this share of the market price is refused by the exchange (percent-price rule)."""
    stops: Stops = "none"
    """What rests at the exchange to sell when the price falls; `none`: the bot watches the price itself."""
    base_fee: Share = field(init=False, compare=False)
    """The rate of a maker's buy that is taken out of the base it receives."""
    most_base_fee: Share = field(init=False, compare=False)
    """The dearer rate that a buy pays out of the base it receives: what it brings is never less."""
    quote_fee: Share = field(init=False, compare=False)
    """The dearer rate that a buy pays in quote on top of its value."""

    def __post_init__(self) -> None:
        """Work out the rates once: they are asked for at every order."""
        dearer = max(self.maker_fee, self.taker_fee)
        object.__setattr__(self, "base_fee", self.maker_fee if self.fee_in == RECEIVED else ZERO)
        object.__setattr__(self, "most_base_fee", dearer if self.fee_in == RECEIVED else ZERO)
        object.__setattr__(self, "quote_fee", dearer if self.fee_in == QUOTE else ZERO)

    @property
    def symbol(self) -> str:
        """Such as BTC/USDT."""
        return f"{self.base}/{self.quote}"

    def needed(self, value: Amount) -> Amount:
        """Quote that a buy of `value` takes at most: with the dearer fee, rounded up, where fees are paid in quote."""
        if self.fee_in != QUOTE:
            return value
        return value + (value * self.quote_fee).quantize(UNIT, ROUND_UP)

    def nearest_price(self, number: Decimal) -> Price:
        """`number` on the tick, half-way to the even one."""
        return round_nearest(number, self.tick)

    def price_down(self, number: Decimal) -> Price:
        """The highest price on the tick not above `number`."""
        return round_down(number, self.tick)

    def price_up(self, number: Decimal) -> Price:
        """The lowest price on the tick not below `number`."""
        return round_up(number, self.tick)

    def quantity(self, number: Decimal) -> Quantity:
        """The most that can be ordered without passing `number`."""
        return round_down(number, self.lot)

    def least_quantity(self, price: Price) -> Quantity:
        """The smallest quantity that can be ordered at `price`."""
        return max(round_up(self.min_notional / price, self.lot), round_up(self.min_quantity, self.lot), self.lot)

    def breach(self, price: Price, quantity: Quantity, *, market: bool = False) -> str | None:
        """The first rule that an order of `quantity` at `price` breaks, with its numbers; None where it keeps all.

        A `market` order's price is what is expected, not a limit: it need not lie on the tick.
        """
        if quantity <= 0:
            return "quantity is not above zero"
        if quantity % self.lot:
            return f"quantity {text(quantity)} is not a multiple of the lot {text(self.lot)}"
        if quantity < self.min_quantity:
            return f"quantity {text(quantity)} is below the least quantity {text(self.min_quantity)}"
        if self.max_quantity is not None and quantity > self.max_quantity:
            return f"quantity {text(quantity)} is above the greatest quantity {text(self.max_quantity)}"
        if price <= 0 or (price % self.tick and not market):
            return f"price {text(price)} is not a multiple of the tick {text(self.tick)}"
        if price * quantity < self.min_notional:
            return f"value {text(price * quantity)} is below the least value {text(self.min_notional)}"
        return None


def break_even_rise(market: Market) -> Share:
    """How far the price must rise from a purchase at market to a resting sale that loses nothing."""
    bought = ONE / net_of(market.taker_fee) if market.fee_in == RECEIVED else ONE + market.taker_fee
    return bought / net_of(market.maker_fee) - ONE


def net_of(rate: Share) -> Share:
    """What is left of one after a fee at `rate`."""
    return ONE - rate
