"""Laws of stops that rest at the exchange, for DCA and signal bots on made-up tapes, whatever happens in between."""

import random
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autogrid.trading.bot import Bot
from autogrid.trading.event import Accepted, Cancelled, Event, Expired, Filled, Rejected, SignalCame, Unclear
from autogrid.trading.ledger import opened
from autogrid.trading.market import Stops
from autogrid.trading.money import UNIT, ZERO, Price, Quantity
from autogrid.trading.order import Order, by_its_stop
from autogrid.trading.plan import payable, plan
from autogrid.trading.risk import Limits
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.catalogue import build
from autogrid.trading.strategies.dca import guarded as dca_guarded
from autogrid.trading.strategies.dca.dca import Dca
from autogrid.trading.strategies.dca.exit import sellable
from autogrid.trading.strategies.dca.memory import DcaMemory
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.guard import Guard, limit_of
from autogrid.trading.strategies.signals import guarded as signal_guarded
from autogrid.trading.strategies.signals.held import HeldEntry
from autogrid.trading.strategies.strategy import View
from tests.builders import Hand, market
from tests.trading import made_up_signals
from tests.trading import test_signal_laws as signal_laws
from tests.trading.made_up import SEEDS, Kept
from tests.trading.made_up_dca import dca_memory, made_up_dca, unchecked_dca, watch_dca
from tests.trading.test_dca_laws import coins_are_somewhere, one_order_a_slot
from tests.trading.test_laws import books_close, nothing_is_owed

D = Decimal
STOPS: st.SearchStrategy[Stops] = st.sampled_from(["oco", "stop"])
NAMES = ("ppp_vishva", "sma_cross", "rsi", "signal")


def stands_as_wanted(before: BotState, step: Step) -> None:
    """Nothing is left to be done, but for what waits until coins are free."""
    state, at_ms = step.state, step.event.at_ms
    if state.price is None or state.ended_why or state.bounds is None:
        return
    view = View(at_ms, state.price, state.strategy.market, state.ledger, standing=state.standing)
    wish = state.strategy.targets(state.memory, view)
    cancel, place = plan(wish.targets, state.standing, {}, at_ms)
    excused = {one.slot for one in state.refused} | set(state.backoffs)
    assert not cancel
    place = [target for target in place if target.slot not in excused]
    assert not payable(place, state.standing.values(), state.ledger.free_base)


def sells_hold_what_is_owned(before: BotState, step: Step) -> None:
    """No coin is held twice, and none that is not there; nothing is refused for want of it."""
    state = step.state
    held = sum((order.remaining for order in state.standing.values() if order.side == "sell"), ZERO)
    assert held == state.ledger.held_base <= state.ledger.base
    assert not [one for one in step.refused if one.rule == "funds" and "-in" not in one.slot]


def in_flight(state: BotState) -> bool:
    """Whether an answer of the exchange is awaited, or something could not be placed."""
    orders = state.standing.values()
    waits = any(order.cancel_asked or order.status not in ("working", "partial") for order in orders)
    return waits or bool(state.refused) or bool(state.backoffs)


def uncovered(state: BotState, slots: tuple[str, ...], guard: Guard, coins: Quantity, trigger: Price) -> Quantity:
    """Coins that no stop at the exchange covers, though one could."""
    assert state.price is not None
    orders = [order for slot, order in state.standing.items() if slot.startswith(slots) and order.side == "sell"]
    found = coins
    for order in orders:
        if order.trigger is not None and order.guards:
            assert order.trigger == trigger
            found -= order.remaining
        elif may_rest_alone(state, order, guard):
            found -= order.remaining
    return found


def may_rest_alone(state: BotState, order: Order, guard: Guard) -> bool:
    """A take-profit without a stop: it trades just now, the price is there, or too little is left for a new order."""
    assert state.price is not None
    market = state.strategy.market
    if market.stops == "stop":
        return order.price <= guard.reach
    small = order.remaining < market.least_quantity(order.price * D("0.9"))
    return small or (order.is_take_profit_only and state.at_ms < guard.part_ms) or state.price >= order.price


def deals_are_covered(before: BotState, step: Step) -> None:
    """Whenever nothing is in flight, stops at the exchange cover the position."""
    state = step.state
    if not isinstance(state.memory, DcaMemory) or state.price is None or state.bounds is None or state.ended_why:
        return
    dca, memory = state.strategy, state.memory
    assert isinstance(dca, Dca)
    trigger = dca_guarded.trigger_of(dca.terms, memory)
    if trigger is None or trigger >= state.price or in_flight(state):
        return
    limit = limit_of(trigger, dca.settings.max_slippage, dca.market)
    number = str(memory.number)
    rest = uncovered(
        state, (f"{number}-t", f"{number}-stop"), memory.guard, sellable(memory.position, dca.market), trigger
    )
    assert rest < dca.market.least_quantity(limit)


