"""Profit in coins: a cell sells, buys back all that the sale pays for, and keeps what is more than it sold."""

from decimal import Decimal

from autogrid.trading.event import Cancelled, EditAsked, Filled
from autogrid.trading.money import ZERO
from autogrid.trading.strategies.grid.grid import Grid
from autogrid.trading.strategies.grid.preview import preview
from tests.builders import FOUR_CELLS, PLAIN_MARKET, Hand, bot_of, fill_of, market, play, tape_through

D = Decimal
REVERSE = {**FOUR_CELLS, "reverse": "yes"}
FREE = market(maker_fee=ZERO, taker_fee=ZERO)


def test_the_worked_example_sells_at_12000_and_buys_more_back_at_11000() -> None:
    """0.26106 · 12,000 · 0.999 / 11,000 = 0.2845 to the lot; less its fee 0.2842155: 0.0231555 more than was sold."""
    played = play(REVERSE, tape_through("10500", "12000", "11000"))
    assert played.trades()[1:] == [("sell", D(12000), D("0.26106")), ("buy", D(11000), D("0.2845"))]
    store = played.memory.extras.store
    assert store.base == D("0.0231555") + D("0.00000867")  # and the dust of the opening
    assert played.last.standing["3-1s"].quantity == D("0.26106")


def test_the_tally_values_the_gain_at_the_price_of_the_rebuy() -> None:
    played = play(REVERSE, tape_through("10500", "12000", "11000"))
    left = D("0.26106") * 12000 * D("0.999") - D("0.2845") * 11000
    assert played.memory.profit == D("0.0231555") * 11000 + left == D("254.79778")
    assert played.memory.round_trips == 1


def test_a_sale_alone_is_no_round_trip() -> None:
    played = play(REVERSE, tape_through("10500", "12000"))
    assert played.memory.profit == 0
    assert played.memory.round_trips == 0


def test_it_sells_the_same_quantity_again_and_again_and_the_gain_never() -> None:
    played = play(REVERSE, tape_through("10500", *("12000", "11000") * 10))
    sold = [quantity for side, _, quantity in played.trades() if side == "sell"]
    assert sold == [D("0.26106")] * 10
    assert played.memory.extras.store.base == D("0.0231555") * 10 + D("0.00000867")
    assert (
        played.bot.start(Grid(REVERSE, PLAIN_MARKET, D(10_000)), played.ledger).strategy.status(played.memory).why
        == "0.23156367 BTC gained and kept aside"
    )


def test_a_cell_below_the_price_buys_first_and_then_sells_what_it_bought() -> None:
    played = play(REVERSE, tape_through("10500", "10000", "11000", "10000"))
    quantities = [quantity for _, _, quantity in played.trades()[1:]]
    assert quantities == [D("0.26133"), D("0.26106"), D("0.28687")]  # 0.26106 · 11,000 · 0.999 / 10,000


def test_its_coins_outgrow_those_of_the_plain_grid_and_its_quote_does_not() -> None:
    tape = tape_through("10500", *("12000", "8000") * 5)
    plain, turned = play(FOUR_CELLS, tape), play(REVERSE, tape)
    assert turned.ledger.base > plain.ledger.base
    assert turned.ledger.quote < plain.ledger.quote
    assert not any(row.refused for row in turned.rows)


def test_with_fees_in_quote_the_rebuy_is_paid_by_the_sale_alone() -> None:
    on = market(fee_in="quote")
    played = play({**REVERSE, "reserve": "0"}, tape_through("10500", *("12000", "8000") * 5), on)
    assert not any(row.refused for row in played.rows)
    assert played.memory.extras.store.base > 0


def test_a_rebuy_whose_rest_is_too_small_is_let_go_with_what_it_brought() -> None:
    hand = Hand(*bot_of(REVERSE, FREE)).started()
    hand.price("10500")
    hand.fill("open-0", price=D(10500))
    hand.accept_all()
    hand.fill("3-0s")
    hand.accept_all()
    order = hand.order("3-1b")
    hand.fill("3-1b", order.quantity - D("0.0001"))
    hand.tell(Cancelled(hand.at_ms, order.id))
    cell = hand.state.memory.cells["3"]
    assert cell.phase == "full"
    assert cell.stock == hand.order("3-1s").quantity
    assert hand.state.memory.round_trips == 1


def test_an_edit_closes_the_round_trip_of_a_cell_that_waits_for_its_rebuy_and_vanishes() -> None:
    hand = Hand(*bot_of(REVERSE, FREE)).started()
    hand.price("10500")
    hand.fill("open-0", price=D(10500))
    hand.fill("3-0s")
    cell, base = hand.state.memory.cells["3"], hand.state.ledger.base
    assert hand.tell(EditAsked(hand.at_ms, {"upper": "12500"})).note == ""
    memory = hand.state.memory
    assert memory.profit == cell.earned - cell.cost
    found = sum((one.stock - one.sold + one.received for one in memory.cells.values()), memory.pool.base)
    assert found + memory.extras.store.base == base
    assert "reverse cannot be changed" in hand.tell(EditAsked(hand.at_ms, {"reverse": "no"})).note


def test_a_late_fill_of_a_rebuy_that_was_cancelled_is_booked() -> None:
    hand = Hand(*bot_of(REVERSE, FREE)).started()
    hand.price("10500")
    hand.fill("open-0", price=D(10500))
    hand.fill("3-0s")
    order = hand.order("3-1b")
    hand.tell(EditAsked(hand.at_ms, {"upper": "12500"}))
    late: Filled = fill_of(order, FREE, order.quantity, order.price, "late", hand.at_ms)
    hand.tell(late)
    memory = hand.state.memory
    found = sum((one.stock - one.sold + one.received for one in memory.cells.values()), memory.pool.base)
    assert found + memory.extras.store.base == hand.state.ledger.base


def test_the_preview_says_that_profit_is_in_coins() -> None:
    shown = preview(Grid(REVERSE, PLAIN_MARKET, D(10_000)), D(10_500))
    assert any("profit is in BTC" in warning for warning in shown.warnings)
