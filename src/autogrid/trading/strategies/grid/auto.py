"""A grid proposed from a market's past: its range, its step and its number of grids, each with the reasoning.

With P0 the price, σ the sample deviation of daily log returns and f the fee of a resting order:

    lower, upper = P0 · exp(∓1.28 · σ · √30), no further than the lowest and the highest price of the days looked at
    step         = ATR / 2 / P0, at least 6 · f and at most 3 %; where 6 · f is more than 3 %, it is 6 · f
    grids        = ⌊ln(upper / lower) / ln(1 + step)⌋, at most 80 % of the orders that the exchange lets rest, 1,000,
                   as many as have their own prices on the tick, and as many as the investment can pay

Exponentials and logarithms are those of `Decimal`, to 60 digits. Whatever is proposed has been built and checked.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Final, NamedTuple

from autogrid.trading.market import Market
from autogrid.trading.money import EXACT, ONE, UNIT, Amount, Price, Share, text
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid.auto_words import (
    FEES_IN_STEP,
    WIDEST_STEP,
    Figures,
    Limit,
    Reason,
    Said,
    grids_reason,
    percent,
    range_reasons,
    read_off,
    step_reason,
    warnings_of,
)
from autogrid.trading.strategies.grid.grid import Grid
from autogrid.trading.strategies.grid.sizing import least_investment

DEVIATIONS: Final = Decimal("1.28")
"""Eight of ten of a normal distribution lie within so many deviations."""
HORIZON_DAYS: Final = Decimal(30)
SHARE_OF_CAP: Final = Decimal("0.8")
FEWEST: Final = 2
MOST: Final = 1000
GREATEST_EXPONENT: Final = Decimal(50)
"""A range of more than e to the 50 is the past's low and high in any case."""
HAIR: Final = Decimal("1e-40")
"""Two logarithms rounded at the 60th digit may miss a whole number by less than this."""
PROPOSED: Final = ("lower", "upper", "grids")
FEWER_HELPS: Final = ("grids", "investment", "own_base")
"""What a refusal may be about, where fewer grids can mend it."""
BY_RULE: Final = {"lines fall together": "tick", "net profit per grid is not above zero": "fees"}
"""What a refused rule of the grid is called among the limits."""


class Proposal(NamedTuple):
    """A grid that can be built and paid."""

    lower: Price
    upper: Price
    grids: int
    step: Share
    """The step that the grids were counted with, to 8 decimals; the grid's own steps are not narrower, unless only two
    fit."""
    reasons: tuple[Reason, ...]
    warnings: tuple[Said, ...]

    def config(self, settings: Mapping[str, str]) -> dict[str, str]:
        """`settings` with what is proposed beside them, as a grid's configuration."""
        return _config(settings, self.lower, self.upper, self.grids)


def propose(figures: Figures, market: Market, investment: Amount, settings: Mapping[str, str]) -> Proposal:
    """The proposal for a grid of `investment` quote with the further `settings`.

    Raises `UnableToConfigure` where no grid of these figures can be traded, with what would help.
    """
    for key in PROPOSED:
        if key in settings:
            raise UnableToConfigure(key, f"{key} is what is proposed; leave it out, and change the proposal afterwards")
    if settings.get("spacing", "geometric") != "geometric":
        raise UnableToConfigure("spacing", "spacing: a proposal has equal steps in per cent; leave spacing out")
    _check(figures)
    lower, upper = range_of(figures.price, figures.sigma_day, figures.low, figures.high, market)
    if lower >= upper:
        raise UnableToConfigure(
            "upper",
            f"the price hardly moved: the range would go from {text(lower)} to {text(upper)}; "
            "no grid can earn there, take another market",
        )
    step = step_of(figures, market.maker_fee)
    counted = count_of(lower, upper, step)
    most = _most(lower, upper, counted, market)
    found = _fitting(_Wanted(figures.price, lower, upper, market, investment, settings), most)
    reasons = (
        *read_off(figures, market),
        *range_reasons(figures, market, (lower, upper), wide_range(figures.price, figures.sigma_day, market)),
        step_reason(figures, market, step),
        grids_reason((lower, upper), step, counted, found, market, investment),
    )
    return Proposal(lower, upper, found.grids, step, reasons, warnings_of(figures, market, lower, upper, step))


def _check(figures: Figures) -> None:
    price, sigma, atr, low, high, _ = figures
    if not (price > 0 and low > 0 and sigma >= 0 and atr >= 0 and low <= price <= high):
        raise UnableToConfigure(
            "figures",
            f"the price {text(price)}, the low {text(low)}, the high {text(high)}, the deviation {text(sigma)} and the "
            f"average true range {text(atr)} are no figures of one market",
        )


