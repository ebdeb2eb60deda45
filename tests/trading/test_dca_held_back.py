"""DCA where something comes between: a pause, a late candle, a late fill, a refusal, an ask at an odd time."""

import pytest

from autogrid.trading.candle import Candle
from autogrid.trading.event import (
    ActionAsked,
    Cancelled,
    CandleClosed,
    EditAsked,
    Expired,
    FundsAsked,
    KillAsked,
    PauseAsked,
    Rejected,
    ResumeAsked,
    SignalCame,
)
from autogrid.trading.money import ZERO
from tests.builders import MINUTE_MS, START_MS, D, Hand, market, tape_of
from tests.trading.made_up_dca import dca_memory, hand_of, play_dca

HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
FREE = market(maker_fee=ZERO, taker_fee=ZERO, lot=D("0.0001"), min_notional=D(1))
SPOT = market(lot=D("0.0001"))
"""A least value of 5 and fees of 0.1 %."""
TWO = {"base_order": "100", "safety_orders": "2", "deviation": "0.02", "step_scale": "1", "volume_scale": "2"}
"""Safety orders of 100 at 98 and of 200 at 96; take-profit 1.5 %."""
DAILY = {"mode": "accumulate", "amount": "100", "every": "daily", "first": "anchor"}
ON_RSI = {"base_order": "100", "safety_orders": "0", "start_when": "rsi", "rsi_period": "2", "timeframe": "1h"}


def running(config: dict[str, str] = TWO) -> Hand:
    """A deal whose base order filled at 100 and whose other orders rest."""
    hand = hand_of(config, FREE, "1000")
    hand.price("100")
    hand.fill("1-base")
    hand.accept_all()
    return hand


def in_an_exit() -> Hand:
    """A deal that the stop-loss sells: its exit is out."""
    hand = running({**TWO, "stop_loss": "0.1"})
    hand.price("80")
    obey_cancels(hand)
    hand.accept_all()
    return hand


def obey_cancels(hand: Hand) -> None:
    for order in [one for one in hand.state.standing.values() if one.cancel_asked]:
        hand.tell(Cancelled(hand.at_ms, order.id))


def orders(hand: Hand) -> dict[str, str]:
    """What stands and is not being cancelled."""
    return {
        slot: f"{order.side} {order.remaining.normalize():f} at {order.price.normalize():f}"
        for slot, order in hand.state.standing.items()
        if not order.cancel_asked
    }


def pause(hand: Hand, *, cancel: bool = False) -> None:
    hand.tell(PauseAsked(hand.at_ms, cancel))


def resume(hand: Hand) -> None:
    hand.tell(ResumeAsked(hand.at_ms))


def act(hand: Hand, action: str) -> str:
    """What is said to it; nothing where it is done."""
    return hand.tell(ActionAsked(hand.at_ms, action, None)).note


def candle(hand: Hand, number: int, close: float, *, late: bool = False) -> None:
    """The `number`-th hour's candle, told at its end, or later where it is later already."""
    open_ms = START_MS + number * HOUR_MS
    hand.at_ms = max(hand.at_ms, open_ms + HOUR_MS)
    hand.tell(CandleClosed(open_ms + HOUR_MS, Candle(open_ms, close, close, close, close, 1.0), late))


# ---------------------------------------------------------------- a second try that would be too small


def test_a_rest_of_the_base_order_that_the_fall_made_too_small_is_let_go_and_the_deal_runs() -> None:
    hand = hand_of({**TWO, "stop_loss": "0.1"}, SPOT, "1000")
    hand.price("100")
    hand.fill("1-base", D("0.949"))
    hand.tell(Expired(hand.at_ms, hand.order("1-base").id))  # the rest is worth 5.10
    hand.price("97.5", after_ms=1_500)  # and now 4.97
    assert dca_memory(hand.state).stage == "running"
    assert {"1-s1", "1-t1"} <= set(orders(hand))
    assert hand.state.refused == ()


def test_a_scheduled_purchase_that_the_fall_made_too_small_is_left_out_and_the_schedule_goes_on() -> None:
    hand = hand_of({"mode": "accumulate", "amount": "5.2", "every": "daily"}, SPOT, "1000")
    hand.price("100")
    hand.tell(Rejected(hand.at_ms, hand.order("buy-1").id, "exchange busy"))
    hand.price("96", after_ms=1_500)  # 0.052 coins are worth 4.992
    assert orders(hand) == {}
    hand.price("110", after_ms=DAY_MS)
    assert orders(hand) == {"buy-2": "buy 0.0472 at 110"}