def entries_are_covered(before: BotState, step: Step) -> None:
    """As `deals_are_covered`, for each entry."""
    state = step.state
    if state.price is None or state.bounds is None or state.ended_why or in_flight(state):
        return
    for entry in state.memory.positions.entries:
        assert isinstance(entry, HeldEntry)
        trigger = signal_guarded.trigger_of(entry, state.strategy.market)
        if trigger is None or trigger >= state.price:
            continue
        slots = (f"{entry.number}-target", f"{entry.number}-stop")
        least = state.strategy.market.least_quantity(limit_of(trigger, entry.terms.slippage, state.strategy.market))
        assert uncovered(state, slots, entry.guard, entry.rest, trigger) < least


LAWS = (books_close, one_order_a_slot, stands_as_wanted, sells_hold_what_is_owned)


OF_ENTRIES = (signal_laws.coins_are_somewhere, signal_laws.entries_are_in_order, signal_laws.within_its_funds)


def of_deals(before: BotState, step: Step) -> None:
    for law in (*LAWS, nothing_is_owed, coins_are_somewhere, deals_are_covered):
        law(before, step)


def of_entries(before: BotState, step: Step) -> None:
    for law in (*LAWS, *OF_ENTRIES, entries_are_covered):
        law(before, step)


def signals_made_up(seed: int, **changes: Any) -> made_up_signals.MadeUp:
    return made_up_signals.made_up(seed, names=NAMES, **changes)


WAYS: dict[str, dict[str, Any]] = {
    "whole": {},
    "in parts": {"participation": D("0.01")},
    "late": {"latency_ms": 7_000},
    "late and in parts": {"latency_ms": 7_000, "participation": D("0.1")},
}


@pytest.mark.parametrize("way", WAYS)
@given(SEEDS, STOPS)
def test_the_stops_of_a_deal_cover_its_coins_and_no_coin_is_held_twice(way: str, seed: int, stops: Stops) -> None:
    watch_dca(made_up_dca(seed, stops=stops, **WAYS[way]), of_deals)


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=25)
@given(SEEDS, STOPS)
def test_the_stops_of_entries_cover_their_coins_and_no_coin_is_held_twice(way: str, seed: int, stops: Stops) -> None:
    made_up_signals.watch(signals_made_up(seed, stops=stops, **WAYS[way]), of_entries)


def rows_of(kept: list[Kept]) -> list[tuple[object, ...]]:
    return [
        (step.event, step.commands, step.refused, step.note, step.state.ledger, step.state.memory) for _, step in kept
    ]


@given(SEEDS, STOPS)
def test_the_plain_walk_and_the_skip_write_equal_journals_of_deals(seed: int, stops: Stops) -> None:
    made = made_up_dca(seed, stops=stops)
    skipped, plain = watch_dca(made, skip=True), watch_dca(made, skip=False)
    assert rows_of(plain[1]) == rows_of(skipped[1])
    assert plain[0].ledger == skipped[0].ledger


@settings(max_examples=25)
@given(SEEDS, STOPS)
def test_the_plain_walk_and_the_skip_write_equal_journals_of_entries(seed: int, stops: Stops) -> None:
    made = signals_made_up(seed, stops=stops)
    skipped, plain = made_up_signals.watch(made, skip=True), made_up_signals.watch(made, skip=False)
    assert rows_of(plain[1]) == rows_of(skipped[1])


@given(SEEDS, STOPS)
def test_the_state_is_the_fold_of_the_journal(seed: int, stops: Stops) -> None:
    made = made_up_dca(seed, stops=stops)
    last, kept = watch_dca(made)
    state = made.state
    for _, step in kept:
        again = made.bot.step(state, step.event)
        assert again.commands == step.commands
        state = again.state
    assert state.memory == last.memory
    assert state.ledger == last.ledger


def test_the_runs_of_these_laws_sell_by_stops_and_beside_them() -> None:
    by_stop: set[str] = set()
    slots: set[str] = set()
    for seed in range(60):
        for stops in ("oco", "stop"):
            try:
                made = unchecked_dca(seed, stops=stops)
            except UnableToConfigure:
                continue
            _, kept = watch_dca(made)
            for before, step in kept:
                if isinstance(step.event, Filled):
                    order = next(o for o in before.standing.values() if o.id == step.event.order_id)
                    slots.add(f"{stops} {order.slot.split('-')[1][:1]}")
                    if by_its_stop(order, step.event):
                        by_stop.add(f"{order.kind} {dca_memory(step.state).stage}")
    assert {"oco exiting", "stop exiting"} <= by_stop
    assert {"oco t", "stop t", "oco e", "stop s", "stop e"} <= slots


# ---------------------------------------------------------------- an exchange that does what it likes


