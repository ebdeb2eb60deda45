"""Risk rules one by one: what each refuses, with which numbers, and what it remembers."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.trading.ledger import Ledger, hold, opened
from autogrid.trading.market import Market
from autogrid.trading.order import Kind, Side
from autogrid.trading.plan import Place
from autogrid.trading.risk import (
    CALM,
    DAY_MS,
    FREE,
    HOUR_MS,
    MINUTE_MS,
    Holds,
    Limits,
    Mark,
    Refused,
    RiskState,
    Trip,
    fallen,
    marked,
    review,
    watch,
)
from tests.builders import D, market, new_order

PLAIN = market()
LIMITS = Limits(D(1000), orders_a_minute=3)
RICH = opened(D(10_000), D(100), D(100))
NOW = 10 * DAY_MS


def place(side: Side = "buy", price: str = "100", quantity: str = "1", *, kind: Kind = "limit", exits: bool = False,
          initial: bool = False, number: int = 0) -> Place:  # fmt: skip
    slot = f"{number}-0{side[0]}"
    return Place(new_order(side, price, quantity, slot=slot, kind=kind, order_id=f"n-{number}-{slot}"), initial, exits)


def judged(
    *places: Place,
    risk: RiskState = CALM,
    ledger: Ledger = RICH,
    price: str = "100",
    holds: Holds = FREE,
    on: Market = PLAIN,
    resting: int = 0,
    at_ms: int = NOW,
    limits: Limits = LIMITS,
) -> tuple[list[Place], tuple[Refused, ...], RiskState]:
    return review(limits, risk, places, ledger, resting, on, D(price), at_ms, holds)[:3]


def rules(refused: tuple[Refused, ...]) -> list[str]:
    return [one.rule for one in refused]


@pytest.mark.parametrize(
    ("side", "price", "allowed"),
    [
        ("buy", "110", True),
        ("buy", "110.01", False),
        ("buy", "50", True),
        ("sell", "90", True),
        ("sell", "89.99", False),
        ("sell", "200", True),
    ],
)
def test_what_would_trade_at_once_may_not_lie_further_than_a_tenth_beyond_the_market(
    side: Side, price: str, allowed: bool
) -> None:
    approved, refused, _ = judged(place(side, price))
    assert bool(approved) == allowed
    assert rules(refused) == ([] if allowed else ["price"])


def test_market_orders_and_exits_are_free_of_the_price_rule() -> None:
    assert judged(place("buy", "150", kind="market"))[0]
    assert judged(place("sell", "50", kind="market", exits=True))[0]


def test_funds_are_counted_down_within_one_batch() -> None:
    approved, refused, _ = judged(place(number=1), place(number=2), ledger=opened(D(150)))
    assert [one.order.slot for one in approved] == ["1-0b"]
    assert refused == (Refused("2-0b", "funds", "needs 100, free are 50"),)


def test_what_other_orders_hold_is_not_free() -> None:
    held = hold(opened(D(150)), None, new_order("buy", "100", "1"), PLAIN)
    assert rules(judged(place(), ledger=held)[1]) == ["funds"]
    coins = hold(opened(D(0), D(1), D(100)), None, new_order("sell", "100", "1"), PLAIN)
    assert rules(judged(place("sell"), ledger=coins)[1]) == ["funds"]


def test_a_fee_in_quote_must_be_covered_too() -> None:
    on = market(fee_in="quote")
    assert rules(judged(place(), ledger=opened(D(100)), on=on)[1]) == ["funds"]
    assert judged(place(), ledger=opened(D("100.1")), on=on)[0]


def test_the_markets_rules_and_its_cap_hold_for_every_order() -> None:
    assert rules(judged(place(quantity="0.01"))[1]) == ["market"]
    assert rules(judged(place(quantity="0.01", exits=True, kind="market"))[1]) == ["market"]
    capped = market(max_orders=2)
    approved, refused, _ = judged(place(number=1), place(number=2), on=capped, resting=1)
    assert len(approved) == 1
    assert refused[0].why == "the exchange allows 2 open orders"


@pytest.mark.parametrize(
    ("holds", "order", "exits"),
    [
        (Holds(killed=True, paused=False, silent=False), "kill-switch", "kill-switch"),
        (Holds(killed=False, paused=True, silent=False), "paused", None),
        (Holds(killed=False, paused=False, silent=True), "stale", None),
        (Holds(killed=True, paused=True, silent=True), "kill-switch", "kill-switch"),
    ],
)
def test_a_hold_refuses_orders_and_only_the_kill_switch_an_exit(holds: Holds, order: str, exits: str | None) -> None:
    assert rules(judged(place(), holds=holds)[1]) == [order]
    found = rules(judged(place("sell", kind="market", exits=True), holds=holds)[1])
    assert found == ([exits] if exits else [])


def test_the_order_rate_is_a_window_that_slides() -> None:
    risk = CALM
    for at_ms in (NOW, NOW + 20_000, NOW + 40_000):
        approved, _, risk = judged(place(), risk=risk, at_ms=at_ms)
        assert approved
    assert rules(judged(place(), risk=risk, at_ms=NOW + 59_999)[1]) == ["order rate"]
    assert judged(place(), risk=risk, at_ms=NOW + 60_000)[0]


def test_first_orders_exits_and_rules_that_are_off_do_not_count() -> None:
    many = [place(number=number, initial=True) for number in range(10)]
    approved, _, risk = judged(*many)
    assert (len(approved), risk.placed_at) == (10, ())
    leaving = [place("sell", number=number, kind="market", exits=True) for number in range(10)]
    assert len(judged(*leaving)[0]) == 10
    off = Limits(D(1000), breakers=False, orders_a_minute=3)
    assert len(judged(*(place(number=number) for number in range(10)), limits=off)[0]) == 10


def test_orders_that_go_on_at_the_limit_for_a_minute_trip_the_breaker() -> None:
    """Each order that leaves the window lets one through: that alone must not start the minute anew."""
    risk, tripped = CALM, None
    for second in range(200):
        _, _, risk = judged(place(), place(number=1), risk=risk, at_ms=NOW + second * 1_000)
        if risk.trip and tripped is None:
            tripped = second
    assert tripped is not None
    assert 60 <= tripped <= 62


def test_an_open_breaker_holds_buys_and_lets_sells_go() -> None:
    risk = CALM._replace(trip=Trip(NOW, "loss", "lost 60"))
    _, refused, _ = judged(place(), risk=risk, at_ms=NOW + 299_999)
    assert refused == (Refused("0-0b", "breaker", "loss: lost 60"),)
    assert judged(place("sell"), risk=risk, at_ms=NOW + 1)[0]


def test_half_open_three_buys_are_let_through() -> None:
    risk = CALM._replace(trip=Trip(NOW, "loss", "lost 60"))
    limits = Limits(D(1000))
    approved, refused, risk = judged(
        *(place(number=number) for number in range(5)), risk=risk, at_ms=NOW + 300_000, limits=limits
    )
    assert len(approved) == 3
    assert rules(refused) == ["breaker"] * 2
    still = watch(limits, risk, RICH, D(100), NOW + 300_000 + MINUTE_MS - 1)
    assert still.trip is not None
    assert watch(limits, risk, RICH, D(100), NOW + 300_000 + MINUTE_MS).trip is None


def watched(*moments: tuple[int, str], limits: Limits = LIMITS) -> RiskState:
    risk = CALM
    for at_ms, price in moments:
        risk = watch(limits, risk, RICH, D(price), NOW + at_ms)
    return risk


def test_a_loss_of_five_per_cent_of_the_investment_trips() -> None:
    assert watched((0, "100"), (1_000, "99.51")).trip is None
    trip = watched((0, "100"), (1_000, "99.5")).trip
    assert trip is not None
    assert (trip.rule, trip.why) == ("loss", "lost 50 within 60 min, allowed are 50")


def test_marks_are_taken_once_a_second_at_most() -> None:
    before = watched((0, "100"))
    assert watch(LIMITS, before, RICH, D(1), NOW + 999) is before
    assert watch(LIMITS, before, RICH, D(1), NOW + 1_000).trip is not None


def test_a_slow_fall_trips_by_the_best_of_the_hour_and_an_older_best_is_forgotten() -> None:
    assert watched((0, "100"), (59 * MINUTE_MS, "99.5")).trip is not None
    assert watched((0, "100"), (30 * MINUTE_MS, "99.7"), (62 * MINUTE_MS, "99.4")).trip is None
    assert watched((0, "100"), (30 * MINUTE_MS, "99.7"), (62 * MINUTE_MS, "99.2")).trip is not None


def test_a_first_loss_against_what_was_put_in_is_no_loss_of_the_hour_before_it_was_marked() -> None:
    assert watched((0, "90"), (1_000, "89.8")).trip is None


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(-100, 100)), max_size=40))
def test_the_marks_give_the_best_of_the_window(moves: list[tuple[int, int]]) -> None:
    marks: tuple[Mark, ...] = ()
    minute, seen = 0, []
    for step, equity in moves:
        minute += step
        seen.append((minute, D(equity)))
        marks = marked(marks, Mark(minute, D(equity)), 60)
        assert marks[0].equity == max(value for when, value in seen if when >= minute - 60)
        assert [one.equity for one in marks] == sorted({one.equity for one in marks}, reverse=True)


LADDER = Limits(D(1000), loss_an_hour=D(1), ladder=(D("0.04"), D("0.10"), D("0.20")))


@pytest.mark.parametrize(
    ("after_days", "price", "rule"),
    [
        (0, "99.61", None),
        (0, "99.6", "drawdown day"),
        (3, "99.1", None),
        (3, "99", "drawdown week"),
        (20, "98.1", None),
        (20, "98", "drawdown month"),
        (31, "98", None),
    ],
)
def test_the_ladder_of_a_day_a_week_and_a_month(after_days: int, price: str, rule: str | None) -> None:
    risk = watched((0, "100"), (after_days * DAY_MS + HOUR_MS, price), limits=LADDER)
    found = fallen(LADDER, risk, NOW + after_days * DAY_MS + HOUR_MS)
    assert (found.rule if found else None) == rule


def test_without_a_ladder_no_fall_pauses() -> None:
    risk = watched((0, "100"), (1_000, "50"))
    assert fallen(LIMITS, risk, NOW + 1_000) is None


@given(st.lists(st.tuples(st.integers(0, 40_000), st.integers(1, 5)), max_size=40))
def test_never_more_than_the_allowed_orders_in_any_minute(moves: list[tuple[int, int]]) -> None:
    risk, at_ms, sent = CALM, NOW, list[int]()
    for wait, count in moves:
        at_ms += wait
        approved, _, risk = judged(*(place("sell", number=n) for n in range(count)), risk=risk, at_ms=at_ms)
        sent += [at_ms] * len(approved)
        assert sum(when > at_ms - MINUTE_MS for when in sent) <= LIMITS.orders_a_minute


def test_shares_of_the_limits_are_the_rules_own() -> None:
    plain = Limits(D(1))
    assert (plain.orders_a_minute, plain.cooldown_ms, plain.trial_orders) == (50, 300_000, 3)
    assert (plain.loss_an_hour, plain.price_band) == (Decimal("0.05"), Decimal("0.10"))
