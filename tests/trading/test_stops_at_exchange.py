"""Stops at the exchange, led by the hand: what they cover, how they follow, and what the bot does behind them."""

from decimal import Decimal

import pytest

from autogrid.trading.event import (
    ActionAsked,
    Cancelled,
    EditAsked,
    Expired,
    PauseAsked,
    Rejected,
    StopAsked,
    Tick,
)
from autogrid.trading.market import Stops
from autogrid.trading.order import Order
from autogrid.trading.plan import Cancel, Place
from autogrid.trading.state import Step
from autogrid.trading.strategies.dca.dca import Dca
from autogrid.trading.strategies.dca.preview import preview
from autogrid.trading.strategies.guard import GRACE_MS, PART_MS
from tests.builders import Hand, market, tape_through
from tests.trading.made_up_dca import bot_with, dca_memory, play_dca

D = Decimal
FREE = {"maker_fee": D(0), "taker_fee": D(0), "lot": D("0.001"), "min_notional": D(5)}
ONE_ORDER = {"base_order": "100", "safety_orders": "0", "take_profit": "0.1", "stop_loss": "0.05"}
"""Buys 1 at 100: take-profit 110, stop 95, its limit 94.05."""
LADDER = {"base_order": "100", "safety_order": "100", "safety_orders": "2", "deviation": "0.02"}


def opened_at_100(config: dict[str, str] = ONE_ORDER, stops: Stops = "oco") -> Hand:
    """A deal whose base order is filled, with everything it wants in the book."""
    hand = Hand(*bot_with(config, market(stops=stops, **FREE))).started()
    hand.price("100")
    hand.accept_all()
    hand.fill("1-base")
    hand.accept_all()
    return hand


def shape(order: Order) -> tuple[str, str, str, str | None]:
    """Kind, price, what is left, trigger."""
    trigger = None if order.trigger is None else f"{order.trigger:.2f}"
    return order.kind, f"{order.price:.2f}", f"{order.remaining:.3f}", trigger


def sells(hand: Hand) -> dict[str, tuple[str, str, str, str | None]]:
    return {slot: shape(order) for slot, order in hand.state.standing.items() if order.side == "sell"}


def placed(step: Step) -> list[str]:
    return [command.order.slot for command in step.commands if isinstance(command, Place)]


def cancelled(step: Step) -> list[str]:
    return [command.order_id.split("-", 2)[2] for command in step.commands if isinstance(command, Cancel)]


def gone(hand: Hand, slot: str) -> Step:
    """The exchange has taken out what we asked it to."""
    return hand.tell(Cancelled(hand.at_ms, hand.order(slot).id))


# ---------------------------------------------------------------- where they lie


@pytest.mark.parametrize(
    ("stops", "changes", "found"),
    [
        ("none", {}, {"1-t1": ("maker", "110.00", "1.000", None)}),
        ("oco", {}, {"1-t1": ("oco", "110.00", "1.000", "95.00")}),
        ("oco", {"stop_at": "bot"}, {"1-t1": ("maker", "110.00", "1.000", None)}),
        ("stop", {}, {"1-stop": ("stop", "94.05", "1.000", "95.00")}),
        ("stop", {"stop_at": "bot"}, {"1-t1": ("maker", "110.00", "1.000", None)}),
        ("oco", {"trailing": "0.01"}, {"1-stop": ("stop", "94.05", "1.000", "95.00")}),
        ("stop", {"max_slippage": "0"}, {"1-stop": ("stop", "95.00", "1.000", "95.00")}),
        ("stop", {"max_slippage": "0.1"}, {"1-stop": ("stop", "85.50", "1.000", "95.00")}),
    ],
)
def test_what_rests_for_a_position(stops: Stops, changes: dict[str, str], found: dict[str, object]) -> None:
    hand = opened_at_100({**ONE_ORDER, **changes}, stops)
    assert sells(hand) == found


def test_each_of_several_take_profits_has_the_stop_beside_it() -> None:
    config = {**ONE_ORDER, "targets": "0.1:0.6,0.2:0.4"}
    del config["take_profit"]
    hand = opened_at_100(config)
    assert sells(hand) == {
        "1-t1": ("oco", "110.00", "0.600", "95.00"),
        "1-t2": ("oco", "120.00", "0.400", "95.00"),
    }
    assert {order.stop_price for order in hand.state.standing.values()} == {D("94.05")}
    assert "stop rests at the exchange" in next(
        c.why for s in hand.steps for c in s.commands if isinstance(c, Place) and c.order.kind == "oco"
    )


