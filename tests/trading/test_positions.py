"""Entries with their stops, targets and trailing lines, led by hand through everything an exchange may answer."""

from decimal import Decimal
from typing import Any

import pytest

from autogrid.trading.bot import Bot
from autogrid.trading.event import (
    Cancelled,
    EditAsked,
    Expired,
    PauseAsked,
    Rejected,
    ResumeAsked,
    SignalCame,
    StopAsked,
)
from autogrid.trading.ledger import opened
from autogrid.trading.market import Market
from autogrid.trading.plan import Cancel, Place
from autogrid.trading.risk import Limits
from autogrid.trading.state import Step
from autogrid.trading.strategies.signals.held import HeldEntry, Positions, Terms
from autogrid.trading.strategies.signals.positions import LEAST, decided, learned, left, watched, wished
from autogrid.trading.strategies.signals.signal import Signal
from autogrid.trading.strategies.strategy import View
from tests.builders import PLAIN_MARKET, START_MS, Hand, fill_of, market, new_order

D = Decimal
PLAIN = {"stop_loss": "0.02", "take_profit": "0.04", "size": "0.25", "max_entries": "2"}


class Alerted(Hand):
    """A signal bot at 100, led by hand."""

    def __init__(self, on: Market = PLAIN_MARKET, **config: str) -> None:
        bot = Bot(on, Limits(D(10_000), breakers=False), at_once=True)
        super().__init__(bot, bot.start(Signal({**PLAIN, **config}, on, D(10_000)), opened(D(10_000))))
        self.alerts = 0
        self.started()
        self.price("100")

    def alert(self, action: Any, size: str | None = None) -> Step:
        self.alerts += 1
        return self.tell(SignalCame(self.at_ms, f"a{self.alerts}", action, None if size is None else D(size)))

    @property
    def positions(self) -> Positions:
        found = self.state.memory.positions
        assert isinstance(found, Positions)
        return found

    @property
    def entry(self) -> HeldEntry:
        (found,) = self.positions.entries
        return found

    @property
    def slots(self) -> set[str]:
        return set(self.state.standing)

    def cancelled(self, slot: str) -> Step:
        return self.tell(Cancelled(self.at_ms, self.order(slot).id))


def entered(on: Market = PLAIN_MARKET, **config: str) -> Alerted:
    hand = Alerted(on, **config)
    hand.alert("enter")
    hand.fill("1-in")
    return hand


def test_an_entry_rests_its_target_and_watches_its_stop() -> None:
    hand = entered()
    assert hand.entry.phase == "open"
    assert hand.slots == {"1-target"}
    target = hand.order("1-target")
    assert (target.price, target.quantity, target.kind) == (D("104.00"), D("24.97500"), "maker")
    assert hand.entry.stop == D("98.00")
    assert hand.state.bounds is not None
    assert hand.state.bounds.floor == D("98.00")


def test_a_fill_of_the_target_is_a_round_trip_with_its_profit() -> None:
    hand = entered()
    hand.fill("1-target")
    assert not hand.positions.entries
    assert hand.positions.round_trips == 1
    assert hand.positions.profit == D("24.975") * 104 * D("0.999") - D(2_500)
    assert hand.positions.profit == hand.state.ledger.profit(D(104))


def test_a_stop_takes_the_target_out_and_then_sells_at_market() -> None:
    hand = entered()
    step = hand.price("98")
    assert [type(command) for command in step.commands] == [Cancel]
    assert step.refused == ()
    step = hand.cancelled("1-target")
    (place,) = [command for command in step.commands if isinstance(command, Place)]
    assert (place.order.slot, place.order.kind, place.exits) == ("1-out", "market", True)
    assert place.why == "stop 98 reached at 98"
    hand.fill("1-out")
    assert not hand.positions.entries
    assert hand.positions.taken == 0


def test_a_target_that_fills_in_part_leaves_less_for_the_stop() -> None:
    hand = entered()
    hand.fill("1-target", D(10))
    hand.price("97")
    late = hand.order("1-target")
    hand.tell(hand.filled(late, D(5)))
    hand.cancelled("1-target")
    assert hand.order("1-out").quantity == D("9.97500")
    hand.fill("1-out", D(3))
    hand.tell(Expired(hand.at_ms, hand.order("1-out").id))
    assert not hand.slots
    assert hand.entry.phase == "leaving"
    hand.price("96", after_ms=1_000)
    assert hand.order("1-out").quantity == D("6.97500")
    hand.fill("1-out", price=D(96))
    assert hand.positions.round_trips == 1
    assert hand.state.ledger.base == hand.positions.pool.base == 0


