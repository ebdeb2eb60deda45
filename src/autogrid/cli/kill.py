"""`autogrid kill`: no order leaves any more, and those that rest are taken out, until a person lifts it."""

from pathlib import Path

import click

from autogrid.cli.bot_answers import asked, json_option
from autogrid.cli.output import BadInput, say_json
from autogrid.cli.place import data_dir_option
from autogrid.cli.vault_place import who
from autogrid.services import kills
from autogrid.services.kills import Meant


@click.group(invoke_without_command=True)
@click.option("--bot", help="One bot.")
@click.option("--account", help="All bots of an account.")
@click.option("--all", "everything", is_flag=True, help="All bots.")
@data_dir_option
@json_option
@click.pass_context
def kill(
    context: click.Context, bot: str | None, account: str | None, everything: bool, data_dir: Path | None, as_json: bool
) -> None:
    """Stop at once: nothing new is sent, all orders of the bots are taken out, coins stay as they are.

    It stands through restarts until `autogrid kill lift` with the same option. Orders that are not AutoGrid's are not
    touched.
    """
    if context.invoked_subcommand is not None:
        return
    _one_of(bot, account, everything)
    meant = asked(data_dir, lambda database: kills.kill(database, bot, account, who()))
    _say(meant, as_json, "killed", "The engine takes their orders out now. Lift it with: autogrid kill lift")


@kill.command()
@click.option("--bot", help="One bot.")
@click.option("--account", help="All bots of an account.")
@click.option("--all", "everything", is_flag=True, help="What was killed with --all.")
@data_dir_option
@json_option
def lift(bot: str | None, account: str | None, everything: bool, data_dir: Path | None, as_json: bool) -> None:
    """Let go on what was killed with the same option."""
    _one_of(bot, account, everything)
    meant, freed = asked(data_dir, lambda database: kills.lift_kill(database, bot, account))
    _say(meant, as_json, "lifted", "1 bot goes on." if freed == 1 else f"{freed} bots go on.")


@kill.command("list")
@data_dir_option
@json_option
def list_(data_dir: Path | None, as_json: bool) -> None:
    """Kills that stand."""
    found = asked(data_dir, kills.list_kills)
    if as_json:
        say_json({"kills": [one._asdict() for one in found]})
    elif not found:
        click.echo("No kill stands.")
    for one in () if as_json else found:
        click.echo(f"{one.scope} {one.target} by {one.by}")


def _one_of(bot: str | None, account: str | None, everything: bool) -> None:
    if (bot is not None) + (account is not None) + everything != 1:
        raise BadInput("say what: --bot BOT, --account NAME, or --all")


def _say(meant: Meant, as_json: bool, words: str, more: str) -> None:
    if as_json:
        say_json({"scope": meant.scope, "target": meant.target, "state": words, "bots": [one.id for one in meant.bots]})
        return
    names = ", ".join(one.name for one in meant.bots) or "no bot there is"
    click.echo(f"{words}: {names}. {more}")
