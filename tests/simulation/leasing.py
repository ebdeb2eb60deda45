"""Leases without the waking up: what a process that renews every two seconds would hold, worked out when it is asked.

The row in the database is the real one, taken by the real `storage.leases.take`, and so is its epoch, which the journal
asks for. Only the renewals are not written: a process renews at each full two seconds after the grant at which it was
neither frozen nor dead. So a day costs nothing where nothing happens.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from autogrid.engine.lease import RENEW_S, TTL_MS, Hold, Lease
from autogrid.storage.database import Database
from autogrid.storage.leases import take
from tests.simulation.clock import Host, VirtualLoop

FOR_EVER = float("inf")


@dataclass
class Tenure:
    """A lease that a process has, or had."""

    lease: Lease
    host: Host
    since_s: float
    until_s: float = FOR_EVER
    """When another took it over, or it was given back."""
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process notices."""


class Leasing:
    """Who has the lease on each account."""

    def __init__(self, loop: VirtualLoop, start_ms: int) -> None:
        self._loop = loop
        self._start_ms = start_ms
        self._outages: dict[Host, list[list[float]]] = {}
        self._tenures: dict[str, Tenure] = {}
        self._doubt = asyncio.Event()
        self.takeovers = 0

    def epoch(self, account: str) -> int:
        """The newest that was granted."""
        tenure = self._tenures.get(account)
        return 0 if tenure is None else tenure.lease.epoch

    def holder(self, account: str) -> Host | None:
        """Who has it."""
        tenure = self._tenures.get(account)
        return None if tenure is None or tenure.until_s < FOR_EVER else tenure.host

    def stops(self, host: Host) -> None:
        """The process runs no more, for now or for ever."""
        self._outages.setdefault(host, []).append([self._loop.time(), FOR_EVER])
        self._doubt.set()

    def goes_on(self, host: Host) -> None:
        """It runs again."""
        for outage in self._outages.get(host, ()):
            outage[1] = min(outage[1], self._loop.time())

    def died(self, host: Host, kept: Iterable[Lease]) -> None:
        """The process is dead. `kept`: the leases as the database has them: its last act may have been to take one."""
        for lease in kept:
            if lease.owner == host.name and lease.epoch > self.epoch(lease.account):
                self._grant(lease, host, self._loop.time())

    def renewed_s(self, tenure: Tenure) -> float:
        """When the lease was renewed last."""
        now = min(self._loop.time(), tenure.until_s)
        last = tenure.since_s + (now - tenure.since_s) // RENEW_S * RENEW_S
        for begin, end in reversed(self._outages.get(tenure.host, ())):
            if begin <= last < end:
                last = tenure.since_s + (begin - tenure.since_s) // RENEW_S * RENEW_S
        return max(last, tenure.since_s)

    async def take(self, host: Host, account: str, database: Database, wall_ms: int) -> Tenure:
        """The lease, once it can be had. Raises `UnableToKeep`."""
        while True:
            old = self._tenures.get(account)
            now = self._loop.time()
            if old is None or old.until_s < FOR_EVER or now * 1000 >= self.renewed_s(old) * 1000 + TTL_MS:
                async with database.writing() as connection:
                    lease = await take(connection, account, host.name, self._start_ms + self._loop.now_ms())
                if lease is None:
                    await asyncio.sleep(0.1)
                    continue
                current = self._tenures.get(account)
                if current is not old:
                    continue
                return self._grant(lease, host, now)
            if self._is_out(old.host):
                await asyncio.sleep(0.5)
            else:
                self._doubt.clear()
                await self._doubt.wait()

    def _grant(self, lease: Lease, host: Host, since_s: float) -> Tenure:
        old = self._tenures.get(lease.account)
        tenure = self._tenures[lease.account] = Tenure(lease, host, since_s)
        if old is not None and old.until_s == FOR_EVER:
            old.until_s = self._loop.time()
            self.takeovers += 1
            self._loop.call_later(0, self._notices, old, context=old.host.context)
        return tenure

    def _is_out(self, host: Host) -> bool:
        """Whether the process renews nothing at present."""
        return any(end > self._loop.time() for _, end in self._outages.get(host, ()))

    def _notices(self, old: Tenure) -> None:
        """The process runs, and will find out when it renews next."""
        self._loop.call_later(RENEW_S * 0.7, old.lost.set)

    def give_back(self, tenure: Tenure) -> None:
        """Before its time, at an orderly end."""
        tenure.until_s = min(tenure.until_s, self._loop.time())
        self._doubt.set()

    def hold(self, tenure: Tenure) -> Hold:
        """What the engine asks whether it may send."""
        return _Hold(self, tenure, self._loop)


class _Hold(Hold):
    def __init__(self, leasing: Leasing, tenure: Tenure, loop: VirtualLoop) -> None:
        self._leasing = leasing
        self._tenure = tenure
        super().__init__(tenure.lease, loop.now_ms(), loop.now_ms)

    @property
    def _renewed_ms(self) -> int:
        return int(self._leasing.renewed_s(self._tenure) * 1000)

    @_renewed_ms.setter
    def _renewed_ms(self, _: int) -> None:
        pass
