"""Laws that hold for every strategy on signals, on every tape, whatever is filled, late or in parts."""

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.backtesting.tapes import Tape
from autogrid.storage.codecs import read_any, write_any
from autogrid.trading.event import CandleClosed, Event, Filled, SignalCame
from autogrid.trading.money import UNIT, ZERO
from autogrid.trading.order import OPEN
from autogrid.trading.plan import Place
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.signals.held import Positions
from autogrid.trading.strategies.strategy import AnyStrategy
from tests.builders import MINUTE_MS
from tests.trading.made_up import SEEDS
from tests.trading.made_up_signals import ON_CANDLES, MadeUp, cut, made_up, watch, with_other_future
from tests.trading.test_laws import (
    LATENCIES,
    MARKS,
    PARTICIPATIONS,
    books_close,
    orders_of,
    parts_of,
    rows_of,
    same_orders,
    stands_as_wanted,
)

D = Decimal
NAMES = st.sampled_from([("ppp_vishva",), ("sma_cross",), ("rsi",), ("signal",)])


def positions_of(state: BotState) -> Positions:
    positions = state.memory.positions
    assert isinstance(positions, Positions)
    return positions


def coins_are_somewhere(before: BotState, step: Step) -> None:
    """All base of the ledger lies in an entry or in the left-over pool; and so does what it cost."""
    positions, ledger = positions_of(step.state), step.state.ledger
    base, cost = positions.pool
    for entry in positions.entries:
        base += entry.rest + entry.received
        cost += entry.cost - entry.earned + entry.paid
    assert ledger.base == base
    assert cost - positions.profit == ledger.paid + ledger.fee_quote + ledger.fee_value - ledger.earned


def entries_are_in_order(before: BotState, step: Step) -> None:
    """Numbers rise, stops lie below their entries and targets above, and each entry wants one order at a time."""
    positions = positions_of(step.state)
    numbers = [entry.number for entry in positions.entries]
    assert numbers == sorted(set(numbers))
    assert all(number <= positions.given for number in numbers)
    for entry in positions.entries:
        assert not entry.stop or entry.stop < entry.price
        assert not entry.target or entry.target > entry.price
        assert entry.line >= entry.stop
        assert entry.phase != "open" or entry.rest > 0
    standing = step.state.standing
    assert all(order.status in OPEN for order in standing.values())
    live = [slot.partition("-")[0] for slot, order in standing.items() if not order.cancel_asked]
    assert len(live) == len(set(live))


def within_its_funds(before: BotState, step: Step) -> None:
    """It never spends or sells what it has not."""
    ledger = step.state.ledger
    assert ledger.quote >= 0
    assert ledger.base >= 0


LAWS = (books_close, coins_are_somewhere, entries_are_in_order, within_its_funds, stands_as_wanted)


def all_of_it(before: BotState, step: Step) -> None:
    """A purchase may fill dearer than it was decided, at the end of a jump; it is then refused, or another one is."""
    for law in LAWS:
        law(before, step)
    assert ZERO <= step.state.ledger.held_base <= step.state.ledger.base


@given(SEEDS, NAMES)
def test_every_step_keeps_the_books_closed_and_the_coins_accounted_for(seed: int, names: tuple[str, ...]) -> None:
    watch(made_up(seed, names=names), all_of_it)


@given(SEEDS, NAMES, PARTICIPATIONS)
def test_orders_that_fill_in_parts_keep_the_books_closed(
    seed: int, names: tuple[str, ...], participation: Decimal
) -> None:
    watch(made_up(seed, names=names, participation=participation), all_of_it)


@given(SEEDS, NAMES, LATENCIES)
def test_commands_under_way_keep_the_books_closed(seed: int, names: tuple[str, ...], latency_ms: int) -> None:
    watch(made_up(seed, names=names, latency_ms=latency_ms), all_of_it)


@given(SEEDS, NAMES, LATENCIES, PARTICIPATIONS)
def test_parts_and_latency_together_keep_the_books_closed(
    seed: int, names: tuple[str, ...], latency_ms: int, participation: Decimal
) -> None:
    watch(made_up(seed, names=names, latency_ms=latency_ms, participation=participation), all_of_it)


@given(SEEDS, st.sampled_from(ON_CANDLES))
def test_the_plain_walk_and_the_skip_write_equal_journals(seed: int, name: str) -> None:
    made = made_up(seed, names=(name,))
    skipped, plain = watch(made, skip=True), watch(made, skip=False)
    assert rows_of(plain[1]) == rows_of(skipped[1])
    assert plain[0].ledger == skipped[0].ledger
    assert plain[0].memory == skipped[0].memory


