"""AutoGrid as it runs, in one process with an exchange that is not there: real services, real engine, the real wire.

The exchange is a `World` behind its protocol on a TLS port; AutoGrid is led there by its own settings, adds a key,
makes bots and runs an engine, each through the services that the command line calls.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Final
from unittest import mock

from autogrid.engine.prices import MarketPrices
from autogrid.engine.timing import Timing
from autogrid.engine.venue import Venue
from autogrid.exchanges.ccxt_exchange import open_account
from autogrid.exchanges.live_prices import LivePrices, Patience
from autogrid.exchanges.market_rules import fetch_market
from autogrid.exchanges.trade_stream import trade_client
from autogrid.exchanges.user_stream import StreamPatience
from autogrid.security.secret import Secret
from autogrid.services import bots
from autogrid.services.credentials import NewKey, add, opened
from autogrid.services.key_watch import KeyWatch
from autogrid.services.keys import vault_of
from autogrid.services.markets import MarketWords
from autogrid.services.running import Engine
from autogrid.settings import Settings
from autogrid.simulator.binance.keys import LIMITS
from autogrid.simulator.certificate import make_certificates
from autogrid.simulator.control import Control
from autogrid.simulator.faults import Faults
from autogrid.simulator.price_source import Prices, Step, usual_market
from autogrid.simulator.records import Key
from autogrid.simulator.running import PROTOCOLS, Exchange, make_world
from autogrid.simulator.server import LOOPBACK, Listening, make_app
from autogrid.simulator.world import World
from autogrid.storage.bots import BotRow, find_bot
from autogrid.storage.database import Database, open_database
from autogrid.trading.money import Price
from autogrid.wiring.credentials import account_to_check
from autogrid.wiring.exchange_side import closed_candles
from autogrid.wiring.live import LiveSide, MakeCandles
from autogrid.wiring.paper import LiveFeed
from autogrid.wiring.runs import Runs

EXCHANGES: Final = ("binance", "bybit", "mexc")
SYMBOL: Final = "BTC/USDT"
OWNER: Final = "user"
"""Whose account it is at the exchange."""
MAIN: Final = "main"
"""What its bots call it."""
KEY, SECRET = "kEyOfTheTest1234567890", "sEcReTofTheTest1234567890"
FUNDS: Final = {"USDT": Decimal(100_000), "BTC": Decimal(2), "BNB": Decimal(10)}
QUICKLY: Final = Timing(
    settle_s=1.0,
    look_s=(0.1, 0.2, 0.4, 0.8, 1.0),
    answer_s=6.0,
    queue_s=10.0,
    round_s=3.0,
    blind_s=0.5,
    end_s=0.1,
    silent_s=20.0,
    close_s=3.0,
)
"""The simulated exchanges check a request's window after every delay, by the same clock that we measure: they accept
nothing late, so a second behind the window is long enough. A real exchange is given ten.
"""
STREAM: Final = StreamPatience(
    keep_alive_s=2.0, begin_s=5.0, settle_s=0.3, compare_s=1.0, look_s=0.05, again_s=(0.05, 0.2, 0.5), close_s=1.0
)
PRICES: Final = Patience(
    quiet_s=2.0, poll_s=0.2, silent_s=20.0, stream_again_s=3.0, retry_s=(0.1, 0.3, 1.0), wake_s=1.0
)


class Clock:
    """The exchange's clock, which can be set off."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms


@dataclass
class Local:
    """One exchange that runs here."""

    name: str
    exchange: Exchange
    prices: Prices
    clock: Clock
    control: Listening

    @property
    def world(self) -> World:
        return self.exchange.world

    @property
    def faults(self) -> Faults:
        return self.exchange.faults


@contextlib.asynccontextmanager
async def local_exchange(
    name: str, folder: Path, steps: Iterable[Step], *, speed: float = 60.0, seed: int = 1, **rules: object
) -> AsyncIterator[Local]:
    """An exchange whose market takes its first step at once and stands still then; AutoGrid is led there."""
    steps = iter(steps)
    first = next(steps)
    clock = Clock()
    market = replace(usual_market("BTC", "USDT", first.price), **rules)  # type: ignore[arg-type]
    world = make_world(name, {SYMBOL: market}, clock)
    world.add_account(OWNER, FUNDS)
    world.add_key(Key(KEY, SECRET, OWNER))
    faults = Faults(seed)
    prices = Prices(SYMBOL, _behind(first, steps), [world], speed)
    prices.first()
    prices.hold()
    tls = make_certificates(folder)
    exchange = Exchange(name, world, faults, Listening(make_app(PROTOCOLS[name].add_routes, world, faults), tls))
    if LIMITS in exchange.listening.app:  # sixteen requests may be on their way when a 429 comes
        exchange.listening.app[LIMITS].grace_ms = 300
    control = Listening(Control([exchange], [prices]).app(), None)
    async with exchange.listening, control:
        prefix = f"AUTOGRID_EXCHANGES__{name.upper()}__"
        there = {
            f"{prefix}CONNECT_TO": f"{LOOPBACK}:{exchange.listening.port}",
            f"{prefix}CA_FILE": str(folder / "ca.pem"),
        }
        moving = asyncio.create_task(prices.run())
        try:
            with mock.patch.dict(os.environ, there):
                yield Local(name, exchange, prices, clock, control)
        finally:
            moving.cancel()
            await asyncio.gather(moving, return_exceptions=True)


