"""Laws that hold for every DCA bot on every tape, whatever happens in between."""

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.storage.encoding import decode, encode
from autogrid.testing.check import check_strategy
from autogrid.trading.event import (
    Accepted,
    ActionAsked,
    Cancelled,
    EditAsked,
    Event,
    Expired,
    Filled,
    FundsAsked,
    PauseAsked,
    Rejected,
    ResumeAsked,
    StopAsked,
    Tick,
)
from autogrid.trading.money import UNIT, ZERO
from autogrid.trading.order import OPEN, Order
from autogrid.trading.plan import Command, Place, plan
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.catalogue import entry
from autogrid.trading.strategies.dca.memory import DcaMemory
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.strategy import View
from tests.builders import Hand
from tests.trading.made_up import SEEDS, Kept
from tests.trading.made_up_dca import dca_memory, made_up_dca, unchecked_dca, watch_dca
from tests.trading.test_laws import books_close, nothing_is_owed, parts_of

D = Decimal
HOURLY = {"mode": "accumulate", "amount": "300", "every": "hourly"}
LATENCIES = st.sampled_from([1, 999, 7_000, 60_000, 150_000])
PARTICIPATIONS = st.sampled_from([D("0.01"), D("0.1"), D(1)])


def coins_are_somewhere(before: BotState, step: Step) -> None:
    """All base of the ledger lies in the position or with a purchase under way; and so does what it cost."""
    memory, ledger = dca_memory(step.state), step.state.ledger
    position = memory.position
    base, cost = position.base, position.pool.cost
    if memory.purchase is not None:
        base, cost = base + memory.purchase.received, cost + memory.purchase.paid
    for order in memory.deal.orders if memory.deal is not None else ():
        if order.phase == "resting":
            base, cost = base + order.received, cost + order.paid
    assert ledger.base == base
    spent = ledger.paid + ledger.fee_quote + ledger.fee_value - ledger.earned
    assert cost - memory.profit - position.won - position.earned == spent


def one_order_a_slot(before: BotState, step: Step) -> None:
    """At most one open order in a slot."""
    assert all(order.slot == slot and order.status in OPEN for slot, order in step.state.standing.items())


def stands_as_wanted(before: BotState, step: Step) -> None:
    """Nothing is left to be done."""
    state, at_ms = step.state, step.event.at_ms
    if state.price is None or state.ended_why or state.bounds is None:
        return
    market = state.strategy.market
    wish = state.strategy.targets(state.memory, View(at_ms, state.price, market, state.ledger))
    cancel, place = plan(wish.targets, state.standing, {}, at_ms)
    excused = {one.slot for one in state.refused} | set(state.backoffs)
    assert not cancel
    assert not [target for target in place if target.slot not in excused]


def within_its_funds(before: BotState, step: Step) -> None:
    """What is wanted can be paid for, and nothing was refused for want of money."""
    state = step.state
    assert not [one for one in step.refused if one.rule == "funds"]
    if state.price is None or state.ended_why:
        return
    market = state.strategy.market
    wish = state.strategy.targets(state.memory, View(state.at_ms, state.price, market, state.ledger))
    wanted = [target for target in wish.targets.values() if target.side == "buy"]
    assert sum((market.needed(target.price * target.quantity) for target in wanted), ZERO) <= state.ledger.quote


def with_delay(before: BotState, step: Step) -> None:
    for law in (books_close, nothing_is_owed, coins_are_somewhere, one_order_a_slot, stands_as_wanted):
        law(before, step)


def all_of_it(before: BotState, step: Step) -> None:
    with_delay(before, step)
    within_its_funds(before, step)


@given(SEEDS)
def test_every_step_of_every_run_keeps_the_books_closed_and_plans_within_its_funds(seed: int) -> None:
    watch_dca(made_up_dca(seed), all_of_it)


@given(SEEDS, PARTICIPATIONS)
def test_runs_in_which_orders_fill_in_parts_keep_the_books_closed(seed: int, participation: Decimal) -> None:
    watch_dca(made_up_dca(seed, participation=participation), with_delay)


@given(SEEDS, LATENCIES)
def test_runs_in_which_commands_are_under_way_for_a_while_keep_the_books_closed(seed: int, latency_ms: int) -> None:
    watch_dca(made_up_dca(seed, latency_ms=latency_ms), with_delay)


