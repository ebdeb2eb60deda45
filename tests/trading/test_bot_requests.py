"""What a person asks of a running bot, and what its own rules do: pause, resume, stop, kill, edit, stops, breakers."""

import pytest

from autogrid.trading.event import (
    Cancelled,
    EditAsked,
    Expired,
    FeedBack,
    FeedSilent,
    Filled,
    KillAsked,
    Missing,
    PauseAsked,
    Rejected,
    ResumeAsked,
    StopAsked,
    Tick,
    Unclear,
)
from autogrid.trading.ledger import held_base, held_quote
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO
from autogrid.trading.plan import Cancel, Command, Place
from autogrid.trading.risk import Limits
from tests.builders import FOUR_CELLS, PLAIN_MARKET, D, Hand, bot_of, market

STOPS = {**FOUR_CELLS, "stop_loss": "7500", "take_profit": "12500"}
FREE = market(maker_fee=ZERO, taker_fee=ZERO)


def running(
    config: dict[str, str] = FOUR_CELLS,
    on: Market = PLAIN_MARKET,
    limits: Limits | None = None,
    price: str = "10500",
) -> Hand:
    """A grid at 10,500 (11,000 empty, one cell full) whose orders all rest."""
    hand = Hand(*bot_of(config, on, limits=limits)).started()
    hand.price(price)
    hand.fill("open-0", price=D(price))
    hand.accept_all()
    assert sorted(hand.state.standing) == ["0-0b", "1-0b", "2-0b", "3-0s"]
    return hand


def cancels(commands: tuple[Command, ...]) -> set[str]:
    return {command.order_id.split("-", 2)[2] for command in commands if isinstance(command, Cancel)}


def places(commands: tuple[Command, ...]) -> set[str]:
    return {command.order.slot for command in commands if isinstance(command, Place)}


def obey_cancels(hand: Hand) -> list[Command]:
    """The exchange cancels what it was asked to; what the bot commands then."""
    commands: list[Command] = []
    for order in [one for one in hand.state.standing.values() if one.cancel_asked]:
        commands += hand.tell(Cancelled(hand.at_ms, order.id)).commands
    return commands


ALL = {"0-0b", "1-0b", "2-0b", "3-0s"}


def test_a_pause_keeps_what_rests_and_places_nothing() -> None:
    hand = running()
    assert hand.tell(PauseAsked(hand.at_ms, cancel=False)).commands == ()
    step = hand.fill("2-0b")
    assert places(step.commands) == set()
    assert hand.price("10400", after_ms=5_000).commands == ()
    assert set(hand.state.standing) == ALL - {"2-0b"}


def test_a_pause_may_cancel_what_rests() -> None:
    hand = running()
    assert cancels(hand.tell(PauseAsked(hand.at_ms, cancel=True)).commands) == ALL
    assert obey_cancels(hand) == []
    assert dict(hand.state.standing) == {}
    assert hand.state.ledger.held_quote == 0
    assert hand.price("10400", after_ms=5_000).commands == ()


@pytest.mark.parametrize("cancel", [True, False])
def test_a_resume_places_what_is_missing_and_nothing_twice(cancel: bool) -> None:
    hand = running()
    hand.tell(PauseAsked(hand.at_ms, cancel=cancel))
    obey_cancels(hand)
    step = hand.tell(ResumeAsked(hand.at_ms))
    assert places(step.commands) == (ALL if cancel else set())
    assert set(hand.state.standing) == ALL


def test_a_stop_that_holds_cancels_all_and_keeps_the_coins() -> None:
    hand = running()
    base = hand.state.ledger.base
    assert cancels(hand.tell(StopAsked(hand.at_ms, sell=False)).commands) == ALL
    assert obey_cancels(hand) == []
    assert hand.state.ended_why == "stopped"
    assert hand.state.ledger.base == base
    assert hand.bot.quiet(hand.state) is not None