def test_a_rest_too_small_to_be_ordered_joins_the_pool_and_the_next_entry_sells_it() -> None:
    hand = entered()
    hand.price("98")
    hand.cancelled("1-target")
    hand.fill("1-out", D("24.97"))
    hand.tell(Expired(hand.at_ms, hand.order("1-out").id))
    assert not hand.positions.entries
    assert hand.positions.pool.base == D("0.00500")
    assert hand.positions.profit == hand.state.ledger.quote - 10_000 + hand.positions.pool.cost
    hand.alert("enter", "0.1")
    bought = hand.order("2-in").quantity
    hand.fill("2-in")
    assert hand.entry.stock == (bought * D("0.999") + D("0.005")) // D("0.00001") * D("0.00001")


def test_a_purchase_that_fills_in_part_is_an_entry_of_that_part() -> None:
    hand = Alerted()
    hand.alert("enter")
    hand.fill("1-in", D(4))
    assert hand.slots == {"1-in"}
    assert hand.entry.stop == D(98)
    hand.tell(Expired(hand.at_ms, hand.order("1-in").id))
    assert hand.order("1-target").quantity == D("3.99600")


def test_a_stop_while_the_purchase_is_out_cancels_the_purchase_first() -> None:
    hand = Alerted()
    hand.alert("enter")
    hand.fill("1-in", D(4))
    step = hand.price("97.99")
    assert [type(command) for command in step.commands] == [Cancel]
    hand.cancelled("1-in")
    assert hand.order("1-out").quantity == D("3.99600")


def test_a_purchase_that_ends_without_a_fill_is_gone_and_its_number_is_not_given_again() -> None:
    hand = Alerted()
    hand.alert("enter")
    hand.tell(Rejected(hand.at_ms, hand.order("1-in").id, "not enough free funds"))
    assert not hand.positions.entries
    hand.alert("enter")
    assert hand.slots == {"2-in"}


def test_a_late_fill_of_a_purchase_that_was_given_up_is_sold_at_once() -> None:
    hand = Alerted()
    hand.alert("enter")
    order = hand.order("1-in")
    hand.alert("leave")
    assert not hand.positions.entries
    hand.tell(hand.filled(order))
    assert hand.order("1-out").quantity == D("24.97500")
    hand.fill("1-out")
    pool = hand.positions.pool
    assert hand.positions.profit == hand.state.ledger.profit(D(100)) - pool.base * 100 + pool.cost


def test_a_paused_bot_makes_no_purchase_and_gives_it_up_in_time_but_its_stop_works() -> None:
    hand = entered()
    hand.tell(PauseAsked(hand.at_ms, cancel=False))
    hand.alert("enter")
    assert hand.slots == {"1-target"}
    hand.price("97", after_ms=60_000)
    hand.cancelled("1-target")
    assert hand.slots == {"1-out"}
    assert [entry.number for entry in hand.positions.entries] == [1]
    hand.fill("1-out", price=D(97))
    hand.tell(ResumeAsked(hand.at_ms))
    assert not hand.slots


@pytest.mark.parametrize("sell", [True, False])
def test_stop_sells_everything_or_keeps_it(sell: bool) -> None:
    hand = entered()
    hand.tell(StopAsked(hand.at_ms, sell=sell))
    assert hand.positions.why == "stopped"
    hand.cancelled("1-target")
    if sell:
        hand.fill("1-out")
        assert hand.state.ledger.base == D("0") + hand.positions.pool.base
    else:
        assert hand.state.ledger.base == D("24.975")
    assert hand.state.ended_why == "stopped"


def test_an_edit_keeps_what_is_bought_under_its_old_stop() -> None:
    hand = entered()
    hand.tell(EditAsked(hand.at_ms, {"stop_loss": "0.1"}))
    assert hand.entry.stop == D(98)
    hand.alert("enter")
    hand.fill("2-in")
    assert [entry.stop for entry in hand.positions.entries] == [D(98), D(90)]
    assert hand.tell(EditAsked(hand.at_ms, {"size": "7"})).note.startswith("edit refused: size is 7")


