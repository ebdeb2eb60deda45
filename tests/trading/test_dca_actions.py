"""What a person asks of a running DCA bot: finish, close, keep, add, stop, more money, another configuration."""

import pytest

from autogrid.trading.event import ActionAsked, Cancelled, EditAsked, FundsAsked, StopAsked
from autogrid.trading.money import ZERO
from autogrid.trading.state import Step
from tests.builders import MINUTE_MS, D, Hand, market
from tests.trading.made_up_dca import dca_memory, hand_of

FREE = market(maker_fee=ZERO, taker_fee=ZERO, lot=D("0.0001"), min_notional=D(1))
TWO = {"base_order": "100", "safety_orders": "2", "deviation": "0.02", "step_scale": "1", "volume_scale": "2"}
DAILY = {"mode": "accumulate", "amount": "100", "every": "daily"}


def running(config: dict[str, str] = TWO, investment: str = "1000") -> Hand:
    hand = hand_of(config, FREE, investment)
    hand.price("100")
    hand.fill("buy-1" if "mode" in config else "1-base")
    hand.accept_all()
    return hand


def ask(hand: Hand, action: str, amount: str | None = None) -> Step:
    step = hand.tell(ActionAsked(hand.at_ms, action, None if amount is None else D(amount)))
    hand.accept_all()
    return step


def obey_cancels(hand: Hand) -> None:
    for order in [one for one in hand.state.standing.values() if one.cancel_asked]:
        hand.tell(Cancelled(hand.at_ms, order.id))


def test_finish_lets_the_deal_run_and_then_stops() -> None:
    hand = running()
    ask(hand, "finish")
    assert set(hand.state.standing) == {"1-s1", "1-s2", "1-t1"}
    hand.fill("1-t1")
    obey_cancels(hand)
    assert hand.state.ended_why == "finished as asked"
    assert hand.state.strategy.tally(hand.state.memory) == (D("1.5"), 1)


def test_finish_between_deals_stops_at_once() -> None:
    hand = running()
    hand.fill("1-t1")
    obey_cancels(hand)
    ask(hand, "finish")
    assert hand.state.ended_why == "finished as asked, no deal was running"


def test_close_sells_at_market_now_and_goes_on() -> None:
    hand = running()
    hand.price("99")
    ask(hand, "close")
    obey_cancels(hand)
    assert hand.order("1-exit").kind == "market"
    hand.fill("1-exit")
    assert dca_memory(hand.state).profit == -1
    hand.price("99", after_ms=MINUTE_MS)
    assert set(hand.state.standing) == {"2-base"}


def test_keep_stops_at_once_with_the_coins() -> None:
    hand = running()
    ask(hand, "keep")
    obey_cancels(hand)
    assert hand.state.ended_why == "stopped as asked, the coins are kept"
    assert hand.state.ledger.base == 1


def test_add_buys_more_at_market_and_the_take_profit_follows() -> None:
    hand = running()
    hand.price("99")
    ask(hand, "add", "198")
    assert hand.order("1-add1").quantity == 2
    hand.fill("1-add1")
    obey_cancels(hand)
    assert (hand.order("1-t1").price, hand.order("1-t1").quantity) == (D("100.83"), D(3))  # 298 * 1.015 / 3, up
    assert {"1-s1", "1-s2"} <= set(hand.state.standing)