def test_an_order_is_told_to_the_exchange_whole_with_its_trigger() -> None:
    order = opened_at_100().order("1-t1")
    assert (order.side, order.price, order.trigger, order.stop_price) == ("sell", D(110), D(95), D("94.05"))


# ---------------------------------------------------------------- in step with the position


def test_the_fill_of_a_safety_order_moves_the_stop_once_the_old_one_is_gone() -> None:
    hand = opened_at_100({**ONE_ORDER, **LADDER})
    step = hand.fill("1-s1")
    assert cancelled(step) == ["1-t1"]
    assert "1-t1" not in placed(step)
    step = gone(hand, "1-t1")
    assert placed(step) == ["1-t1"]
    kind, _, quantity, trigger = sells(hand)["1-t1"]
    assert (kind, quantity) == ("oco", "2.020")
    assert trigger == "94.04"  # 5 % below 199.96 for 2.02


def test_coins_of_a_half_filled_safety_order_have_a_stop_of_their_own_and_join_the_others() -> None:
    hand = opened_at_100({**ONE_ORDER, **LADDER})
    step = hand.fill("1-s1", D("0.1"))
    assert placed(step) == []
    step = hand.fill("1-s1", D("0.5"))
    assert placed(step) == ["1-stop"]
    assert sells(hand)["1-stop"] == ("stop", "94.05", "0.510", "95.00")
    hand.accept_all()
    step = hand.fill("1-s1")
    assert sorted(cancelled(step)) == ["1-stop", "1-t1"]
    step = gone(hand, "1-t1")
    assert placed(step) == []  # its coins are not all free yet
    assert step.refused == ()
    assert placed(gone(hand, "1-stop")) == ["1-t1"]
    assert sells(hand)["1-t1"][2] == "2.020"


def test_a_take_profit_that_trades_in_part_gets_a_stop_for_what_is_left() -> None:
    hand = opened_at_100()
    hand.price("110")
    step = hand.fill("1-t1", D("0.4"))
    assert step.commands == ()
    hand.price("105", after_ms=PART_MS - 1)
    assert hand.steps[-1].commands == ()
    step = hand.price("105", after_ms=1)
    assert cancelled(step) == ["1-t1"]
    assert placed(gone(hand, "1-t1")) == ["1-t1"]
    assert sells(hand) == {"1-t1": ("oco", "110.00", "0.600", "95.00")}


def test_what_trades_of_a_take_profit_while_it_is_replaced_is_left_out_of_the_new_one() -> None:
    hand = opened_at_100()
    hand.price("110")
    hand.fill("1-t1", D("0.4"))
    hand.price("105", after_ms=PART_MS)
    hand.fill("1-t1", D("0.25"))
    hand.price("109")
    gone(hand, "1-t1")
    assert sells(hand) == {"1-t1": ("oco", "110.00", "0.350", "95.00")}
    assert hand.state.ledger.base == D("0.35")


def test_a_rest_too_small_for_an_order_of_its_own_stays_in_the_book() -> None:
    hand = opened_at_100()
    hand.price("110")
    hand.fill("1-t1", D("0.96"))
    assert hand.price("105", after_ms=PART_MS).commands == ()
    assert sells(hand)["1-t1"][2] == "0.040"


def test_a_line_that_rises_is_followed_in_steps() -> None:
    hand = opened_at_100({**ONE_ORDER, "take_profit": "0.1", "trailing": "0.01"})
    triggers = []
    for price in ("110", "110.05", "110.1", "110.2", "110.4"):
        hand.price(price)
        if hand.order("1-stop").cancel_asked:
            gone(hand, "1-stop")
        hand.accept_all()
        triggers.append(sells(hand)["1-stop"][3])
    assert triggers == ["108.90", "108.90", "108.90", "108.90", "109.12"]  # the line: 108.90, .94, .99, 109.09, .29


