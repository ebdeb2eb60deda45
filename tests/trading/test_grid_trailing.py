"""The range follows the price: lines go and come by whole steps, without a market order and without a loss."""

from decimal import Decimal

import pytest

from autogrid.trading.event import Cancelled, EditAsked
from autogrid.trading.money import ZERO, text
from autogrid.trading.plan import Cancel, Place
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid.config import read_settings
from tests.builders import Hand, Played, bot_of, jumps, market, play, tape_through

D = Decimal
FREE = market(maker_fee=ZERO, taker_fee=ZERO)
BYBIT = {"lower": "25000", "upper": "30000", "grids": "5", "spacing": "arithmetic"}
UP = {**BYBIT, "trailing_up": "yes"}
DOWN = {**BYBIT, "trailing_down": "yes", "reserve": "0.5"}


def buys(played: Played) -> list[str]:
    """Prices of the buys that rest, lowest first."""
    return [text(price) for price in sorted(o.price for o in played.last.standing.values() if o.side == "buy")]


def sells(played: Played) -> list[str]:
    return [text(price) for price in sorted(o.price for o in played.last.standing.values() if o.side == "sell")]


def nothing_was_refused(played: Played) -> bool:
    return not any(row.refused for row in played.rows)


def test_a_step_above_the_range_the_lowest_buy_goes_and_one_opens_at_the_old_top() -> None:
    """Bybit prints: 25,000 to 30,000, at 31,000 the buy at 25,000 is cancelled, one at 30,000 placed."""
    below = play(UP, tape_through("26500", "30999.99"))
    assert buys(below) == ["25000", "26000", "27000", "28000", "29000"]
    there = play(UP, tape_through("26500", "31000"))
    assert buys(there) == ["26000", "27000", "28000", "29000", "30000"]
    assert nothing_was_refused(there)


def test_the_value_of_a_cell_stays_and_its_quantity_follows_the_price() -> None:
    there = play(UP, tape_through("26500", "31000"))
    quantity = {text(o.price): text(o.quantity) for o in there.last.standing.values()}
    assert quantity["30000"] == "0.06533"  # 9,800 / 5 = 1,960 for each cell


def test_binances_example_rises_at_49000_and_again_at_53000() -> None:
    config = {"lower": "25000", "upper": "45000", "grids": "5", "spacing": "arithmetic", "trailing_up": "yes"}
    assert buys(play(config, tape_through("45000", "48999.99"))) == ["25000", "29000", "33000", "37000", "41000"]
    assert buys(play(config, tape_through("45000", "49000"))) == ["29000", "33000", "37000", "41000", "45000"]
    assert buys(play(config, tape_through("45000", "53000"))) == ["33000", "37000", "41000", "45000", "49000"]


def test_several_steps_are_taken_at_once_when_the_price_jumps() -> None:
    assert buys(play(UP, jumps("26500", "33500"))) == ["28000", "29000", "30000", "31000", "32000"]
    assert buys(play(UP, tape_through("26500", "33500"))) == ["28000", "29000", "30000", "31000", "32000"]


def test_a_grid_that_starts_far_below_the_price_goes_there_before_it_places_an_order() -> None:
    played = play(UP, tape_through("33500", "33600"))
    assert buys(played) == ["28000", "29000", "30000", "31000", "32000"]
    assert len(played.orders) == 5


def test_the_lines_of_a_geometric_grid_come_from_the_unrounded_ratio() -> None:
    config = {"lower": "20000", "upper": "30000", "grids": "5", "trailing_up": "yes"}
    # r = 1.5^(1/5): 30,000·r = 32,534.15…, 30,000·r² = 35,282.37…, 30,000·r³ = 38,262.73…
    assert buys(play(config, tape_through("25000", "38262"))) == [
        "23521.58",
        "25508.49",
        "27663.24",
        "30000",
        "32534.15",
    ]
    found = buys(play(config, tape_through("25000", "38500")))
    assert found == ["25508.49", "27663.24", "30000", "32534.15", "35282.37"]


