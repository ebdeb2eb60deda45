"""Kill a real engine with signal 9 again and again while it trades, and hold its books against the exchange's.

The engine is the real one (`tests.drills.engine_process`) on the real database, over TLS and the exchange's protocol to
a simulated exchange whose prices never rest and that loses answers, delays and breaks streams. Moments of the kills:
anywhere in time; in the very moment in which an order arrives, trades or is cancelled at the exchange; just before and
just after a commit. At the end there are no more faults, and the books must be equal to the last unit.

    python -m tests.drills.kill_live_engine --kills 200 --exchange binance
"""

import argparse
import asyncio
import contextlib
import logging
import random
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from autogrid.engine.wire_ids import bot_of
from autogrid.simulator.faults import Fault
from autogrid.simulator.records import OrderNews, WorldNews
from tests.drills.books import Books, Watch, compare, in_sqlite
from tests.drills.engine_process import Moment
from tests.drills.engines import Bot, Running, Stage, named, until_so
from tests.drills.exchanges_here import Exchange, exchanges
from tests.postgres import Server, own_server

GRID: Final = ("upper=62000", "lower=58000", "grids=30")
GRID_ETH: Final = ("upper=3120", "lower=2880", "grids=24")
DCA: Final = ("base_order=500", "safety_order=500", "deviation=0.003", "safety_orders=4", "take_profit=0.003")
IN_DOUBT: Final = "SELECT count(*) FROM orders WHERE status IN ('intended', 'sending', 'unclear')"
LONGEST_S: Final = 2.5
"""Engines that are killed at any time live no longer."""
IDLE, PATIENT_S = 3, 60.0
"""After so many kills in which no order moved, an engine is given so long to settle its start."""
QUIET_S: Final = 4.0
"""Longer than the engine waits between two comparisons with the exchange."""
FAULTS: Final = (
    Fault("lost-answer", 0.03, where="place"),
    Fault("lost-answer", 0.03, where="cancel"),
    Fault("reset-before", 0.03, where="place"),
    Fault("delay-after", 0.05, where="place", ms=300),
    Fault("delay-before", 0.05, where="place", ms=200),
    Fault("not-found-at-first", 0.2, where="find"),
    Fault("html", 0.02, where="place"),
    Fault("error-5xx", 0.02, where="place", ms=1),
    Fault("drop-event", 0.02, where="stream"),
    Fault("duplicate-event", 0.05, where="stream"),
    Fault("swap-events", 0.05, where="stream"),
    Fault("drop-stream", 0.002, where="stream"),
)


def bots_on(account: str) -> tuple[Bot, ...]:
    """Two grids and a DCA bot, two of them on one market."""
    return (
        Bot("lines", "grid", account, "BTC/USDT", 50_000, GRID),
        Bot("ether", "grid", account, "ETH/USDT", 40_000, GRID_ETH),
        Bot("deals", "dca", account, "BTC/USDT", 5_000, DCA),
    )


class Result(NamedTuple):
    """What a drill found."""

    kills: Counter[str]
    """By moment."""
    in_doubt: int
    """Kills that left an order of which the journal could not say whether it had arrived."""
    seconds: float
    """For the kills, the settling left out."""
    books: Books
    faults: Counter[str]

    @property
    def line(self) -> str:
        total = sum(self.kills.values())
        moments = ", ".join(f"{count} {moment}" for moment, count in sorted(self.kills.items()))
        pace = total / self.seconds * 60
        return (
            f"{total} kills ({moments}; {self.in_doubt} with orders in doubt): {self.books.line}; "
            f"{sum(self.faults.values())} faults; {pace:.0f} kills/min, so 1,000 take {1_000 / pace:.0f} min"
        )


class Killer:
    """Ends engines at moments drawn with a seed."""

    def __init__(self, stage: Stage, exchange: Exchange, seed: int, longest_s: float) -> None:
        self._stage = stage
        self._exchange = exchange
        self._chance = random.Random(seed)
        self._longest_s = longest_s
        self._left = 0
        self._idle = 0
        """Kills since an order of ours moved: so many in doubt that no start is given the time to look them all up."""
        self._engine: Running | None = None
        self.kills: Counter[str] = Counter()
        exchange.world.listen(self._hear)

    def _hear(self, news: WorldNews) -> None:
        """In the moment in which the exchange does something with an order of ours."""
        if not isinstance(news, OrderNews) or bot_of(news.order.client_id) is None:
            return
        self._idle = 0
        if self._left:
            self._left -= 1
            if not self._left and self._engine is not None:
                self._engine.signal(signal.SIGKILL)

    async def once(self) -> None:
        """Start an engine and kill it."""
        kind = self._chance.choice(("at an order", "at an order", "at any time", "at a commit"))
        stop_at: tuple[Moment, int] | None = None
        if kind == "at a commit":
            moment: Moment = self._chance.choice(("before a commit", "after a commit"))
            stop_at = moment, self._chance.randint(1, 30)
        self._exchange.new_minute()
        engine = self._engine = self._stage.engine(stop_at=stop_at)
        if kind == "at an order":
            self._left = self._chance.randint(1, 20)
        longest_s = self._chance.random() * self._longest_s if kind == "at any time" else 2 * self._longest_s
        if self._idle >= IDLE and kind == "at an order":
            longest_s = PATIENT_S
        self._idle += 1
        try:
            code = await engine.ended(longest_s)
            assert code == -signal.SIGKILL, f"the engine ended by itself ({code}): {engine.said}"
        except TimeoutError:
            kind = "at any time"
            await engine.kill()
        self._left = 0
        self.kills[kind] += 1


