"""Accumulating: anchors, missed purchases, drops, budgets, and a take-profit for what was gathered."""

from datetime import UTC, datetime

import pytest

from autogrid.backtesting.tapes import Tape
from autogrid.trading.event import Expired, Filled, Rejected
from autogrid.trading.money import ZERO
from autogrid.trading.strategies.dca.schedule import Every, Schedule, last_anchor, next_anchor
from tests.builders import D, jumps, market, tape_of, tape_through
from tests.trading.made_up_dca import dca_memory, hand_of, play_dca

FREE = market(maker_fee=ZERO, taker_fee=ZERO, lot=D("0.0001"), min_notional=D(1))
HOUR_MS = 3_600_000


def ms(moment: str) -> int:
    return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()) * 1000


def moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


# ---------------------------------------------------------------- anchors


@pytest.mark.parametrize(
    ("every", "settings", "after", "anchors"),
    [
        ("hourly", {"minute": 15}, "2025-05-20 10:14", "10:15 11:15 12:15"),
        ("hourly", {"minute": 15}, "2025-05-20 10:15", "11:15 12:15 13:15"),
        ("daily", {}, "2025-05-20 00:00", "05-21 05-22 05-23"),
        ("daily", {"hour": 9, "minute": 30}, "2025-02-27 10:00", "02-28 03-01 03-02"),
        ("weekly", {}, "2025-05-20 12:00", "05-26 06-02 06-09"),
        ("weekly", {"weekday": 6, "hour": 23}, "2025-12-25 00:00", "12-28 01-04 01-11"),
        ("monthly", {"day": 31}, "2025-01-31 00:00", "02-28 03-31 04-30"),
        ("monthly", {"day": 31}, "2024-01-31 00:00", "02-29 03-31 04-30"),
        ("monthly", {"day": 30}, "2025-11-30 00:00", "12-30 01-30 02-28"),
        ("monthly", {}, "2025-12-01 00:00", "01-01 02-01 03-01"),
    ],
)
def test_the_anchors_after_a_moment(every: Every, settings: dict[str, int], after: str, anchors: str) -> None:
    schedule = Schedule(every, **settings)
    at, found = ms(after), []
    for _ in range(3):
        before, at = at, next_anchor(schedule, at)
        assert before < at
        assert last_anchor(schedule, at) == at
        assert last_anchor(schedule, at - 1) <= before
        found.append(moment(at))
    words = [one[11:] if every == "hourly" else one[5:10] for one in found]
    assert words == anchors.split()
    clock = f"{settings.get('hour', 0):02}:{settings.get('minute', 0):02}"
    assert every == "hourly" or all(one.endswith(clock) for one in found)


# ---------------------------------------------------------------- purchases


def hours(start: str, count: int, *, hole: tuple[int, int] = (0, 0), price: int = 10000) -> Tape:
    """Candles of an hour that stand still; `hole` are the first one left out and how many."""
    opens = [ms(start) + i * HOUR_MS for i in range(count) if not hole[0] <= i < hole[0] + hole[1]]
    return tape_of([(price, price, price, price)] * len(opens), interval_ms=HOUR_MS, times=opens)


DAILY = {"mode": "accumulate", "every": "daily", "hour": "6", "amount": "100"}


def times_of(config: dict[str, str], tape: Tape, investment: str = "10000") -> list[str]:
    played = play_dca(config, tape, FREE, investment=investment)
    return [moment(row.event.at_ms) for row in played.rows if isinstance(row.event, Filled)]


def test_it_buys_at_the_start_and_then_at_each_anchor() -> None:
    found = times_of(DAILY, hours("2025-05-20 04:00", 60))
    assert found == ["2025-05-20 04:00", "2025-05-20 06:00", "2025-05-21 06:00", "2025-05-22 06:00"]


def test_it_may_wait_for_the_first_anchor() -> None:
    found = times_of({**DAILY, "first": "anchor"}, hours("2025-05-20 04:00", 30))
    assert found == ["2025-05-20 06:00", "2025-05-21 06:00"]


def test_an_anchor_at_the_start_itself_is_not_bought_twice() -> None:
    assert times_of(DAILY, hours("2025-05-20 06:00", 5)) == ["2025-05-20 06:00"]
    assert times_of({**DAILY, "first": "anchor"}, hours("2025-05-20 06:00", 5)) == []


def test_an_anchor_between_two_opens_is_bought_at_the_next_open() -> None:
    found = times_of({**DAILY, "minute": "30", "first": "anchor"}, hours("2025-05-20 04:00", 10))
    assert found == ["2025-05-20 07:00"]


