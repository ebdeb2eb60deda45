"""`autogrid engine`: runs what is wanted, until it is stopped."""

import asyncio
import importlib
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from autogrid.cli.output import BadInput, UnableToGoOn
from autogrid.cli.own import learn_own
from autogrid.cli.place import data_dir_option, settings_for
from autogrid.services.running import Engine
from autogrid.storage.database import UnableToOpenDatabase, open_database
from autogrid.storage.lock import EngineLock, UnableToLock
from autogrid.wiring.paper import run_paper_bot


@click.command()
@data_dir_option
@click.option("--until-idle", is_flag=True, help="End when no bot is left to run.")
def engine(data_dir: Path | None, until_idle: bool) -> None:
    """Run every bot that is wanted to run, until stopped with Ctrl-C.

    Stopping the engine changes nothing of what is wanted: the next one goes on from the journal, also after a crash.
    """
    folder = settings_for(data_dir).data_dir
    learn_own(folder)
    try:
        failed = asyncio.run(_run(folder, until_idle))
    except (UnableToOpenDatabase, OSError) as error:
        raise UnableToGoOn(str(error)) from None
    except UnableToLock as error:
        raise BadInput(str(error)) from None
    if failed and until_idle:
        raise UnableToGoOn("a bot was stopped by a fault; `autogrid bot list` says which and why")


async def _run(folder: Path, until_idle: bool) -> bool:
    database = await open_database(folder)
    lock = None
    try:
        lock = EngineLock(folder)
        for warning in database.warnings:
            click.echo(f"Note: {warning}", err=True)
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        click.echo(f"The engine runs on {folder}. Ctrl-C stops it; bots go on at the next start.", err=True)
        run_bot = partial(run_paper_bot, database, live_prices)
        engine = Engine(database, run_bot, _tell)
        await engine.run(stop, until_idle=until_idle)
        return engine.failed
    finally:
        if lock is not None:
            lock.release()
        await database.close()


def live_prices(exchange: str, symbol: str, timeframe_ms: int | None, warm_up: int) -> Any:
    """Live prices of `symbol`, and its candles; ccxt takes seconds to load, so it is loaded when a bot needs it."""
    feeds = importlib.import_module("autogrid.exchanges.live_feed")
    make: Callable[..., Any] = feeds.LivePriceFeed
    return make(exchange, symbol, timeframe_ms=timeframe_ms, warm_up=warm_up)


def _tell(sentence: str) -> None:
    click.echo(sentence, err=True)
