"""Which request of a key's owner does what, and which right it needs."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from autogrid.simulator.mexc import accounts, orders
from autogrid.simulator.mexc.asked import Asked
from autogrid.simulator.mexc.keys import Right
from autogrid.simulator.mexc.listen_keys import ListenKeys
from autogrid.simulator.world import World

Act = Callable[[World, str, Asked], object]


class Route(NamedTuple):
    """A request of a key's owner."""

    act: Act
    right: Right
    operation: str
    """One of `faults.OPERATIONS`."""


PRIVATE: Final[Mapping[tuple[str, str], Route]] = {
    ("POST", "/api/v3/order"): Route(orders.place, "trades", "place"),
    ("POST", "/api/v3/batchOrders"): Route(orders.place_batch, "trades", "place"),
    ("POST", "/api/v3/order/test"): Route(orders.try_out, "trades", "other"),
    ("DELETE", "/api/v3/order"): Route(orders.cancel, "trades", "cancel"),
    ("DELETE", "/api/v3/openOrders"): Route(orders.cancel_all_of, "trades", "cancel"),
    ("DELETE", "/api/v3/order/all"): Route(orders.cancel_all, "trades", "cancel"),
    ("GET", "/api/v3/order"): Route(orders.find, "reads", "find"),
    ("GET", "/api/v3/openOrders"): Route(orders.open_orders, "reads", "open_orders"),
    ("GET", "/api/v3/allOrders"): Route(orders.all_orders, "reads", "other"),
    ("GET", "/api/v3/myTrades"): Route(accounts.trades, "reads", "trades"),
    ("GET", "/api/v3/account"): Route(accounts.balances, "reads", "balances"),
    ("GET", "/api/v3/apiKeyInfo"): Route(accounts.key_info, "reads", "other"),
    ("GET", "/api/v3/tradeFee"): Route(accounts.trade_fee, "reads", "other"),
    ("GET", "/api/v3/selfSymbols"): Route(accounts.own_symbols, "reads", "other"),
    ("GET", "/api/v3/mxDeduct/enable"): Route(accounts.deduction, "reads", "other"),
    ("GET", "/api/v3/capital/config/getall"): Route(accounts.currencies, "reads", "other"),
}
"""By method and path."""
LISTEN_KEYS: Final = "/api/v3/userDataStream"


def listen_key_routes(keys: ListenKeys, close: Callable[[str], None]) -> dict[tuple[str, str], Route]:
    """The requests about listen keys. `close`: end the streams that a key opened."""

    def make(_world: World, account: str, _asked: Asked) -> object:
        return {"listenKey": keys.make(account)}

    def tell(_world: World, account: str, _asked: Asked) -> object:
        return {"listenKey": keys.of(account)}

    def renew(_world: World, account: str, asked: Asked) -> object:
        keys.renew(account, asked.text("listenKey"))
        return {"listenKey": asked.text("listenKey")}

    def end(_world: World, account: str, asked: Asked) -> object:
        keys.close(account, asked.text("listenKey"))
        close(asked.text("listenKey"))
        return {"listenKey": asked.text("listenKey")}

    acts: dict[str, Act] = {"POST": make, "GET": tell, "PUT": renew, "DELETE": end}
    return {(method, LISTEN_KEYS): Route(act, "reads", "other") for method, act in acts.items()}
