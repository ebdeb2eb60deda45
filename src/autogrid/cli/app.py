"""The command `autogrid`: what commands there are, each loaded only when it is asked for.

A command's module may import what it likes at its top (numpy, ccxt, SQLAlchemy): nothing of that is read for
`autogrid --help` or for another command. This is the one place where modules are loaded by name.
"""

import gc
import importlib
import os
import sys
from typing import Final

import click

from autogrid import __version__

COMMANDS: Final = {
    "demo": ("demo.command", "A paper grid on live public prices, in the terminal; needs no account."),
    "preview": ("preview", "What a strategy would do, before any money moves."),
    "propose": ("propose", "A grid proposed from a market's past, with the reasoning."),
    "backtest": ("backtest", "Run a strategy over past candles."),
    "strategies": ("strategies", "The strategies there are, and their configuration."),
    "data": ("data", "Candles: download, import, list, check."),
    "bot": ("bot", "Your bots: create, start, pause, stop, edit, list, show, why, replay, delete."),
    "orders": ("orders", "Open and past orders of a bot, or of all."),
    "trades": ("trades", "Fills of a bot, or of all; as CSV too."),
    "credentials": ("credentials", "Keys of exchanges: add, list, check, remove."),
    "keys": ("keys", "The keys that seal them: rotate, recovery."),
    "engine": ("engine", "Run what is wanted, until stopped."),
    "simulator": ("autogrid.simulator.command", "Exchanges for trying out: real protocols, fake money, faults."),
    "kill": ("kill", "Stop at once: a bot, an account, or all; until lifted."),
    "doctor": ("doctor", "Check this machine, each trouble with its mend."),
}
"""Name: the module that holds it, under autogrid.cli unless it is written whole, and what it does."""


class LazyGroup(click.Group):
    """Commands by name, their modules imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """In the order of a person's way through them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, its module loaded now."""
        if cmd_name not in COMMANDS:
            return None
        gc.disable()  # what is imported stays: looking through it for garbage takes a tenth of the start
        path = COMMANDS[cmd_name][0]
        module = importlib.import_module(path if path.startswith("autogrid.") else f"autogrid.cli.{path}")
        gc.freeze()
        gc.enable()
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list for `--help`, without loading any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="autogrid %(version)s")
def autogrid() -> None:
    """AutoGrid: a grid trading bot that backtests, paper-trades and recovers with one code.

    First steps: autogrid demo, then autogrid backtest grid --candles FILE --investment 1000 --set lower=… --set
    upper=… --set grids=…
    """


def _give_up_output() -> None:
    """Nobody can be told any more; what is still to be written goes nowhere, silently."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def main() -> None:
    """Entry point: exit 0 on success, 2 on bad input with one sentence on standard error, 1 on anything else."""
    try:
        code = autogrid.main(standalone_mode=False)
        sys.stdout.flush()
        if isinstance(code, int) and code:  # click gives the code of an Exit back
            sys.exit(code)
    except click.exceptions.NoArgsIsHelpError as help_wanted:
        click.echo(help_wanted.format_message())
    except BrokenPipeError:
        _give_up_output()
    except OSError as error:
        _give_up_output()
        click.echo(f"Error: {error.strerror or error}", err=True)
        sys.exit(1)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        click.echo(f"Error: {error.format_message()}", err=True)
        sys.exit(error.exit_code)
