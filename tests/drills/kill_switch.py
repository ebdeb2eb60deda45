"""The kill switch: 200 orders of three accounts go within seconds, none comes back, orders placed by hand stay.

Prices go on moving, so the bots want to trade all the while. Then the engine is killed with signal 9 and started again:
the kill still stands. When it is lifted, the orders come back.

    python -m tests.drills.kill_switch
"""

import argparse
import asyncio
import json
import logging
import math
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from autogrid.engine.wire_ids import bot_of
from autogrid.simulator.records import OrderNews, SimOrder, WorldNews
from tests.drills.books import Books, compare
from tests.drills.engines import Bot, Stage, named, until
from tests.drills.exchanges_here import Exchange, exchanges
from tests.drills.kill_live_engine import settled

LINES: Final = {"binance": 70, "bybit": 70, "mexc": 62}
"""Grid lines on each exchange."""


class Killed(NamedTuple):
    """What the drill found."""

    resting: int
    gone_s: float
    """From the command's answer until the last was gone."""
    last_create_s: float
    """The last order that arrived, after the command's answer; below zero: before."""
    after_restart: int
    """Orders that came in while the kill stood, after a kill -9 and a restart."""
    by_hand: int
    """Orders by hand that were touched."""
    back_s: float
    """From lifting until nine tenths of the orders rested again."""
    books: Books

    @property
    def line(self) -> str:
        return (
            f"{self.resting} orders on three accounts gone {self.gone_s:.1f} s after the command's answer, last order "
            f"in {self.last_create_s:+.2f} s after it, {self.after_restart} after kill -9 and restart, {self.by_hand} "
            f"orders by hand touched, back {self.back_s:.1f} s after the lift; {self.books.line}"
        )


def ours(exchanges_here: Sequence[Exchange]) -> list[SimOrder]:
    """What rests of AutoGrid's."""
    found = (order for one in exchanges_here for account in one.accounts for order in one.world.open_orders(account))
    return [order for order in found if bot_of(order.client_id) is not None]


async def drill(folder: Path, lines: dict[str, int], seed: int = 3) -> Killed:
    """Fill the books of three accounts, kill, restart, lift."""
    async with exchanges(tuple(lines), folder, seed) as here:
        all_of_them = list(here.values())
        stage = Stage(folder / "data", here)
        await stage.add_keys()
        for name, number in lines.items():
            grid = ("upper=67000", "lower=53000", f"grids={number}")
            await stage.add_bot(Bot(f"on {name}", "grid", named(name, "main"), "BTC/USDT", 60_000, grid))
        by_hand = [
            one.by_hand("main", Decimal(price), f"hand{price}") for one in all_of_them for price in (50_000, 51_000)
        ]
        created = [-math.inf]

        def hear(news: WorldNews) -> None:
            if isinstance(news, OrderNews) and news.cause == "new" and bot_of(news.order.client_id) is not None:
                created[0] = time.monotonic()

        engine = stage.engine()
        wanted = sum(lines.values()) - len(lines)
        await until(lambda: len(ours(all_of_them)) >= wanted, 60, f"{wanted} orders rest", 0.1)
        for one in all_of_them:
            one.world.listen(hear)
            one.go(0.05, 0.0015)
        await asyncio.sleep(2)
        resting = len(ours(all_of_them))
        json.loads(await stage.autogrid("kill", "--all", "--json"))
        acknowledged = time.monotonic()
        gone_s = await until(lambda: not ours(all_of_them), 60, "all orders gone")
        await asyncio.sleep(3)
        last_create_s = created[0] - acknowledged
        await engine.kill()
        restarted = time.monotonic()
        engine = stage.engine()
        await asyncio.sleep(6)
        after_restart = int(created[0] > restarted) + len(ours(all_of_them))
        touched = sum(not order.is_open for order in by_hand)
        await stage.autogrid("kill", "lift", "--all", "--json")
        back_s = await until(lambda: len(ours(all_of_them)) >= wanted * 0.9, 60, "the orders are back", 0.1)
        assert await engine.stop() == 0, engine.said
        await settled(stage)
        return Killed(resting, gone_s, last_create_s, after_restart, touched, back_s, await compare(stage))


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args()
    logging.disable()
    with tempfile.TemporaryDirectory(prefix="drill") as folder:
        found = asyncio.run(drill(Path(folder), LINES))
    print(f"kill switch: {found.line}")  # noqa: T201
    for wrong in found.books.wrong[:20]:
        print(f"  {wrong}")  # noqa: T201
    raise SystemExit(1 if found.books.wrong else 0)


if __name__ == "__main__":
    main()
