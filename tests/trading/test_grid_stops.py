"""Stops at a total profit or loss, and a stop-loss that waits."""

from decimal import Decimal

import pytest

from autogrid.trading.event import EditAsked, FundsAsked
from autogrid.trading.market import ThirdAsset
from autogrid.trading.money import ZERO
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid.config import read_settings
from autogrid.trading.strategies.grid.grid import Grid
from autogrid.trading.strategies.grid.preview import preview
from tests.builders import FOUR_CELLS, PLAIN_MARKET, Hand, bot_of, jumps, market, play, tape_of, tape_through

D = Decimal
FREE = market(maker_fee=ZERO, taker_fee=ZERO)


def test_the_worked_example_ends_at_2_per_cent_of_profit() -> None:
    """0.26106867 coins bought for 2,743.965 are worth 200 more at 11,276.59…: the first price on the tick above."""
    played = play({**FOUR_CELLS, "total_profit_stop": "0.02"}, tape_through("10500", "12000"))
    assert played.last.ended_why == "total profit of 2 % reached"
    assert played.trades()[-1] == ("sell", D("11276.6"), D("0.26106"))


def test_the_worked_example_ends_at_5_per_cent_of_loss() -> None:
    played = play({**FOUR_CELLS, "total_loss_stop": "0.05"}, tape_through("10500", "8000"))
    assert played.last.ended_why == "total loss of 5 % reached"
    assert played.trades()[-1] == ("sell", D("9302.65"), D("0.52213"))
    held = play({**FOUR_CELLS, "total_loss_stop": "0.05", "on_exit": "hold"}, tape_through("10500", "8000"))
    assert [side for side, _, _ in held.trades()] == ["buy", "buy"]


def test_each_fill_moves_the_price_at_which_the_total_is_met() -> None:
    hand = Hand(*bot_of({**FOUR_CELLS, "total_loss_stop": "0.1"}, FREE)).started()
    hand.price("10500")
    hand.fill("open-0", price=D(10500))
    floors = []
    for slot in ("2-0b", "1-0b"):
        hand.fill(slot)
        assert hand.state.bounds is not None
        assert hand.state.bounds.floor is not None
        floors.append(hand.state.bounds.floor)
        assert abs(hand.state.ledger.profit(floors[-1]) + 1000) < D("1e-40")
    assert floors[1] > floors[0]


def test_fees_in_a_third_asset_count_for_the_price_at_which_the_total_is_met() -> None:
    on = market(fee_in=ThirdAsset("BNB", D(600)))
    for stops, share in (({"total_loss_stop": "0.1"}, D(-1000)), ({"total_profit_stop": "0.02"}, D(200))):
        hand = Hand(*bot_of({**FOUR_CELLS, **stops}, on)).started()
        hand.price("10500")
        hand.fill("open-0", price=D(10500))
        hand.fill("2-0b")
        assert hand.state.ledger.fee_value > 0
        bounds = hand.state.bounds
        assert bounds is not None
        met = bounds.floor if share < 0 else bounds.roof
        assert met is not None
        assert abs(hand.state.ledger.profit(met) - share) < D("1e-20")


def test_what_is_put_in_moves_what_the_share_is_of() -> None:
    hand = Hand(*bot_of({**FOUR_CELLS, "total_loss_stop": "0.05"}, FREE)).started()
    hand.price("10500")
    hand.fill("open-0", price=D(10500))
    hand.tell(FundsAsked(hand.at_ms, D(10_000)))
    hand.price("8100", after_ms=1_000)  # 627.19 lost, 5 % of 20,000 are 1,000
    assert hand.state.memory.stage == "running"


def test_a_total_inside_a_jump_is_sold_where_the_jump_ends() -> None:
    played = play({**FOUR_CELLS, "total_loss_stop": "0.05"}, jumps("10500", "8500"))
    assert played.trades()[-1][1] == 8500


def candles(*lows: tuple[str, str, str, str]) -> list[tuple[int, int, int, int]]:
    return [tuple(int(D(price) * 100) for price in row) for row in lows]  # type: ignore[misc]


DELAYED = {**FOUR_CELLS, "stop_loss": "7500", "stop_for": "120"}


def test_a_wick_below_the_stop_does_not_end_a_stop_that_waits() -> None:
    tape = tape_of(candles(("10500", "10500", "7400", "7600"), ("7600", "9000", "7550", "9000")))
    assert not play(DELAYED, tape).last.ended_why
    assert play({**DELAYED, "stop_for": "0"}, tape).last.ended_why == "stop-loss at 7500"


def test_the_price_must_stay_beyond_the_stop_for_all_of_the_time() -> None:
    stay = ("7450", "7490", "7400", "7450")
    fall = ("10500", "10500", "7400", "7450")
    ended = play(DELAYED, tape_of(candles(fall, stay, stay, stay)))
    assert ended.last.ended_why == "stop-loss at 7500, for 120 s"
    assert ended.trades()[-1][:2] == ("sell", D(7450))  # where the candle two minutes later opens
    back = ("7450", "7501", "7400", "7450")
    assert not play(DELAYED, tape_of(candles(fall, back, stay))).last.ended_why
    assert play(DELAYED, tape_of(candles(fall, back, stay, stay))).last.ended_why


def test_the_grid_goes_on_while_its_stop_waits() -> None:
    hand = Hand(*bot_of(DELAYED, FREE)).started()
    hand.price("10500")
    hand.fill("open-0", price=D(10500))
    hand.accept_all()
    hand.price("7400", after_ms=1_000)
    assert hand.state.memory.stage == "running"
    assert len(hand.state.standing) == 4
    hand.price("7400", after_ms=119_999)
    assert hand.state.memory.stage == "running"
    hand.price("7400", after_ms=1)
    assert hand.state.memory.stage == "exiting"


def test_a_stop_moved_below_the_price_waits_anew() -> None:
    hand = Hand(*bot_of(DELAYED, FREE)).started()
    hand.price("10500")
    hand.fill("open-0", price=D(10500))
    hand.price("7400", after_ms=1_000)
    assert hand.tell(EditAsked(hand.at_ms, {"stop_loss": "7000"})).note == ""
    assert hand.state.memory.extras.beyond_ms is None
    hand.price("7400", after_ms=500_000)
    assert hand.state.memory.stage == "running"


def test_totals_can_be_edited_while_it_runs() -> None:
    hand = Hand(*bot_of(FOUR_CELLS, FREE)).started()
    hand.price("10500")
    hand.fill("open-0", price=D(10500))
    assert hand.tell(EditAsked(hand.at_ms, {"total_loss_stop": "0.01"})).note == ""
    hand.price("10000.01", after_ms=1_000)
    assert hand.state.memory.stage == "exiting"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"stop_for": "60"}, "there is none; give stop_loss too"),
        ({"stop_for": "-1", "stop_loss": "7000"}, "the least is 0"),
        ({"stop_for": "1.5", "stop_loss": "7000"}, "whole number"),
        ({"total_loss_stop": "1"}, "must be below 1"),
        ({"total_loss_stop": "0"}, "above 0"),
        ({"total_profit_stop": "-0.1"}, "above 0"),
    ],
)
def test_a_stop_that_makes_no_sense_is_refused(changes: dict[str, str], says: str) -> None:
    with pytest.raises(UnableToConfigure, match=says):
        read_settings({**FOUR_CELLS, **changes})


def test_the_preview_warns_of_a_stop_that_waits() -> None:
    shown = preview(Grid(DELAYED, PLAIN_MARKET, D(10_000)), D(10_500))
    assert any("The stop-loss waits 120 s" in warning for warning in shown.warnings)