@contextlib.asynccontextmanager
async def staged(
    folder: Path, exchange: str, seed: int, database_url: str = "", data_dir: Path | None = None
) -> AsyncIterator[Stage]:
    """A stage with an exchange, a key and three bots that are wanted to run."""
    async with exchanges((exchange,), folder, seed) as here:
        stage = Stage(data_dir or folder / "data", here, database_url, folder / "logs")
        await stage.add_keys()
        for bot in bots_on(named(exchange, "main")):
            await stage.add_bot(bot)
        yield stage


async def settled(stage: Stage, within_s: float = 60.0) -> None:
    """Run an engine without faults until all bots are running and nothing has happened for a while; then stop it."""
    for exchange in stage.exchanges.values():
        exchange.faults.clear()
        await exchange.stand()
    heard = [time.monotonic()]

    def hear(news: WorldNews) -> None:
        if isinstance(news, OrderNews):
            heard[0] = time.monotonic()

    ends = [exchange.world.listen(hear) for exchange in stage.exchanges.values()]
    engine = stage.engine()

    async def quiet() -> bool:
        return time.monotonic() > heard[0] + QUIET_S and await stage.all_run(engine)

    try:
        await until_so(lambda: stage.all_run(engine), within_s, "all bots run")
        heard[0] = max(heard[0], time.monotonic())
        await until_so(quiet, within_s, "quiet")
    except AssertionError as fault:
        raise AssertionError(f"{fault}: {await stage.states()}, {engine.said}") from None
    finally:
        for end in ends:
            end()
    assert await engine.stop() == 0, engine.said


async def drill(
    folder: Path,
    exchange: str,
    kills: int,
    seed: int,
    server: Server | None = None,
    afterwards: Callable[[Stage], Awaitable[None]] | None = None,
) -> Result:
    """Kill so often, settle, and compare. `server`: PostgreSQL; else it is SQLite. `afterwards`: with the stage as it
    was left.
    """
    async with staged(folder, exchange, seed, server.url() if server else "") as stage:
        here = stage.exchanges[exchange]
        by_hand = here.by_hand("main", Decimal(50_000), "me")
        killer = Killer(stage, here, seed, LONGEST_S)
        here.go()
        for fault in FAULTS:
            here.faults.add(fault)
        in_doubt = 0
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            watch = None
            if server is None:
                journal = stack.enter_context(contextlib.closing(sqlite3.connect(stage.data_dir / "autogrid.db")))
                watch = Watch(stage, here, in_sqlite(journal))
                stack.callback(watch.end)
            for _ in range(kills):
                await killer.once()
                if server is not None:
                    await stage.free_leases()
                in_doubt += bool((await stage.ask(IN_DOUBT))[0][0])
            seconds = time.monotonic() - began
            await settled(stage)
            seen = [] if watch is None else watch.wrong
        books = await compare(stage)
        gone = [] if by_hand.is_open else ["an order by hand is gone"]
        wrong = (*books.wrong, *seen, *gone)
        if afterwards is not None:
            await afterwards(stage)
        return Result(killer.kills, in_doubt, seconds, books._replace(wrong=wrong), here.faults.given)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--exchange", default="binance")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    logging.disable()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="drill"))
        server = stack.enter_context(own_server(in_memory=False)) if asked.postgres else None
        result = asyncio.run(drill(Path(folder), asked.exchange, asked.kills, asked.seed, server=server))
    print(f"{asked.exchange} on {'PostgreSQL' if asked.postgres else 'SQLite'}: {result.line}")  # noqa: T201
    for wrong in result.books.wrong[:20]:
        print(f"  {wrong}")  # noqa: T201
    raise SystemExit(1 if result.books.wrong else 0)


if __name__ == "__main__":
    main()
