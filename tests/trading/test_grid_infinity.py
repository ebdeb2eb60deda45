"""A grid without a top: its coins are worth the same at every line."""

from decimal import Decimal

import pytest

from autogrid.trading.event import EditAsked
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid.config import read_settings
from autogrid.trading.strategies.grid.grid import Grid
from autogrid.trading.strategies.grid.preview import preview
from autogrid.trading.strategies.grid.sizing import AHEAD, kept_value, least_endless, line_at
from tests.builders import Hand, bot_of, market, play, tape_through

D = Decimal
FREE = market(maker_fee=ZERO, taker_fee=ZERO)
PIONEX = {"lower": "80", "upper": "none", "step": "0.05", "reserve": "0"}


def test_pionexs_example_keeps_800_of_1000_in_coins() -> None:
    assert kept_value(read_settings(PIONEX), FREE, D(1000), D(100)) == 800
    played = play(PIONEX, tape_through("100", "100.01"), FREE, investment="1000")
    assert played.trades() == [("buy", D(100), D(8))]
    assert played.ledger.quote == 200


def test_the_lines_lie_at_whole_steps_above_lower() -> None:
    lines = [line_at(read_settings(PIONEX), FREE, number) for number in range(6)]
    assert lines == [D(80), D(84), D("88.2"), D("92.61"), D("97.24"), D("102.1")]


@pytest.mark.parametrize("top", ["107.21", "112.57", "150.85", "500", "2000"])
def test_the_coins_are_worth_800_at_every_line_however_high(top: str) -> None:
    played = play(PIONEX, tape_through("100", top), FREE, investment="1000")
    last = played.trades()[-1][1]
    assert abs(played.ledger.base * last - 800) < D("0.05")
    sells = [order for order in played.last.standing.values() if order.side == "sell"]
    assert len(sells) == AHEAD


def test_the_first_sells_of_the_worked_example() -> None:
    played = play(PIONEX, tape_through("100", "112.57"), FREE, investment="1000")
    # 8 - 800 / 107.21 = 0.538, to the lot; then 7.462 - 800 / 112.57 = 0.35531
    assert played.trades()[1:] == [("sell", D("107.21"), D("0.538")), ("sell", D("112.57"), D("0.35531"))]
    assert played.memory.round_trips == 2


def test_it_buys_down_to_lower_and_its_funds_suffice() -> None:
    played = play(PIONEX, tape_through("100", "80", "60"), FREE, investment="1000")
    assert [price for _, price, _ in played.trades()[1:]] == [D("97.24"), D("92.61"), D("88.2"), D(84), D(80)]
    assert not any(row.refused for row in played.rows)
    assert played.trades()[1][2] == D("0.22706")  # 800 / 97.24 - 8: the coins of the start count
    assert played.ledger.quote == D("25.5456906")
    assert abs(played.ledger.base * 80 - 800) < D("0.01")


@pytest.mark.parametrize("price", ["80.01", "81", "82", "83.99", "84", "84.01", "99.5", "101.9"])
@pytest.mark.parametrize("on", [FREE, market(), market(fee_in="quote")])
def test_wherever_between_two_lines_it_starts_its_funds_suffice(price: str, on: Market) -> None:
    played = play(PIONEX, tape_through(price, "120", "80", "90", "79"), on, investment="10000")
    assert not any(row.refused for row in played.rows)
    fallen = play(PIONEX, tape_through(price, "79"), on, investment="10000")
    assert not any(row.refused for row in fallen.rows)
    assert all(order.side == "sell" for order in fallen.last.standing.values())


def test_the_line_nearest_to_the_price_starts_free() -> None:
    for price, free in (("81.9", "80"), ("82", "84"), ("84", "84"), ("99.5", "97.24"), ("100", "102.1")):
        memory = Grid(PIONEX, FREE, D(1000)).opened_at(D(price))
        full = [cell for cell in memory.cells.values() if cell.phase == "full"]
        assert full[0].floor == D(free), price


def test_up_and_down_again_never_wants_funds() -> None:
    tape = tape_through("100", "300", "80", "500", "70", "100")
    for on in (FREE, market(), market(fee_in="quote")):
        played = play(PIONEX, tape, on, investment="1000")
        assert not any(row.refused for row in played.rows)
        assert played.memory.profit > 0
        assert [order.kind for order in played.orders.values()].count("market") == 1


def test_cells_that_open_later_count_for_the_order_rate() -> None:
    hand = Hand(*bot_of(PIONEX, FREE, investment="1000")).started()
    hand.price("100")
    hand.fill("open-0", price=D(100))
    assert hand.order("5-0s").quantity == D("0.538")
    step = hand.fill("5-0s")
    found = {command.order.slot: command.initial for command in step.commands}  # type: ignore[union-attr]
    assert found == {"10-0s": False, "5-1b": False}


