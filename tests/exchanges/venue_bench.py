"""An account on a simulated exchange, reached over TLS by its production names: shared by tests of `CcxtExchange`."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final
from unittest import mock

from autogrid.engine.venue import Intent, News, OwnOrder, OwnTrade
from autogrid.exchanges.ccxt_exchange import CcxtExchange, open_account
from autogrid.exchanges.limits import RULES, Limiter
from autogrid.exchanges.user_stream import StreamPatience
from autogrid.simulator.binance import app as binance
from autogrid.simulator.bybit import app as bybit
from autogrid.simulator.certificate import make_certificates
from autogrid.simulator.faults import Fault, Faults
from autogrid.simulator.mexc import app as mexc
from autogrid.simulator.records import Key
from autogrid.simulator.server import LOOPBACK, AddRoutes, Listening, make_app
from autogrid.simulator.world import World
from autogrid.trading.market import QUOTE, Market

D = Decimal
SYMBOL: Final = "BTC/USDT"
KEY, SECRET = "kEyOfTheTest1234567890", "sEcReTofTheTest1234567890"
READ_ONLY, MOVES_MONEY = "kEyThatReads12345678", "kEyThatWithdraws12345"
APPS: Final[dict[str, AddRoutes]] = {
    "binance": binance.add_routes,
    "bybit": bybit.add_routes,
    "mexc": mexc.add_routes,
}
EXCHANGES: Final = tuple(APPS)
BTC: Final = Market(
    "BTC",
    "USDT",
    tick=D("0.01"),
    lot=D("0.00001"),
    min_notional=D(5),
    maker_fee=D("0.001"),
    taker_fee=D("0.001"),
    min_quantity=D("0.00001"),
)
QUICK: Final = StreamPatience(
    keep_alive_s=1.0,
    begin_s=5.0,
    settle_s=0.2,
    compare_s=0.5,
    look_s=0.05,
    steady_s=0.5,
    again_s=(0.05, 0.1, 0.2),
    close_s=1.0,
)
WAIT_S: Final = 15.0


class Clock:
    """The exchange's clock, which can be set off."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms


class Bench:
    """A simulated exchange and an account on it."""

    def __init__(self, exchange: str, world: World, faults: Faults, clock: Clock) -> None:
        self.exchange = exchange
        self.world = world
        self.faults = faults
        self.clock = clock
        self.listening: Listening
        self.opened: list[CcxtExchange] = []

    def account(self, key: str = KEY, secret: str = SECRET) -> CcxtExchange:
        """A client of it, with a limiter of its own."""
        limiter = Limiter(self.exchange, RULES[self.exchange])
        account = open_account(self.exchange, key, secret, limiter=limiter, patience=QUICK)
        self.opened.append(account)
        return account

    def fault(self, kind: str, where: str = "", count: int | None = 1, ms: int = 0) -> None:
        """Want a fault."""
        self.faults.add(Fault(kind, where=where, count=count, ms=ms))

    def move(self, price: str) -> None:
        """The market trades at a price."""
        self.world.move(SYMBOL, D(price))


@asynccontextmanager
async def benched(exchange: str, folder: Path) -> AsyncIterator[Bench]:
    """A bench; BTC stands at 50,000."""
    clock = Clock()
    market = replace(BTC, fee_in=QUOTE) if exchange == "mexc" else BTC
    of_binance = exchange == "binance"
    world, faults = World({SYMBOL: market}, clock, client_ids_once=not of_binance, ids_by_market=of_binance), Faults(1)
    world.add_account("ann", {"USDT": D(10_000), "BTC": D(1)})
    world.add_key(Key(KEY, SECRET, "ann"))
    world.add_key(Key(READ_ONLY, SECRET, "ann", trades=False))
    world.add_key(Key(MOVES_MONEY, SECRET, "ann", withdraws=True, bound=False))
    bench = Bench(exchange, world, faults, clock)
    bench.move("50000")
    tls = make_certificates(folder)
    async with Listening(make_app(APPS[exchange], world, faults), tls=tls) as bench.listening:
        name = f"AUTOGRID_EXCHANGES__{exchange.upper()}"
        there = {
            f"{name}__CONNECT_TO": f"{LOOPBACK}:{bench.listening.port}",
            f"{name}__CA_FILE": str(folder / "ca.pem"),
        }
        with mock.patch.dict(os.environ, there):
            try:
                yield bench
            finally:
                for account in bench.opened:
                    await account.aclose()


def buy(client_id: str, price: str = "49000", quantity: str = "0.01", kind: str = "maker") -> Intent:
    """An order that rests."""
    return Intent(SYMBOL, client_id, "buy", kind, D(price), D(quantity))  # type: ignore[arg-type]


def sell(client_id: str, price: str = "51000", quantity: str = "0.01", kind: str = "maker") -> Intent:
    """An order that rests."""
    return Intent(SYMBOL, client_id, "sell", kind, D(price), D(quantity))  # type: ignore[arg-type]


class Listener:
    """Collects what an account's stream tells."""

    def __init__(self, account: CcxtExchange) -> None:
        self.told: list[News] = []
        self._heard = asyncio.Condition()
        self._task = asyncio.create_task(self._listen(account))

    async def _listen(self, account: CcxtExchange) -> None:
        async for one in account.news():
            async with self._heard:
                self.told.append(one)
                self._heard.notify_all()

    async def until(self, enough: Callable[[list[News]], object]) -> None:
        """Wait until what was told is `enough`."""
        async with asyncio.timeout(WAIT_S), self._heard:
            await self._heard.wait_for(lambda: enough(self.told))

    def of(self, kind: type) -> list[News]:
        """What was told of one kind."""
        return [one for one in self.told if isinstance(one, kind)]

    @property
    def trades(self) -> list[OwnTrade]:
        """The trades that were told."""
        return [one for one in self.told if isinstance(one, OwnTrade)]

    @property
    def orders(self) -> list[OwnOrder]:
        """The orders that were told."""
        return [one for one in self.told if isinstance(one, OwnOrder)]

    async def stop(self) -> None:
        """Listen no more."""
        self._task.cancel()
        await asyncio.wait({self._task})


@asynccontextmanager
async def listening(account: CcxtExchange) -> AsyncIterator[Listener]:
    """A listener to an account's stream."""
    listener = Listener(account)
    try:
        yield listener
    finally:
        await listener.stop()


async def eventually(ask: Callable[[], Awaitable[object]]) -> None:
    """Wait until the answer is yes."""
    async with asyncio.timeout(WAIT_S):
        while not await ask():  # noqa: ASYNC110 (the exchange is another process to us)
            await asyncio.sleep(0.02)


logging.getLogger("ccxt").setLevel(logging.ERROR)
