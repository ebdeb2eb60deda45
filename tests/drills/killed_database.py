"""PostgreSQL killed with signal 9 just before or just after a commit of the engine, and started again.

Whatever the engine had not got an answer for was not sent: every order that arrives is looked up in the journal in that
moment, or, while there is no database, as soon as there is one again. Then trading goes on, without a hand.

    python -m tests.drills.killed_database --kills 10
"""

import argparse
import asyncio
import logging
import multiprocessing
import random
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import asyncpg  # type: ignore[import-untyped]

from autogrid.engine.wire_ids import bot_of
from autogrid.simulator.records import OrderNews, WorldNews
from tests.drills.books import Books, compare
from tests.drills.engine_process import Moment
from tests.drills.engines import Running, Stage, named, until
from tests.drills.exchanges_here import Exchange, exchanges
from tests.drills.kill_live_engine import bots_on, settled
from tests.postgres import Server, own_server

DOWN_S = 1.5


class Outages(NamedTuple):
    """What the drill found."""

    outages: int
    sent_while_down: int
    """Orders that arrived while there was no database; all of them were in the journal before."""
    unknown: int
    """Orders that arrived and that the journal does not know."""
    back_s: tuple[float, ...]
    """From the server's start to the first order."""
    books: Books

    @property
    def line(self) -> str:
        return (
            f"{self.outages} kills of the database at a commit, {DOWN_S:.1f} s each: {self.sent_while_down} orders of "
            f"kept steps arrived meanwhile, {self.unknown} that the journal does not know; trading again after "
            f"{max(self.back_s):.1f} s or less; {self.books.line}"
        )


class Arrived:
    """Client ids of our orders, as they arrive, and when."""

    def __init__(self, exchange: Exchange) -> None:
        self.at_s: dict[str, float] = {}
        exchange.world.listen(self._hear)

    def more_than(self, number: int) -> bool:
        """Whether so many have arrived, and one more."""
        return len(self.at_s) > number

    def _hear(self, news: WorldNews) -> None:
        if isinstance(news, OrderNews) and news.cause == "new" and bot_of(news.order.client_id) is not None:
            self.at_s[news.order.client_id] = time.monotonic()


async def drill(folder: Path, kills: int, seed: int = 4) -> Outages:
    """Kill the database so often, each time at another commit."""
    chance = random.Random(seed)
    sent_while_down, back = 0, list[float]()
    with own_server(in_memory=False) as server:
        async with exchanges(("binance",), folder, seed) as here:
            exchange = here["binance"]
            stage = Stage(folder / "data", here, server.url())
            await stage.add_keys()
            for bot in bots_on(named("binance", "main")):
                await stage.add_bot(bot)
            arrived = Arrived(exchange)
            exchange.go()
            for _ in range(kills):
                moment: Moment = chance.choice(("before a commit", "after a commit"))
                down_s, engine = await _outage(stage, server, moment, chance.randint(5, 60))
                began = time.monotonic()
                sent_while_down += sum(at_s > down_s for at_s in arrived.at_s.values())
                async with stage.explained(engine):
                    await until(partial(arrived.more_than, len(arrived.at_s)), 40, "trading goes on", 0.05)
                back.append(time.monotonic() - began)
                assert engine.alive, engine.said
                assert await engine.stop() == 0, engine.said
                exchange.new_minute()
            await settled(stage)
            unknown = len(set(arrived.at_s) - await _intents(server))
            return Outages(kills, sent_while_down, unknown, tuple(back), await compare(stage))


async def _outage(stage: Stage, server: Server, moment: Moment, number: int) -> tuple[float, Running]:
    """Run an engine up to a commit, kill the database there, let the engine go on without one, and start it again."""
    ours, its = multiprocessing.Pipe()
    engine = stage.engine(stop_at=(moment, number), gate=its)
    loop, there = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(ours.fileno(), there.set)
    try:
        async with asyncio.timeout(60):
            await there.wait()
    finally:
        loop.remove_reader(ours.fileno())
    await asyncio.to_thread(server.kill)
    down_s = time.monotonic()
    ours.send("go on")
    await asyncio.sleep(DOWN_S)
    await asyncio.to_thread(server.start)
    ours.close()
    its.close()
    return down_s, engine


async def _intents(server: Server) -> set[str]:
    """What orders of all journals are called at the exchange."""
    asks = await asyncpg.connect(server.url())
    try:
        rows = await asks.fetch(
            "SELECT bot_id || '-' || split_part(id, '-', 1) || '-' || split_part(id, '-', 2) FROM orders"
        )
        return {row[0] for row in rows}
    finally:
        await asks.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=10)
    asked = parser.parse_args()
    logging.disable()
    with tempfile.TemporaryDirectory(prefix="drill") as folder:
        found = asyncio.run(drill(Path(folder), asked.kills))
    print(f"database killed: {found.line}")  # noqa: T201
    for wrong in found.books.wrong[:20]:
        print(f"  {wrong}")  # noqa: T201
    raise SystemExit(1 if found.books.wrong or found.unknown else 0)


if __name__ == "__main__":
    main()