def test_the_limit_ends_it() -> None:
    limited = {**UP, "trailing_up_limit": "31999.99"}
    assert buys(play(limited, tape_through("26500", "40000"))) == ["26000", "27000", "28000", "29000", "30000"]
    there = {**UP, "trailing_up_limit": "32000"}
    assert buys(play(there, tape_through("26500", "40000"))) == ["27000", "28000", "29000", "30000", "31000"]


def test_the_stop_loss_moves_with_the_lowest_line() -> None:
    config = {**UP, "stop_loss": "24500"}
    risen = play(config, tape_through("26500", "32000", "26500.01"))  # two steps: the stop stands at 26,500
    assert not risen.last.ended_why
    assert play(config, tape_through("26500", "32000", "26500")).last.ended_why == "stop-loss at 26500"
    config = {"lower": "20000", "upper": "30000", "grids": "5", "trailing_up": "yes", "stop_loss": "19000"}
    fallen = play(config, tape_through("25000", "32600", "20000"))
    assert fallen.last.ended_why == "stop-loss at 20604.96"  # 19,000 · 1.5^(1/5)


def test_no_market_order_is_sent_after_the_start() -> None:
    played = play(UP, tape_through("26500", "38000", "31000", "45000"))
    kinds = [order.kind for order in played.orders.values()]
    assert kinds.count("market") == 1
    assert set(kinds[1:]) == {"maker"}


def test_the_new_buy_waits_until_the_old_one_is_gone() -> None:
    hand = Hand(*bot_of(UP, FREE)).started()
    hand.price("30000")
    hand.accept_all()
    old = hand.order("0-0b")
    step = hand.price("31000", after_ms=1_000)
    assert step.commands == (Cancel(old.id),)
    assert step.refused == ()
    step = hand.tell(Cancelled(hand.at_ms, old.id))
    placed = [command for command in step.commands if isinstance(command, Place)]
    assert [(one.order.side, one.order.price, one.initial) for one in placed] == [("buy", D(30000), False)]


def test_a_cell_with_a_half_done_buy_is_left_and_the_next_empty_one_goes() -> None:
    hand = Hand(*bot_of(UP, FREE)).started()
    hand.price("30000")
    hand.accept_all()
    hand.fill("0-0b", D("0.01"))
    hand.price("31000", after_ms=1_000)
    assert hand.order("1-0b").cancel_asked
    assert not hand.order("0-0b").cancel_asked
    assert hand.state.memory.extras.low == 0


def test_a_step_below_the_range_a_line_is_added_as_long_as_quote_remains() -> None:
    above = play(DOWN, tape_through("26500", "24000.01"))
    assert buys(above) == []
    there = play(DOWN, tape_through("26500", "24000"))
    assert sells(there) == ["25000", "26000", "27000", "28000", "29000", "30000"]
    assert there.trades()[-1] == ("buy", D(24000), D("0.04166"))  # 5,000 / 5 = 1,000 for each cell
    lower = play(DOWN, tape_through("26500", "22500"))
    assert lower.trades()[-1] == ("buy", D(23000), D("0.04347"))
    poor = play({**DOWN, "reserve": "0.02"}, tape_through("26500", "20000"))
    assert nothing_was_refused(there)
    assert nothing_was_refused(poor)
    assert len(poor.memory.cells) == 5
    assert sells(poor) == ["26000", "27000", "28000", "29000", "30000"]


def test_a_line_beneath_is_not_paid_with_quote_that_cells_above_still_need() -> None:
    hand = Hand(*bot_of({**DOWN, "reserve": "0.02"}, FREE)).started()
    hand.price("26500")
    hand.fill("open-0", price=D(26_500))
    hand.accept_all()
    step = hand.price("24000", after_ms=1_000)  # before the fills at 26,000 and 25,000 are heard of
    assert hand.state.ledger.quote > 3_000
    assert (step.commands, step.refused) == ((), ())
    assert len(hand.state.memory.cells) == 5


