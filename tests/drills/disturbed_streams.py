"""Streams that break, fall silent or cannot be opened: what traded meanwhile is booked all the same, and soon.

Each disturbance begins, prices move and fill orders, prices stand still, and the time is taken until every trade at the
exchange is booked. Then prices themselves are withheld: from the moment in which they count as silent no order may
arrive, though fills are booked; once they are heard again, orders go on.

    python -m tests.drills.disturbed_streams            with the waits of the product
    python -m tests.drills.disturbed_streams --quick
"""

import argparse
import asyncio
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NamedTuple

from autogrid.engine.timing import PATIENT
from autogrid.engine.wire_ids import bot_of
from autogrid.simulator.faults import Fault
from autogrid.simulator.records import OrderNews, WorldNews
from tests.drills.books import Books, compare
from tests.drills.engine_process import QUICK
from tests.drills.engines import Stage, until
from tests.drills.exchanges_here import Exchange
from tests.drills.kill_live_engine import settled, staged

MOVE_S: Final = 3.0
"""So long prices move while something is disturbed."""
LONGEST_S: Final = 150.0

Act = Callable[[], Awaitable[object]]


class Disturbed(NamedTuple):
    """What the drill found."""

    booked_s: dict[str, tuple[int, float]]
    """By disturbance: how many fills, and from the last of them (or from its end, where nothing can be asked before)
    until all were booked."""
    silent_s: float
    """For so long prices had counted as silent."""
    ordered_while_silent: int
    filled_while_silent: int
    back_s: float
    """From prices to the first order."""
    books: Books

    @property
    def line(self) -> str:
        booked = ", ".join(f"{what}: {count} fills after {took:.1f} s" for what, (count, took) in self.booked_s.items())
        return (
            f"{booked}; prices silent {self.silent_s:.0f} s: {self.ordered_while_silent} orders, "
            f"{self.filled_while_silent} fills booked, orders again after {self.back_s:.1f} s; {self.books.line}"
        )


class Scene:
    """An engine that trades, and what disturbs it."""

    def __init__(self, stage: Stage, exchange: Exchange) -> None:
        self.stage = stage
        self.exchange = exchange
        self.ordered_s = 0.0
        self.traded_s = 0.0
        self.orders = 0
        exchange.world.listen(self._hear)

    def _hear(self, news: WorldNews) -> None:
        if not isinstance(news, OrderNews) or bot_of(news.order.client_id) is None:
            return
        if news.cause == "new":
            self.ordered_s = time.monotonic()
            self.orders += 1
        elif news.cause == "trade":
            self.traded_s = time.monotonic()

    def ordered_after(self, moment_s: float) -> bool:
        """Whether an order arrived since."""
        return self.ordered_s > moment_s

    def traded(self) -> int:
        """Trades of our orders."""
        return sum(bot_of(trade.client_id) is not None for trade in self.exchange.world.trades("main", limit=10**9))

    def booked(self) -> int:
        """Fills in the journals."""
        return int(self.stage.rows("SELECT count(*) FROM fills")[0][0])

    async def disturb(self, begin: Act, end: Act, *, ends: bool) -> tuple[int, float]:
        """Fills meanwhile, and how long it took until all were booked; `ends`: counted from the disturbance's end."""
        before = self.traded()
        await begin()
        self.exchange.go(step=0.002)
        await asyncio.sleep(MOVE_S)
        await self.exchange.stand()
        await end()
        ended_s = time.monotonic()
        await until(lambda: self.booked() == self.traded(), LONGEST_S, "every trade is booked", 0.1)
        since_s = max(self.traded_s, ended_s if ends else 0)
        return self.traded() - before, max(0.0, time.monotonic() - since_s)


async def drill(folder: Path, *, quick: bool, seed: int = 6) -> Disturbed:
    """All disturbances, one after the other."""
    async with staged(folder, "binance", seed) as stage:
        exchange = stage.exchanges["binance"]
        scene, timing = Scene(stage, exchange), QUICK if quick else PATIENT
        engine = stage.engine(timing, quick=quick)
        async with stage.explained(engine):
            await until(lambda: scene.booked() > 0 and scene.orders > 40, 60, "trading", 0.1)
            found = {}
            for what, begin, end in _disturbances(exchange):
                await until(lambda: time.monotonic() > scene.ordered_s + 2, 60, "quiet", 0.1)
                found[what] = await scene.disturb(begin, end, ends=what in ("partition", "maintenance"))
            silent_s, ordered, filled = await _withhold(scene, timing.silent_s, watch_s=4 if quick else 75)
            exchange.faults.clear()
            exchange.go()
            before = time.monotonic()
            back_s = await until(lambda: scene.ordered_s > before, LONGEST_S, "orders again", 0.05)
        assert engine.alive, engine.said
        assert await engine.stop() == 0, engine.said
        await settled(stage)
        return Disturbed(found, silent_s, ordered, filled, back_s, await compare(stage))


def _disturbances(exchange: Exchange) -> list[tuple[str, Act, Act]]:
    async def nothing() -> None:
        pass

    async def drop() -> None:
        exchange.streams.drop()

    async def stall() -> None:
        exchange.streams.stall()

    async def part() -> None:
        await exchange.listening.refuse()
        exchange.streams.drop()
        exchange.faults.add(Fault("refuse-connect"))

    async def heal() -> None:
        exchange.faults.clear()
        await exchange.listening.start()

    async def maintain() -> None:
        exchange.faults.add(Fault("maintenance"))
        exchange.streams.drop()

    async def clear() -> None:
        exchange.faults.clear()

    return [
        ("streams dropped", drop, nothing),
        ("streams silent with live pongs", stall, nothing),
        ("partition", part, heal),
        ("maintenance", maintain, clear),
    ]


async def _withhold(scene: Scene, silent_after_s: float, watch_s: float) -> tuple[float, int, int]:
    """Withhold prices, by stream and by request; how long they were silent, orders and fills meanwhile."""
    scene.exchange.faults.add(Fault("maintenance", where="market"))
    scene.exchange.faults.add(Fault("drop-event", where="stream"))
    scene.exchange.streams.drop()
    await asyncio.sleep(silent_after_s + 2.5)  # it is looked at once a second
    orders, booked, began = scene.orders, scene.booked(), time.monotonic()
    scene.exchange.go()
    await asyncio.sleep(watch_s)
    silent_s = time.monotonic() - began
    filled = scene.booked() - booked
    return silent_s, scene.orders - orders, filled


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    logging.disable()
    with tempfile.TemporaryDirectory(prefix="drill") as folder:
        found = asyncio.run(drill(Path(folder), quick=asked.quick))
    print(f"streams: {found.line}")  # noqa: T201
    for wrong in found.books.wrong[:20]:
        print(f"  {wrong}")  # noqa: T201
    raise SystemExit(1 if found.books.wrong or found.ordered_while_silent else 0)


if __name__ == "__main__":
    main()