def test_a_stop_that_sells_waits_for_the_cancels_and_sells_everything_once() -> None:
    hand = running()
    step = hand.tell(StopAsked(hand.at_ms, sell=True))
    assert (cancels(step.commands), places(step.commands)) == (ALL, set())
    assert places(tuple(obey_cancels(hand))) == {"exit-0"}
    exit_order = hand.order("exit-0")
    assert exit_order.quantity == hand.bot.market.quantity(hand.state.ledger.base)
    hand.fill("exit-0")
    assert hand.state.ended_why == "stopped"
    assert hand.state.ledger.base < hand.bot.market.lot


def test_an_exit_that_filled_in_part_sells_the_rest_and_gives_up_after_three_tries() -> None:
    hand = running()
    hand.tell(StopAsked(hand.at_ms, sell=True))
    obey_cancels(hand)
    hand.fill("exit-0", D("0.1"))
    for number in range(3):
        order = hand.order(f"exit-{number}")
        hand.tell(Expired(hand.at_ms, order.id))
    assert hand.state.ended_why == "stopped"


def test_a_stop_before_the_first_price_ends_at_once() -> None:
    hand = Hand(*bot_of()).started()
    hand.tell(StopAsked(hand.at_ms, sell=True))
    assert hand.state.ended_why == "stopped"


def test_a_sell_that_fills_before_its_cancel_arrives_places_no_new_buy() -> None:
    hand = running(STOPS)
    hand.price("7500", after_ms=1_000)
    assert hand.state.memory.stage == "exiting"
    step = hand.fill("3-0s")
    assert places(step.commands) == set()
    assert places(tuple(obey_cancels(hand))) == set()  # the base that was left is sold, here there is none
    assert hand.state.ended_why == "stop-loss at 7500"


def test_the_kill_switch_cancels_all_and_nothing_is_placed_until_a_person_lifts_it() -> None:
    hand = running(STOPS)
    assert cancels(hand.tell(KillAsked(hand.at_ms)).commands) == ALL
    assert obey_cancels(hand) == []
    for price in ("9500", "7000", "13000"):
        assert hand.price(price, after_ms=5_000).commands == ()
    assert dict(hand.state.standing) == {}
    assert hand.tell(StopAsked(hand.at_ms, sell=True)).commands == ()


def test_a_lifted_kill_lets_the_stop_loss_do_its_work() -> None:
    hand = running(STOPS)
    hand.tell(KillAsked(hand.at_ms))
    obey_cancels(hand)
    hand.price("7000", after_ms=5_000)
    assert places(hand.tell(ResumeAsked(hand.at_ms)).commands) == {"exit-0"}


@pytest.mark.parametrize(
    ("price", "why"), [("7500", "stop-loss at 7500"), ("7499", "stop-loss at 7500"), ("12500", "take-profit at 12500")]
)
@pytest.mark.parametrize("hold", ["free", "paused", "silent"])
def test_a_risk_exit_beats_a_pause_a_silent_feed_and_every_order(price: str, why: str, hold: str) -> None:
    hand = running(STOPS)
    if hold == "paused":
        hand.tell(PauseAsked(hand.at_ms, cancel=False))
    if hold == "silent":
        hand.tell(FeedSilent(hand.at_ms))
    step = hand.price(price, after_ms=5_000)
    assert cancels(step.commands) == ALL
    assert places(step.commands) == set()
    assert places(tuple(obey_cancels(hand))) == {"exit-0"}
    hand.fill("exit-0")
    assert hand.state.ended_why == why


def test_a_stop_that_holds_its_coins_sells_nothing() -> None:
    hand = running({**STOPS, "on_exit": "hold"})
    hand.price("7400")
    assert obey_cancels(hand) == []
    assert hand.state.ended_why == "stop-loss at 7500"
    assert hand.state.ledger.base > 0