def test_full_cells_stay_above_and_no_coin_is_sold_for_less() -> None:
    played = play(DOWN, tape_through("26500", "22500", "30500"))
    sold = [price for side, price, _ in played.trades() if side == "sell"]
    assert sold == [24000, 25000, 26000, 27000, 28000, 29000, 30000]
    profits = [row.tally.profit for row in played.rows]
    assert profits == sorted(profits)
    assert played.memory.profit > 0


def test_trailing_down_ends_at_its_limit_and_above_the_stop_loss() -> None:
    assert sells(play({**DOWN, "trailing_down_limit": "23001"}, tape_through("26500", "20000")))[0] == "25000"
    played = play({**DOWN, "stop_loss": "22500"}, tape_through("26500", "22600"))
    assert sells(played)[0] == "24000"
    assert play({**DOWN, "stop_loss": "22500"}, tape_through("26500", "22500")).last.ended_why


def test_trailing_ends_where_a_cell_would_not_earn_its_fees() -> None:
    config = {"lower": "100", "upper": "101", "grids": "4", "spacing": "arithmetic", "trailing_up": "yes"}
    played = play(config, tape_through("100.5", "130"))
    high = max(cell.roof for cell in played.memory.cells.values())
    assert high < 126  # a step of 0.25 earns nothing above 0.25 / 0.002003 = 124.8
    assert D("0.999") ** 2 * high / (high - D("0.25")) > 1


@pytest.mark.parametrize(
    ("changes", "key", "says"),
    [
        ({"sizing": "equal_base"}, "sizing", "trailing needs equal_quote"),
        ({"trailing_up_limit": "29000"}, "trailing_up_limit", "must be above upper, 30000"),
        ({"trailing_up": "no", "trailing_up_limit": "40000"}, "trailing_up_limit", "goes with trailing_up=yes"),
        ({"trailing_down_limit": "20000"}, "trailing_down_limit", "goes with trailing_down=yes"),
        ({"trailing_down": "yes", "trailing_down_limit": "25000"}, "trailing_down_limit", "must be below lower"),
        ({"reverse": "yes"}, "reverse", "reverse and trailing_up do not go together"),
    ],
)
def test_what_does_not_go_together_is_refused(changes: dict[str, str], key: str, says: str) -> None:
    with pytest.raises(UnableToConfigure, match=says) as caught:
        read_settings({**UP, **changes})
    assert caught.value.key == key


def test_sizing_that_was_not_given_is_equal_quote() -> None:
    assert read_settings(UP).sizing == "equal_quote"
    assert read_settings(BYBIT).sizing == "equal_base"


def running() -> Hand:
    hand = Hand(*bot_of(UP, FREE)).started()
    hand.price("30000")
    hand.accept_all()
    hand.price("31000", after_ms=1_000)
    hand.tell(Cancelled(hand.at_ms, hand.order("0-0b").id))
    hand.accept_all()
    return hand


def test_switching_trailing_off_leaves_the_range_where_it_is() -> None:
    hand = running()
    step = hand.tell(EditAsked(hand.at_ms, {"trailing_up": "no", "sizing": "equal_quote"}))
    assert step.commands == ()
    hand.price("40000", after_ms=1_000)
    assert min(order.price for order in hand.state.standing.values()) == 26000


def test_a_stop_that_is_edited_is_meant_for_the_range_as_configured_and_moves_like_it() -> None:
    hand = running()
    assert hand.tell(EditAsked(hand.at_ms, {"stop_loss": "24000"})).note == ""
    assert hand.state.bounds is not None
    assert hand.state.bounds.floor == 25000


def test_new_lines_begin_where_the_configuration_says_and_go_on_from_there() -> None:
    hand = running()
    hand.tell(EditAsked(hand.at_ms, {"grids": "4", "lower": "26000"}))
    assert hand.state.memory.extras.high == 1  # 26,000 to 30,000, and one step up at once
    assert [cell.floor for cell in hand.state.memory.cells.values()] == [27000, 28000, 29000, 30000]