# ---------------------------------------------------------------- take-profits are exits


def test_a_safety_order_that_fills_in_a_pause_moves_the_take_profit() -> None:
    hand = running()
    pause(hand)
    hand.price("98")
    hand.fill("1-s1")
    obey_cancels(hand)
    assert orders(hand)["1-t1"] == "sell 2.0204 at 100.48"


@pytest.mark.parametrize("price", ["115", "160"])
def test_a_take_profit_far_below_the_price_is_placed_all_the_same(price: str) -> None:
    hand = running()
    pause(hand, cancel=True)
    obey_cancels(hand)
    hand.price(price, after_ms=HOUR_MS)
    resume(hand)
    assert orders(hand)["1-t1"] == "sell 1 at 101.5"


def test_a_kill_takes_out_the_take_profit_too_until_it_is_resumed() -> None:
    hand = running()
    hand.tell(KillAsked(hand.at_ms))
    obey_cancels(hand)
    hand.price("115", after_ms=HOUR_MS)
    assert orders(hand) == {}
    resume(hand)
    assert "1-t1" in orders(hand)


# ---------------------------------------------------------------- a purchase that was held back


def test_a_base_order_that_a_pause_held_back_is_bought_for_its_amount_at_the_new_price() -> None:
    hand = hand_of(TWO, FREE, "1000")
    pause(hand)
    hand.price("100")
    hand.price("250", after_ms=DAY_MS)
    resume(hand)
    assert orders(hand) == {"1-base": "buy 0.4 at 250"}


def test_a_base_order_that_was_held_back_for_less_than_a_minute_is_sent_as_it_was_decided() -> None:
    hand = hand_of(TWO, FREE, "1000")
    pause(hand)
    hand.price("100")
    hand.price("101", after_ms=MINUTE_MS - 1)
    resume(hand)
    assert orders(hand) == {"1-base": "buy 1 at 100"}


def test_a_scheduled_purchase_that_a_pause_held_back_is_dropped_where_nothing_is_caught_up() -> None:
    hand = hand_of({**DAILY, "catch_up": "skip"}, FREE, "1000")
    hand.price("100", after_ms=1_000)
    pause(hand)
    hand.price("100", after_ms=DAY_MS)
    hand.price("300", after_ms=2 * DAY_MS + HOUR_MS)
    resume(hand)
    assert orders(hand) == {}
    hand.price("300", after_ms=DAY_MS - HOUR_MS - 1_000)
    assert orders(hand) == {"buy-2": "buy 0.3333 at 300"}


def test_a_scheduled_purchase_that_a_pause_held_back_is_caught_up_for_its_amount_at_the_new_price() -> None:
    hand = hand_of(DAILY, FREE, "1000")
    hand.price("100", after_ms=1_000)
    pause(hand)
    hand.price("100", after_ms=DAY_MS)
    hand.price("300", after_ms=HOUR_MS)
    resume(hand)
    assert orders(hand) == {"buy-1": "buy 0.3333 at 300"}
    hand.fill("buy-1")
    assert orders(hand) == {}


def test_anchors_that_pass_in_a_pause_make_one_purchase() -> None:
    hand = hand_of(DAILY, FREE, "1000")
    hand.price("100", after_ms=1_000)
    pause(hand)
    for _ in range(5):
        hand.price("100", after_ms=DAY_MS)
    resume(hand)
    hand.fill("buy-1")
    hand.price("100", after_ms=1_000)
    assert orders(hand) == {}


def test_a_base_order_that_is_out_for_long_is_not_asked_anew() -> None:
    hand = hand_of({**TWO, "stop_loss": "0.1"}, SPOT, "1000")
    hand.price("100")
    hand.accept_all()
    late = hand.filled(hand.order("1-base"))
    hand.price("97", after_ms=61_000)
    hand.tell(late)
    assert dca_memory(hand.state).stage == "running"
    assert hand.state.refused == ()


