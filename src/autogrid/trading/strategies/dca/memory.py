"""What a DCA bot remembers: its coins with their cost, the purchase that is under way, and the deal that runs.

Coins that a purchase brings lie with that purchase until it is done; then they join the position. Coins that are sold
leave it at the average cost, worked out once for all that was sold since the last purchase: so it does not matter into
how many fills an order was cut, and exits never move the average.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, Literal, NamedTuple

from autogrid.trading.event import Filled
from autogrid.trading.indicators.rsi import RsiState
from autogrid.trading.ledger import Pool, earned_by, paid_for, received_of
from autogrid.trading.market import Market
from autogrid.trading.money import ONE, ZERO, Amount, Price, Quantity, part_of
from autogrid.trading.strategies.guard import NO_GUARD, Guard

FINE: Final = Decimal("1e-18")
NO_POOL: Final = Pool(ZERO, ZERO)


class Aim(NamedTuple):
    """One take-profit order of the position."""

    wanted: Quantity
    """What it sells, reckoned when the last purchase was done."""
    sold: Quantity
    """Of that."""
    done: bool


class Position(NamedTuple):
    """The coins that are to be sold, as they were after the last purchase, and what was sold since."""

    pool: Pool
    """Received, dust of earlier deals included; cost with fees in quote and in third assets."""
    gross: Pool
    """The same as if there were no fees."""
    gone: Quantity
    """Sold since."""
    earned: Amount
    """For that, after fees."""
    won: Amount
    """What earlier sales of this deal earned, less what their coins cost."""
    aims: tuple[Aim, ...]
    peak: Price | None
    """The highest price since the trailing take-profit is armed."""

    @property
    def base(self) -> Quantity:
        """What is there now."""
        return self.pool.base - self.gone


NO_POSITION: Final = Position(NO_POOL, NO_POOL, ZERO, ZERO, ZERO, (), None)

Purpose = Literal["base", "add", "schedule", "drop"]


class Purchase(NamedTuple):
    """A purchase at market, in up to three tries."""

    slot: str
    purpose: Purpose
    wanted: Quantity
    price: Price
    """At which it was decided, or tried again."""
    why: str
    bought: Quantity = ZERO
    received: Quantity = ZERO
    """Of that, after fees in base."""
    paid: Amount = ZERO
    """For that, with fees in quote and in third assets."""
    value: Amount = ZERO
    """Without fees."""
    tries: int = 0
    wait_ms: int = 0
    """It is tried again then; 0: at once."""
    decided_ms: int = 0
    """When its price was asked last."""


Phase = Literal["later", "resting", "done", "gone"]


class SafetyOrder(NamedTuple):
    """A safety order of the deal that runs."""

    price: Price
    quantity: Quantity
    phase: Phase
    """`later`: not placed yet; `gone`: it will not be placed any more."""
    bought: Quantity = ZERO
    received: Quantity = ZERO
    paid: Amount = ZERO
    value: Amount = ZERO
    refusals: int = 0


class Deal(NamedTuple):
    """The deal that runs."""

    started_ms: int
    base_order: Amount
    safety_order: Amount
    start: Price | None
    """The base order's price, once it is filled."""
    orders: tuple[SafetyOrder, ...]
    """All of its ladder, nearest first."""
    manual: int
    """Safety orders that were asked for by hand."""
    cut: str
    """Why the ladder ended early."""


Stage = Literal["new", "waiting", "opening", "running", "exiting", "ended"]


class DcaMemory(NamedTuple):
    """All that a DCA bot remembers."""

    stage: Stage
    why: str
    """What it waits for, or why it is exiting or has ended."""
    start_price: Price | None
    number: int
    """Of the deal (in accumulate mode: of the position) that runs, or ran last."""
    position: Position
    purchase: Purchase | None
    deal: Deal | None
    profit: Amount
    """Of all closed deals."""
    closed: int
    finishing: bool
    """The bot ends with this deal."""
    answered: bool
    """An answer of the exchange came in this very step: what waits for a time then waits for the next price."""
    ready_ms: int
    """No deal starts before."""
    from_above: bool | None
    """Where the price was when the wait for `start_price` began; None: not looked yet."""
    called: Price | None
    """An indicator or a signal wants the next deal now, at this price."""
    held: str
    """Why the next deal cannot start."""
    short: bool
    """Because the free money cannot pay it: nothing is tried until that changes."""
    exit_ms: int
    """The exit is tried again then; 0: at once."""
    exits: int
    """Tries of the exit that failed, one after the other."""
    selling: bool
    """The exit's order is filled in part, and not ended."""
    funds: Amount
    """Put in since the start, less taken out."""
    spent: Amount
    """Paid for all purchases, fees in quote and third assets included."""
    buys: int
    """Purchases at market in accumulate mode so far."""
    next_ms: int | None
    """The next anchor of the schedule."""
    last_buy: Price | None
    high: Price
    """The highest price since the last purchase."""
    signals: tuple[str, ...]
    """Ids of the last signals."""
    rsi: RsiState | None
    guard: Guard = NO_GUARD


def new_memory(rsi: RsiState | None) -> DcaMemory:
    """A bot that has not seen a price."""
    return DcaMemory(
        "new", "", None, 0, NO_POSITION, None, None, ZERO, 0, False, False, 0, None, None, "", False, 0, 0,
        False, ZERO, ZERO, 0, None, None, ZERO, (), rsi,
    )  # fmt: skip


def settled(position: Position) -> Position:
    """With the coins that were sold taken out, at the average cost."""
    pool, gross, gone = position.pool, position.gross, position.gone
    if not gone:
        return position
    cost = part_of(pool.cost, gone, pool.base) if pool.base else ZERO
    left = ONE - gone / pool.base if pool.base else ZERO
    return position._replace(
        pool=Pool(pool.base - gone, pool.cost - cost),
        gross=Pool(_fine(gross.base * left), _fine(gross.cost * left)),
        gone=ZERO,
        earned=ZERO,
        won=position.won + position.earned - cost,
    )


def _fine(number: Decimal) -> Decimal:
    return number.quantize(FINE, ROUND_HALF_EVEN)


def joined(position: Position, done: Purchase | SafetyOrder) -> Position:
    """With what a purchase brought; a trailing take-profit must be reached anew."""
    pool, gross, gone, earned, won, aims, _ = settled(position)
    pool = Pool(pool.base + done.received, pool.cost + done.paid)
    gross = Pool(gross.base + done.bought, gross.cost + done.value)
    return Position(pool, gross, gone, earned, won, aims, None)


def sold_at(position: Position, fill: Filled, market: Market) -> Position:
    """After a sell's fill."""
    pool, gross, gone, earned, won, aims, peak = position
    return Position(pool, gross, gone + fill.quantity, earned + earned_by(fill, market), won, aims, peak)


def bought_more(purchase: Purchase, fill: Filled, market: Market) -> Purchase:
    """A purchase after a fill of its order."""
    return purchase._replace(
        bought=purchase.bought + fill.quantity,
        received=purchase.received + received_of(fill, market),
        paid=purchase.paid + paid_for(fill, market),
        value=purchase.value + fill.price * fill.quantity,
    )


def filled_more(order: SafetyOrder, fill: Filled, market: Market) -> SafetyOrder:
    """A safety order after a fill."""
    price, quantity, phase, bought, received, paid, value, _ = order
    return SafetyOrder(
        price,
        quantity,
        phase,
        bought + fill.quantity,
        received + received_of(fill, market),
        paid + paid_for(fill, market),
        value + fill.price * fill.quantity,
    )
