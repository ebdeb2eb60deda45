"""The definitions of performance, against figures worked by hand or by another formula."""

import math
import statistics
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.trading import performance

DAY_MS = 86_400_000


def equities(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


def alternating(up: str, down: str, days: int) -> list[Decimal]:
    """Equities whose days return `up`, `down`, `up`, … exactly, from 1000."""
    marks = [Decimal(1000)]
    for day in range(days):
        marks.append(marks[-1] * (1 + Decimal(up if day % 2 == 0 else down)))
    return marks


def test_a_daily_return_is_the_share_gained_between_two_midnights() -> None:
    assert performance.daily_returns(equities("100", "110", "99")) == pytest.approx([0.1, -0.1], abs=1e-15)


def test_money_that_only_arrives_is_no_gain() -> None:
    returns = performance.daily_returns(equities("100", "150", "150"), equities("50", "0"))
    assert returns == [0.0, 0.0]


def test_a_deposit_works_from_the_beginning_of_its_day() -> None:
    # 100 + 100 paid in became 210: 5 %. Then 110 are taken out and 100 become 98: -2 %.
    returns = performance.daily_returns(equities("100", "210", "98"), equities("100", "-110"))
    assert returns == pytest.approx([0.05, -0.02], abs=1e-15)


def test_a_day_that_begins_with_nothing_returns_nothing() -> None:
    assert performance.daily_returns(equities("0", "0", "5"), equities("0", "5")) == [0.0, 0.0]


def test_deposits_of_another_length_than_the_days_are_refused() -> None:
    with pytest.raises(ValueError, match="3 marks have 2 days, not 3 deposits"):
        performance.daily_returns(equities("1", "1", "1"), equities("0", "0", "0"))


def test_no_mark_and_one_mark_have_no_day() -> None:
    assert performance.daily_returns([]) == []
    assert performance.daily_returns(equities("100")) == []


def test_days_of_two_and_minus_one_percent_give_the_ratios_worked_by_hand() -> None:
    # 30 days, half +2 %, half -1 %: mean 0.5 %; deviation 1.5 % · sqrt(30/29); downside 1 % · sqrt(15/29).
    found = performance.performance(alternating("0.02", "-0.01", 30), max_drawdown=0.01)
    deviation = 0.015 * math.sqrt(30 / 29)
    growth = (1.02 * 0.99) ** (15 * 365 / 30) - 1
    assert found.days == 30
    assert found.sharpe == pytest.approx(0.005 / deviation * math.sqrt(365))
    assert found.sharpe == pytest.approx(6.2613, abs=1e-4)
    assert found.sortino == pytest.approx(0.005 / (0.01 * math.sqrt(15 / 29)) * math.sqrt(365))
    assert found.volatility == pytest.approx(deviation * math.sqrt(365))
    assert found.cagr == pytest.approx(growth)
    assert found.calmar == pytest.approx(growth / 0.01)
    assert (found.best_day, found.worst_day) == pytest.approx((0.02, -0.01))


def test_fewer_than_thirty_days_give_no_annualised_figure_but_still_a_best_and_worst_day() -> None:
    found = performance.performance(alternating("0.02", "-0.01", 29), max_drawdown=0.01)
    annual = (found.cagr, found.volatility, found.sharpe, found.sortino, found.calmar)
    assert annual == (None, None, None, None, None)
    assert (found.best_day, found.worst_day) == pytest.approx((0.02, -0.01))


def test_a_run_within_one_day_has_no_best_day() -> None:
    found = performance.performance(equities("100"), max_drawdown=0.0)
    assert (found.days, found.best_day, found.worst_day) == (0, None, None)


def test_a_flat_price_with_deposits_gives_sharpe_zero() -> None:
    marks = [Decimal(100 + 10 * day) for day in range(41)]
    found = performance.performance(marks, 0.0, [Decimal(10)] * 40)
    assert (found.sharpe, found.sortino, found.volatility, found.cagr, found.calmar) == (0, 0, 0, 0, 0)


def test_gains_without_any_deviation_have_no_ratio_rather_than_one_of_a_million() -> None:
    found = performance.performance(alternating("0.001", "0.001", 40), max_drawdown=0.0)
    assert (found.sharpe, found.sortino, found.calmar, found.volatility) == (None, None, None, 0)


def test_a_total_loss_grows_by_minus_one_hundred_percent() -> None:
    marks = [Decimal(100)] * 35 + [Decimal(0)]
    assert performance.performance(marks, 1.0).cagr == -1.0


@given(st.lists(st.integers(5_000, 20_000), min_size=31, max_size=60))
def test_the_ratios_equal_those_of_exact_fractions(amounts: list[int]) -> None:
    exact = [Fraction(b, a) - 1 for a, b in pairwise(amounts)]
    found = performance.performance([Decimal(amount) for amount in amounts], 0.5)
    deviation = math.sqrt(statistics.variance(exact))
    assert found.volatility == pytest.approx(deviation * 365**0.5, abs=1e-9)
    if deviation > 0:
        assert found.sharpe == pytest.approx(float(statistics.mean(exact)) / deviation * 365**0.5, rel=1e-9)
    days = len(exact)
    assert found.cagr is not None
    assert found.cagr == pytest.approx((amounts[-1] / amounts[0]) ** (365 / days) - 1, rel=1e-9, abs=1e-9)


def test_apr_is_hidden_in_the_first_day_and_never_compounded() -> None:
    assert performance.apr(Decimal(10), Decimal(1000), DAY_MS - 1) is None
    assert performance.apr(Decimal(10), Decimal(1000), DAY_MS) == pytest.approx(3.65)
    assert performance.apr(Decimal(-20), Decimal(1000), 10 * DAY_MS) == pytest.approx(-0.73)


def test_apr_without_an_investment_is_none() -> None:
    assert performance.apr(Decimal(10), Decimal(0), 5 * DAY_MS) is None


def test_round_trips_count_wins_losses_and_neither() -> None:
    found = performance.round_trips(equities("3", "1", "0", "-2"))
    assert found == performance.RoundTrips(
        count=4, win_rate=0.5, avg_win=Decimal(2), avg_loss=Decimal(-2), profit_factor=2.0
    )


def test_a_profit_factor_without_losses_is_none() -> None:
    found = performance.round_trips(equities("1", "1", "2"))
    assert (found.win_rate, found.avg_win, found.avg_loss) == (1.0, Decimal("1.33333333"), None)
    assert found.profit_factor is None


def test_no_round_trip_has_no_win_rate() -> None:
    assert performance.round_trips([]) == performance.RoundTrips(0, None, None, None, None)