def test_what_a_candle_decided_before_a_hole_in_the_tape_fills_at_the_next_open() -> None:
    closes = [9_900, 9_800, 9_700, 9_500, 9_500, 9_500]
    times = [START_MS + hour * HOUR_MS for hour in (0, 1, 2, 6, 7, 8)]
    candles = [(close, close, close, close) for close in closes]
    played = play_dca(ON_RSI, tape_of(candles, interval_ms=HOUR_MS, times=times), FREE, investment="1000")
    assert played.slots() == ["1-base"]


def test_a_deal_that_a_low_rsi_wanted_before_a_long_pause_is_not_begun_after_it() -> None:
    hand = hand_of({**ON_RSI, "rsi_below": "30"}, FREE, "1000")
    hand.price("100")
    pause(hand)
    for number, close in enumerate([100.0, 99.0, 98.0, 97.0, *(100.0 + 5 * step for step in range(20))]):
        candle(hand, number, close)
    resume(hand)
    assert orders(hand) == {}
    assert "could not be made" in dca_memory(hand.state).held


def test_a_purchase_that_money_was_taken_from_gives_way_to_one_that_fits() -> None:
    hand = hand_of(DAILY, FREE, "1000")
    hand.price("100", after_ms=1_000)
    pause(hand)
    hand.price("100", after_ms=DAY_MS)
    hand.tell(FundsAsked(hand.at_ms, D(-950)))
    resume(hand)
    hand.tell(EditAsked(hand.at_ms, {"amount": "20"}))
    hand.price("100", after_ms=DAY_MS)
    hand.price("100", after_ms=DAY_MS)
    assert [line.split(" at ")[0] for line in orders(hand).values()] == ["buy 0.2"]


# ---------------------------------------------------------------- candles that come late


def test_a_late_candle_starts_no_deal() -> None:
    hand = hand_of(ON_RSI, FREE, "1000")
    hand.price("100")
    for number, close in enumerate([100.0, 101.0, 102.0]):
        candle(hand, number, close)
    for number, close in enumerate([90.0, 80.0], 3):
        candle(hand, number, close, late=True)
        assert orders(hand) == {}
    candle(hand, 5, 70.0)
    assert set(orders(hand)) == {"1-base"}


def test_a_candle_older_than_the_last_price_does_not_spring_the_trailing_line() -> None:
    hand = hand_of({**ON_RSI, "rsi_below": "50", "trailing": "0.01", "take_profit": "0.02"}, FREE, "1000")
    hand.price("100")
    for number, close in enumerate([100.0, 99.0, 98.0]):
        candle(hand, number, close)
    hand.fill("1-base")
    hand.price("101", after_ms=HOUR_MS + 1_000)  # armed: the line is 99.99
    candle(hand, 3, 99.0)
    assert hand.state.price == D(101)
    assert dca_memory(hand.state).stage == "running"


# ---------------------------------------------------------------- fills that come late


@pytest.mark.parametrize("how", ["close", "leave"])
def test_a_base_order_that_fills_after_its_deal_was_closed_is_sold_at_once(how: str) -> None:
    hand = hand_of({**TWO, "start_when": "signal"}, FREE, "1000")
    hand.price("100")
    hand.tell(SignalCame(hand.at_ms, "a", "enter", None))
    hand.accept_all()
    late = hand.filled(hand.order("1-base"))
    if how == "close":
        assert act(hand, "close") == ""
    else:
        hand.tell(SignalCame(hand.at_ms, "b", "leave", None))
    hand.tell(late)
    assert orders(hand) == {"1-exit": "sell 1 at 100"}
    hand.fill("1-exit")
    assert hand.state.ledger.base == 0
    assert dca_memory(hand.state).stage == "waiting"


def test_a_safety_order_that_fills_as_it_is_taken_out_is_sold_at_once() -> None:
    hand = running({**TWO, "stop_loss": "0.05", "start_when": "price", "start_price": "100"})
    late = hand.filled(hand.order("1-s2"))
    hand.fill("1-t1")
    hand.tell(Cancelled(hand.at_ms, hand.order("1-s1").id))
    hand.tell(late)
    assert orders(hand) == {"1-exit": "sell 2.0833 at 96"}


