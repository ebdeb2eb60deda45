"""A deal from its base order to its close: ladder, take-profit, targets, trailing, stop, cooldown, starts, answers."""

import pytest

from autogrid.trading.event import Accepted, Cancelled, Expired, FundsAsked, Rejected, SignalCame
from autogrid.trading.money import ZERO
from autogrid.trading.strategies.dca.dca import Dca
from autogrid.trading.strategies.dca.preview import preview
from autogrid.trading.strategies.strategy import Status
from tests.builders import MINUTE_MS, PLAIN_MARKET, D, Hand, jumps, market, tape_of, tape_through
from tests.trading.made_up_dca import dca_memory, hand_of, play_dca

FREE = market(maker_fee=ZERO, taker_fee=ZERO, lot=D("0.0001"), min_notional=D(1))
TWO = {"base_order": "100", "safety_orders": "2", "deviation": "0.02", "step_scale": "1", "volume_scale": "2"}
"""Safety orders of 100 at 98 and of 200 at 96; take-profit 1.5 %."""


def running(config: dict[str, str] = TWO, investment: str = "1000") -> Hand:
    """A deal whose base order filled at 100 and whose other orders rest."""
    hand = hand_of(config, FREE, investment)
    hand.price("100")
    hand.fill("1-base")
    hand.accept_all()
    return hand


def wanted(hand: Hand) -> dict[str, tuple[str, str]]:
    """Price and quantity of what stands and is not being cancelled."""
    return {
        slot: (f"{order.price:f}", f"{order.remaining.normalize():f}")
        for slot, order in hand.state.standing.items()
        if not order.cancel_asked
    }


def obey_cancels(hand: Hand) -> None:
    for order in [one for one in hand.state.standing.values() if one.cancel_asked]:
        hand.tell(Cancelled(hand.at_ms, order.id))


# ---------------------------------------------------------------- ladder and take-profit


def test_a_deal_begins_with_a_base_order_at_market_then_its_ladder_and_a_take_profit() -> None:
    hand = hand_of(TWO, FREE, "1000")
    hand.price("100")
    assert hand.order("1-base").kind == "market"
    hand.fill("1-base")
    assert wanted(hand) == {"1-s1": ("98.00", "1.0204"), "1-s2": ("96.00", "2.0833"), "1-t1": ("101.50", "1")}


def test_steps_are_measured_from_the_price_that_the_base_order_filled_at() -> None:
    hand = hand_of(TWO, FREE, "1000")
    hand.price("100")
    hand.fill("1-base", price=D(101))
    assert hand.order("1-s1").price == D("98.98")


def test_safety_orders_lie_on_the_tick_below_their_deviation() -> None:
    hand = hand_of(TWO, FREE, "1000")
    hand.price("100")
    hand.fill("1-base", price=D("100.01"))  # 98.0098 and 96.0096
    assert [hand.order(slot).price for slot in ("1-s1", "1-s2")] == [D("98.00"), D("96.00")]


def test_no_more_than_max_active_rest_and_the_next_is_placed_when_one_fills() -> None:
    hand = running({**TWO, "max_active": "1"})
    assert set(wanted(hand)) == {"1-s1", "1-t1"}
    hand.fill("1-s1")
    obey_cancels(hand)
    assert set(wanted(hand)) == {"1-s2", "1-t1"}


def test_a_look_places_no_more_than_that() -> None:
    hand = running({**TWO, "safety_orders": "4"}, "2000")
    hand.price("99", after_ms=MINUTE_MS)
    hand.tell(FundsAsked(hand.at_ms, D(500)))
    assert set(wanted(hand)) == {"1-s1", "1-s2", "1-t1"}


def test_safety_orders_that_can_only_be_paid_one_by_one_are_not_both_placed() -> None:
    hand = hand_of(TWO, FREE, "400")
    hand.price("100")
    hand.fill("1-base", price=D("100.1"))  # 299.9 are left for 100 and 200
    assert set(wanted(hand)) == {"1-s1", "1-t1"}
    assert not hand.state.refused


def test_the_take_profit_is_placed_anew_over_all_coins_when_a_safety_order_is_filled() -> None:
    hand = running()
    hand.fill("1-s1", D("0.5"))
    assert wanted(hand)["1-t1"] == ("101.50", "1")  # a part changes nothing yet
    hand.fill("1-s1")
    obey_cancels(hand)
    # (100 + 99.9992) * 1.015 / 2.0204 = 100.475…
    assert wanted(hand)["1-t1"] == ("100.48", "2.0204")


