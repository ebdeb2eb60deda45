"""Placing, cancelling and looking up orders."""

from collections.abc import Callable, Mapping
from typing import Final

from autogrid.simulator.binance.exchange_info import MOST_STOPS
from autogrid.simulator.binance.params import Params
from autogrid.simulator.binance.refusals import NO_ORDER, UnableToAnswer, from_world
from autogrid.simulator.binance.shapes import cancelled, found, order_list, own_trade, placed
from autogrid.simulator.binance.venue import Asked
from autogrid.simulator.binance.wire import Json, figure
from autogrid.simulator.records import OrderType, SimOrder, UnableToTrade, Wanted
from autogrid.trading.money import ZERO
from autogrid.trading.order import Side

RESPONSES: Final = ("ACK", "RESULT", "FULL")
FORCES: Final[Mapping[str, OrderType]] = {"GTC": "limit", "IOC": "ioc", "FOK": "fok"}
DAY_MS: Final = 86_400_000


def place(asked: Asked) -> Json:
    """POST order."""
    wanted = wanted_of(asked)
    usual = "FULL" if wanted.type in ("limit", "ioc", "fok", "market") else "ACK"
    response = asked.params.optional("newOrderRespType") or usual
    if response not in RESPONSES:
        raise UnableToAnswer(-1130, "Data sent for parameter 'newOrderRespType' is not valid.")
    asked.params.check_all_read()
    check_stops(asked, wanted)
    try:
        order = asked.world.place(asked.account, wanted)
    except UnableToTrade as refusal:
        raise from_world(refusal) from None
    return placed(order, response)


def test(asked: Asked) -> Json:
    """POST order/test: refused as `place` would, but for funds."""
    wanted = wanted_of(asked)
    costs = asked.params.optional("computeCommissionRates") == "true"
    asked.params.ignore("newOrderRespType")
    try:
        asked.world.check(asked.account, wanted)
    except UnableToTrade as refusal:
        raise from_world(refusal) from None
    if not costs:
        return {}
    market = asked.venue.market(wanted.symbol)
    rates = {"maker": figure(market.maker_fee), "taker": figure(market.taker_fee)}
    none = {"maker": figure(ZERO), "taker": figure(ZERO)}
    return {
        "standardCommissionForOrder": rates,
        "specialCommissionForOrder": none,
        "taxCommissionForOrder": none,
        "discount": DISCOUNT,
    }


DISCOUNT: Final[Mapping[str, object]] = {
    "enabledForAccount": False,
    "enabledForSymbol": False,
    "discountAsset": "BNB",
    "discount": "0.75000000",
}


def cancel(asked: Asked) -> Json:
    """DELETE order. An order of a list takes the other along, and the answer is the list's."""
    symbol, order = asked.symbol(), _named(asked)
    name = asked.params.client_id("newClientOrderId")
    only = asked.params.optional("cancelRestrictions")
    asked.params.check_all_read()
    if order is None or not order.is_open:
        raise UnableToAnswer(-2011, "Unknown order sent.")
    if only in ("ONLY_NEW", "ONLY_PARTIALLY_FILLED") and (only == "ONLY_NEW") == bool(order.filled):
        raise UnableToAnswer(-2011, "Order was not canceled due to cancel restrictions.")
    return cancel_one(asked, symbol, order, name)


def cancel_one(asked: Asked, symbol: str, order: SimOrder, name: str) -> dict[str, object]:
    """Cancel an open order, and the answer to that."""
    listed = None if order.list_id is None else asked.world.lists[order.list_id]
    for one in [order] if listed is None else listed.orders:
        asked.venue.name_cancel(one.key, name)
    try:
        asked.world.cancel(asked.account, symbol, exchange_id=order.exchange_id)
    except UnableToTrade as refusal:
        raise from_world(refusal) from None
    if listed is None:
        return cancelled(order, asked.venue)
    reports = [cancelled(one, asked.venue) for one in listed.orders]
    return order_list(listed, asked.world.now_ms()) | {"orderReports": reports}


def cancel_all(asked: Asked) -> Json:
    """DELETE openOrders of one market."""
    symbol = asked.symbol()
    asked.params.check_all_read()
    orders = asked.world.open_orders(asked.account, symbol)
    answers = [cancel_one(asked, symbol, order, "") for order in orders if order.is_open]
    if not answers:
        raise UnableToAnswer(-2011, "Unknown order sent.")
    return answers


