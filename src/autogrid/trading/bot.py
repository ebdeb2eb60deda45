"""One step of a bot: an event goes in, its next state and the commands it calls for come out.

This is the heart of the house, and it is pure: the same state and event give the same step, today in a backtest and
tomorrow in a live market. The way of an event: order table -> ledger -> strategy learns -> targets -> plan -> risk.
A fill takes a short cut where the strategy can say what it changed (`revise`); a test holds that the short cut and
the whole give the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from autogrid.trading.event import (
    EditAsked,
    Event,
    FeedBack,
    FeedSilent,
    Filled,
    KillAsked,
    OrderEvent,
    PauseAsked,
    Rejected,
    ResumeAsked,
    Started,
    StopAsked,
    Tick,
)
from autogrid.trading.ledger import Ledger, book, hold
from autogrid.trading.market import Market
from autogrid.trading.money import Price
from autogrid.trading.order import OPEN, Order, apply, intended
from autogrid.trading.plan import (
    Backoff,
    Cancel,
    Command,
    Difference,
    Place,
    Slot,
    Target,
    Wish,
    missing,
    plan,
    waited,
)
from autogrid.trading.risk import CALM, FREE, Holds, Limits, Refused, RiskState, fallen, review, watch
from autogrid.trading.strategies.strategy import AnyStrategy, UnableToEdit, View

ENDED_KEPT: Final = 64
"""Ended orders are kept this long, since answers about them still arrive, and in any order."""

RETRY_MS: Final = 1_000
"""What was refused is planned again after this."""

Standing: TypeAlias = Mapping[Slot, Order]

NO_ORDERS: Final[Mapping[str, Order]] = MappingProxyType({})
NO_BACKOFFS: Final[Mapping[Slot, Backoff]] = MappingProxyType({})
NO_SLOTS: Final[frozenset[Slot]] = frozenset()


class BotState(NamedTuple):
    """All that a bot knows; enough to go on after a crash."""

    price: Price | None
    """The market's, as last heard."""
    at_ms: int
    risk: RiskState
    memory: Any
    ledger: Ledger
    standing: Standing
    """Open orders by slot."""
    ended: Mapping[str, Order]
    """The last orders that ended, by id."""
    wish: Wish | None
    """What the strategy wants; None: it must be asked."""
    placed: int
    """Orders placed so far; numbers their ids."""
    strategy: AnyStrategy
    nonce: str
    """Drawn afresh at each start, part of order ids: a restored backup repeats none."""
    backoffs: Mapping[Slot, Backoff]
    retry_ms: int | None
    """When to plan again what was refused."""
    refused: tuple[Refused, ...]
    uncounted: frozenset[Slot]
    """Slots of a confirmed edit: their first orders do not count for the order rate."""
    holds: Holds
    ended_why: str
    """Why the bot is done; empty while it is not."""


class Step(NamedTuple):
    """What an event led to."""

    event: Event
    state: BotState
    commands: tuple[Command, ...] = ()
    refused: tuple[Refused, ...] = ()
    """Orders held back, where that is news."""
    note: str = ""
    """What a person should know of this step: an answer about an unknown order, a trip, an edit refused."""


class Quiet(NamedTuple):
    """Between these prices and before this time a tick would change nothing."""

    floor: Price | None
    roof: Price | None
    until_ms: int | None


SILENCE: Final = Quiet(None, None, None)


def is_news(before: BotState, step: Step) -> bool:
    """Whether `step` must be journalled: a tick that changed nothing is not."""
    return (
        type(step.event) is not Tick
        or bool(step.commands or step.refused or step.note)
        or step.state.memory is not before.memory
    )


