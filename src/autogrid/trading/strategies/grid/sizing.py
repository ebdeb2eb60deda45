"""The arithmetic of a grid: its lines, which cells start full, how much each trades, and the least that works."""

from decimal import ROUND_CEILING, Context, Decimal, localcontext
from itertools import accumulate, pairwise, repeat
from operator import mul
from typing import NamedTuple

from autogrid.trading.market import Market, net_of
from autogrid.trading.money import ONE, UNIT, ZERO, Amount, Price, Quantity, Share, round_up, text
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid.config import GridSettings

CENT = Decimal("0.01")
FINE = Context(prec=90)
"""For products of a thousand irrational steps."""
AHEAD = 5
"""So many cells above the price does an infinity grid have open; the next come as these sell."""
MOST_LINES = 1_000
"""Between the lowest line of an infinity grid and its price at start, at most."""


def lines_of(settings: GridSettings, market: Market) -> tuple[Price, ...]:
    """The N + 1 lines on the tick, lowest first; none of an infinity grid.

    Raises `UnableToConfigure` where two fall together.
    """
    if settings.endless:
        return ()
    lines = _lines(settings, market, settings.grids)
    if _distinct(lines):
        return lines
    most = largest_count(settings, market)
    if most < 2:
        raise UnableToConfigure(
            "upper",
            f"between {text(settings.lower)} and {text(settings.upper or ZERO)} lie fewer than 3 prices of the tick "
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
    assert high is not None, "an infinity grid has no list of lines"
    if settings.spacing == "arithmetic":
        exact = [(low * (grids - i) + high * i) / grids for i in range(grids + 1)]
    else:
        with localcontext(FINE):
            ratio = (high / low) ** (Decimal(1) / grids)
            exact = list(accumulate(repeat(ratio, grids), mul, initial=low))
    return tuple(market.nearest_price(+line) for line in exact)  # to 60 digits first: a tie is then a tie


def line_at(settings: GridSettings, market: Market, number: int) -> Price:
    """The line that lies `number` steps above `lower` (below zero: beneath it), on the tick: from the unrounded step,
    so that nothing drifts. An arithmetic grid's may be zero or less.
    """
    low, high, grids = settings.lower, settings.upper, settings.grids
    with localcontext(FINE):
        if high is None:
            exact = low * (ONE + (settings.step or ZERO)) ** number
        elif settings.spacing == "arithmetic":
            exact = (low * (grids - number) + high * number) / grids
        else:
            exact = low * (high / low) ** (Decimal(number) / grids)
    return market.nearest_price(+exact)


def moved(settings: GridSettings, market: Market, price: Price, steps: int) -> Price:
    """`price` so many steps of the grid (a difference, or a ratio) higher, on the tick."""
    low, high, grids = settings.lower, settings.upper, settings.grids
    assert high is not None, "an infinity grid does not move"
    with localcontext(FINE):
        if settings.spacing == "arithmetic":
            exact = price + (high - low) * steps / grids
        else:
            exact = price * (high / low) ** (Decimal(steps) / grids)
    return market.nearest_price(+exact)


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
        funds, parts = funds_of_cells(settings, lines, market, investment, price)
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


def funds_of_cells(
    settings: GridSettings, lines: tuple[Price, ...], market: Market, investment: Amount, price: Price
) -> tuple[Amount, int]:
    """With `equal_quote` and a start at `price`: the quote that is divided, and among how many cells."""
    cells, empty = len(lines) - 1, empty_line(lines, price)
    if settings.start != "own":
        return min(working(settings, investment), investment - rounding_of_fees(cells, market)), cells
    if not empty:
        return (settings.own_base or ZERO) * price * (ONE + market.quote_fee), cells
    return min(working(settings, investment), investment - rounding_of_fees(cells, market)), empty


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
    if settings.endless:
        return _check_endless(settings, market, investment, price)
    check_profit(lines, market)
    _, least = least_investment(settings, lines, market, price)
    if investment < least:
        raise _too_little(investment, least, market, "fewer grids")
    sizes = sizes_at(settings, lines, market, investment, price)
    if settings.start == "own":
        _check_own(settings, lines, market, sizes)
    return sizes


def endless_lines(settings: GridSettings, market: Market, price: Price) -> tuple[Price, ...]:
    """The lines of an infinity grid that starts at `price`: from `lower` to `AHEAD` above the empty one."""
    lines = [line_at(settings, market, 0)]
    while len(lines) <= MOST_LINES and lines[-1] < price:
        lines.append(line_at(settings, market, len(lines)))
    count = len(lines)
    return (*lines, *(line_at(settings, market, count + more) for more in range(AHEAD)))


def kept_value(settings: GridSettings, market: Market, investment: Amount, price: Price) -> Amount:
    """The worth of coins, in quote, that an infinity grid which starts at `price` has at every line."""
    funds = min(working(settings, investment), investment - rounding_of_fees(MOST_LINES, market))
    return funds * settings.lower / price / (ONE + market.quote_fee)


def free_line(lines: tuple[Price, ...], price: Price) -> int:
    """Index of the line that starts without an order in an infinity grid: the nearest to `price`, in coins."""
    above = empty_line(lines, price)
    if not above or ONE / lines[above - 1] - ONE / price >= ONE / price - ONE / lines[above]:
        return above
    return above - 1


def held_shares(lines: tuple[Price, ...], price: Price) -> list[Decimal]:
    """The coins that an infinity grid holds at each line, for each quote of worth that it keeps."""
    free = free_line(lines, price)
    return [ONE / (price if number == free else line) for number, line in enumerate(lines)]


def endless_sizes(settings: GridSettings, market: Market, investment: Amount, price: Price) -> Sizes:
    """The sizes of an infinity grid that starts at `price`; `opening` is all that is bought at the start."""
    lines = endless_lines(settings, market, price)
    opening = market.quantity(kept_value(settings, market, investment, price) / price)
    value = opening * price
    buys = tuple(market.quantity(value * (more - less)) for more, less in pairwise(held_shares(lines, price)))
    return Sizes(price, free_line(lines, price), opening, buys)


def least_endless(settings: GridSettings, market: Market, price: Price) -> tuple[Quantity, Amount]:
    """As `least_investment`, of an infinity grid."""
    lines = endless_lines(settings, market, price)
    least = [least_for(floor, roof, market) for floor, roof in pairwise(lines)]
    shares = [more - less for more, less in pairwise(held_shares(lines, price))]
    value = max(quantity / share for quantity, share in zip(least, shares, strict=True))
    value = round_up(value / price, market.lot) * price
    needed = value * price / settings.lower * (ONE + market.quote_fee)
    funds = max(needed / (ONE - settings.reserve), needed + rounding_of_fees(MOST_LINES, market))
    return max(least), funds.quantize(CENT, ROUND_CEILING)


def _check_endless(settings: GridSettings, market: Market, investment: Amount, price: Price) -> Sizes:
    if price <= settings.lower:
        raise UnableToConfigure(
            "lower", f"lower is {text(settings.lower)}; with upper=none it must be below the price, {text(price)}"
        )
    lines = endless_lines(settings, market, price)
    if len(lines) > MOST_LINES + AHEAD:
        raise UnableToConfigure(
            "step", f"there are more than {MOST_LINES} steps between lower and {text(price)}; take a larger step"
        )
    if not _distinct(lines):
        raise UnableToConfigure(
            "step", f"two lines fall on the same price of the tick {text(market.tick)}; take a larger step"
        )
    check_profit(lines, market, "step")
    _, least = least_endless(settings, market, price)
    if investment < least:
        raise _too_little(investment, least, market, "a larger step")
    return endless_sizes(settings, market, investment, price)


def _too_little(investment: Amount, least: Amount, market: Market, instead: str) -> UnableToConfigure:
    return UnableToConfigure(
        "investment",
        f"an investment of {text(investment)} {market.quote} makes orders that the exchange refuses as too small; "
        f"at least {text(least)} {market.quote} are needed (or {instead})",
        "least investment",
    )


def check_profit(lines: tuple[Price, ...], market: Market, key: str = "grids") -> None:
    """Raises `UnableToConfigure` where a cell would not earn its fees."""
    fee = market.maker_fee
    lowest, _ = profit_range(lines, fee)
    if lowest <= 0:
        mend = "take a larger step" if key == "step" else "take fewer grids or a wider range"
        raise UnableToConfigure(
            key,
            f"the smallest step earns {text((lowest * 100).quantize(CENT))} % after fees; "
            f"steps must be above {text((break_even_step(fee) * 100).quantize(Decimal('0.0001'), ROUND_CEILING))} %: "
            f"{mend}",
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