def test_the_first_cell_buys_back_what_it_sold_though_it_started_beneath_its_floor() -> None:
    hand = Hand(*bot_of(PIONEX, FREE, investment="1000")).started()
    hand.price("100")
    hand.fill("open-0", price=D(100))
    hand.fill("5-0s")
    assert (hand.order("5-1b").price, hand.order("5-1b").quantity) == (D("102.1"), D("0.538"))
    hand.fill("5-1b")
    assert hand.state.ledger.base == 8


@pytest.mark.parametrize(
    ("changes", "key", "says"),
    [
        ({"step": "none"}, "step", "needs step, such as 0.01"),
        ({"grids": "5"}, "grids", "leave it out"),
        ({"sizing": "equal_base"}, "sizing", "needs equal_quote"),
        ({"spacing": "arithmetic"}, "spacing", "needs geometric"),
        ({"start": "wait"}, "start", "needs market"),
        ({"trailing_up": "yes"}, "trailing_up", "does not go with upper=none"),
        ({"reinvest": "yes"}, "reinvest", "does not go with upper=none"),
    ],
)
def test_what_does_not_go_together_is_refused(changes: dict[str, str], key: str, says: str) -> None:
    with pytest.raises(UnableToConfigure, match=says) as caught:
        read_settings({**PIONEX, **changes})
    assert caught.value.key == key


def test_upper_and_grids_are_still_asked_for() -> None:
    with pytest.raises(UnableToConfigure, match="upper is missing"):
        read_settings({"lower": "80", "grids": "5"})
    with pytest.raises(UnableToConfigure, match="grids is missing"):
        read_settings({"lower": "80", "upper": "100"})
    with pytest.raises(UnableToConfigure, match="step goes with upper=none"):
        read_settings({"lower": "80", "upper": "100", "grids": "2", "step": "0.1"})


@pytest.mark.parametrize(
    ("changes", "price", "says"),
    [
        ({}, "80", "must be below the price, 80"),
        ({"step": "0.0001"}, "100", "more than 1000 steps|take a larger step"),
        ({"step": "0.002"}, "100", "steps must be above 0.2004 %: take a larger step"),
        ({"lower": "0.01", "step": "0.05"}, "0.02", "same price of the tick"),
        ({"step": "0.005"}, "100", "at least 1689.34 USDT are needed"),
    ],
)
def test_a_start_that_cannot_be_traded_is_refused(changes: dict[str, str], price: str, says: str) -> None:
    with pytest.raises(UnableToConfigure, match=says):
        Grid({**PIONEX, **changes}, market(), D(1000)).check(D(price))


def test_the_least_investment_starts_and_a_cent_less_does_not() -> None:
    settings = read_settings(PIONEX)
    _, least = least_endless(settings, market(), D(100))
    Grid(PIONEX, market(), least).check(D(100))
    played = play(PIONEX, tape_through("100", "200", "80"), market(), investment=least)
    assert not any(row.refused for row in played.rows)
    assert played.memory.round_trips > 10
    with pytest.raises(UnableToConfigure, match=f"at least {least}"):
        Grid(PIONEX, market(), least - D("0.01")).check(D(100))


def test_the_preview_shows_what_will_rest() -> None:
    shown = preview(Grid(PIONEX, FREE, D(1000)), D(100))
    played = play(PIONEX, tape_through("100", "100.01"), FREE, investment="1000")
    orders = {(o.side, o.price, o.quantity) for o in played.last.standing.values()}
    assert {(line.side, line.price, line.quantity) for line in shown.lines if line.side} == orders
    assert [shown.opening, shown.opening_cost, shown.quote_left] == [8, 800, 200]
    fallen = play(PIONEX, tape_through("100", "80"), FREE, investment="1000")
    assert shown.loss_at_lower == fallen.ledger.profit(D(80))
    assert any("coins worth 800 USDT are kept" in warning for warning in shown.warnings)


def test_its_lines_cannot_be_edited_and_its_stops_can() -> None:
    hand = Hand(*bot_of(PIONEX, FREE, investment="1000")).started()
    hand.price("100")
    hand.fill("open-0", price=D(100))
    for changes in ({"step": "0.1"}, {"lower": "70"}, {"upper": "200", "grids": "5", "step": "none"}):
        assert "infinity grid" in hand.tell(EditAsked(hand.at_ms, changes)).note
    assert hand.tell(EditAsked(hand.at_ms, {"stop_loss": "75"})).note == ""
    hand.price("75", after_ms=1_000)
    assert hand.state.memory.stage == "exiting"