def test_the_deal_closes_with_its_take_profit_and_the_next_waits_for_the_cooldown() -> None:
    hand = running()
    hand.price("101", after_ms=30_000)
    hand.fill("1-t1")
    obey_cancels(hand)
    assert hand.state.standing == {}
    assert dca_memory(hand.state).closed == 1
    assert dca_memory(hand.state).profit == D("1.5")
    hand.price("101.5", after_ms=59_999)
    assert hand.state.standing == {}
    hand.price("101.5", after_ms=1)
    assert set(hand.state.standing) == {"2-base"}


def test_without_a_cooldown_the_next_deal_starts_at_the_next_candles_open() -> None:
    played = play_dca({**TWO, "cooldown": "0"}, tape_through("100", "105", "104"), FREE, investment="1000")
    assert [trade[:2] for trade in played.trades()][:3] == [("1-base", "100"), ("1-t1", "101.5"), ("2-base", "105")]


def test_coins_of_a_half_filled_safety_order_are_sold_before_the_deal_closes() -> None:
    hand = running()
    hand.fill("1-s1", D("0.5"))
    hand.fill("1-t1")
    obey_cancels(hand)
    assert wanted(hand) == {"1-t1": ("99.47", "0.5")}  # 49 * 1.015 / 0.5, at once since the price is above
    hand.fill("1-t1")
    assert dca_memory(hand.state).closed == 1
    assert hand.state.ledger.base == 0


def test_a_deals_dust_joins_the_next_deal() -> None:
    on = market(lot=D("0.01"))
    played = play_dca({**TWO, "base_order": "150"}, tape_through("100", "102", "103", "106"), on, investment="2000")
    position = played.memory.position
    first = next(order for order in played.orders.values() if order.slot == "1-t1")
    assert first.quantity == D("1.49")  # 1.5 less 0.0015 of fee, in lots; 0.0085 stay
    assert played.memory.closed >= 2
    assert played.ledger.base == position.base
    second = next(order for order in played.orders.values() if order.slot == "2-t1")
    bought = next(order for order in played.orders.values() if order.slot == "2-base").quantity
    assert second.quantity == (bought * D("0.999") + D("0.0085")) // D("0.01") * D("0.01")
    assert played.memory.profit == played.ledger.quote - 2000 + position.pool.cost


def test_a_safety_order_that_cannot_be_paid_ends_the_ladder_and_says_so() -> None:
    hand = running(investment="400")
    hand.fill("1-s1")
    obey_cancels(hand)
    assert "1-s2" in wanted(hand)
    poor = hand_of({**TWO, "max_active": "1"}, FREE, "400")
    poor.price("100")
    poor.fill("1-base", price=D("100.1"))  # dearer than decided: 400 no longer pay for 100.1 + 100 + 200
    poor.fill("1-s1")
    obey_cancels(poor)
    assert set(wanted(poor)) == {"1-t1"}
    assert "ends before safety order 2" in poor.state.strategy.status(poor.state.memory).why


def test_a_base_order_that_cannot_be_paid_waits_for_money() -> None:
    hand = running({"base_order": "100", "safety_orders": "0", "stop_loss": "0.9"}, "100")
    hand.price("10")
    obey_cancels(hand)
    hand.fill("1-exit", price=D(10))
    hand.price("10", after_ms=MINUTE_MS)
    assert hand.state.standing == {}
    assert "the base order needs 100 USDT, free are 10" in hand.state.strategy.status(hand.state.memory).why
    hand.tell(FundsAsked(hand.at_ms, D(200)))
    assert set(hand.state.standing) == {"2-base"}


# ---------------------------------------------------------------- several targets, break-even, trailing, stop


TARGETS = {**TWO, "targets": "0.01:0.5,0.02:0.3,0.03:0.2"}


def test_several_targets_share_the_coins() -> None:
    hand = running(TARGETS)
    sells = {slot: order for slot, order in wanted(hand).items() if "-t" in slot}
    assert sells == {"1-t1": ("101.00", "0.5"), "1-t2": ("102.00", "0.3"), "1-t3": ("103.00", "0.2")}


def test_after_a_target_the_rest_is_shared_among_the_others_when_more_is_bought() -> None:
    hand = running(TARGETS)
    hand.fill("1-t1")
    hand.fill("1-s1")
    obey_cancels(hand)
    sells = {slot: order for slot, order in wanted(hand).items() if "-t" in slot}
    # 0.5 at 100 and 1.0204 at 98, shared 3 : 2
    assert sells == {"1-t2": ("100.64", "0.9122"), "1-t3": ("101.62", "0.6082")}
    hand.fill("1-t2")
    hand.fill("1-t3")
    assert dca_memory(hand.state).closed == 1
    assert dca_memory(hand.state).profit == hand.state.ledger.quote - 1000  # what the first target earned too


