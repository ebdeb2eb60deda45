"""Two engines on one PostgreSQL: one is stopped past its lease, or told to end; the other takes over.

Each engine comes to the database as a user of its own, and a trigger notes who wrote each step: so a row that a stale
engine wrote would be seen. An order of a stale engine is known by the nonce of its run, which its id bears.

    python -m tests.drills.two_engines --rounds 3
"""

import argparse
import asyncio
import contextlib
import logging
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg  # type: ignore[import-untyped]

from autogrid.engine.wire_ids import bot_of
from autogrid.simulator.records import OrderNews, WorldNews
from tests.drills.books import Books, compare
from tests.drills.engine_process import QUICK
from tests.drills.engines import Running, Stage, named, until
from tests.drills.exchanges_here import Exchange, exchanges
from tests.drills.kill_live_engine import bots_on, settled
from tests.postgres import Server, own_server

USERS: Final = ("first", "second")
WHO_WROTE: Final = """
CREATE TABLE wrote (id bigserial PRIMARY KEY, who text, bot_id text, seq bigint, kind text, epoch bigint,
                    at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO wrote (who, bot_id, seq, kind, epoch)
    SELECT session_user, NEW.bot_id, NEW.seq, NEW.kind, max(epoch) FROM leases;
  RETURN NEW;
END $$;
CREATE TRIGGER note AFTER INSERT ON steps FOR EACH ROW EXECUTE FUNCTION note();
"""
"""Who wrote a step, and at which epoch."""


class Arrivals:
    """Orders as they arrive, by the nonce of the run that sent them."""

    def __init__(self, exchange: Exchange) -> None:
        self.orders: Counter[str] = Counter()
        self.first_s: dict[str, float] = {}
        exchange.world.listen(self._hear)

    def _hear(self, news: WorldNews) -> None:
        if isinstance(news, OrderNews) and news.cause == "new" and bot_of(news.order.client_id) is not None:
            nonce = news.order.client_id.split("-")[1]
            self.orders[nonce] += 1
            self.first_s.setdefault(nonce, time.monotonic())


class Pair(NamedTuple):
    """Two engines' database, and what watches it."""

    stage: Stage
    exchange: Exchange
    server: Server
    arrivals: Arrivals
    asks: Any
    """A connection of our own."""

    def engine(self, user: str) -> Running:
        """One of the two."""
        return self.stage.engine(QUICK, database_url=self.server.url("postgres", user))

    async def steps(self, who: str, after: int = 0) -> int:
        """How many steps an engine wrote, of those after a row of `wrote`."""
        return int(await self.asks.fetchval("SELECT count(*) FROM wrote WHERE who = $1 AND id > $2", who, after))

    async def newest(self) -> int:
        """The last row of `wrote`."""
        return int(await self.asks.fetchval("SELECT coalesce(max(id), 0) FROM wrote"))

    async def writes(self, who: str, within_s: float, after: int = 0) -> float:
        """Seconds until an engine writes a step."""
        began = time.monotonic()
        while not await self.steps(who, after):
            assert time.monotonic() < began + within_s, f"{who} wrote nothing within {within_s:.0f} s"
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    async def nonces(self) -> set[str]:
        """Of all runs so far, as orders bear them."""
        rows = await self.asks.fetch("SELECT DISTINCT split_part(id, '-', 1) FROM orders")
        return {row[0] for row in rows}


@contextlib.asynccontextmanager
async def paired(folder: Path, seed: int = 1) -> AsyncIterator[Pair]:
    """A server, an exchange, and bots that are wanted to run; no engine yet."""
    with own_server() as server:
        for user in USERS:
            server.sql(f"CREATE ROLE {user} SUPERUSER LOGIN")
        async with exchanges(("binance",), folder, seed) as here:
            exchange = here["binance"]
            stage = Stage(folder / "data", here, server.url())
            await stage.add_keys()
            for bot in bots_on(named("binance", "main")):
                await stage.add_bot(bot)
            asks = await asyncpg.connect(server.url())
            await asks.execute(WHO_WROTE)
            try:
                yield Pair(stage, exchange, server, Arrivals(exchange), asks)
            finally:
                await asks.close()


class Stopped(NamedTuple):
    """What a drill with SIGSTOP found."""

    failovers_s: tuple[float, ...]
    """From the stop to the first step of the other."""
    sent_s: tuple[float, ...]
    """The same, to its first order."""
    stale_rows: int
    stale_orders: int
    books: Books

    @property
    def line(self) -> str:
        first = ", ".join(f"{one:.1f}" for one in self.failovers_s)
        orders = ", ".join(f"{one:.1f}" for one in self.sent_s)
        return (
            f"{len(self.failovers_s)} stops: taken over after {first} s (first order after {orders} s); stale epoch: "
            f"{self.stale_rows} rows, {self.stale_orders} orders; {self.books.line}"
        )