@given(SEEDS, st.sampled_from(ON_CANDLES), st.integers(60, 400))
def test_neither_the_end_nor_another_future_changes_what_was_decided_before(seed: int, name: str, candles: int) -> None:
    made = made_up(seed, names=(name,))
    until_ms = made.tape.times.item(candles - 1) + MINUTE_MS
    whole = rows_before(made.tape, made, until_ms)
    assert rows_before(cut(made.tape, candles), made, until_ms) == whole
    assert rows_before(with_other_future(made.tape, candles, seed + 1), made, until_ms) == whole


def rows_before(tape: Tape, made: MadeUp, until_ms: int) -> list[object]:
    """What the journal says of the time before."""
    _, kept = watch(made, tape=tape)
    return list(rows_of([one for one in kept if one[1].event.at_ms < until_ms]))


@given(SEEDS, NAMES)
def test_the_state_is_the_fold_of_the_journal_and_every_memory_can_be_kept(seed: int, names: tuple[str, ...]) -> None:
    made = made_up(seed, names=names)
    last, kept = watch(made)
    state = made.state
    for number, (before, step) in enumerate(kept):
        state = marked(state, before)
        again = made.bot.step(state, step.event)
        assert again.commands == step.commands
        state = again.state
        if number % 50 == 0 or step.commands:
            memory = read_any(write_any(state.memory), rebuild)
            assert memory == state.memory
            state = state._replace(memory=memory)
    for name, ours, theirs in zip(BotState._fields, state, last, strict=True):
        assert name in MARKS or ours == theirs, name


def marked(state: BotState, before: BotState) -> BotState:
    """`state` with what ticks that are not journalled had moved: each row of a journal keeps it."""
    return state._replace(price=before.price, at_ms=before.at_ms)


def rebuild(name: str, config: object) -> AnyStrategy:
    raise AssertionError("a memory holds no strategy")


@given(SEEDS, st.sampled_from(ON_CANDLES))
def test_fills_cut_into_any_parts_lead_to_the_same_ledger_and_memory(seed: int, name: str) -> None:
    made, chance = made_up(seed, names=(name,)), random.Random(seed)
    _, kept = watch(made)
    orders = orders_of(kept)
    state = made.state
    for before, step in kept:
        state = marked(state, before)
        events: list[Event] = [step.event]
        if isinstance(step.event, Filled):
            events = list(parts_of(step.event, orders[step.event.order_id], made.bot.market, chance))
        commands: list[object] = []
        for event in events:
            found = made.bot.step(state, event)
            commands += found.commands
            state = found.state
        assert tuple(commands) == step.commands
        assert state.memory == step.state.memory
        assert same_orders(state, step.state)
        assert abs(state.ledger.cost - step.state.ledger.cost) <= UNIT * 4 * len(kept)
        assert state.ledger._replace(cost=ZERO) == step.state.ledger._replace(cost=ZERO)


@given(SEEDS)
def test_an_alert_that_comes_again_changes_nothing(seed: int) -> None:
    _, kept = watch(made_up(seed, names=("signal",)))
    told: list[SignalCame] = []
    for _, step in kept:
        if isinstance(step.event, SignalCame):
            told.append(step.event)
            again = step.state.strategy.signalled(step.state.memory, step.event, None)  # type: ignore[arg-type]
            assert again is step.state.memory
    ids = [alert.signal_id for alert in told]
    assert len(set(ids)) <= len(ids)


@pytest.mark.parametrize("name", ["ppp_vishva", "sma_cross", "rsi", "signal"])
def test_the_runs_of_these_laws_trade_in_every_way(name: str) -> None:
    outs, ins, targets, jumps = 0, 0, 0, 0
    for seed in range(40):
        _, kept = watch(made_up(seed, names=(name,)))
        orders = orders_of(kept)
        for _, step in kept:
            if isinstance(step.event, Filled):
                slot = orders[step.event.order_id].slot
                ins += slot.endswith("in")
                outs += slot.endswith("out")
                targets += slot.endswith("target")
            places = [command for command in step.commands if isinstance(command, Place)]
            assert all(place.why for place in places)
            jumps += isinstance(step.event, CandleClosed) and bool(places)
    assert ins > 40
    assert outs > 20
    assert targets > 10
    assert jumps > 20 or name == "signal"