def _behind(first: Step, steps: Iterator[Step]) -> Iterator[Step]:
    yield first
    yield from steps


class AutoGrid:
    """What a person has: a data folder with a key and bots, and an engine that runs or does not."""

    def __init__(self, folder: Path, database: Database, timing: Timing, make_candles: MakeCandles) -> None:
        self.folder = folder
        self.database = database
        self.vault = vault_of(Settings(data_dir=folder))
        self.said: list[str] = []
        """What the engine told."""
        self.side: LiveSide | None = None
        """Of the engine that runs, or ran last."""
        self.engine: Engine | None = None
        self._timing = timing
        self._make_candles = make_candles
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._before: set[asyncio.Task[object]] = set()

    async def add_key(self, exchange: str, key: str = KEY, secret: str = SECRET, name: str = MAIN) -> None:
        """As `autogrid credentials add`; MEXC's is vouched for."""
        new = NewKey(exchange, name, Secret(key), Secret(secret), vouched=exchange == "mexc")
        await add(self.database, self.vault, account_to_check, new, "a test")

    async def make_bot(
        self, exchange: str, strategy: str, config: Mapping[str, str], investment: int = 10_000, *, risk: bool = False
    ) -> BotRow:
        """As `autogrid bot create` and `autogrid bot start`. Without `risk` no rule that watches windows of time."""
        market = await fetch_market(exchange, SYMBOL)
        request = bots.BotRequest(
            strategy=strategy,
            account=MAIN,
            symbol=SYMBOL,
            investment=Decimal(investment),
            config=config,
            words=MarketWords(known=market),
            exchange=exchange,
            risk=risk,
        )
        made = await bots.create(self.database, request)
        return await bots.start(self.database, made.id)

    async def begin(self) -> None:
        """Run an engine."""
        assert self._task is None, "an engine runs already"
        self._stop.clear()
        self._before = asyncio.all_tasks()
        keys = KeyWatch(self.database, self.vault, account_to_check, every_s=0.5, look_s=0.2)
        self.side = LiveSide(
            self.database, self._open, _follow, self._make_candles, self._timing, keys.attend, funds_s=1.0
        )
        side = self.side
        runs = Runs(self.database, no_paper, lambda: side)
        self.engine = Engine(self.database, runs, "a test", self.said.append)
        self._task = asyncio.create_task(self.engine.run(self._stop))

    async def end(self) -> None:
        """Stop it, as Ctrl-C does."""
        task, self._task = self._task, None
        if task is not None:
            self._stop.set()
            await task

    async def crash(self) -> None:
        """End it as a power cut would, as far as that goes within one process: whatever of it runs is cancelled."""
        task, self._task = self._task, None
        assert task is not None, "no engine runs"
        its = [one for one in asyncio.all_tasks() if one not in self._before and one is not asyncio.current_task()]
        for one in (task, *its):
            one.cancel()
        await asyncio.gather(task, *its, return_exceptions=True)

    async def bot(self, meant: str) -> BotRow:
        """The bot as it is now."""
        async with self.database.reading() as connection:
            return await find_bot(connection, meant)

    async def until(self, meant: str, says: Callable[[BotRow], object], within_s: float = 15.0) -> BotRow:
        """The bot, once it is as wanted. Fails with what it was last."""
        deadline = time.monotonic() + within_s
        while not says(row := await self.bot(meant)):
            assert time.monotonic() < deadline, f"{row.actual} (wanted {row.wanted}): {row.reason}; {self.said}"
            if self._task is not None and self._task.done():
                self._task.result()
            await asyncio.sleep(0.05)
        return row

    async def _open(self, name: str) -> Venue:
        key = await opened(self.database, self.vault, name, "the engine", "to trade")
        return open_account(key.exchange, key.api_key.reveal(), key.secret.reveal(), patience=STREAM)


@contextlib.asynccontextmanager
async def autogrid(
    folder: Path, timing: Timing = QUICKLY, make_candles: MakeCandles = closed_candles
) -> AsyncIterator[AutoGrid]:
    """AutoGrid on an empty data folder; its engine is ended with it."""
    database = await open_database(folder)
    grid = AutoGrid(folder, database, timing, make_candles)
    try:
        yield grid
    finally:
        try:
            await grid.end()
        finally:
            await database.close()


async def _follow(exchange: str, symbol: str, hear: Callable[[int, Price], None]) -> None:
    told = lambda traded: hear(traded.at_ms, traded.price)  # noqa: E731
    await LivePrices((exchange, symbol), told, trade_client, PRICES).run()


def no_paper(exchange: str, symbol: str, timeframe_ms: int | None, warm_up: int) -> LiveFeed:
    raise AssertionError("no paper bot runs here")


def prices_of(grid: AutoGrid, exchange: str) -> MarketPrices:
    """What the engine hears of the market."""
    assert grid.side is not None
    return grid.side.prices(exchange, SYMBOL)