def test_a_silent_feed_refuses_new_orders_and_its_return_places_them() -> None:
    hand = running()
    assert "silent" in hand.tell(FeedSilent(hand.at_ms)).note
    step = hand.fill("2-0b")
    assert places(step.commands) == set()
    assert [(one.slot, one.rule) for one in step.refused] == [("2-0s", "stale")]
    hand.at_ms += 5_000
    assert places(hand.tell(FeedBack(hand.at_ms)).commands) == {"2-0s"}


def test_an_edit_that_is_refused_changes_nothing_and_says_why() -> None:
    hand = running()
    before = hand.state
    step = hand.tell(EditAsked(hand.at_ms, {"lower": "13000"}))
    assert step.note.startswith("edit refused: lower is 13000 and upper 12000")
    assert step.commands == ()
    assert hand.state == before


def test_an_edited_trigger_is_waited_for_from_the_side_the_price_is_on_now() -> None:
    hand = Hand(*bot_of({**FOUR_CELLS, "trigger_price": "9500"})).started()
    hand.price("10500")
    hand.tell(EditAsked(hand.at_ms, {"trigger_price": "11500"}))
    assert hand.price("10600", after_ms=1_000).commands == ()
    assert places(hand.price("11500", after_ms=1_000).commands) == {"0-0b", "1-0b", "2-0b", "3-0b"}


# ---------------------------------------------------------------- answers that are lost, late or no


def test_a_refused_order_is_tried_again_after_a_wait_that_doubles() -> None:
    hand = running()
    order = hand.order("2-0b")
    moments = []
    for _ in range(4):
        assert hand.tell(Rejected(hand.at_ms, order.id, "busy")).commands == ()
        start = hand.at_ms
        while "2-0b" not in hand.state.standing:
            hand.price("10500", after_ms=250)
        moments.append(hand.at_ms - start)
        order = hand.order("2-0b")
    assert moments == [1_000, 2_000, 4_000, 8_000]


def test_a_fill_after_its_cancel_is_booked_once() -> None:
    hand = running()
    order = hand.order("2-0b")
    hand.tell(PauseAsked(hand.at_ms, cancel=True))
    hand.tell(Cancelled(hand.at_ms, order.id))
    late = hand.filled(order)
    ledger = hand.state.ledger
    for _ in range(3):
        hand.tell(late)
    assert hand.state.ledger.bought - ledger.bought == order.quantity
    assert hand.state.ledger.held_quote == sum(
        (held_quote(one, hand.bot.market) for one in hand.state.standing.values()), ZERO
    )


def test_an_absent_order_that_fills_in_part_holds_its_rest_again() -> None:
    hand = running(on=FREE)
    order = hand.order("2-0b")
    hand.tell(PauseAsked(hand.at_ms, cancel=True))
    hand.tell(Missing(hand.at_ms, order.id))
    hand.tell(hand.filled(order, D("0.1")))
    standing = hand.state.standing.values()
    assert hand.state.ledger.held_quote == sum((held_quote(one, FREE) for one in standing), ZERO)
    assert hand.state.ledger.held_base == sum((held_base(one) for one in standing), ZERO)


def test_an_order_that_turned_up_beside_its_successor_is_cancelled() -> None:
    hand = running(on=FREE)
    lost = hand.order("2-0b")
    hand.tell(Unclear(hand.at_ms, lost.id))
    assert hand.order("2-0b").status == "working"
    hand.state = hand.state._replace(standing={**hand.state.standing, "2-0b": lost._replace(status="unclear")})
    assert places(hand.tell(Missing(hand.at_ms, lost.id)).commands) == {"2-0b"}
    fill = hand.filled(lost, D("0.1"))
    step = hand.tell(fill)
    assert len(step.commands) == 2  # cancels: the lost one, and its successor that is now too large
    assert hand.state.ledger.held_quote == sum((held_quote(one, FREE) for one in hand.state.standing.values()), ZERO)


