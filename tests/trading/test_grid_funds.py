"""Funds put in and taken out of a grid that runs: sizes follow from each cell's next cycle on."""

from decimal import Decimal

from autogrid.trading.event import EditAsked, FundsAsked
from autogrid.trading.money import ZERO
from tests.builders import FOUR_CELLS, Hand, bot_of, market

D = Decimal
FREE = market(maker_fee=ZERO, taker_fee=ZERO)


def running(**changes: str) -> Hand:
    hand = Hand(*bot_of({**FOUR_CELLS, **changes}, FREE)).started()
    hand.price("10500")
    hand.fill("open-0", price=D(10500))
    hand.accept_all()
    return hand


def test_a_deposit_touches_no_order_and_enlarges_each_cell_when_it_has_sold() -> None:
    """10,000 more, 9,800 of them to be placed, over floors of 8,000 to 11,000: 0.25789 more in each cell."""
    hand = running()
    before = hand.state.standing
    step = hand.tell(FundsAsked(hand.at_ms, D(10_000)))
    assert [type(command).__name__ for command in step.commands] == ["Fund"]
    assert hand.state.standing == before
    hand.fill("3-0s")
    assert hand.order("3-1b").quantity == D("0.26133") + D("0.25789")
    hand.fill("2-0b")
    assert hand.order("2-0s").quantity == D("0.26133")
    hand.fill("2-0s")
    assert hand.order("2-1b").quantity == D("0.51922")
    hand.fill("3-1b")
    hand.fill("3-1s")
    assert hand.order("3-2b").quantity == D("0.51922")


def test_with_equal_quote_the_deposit_is_divided_by_value() -> None:
    hand = running(sizing="equal_quote")
    hand.tell(FundsAsked(hand.at_ms, D(10_000)))
    hand.fill("3-0s")
    assert hand.order("3-1b").quantity == D("0.22272") + D("0.22272")  # 2,450 / 11,000, twice


def test_a_withdrawal_makes_the_next_buys_smaller() -> None:
    hand = running()
    hand.fill("3-0s")
    free = hand.state.ledger.free_quote
    hand.tell(FundsAsked(hand.at_ms, D(-200)))
    assert hand.state.ledger.free_quote == free - 200
    hand.fill("3-1b")
    hand.fill("3-1s")
    assert hand.order("3-2b").quantity == D("0.26133") - D("0.00516")  # 196 / 38,000, up to the lot


def test_more_than_is_free_is_not_given() -> None:
    hand = running()
    step = hand.tell(FundsAsked(hand.at_ms, D(-5000)))
    assert "withdrawal refused" in step.note
    assert hand.state.memory.extras.funds == 0


def test_two_deposits_add_up() -> None:
    hand = running()
    hand.tell(FundsAsked(hand.at_ms, D(5_000)))
    hand.tell(FundsAsked(hand.at_ms, D(5_000)))
    hand.fill("3-0s")
    assert hand.order("3-1b").quantity == D("0.26133") + 2 * D("0.12894")


def test_an_edit_of_the_lines_reckons_with_what_was_put_in() -> None:
    hand = running()
    hand.tell(FundsAsked(hand.at_ms, D(10_000)))
    hand.tell(EditAsked(hand.at_ms, {"upper": "13000", "grids": "5"}))
    assert hand.state.memory.extras.growth == {}
    # 19,600 / (8,000 + 9,000 + 10,000 + 2 · 10,500)
    assert hand.state.memory.cells["0"].quantity == D("0.40833")


def test_funds_given_before_the_trigger_count_from_the_start() -> None:
    hand = Hand(*bot_of({**FOUR_CELLS, "trigger_price": "10500"}, FREE)).started()
    hand.price("11500")
    hand.tell(FundsAsked(hand.at_ms, D(10_000)))
    hand.tell(EditAsked(hand.at_ms, {"stop_loss": "7000"}))
    hand.price("10500", after_ms=1_000)
    assert hand.order("open-0").quantity == D("0.52266")  # 19,600 / (8,000 + 9,000 + 10,000 + 10,500)


def test_a_reverse_grid_keeps_its_sizes() -> None:
    hand = running(reverse="yes")
    hand.tell(FundsAsked(hand.at_ms, D(10_000)))
    hand.fill("3-0s")
    assert hand.order("3-1b").quantity == D("0.28508")


def test_a_deposit_is_no_profit() -> None:
    hand = running(total_profit_stop="0.01")
    hand.tell(FundsAsked(hand.at_ms, D(10_000)))
    assert hand.state.memory.stage == "running"
