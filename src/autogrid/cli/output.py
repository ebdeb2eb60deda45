"""How every command speaks: JSON alone on standard output, faults as one sentence on standard error.

Rules: exit 0 is success, 2 is bad input, 1 is anything else. With `--json` one object goes to standard output
and nothing else does; figures of money go out as text.
"""

import dataclasses
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import IO, Any

import click

from autogrid.trading.money import text


class BadInput(click.ClickException):
    """What a person typed cannot be carried out: one sentence says what is wrong and what would be right."""

    exit_code = 2

    def __init__(self, sentence: str) -> None:
        super().__init__(one_line(sentence))

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the sentence to standard error."""
        _say_error(self.message, file)


class UnableToGoOn(click.ClickException):
    """The input was good, and still it failed: exit 1, with one sentence."""

    exit_code = 1

    def __init__(self, sentence: str) -> None:
        super().__init__(one_line(sentence))

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the sentence to standard error."""
        _say_error(self.message, file)


def say_json(obj: object) -> None:
    """Write `obj` to standard output as one JSON object on one line.

    Decimals become plain text, times ISO 8601, paths and enumerations their text, dataclasses objects. Raises
    ValueError for NaN and infinity, which JSON does not have, and TypeError for what has no form in it.
    """
    click.echo(json.dumps(obj, default=_plain, ensure_ascii=False, allow_nan=False))


def one_line(sentence: str) -> str:
    """`sentence` without line breaks."""
    return " ".join(sentence.split())


def _say_error(sentence: str, file: IO[Any] | None) -> None:
    click.echo(f"Error: {sentence}", file=file, err=file is None)


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return text(value)
        case datetime() | date():
            return value.isoformat()
        case Path():
            return str(value)
        case Enum():
            return value.value
        case Mapping():
            return dict(value)
        case tuple() | set() | frozenset():
            return list(value)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        case _:
            raise TypeError(f"{type(value).__name__} has no form in JSON")