def test_break_even_moves_the_stop_once_the_first_target_is_sold() -> None:
    config = {**TARGETS, "break_even": "yes"}
    played = play_dca(config, tape_through("100", "101.5", "99"), FREE, investment="1000")
    assert [trade[:2] for trade in played.trades()][:3] == [("1-base", "100"), ("1-t1", "101"), ("1-exit", "100")]
    still = play_dca({**TARGETS}, tape_through("100", "101.5", "99"), FREE, investment="1000")
    assert "1-exit" not in still.slots()


def test_break_even_is_where_nothing_is_lost_after_the_fee_of_the_sale() -> None:
    hand = hand_of({**TARGETS, "break_even": "yes"}, market(lot=D("0.0001"), min_notional=D(1)), "1000")
    hand.price("100")
    hand.fill("1-base")
    hand.fill("1-t1")
    assert hand.state.bounds is not None
    assert hand.state.bounds.floor == D("100.21")  # 100 / 0.999 / 0.999, up to the tick


def test_the_trailing_take_profit_follows_the_peak_and_sells_at_market() -> None:
    config = {**TWO, "take_profit": "0.05", "trailing": "0.01"}
    played = play_dca(config, tape_through("100", "104.9", "103", "110", "108"), FREE, investment="1000")
    assert played.trades()[:2] == [("1-base", "100", "1"), ("1-exit", "108.9", "1")]
    assert not [slot for slot in played.slots() if "-t" in slot]


def test_a_purchase_disarms_the_trailing_take_profit() -> None:
    hand = running({**TWO, "take_profit": "0.02", "trailing": "0.1"})
    hand.price("102")
    assert dca_memory(hand.state).position.peak == 102
    hand.price("98")
    hand.fill("1-s1")
    assert dca_memory(hand.state).position.peak is None
    hand.price("101")  # the average is 98.99, the take-profit 100.97
    assert dca_memory(hand.state).position.peak == 101


def test_a_trail_that_is_passed_in_a_jump_sells_at_its_end() -> None:
    config = {**TWO, "take_profit": "0.05", "trailing": "0.01"}
    played = play_dca(config, jumps("100", "110", "101"), FREE, investment="1000")
    assert played.trades()[:2] == [("1-base", "100", "1"), ("1-exit", "101", "1")]


STOP = {**TWO, "stop_loss": "0.1", "stop_loss_from": "base_order"}


def test_safety_orders_above_the_stop_fill_before_it() -> None:
    played = play_dca(STOP, tape_through("100", "80"), FREE, investment="1000")
    assert [trade[:2] for trade in played.trades()] == [
        ("1-base", "100"),
        ("1-s1", "98"),
        ("1-s2", "96"),
        ("1-exit", "90"),
    ]


def test_at_an_equal_price_the_stop_wins() -> None:
    config = {**STOP, "stop_loss": "0.04"}
    played = play_dca(config, tape_through("100", "80"), FREE, investment="1000")
    assert [trade[:2] for trade in played.trades()] == [("1-base", "100"), ("1-s1", "98"), ("1-exit", "96")]


def test_a_stop_in_a_jump_fills_at_its_end_and_orders_below_it_do_not() -> None:
    config = {**STOP, "stop_loss": "0.03"}
    played = play_dca(config, jumps("100", "90"), FREE, investment="1000")
    assert [trade[:2] for trade in played.trades()] == [("1-base", "100"), ("1-s1", "98"), ("1-exit", "90")]


def test_the_stop_below_the_average_includes_fees_and_follows_the_average() -> None:
    on = market(lot=D("0.0001"), min_notional=D(1))
    hand = hand_of({**TWO, "stop_loss": "0.1"}, on, "1000")
    hand.price("100")
    hand.fill("1-base")
    assert hand.state.bounds is not None
    assert hand.state.bounds.floor == D("90.09")  # 100 / 0.999 * 0.9, down to the tick