def test_more_entries_than_allowed_are_passed_over_and_say_so() -> None:
    hand = entered(max_entries="1")
    hand.alert("enter")
    assert hand.slots == {"1-target"}
    assert hand.state.memory.last == "a2: passed over, 1 entries are open"
    assert hand.alert("enter", "0.00001").commands == ()


def test_a_signal_that_was_passed_over_is_not_followed_when_it_comes_again() -> None:
    hand = entered(max_entries="1")
    hand.alert("enter")
    hand.fill("1-target")
    hand.tell(SignalCame(hand.at_ms, "a2", "enter", None))
    assert not hand.slots
    assert not hand.positions.entries


def test_the_last_64_signals_are_known_again() -> None:
    hand = Alerted()
    for _ in range(70):
        hand.alert("leave")
    assert len(hand.state.memory.ids) == 64
    before = hand.state.memory
    for known in ("a70", "a7"):
        hand.tell(SignalCame(hand.at_ms, known, "enter", None))
        assert hand.state.memory is before
    hand.tell(SignalCame(hand.at_ms, "a6", "enter", None))
    assert hand.slots == {"1-in"}


def test_without_stop_and_target_nothing_is_watched() -> None:
    hand = entered(stop_loss="none", take_profit="none")
    assert not hand.slots
    assert hand.state.bounds is not None
    assert (hand.state.bounds.floor, hand.state.bounds.roof) == (None, None)
    hand.alert("leave")
    assert hand.slots == {"1-out"}


# ---------------------------------------------------------------- trailing


def trailing(price: str = "100") -> tuple[Positions, View]:
    """An entry at `price` with a stop 5 below, a target 10 above, and a trailing line 4 below the peak."""
    view = View(START_MS, D(price), PLAIN_MARKET, opened(D(10_000)))
    positions = decided(Positions(), Terms(False, D(5), D(2), D(4)), D(price), D(1), START_MS + 60_000, "why")
    order = new_order(price=price, slot="1-in", kind="market", order_id="n-1-1-in")
    fill = fill_of(order, PLAIN_MARKET, D(1), D(price), "f1")
    return learned(positions, order._replace(filled=D(1)), fill, view), view


def test_trailing_is_armed_half_way_and_follows_the_peak() -> None:
    positions, view = trailing()
    wish = wished(positions, view)
    assert (wish.floor, wish.roof, wish.every) == (D(95), D(105), False)
    assert watched(positions, view._replace(price=D("104.99"))) is positions
    armed = watched(positions, view._replace(price=D(105)))
    assert (armed.entries[0].peak, armed.entries[0].line) == (D(105), D(101))
    wish = wished(armed, view._replace(price=D(105)))
    assert (wish.floor, wish.roof, wish.every) == (D(101), None, True)
    wish = wished(armed, view._replace(price=D(104)))
    assert (wish.floor, wish.roof, wish.every) == (D(101), D(105) + LEAST, False)
    risen = watched(armed, view._replace(price=D(108)))
    assert risen.entries[0].line == D(104)
    assert watched(risen, view._replace(price=D(106))) is risen
    fallen = watched(risen, view._replace(price=D(104)))
    assert fallen.entries[0].phase == "leaving"
    assert fallen.entries[0].reason == "trailing line 104, 1 ATR below the peak 108 reached at 104"


def test_the_trailing_line_is_never_below_the_stop() -> None:
    positions, view = trailing()
    wide = positions._replace(
        entries=tuple(one._replace(terms=one.terms._replace(trail=D(50))) for one in positions.entries)
    )
    armed = watched(wide, view._replace(price=D(106)))
    assert armed.entries[0].line == armed.entries[0].stop == D(95)


def test_stops_are_rounded_down_and_targets_up_to_the_tick() -> None:
    on = market(tick=D("0.5"))
    terms = Terms(False, D("1.3"), D("2"), D(0))
    assert terms.stop_at(D("100.1"), on) == D("98.5")
    assert terms.target_at(D("100.1"), on) == D("103")
    shares = Terms(True, D("0.02"), D("0.04"), D(0))
    assert (shares.stop_at(D("100.1"), on), shares.target_at(D("100.1"), on)) == (D("98.0"), D("104.5"))


def test_an_entry_of_which_nothing_was_bought_is_dropped_when_everything_leaves() -> None:
    positions, _ = trailing()
    more = decided(positions, Terms(True, D(0), D(0), D(0)), D(100), D(1), START_MS, "why")
    assert [entry.phase for entry in left(more, "because").entries] == ["leaving"]