def test_after_three_days_off_one_purchase_is_made_up_or_none() -> None:
    tape = hours("2025-05-20 04:00", 140, hole=(10, 75))  # from 14:00 of the 20th to 17:00 of the 23rd
    once = times_of(DAILY, tape)
    assert once == [
        "2025-05-20 04:00",
        "2025-05-20 06:00",
        "2025-05-23 17:00",
        "2025-05-24 06:00",
        "2025-05-25 06:00",
    ]
    assert times_of({**DAILY, "catch_up": "skip"}, tape) == [one for one in once if one != "2025-05-23 17:00"]


def test_with_skip_an_anchor_less_than_a_candle_old_is_bought() -> None:
    config = {**DAILY, "catch_up": "skip", "first": "anchor", "minute": "30"}
    assert times_of(config, hours("2025-05-20 04:00", 30)) == ["2025-05-20 07:00", "2025-05-21 07:00"]


def test_the_last_purchase_is_not_made_where_it_would_pass_the_budget() -> None:
    config = {**DAILY, "budget": "250"}
    played = play_dca(config, hours("2025-05-20 04:00", 200), FREE)
    assert len(played.trades()) == 2
    assert played.memory.spent == 200
    assert played.last.ended_why == ""


def test_nothing_said_about_a_schedule_is_a_hundredth_each_day() -> None:
    played = play_dca({"mode": "accumulate"}, hours("2025-05-20 00:00", 49), FREE)
    assert played.trades() == [(f"buy-{number}", "100", "1") for number in (1, 2, 3)]


def test_a_purchase_that_fills_in_part_is_tried_again_for_its_rest() -> None:
    hand = hand_of(DAILY, FREE)
    hand.price("100")
    hand.fill("buy-1", D("0.25"))
    hand.tell(Expired(hand.at_ms, hand.order("buy-1").id))
    assert hand.state.standing == {}
    hand.price("100", after_ms=1_000)
    assert hand.order("buy-1").quantity == D("0.75")
    hand.fill("buy-1")
    memory = dca_memory(hand.state)
    assert memory.purchase is None
    assert memory.position.base == 1


def test_a_purchase_that_is_refused_three_times_is_left_out_and_the_next_one_is_made() -> None:
    hand = hand_of(DAILY, FREE)
    hand.price("100")
    for _ in range(3):
        hand.tell(Rejected(hand.at_ms, hand.order("buy-1").id, "no"))
        hand.price("100", after_ms=10_000)
    assert hand.state.standing == {}
    assert "could not be made" in hand.state.strategy.status(hand.state.memory).why
    hand.price("100", after_ms=86_400_000)
    assert set(hand.state.standing) == {"buy-2"}


# ---------------------------------------------------------------- drops


DROP = {"mode": "accumulate", "drop": "0.05", "drop_amount": "100"}


def prices_of(config: dict[str, str], tape: Tape) -> list[str]:
    return [price for _, price, _ in play_dca(config, tape, FREE).trades()]


@pytest.mark.parametrize(
    ("reference", "prices", "bought"),
    [
        ("last_buy", ("100", "94", "94", "120", "90.3", "90.2"), ["95", "90.25"]),
        ("high", ("100", "94", "94", "120", "110", "108.31", "108.3"), ["95", "114", "108.3"]),
        ("average", ("100", "80"), ["95", "90.25", "85.73", "81.44"]),
    ],
)
def test_each_drop_below_the_reference_buys_once(reference: str, prices: tuple[str, ...], bought: list[str]) -> None:
    tape = tape_through(*prices)
    assert prices_of({**DROP, "reference": reference}, tape) == bought


def test_a_drop_inside_a_jump_is_bought_once_at_its_end() -> None:
    assert play_dca(DROP, jumps("100", "80", "80"), FREE).trades() == [("buy-1", "80", "1.25")]


def test_a_schedule_and_drops_go_together() -> None:
    config = {**DROP, "every": "daily", "amount": "50"}
    played = play_dca(config, tape_through("100", "94"), FREE)
    assert played.trades() == [("buy-1", "100", "0.5"), ("buy-2", "95", "1.0526")]


def test_drops_stop_where_the_budget_ends() -> None:
    assert prices_of({**DROP, "budget": "150"}, tape_through("100", "50")) == ["95"]


# ---------------------------------------------------------------- take-profit


def test_with_a_take_profit_all_is_sold_and_the_schedule_goes_on() -> None:
    config = {**DAILY, "hour": "0", "take_profit": "0.1"}
    units = [10000, 10000, 9000, 9000, 11000, 11000, 9000]
    played = play_dca(config, tape_of([(u, u, u, u) for u in units], interval_ms=12 * HOUR_MS), FREE)
    slots = played.slots()
    assert slots == ["buy-1", "buy-2", "1-t1", "buy-3", "buy-4"]
    assert played.memory.closed == 1
    assert played.memory.profit == D("20.019842")  # 2.1111 coins that cost 199.999, sold at 104.22
