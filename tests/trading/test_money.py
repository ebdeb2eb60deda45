"""Figures: read exactly or refused, rounded to the named side, written plainly."""

from decimal import Decimal, FloatOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.trading.money import (
    UNIT,
    ZERO,
    UnableToReadFigure,
    fee_due,
    figure,
    part_of,
    round_down,
    round_nearest,
    round_up,
    text,
)
from tests.builders import D


@pytest.mark.parametrize("written", ["0.001", "98000", " 1e3 ", "-5", "1E-18", "0", "0.1000000000000000000000", "+2"])
def test_a_figure_is_read_exactly(written: str) -> None:
    assert figure(written) == Decimal(written.strip())


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "not a number"),
        ("abc", "not a number"),
        ("1,5", "not a number"),
        ("1 000", "not a number"),
        ("0x10", "not a number"),
        ("--1", "not a number"),
        ("NaN", "not a finite number"),
        ("sNaN", "not a finite number"),
        ("Infinity", "not a finite number"),
        ("-inf", "not a finite number"),
        ("1e18", "too large"),
        ("1e30", "too large"),
        ("-1e999999", "too large"),
        ("1e-19", "more than 18 decimals"),
        ("0.1234567890123456789", "more than 18 decimals"),
    ],
)
def test_what_is_no_figure_of_money_is_refused_with_a_reason(written: str, says: str) -> None:
    with pytest.raises(UnableToReadFigure, match=says) as caught:
        figure(written)
    assert f"'{written}'" in str(caught.value)


@given(st.text(max_size=12))
def test_any_text_is_a_figure_or_a_refusal(written: str) -> None:
    try:
        found = figure(written)
    except UnableToReadFigure:
        return
    assert found.is_finite()
    assert abs(found) < 10**18


@given(st.decimals("-1e17", "1e17", places=18))
def test_a_figure_written_and_read_again_is_the_same(number: Decimal) -> None:
    assert figure(text(number)) == number


@pytest.mark.parametrize(
    ("number", "written"),
    [("1E+3", "1000"), ("0.10", "0.1"), ("-0", "0"), ("-0.00", "0"), ("1E-8", "0.00000001"), ("100", "100")],
)
def test_text_is_plain(number: str, written: str) -> None:
    assert text(D(number)) == written


FIGURES = st.decimals("0", "1e12", places=10)
STEPS = st.sampled_from([D("0.01"), D("0.00001"), D("0.05"), D(3), D("1e-8")])


@given(FIGURES, STEPS)
def test_rounding_stays_on_its_side_and_within_a_step(number: Decimal, step: Decimal) -> None:
    below, above, near = round_down(number, step), round_up(number, step), round_nearest(number, step)
    assert below <= number <= above
    assert above - below in (ZERO, step)
    assert near in (below, above)
    assert (above == below) == (number % step == 0)


def test_a_fee_goes_up_to_the_eighth_decimal() -> None:
    assert fee_due(D("0.00000001"), D("0.001"), ZERO) == UNIT
    assert fee_due(D(1), D("0.001"), ZERO) == D("0.001")
    assert fee_due(ZERO, D("0.001"), ZERO) == 0


@given(st.lists(st.decimals("0", "1000", places=8), min_size=1, max_size=8))
def test_it_does_not_matter_into_how_many_fills_an_order_was_cut(parts: list[Decimal]) -> None:
    rate, traded, charged = D("0.00075"), ZERO, ZERO
    for part in parts:
        traded += part
        charged += fee_due(traded, rate, charged)
    assert charged == fee_due(traded, rate, ZERO)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6), st.integers(0, 10**12))
def test_shares_of_a_cost_differ_from_the_whole_by_rounding_alone(parts: list[int], cost: int) -> None:
    whole = sum(parts)
    if whole:
        shares = [part_of(cost * UNIT, D(part), D(whole)) for part in parts]
        assert abs(sum(shares, ZERO) - cost * UNIT) <= UNIT * len(parts) / 2


def test_a_float_among_figures_is_refused() -> None:
    with pytest.raises(FloatOperation):
        Decimal("0.1") + Decimal(0.2)  # noqa: RUF032
    with pytest.raises(FloatOperation):
        assert Decimal("0.1") < 0.2
