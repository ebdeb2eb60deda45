"""The keys of a DCA bot that trades deals, and those of both modes: their limits, and what they say to a person."""

from decimal import Decimal
from typing import Final

from autogrid.trading.money import ONE, ZERO, Share, UnableToReadFigure, figure, text
from autogrid.trading.strategies.fields import Field, UnableToConfigure, Value

MOST_TARGETS: Final = 4


class Targets(Field):
    """A field of several take-profits, each with the share of the coins that it sells."""

    __slots__ = ()

    def read(self, given: str) -> Value:
        """`given`, once it can be read as targets. Raises `UnableToConfigure`."""
        targets_in(given)
        return given

    def schema(self) -> dict[str, object]:
        """As a text with its form."""
        number = "[0-9]*[.]?[0-9]+"
        return {**Field.schema(self), "unit": "profit:share, …", "pattern": f"^({number}:{number}(,|$))+$"}


def targets_in(given: str) -> tuple[tuple[Share, Share], ...]:
    """Profits, rising, with the shares they sell, which make up the whole. Raises `UnableToConfigure`."""
    form = "write profit:share with commas between, such as 0.01:0.5,0.02:0.5"
    found = []
    for part in given.split(","):
        profit, colon, share = part.partition(":")
        if not colon:
            raise UnableToConfigure("targets", f"targets has '{part.strip()}'; {form}")
        try:
            found.append((figure(profit), figure(share)))
        except UnableToReadFigure as error:
            raise UnableToConfigure("targets", f"targets: {error}; {form}") from None
    profits = [profit for profit, _ in found]
    total = sum((share for _, share in found), ZERO)
    if not 1 < len(found) <= MOST_TARGETS:
        raise UnableToConfigure("targets", f"targets are {len(found)}; give two to four, or take_profit alone for one")
    if min(profits) <= 0 or min(share for _, share in found) <= 0:
        raise UnableToConfigure("targets", f"targets must have profits and shares above 0; {form}")
    if sorted(set(profits)) != profits:
        raise UnableToConfigure("targets", "targets must have rising profits, each higher than the one before")
    if total != ONE:
        raise UnableToConfigure("targets", f"the shares of targets make {text(total)}; they must make 1")
    return tuple(found)


