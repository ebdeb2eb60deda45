"""Order lists: of two orders, one ends the other (OCO). Of both forms, old and new, one leg is a post-only limit order
and the other a stop.
"""

from autogrid.simulator.binance.orders import cancel_one, check_stops, side_of
from autogrid.simulator.binance.params import Params
from autogrid.simulator.binance.refusals import PRICES_CROSSED, UnableToAnswer, from_world
from autogrid.simulator.binance.shapes import order_list, placed
from autogrid.simulator.binance.venue import Asked
from autogrid.simulator.binance.wire import Json
from autogrid.simulator.records import OrderType, SimList, SimOrder, UnableToTrade, Wanted


def place(asked: Asked) -> Json:
    """POST orderList/oco: an order above the market's price and one below."""
    params, symbol, side = asked.params, asked.symbol(), side_of(asked.params)
    quantity = params.needed_figure("quantity")
    bare = Wanted(symbol, side, "limit", "", quantity=quantity)
    above, below = _leg(params, "above", bare), _leg(params, "below", bare)
    limit, stop = (above, below) if side == "sell" else (below, above)
    return _place(asked, limit, stop, params.client_id("listClientOrderId"))


def place_old(asked: Asked) -> Json:
    """POST order/oco, the old form: a price and a stop."""
    params, symbol, side = asked.params, asked.symbol(), side_of(asked.params)
    quantity, price = params.needed_figure("quantity"), params.needed_figure("price")
    trigger, stop_price = params.needed_figure("stopPrice"), params.figure("stopLimitPrice")
    if stop_price is not None and params.text("stopLimitTimeInForce") != "GTC":
        raise UnableToAnswer(-1115, "Invalid timeInForce.")
    names = params.client_id("limitClientOrderId"), params.client_id("stopClientOrderId")
    limit = Wanted(symbol, side, "maker", names[0], price, quantity)
    kind: OrderType = "stop" if stop_price is None else "stop_limit"
    stop = limit._replace(type=kind, client_id=names[1], price=stop_price, trigger=trigger)
    return _place(asked, limit, stop, params.client_id("listClientOrderId"))


def find(asked: Asked) -> Json:
    """GET orderList."""
    listed = _named(asked, "origClientOrderId")
    asked.params.check_all_read()
    if listed is None:
        raise UnableToAnswer(-2018, "Order list does not exist.")
    return order_list(listed)


def cancel(asked: Asked) -> Json:
    """DELETE orderList."""
    symbol, listed = asked.symbol(), _named(asked, "listClientOrderId")
    name = asked.params.client_id("newClientOrderId")
    asked.params.check_all_read()
    if listed is None or not listed.is_open:
        raise UnableToAnswer(-2011, "Unknown order list sent.")
    return cancel_one(asked, symbol, next(one for one in listed.orders if one.is_open), name)


def open_lists(asked: Asked) -> Json:
    """GET openOrderList."""
    asked.params.check_all_read()
    return [order_list(one) for one in _own(asked) if one.is_open]


def all_lists(asked: Asked) -> Json:
    """GET allOrderList."""
    params = asked.params
    from_id, limit = params.whole("fromId") or 0, params.limit(500, 1000)
    params.ignore("startTime", "endTime")
    params.check_all_read()
    return [order_list(one) for one in _own(asked) if one.list_id >= from_id][:limit]


def _place(asked: Asked, limit: Wanted, stop: Wanted, name: str) -> dict[str, object]:
    response = asked.params.optional("newOrderRespType") or "RESULT"
    asked.params.ignore("selfTradePreventionMode")
    asked.params.check_all_read()
    check_stops(asked, stop)
    try:
        orders = asked.world.place_list(asked.account, limit, stop, name)
    except UnableToTrade as refusal:
        if refusal.why in ("would-trade", "would-trigger"):
            raise UnableToAnswer(*PRICES_CROSSED) from None
        raise from_world(refusal) from None
    listed = asked.world.lists[orders[0].list_id or 0]
    return order_list(listed) | {"orderReports": [_report(order, response) for order in orders]}


def _report(order: SimOrder, response: str) -> dict[str, object]:
    return placed(order, "RESULT" if response == "FULL" else response)


def _leg(params: Params, which: str, bare: Wanted) -> Wanted:
    """The order above or below the market's price. Raises UnableToAnswer."""
    kind, name = params.text(f"{which}Type"), params.client_id(f"{which}ClientOrderId")
    price, trigger = params.figure(f"{which}Price"), params.figure(f"{which}StopPrice")
    force = params.optional(f"{which}TimeInForce")
    bare = bare._replace(client_id=name, price=price, trigger=trigger)
    limit = (which == "above") == (bare.side == "sell")
    if kind == "LIMIT_MAKER" and limit:
        return bare._replace(type="maker")
    if kind == "STOP_LOSS" and not limit:
        return bare._replace(type="stop")
    if kind == "STOP_LOSS_LIMIT" and not limit:
        if force != "GTC":
            raise UnableToAnswer(-1115, "Invalid timeInForce.")
        return bare._replace(type="stop_limit")
    raise UnableToAnswer(-2010, "Unsupported order combination.")


def _own(asked: Asked) -> list[SimList]:
    return [one for one in asked.world.lists.values() if one.account == asked.account]


def _named(asked: Asked, name_param: str) -> SimList | None:
    list_id, name = asked.params.whole("orderListId"), asked.params.client_id(name_param)
    if list_id is None and not name:
        words = f"Param '{name_param}' or 'orderListId' must be sent, but both were empty/null!"
        raise UnableToAnswer(-1102, words)
    same = [one for one in _own(asked) if list_id == one.list_id or (list_id is None and one.client_id == name)]
    return same[-1] if same else None
