"""`python -m autogrid.testing FILE [key=value …]`: hold the strategies of a file to every law."""

import shlex
import sys
from pathlib import Path
from typing import NoReturn

import click

from autogrid.services.own_strategies import Fault, entries_or_fault
from autogrid.testing.check import ONCE, RUNNING, check_strategy
from autogrid.testing.fault import Again, StrategyFault


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]…")
@click.option("--thorough", is_flag=True, help="More tapes and more points; a minute or more.")
@click.option("--seed", "seeds", type=int, multiple=True, help="Only the made-up tape of this seed; may be repeated.")
@click.option("--only", type=click.Choice([*ONCE, *RUNNING]), multiple=True, help="Only this law; may be repeated.")
def check(file: Path, settings: tuple[str, ...], seeds: tuple[int, ...], only: tuple[str, ...], thorough: bool) -> None:
    """Hold the strategies that FILE defines to every law of the test kit."""
    config = {key: value for key, _, value in (one.partition("=") for one in settings)}
    found = entries_or_fault(file)
    if isinstance(found, Fault):
        _end(str(found))
    try:
        for entry in found:
            done = check_strategy(entry, config, seeds=seeds, only=only, thorough=thorough)
            said = f"law {', '.join(only)} holds" if only else "every law holds"
            click.echo(f"{entry.name}: {said} ({done.runs} runs, {done.orders} orders, {done.fills} fills).")
    except StrategyFault as fault:
        _end(f"{file.name}: {fault.told}\nSee it again with {_typed(file, settings, fault.again, thorough=thorough)}")


def _end(words: str) -> NoReturn:
    click.echo(words, err=True)
    sys.exit(1)


def _typed(file: Path, settings: tuple[str, ...], again: Again, *, thorough: bool) -> str:
    """The command that shows a fault again."""
    words = ["python", "-m", "autogrid.testing", str(file), *settings]
    words += [word for seed in again.seeds for word in ("--seed", str(seed))]
    words += ["--only", again.law] if again.law else []
    return shlex.join([*words, "--thorough"] if thorough else words)


if __name__ == "__main__":
    check(prog_name="python -m autogrid.testing")
