"""Simulated exchanges in the drill's own process: real sockets and protocols, and a drill sees every event at once.

So an engine can be killed in the very moment in which an order arrived, before it is answered.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from autogrid.simulator.app_keys import SUBSCRIBERS
from autogrid.simulator.binance.keys import LIMITS
from autogrid.simulator.binance.limits import Window
from autogrid.simulator.certificate import make_certificates
from autogrid.simulator.faults import Faults
from autogrid.simulator.price_source import usual_market
from autogrid.simulator.records import Key, SimOrder, Wanted
from autogrid.simulator.running import PROTOCOLS, make_world
from autogrid.simulator.server import Listening, make_app
from autogrid.simulator.streams import Subscribers
from autogrid.simulator.world import World
from autogrid.trading.market import Market
from autogrid.trading.money import use_exact_figures

START: Final[Mapping[str, Decimal]] = {"BTC/USDT": Decimal(60_000), "ETH/USDT": Decimal(3_000)}
FUNDS: Final[Mapping[str, Decimal]] = {"USDT": Decimal(500_000), "BTC": Decimal(2), "ETH": Decimal(40)}
SWING: Final = 0.04
"""Prices stay this close to where they began, as a share."""


@dataclass
class Exchange:
    """One exchange, its accounts, and what moves its prices."""

    name: str
    world: World
    faults: Faults
    listening: Listening
    ca_file: Path
    accounts: Sequence[str]
    seed: int
    begun: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    """What each account owned at the beginning."""
    _moving: asyncio.Task[None] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What leads AutoGrid there."""
        prefix = f"AUTOGRID_EXCHANGES__{self.name.upper()}__"
        return {
            f"{prefix}CONNECT_TO": f"127.0.0.1:{self.listening.port}",
            f"{prefix}CA_FILE": str(self.ca_file),
        }

    @property
    def streams(self) -> Subscribers:
        """All WebSockets that are open."""
        return self.listening.app[SUBSCRIBERS]

    def key(self, account: str) -> tuple[str, str]:
        """API key and secret of an account."""
        return f"drill{account}key000000", f"drill{account}secret0000"

    def wallet(self, account: str) -> dict[str, Decimal]:
        """What an account owns, whether it is held by orders or not."""
        return {asset: one.free + one.held for asset, one in self.world.wallet(account).items()}

    def by_hand(self, account: str, price: Decimal, name: str) -> SimOrder:
        """An order that is not AutoGrid's."""
        wanted = Wanted("BTC/USDT", "buy", "limit", name, price, Decimal("0.001"))
        return self.world.place(account, wanted)

    def new_minute(self) -> None:
        """What was asked so far counts no more at Binance: hours lie between two crashes, not a second."""
        if LIMITS in self.listening.app:
            limits = self.listening.app[LIMITS]
            limits.weight = Window(limits.weight.length_ms, limits.weight.most)
            limits.orders["10S"] = Window(limits.orders["10S"].length_ms, limits.orders["10S"].most)
            limits.forgive()

    def go(self, pace_s: float = 0.05, step: float = 0.001) -> None:
        """Let prices move from now on: every `pace_s`, by about `step`."""
        if self._moving is not None:
            self._moving.cancel()
        self._moving = asyncio.create_task(self._move(pace_s, step))

    async def stand(self) -> None:
        """Prices stand still; the last one is traded once a second, so that nobody takes the market for silent."""
        await self._halt()
        self._moving = asyncio.create_task(self._repeat())

    async def _halt(self) -> None:
        if self._moving is not None:
            self._moving.cancel()
            await asyncio.gather(self._moving, return_exceptions=True)
            self._moving = None

    async def _move(self, pace_s: float, step: float) -> None:
        use_exact_figures()
        chance = random.Random(self.seed)
        shares = {symbol: float(self.world.price(symbol) or start) / float(start) for symbol, start in START.items()}
        while True:
            for symbol, start in START.items():
                share = shares[symbol] * (1 + chance.gauss((1 - shares[symbol]) / 20, step))
                shares[symbol] = min(1 + SWING, max(1 - SWING, share))
                price = self.world.markets[symbol].nearest_price(start * Decimal(repr(round(shares[symbol], 6))))
                most = Decimal(repr(round(chance.uniform(0.0005, 0.01), 4))) if chance.random() < 0.2 else None
                self.world.move(symbol, price, Decimal(repr(round(chance.uniform(0.001, 2), 5))), most=most)
            await asyncio.sleep(pace_s)

    async def _repeat(self) -> None:
        use_exact_figures()
        while True:
            for symbol in START:
                price = self.world.price(symbol)
                assert price is not None
                self.world.move(symbol, price)
            await asyncio.sleep(0.5)


@contextlib.asynccontextmanager
async def exchanges(
    names: Sequence[str], folder: Path, seed: int, accounts: Sequence[str] = ("main",)
) -> AsyncIterator[dict[str, Exchange]]:
    """Exchanges that listen on ports of the loopback, each with these accounts."""
    use_exact_figures()
    tls = make_certificates(folder)
    found: dict[str, Exchange] = {}
    async with contextlib.AsyncExitStack() as stack:
        for number, name in enumerate(names):
            markets = {symbol: _market(symbol, price) for symbol, price in START.items()}
            world = make_world(name, markets, lambda: time.time_ns() // 1_000_000)
            faults = Faults(seed + number)
            listening = Listening(make_app(PROTOCOLS[name].add_routes, world, faults), tls)
            one = Exchange(name, world, faults, listening, folder / "ca.pem", accounts, seed + number)
            for account in accounts:
                world.add_account(account, FUNDS)
                world.add_key(Key(*one.key(account), account))
                one.begun[account] = one.wallet(account)
            for symbol, price in START.items():
                world.move(symbol, price)
            found[name] = await _listen(stack, one)
        yield found


async def _listen(stack: contextlib.AsyncExitStack, one: Exchange) -> Exchange:
    await stack.enter_async_context(one.listening)
    stack.push_async_callback(one._halt)
    return one


def _market(symbol: str, price: Decimal) -> Market:
    base, quote = symbol.split("/")
    return usual_market(base, quote, price)
