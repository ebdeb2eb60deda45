"""Keys are asked again what they may do, for as long as bots trade with them.

Every six hours, and at the start of an engine where the last check is older. A key that is refused pauses the bots of
its account: their orders keep resting, nothing new is placed, and a person starts them again once the key is mended. A
check that cannot be made changes nothing and is tried again soon. What a person finds out by `autogrid credentials
check` counts here within a minute.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from autogrid.security.vault import Vault
from autogrid.services.bots import UnableToAsk, now_ms, pause
from autogrid.services.credentials import OpenAccount, UnableToCheckKey, check, found
from autogrid.storage.bots import list_bots
from autogrid.storage.commits import UnableToKeep
from autogrid.storage.credentials import CredentialRow
from autogrid.storage.database import Database, UnableToRead

EVERY_S: Final = 6 * 3_600.0
"""Between two checks of a key."""
AGAIN_S: Final = 300.0
"""After a check that could not be made."""
LOOK_S: Final = 60.0
"""Between two looks at what the last check said."""
WATCHER: Final = "the engine"


class KeyWatch:
    """Looks after the keys of the accounts that an engine trades on."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        open_account: OpenAccount,
        every_s: float = EVERY_S,
        look_s: float = LOOK_S,
    ) -> None:
        """`open_account`: opens the account that a check asks. Times in seconds."""
        self._database = database
        self._vault = vault
        self._open_account = open_account
        self._every_s = every_s
        self._look_s = look_s

    async def attend(self, account: str, say: Callable[[str], None]) -> None:
        """Look after the key of an account until cancelled. `say` hears what is wrong with it, empty where it is good.

        Raises `UnableToFindCredential` where the key is gone, and as the vault does.
        """
        tried_ms = 0
        while True:
            with suppress(UnableToKeep, UnableToRead):  # the database is away; it is looked at again
                row = await found(self._database, account)
                due_ms = max(row.checked_ms + int(self._every_s * 1_000), tried_ms + int(self._again_s * 1_000))
                if now_ms() >= due_ms:
                    tried_ms = now_ms()
                    row = await self._asked(row)
                say(words_of(row))
                if row.state == "refused":
                    await self._pause(account)
            await asyncio.sleep(min(self._look_s, self._every_s))

    @property
    def _again_s(self) -> float:
        return min(AGAIN_S, self._every_s)

    async def _asked(self, row: CredentialRow) -> CredentialRow:
        """The key after a check, or as it was where that cannot be made now."""
        try:
            return (await check(self._database, self._vault, self._open_account, row.id, WATCHER)).row
        except UnableToCheckKey:
            return row

    async def _pause(self, account: str) -> None:
        async with self._database.reading() as connection:
            meant = [bot for bot in await list_bots(connection) if bot.account == account and bot.wanted == "running"]
        for bot in meant:
            try:
                await pause(self._database, bot.id, cancel=False)
            except UnableToAsk:
                continue  # it has ended, or a fault has stopped it: it places nothing


def words_of(row: CredentialRow) -> str:
    """What is wrong with a key, for the bots of its account; empty where nothing is."""
    if row.state != "refused":
        return ""
    return f"paused, because the key '{row.name}' is refused: {row.reason}; mend it, then `autogrid credentials check`"
