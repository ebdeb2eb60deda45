"""Keys of a configuration that several strategies on signals have."""

from dataclasses import replace
from decimal import Decimal
from typing import Final

from autogrid.trading.candle import TIMEFRAMES
from autogrid.trading.market import Market
from autogrid.trading.money import Share
from autogrid.trading.strategies.fields import Field, UnableToConfigure, Value

NAMES: Final = {length: name for name, length in TIMEFRAMES.items()}
"""Names of timeframes by their length in ms."""


def timeframe(default: str) -> Field:
    """The candles that are decided on."""
    return Field(
        "timeframe",
        "timeframe",
        "Timeframe",
        "Tempo gráfico",
        "length of the candles that are decided on, once they are closed",
        "duração das velas em que se decide, depois de fechadas",
        default=default,
    )


RISK: Final = Field(
    "risk_per_trade",
    "share",
    "Risk per entry",
    "Risco por entrada",
    "share of the bot's equity that is lost when the stop of one entry is met",
    "parte do patrimônio do robô que se perde quando o stop de uma entrada é atingido",
    default="0.02",
    least=Decimal("0.005"),
    most=Decimal("0.1"),
    group="size",
)

MAX_POSITION: Final = Field(
    "max_position",
    "share",
    "Largest entry",
    "Maior entrada",
    "largest share of the equity in one entry",
    "maior parte do patrimônio em uma entrada",
    default="0.25",
    least=Decimal("0.01"),
    most=Decimal(1),
    group="size",
)

VOLUME_RATIO: Final = Field(
    "volume_ratio",
    "factor",
    "Volume filter",
    "Filtro de volume",
    "enter only where the volume is at least so many times its mean over 20 candles",
    "entra só onde o volume é pelo menos tantas vezes a sua média de 20 velas",
    optional=True,
    above_zero=True,
    most=Decimal(100),
    group="filters",
)

VOLUMES: Final = 20
"""Candles in the mean of the volume."""


def share(key: str, titles: tuple[str, str], helps: tuple[str, str], default: str, group: str = "exit") -> Field:
    """A share of an entry's price, above 0 and below 1."""
    field = Field(key, "share", *titles, *helps, default=default, above_zero=True, most=Decimal(1), group=group)
    return replace(field, below_most=True, aliases=ALIASES.get(key, ()))


def count(key: str, titles: tuple[str, str], helps: tuple[str, str], default: str, least: int, most: int) -> Field:
    """A number of candles that an indicator takes."""
    return Field(
        key, "count", *titles, *helps, default=default, least=Decimal(least), most=Decimal(most), group="indicators"
    )


ALIASES: Final = {"stop_loss": ("stop",), "take_profit": ("target",)}
STOP_TITLES: Final = ("Stop", "Stop")
STOP_HELPS: Final = (
    "share below the entry at which the bot sells at market",
    "distância abaixo da entrada, em fração, na qual o robô vende a mercado",
)
TARGET_TITLES: Final = ("Target", "Alvo")
TARGET_HELPS: Final = (
    "share above the entry at which a limit order sells",
    "distância acima da entrada, em fração, na qual uma ordem limitada vende",
)


def number(value: Value | None) -> Decimal:
    """A field's value as the figure it is."""
    assert isinstance(value, Decimal), f"{value!r} is no figure"
    return value


def whole(value: Value | None) -> int:
    """A field's value as the whole number it is."""
    assert isinstance(value, int), f"{value!r} is no whole number"
    return value


def optional_number(value: Value | None) -> Decimal | None:
    """A field's value as a figure, or nothing."""
    return None if value is None else number(value)


def guarding(values: dict[str, Value | None], market: Market) -> tuple[bool, Share]:
    """Whether stops rest at the exchange, and how far below their trigger they may sell there."""
    return market.stops != "none" and values["stop_at"] == "exchange", number(values["max_slippage"])


def check_order(values: dict[str, Value | None], lower: str, upper: str) -> None:
    """Raises `UnableToConfigure` where `lower` is not below `upper`."""
    low, high = values[lower], values[upper]
    if low is None or high is None:
        return
    assert isinstance(low, int | Decimal), f"{lower} is no figure"
    assert isinstance(high, int | Decimal), f"{upper} is no figure"
    if low >= high:
        raise UnableToConfigure(upper, f"{upper} is {high} and {lower} {low}; {upper} must be above {lower}")
