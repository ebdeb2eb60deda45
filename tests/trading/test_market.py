"""Market rules: what an order may be, and which way each figure is rounded."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.trading.market import ThirdAsset, net_of
from autogrid.trading.money import ZERO
from tests.builders import D, market

PLAIN = market(min_quantity=D("0.0001"), max_quantity=D(100))


@pytest.mark.parametrize(
    ("price", "quantity", "says"),
    [
        ("100", "1", None),
        ("100.01", "0.05", None),
        ("100", "0", "not above zero"),
        ("100", "-1", "not above zero"),
        ("100", "0.000015", "multiple of the lot 0.00001"),
        ("100", "0.00009", "below the least quantity 0.0001"),
        ("100", "100.00001", "above the greatest quantity 100"),
        ("100.005", "1", "multiple of the tick 0.01"),
        ("0", "1", "multiple of the tick"),
        ("-100", "1", "multiple of the tick"),
        ("100", "0.04999", "value 4.999 is below the least value 5"),
    ],
)
def test_an_order_breaks_a_rule_or_none(price: str, quantity: str, says: str | None) -> None:
    found = PLAIN.breach(D(price), D(quantity))
    assert found is None if says is None else says in (found or "")


def test_a_market_orders_expected_price_need_not_lie_on_the_tick() -> None:
    assert PLAIN.breach(D("100.005"), D(1), market=True) is None
    assert PLAIN.breach(D("-1"), D(1), market=True)


FIGURES = st.decimals("0.000001", "1000000", places=9)


@given(FIGURES)
def test_prices_and_quantities_are_rounded_to_their_named_side(number: Decimal) -> None:
    on = market(tick=D("0.05"), lot=D("0.003"))
    assert on.price_down(number) <= number <= on.price_up(number)
    assert on.price_up(number) - on.price_down(number) in (ZERO, on.tick)
    assert abs(on.nearest_price(number) - number) <= on.tick / 2
    assert on.quantity(number) <= number < on.quantity(number) + on.lot
    for rounded in (on.price_down(number), on.price_up(number), on.nearest_price(number)):
        assert rounded % on.tick == 0


def test_half_way_between_two_ticks_goes_to_the_even_one() -> None:
    on = market(tick=D("0.1"))
    assert (on.nearest_price(D("0.25")), on.nearest_price(D("0.35"))) == (D("0.2"), D("0.4"))


@given(st.decimals("0.01", "100000", places=2))
def test_the_least_quantity_passes_and_one_lot_less_does_not(price: Decimal) -> None:
    quantity = PLAIN.least_quantity(price)
    on = market(min_quantity=D("0.0001"))
    assert on.breach(price, quantity) is None
    assert on.breach(price, quantity - on.lot) is not None


def test_fees_by_where_they_are_taken() -> None:
    rates = {"maker_fee": D("0.001"), "taker_fee": D("0.002")}
    received, quote = market(**rates), market(**rates, fee_in="quote")
    third = market(**rates, fee_in=ThirdAsset("BNB", D(600)))
    assert (received.base_fee, received.most_base_fee, received.quote_fee) == (D("0.001"), D("0.002"), ZERO)
    assert (quote.base_fee, quote.most_base_fee, quote.quote_fee) == (ZERO, ZERO, D("0.002"))
    assert (third.base_fee, third.most_base_fee, third.quote_fee) == (ZERO, ZERO, ZERO)
    assert net_of(D("0.001")) == D("0.999")


def test_a_market_is_named_by_its_pair() -> None:
    assert PLAIN.symbol == "BTC/USDT"
