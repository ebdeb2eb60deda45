"""Laws that hold for every grid on every tape, whatever happens in between."""

import random
from decimal import ROUND_UP, Decimal
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.services.backtests import Walk
from autogrid.trading.event import Accepted, Cancelled, Event, Expired, Filled, Rejected, Tick
from autogrid.trading.ledger import held_base, held_quote
from autogrid.trading.market import Market, ThirdAsset
from autogrid.trading.money import UNIT, ZERO
from autogrid.trading.order import OPEN, Order
from autogrid.trading.plan import Command, Place, plan
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid.memory import GridMemory
from autogrid.trading.strategies.strategy import View
from tests.builders import FOUR_CELLS, play, tape_of
from tests.trading.made_up import SEEDS, Kept, made_up, unchecked, watch

D = Decimal

MARKS: Final = frozenset({"price", "at_ms", "risk", "bounds", "retry_ms", "refused", "backoffs"})
"""What a tick that is not journalled may move: all of it is written with the next event."""

LATENCIES = st.sampled_from([1, 999, 7_000, 60_000, 150_000])
PARTICIPATIONS = st.sampled_from([D("0.01"), D("0.1"), D(1)])


# ---------------------------------------------------------------- money


def books_close(before: BotState, step: Step) -> None:
    """The ledger's two sums, and what orders hold."""
    ledger, state = step.state.ledger, step.state
    assert ledger.base == ledger.funded_base + ledger.bought - ledger.sold - ledger.fee_base
    assert ledger.quote == ledger.funded_quote + ledger.earned - ledger.paid - ledger.fee_quote
    market = state.strategy.market
    assert ledger.held_quote == sum((held_quote(order, market) for order in state.standing.values()), ZERO)
    assert ledger.held_base == sum((held_base(order) for order in state.standing.values()), ZERO)


def nothing_is_owed(before: BotState, step: Step) -> None:
    """No balance below zero, and no more held than owned."""
    ledger = step.state.ledger
    assert ledger.quote >= 0
    assert ledger.base >= 0
    assert ZERO <= ledger.held_base <= ledger.base
    assert ledger.held_quote >= 0
    assert ledger.held_quote <= ledger.quote


def coins_are_somewhere(before: BotState, step: Step) -> None:
    """All base of the ledger lies in a cell, in the left-over pool, or in the opening; and so does what it cost."""
    memory, ledger = step.state.memory, step.state.ledger
    assert isinstance(memory, GridMemory)
    if memory.stage not in ("opening", "running"):
        return
    base, cost = memory.pool
    for cell in memory.cells.values():
        base += cell.stock - cell.sold + cell.received
        cost += cell.cost - cell.earned + cell.paid
    opening = memory.opening
    if memory.stage == "opening":
        base, cost = base + opening.received, cost + opening.paid
    own = opening.wanted if ledger.funded_base else ZERO
    assert ledger.base == base + ledger.funded_base - own
    value = own * (memory.start_price or ZERO)
    spent = ledger.paid + ledger.fee_quote + ledger.fee_value - ledger.earned + value
    assert cost - memory.profit == spent


def one_order_a_cell(before: BotState, step: Step) -> None:
    """At most one order in a slot, and at most one for a cell."""
    standing = step.state.standing
    assert all(order.slot == slot and order.status in OPEN for slot, order in standing.items())
    cells = [slot.rpartition("-")[0] for slot in standing]
    assert len(cells) == len(set(cells))


def stands_as_wanted(before: BotState, step: Step) -> None:
    """The short cut of a fill and the whole plan lead to the same: nothing is left to be done."""
    state, at_ms = step.state, step.event.at_ms
    if state.price is None or state.ended_why or state.bounds is None:
        return
    market = state.strategy.market
    view = View(at_ms, state.price, market, state.ledger, standing=state.standing)
    wish = state.strategy.targets(state.memory, view)
    cancel, place = plan(wish.targets, state.standing, {}, at_ms)
    excused = {one.slot for one in state.refused} | set(state.backoffs)
    assert not cancel
    assert not [target for target in place if target.slot not in excused]


def all_of_it(before: BotState, step: Step) -> None:
    for law in (books_close, nothing_is_owed, coins_are_somewhere, one_order_a_cell, stands_as_wanted):
        law(before, step)


def slipped(before: BotState, step: Step) -> None:
    """An opening may fill dearer than it was decided; until the exchange refuses them, buys are out without funds."""
    assert step.state.ledger.quote >= 0
    for law in (books_close, coins_are_somewhere, one_order_a_cell, stands_as_wanted):
        law(before, step)


@given(SEEDS)
def test_every_step_of_every_run_keeps_the_books_closed_and_the_orders_as_wanted(seed: int) -> None:
    watch(made_up(seed), all_of_it)