def find(asked: Asked) -> Json:
    """GET order."""
    order = _named(asked)
    asked.params.check_all_read()
    if order is None:
        raise UnableToAnswer(*NO_ORDER)
    return found(order)


def open_orders(asked: Asked) -> Json:
    """GET openOrders."""
    symbol = asked.symbol_or_none()
    asked.params.check_all_read()
    return [found(order) for order in asked.world.open_orders(asked.account, symbol)]


def all_orders(asked: Asked) -> Json:
    """GET allOrders: from `orderId` on, or within a time, else the newest."""
    symbol, params = asked.symbol(), asked.params
    from_id, limit, within = params.whole("orderId"), params.limit(500, 1000), _within(params)
    params.check_all_read()
    rows = [order for order in asked.world.orders(asked.account, symbol) if within(order.made_ms)]
    if from_id is not None:
        rows = [order for order in rows if order.exchange_id >= from_id]
    return [found(order) for order in (rows[:limit] if from_id is not None else rows[-limit:])]


def own_trades(asked: Asked) -> Json:
    """GET myTrades: from `fromId` on, or of an order, or within a time, else the newest."""
    symbol, params = asked.symbol(), asked.params
    from_id, order_id, limit = params.whole("fromId"), params.whole("orderId"), params.limit(500, 1000)
    timed = params.optional("startTime") is not None or params.optional("endTime") is not None
    if from_id is not None and timed:
        raise UnableToAnswer(-1128, "Combination of optional parameters invalid.")
    within = _within(params)
    params.check_all_read()
    rows = asked.world.trades(asked.account, symbol, from_id=from_id or 0, limit=10**9)
    rows = [one for one in rows if within(one.at_ms) and order_id in (None, one.exchange_id)]
    first = from_id is not None or params.optional("startTime") is not None
    shown = rows[:limit] if first else rows[-limit:]
    lists = {order.exchange_id: order.list_id for order in asked.world.orders(asked.account, symbol)}
    return [own_trade(one, lists[one.exchange_id]) for one in shown]


def cancel_replace(asked: Asked) -> Json:
    """POST order/cancelReplace."""
    symbol, params = asked.symbol(), asked.params
    mode = params.text("cancelReplaceMode")
    order_id, name = params.whole("cancelOrderId"), params.client_id("cancelOrigClientOrderId")
    cancel_name = params.client_id("cancelNewClientOrderId")
    if order_id is None and not name:
        raise UnableToAnswer(
            -1102, "Param 'cancelOrigClientOrderId' or 'cancelOrderId' must be sent, but both were empty/null!"
        )
    order = asked.world.find(asked.account, symbol, exchange_id=order_id, client_id=name)
    told: dict[str, object] = {"cancelResult": "SUCCESS", "newOrderResult": "SUCCESS"}
    if order is None or not order.is_open:
        told |= {"cancelResult": "FAILURE", "cancelResponse": {"code": -2011, "msg": "Unknown order sent."}}
        if mode == "STOP_ON_FAILURE":
            told |= {"newOrderResult": "NOT_ATTEMPTED", "newOrderResponse": None}
            raise UnableToReplace(-2022, "Order cancel-replace failed.", 400, told)
    else:
        told["cancelResponse"] = cancel_one(asked, symbol, order, cancel_name)
    try:
        told["newOrderResponse"] = place(asked)
    except UnableToAnswer as refusal:
        told |= {"newOrderResult": "FAILURE", "newOrderResponse": refusal.body}
    if told["cancelResult"] == told["newOrderResult"] == "SUCCESS":
        return told
    if told["cancelResult"] == told["newOrderResult"]:
        raise UnableToReplace(-2022, "Order cancel-replace failed.", 400, told)
    raise UnableToReplace(-2021, "Order cancel-replace partially failed.", 409, told)


class UnableToReplace(UnableToAnswer):
    """One or both halves of a replacement failed."""

    code = "binance-replacement"

    def __init__(self, number: int, words: str, status: int, told: Mapping[str, object]) -> None:
        super().__init__(number, words, status)
        self._told = told

    @property
    def body(self) -> dict[str, object]:
        """With what became of each half."""
        return super().body | {"data": dict(self._told)}