async def stop_by_signal(folder: Path, rounds: int, seed: int = 1) -> Stopped:
    """Stop the engine that trades past its lease, let the other take over, and let it go on again; and so on."""
    failovers, sent, stale_rows, stale_orders = list[float](), list[float](), 0, 0
    async with paired(folder, seed) as pair:
        pair.exchange.go()
        engines = {"first": pair.engine("first")}
        await pair.writes("first", 30)
        engines["second"] = pair.engine("second")
        holder, other = USERS
        for _ in range(rounds):
            await asyncio.sleep(3)
            old = await pair.nonces()
            engines[holder].signal(signal.SIGSTOP)
            began, mark = time.monotonic(), await pair.newest()
            failovers.append(await pair.writes(other, 20, mark))
            new_orders = pair.arrivals.first_s
            while not any(nonce not in old for nonce in new_orders):
                assert time.monotonic() < began + 30, "no order of the new epoch"
                await asyncio.sleep(0.02)
            sent.append(min(at_s for nonce, at_s in new_orders.items() if nonce not in old) - began)
            mark, before = await pair.newest(), {nonce: pair.arrivals.orders[nonce] for nonce in old}
            engines[holder].signal(signal.SIGCONT)
            await asyncio.sleep(4)
            stale_rows += await pair.steps(holder, mark)
            stale_orders += sum(pair.arrivals.orders[nonce] - count for nonce, count in before.items())
            holder, other = other, holder
        for engine in engines.values():
            assert await engine.stop() == 0, engine.said
        await settled(pair.stage)
        return Stopped(tuple(failovers), tuple(sent), stale_rows, stale_orders, await compare(pair.stage))


class Rolled(NamedTuple):
    """What a drill with restarts found."""

    gaps_s: tuple[float, ...]
    """From the word to end, to the first step of the other."""
    resting: tuple[int, ...]
    """Orders that went on resting meanwhile."""
    taken_out: int
    """Orders that were cancelled while no engine ran."""
    books: Books

    @property
    def line(self) -> str:
        gaps = ", ".join(f"{one:.1f}" for one in self.gaps_s)
        return (
            f"{len(self.gaps_s)} restarts: {gaps} s without an engine, {min(self.resting)} orders or more kept "
            f"resting, {self.taken_out} taken out; {self.books.line}"
        )


async def roll(folder: Path, rounds: int, seed: int = 2) -> Rolled:
    """End the engine that trades in good order while another waits; then start it again, as the one that waits."""
    gaps, resting, taken_out = list[float](), list[int](), 0
    async with paired(folder, seed) as pair:
        pair.exchange.go()
        engines = {"first": pair.engine("first")}
        await pair.writes("first", 30)
        engines["second"] = pair.engine("second")
        holder, other = USERS
        for _ in range(rounds):
            await asyncio.sleep(4)
            began, mark = time.monotonic(), await pair.newest()
            ours = [one for one in pair.exchange.world.open_orders("main") if bot_of(one.client_id) is not None]
            engines[holder].signal(signal.SIGTERM)
            await pair.writes(other, 20, mark)
            gaps.append(time.monotonic() - began)
            resting.append(sum(one.is_open for one in ours))
            taken_out += sum(one.status == "cancelled" for one in ours)
            assert await engines[holder].ended() == 0, engines[holder].said
            engines[holder] = pair.engine(holder)
            await until(engines[holder].is_up, 30, "the next engine waits")
            holder, other = other, holder
        for engine in engines.values():
            assert await engine.stop() == 0, engine.said
        await settled(pair.stage)
        return Rolled(tuple(gaps), tuple(resting), taken_out, await compare(pair.stage))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--only", choices=("stop", "roll"))
    asked = parser.parse_args()
    logging.disable()
    wrong: list[str] = []
    if asked.only != "roll":
        with tempfile.TemporaryDirectory(prefix="drill") as folder:
            stopped = asyncio.run(stop_by_signal(Path(folder), asked.rounds))
        print(f"SIGSTOP: {stopped.line}")  # noqa: T201
        wrong += stopped.books.wrong
    if asked.only != "stop":
        with tempfile.TemporaryDirectory(prefix="drill") as folder:
            rolled = asyncio.run(roll(Path(folder), asked.rounds))
        print(f"rolling restart: {rolled.line}")  # noqa: T201
        wrong += rolled.books.wrong
    for one in wrong[:20]:
        print(f"  {one}")  # noqa: T201
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