FIELDS: Final = (
    Field(
        "mode",
        "choice",
        "Mode",
        "Modo",
        "deal: a base order, safety orders below, a take-profit, again; accumulate: buy on a schedule or on drops",
        "deal: ordem base, ordens de segurança, take-profit e recomeça; accumulate: compra por agenda ou em quedas",
        default="deal",
        choices=("deal", "accumulate"),
    ),
    Field(
        "preset",
        "choice",
        "Preset",
        "Perfil",
        "how deep and how steep the ladder is, where deviation and scales are not given",
        "quão funda e íngreme é a escada, onde desvio e escalas não são dados",
        default="standard",
        choices=("careful", "standard", "bold"),
    ),
    Field(
        "base_order",
        "amount",
        "Base order",
        "Ordem base",
        "value of a deal's first purchase; left out, the largest that the whole ladder can be paid with",
        "valor da primeira compra de um negócio; se omitido, o maior com que a escada inteira pode ser paga",
        optional=True,
        above_zero=True,
        aliases=("base_order_size", "base"),
    ),
    Field(
        "safety_order",
        "amount",
        "Safety order",
        "Ordem de segurança",
        "value of the first safety order; left out, as the base order",
        "valor da primeira ordem de segurança; se omitido, igual à ordem base",
        optional=True,
        above_zero=True,
        aliases=("safety_order_size",),
        group="ladder",
    ),
    Field(
        "deviation",
        "share",
        "Deviation",
        "Desvio",
        "how far below the base order the first safety order lies; left out, by the preset",
        "quão abaixo da ordem base fica a primeira ordem de segurança; se omitido, pelo perfil",
        optional=True,
        above_zero=True,
        most=Decimal(1),
        below_most=True,
        aliases=("price_deviation",),
        group="ladder",
    ),
    Field(
        "step_scale",
        "factor",
        "Step scale",
        "Escala do passo",
        "each further step down is so many times the one before; left out, by the preset",
        "cada passo seguinte é tantas vezes o anterior; se omitido, pelo perfil",
        optional=True,
        above_zero=True,
        most=Decimal(100),
        aliases=("safety_order_step_scale",),
        group="ladder",
    ),
    Field(
        "volume_scale",
        "factor",
        "Volume scale",
        "Escala do volume",
        "each further safety order is so many times the one before; left out, by the preset",
        "cada ordem de segurança seguinte é tantas vezes a anterior; se omitido, pelo perfil",
        optional=True,
        above_zero=True,
        most=Decimal(100),
        aliases=("safety_order_volume_scale",),
        group="ladder",
    ),
    Field(
        "safety_orders",
        "count",
        "Safety orders",
        "Ordens de segurança",
        "how many there are in a deal",
        "quantas há em um negócio",
        default="6",
        least=Decimal(0),
        most=Decimal(100),
        aliases=("max_safety_orders",),
        group="ladder",
    ),
    Field(
        "max_active",
        "count",
        "Active at once",
        "Ativas ao mesmo tempo",
        "how many safety orders rest in the book at once",
        "quantas ordens de segurança ficam no livro ao mesmo tempo",
        default="2",
        least=Decimal(1),
        most=Decimal(100),
        aliases=("max_active_safety_orders",),
        group="ladder",
    ),
    Field(
        "deviation_from",
        "choice",
        "Deviation from",
        "Desvio a partir de",
        "base: all steps are measured from the base order's price; previous: each from the price of the order before",
        "base: todos os passos medidos do preço da ordem base; previous: cada um do preço da ordem anterior",
        default="base",
        choices=("base", "previous"),
        group="ladder",
    ),
    Field(
        "take_profit",
        "share",
        "Take-profit",
        "Take-profit",
        "profit at which all is sold, after fees; deals have 0.015 where neither it nor targets are given",
        "lucro em que tudo é vendido, após taxas; negócios têm 0.015 se nem ele nem targets forem dados",
        optional=True,
        above_zero=True,
        most=Decimal(10),
        group="exit",
    ),
    Field(
        "take_profit_from",
        "choice",
        "Take-profit from",
        "Take-profit a partir de",
        "average: a share of all that the deal cost; base_order: the profit is that share of the base order",
        "average: parte de tudo o que o negócio custou; base_order: o lucro é essa parte da ordem base",
        default="average",
        choices=("average", "base_order"),
        group="exit",
    ),
    Field(
        "take_profit_gross",
        "flag",
        "Gross take-profit",
        "Take-profit bruto",
        "measure the take-profit on prices alone, before fees",
        "mede o take-profit só pelos preços, antes das taxas",
        default="no",
        aliases=("gross",),
        group="exit",
    ),
    Targets(
        "targets",
        "share",
        "Targets",
        "Alvos",
        "two to four take-profits with the shares they sell, such as 0.01:0.5,0.02:0.5",
        "dois a quatro take-profits com as partes que vendem, como 0.01:0.5,0.02:0.5",
        optional=True,
        group="exit",
    ),
    Field(
        "break_even",
        "flag",
        "Stop to break-even",
        "Stop no zero a zero",
        "once the first target is sold, the stop moves to where the rest loses nothing",
        "após a venda do primeiro alvo, o stop vai para onde o resto não perde nada",
        default="no",
        group="exit",
    ),
    Field(
        "trailing",
        "share",
        "Trailing",
        "Trailing",
        "from the take-profit on follow the price up, and sell at market once it falls by this share from its peak",
        "a partir do take-profit segue o preço e vende a mercado quando ele cai esta parte do pico",
        optional=True,
        above_zero=True,
        most=Decimal("0.5"),
        aliases=("trailing_deviation", "trail"),
        group="exit",
    ),
    Field(
        "stop_loss",
        "share",
        "Stop-loss",
        "Stop-loss",
        "sell all at market once the price is this share below the reference",
        "vende tudo a mercado quando o preço fica esta parte abaixo da referência",
        optional=True,
        above_zero=True,
        most=Decimal(1),
        below_most=True,
        group="exit",
    ),
    Field(
        "stop_loss_from",
        "choice",
        "Stop-loss from",
        "Stop-loss a partir de",
        "average: the deal's average price with fees; base_order: the base order's price",
        "average: o preço médio do negócio com taxas; base_order: o preço da ordem base",
        default="average",
        choices=("average", "base_order"),
        group="exit",
    ),
    Field(
        "cooldown",
        "duration",
        "Cooldown",
        "Pausa entre negócios",
        "wait after a deal is closed",
        "espera depois que um negócio fecha",
        default="60",
        least=Decimal(0),
        most=Decimal(31536000),
        group="deals",
    ),
    Field(
        "max_deals",
        "count",
        "Most deals",
        "Máximo de negócios",
        "the bot ends after so many",
        "o robô termina depois de tantos",
        optional=True,
        least=Decimal(1),
        most=Decimal(1000000),
        group="deals",
    ),
    Field(
        "deal_timeout",
        "duration",
        "Deal timeout",
        "Tempo limite",
        "a deal that is open so long is sold at market",
        "um negócio aberto por tanto tempo é vendido a mercado",
        optional=True,
        least=Decimal(60),
        most=Decimal(315360000),
        group="deals",
    ),
    Field(
        "reinvest",
        "flag",
        "Reinvest",
        "Reinvestir",
        "the next deal is larger by what was earned (smaller by what was lost)",
        "o próximo negócio cresce com o que se ganhou (encolhe com o que se perdeu)",
        default="no",
        group="deals",
    ),
    Field(
        "start_when",
        "choice",
        "Start when",
        "Início quando",
        "now: at once; price: at start_price; rsi: the RSI closes below rsi_below; signal: somebody outside says so",
        "now: já; price: em start_price; rsi: o RSI fecha abaixo de rsi_below; signal: alguém de fora avisa",
        default="now",
        choices=("now", "price", "rsi", "signal"),
        group="start",
    ),
    Field(
        "start_price",
        "price",
        "Start price",
        "Preço de início",
        "with start_when=price: a deal starts when the price gets there",
        "com start_when=price: um negócio começa quando o preço chega lá",
        optional=True,
        above_zero=True,
        aliases=("trigger_price",),
        group="start",
    ),
    Field(
        "rsi_below",
        "factor",
        "RSI below",
        "RSI abaixo de",
        "with start_when=rsi: the limit, 30 where not given",
        "com start_when=rsi: o limite, 30 se não for dado",
        optional=True,
        above_zero=True,
        most=Decimal(100),
        group="start",
    ),
    Field(
        "rsi_period",
        "count",
        "RSI period",
        "Período do RSI",
        "with start_when=rsi: candles in the average, 14 where not given",
        "com start_when=rsi: velas na média, 14 se não for dado",
        optional=True,
        least=Decimal(2),
        most=Decimal(500),
        group="start",
    ),
    Field(
        "timeframe",
        "timeframe",
        "Timeframe",
        "Tempo gráfico",
        "with start_when=rsi: length of its candles, 1h where not given",
        "com start_when=rsi: duração das velas, 1h se não for dada",
        optional=True,
        group="start",
    ),
)
"""In the order of a form; those of the other mode follow in `dca_schedule_fields.py`."""
