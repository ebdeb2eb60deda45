"""What a proposed grid says of itself: where each figure comes from, in English and in Brazilian Portuguese."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, NamedTuple

from autogrid.trading.market import Market
from autogrid.trading.money import ONE, UNIT, Amount, Price, Share, text

FEES_IN_STEP: Final = 6
WIDEST_STEP: Final = Decimal("0.03")


class Said(NamedTuple):
    """A sentence, or a few words, in English and in Brazilian Portuguese."""

    en: str
    pt: str


class Figures(NamedTuple):
    """What the past says of a market."""

    price: Price
    """P0, the last close."""
    sigma_day: Share
    """Sample deviation of daily log returns."""
    atr_hour: Amount
    """Wilder's average true range of 14 candles of one hour, in quote."""
    low: Price
    """The lowest price of the days looked at."""
    high: Price
    days: int
    """How many days were looked at."""


class Reason(NamedTuple):
    """Where one figure comes from."""

    key: str
    what: Said
    formula: str
    """With the numbers in it; empty where the figure was read off the candles."""
    value: str
    """The figure, with its unit."""
    why: Said


class Limit(NamedTuple):
    """So many grids at most, and what says so."""

    grids: int
    by: str
    """`formula`, `two`, `most`, `orders`, `tick`, `fees`, or the key of the refusal that one more would meet."""


def read_off(figures: Figures, market: Market) -> tuple[Reason, ...]:
    """The figures that were read off the candles."""
    price, sigma, atr, low, high, days = figures
    quote = market.quote
    return (
        Reason(
            "price",
            Said("Price P0", "Preço P0"),
            "",
            f"{text(price)} {quote}",
            Said("The last close.", "O último fechamento."),
        ),
        Reason(
            "sigma_day",
            Said("Daily movement σ", "Movimento diário σ"),
            "",
            percent(sigma),
            Said(
                f"How far a day's close lies from the one before: the sample deviation of the daily log returns of the "
                f"last {days} days.",
                f"Quanto o fechamento de um dia se afasta do anterior: o desvio amostral dos retornos logarítmicos "
                f"diários dos últimos {days} dias.",
            ),
        ),
        Reason(
            "atr_hour",
            Said("Movement of an hour, ATR", "Movimento de uma hora, ATR"),
            "",
            f"{text(atr)} {quote}",
            Said(
                "How far the price goes within an hour: Wilder's average true range of 14 candles of one hour.",
                "Quanto o preço anda em uma hora: a média de Wilder do range verdadeiro de 14 candles de uma hora.",
            ),
        ),
        Reason(
            "extremes",
            Said("Lowest and highest price traded", "Menor e maior preço negociado"),
            "",
            f"{text(low)} – {text(high)} {quote}",
            Said(f"Of the last {days} days.", f"Dos últimos {days} dias."),
        ),
    )


def range_reasons(
    figures: Figures, market: Market, bounds: tuple[Price, Price], wide_bounds: tuple[Price, Price]
) -> tuple[Reason, Reason]:
    """Of lower and upper; `wide_bounds` is what the formula alone gives."""
    price, sigma, _, low, high, days = figures
    made = []
    for end, sign, key, what, bound, word in (
        (0, "−", "lower", Said("Lowest price of the grid", "Preço mínimo da grade"), low, Said("lowest", "menor")),
        (1, "+", "upper", Said("Highest price of the grid", "Preço máximo da grade"), high, Said("highest", "maior")),
    ):
        found, formal = bounds[end], wide_bounds[end]
        wide = Said(
            "If the coming days move like the past ones, about 8 of 10 months end between the two prices of this "
            "formula; on the way it is left more often.",
            "Se os próximos dias se moverem como os passados, cerca de 8 em 10 meses terminam entre os dois preços "
            "desta fórmula; no caminho eles são ultrapassados mais vezes.",
        )
        held = Said(
            f"That is beyond the {word.en} price of the last {days} days, {text(bound)}, where the range ends.",
            f"Isso vai além do {word.pt} preço dos últimos {days} dias, {text(bound)}, onde a faixa termina.",
        )
        formula = (
            f"P0 · exp({sign}1.28 · σ · √30) = {text(price)} · exp({sign}1.28 · {text(sigma)} · √30) = {text(formal)}"
        )
        made.append(Reason(key, what, formula, f"{text(found)} {market.quote}", wide if found == formal else held))
    return made[0], made[1]


