"""`autogrid engine`: runs what is wanted, until it is stopped."""

import asyncio
import importlib
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import click

from autogrid.cli.output import BadInput, UnableToGoOn
from autogrid.cli.own import learn_own
from autogrid.cli.place import data_dir_option, open_database_of, settings_for
from autogrid.services.keys import vault_of
from autogrid.services.leases import free_leases
from autogrid.services.running import Engine, Side
from autogrid.settings import Settings
from autogrid.storage.commits import UnableToKeep
from autogrid.storage.database import Database, UnableToOpenDatabase, UnableToRead
from autogrid.storage.lock import EngineLock, UnableToLock
from autogrid.wiring.runs import Runs

OpenLive = Callable[[Database, Settings], Side]
"""What trades on real exchanges, opened when a bot needs it."""


@click.command()
@data_dir_option
@click.option("--until-idle", is_flag=True, help="End when no bot is left to run.")
def engine(data_dir: Path | None, until_idle: bool) -> None:
    """Run every bot that is wanted to run, until stopped with Ctrl-C.

    Stopping the engine changes nothing of what is wanted: the next one goes on from the journal, also after a crash.
    """
    settings = settings_for(data_dir)
    folder = settings.data_dir
    learn_own(folder)
    try:
        failed = run_fast(run_engine(settings, until_idle=until_idle))
    except (UnableToOpenDatabase, UnableToKeep, UnableToRead, OSError) as error:
        raise UnableToGoOn(str(error)) from None
    except UnableToLock as error:
        raise BadInput(str(error)) from None
    if failed and until_idle:
        raise UnableToGoOn("a bot was stopped by a fault; `autogrid bot list` says which and why")


async def run_engine(settings: Settings, *, until_idle: bool, open_live: OpenLive | None = None) -> bool:
    """Run what is wanted until a signal ends it; whether a bot was stopped by a fault. `open_live`: a drill's own."""
    folder = settings.data_dir
    database = await open_database_of(settings)
    lock = None
    try:
        if not settings.database_url.get_secret_value():  # on a server, leases tell engines apart
            lock = EngineLock(folder)
            await free_leases(database)
        for warning in database.warnings:
            _tell(f"Note: {warning}")
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        _tell(f"The engine runs on {folder}. Ctrl-C stops it; bots go on at the next start.")
        runs = Runs(database, live_prices, partial(open_live or _live_side, database, settings))
        engine = Engine(database, runs, f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}", _tell)
        await engine.run(stop, until_idle=until_idle)
        return engine.failed
    finally:
        if lock is not None:
            lock.release()
        await database.close()


def run_fast(work: Coroutine[Any, Any, bool]) -> bool:
    """Run on uvloop where it is there, as on all but Windows."""
    if sys.platform == "win32":
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=importlib.import_module("uvloop").new_event_loop) as runner:
        return runner.run(work)


def _live_side(database: Database, settings: Settings) -> Side:
    """What trades on real exchanges; loaded when a bot needs it."""
    side: Side = importlib.import_module("autogrid.wiring.exchange_side").live_side(database, vault_of(settings))
    return side


def live_prices(exchange: str, symbol: str, timeframe_ms: int | None, warm_up: int) -> Any:
    """Live prices of `symbol`, and its candles; ccxt takes seconds to load, so it is loaded when a bot needs it."""
    feeds = importlib.import_module("autogrid.exchanges.live_feed")
    make: Callable[..., Any] = feeds.LivePriceFeed
    return make(exchange, symbol, timeframe_ms=timeframe_ms, warm_up=warm_up)


def _tell(sentence: str) -> None:
    """Say it to whoever listens; that nobody does, or that a log's disk is full, ends no engine."""
    with suppress(OSError):
        click.echo(sentence, err=True)
