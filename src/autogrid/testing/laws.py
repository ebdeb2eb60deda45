"""The laws of a strategy that is running, each on one `Case`: what must hold however the world behaves."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Final, TypeAlias

from autogrid.testing.fault import Broken
from autogrid.testing.parts import close, parts_of
from autogrid.testing.pictures import memory_picture
from autogrid.testing.play import Asks, Case, How, Played, play, shown, told
from autogrid.testing.pure import Surroundings, must_read_nothing, twice
from autogrid.testing.steps import Slots, as_wanted, books_close, on_the_grid, within_funds
from autogrid.testing.tapes import other_future
from autogrid.testing.words import must_tell_all
from autogrid.trading.event import (
    ActionAsked,
    EditAsked,
    Event,
    Filled,
    FundsAsked,
    PauseAsked,
    ResumeAsked,
    SignalCame,
    StopAsked,
)
from autogrid.trading.money import text
from autogrid.trading.plan import Place
from autogrid.trading.state import BotState, Step, find
from autogrid.trading.strategies.strategy import Strategy

Law: TypeAlias = Callable[[Case], None]

TENTH: Final = Decimal("0.1")
LATE_MS: Final = 7_000
FEW: Final = 12
"""So many events a strategy has to end in."""
MARKS: Final = frozenset({"price", "at_ms", "risk", "bounds", "retry_ms", "refused", "backoffs"})
"""What a tick that is not kept may move in a state: it is written beside the next event."""


def pure(case: Case) -> None:
    """Asked twice it says the same; nothing but the memory changes; its file reads no clock, chance or outside."""
    strategy = case.build()
    must_read_nothing(strategy)
    around = Surroundings(strategy)
    play(case, plainly(case), strategy=twice(strategy))
    around.must_be_unchanged()


def deterministic(case: Case) -> None:
    """Two runs over the same tape write equal journals."""
    same(play(case, plainly(case)), play(case, plainly(case)), "a second run over the same tape")


def resumable(case: Case) -> None:
    """A run whose state is stored as text and read back after every event goes on as one that is not."""
    stored = play(case, replace(plainly(case), stored=True))
    same(play(case, plainly(case)), stored, "the run that lived on its stored state")


def replayed(case: Case) -> None:
    """The events that were kept, decided again from the start, lead to the same commands and the same state."""
    played = play(case, plainly(case))
    state = played.first
    for number, (before, step) in enumerate(played.rows, 1):
        state = state._replace(**{name: getattr(before, name) for name in MARKS})
        again = played.bot.step(state, step.event)
        if again.commands != step.commands:
            raise Broken(
                f"kept event {number} ({told(step.event)}), decided again, gives {shown(again.commands)}, and gave "
                f"{shown(step.commands)}: it knows what stands neither in its memory nor in the view"
            )
        state = again.state
    for name, ours, theirs in zip(BotState._fields, state, played.last, strict=True):
        if name not in MARKS and ours != theirs:
            raise Broken(f"the kept events lead to another {name}: {shown(ours)} instead of {shown(theirs)}")


def funds(case: Case) -> None:
    """All that it wants can be paid, its slots are kept apart, and what stands is what it wants."""
    slots = Slots(whole=True)

    def see(_: BotState, step: Step) -> None:
        books_close(step.state, case.market)
        within_funds(step, case.market)
        slots.see(step)
        as_wanted(step, case.market)

    play(case, plainly(case), see)


def figures(case: Case) -> None:
    """Prices lie on the tick and quantities on the lot."""
    play(case, plainly(case), lambda _, step: on_the_grid(step, case.market))


def reports(case: Case) -> None:
    """What people see can be told of any memory."""
    must_tell_all(case, plainly(case))


def skip(case: Case) -> None:
    """Between its floor, its roof and its time it wants nothing else: asked or left alone, it decides alike."""
    play(case, How(asked=True, asks=signals(case)))
    same(play(case), play(case, How(skip=True)), "the run that was told nothing between the bounds of its wishes")


def parts(case: Case) -> None:
    """Orders that fill in parts keep the books closed and the orders as wanted."""
    slots = Slots()

    def see(_: BotState, step: Step) -> None:
        books_close(step.state, case.market)
        slots.see(step)
        as_wanted(step, case.market)

    for share in (TENTH, Decimal("0.01")):
        slots = Slots()
        play(case, replace(plainly(case), participation=share), see)


def cuts(case: Case) -> None:
    """A fill that comes in any parts, one after the other, teaches what the whole one does."""
    chance = random.Random(case.seed)  # noqa: S311
    played = play(case, plainly(case))
    for before, step in played.rows:
        order = find(before, step.event.order_id) if isinstance(step.event, Filled) else None
        if order is None or not isinstance(step.event, Filled):
            continue
        state = before
        for part in parts_of(step.event, order, case.market, chance):
            case.seen.append(part)
            state = played.bot.step(state, part).state
        if not close(memory_picture(state.memory), memory_picture(step.state.memory), case.market.tick):
            raise Broken(
                f"{told(step.event)}, cut into parts, teaches\n  {shown(state.memory)}\nand whole it teaches\n  "
                f"{shown(step.state.memory)}"
            )


def late(case: Case) -> None:
    """Commands that are under way for seconds, and market orders that fill worse, keep the books closed."""
    for how in (How(latency_ms=LATE_MS), How(latency_ms=LATE_MS, participation=TENTH), How(slippage=TENTH / 10)):
        slots = Slots()
        play(case, replace(how, asks=signals(case)), partial(_kept_apart, case, slots))


def rough(case: Case) -> None:
    """Refused, dropped and repeated answers, pauses, deposits, withdrawals, actions and signals break nothing."""
    length = len(play(case, plainly(case)).events)
    for number in range(case.many):
        seed = case.seed * 1_000 + number
        asks = _asks(case, seed, length)
        slots = Slots()
        share = TENTH if number % 2 else None
        how = How(rough=seed, asks=asks, stored=number == 0, participation=share)
        play(case, how, partial(_kept_apart, case, slots))


def stop(case: Case) -> None:
    """Stopped at any point it ends without an order, and, where it is to sell, without base."""
    for share in (None, TENTH):
        how = replace(plainly(case), participation=share)
        for point in points(case, play(case, how)):
            for sell in (True, False):
                asks: Asks = {**how.asks, point: partial(StopAsked, sell=sell)}
                done = play(case, replace(how, asks=asks), lambda _, step: books_close(step.state, case.market))
                _must_have_ended(case, done, f"stopped with sell={sell} after event {point}", sell=sell)


def pause(case: Case) -> None:
    """Paused it places nothing but an exit; it goes on afterwards, and can be ended."""
    whole = play(case, plainly(case))
    for number, point in enumerate(points(case, whole)):
        later = point + max(2, len(whole.events) // 12)
        asks: Asks = {
            **signals(case),
            point: partial(PauseAsked, cancel=bool(number % 2)),
            later: ResumeAsked,
            later + 3: partial(StopAsked, sell=True),
        }

        def see(before: BotState, step: Step) -> None:
            books_close(step.state, case.market)
            if before.holds.paused and step.state.holds.paused:
                placed = [one for one in step.commands if isinstance(one, Place) and not one.exits]
                if placed:
                    raise Broken(f"paused, and still an order was placed in the slot '{placed[0].order.slot}'")

        done = play(case, How(asks=asks), see)
        _must_have_ended(case, done, f"paused after event {point}, resumed and stopped", sell=True)


def future(case: Case) -> None:
    """Another future changes no decision of the past."""
    cut = len(case.tape) * 2 // 3
    at_ms = case.tape.times.item(cut)
    whole = play(case, plainly(case))
    other = play(replace(case, tape=other_future(case.tape, cut, case.seed)), plainly(case))
    past = [[row for row in one.rows if row[1].event.at_ms < at_ms] for one in (whole, other)]
    _equal(past[0], past[1], "the run over a tape with the same past and another future")


def plainly(case: Case) -> How:
    """A good market, told at every corner; signals for a strategy that listens to them."""
    return How(asks=signals(case))


def signals(case: Case) -> Asks:
    """Signals in and out, now and then, for a strategy that listens to them."""
    if type(case.build()).signalled is Strategy.signalled:
        return {}
    asks: dict[int, Callable[[int], Event]] = {}
    for number in range(60):
        action = "leave" if number % 3 == 2 else "enter"
        asks[20 + 31 * number] = partial(_signal, str(number), action)
    return asks


def points(case: Case, played: Played) -> list[int]:
    """Events after which something is asked: some fills, and some others; none where the tape is nearly over."""
    chance = random.Random(case.seed)  # noqa: S311
    last = len(played.events) * 4 // 5
    fills = [index + 1 for index, event in enumerate(played.events) if type(event) is Filled and index < last]
    others = chance.sample(range(2, max(4, last)), min(case.many, max(4, last) - 2))
    return sorted({*chance.sample(fills, min(case.many, len(fills))), *others})


def same(one: Played, other: Played, what: str) -> None:
    """Raises `Broken` where two runs kept different steps."""
    _equal(one.rows, other.rows, what)


def _equal(ours: Sequence[tuple[BotState, Step]], theirs: Sequence[tuple[BotState, Step]], what: str) -> None:
    names = ("event", "commands", "refused", "note", "ledger", "memory")
    for number, ((_, one), (_, two)) in enumerate(zip(ours, theirs, strict=False), 1):
        for name, first, second in zip(names, _row(one), _row(two), strict=True):
            if first != second:
                raise Broken(
                    f"{what} parts from the plain run at kept event {number} ({told(one.event)}): {name} is\n"
                    f"  {shown(second)}\nand was\n  {shown(first)}"
                )
    if len(ours) != len(theirs):
        longer = ours if len(ours) > len(theirs) else theirs
        number = min(len(ours), len(theirs))
        raise Broken(
            f"{what} keeps {len(theirs)} events and the plain run {len(ours)}; the first beyond is "
            f"{told(longer[number][1].event)}"
        )


def _row(step: Step) -> tuple[object, ...]:
    return step.event, step.commands, step.refused, step.note, step.state.ledger, step.state.memory


def _kept_apart(case: Case, slots: Slots, _: BotState, step: Step) -> None:
    books_close(step.state, case.market)
    slots.see(step)


def _must_have_ended(case: Case, done: Played, how: str, *, sell: bool) -> None:
    last = done.last
    if not last.ended_why and not any(type(event) is StopAsked for event in done.events[:-FEW]):
        return  # the run had fewer events than the one that the point was chosen from: nothing was asked in time
    if last.standing:
        raise Broken(f"{how}, its orders still stand at the end of the tape: {', '.join(last.standing)}")
    if not last.ended_why:
        raise Broken(f"{how}, it has not ended at the end of the tape: after stop(), targets() must give Wish(ended=…)")
    if sell and last.price is not None and last.ledger.base >= case.market.least_quantity(last.price):
        raise Broken(
            f"{how}, it ended and still owns {text(last.ledger.base)} {case.market.base}: coins were forgotten. Sell "
            "what view.ledger.base says"
        )


def _asks(case: Case, seed: int, length: int) -> Asks:
    """What a restless user asks of a run of so many events, and in the end a stop."""
    chance = random.Random(seed)  # noqa: S311
    tenth = case.investment / 10
    kinds: list[Callable[[int], Event]] = [
        partial(FundsAsked, amount=tenth),
        partial(FundsAsked, amount=-tenth),
        partial(EditAsked, config={}),
        partial(PauseAsked, cancel=False),
        partial(PauseAsked, cancel=True),
        ResumeAsked,
        ResumeAsked,
        partial(_signal, "s", "enter"),
        partial(_signal, "t", "leave"),
        partial(ActionAsked, action="there is no such action", amount=None),
    ]
    kinds += [
        partial(ActionAsked, action=one.name, amount=tenth if one.takes_amount else None) for one in case.entry.actions
    ]
    asks = {2 + length * number // 20: chance.choice(kinds) for number in range(14)}
    return {**asks, 2 + length * 14 // 20: partial(StopAsked, sell=bool(seed % 2))}


def _signal(name: str, action: str, at_ms: int) -> Event:
    return SignalCame(at_ms, name, "enter" if action == "enter" else "leave", None)