def test_a_fill_of_an_order_nobody_knows_is_told_and_not_booked() -> None:
    hand = running()
    before = hand.state
    fill = Filled(hand.at_ms, "n-77-9-9b", "x", D(1), D(1), ZERO, "BTC", ZERO, True)
    step = hand.tell(fill)
    assert "unknown order" in step.note
    assert hand.state == before


def test_a_buy_cut_off_under_the_least_value_is_topped_up_to_what_can_be_ordered() -> None:
    hand = running(on=market(maker_fee=ZERO, taker_fee=ZERO, min_notional=D(1_000)))
    order = hand.order("2-0b")
    hand.fill("2-0b", D("0.02"))
    assert hand.state.standing["2-0b"].remaining == order.quantity - D("0.02")
    step = hand.tell(Expired(hand.at_ms, order.id))
    (place,) = [one for one in step.commands if isinstance(one, Place)]
    assert place.order.quantity == order.quantity - D("0.02")


def test_the_last_crumb_of_a_buy_is_left_to_fill_where_it_rests() -> None:
    hand = running(on=market(maker_fee=ZERO, taker_fee=ZERO, min_notional=D(1_000)))
    step = hand.fill("2-0b", hand.order("2-0b").quantity - D("0.01"))
    assert step.commands == ()
    assert places(hand.fill("2-0b").commands) == {"2-0s"}


def test_a_slot_is_never_used_twice() -> None:
    hand = running(on=FREE)
    for slot in ("2-0b", "2-0s", "2-1b", "2-1s"):
        hand.fill(slot)
        assert slot not in hand.state.standing
    assert "2-2b" in hand.state.standing


# ---------------------------------------------------------------- breakers


def limits(**changes: object) -> Limits:
    return Limits(D(10_000), **{"breakers": True, "orders_a_minute": 6, **changes})  # type: ignore[arg-type]


