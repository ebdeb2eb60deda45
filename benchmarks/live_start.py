"""How long a start takes after a crash: `python -m benchmarks.live_start [--bots 500 --symbols 20 --accounts 5]`.

An engine's process runs live grid bots on the simulated exchange until the orders of all rest, and is killed with
signal 9. Another begins on the same database. Measured is the time until every bot is `running` with its card (what was
found, what was done), from the start of the process and from that of the engine in it, and the weight of all requests
that the exchange counted meanwhile. The second one finds Binance's limits (6,000 a minute), and its limiter is its own.
"""

import argparse
import asyncio
import os
import signal
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import uvloop

from autogrid.exchanges.limits import Limiter
from autogrid.services.leases import free_leases
from autogrid.services.running import Engine
from autogrid.storage.database import open_database
from autogrid.storage.sqlite import FILE_NAME
from autogrid.trading.money import use_exact_figures
from autogrid.wiring.exchange_side import closed_candles, follow
from autogrid.wiring.live import LiveSide
from benchmarks.live_stage import LIFTED, Exchange, an_exchange, machine, make_bots, venues, want
from benchmarks.report import table

CARD = "at its start: "
LONGEST_S = 600.0


async def run_engine(folder: Path, *, lifted: bool) -> None:
    """An engine, until it is killed; its first line says when it began, by the steady clock."""
    use_exact_figures()
    database = await open_database(folder)
    await free_leases(database)
    limiter = Limiter("binance", LIFTED) if lifted else None
    side = LiveSide(database, venues(lambda: limiter), follow, closed_candles)
    engine = Engine(database, side, f"start:{os.getpid()}", lambda sentence: print(sentence, file=sys.stderr))
    print(time.monotonic(), flush=True)
    await engine.run(asyncio.Event())


async def begin(folder: Path, *, lifted: bool) -> asyncio.subprocess.Process:
    """Start an engine's process; what it says goes to a file."""
    words = ("-m", "benchmarks.live_start", "--engine", str(folder), *(["--lifted"] if lifted else []))
    with (folder / "engine.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE, stderr=log)


async def all_running(folder: Path, bots: int, since_ms: int) -> None:
    """Return once all bots have shown their card since then."""
    until = time.monotonic() + LONGEST_S
    query = "SELECT count(*) FROM bots WHERE actual = 'running' AND reason LIKE ? AND changed_ms >= ?"
    with closing(sqlite3.connect(f"file:{folder / FILE_NAME}?mode=ro", uri=True, timeout=10)) as database:
        while database.execute(query, (f"%{CARD}%", since_ms)).fetchone()[0] < bots:
            assert time.monotonic() < until, f"not all bots run: see {folder / 'engine.log'}"
            await asyncio.sleep(0.05)


async def measure(bots: int, symbols: int, accounts: int, grids: int, folder: Path) -> list[tuple[str, str]]:
    """The whole drill; rows of the table."""
    async with an_exchange(folder, symbols, accounts) as exchange:
        await exchange.ask(limits=False, messages=symbols)
        database = await open_database(folder)
        await want(database, await make_bots(database, bots, symbols, accounts, grids))
        await database.close()
        first = await begin(folder, lifted=True)
        await all_running(folder, bots, 0)
        resting = await exchange.at_rest(bots * grids)
        first.send_signal(signal.SIGKILL)
        await first.wait()
        return [
            ("bots, symbols, accounts", f"{bots}, {symbols}, {accounts}"),
            ("orders that rested at the kill", f"{resting['open']:,}"),
            *await _again(exchange, folder, bots),
        ]


async def _again(exchange: Exchange, folder: Path, bots: int) -> list[tuple[str, str]]:
    before = await exchange.ask(limits=True)
    started, since_ms = time.monotonic(), time.time_ns() // 1_000_000
    second = await begin(folder, lifted=False)
    assert second.stdout is not None
    engine_began = float(await second.stdout.readline())
    try:
        await all_running(folder, bots, since_ms)
        over, after, load = time.monotonic(), await exchange.ask(), machine()
    finally:
        second.send_signal(signal.SIGTERM)
        await second.wait()
    calls = {what: count - before["calls"].get(what, 0) for what, count in after["calls"].items()}
    with closing(sqlite3.connect(folder / FILE_NAME)) as database:
        cards = database.execute("SELECT reason, count(*) FROM bots GROUP BY 1 ORDER BY 2 DESC LIMIT 3").fetchall()
    return [
        ("from the start of the process", f"{over - started:.1f} s"),
        ("from the start of the engine", f"{over - engine_began:.1f} s"),
        ("weight of requests, of 6,000 a minute", f"{after['weight'] - before['weight']:,}"),
        ("requests", ", ".join(f"{what} {count}" for what, count in calls.items() if count)),
        ("requests refused by the exchange", f"{after['refused'] - before['refused']}"),
        ("orders sent anew", f"{after['orders'] - before['orders']}"),
        ("cards", "; ".join(f"{count}: {reason.removeprefix(CARD)}" for reason, count in cards)),
        ("machine", load),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_start", description=__doc__)
    parser.add_argument("--bots", type=int, default=500)
    parser.add_argument("--symbols", type=int, default=20)
    parser.add_argument("--accounts", type=int, default=5)
    parser.add_argument("--grids", type=int, default=10)
    parser.add_argument("--folder", type=Path, help="where the database is made (here)")
    parser.add_argument("--engine", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--lifted", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if given.engine is not None:
            runner.run(run_engine(given.engine, lifted=given.lifted))
            return
        print(f"{given.bots} bots; {machine()}", flush=True)
        with tempfile.TemporaryDirectory(dir=given.folder or Path.cwd(), prefix=".live-start-") as folder:
            rows = runner.run(measure(given.bots, given.symbols, given.accounts, given.grids, Path(folder)))
    print(table(("what", "measured"), rows))


if __name__ == "__main__":
    main()