def test_an_exit_that_fills_in_part_is_tried_again_until_nothing_is_left() -> None:
    hand = running({**TWO, "stop_loss": "0.1"})
    hand.price("90")
    obey_cancels(hand)
    assert hand.order("1-exit").quantity == 1
    hand.fill("1-exit", D("0.4"))
    hand.tell(Expired(hand.at_ms, hand.order("1-exit").id))
    assert hand.state.standing == {}
    hand.price("89", after_ms=999)
    assert hand.state.standing == {}
    hand.price("89", after_ms=1)
    assert hand.order("1-exit").quantity == D("0.6")
    hand.fill("1-exit")
    assert dca_memory(hand.state).closed == 1
    assert hand.state.ledger.base == 0


def test_a_late_fill_of_a_safety_order_after_the_close_is_sold_at_once() -> None:
    hand = running()
    late = hand.order("1-s1")
    hand.fill("1-t1")
    hand.tell(hand.filled(late, D("0.4")))
    obey_cancels(hand)
    assert dca_memory(hand.state).position.base == D("0.4")
    assert wanted(hand) == {"1-exit": ("98.00", "0.4")}
    hand.fill("1-exit")
    assert hand.state.ledger.base == 0
    hand.price("101", after_ms=MINUTE_MS)
    assert set(wanted(hand)) == {"2-base"}


def test_a_late_fill_too_small_to_be_sold_joins_the_next_deal() -> None:
    hand = running()
    late = hand.order("1-s1")
    hand.fill("1-t1")
    hand.tell(hand.filled(late, D("0.01")))  # worth 0.98, below the least value
    obey_cancels(hand)
    assert wanted(hand) == {}
    hand.price("101", after_ms=MINUTE_MS)
    hand.fill("2-base")
    assert hand.order("2-t1").quantity == hand.state.ledger.base
    assert hand.state.ledger.base == D("0.01") + D("0.99")


def test_a_safety_order_that_is_refused_three_times_ends_the_ladder() -> None:
    hand = running()
    for _ in range(3):
        order = hand.order("1-s1")
        hand.tell(Rejected(hand.at_ms, order.id, "percent price"))
        hand.price("100", after_ms=5_000)
    assert set(wanted(hand)) == {"1-s2", "1-t1"}
    assert "refused safety order 1" in hand.state.strategy.status(hand.state.memory).why


def test_an_order_that_the_exchange_takes_out_is_placed_again_with_its_rest() -> None:
    hand = running()
    hand.fill("1-s1", D("0.5"))
    hand.tell(Expired(hand.at_ms, hand.order("1-s1").id))
    assert wanted(hand)["1-s1"] == ("98.00", "0.5204")


def test_a_base_order_that_fills_in_part_is_tried_three_times_and_then_is_what_it_is() -> None:
    hand = hand_of(TWO, FREE, "1000")
    hand.price("100")
    hand.fill("1-base", D("0.3"))
    for _ in range(3):
        hand.tell(Accepted(hand.at_ms, hand.order("1-base").id))
        hand.tell(Expired(hand.at_ms, hand.order("1-base").id))
        hand.price("100", after_ms=1_000)
    assert wanted(hand)["1-t1"] == ("101.50", "0.3")
    assert hand.state.ledger.base == D("0.3")


# ---------------------------------------------------------------- limits and starts


def test_the_bot_ends_after_its_last_deal() -> None:
    played = play_dca(
        {**TWO, "max_deals": "2"}, tape_through("100", "102", "104", "107", "110"), FREE, investment="1000"
    )
    assert played.last.ended_why == "all 2 deals are closed"
    assert played.memory.closed == 2


def test_a_deal_that_is_open_too_long_is_sold_at_the_first_open_after_it() -> None:
    tape = tape_of([(10000, 10050, 9990, 10000)] * 5 + [(10020, 10020, 10020, 10020)] * 3)
    played = play_dca({**TWO, "deal_timeout": "300"}, tape, FREE, investment="1000")
    assert [trade[:2] for trade in played.trades()][:2] == [("1-base", "100"), ("1-exit", "100.2")]


def test_profit_is_reinvested_in_the_next_deal() -> None:
    hand = running({**TWO, "reinvest": "yes"})
    hand.fill("1-t1")
    obey_cancels(hand)
    hand.price("100", after_ms=MINUTE_MS)
    assert hand.order("2-base").quantity == D("1.0015")  # 100 * 1001.5 / 1000, to the cent


@pytest.mark.parametrize(("prices", "start"), [(("100", "96", "99"), "97"), (("90", "98"), "97")])
def test_a_deal_starts_when_the_price_gets_there_from_either_side(prices: tuple[str, ...], start: str) -> None:
    config = {**TWO, "start_when": "price", "start_price": "97"}
    assert play_dca(config, tape_through(*prices), FREE, investment="1000").trades()[0][:2] == ("1-base", start)


