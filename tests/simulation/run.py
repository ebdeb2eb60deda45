"""One run: a seed, some virtual days, and all that happens in them.

    storm: faults, crashes, requests of people, a lively market   ->   calm: no faults, the price stands, five minutes
    ->   every invariant is checked   ->   the next storm

The same seed gives the same run, down to the last event; the trace's hash says so.
"""

import asyncio
import hashlib
import random
import sqlite3
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import update

from autogrid.engine.lease import Lease
from autogrid.engine.timing import Timing
from autogrid.engine.venue import Intent
from autogrid.simulator.records import OrderNews, WorldNews
from autogrid.storage import tables
from autogrid.storage.bots import NewBot, create_bot
from autogrid.trading.money import ZERO, use_exact_figures
from autogrid.trading.risk import Limits
from tests.simulation.chaos import Chaos
from tests.simulation.checks import Checks, Wrong
from tests.simulation.clock import Host, VirtualLoop
from tests.simulation.clock import run as run_virtually
from tests.simulation.engine import Engine
from tests.simulation.exchange_side import ExchangeSide
from tests.simulation.inline_sqlite import InlineDatabase, folder_in_ram, template
from tests.simulation.leasing import Leasing
from tests.simulation.market import Market
from tests.simulation.people import People
from tests.simulation.scenario import PRICES, Scenario, drawn
from tests.simulation.stage import Stage

START_MS = 1_747_699_200_000
DAY_S = 86_400.0
CALM_S = 330.0
ANSWERS = 60
"""So many seconds more it may take until no order is on its way: one may be tried again in the last moment."""


class Outcome(NamedTuple):
    """What came of a run."""

    seed: int
    days: float
    bots: int
    wrong: list[str]
    given: Counter[str]
    orders: int
    fills: int
    steps: int
    kills: int
    checks: int
    trace: str
    took_s: float
    turns: int


@dataclass
class Plan:
    """How a run is to be made."""

    seed: int
    days: float = 1.0
    only: tuple[str, ...] = ()
    """Faults of these kinds alone; empty: of every kind."""
    strength: float = 1.0
    bots: int | None = None
    engines: int | None = None
    log: list[str] | None = None
    """Where the trace is kept as text too."""
    extra: dict[str, str] = field(default_factory=dict)


def simulate(plan: Plan) -> Outcome:
    """Make the run."""
    use_exact_figures()
    template()
    began = time.perf_counter()
    with folder_in_ram() as folder, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The garbage collector is trying")  # to close what died with its process
        path = folder / "run.db"
        path.write_bytes(template())

        async def main(loop: VirtualLoop) -> Outcome:
            simulation = Simulation(loop, plan, path)
            loop.set_exception_handler(simulation.unheard)
            return await simulation.run()

        outcome: Outcome = run_virtually(main)
    return outcome._replace(took_s=time.perf_counter() - began)


