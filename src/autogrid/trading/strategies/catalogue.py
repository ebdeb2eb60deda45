"""The strategies there are, each declared once: from here come building, CLI help, JSON Schema and, later, forms."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final, Literal, NamedTuple

from autogrid.trading.market import Market
from autogrid.trading.money import Amount, Price
from autogrid.trading.strategies.fields import Field, UnableToConfigure, json_schema
from autogrid.trading.strategies.grid import Grid
from autogrid.trading.strategies.grid_config import FIELDS as GRID_FIELDS
from autogrid.trading.strategies.grid_memory import Cell, GridMemory, Opening
from autogrid.trading.strategies.grid_preview import preview as grid_preview
from autogrid.trading.strategies.preview import plain_preview
from autogrid.trading.strategies.strategy import AnyStrategy


class Preset(NamedTuple):
    """A named set of values; what is given beside it goes before it."""

    name: str
    title: str
    title_pt: str
    values: Mapping[str, str]


class Action(NamedTuple):
    """Something that a user can ask of a running bot of this strategy."""

    name: str
    title: str
    title_pt: str
    help: str
    takes_amount: bool = False


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
    records: tuple[type, ...] = ()
    """The kinds of record in its memory, so that they can be kept."""
    preview: Callable[[Any, Price], Any] = plain_preview
    """What it would do from that price on. Raises `UnableToConfigure`."""
    shows: Literal["lines", "ladder", "signals", "facts"] = "facts"
    """Which preview that is."""
    presets: tuple[Preset, ...] = ()
    actions: tuple[Action, ...] = ()
    depends_on_start: bool = False
    """Whether one backtest says little, because much hangs on the day it begins; then several are run."""

    def schema(self) -> dict[str, object]:
        """The JSON Schema of its configuration."""
        return {
            **json_schema(self.name, self.title, self.fields),
            "title_pt_BR": self.title_pt,
            "description": self.help,
            "description_pt_BR": self.help_pt,
            "preview": self.shows,
            "presets": [
                {"name": one.name, "title": one.title, "title_pt_BR": one.title_pt, "values": dict(one.values)}
                for one in self.presets
            ],
            "actions": [
                {
                    "name": one.name,
                    "title": one.title,
                    "title_pt_BR": one.title_pt,
                    "description": one.help,
                    "takes_amount": one.takes_amount,
                }
                for one in self.actions
            ],
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
            records=(Cell, Opening, GridMemory),
            preview=grid_preview,
            shows="lines",
        ),
    )
}
"""By name. `add` puts strategies of the user's own beside the built-in ones, when the process starts."""


class UnableToAddStrategy(Exception):
    """A strategy cannot stand in the catalogue. The sentence says what to change."""

    code = "strategy-refused"


def add(one: Entry) -> None:
    """Put a strategy of the user's own into the catalogue. Raises `UnableToAddStrategy` where its name is taken."""
    if one.name in CATALOGUE:
        raise UnableToAddStrategy(f"a strategy named '{one.name}' is there already; give yours another name")
    CATALOGUE[one.name] = one


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
