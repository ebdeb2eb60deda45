"""The wiring of live bots: an account and a market's prices shared by all bots on them, a journal under a lease.

A bot's way in: the market is open, the account opens, the journal tells where the bot stood (or, the first time, that
its funds are free), and then the one loop runs.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Final

from autogrid.engine.account import Account
from autogrid.engine.desk import Desk
from autogrid.engine.inbox import Attended, Inbox
from autogrid.engine.lease import Hold
from autogrid.engine.live_exchange import Candles, LiveExchange
from autogrid.engine.outgoing import within
from autogrid.engine.prices import Board, MarketPrices
from autogrid.engine.session import run
from autogrid.engine.timing import PATIENT, Timing
from autogrid.engine.told import Told
from autogrid.engine.venue import Balance, ExchangeAway, ExchangeRefused, Venue
from autogrid.engine.wire_ids import wire_id
from autogrid.security.envelope import UnableToOpenSecret
from autogrid.security.master import UnableToReadMasterKey
from autogrid.services.bots import first_ledger, now_ms, strategy_of
from autogrid.services.onlooker import WatchedJournal
from autogrid.services.running import UnableToStartYet
from autogrid.storage.bots import BotRow, find_bot
from autogrid.storage.credentials import UnableToFindCredential
from autogrid.storage.database import Database, UnableToRead
from autogrid.storage.journal import SqlJournal, begin
from autogrid.storage.orders import owner_of
from autogrid.storage.recall import load, machine_of
from autogrid.trading.event import FundsAsked, Rejected, Started
from autogrid.trading.money import Amount, Price, use_exact_figures
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.catalogue import build
from autogrid.wiring.funded_inbox import FundedInbox
from autogrid.wiring.reserves import Reserves
from autogrid.wiring.rules import Rules, changed_rules

RULES_S: Final = 3_600.0
"""So often the rules of markets are read anew."""
FUNDS_S: Final = 60.0
"""So often ledgers are compared with balances."""
SLIPPAGE: Final = Decimal("0.005")
"""How far an order that must trade now may pass its price, where the strategy does not say."""

DOUBTS: Final = ("(rule)", "(symbol)", "(funds)")
"""What a refusal ends with that speaks of the market or of funds."""
NEEDS_PERSON: Final = frozenset({"key", "right"})
"""What a refusal at the start is about that does not pass by itself."""

OpenVenue = Callable[[str], Awaitable[Venue]]
"""An account on its exchange, by the name that its bots know it by."""
Follow = Callable[[str, str, Callable[[int, Price], None]], Awaitable[None]]
"""Follows the prices of an exchange's symbol until cancelled."""
WatchKey = Callable[[str, Callable[[str], None]], Coroutine[None, None, None]]
"""Looks after the key of an account until cancelled, and says what is wrong with it; empty: nothing."""
MakeCandles = Callable[[BotRow, int, int, MarketPrices, str], Candles]
"""Closed candles for a bot: their length in ms, how many of the past, the prices, and the cursor they were left at."""


