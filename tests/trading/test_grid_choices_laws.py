"""Laws that hold for every grid with trailing, infinity, reverse, reinvesting and its own stops, on every tape."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.trading.event import Filled, FundsAsked, Rejected
from autogrid.trading.plan import Place
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.fields import UnableToConfigure
from tests.trading.made_up import SEEDS, watch
from tests.trading.made_up_grids import (
    WAYS,
    all_of_it,
    coins_are_somewhere,
    made_up_grid,
    memory_of,
    unchecked_grid,
    watch_asking,
)
from tests.trading.test_laws import MARKS, books_close, one_order_a_cell, rows_of, stands_as_wanted

D = Decimal
ANY_WAY = st.sampled_from(WAYS)
LATENCIES = st.sampled_from([1, 7_000, 150_000])


@given(SEEDS, ANY_WAY)
def test_every_step_keeps_the_books_closed_and_the_orders_as_wanted(seed: int, way: str) -> None:
    watch(made_up_grid(seed, way), all_of_it)


@given(SEEDS, ANY_WAY, st.sampled_from([D("0.01"), D("0.1")]))
def test_so_it_is_when_orders_fill_in_parts(seed: int, way: str, participation: Decimal) -> None:
    watch(made_up_grid(seed, way, participation=participation), all_of_it)


def without_funds(before: BotState, step: Step) -> None:
    """An order under way may find the funds gone; the exchange then refuses it."""
    assert step.state.ledger.quote >= 0
    for law in (books_close, coins_are_somewhere, one_order_a_cell, stands_as_wanted):
        law(before, step)


@given(SEEDS, ANY_WAY, LATENCIES)
def test_so_it_is_when_commands_are_under_way_for_a_while(seed: int, way: str, latency_ms: int) -> None:
    watch(made_up_grid(seed, way, latency_ms=latency_ms), without_funds)


@given(SEEDS, ANY_WAY)
def test_so_it_is_while_the_user_gives_and_takes_funds_and_edits(seed: int, way: str) -> None:
    watch_asking(made_up_grid(seed, way), all_of_it, seed)


@given(SEEDS, ANY_WAY)
def test_the_plain_walk_and_the_skip_write_equal_journals(seed: int, way: str) -> None:
    made = made_up_grid(seed, way)
    skipped, plain = watch(made, skip=True), watch(made, skip=False)
    assert rows_of(plain[1]) == rows_of(skipped[1])
    assert plain[0].ledger == skipped[0].ledger
    assert plain[0].memory == skipped[0].memory


@given(SEEDS, ANY_WAY)
def test_the_state_is_the_fold_of_the_journal(seed: int, way: str) -> None:
    made = made_up_grid(seed, way)
    last, kept = watch(made)
    state = made.state
    for before, step in kept:
        for name, earlier, later in zip(BotState._fields, state, before, strict=True):
            assert name in MARKS or earlier == later, name
        again = made.bot.step(state, step.event)
        assert again.commands == step.commands
        state = again.state
    for name, ours, theirs in zip(BotState._fields, state, last, strict=True):
        assert name in MARKS or ours == theirs, name


@given(SEEDS)
def test_trailing_up_sends_no_market_order_and_names_no_slot_twice(seed: int) -> None:
    _, kept = watch(made_up_grid(seed, "trailing"))
    orders = [command for _, step in kept for command in step.commands if isinstance(command, Place)]
    slots = [command.order.slot for command in orders]
    tried = {order.order.slot for order in orders if order.order.kind == "market"}
    again = {slot for slot in slots if slots.count(slot) > 1}
    refused = {step.event.order_id.split("-", 2)[2] for _, step in kept if isinstance(step.event, Rejected)}
    assert again <= refused | tried
    moved = [command for command in orders if command.order.kind == "market"]
    assert all(command.order.slot.startswith(("open-", "exit-")) for command in moved)


@given(SEEDS)
def test_a_trailing_range_has_whole_neighbouring_cells_and_its_lines_lie_where_they_should(seed: int) -> None:
    def neighbours(before: BotState, step: Step) -> None:
        cells = list(memory_of(step.state).cells.values())
        floors = [cell.floor for cell in cells]
        assert floors == sorted(set(floors))
        assert all(low.roof <= high.floor for low, high in pairwise(cells))
        assert len({cell.name for cell in cells}) == len(cells)

    watch(made_up_grid(seed, "trailing"), neighbours)


@given(SEEDS)
def test_a_reverse_grid_never_sells_what_it_gained(seed: int) -> None:
    def gain_stays(before: BotState, step: Step) -> None:
        if memory_of(step.state).stage != "running":
            return
        now = memory_of(step.state).extras.store.base
        orders = [order for order in step.state.standing.values() if order.side == "sell"]
        assert step.state.ledger.base - sum((order.remaining for order in orders), D(0)) >= now - D("1e-30")

    watch(made_up_grid(seed, "reverse"), gain_stays)


@pytest.mark.parametrize("way", WAYS)
def test_the_runs_of_these_laws_do_what_they_are_about(way: str) -> None:
    fills = moved = kept_aside = grown = 0
    whys: set[str] = set()
    for seed in range(60):
        try:
            made = unchecked_grid(seed, way)
        except UnableToConfigure:
            continue
        last, kept = watch(made)
        extras = memory_of(last).extras
        fills += sum(isinstance(step.event, Filled) for _, step in kept)
        moved += extras.low != 0 or extras.high != 0
        kept_aside += extras.store.base > 0
        grown += bool(extras.growth)
        whys.add(last.ended_why[:10])
    assert fills > 300
    assert moved > 10 or way not in ("trailing", "infinity")
    assert kept_aside > 10 or way not in ("infinity", "reverse")
    assert grown > 10 or way != "reinvest"
    assert {"total prof", "total loss"} <= whys or way != "stops"


def test_the_users_of_these_laws_are_heard() -> None:
    taken, edited = 0, 0
    for seed in range(25):
        try:
            kept = watch_asking(unchecked_grid(seed, "trailing"), all_of_it, seed)
        except UnableToConfigure:
            continue
        taken += sum(isinstance(step.event, FundsAsked) and not step.note for _, step in kept)
        edited += sum(type(step.event).__name__ == "EditAsked" and not step.note for _, step in kept)
    assert taken > 10
    assert edited > 5