@pytest.mark.parametrize(
    ("action", "amount", "says"),
    [
        ("add", None, "needs an amount"),
        ("add", "-5", "needs an amount"),
        ("add", "0.5", "below the least value"),
        ("add", "700", "take less"),
        ("dance", None, "knows no action"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(action: str, amount: str | None, says: str) -> None:
    hand = running()
    step = ask(hand, action, amount)
    assert step.note.startswith(f"{action} refused: ")
    assert says in step.note
    assert step.commands == ()


def test_there_is_nothing_to_close_or_add_to_between_deals() -> None:
    hand = running()
    hand.fill("1-t1")
    obey_cancels(hand)
    assert "nothing to sell" in ask(hand, "close").note
    assert "needs a deal that runs" in ask(hand, "add", "100").note
    assert "not seen a price" in ask(hand_of(TWO, FREE, "1000"), "close").note


@pytest.mark.parametrize("sell", [True, False])
def test_a_stop_ends_the_bot_and_sells_or_keeps(sell: bool) -> None:
    hand = running()
    hand.fill("1-s1", D("0.5"))
    hand.tell(StopAsked(hand.at_ms, sell))
    obey_cancels(hand)
    if sell:
        assert hand.order("1-exit").quantity == D("1.5")
        hand.fill("1-exit")
    assert hand.state.ended_why == "stopped"
    assert hand.state.ledger.base == (0 if sell else D("1.5"))


def test_a_fill_that_comes_while_it_stops_is_sold_too() -> None:
    hand = running()
    late = hand.order("1-s1")
    hand.tell(StopAsked(hand.at_ms, sell=True))
    hand.tell(hand.filled(late, D("0.5")))
    obey_cancels(hand)
    assert hand.order("1-exit").quantity == D("1.5")


def test_in_accumulate_mode_close_sells_all_and_the_schedule_goes_on() -> None:
    hand = running(DAILY)
    ask(hand, "close")
    hand.fill("1-exit")
    assert dca_memory(hand.state).closed == 1
    hand.price("100", after_ms=86_400_000)
    assert set(hand.state.standing) == {"buy-2"}
    assert "use keep" in ask(hand, "finish").note


def test_in_accumulate_mode_add_buys_within_the_budget() -> None:
    hand = running({**DAILY, "budget": "250"})
    assert "budget has no room" in ask(hand, "add", "200").note
    ask(hand, "add", "150")
    assert hand.order("buy-2").quantity == D("1.5")


def test_finish_in_accumulate_mode_buys_no_more_and_ends_with_the_take_profit() -> None:
    hand = running({**DAILY, "take_profit": "0.1"})
    ask(hand, "finish")
    hand.price("100", after_ms=86_400_000)
    assert set(hand.state.standing) == {"1-t1"}
    hand.fill("1-t1")
    assert hand.state.ended_why == "finished as asked"


# ---------------------------------------------------------------- money and configuration


def test_more_money_counts_from_the_next_deal_on() -> None:
    hand = hand_of({}, FREE, "1000")
    hand.price("100")
    assert hand.order("1-base").quantity == D("0.7269")
    hand.fill("1-base")
    hand.tell(FundsAsked(hand.at_ms, D(1000)))
    assert hand.order("1-s1").quantity == D("0.7417")
    hand.fill("1-t1")
    obey_cancels(hand)
    hand.price("100", after_ms=MINUTE_MS)
    assert hand.order("2-base").quantity == D("1.4539")


def test_an_edit_moves_the_take_profit_at_once_and_the_ladder_with_the_next_deal() -> None:
    hand = running()
    hand.tell(EditAsked(hand.at_ms, {"take_profit": "0.03", "deviation": "0.01"}))
    obey_cancels(hand)
    assert hand.order("1-t1").price == D("103")
    assert hand.order("1-s1").price == D("98")
    hand.fill("1-t1")
    obey_cancels(hand)
    hand.price("100", after_ms=MINUTE_MS)
    hand.fill("2-base")
    assert hand.order("2-s1").price == D("99")


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"mode": "accumulate"}, "mode"),
        ({"take_profit": "0.001"}, "not above the price"),
        ({"stop_loss": "0.001", "stop_loss_from": "average"}, "not below the price"),
        ({"base_order": "5000"}, "the whole ladder needs"),
        ({"start_when": "rsi"}, "cannot be changed while the bot runs"),
    ],
)
def test_an_edit_that_would_trade_now_or_cannot_work_is_refused(config: dict[str, str], says: str) -> None:
    hand = running()
    hand.price("101" if "take_profit" in config else "99")
    step = hand.tell(EditAsked(hand.at_ms, config))
    assert step.note.startswith("edit refused")
    assert says in step.note
    assert step.commands == ()


def test_an_edited_schedule_counts_from_now() -> None:
    hand = running(DAILY)
    hand.tell(EditAsked(hand.at_ms, {"hour": "3"}))
    hand.price("100", after_ms=2 * 3_600_000)
    assert not hand.state.standing
    hand.price("100", after_ms=3_600_000)
    assert set(hand.state.standing) == {"buy-2"}
