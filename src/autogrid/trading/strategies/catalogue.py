"""The strategies there are, each declared once: from here come building, CLI help and JSON Schema."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Final, NamedTuple

from autogrid.trading.market import Market
from autogrid.trading.money import Amount
from autogrid.trading.strategies.fields import Field, UnableToConfigure, json_schema
from autogrid.trading.strategies.grid import Grid
from autogrid.trading.strategies.grid_config import FIELDS as GRID_FIELDS
from autogrid.trading.strategies.strategy import AnyStrategy


class Entry(NamedTuple):
    """One strategy of the catalogue."""

    name: str
    title: str
    title_pt: str
    help: str
    help_pt: str
    fields: tuple[Field, ...]
    build: Callable[[Mapping[str, str], Market, Amount], AnyStrategy]
    """From configuration, market and investment. Raises `UnableToConfigure`."""

    def schema(self) -> dict[str, object]:
        """The JSON Schema of its configuration."""
        return {
            **json_schema(self.name, self.title, self.fields),
            "title_pt_BR": self.title_pt,
            "description": self.help,
        }


CATALOGUE: Final = {
    entry.name: entry
    for entry in (
        Entry(
            "grid",
            "Grid",
            "Grade",
            "buy at each line below the price, sell one line higher, again and again",
            "compra em cada linha abaixo do preço e vende uma linha acima, repetidamente",
            GRID_FIELDS,
            Grid,
        ),
    )
}


def entry(name: str) -> Entry:
    """The catalogue's entry of that name. Raises `UnableToConfigure` with the nearest name."""
    found = CATALOGUE.get(name)
    if found is None:
        near = get_close_matches(name, CATALOGUE, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(CATALOGUE)}"
        raise UnableToConfigure("strategy", f"unknown strategy '{name}'; {hint}")
    return found


def build(name: str, config: Mapping[str, str], market: Market, investment: Amount) -> AnyStrategy:
    """The strategy of that name. Raises `UnableToConfigure`."""
    return entry(name).build(config, market, investment)
