"""A drill's stage: a data folder with keys and bots, and real engine processes on it that can be killed at any moment.

Processes are forked from one that has imported everything and opened nothing. They end with the drill.
"""

import asyncio
import contextlib
import json
import multiprocessing
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from autogrid.engine.timing import Timing
from tests.drills import engine_process
from tests.drills.engine_process import QUICK, Moment, Plan
from tests.drills.exchanges_here import Exchange


def _warm() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([engine_process.__name__])
    return context


class Running:
    """One engine process."""

    def __init__(self, process: ForkServerProcess, log: Path) -> None:
        self._process = process
        self.log = log
        assert process.pid is not None
        self.pid = process.pid

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing where it has ended."""
        if self._process.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def ended(self, within_s: float = 30.0) -> int:
        """Its exit code, once it has ended."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._process.sentinel, over.set)
        try:
            async with asyncio.timeout(within_s):
                await over.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        self._process.join()
        return self._process.exitcode or 0

    async def kill(self) -> None:
        """Signal 9."""
        self.signal(signal.SIGKILL)
        await self.ended()

    async def stop(self) -> int:
        """In good order."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    def is_up(self) -> bool:
        """Whether it can be told to end."""
        return "Ctrl-C" in self.said

    @property
    def said(self) -> str:
        """All that it told so far."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""


@dataclass
class Bot:
    """A bot of a drill, as it was asked for."""

    name: str
    strategy: str
    account: str
    symbol: str
    investment: int
    settings: Sequence[str]


class Stage:
    """A data folder, its database, and the exchanges that its bots trade on."""

    def __init__(
        self, data_dir: Path, exchanges: Mapping[str, Exchange], database_url: str = "", logs: Path | None = None
    ) -> None:
        """`logs`: what processes say goes there."""
        self.data_dir = data_dir
        self.exchanges = exchanges
        self.database_url = database_url
        self.bots: dict[str, Bot] = {}
        """By id."""
        self._context = _warm()
        self._commands = self._engines = 0
        self._logs = logs or data_dir.parent / "logs"
        for folder in (data_dir, self._logs):
            folder.mkdir(parents=True, exist_ok=True)

    def environment(self, database_url: str = "") -> dict[str, str]:
        """Of every process here."""
        found = {"AUTOGRID_DATA_DIR": str(self.data_dir)}
        if self.database_url:
            found["AUTOGRID_DATABASE_URL"] = database_url or self.database_url
        for exchange in self.exchanges.values():
            found |= exchange.environment
        return found

    async def autogrid(self, *words: str, more: Mapping[str, str] | None = None) -> str:
        """What the command line says; fails where it fails."""
        self._commands += 1
        log = self._logs / f"command{self._commands}.log"
        given = ({**self.environment(), **(more or {})}, log, words)
        running = self._run(engine_process.command, given, log)
        code = await running.ended(60)
        assert code == 0, f"autogrid {' '.join(words)}: exit {code}: {running.said}"
        return running.said

    def engine(
        self,
        timing: Timing = QUICK,
        *,
        quick: bool = True,
        stop_at: tuple[Moment, int] | None = None,
        gate: Connection | None = None,
        database_url: str = "",
    ) -> Running:
        """Start an engine; it runs until it is killed or stopped."""
        self._engines += 1
        log = self._logs / f"engine{self._engines}.log"
        plan = Plan(self.environment(database_url), log, timing, quick, stop_at, gate)
        return self._run(engine_process.engine, (plan,), log)

    def _run(self, work: Callable[..., None], given: tuple[Any, ...], log: Path) -> Running:
        process = self._context.Process(target=work, args=given, daemon=True)
        process.start()
        return Running(process, log)

    async def add_keys(self) -> None:
        """A key for every account of every exchange: an exchange's first account bears its name."""
        for exchange in self.exchanges.values():
            for account in exchange.accounts:
                key, secret = exchange.key(account)
                more = {"AUTOGRID_API_KEY": key, "AUTOGRID_API_SECRET": secret}
                name = named(exchange.name, account)
                words = ("credentials", "add", exchange.name, "--name", name, "--from-env", "--cannot-withdraw")
                await self.autogrid(*words, "--json", more=more)

    async def add_bot(self, bot: Bot) -> str:
        """Its id, once it is made and wanted to run."""
        words = [word for setting in bot.settings for word in ("--set", setting)]
        money = ("--account", bot.account, "--symbol", bot.symbol, "--investment", str(bot.investment), "--risk", "off")
        told = await self.autogrid("bot", "create", bot.strategy, "--name", bot.name, *money, *words, "--json")
        bot_id = str(json.loads(told)["id"])
        self.bots[bot_id] = bot
        await self.autogrid("bot", "start", bot.name, "--json")
        return bot_id

    def rows(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        """What SQLite answers, read beside the engine."""
        path = self.data_dir / "autogrid.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(query, given).fetchall()

    async def states(self) -> list[tuple[str, str, str]]:
        """Name, actual state and reason of every bot."""
        found = await self.ask("SELECT name, actual, reason FROM bots ORDER BY created_ms, id")
        return [(name, actual, reason) for name, actual, reason in found]

    async def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What the database answers, whichever it is."""
        if not self.database_url:
            return self.rows(query)
        asks = await asyncpg.connect(self.database_url)
        try:
            return [tuple(row) for row in await asks.fetch(query)]
        finally:
            await asks.close()

    async def free_leases(self) -> None:
        """Nobody waits for the leases of an engine that is known to be dead; on SQLite an engine's start does that."""
        await self.ask("UPDATE leases SET expires_ms = 0, owner = ''")

    @contextlib.asynccontextmanager
    async def explained(self, engine: Running) -> AsyncIterator[None]:
        """Whatever fails inside tells how the bots were."""
        try:
            yield
        except (AssertionError, TimeoutError) as fault:
            raise AssertionError(f"{fault}: {await self.states()}, {engine.said[-3_000:]}") from fault

    async def all_run(self, engine: Running) -> bool:
        """Whether all bots run in that engine, what was open before is settled."""
        if engine.said.count(" runs on ") < len(self.bots):
            return False
        return all(actual == "running" and "at its start" in reason for _, actual, reason in await self.states())


def named(exchange: str, account: str) -> str:
    """What bots call an account of an exchange."""
    return f"{exchange}-{account}"


async def until(seen: Callable[[], bool], within_s: float, what: str, every_s: float = 0.02) -> float:
    """Seconds until `seen`; fails where it takes longer."""
    began = time.monotonic()
    while not seen():
        assert time.monotonic() < began + within_s, f"not within {within_s:.0f} s: {what}"
        await asyncio.sleep(every_s)
    return time.monotonic() - began


async def until_so(seen: Callable[[], Awaitable[bool]], within_s: float, what: str, every_s: float = 0.1) -> float:
    """As `until`."""
    began = time.monotonic()
    while not await seen():
        assert time.monotonic() < began + within_s, f"not within {within_s:.0f} s: {what}"
        await asyncio.sleep(every_s)
    return time.monotonic() - began