def churn(hand: Hand, seconds: int, every_ms: int = 1_000) -> list[str]:
    """The price swings through a cell: each second its order fills if it stands; the rules that held something."""
    rules: list[str] = []
    for _ in range(seconds * 1_000 // every_ms):
        hand.price("10500", after_ms=every_ms)
        hand.accept_all()
        slot = next((s for s in hand.state.standing if s.startswith("2-")), None)
        if slot:
            hand.fill(slot)
            hand.accept_all()
        rules += [one.rule for one in hand.state.refused]
    return rules


def test_the_first_placement_does_not_count_for_the_order_rate() -> None:
    hand = running(limits=limits(orders_a_minute=1))
    assert hand.state.risk.placed_at == ()


def test_too_many_orders_a_minute_are_throttled_first() -> None:
    hand = running(on=FREE, limits=limits())
    rules = churn(hand, 10)
    assert "order rate" in rules
    assert hand.state.risk.trip is None
    assert len(hand.state.risk.placed_at) == 6


def test_after_sixty_seconds_of_throttling_the_breaker_trips_and_says_so() -> None:
    hand = running(on=FREE, limits=limits())
    churn(hand, 90)
    trip = hand.state.risk.trip
    assert trip is not None
    assert trip.rule == "order rate"
    assert "6 new orders within 60 s, allowed are 6" in trip.why
    assert [step.note for step in hand.steps if "breaker open by order rate" in step.note]


def test_a_burst_that_calms_down_never_trips() -> None:
    hand = running(on=FREE, limits=limits())
    churn(hand, 8)
    for _ in range(20):
        hand.price("10500", after_ms=61_000)
        hand.accept_all()
    assert hand.state.risk.trip is None


def test_a_rise_of_orders_is_counted_in_a_window_that_slides() -> None:
    hand = running(on=FREE, limits=limits())
    churn(hand, 6 * 11, every_ms=11_000)  # at most 6 in any 60 s
    assert hand.state.risk.throttled_since is None


def test_an_order_that_was_held_back_is_not_forgotten_when_another_fills() -> None:
    hand = running(on=FREE, limits=limits(orders_a_minute=1))
    for slot in ("2-0b", "2-0s", "2-1b"):
        hand.fill(slot)
    assert [one.slot for one in hand.state.refused] == ["2-1s"]
    hand.fill("1-0b")  # its sell is part of the first placement, so the rate does not hold it
    assert "1-0s" in hand.state.standing
    hand.price("10500", after_ms=61_000)
    assert "2-1s" in hand.state.standing


def loss(hand: Hand, to: str) -> None:
    hand.price("10500", after_ms=2_000)
    hand.price(to, after_ms=2_000)


def test_a_loss_within_the_hour_cancels_the_buys_and_leaves_the_sells() -> None:
    hand = running(on=FREE, limits=limits())
    hand.fill("2-0b")
    hand.accept_all()
    base = hand.state.ledger.base
    to = D(10_500) - D(500) / base - 1
    hand.price("10500", after_ms=2_000)
    step = hand.price(str(to.quantize(D("0.01"))), after_ms=2_000)
    assert "breaker open by loss: lost" in step.note
    assert "allowed are 500" in step.note
    assert cancels(step.commands) == {"0-0b", "1-0b"}
    obey_cancels(hand)
    assert {order.side for order in hand.state.standing.values()} == {"sell"}


def test_a_loss_just_under_the_limit_trips_nothing() -> None:
    hand = running(on=FREE, limits=limits())
    base = hand.state.ledger.base
    hand.price("10500", after_ms=2_000)
    hand.price(str((D(10_500) - D("499.9") / base).quantize(D("0.01"))), after_ms=2_000)
    assert hand.state.risk.trip is None


def is_open(hand: Hand) -> bool:
    """Whether the breaker is open, or half so."""
    return hand.state.risk.trip is not None


def test_after_the_cooldown_two_orders_go_on_trial_and_then_all_are_placed() -> None:
    hand = running(on=FREE, limits=limits(orders_a_minute=50, trial_orders=2, price_band=D(1)))
    loss(hand, "8500")
    obey_cancels(hand)
    assert is_open(hand)
    hand.price("8500", after_ms=299_000)
    assert not [one for one in hand.state.standing.values() if one.side == "buy"]
    hand.price("8500", after_ms=1_000)
    buys = [one for one in hand.state.standing.values() if one.side == "buy"]
    assert len(buys) == 2
    assert {one.rule for one in hand.state.refused} == {"breaker"}
    hand.price("8500", after_ms=30_000)
    assert len([one for one in hand.state.standing.values() if one.side == "buy"]) == 2
    hand.price("8500", after_ms=30_000)
    assert not is_open(hand)
    hand.price("8500", after_ms=1_000)
    assert len([one for one in hand.state.standing.values() if one.side == "buy"]) == 3


def test_the_ladder_pauses_and_a_person_who_resumes_is_not_paused_again_at_once() -> None:
    hand = running(on=FREE, limits=limits(loss_an_hour=D(1), ladder=(D("0.04"), D("0.1"), D("0.2"))))
    hand.price("10500", after_ms=2_000)
    base = hand.state.ledger.base
    to = str((D(10_500) - D(410) / base).quantize(D("0.01")))
    step = hand.price(to, after_ms=2_000)
    assert step.note.startswith("paused by drawdown day")
    assert hand.state.holds.paused
    assert cancels(step.commands) == set()
    hand.tell(ResumeAsked(hand.at_ms))
    for _ in range(2):
        assert not hand.price(to, after_ms=2_000).state.holds.paused


def test_breakers_that_are_off_remember_nothing() -> None:
    hand = running(on=FREE)
    loss(hand, "8500")
    assert hand.state.risk == type(hand.state.risk)()


def test_a_tick_after_the_end_changes_nothing() -> None:
    hand = running()
    hand.tell(StopAsked(hand.at_ms, sell=False))
    obey_cancels(hand)
    assert hand.tell(Tick(hand.at_ms, D(7_000))).commands == ()
    assert hand.state.ended_why == "stopped"