def _answers(hand: Hand, chance: random.Random) -> None:
    """Anything that an exchange may say next of one of the open orders."""
    order = chance.choice(list(hand.state.standing.values()))
    what = chance.random()
    if order.status == "intended" and what < 0.1 and not order.filled:
        event: Event = Rejected(hand.at_ms, order.id, "no reason")
    elif order.status == "intended" and what < 0.2:
        event = Unclear(hand.at_ms, order.id)
    elif order.status in ("intended", "unclear") and what < 0.8:
        event = Accepted(hand.at_ms, order.id, "77")
    elif order.cancel_asked and what < 0.6:
        event = Cancelled(hand.at_ms, order.id)
    elif what < 0.85:
        event = Expired(hand.at_ms, order.id)
    else:
        lots = int(order.remaining / hand.bot.market.lot)
        part = order.remaining if chance.random() < 0.5 else chance.randint(1, lots) * hand.bot.market.lot
        by_stop = order.kind == "oco" and not order.is_take_profit_only and (order.filled > 0 or chance.random() < 0.5)
        event = hand.filled(order, part, order.stop_price if by_stop else None)
    hand.tell(event)


@pytest.mark.parametrize("stops", ["oco", "stop"])
@given(SEEDS)
def test_whatever_the_exchange_answers_no_coin_of_an_entry_is_lost_or_held_twice(stops: Stops, seed: int) -> None:
    chance = random.Random(seed)
    on = market(stops=stops)
    config = {
        "size": "0.3",
        "max_entries": "3",
        "stop_loss": chance.choice(["0.01", "0.02"]),
        "take_profit": chance.choice(["none", "0.01", "0.02"]),
    }
    bot = Bot(on, Limits(D(10_000), breakers=False))
    hand = Hand(bot, bot.start(build("signal", config, on, D(10_000)), opened(D(10_000)))).started()
    hand.price("100")
    price = 100.0
    for number in range(150):
        what = chance.random()
        if what < 0.6 and hand.state.standing:
            _answers(hand, chance)
        elif what < 0.7:
            action: Literal["enter", "leave"] = chance.choice(["enter", "enter", "leave"])
            hand.tell(SignalCame(hand.at_ms, f"s{number}", action, None))
        else:
            price *= 1 + chance.gauss(0, 0.006)
            hand.price(f"{price:.2f}", after_ms=chance.choice([0, 1_000, 6_000, 60_000]))
        step = hand.steps[-1]
        for law in (books_close, *OF_ENTRIES, entries_are_covered):
            if law is not signal_laws.entries_are_in_order:
                law(hand.state, step)
        assert hand.state.ledger.held_base <= hand.state.ledger.base


@pytest.mark.parametrize("stops", ["oco", "stop"])
@given(SEEDS)
def test_whatever_the_exchange_answers_no_coin_is_lost_or_held_twice(stops: Stops, seed: int) -> None:
    chance = random.Random(seed)
    made = made_up_dca(seed, stops=stops)
    hand = Hand(made.bot, made.state).started()
    hand.price("100")
    price = 100.0
    for _ in range(150):
        if hand.state.ended_why:
            break
        if chance.random() < 0.6 and hand.state.standing:
            _answers(hand, chance)
        else:
            price *= 1 + chance.gauss(0, 0.008)
            hand.price(f"{price:.2f}", after_ms=chance.choice([0, 1_000, 6_000, 60_000]))
        step = hand.steps[-1]
        for law in (books_close, nothing_is_owed, coins_are_somewhere, one_order_a_slot, deals_are_covered):
            law(hand.state, step)
        assert hand.state.ledger.held_base <= hand.state.ledger.base


# ---------------------------------------------------------------- beside the bot's own watch


@given(SEEDS)
def test_over_a_tape_an_oco_leaves_the_same_books_as_the_bots_own_watch(seed: int) -> None:
    """The same coins are sold at the same prices with the same fees, whoever sends the order."""
    there = made_up_dca(seed, stops="oco")
    assume(not there.walk.rules.slippage and "reinvest" not in there.state.strategy.config)
    bot = replace(there.bot, market=replace(there.bot.market, stops="none"))
    dca = Dca(there.state.strategy.config, bot.market, there.state.strategy.investment)
    here = there._replace(bot=bot, state=bot.start(dca, there.state.ledger))
    (last, kept), (same, _) = watch_dca(there), watch_dca(here)
    one, other = last.ledger, same.ledger
    assert (one.bought, one.paid, one.sold, one.earned, one.base) == (
        *(other.bought, other.paid, other.sold, other.earned),
        other.base,
    )
    assert abs(one.quote - other.quote) <= UNIT * len(kept)  # several targets are several orders, each with its fee
    assert dca_memory(last).closed == dca_memory(same).closed