@dataclass(frozen=True, slots=True)
class Bot:
    """What does not change while a bot runs."""

    market: Market
    limits: Limits

    def start(self, strategy: AnyStrategy, ledger: Ledger) -> BotState:
        """The state of a bot that has done nothing yet."""
        return BotState(
            None, 0, CALM, strategy.start(), ledger, NO_ORDERS, NO_ORDERS, None, 0, strategy, "0",
            NO_BACKOFFS, None, (), NO_SLOTS, FREE, "",
        )  # fmt: skip

    def step(self, state: BotState, event: Event) -> Step:
        """`state` after `event`, and the commands that it calls for. Raises `UnableToFollow`."""
        if type(event) is Tick:
            return self._tick(state, event)
        if type(event) is Filled:
            return self._fill(state, event)
        match event:
            case Started(at_ms, nonce):
                return Step(event, state._replace(nonce=nonce, at_ms=max(at_ms, state.at_ms), wish=None))
            case FeedSilent():
                holds = state.holds._replace(silent=True)
                return Step(event, state._replace(holds=holds), note="the feed is silent: no new orders")
            case FeedBack():
                return self._ask(state._replace(holds=_holds(state.holds._replace(silent=False))), event)
            case PauseAsked() | ResumeAsked() | StopAsked() | KillAsked() | EditAsked():
                return self._obey(state, event)
            case _:
                assert not isinstance(event, Tick | Filled)
                return self._answer(state, event)

    def quiet(self, state: BotState) -> Quiet | None:
        """Where ticks would change nothing; None: every tick counts."""
        wish = state.wish
        if state.ended_why:
            return SILENCE
        if wish is None or self.limits.breakers or state.price is None:
            return None
        until = min((t for t in (wish.until_ms, state.retry_ms) if t is not None), default=None)
        return Quiet(wish.floor, wish.roof, until)

    def _tick(self, state: BotState, tick: Tick) -> Step:
        at_ms, price, _ = tick
        risk = state.risk
        if self.limits.breakers and not state.ended_why:
            risk = watch(self.limits, risk, state.ledger, price, at_ms)
        before = state
        state = BotState(price, at_ms, risk, *state[3:])
        wish = state.wish
        if (
            wish is not None
            and (wish.floor is None or price > wish.floor)
            and (wish.roof is None or price < wish.roof)
            and (wish.until_ms is None or at_ms < wish.until_ms or not tick.traded)
            and (state.retry_ms is None or at_ms < state.retry_ms or not tick.traded)
            and risk.trip is before.risk.trip
            and self.limits.ladder is None
        ):
            return Step(tick, state)
        return self._marked(before, state, tick)

    def _marked(self, before: BotState, state: BotState, tick: Tick) -> Step:
        note = ""
        trip = state.risk.trip
        if trip is not before.risk.trip:
            note = f"breaker open by {trip.rule}: {trip.why}" if trip else "breaker closed"
        fall = fallen(self.limits, state.risk, tick.at_ms)
        if fall and not state.holds.paused:
            note = f"paused by {fall.rule}: {fall.why}"
            state = state._replace(holds=state.holds._replace(paused=True))
        return self._ask(state, tick, note)

    def _fill(self, state: BotState, fill: Filled) -> Step:
        known = find(state, fill.order_id)
        if known is None:
            return Step(fill, state, note=f"a fill of the unknown order {fill.order_id}: not booked")
        order = apply(known, fill, self.market)
        if order is known:
            return Step(fill, state)
        ledger = book(state.ledger, known, order, fill, self.market)
        price = fill.price if state.price is None else state.price
        view = View(fill.at_ms, price, self.market, ledger)
        memory = state.strategy.learn(state.memory, order, fill, view)
        standing, ended = kept(state.standing, state.ended, order)
        wish = state.wish
        revision = state.strategy.revise(state.memory, memory, order, view) if wish else None
        if wish is None or revision is None:
            return self._ask(
                state._replace(
                    at_ms=fill.at_ms, memory=memory, ledger=ledger, standing=standing, ended=ended, wish=None
                ),
                fill,
            )
        new = missing(revision.new, standing, state.backoffs, fill.at_ms)
        wish = revision.of(wish)
        state = BotState(price, fill.at_ms, state.risk, memory, ledger, standing, ended, wish, *state[8:])
        if any(slot in standing for slot in revision.gone) or len(new) < len(revision.new):
            return self._do(state, fill, plan(wish.targets, standing, state.backoffs, fill.at_ms))
        return self._do(state, fill, Difference((), new))

    def _answer(self, state: BotState, event: OrderEvent) -> Step:
        """An answer of the exchange that is no fill."""
        known = find(state, event.order_id)
        if known is None:
            return Step(event, state, note=f"an answer about the unknown order {event.order_id}")
        order = apply(known, event, self.market)
        if order is known:
            return Step(event, state)
        standing, ended = kept(state.standing, state.ended, order)
        if order.is_open and known.is_open:
            return Step(event, BotState(state.price, state.at_ms, state.risk, state.memory, state.ledger, standing, ended, *state[7:]))
        ledger = hold(state.ledger, known, order, self.market)
        state = state._replace(at_ms=event.at_ms, ledger=ledger, standing=standing, ended=ended)
        if order.is_open:  # thought gone, and there after all
            return self._ask(state, event, f"order {order.id} turned up again")
        if state.price is not None:
            view = View(event.at_ms, state.price, self.market, ledger)
            state = state._replace(memory=state.strategy.learn(state.memory, order, None, view))
        note = ""
        if isinstance(event, Rejected):
            backoff = waited(state.backoffs.get(order.slot), event.at_ms)
            state = state._replace(backoffs={**state.backoffs, order.slot: backoff})
            note = f"order {order.id} refused by the exchange: {event.reason}"
        return self._ask(state, event, note)

    def _obey(self, state: BotState, event: PauseAsked | ResumeAsked | StopAsked | KillAsked | EditAsked) -> Step:
        holds = state.holds
        view = None
        if state.price is not None:
            view = View(event.at_ms, state.price, self.market, state.ledger)
        match event:
            case PauseAsked(cancel=cancel):
                state = state._replace(holds=holds._replace(paused=True))
                if cancel:
                    return self._do(state, event, Difference(_cancellable(state.standing.values()), ()))
                return Step(event, state)
            case ResumeAsked():
                state = state._replace(holds=_holds(Holds(False, False, holds.silent)))
                return self._ask(state, event)
            case KillAsked():
                state = state._replace(holds=holds._replace(killed=True))
                return self._do(state, event, Difference(_cancellable(state.standing.values()), ()))
            case StopAsked(sell=sell):
                if view is None:
                    return Step(event, state._replace(ended_why="stopped"))
                memory = state.strategy.stop(state.memory, sell=sell, view=view)
                holds = _holds(Holds(holds.killed, False, holds.silent))
                return self._ask(state._replace(memory=memory, holds=holds), event)
            case EditAsked(config=config):
                if view is None:
                    view = View(event.at_ms, Price(0), self.market, state.ledger)
                try:
                    strategy, memory = state.strategy.edited(state.memory, config, view)
                except UnableToEdit as refusal:
                    return Step(event, state, note=f"edit refused: {refusal}")
                state = state._replace(strategy=strategy, memory=memory, wish=None)
                return self._ask(state, event, edited=True)

    def _ask(self, state: BotState, event: Event, note: str = "", *, edited: bool = False) -> Step:
        """Ask the strategy for everything and plan the whole difference."""
        if state.price is None or state.ended_why:
            return Step(event, state, note=note)
        at_ms = event.at_ms
        traded = event.traded if isinstance(event, Tick) else True
        view = View(at_ms, state.price, self.market, state.ledger, traded)
        memory = state.strategy.look(state.memory, view)
        wish = state.strategy.targets(memory, view)
        backoffs = {s: b for s, b in state.backoffs.items() if s in wish.targets} if state.backoffs else state.backoffs
        uncounted = frozenset(wish.targets) if edited else state.uncounted
        state = state._replace(
            at_ms=at_ms, memory=memory, wish=wish, backoffs=backoffs, retry_ms=None, uncounted=uncounted
        )
        if wish.ended and not state.standing:
            return Step(event, state._replace(ended_why=wish.ended), note=f"ended: {wish.ended}")
        targets = wish.targets
        if state.holds.paused or state.holds.killed:
            targets = _resting(state, wish)
        elif state.risk.trip and at_ms < state.risk.trip.at_ms + self.limits.cooldown_ms:
            targets = {slot: t for slot, t in targets.items() if t.side == "sell" or t.exits}
        return self._do(state, event, plan(targets, state.standing, backoffs, at_ms), note)

    def _do(self, state: BotState, event: Event, difference: Difference, note: str = "") -> Step:
        """Give the commands of `difference`, as far as the rules let them."""
        cancel, place = difference
        if not cancel and not place:
            return self._settled(state, event, (), (), note)
        standing = dict(state.standing)
        commands: list[Command] = []
        ledger, risk = state.ledger, state.risk
        refused: tuple[Refused, ...] = ()
        for order in cancel:
            commands.append(Cancel(order.id))
            status = "cancelling" if order.status in ("working", "partial") else order.status
            standing[_key(standing, order)] = order._replace(status=status, cancel_asked=True)
        placed = state.placed
        if place:
            places = []
            for target in place:
                placed += 1
                places.append(_placed(target, f"{state.nonce}-{placed}-{target.slot}", state.uncounted))
            assert state.price is not None, "an order is planned only once a price is known"
            approved, refused, risk = review(
                self.limits, risk, places, ledger, len(standing), self.market, state.price, event.at_ms, state.holds
            )
            for command in approved:
                standing[command.order.slot] = command.order
                ledger = hold(ledger, None, command.order, self.market)
            commands += approved
        state = BotState(
            state.price, state.at_ms, risk, state.memory, ledger, standing, state.ended, state.wish, placed, *state[9:]
        )
        return self._settled(state, event, tuple(commands), refused, note)

    def _settled(
        self, state: BotState, event: Event, commands: tuple[Command, ...], refused: tuple[Refused, ...], note: str
    ) -> Step:
        """The step, with what was refused kept for the next try; a refusal that is no news is not told again."""
        if not refused and not state.refused and not state.backoffs:
            return Step(event, state, commands, (), note)
        news = refused if _rules(refused) != _rules(state.refused) else ()
        waits = [b.until_ms for b in state.backoffs.values() if b.until_ms > event.at_ms]
        if refused:
            waits.append(event.at_ms + RETRY_MS)
        state = state._replace(refused=refused, retry_ms=min(waits, default=None))
        return Step(event, state, commands, news, note)


