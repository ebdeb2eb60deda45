"""Binance's own state around the world: its names for markets, its limits, the ids that cancels are given."""

from typing import Final

from autogrid.simulator.binance.limits import Limits
from autogrid.simulator.binance.params import Params
from autogrid.simulator.binance.refusals import UnableToAnswer
from autogrid.simulator.binance.wire import wire_symbol
from autogrid.simulator.records import Key, OrderKey
from autogrid.simulator.world import World
from autogrid.trading.market import Market

BAD_SYMBOL: Final = (-1121, "Invalid symbol.")


class Venue:
    """One Binance over one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.limits = Limits(world.now_ms)
        self._cancel_names: dict[OrderKey, str] = {}
        self._made_names = 0

    def symbol(self, name: str) -> str:
        """BTCUSDT as BTC/USDT. Raises UnableToAnswer."""
        for symbol in self.world.markets:
            if wire_symbol(symbol) == name:
                return symbol
        raise UnableToAnswer(*BAD_SYMBOL)

    def market(self, symbol: str) -> Market:
        """Of our symbol."""
        return self.world.markets[symbol]

    def name_cancel(self, order: OrderKey, name: str) -> None:
        """The client id that an order's cancellation goes by."""
        self._cancel_names[order] = name or self.made_name()

    def cancel_name(self, order: OrderKey) -> str:
        """The client id that an order's cancellation goes by; the exchange makes one where the client gave none."""
        if order not in self._cancel_names:
            self._cancel_names[order] = self.made_name()
        return self._cancel_names[order]

    def made_name(self) -> str:
        """A client id as the exchange makes them, 22 letters."""
        self._made_names += 1
        return f"can{self._made_names:019d}"


class Asked:
    """One request, whichever way it came."""

    def __init__(self, venue: Venue, params: Params, key: Key | None) -> None:
        self.venue = venue
        self.params = params
        self._key = key

    @property
    def world(self) -> World:
        """Where it happens."""
        return self.venue.world

    @property
    def key(self) -> Key:
        """The API key, of requests that need one."""
        assert self._key is not None, "this endpoint needs no key"
        return self._key

    @property
    def account(self) -> str:
        """The key's."""
        return self.key.account

    def symbol(self) -> str:
        """The market that the request names, as ours. Raises UnableToAnswer."""
        return self.venue.symbol(self.params.text("symbol"))

    def symbol_or_none(self) -> str | None:
        """As `symbol`, where one is named."""
        name = self.params.optional("symbol")
        return None if name is None else self.venue.symbol(name)
