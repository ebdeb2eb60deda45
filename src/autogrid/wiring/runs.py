"""Which kind of run a bot gets: paper or live. The live side is loaded when the first bot needs it."""

from collections.abc import Callable, Iterable

from autogrid.engine.lease import Hold
from autogrid.engine.supervisor import Run
from autogrid.services.running import Side
from autogrid.storage.bots import PAPER, BotRow
from autogrid.storage.database import Database
from autogrid.wiring.paper import LiveFeeds, PaperRun


class Runs:
    """Both sides as one."""

    def __init__(self, database: Database, feeds: LiveFeeds, open_live: Callable[[], Side]) -> None:
        """`open_live` loads what trades on real exchanges, which takes a second."""
        self._database = database
        self._feeds = feeds
        self._open_live = open_live
        self._live: Side | None = None

    def _side(self) -> Side:
        if self._live is None:
            self._live = self._open_live()
        return self._live

    def make(self, row: BotRow, hold: Hold) -> Run:
        """As `Side`."""
        if row.account == PAPER:
            return PaperRun(self._database, self._feeds, row, hold)
        return self._side().make(row, hold)

    def killed(self, account: str, bots: frozenset[str] | None) -> None:
        """As `Side`; a paper bot hears of a kill by its own request."""
        if account != PAPER and (self._live is not None or bots is None or bots):
            self._side().killed(account, bots)

    async def sweep(self, account: str, hold: Hold, bots: frozenset[str], symbols: Iterable[str]) -> int:
        """As `Side`; what rests of a paper bot is taken out by the bot itself."""
        return 0 if account == PAPER else await self._side().sweep(account, hold, bots, symbols)

    async def leave(self, account: str) -> None:
        """As `Side`."""
        if account != PAPER and self._live is not None:
            await self._live.leave(account)
