"""Orders as they go over the wire, and their trades as they come back."""

from autogrid.engine.venue import Intent, OwnTrade
from autogrid.trading.event import Filled
from autogrid.trading.market import Market
from autogrid.trading.money import Amount, Share
from autogrid.trading.order import Order


def intent_of(order: Order, client_id: str, market: Market, slippage: Share) -> Intent:
    """How an order goes over the wire. One that must trade now is a limit order that passes its price a little, no
    more, and whose rest is cancelled: so a thin book cannot take it to any price.
    """
    if order.kind != "market":
        stop = order.trigger, order.stop_price
        return Intent(market.symbol, client_id, order.side, order.kind, order.price, order.remaining, *stop)
    if order.side == "buy":
        price = market.price_up(order.price * (1 + slippage))
    else:
        price = max(market.price_down(order.price * (1 - slippage)), market.tick)
    return Intent(market.symbol, client_id, order.side, "now", price, order.remaining)


def filled_by(order_id: str, trade: OwnTrade, fee_value: Amount) -> Filled:
    """The fill that a trade is. `fee_value`: in quote, of a fee in a third asset."""
    return Filled(
        trade.at_ms,
        order_id,
        trade.trade_id,
        trade.price,
        trade.quantity,
        trade.fee,
        trade.fee_asset,
        fee_value,
        trade.maker,
    )
