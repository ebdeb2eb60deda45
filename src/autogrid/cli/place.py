"""Where a command's data lie, and how it opens the database."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from autogrid.cli.output import BadInput, UnableToGoOn
from autogrid.settings import Settings, UnableToReadSettings, load_settings
from autogrid.storage.commits import UnableToKeep
from autogrid.storage.database import Database, UnableToOpenDatabase, UnableToRead, open_database
from autogrid.trading.money import use_exact_figures

Command = TypeVar("Command", bound=Callable[..., Any])
Result = TypeVar("Result")


def data_dir_option(command: Command) -> Command:
    """`--data-dir DIR`."""
    return click.option(
        "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Where bots and candles are kept."
    )(command)


def settings_for(data_dir: Path | None) -> Settings:
    """The settings, `--data-dir` winning over the environment. Raises BadInput."""
    try:
        return load_settings(data_dir)
    except UnableToReadSettings as error:
        raise BadInput(str(error)) from None


async def open_database_of(settings: Settings) -> Database:
    """The database that the settings name. Raises `UnableToOpenDatabase`."""
    return await open_database(settings.data_dir, settings.database_url.get_secret_value())


def with_database(data_dir: Path | None, ask: Callable[[Database], Awaitable[Result]]) -> Result:
    """What `ask` gives of the open database. Raises UnableToGoOn where it cannot be opened."""

    async def asked() -> Result:
        use_exact_figures()
        database = await open_database_of(settings_for(data_dir))
        try:
            return await ask(database)
        finally:
            await database.close()

    try:
        return asyncio.run(asked())
    except (UnableToOpenDatabase, UnableToKeep, UnableToRead) as error:
        raise UnableToGoOn(str(error)) from None