class Simulation:
    """A run on its way."""

    def __init__(self, loop: VirtualLoop, plan: Plan, path: Path) -> None:
        self.loop = loop
        self.plan = plan
        self.scenario: Scenario = drawn(plan.seed, plan.bots)
        self.timing: Timing = self.scenario.timing
        self.chaos = Chaos(f"{plan.seed} faults", plan.only, plan.strength)
        self.side = ExchangeSide(loop, self.chaos, self.scenario.markets, self.scenario.style, START_MS)
        self.leasing = Leasing(loop, START_MS)
        self.ended: dict[str, str] = {}
        self.wrong_ones = Wrong()
        self._path = path
        self._trace = hashlib.blake2b(digest_size=12)
        self._graves: list[Engine] = []
        self.checks = Checks(self.side, path, self.wrong_ones)
        self._wanted_engines = plan.engines or self.scenario.engines
        self._over = False
        self._hosts = self._nonces = self._crashes = 0
        chance = random.Random(f"{plan.seed} world")
        user = InlineDatabase(path)
        self.stage = Stage(
            loop, self.scenario, chance, self.chaos, self.side, self.checks, user, self._note, ended=self.ended
        )
        self.people = People(self.stage)
        self.market = Market(self.stage, self._mischief)
        self.side.heard.append(self._record)

    # --- what engines ask of the run ----------------------------------------------------------------------------

    def bots_on(self, account: str) -> list[str]:
        return [bot.id for bot in self.scenario.bots if bot.account == account]

    def nonce(self) -> str:
        self._nonces += 1
        return f"n{self._nonces:05d}"

    def wrong(self, what: str) -> None:
        if self._over:
            return  # what is torn down tears
        self.wrong_ones(f"{self.loop.time() / DAY_S:.4f} d: {what}")
        self._note("wrong", what)

    async def point(self, host: Host, name: str) -> None:
        if self.chaos.hits("kill"):
            self._note("killed", f"{host.name} {name}")
            self._kill(host)
        if host.dead:
            await self.loop.create_future()

    def sends(self, account: str, intent: Intent) -> None:
        host = next((e.host for e in self.stage.engines if e.host is self.leasing.holder(account)), None)
        self.checks.leaves(account, intent, excused=host is not None and host.was_frozen)

    def arrives(self, account: str, epoch: int, intent: Intent) -> None:
        self._note("arrives", intent.client_id)
        self.checks.arrives(account, epoch, self.leasing.epoch(account), intent)

    def cancels(self, account: str, client_id: str) -> None:
        self.checks.cancels(account, client_id)

    def unheard(self, _: object, context: dict[str, object]) -> None:
        """What the loop could tell nobody."""
        fault = context.get("exception")
        message = str(context.get("message"))
        if fault is not None and not message.startswith("Future exception"):  # of an answer that nobody awaits
            self.wrong(f"unheard: {message}: {fault!r}")

    # --- the trace ----------------------------------------------------------------------------------------------

    def _note(self, kind: str, what: str) -> None:
        line = f"{self.loop.now_ms()} {kind} {what}\n"
        self._trace.update(line.encode())
        if self.plan.log is not None:
            self.plan.log.append(line)

    def _record(self, news: WorldNews) -> None:
        if isinstance(news, OrderNews):
            order = news.order
            self._note(news.cause, f"{order.client_id} {order.side} {order.status} {order.price} {order.filled}")

    # --- processes ----------------------------------------------------------------------------------------------

    def _begin_engine(self) -> None:
        self._hosts += 1
        host = Host(f"p{self._hosts}")
        inline = InlineDatabase(self._path, lambda moment: self._around(host, moment))
        engine = Engine(self, host, inline, self.scenario.accounts, self.scenario.markets)
        self.stage.engines.append(engine)
        for symbol, price in self.stage.prices.items():
            engine.hear(symbol, self.side.now_ms(), price)
        self._note("begins", host.name)
        self.loop.begin(host, engine.run())

    async def _around(self, host: Host, moment: str) -> None:
        chaos = self.chaos
        if moment == "before":
            if chaos.hits("database full"):
                raise _database_fault("database or disk is full", sqlite3.SQLITE_FULL)
            return
        if moment == "begin":
            await asyncio.sleep(chaos.between(0.2, 3) if chaos.hits("database slow") else 0.001)
        elif moment == "after":
            self._note("commit", host.name)
            self.checks.committed(host, self.leasing)
            if chaos.hits("database in doubt"):
                raise _database_fault("disk I/O error", sqlite3.SQLITE_IOERR)
        await self.point(host, moment)

    def _kill(self, host: Host) -> None:
        engine = next(one for one in self.stage.engines if one.host is host)
        host.dead = True
        self._crashes += 1
        engine.inline.kill()
        if not host.frozen:
            self.leasing.stops(host)
        with sqlite3.connect(self._path) as file:
            kept = file.execute("SELECT account, owner, epoch, expires_ms FROM leases").fetchall()
        file.close()
        self.leasing.died(host, (Lease(*row) for row in kept))
        self.stage.engines.remove(engine)
        self._graves.append(engine)
        self._later(self.stage.chance.choice((0.3, 2.0, 15.0, 90.0)), self._refill)

    def _refill(self) -> None:
        while len(self.stage.engines) < self._wanted_engines:
            self._begin_engine()

    def _freeze(self, host: Host, seconds: float) -> None:
        host.frozen = host.was_frozen = True
        self.leasing.stops(host)
        self._note("freezes", host.name)
        self._later(seconds, self._thaw, host)

    def _thaw(self, host: Host) -> None:
        if host.frozen and not host.dead:
            self._note("thaws", host.name)
            self.leasing.goes_on(host)
            self.loop.thaw(host)
        host.frozen = False

    def _renews(self, host: Host) -> None:
        if not host.frozen and not host.dead:
            self.leasing.goes_on(host)

    def _later(self, seconds: float, do: Callable[..., object], *args: object) -> None:
        self.loop.call_later(seconds, do, *args, context=self.side.context)

    # --- the run ------------------------------------------------------------------------------------------------

    async def run(self) -> Outcome:
        scenario, world = self.scenario, self.side.world
        for symbol in scenario.markets:
            self.stage.prices[symbol] = PRICES[symbol]
            world.move(symbol, PRICES[symbol])
        await self._create()
        self._refill()
        market = asyncio.create_task(self.market.run())
        end, checks = self.plan.days * DAY_S, 0
        await self._calm()
        while self.loop.time() < end and not self.wrong_ones.found:
            self.chaos.storm()
            self.stage.quiet = False
            await asyncio.sleep(self.stage.chance.uniform(600, 7_200))
            await self._calm()
            checks += 1
            await self.checks.all(self.stage.user.database, self.ended, whole=False)
        if not self.wrong_ones.found:
            await self.checks.all(self.stage.user.database, self.ended, whole=True)
        if market.done():
            market.result()
        market.cancel()
        return await self._close()

    async def _calm(self) -> None:
        """No fault any more, the price stands, and time goes by."""
        self.stage.quiet = True
        self.chaos.calm()
        self.side.away_until_ms = 0
        for engine in list(self.stage.engines):
            self._thaw(engine.host)
            self.leasing.goes_on(engine.host)
        self._refill()
        for symbol in self.scenario.markets:
            self.side.world.resume(symbol)
            self.side.world.set_depth(symbol, None)
        await self.people.lift()
        self._note("calm", "")
        await asyncio.sleep(CALM_S)
        for _ in range(ANSWERS):
            if not self.checks.awaits_answer():
                return
            await asyncio.sleep(1)

    def _log_journal(self) -> None:
        """What the bots' journals hold, for whoever looks for the cause of something."""
        if self.plan.log is None:
            return
        with sqlite3.connect(self._path) as file:
            rows = file.execute(
                "SELECT bot_id, seq, event, commands, note, cursor FROM steps ORDER BY at_ms, bot_id, seq"
            )
            self.plan.log += [" ".join(map(str, row)) + "\n" for row in rows]
        file.close()

    async def _close(self) -> Outcome:
        self._log_journal()
        self._over = True
        for engine in list(self.stage.engines):
            engine.host.dead = True
            engine.inline.kill()
        steps = self._user_count()
        await self.stage.user.database.close()
        self.checks.close()
        for engine in (*self.stage.engines, *self._graves):
            self.loop.bury(engine.host)
        return Outcome(
            self.plan.seed,
            self.loop.time() / DAY_S,
            len(self.scenario.bots),
            self.wrong_ones.found,
            self.chaos.given,
            self.checks.orders,
            self.checks.fills,
            steps,
            self._crashes,
            self.checks.made,
            self._trace.hexdigest(),
            0.0,
            self.loop.turns,
        )

    def _user_count(self) -> int:
        with sqlite3.connect(self._path) as file:
            steps = int(file.execute("SELECT count(*) FROM steps").fetchone()[0])
        file.close()
        return steps

    async def _create(self) -> None:
        funds: dict[str, dict[str, Decimal]] = {name: {} for name in self.scenario.accounts}
        for bot in self.scenario.bots:
            market = self.scenario.markets[bot.symbol]
            own = funds[bot.account]
            own[market.quote] = own.get(market.quote, ZERO) + bot.investment
            new = NewBot(
                bot.id, bot.strategy, bot.config, bot.account, market, Limits(bot.investment), bot.investment, ZERO
            )
            async with self.stage.user.database.writing() as connection:
                made = await create_bot(connection, new, self.side.now_ms())
                await connection.execute(update(tables.bots).where(tables.bots.c.id == made.id).values(id=bot.id))
            self.checks.bots[bot.id] = bot.account, bot.symbol
        for name, owned in funds.items():
            rest = {"USDT": Decimal(5_000), "BNB": Decimal(50)}
            rest |= {market.base: Decimal(20) for market in self.scenario.markets.values()}
            self.side.add_account(name, {asset: rest.get(asset, ZERO) + owned.get(asset, ZERO) for asset in rest})
            for asset, amount in rest.items():
                self.checks.outside[name, asset] += amount

    async def _mischief(self) -> None:
        """What happens now and then, beside what strikes requests."""
        chance, chaos, loop = self.stage.chance, self.chaos, self.loop
        if chaos.hits("prices silent"):
            self.market.silent_until = loop.time() + chance.uniform(60, 400)
            for engine in self.stage.engines:
                for prices in engine.prices.values():
                    loop.call_later(92, prices.look, context=engine.host.context)
        if chaos.hits("halt"):
            symbol = chance.choice(list(self.stage.prices))
            self.side.world.halt(symbol)
            self._later(chance.uniform(5, 300), self.side.world.resume, symbol)
        if self.stage.engines:
            await self._strike(chance.choice(self.stage.engines))
        self.market.others()
        if chaos.hits("request"):
            await self.people.wish()
        if chaos.hits("kill switch"):
            await self.people.kill_switch()

    async def _strike(self, engine: Engine) -> None:
        chance, chaos, host = self.stage.chance, self.chaos, engine.host
        if chaos.hits("killed at a time"):
            self._note("killed", host.name)
            self._kill(host)
        elif not host.frozen and chaos.hits("freeze"):
            self._freeze(host, chance.choice((1.0, 3.0, 5.0, 7.0, 20.0, 90.0)))
        elif not host.frozen and chaos.hits("renewals fail"):
            self._note("renews no more", host.name)
            self.leasing.stops(host)
            self._later(chance.choice((3.0, 5.0, 7.0, 30.0)), self._renews, host)
        elif chaos.hits("clock jump"):
            engine.wall_off_ms += chance.choice((-3_600_000, 3_600_000))
        elif not host.frozen and chaos.hits("shutdown"):
            self._note("shutdown", host.name)
            self.loop.begin(host, self._shut(engine))

    async def _shut(self, engine: Engine) -> None:
        await engine.stop()
        if engine in self.stage.engines:
            self._later(0.0, self._kill, engine.host)


def _database_fault(words: str, code: int) -> sqlite3.OperationalError:
    fault = sqlite3.OperationalError(words)
    fault.sqlite_errorcode = code
    return fault
