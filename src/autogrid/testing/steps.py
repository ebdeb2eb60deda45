"""What must hold after every single step: the books close, nothing is owed, slots are kept apart, funds suffice."""

from autogrid.testing.fault import Broken
from autogrid.trading.event import Filled
from autogrid.trading.ledger import held_base, held_quote
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, text
from autogrid.trading.order import OPEN, Order
from autogrid.trading.plan import Place, Target, plan
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.strategy import View


def books_close(state: BotState, market: Market) -> None:
    """The two sums of the ledger, what orders hold, and no balance below zero."""
    ledger = state.ledger
    base = ledger.funded_base + ledger.bought - ledger.sold - ledger.fee_base
    quote = ledger.funded_quote + ledger.earned - ledger.paid - ledger.fee_quote
    if (ledger.base, ledger.quote) != (base, quote):
        raise Broken(f"the ledger has {text(ledger.base)} base and its fills explain {text(base)}")
    in_quote = sum((held_quote(order, market) for order in state.standing.values()), ZERO)
    in_base = sum((held_base(order) for order in state.standing.values()), ZERO)
    if (ledger.held_quote, ledger.held_base) != (in_quote, in_base):
        raise Broken(f"orders hold {text(in_quote)} quote and the ledger says {text(ledger.held_quote)}")
    if ledger.quote < 0 or ledger.base < 0:
        raise Broken(f"a balance is below zero: {text(ledger.quote)} {market.quote}, {text(ledger.base)} {market.base}")


def within_funds(step: Step, market: Market) -> None:
    """All that is wanted at once can be paid for, and nothing was refused for want of funds."""
    state = step.state
    wished = _wished(step, market)
    together = [target for target in wished if not target.alone and not target.after]
    _afford(together, state, market)
    for target in wished:
        if target.alone or target.after:
            _afford([target], state, market)
    for refused in state.refused:
        if refused.rule == "funds":
            raise Broken(f"the order in slot '{refused.slot}' was held back: {refused.why}")


def _afford(targets: list[Target], state: BotState, market: Market) -> None:
    ledger = state.ledger
    quote = sum((market.needed(one.price * one.quantity) for one in targets if one.side == "buy"), ZERO)
    base = sum((one.quantity for one in targets if one.side == "sell"), ZERO)
    if quote > ledger.quote:
        raise Broken(f"its buys need {text(quote)} {market.quote}, and it owns {text(ledger.quote)}")
    if base > ledger.base:
        raise Broken(f"its sells need {text(base)} {market.base}, and it owns {text(ledger.base)}")


def on_the_grid(step: Step, market: Market) -> None:
    """Every price that is wanted lies on the tick (of a market order it is no limit), every quantity on the lot."""
    for one in _wished(step, market):
        if one.price <= 0 or (one.price % market.tick and one.kind != "market"):
            raise Broken(
                f"the price {text(one.price)} in the slot '{one.slot}' is not on the tick {text(market.tick)}; take "
                "market.price_up(…) or market.price_down(…)"
            )
        if one.quantity <= 0 or one.quantity % market.lot:
            raise Broken(
                f"the quantity {text(one.quantity)} in the slot '{one.slot}' is not on the lot {text(market.lot)}, or "
                "nothing; take market.quantity(…), and want it only from market.least_quantity(price) on"
            )


def as_wanted(step: Step, market: Market) -> None:
    """The whole plan leaves nothing to be done: what `revise` gave, and what was left out, was right."""
    state = step.state
    if state.price is None or state.ended_why or state.bounds is None or state.holds.paused or state.holds.killed:
        return
    wished = {target.slot: target for target in _wished(step, market)}
    cancel, place = plan(wished, state.standing, {}, step.event.at_ms)
    excused = {one.slot for one in state.refused} | set(state.backoffs)
    left = [target.slot for target in place if target.slot not in excused]
    if cancel or left:
        words = ", ".join([f"'{slot}' missing" for slot in left] + [f"'{order.slot}' not wanted" for order in cancel])
        raise Broken(f"asked again after this step, it wants other orders than stand: {words}")


def _wished(step: Step, market: Market) -> list[Target]:
    state = step.state
    if state.price is None or state.ended_why or state.bounds is None:
        return []
    view = View(step.event.at_ms, state.price, market, state.ledger, standing=state.standing)
    wish = state.strategy.targets(state.memory, view)
    for slot, target in wish.targets.items():
        if slot != target.slot:
            raise Broken(f"the target of slot '{target.slot}' stands under the name '{slot}'; they must be one")
    return list(wish.targets.values())


class Slots:
    """What each slot was used for in one run: at most one open order in each, and never a second purpose.

    `whole`: where every order fills whole, a slot whose order did has done what it was for.
    """

    def __init__(self, *, whole: bool = False) -> None:
        self._whole = whole
        self._sides: dict[str, str] = {}
        self._done: dict[str, str] = {}
        """Slots whose order filled whole, with that order's id."""

    def see(self, step: Step) -> None:
        """Raises `Broken` where a slot is used twice."""
        state = step.state
        if isinstance(step.event, Filled):
            order = next((one for one in reversed(state.ended) if one.id == step.event.order_id), None)
            if order is not None and order.status == "filled":
                self._done[order.slot] = order.id
        for key, order in state.standing.items():
            if key != order.slot or order.status not in OPEN:
                raise Broken(f"two orders stand in the slot '{order.slot}'")
        for command in step.commands:
            if isinstance(command, Place):
                self._placed(command.order)

    def _placed(self, order: Order) -> None:
        if self._sides.setdefault(order.slot, order.side) != order.side:
            raise Broken(f"the slot '{order.slot}' was a {self._sides[order.slot]}'s and is now a {order.side}'s")
        if self._whole and order.slot in self._done:
            raise Broken(
                f"the slot '{order.slot}' is used again after its order {self._done[order.slot]} filled whole: "
                "number your slots, so that a late answer is never taken for the next order's"
            )
