"""The frames of an account's channels: its orders, its trades, its balances."""

import hashlib
from decimal import ROUND_HALF_EVEN

from autogrid.simulator.mexc.frames import frame
from autogrid.simulator.mexc.names import SIDE_NUMBERS, TYPE_NUMBERS, id_of, order_id, status_of, trade_id
from autogrid.simulator.mexc.orders import client_id_of
from autogrid.simulator.mexc.topics import ACCOUNT, DEALS, ORDERS
from autogrid.simulator.records import Holding, OrderNews, SimOrder, SimTrade, WalletNews
from autogrid.trading.money import UNIT, ZERO, Amount, text


def order_frame(news: OrderNews, sent_ms: int) -> bytes:
    """An order as it stands now."""
    order, trade = news.order, news.trade
    amount = order.quote_quantity or order.price * order.quantity
    average = (order.value / order.filled).quantize(UNIT, ROUND_HALF_EVEN) if order.filled else ZERO
    body: dict[str, object] = {
        "id": order_id(order.exchange_id),
        "clientId": client_id_of(order) or "",
        "price": text(order.price),
        "quantity": text(order.quantity),
        "amount": text(amount),
        "avgPrice": text(average),
        "orderType": TYPE_NUMBERS[order.type],
        "tradeType": SIDE_NUMBERS[order.side],
        "isMaker": trade is not None and trade.maker,
        "remainAmount": text(max(ZERO, amount - order.value)),
        "remainQuantity": text(order.left),
        "cumulativeQuantity": text(order.filled),
        "cumulativeAmount": text(order.value),
        "status": status_of(order)[1],
        "createTime": order.made_ms,
    }
    if trade is not None:
        body["lastDealQuantity"] = text(trade.quantity)
    return frame(ORDERS, sent_ms, "privateOrders", body, symbol=id_of(order.symbol))


def deal_frame(order: SimOrder, trade: SimTrade, sent_ms: int) -> bytes:
    """A trade of the account."""
    body = {
        "price": text(trade.price),
        "quantity": text(trade.quantity),
        "amount": text(trade.price * trade.quantity),
        "tradeType": SIDE_NUMBERS[trade.side],
        "isMaker": trade.maker,
        "isSelfTrade": False,
        "tradeId": trade_id(trade),
        "clientOrderId": client_id_of(order) or "",
        "orderId": order_id(trade.exchange_id),
        "feeAmount": text(trade.fee),
        "feeCurrency": trade.fee_asset,
        "time": trade.at_ms,
    }
    return frame(DEALS, sent_ms, "privateDeals", body, symbol=id_of(trade.symbol))


def account_frame(news: WalletNews, before: Holding, *, credited: bool) -> bytes:
    """What the account owns of an asset, and by how much that changed; `credited`: from outside, or to it."""
    free, held = news.holding.free - before.free, news.holding.held - before.held
    body = {
        "vcoinName": news.asset,
        "coinId": hashlib.sha256(news.asset.encode()).hexdigest()[:32],
        "balanceAmount": text(news.holding.free),
        "balanceAmountChange": text(free),
        "frozenAmount": text(news.holding.held),
        "frozenAmountChange": text(held),
        "type": ("DEPOSIT" if free > 0 else "WITHDRAW") if credited else _cause(free, held),
        "time": news.at_ms,
    }
    return frame(ACCOUNT, news.at_ms, "privateAccount", body)


def _cause(free: Amount, held: Amount) -> str:
    """MEXC's word for a change by an order, as far as the amounts tell it."""
    if free + held == 0:
        return "ENTRUST_PLACE" if held > 0 else "ENTRUST_CANCEL"
    return "ENTRUST"
