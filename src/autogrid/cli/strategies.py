"""`autogrid strategies`: the catalogue, for people and as JSON Schema."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from autogrid.cli.output import BadInput, say_json
from autogrid.cli.own import learn_own, own_folder_option
from autogrid.trading.strategies.catalogue import CATALOGUE, entry
from autogrid.trading.strategies.fields import UnableToConfigure


@click.command()
@click.argument("name", required=False)
@own_folder_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object: each strategy's JSON Schema.")
def strategies(name: str | None, data_dir: Path | None, as_json: bool) -> None:
    """The strategies there are, or one of them with every key of its configuration."""
    learn_own(data_dir, name)
    try:
        chosen = [entry(name)] if name else list(CATALOGUE.values())
    except UnableToConfigure as error:
        raise BadInput(str(error)) from None
    if as_json:
        found: dict[str, Any] = {one.name: one.schema() for one in chosen}
        say_json(found[chosen[0].name] if name else {"strategies": found})
        return
    console = Console()
    for one in chosen:
        console.print(f"[bold]{one.name}[/bold]: {one.help}")
        table = Table(box=None, padding=(0, 2, 0, 2), header_style="dim")
        for title in ("key", "default", "meaning"):
            table.add_column(title)
        for field in one.fields:
            default = field.default if field.default is not None else "–" if field.optional else "must be given"
            table.add_row(field.key, default, field.help)
        console.print(table)
    console.print("\n  [dim]Show one with: autogrid preview NAME --help[/dim]" if not name else "")
