"""Strategies of the user's own, as the command line comes to know them: when a name is asked for that is not built in.

What that takes (the settings, the entry points of installed packages) is loaded by name, only then: a command on a
built-in strategy does not pay for it.
"""

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from autogrid.cli.output import BadInput, one_line
from autogrid.trading.strategies.catalogue import CATALOGUE

Command = TypeVar("Command", bound=Callable[..., Any])


def own_folder_option(command: Command) -> Command:
    """`--data-dir DIR`, for commands that need no database."""
    return click.option(
        "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Where your own strategies lie."
    )(command)


def learn_own(data_dir: Path | None, name: str | None = None) -> None:
    """Put the user's own strategies into the catalogue, unless `name` stands there already; tell what is wrong."""
    if name in CATALOGUE:
        return
    for fault in load_own(data_dir):
        click.echo(f"Note: {one_line(str(fault))}", err=True)


def load_own(data_dir: Path | None) -> tuple[Any, ...]:
    """The same, quietly; the faults."""
    settings = importlib.import_module("autogrid.settings")
    try:
        folder = settings.load_settings(data_dir).data_dir
    except settings.UnableToReadSettings as error:
        raise BadInput(str(error)) from None
    own = importlib.import_module("autogrid.services.own_strategies")
    faults: tuple[Any, ...] = own.load_own_strategies(folder).faults
    return faults


def learn_own_of(data_dir: Path | None, names: Iterable[str]) -> None:
    """The same, where one of several names is unknown."""
    unknown = sorted(set(names) - CATALOGUE.keys())
    if unknown:
        learn_own(data_dir, unknown[0])
