"""`autogrid orders`: what rests and what was."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from autogrid.cli.bot_answers import asked, json_option
from autogrid.cli.output import say_json
from autogrid.cli.place import data_dir_option
from autogrid.services import showing
from autogrid.trading.money import text


@click.command()
@click.option("--bot", "meant", help="Of this bot only: its id, a start of it, or its name.")
@click.option("--all", "everything", is_flag=True, help="Ended ones, too.")
@data_dir_option
@json_option
def orders(meant: str | None, everything: bool, data_dir: Path | None, as_json: bool) -> None:
    """Orders that may still trade; with --all, all there ever were."""
    found = asked(data_dir, lambda database: showing.orders_of(database, meant, only_open=not everything))
    if as_json:
        say_json({"orders": [showing.order_json(row, order) for row, order in found]})
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("bot", "symbol", "side", "quantity", "price", "filled", "status", "id"):
        table.add_column(title)
    for row, order in found:
        figures = (text(order.quantity), text(order.price), text(order.filled))
        table.add_row(row.name, row.symbol, order.side, *figures, order.status, order.id)
    Console().print(table if found else "There are no orders.")
