"""Targets against standing orders: placed, cancelled, kept; never two in a slot; patience after refusals."""

from hypothesis import given
from hypothesis import strategies as st

from autogrid.trading.order import Order, Side
from autogrid.trading.plan import Backoff, Target, missing, plan, serves, waited
from tests.builders import D, new_order


def target(slot: str = "0-0b", price: str = "100", quantity: str = "1", side: Side = "buy", **more: bool) -> Target:
    return Target(slot, side, D(price), D(quantity), **more)  # type: ignore[arg-type]


def order(slot: str = "0-0b", price: str = "100", quantity: str = "1", **more: object) -> Order:
    return new_order("buy", price, quantity, slot=slot)._replace(status="working", **more)  # type: ignore[arg-type]


def test_what_is_missing_is_placed_and_what_is_not_wanted_is_cancelled() -> None:
    wanted, alien = target("0-0b"), order("9-0b")
    cancel, place = plan({"0-0b": wanted}, {"9-0b": alien}, {}, 0)
    assert cancel == [alien]
    assert place == [wanted]


def test_an_order_as_wanted_is_left_alone() -> None:
    assert plan({"0-0b": target()}, {"0-0b": order()}, {}, 0) == ([], [])


def test_the_rest_of_a_part_filled_order_serves_a_target_of_that_rest() -> None:
    assert serves(order(quantity="1", filled=D("0.4")), target(quantity="0.6"))
    assert not serves(order(quantity="1", filled=D("0.4")), target(quantity="1"))


def test_a_changed_price_or_quantity_is_cancelled_first_and_placed_only_when_gone() -> None:
    standing = {"0-0b": order(price="99")}
    cancel, place = plan({"0-0b": target()}, standing, {}, 0)
    assert cancel == [standing["0-0b"]]
    assert place == []
    leaving = {"0-0b": order(price="99", cancel_asked=True)}
    assert plan({"0-0b": target()}, leaving, {}, 0) == ([], [])
    assert plan({"0-0b": target()}, {}, {}, 0) == ([], [target()])


def test_an_order_that_leaves_does_not_serve_even_where_it_is_as_wanted() -> None:
    assert not serves(order(cancel_asked=True), target())


def test_a_market_order_serves_whatever_its_rest() -> None:
    held = new_order("sell", "100", "3", slot="exit-0", kind="market")
    assert serves(held, Target("exit-0", "sell", D(90), D(2), "market"))
    assert not serves(held, Target("exit-0", "buy", D(90), D(2), "market"))


def test_a_target_that_wants_to_be_alone_waits_for_all_others_of_its_side_to_go() -> None:
    lonely = target("exit-0", side="sell", alone=True)
    buys, sells = order(), new_order("sell", "101", slot="1-0s")
    assert missing([lonely], {"0-0b": buys, "1-0s": sells}, {}, 0) == []
    assert missing([lonely], {"1-0s": sells._replace(cancel_asked=True)}, {}, 0) == []
    assert missing([lonely], {"0-0b": buys}, {}, 0) == [lonely]
    assert missing([lonely], {}, {}, 0) == [lonely]


def test_a_refused_slot_waits_twice_as_long_each_time_and_five_minutes_at_most() -> None:
    waits, backoff = [], None
    for _ in range(12):
        backoff = waited(backoff, 1_000)
        waits.append(backoff.until_ms - 1_000)
    assert waits == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000, 300_000]
    assert waited(Backoff(10_000, 0), 0) == Backoff(10_001, 300_000)


def test_a_slot_that_waits_is_not_placed_before_its_time() -> None:
    backoffs = {"0-0b": Backoff(1, 2_000)}
    assert missing([target()], {}, backoffs, 1_999) == []
    assert missing([target()], {}, backoffs, 2_000) == [target()]


SLOTS = st.sampled_from(["0-0b", "1-0b", "2-0b", "3-0b"])
PRICES = st.sampled_from(["99", "100"])


@given(st.dictionaries(SLOTS, PRICES), st.dictionaries(SLOTS, PRICES))
def test_once_cancelled_and_placed_what_stands_is_what_is_wanted(wants: dict[str, str], stands: dict[str, str]) -> None:
    targets = {slot: target(slot, price) for slot, price in wants.items()}
    standing = {slot: order(slot, price) for slot, price in stands.items()}
    for _ in range(2):
        cancel, place = plan(targets, standing, {}, 0)
        assert not {one.slot for one in place} & standing.keys()
        standing = {slot: one for slot, one in standing.items() if one not in cancel}
        standing |= {one.slot: order(one.slot, str(one.price)) for one in place}
    assert plan(targets, standing, {}, 0) == ([], [])
    assert {slot: one.price for slot, one in standing.items()} == {s: t.price for s, t in targets.items()}