def check_stops(asked: Asked, wanted: Wanted) -> None:
    """Raises UnableToAnswer where too many stops wait already."""
    if wanted.trigger is None:
        return
    waiting = [order for order in asked.world.open_orders(asked.account, wanted.symbol) if order.trigger is not None]
    if len(waiting) >= MOST_STOPS:
        raise UnableToAnswer(-1013, "Filter failure: MAX_NUM_ALGO_ORDERS")


def side_of(params: Params) -> Side:
    """Raises UnableToAnswer."""
    told = params.text("side")
    if told == "BUY":
        return "buy"
    if told == "SELL":
        return "sell"
    raise UnableToAnswer(-1117, "Invalid side.")


def wanted_of(asked: Asked) -> Wanted:
    """The order that the parameters describe. Raises UnableToAnswer."""
    params, symbol = asked.params, asked.symbol()
    side, kind, name = side_of(params), params.text("type"), params.client_id("newClientOrderId")
    params.ignore("selfTradePreventionMode", "strategyId", "strategyType")
    make = MAKERS.get(kind)
    if make is None:
        if kind in ("TAKE_PROFIT", "TAKE_PROFIT_LIMIT"):
            raise UnableToAnswer(-2010, "Take profit orders are not supported for this symbol.")
        raise UnableToAnswer(-1116, "Invalid orderType.")
    return make(params, Wanted(symbol, side, "limit", name))


def _limit(params: Params, wanted: Wanted) -> Wanted:
    force = FORCES.get(params.text("timeInForce"))
    if force is None:
        raise UnableToAnswer(-1115, "Invalid timeInForce.")
    params.forbid("stopPrice", "quoteOrderQty")
    return _priced(params, wanted)._replace(type=force)


def _maker(params: Params, wanted: Wanted) -> Wanted:
    params.forbid("timeInForce", "stopPrice", "quoteOrderQty")
    return _priced(params, wanted)._replace(type="maker")


def _market(params: Params, wanted: Wanted) -> Wanted:
    params.forbid("timeInForce", "price", "stopPrice")
    quantity, value = params.figure("quantity"), params.figure("quoteOrderQty")
    if quantity is None and value is None:
        words = "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!"
        raise UnableToAnswer(-1102, words)
    if quantity is not None and value is not None:
        raise UnableToAnswer(-1106, "Parameter 'quoteOrderQty' sent when not required.")
    return wanted._replace(type="market", quantity=quantity, quote_quantity=value)


def _stop(params: Params, wanted: Wanted) -> Wanted:
    params.forbid("timeInForce", "price", "quoteOrderQty")
    quantity, trigger = params.needed_figure("quantity"), params.needed_figure("stopPrice")
    return wanted._replace(type="stop", quantity=quantity, trigger=trigger)


def _stop_limit(params: Params, wanted: Wanted) -> Wanted:
    if params.text("timeInForce") != "GTC":
        raise UnableToAnswer(-1115, "Invalid timeInForce.")
    params.forbid("quoteOrderQty")
    return _priced(params, wanted)._replace(type="stop_limit", trigger=params.needed_figure("stopPrice"))


def _priced(params: Params, wanted: Wanted) -> Wanted:
    iceberg = params.figure("icebergQty")
    if iceberg:
        raise UnableToAnswer(-2010, "Iceberg orders are not supported for this symbol.")
    quantity, price = params.needed_figure("quantity"), params.needed_figure("price")
    return wanted._replace(quantity=quantity, price=price)


MAKERS: Final[Mapping[str, Callable[[Params, Wanted], Wanted]]] = {
    "LIMIT": _limit,
    "LIMIT_MAKER": _maker,
    "MARKET": _market,
    "STOP_LOSS": _stop,
    "STOP_LOSS_LIMIT": _stop_limit,
}


def _named(asked: Asked) -> SimOrder | None:
    """The order that a request names by `orderId` or `origClientOrderId`."""
    symbol, params = asked.symbol(), asked.params
    order_id, name = params.whole("orderId"), params.client_id("origClientOrderId")
    if order_id is None and not name:
        words = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
        raise UnableToAnswer(-1102, words)
    return asked.world.find(asked.account, symbol, exchange_id=order_id, client_id=name)


def _within(params: Params) -> Callable[[int], bool]:
    start, end = params.whole("startTime"), params.whole("endTime")
    if start is not None and end is not None and end - start > DAY_MS:
        raise UnableToAnswer(-1127, "More than 24 hours between startTime and endTime.")
    return lambda at_ms: (start is None or at_ms >= start) and (end is None or at_ms <= end)
