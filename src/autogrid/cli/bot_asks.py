"""What only some bots can be asked: actions of their strategy, funds, signals."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Final

import click

from autogrid.cli.bot_answers import asked, json_option, say_bot
from autogrid.cli.options import FIGURE
from autogrid.cli.output import BadInput
from autogrid.cli.place import data_dir_option
from autogrid.services import bots, signals


@click.command()
@click.argument("meant", metavar="BOT")
@click.argument("action")
@click.option("--amount", type=FIGURE, help="In quote, where the action takes one.")
@data_dir_option
@json_option
def act(meant: str, action: str, amount: Decimal | None, data_dir: Path | None, as_json: bool) -> None:
    """Ask BOT for what its strategy can do, such as closing its deal; `autogrid strategies NAME` lists the actions."""
    say_bot(asked(data_dir, lambda database: bots.act(database, meant, action, amount)), as_json, f"will {action}")


@click.command()
@click.argument("meant", metavar="BOT")
@click.argument("amount", type=FIGURE)
@data_dir_option
@json_option
def deposit(meant: str, amount: Decimal, data_dir: Path | None, as_json: bool) -> None:
    """Give BOT more quote. Its orders grow with their next cycle."""
    if amount <= 0:
        raise BadInput(f"the amount is {amount}; it must be above 0")
    say_bot(asked(data_dir, lambda database: bots.fund(database, meant, amount)), as_json, "will take it in")


@click.command()
@click.argument("meant", metavar="BOT")
@click.argument("amount", type=FIGURE)
@data_dir_option
@json_option
def withdraw(meant: str, amount: Decimal, data_dir: Path | None, as_json: bool) -> None:
    """Take quote out of BOT, as far as no order holds it. Its orders shrink with their next cycle."""
    if amount <= 0:
        raise BadInput(f"the amount is {amount}; it must be above 0")
    say_bot(asked(data_dir, lambda database: bots.fund(database, meant, -amount)), as_json, "will give it back")


@click.command()
@click.argument("meant", metavar="BOT")
@click.argument("action")
@click.option("--id", "signal_id", help="A second signal with the same id counts as the same.")
@click.option("--size", help="Share of the bot's equity, such as 0.1.")
@data_dir_option
@json_option
def signal(
    meant: str, action: str, signal_id: str | None, size: str | None, data_dir: Path | None, as_json: bool
) -> None:
    """Tell BOT to enter or to leave, as an alert from outside would; it must be a bot that listens to signals."""
    told = {"action": action, "id": signal_id or f"cli-{bots.now_ms()}"} | ({} if size is None else {"size": size})
    try:
        alert = signals.read_alert(json.dumps(told).encode())
    except signals.UnableToReadAlert as error:
        raise BadInput(str(error)) from None
    row, is_new = asked(data_dir, lambda database: signals.send(database, meant, alert))
    say_bot(row, as_json, "was told" if is_new else "was told that before; the signal counts once")


ASKS: Final = (act, deposit, withdraw, signal)
