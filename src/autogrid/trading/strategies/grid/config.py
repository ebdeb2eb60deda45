"""The configuration of a grid: its keys, their limits, and what they say to a person."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal, cast

from autogrid.trading.money import Price, Quantity, Share, text
from autogrid.trading.strategies.fields import Field, UnableToConfigure, read_all
from autogrid.trading.strategies.grid.choices import CHOICES

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
        "the highest line of the grid; none: an infinity grid, which has no top",
        "a linha mais alta da grade; none: grade infinita, sem teto",
        optional=True,
        above_zero=True,
        needed_unless=("", ""),
    ),
    Field(
        "grids",
        "count",
        "Number of grids",
        "Número de grades",
        "how many cells between the two prices; N grids are N + 1 lines",
        "quantas células entre os dois preços; N grades são N + 1 linhas",
        optional=True,
        needed_unless=("upper", "none"),
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
    *CHOICES,
)

GREATEST_SPAN: Final = Decimal(10) ** 6
"""Upper over lower, at most."""


@dataclass(frozen=True, slots=True)
class GridSettings:
    """A grid's configuration, read and within its own limits."""

    lower: Price
    upper: Price | None
    """None: an infinity grid."""
    grids: int
    """0 for an infinity grid, whose cells are opened one by one."""
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
    step: Share | None
    """Of an infinity grid: each line over the one below it, less one."""
    trailing_up: bool
    trailing_up_limit: Price | None
    trailing_down: bool
    trailing_down_limit: Price | None
    reverse: bool
    reinvest: bool
    total_profit_stop: Share | None
    total_loss_stop: Share | None
    stop_for: int
    """Seconds."""

    @property
    def trails(self) -> bool:
        """Whether the range may move with the price."""
        return self.trailing_up or self.trailing_down

    @property
    def endless(self) -> bool:
        """Whether it is an infinity grid."""
        return self.upper is None


def read_settings(given: Mapping[str, str]) -> GridSettings:
    """The settings in the texts `given`. Raises `UnableToConfigure` with a sentence that says what would work."""
    values = read_all(FIELDS, given)
    values["grids"] = values["grids"] or 0
    settings = GridSettings(**cast("dict[str, object]", values))  # type: ignore[arg-type]
    if (settings.trails or settings.endless) and "sizing" not in given:
        settings = replace(settings, sizing="equal_quote")
    _check_choices(settings, given)
    low, high = settings.lower, settings.upper
    if high is not None:
        _check_range(low, high)
    if settings.stop_loss is not None and settings.stop_loss >= low:
        raise UnableToConfigure(
            "stop_loss", f"stop_loss is {text(settings.stop_loss)}; it must be below lower, {text(low)}"
        )
    if settings.take_profit is not None and settings.take_profit <= (high or low):
        name = "lower" if high is None else "upper"
        raise UnableToConfigure(
            "take_profit",
            f"take_profit is {text(settings.take_profit)}; it must be above {name}, {text(high or low)}",
        )
    _check_trigger(settings)
    if settings.start == "own" and settings.own_base is None:
        raise UnableToConfigure("own_base", "start=own needs own_base, how much base the bot takes from the account")
    if settings.start != "own" and settings.own_base is not None:
        raise UnableToConfigure("own_base", f"own_base goes with start=own; start is {settings.start}")
    return settings


def _check_range(low: Price, high: Price) -> None:
    if low == high:
        raise UnableToConfigure("upper", f"lower and upper are both {text(low)}; upper must be above lower")
    if low > high:
        raise UnableToConfigure(
            "lower", f"lower is {text(low)} and upper {text(high)}; lower must be below upper: swap them?"
        )
    if high > low * GREATEST_SPAN:
        raise UnableToConfigure("upper", f"upper is {text(high)}; at most a million times lower is allowed")


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


def _check_choices(settings: GridSettings, given: Mapping[str, str]) -> None:
    """Raises `UnableToConfigure` where choices do not go together. `given` are the texts that were given."""
    if settings.upper is None:
        _check_endless(settings, given)
    else:
        if not settings.grids:
            raise UnableToConfigure("grids", "grids is missing; give it with --set grids=… (how many cells)")
        if settings.step is not None:
            raise UnableToConfigure("step", "step goes with upper=none; a grid with a top has grids instead")
    if settings.trails and settings.sizing == "equal_base":
        raise UnableToConfigure(
            "sizing", "sizing is equal_base; trailing needs equal_quote: set sizing=equal_quote or leave it out"
        )
    _check_limits(settings)
    for other in ("trailing_up", "trailing_down", "reinvest"):
        if settings.reverse and getattr(settings, other):
            raise UnableToConfigure("reverse", f"reverse and {other} do not go together; set one of them to no")
    if settings.stop_for and settings.stop_loss is None:
        raise UnableToConfigure("stop_for", "stop_for delays stop_loss, and there is none; give stop_loss too")


def _check_endless(settings: GridSettings, given: Mapping[str, str]) -> None:
    if "upper" not in given:
        raise UnableToConfigure(
            "upper", "upper is missing; give it with --set upper=… (the highest line of the grid; none: no top)"
        )
    if settings.step is None:
        raise UnableToConfigure("step", "upper=none needs step, such as 0.01 for lines 1 % apart")
    if settings.grids:
        raise UnableToConfigure("grids", "grids goes with an upper price; with upper=none leave it out")
    wanted = (("spacing", "geometric"), ("sizing", "equal_quote"), ("start", "market"))
    for key, value in wanted:
        if getattr(settings, key) != value:
            raise UnableToConfigure(
                key, f"{key} is {getattr(settings, key)}; upper=none needs {value}: set {key}={value} or leave it out"
            )
    for key in ("trailing_up", "trailing_down", "reverse", "reinvest"):
        if getattr(settings, key):
            raise UnableToConfigure(key, f"{key} does not go with upper=none; set {key}=no")


def _check_limits(settings: GridSettings) -> None:
    top, bottom = settings.trailing_up_limit, settings.trailing_down_limit
    if top is not None and not settings.trailing_up:
        raise UnableToConfigure("trailing_up_limit", "trailing_up_limit goes with trailing_up=yes")
    if bottom is not None and not settings.trailing_down:
        raise UnableToConfigure("trailing_down_limit", "trailing_down_limit goes with trailing_down=yes")
    if top is not None and settings.upper is not None and top <= settings.upper:
        raise UnableToConfigure(
            "trailing_up_limit",
            f"trailing_up_limit is {text(top)}; it must be above upper, {text(settings.upper)}",
        )
    if bottom is not None and bottom >= settings.lower:
        raise UnableToConfigure(
            "trailing_down_limit",
            f"trailing_down_limit is {text(bottom)}; it must be below lower, {text(settings.lower)}",
        )
