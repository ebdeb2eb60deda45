"""What a bot missed is told by events that its order table takes, once."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.trading.event import Accepted, Cancelled, Expired, Filled, Missing, OrderEvent, Rejected, Sending, Unclear
from autogrid.trading.order import FOLLOWS, OPEN, Order, Status, apply
from autogrid.trading.reconcile import Ending, Report, missed
from tests.builders import D, Hand, bot_of, fill_of, market, new_order
from tests.trading.made_up import SEEDS

AT = 1_000_000
MARKET = market()
FREE_OF_FEES = market(maker_fee=D(0), taker_fee=D(0))


def standing(status: Status, order_id: str = "n-1-0-0b", **changes: object) -> Order:
    return new_order(order_id=order_id)._replace(status=status, **changes)  # type: ignore[arg-type]


def report_of(
    order: Order, *, known: bool = True, ended: Ending | None = None, fills: tuple[Filled, ...] = ()
) -> Report:
    ids = frozenset({order.id}) if known else frozenset[str]()
    return Report(AT, ids, frozenset() if ended else ids, {order.id: fills}, {order.id: ended} if ended else {})


def fill(quantity: str, number: int = 1, at_ms: int = AT, order_id: str = "n-1-0-0b") -> Filled:
    return fill_of(new_order(order_id=order_id), MARKET, D(quantity), D(100), f"x{number}", at_ms)


@pytest.mark.parametrize("status", ["intended", "sending", "unclear", "cancelling"])
def test_an_order_without_an_answer_that_the_exchange_does_not_know_never_arrived(status: Status) -> None:
    order = standing(status)
    assert missed([order], report_of(order, known=False)) == (Missing(AT, order.id),)


@pytest.mark.parametrize("status", ["working", "partial"])
def test_an_order_of_the_book_that_a_report_leaves_out_is_left_as_it_is(status: Status) -> None:
    order = standing(status)
    assert missed([order], report_of(order, known=False)) == ()


@pytest.mark.parametrize("status", ["intended", "sending", "unclear"])
def test_an_order_that_arrived_after_all_is_accepted(status: Status) -> None:
    order = standing(status)
    assert missed([order], report_of(order)) == (Accepted(AT, order.id),)


@pytest.mark.parametrize("status", ["working", "partial", "cancelling"])
def test_an_order_that_rests_as_we_know_it_is_no_news(status: Status) -> None:
    order = standing(status)
    assert missed([order], report_of(order)) == ()


@pytest.mark.parametrize(
    ("ended", "event"),
    [("cancelled", Cancelled(AT, "n-1-0-0b")), ("expired", Expired(AT, "n-1-0-0b"))],
)
def test_an_order_that_ended_meanwhile_is_told_after_its_fills(ended: Ending, event: OrderEvent) -> None:
    order = standing("working")
    part = fill("0.4")
    assert missed([order], report_of(order, ended=ended, fills=(part,))) == (part, event)


def test_an_order_that_was_refused_was_never_accepted() -> None:
    order = standing("sending")
    (event,) = missed([order], report_of(order, ended="rejected"))
    assert isinstance(event, Rejected)


def test_fills_of_all_orders_come_in_the_order_they_happened() -> None:
    one, other = standing("working", "n-1-0-0b"), standing("sending", "n-2-1-0b")
    late, early = fill("1", 1, 50), fill("1", 2, 40, other.id)
    report = Report(
        AT, frozenset({one.id, other.id}), frozenset(), {one.id: (late,), other.id: (early,)},
        {one.id: "filled", other.id: "filled"},
    )  # fmt: skip
    assert missed([one, other], report) == (Accepted(AT, other.id), early, late)


def test_a_fill_that_is_booked_is_not_told_again() -> None:
    part = fill("0.4")
    order = apply(standing("working"), part, MARKET)
    assert missed([order], report_of(order, fills=(part,))) == ()


@pytest.mark.parametrize("status", ["cancelled", "expired", "filled"])
def test_a_fill_of_an_order_that_ended_is_told(status: Status) -> None:
    order, part = standing(status), fill("0.4")
    assert missed([order], report_of(order, ended="cancelled", fills=(part,))) == (part,)


def test_an_order_thought_absent_that_turns_up_is_accepted() -> None:
    order = standing("absent")
    assert missed([order], report_of(order)) == (Accepted(AT, order.id),)
    assert missed([order], report_of(order, known=False)) == ()


STATUSES: tuple[Status, ...] = ("intended", "sending", "unclear", "working", "partial", "cancelling", "absent")


@given(
    status=st.sampled_from(STATUSES),
    before=st.integers(0, 2),
    after=st.integers(0, 3),
    ended=st.sampled_from([None, "cancelled", "expired", "rejected", "filled"]),
    known=st.booleans(),
)
def test_the_table_takes_every_reconciliation_and_a_second_one_is_empty(
    status: Status, before: int, after: int, ended: Ending | None, known: bool
) -> None:
    order = standing(status, quantity=D(5))
    fills = tuple(fill("1", number, number) for number in range(before + after))
    if before and status in ("partial", "cancelling"):
        for part in fills[:before]:
            order = apply(order, part, MARKET)
    if ended == "rejected":
        fills = fills[:0] if order.filled == 0 else fills
        ended = "rejected" if order.filled == 0 and status in ("intended", "sending", "unclear") else "cancelled"
    if ended == "filled":
        fills = tuple(fill("1", number, number) for number in range(5))
    report = report_of(order, known=known, ended=ended, fills=fills)
    told = order
    for event in missed([order], report):
        told = apply(told, event, MARKET)
    assert missed([told], report) == ()
    if known and ended is not None:
        assert told.status not in OPEN
    if known:
        assert len(told.fill_ids) == len(fills)
    assert (told.status, Sending) in FOLLOWS


@given(SEEDS)
def test_a_bot_that_was_away_ends_where_one_that_heard_everything_does(seed: int) -> None:
    """An exchange fills, cancels, loses and keeps orders; one bot hears at once, the other by one report."""
    chance = random.Random(seed)
    away = Hand(*bot_of(on=FREE_OF_FEES)).started()
    away.price("10500")
    away.fill("open-0", price=D(10500))
    orders = list(away.state.standing.values())
    known, is_open, ended = set(), set(), dict[str, Ending]()
    fills: dict[str, tuple[Filled, ...]] = {}
    for number, order in enumerate(orders):
        fate = chance.choice(["lost", "open", "part", "filled", "cancelled", "unclear"])
        if fate == "unclear":
            away.tell(Unclear(AT, order.id))
        if fate in ("lost", "unclear"):
            continue
        known.add(order.id)
        if fate in ("part", "filled"):
            quantity = order.quantity if fate == "filled" else D("0.05")
            fills[order.id] = (fill_of(order, FREE_OF_FEES, quantity, order.price, f"y{number}", AT + number),)
        if fate in ("open", "part"):
            is_open.add(order.id)
        else:
            ended[order.id] = "filled" if fate == "filled" else "cancelled"
    report = Report(AT, frozenset(known), frozenset(is_open), fills, ended)
    for event in missed(orders, report):
        away.tell(event)
    state = away.state
    again = missed([one for one in state.standing.values() if one.id in {o.id for o in orders}], report)
    assert again == ()
    booked = {fill_id for one in (*state.standing.values(), *state.ended) for fill_id in one.fill_ids}
    assert {one.fill_id for all_fills in fills.values() for one in all_fills} <= booked
    assert all(order.quantity >= order.filled for order in state.standing.values())
    cells = [slot.rpartition("-")[0] for slot in state.standing]
    assert sorted(set(cells)) == sorted(cells)
    for order in orders:
        if order.id in is_open and order.id in {one.id for one in state.standing.values()}:
            assert next(one for one in state.standing.values() if one.id == order.id).status in ("working", "partial")