def step_reason(figures: Figures, market: Market, step: Share) -> Reason:
    """Of the step, with what bounds it."""
    half = (figures.atr_hour / 2 / figures.price).quantize(UNIT, ROUND_HALF_EVEN)
    fees = FEES_IN_STEP * market.maker_fee
    if step == half:
        why = Said(
            "Half of what the price moves within an hour, so that a line is met often.",
            "Metade do que o preço se move em uma hora, para que uma linha seja tocada com frequência.",
        )
    elif step == fees:
        why = Said(
            f"Half of an hour's movement is {percent(half)}; six fees of {percent(market.maker_fee)} are the least, "
            "so that two thirds of a step are left after both fees.",
            f"Metade do movimento de uma hora é {percent(half)}; seis taxas de {percent(market.maker_fee)} são o "
            "mínimo, para que sobrem dois terços do passo depois das duas taxas.",
        )
    else:
        why = Said(
            f"Half of an hour's movement is {percent(half)}; more than {percent(WIDEST_STEP)} would trade too rarely.",
            f"Metade do movimento de uma hora é {percent(half)}; acima de {percent(WIDEST_STEP)} negociaria raramente.",
        )
    formula = (
        f"ATR / 2 / P0 = {text(figures.atr_hour)} / 2 / {text(figures.price)}, "
        f"from {percent(fees)} (6 · f) to {percent(max(fees, WIDEST_STEP))}"
    )
    return Reason("step", Said("Step", "Passo"), formula, percent(step), why)


def grids_reason(
    bounds: tuple[Price, Price], step: Share, counted: int, found: Limit, market: Market, investment: Amount
) -> Reason:
    """Of the number of grids; `counted` is what the formula gives, `found` what was taken."""
    lower, upper = bounds
    formula = f"⌊ln({text(upper)} / {text(lower)}) / ln(1 + {text(step)})⌋ = {counted}"
    own = (upper / lower) ** (ONE / found.grids) - ONE
    wide = Said(f"Each step is then {percent(own)}.", f"Cada passo fica então em {percent(own)}.")
    cut = _cut(found, market, investment)
    why = Said(f"{cut.en} {wide.en}".strip(), f"{cut.pt} {wide.pt}".strip())
    return Reason("grids", Said("Number of grids", "Número de grades"), formula, str(found.grids), why)


def _cut(found: Limit, market: Market, investment: Amount) -> Said:
    """Why there are so many grids, where the formula gave another number."""
    n, funds = found.grids, f"{text(investment)} {market.quote}"
    match found.by:
        case "formula":
            return Said("So many steps fit between the two prices.", "Tantos passos cabem entre os dois preços.")
        case "two":
            return Said(
                "Fewer than two of these steps fit; two narrower ones still earn six fees.",
                "Menos de dois desses passos cabem; dois mais estreitos ainda rendem seis taxas.",
            )
        case "most":
            return Said(f"A grid has at most {n} cells.", f"Uma grade tem no máximo {n} células.")
        case "orders":
            return Said(
                f"The exchange lets {market.max_orders} orders rest; a grid takes at most 80 % of them, {n}.",
                f"A corretora permite {market.max_orders} ordens abertas; a grade usa no máximo 80 % delas, {n}.",
            )
        case "tick":
            return Said(
                f"With more than {n}, two lines would fall on the same price of the tick {text(market.tick)}.",
                f"Com mais de {n}, duas linhas cairiam no mesmo preço do tick {text(market.tick)}.",
            )
        case "fees":
            return Said(
                f"With more than {n}, a step rounded to the tick {text(market.tick)} would not earn its fees.",
                f"Com mais de {n}, um passo arredondado ao tick {text(market.tick)} não pagaria suas taxas.",
            )
        case _:
            return Said(
                f"{funds} pay for {n}; with more, an order would be too small for the exchange.",
                f"{funds} pagam {n}; com mais, uma ordem seria pequena demais para a corretora.",
            )


def warnings_of(figures: Figures, market: Market, lower: Price, upper: Price, step: Share) -> tuple[Said, ...]:
    """What to mind of a proposal."""
    found = []
    price = figures.price
    if price * (ONE + step) > upper:
        found.append(
            Said(
                f"The price is near the highest of the last {figures.days} days, where the range ends: most of the "
                "grid waits below it, and a further rise earns little.",
                f"O preço está perto do maior dos últimos {figures.days} dias, onde a faixa termina: quase toda a "
                "grade espera abaixo dele, e uma alta rende pouco.",
            )
        )
    if lower * (ONE + step) > price:
        found.append(
            Said(
                f"The price is near the lowest of the last {figures.days} days, where the range ends: almost all of "
                "the investment is spent at the start, and a further fall leaves the range.",
                f"O preço está perto do menor dos últimos {figures.days} dias, onde a faixa termina: quase todo o "
                "investimento é gasto no início, e uma nova queda sai da faixa.",
            )
        )
    if FEES_IN_STEP * market.maker_fee > WIDEST_STEP:
        found.append(
            Said(
                f"Six fees are {percent(FEES_IN_STEP * market.maker_fee)}, more than the widest step of "
                f"{percent(WIDEST_STEP)}: this account's fees are high for a grid.",
                f"Seis taxas são {percent(FEES_IN_STEP * market.maker_fee)}, mais que o maior passo de "
                f"{percent(WIDEST_STEP)}: as taxas desta conta são altas para uma grade.",
            )
        )
    return tuple(found)


def percent(share: Share) -> str:
    """A share for people: `0.62 %`, to three decimals."""
    return f"{text((share * 100).quantize(Decimal('0.001')))} %"
