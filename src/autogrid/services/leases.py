"""The leases of this process: taken for the accounts whose bots are wanted, renewed while it lives, given back at its
end.
"""

import asyncio
from collections.abc import Callable, Iterable

from autogrid.engine.lease import RENEW_S, Hold, steady_ms
from autogrid.services.bots import now_ms
from autogrid.storage.database import Database
from autogrid.storage.leases import list_leases, release, renew, take


class Leases:
    """What this process may trade on."""

    def __init__(
        self, database: Database, owner: str, wall_ms: Callable[[], int] = now_ms, steady: Callable[[], int] = steady_ms
    ) -> None:
        """`owner`: how this process is called, such as host and process number."""
        self._database = database
        self._owner = owner
        self._wall_ms = wall_ms
        self._steady_ms = steady
        self._holds: dict[str, Hold] = {}

    def of(self, account: str) -> Hold | None:
        """The hold on an account; None where another has it."""
        return self._holds.get(account)

    @property
    def held(self) -> list[str]:
        """The accounts that are held."""
        return list(self._holds)

    async def want(self, accounts: Iterable[str]) -> None:
        """Try to have these."""
        missing = [account for account in dict.fromkeys(accounts) if account not in self._holds]
        if not missing:
            return
        for account in missing:
            asked_ms = self._steady_ms()
            async with self._database.writing() as connection:
                lease = await take(connection, account, self._owner, self._wall_ms())
            if lease is not None:
                self._holds[account] = Hold(lease, asked_ms, self._steady_ms)

    async def renew_all(self) -> list[str]:
        """Renew what is held; the accounts that were lost.

        All in one transaction where writers queue in any case, for each waits for the disk. On a server each in its
        own: a renewal waits for the steps that are being committed under the lease, and two such waits could cross.
        """
        holds = sorted(self._holds.items())
        together = [holds] if self._database.one_writer else [[one] for one in holds]
        lost: list[str] = []
        for some in filter(None, together):
            asked_ms = self._steady_ms()
            async with self._database.writing() as connection:
                renewed = await renew(connection, [hold.lease for _, hold in some], self._wall_ms())
            for (account, hold), lease in zip(some, renewed, strict=True):
                if lease is None:
                    hold.lost = True
                    lost.append(account)
                else:
                    hold.renewed(lease, asked_ms)
        return lost

    async def keep(self, lost: Callable[[str], None], heals: tuple[type[BaseException], ...]) -> None:
        """Renew until cancelled. `lost` hears of an account that is another's now; of `heals` the next try is made."""
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                for account in await self.renew_all():
                    lost(account)
            except heals:
                continue

    def forget(self, account: str) -> None:
        """It is another's."""
        self._holds.pop(account, None)

    async def give_back(self) -> None:
        """Let others have them at once."""
        holds, self._holds = list(self._holds.values()), {}
        for hold in holds:
            async with self._database.writing() as connection:
                await release(connection, hold.lease)


async def free_leases(database: Database) -> None:
    """Give back what an engine that died left behind, so that nothing waits for it to run out. Only for whoever knows
    that no other engine is alive: the next epoch begins at once.
    """
    async with database.reading() as connection:
        left = await list_leases(connection)
    for lease in left:
        async with database.writing() as connection:
            await release(connection, lease)