def test_a_start_price_that_is_passed_in_a_jump_starts_at_its_end() -> None:
    config = {**TWO, "start_when": "price", "start_price": "97"}
    falls = play_dca(config, jumps("100", "95"), FREE, investment="1000")
    assert falls.trades()[0] == ("1-base", "95", "1.0526")  # as many coins as 100 buy there
    rises = play_dca(config, jumps("90", "99"), FREE, investment="1000")
    assert rises.trades()[0] == ("1-base", "99", "1.0101")


def test_a_deal_starts_after_a_candle_with_a_low_rsi_at_the_next_open() -> None:
    falling = [(10000 - 50 * i, 10000 - 50 * i, 9950 - 50 * i, 9950 - 50 * i) for i in range(5)]
    config = {**TWO, "start_when": "rsi", "timeframe": "1m", "rsi_period": "3", "rsi_below": "30"}
    played = play_dca(config, tape_of([*falling, (9700, 9700, 9700, 9700)]), FREE, investment="1000")
    assert played.trades()[0][:2] == ("1-base", "98")  # the fourth candle closes at 98, and the fifth opens there


def signal(hand: Hand, name: str, action: str = "enter") -> None:
    assert action in ("enter", "leave")
    hand.tell(SignalCame(hand.at_ms, name, "enter" if action == "enter" else "leave", None))


def test_a_signal_starts_a_deal_once_and_another_leaves_it() -> None:
    hand = hand_of({**TWO, "start_when": "signal"}, FREE, "1000")
    hand.price("100")
    assert hand.state.standing == {}
    signal(hand, "a")
    hand.fill("1-base")
    signal(hand, "b", "leave")
    obey_cancels(hand)
    hand.fill("1-exit")
    hand.price("100", after_ms=MINUTE_MS)
    signal(hand, "a")
    assert hand.state.standing == {}
    signal(hand, "c")
    assert set(hand.state.standing) == {"2-base"}


def test_only_the_last_64_signals_are_remembered() -> None:
    hand = hand_of({**TWO, "start_when": "signal", "cooldown": "31536000"}, FREE, "1000")
    hand.price("100")
    for number in range(80):
        signal(hand, f"s{number}", "leave")
    assert dca_memory(hand.state).signals == tuple(f"s{number}" for number in range(16, 80))


def test_the_status_says_what_it_waits_for() -> None:
    hand = hand_of({**TWO, "start_when": "price", "start_price": "97"}, FREE, "1000")
    hand.price("100")
    status = hand.state.strategy.status(hand.state.memory)
    assert status == Status("waiting", "the next deal starts when the price reaches 97")


# ---------------------------------------------------------------- the worked examples of docs/strategies/dca.md


@pytest.mark.parametrize(
    ("more", "prices", "trades", "profit"),
    [
        ({}, ("100", "97", "101"), ["1-base 100 1", "1-s1 98 1.0204", "1-t1 100.68 2.01837"], "3.00803335"),
        (
            {"stop_loss": "0.1"},
            ("100", "80"),
            ["1-base 100 1", "1-s1 98 1.0204", "1-s2 96 2.08333", "1-exit 87.81 4.09962"],
            "-40.37062368",
        ),
        ({"trailing": "0.005"}, ("100", "103", "102"), ["1-base 100 1", "1-exit 102.48 0.999"], "2.27514248"),
        (
            {"targets": "0.01:0.5,0.02:0.5", "break_even": "yes"},
            ("100", "101.5", "99"),
            ["1-base 100 1", "1-t1 101.21 0.4995", "1-exit 100.21 0.4995"],
            "0.5086807",
        ),
    ],
)
def test_the_examples_of_the_page(
    more: dict[str, str], prices: tuple[str, ...], trades: list[str], profit: str
) -> None:
    played = play_dca({**TWO, **more}, tape_through(*prices), investment="1000")
    assert [" ".join(trade) for trade in played.trades()] == trades
    assert played.memory.profit == D(profit)


def test_the_ladder_of_the_page() -> None:
    rows = preview(Dca({}, PLAIN_MARKET, D(1000)), D(100)).rows
    assert " | ".join(rows[2].cells[:7]) == "2 | 94.50 | 239.88 | 4.40 | 95.60 | 97.72 | 3.86"
    assert " | ".join(rows[6].cells[:7]) == "6 | 269.89 | 999.93 | 19.86 | 80.14 | 87.97 | 11.53"
