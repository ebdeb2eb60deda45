"""Orders, trades and order lists as JSON."""

from autogrid.simulator.binance.venue import Venue
from autogrid.simulator.binance.wire import STATUSES, STP, TYPES, figure, wire_symbol
from autogrid.simulator.records import SimList, SimOrder, SimTrade
from autogrid.trading.money import ZERO


def placed(order: SimOrder, response: str) -> dict[str, object]:
    """The answer to a new order: ACK, RESULT or FULL."""
    answer = _ids(order) | {"clientOrderId": order.client_id, "transactTime": order.changed_ms}
    if response == "ACK":
        return answer
    answer |= _figures(order) | _stop(order) | {"workingTime": working_ms(order)}
    if response == "FULL":
        answer["fills"] = [
            {
                "price": figure(trade.price),
                "qty": figure(trade.quantity),
                "commission": figure(trade.fee),
                "commissionAsset": trade.fee_asset,
                "tradeId": trade.id,
            }
            for trade in order.trades
        ]
    return answer | {"selfTradePreventionMode": STP}


def cancelled(order: SimOrder, venue: Venue) -> dict[str, object]:
    """The answer to a cancellation."""
    return (
        {"symbol": wire_symbol(order.symbol), "origClientOrderId": order.client_id}
        | _ids(order)
        | {"clientOrderId": venue.cancel_name(order.key), "transactTime": order.changed_ms}
        | _figures(order)
        | _stop(order)
        | {"selfTradePreventionMode": STP}
    )


def found(order: SimOrder) -> dict[str, object]:
    """An order that was looked up."""
    return (
        _ids(order)
        | {"clientOrderId": order.client_id}
        | {name: told for name, told in _figures(order).items() if name != "origQuoteOrderQty"}
        | {
            "stopPrice": figure(order.trigger or ZERO),
            "icebergQty": figure(ZERO),
            "time": order.made_ms,
            "updateTime": order.changed_ms,
            "isWorking": not order.waiting,
            "workingTime": working_ms(order),
            "origQuoteOrderQty": figure(order.quote_quantity),
            "selfTradePreventionMode": STP,
        }
    )


def own_trade(trade: SimTrade, list_id: int | None) -> dict[str, object]:
    """A row of myTrades."""
    return {
        "symbol": wire_symbol(trade.symbol),
        "id": trade.id,
        "orderId": trade.exchange_id,
        "orderListId": -1 if list_id is None else list_id,
        "price": figure(trade.price),
        "qty": figure(trade.quantity),
        "quoteQty": figure(trade.price * trade.quantity),
        "commission": figure(trade.fee),
        "commissionAsset": trade.fee_asset,
        "time": trade.at_ms,
        "isBuyer": trade.side == "buy",
        "isMaker": trade.maker,
        "isBestMatch": True,
    }


def order_list(listed: SimList, at_ms: int | None = None) -> dict[str, object]:
    """An order list without its orders' reports."""
    return {
        "orderListId": listed.list_id,
        "contingencyType": "OCO",
        "listStatusType": "EXEC_STARTED" if listed.is_open else "ALL_DONE",
        "listOrderStatus": "EXECUTING" if listed.is_open else "ALL_DONE",
        "listClientOrderId": listed.client_id,
        "transactionTime": listed.made_ms if at_ms is None else at_ms,
        "symbol": wire_symbol(listed.symbol),
        "orders": [
            {"symbol": wire_symbol(one.symbol), "orderId": one.exchange_id, "clientOrderId": one.client_id}
            for one in listed.orders
        ],
    }


def working_ms(order: SimOrder) -> int:
    """When the order came into the book; -1 while it waits for its trigger."""
    if order.trigger is None:
        return order.made_ms
    return -1 if order.triggered_ms is None else order.triggered_ms


def _ids(order: SimOrder) -> dict[str, object]:
    return {
        "symbol": wire_symbol(order.symbol),
        "orderId": order.exchange_id,
        "orderListId": -1 if order.list_id is None else order.list_id,
    }


def _figures(order: SimOrder) -> dict[str, object]:
    kind, force = TYPES[order.type]
    return {
        "price": figure(order.price),
        "origQty": figure(order.quantity),
        "executedQty": figure(order.filled),
        "origQuoteOrderQty": figure(order.quote_quantity),
        "cummulativeQuoteQty": figure(order.value),
        "status": STATUSES[order.status],
        "timeInForce": force,
        "type": kind,
        "side": order.side.upper(),
    }


def _stop(order: SimOrder) -> dict[str, object]:
    return {} if order.trigger is None else {"stopPrice": figure(order.trigger)}