@given(SEEDS)
def test_an_opening_that_slipped_beyond_the_funds_keeps_the_books_closed(seed: int) -> None:
    last, kept = watch(made_up(seed, funds_short=True), slipped)
    nothing_is_owed(last, kept[-1][1])


@given(SEEDS, PARTICIPATIONS)
def test_runs_in_which_orders_fill_in_parts_keep_the_books_closed(seed: int, participation: Decimal) -> None:
    watch(made_up(seed, participation=participation), all_of_it)


@given(SEEDS, LATENCIES)
def test_runs_in_which_commands_are_under_way_for_a_while_keep_the_books_closed(seed: int, latency_ms: int) -> None:
    watch(made_up(seed, latency_ms=latency_ms), slipped)


@given(SEEDS, LATENCIES, PARTICIPATIONS)
def test_runs_with_parts_and_latency_together_keep_the_books_closed(
    seed: int, latency_ms: int, participation: Decimal
) -> None:
    watch(made_up(seed, latency_ms=latency_ms, participation=participation), slipped)


def without_the_plan(before: BotState, step: Step) -> None:
    """With breakers an order that is wanted may be held back or taken away for a time."""
    for law in (books_close, nothing_is_owed, coins_are_somewhere, one_order_a_cell):
        law(before, step)


@given(SEEDS)
def test_runs_with_breakers_keep_the_books_closed(seed: int) -> None:
    watch(made_up(seed, breakers=True), without_the_plan)


@given(SEEDS)
def test_the_fills_alone_explain_every_balance(seed: int) -> None:
    made = made_up(seed)
    last, kept = watch(made)
    quote, base = made.job.investment, made.job.own_base
    fees: dict[str, Decimal] = {}
    orders = orders_of(kept)
    for fill in (step.event for _, step in kept if isinstance(step.event, Filled)):
        sign = 1 if orders[fill.order_id].side == "buy" else -1
        base += sign * fill.quantity
        quote -= sign * fill.quantity * fill.price
        fees[fill.fee_asset] = fees.get(fill.fee_asset, ZERO) + fill.fee
    assert last.ledger.base == base - fees.get("BASE", ZERO)
    assert last.ledger.quote == quote - fees.get("QUOTE", ZERO)
    told = {asset: fee for asset, fee in last.ledger.fees(made.bot.market).items() if fee}
    assert told == {asset: fee for asset, fee in fees.items() if fee}


def orders_of(kept: list[Kept]) -> dict[str, Order]:
    """All that were placed, by id."""
    return {c.order.id: c.order for _, step in kept for c in step.commands if isinstance(c, Place)}


# ---------------------------------------------------------------- journals


def rows_of(kept: list[Kept]) -> list[tuple[object, ...]]:
    """What a journal says, row by row; a tick's price is where it was noticed, not what came of it."""
    return [
        (step.event, step.commands, step.refused, step.note, step.state.ledger, step.state.memory) for _, step in kept
    ]


@given(SEEDS)
def test_the_plain_walk_and_the_skip_write_equal_journals(seed: int) -> None:
    made = made_up(seed)
    skipped, plain = watch(made, skip=True), watch(made, skip=False)
    assert rows_of(plain[1]) == rows_of(skipped[1])
    assert plain[0].ledger == skipped[0].ledger
    assert plain[0].memory == skipped[0].memory


@given(SEEDS)
def test_the_state_is_the_fold_of_the_journal(seed: int) -> None:
    made = made_up(seed)
    last, kept = watch(made)
    state = made.state
    for _, step in kept:
        again = made.bot.step(state, step.event)
        assert again.commands == step.commands
        state = again.state
    for name, ours, theirs in zip(BotState._fields, state, last, strict=True):
        assert name in MARKS or ours == theirs, name


@given(SEEDS, LATENCIES, st.booleans())
def test_between_two_rows_of_the_journal_only_marks_move(seed: int, latency_ms: int, breakers: bool) -> None:
    made = made_up(seed, latency_ms=latency_ms, breakers=breakers)
    last, kept = watch(made)
    written = made.state
    for before, step in kept:
        for name, earlier, later in zip(BotState._fields, written, before, strict=True):
            assert name in MARKS or earlier == later, name
        assert made.bot.step(before, step.event) == step
        written = step.state
    for name, earlier, later in zip(BotState._fields, written, last, strict=True):
        assert name in MARKS or earlier == later, name


# ---------------------------------------------------------------- parts, late and repeated answers