class OpenAccount:
    """An account that bots of this process trade on, and what runs it."""

    def __init__(self, account: Account, rules: Rules, watch_key: WatchKey | None, funds_s: float) -> None:
        """`rules`: of all markets, shared with other accounts."""
        self.account = account
        self._funds_s = funds_s
        self._anew = asyncio.Event()
        """Rules and funds are to be looked at soon."""
        self.rules = rules
        self.reserves = Reserves()
        self.short = ""
        """What is missing on the account; empty where nothing is."""
        self.key = ""
        """What is wrong with the key; empty where nothing is."""
        self.task = asyncio.create_task(account.run(), name=f"account {account.name}")
        self.watches = [asyncio.create_task(self._watch(), name=f"funds {account.name}")]
        if watch_key is not None:
            self.watches.append(asyncio.create_task(self._attend(watch_key), name=f"key {account.name}"))

    async def _watch(self) -> None:
        """Compare what bots own with what is there, and read the rules of markets anew."""
        read, doubtful_until = time.monotonic(), 0.0
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._anew.wait(), self._funds_s)
                await asyncio.sleep(self._funds_s / 10)  # many orders may be refused at one time
            if self._anew.is_set():
                doubtful_until = time.monotonic() + RULES_S
            doubtful = time.monotonic() < doubtful_until
            self._anew.clear()
            with suppress(ExchangeAway, ExchangeRefused, TimeoutError):
                balances = await within(self.account.timing, self.account.venue.balances())
                self.short = self.reserves.shortfall(balances)
                due = doubtful or time.monotonic() > read + RULES_S
                read = time.monotonic() if due else read
                for symbol in self.account.symbols:
                    known = self.rules.of(self.account.venue.exchange, symbol)
                    if due or (known is not None and not known.trading):
                        await self.rules.read(self.account, symbol, self._funds_s / 10 if doubtful else RULES_S / 2)

    def doubt(self) -> None:
        """The exchange refused an order by its rules, or for want of funds: look at both soon."""
        self._anew.set()

    async def _attend(self, watch_key: WatchKey) -> None:
        """Look after the key; a fault of that ends nothing else, and is said."""
        try:
            await watch_key(self.account.name, self._say_key)
        except (UnableToFindCredential, UnableToReadMasterKey, UnableToOpenSecret) as fault:
            self.key = f"the key is not looked after any more: {fault}"

    def _say_key(self, words: str) -> None:
        self.key = words

    async def aclose(self) -> None:
        """End it."""
        for task in (self.task, *self.watches):
            task.cancel()
        await asyncio.gather(self.task, *self.watches, return_exceptions=True)
        await self.account.venue.aclose()


class LiveSide:
    """Everything live in this process."""

    def __init__(
        self,
        database: Database,
        open_venue: OpenVenue,
        follow: Follow,
        make_candles: MakeCandles,
        timing: Timing = PATIENT,
        watch_key: WatchKey | None = None,
        wall_ms: Callable[[], int] = now_ms,
        funds_s: float = FUNDS_S,
    ) -> None:
        """`watch_key`: None where nobody looks after keys. `funds_s`: between two looks at balances."""
        self._funds_s = funds_s
        self._database = database
        self._watch_key = watch_key
        self._open_venue = open_venue
        self._make_candles = make_candles
        self._timing = timing
        self._board = Board(follow, wall_ms, timing.silent_s)
        self._accounts: dict[str, asyncio.Task[OpenAccount]] = {}
        self._killed: dict[str, frozenset[str] | None] = {}
        self._rules = Rules()

    def make(self, row: BotRow, hold: Hold) -> "LiveRun":
        """As `Side`."""
        return LiveRun(self, row, hold)

    def killed(self, account: str, bots: frozenset[str] | None) -> None:
        """As `Side`."""
        self._killed[account] = bots
        opened = self._opened(account)
        if opened is not None:
            opened.account.outgoing.kill(bots)

    async def sweep(self, account: str, hold: Hold, bots: frozenset[str], symbols: Iterable[str]) -> int:
        """As `Side`."""
        opened = await self.account(account, hold)
        sweeping = asyncio.create_task(opened.account.sweep(symbols, bots.__contains__))
        try:
            await asyncio.wait((sweeping, opened.task), return_when=asyncio.FIRST_COMPLETED)
            if not sweeping.done():
                raise ExchangeAway("the account's traffic ended while orders were taken out")
            return sweeping.result()
        finally:
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)

    async def leave(self, account: str) -> None:
        """As `Side`."""
        task = self._accounts.pop(account, None)
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError, ExchangeAway, ExchangeRefused, TimeoutError):
                await (await task).aclose()
        if not self._accounts:
            await self._board.aclose()

    def _opened(self, account: str) -> OpenAccount | None:
        task = self._accounts.get(account)
        done = task is not None and task.done() and not task.cancelled() and task.exception() is None
        return task.result() if task is not None and done else None

    async def account(self, name: str, hold: Hold) -> OpenAccount:
        """The account, opened once for all. Raises `ExchangeAway`, `ExchangeRefused`, and as the vault does."""
        task = self._accounts.get(name)
        opened = self._opened(name)
        if task is None or (task.done() and opened is None) or (opened is not None and opened.task.done()):
            task = self._accounts[name] = asyncio.create_task(self._open(name, hold, opened))
        return await asyncio.shield(task)

    async def _open(self, name: str, hold: Hold, ended: OpenAccount | None) -> OpenAccount:
        if ended is not None:
            await ended.aclose()
        venue = await self._open_venue(name)
        account = Account(name, venue, hold, self._timing, partial(kept_owner, self._database, name))
        account.outgoing.kill(self._killed.get(name, frozenset()))
        return OpenAccount(account, self._rules, self._watch_key, self._funds_s)

    def prices(self, exchange: str, symbol: str) -> MarketPrices:
        """The prices of a market, shared."""
        return self._board.of(exchange, symbol)

    def candles(self, row: BotRow, timeframe_ms: int, warm_up: int, prices: MarketPrices, cursor: str) -> Candles:
        """Closed candles for a bot."""
        return self._make_candles(row, timeframe_ms, warm_up, prices, cursor)

    @property
    def database(self) -> Database:
        """Where journals are."""
        return self._database


