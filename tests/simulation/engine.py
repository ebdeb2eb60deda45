"""One simulated engine process: it plays the supervisor's part with the real account, desk, session and journal.

It takes the lease of each account, loads every bot on it from its journal, runs it, and runs it again when the database
failed or the lease was lost. Whatever else ends a bot is a fault of ours, and is told to the run.
"""

import asyncio
import traceback
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Protocol

from autogrid.engine.account import Account
from autogrid.engine.desk import Desk
from autogrid.engine.inbox import Attended, Inbox
from autogrid.engine.lease import LeaseLost
from autogrid.engine.live_exchange import LiveExchange
from autogrid.engine.prices import MarketPrices
from autogrid.engine.session import run
from autogrid.engine.timing import Timing
from autogrid.engine.told import Told
from autogrid.services.asked_events import event_of
from autogrid.services.bots import first_ledger, strategy_of
from autogrid.storage.bots import BotRow, find_bot
from autogrid.storage.commits import UnableToKeep
from autogrid.storage.database import UnableToRead
from autogrid.storage.journal import SqlJournal, UnableToAppend, begin
from autogrid.storage.kills import standing
from autogrid.storage.recall import load, machine_of
from autogrid.storage.requests import Request, take_requests
from autogrid.trading.event import Started
from autogrid.trading.money import Price
from autogrid.trading.state import BotState
from autogrid.trading.strategies.catalogue import build
from autogrid.wiring.live import kept_owner
from tests.simulation.clock import Host, VirtualLoop
from tests.simulation.exchange_side import ExchangeSide
from tests.simulation.inline_sqlite import InlineDatabase
from tests.simulation.leasing import Leasing
from tests.simulation.world_venue import Witness, WorldVenue

HEALS = (UnableToKeep, UnableToAppend, UnableToRead)
SILENT_S = 90.0


class Run(Witness, Protocol):
    """What an engine needs of the run that it is part of."""

    loop: VirtualLoop
    side: ExchangeSide
    leasing: Leasing
    timing: Timing
    ended: dict[str, str]

    def bots_on(self, account: str) -> list[str]: ...
    def nonce(self) -> str: ...
    def wrong(self, what: str) -> None: ...


