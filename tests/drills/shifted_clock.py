"""This machine's clock jumps an hour ahead and an hour back while the engine trades; the exchange says it is wrong.

The clock is shifted inside the engine's process (`tests.drills.engine_process`), for all that reads it in Python. After
each jump trading must go on without a hand.

    python -m tests.drills.shifted_clock
"""

import argparse
import asyncio
import logging
import signal
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from autogrid.simulator.faults import Fault
from tests.drills.books import Books, compare
from tests.drills.disturbed_streams import Scene
from tests.drills.engines import until
from tests.drills.kill_live_engine import settled, staged

JUMPS = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGUSR2, signal.SIGUSR1)
"""An hour ahead, back, an hour behind, and right again."""


class Shifted(NamedTuple):
    """What the drill found."""

    again_s: tuple[float, ...]
    """From each jump to the first order after it."""
    booked_s: tuple[float, ...]
    """After each, from the last trade until all were booked."""
    skewed: int
    """Requests that the exchange refused because of the clock."""
    books: Books

    @property
    def line(self) -> str:
        return (
            f"{len(self.again_s)} jumps of an hour: orders again after {max(self.again_s):.1f} s or less, all fills "
            f"booked within {max(self.booked_s):.1f} s; {self.skewed} refusals for a skewed clock; {self.books.line}"
        )


async def drill(folder: Path, seed: int = 7) -> Shifted:
    """Jump, and jump back."""
    async with staged(folder, "binance", seed) as stage:
        exchange = stage.exchanges["binance"]
        scene = Scene(stage, exchange)
        engine = stage.engine()
        await until(lambda: scene.orders > 40, 60, "trading", 0.1)
        again, booked = list[float](), list[float]()
        async with stage.explained(engine):
            for jump in JUMPS:
                exchange.go()
                exchange.faults.add(Fault("clock-skew", 0.3, count=20))
                engine.signal(jump)
                jumped = time.monotonic()
                again.append(await until(partial(scene.ordered_after, jumped + 0.1), 60, "orders again", 0.05))
                await asyncio.sleep(3)
                await exchange.stand()
                booked.append(await until(lambda: scene.booked() == scene.traded(), 60, "every trade is booked", 0.05))
                exchange.new_minute()
        assert engine.alive, engine.said
        assert await engine.stop() == 0, engine.said
        await settled(stage)
        return Shifted(tuple(again), tuple(booked), exchange.faults.given["clock-skew"], await compare(stage))


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args()
    logging.disable()
    with tempfile.TemporaryDirectory(prefix="drill") as folder:
        found = asyncio.run(drill(Path(folder)))
    print(f"clock: {found.line}")  # noqa: T201
    for wrong in found.books.wrong[:20]:
        print(f"  {wrong}")  # noqa: T201
    raise SystemExit(1 if found.books.wrong else 0)


if __name__ == "__main__":
    main()
