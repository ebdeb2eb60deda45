"""Writes docs/reference/cli.md from the commands themselves: `.venv/bin/python docs/make_cli_reference.py`.

A test (tests/docs/test_reference.py) holds that the file is what this would write.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from autogrid.cli.app import autogrid

PAGE = Path(__file__).parent / "reference" / "cli.md"

OPENING = """# The command line

Written by `docs/make_cli_reference.py` from the commands themselves; do not edit it by hand.

Every command answers `--help`. Exit code 0 means it worked, 2 means the input was wrong (one sentence on standard
error says what would be right), 1 means anything else went wrong. With `--json` one JSON object goes to standard
output and nothing else does; figures of money in it are text.
"""


def reference() -> str:
    """The page."""
    parts = [OPENING]
    for path, command in commands(autogrid, ("autogrid",)):
        parts.append(section(path, command))
    return "\n".join(parts)


def commands(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its path of names, a group before its own commands."""
    context = click.Context(group, info_name=" ".join(path))
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, f"{name} is listed and cannot be found"
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def section(path: tuple[str, ...], command: click.Command) -> str:
    """What one command is for, how it is called, and its options."""
    words = inspect.cleandoc(command.help or "").replace("\f", "")
    usage = " ".join((*path, *_arguments(command), *_must_be_given(command)))
    lines = [f"{'#' * len(path)} `{' '.join(path)}`", "", words, "", "```", usage, "```", ""]
    options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
    if options:
        lines += ["| option | meaning |", "|---|---|", *map(_row, options), ""]
    return "\n".join(lines)


def _arguments(command: click.Command) -> list[str]:
    if isinstance(command, click.Group):
        return ["COMMAND", "…"]
    given = [param for param in command.params if isinstance(param, click.Argument)]
    return [param.make_metavar(click.Context(command)) for param in given]


def _must_be_given(command: click.Command) -> list[str]:
    """The options without which the command refuses, and a sign that there are others."""
    options = [param for param in command.params if isinstance(param, click.Option)]
    given = [f"{option.opts[0]} {_value(option)}" for option in options if option.required]
    return [*given, "[OPTIONS]"] if options else given


def _row(option: click.Option) -> str:
    name = ", ".join(option.opts) + (f" / {', '.join(option.secondary_opts)}" if option.secondary_opts else "")
    if not option.is_flag:
        name += f" {_value(option)}"
    notes = [option.help or ""]
    if option.required:
        notes.append("Must be given.")
    if option.multiple:
        notes.append("May be given again and again.")
    if isinstance(option.default, str | int | float) and not option.is_flag:
        notes.append(f"Default: `{option.default}`.")
    return f"| `{name}` | {' '.join(note for note in notes if note)} |".replace("\n", " ")


def _value(option: click.Option) -> str:
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return " or ".join(map(str, option.type.choices))
    return option.type.name.upper()


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
