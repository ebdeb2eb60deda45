"""A grid bot on a simulated exchange, with both sides in hand."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from autogrid.services import showing
from autogrid.simulator.price_source import tape_steps
from autogrid.storage.bots import BotRow
from tests.live.compare import differences
from tests.live.local import (
    FUNDS,
    OWNER,
    AutoGrid,
    Local,
    autogrid,
    local_exchange,
)
from tests.live.through import lively_tape

GRID = {"lower": "57000", "upper": "63000", "grids": "20"}


@dataclass
class Both:
    """The two sides, and a bot that is wanted to run."""

    local: Local
    grid: AutoGrid
    bot: BotRow

    async def until(self, says: Callable[[BotRow], object], within_s: float = 20.0) -> BotRow:
        return await self.grid.until(self.bot.id, says, within_s)

    async def runs(self) -> BotRow:
        return await self.until(lambda row: row.actual == "running" and self.local.world.open_orders(OWNER))

    async def ends_well(self, funds: dict[str, Decimal] | None = None) -> None:
        """In the end the books are the exchange's."""
        deadline = time.monotonic() + 40
        while wrong := await differences(self.local.world, OWNER, self.grid.database, funds or FUNDS, replayed=False):
            assert time.monotonic() < deadline, wrong
            await asyncio.sleep(0.1)
        await self.grid.end()
        assert await differences(self.local.world, OWNER, self.grid.database, funds or FUNDS) == []

    async def why(self) -> str:
        """As `autogrid bot why`."""
        shown = await showing.show(self.grid.database, self.bot.id)
        return "\n".join([shown.row.reason, *(shown.picture.reasons if shown.picture else ())])

    async def trades_on(self, steps: int = 12) -> None:
        """The market moves, and the bot with it."""
        before = len(self.local.world.trades(OWNER, limit=10**9))
        for _ in range(steps):
            self.local.prices.step()
            await asyncio.sleep(0.1)
        deadline = time.monotonic() + 20
        while len(self.local.world.trades(OWNER, limit=10**9)) == before:
            assert time.monotonic() < deadline, "nothing was traded"
            self.local.prices.step()
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def both(exchange: str, folder: Path) -> AsyncIterator[Both]:
    """A grid bot that was started, and no engine yet."""
    tape = lively_tape(2, 40, folder, swing=0.006)
    async with local_exchange(exchange, folder, tape_steps(tape)) as local, autogrid(folder) as grid:
        await grid.add_key(exchange)
        yield Both(local, grid, await grid.make_bot(exchange, "grid", GRID))
