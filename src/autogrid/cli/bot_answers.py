"""How the commands of `autogrid bot` ask the services, and how they say what came of it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from autogrid.backtesting.candle_faults import UnableToReadCandles
from autogrid.cli.output import BadInput, say_json
from autogrid.cli.own import learn_own_of
from autogrid.cli.place import with_database
from autogrid.services import bots, showing, signals
from autogrid.services.markets import UnableToDescribeMarket
from autogrid.storage.bots import BotRow, UnableToCreateBot, UnableToDeleteBot, UnableToFindBot
from autogrid.storage.codecs import UnableToReadRecord
from autogrid.storage.credentials import UnableToFindCredential
from autogrid.storage.database import Database
from autogrid.storage.recall import UnableToReplay
from autogrid.trading.strategies.fields import UnableToConfigure

Result = TypeVar("Result")
REFUSALS = (
    UnableToConfigure,
    UnableToReadCandles,
    UnableToDescribeMarket,
    UnableToCreateBot,
    UnableToDeleteBot,
    UnableToFindBot,
    UnableToReplay,
    UnableToReadRecord,
    UnableToFindCredential,
    bots.UnableToAsk,
    signals.UnableToReadAlert,
)

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")


def asked(data_dir: Path | None, ask: Callable[[Database], Awaitable[Result]]) -> Result:
    """What `ask` gives, once the strategies of all bots are known; what it refuses becomes BadInput."""

    async def knowing(database: Database) -> Result:
        learn_own_of(data_dir, {row.strategy for row in await showing.bots(database)})
        return await ask(database)

    try:
        return with_database(data_dir, knowing)
    except REFUSALS as error:
        raise BadInput(str(error)) from None


def say_bot(row: BotRow, as_json: bool, words: str) -> None:
    """Show the bot, and in a few words what was asked of it."""
    if as_json:
        say_json(bots.bot_json(row))
        return
    click.echo(f"{row.name} ({row.id}): {words}")
    if words == "made":
        click.echo(f"Start it with: autogrid bot start {row.name}, then: autogrid engine")