def test_between_the_steps_the_bots_own_watch_is_exact() -> None:
    hand = opened_at_100({**ONE_ORDER, "take_profit": "0.1", "trailing": "0.01"})
    for price in ("110", "110.2"):
        hand.price(price)
        if hand.order("1-stop").cancel_asked:
            gone(hand, "1-stop")
        hand.accept_all()
    step = hand.price("109.09")  # the line; the stop at the exchange lies at 108.90
    assert cancelled(step) == ["1-stop"]
    assert placed(gone(hand, "1-stop")) == ["1-exit"]


def test_an_edit_moves_the_stop_and_takes_it_back_to_the_bot() -> None:
    hand = opened_at_100()
    assert cancelled(hand.tell(EditAsked(hand.at_ms, {"stop_loss": "0.08"}))) == ["1-t1"]
    gone(hand, "1-t1")
    hand.accept_all()
    assert sells(hand) == {"1-t1": ("oco", "110.00", "1.000", "92.00")}
    hand.tell(EditAsked(hand.at_ms, {"stop_at": "bot"}))
    gone(hand, "1-t1")
    assert sells(hand) == {"1-t1": ("maker", "110.00", "1.000", None)}


def test_a_pause_leaves_the_stop_where_it_is() -> None:
    hand = opened_at_100()
    assert hand.tell(PauseAsked(hand.at_ms, cancel=False)).commands == ()
    hand.price("99")
    assert sells(hand) == {"1-t1": ("oco", "110.00", "1.000", "95.00")}


# ---------------------------------------------------------------- the stop is reached


def test_the_exchange_sells_and_the_deal_is_closed_without_an_order_of_the_bot() -> None:
    hand = opened_at_100({**ONE_ORDER, **LADDER})
    step = hand.fill("1-t1", price=D("95"))
    assert sorted(cancelled(step)) == ["1-s1", "1-s2"]
    assert placed(step) == []
    assert dca_memory(hand.state).stage == "waiting"
    assert dca_memory(hand.state).profit == -5
    assert dca_memory(hand.state).closed == 1


def test_once_the_price_is_there_the_exchange_is_left_to_sell_and_nothing_more_is_bought() -> None:
    hand = opened_at_100({**ONE_ORDER, **LADDER})
    step = hand.price("95")
    assert sorted(cancelled(step)) == ["1-s1", "1-s2"]
    assert dca_memory(hand.state).why == "stop-loss at 95"
    assert "1-t1" in hand.state.standing
    assert not hand.order("1-t1").cancel_asked
    assert hand.price("94.05").commands == ()
    hand.fill("1-t1", price=D("94.05"))
    assert dca_memory(hand.state).stage == "waiting"


def test_a_fall_through_the_limit_is_sold_at_market_once_the_stop_is_out_of_the_book() -> None:
    hand = opened_at_100()
    hand.price("95")
    step = hand.price("94.04")
    assert (cancelled(step), placed(step)) == (["1-t1"], [])
    assert placed(gone(hand, "1-t1")) == ["1-exit"]
    assert hand.order("1-exit").kind == "market"


def test_a_gap_below_the_limit_is_sold_at_market_at_once() -> None:
    hand = opened_at_100()
    assert cancelled(hand.price("90")) == ["1-t1"]
    assert placed(gone(hand, "1-t1")) == ["1-exit"]


def test_the_end_by_a_stop_sells_the_coins_of_a_half_filled_safety_order_too() -> None:
    hand = opened_at_100({**ONE_ORDER, **LADDER})
    hand.fill("1-s1", D("0.2"))
    step = hand.fill("1-t1", price=D("94.5"))
    assert sorted(cancelled(step)) == ["1-s1", "1-s2"]
    hand.price("94.5")
    assert hand.order("1-exit").quantity == D("0.2")
    assert dca_memory(hand.state).why == "stop-loss at 95, sold by the exchange"


def test_a_stop_that_has_not_sold_in_time_is_taken_out_and_all_is_sold_at_market() -> None:
    hand = opened_at_100()
    hand.price("95")
    assert hand.price("94.5", after_ms=GRACE_MS - 1).commands == ()
    assert cancelled(hand.price("94.5", after_ms=1)) == ["1-t1"]
    assert placed(gone(hand, "1-t1")) == ["1-exit"]


