"""The double-entry ledger: every fee form, what orders hold, and left-over coins, to the last unit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.trading.event import Filled
from autogrid.trading.ledger import Ledger, Pool, book, held_base, held_quote, hold, opened
from autogrid.trading.market import Market, ThirdAsset
from autogrid.trading.money import UNIT, ZERO
from autogrid.trading.order import Order, apply
from tests.builders import D, fill_of, market, new_order

RECEIVED = market(maker_fee=D("0.001"))
IN_QUOTE = market(maker_fee=D("0.001"), fee_in="quote")
IN_BNB = market(maker_fee=D("0.001"), fee_in=ThirdAsset("BNB", D(600)))


def booked(ledger: Ledger, order: Order, fill: Filled, on: Market) -> tuple[Ledger, Order]:
    after = apply(order, fill, on)
    return book(ledger, order, after, fill, on), after


def placed(ledger: Ledger, order: Order, on: Market) -> Ledger:
    return hold(ledger, None, order, on)


def test_a_buy_with_its_fee_in_base() -> None:
    order = new_order("buy", "100", "2")
    ledger = placed(opened(D(1000)), order, RECEIVED)
    assert (ledger.held_quote, ledger.free_quote) == (D(200), D(800))
    ledger, _ = booked(ledger, order, fill_of(order, RECEIVED, D(2), D(100), "a"), RECEIVED)
    assert (ledger.quote, ledger.base, ledger.held_quote) == (D(800), D("1.998"), ZERO)
    assert ledger.fees(RECEIVED) == {"BTC": D("0.002"), "USDT": 0}
    assert ledger.cost == 200
    assert ledger.average_cost == D(200) / D("1.998")


def test_a_buy_with_its_fee_in_quote_holds_the_fee_too() -> None:
    order = new_order("buy", "100", "2")
    ledger = placed(opened(D(1000)), order, IN_QUOTE)
    assert ledger.held_quote == D("200.2")
    ledger, _ = booked(ledger, order, fill_of(order, IN_QUOTE, D(2), D(100), "a"), IN_QUOTE)
    assert (ledger.quote, ledger.base, ledger.held_quote) == (D("799.8"), D(2), ZERO)
    assert ledger.cost == D("200.2")


def test_a_fee_in_a_third_asset_moves_no_balance_and_lowers_the_profit() -> None:
    order = new_order("buy", "100", "2")
    ledger, _ = booked(placed(opened(D(1000)), order, IN_BNB), order, fill_of(order, IN_BNB, D(2), D(100), "a"), IN_BNB)
    assert (ledger.quote, ledger.base) == (D(800), D(2))
    assert ledger.fees(IN_BNB) == {"BTC": 0, "USDT": 0, "BNB": D("0.00033334")}
    assert ledger.fee_value == D("0.200004")
    assert ledger.profit(D(100)) == D("-0.200004")
    assert ledger.equity(D(100)) == D("999.799996")
    assert ledger.cost == D("200.200004")


def test_a_sell_takes_its_share_of_the_cost() -> None:
    ledger = opened(D(0), D(3), D(100))
    order = new_order("sell", "110", "1")
    ledger, _ = booked(placed(ledger, order, RECEIVED), order, fill_of(order, RECEIVED, D(1), D(110), "a"), RECEIVED)
    assert (ledger.quote, ledger.base, ledger.held_base) == (D("109.89"), D(2), ZERO)
    assert ledger.cost == 200
    assert (ledger.sold, ledger.earned) == (D(1), D(110))
    assert ledger.profit(D(110)) == D("29.89")


def test_a_fill_after_the_cancel_sets_nothing_free_a_second_time() -> None:
    order = new_order("buy", "100", "2")
    ledger = placed(opened(D(1000)), order, RECEIVED)
    gone = order._replace(status="cancelled")
    ledger = hold(ledger, order, gone, RECEIVED)
    assert ledger.held_quote == 0
    ledger, _ = booked(ledger, gone, fill_of(gone, RECEIVED, D(1), D(100), "a"), RECEIVED)
    assert ledger.held_quote == 0
    assert ledger.quote == 900


def test_a_fill_below_the_limit_sets_the_whole_of_it_free() -> None:
    order = new_order("buy", "100", "2")
    ledger, _ = booked(
        placed(opened(D(1000)), order, RECEIVED), order, fill_of(order, RECEIVED, D(2), D(90), "a"), RECEIVED
    )
    assert (ledger.quote, ledger.held_quote) == (D(820), ZERO)


@pytest.mark.parametrize("on", [RECEIVED, IN_QUOTE, IN_BNB])
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_what_is_held_follows_the_rest_of_the_order(on: Market, side: str) -> None:
    order = new_order("buy" if side == "buy" else "sell", "100", "2")
    ledger = placed(opened(D(1000), D(5), D(100)), order, on)
    for number in range(4):
        ledger, order = booked(ledger, order, fill_of(order, on, D("0.5"), D(100), f"f{number}"), on)
        assert ledger.held_quote == held_quote(order, on)
        assert ledger.held_base == held_base(order)
    assert (ledger.held_quote, ledger.held_base) == (ZERO, ZERO)


FIGURES = st.integers(1, 10**9)


@given(st.lists(st.tuples(st.booleans(), FIGURES, FIGURES), max_size=30), st.sampled_from([RECEIVED, IN_QUOTE, IN_BNB]))
def test_the_two_sums_hold_after_every_booking(trades: list[tuple[bool, int, int]], on: Market) -> None:
    ledger = opened(D(10) ** 12, D(10) ** 6, D(100))
    for number, (buys, price, quantity) in enumerate(trades):
        order = new_order("buy" if buys else "sell", str(D(price) / 100), str(D(quantity) / 10**8))
        fill = fill_of(order, on, order.quantity, order.price, f"f{number}")
        ledger, _ = booked(placed(ledger, order, on), order, fill, on)
        assert ledger.base == ledger.funded_base + ledger.bought - ledger.sold - ledger.fee_base
        assert ledger.quote == ledger.funded_quote + ledger.earned - ledger.paid - ledger.fee_quote
        assert (ledger.held_quote, ledger.held_base) == (ZERO, ZERO)


@given(FIGURES, FIGURES, st.integers(0, 10**9))
def test_what_is_drawn_from_a_pool_and_what_stays_are_the_whole(base: int, part: int, cost: int) -> None:
    pool = Pool(D(base) * UNIT, D(cost) * UNIT)
    taken = min(part, base) * UNIT
    drawn, rest = pool.draw(taken)
    assert rest.base + taken == pool.base
    assert rest.cost + drawn == pool.cost
    assert abs(drawn - pool.cost * taken / pool.base) <= UNIT / 2


def test_a_draw_rounds_half_to_the_even_unit() -> None:
    half = D("0.000000005")
    assert Pool(D(2), D("0.00000001")).draw(D(1)).cost == ZERO
    assert Pool(D(2), D("0.00000003")).draw(D(1)).cost == D("0.00000002")
    assert half * 2 == UNIT


def test_average_cost_is_unknown_without_base() -> None:
    assert opened(D(5)).average_cost is None
    ledger: Ledger = opened(D(5), D(2), D(7))
    assert ledger.average_cost == Decimal(7)
    assert ledger.funded_value == 19
