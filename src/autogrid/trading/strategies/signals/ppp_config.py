"""The configuration of PPP Vishva: its keys, their limits, and what they say to a person."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal, NamedTuple, cast

from autogrid.trading.market import Market
from autogrid.trading.money import Share
from autogrid.trading.strategies.fields import Field, UnableToConfigure, read_all
from autogrid.trading.strategies.guard import MAX_SLIPPAGE, STOP_AT
from autogrid.trading.strategies.signals.fields import (
    MAX_POSITION,
    NAMES,
    RISK,
    VOLUME_RATIO,
    VOLUMES,
    check_order,
    count,
    guarding,
    number,
    optional_number,
    timeframe,
    whole,
)

D = Decimal

STOP_ATR_CANDLES: Final = 14
"""Candles in the ATR of stop, target and trailing line."""
CONFIRM_CANDLES: Final = 20
"""Candles in the EMA of a coarser timeframe."""
STOCHASTIC_CANDLES: Final = 33
"""A cross of the Stochastic RSI (14, 14, 3, 3) comes with this candle at the earliest."""


def _choice(key: str, titles: tuple[str, str], helps: tuple[str, str], default: str, choices: tuple[str, ...]) -> Field:
    return Field(key, "choice", *titles, *helps, default=default, choices=choices, group="indicators")


def _factor(
    key: str, titles: tuple[str, str], helps: tuple[str, str], default: str, least: str, most: str, group: str
) -> Field:
    return Field(key, "factor", *titles, *helps, default=default, least=D(least), most=D(most), group=group)


INDICATORS: Final = (
    count(
        "ema",
        ("Trend EMA", "MME de tendência"),
        ("candles in the EMA that the close must be above", "velas na MME acima da qual o fechamento deve estar"),
        "100",
        2,
        1000,
    ),
    _factor(
        "ut_key",
        ("UT Bot key", "Chave do UT Bot"),
        ("how many ATR the UT Bot's stop trails the price", "a quantos ATR o stop do UT Bot segue o preço"),
        "1",
        "0.1",
        "20",
        "indicators",
    ),
    count(
        "ut_atr",
        ("UT Bot ATR", "ATR do UT Bot"),
        ("candles in the UT Bot's ATR", "velas no ATR do UT Bot"),
        "10",
        1,
        500,
    ),
    count(
        "signal_window",
        ("Signal window", "Janela do sinal"),
        (
            "a UT Bot buy counts for so many candles after its own",
            "uma compra do UT Bot vale por tantas velas depois da sua",
        ),
        "3",
        0,
        100,
    ),
    count(
        "stoch_lookback",
        ("Stochastic window", "Janela do estocástico"),
        (
            "a cross of the Stochastic RSI counts for so many candles after its own",
            "um cruzamento do RSI estocástico vale por tantas velas depois da sua",
        ),
        "10",
        0,
        100,
    ),
    _factor(
        "oversold",
        ("Oversold", "Sobrevendido"),
        ("the Stochastic RSI must cross below this", "o RSI estocástico deve cruzar abaixo disto"),
        "20",
        "1",
        "50",
        "indicators",
    ),
    count(
        "ewo_fast",
        ("Fast EWO average", "Média rápida do EWO"),
        ("candles in the fast average of the EWO", "velas na média rápida do EWO"),
        "5",
        1,
        500,
    ),
    count(
        "ewo_slow",
        ("Slow EWO average", "Média lenta do EWO"),
        ("candles in the slow average of the EWO", "velas na média lenta do EWO"),
        "35",
        2,
        500,
    ),
    _choice(
        "ewo_ma",
        ("EWO average", "Média do EWO"),
        ("which average the EWO is made of", "de qual média o EWO é feito"),
        "sma",
        ("sma", "ema"),
    ),
    _choice(
        "ewo_source",
        ("EWO price", "Preço do EWO"),
        ("close, or the middle of high and low", "fechamento, ou o meio entre máxima e mínima"),
        "close",
        ("close", "hl2"),
    ),
    Field(
        "ewo_percent",
        "flag",
        "EWO in per cent",
        "EWO em por cento",
        "show the EWO as a percentage of the close; its sign is the same",
        "mostra o EWO como porcentagem do fechamento; o sinal é o mesmo",
        default="no",
        group="indicators",
    ),
)

CONFIRMATION: Final = (
    Field(
        "confirm_timeframes",
        "timeframes",
        "Confirming timeframes",
        "Tempos de confirmação",
        "coarser timeframes whose Heikin Ashi candle and EMA(20) must agree; none: do not ask",
        "tempos maiores cuja vela Heikin Ashi e MME(20) devem concordar; none: não perguntar",
        default="4h,1d",
        group="confirmation",
    ),
    Field(
        "confirm",
        "choice",
        "Confirmation",
        "Confirmação",
        "whether all of them must agree, or any",
        "se todos devem concordar, ou qualquer um",
        default="all",
        choices=("all", "any"),
        group="confirmation",
    ),
)

REGIME: Final = tuple(
    Field(
        key,
        "share",
        title,
        title_pt,
        f"enter only where the ATR(14) as a share of the close is {word} this",
        f"entra só onde o ATR(14), como fração do fechamento, é {word_pt} que isto",
        optional=True,
        above_zero=True,
        most=D(1),
        group="filters",
    )
    for key, title, title_pt, word, word_pt in (
        ("atr_min", "Least ATR", "ATR mínimo", "at least", "não menor"),
        ("atr_max", "Greatest ATR", "ATR máximo", "at most", "não maior"),
    )
)

EXITS: Final = (
    _factor(
        "stop_atr",
        ("Stop", "Stop"),
        ("how many ATR(14) below the entry the stop lies", "a quantos ATR(14) abaixo da entrada fica o stop"),
        "1.25",
        "0.5",
        "3",
        "exit",
    ),
    _factor(
        "reward_risk",
        ("Reward to risk", "Retorno por risco"),
        (
            "how many times the distance to the stop the target lies above the entry",
            "a quantas vezes a distância do stop o alvo fica acima da entrada",
        ),
        "2",
        "1",
        "5",
        "exit",
    ),
    Field(
        "ema_exit",
        "share",
        "EMA exit",
        "Saída pela MME",
        "sell all when the close is so far below the trend EMA",
        "vende tudo quando o fechamento está tão abaixo da MME de tendência",
        default="0.02",
        least=D(0),
        most=D("0.5"),
        group="exit",
    ),
    Field(
        "trailing",
        "flag",
        "Trailing stop",
        "Stop móvel",
        "from half-way to the target, sell 1 ATR(14) below the highest price since",
        "a partir da metade do caminho ao alvo, vende 1 ATR(14) abaixo do maior preço desde então",
        default="yes",
        group="exit",
    ),
)

MONEY: Final = (
    RISK,
    MAX_POSITION,
    Field(
        "max_entries",
        "count",
        "Entries",
        "Entradas",
        "most entries in a row; each further one is half as large",
        "máximo de entradas seguidas; cada uma a mais tem a metade do tamanho",
        default="5",
        least=D(1),
        most=D(10),
        group="size",
    ),
    Field(
        "max_daily_loss",
        "share",
        "Daily loss",
        "Perda diária",
        "share of the equity at 00:00 UTC; once it is lost, no entry until the next 00:00 UTC",
        "parte do patrimônio às 00:00 UTC; perdida esta, nenhuma entrada até as próximas 00:00 UTC",
        optional=True,
        above_zero=True,
        most=D(1),
        group="size",
    ),
    Field(
        "side",
        "choice",
        "Side",
        "Lado",
        "long buys first; short and both need a market on which one can sell first",
        "long compra primeiro; short e both precisam de um mercado em que se possa vender primeiro",
        default="long",
        choices=("long", "short", "both"),
        group="size",
    ),
)

GUARD: Final = (STOP_AT, MAX_SLIPPAGE)
FIELDS: Final = (timeframe("1h"), *INDICATORS, *CONFIRMATION, VOLUME_RATIO, *REGIME, *EXITS, *GUARD, *MONEY)


class Looks(NamedTuple):
    """What the indicators are made of, and what counts as a signal. Floats: these are ratios, not money."""

    timeframe_ms: int
    ema: int
    ut_key: float
    ut_atr: int
    signal_window: int
    stoch_lookback: int
    oversold: float
    ewo_fast: int
    ewo_slow: int
    ewo_ma: Literal["sma", "ema"]
    ewo_source: Literal["close", "hl2"]
    ewo_percent: bool
    confirm_ms: tuple[int, ...]
    """Lengths of the coarser timeframes, finest first."""
    confirm_all: bool
    volume_ratio: float | None
    atr_min: float | None
    atr_max: float | None

    @property
    def warm_up(self) -> int:
        """Candles until everything has a value; a coarser timeframe may begin amid one of its candles."""
        coarser = [(CONFIRM_CANDLES + 1) * (length // self.timeframe_ms) - 1 for length in self.confirm_ms]
        volumes = VOLUMES if self.volume_ratio else 0
        own = (self.ema, self.ut_atr + 1, STOP_ATR_CANDLES, self.ewo_slow, STOCHASTIC_CANDLES, volumes)
        return max(*own, *coarser)


class PppSettings(NamedTuple):
    """A configuration, read and checked."""

    looks: Looks
    stop_atr: Decimal
    reward_risk: Decimal
    ema_exit: float
    trailing: bool
    risk: Share
    most: Share
    max_entries: int
    max_daily_loss: Share | None
    guarding: tuple[bool, Share]


def read_settings(config: Mapping[str, str], market: Market) -> PppSettings:
    """`config` as settings. Raises `UnableToConfigure`."""
    values = read_all(FIELDS, config)
    check_order(values, "ewo_fast", "ewo_slow")
    check_order(values, "atr_min", "atr_max")
    if values["side"] != "long":
        raise UnableToConfigure(
            "side",
            f"side is {values['side']}, which sells first and buys back; {market.symbol} is a spot market, where only "
            "what is owned can be sold; take side=long",
        )
    length = whole(values["timeframe"])
    ratios = {key: optional_number(values[key]) for key in ("volume_ratio", "atr_min", "atr_max")}
    floats = {key: None if ratio is None else float(ratio) for key, ratio in ratios.items()}
    looks = Looks(
        timeframe_ms=length,
        ema=whole(values["ema"]),
        ut_key=float(number(values["ut_key"])),
        ut_atr=whole(values["ut_atr"]),
        signal_window=whole(values["signal_window"]),
        stoch_lookback=whole(values["stoch_lookback"]),
        oversold=float(number(values["oversold"])),
        ewo_fast=whole(values["ewo_fast"]),
        ewo_slow=whole(values["ewo_slow"]),
        ewo_ma=cast("Literal['sma', 'ema']", values["ewo_ma"]),
        ewo_source=cast("Literal['close', 'hl2']", values["ewo_source"]),
        ewo_percent=bool(values["ewo_percent"]),
        confirm_ms=confirming(cast("tuple[int, ...]", values["confirm_timeframes"]), length),
        confirm_all=values["confirm"] == "all",
        **floats,
    )
    return PppSettings(
        looks,
        number(values["stop_atr"]),
        number(values["reward_risk"]),
        float(number(values["ema_exit"])),
        bool(values["trailing"]),
        number(values["risk_per_trade"]),
        number(values["max_position"]),
        whole(values["max_entries"]),
        optional_number(values["max_daily_loss"]),
        guarding(values, market),
    )


def confirming(lengths: tuple[int, ...], length: int) -> tuple[int, ...]:
    """Coarser timeframes, in ms. Raises `UnableToConfigure` where they cannot be made of candles of `length`."""
    own = NAMES[length]
    for one in lengths:
        name = NAMES[one]
        rest = ",".join(NAMES[other] for other in lengths if other > length and other % length == 0) or "none"
        if one <= length:
            raise UnableToConfigure(
                "confirm_timeframes",
                f"confirm_timeframes holds {name}, which is not coarser than the timeframe {own}; take {rest}",
            )
        if one % length:
            raise UnableToConfigure(
                "confirm_timeframes",
                f"confirm_timeframes holds {name}, which is no multiple of the timeframe {own}; take {rest}",
            )
    return lengths


PRESETS: Final = (
    ("bitcoin", "Bitcoin", "Bitcoin", {"stop_atr": "1.5", "reward_risk": "2", "max_entries": "3"}),
    ("altcoins", "Altcoins", "Altcoins", {"stop_atr": "1", "reward_risk": "2.5", "max_entries": "4"}),
    (
        "conservative",
        "Conservative",
        "Conservador",
        {"stop_atr": "0.8", "reward_risk": "2", "max_entries": "2", "risk_per_trade": "0.01"},
    ),
)
"""Name, titles, values."""