class LiveRun:
    """A live bot, to be run from where its journal left it, or for the first time."""

    def __init__(self, side: LiveSide, row: BotRow, hold: Hold) -> None:
        self._owns: asyncio.Future[OpenAccount] = asyncio.get_running_loop().create_future()
        """The account, once this bot's own funds on it are known."""
        self._funded = FundedInbox(self._unable_to_deposit)
        self.inbox: Inbox = self._funded
        self._side = side
        self._row = row
        self._hold = hold
        self._exchange: LiveExchange | None = None
        self._opened: OpenAccount | None = None
        self._prices: MarketPrices | None = None
        self._doing = "opening the account"

    def words(self) -> tuple[bool, str]:
        """As `Run`: what was found at the start, what is wrong on the account."""
        exchange, opened = self._exchange, self._opened
        if exchange is None or opened is None:
            return True, self._doing
        if not exchange.card:
            return True, opened.account.trouble or "asking the exchange what happened meanwhile"
        rules = opened.rules.of(opened.account.venue.exchange, self._row.symbol)
        changed = changed_rules(self._row.market, rules) if rules is not None else ""
        prices = self._prices.trouble if self._prices is not None else ""
        untold = exchange.desk.known.untold
        killed = "the kill switch is on" if opened.account.outgoing.is_killed(exchange.desk) else ""
        said = (killed, opened.key, opened.account.trouble, prices, untold, opened.short, changed)
        troubles = [one for one in said if one]
        return False, "; ".join([*troubles, f"at its start: {exchange.card}"])

    async def close(self) -> None:
        """As `Run`."""
        if self._exchange is not None:
            await self._exchange.close()

    async def run(self) -> BotState:
        """As `Run`. Raises `UnableToStartYet`, and what the journal and the exchange raise."""
        use_exact_figures()
        try:
            return await self._run()
        except ExchangeRefused as refusal:
            if refusal.why in NEEDS_PERSON:
                raise
            raise UnableToStartYet(str(refusal)) from None
        finally:
            self._funded.close()

    async def _run(self) -> BotState:
        row, side = self._row, self._side
        opened = self._opened = await side.account(row.account, self._hold)
        account = opened.account
        self._doing = "asking for the market's rules"
        rules = await opened.rules.read(account, row.symbol)
        if not rules.trading:
            raise UnableToStartYet(f"{row.symbol} is not traded on {account.venue.exchange} now: {rules.words}")
        prices = self._prices = side.prices(account.venue.exchange, row.symbol)
        state, seq, cursor = await self._state(opened, prices)
        machine = machine_of(row)
        told = Told(state.at_ms)
        desk = Desk(row.id, state, machine.market, account, told)
        desk.cursor_told, _, left_at = cursor.partition("|")
        desk.slippage = Decimal(state.strategy.config.get("max_slippage") or SLIPPAGE)
        candles = None
        if state.strategy.timeframe_ms is not None:
            strategy = state.strategy
            candles = side.candles(row, strategy.timeframe_ms or 0, strategy.warm_up, prices, left_at)
        started = Started(account.venue.now_ms(), secrets.token_hex(4))
        exchange = self._exchange = LiveExchange(desk, account, prices, told, started, candles)
        lease = (self._hold.lease.account, self._hold.lease.epoch)
        journal = SqlJournal(side.database, row.id, state, seq, lease)
        reserves = opened.reserves
        reserves.owns(row.id, machine.market, state)
        self._owns.set_result(opened)

        def see(_before: BotState, step: Step) -> None:
            reserves.owns(row.id, machine.market, step.state)
            if isinstance(step.event, FundsAsked) and step.event.amount > 0 and not step.event.refused:
                reserves.took_in(row.id)
            if isinstance(step.event, Rejected) and step.event.reason.endswith(DOUBTS):
                opened.doubt()

        attended = Attended(exchange, self.inbox, account.venue.now_ms)
        last = state
        try:
            last = await run(machine, state, attended, WatchedJournal(journal, see))
        finally:
            reserves.stops(row.id, ended=bool(last.ended_why))
        return last

    async def _state(self, opened: OpenAccount, prices: MarketPrices) -> tuple[BotState, int, str]:
        """Where the bot stands, the number of its last step, and how far the exchange had told."""
        row, database = self._row, self._side.database
        async with database.reading() as connection:
            loaded = await load(connection, row.id, build)
        if loaded is not None:
            return loaded.state, loaded.seq, loaded.cursor
        self._doing = "looking whether its funds are free"
        await self._check_funds(opened)
        self._doing = "waiting for the first price"
        price = await _first_price(prices)
        state = machine_of(row).start(strategy_of(row), first_ledger(row, price))
        async with database.writing() as connection:
            if (await find_bot(connection, row.id)).wanted == "stopped":
                raise UnableToStartYet("it was stopped before it could begin")
            await begin(connection, row.id, state)
        return state, 0, ""

    async def _check_funds(self, opened: OpenAccount) -> None:
        """Raises `UnableToStartYet` where other bots' funds and this one's are more than the account has."""
        fault = opened.reserves.unable_to_begin(self._row, await self._balances(opened))
        if fault:
            raise UnableToStartYet(fault)

    async def _unable_to_deposit(self, amount: Amount) -> str:
        """As `FundedInbox` asks; it waits until this bot's own funds are known."""
        opened = await asyncio.shield(self._owns)
        return opened.reserves.unable_to_deposit(self._row, amount, await self._balances(opened))

    async def _balances(self, opened: OpenAccount) -> Mapping[str, Balance]:
        """What the account has, once it is known what all bots on it own."""
        balances = await opened.account.rounds.balances()
        async with self._side.database.reading() as connection:
            await opened.reserves.learn(connection, self._row.account)
        return balances


async def kept_owner(database: Database, account: str, symbol: str, exchange_id: str) -> str:
    """As `KeptOwner`."""
    try:
        async with database.reading() as connection:
            found = await owner_of(connection, account, symbol, exchange_id)
    except UnableToRead:
        return ""
    return "" if found is None else wire_id(*found)


async def _first_price(prices: MarketPrices) -> Price:
    for _ in range(300):
        if prices.price is not None:
            return prices.price
        await asyncio.sleep(0.1)
    raise UnableToStartYet("no price came from the exchange within 30 s")
