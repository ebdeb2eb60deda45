"""Automatic parameters: each figure by hand, each clamp, and whatever is proposed can be built and paid."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from autogrid.trading.money import text
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid.auto import Proposal, count_of, propose, range_of, step_of
from autogrid.trading.strategies.grid.auto_words import Figures
from autogrid.trading.strategies.grid.grid import Grid
from tests.builders import D, market

FIGURES = Figures(D(100), D("0.02"), D("1.6"), D(50), D(200), 90)
"""1.28 · 0.02 · √30 = 0.140216889…, e to that is 1.150523…; half of 1.6 over 100 is 0.8 %."""
PLAIN = market()


def proposal(investment: str = "10000", settings: dict[str, str] | None = None, **changes: Any) -> Proposal:
    on = market(**{key: changes.pop(key) for key in list(changes) if key not in Figures._fields})
    return propose(FIGURES._replace(**changes), on, D(investment), settings or {})


def why(found: Proposal, key: str) -> str:
    return next(reason.why.en for reason in found.reasons if reason.key == key)


def refusal(investment: str = "10000", settings: dict[str, str] | None = None, **changes: Any) -> UnableToConfigure:
    with pytest.raises(UnableToConfigure) as caught:
        proposal(investment, settings, **changes)
    return caught.value


def test_a_proposal_by_hand() -> None:
    found = proposal()
    # 100 / 1.1505233 = 86.9170 up to the tick, 100 · 1.1505233 = 115.0523 down to it
    assert (found.lower, found.upper) == (D("86.92"), D("115.05"))
    assert found.step == D("0.008")
    # ln(115.05 / 86.92) = 0.280371, ln(1.008) = 0.00796817: 35.19 steps
    assert found.grids == 35
    assert "So many steps fit" in why(found, "grids")
    assert found.warnings == ()


def test_the_range_ends_at_the_lowest_and_the_highest_price_of_the_past() -> None:
    found = proposal(low=D(90), high=D("110.004"))
    assert (found.lower, found.upper) == (D(90), D(110))
    assert "beyond the lowest price of the last 90 days, 90" in why(found, "lower")
    assert "beyond the highest" in why(found, "upper")
    assert "8 of 10" in why(proposal(), "lower")


def test_a_range_is_rounded_inwards() -> None:
    lower, upper = range_of(D(100), D("0.02"), D("90.001"), D("110.009"), PLAIN)
    assert (lower, upper) == (D("90.01"), D(110))


@pytest.mark.parametrize(
    ("atr", "fee", "step"),
    [
        ("1.6", "0.001", "0.008"),
        ("0.2", "0.001", "0.006"),
        ("9", "0.001", "0.03"),
        ("6", "0.001", "0.03"),
        ("1.2", "0.001", "0.006"),
        ("9", "0.006", "0.036"),
        ("0", "0", "0"),
        ("0.333333333", "0", "0.00166667"),
    ],
)
def test_the_step_is_half_an_hours_movement_within_six_fees_and_three_per_cent(atr: str, fee: str, step: str) -> None:
    assert step_of(FIGURES._replace(atr_hour=D(atr)), D(fee)) == D(step)


def test_each_clamp_of_the_step_is_explained() -> None:
    assert "Half of what the price moves within an hour" in why(proposal(), "step")
    assert "six fees of 0.1 % are the least" in why(proposal(atr_hour=D("0.2")), "step")
    assert "more than 3 % would trade too rarely" in why(proposal(atr_hour=D(9)), "step")


def test_fees_above_the_widest_step_are_warned_of_and_win() -> None:
    found = proposal(maker_fee=D("0.006"), taker_fee=D("0.006"))
    assert found.step == D("0.036")
    assert found.grids == 7  # 0.280371 / ln 1.036 = 7.93
    assert any("fees are high" in said.en for said in found.warnings)


@pytest.mark.parametrize(
    ("lower", "upper", "step", "count"),
    [
        ("100", "121", "0.1", 2),  # exactly two steps: two rounded logarithms may not make one of them
        ("100", "120.99", "0.1", 1),
        ("100", "106.1208", "0.02", 3),
        ("1000", "1092.727", "0.03", 3),
        ("1", "1024", "1", 10),
        ("100", "200", "0", 1000),
    ],
)
def test_the_count_is_the_number_of_whole_steps(lower: str, upper: str, step: str, count: int) -> None:
    assert count_of(D(lower), D(upper), D(step)) == count


def test_at_most_four_fifths_of_the_orders_that_may_rest_are_taken() -> None:
    found = proposal(max_orders=40)
    assert found.grids == 32
    assert "40 orders rest" in why(found, "grids")
    assert proposal(max_orders=44).grids == 35
    assert "too few for a grid" in str(refusal(max_orders=2))
    assert proposal(max_orders=3).grids == 2


def test_a_grid_has_at_most_a_thousand_cells() -> None:
    found = proposal("10000000", atr_hour=D("0.02"), maker_fee=D(0), taker_fee=D(0), tick=D("0.0001"))
    assert found.grids == 1000
    assert "at most 1000 cells" in why(found, "grids")


def test_lines_keep_their_own_prices_on_a_coarse_tick() -> None:
    found = proposal(tick=D(2))
    assert (found.lower, found.upper) == (D(88), D(114))
    assert found.grids < 35
    assert "same price of the tick 2" in why(found, "grids")
    Grid(found.config({}), market(tick=D(2)), D(10_000))


def test_a_small_investment_has_fewer_grids_and_too_small_a_one_is_refused_with_what_is_needed() -> None:
    found = proposal("50")
    assert 2 <= found.grids < 35
    assert "50 USDT pay for" in why(found, "grids")
    more = {**found.config({}), "grids": str(found.grids + 1)}
    with pytest.raises(UnableToConfigure, match="too small"):
        Grid(more, PLAIN, D(50)).check(D(100))
    refused = refusal("5")
    assert refused.key == "investment"
    needed = str(refused).partition("at least ")[2].partition(" ")[0]
    assert proposal(needed).grids == 2
    assert refusal(text(D(needed) - D("0.01"))).key == "investment"


def test_two_narrower_steps_are_taken_where_they_earn_six_fees() -> None:
    found = proposal(atr_hour=D(9), sigma_day=D("0.003"))  # ln(U / L) = 0.042: one step of 3 %, two of 2.1 %
    assert found.grids == 2
    assert "two narrower ones still earn" in why(found, "grids")
    assert "too narrow" in str(refusal(sigma_day=D("0.0005")))


def test_a_price_that_does_not_move_has_no_grid() -> None:
    refused = refusal(sigma_day=D(0), atr_hour=D(0))
    assert "hardly moved" in str(refused)


def test_a_price_at_an_end_of_its_past_is_warned_of() -> None:
    assert any("near the highest" in said.en for said in proposal(high=D(100)).warnings)
    assert any("near the lowest" in said.en for said in proposal(low=D(100)).warnings)


@pytest.mark.parametrize("key", ["lower", "upper", "grids"])
def test_what_is_proposed_cannot_be_given(key: str) -> None:
    assert refusal(settings={key: "90"}).key == key


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"spacing": "arithmetic"}, "equal steps in per cent"),
        ({"gridz": "3"}, "unknown key 'gridz'"),
        ({"stop_loss": "95"}, "must be below lower, 86.92"),
        ({"reserve": "much"}, "not a number"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, str], says: str) -> None:
    assert says in str(refusal(settings=settings))


def test_further_settings_are_kept_and_checked_with_the_proposal() -> None:
    found = proposal(settings={"stop_loss": "80", "sizing": "equal_quote"})
    assert found.config({"stop_loss": "80"}) == {"stop_loss": "80", "lower": "86.92", "upper": "115.05", "grids": "35"}


@pytest.mark.parametrize(
    "changes",
    [{"price": D(0)}, {"low": D(0)}, {"sigma_day": D(-1)}, {"atr_hour": D(-1)}, {"price": D(201)}, {"price": D(49)}],
)
def test_figures_of_no_market_are_refused(changes: dict[str, Any]) -> None:
    assert "no figures of one market" in str(refusal(**changes))


def test_each_reason_has_both_languages_and_its_number() -> None:
    found = proposal()
    assert [reason.key for reason in found.reasons] == [
        "price", "sigma_day", "atr_hour", "extremes", "lower", "upper", "step", "grids",
    ]  # fmt: skip
    for reason in found.reasons:
        assert all((*reason.what, *reason.why, reason.value))
        assert reason.why.en != reason.why.pt
    by_key = {reason.key: reason for reason in found.reasons}
    assert by_key["lower"].formula == "P0 · exp(−1.28 · σ · √30) = 100 · exp(−1.28 · 0.02 · √30) = 86.92"
    assert by_key["upper"].formula.endswith("= 115.05")
    assert by_key["grids"].formula == "⌊ln(115.05 / 86.92) / ln(1 + 0.008)⌋ = 35"
    assert "Each step is then 0.804 %" in by_key["grids"].why.en


PRICES = st.decimals("0.00000100", "200000", places=8)
SHARES = st.decimals("0", "0.4", places=6)


@given(
    price=PRICES,
    sigma=SHARES,
    hour=SHARES,
    below=st.decimals("0", "0.95", places=4),
    above=st.decimals("0", "5", places=4),
    ticks=st.integers(-2, 6),
    fee=st.sampled_from(["0", "0.0001", "0.00075", "0.001", "0.004", "0.008"]),
    fee_in=st.sampled_from(["received", "quote"]),
    orders=st.none() | st.integers(1, 500),
    investment=st.decimals("1", "100000", places=2),
    settings=st.sampled_from([{}, {"sizing": "equal_quote"}, {"start": "wait"}, {"reserve": "0"}]),
)
def test_whatever_is_proposed_can_be_built_and_paid_and_keeps_its_limits(
    price: Decimal,
    sigma: Decimal,
    hour: Decimal,
    below: Decimal,
    above: Decimal,
    ticks: int,
    fee: str,
    fee_in: Any,
    orders: int | None,
    investment: Decimal,
    settings: dict[str, str],
) -> None:
    tick = D(10) ** (price.adjusted() - ticks)
    lot = D(10) ** (-price.adjusted() - 3)
    on = market(tick=tick, lot=lot, maker_fee=D(fee), taker_fee=D(fee), fee_in=fee_in, max_orders=orders)
    figures = Figures(price, sigma, hour * price, price * (1 - below), price * (1 + above), 90)
    try:
        found = propose(figures, on, investment, settings)
    except UnableToConfigure as refused:
        event(refused.key)
        return
    grid = Grid(found.config(settings), on, investment)
    grid.check(price)
    assert figures.low <= found.lower < found.upper <= figures.high
    assert found.lower % tick == 0 == found.upper % tick
    assert 2 <= found.grids <= 1000
    assert orders is None or found.grids <= orders * D("0.8")
    assert found.step >= 6 * D(fee)
    assert (found.upper / found.lower) ** (1 / D(found.grids)) - 1 >= min(found.step, 6 * D(fee)) - D("1e-30")
