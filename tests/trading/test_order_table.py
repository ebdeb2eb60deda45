"""The order table: every answer at every status, late, twice and out of order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.trading.event import Accepted, Cancelled, Expired, Missing, OrderEvent, Rejected, Sending, Unclear
from autogrid.trading.order import FOLLOWS, OPEN, Order, Status, UnableToFollow, apply
from tests.builders import D, fill_of, market, new_order

MARKET = market()
ALL: tuple[Status, ...] = (
    "intended", "sending", "working", "partial", "unclear", "cancelling",
    "filled", "cancelled", "expired", "rejected", "absent",
)  # fmt: skip
ENDED = tuple(status for status in ALL if status not in OPEN)
ANSWERS = (Sending, Accepted, Rejected, Cancelled, Expired, Unclear, Missing)
ID = "n-1-0-0b"


def answer(kind: type[OrderEvent]) -> OrderEvent:
    return Rejected(1, ID, "no") if kind is Rejected else kind(1, ID)  # type: ignore[call-arg]


def at(status: Status, filled: str = "0") -> Order:
    return new_order()._replace(status=status, filled=D(filled))


@pytest.mark.parametrize("status", ALL)
@pytest.mark.parametrize("kind", ANSWERS)
def test_the_table_is_followed_and_nothing_else(status: Status, kind: type[OrderEvent]) -> None:
    expected = FOLLOWS.get((status, kind))
    if expected is None:
        with pytest.raises(UnableToFollow, match=f"{kind.__name__} cannot follow"):
            apply(at(status), answer(kind), MARKET)
    else:
        assert apply(at(status), answer(kind), MARKET).status == expected


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("working", Missing),
        ("partial", Missing),
        ("partial", Rejected),
        ("filled", Rejected),
        ("filled", Missing),
        ("cancelled", Rejected),
        ("rejected", Accepted),
        ("rejected", Missing),
    ],
)
def test_what_cannot_be_raises(status: Status, kind: type[OrderEvent]) -> None:
    with pytest.raises(UnableToFollow):
        apply(at(status), answer(kind), MARKET)


@pytest.mark.parametrize("status", ALL)
@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_twice_is_an_answer_once(status: Status, kind: type[OrderEvent]) -> None:
    if (status, kind) in FOLLOWS:
        once = apply(at(status), answer(kind), MARKET)
        assert (once.status, kind) in FOLLOWS or once.status == "partial"
        assert apply(once, answer(kind), MARKET) is once


@pytest.mark.parametrize("status", ENDED)
def test_an_ended_order_stays_ended_but_for_one_that_turns_up_again(status: Status) -> None:
    for (before, kind), after in FOLLOWS.items():
        if before == status and (status, kind) != ("absent", Accepted):
            assert after == status


def test_an_order_thought_absent_that_turns_up_is_working_again() -> None:
    assert apply(at("absent"), Accepted(1, ID), MARKET).status == "working"


@pytest.mark.parametrize("status", [status for status in ALL if status != "rejected"])
def test_a_fill_is_booked_whatever_was_said_before(status: Status) -> None:
    order = at(status)
    part = apply(order, fill_of(order, MARKET, D("0.4"), D(100), "a"), MARKET)
    assert part.filled == D("0.4")
    assert part.value == 40
    assert part.fee_base == D("0.0004")
    whole = apply(part, fill_of(part, MARKET, D("0.6"), D(99), "b"), MARKET)
    assert (whole.status, whole.filled, whole.value) == ("filled", D(1), D("99.4"))


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        ("intended", "partial"),
        ("sending", "partial"),
        ("unclear", "partial"),
        ("working", "partial"),
        ("absent", "partial"),
        ("cancelling", "cancelling"),
        ("cancelled", "cancelled"),
        ("expired", "expired"),
    ],
)
def test_a_part_fill_shows_in_the_status_where_the_order_is_not_on_its_way_out(status: Status, becomes: str) -> None:
    order = at(status)
    assert apply(order, fill_of(order, MARKET, D("0.4"), D(100), "a"), MARKET).status == becomes


def test_a_second_fill_of_the_same_id_is_the_same_fill() -> None:
    order = at("working")
    fill = fill_of(order, MARKET, D("0.4"), D(100), "a")
    once = apply(order, fill, MARKET)
    assert apply(once, fill, MARKET) is once


def test_a_fill_of_a_refused_order_is_impossible() -> None:
    order = at("rejected")
    with pytest.raises(UnableToFollow, match="was rejected"):
        apply(order, fill_of(order, MARKET, D(1), D(100), "a"), MARKET)


def test_more_than_was_ordered_cannot_be_filled() -> None:
    order = at("working", "0.7")
    with pytest.raises(UnableToFollow, match="was filled with"):
        apply(order, fill_of(order, MARKET, D("0.31"), D(100), "a"), MARKET)


def test_acceptance_after_a_part_fill_leaves_it_partial() -> None:
    order = at("unclear")
    part = apply(order, fill_of(order, MARKET, D("0.4"), D(100), "a"), MARKET)
    again = apply(part._replace(status="unclear"), Accepted(2, ID), MARKET)
    assert again.status == "partial"
    assert again.remaining == D("0.6")


@given(st.lists(st.sampled_from(ANSWERS), max_size=12))
def test_no_row_of_answers_leads_outside_the_table(kinds: list[type[OrderEvent]]) -> None:
    order = at("intended")
    for kind in kinds:
        try:
            order = apply(order, answer(kind), MARKET)
        except UnableToFollow:
            assert (order.status, kind) not in FOLLOWS
        assert order.status in ALL
        assert order.is_open == (order.status in OPEN)