def _rules(refused: Iterable[Refused]) -> set[tuple[str, str]]:
    return {(one.slot, one.rule) for one in refused}


def _holds(holds: Holds) -> Holds:
    """`holds`, as the one object `FREE` where nothing holds, so that a review can tell at a glance."""
    return FREE if holds == FREE else holds


def _placed(target: Target, order_id: str, uncounted: frozenset[Slot]) -> Place:
    slot, side, price, quantity, kind, _, initial, exits = target
    return Place(intended(order_id, slot, side, kind, price, quantity), initial or slot in uncounted, exits)


def _cancellable(orders: Iterable[Order]) -> tuple[Order, ...]:
    return tuple(order for order in orders if not order.cancel_asked)


def _resting(state: BotState, wish: Wish) -> dict[Slot, Target]:
    """The targets of a bot that is held: what rests may stay, exits go on, unless a kill took all away."""
    if state.holds.killed:
        return {}
    return {slot: target for slot, target in wish.targets.items() if slot in state.standing or target.exits}


def _key(standing: Standing, order: Order) -> Slot:
    """Where `order` stands: its slot, or its id where another holds the slot."""
    return order.slot if standing.get(order.slot, order).id == order.id else order.id


def find(state: BotState, order_id: str) -> Order | None:
    """The order of that id among those that stand or ended lately."""
    slot = order_id.split("-", 2)[-1]
    order = state.standing.get(slot)
    if order is not None and order.id == order_id:
        return order
    return state.standing.get(order_id) or state.ended.get(order_id)


def kept(standing: Standing, ended: Mapping[str, Order], order: Order) -> tuple[Standing, Mapping[str, Order]]:
    """Open and ended orders with `order` as it is now."""
    standing = dict(standing)
    key = _key(standing, order)
    if order.status in OPEN:
        standing[key] = order
        if order.id in ended:
            ended = {order_id: old for order_id, old in ended.items() if order_id != order.id}
        return standing, ended
    standing.pop(key, None)
    ended = {**ended, order.id: order}
    if len(ended) > ENDED_KEPT:
        del ended[next(iter(ended))]
    return standing, ended
