"""The disk that holds the database fills up while bots trade, and later has room again.

Meanwhile nothing is kept, so nothing may be sent: every order that arrives is looked up in the journal in that moment.
Once there is room the bots go on, without a hand. Only root on Linux may make a small disk.

    python -m tests.drills.full_disk
"""

import argparse
import asyncio
import contextlib
import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from tests.drills.books import Books, Watch, compare, in_sqlite
from tests.drills.disturbed_streams import Scene
from tests.drills.engines import until
from tests.drills.kill_live_engine import settled, staged

FULL_S: Final = 6.0


class Full(NamedTuple):
    """What the drill found."""

    orders_while_full: int
    said: str
    """What the engine told."""
    again_s: float
    """From room on the disk to the first order."""
    booked_s: float
    """From the last trade until all were booked."""
    books: Books

    @property
    def line(self) -> str:
        return (
            f"full for {FULL_S:.0f} s ('{self.said}'): {self.orders_while_full} orders arrived, each of a kept step; "
            f"orders again {self.again_s:.1f} s after there was room; {self.books.line}"
        )


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A disk of 24 MB; None where none can be made."""
    place = folder / "disk"
    place.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        yield None
        return
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", place], check=False)
    if mounted.returncode:
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def fill(place: Path) -> Path:
    """Leave no room; what takes it."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 4_096):
            pass
    return ballast


async def drill(folder: Path, place: Path, seed: int = 8) -> Full:
    """Fill the disk, make room again."""
    async with staged(folder, "binance", seed, data_dir=place / "data") as stage:
        exchange = stage.exchanges["binance"]
        scene = Scene(stage, exchange)
        engine = stage.engine()
        with contextlib.closing(sqlite3.connect(stage.data_dir / "autogrid.db", timeout=10)) as journal:
            watch = Watch(stage, exchange, in_sqlite(journal))
            async with stage.explained(engine):
                exchange.go()
                await until(lambda: scene.orders > 40, 60, "trading", 0.1)
                ballast = fill(place)
                orders = scene.orders
                await until(lambda: "full" in engine.said, 30, "the full disk is told", 0.05)
                await asyncio.sleep(FULL_S)
                orders = scene.orders - orders
                ballast.unlink()
                room = time.monotonic()
                again_s = await until(partial(scene.ordered_after, room), 90, "orders again", 0.05)
                await asyncio.sleep(2)
                await exchange.stand()
                booked_s = await until(lambda: scene.booked() == scene.traded(), 60, "every trade is booked", 0.05)
            said = next(line for line in engine.said.splitlines() if "full" in line)
            assert engine.alive, engine.said
            assert await engine.stop() == 0, engine.said
            await settled(stage)
            watch.end()
        books = await compare(stage)
        return Full(orders, said, again_s, booked_s, books._replace(wrong=(*books.wrong, *watch.wrong)))


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args()
    logging.disable()
    with tempfile.TemporaryDirectory(prefix="drill") as folder, small_disk(Path(folder)) as place:
        if place is None:
            raise SystemExit("full disk: this system lets nobody make a small disk")
        found = asyncio.run(drill(Path(folder), place))
    print(f"full disk: {found.line}")  # noqa: T201
    for wrong in found.books.wrong[:20]:
        print(f"  {wrong}")  # noqa: T201
    raise SystemExit(1 if found.books.wrong else 0)


if __name__ == "__main__":
    main()
