"""`autogrid strategies`: the catalogue, for people and as JSON Schema."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from autogrid.cli.output import BadInput, say_json
from autogrid.cli.own import learn_own, own_folder_option
from autogrid.trading.money import text
from autogrid.trading.strategies.catalogue import CATALOGUE, entry
from autogrid.trading.strategies.fields import Field, UnableToConfigure


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
            table.add_row(field.key, default, f"{field.help}{_limits(field)}")
        console.print(table)
        for preset in one.presets:
            values = ", ".join(f"{key}={value}" for key, value in preset.values.items() if key != "preset")
            console.print(f"  preset={preset.name}: {values}")
        for action in one.actions:
            console.print(f"  autogrid bot act BOT {action.name}: {action.help}")
    console.print("\n  [dim]Show one with: autogrid preview NAME --help[/dim]" if not name else "")


def _limits(field: Field) -> str:
    """What may be given, in brackets."""
    parts = [field.unit] if field.unit else []
    if field.choices:
        parts.append(" | ".join(field.choices))
    if field.least is not None or field.most is not None or field.above_zero:
        low = "above 0" if field.above_zero else f"from {text(field.least)}" if field.least is not None else ""
        high = "" if field.most is None else f"{'below' if field.below_most else 'up to'} {text(field.most)}"
        parts.append(" ".join(part for part in (low, high) if part))
    return f" ({'; '.join(parts)})" if parts else ""
