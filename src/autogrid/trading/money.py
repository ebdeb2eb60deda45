"""Exact figures: how they are read, rounded and written.

Every figure of money is a `Decimal` read from text. A process calls `use_exact_figures` once per thread before it
trades: 60 significant digits, so that no sum or product of prices and quantities is ever rounded by accident, and a
trap for floats, because a float that slips into a sum stays wrong for ever. Rounding is always named: a quantity goes
down, a fee goes up, a line of a grid goes to the nearest tick.
"""

from decimal import (
    ROUND_HALF_EVEN,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    InvalidOperation,
    Overflow,
    setcontext,
)
from typing import TypeAlias

Price: TypeAlias = Decimal
"""Quote per one base, such as USDT per BTC."""

Quantity: TypeAlias = Decimal
"""Of the base asset."""

Amount: TypeAlias = Decimal
"""Of the asset named beside it; of the quote asset where none is named."""

Share: TypeAlias = Decimal
"""A fraction: 0.05 is five per cent."""

ZERO = Decimal(0)
ONE = Decimal(1)
UNIT = Decimal("0.00000001")
"""The eighth decimal: fees and costs are kept to it."""

LARGEST = Decimal(10) ** 18
"""A figure beyond this is a slip of the pen, not money."""

EXACT = Context(prec=60, traps=[DivisionByZero, FloatOperation, InvalidOperation, Overflow])
"""The context of all money: sums and products are exact, floats are refused."""


class UnableToReadFigure(ValueError):
    """A text is not a figure of money. The sentence says what would be."""

    code = "not-a-figure"


def use_exact_figures() -> None:
    """Make this thread (or task) calculate in `EXACT`."""
    setcontext(EXACT.copy())


def figure(text: str) -> Decimal:
    """`text` as an exact figure: plain or with an exponent, finite, below 10^18 and no finer than 10^-18.

    Raises `UnableToReadFigure`.
    """
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        number = None
    if number is None or not text.isascii() or "_" in text:
        raise UnableToReadFigure(f"'{text}' is not a number; write it like 0.001 or 98000") from None
    if not number.is_finite():
        raise UnableToReadFigure(f"'{text}' is not a finite number; write it like 0.001 or 98000")
    if abs(number) >= LARGEST:
        raise UnableToReadFigure(f"'{text}' is too large; the largest figure is below 10^18")
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -18 and number != number.quantize(Decimal("1e-18"), context=EXACT):
        raise UnableToReadFigure(f"'{text}' has more than 18 decimals")
    return number


def text(number: Decimal) -> str:
    """`number` as people and JSON get it: plain decimals, no exponent, no trailing zeros."""
    plain = format(number, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain == "-0" else plain


def round_down(number: Decimal, step: Decimal) -> Decimal:
    """The greatest multiple of `step` that is not above `number`, which is zero or more."""
    return number // step * step


def round_up(number: Decimal, step: Decimal) -> Decimal:
    """The least multiple of `step` that is not below `number`, which is zero or more."""
    below = number // step * step
    return below if below == number else below + step


def round_nearest(number: Decimal, step: Decimal) -> Decimal:
    """The nearest multiple of `step`; half-way goes to the even one."""
    return (number / step).to_integral_value(ROUND_HALF_EVEN) * step


def fee_due(traded: Decimal, rate: Share, charged: Amount) -> Amount:
    """The fee of an order that has `traded` so far in all, less what it was `charged` already.

    The whole is rounded up to the eighth decimal, so that it does not matter into how many fills an order was cut.
    """
    return (traded * rate).quantize(UNIT, ROUND_UP) - charged


def part_of(cost: Amount, part: Quantity, whole: Quantity) -> Amount:
    """The share of `cost` that falls on `part` of `whole`, half-even to the eighth decimal."""
    return (cost * part / whole).quantize(UNIT, ROUND_HALF_EVEN)
