"""The configuration of a grid: its keys, their limits, and what they say to a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, cast

from autogrid.trading.money import Price, Quantity, Share, text
from autogrid.trading.strategies.fields import Field, UnableToConfigure, read_all

FIELDS: Final = (
    Field(
        "lower",
        "price",
        "Lowest price",
        "Preço mínimo",
        "the lowest line of the grid",
        "a linha mais baixa da grade",
        above_zero=True,
    ),
    Field(
        "upper",
        "price",
        "Highest price",
        "Preço máximo",
        "the highest line of the grid",
        "a linha mais alta da grade",
        above_zero=True,
    ),
    Field(
        "grids",
        "count",
        "Number of grids",
        "Número de grades",
        "how many cells between the two prices; N grids are N + 1 lines",
        "quantas células entre os dois preços; N grades são N + 1 linhas",
        least=Decimal(2),
        most=Decimal(1000),
    ),
    Field(
        "spacing",
        "choice",
        "Spacing",
        "Espaçamento",
        "geometric: equal steps in per cent; arithmetic: equal steps in price",
        "geometric: passos iguais em porcentagem; arithmetic: passos iguais em preço",
        default="geometric",
        choices=("geometric", "arithmetic"),
    ),
    Field(
        "sizing",
        "choice",
        "Sizing",
        "Tamanho",
        "equal_base: the same quantity in every cell; equal_quote: the same value",
        "equal_base: a mesma quantidade em cada célula; equal_quote: o mesmo valor",
        default="equal_base",
        choices=("equal_base", "equal_quote"),
    ),
    Field(
        "start",
        "choice",
        "Start",
        "Início",
        "market: buy what the upper cells sell; own: use coins you hold; wait: buy nothing at start",
        "market: compra o que as células de cima vendem; own: usa moedas que você tem; wait: nada compra no início",
        default="market",
        choices=("market", "own", "wait"),
        group="start",
    ),
    Field(
        "own_base",
        "quantity",
        "Own coins",
        "Moedas próprias",
        "with start=own: how much base the bot takes from the account",
        "com start=own: quanto da moeda base o robô usa da conta",
        optional=True,
        above_zero=True,
        group="start",
    ),
    Field(
        "reserve",
        "share",
        "Reserve",
        "Reserva",
        "share of the investment that is never placed",
        "parte do investimento que nunca é colocada em ordens",
        default="0.02",
        least=Decimal(0),
        most=Decimal("0.5"),
        group="start",
    ),
    Field(
        "max_slippage",
        "share",
        "Most slippage",
        "Deslize máximo",
        "how far above the price the first purchase may fill",
        "quanto acima do preço a primeira compra pode ser executada",
        default="0.01",
        least=Decimal(0),
        most=Decimal("0.1"),
        group="start",
    ),
    Field(
        "trigger_price",
        "price",
        "Trigger price",
        "Preço de gatilho",
        "wait, without orders, until the price gets there",
        "espera, sem ordens, até o preço chegar lá",
        optional=True,
        above_zero=True,
        group="start",
    ),
    Field(
        "stop_loss",
        "price",
        "Stop-loss price",
        "Preço de stop-loss",
        "end below the grid at this price",
        "termina abaixo da grade neste preço",
        optional=True,
        above_zero=True,
        group="exit",
    ),
    Field(
        "take_profit",
        "price",
        "Take-profit price",
        "Preço de take-profit",
        "end above the grid at this price",
        "termina acima da grade neste preço",
        optional=True,
        above_zero=True,
        group="exit",
    ),
    Field(
        "on_exit",
        "choice",
        "On exit",
        "Ao sair",
        "sell the coins at market, or hold them",
        "vende as moedas a mercado ou as mantém",
        default="sell",
        choices=("sell", "hold"),
        group="exit",
    ),
    Field(
        "crossed",
        "choice",
        "Crossed lines",
        "Linhas cruzadas",
        "send: an order whose line was passed trades at once; wait: it waits until the price returns",
        "send: uma ordem cuja linha foi passada negocia na hora; wait: espera o preço voltar",
        default="send",
        choices=("send", "wait"),
        group="orders",
    ),
)

GREATEST_SPAN: Final = Decimal(10) ** 6
"""Upper over lower, at most."""


@dataclass(frozen=True, slots=True)
class GridSettings:
    """A grid's configuration, read and within its own limits."""

    lower: Price
    upper: Price
    grids: int
    spacing: Literal["geometric", "arithmetic"]
    sizing: Literal["equal_base", "equal_quote"]
    start: Literal["market", "own", "wait"]
    own_base: Quantity | None
    reserve: Share
    max_slippage: Share
    trigger_price: Price | None
    stop_loss: Price | None
    take_profit: Price | None
    on_exit: Literal["sell", "hold"]
    crossed: Literal["send", "wait"]


def read_settings(given: Mapping[str, str]) -> GridSettings:
    """The settings in the texts `given`. Raises `UnableToConfigure` with a sentence that says what would work."""
    settings = GridSettings(**cast("dict[str, object]", read_all(FIELDS, given)))  # type: ignore[arg-type]
    low, high = settings.lower, settings.upper
    if low == high:
        raise UnableToConfigure("upper", f"lower and upper are both {text(low)}; upper must be above lower")
    if low > high:
        raise UnableToConfigure(
            "lower", f"lower is {text(low)} and upper {text(high)}; lower must be below upper: swap them?"
        )
    if high > low * GREATEST_SPAN:
        raise UnableToConfigure("upper", f"upper is {text(high)}; at most a million times lower is allowed")
    if settings.stop_loss is not None and settings.stop_loss >= low:
        raise UnableToConfigure(
            "stop_loss", f"stop_loss is {text(settings.stop_loss)}; it must be below lower, {text(low)}"
        )
    if settings.take_profit is not None and settings.take_profit <= high:
        raise UnableToConfigure(
            "take_profit",
            f"take_profit is {text(settings.take_profit)}; it must be above upper, {text(high)}",
        )
    _check_trigger(settings)
    if settings.start == "own" and settings.own_base is None:
        raise UnableToConfigure("own_base", "start=own needs own_base, how much base the bot takes from the account")
    if settings.start != "own" and settings.own_base is not None:
        raise UnableToConfigure("own_base", f"own_base goes with start=own; start is {settings.start}")
    return settings


def _check_trigger(settings: GridSettings) -> None:
    """The price at start is the trigger price: the stops lie on their sides of it too."""
    trigger, stop, goal = settings.trigger_price, settings.stop_loss, settings.take_profit
    if trigger is not None and stop is not None and stop >= trigger:
        raise UnableToConfigure(
            "stop_loss", f"stop_loss is {text(stop)}; it must be below trigger_price, {text(trigger)}"
        )
    if trigger is not None and goal is not None and goal <= trigger:
        raise UnableToConfigure(
            "take_profit", f"take_profit is {text(goal)}; it must be above trigger_price, {text(trigger)}"
        )
