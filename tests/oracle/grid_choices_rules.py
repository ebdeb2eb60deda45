"""The extra choices of a grid, their settings and their lines, written from the documents alone.

Nothing here walks a tape; that is grid_choices_oracle.py. It shares no code with the engine. Where the documents
leave a choice, the comment says "CHOICES n", which is the number in GRID_CHOICES_NOTES.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

from tests.oracle.dca_rules import Market
from tests.oracle.grid_oracle import (
    ONE,
    ZERO,
    GridJob,
    are_distinct,
    check_job,
    down,
    half_even,
    net_profit,
    times_step,
)

WORDS = {
    "spacing": ("geometric", "arithmetic"),
    "sizing": ("equal_base", "equal_quote"),
    "start": ("market", "own", "wait"),
    "on_exit": ("sell", "hold"),
    "crossed": ("send", "wait"),
    "trailing_up": ("no", "yes"),
    "trailing_down": ("no", "yes"),
    "reverse": ("no", "yes"),
    "reinvest": ("no", "yes"),
}
NUMBERS = (
    *("lower", "upper", "grids", "step", "own_base", "reserve", "max_slippage", "trigger_price", "stop_loss"),
    *("take_profit", "trailing_up_limit", "trailing_down_limit", "total_profit_stop", "total_loss_stop", "stop_for"),
)
OPEN_CELLS = 5  # of an infinity grid, above the price


@dataclass(frozen=True)
class Choices:
    """Every setting, with the defaults filled in. None means: not wanted."""

    lower: Decimal
    upper: Decimal | None  # None: an infinity grid
    grids: int
    step: Decimal | None
    spacing: str
    sizing: str
    start: str
    own_base: Decimal
    reserve: Decimal
    trigger_price: Decimal | None
    stop_loss: Decimal | None
    take_profit: Decimal | None
    on_exit: str
    crossed: str
    trailing_up: bool
    trailing_down: bool
    trailing_up_limit: Decimal | None
    trailing_down_limit: Decimal | None
    reverse: bool
    reinvest: bool
    total_profit_stop: Decimal | None
    total_loss_stop: Decimal | None
    stop_for: int

    @property
    def trailing(self) -> bool:
        return self.trailing_up or self.trailing_down


# ---------------------------------------------------------------- settings


def choices_of(config: Mapping[str, str]) -> Choices:
    """The settings as written; what they do not allow together is refused."""
    for key, value in config.items():
        if key not in WORDS and key not in NUMBERS:
            raise ValueError(f"{key} is not known")
        if key in WORDS and value not in WORDS[key]:
            raise ValueError(f"{key} is one of {WORDS[key]}, not {value!r}")
    number = {key: Decimal(config[key]) for key in NUMBERS if key in config and config[key] != "none"}
    word = {key: config.get(key, offered[0]) for key, offered in WORDS.items()}
    infinity = config.get("upper") == "none"
    trailing = "yes" in (word["trailing_up"], word["trailing_down"])
    if "sizing" not in config and (trailing or infinity):
        word["sizing"] = "equal_quote"
    if "lower" not in number or (not infinity and ("upper" not in number or "grids" not in number)):
        raise ValueError("lower, upper and grids must be given")
    choices = Choices(
        number["lower"],
        number.get("upper"),
        int(number.get("grids", ZERO)),
        number.get("step"),
        word["spacing"],
        word["sizing"],
        word["start"],
        number.get("own_base", ZERO),
        number.get("reserve", Decimal("0.02")),
        number.get("trigger_price"),
        number.get("stop_loss"),
        number.get("take_profit"),
        word["on_exit"],
        word["crossed"],
        word["trailing_up"] == "yes",
        word["trailing_down"] == "yes",
        number.get("trailing_up_limit"),
        number.get("trailing_down_limit"),
        word["reverse"] == "yes",
        word["reinvest"] == "yes",
        number.get("total_profit_stop"),
        number.get("total_loss_stop"),
        int(number.get("stop_for", ZERO)),
    )
    check_together(choices)
    check_limits(choices)
    return choices


def check_together(choices: Choices) -> None:
    """Which choices exclude one another."""
    infinity = choices.upper is None
    if (choices.trailing or infinity) and choices.sizing != "equal_quote":
        raise ValueError("trailing and infinity need sizing=equal_quote")
    if choices.reverse and (choices.trailing or choices.reinvest or infinity):
        raise ValueError("trailing, reinvest and upper=none do not go with reverse")
    if infinity and (choices.trailing or choices.reinvest):
        raise ValueError("trailing and reinvest do not go with upper=none")
    if infinity and (choices.start != "market" or choices.spacing != "geometric" or choices.grids):
        raise ValueError("upper=none has a step, no grids, geometric spacing and starts at market")
    if infinity != (choices.step is not None):
        raise ValueError("step is for upper=none, and needed there")
    if (choices.own_base > 0) != (choices.start == "own"):
        raise ValueError("own_base is for start=own, and needed there")
    if choices.stop_for and choices.stop_loss is None:
        raise ValueError("stop_for goes with stop_loss")
    if choices.trailing_up_limit is not None and not choices.trailing_up:
        raise ValueError("trailing_up_limit goes with trailing_up=yes")
    if choices.trailing_down_limit is not None and not choices.trailing_down:
        raise ValueError("trailing_down_limit goes with trailing_down=yes")


def check_limits(choices: Choices) -> None:
    """The limits of the single numbers that the plain grid does not have."""
    if choices.lower <= 0 or not ZERO <= choices.reserve <= Decimal("0.5"):
        raise ValueError("lower must be above zero, the reserve from 0 to 0.5")
    if choices.step is not None and not ZERO < choices.step <= Decimal("0.5"):
        raise ValueError("step must be above 0, at most 0.5")
    high, low = choices.trailing_up_limit, choices.trailing_down_limit
    if high is not None and choices.upper is not None and high <= choices.upper:
        raise ValueError("trailing_up_limit must be above upper")
    if low is not None and not ZERO < low < choices.lower:
        raise ValueError("trailing_down_limit must be below lower")
    profit, loss = choices.total_profit_stop, choices.total_loss_stop
    if profit is not None and not ZERO < profit <= 1000:
        raise ValueError("total_profit_stop must be above 0, at most 1,000")
    if loss is not None and not ZERO < loss < ONE:
        raise ValueError("total_loss_stop must be above 0, below 1")
    if not 0 <= choices.stop_for <= 86_400:
        raise ValueError("stop_for must be from 0 to 86,400")


def plain_job(choices: Choices, market: Market, investment: Decimal) -> GridJob:
    """The grid without its extra choices, for the helpers of the plain oracle."""
    if choices.upper is None:
        raise ValueError("an infinity grid has no upper price")
    return GridJob(
        choices.lower,
        choices.upper,
        choices.grids,
        investment,
        spacing=choices.spacing,
        sizing=choices.sizing,
        start=choices.start,
        own_base=choices.own_base,
        reserve=choices.reserve,
        maker_fee=market.maker_fee,
        taker_fee=market.taker_fee,
        fee_in=market.fee_in,
        tick=market.tick,
        lot=market.lot,
        min_notional=market.min_notional,
        stop_loss=choices.stop_loss,
        take_profit=choices.take_profit,
        trigger_price=choices.trigger_price,
        on_exit=choices.on_exit,
    )


def check_before(choices: Choices, market: Market, investment: Decimal, first_open: Decimal) -> None:
    """Everything that can be refused before a price is known to start from."""
    price = first_open if choices.trigger_price is None else choices.trigger_price
    if choices.upper is not None:
        check_job(plain_job(choices, market, investment), first_open)
        return
    if investment <= 0:
        raise ValueError("the investment must be above zero")
    check_infinity(choices, market, price)


def check_infinity(choices: Choices, market: Market, price: Decimal) -> None:
    """The price, the stops and the lines of an infinity grid; gives nothing, refuses with a reason."""
    if price <= choices.lower:
        raise ValueError("an infinity grid starts above lower")
    if choices.stop_loss is not None and choices.stop_loss >= choices.lower:
        raise ValueError("the stop-loss must be below the lower bound and the price")
    if choices.take_profit is not None and choices.take_profit <= price:
        raise ValueError("the take-profit must be above the price")
    lines = Lines(choices, market.tick)
    rows = [lines.at(0)]
    while rows[-1] <= price and len(rows) <= 1001:
        rows.append(lines.at(len(rows)))
    if len(rows) > 1001:
        raise ValueError("more than 1,000 lines lie between lower and the price")
    rows += [lines.at(len(rows) + more) for more in range(OPEN_CELLS)]
    if not are_distinct(rows):
        raise ValueError("lines are not distinct on the tick")
    if any(net_profit(low, high, market.maker_fee) <= 0 for low, high in pairwise(rows)):
        raise ValueError("net profit per grid is not above zero")


# ---------------------------------------------------------------- lines


def root_on_tick(start: Decimal, ratio: Fraction, steps: int, grids: int, tick: Decimal) -> Decimal:
    """start * ratio^(steps/grids), half-even on the tick, decided by whole powers: no precision is too little."""
    target = (Fraction(start) / Fraction(tick)) ** grids * ratio**steps
    with localcontext(Context(prec=60)):
        share = Decimal(ratio.numerator) / Decimal(ratio.denominator)
        count = int(start * (share.ln() * steps / grids).exp() / tick)
    while Fraction(count) ** grids > target:
        count -= 1
    while Fraction(count + 1) ** grids <= target:
        count += 1
    middle = Fraction(2 * count + 1, 2) ** grids
    if target > middle or (target == middle and count % 2 == 1):
        count += 1
    return times_step(count, tick)


class Lines:
    """The lines of a grid by their number, 0 at `lower`, from the unrounded step; any number may be asked for."""

    def __init__(self, choices: Choices, tick: Decimal) -> None:
        self.choices = choices
        self.tick = tick
        self.known: dict[int, Decimal] = {}

    def at(self, number: int) -> Decimal:
        """The line of that number."""
        if number not in self.known:
            self.known[number] = self.moved(self.choices.lower, number)
        return self.known[number]

    def moved(self, price: Decimal, steps: int) -> Decimal:
        """A price, so many steps higher, on the tick (CHOICES 5)."""
        one = self.choices
        if one.step is not None:
            return half_even(Fraction(price) * (1 + Fraction(one.step)) ** steps, self.tick)
        if one.upper is None:
            raise ValueError("upper=none needs a step")
        if one.spacing == "arithmetic":
            distance = (Fraction(one.upper) - Fraction(one.lower)) / one.grids
            return half_even(Fraction(price) + steps * distance, self.tick)
        return root_on_tick(price, Fraction(one.upper) / Fraction(one.lower), steps, one.grids, self.tick)


# ---------------------------------------------------------------- sizes


def size_fee(market: Market) -> Fraction:
    """The f of the size rules: the larger rate (NOTES 1 of the plain grid)."""
    return Fraction(max(market.maker_fee, market.taker_fee))


def fee_on_top(market: Market) -> Fraction:
    """What one quote spent on coins costs altogether: 1, or 1 + f with fees in quote."""
    return 1 + size_fee(market) if market.fee_in == "quote" else Fraction(1)


def too_small(market: Market, quantity: Decimal, low: Decimal, high: Decimal) -> bool:
    """Whether a cell's buy, or the sell that answers it, is under the exchange's least order."""
    left = Fraction(quantity) * (1 - (size_fee(market) if market.fee_in == "received" else 0))
    sold = down(left, market.lot)
    return sold <= 0 or quantity * low < market.min_notional or sold * high < market.min_notional


def infinity_worth(choices: Choices, market: Market, investment: Decimal, price: Decimal) -> Fraction:
    """V = I(1-reserve)*L/P0, over 1 + f with fees in quote."""
    money = Fraction(investment) * (1 - Fraction(choices.reserve)) / fee_on_top(market)
    return money * Fraction(choices.lower) / Fraction(price)


def nearest_line(lines: Lines, price: Decimal) -> int:
    """The number of the line nearest to P0 in price; of two as near the upper one (CHOICES 20)."""
    above = 0
    while lines.at(above) < price:
        above += 1
    if above == 0 or lines.at(above) - price <= price - lines.at(above - 1):
        return above
    return above - 1
