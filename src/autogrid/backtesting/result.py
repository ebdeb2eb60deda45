"""What a backtest gives: its figures, every fill, and the curves.

`Result.summary` is the object the command line prints with `--json`; its keys are a contract. Money in it is
text in plain decimals; shares and ratios are numbers; what cannot be said is None. Whatever shows a result
(the terminal, the page, the file) reads this and works out no figure of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autogrid.trading.money import text


@dataclass(frozen=True, slots=True)
class FillRow:
    """One fill, as it is listed."""

    at_ms: int
    """When, in ms since 1970 UTC."""
    side: str
    """`buy` or `sell`."""
    price: Decimal
    """Quote per base."""
    quantity: Decimal
    """Of the base asset."""
    fee: Decimal
    """Of `fee_asset`."""
    fee_asset: str
    slot: str
    """What the order was for: `7.3` is cell 7, third cycle; `open` and `exit` stand outside the cells."""
    profit: Decimal | None
    """Quote, after fees, of the round trip that this fill closed; None where it closed none."""
    why: str = ""
    """Why the order was placed, where the strategy said so, with values."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A finished backtest; arrays have one element a candle."""

    summary: Mapping[str, object]
    """The figures, by the names of the JSON contract."""
    fills: tuple[FillRow, ...]
    """Every fill, oldest first."""
    lines: tuple[Decimal, ...]
    """Prices of the grid's lines, lowest first; empty for a strategy without lines."""
    times: NDArray[np.int64]
    """int64 (n,): when each candle closed, ms since 1970 UTC."""
    prices: NDArray[np.float64]
    """float64 (n, 4): open, high, low, close in quote."""
    equity: NDArray[np.float64]
    """float64 (n,): equity in quote at each close."""
    holding: NDArray[np.float64]
    """float64 (n,): what the investment would be worth in quote at each close, had it been held as base."""
    drawdown: NDArray[np.float64]
    """float64 (n,): share below the highest equity so far, at each close; 0.05 is 5 %."""


def to_json(result: Result, curves: bool) -> dict[str, Any]:
    """The result as JSON can carry it: the summary alone, or with `curves` also every fill and every point.

    With `curves` are added `equity_curve` {time: ms UTC, equity: text, holding: text}, `drawdown_curve`
    {time, drawdown: share} and `fill_list`, one object a fill. The curves are complete: one point a candle.
    """
    summary = dict(result.summary)
    if not curves:
        return summary
    times = result.times.tolist()
    return summary | {
        "equity_curve": {
            "time": times,
            "equity": _texts(result.equity.tolist()),
            "holding": _texts(result.holding.tolist()),
        },
        "drawdown_curve": {"time": times, "drawdown": np.round(result.drawdown, 12).tolist()},
        "fill_list": [_fill(each) for each in result.fills],
    }


def _fill(row: FillRow) -> dict[str, Any]:
    return {
        "at": row.at_ms,
        "side": row.side,
        "price": text(row.price),
        "quantity": text(row.quantity),
        "fee": text(row.fee),
        "fee_asset": row.fee_asset,
        "slot": row.slot,
        "profit": None if row.profit is None else text(row.profit),
        "why": row.why,
    }


def _texts(values: Iterable[float]) -> list[str]:
    """Points of a curve to 8 decimals, without trailing zeros."""
    return [f"{value:.8f}".rstrip("0").rstrip(".") for value in values]
