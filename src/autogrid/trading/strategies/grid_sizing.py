"""The arithmetic of a grid: its lines, which cells start full, how much each trades, and the least that works."""

from decimal import ROUND_CEILING, Context, Decimal, localcontext
from itertools import accumulate, pairwise, repeat
from operator import mul
from typing import NamedTuple

from autogrid.trading.market import Market, net_of
from autogrid.trading.money import ONE, UNIT, ZERO, Amount, Price, Quantity, Share, round_up, text
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid_config import GridSettings

CENT = Decimal("0.01")
FINE = Context(prec=90)
"""For products of a thousand irrational steps."""


def lines_of(settings: GridSettings, market: Market) -> tuple[Price, ...]:
    """The N + 1 lines on the tick, lowest first. Raises `UnableToConfigure` where two fall together."""
    lines = _lines(settings, market, settings.grids)
    if _distinct(lines):
        return lines
    most = largest_count(settings, market)
    if most < 2:
        raise UnableToConfigure(
            "upper",
            f"between {text(settings.lower)} and {text(settings.upper)} lie fewer than 3 prices of the tick "
            f"{text(market.tick)}; widen the range",
            "lines fall together",
        )
    raise UnableToConfigure(
        "grids",
        f"{settings.grids} grids put two lines on the same price of the tick {text(market.tick)}; at most {most} fit",
        "lines fall together",
    )


def _lines(settings: GridSettings, market: Market, grids: int) -> tuple[Price, ...]:
    low, high = settings.lower, settings.upper
    if settings.spacing == "arithmetic":
        exact = [(low * (grids - i) + high * i) / grids for i in range(grids + 1)]
    else:
        with localcontext(FINE):
            ratio = (high / low) ** (Decimal(1) / grids)
            exact = list(accumulate(repeat(ratio, grids), mul, initial=low))
    return tuple(market.nearest_price(+line) for line in exact)  # to 60 digits first: a tie is then a tie


def _distinct(lines: tuple[Price, ...]) -> bool:
    return lines[0] > 0 and all(a < b for a, b in pairwise(lines))


def largest_count(settings: GridSettings, market: Market) -> int:
    """The largest number of grids, up to 1,000, whose lines stay distinct; 0 where none does."""
    works, fails = 0, min(settings.grids, 1001)
    while fails - works > 1:
        middle = (works + fails) // 2
        if _distinct(_lines(settings, market, middle)):
            works = middle
        else:
            fails = middle
    return works


def empty_line(lines: tuple[Price, ...], price: Price) -> int:
    """Index of the line that starts without an order: the one at `price`, else the next above, else the highest."""
    return next((i for i, line in enumerate(lines) if line >= price), len(lines) - 1)


class Sizes(NamedTuple):
    """How much each cell of a grid that starts at `price` trades."""

    price: Price
    empty: int
    """Index of the line without an order; cells from this index on start full."""
    opening: Quantity
    """Base for each cell that starts full."""
    buys: tuple[Quantity, ...]
    """Base of each cell's own buy, lowest cell first."""


def working(settings: GridSettings, investment: Amount) -> Amount:
    """What of the investment is placed."""
    return investment * (ONE - settings.reserve)


def rounding_of_fees(cells: int, market: Market) -> Amount:
    """Quote that fees may take beyond their rate, since each is rounded up: of every cell's buy and of the opening."""
    return (cells + 1) * UNIT if market.quote_fee else ZERO


