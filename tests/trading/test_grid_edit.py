"""Editing a running grid is a difference: what stays wanted is not touched, and no coin is lost or made."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.trading.event import Accepted, Cancelled, EditAsked, Filled
from autogrid.trading.money import ZERO, text
from autogrid.trading.plan import Cancel, Place
from autogrid.trading.state import Step
from autogrid.trading.strategies.grid.memory import GridMemory
from tests.builders import FOUR_CELLS, D, Hand, bot_of, fill_of, market

FREE = market(maker_fee=ZERO, taker_fee=ZERO)


def running(config: dict[str, str] = FOUR_CELLS, price: str = "10500") -> Hand:
    hand = Hand(*bot_of(config, FREE)).started()
    hand.price(price)
    if "open-0" in hand.state.standing:
        hand.fill("open-0", price=D(price))
    hand.accept_all()
    return hand


def edit(hand: Hand, **changes: str) -> Step:
    return hand.tell(EditAsked(hand.at_ms, changes))


def cancelled(step: Step) -> set[str]:
    return {command.order_id for command in step.commands if isinstance(command, Cancel)}


def placed(step: Step) -> set[tuple[str, str]]:
    return {(c.order.side, text(c.order.price)) for c in step.commands if isinstance(c, Place)}


def settle(hand: Hand) -> None:
    """The exchange does all that was asked."""
    for _ in range(4):
        for order in list(hand.state.standing.values()):
            if order.cancel_asked:
                hand.tell(Cancelled(hand.at_ms, order.id))
            elif order.status == "intended":
                hand.tell(Accepted(hand.at_ms, order.id))
                if order.kind == "market":
                    hand.tell(fill_of(order, FREE, order.quantity, order.price, f"m{order.id}", hand.at_ms))


def inventory(hand: Hand) -> Decimal:
    memory = hand.state.memory
    assert isinstance(memory, GridMemory)
    cells = memory.cells.values()
    return memory.pool.base + sum((cell.stock - cell.sold + cell.received for cell in cells), ZERO)


def worth(hand: Hand) -> Decimal:
    """What the coins cost, less what was earned with them."""
    memory = hand.state.memory
    assert isinstance(memory, GridMemory)
    cost = memory.pool.cost + sum((cell.cost - cell.earned + cell.paid for cell in memory.cells.values()), ZERO)
    return cost - memory.profit


def test_a_stop_loss_that_is_added_touches_no_order() -> None:
    hand = running()
    step = edit(hand, stop_loss="7000")
    assert step.commands == ()
    assert hand.state.memory.cells.keys() == {"0", "1", "2", "3"}
    hand.price("7000", after_ms=1_000)
    assert hand.state.memory.stage == "exiting"


def test_one_more_line_on_top_cancels_and_places_only_what_changed() -> None:
    hand = running()
    before = dict(hand.state.standing)
    step = edit(hand, upper="13000", grids="5")
    # With five cells the quantity falls, so the buys change; the full cell keeps its coins and its order.
    assert before["3-0s"].id not in cancelled(step)
    assert cancelled(step) == {before[slot].id for slot in ("0-0b", "1-0b", "2-0b")}
    settle(hand)
    sides = sorted((order.side, order.price) for order in hand.state.standing.values())
    assert [price for side, price in sides if side == "sell"] == [12000]
    assert [price for side, price in sides if side == "buy"] == [8000, 9000, 10000]


def test_an_edit_to_the_same_configuration_does_nothing() -> None:
    hand = running()
    before = hand.state.standing
    assert edit(hand, lower="8000", upper="12000").commands == ()
    assert hand.state.standing == before


def test_an_order_that_stays_wanted_keeps_its_id_and_its_place_in_the_queue() -> None:
    config = {**FOUR_CELLS, "sizing": "equal_quote"}
    hand = running(config)
    before = {(o.side, o.price): o.id for o in hand.state.standing.values()}
    edit(hand, reserve="0.02")
    settle(hand)
    after = {(o.side, o.price): o.id for o in hand.state.standing.values()}
    assert after == before


def test_coins_of_cells_that_vanish_fill_new_cells_above_the_price() -> None:
    hand = running()
    base = inventory(hand)
    edit(hand, lower="8100", upper="12100")
    assert inventory(hand) == base
    settle(hand)
    sells = [order for order in hand.state.standing.values() if order.side == "sell"]
    assert [order.price for order in sells] == [12100]
    assert sum((order.quantity for order in sells), ZERO) <= hand.state.ledger.base


def test_an_edit_does_not_count_for_the_order_rate_and_a_later_order_of_the_slot_does() -> None:
    hand = running()
    step = edit(hand, lower="8100", upper="12100")
    assert all(command.initial for command in step.commands if isinstance(command, Place))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"start": "wait"}, "start cannot be changed once the grid has started"),
        ({"trigger_price": "9000"}, "trigger_price cannot be changed"),
        ({"lower": "10000", "upper": "12000", "stop_loss": "10600"}, "must be below lower"),
        ({"lower": "11000", "upper": "12000", "stop_loss": "10600"}, "stop_loss must be below the price"),
        ({"upper": "10300", "lower": "9000", "take_profit": "10400"}, "take_profit must be above the price"),
        ({"grids": "1"}, "the least is 2"),
        ({"grids": "1000"}, "after fees|too small"),
        ({"gridz": "5"}, "did you mean grids"),
        ({"reserve": "0.9"}, "the most is 0.5"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_and_changes_nothing(changes: dict[str, str], says: str) -> None:
    hand = Hand(*bot_of(FOUR_CELLS)).started()
    hand.price("10500")
    hand.fill("open-0")
    before = hand.state
    step = edit(hand, **changes)
    assert any(part in step.note for part in says.split("|")), step.note
    assert step.commands == ()
    assert hand.state == before


def test_an_edit_during_the_opening_is_refused() -> None:
    hand = Hand(*bot_of(FOUR_CELLS, FREE)).started()
    hand.price("10500")
    assert "under way; try again" in edit(hand, grids="5").note


def test_an_edit_of_a_bot_that_ends_is_refused() -> None:
    hand = running({**FOUR_CELLS, "stop_loss": "7500"})
    hand.price("7500")
    assert "the bot is ending" in edit(hand, grids="5").note


EDITS = st.fixed_dictionaries(
    {
        "lower": st.integers(70, 95).map(lambda n: str(n * 100)),
        "upper": st.integers(105, 140).map(lambda n: str(n * 100)),
        "grids": st.integers(2, 12).map(str),
        "spacing": st.sampled_from(["arithmetic", "geometric"]),
    }
)


@given(st.lists(st.tuples(EDITS, st.integers(0, 5), st.integers(1, 9)), min_size=1, max_size=5))
def test_no_edit_makes_or_loses_a_coin_or_a_cent(edits: list[tuple[dict[str, str], int, int]]) -> None:
    hand = running()
    for changes, which, part in edits:
        before, cost, ledger = inventory(hand), worth(hand), hand.state.ledger
        edit(hand, **changes)
        assert inventory(hand) == before == ledger.base
        assert worth(hand) == cost
        assert hand.state.ledger.quote == ledger.quote
        settle(hand)
        cells = [slot.rpartition("-")[0] for slot in hand.state.standing]
        assert len(cells) == len(set(cells))
        assert hand.state.ledger.held_base <= hand.state.ledger.base
        assert hand.state.ledger.held_quote <= hand.state.ledger.quote
        orders = sorted(hand.state.standing.values(), key=lambda order: order.slot)
        if orders:
            order = orders[which % len(orders)]
            quantity = FREE.quantity(order.remaining * part / 9) or order.remaining
            hand.tell(hand.filled(order, quantity))
            settle(hand)
            assert inventory(hand) == hand.state.ledger.base


def test_a_fill_of_an_order_whose_cell_an_edit_took_away_joins_the_pool() -> None:
    hand = running()
    order = hand.order("0-0b")
    edit(hand, lower="9000", upper="12000", grids="3")
    late: Filled = hand.filled(order)
    hand.tell(late)
    assert inventory(hand) == hand.state.ledger.base
    assert hand.state.memory.pool.base == order.quantity