def test_a_fill_told_after_its_exits_end_closes_the_deal_though_too_little_is_left() -> None:
    hand = hand_of({**TWO, "stop_loss": "0.1"}, market(maker_fee=ZERO, taker_fee=ZERO, lot=D("0.0001")), "1000")
    hand.price("100")
    hand.fill("1-base")
    hand.accept_all()
    hand.price("80")
    obey_cancels(hand)
    order = hand.order("1-exit")
    late = hand.filled(order, D("0.95"))
    hand.tell(Expired(hand.at_ms, order.id))
    hand.tell(late)  # what is left is worth 4
    hand.price("80", after_ms=HOUR_MS)
    assert dca_memory(hand.state).closed == 1
    hand.price("80", after_ms=HOUR_MS)
    assert set(orders(hand)) == {"2-base"}


def test_a_stop_does_not_wait_for_the_cancel_of_a_buy() -> None:
    hand = running({**TWO, "stop_loss": "0.05"})
    hand.price("94.9")
    hand.tell(Cancelled(hand.at_ms, hand.order("1-s1").id))
    assert orders(hand) == {}  # the take-profit still holds the coins
    hand.tell(Cancelled(hand.at_ms, hand.order("1-t1").id))
    assert orders(hand) == {"1-exit": "sell 1 at 94.9"}
    assert hand.order("1-s2").cancel_asked


# ---------------------------------------------------------------- asks at odd times


def test_a_bot_that_finishes_while_its_base_order_fails_begins_no_other_deal() -> None:
    hand = hand_of(TWO, FREE, "1000")
    hand.price("100")
    assert act(hand, "finish") == ""
    for _ in range(3):
        hand.tell(Expired(hand.at_ms, hand.order("1-base").id))
        hand.price("100", after_ms=1_500)
    hand.price("100", after_ms=61_000)
    assert orders(hand) == {}
    assert hand.state.ended_why == "finished as asked"


def test_to_finish_during_a_stop_loss_is_to_end_with_it() -> None:
    hand = in_an_exit()
    assert act(hand, "finish") == ""
    hand.fill("1-exit")
    hand.price("80", after_ms=61_000)
    assert orders(hand) == {}
    assert hand.state.ended_why


def test_what_cannot_be_had_during_an_exit_is_refused_with_the_true_reason() -> None:
    hand = in_an_exit()
    assert "all is being sold already" in act(hand, "close")
    note = hand.tell(EditAsked(hand.at_ms, {"max_deals": "1"})).note
    assert note == "edit refused: everything is being sold; try again in a moment"
    hand.fill("1-exit")
    hand.price("80", after_ms=61_000)
    assert set(orders(hand)) == {"2-base"}


def test_an_edit_that_would_sell_an_old_deal_at_once_is_refused() -> None:
    hand = running()
    hand.price("99", after_ms=3 * HOUR_MS)
    note = hand.tell(EditAsked(hand.at_ms, {"deal_timeout": "3600"})).note
    assert "older than that deal_timeout" in note
    assert dca_memory(hand.state).stage == "running"
    assert hand.tell(EditAsked(hand.at_ms, {"deal_timeout": "14400"})).note == ""


def test_an_exit_that_the_exchange_refuses_is_tried_less_and_less_often() -> None:
    hand = in_an_exit()
    sent = 0
    for _ in range(600):
        if "1-exit" in hand.state.standing:
            sent += 1
            hand.tell(Rejected(hand.at_ms, hand.order("1-exit").id, "trading is halted"))
        hand.price("80", after_ms=1_000)
    assert 10 <= sent <= 16


def test_a_signal_that_came_while_money_was_short_is_not_kept() -> None:
    config = {"base_order": "500", "safety_orders": "0", "start_when": "signal"}
    hand = hand_of(config, FREE, "600")
    hand.price("100")
    hand.tell(FundsAsked(hand.at_ms, D(-300)))
    hand.tell(SignalCame(hand.at_ms, "a", "enter", None))
    assert dca_memory(hand.state).short
    hand.tell(SignalCame(hand.at_ms, "b", "enter", None))
    hand.price("40", after_ms=5 * DAY_MS)
    hand.tell(FundsAsked(hand.at_ms, D(300)))
    assert orders(hand) == {}
    hand.tell(SignalCame(hand.at_ms, "c", "enter", None))
    assert orders(hand) == {"1-base": "buy 12.5 at 40"}