def sizes_at(
    settings: GridSettings, lines: tuple[Price, ...], market: Market, investment: Amount, price: Price
) -> Sizes:
    """The sizes of a grid that starts at `price`; quantities may be zero where the investment is too small."""
    cells = len(lines) - 1
    empty = empty_line(lines, price)
    full = cells - empty
    funds = min(working(settings, investment), investment - rounding_of_fees(cells, market))
    loading = ONE + market.quote_fee
    lot = market.lot
    if settings.sizing == "equal_quote":
        parts = empty if settings.start == "own" and empty else cells
        if settings.start == "own" and not empty:
            funds = (settings.own_base or ZERO) * price * loading
        buys = tuple(funds // (parts * loading * floor * lot) * lot for floor in lines[:-1])
        opening = funds // (parts * loading * price * lot) * lot
    else:
        spent = sum(lines[:cells] if settings.start == "wait" else lines[:empty], ZERO)
        if settings.start == "market":
            spent += full * price
        if spent:
            quantity = funds // (spent * loading * lot) * lot
        else:
            quantity = (settings.own_base or ZERO) // (full * lot) * lot
        buys = (quantity,) * cells
        opening = quantity
    return Sizes(price, empty, opening if full else ZERO, buys)


def net_profit(low: Price, high: Price, fee: Share) -> Share:
    """What a round trip between two lines earns after both fees: (1 - f)^2 * high / low - 1."""
    return net_of(fee) ** 2 * high / low - ONE


def break_even_step(fee: Share) -> Share:
    """The step at which a round trip earns nothing: 1 / (1 - f)^2 - 1."""
    return ONE / net_of(fee) ** 2 - ONE


def profit_range(lines: tuple[Price, ...], fee: Share) -> tuple[Share, Share]:
    """The lowest and the highest net profit of a cell."""
    profits = [net_profit(low, high, fee) for low, high in pairwise(lines)]
    return min(profits), max(profits)


def sold_of(bought: Quantity, market: Market) -> Quantity:
    """What a cell can sell of a buy of `bought`, after a base fee, on the lot."""
    return market.quantity(bought * net_of(market.most_base_fee))


def least_for(floor: Price, roof: Price, market: Market) -> Quantity:
    """The smallest buy at `floor` that the exchange takes and whose sell at `roof` it takes too."""
    quantity = market.least_quantity(floor)
    least_sell = market.least_quantity(roof)
    if sold_of(quantity, market) < least_sell:
        quantity = max(quantity, round_up(least_sell / net_of(market.most_base_fee), market.lot))
        while sold_of(quantity, market) < least_sell:
            quantity += market.lot
    return quantity


def least_investment(
    settings: GridSettings, lines: tuple[Price, ...], market: Market, price: Price
) -> tuple[Quantity, Amount]:
    """The smallest buy (base; for equal_quote the largest of the cells' own least) and the investment it takes.

    The investment is rounded up to the cent.
    """
    cells = len(lines) - 1
    empty = empty_line(lines, price)
    pairs = list(pairwise(lines))
    least = [least_for(floor, roof, market) for floor, roof in pairs]
    loading = ONE + market.quote_fee
    if settings.sizing == "equal_base":
        quantity = max(least)
        spent = sum(lines[:cells] if settings.start == "wait" else lines[:empty], ZERO)
        if settings.start == "market":
            spent += (cells - empty) * price
        needed = quantity * spent * loading
    else:
        quantity = max(least)
        values = [q * floor for q, (floor, _) in zip(least, pairs, strict=True)]
        if settings.start == "market":
            values += [least_for(price, roof, market) * price for _, roof in pairs[empty:]]
        parts = empty if settings.start == "own" else cells
        needed = max(values) * parts * loading
    least_funds = max(needed / (ONE - settings.reserve), needed + rounding_of_fees(cells, market))
    return quantity, least_funds.quantize(CENT, ROUND_CEILING)


def check_start(
    settings: GridSettings, lines: tuple[Price, ...], market: Market, investment: Amount, price: Price
) -> Sizes:
    """The sizes of a grid that starts at `price`. Raises `UnableToConfigure` where it cannot be traded."""
    if settings.stop_loss is not None and settings.stop_loss >= price:
        raise UnableToConfigure(
            "stop_loss",
            f"stop_loss is {text(settings.stop_loss)}; it must be below the price at start, {text(price)}",
        )
    if settings.take_profit is not None and settings.take_profit <= price:
        raise UnableToConfigure(
            "take_profit",
            f"take_profit is {text(settings.take_profit)}; it must be above the price at start, {text(price)}",
        )
    check_profit(lines, market)
    _, least = least_investment(settings, lines, market, price)
    if investment < least:
        raise UnableToConfigure(
            "investment",
            f"an investment of {text(investment)} {market.quote} makes orders that the exchange refuses as too small; "
            f"at least {text(least)} {market.quote} are needed (or fewer grids)",
            "least investment",
        )
    sizes = sizes_at(settings, lines, market, investment, price)
    if settings.start == "own":
        _check_own(settings, lines, market, sizes)
    return sizes


def check_profit(lines: tuple[Price, ...], market: Market) -> None:
    """Raises `UnableToConfigure` where a cell would not earn its fees."""
    fee = market.maker_fee
    lowest, _ = profit_range(lines, fee)
    if lowest <= 0:
        raise UnableToConfigure(
            "grids",
            f"the smallest step earns {text((lowest * 100).quantize(CENT))} % after fees; "
            f"steps must be above {text((break_even_step(fee) * 100).quantize(Decimal('0.0001'), ROUND_CEILING))} %: "
            "take fewer grids or a wider range",
            "net profit per grid is not above zero",
        )


def _check_own(settings: GridSettings, lines: tuple[Price, ...], market: Market, sizes: Sizes) -> None:
    full = len(lines) - 1 - sizes.empty
    if not full:
        return
    least = max(sizes.opening, *(market.least_quantity(roof) for roof in lines[sizes.empty + 1 :]))
    needed = least * full
    if not sizes.empty:  # what the coins bring pays for the buys too, which must be large enough to be sold again
        buys = [(least_for(low, high, market), low) for low, high in pairwise(lines)]
        if settings.sizing == "equal_quote":
            worth = max(quantity * low for quantity, low in buys)
            needed = max(needed, round_up(worth * full / sizes.price, market.lot))
        else:
            needed = max(needed, max(quantity for quantity, _ in buys) * full)
    if (settings.own_base or ZERO) < needed or sizes.opening < least:
        raise UnableToConfigure(
            "own_base",
            f"own_base is {text(settings.own_base or ZERO)}; {full} cells above the price need at least "
            f"{text(needed)} {market.base}",
        )