class Engine:
    """A process."""

    def __init__(
        self, of: Run, host: Host, database: InlineDatabase, accounts: Iterable[str], symbols: Iterable[str]
    ) -> None:
        self.host = host
        self.inline = database
        self.accounts: dict[str, Account] = {}
        self.desks: dict[str, Desk] = {}
        self.cards: list[str] = []
        self.wall_off_ms = 0
        self._run = of
        self._names = list(accounts)
        self._inboxes: dict[str, Inbox] = {}
        self._live: dict[str, LiveExchange] = {}
        self._stopping = False
        self._works: list[asyncio.Task[None]] = []
        self.prices = {symbol: MarketPrices(self._wall_ms, SILENT_S) for symbol in symbols}
        self._killed: frozenset[str] | None = frozenset()

    def _wall_ms(self) -> int:
        return self._run.side.now_ms() + self.wall_off_ms

    async def run(self) -> None:
        """Run until stopped."""
        self._works = [asyncio.create_task(self._account(name)) for name in self._names]
        await asyncio.gather(*self._works)

    async def _account(self, name: str) -> None:
        run = self._run
        while not self._stopping:
            try:
                tenure = await run.leasing.take(self.host, name, self.inline.database, self._wall_ms())
                hold = run.leasing.hold(tenure)
                venue = WorldVenue(run.side, name, self.host, run, tenure.lease.epoch)
                account = Account(name, venue, hold, run.timing, partial(kept_owner, self.inline.database, name))
                self.accounts[name] = account
                await self._apply_kills(account)
            except HEALS:
                await asyncio.sleep(0.5)
                continue
            works = [asyncio.create_task(account.run())]
            works += [
                asyncio.create_task(self._bot(account, bot_id, tenure.lease.epoch)) for bot_id in run.bots_on(name)
            ]
            lost = asyncio.create_task(tenure.lost.wait())
            try:
                await asyncio.wait({works[0], lost}, return_when=asyncio.FIRST_COMPLETED)
                if lost.done():
                    hold.lost = True
                    account.fail(LeaseLost("another has it"))
                    await asyncio.sleep(0)
            finally:
                lost.cancel()
                for work in works:
                    work.cancel()
                await asyncio.gather(*works, return_exceptions=True)
                del self.accounts[name]
            fault = None if works[0].cancelled() else works[0].exception()
            if fault is not None and not isinstance(fault, LeaseLost):
                self._tell(f"the traffic of {name} ended", fault)
            if tenure.until_s == float("inf") and not self._stopping:
                run.leasing.give_back(tenure)

    async def _bot(self, account: Account, bot_id: str, epoch: int) -> None:
        while not self._stopping and bot_id not in self._run.ended:
            try:
                state = await self._run_bot(account, bot_id, epoch)
            except LeaseLost:
                return
            except HEALS:
                await asyncio.sleep(self._run.side.chaos.between(0.2, 2))
                continue
            except Exception as fault:  # whatever it is, the run must tell it
                self._tell(f"bot {bot_id} ended", fault)
                self._run.ended[bot_id] = "fault"
                return
            if state.ended_why:
                self._run.ended[bot_id] = state.ended_why

    async def _run_bot(self, account: Account, bot_id: str, epoch: int) -> BotState:
        database = self.inline.database
        async with database.reading() as connection:
            row = await find_bot(connection, bot_id)
            loaded = await load(connection, bot_id, build)
            asked = await take_requests(connection, bot_id)
        if loaded is None:
            state, seq, cursor = await self._first(row), 0, ""
        else:
            state, seq, cursor = loaded.state, loaded.seq, loaded.cursor
        if state.ended_why:
            return state
        told = Told(state.at_ms)
        desk = Desk(bot_id, state, row.market, account, told)
        desk.cursor_told = cursor.split("|")[0]
        self.desks[bot_id] = desk
        started = Started(account.venue.now_ms(), self._run.nonce())
        exchange = LiveExchange(desk, account, self.prices[row.symbol], told, started)
        inbox = self._inboxes[bot_id] = Inbox()
        self._live[bot_id] = exchange
        for request in asked:
            inbox.put(request.id, event_of(request))
        attended = Attended(exchange, inbox, account.venue.now_ms)
        journal = SqlJournal(database, bot_id, state, seq, (account.name, epoch))
        try:
            return await run(machine_of(row), state, attended, journal)
        finally:
            if self._live.get(bot_id) is exchange:
                del self._live[bot_id]
                del self._inboxes[bot_id]

    async def _first(self, row: BotRow) -> BotState:
        price = self.prices[row.symbol].price
        while price is None:
            await asyncio.sleep(0.5)
            price = self.prices[row.symbol].price
        state = machine_of(row).start(strategy_of(row), first_ledger(row, price))
        async with self.inline.database.writing() as connection:
            await begin(connection, row.id, state)
        return state

    # --- what comes from outside --------------------------------------------------------------------------------

    def hear(self, symbol: str, at_ms: int, price: Price) -> None:
        """The market's price."""
        self.prices[symbol].hear(at_ms, price)

    def asked(self, request: Request) -> None:
        """A person asked a bot for something."""
        inbox = self._inboxes.get(request.bot_id)
        if inbox is not None:
            inbox.put(request.id, event_of(request))

    async def kills_changed(self) -> None:
        """A person killed something, or lifted it."""
        for account in list(self.accounts.values()):
            while account.name in self.accounts:
                try:
                    await self._apply_kills(account)
                    break
                except HEALS:
                    await asyncio.sleep(0.1)

    async def _apply_kills(self, account: Account) -> None:
        async with self.inline.database.reading() as connection:
            kills = await standing(connection)
        everyone = any(
            kill.scope == "all" or (kill.scope == "account" and kill.target == account.name) for kill in kills
        )
        bots = frozenset(kill.target for kill in kills if kill.scope == "bot")
        account.outgoing.kill(None if everyone else bots)
        mine = self._run.bots_on(account.name)
        killed = frozenset(mine) if everyone else bots & frozenset(mine)
        if killed:
            symbols = list(self.prices)
            sweep = asyncio.create_task(account.sweep(symbols, killed.__contains__))
            sweep.add_done_callback(self._swept)

    def _swept(self, sweep: "asyncio.Task[int]") -> None:
        if not sweep.cancelled() and (fault := sweep.exception()) is not None:
            self._tell("a sweep ended", fault)

    async def stop(self) -> None:
        """An orderly end: nothing more is sent, answers on their way are waited for, the leases are given back."""
        self._stopping = True
        for exchange in list(self._live.values()):
            await exchange.close()
        while self._live:  # noqa: ASYNC110 (bots end one by one, each on its own)
            await asyncio.sleep(0.1)
        for work in self._works:
            work.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*self._works, return_exceptions=True)

    def _tell(self, what: str, fault: BaseException) -> None:
        text = "".join(traceback.format_exception(fault)[-6:])
        self._run.wrong(f"{what} by {type(fault).__name__}: {fault}\n{text}")
