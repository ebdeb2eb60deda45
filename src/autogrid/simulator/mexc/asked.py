"""What a request asks for: its parameters, read with MEXC's own refusals."""

import json
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import parse_qsl

from autogrid.simulator.mexc.refusals import illegal, mandatory
from autogrid.trading.money import UnableToReadFigure, figure


class Asked:
    """Parameters by name. Whatever is read raises UnableToServe where it cannot be."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)

    def text(self, name: str) -> str:
        """One that must be there."""
        value = self.values.get(name, "")
        if not value:
            raise mandatory(name)
        return value

    def maybe(self, name: str) -> str:
        """One that need not; empty where it is not."""
        return self.values.get(name, "")

    def whole(self, name: str, otherwise: int) -> int:
        """A whole number, zero or more."""
        value = self.values.get(name, "")
        if not value:
            return otherwise
        if not value.isascii() or not value.isdecimal() or len(value) > 18:
            raise illegal(name)
        return int(value)

    def maybe_whole(self, name: str) -> int | None:
        """As `whole`; None where it is not there."""
        return self.whole(name, 0) if self.values.get(name) else None

    def amount(self, name: str) -> Decimal:
        """A figure of money that must be there."""
        try:
            return figure(self.text(name))
        except UnableToReadFigure:
            raise mandatory(name) from None


def read(query: str, body: str) -> Asked:
    """The parameters of a raw query and of a body, which is JSON or a query itself; those of the query come first."""
    values = dict(parse_qsl(body, keep_blank_values=True)) if "=" in body and not body.startswith("{") else {}
    if body.startswith("{"):
        try:
            told = json.loads(body, parse_float=str, parse_int=str)
        except ValueError:
            raise illegal("body") from None
        values = {name: value if isinstance(value, str) else json.dumps(value) for name, value in told.items()}
    return Asked(values | dict(parse_qsl(query, keep_blank_values=True)))
