"""The engine as a person starts it: it brings what runs to what is wanted, until it is stopped.

Five times a second it looks at what is wanted. It takes the leases of the accounts whose bots are wanted, and runs
those bots; where another engine holds an account, that one runs them. A kill that stands is obeyed before anything
else. When the engine stops, what is wanted stays wanted and orders keep resting: the next goes on from the journal.
"""

import asyncio
import gc
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final, Protocol

from autogrid.engine.lease import Hold, LeaseLost
from autogrid.engine.supervisor import Ended, Run, Supervisor
from autogrid.engine.venue import ExchangeAway
from autogrid.services.asked_events import event_of
from autogrid.services.bots import now_ms
from autogrid.services.leases import Leases
from autogrid.storage.bots import Actual, BotRow, find_bot, set_actual, set_wanted
from autogrid.storage.commits import UnableToKeep
from autogrid.storage.database import Database, UnableToRead
from autogrid.storage.journal import UnableToAppend
from autogrid.storage.kills import Kill, standing
from autogrid.storage.requests import Request, mark_taken
from autogrid.storage.wants import Want, how_they_do, list_wants, open_requests, prices_heard
from autogrid.trading.event import Tick

LOOK_S: Final = 0.2
"""So often the engine looks at what is wanted."""
SIGNAL_MS: Final = 60_000
"""An older signal that no engine has heard is passed over."""
PRICES_S: Final = 1.0
"""So often the prices that bots hear are written down."""
AT_ONCE: Final = 200
"""Of so many bots it is written down at one time, so that no step waits long behind it: the others are next."""
STOP_S: Final = 8.0
"""So long a stop waits for answers on their way."""
STARTS: Final = 25
"""So many bots are started at one look: the others need not wait for all of them."""
MANY: Final = 50
"""Bots; see `_set_aside`."""
SETTLED_S: Final = 30.0
"""After the last of many starts; see `_set_aside`."""
STORE_AWAY: Final = (UnableToKeep, UnableToRead)
"""The database does not answer; it may again."""


class UnableToStartYet(Exception):
    """Something outside keeps the bot from starting now. The sentence says what; it is tried again."""

    code = "not-yet"


HEALS: Final = (*STORE_AWAY, UnableToAppend, ExchangeAway, LeaseLost, UnableToStartYet, TimeoutError)
"""What ends a run and may pass by itself."""


class Side(Protocol):
    """What runs bots: the wiring knows how."""

    def make(self, row: BotRow, hold: Hold) -> Run:
        """A bot, to be run under a lease."""
        ...

    def killed(self, account: str, bots: frozenset[str] | None) -> None:
        """From now on no order of these bots leaves the account (None: none of any)."""
        ...

    async def sweep(self, account: str, hold: Hold, bots: frozenset[str], symbols: Iterable[str]) -> int:
        """Take out all orders of these bots that rest on an account, whether they run or not; how many there were."""
        ...

    async def leave(self, account: str) -> None:
        """The account is another's now, or none of its bots is wanted: let go of it."""
        ...


