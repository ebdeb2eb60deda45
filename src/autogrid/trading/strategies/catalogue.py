"""The strategies there are, each declared once: from here come building, CLI help, JSON Schema and, later, forms."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final, Literal, NamedTuple

from autogrid.trading.indicators.atr import AtrState
from autogrid.trading.indicators.ema import EmaState
from autogrid.trading.indicators.ewo import EmaEwoState, EwoState
from autogrid.trading.indicators.heikin_ashi import HeikinAshiState
from autogrid.trading.indicators.rsi import RsiState
from autogrid.trading.indicators.stochastic_rsi import StochasticRsiState
from autogrid.trading.indicators.ut_bot import UtBotState
from autogrid.trading.market import Market
from autogrid.trading.money import Amount, Price
from autogrid.trading.strategies.dca.config import FIELDS as DCA_FIELDS
from autogrid.trading.strategies.dca.config import PRESETS as DCA_PRESETS
from autogrid.trading.strategies.dca.dca import Dca
from autogrid.trading.strategies.dca.memory import Aim, DcaMemory, Deal, Position, Purchase, SafetyOrder
from autogrid.trading.strategies.dca.preview import preview as dca_preview
from autogrid.trading.strategies.fields import Field, UnableToConfigure, json_schema
from autogrid.trading.strategies.grid.config import FIELDS as GRID_FIELDS
from autogrid.trading.strategies.grid.grid import Grid
from autogrid.trading.strategies.grid.memory import Cell, GridExtras, GridMemory, Growth, Opening
from autogrid.trading.strategies.grid.preview import preview as grid_preview
from autogrid.trading.strategies.guard import Guard
from autogrid.trading.strategies.preview import plain_preview
from autogrid.trading.strategies.signals.held import HeldEntry, Positions, Terms
from autogrid.trading.strategies.signals.ppp_analysis import Coarser, PppSeen, StochasticCross, Used
from autogrid.trading.strategies.signals.ppp_config import FIELDS as PPP_FIELDS
from autogrid.trading.strategies.signals.ppp_config import PRESETS as PPP_PRESETS
from autogrid.trading.strategies.signals.ppp_vishva import Day, PppMemory, PppVishva
from autogrid.trading.strategies.signals.preview import preview as signal_preview
from autogrid.trading.strategies.signals.rsi_reversal import FIELDS as RSI_FIELDS
from autogrid.trading.strategies.signals.rsi_reversal import RsiMemory, RsiReversal, RsiSeen
from autogrid.trading.strategies.signals.signal import FIELDS as SIGNAL_FIELDS
from autogrid.trading.strategies.signals.signal import Signal, SignalMemory
from autogrid.trading.strategies.signals.sma_cross import FIELDS as CROSS_FIELDS
from autogrid.trading.strategies.signals.sma_cross import CrossMemory, CrossSeen, SmaCross
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
            "Grid",
            "buy at each line below the price, sell one line higher, again and again",
            "compra em cada linha abaixo do preço e vende uma linha acima, repetidamente",
            GRID_FIELDS,
            Grid,
            records=(Cell, Opening, Growth, GridExtras, GridMemory),
            preview=grid_preview,
            shows="lines",
        ),
        Entry(
            "dca",
            "DCA",
            "DCA",
            "buy, buy more the lower the price, sell all at a profit, again; or buy on a schedule and keep",
            "compra, compra mais quanto menor o preço, vende tudo com lucro, de novo; ou compra por agenda e mantém",
            DCA_FIELDS,
            Dca,
            records=(Aim, Position, Purchase, SafetyOrder, Deal, RsiState, Guard, DcaMemory),
            preview=dca_preview,
            shows="ladder",
            presets=tuple(
                Preset(name, title, title_pt, DCA_PRESETS[name])
                for name, title, title_pt in (
                    ("careful", "Careful", "Cuidadoso"),
                    ("standard", "Standard", "Padrão"),
                    ("bold", "Bold", "Ousado"),
                )
            ),
            actions=(
                Action("finish", "Finish", "Concluir", "finish the deal that runs, then stop"),
                Action("close", "Close now", "Fechar agora", "sell the deal's coins at market now, then go on"),
                Action("keep", "Stop and keep", "Parar e manter", "stop at once and keep the coins"),
                Action("add", "Buy more", "Comprar mais", "a manual safety order at market", takes_amount=True),
            ),
            depends_on_start=True,
        ),
        Entry(
            "ppp_vishva",
            "PPP Vishva",
            "PPP Vishva",
            "buys a dip that turns up in a rising market, on closed candles, with a stop and a target",
            "compra uma queda que vira para cima em mercado de alta, em velas fechadas, com stop e alvo",
            PPP_FIELDS,
            PppVishva,
            records=(
                *(HeldEntry, Terms, Guard, Positions),
                *(EmaState, UtBotState, AtrState, EwoState, EmaEwoState, RsiState, StochasticRsiState, HeikinAshiState),
                *(StochasticCross, Coarser, PppSeen, Used, Day, PppMemory),
            ),
            preview=signal_preview,
            shows="signals",
            presets=tuple(Preset(*one) for one in PPP_PRESETS),
        ),
        Entry(
            "sma_cross",
            "SMA cross",
            "Cruzamento de MMS",
            "enters where the fast average crosses above the slow one, leaves where it crosses below",
            "entra onde a média rápida cruza acima da lenta, sai onde cruza abaixo",
            CROSS_FIELDS,
            SmaCross,
            records=(HeldEntry, Terms, Guard, Positions, EmaState, CrossSeen, CrossMemory),
            preview=signal_preview,
            shows="signals",
        ),
        Entry(
            "rsi",
            "RSI",
            "RSI",
            "enters where the RSI comes back above 30, leaves where it comes back below 70",
            "entra onde o RSI volta acima de 30, sai onde volta abaixo de 70",
            RSI_FIELDS,
            RsiReversal,
            records=(HeldEntry, Terms, Guard, Positions, EmaState, RsiState, RsiSeen, RsiMemory),
            preview=signal_preview,
            shows="signals",
        ),
        Entry(
            "signal",
            "Signal",
            "Sinal",
            "enters and leaves when an alert from outside says so",
            "entra e sai quando um alerta de fora diz",
            SIGNAL_FIELDS,
            Signal,
            records=(HeldEntry, Terms, Guard, Positions, SignalMemory),
            preview=signal_preview,
            shows="signals",
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
    found = entry(name)
    return found.build(with_preset(found, config), market, investment)


def with_preset(one: Entry, config: Mapping[str, str]) -> Mapping[str, str]:
    """`config` over the values of the preset that it names; a strategy with a key of that name reads it itself.

    Raises `UnableToConfigure`.
    """
    chosen = config.get("preset")
    if chosen is None or not one.presets or any(field.key == "preset" for field in one.fields):
        return config
    found = next((preset for preset in one.presets if preset.name == chosen), None)
    if found is None:
        names = ", ".join(preset.name for preset in one.presets)
        raise UnableToConfigure("preset", f"preset is '{chosen}'; it is one of {names}")
    return {**found.values, **{key: value for key, value in config.items() if key != "preset"}}