@given(SEEDS, LATENCIES, PARTICIPATIONS)
def test_runs_with_parts_and_latency_together_keep_the_books_closed(
    seed: int, latency_ms: int, participation: Decimal
) -> None:
    watch_dca(made_up_dca(seed, latency_ms=latency_ms, participation=participation), with_delay)


def rows_of(kept: list[Kept]) -> list[tuple[object, ...]]:
    """What a journal says, row by row."""
    return [
        (step.event, step.commands, step.refused, step.note, step.state.ledger, step.state.memory) for _, step in kept
    ]


@given(SEEDS)
def test_the_plain_walk_and_the_skip_write_equal_journals(seed: int) -> None:
    made = made_up_dca(seed)
    skipped, plain = watch_dca(made, skip=True), watch_dca(made, skip=False)
    assert rows_of(plain[1]) == rows_of(skipped[1])
    assert plain[0].ledger == skipped[0].ledger
    assert plain[0].memory == skipped[0].memory


@given(SEEDS)
def test_the_state_is_the_fold_of_the_journal(seed: int) -> None:
    made = made_up_dca(seed)
    last, kept = watch_dca(made)
    state = made.state
    for _, step in kept:
        again = made.bot.step(state, step.event)
        assert again.commands == step.commands
        state = again.state
    assert state.memory == last.memory
    assert state.ledger == last.ledger