def parts_of(fill: Filled, order: Order, market: Market, chance: random.Random) -> list[Filled]:
    """`fill`, which filled the whole of its order, cut anywhere on the lot; the fee is cumulative, rounded up."""
    lots = int(fill.quantity / market.lot)
    cuts = sorted({chance.randint(1, lots) for _ in range(chance.randint(0, 4))} | {lots})
    rate = market.maker_fee if fill.maker else market.taker_fee
    charged, done, parts = ZERO, ZERO, []
    for number, cut in enumerate(cuts):
        quantity = cut * market.lot - done
        done += quantity
        in_base = order.side == "buy" and market.fee_in == "received"
        due = (done if in_base else done * fill.price) * rate
        third = market.fee_in if isinstance(market.fee_in, ThirdAsset) else None
        whole = (due / third.price if third else due).quantize(UNIT, ROUND_UP)
        fee, charged = whole - charged, whole
        worth = fee * third.price if third else ZERO
        parts.append(fill._replace(fill_id=f"{fill.fill_id}.{number}", quantity=quantity, fee=fee, fee_value=worth))
    assert charged == fill.fee
    return parts


def same_orders(one: BotState, other: BotState) -> bool:
    """Whether the same stands, whatever the ids of its fills."""
    return {s: o._replace(fill_ids=()) for s, o in one.standing.items()} == {
        s: o._replace(fill_ids=()) for s, o in other.standing.items()
    }


@given(SEEDS)
def test_fills_cut_into_any_parts_lead_to_the_same_ledger_and_memory(seed: int) -> None:
    made, chance = made_up(seed), random.Random(seed)
    _, kept = watch(made)
    orders = orders_of(kept)
    cut = made.state
    for _, step in kept:
        events: list[Event] = [step.event]
        if isinstance(step.event, Filled):
            events = list(parts_of(step.event, orders[step.event.order_id], made.bot.market, chance))
        commands: list[Command] = []
        for event in events:
            found = made.bot.step(cut, event)
            commands += found.commands
            cut = found.state
        assert tuple(commands) == step.commands
        assert cut.memory == step.state.memory
        assert same_orders(cut, step.state)
        gap = abs(cut.ledger.cost - step.state.ledger.cost)
        assert gap <= UNIT * 4 * len(kept)  # the average cost is rounded at each fill
        assert cut.ledger._replace(cost=ZERO) == step.state.ledger._replace(cost=ZERO)


ANSWERS = (Accepted, Rejected, Filled, Cancelled, Expired)


@given(SEEDS, st.sampled_from(["touch", "latency", "parts"]))
def test_an_answer_that_comes_again_at_any_time_changes_nothing(seed: int, how: str) -> None:
    made = made_up(
        seed,
        latency_ms=7_000 if how == "latency" else 0,
        participation=D("0.1") if how == "parts" else None,
    )
    chance = random.Random(seed)
    _, kept = watch(made)
    told: list[Event] = []
    for _, step in kept:
        if isinstance(step.event, ANSWERS):
            told.append(step.event)
        for event in chance.sample(told, min(len(told), 2)):
            again = made.bot.step(step.state, event)
            assert again.state == step.state
            assert again.commands == ()


def test_the_runs_of_these_laws_trade_and_end_in_every_way() -> None:
    whys, fills, jumps = set(), 0, 0
    for seed in range(150):
        try:
            made = unchecked(seed)
        except UnableToConfigure:
            continue
        last, kept = watch(made)
        whys.add(last.ended_why.split(" ")[0])
        fills += sum(isinstance(step.event, Filled) for _, step in kept)
        jumps += sum(isinstance(step.event, Tick) and not step.event.traded for _, step in kept)
    assert fills > 2_000
    assert jumps > 20
    assert {"", "stop-loss", "take-profit", "not"} <= whys


@pytest.mark.parametrize("kind", ["stop_loss", "take_profit", "trigger_price"])
@pytest.mark.parametrize("how", ["plain", "breakers"])
def test_a_stop_inside_a_candle_fills_at_its_price_however_the_tape_is_walked(kind: str, how: str) -> None:
    """A candle from 10,500 down to 6,000, up to 14,000 and back passes 7,000 and 13,000 on its way."""
    price = {"stop_loss": "7000", "take_profit": "13000", "trigger_price": "7000"}[kind]
    tape = tape_of([(10_500_00, 10_500_00, 10_500_00, 10_500_00), (10_500_00, 14_000_00, 6_000_00, 11_000_00)])
    config = {**FOUR_CELLS, kind: price}
    skipped = play(config, tape)
    other = play(config, tape, walk=Walk(skip=how != "plain"), breakers=how == "breakers")
    for run in (skipped, other):
        assert D(price) in [row.event.price for row in run.rows if isinstance(row.event, Tick)]
    assert other.last.ended_why == skipped.last.ended_why
    if how == "plain":  # with breakers, a fall of 43 % in a minute rightly holds buys back
        assert [fill.price for fill in other.fills] == [fill.price for fill in skipped.fills]
