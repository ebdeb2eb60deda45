"""What the figures of performance mean: each is defined here once, for backtest, paper and live.

Rules: equity is marked at 00:00 UTC and only whole UTC days count; the risk-free rate is 0; a year has 365
days (these markets never close), so deviations are annualised by √365; deviations are those of a sample
(ddof 1); with fewer than 30 daily returns an annualised figure is None, since it would be chance.

Money is Decimal. Returns and ratios are float: they are shares and pure numbers, never booked and never
summed into a balance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise

from autogrid.trading.money import UNIT

DAYS_PER_YEAR = 365
LEAST_DAYS = 30
"""Daily returns without which no annualised figure is given."""

DAY_MS = 86_400_000
_NOISE = 1e-12
"""A deviation below this share is the rounding of a division, not a movement: it counts as none."""


@dataclass(frozen=True, slots=True)
class Performance:
    """The figures of a run that come from its daily equities; every one is a share or a pure number."""

    days: int
    """Whole UTC days, the number of daily returns."""
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    best_day: float | None
    worst_day: float | None


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """What the closed round trips earned; a trip that earned exactly nothing is neither a win nor a loss."""

    count: int
    win_rate: float | None
    """Share of trips that earned more than nothing; None without trips."""
    avg_win: Decimal | None
    """Quote, rounded half-even to 8 decimals; None without wins."""
    avg_loss: Decimal | None
    """Quote, negative, rounded half-even to 8 decimals; None without losses."""
    profit_factor: float | None
    """All wins over all losses; None without losses."""


def performance(
    equities: Sequence[Decimal], max_drawdown: float, deposits: Sequence[Decimal] | None = None
) -> Performance:
    """All figures of a list of daily equities.

    `equities` are in quote, one for each 00:00 UTC mark, oldest first. `max_drawdown` is the share found on
    the finer curve (0.05 is 5 %). `deposits` as in `daily_returns`, whose errors apply.
    """
    returns = daily_returns(equities, deposits)
    growth = cagr(returns)
    return Performance(
        days=len(returns),
        cagr=growth,
        volatility=volatility(returns),
        sharpe=sharpe(returns),
        sortino=sortino(returns),
        calmar=calmar(growth, max_drawdown),
        best_day=max(returns, default=None),
        worst_day=min(returns, default=None),
    )


def daily_returns(equities: Sequence[Decimal], deposits: Sequence[Decimal] | None = None) -> list[float]:
    """The time-weighted return of each whole day, as a share.

    `deposits[i]` is what was paid in (negative: taken out) between mark i and mark i + 1, in quote; it counts
    as there from the day's beginning, so money that only arrives is no gain. A day that begins with nothing
    returns 0.

    Raises:
        ValueError: `deposits` is not exactly one shorter than `equities`.
    """
    days = max(len(equities) - 1, 0)
    paid = [Decimal(0)] * days if deposits is None else deposits
    if len(paid) != days:
        raise ValueError(f"{len(equities)} marks have {days} days, not {len(paid)} deposits")
    returns = []
    for (before, after), added in zip(pairwise(equities), paid, strict=True):
        at_work = before + added
        returns.append(float(after / at_work - 1) if at_work > 0 else 0.0)
    return returns


def volatility(returns: Sequence[float]) -> float | None:
    """Deviation of daily returns in a year, as a share; None with fewer than 30 days."""
    return None if len(returns) < LEAST_DAYS else _deviation(returns) * math.sqrt(DAYS_PER_YEAR)


def sharpe(returns: Sequence[float]) -> float | None:
    """Mean daily return per unit of deviation, annualised.

    0 where nothing moved; None with fewer than 30 days, and for gains without any deviation (no number).

    Source: W. F. Sharpe, The Sharpe Ratio, Journal of Portfolio Management 21 (1994).
    """
    return None if len(returns) < LEAST_DAYS else _annual_ratio(_mean(returns), _deviation(returns))


def sortino(returns: Sequence[float]) -> float | None:
    """Mean daily return per unit of downside deviation (√(Σ min(r, 0)² / (n - 1)) over all days), annualised.

    0 where nothing moved; None with fewer than 30 days, and for gains without any losing day.

    Source: F. A. Sortino and L. N. Price, Performance Measurement in a Downside Risk Framework (1994).
    """
    if len(returns) < LEAST_DAYS:
        return None
    downside = math.sqrt(math.fsum(min(each, 0.0) ** 2 for each in returns) / (len(returns) - 1))
    return _annual_ratio(_mean(returns), downside)


def cagr(returns: Sequence[float]) -> float | None:
    """Growth a year if the days' growth went on, as a share; None with fewer than 30 days.

    A total loss gives -1; growth too large for a float gives None.
    """
    if len(returns) < LEAST_DAYS:
        return None
    if min(returns) <= -1:
        return -1.0
    logarithm = math.fsum(math.log1p(each) for each in returns) * DAYS_PER_YEAR / len(returns)
    return math.expm1(logarithm) if logarithm < _LARGEST_LOGARITHM else None


_LARGEST_LOGARITHM = 700.0
"""e to the 709 is the largest float; growth beyond it is no figure to show."""


def calmar(growth: float | None, max_drawdown: float) -> float | None:
    """Yearly growth over the deepest fall (both shares); 0 for no growth, None for growth without a fall."""
    if growth is None:
        return None
    if max_drawdown > _NOISE:
        return growth / max_drawdown
    return 0.0 if abs(growth) <= _NOISE else None


def apr(profit: Decimal, investment: Decimal, elapsed_ms: int) -> float | None:
    """Profit a year as a share of the investment, never compounded: profit / investment / days · 365.

    `profit` and `investment` in quote. None in the first 24 hours, and without an investment.
    """
    if elapsed_ms < DAY_MS or investment <= 0:
        return None
    return float(profit / investment * DAY_MS / elapsed_ms * DAYS_PER_YEAR)


def round_trips(profits: Sequence[Decimal]) -> RoundTrips:
    """Statistics of closed round trips from the profit of each, in quote, after fees."""
    wins = [each for each in profits if each > 0]
    losses = [each for each in profits if each < 0]
    won, lost = sum(wins, Decimal(0)), sum(losses, Decimal(0))
    return RoundTrips(
        count=len(profits),
        win_rate=len(wins) / len(profits) if profits else None,
        avg_win=_average(won, len(wins)),
        avg_loss=_average(lost, len(losses)),
        profit_factor=float(won / -lost) if losses else None,
    )


def _average(total: Decimal, count: int) -> Decimal | None:
    return (total / count).quantize(UNIT, ROUND_HALF_EVEN) if count else None


def _annual_ratio(mean: float, deviation: float) -> float | None:
    if deviation > _NOISE:
        return mean / deviation * math.sqrt(DAYS_PER_YEAR)
    return 0.0 if abs(mean) <= _NOISE else None


def _mean(returns: Sequence[float]) -> float:
    return math.fsum(returns) / len(returns)


def _deviation(returns: Sequence[float]) -> float:
    mean = _mean(returns)
    deviation = math.sqrt(math.fsum((each - mean) ** 2 for each in returns) / (len(returns) - 1))
    return deviation if deviation > _NOISE else 0.0