def test_what_the_stop_sold_while_its_cancel_was_under_way_is_booked_once() -> None:
    hand = opened_at_100()
    hand.price("94.04")
    hand.tell(Tick(hand.at_ms, D("94.04")))
    order = hand.order("1-t1")
    fill = hand.filled(order, D("0.7"), D("94.05"))
    hand.tell(fill)
    again = hand.tell(fill)
    assert again.commands == ()
    assert hand.state.ledger.base == D("0.3")
    step = gone(hand, "1-t1")
    assert placed(step) == ["1-exit"]
    assert hand.order("1-exit").quantity == D("0.3")
    assert hand.state.ledger.free_base == 0


def test_a_stop_that_sold_all_while_its_cancel_was_under_way_leaves_nothing_to_sell() -> None:
    hand = opened_at_100()
    hand.price("94.04")
    hand.fill("1-t1", price=D("94.05"))
    assert hand.state.standing == {}
    assert dca_memory(hand.state).stage == "waiting"


def test_a_stop_that_sells_in_part_is_left_to_sell_the_rest_for_some_time() -> None:
    hand = opened_at_100()
    step = hand.fill("1-t1", D("0.3"), D("95.2"))  # the price is back already
    assert step.commands == ()
    assert dca_memory(hand.state).stage == "exiting"
    hand.price("96", after_ms=1_000)
    assert cancelled(hand.price("96", after_ms=GRACE_MS)) == ["1-t1"]
    gone(hand, "1-t1")
    assert hand.order("1-exit").quantity == D("0.7")


def test_a_stop_that_is_not_known_to_rest_is_not_counted_on() -> None:
    hand = opened_at_100({**ONE_ORDER, **LADDER})
    hand.fill("1-s1")
    gone(hand, "1-t1")  # the new one is decided, and the exchange has not answered
    assert hand.order("1-t1").status == "intended"
    assert "1-t1" in cancelled(hand.price("93.5"))  # between its trigger, 94.04, and its limit


def test_a_stop_that_the_exchange_lost_is_sold_at_market() -> None:
    hand = opened_at_100()
    hand.price("95")
    step = hand.tell(Expired(hand.at_ms, hand.order("1-t1").id))
    assert placed(step) == ["1-exit"]


def test_stops_that_are_refused_three_times_are_left_to_the_bot() -> None:
    hand = opened_at_100()
    hand.tell(Expired(hand.at_ms, hand.order("1-t1").id))  # the exchange took it out by itself: that counts too
    for _ in range(2):
        assert hand.order("1-t1").kind == "oco"
        hand.tell(Rejected(hand.at_ms, hand.order("1-t1").id, "no such type of order here"))
        hand.price("100", after_ms=10_000)
    assert sells(hand) == {"1-t1": ("maker", "110.00", "1.000", None)}
    assert "stop_at" not in hand.state.strategy.config
    assert any("watches the price itself" in one for one in hand.state.strategy.notices(hand.state.memory))
    hand.accept_all()
    assert cancelled(hand.price("95")) == ["1-t1"]


def test_a_stop_that_was_taken_again_in_between_is_not_given_up() -> None:
    hand = opened_at_100()
    hand.tell(Expired(hand.at_ms, hand.order("1-t1").id))
    hand.tell(Rejected(hand.at_ms, hand.order("1-t1").id, "busy"))
    hand.price("100", after_ms=10_000)
    hand.accept_all()
    hand.tell(EditAsked(hand.at_ms, {"stop_loss": "0.06"}))
    gone(hand, "1-t1")
    hand.tell(Rejected(hand.at_ms, hand.order("1-t1").id, "busy"))
    hand.price("100", after_ms=10_000)
    assert hand.order("1-t1").kind == "oco"


def test_a_close_by_hand_takes_the_stop_out_before_it_sells() -> None:
    hand = opened_at_100()
    step = hand.tell(ActionAsked(hand.at_ms, "close", None))
    assert (cancelled(step), placed(step)) == (["1-t1"], [])
    assert placed(gone(hand, "1-t1")) == ["1-exit"]


def test_coins_that_are_kept_have_no_stop_any_more() -> None:
    hand = opened_at_100()
    assert cancelled(hand.tell(StopAsked(hand.at_ms, sell=False))) == ["1-t1"]


# ---------------------------------------------------------------- where a stop and a take-profit exclude each other


