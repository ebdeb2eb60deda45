"""A cell's own profit enlarges its next buys by whole lots."""

from decimal import Decimal

from autogrid.trading.money import ZERO
from autogrid.trading.strategies.grid.memory import Growth
from tests.builders import FOUR_CELLS, market, play, tape_through

D = Decimal
REINVEST = {**FOUR_CELLS, "reinvest": "yes"}


def test_the_worked_example_buys_more_after_each_round_trip() -> None:
    """The first round trip earns 385.71340613, which buys 0.03506 more at 11,000; 0.05340613 wait for the next."""
    played = play(REINVEST, tape_through("10500", "12000", "11000"))
    assert played.memory.profit == D("385.71340613")
    assert played.trades()[-1] == ("buy", D(11000), D("0.26133") + D("0.03506"))
    assert played.memory.extras.growth["3"] == Growth(ZERO, D("0.05340613"), D("385.66"))


def test_only_the_cell_that_earned_it_grows() -> None:
    played = play(REINVEST, tape_through("10500", "12000", "11000", "8000"))
    bought = {price: quantity for side, price, quantity in played.trades() if side == "buy"}
    assert bought[D(10000)] == bought[D(9000)] == bought[D(8000)] == D("0.26133")
    assert bought[D(11000)] == D("0.29639")


def test_a_gain_of_less_than_a_lot_waits_for_the_next() -> None:
    on = market(lot=D("0.01"))
    played = play({**REINVEST, "grids": "40"}, tape_through("10500", *("10600", "10500") * 60), on, investment="20000")
    sizes = {quantity for side, _, quantity in played.trades()[1:] if side == "buy"}
    assert len(sizes) > 1
    assert all(not quantity % on.lot for quantity in sizes)


def test_without_it_sizes_stay() -> None:
    played = play(FOUR_CELLS, tape_through("10500", "12000", "11000", "12000", "11000"))
    assert {quantity for side, _, quantity in played.trades()[1:] if side == "buy"} == {D("0.26133")}
    assert played.memory.extras.growth == {}


def test_its_profit_outgrows_that_of_the_plain_grid() -> None:
    tape = tape_through("10500", *("12000", "8000") * 8)
    assert play(REINVEST, tape).memory.profit > D("1.1") * play(FOUR_CELLS, tape).memory.profit


def test_it_never_wants_more_than_there_is() -> None:
    for lot in ("0.00001", "0.01", "0.1"):
        on = market(lot=D(lot))
        played = play({**REINVEST, "reserve": "0"}, tape_through("10500", *("12000", "8000") * 8), on)
        assert not any(row.refused for row in played.rows)


def test_a_trailing_grid_takes_the_profit_along_to_the_top() -> None:
    config = {**REINVEST, "trailing_up": "yes"}
    played = play(config, tape_through("10500", "8000", "13000"))
    assert [cell.floor for cell in played.memory.cells.values()] == [9000, 10000, 11000, 12000]
    top = list(played.memory.cells.values())[-1]
    put = played.memory.extras.growth[top.name].put
    assert put > 200
    assert top.quantity == (2450 + put) // (12000 * D("0.00001")) * D("0.00001")
