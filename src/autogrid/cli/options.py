"""Options that several commands share, and how their texts are read."""

import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import click

from autogrid.cli.output import BadInput
from autogrid.trading.money import UnableToReadFigure, figure

Command = TypeVar("Command", bound=Callable[..., Any])


class Figure(click.ParamType[Decimal]):
    """An exact figure."""

    name = "figure"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:  # noqa: ARG002
        """`value` as a Decimal; BadInput names the option where it is none."""
        if isinstance(value, Decimal):
            return value
        try:
            return figure(str(value))
        except UnableToReadFigure as error:
            name = param.opts[0] if param else "figure"
            raise BadInput(f"{name}: {error}") from None


FIGURE = Figure()


def config_options(command: Command) -> Command:
    """`--set key=value` (as often as needed) and `--config FILE.toml`."""
    command = click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A key of the configuration.")(
        command
    )
    return click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        metavar="FILE.toml",
        help="The same keys from a TOML file; --set wins.",
    )(command)


def read_config(settings: tuple[str, ...], config_file: Path | None) -> dict[str, str]:
    """The configuration as texts. Raises BadInput."""
    config: dict[str, str] = {}
    if config_file is not None:
        try:
            loaded = tomllib.loads(config_file.read_text(encoding="utf-8"), parse_float=str)
        except OSError as error:
            raise BadInput(f"--config {config_file} cannot be read: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise BadInput(f"--config {config_file} is no text; it is TOML, with lines such as lower = 98000") from None
        except tomllib.TOMLDecodeError as error:
            raise BadInput(f"--config {config_file} is not TOML: {error}") from None
        for key, value in loaded.items():
            if isinstance(value, dict):
                raise BadInput(f"--config {config_file}: keys stand at its top, not under [{key}]")
        config |= {key: str(value) for key, value in loaded.items()}
    for one in settings:
        key, equals, value = one.partition("=")
        if not equals or not key.strip():
            raise BadInput(f"--set '{one}': write it as key=value, such as --set lower=98000")
        config[key.strip()] = value.strip()
    return config
