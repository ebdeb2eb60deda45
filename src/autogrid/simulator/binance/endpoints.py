"""Every request that is understood: what it does, who may ask, what it weighs, and which operation faults see in it.

Weights are those of Binance's documents of July 2026.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple

from autogrid.simulator.binance import account, order_lists, orders, public
from autogrid.simulator.binance.exchange_info import exchange_info
from autogrid.simulator.binance.venue import Asked
from autogrid.simulator.binance.wire import Json

Given = Mapping[str, str]
Weight = int | Callable[[Given], int]


class Endpoint(NamedTuple):
    """One request."""

    act: Callable[[Asked], Json]
    right: Literal["", "reads", "trades"]
    """What its key must be allowed; empty: no key is needed."""
    weight: Weight
    operation: str
    orders: int = 0
    """New orders that it counts as."""


def _depth_weight(given: Given) -> int:
    limit = int(given["limit"]) if given.get("limit", "").isdigit() else 100
    return next((weight for most, weight in ((100, 5), (500, 25), (1000, 50)) if limit <= most), 250)


def _with_symbol(one: int, all_: int) -> Callable[[Given], int]:
    return lambda given: one if "symbol" in given else all_


def _trades_weight(given: Given) -> int:
    return 5 if "orderId" in given else 20


def _test_weight(given: Given) -> int:
    return 20 if given.get("computeCommissionRates") == "true" else 1


def _lone_ticker_weight(given: Given) -> int:
    return 2 if "symbol" in given or "symbols" in given else 80


REST: Final[Mapping[tuple[str, str], Endpoint]] = {
    ("GET", "/api/v3/ping"): Endpoint(public.ping, "", 1, "time"),
    ("GET", "/api/v3/time"): Endpoint(public.time, "", 1, "time"),
    ("GET", "/api/v3/exchangeInfo"): Endpoint(exchange_info, "", 20, "market"),
    ("GET", "/api/v3/depth"): Endpoint(public.depth, "", _depth_weight, "market"),
    ("GET", "/api/v3/trades"): Endpoint(public.trades, "", 25, "market"),
    ("GET", "/api/v3/historicalTrades"): Endpoint(public.trades, "", 25, "market"),
    ("GET", "/api/v3/aggTrades"): Endpoint(public.agg_trades, "", 4, "market"),
    ("GET", "/api/v3/klines"): Endpoint(public.klines, "", 2, "market"),
    ("GET", "/api/v3/uiKlines"): Endpoint(public.klines, "", 2, "market"),
    ("GET", "/api/v3/avgPrice"): Endpoint(public.average_price, "", 2, "market"),
    ("GET", "/api/v3/ticker/price"): Endpoint(public.ticker_price, "", _with_symbol(2, 4), "market"),
    ("GET", "/api/v3/ticker/bookTicker"): Endpoint(public.book_ticker, "", _with_symbol(2, 4), "market"),
    ("GET", "/api/v3/ticker/24hr"): Endpoint(public.ticker_24h, "", _lone_ticker_weight, "market"),
    ("POST", "/api/v3/order"): Endpoint(orders.place, "trades", 1, "place", 1),
    ("GET", "/api/v3/order"): Endpoint(orders.find, "reads", 4, "find"),
    ("DELETE", "/api/v3/order"): Endpoint(orders.cancel, "trades", 1, "cancel"),
    ("POST", "/api/v3/order/test"): Endpoint(orders.test, "trades", _test_weight, "other"),
    ("POST", "/api/v3/order/cancelReplace"): Endpoint(orders.cancel_replace, "trades", 1, "place", 1),
    ("GET", "/api/v3/openOrders"): Endpoint(orders.open_orders, "reads", _with_symbol(6, 80), "open_orders"),
    ("DELETE", "/api/v3/openOrders"): Endpoint(orders.cancel_all, "trades", 1, "cancel"),
    ("GET", "/api/v3/allOrders"): Endpoint(orders.all_orders, "reads", 20, "other"),
    ("GET", "/api/v3/myTrades"): Endpoint(orders.own_trades, "reads", _trades_weight, "trades"),
    ("POST", "/api/v3/orderList/oco"): Endpoint(order_lists.place, "trades", 1, "place", 2),
    ("POST", "/api/v3/order/oco"): Endpoint(order_lists.place_old, "trades", 1, "place", 2),
    ("GET", "/api/v3/orderList"): Endpoint(order_lists.find, "reads", 4, "find"),
    ("DELETE", "/api/v3/orderList"): Endpoint(order_lists.cancel, "trades", 1, "cancel"),
    ("GET", "/api/v3/openOrderList"): Endpoint(order_lists.open_lists, "reads", 6, "open_orders"),
    ("GET", "/api/v3/allOrderList"): Endpoint(order_lists.all_lists, "reads", 20, "other"),
    ("GET", "/api/v3/account"): Endpoint(account.account, "reads", 20, "balances"),
    ("GET", "/api/v3/account/commission"): Endpoint(account.commission, "reads", 20, "other"),
    ("GET", "/api/v3/rateLimit/order"): Endpoint(account.order_limits, "reads", 40, "other"),
    ("GET", "/sapi/v1/account/apiRestrictions"): Endpoint(account.key_rights, "reads", 1, "other"),
    ("GET", "/sapi/v1/system/status"): Endpoint(account.system_status, "", 1, "other"),
    ("GET", "/sapi/v1/asset/tradeFee"): Endpoint(account.trade_fees, "reads", 1, "other"),
    ("GET", "/sapi/v1/capital/config/getall"): Endpoint(account.currencies, "reads", 10, "other"),
}
"""By method and path."""

SOCKET: Final[Mapping[str, Endpoint]] = {
    "ping": REST["GET", "/api/v3/ping"],
    "time": REST["GET", "/api/v3/time"],
    "exchangeInfo": REST["GET", "/api/v3/exchangeInfo"],
    "depth": REST["GET", "/api/v3/depth"],
    "trades.recent": REST["GET", "/api/v3/trades"],
    "trades.aggregate": REST["GET", "/api/v3/aggTrades"],
    "klines": REST["GET", "/api/v3/klines"],
    "avgPrice": REST["GET", "/api/v3/avgPrice"],
    "ticker.price": REST["GET", "/api/v3/ticker/price"],
    "ticker.book": REST["GET", "/api/v3/ticker/bookTicker"],
    "ticker.24hr": REST["GET", "/api/v3/ticker/24hr"],
    "order.place": REST["POST", "/api/v3/order"],
    "order.test": REST["POST", "/api/v3/order/test"],
    "order.status": REST["GET", "/api/v3/order"],
    "order.cancel": REST["DELETE", "/api/v3/order"],
    "order.cancelReplace": REST["POST", "/api/v3/order/cancelReplace"],
    "openOrders.status": REST["GET", "/api/v3/openOrders"],
    "openOrders.cancelAll": REST["DELETE", "/api/v3/openOrders"],
    "allOrders": REST["GET", "/api/v3/allOrders"],
    "myTrades": REST["GET", "/api/v3/myTrades"],
    "orderList.place.oco": REST["POST", "/api/v3/orderList/oco"],
    "orderList.place": REST["POST", "/api/v3/order/oco"],
    "orderList.status": REST["GET", "/api/v3/orderList"],
    "orderList.cancel": REST["DELETE", "/api/v3/orderList"],
    "openOrderLists.status": REST["GET", "/api/v3/openOrderList"],
    "account.status": REST["GET", "/api/v3/account"],
    "account.commission": REST["GET", "/api/v3/account/commission"],
    "account.rateLimits.orders": REST["GET", "/api/v3/rateLimit/order"],
}
"""By method of the WebSocket API."""


def weight_of(endpoint: Endpoint, given: Given) -> int:
    """What the request weighs."""
    return endpoint.weight if isinstance(endpoint.weight, int) else endpoint.weight(given)
