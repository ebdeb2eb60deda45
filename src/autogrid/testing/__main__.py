"""`python -m autogrid.testing FILE [key=value …]`: hold the strategies of a file to every law."""

import sys
from pathlib import Path

import click

from autogrid.services.own_strategies import entries_of
from autogrid.testing.check import check_strategy
from autogrid.testing.fault import StrategyFault
from autogrid.trading.strategies.catalogue import UnableToAddStrategy


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]…")
@click.option("--thorough", is_flag=True, help="More tapes and more points; a minute or more.")
def check(file: Path, settings: tuple[str, ...], thorough: bool) -> None:
    """Hold the strategies that FILE defines to every law of the test kit."""
    config = {key: value for key, _, value in (one.partition("=") for one in settings)}
    try:
        for entry in entries_of(file):
            done = check_strategy(entry, config, thorough=thorough)
            click.echo(f"{entry.name}: every law holds ({done.runs} runs, {done.orders} orders, {done.fills} fills).")
    except (StrategyFault, UnableToAddStrategy) as fault:
        click.echo(f"{file.name}: {fault}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    check(prog_name="python -m autogrid.testing")
