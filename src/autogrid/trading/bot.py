"""One step of a bot: an event goes in, its next state and the commands it calls for come out.

This is the heart of the house, and it is pure: the same state and event give the same step, today in a backtest and
tomorrow in a live market. The way of an event: order table -> ledger -> strategy learns -> targets -> plan -> risk.
A fill takes a short cut where the strategy can say what it changed (`revise`); a test holds that the short cut and
the whole give the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from autogrid.trading.candle import exact
from autogrid.trading.event import (
    Accepted,
    ActionAsked,
    Cancelled,
    CandleClosed,
    EditAsked,
    Event,
    Expired,
    FeedBack,
    FeedSilent,
    Filled,
    FundsAsked,
    KillAsked,
    Missing,
    OrderEvent,
    PauseAsked,
    Rejected,
    ResumeAsked,
    Sending,
    SignalCame,
    Started,
    StopAsked,
    Tick,
    Unclear,
    UserEvent,
)
from autogrid.trading.ledger import Ledger, book, funded, hold
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, Price, text
from autogrid.trading.order import OPEN, Kind, Order, Status, apply, decided
from autogrid.trading.plan import (
    Bounds,
    Cancel,
    Command,
    Fund,
    Place,
    Slot,
    Target,
    Wish,
    payable,
    plan,
    serves,
    waited,
)
from autogrid.trading.risk import FREE, Holds, Limits, Refused, fallen, review, watch
from autogrid.trading.state import BotState, Step, find, first_state, kept, key_of
from autogrid.trading.strategies.strategy import AnyStrategy, UnableToAct, UnableToEdit, View

RETRY_MS: Final = 1_000
"""What was refused is planned again after this."""


ANSWERS: Final = (Accepted, Cancelled, Rejected, Expired, Sending, Unclear, Missing)
"""Answers of an exchange that are no fills, the most frequent first."""

SILENCE: Final = Bounds(None, None, None)


@dataclass(frozen=True, slots=True)
class Bot:
    """What does not change while a bot runs."""

    market: Market
    limits: Limits
    at_once: bool = False
    """Whether the exchange has an order in its book the moment it is decided, and says so no more: the simulated one
    without a delay."""

    def start(self, strategy: AnyStrategy, ledger: Ledger) -> BotState:
        """The state of a bot that has done nothing yet."""
        return first_state(strategy, ledger)

    def step(self, state: BotState, event: Event) -> Step:
        """`state` after `event`, and the commands that it calls for. Raises `UnableToFollow`."""
        if type(event) is Tick:
            return self._tick(state, event)
        if type(event) is Filled:
            return self._fill(state, event)
        if type(event) is CandleClosed:
            return self._candle(state, event)
        if isinstance(event, ANSWERS):
            return self._answer(state, event)
        match event:
            case Started(at_ms, nonce, candle_ms):
                at_ms = max(at_ms, state.at_ms)
                return Step(event, state._replace(nonce=nonce, at_ms=at_ms, candle_ms=candle_ms))
            case FeedSilent(starting=starting):
                holds = state.holds._replace(silent=True)
                note = "" if starting else "the feed is silent: no new orders"
                return Step(event, state._replace(holds=holds), note=note)
            case FeedBack(found=found):
                note = f"started: {found}" if found else ""
                return self._ask(state._replace(holds=_holds(state.holds._replace(silent=False))), event, note)
            case _:
                assert isinstance(event, UserEvent), f"{type(event).__name__} is no event of a bot"
                return self._obey(state, event)

    def quiet(self, state: BotState) -> Bounds | None:
        """Where ticks would change nothing but the marks of the breakers; None: every tick counts."""
        bounds = state.bounds
        if bounds is None or state.ended_why:
            return SILENCE if state.ended_why else None
        if state.retry_ms is None:
            return bounds
        until_ms = state.retry_ms if bounds.until_ms is None else min(bounds.until_ms, state.retry_ms)
        return bounds._replace(until_ms=until_ms)

    def _tick(self, state: BotState, tick: Tick) -> Step:
        at_ms, price, traded = tick
        risk, bounds = state.risk, state.bounds
        if self.limits.breakers and not state.ended_why:
            risk = watch(self.limits, risk, state.ledger, price, at_ms)
        after = BotState(price, at_ms, risk, *state[3:])
        if (
            bounds is not None
            and not bounds.every
            and (bounds.floor is None or price > bounds.floor)
            and (bounds.roof is None or price < bounds.roof)
            and (bounds.until_ms is None or at_ms < bounds.until_ms or not traded)
            and (state.retry_ms is None or at_ms < state.retry_ms or not traded)
            and risk.trip is state.risk.trip
            and self.limits.ladder is None
        ):
            return Step(tick, after)
        return self._marked(state, after, tick)

    def _marked(self, before: BotState, state: BotState, tick: Tick) -> Step:
        """A tick that the strategy or a rule must look at."""
        note = ""
        trip = state.risk.trip
        if trip is not before.risk.trip:
            note = f"breaker open by {trip.rule}: {trip.why}" if trip else "breaker closed"
        fall = fallen(self.limits, state.risk, tick.at_ms)
        if fall and not state.holds.paused:
            note = f"paused by {fall.rule}: {fall.why}"
            state = state._replace(holds=state.holds._replace(paused=True))
        return self._ask(state, tick, note)

    def _candle(self, state: BotState, event: CandleClosed) -> Step:
        """A closed candle; before the first price there is only something to learn from it."""
        if state.ended_why:
            return Step(event, state)
        at_ms = max(event.at_ms, state.at_ms)
        price = state.price if state.price is None or event.at_ms < state.at_ms else exact(event.candle.close)
        view = View(at_ms, price or ZERO, self.market, state.ledger, not event.late, state.candle_ms)
        memory = state.strategy.hear(state.memory, event.candle, view)
        return self._ask(BotState(price, at_ms, state.risk, memory, *state[4:]), event)

    def _fill(self, state: BotState, fill: Filled) -> Step:
        known = find(state, fill.order_id)
        if known is None:
            return Step(fill, state, note=f"a fill of the unknown order {fill.order_id}: not booked")
        order = apply(known, fill, self.market)
        if order is known:
            return Step(fill, state)
        at_ms, price, strategy = fill.at_ms, state.price, state.strategy
        if price is None or at_ms >= state.at_ms:
            price = fill.price
        ledger = book(state.ledger, known, order, fill, self.market)
        if known.status == "absent" and order.status in OPEN:
            ledger = hold(ledger, known, order, self.market)
        memory = strategy.learn(state.memory, order, fill, View(at_ms, price, self.market, ledger))
        standing, ended = kept(state, order)
        after = BotState(price, at_ms, state.risk, memory, ledger, standing, ended, *state[7:])
        new = strategy.revise(state.memory, memory, order) if state.bounds is not None else None
        if new is None or state.refused or state.backoffs:
            return self._ask(after, fill)
        place: list[Target] = []
        for target in new:
            holder = standing.get(target.slot)
            if holder is None:
                place.append(target)
            elif not serves(holder, target):
                return self._ask(after, fill)
        return self._do(after, fill, standing, (), place, "")

    def _answer(self, state: BotState, event: OrderEvent) -> Step:
        """An answer of the exchange that is no fill."""
        known = find(state, event.order_id)
        if known is None:
            return Step(event, state, note=f"an answer about the unknown order {event.order_id}")
        order = apply(known, event, self.market)
        if order is known:
            return Step(event, state)
        standing, ended = kept(state, order)
        if order.status in OPEN and known.status in OPEN:
            price, at_ms, risk, memory, ledger = state[:5]
            return Step(event, BotState(price, at_ms, risk, memory, ledger, standing, ended, *state[7:]))
        ledger = hold(state.ledger, known, order, self.market)
        state = state._replace(at_ms=event.at_ms, ledger=ledger, standing=standing, ended=ended)
        if order.is_open:
            return self._ask(state, event, f"order {order.id} was thought gone and turned up again")
        if state.price is not None:
            view = View(event.at_ms, state.price, self.market, ledger)
            state = state._replace(memory=state.strategy.learn(state.memory, order, None, view))
        note = ""
        if isinstance(event, Rejected):
            backoff = waited(state.backoffs.get(order.slot), event.at_ms)
            state = state._replace(backoffs={**state.backoffs, order.slot: backoff})
            note = f"order {order.id} refused by the exchange: {event.reason}"
        return self._ask(state, event, note)

    def _obey(self, state: BotState, event: UserEvent) -> Step:  # noqa: PLR0911
        holds = state.holds
        view = View(event.at_ms, state.price or ZERO, self.market, state.ledger)
        match event:
            case PauseAsked(cancel=cancel):
                state = state._replace(holds=holds._replace(paused=True))
                return self._cancel_all(state, event) if cancel else Step(event, state)
            case ResumeAsked():
                holds = _holds(Holds(killed=False, paused=False, silent=holds.silent))
                risk = state.risk._replace(days=())  # falls are measured anew, or the ladder would pause it again
                return self._ask(state._replace(holds=holds, risk=risk), event)
            case KillAsked():
                return self._cancel_all(state._replace(holds=holds._replace(killed=True)), event)
            case StopAsked(sell=sell):
                if state.price is None:
                    return Step(event, state._replace(ended_why="stopped"))
                memory = state.strategy.stop(state.memory, sell=sell)
                holds = _holds(Holds(killed=holds.killed, paused=False, silent=holds.silent))
                return self._ask(state._replace(memory=memory, holds=holds), event)
            case EditAsked(config=config):
                try:
                    strategy, memory = state.strategy.edited(state.memory, config, view)
                except UnableToEdit as refusal:
                    return Step(event, state, note=f"edit refused: {refusal}")
                state = state._replace(strategy=strategy, memory=memory, bounds=None)
                return self._ask(state, event, edited=True)
            case ActionAsked(action=action, amount=amount):
                try:
                    memory = state.strategy.asked(state.memory, action, amount, view)
                except UnableToAct as refusal:
                    return Step(event, state, note=f"{action} refused: {refusal}")
                return self._ask(state._replace(memory=memory), event)
            case SignalCame():
                memory = state.strategy.signalled(state.memory, event, view)
                return self._ask(state._replace(memory=memory), event)
            case FundsAsked():
                return self._funded(state, event, view)

    def _funded(self, state: BotState, event: FundsAsked, view: View) -> Step:
        """A deposit, or a withdrawal of what no order holds."""
        amount = event.amount
        if event.refused:
            return Step(event, state, note=f"deposit refused: {event.refused}")
        if state.ledger.free_quote + amount < 0:
            free = text(state.ledger.free_quote)
            return Step(event, state, note=f"withdrawal refused: only {free} {self.market.quote} are free of orders")
        ledger = funded(state.ledger, amount)
        memory = state.strategy.funded(state.memory, amount, view._replace(ledger=ledger))
        step = self._ask(state._replace(ledger=ledger, memory=memory), event)
        return step._replace(commands=(Fund(amount), *step.commands))

    def _cancel_all(self, state: BotState, event: Event) -> Step:
        orders = [order for order in state.standing.values() if not order.cancel_asked]
        return self._do(state, event, dict(state.standing), orders, (), "")

    def _ask(self, state: BotState, event: Event, note: str = "", *, edited: bool = False) -> Step:
        """Ask the strategy for everything and plan the whole difference."""
        if state.price is None or state.ended_why:
            return Step(event, state, note=note)
        backoffs = state.backoffs
        at_ms = max(event.at_ms, state.at_ms) if type(event) is CandleClosed else event.at_ms
        traded = event.traded if isinstance(event, Tick) else True
        view = View(at_ms, state.price, self.market, state.ledger, traded, state.candle_ms, state.standing)
        memory = state.strategy.look(state.memory, view)
        wish = state.strategy.targets(memory, view)
        if backoffs:
            backoffs = {slot: backoff for slot, backoff in backoffs.items() if slot in wish.targets}
        uncounted = frozenset(wish.targets) if edited else state.uncounted
        state = state._replace(
            at_ms=at_ms,
            memory=memory,
            bounds=wish.bounds,
            backoffs=backoffs,
            retry_ms=self._reopens_ms(state, at_ms),
            uncounted=uncounted,
        )
        if wish.ended and not state.standing:
            return Step(event, state._replace(ended_why=wish.ended), note=f"ended: {wish.ended}")
        cancel, place = plan(self._allowed(state, wish), state.standing, backoffs, at_ms)
        return self._do(state, event, dict(state.standing), cancel, place, note)

    def _reopens_ms(self, state: BotState, at_ms: int) -> int | None:
        """When an open breaker lets the first buys through again; None where none is open."""
        trip = state.risk.trip
        return trip.at_ms + self.limits.cooldown_ms if trip and at_ms < trip.at_ms + self.limits.cooldown_ms else None

    def _allowed(self, state: BotState, wish: Wish) -> Mapping[Slot, Target]:
        """The targets that a hold or an open breaker leaves."""
        targets = wish.targets
        if state.holds.killed:
            return {}
        if state.holds.paused:
            return {slot: t for slot, t in targets.items() if slot in state.standing or t.exits}
        if state.risk.trip and state.at_ms < state.risk.trip.at_ms + self.limits.cooldown_ms:
            return {slot: t for slot, t in targets.items() if t.side == "sell" or t.exits}
        return targets

    def _do(
        self,
        state: BotState,
        event: Event,
        standing: dict[Slot, Order],
        cancel: Sequence[Order],
        place: Sequence[Target],
        note: str,
    ) -> Step:
        """Cancel, and place as far as the rules let. `standing` are the open orders of `state`, to be changed here."""
        price, at_ms, risk, memory, ledger, _, ended, bounds, placed = state[:9]
        commands: list[Command] = []
        refused: tuple[Refused, ...] = ()
        for order in cancel:
            commands.append(Cancel(order.id))
            status = "cancelling" if order.status in ("working", "partial") else order.status
            standing[key_of(standing, order)] = order._replace(status=status, cancel_asked=True)
        if place and self.market.stops != "none":
            place = payable(place, standing.values(), ledger.free_base)
        if place:
            assert price is not None, "an order is planned only once a price is known"
            asked: list[Place] = []
            for target in place:
                placed += 1
                asked.append(
                    _placed(target, f"{state.nonce}-{placed}-{target.slot}", price, state.uncounted, self.at_once)
                )
            approved, refused, risk, ledger = review(
                self.limits, risk, asked, ledger, len(standing), self.market, price, event.at_ms, state.holds
            )
            if not approved:
                placed = state.placed  # a try that led to nothing leaves no trace: it is not journalled
            if risk.trip and risk.trip is not state.risk.trip:
                note = f"breaker open by {risk.trip.rule}: {risk.trip.why}"
            for command in approved:
                standing[command.order.slot] = command.order
            commands += approved
        after = BotState(price, at_ms, risk, memory, ledger, standing, ended, bounds, placed, *state[9:])
        if refused or state.refused or state.backoffs:
            return self._held_back(after, event, tuple(commands), refused, note)
        return Step(event, after, tuple(commands), (), note)

    def _held_back(
        self,
        state: BotState,
        event: Event,
        commands: tuple[Command, ...],
        refused: tuple[Refused, ...],
        note: str,
    ) -> Step:
        """The step, with what was refused kept for the next try; a refusal that is no news is not told again."""
        told = {(one.slot, one.rule) for one in state.refused}
        news = refused if {(one.slot, one.rule) for one in refused} != told else ()
        waits = [b.until_ms for b in state.backoffs.values() if b.until_ms > event.at_ms]
        reopens_ms = self._reopens_ms(state, event.at_ms)
        if reopens_ms is not None:
            waits.append(reopens_ms)
        if refused:
            waits.append(event.at_ms + RETRY_MS)
        state = state._replace(refused=refused, retry_ms=min(waits, default=None))
        return Step(event, state, commands, news, note)


def _holds(holds: Holds) -> Holds:
    """`holds`, as the one object `FREE` where nothing holds, so that a review can tell at a glance."""
    return FREE if holds == FREE else holds


def _placed(target: Target, order_id: str, price: Price, uncounted: frozenset[Slot], at_once: bool) -> Place:
    """The order for `target`: post-only where its limit lies on the resting side of the market's `price`."""
    slot, side, limit, quantity, kind, _, initial, exits, _, why, trigger, stop_price = target
    order_kind: Kind = kind
    if kind == "limit" and (limit < price if side == "buy" else limit > price):
        order_kind = "maker"
    status: Status = "working" if at_once else "intended"
    order = decided(order_id, slot, side, order_kind, limit, quantity, status)
    if trigger is not None:
        order = order._replace(trigger=trigger, stop_price=stop_price)
    return Place(order, initial or slot in uncounted, exits, why)