class Engine:
    """Runs the bots of one database."""

    def __init__(self, database: Database, side: Side, owner: str, tell: Callable[[str], None]) -> None:
        """`owner`: how this process is called. `tell` hears a sentence whenever a bot starts, ends or fails."""
        self._database = database
        self._side = side
        self._tell = tell
        self._leases = Leases(database, owner)
        self._bots = Supervisor(HEALS, time.monotonic)
        self._wants: dict[str, Want] = {}
        self._said: dict[str, tuple[Actual, str]] = {}
        """What was last written down of a running bot."""
        self._kept_at = 0.0
        self._kept: dict[str, Tick] = {}
        """The prices that were written down, longest ago first."""
        self._new = 0
        """Bots that were started and not set aside."""
        self._began_at = 0.0
        """When the last of them was."""
        self._given: set[int] = set()
        """Requests that were handed to their bots."""
        self._sweeps: dict[str, asyncio.Task[None]] = {}
        """By account: its killed bots' orders are being taken out, or were."""
        self._swept: dict[str, tuple[tuple[int, ...], frozenset[str]]] = {}
        """By account: the kills that its last sweep obeyed, and the bots."""
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self.failed = False
        """Whether a bot was stopped by a fault."""

    async def run(self, stop: asyncio.Event, *, until_idle: bool = False) -> None:
        """Run until `stop` is set; with `until_idle`, until nothing is left to run."""
        renewing = asyncio.create_task(self._leases.keep(self._lost, STORE_AWAY))
        try:
            while not stop.is_set():
                try:
                    await self._look()
                    await self._keep_prices()
                except STORE_AWAY as fault:
                    self._tell(f"the database does not answer ({fault}); trying again")
                    await asyncio.sleep(1)
                if until_idle and not self._bots.running and not self._is_due():
                    return
                if renewing.done():
                    renewing.result()
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_S)
        finally:
            await self._end()
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    def _is_due(self) -> bool:
        """Whether a bot waits only to be tried again."""
        return any(one.wanted != "stopped" and one.actual == "starting" for one in self._wants.values())

    async def _end(self) -> None:
        running = list(self._bots.running)
        await self._bots.stop(running, STOP_S)
        for sweep in self._sweeps.values():
            sweep.cancel()
        await asyncio.gather(*self._sweeps.values(), *self._leaving.values(), return_exceptions=True)
        with suppress(*STORE_AWAY):
            await self._keep_prices(now=True)
            for ended in self._bots.ended():
                if (ended.state is not None and ended.state.ended_why) or ended.needs_person:
                    await self._ended(ended)
                else:
                    await self._keep_prices_of({ended.bot_id: ended.run})
                    await self._actual(
                        ended.bot_id, "stopped", "the engine was stopped; it goes on when one runs again"
                    )
        for account in self._leases.held:
            await self._side.leave(account)
        with suppress(*STORE_AWAY):
            await self._leases.give_back()

    async def _look(self) -> None:
        """Bring what runs to what is wanted."""
        for ended in self._bots.ended():
            await self._ended(ended)
        async with self._database.reading() as connection:
            wants = await list_wants(connection)
            asked = await open_requests(connection)
            kills = await standing(connection)
        self._wants = {want.id: want for want in wants}
        wanted = [want for want in wants if want.wanted != "stopped" and want.actual not in ("ended", "error")]
        await self._leases.want(want.account for want in wanted)
        await self._leases.want(_accounts_with_orders(wants, kills))
        self._obey(kills, wants)
        starts = [want for want in wanted if self._leases.of(want.account) and self._bots.may_start(want.id)]
        starts.sort(key=lambda want: (want.account, want.symbol))  # those together share what they ask of the exchange
        for want in starts[:STARTS]:
            await self._start(want)
        if not starts:
            self._set_aside()
        for want in wanted:
            await self._hand_over(want, asked.get(want.id, []))
        await self._say(wanted)

    def _set_aside(self) -> None:
        """Once many bots have begun and have placed their orders: what they hold is there to stay, and the collector of
        garbage need not go through it again and again, each time a twentieth of a second in which nothing is sent.
        """
        if self._new >= MANY and time.monotonic() > self._began_at + SETTLED_S:
            self._new = 0
            gc.unfreeze()
            gc.collect()
            gc.freeze()

    async def _hand_over(self, want: Want, asked: list[Request]) -> None:
        run = self._bots.run_of(want.id)
        for request in asked:
            if run is not None and not await self._is_too_old(request):
                run.inbox.put(request.id, event_of(request))

    async def _is_too_old(self, request: Request) -> bool:
        """Whether a signal came so long ago, while no engine ran, that nobody means it any more; it is passed over."""
        if request.kind != "signal" or now_ms() < request.made_ms + SIGNAL_MS or request.id in self._given:
            self._given.add(request.id)
            return False
        async with self._database.writing() as connection:
            await mark_taken(connection, request.id, 0)
        self._tell(f"a signal from {(now_ms() - request.made_ms) // 1000} s ago was passed over: it is too old")
        return True

    async def _say(self, wants: Iterable[Want]) -> None:
        """Write down how running bots do, where that has changed."""
        news: dict[str, tuple[Actual, str]] = {}
        for want in wants:
            run = self._bots.run_of(want.id)
            if run is not None and len(news) < AT_ONCE:
                starting, words = run.words()
                actual: Actual = "starting" if starting else "paused" if want.wanted == "paused" else "running"
                if (actual, words) != self._said.get(want.id):
                    news[want.id] = actual, words
        if news:
            await self._database.keep_beside(how_they_do(news, now_ms()))
            self._said.update(news)

    async def _start(self, want: Want) -> None:
        hold = self._leases.of(want.account)
        assert hold is not None, "only bots of accounts that are held are started"
        async with self._database.reading() as connection:
            row = await find_bot(connection, want.id)
        run = self._side.make(row, hold)
        self._bots.start(want.id, run)
        self._new += 1
        self._began_at = time.monotonic()
        place = row.tape or (row.exchange if row.account == row.exchange else f"{row.exchange} ({row.account})")
        self._tell(f"{row.name} runs on {place}, {row.symbol}")

    async def _ended(self, ended: Ended) -> None:
        """Write down how a run came to its end."""
        want, fault = self._wants.get(ended.bot_id), ended.fault
        await self._keep_prices_of({ended.bot_id: ended.run})
        name = want.name if want is not None else ended.bot_id
        self._said.pop(ended.bot_id, None)
        if fault is None:
            why = (ended.state.ended_why if ended.state is not None else "") or "its prices have come to an end"
            async with self._database.writing() as connection:
                await set_wanted(connection, ended.bot_id, "stopped", now_ms())
            await self._actual(ended.bot_id, "ended", why)
            self._tell(f"{name} ended: {why}")
            return
        words = str(fault) if hasattr(fault, "code") else f"{type(fault).__name__}: {fault}"
        if want is not None and want.wanted == "stopped":  # a person stopped it before it could begin
            await self._actual(ended.bot_id, "stopped", words)
            return
        if ended.again_s is not None:
            await self._actual(ended.bot_id, "starting", f"{words}; tried again in {ended.again_s:.0f} s")
            self._tell(f"{name}: {words}; tried again in {ended.again_s:.0f} s")
            return
        await self._actual(ended.bot_id, "error", words)
        self._tell(f"{name} stopped by a fault: {words}")
        self.failed = True

    async def _actual(self, bot_id: str, actual: Actual, reason: str) -> None:
        async with self._database.writing() as connection:
            await set_actual(connection, bot_id, actual, reason, now_ms())

    async def _keep_prices(self, *, now: bool = False) -> None:
        """Once a second, for those who look from outside."""
        if not now and time.monotonic() < self._kept_at + PRICES_S:
            return
        self._kept_at = time.monotonic()
        runs = self._bots.running
        await self._keep_prices_of(runs, len(runs) if now else AT_ONCE)

    async def _keep_prices_of(self, runs: Mapping[str, Run], most: int = 1) -> None:
        """Of `most` bots that heard another price, those first whose was written down longest ago."""
        ticks = {bot_id: run.inbox.last_tick for bot_id, run in runs.items()}
        news = {of: tick for of, tick in ticks.items() if tick is not None and tick is not self._kept.get(of)}
        if not news:
            return
        turns = {bot_id: turn for turn, bot_id in enumerate(self._kept)}
        first = sorted(news, key=lambda bot_id: turns.get(bot_id, -1))[:most]
        heard = {bot_id: (news[bot_id].price, news[bot_id].at_ms) for bot_id in first}
        await self._database.keep_beside(prices_heard(heard))
        for bot_id in first:
            self._kept.pop(bot_id, None)
            self._kept[bot_id] = news[bot_id]

    # --- leases and kills ---------------------------------------------------------------------------------------

    def _lost(self, account: str) -> None:
        """Another engine has the account: its bots end here, and nothing of theirs is written any more."""
        self._leases.forget(account)
        self._tell(f"account {account} is traded on by another engine now")
        mine = [want.id for want in self._wants.values() if want.account == account]
        self._leaving[account] = asyncio.create_task(self._let_go(account, mine))

    async def _let_go(self, account: str, bots: list[str]) -> None:
        await self._bots.drop(bots)
        await self._side.leave(account)

    def _obey(self, kills: list[Kill], wants: list[Want]) -> None:
        """Where the kills that stand have changed, or an account was just taken: no order leaves, and all go."""
        known = tuple(kill.id for kill in kills)
        for account in self._leases.held:
            bots = {want.id: want for want in wants if want.account == account}
            killed = frozenset(bot_id for bot_id, want in bots.items() if any(_hits(kill, want) for kill in kills))
            everything = any(kill.scope == "all" or (kill.scope, kill.target) == ("account", account) for kill in kills)
            self._side.killed(account, None if everything else killed)
            hold, running = self._leases.of(account), self._sweeps.get(account)
            if not killed:
                self._swept.pop(account, None)
            is_swept = self._swept.get(account) == (known, killed) and running is not None and not _failed(running)
            if killed and hold is not None and not is_swept and (running is None or running.done()):
                self._swept[account] = known, killed
                symbols = list(dict.fromkeys(bots[bot_id].symbol for bot_id in bots if bot_id in killed))
                self._sweeps[account] = asyncio.create_task(self._sweep(account, hold, killed, symbols))

    async def _sweep(self, account: str, hold: Hold, bots: frozenset[str], symbols: list[str]) -> None:
        began = time.monotonic()
        count = await self._side.sweep(account, hold, bots, symbols)
        self._tell(f"kill switch: {count} orders taken out on {account} in {time.monotonic() - began:.1f} s")


def _failed(task: "asyncio.Task[None]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _hits(kill: Kill, want: Want) -> bool:
    return kill.scope == "all" or kill.target == (want.id if kill.scope == "bot" else want.account)


def _accounts_with_orders(wants: list[Want], kills: list[Kill]) -> list[str]:
    """Accounts whose killed bots may still have orders out, though none of them is wanted to run."""
    return [
        want.account for want in wants if want.actual in ("error", "stopped") and any(_hits(k, want) for k in kills)
    ]
