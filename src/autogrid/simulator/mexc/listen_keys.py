"""Listen keys: who may hear an account's stream, for an hour from the last renewal."""

import hashlib
from typing import Final

from autogrid.simulator.mexc.refusals import NO_LISTEN_KEY, UnableToServe
from autogrid.simulator.world import World

VALID_MS: Final = 60 * 60_000


class ListenKeys:
    """The listen keys of all accounts."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._keys: dict[str, tuple[str, int]] = {}
        """The account and until when, UTC ms."""
        self._made = 0

    def make(self, account: str) -> str:
        """A new one; each request gets its own."""
        self._made += 1
        key = hashlib.sha256(f"{account} {self._made}".encode()).hexdigest()
        self._keys[key] = (account, self._world.now_ms() + VALID_MS)
        return key

    def of(self, account: str) -> list[str]:
        """Those that are valid."""
        return [key for key in self._keys if self.account_of(key) == account]

    def renew(self, account: str, key: str) -> None:
        """Valid for an hour from now. Raises UnableToServe."""
        if self.account_of(key) != account:
            raise UnableToServe(*NO_LISTEN_KEY)
        self._keys[key] = (account, self._world.now_ms() + VALID_MS)

    def close(self, account: str, key: str) -> None:
        """No longer valid. Raises UnableToServe."""
        if self.account_of(key) != account:
            raise UnableToServe(*NO_LISTEN_KEY)
        del self._keys[key]

    def account_of(self, key: str) -> str | None:
        """Whose stream it opens; None where it is not valid."""
        account, until_ms = self._keys.get(key, ("", 0))
        return account if until_ms > self._world.now_ms() else None