def test_the_stop_holds_the_coins_until_the_take_profit_is_reached() -> None:
    hand = opened_at_100(stops="stop")
    assert cancelled(hand.price("110")) == ["1-stop"]
    assert placed(gone(hand, "1-stop")) == ["1-t1"]
    assert hand.order("1-t1").price == 110
    hand.accept_all()
    assert hand.price("106").commands == ()
    assert cancelled(hand.price("105")) == ["1-t1"]
    gone(hand, "1-t1")
    assert sells(hand) == {"1-stop": ("stop", "94.05", "1.000", "95.00")}


def test_only_the_take_profits_that_are_reached_take_their_coins_from_the_stop() -> None:
    config = {**ONE_ORDER, "targets": "0.1:0.6,0.2:0.4"}
    del config["take_profit"]
    hand = opened_at_100(config, "stop")
    hand.price("111")
    gone(hand, "1-stop")
    assert {slot: one[2] for slot, one in sells(hand).items()} == {"1-t1": "0.600", "1-stop": "0.400"}
    hand.accept_all()
    hand.fill("1-t1")
    assert sells(hand) == {"1-stop": ("stop", "94.05", "0.400", "95.00")}


# ---------------------------------------------------------------- over tapes


@pytest.mark.parametrize("stops", ["none", "oco", "stop"])
def test_over_a_tape_the_same_deals_are_sold_at_the_same_prices(stops: Stops) -> None:
    tape = tape_through("100", "94", "97", "108", "90", "93")
    played = play_dca({**ONE_ORDER, "cooldown": "60"}, tape, market(stops=stops, **FREE))
    slots = {"none": "1-exit", "oco": "1-t1", "stop": "1-stop"}
    assert played.trades()[:2] == [("1-base", "100", "1"), (slots[stops], "95", "1")]


def test_a_jump_over_the_stop_and_not_its_limit_fills_at_the_jumps_end() -> None:
    tape = tape_through("100", "100", "94.5")
    tape.prices[1] = (9_450, 9_450, 9_450, 9_450)
    played = play_dca(ONE_ORDER, tape, market(stops="oco", **FREE))
    assert played.trades() == [("1-base", "100", "1"), ("1-t1", "94.5", "1")]


def test_a_jump_over_the_stops_limit_is_sold_at_market_at_the_jumps_end() -> None:
    tape = tape_through("100", "100", "94.5")
    tape.prices[1] = (9_000, 9_000, 9_000, 9_000)
    played = play_dca(ONE_ORDER, tape, market(stops="oco", **FREE))
    assert played.trades() == [("1-base", "100", "1"), ("1-exit", "90", "1")]
    assert played.ledger.base == 0


# ---------------------------------------------------------------- said before it is needed


@pytest.mark.parametrize(
    ("stops", "changes", "words"),
    [
        ("none", {}, "While the computer sleeps or is off, there is no stop."),
        ("oco", {"stop_at": "bot"}, "While the computer sleeps or is off, there is no stop."),
        ("oco", {}, "holds while the computer sleeps or is off. It sells down to 1 % below its trigger"),
        ("stop", {}, "The take-profit is watched by the bot, and while the computer sleeps there is none"),
    ],
)
def test_the_preview_says_in_plain_words_where_the_stop_is(stops: Stops, changes: dict[str, str], words: str) -> None:
    dca = Dca({**ONE_ORDER, **changes}, market(stops=stops, **FREE), D(1_000))
    assert any(words in warning for warning in preview(dca, D(100)).warnings)


def test_the_preview_says_when_the_first_purchase_is_too_small_for_a_stop_at_the_exchange() -> None:
    config = {**ONE_ORDER, "base_order": "5.3", "max_slippage": "0.02"}
    dca = Dca(config, market(stops="oco", **FREE), D(1_000))
    assert any("too small for an order of its own" in warning for warning in preview(dca, D(100)).warnings)
    hand = opened_at_100(config)
    assert sells(hand) == {"1-t1": ("maker", "110.00", "0.053", None)}
    assert cancelled(hand.price("95")) == ["1-t1"]


def test_without_a_stop_nothing_is_said_of_where_it_rests() -> None:
    dca = Dca({"base_order": "100", "safety_orders": "0"}, market(stops="oco", **FREE), D(1_000))
    assert not any("computer" in warning for warning in preview(dca, D(100)).warnings)
