"""A thousand live grid bots in one engine: what they cost, and how fast an order leaves. Run as
`python -m benchmarks.live_load [--bots 1000 --messages 5000 --seconds 60 --symbols 20 --accounts 10]`.

The real engine (`services.running`, `wiring.live`, the real way to Binance over TLS, one reader of public trades,
SQLite on disk, uvloop) in this process; the simulated exchange and its crowd in another. Three things are measured:
*idle* with a tenth of the bots and with all of them, while the exchange tells nothing; *quiet*, one trade a second on
each symbol, so that every bot is marked each second; *load*, thousands of trades a second, prices that move, fills and
their counter orders. Limits of requests are lifted on both sides, for the first placing of all orders is not measured
and would take minutes. Memory and CPU are of the engine's process alone, all its threads.

*Heard to wire*: from the moment a fill was heard until the request of the order that it led to is handed to the socket,
journal included; what it waited in the limiter is left out and told apart. p50 / p99 / max.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import uvloop

from autogrid.engine.timing import PATIENT
from autogrid.services.running import Engine
from autogrid.storage.database import Database, open_database
from autogrid.storage.wants import list_wants
from autogrid.trading.money import Price, use_exact_figures
from autogrid.wiring.exchange_side import closed_candles, follow
from autogrid.wiring.live import LiveSide
from benchmarks import live_watch as watch
from benchmarks.live_stage import LIFTED, Exchange, an_exchange, machine, make_bots, venues, want
from benchmarks.live_watch import Spent, TimedLimiter, spread
from benchmarks.report import table

SHOWN = 5
"""So many faults are printed as they come."""
BREATH_S = 5.0
"""After a change, before something is measured."""


class Given(NamedTuple):
    """What is asked for."""

    bots: int
    messages: int
    seconds: float
    symbols: int
    accounts: int
    grids: int
    step: float


async def follow_timed(exchange: str, symbol: str, hear: Callable[[int, Price], None]) -> None:
    """As `follow`; of every 16th trade it is noted how late it came."""
    count = 0

    def heard(at_ms: int, price: Price) -> None:
        nonlocal count
        count += 1
        if not count % 16:
            watch.LATE_MS.append(time.time_ns() // 1_000_000 - at_ms)
        hear(at_ms, price)

    await follow(exchange, symbol, heard)


async def measure(given: Given, folder: Path) -> list[tuple[str, str]]:
    """Run it all; rows of the table."""
    use_exact_figures()
    watch.stand_around()
    async with an_exchange(folder, given.symbols, given.accounts) as exchange:
        await exchange.ask(limits=False)
        database = await open_database(folder)
        limiter = TimedLimiter("binance", LIFTED)
        side = LiveSide(database, watch.timed(venues(lambda: limiter)), follow_timed, closed_candles, PATIENT)
        bots = await make_bots(database, given.bots, given.symbols, given.accounts, given.grids)
        said: list[str] = []

        def tell(sentence: str) -> None:
            if " runs on " not in sentence:
                said.append(sentence)
                if len(said) < SHOWN:
                    print(f"  {time.monotonic() - began:.1f} s: {sentence}", flush=True)

        began = time.monotonic()
        engine = Engine(database, side, f"load:{os.getpid()}", tell)
        stop = asyncio.Event()
        bare = Spent.now()
        running = asyncio.create_task(engine.run(stop))
        lagging = asyncio.create_task(watch.feel_lag())
        try:
            rows = await _phases(given, database, exchange, side, bots, bare)
            rows.append(("faults that the engine told of", f"{len(said)}"))
        finally:
            stop.set()
            lagging.cancel()
            await asyncio.gather(running, lagging, return_exceptions=True)
            await database.close()
        return rows


async def _phases(
    given: Given, database: Database, exchange: Exchange, side: LiveSide, bots: list[str], bare: Spent
) -> list[tuple[str, str]]:
    few = len(bots) // 10
    await _begin(database, exchange, bots[:few], few, given)
    some, some_cpu = await _idle(given.seconds / 3)
    began = time.monotonic()
    await _begin(database, exchange, bots[few:], len(bots), given)
    setup_s = time.monotonic() - began
    every, every_cpu = await _idle(given.seconds / 3)
    more = len(bots) - few
    rows = [
        (f"start of {more} bots, first orders placed", f"{setup_s:.0f} s"),
        ("memory before the first bot", f"{bare.rss_mib:.0f} MiB"),
        (f"memory, idle, {few} and {len(bots)} bots", f"{some.rss_mib:.0f} and {every.rss_mib:.0f} MiB"),
        ("memory of one bot more", f"{(every.rss_mib - some.rss_mib) / more * 1024:.0f} KiB"),
        (f"CPU, idle, {few} and {len(bots)} bots", f"{some_cpu:.3f} and {every_cpu:.3f} s/s"),
        ("CPU of one idle bot more", f"{(every_cpu - some_cpu) / more * 1e6:.0f} µs/s"),
    ]
    await exchange.ask(messages=given.symbols)
    await asyncio.sleep(BREATH_S)
    quiet, quiet_cpu = await _idle(given.seconds / 3)
    rows.append(("CPU, one trade a second on each symbol", f"{quiet_cpu:.3f} s/s, {quiet.rss_mib:.0f} MiB"))
    return rows + await _load(given, exchange, side)


async def _begin(database: Database, exchange: Exchange, bots: list[str], total: int, given: Given) -> None:
    """Start these on a quiet market, and wait until all run and their first orders rest."""
    await exchange.ask(messages=given.symbols)
    await want(database, bots)
    while True:
        await asyncio.sleep(1)
        async with database.reading() as connection:
            wants = await list_wants(connection)
        count = sum(1 for one in wants if one.actual == "running")
        wrong = [one for one in wants if one.actual in ("error", "ended")]
        assert not wrong, f"{len(wrong)} bots ended: {wrong[0].reason}"
        if count >= total:
            break
    told = await exchange.at_rest(total * given.grids)
    print(f"  {total} bots run, {told['open']:,} orders rest; {machine()}", flush=True)
    await exchange.ask(messages=0)
    await asyncio.sleep(BREATH_S)


async def _idle(seconds: float) -> tuple[Spent, float]:
    before = Spent.now()
    await asyncio.sleep(seconds)
    after = Spent.now()
    return after, after.share_since(before)


async def _load(given: Given, exchange: Exchange, side: LiveSide) -> list[tuple[str, str]]:
    print(f"  load begins; {machine()}", flush=True)
    await exchange.ask(messages=given.messages, step=given.step)
    await asyncio.sleep(BREATH_S)
    watch.forget()
    before, told_before, at_first = Spent.now(), await exchange.ask(), _heard(side)
    await asyncio.sleep(given.seconds)
    after, told, at_last = Spent.now(), await exchange.ask(), _heard(side)
    sent, load = list(watch.SENT), machine()
    while_s = after.at_s - before.at_s
    steps = sum(watch.STEPS.values())
    await exchange.ask(messages=0, step=0)

    def a_second(what: str) -> float:
        return float(told[what] - told_before[what]) / while_s

    calls = {what: (count - told_before["calls"].get(what, 0)) / while_s * 60 for what, count in told["calls"].items()}
    fills = [way for way in sent if way.heard < way.decided]
    return [
        ("trades told by the exchange", f"{a_second('told'):,.0f} a second ({a_second('left_out'):.0f} left out)"),
        ("trades taken by the engine", f"{(at_last - at_first) / while_s:,.0f} a second"),
        ("how late a trade is taken, ms", spread([one / 1e3 for one in watch.LATE_MS])),
        ("new orders, fills", f"{a_second('orders'):.1f}, {a_second('fills'):.1f} a second"),
        ("steps kept in the journal", f"{steps / while_s:.1f} a second"),
        ("CPU under load", f"{after.share_since(before):.3f} s/s (the exchange's process {a_second('cpu_s'):.2f})"),
        ("memory under load, peak of all", f"{after.rss_mib:.0f} MiB, {after.peak_mib:.0f} MiB"),
        (f"heard to wire, ms ({len(fills)} orders)", spread([way.sent - way.heard - way.limited for way in fills])),
        (f"decided to wire, ms ({len(sent)} orders)", spread([way.sent - way.decided - way.limited for way in sent])),
        ("  of it: heard to decided, ms", spread([way.decided - way.heard for way in fills])),
        ("  of it: kept by the journal, ms", spread([way.kept - way.decided for way in sent])),
        ("  of it: kept to handed over, ms", spread([way.handed - way.kept for way in sent])),
        ("  of it: signed and written, ms", spread([way.sent - way.handed - way.limited for way in sent])),
        ("waited in the limiter (left out), ms", spread([way.limited for way in sent])),
        ("how late the loop wakes, ms", spread(watch.LAGS)),
        ("append to a journal, ms", spread(watch.KEEPS)),
        ("pauses of the garbage collector, ms", f"{spread(watch.PAUSES)} ({len(watch.PAUSES)} times)"),
        ("weight of requests", f"{a_second('weight') * 60:,.0f} a minute"),
        ("requests a minute", ", ".join(f"{what} {count:,.0f}" for what, count in calls.items() if count >= 1)),
        ("machine", load),
    ]


def _heard(side: LiveSide) -> int:
    return sum(prices.told for prices in side._board.all)  # noqa: SLF001


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_load", description=__doc__)
    parser.add_argument("--bots", type=int, default=1_000)
    parser.add_argument("--messages", type=int, default=5_000, help="public trades a second (5000)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the load lasts (60)")
    parser.add_argument("--symbols", type=int, default=20)
    parser.add_argument("--accounts", type=int, default=10)
    parser.add_argument("--grids", type=int, default=10, help="cells of each bot (10)")
    parser.add_argument("--step", type=float, default=0.001, help="how far a symbol moves in a second, as a share")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--folder", type=Path, help="where the database is made (here)")
    asked: dict[str, Any] = vars(parser.parse_args())
    into, where = asked.pop("json"), asked.pop("folder")
    given = Given(**asked)
    print(f"{given.bots} bots, {given.symbols} symbols, {given.accounts} accounts; {machine()}", flush=True)
    with (
        tempfile.TemporaryDirectory(dir=where or Path.cwd(), prefix=".live-load-") as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        rows = runner.run(measure(given, Path(folder)))
    print(table(("what", "measured"), rows))
    if into:
        into.write_text(json.dumps(dict(rows), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
