"""What the live benchmarks share: the exchange's process, a thousand grid bots in a database, and a live side on it."""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from autogrid.engine.venue import Venue
from autogrid.exchanges.ccxt_exchange import open_account
from autogrid.exchanges.limits import ALL, Limiter, Rule
from autogrid.storage.bots import NewBot, create_bot, set_wanted
from autogrid.storage.database import Database
from autogrid.trading.money import text
from autogrid.trading.risk import Limits
from benchmarks.live_load_exchange import key_of, market_of, symbols_of

INVESTMENT: Final = Decimal(1_000)
LIFTED: Final = (Rule(1_000_000_000, 60.0, ALL, weighted=True, header="x-mbx-used-weight-1m"),)
"""Limits of requests that are none."""


class Exchange:
    """The exchange's process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self) -> dict[str, Any]:
        """The next line that it says."""
        assert self._process.stdout is not None
        said = await self._process.stdout.readline()
        assert said, "the exchange's process has ended"
        told: dict[str, Any] = json.loads(said)
        return told

    async def ask(self, **asked: object) -> dict[str, Any]:
        """Have it do something; how much it has done so far."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        await self._process.stdin.drain()
        return await self.line()

    async def at_rest(self, orders: int, quiet_s: float = 3.0) -> dict[str, Any]:
        """What it says once at least so many orders have come and none comes any more."""
        told, since = await self.ask(), time.monotonic()
        while told["orders"] < orders or time.monotonic() < since + quiet_s:
            await asyncio.sleep(0.25)
            now = await self.ask()
            if now["orders"] != told["orders"]:
                since = time.monotonic()
            told = now
        return told


@asynccontextmanager
async def an_exchange(folder: Path, symbols: int, accounts: int) -> AsyncIterator[Exchange]:
    """Start the exchange's process, and lead this process and its children there."""
    words = ("-m", "benchmarks.live_load_exchange", "--folder", str(folder))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        "--symbols",
        str(symbols),
        "--accounts",
        str(accounts),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    exchange = Exchange(process)
    try:
        began = await exchange.line()
        os.environ["AUTOGRID_DATA_DIR"] = str(folder)
        os.environ["AUTOGRID_EXCHANGES__BINANCE__CONNECT_TO"] = f"127.0.0.1:{began['port']}"
        os.environ["AUTOGRID_EXCHANGES__BINANCE__CA_FILE"] = began["ca_file"]
        yield exchange
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def make_bots(database: Database, count: int, symbols: int, accounts: int, grids: int) -> list[str]:
    """Grid bots, spread over symbols and accounts, each with lines of its own; their ids."""
    chance = random.Random(11)
    starts = list(symbols_of(symbols).items())
    found = []
    async with database.writing() as connection:
        for number in range(count):
            symbol, price = starts[number % symbols]
            market = market_of(symbol, price)
            lower = market.price_down(price * Decimal(repr(chance.uniform(0.94, 0.955))))
            upper = market.price_up(price * Decimal(repr(chance.uniform(1.045, 1.06))))
            new = NewBot(
                name=f"bot{number}",
                strategy="grid",
                config={"lower": text(lower), "upper": text(upper), "grids": str(grids)},
                account=f"a{number // symbols % accounts}",
                market=market,
                limits=Limits(INVESTMENT),
                investment=INVESTMENT,
                own_base=Decimal(0),
                exchange="binance",
            )
            found.append((await create_bot(connection, new, number)).id)
    return found


async def want(database: Database, bots: list[str]) -> None:
    """Want these to run."""
    async with database.writing() as connection:
        for bot_id in bots:
            await set_wanted(connection, bot_id, "running", time.time_ns() // 1_000_000)


def venues(limiter: Callable[[], Limiter | None]) -> Callable[[str], Awaitable[Venue]]:
    """Accounts on the exchange, by name."""

    async def open_venue(name: str) -> Venue:
        return open_account("binance", *key_of(name), limiter=limiter())

    return open_venue


def machine() -> str:
    """How busy the machine is."""
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs"
