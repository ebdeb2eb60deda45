"""The simulated exchanges of one run: for each its world, its faults, its application and its port."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from autogrid.simulator.app_keys import CALLS, SUBSCRIBERS
from autogrid.simulator.binance.app import add_routes as add_binance
from autogrid.simulator.bybit.app import add_routes as add_bybit
from autogrid.simulator.faults import Faults
from autogrid.simulator.mexc.app import add_routes as add_mexc
from autogrid.simulator.server import AddRoutes, Listening
from autogrid.simulator.world import World
from autogrid.trading.market import QUOTE, Market


class Protocol(NamedTuple):
    """What one exchange is besides its world."""

    add_routes: AddRoutes
    client_ids_once: bool
    """A client id is never accepted twice."""
    ids_by_market: bool = False
    """Each market numbers its orders anew."""
    fees_in_quote: bool = False
    """A buy, too, pays its fee in quote."""


PROTOCOLS: Final[Mapping[str, Protocol]] = {
    "binance": Protocol(add_binance, client_ids_once=False, ids_by_market=True),
    "bybit": Protocol(add_bybit, client_ids_once=True),
    "mexc": Protocol(add_mexc, client_ids_once=True, fees_in_quote=True),
}
"""By the exchange's name."""


@dataclass(slots=True)
class Exchange:
    """One exchange that runs."""

    name: str
    world: World
    faults: Faults
    listening: Listening

    def streams(self) -> int:
        """How many WebSockets are open."""
        return len(self.listening.app[SUBSCRIBERS])

    def calls(self) -> dict[str, int]:
        """How often each operation was asked for."""
        counted = self.listening.app[CALLS]
        return dict(counted)


def make_world(name: str, markets: Mapping[str, Market], clock_ms: Callable[[], int]) -> World:
    """A world after the rules of the exchange `name`."""
    protocol = PROTOCOLS[name]
    if protocol.fees_in_quote:
        markets = {symbol: replace(market, fee_in=QUOTE) for symbol, market in markets.items()}
    return World(markets, clock_ms, client_ids_once=protocol.client_ids_once, ids_by_market=protocol.ids_by_market)