def wide_range(price: Price, sigma_day: Share, market: Market) -> tuple[Price, Price]:
    """What the formula alone gives for lower and upper, on the tick, rounded inwards."""
    with localcontext(EXACT):
        reach = min(DEVIATIONS * sigma_day * HORIZON_DAYS.sqrt(), GREATEST_EXPONENT).exp()
        return market.price_up(price / reach), market.price_down(price * reach)


def range_of(price: Price, sigma_day: Share, low: Price, high: Price, market: Market) -> tuple[Price, Price]:
    """Lower and upper within the past's low and high, on the tick; they may meet or cross where nothing moves."""
    lower, upper = wide_range(price, sigma_day, market)
    return max(lower, market.price_up(low)), min(upper, market.price_down(high))


def step_of(figures: Figures, fee: Share) -> Share:
    """Half the average true range as a share of the price, to 8 decimals, within six fees and 3 %."""
    half = (figures.atr_hour / 2 / figures.price).quantize(UNIT, ROUND_HALF_EVEN)
    return max(min(half, WIDEST_STEP), FEES_IN_STEP * fee)


def count_of(lower: Price, upper: Price, step: Share) -> int:
    """How many whole steps lie between the two prices; 1,000 for a step of nothing."""
    if step <= 0:
        return MOST
    with localcontext(EXACT):
        return int((upper / lower).ln() / (ONE + step).ln() + HAIR)


def _most(lower: Price, upper: Price, counted: int, market: Market) -> Limit:
    """The count within what the strategy and the exchange allow. Raises `UnableToConfigure` below two."""
    limits = [Limit(counted, "formula"), Limit(MOST, "most")]
    if counted < FEWEST:
        _check_two(lower, upper, market)
        limits[0] = Limit(FEWEST, "two")
    if market.max_orders is not None:
        limits.append(Limit(int(market.max_orders * SHARE_OF_CAP), "orders"))
    most = min(limits, key=lambda limit: limit.grids)
    if most.grids < FEWEST:
        raise UnableToConfigure(
            "grids", f"the exchange lets {market.max_orders} orders rest; 80 % of that is too few for a grid"
        )
    return most


def _check_two(lower: Price, upper: Price, market: Market) -> None:
    """Raises `UnableToConfigure` unless two steps, narrower than wished, still earn six fees."""
    least = FEES_IN_STEP * market.maker_fee
    if (upper / lower).sqrt() - ONE < least:
        raise UnableToConfigure(
            "upper",
            f"the range from {text(lower)} to {text(upper)} is too narrow for two steps of six fees "
            f"({percent(least)} each); take another market, or one with lower fees",
        )


class _Wanted(NamedTuple):
    price: Price
    lower: Price
    upper: Price
    market: Market
    investment: Amount
    settings: Mapping[str, str]

    def config(self, grids: int) -> dict[str, str]:
        return _config(self.settings, self.lower, self.upper, grids)

    def refusal(self, grids: int) -> UnableToConfigure | None:
        """Why a grid of so many cannot be traded, where fewer may help; None where it can. Raises the others."""
        try:
            grid = Grid(self.config(grids), self.market, self.investment)
            grid.check(grid.trigger or self.price)
        except UnableToConfigure as error:
            if error.key not in FEWER_HELPS:
                raise
            return error
        return None


def _fitting(wanted: _Wanted, most: Limit) -> Limit:
    """The largest number of grids up to `most` that was found to work, and what limits it.

    Raises `UnableToConfigure` where not even two do.
    """
    refusal = wanted.refusal(most.grids)
    if refusal is None:
        return most
    last = wanted.refusal(FEWEST) if most.grids > FEWEST else refusal
    if last is not None:
        raise _too_few(wanted, last)
    works, fails = FEWEST, most.grids
    while fails - works > 1:
        middle = (works + fails) // 2
        found = wanted.refusal(middle)
        if found is None:
            works = middle
        else:
            fails, refusal = middle, found
    return Limit(works, BY_RULE.get(refusal.rule, refusal.key))


def _too_few(wanted: _Wanted, refusal: UnableToConfigure) -> UnableToConfigure:
    """The refusal of two grids; of the investment in its own words, since fewer grids there are not."""
    if refusal.key != "investment":
        return refusal
    grid = Grid(wanted.config(FEWEST), wanted.market, wanted.investment)
    _, least = least_investment(grid.settings, grid.lines, wanted.market, grid.trigger or wanted.price)
    quote = wanted.market.quote
    return UnableToConfigure(
        "investment",
        f"an investment of {text(wanted.investment)} {quote} is too small even for 2 grids from {text(wanted.lower)} "
        f"to {text(wanted.upper)}; at least {text(least)} {quote} are needed",
        refusal.rule,
    )


def _config(settings: Mapping[str, str], lower: Price, upper: Price, grids: int) -> dict[str, str]:
    return {**settings, "lower": text(lower), "upper": text(upper), "grids": str(grids)}
