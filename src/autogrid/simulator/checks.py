"""What an exchange refuses before it takes an order: the market's filters, in the order in which they are told."""

from decimal import Decimal

from autogrid.simulator.records import UnableToTrade, Wanted
from autogrid.trading.market import Market
from autogrid.trading.money import ONE, ZERO, Price, Quantity, text
from autogrid.trading.order import Side


def reference_price(wanted: Wanted, market: Market, price: Price, slippage: Decimal) -> Price:
    """The price an order is weighed at: its limit; a market order's, the market's or its trigger, worsened."""
    if wanted.type not in ("market", "stop"):
        if wanted.price is None:
            raise UnableToTrade("bad-request", "a limit order needs a price")
        return wanted.price
    at = price if wanted.trigger is None else wanted.trigger
    if not slippage:
        return at
    return market.price_up(at * (ONE + slippage)) if wanted.side == "buy" else market.price_down(at * (ONE - slippage))


def quantity_of(wanted: Wanted, market: Market, price: Price) -> Quantity:
    """The base wanted; where an amount of quote is named, the most whole lots that it pays for at `price`."""
    if wanted.quantity is not None:
        return wanted.quantity
    if wanted.quote_quantity is None or wanted.type != "market":
        raise UnableToTrade("bad-request", "an order needs a quantity")
    afford = wanted.quote_quantity
    if wanted.side == "buy" and market.quote_fee:
        afford = afford / (ONE + market.quote_fee)
    return market.quantity(max(ZERO, afford) / price)


def check_filters(wanted: Wanted, market: Market, price: Price, quantity: Quantity, last: Price) -> None:
    """Raise UnableToTrade for the first filter that an order of `quantity`, weighed at `price`, breaks."""
    limits = [] if wanted.type in ("market", "stop") else [price]
    for figure in [*limits, *([] if wanted.trigger is None else [wanted.trigger])]:
        if figure <= 0 or figure % market.tick:
            raise UnableToTrade("tick", f"price {text(figure)} is not a multiple of the tick {text(market.tick)}")
    _check_quantity(quantity, market)
    if price * quantity < market.min_notional:
        words = f"value {text(price * quantity)} is below the least value {text(market.min_notional)}"
        raise UnableToTrade("least-value", words)
    if limits:
        _check_band(wanted, market, price, last)


def check_trigger(wanted: Wanted, last: Price) -> None:
    """Raise UnableToTrade where a stop lies on the wrong side of the market's price: it would be triggered at once."""
    if wanted.trigger is None:
        raise UnableToTrade("bad-request", "a stop needs a trigger")
    if wanted.trigger >= last if wanted.side == "sell" else wanted.trigger <= last:
        words = f"a stop to {wanted.side} at {text(wanted.trigger)} would be triggered by {text(last)} at once"
        raise UnableToTrade("would-trigger", words)


def crosses(side: Side, price: Price, last: Price) -> bool:
    """Whether a limit order at `price` would trade at once."""
    return price >= last if side == "buy" else price <= last


def _check_quantity(quantity: Quantity, market: Market) -> None:
    least = max(market.min_quantity, market.lot)
    if quantity < least:
        raise UnableToTrade("least-quantity", f"quantity {text(quantity)} is below the least one, {text(least)}")
    if market.max_quantity is not None and quantity > market.max_quantity:
        words = f"quantity {text(quantity)} is above the greatest one, {text(market.max_quantity)}"
        raise UnableToTrade("most-quantity", words)
    if quantity % market.lot:
        raise UnableToTrade("lot", f"quantity {text(quantity)} is not a multiple of the lot {text(market.lot)}")


def _check_band(wanted: Wanted, market: Market, price: Price, last: Price) -> None:
    least, most = market.least_share, market.most_share
    if wanted.side == "buy" and least is not None and price < last * least:
        raise UnableToTrade("price-band", f"a buy at {text(price)} is too far below {text(last)}")
    if wanted.side == "sell" and most is not None and price > last * most:
        raise UnableToTrade("price-band", f"a sell at {text(price)} is too far above {text(last)}")
