"""`autogrid trades`: every fill, on the screen, as JSON, or as a CSV file for a spreadsheet or a tax office."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from autogrid.cli.bot_answers import asked, json_option
from autogrid.cli.output import BadInput, say_json
from autogrid.cli.place import data_dir_option
from autogrid.services import showing
from autogrid.storage.bots import BotRow
from autogrid.storage.orders import FillRow
from autogrid.trading.money import text

COLUMNS = (
    "time", "bot", "symbol", "side", "price", "quantity", "value", "fee", "fee_asset", "profit", "order_id", "fill_id",
)  # fmt: skip


@click.command()
@click.option("--bot", "meant", help="Of this bot only: its id, a start of it, or its name.")
@click.option("--csv", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write them to this file.")
@data_dir_option
@json_option
def trades(meant: str | None, file: Path | None, data_dir: Path | None, as_json: bool) -> None:
    """Every fill, oldest first."""
    found = asked(data_dir, lambda database: showing.trades_of(database, meant))
    if file is not None:
        try:
            with file.open("w", newline="", encoding="utf-8") as sheet:
                writer = csv.writer(sheet)
                writer.writerow(COLUMNS)
                writer.writerows(_row(row, fill) for row, fill in found)
        except OSError as error:
            raise BadInput(f"--csv {file}: {error.strerror or error}") from None
    if as_json:
        say_json({"trades": [showing.trade_json(row, fill) for row, fill in found]})
    elif file is not None:
        click.echo(f"{len(found)} trades written to {file}")
    else:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for title in COLUMNS[:10]:
            table.add_column(title)
        for row, fill in found:
            table.add_row(*_row(row, fill)[:10])
        Console().print(table if found else "There are no trades yet.")


def _row(row: BotRow, fill: FillRow) -> tuple[str, ...]:
    at = datetime.fromtimestamp(fill.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    profit = "" if fill.profit is None else text(fill.profit)
    figures = (text(fill.price), text(fill.quantity), text(fill.price * fill.quantity), text(fill.fee))
    return (at, row.name, row.symbol, fill.side, *figures, fill.fee_asset, profit, fill.order_id, fill.fill_id)
