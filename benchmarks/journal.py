"""How many steps a second the journal keeps: `python -m benchmarks.journal`.

Many bots in one process append at once, each step after the one before it returned, on a database that waits for its
disk (SQLite with synchronous=FULL, PostgreSQL with fsync and synchronous_commit). *Alone*: each step in a transaction
of its own. *Together*: as AutoGrid does it, the steps that wait share the next commit. The steps are those of a grid
that fills, told one after another; half of them change orders.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

from autogrid.storage.commits import Write
from autogrid.storage.database import Database, open_database
from autogrid.storage.journal import SqlJournal
from autogrid.storage.leases import take
from autogrid.trading.money import use_exact_figures
from autogrid.trading.state import BotState, Step, is_news
from tests.postgres import own_server
from tests.storage.kept import first_state, live, new_bot, wild_tape

BOTS = (1, 100, 1_000)
SECONDS = 4.0
LEASE_MS = 3_600_000


class Alone(Database):
    """Each step in a transaction of its own, as it was before steps shared one."""

    async def keep(self, writes: Sequence[Write]) -> None:
        async with self.writing() as connection:
            for write in writes:
                await connection.execute(write.statement, write.rows)


class Figure(NamedTuple):
    database: str
    bots: int
    together: bool
    steps_a_second: float
    slowest_ms: float
    """Of a hundred appends, the one that took longest but for one."""


@contextmanager
def places(names: list[str]) -> Iterator[list[tuple[str, Path, str]]]:
    """A folder and a URL of each database that was asked for."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        found = [("sqlite", Path(folder), "")] if "sqlite" in names else []
        if "postgres" not in names:
            yield found
            return
        with own_server(in_memory=False) as server, server.database() as url:
            yield [*found, ("postgres", Path(folder), url)]


@asynccontextmanager
async def opened(folder: Path, url: str, together: bool) -> AsyncIterator[Database]:
    database = await open_database(folder, url)
    if not together:
        database = Alone(database._store, database._engines)  # noqa: SLF001
    try:
        yield database
    finally:
        await database.close()


async def a_life() -> list[tuple[Step, BotState]]:
    """Steps of a grid on a tape, each with the state before it."""
    with tempfile.TemporaryDirectory() as folder:
        database = await open_database(Path(folder))
        lived = await live(database, new_bot(), wild_tape(1, 60))
        await database.close()
    states = [step.state for step in lived.steps]
    found = list(zip(lived.steps[1:], states, strict=False))
    assert all(is_news(before, step) for step, before in found)
    return found


async def measure(
    name: str, database: Database, bots: int, together: bool, life: list[tuple[Step, BotState]]
) -> Figure:
    """Append for some seconds from `bots` journals at once."""
    account = f"{bots} {together}"
    async with database.writing() as connection:
        lease = await take(connection, account, "me", int(time.time() * 1_000), LEASE_MS)
    assert lease is not None
    journals = []
    for number in range(bots):
        row, _ = await first_state(database, new_bot(f"{account} {number}"))
        journals.append(SqlJournal(database, row.id, life[0][1], 0, (account, lease.epoch)))
    took: list[float] = []
    start = time.perf_counter()

    async def append(journal: SqlJournal) -> None:
        for step, before in life:
            began = time.perf_counter()
            if began > start + SECONDS:
                return
            await journal.append(step, before, str)
            took.append(time.perf_counter() - began)

    await asyncio.gather(*(append(journal) for journal in journals))
    elapsed = time.perf_counter() - start
    slowest = sorted(took)[max(0, int(len(took) * 0.99) - 1)]
    return Figure(name, bots, together, len(took) / elapsed, slowest * 1_000)


async def all_figures(name: str, folder: Path, url: str, bots: list[int]) -> list[Figure]:
    found = []
    life = await a_life()
    for count in bots:
        for together in (False, True):
            async with opened(folder, url, together) as database:
                found.append(await measure(name, database, count, together, life))
            print(line(found[-1]), flush=True)
    return found


def line(figure: Figure) -> str:
    how = "together" if figure.together else "alone"
    return (
        f"{figure.database:9} {figure.bots:5} bots  {how:9} {figure.steps_a_second:8,.0f} steps/s"
        f"   99 % of appends within {figure.slowest_ms:8,.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.journal", description=__doc__)
    parser.add_argument("--on", action="append", choices=("sqlite", "postgres"), help="default: both")
    parser.add_argument("--bots", action="append", type=int, help=f"default: {', '.join(map(str, BOTS))}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    given = parser.parse_args()
    use_exact_figures()
    found: list[Figure] = []
    with places(given.on or ["sqlite", "postgres"]) as there:
        for name, folder, url in there:
            found += asyncio.run(all_figures(name, folder, url, given.bots or list(BOTS)))
    if given.json:
        given.json.write_text(json.dumps([figure._asdict() for figure in found], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