@given(SEEDS)
def test_what_it_remembers_can_be_kept_and_read_again(seed: int) -> None:
    last, kept = watch_dca(made_up_dca(seed))
    for memory in {
        id(step.state.memory): dca_memory(step.state) for _, step in kept[:: max(1, len(kept) // 20)]
    }.values():
        assert decode(DcaMemory, encode(memory)) == memory
    assert decode(DcaMemory, encode(last.memory)) == last.memory


@given(SEEDS)
def test_fills_cut_into_any_parts_lead_to_the_same_ledger_and_memory(seed: int) -> None:
    made, chance = made_up_dca(seed), random.Random(seed)
    _, kept = watch_dca(made)
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
        gap = abs(cut.ledger.cost - step.state.ledger.cost)
        assert gap <= UNIT * 4 * len(kept)  # the ledger's average cost is rounded at each fill
        assert cut.ledger._replace(cost=ZERO) == step.state.ledger._replace(cost=ZERO)


def orders_of(kept: list[Kept]) -> dict[str, Order]:
    """All that were placed, by id."""
    return {c.order.id: c.order for _, step in kept for c in step.commands if isinstance(c, Place)}


@given(SEEDS, st.sampled_from(["touch", "latency", "parts"]))
def test_an_answer_that_comes_again_at_any_time_changes_nothing(seed: int, how: str) -> None:
    made = made_up_dca(
        seed,
        latency_ms=7_000 if how == "latency" else 0,
        participation=D("0.1") if how == "parts" else None,
    )
    chance = random.Random(seed)
    _, kept = watch_dca(made)
    told: list[Event] = []
    for _, step in kept:
        if isinstance(step.event, Filled | Cancelled):
            told.append(step.event)
        for event in chance.sample(told, min(len(told), 2)):
            again = made.bot.step(step.state, event)
            assert again.state == step.state
            assert again.commands == ()


@given(SEEDS)
def test_a_deal_is_bought_once_a_slot_and_no_schedule_or_drop_twice(seed: int) -> None:
    made = made_up_dca(seed)
    _, kept = watch_dca(made)
    filled: dict[str, Decimal] = {}
    orders = orders_of(kept)
    for _, step in kept:
        if isinstance(step.event, Filled) and orders[step.event.order_id].side == "buy":
            slot = orders[step.event.order_id].slot
            assert slot not in filled
            filled[slot] = step.event.quantity


def test_the_runs_of_these_laws_trade_and_end_in_every_way() -> None:
    whys, slots, jumps = set(), set(), 0
    for seed in range(250):
        try:
            made = unchecked_dca(seed)
        except UnableToConfigure:
            continue
        _, kept = watch_dca(made)
        orders = orders_of(kept)
        whys |= {dca_memory(step.state).why.split(" ")[0] for _, step in kept}
        slots |= {orders[s.event.order_id].slot.split("-")[1][:1] for _, s in kept if isinstance(s.event, Filled)}
        jumps += sum(isinstance(step.event, Tick) and not step.event.traded for _, step in kept)
    assert {"stop-loss", "trailing", "deal", "all"} <= whys
    assert slots >= {"b", "s", "t", "e"}
    assert jumps > 20


# ---------------------------------------------------------------- an exchange that does what it likes


def _answer(hand: Hand, chance: random.Random) -> None:
    """Anything that an exchange may say next of one of the open orders."""
    order = chance.choice(list(hand.state.standing.values()))
    what = chance.random()
    if order.status == "intended" and what < 0.15 and not order.filled:
        hand.tell(Rejected(hand.at_ms, order.id, "no reason"))
    elif order.status == "intended" and what < 0.5:
        hand.tell(Accepted(hand.at_ms, order.id))
    elif order.cancel_asked and what < 0.5:
        hand.tell(Cancelled(hand.at_ms, order.id))
    elif what < 0.56:
        hand.tell(Expired(hand.at_ms, order.id))
    else:
        lots = int(order.remaining / hand.bot.market.lot)
        part = order.remaining if what < 0.8 else chance.randint(1, lots) * hand.bot.market.lot
        hand.fill(order.slot, part)


def _asks(hand: Hand, chance: random.Random) -> None:
    """Anything that a person may ask."""
    at_ms, what = hand.at_ms, chance.random()
    if what < 0.4:
        hand.tell(ActionAsked(at_ms, "add", D(chance.choice(["20", "300"]))))
    elif what < 0.55:
        hand.tell(ActionAsked(at_ms, "close", None))
    elif what < 0.6:
        hand.tell(ActionAsked(at_ms, chance.choice(["finish", "keep"]), None))
    elif what < 0.75:
        hand.tell(FundsAsked(at_ms, D(chance.choice(["500", "-500"]))))
    elif what < 0.9:
        hand.tell(EditAsked(at_ms, {"take_profit": chance.choice(["0.02", "0.05"])}))
    elif what < 0.95:
        hand.tell(PauseAsked(at_ms, cancel=chance.random() < 0.5))
        hand.tell(ResumeAsked(at_ms))
    else:
        hand.tell(StopAsked(at_ms, sell=chance.random() < 0.7))


@given(SEEDS)
def test_whatever_the_exchange_answers_and_a_person_asks_no_coin_is_lost(seed: int) -> None:
    chance = random.Random(seed)
    made = made_up_dca(seed)
    hand = Hand(made.bot, made.state).started()
    hand.price("100")
    price = 100.0
    for _ in range(150):
        if hand.state.ended_why:
            break
        what = chance.random()
        if what < 0.5 and hand.state.standing:
            _answer(hand, chance)
        elif what < 0.53:
            _asks(hand, chance)
        else:
            price *= 1 + chance.gauss(0, 0.01)
            hand.price(f"{price:.2f}", after_ms=chance.choice([0, 1_000, 60_000, 3_600_000]))
        step = hand.steps[-1]
        for law in (books_close, nothing_is_owed, coins_are_somewhere, one_order_a_slot):
            law(hand.state, step)


# ---------------------------------------------------------------- the laws that a strategy of one's own is held to


@pytest.mark.parametrize(
    "config",
    [
        {"trailing": "0.004", "stop_loss": "0.05"},
        {"targets": "0.005:0.5,0.01:0.5", "break_even": "yes", "stop_loss": "0.03", "cooldown": "0", "reinvest": "yes"},
        {"safety_orders": "0", "stop_loss": "0.01", "deal_timeout": "600"},
        {"start_when": "rsi", "timeframe": "1m", "rsi_below": "45", "rsi_period": "5"},
        {"start_when": "signal"},
        {**HOURLY, "drop": "0.01", "reference": "high", "take_profit": "0.01"},
        {**HOURLY, "catch_up": "skip", "first": "anchor", "budget": "700"},
    ],
)
def test_the_laws_for_strategies_of_ones_own_hold(config: dict[str, str]) -> None:
    check_strategy(entry("dca"), config, seeds=(4,))
