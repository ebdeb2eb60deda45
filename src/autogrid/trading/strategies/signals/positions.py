"""Entries of a strategy that trades on signals: bought at market, each with a target that rests and a stop it watches.

    buying -> (its order is out) -> open -> leaving -> gone

Rules: slots are `7-in`, `7-target`, `7-stop` and `7-out`, and a number is never given twice. The stop is the bot's own
watch on the price and sells at market, behind the one that rests at the exchange where there is one (`guarded`); the
target is a limit order in the book. An exit waits until what holds the coins is out of the book. A purchase that did
not come about in its time is given up; an exit is tried until it is done. Coins are counted as in a grid: what was
received and the dust before it make a pool, sold in whole lots.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from autogrid.trading.event import Filled
from autogrid.trading.ledger import Pool, earned_by, paid_for, received_of
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, Price, Quantity, part_of, text
from autogrid.trading.order import Order, by_its_stop
from autogrid.trading.plan import Target, Wish
from autogrid.trading.strategies.guard import PART_MS, floor_of, kept
from autogrid.trading.strategies.signals.guarded import (
    guard_bounds,
    guarded,
    guards,
    reached,
    still_trusted,
    stop_words,
    target_watched,
    trusted,
)
from autogrid.trading.strategies.signals.held import HeldEntry, Positions, Terms
from autogrid.trading.strategies.strategy import View

LEAST: Final = Price("1e-18")
"""No price is finer."""

RETRY_MS: Final = 1_000
"""An exit that ended unfilled is tried again after this, then after twice as long each time."""
LONGEST_RETRY_MS: Final = 60_000

QUIET: Final = Wish()


def decided(positions: Positions, terms: Terms, at: Price, wanted: Quantity, until_ms: int, why: str) -> Positions:
    """`positions` with a purchase of `wanted` base that is to be made now, decided at the price `at`."""
    number = positions.given + 1
    entry = HeldEntry(number, "buying", terms, at, wanted, until_ms, why)
    return positions._replace(entries=(*positions.entries, entry), given=number)


def given_up(positions: Positions, at_ms: int, *, at_close: bool = False) -> Positions:
    """Without purchases that have brought nothing in their time; what one brings later is sold at once."""
    late = [entry for entry in positions.entries if _is_late(entry, at_ms, at_close)]
    for entry in late:
        positions = _without(positions, entry)
    return positions


def _is_late(entry: HeldEntry, at_ms: int, at_close: bool) -> bool:
    if entry.phase != "buying" or entry.bought:
        return False
    return at_ms >= entry.until_ms if entry.until_ms else at_close


def left(positions: Positions, reason: str, at: Price = ZERO) -> Positions:
    """`positions` with everything to be sold, decided at the price `at`; purchases without a fill are given up."""
    kept = tuple(
        entry if entry.phase == "leaving" else entry._replace(phase="leaving", reason=reason, at=at)
        for entry in positions.entries
        if entry.phase != "buying" or entry.bought
    )
    return _flat(positions._replace(entries=kept))


def swept(positions: Positions, market: Market, reason: str) -> Positions:
    """As `left`; whole lots of the pool are sold too."""
    return _adopted(left(positions, reason), positions.given + 1, market, reason, ZERO)


def watched(positions: Positions, view: View) -> Positions:
    """`positions` after a look at the price: stops, trailing lines, peaks; the same object where nothing is new."""
    after = tuple(_seen(entry, view) for entry in positions.entries)
    if all(new is old for new, old in zip(after, positions.entries, strict=True)):
        found = positions
    else:
        found = positions._replace(entries=after)
    return given_up(found, view.at_ms)


def _seen(entry: HeldEntry, view: View) -> HeldEntry:
    if entry.retry_ms and view.at_ms >= entry.retry_ms:
        return entry._replace(retry_ms=0)
    if entry.guard.trusted_ms:
        return still_trusted(entry, view)
    if entry.phase == "leaving" or not entry.bought:
        return entry
    price = view.price
    if entry.line and price <= entry.line:
        name = "trailing line" if entry.line > entry.stop else "stop"
        peak = f", 1 ATR below the peak {text(entry.peak)}" if entry.line > entry.stop else ""
        reason = f"{name} {text(entry.line)}{peak} reached at {text(price)}"
        return reached(entry._replace(phase="leaving", reason=reason, at=price), view)
    if entry.middle and price >= entry.middle and price > entry.peak:
        line = max(entry.stop, view.market.price_down(max(ZERO, price - entry.terms.trail)))
        entry = entry._replace(peak=price, line=line)
    return target_watched(entry, view)


def wished(positions: Positions, view: View) -> Wish:
    """The orders that should rest, and the prices and the time between which nothing else is wanted."""
    if not positions.entries:
        return Wish(ended=positions.why) if positions.leaving or positions.ended else QUIET
    if positions.ended:
        return Wish(ended=positions.why)
    asked = [_asked(entry, view) for entry in positions.entries]
    targets = {target.slot: target for one in asked for target in one.targets}
    floor = max((price for one in asked for price in one.floors), default=None)
    roof = min((price for one in asked for price in one.roofs), default=None)
    until_ms = min((at_ms for one in asked for at_ms in one.times), default=None)
    every = any(one.every for one in asked)
    if positions.leaving and not targets and until_ms is None and all(entry.stock for entry in positions.entries):
        return Wish(ended=positions.why)
    return Wish(targets, floor, roof, until_ms, every=every)


class _Asked(NamedTuple):
    """What one entry wants."""

    targets: Sequence[Target]
    floors: Sequence[Price] = ()
    roofs: Sequence[Price] = ()
    times: Sequence[int] = ()
    every: bool = False


def _asked(entry: HeldEntry, view: View) -> _Asked:
    """The orders of one entry that should rest, and between which prices and until when."""
    selling = guards(entry, view) if entry.guard.trusted_ms else []
    if selling:
        return _Asked(kept(selling), (floor_of(selling),), (), (entry.guard.trusted_ms,))
    target = _target(entry, view)
    targets = guarded(entry, view, target)
    waits_ms = entry.until_ms if entry.phase == "buying" and not entry.bought else entry.retry_ms
    if entry.phase == "leaving" or not entry.bought:
        return _Asked(targets, times=(waits_ms,) if waits_ms else ())
    floors, roofs, guard_ms = guard_bounds(entry, view, target)
    times = [at_ms for at_ms in (waits_ms, guard_ms) if at_ms]
    if entry.line:
        floors.append(entry.line)
    every = bool(entry.middle and view.price >= entry.peak and entry.peak)
    if entry.middle and not every:
        roofs.append(entry.peak + LEAST if entry.peak else entry.middle)
    return _Asked(targets, floors, roofs, times, every)


def _target(entry: HeldEntry, view: View) -> Target | None:
    """The one order of an entry that should be out now."""
    number = entry.number
    if entry.phase == "buying":
        rest = entry.wanted - entry.bought
        return Target(f"{number}-in", "buy", entry.at, rest, "market", why=entry.why)
    if entry.phase == "open":
        if not entry.target:
            return None
        why = f"target of entry {number}, bought at {_short(entry.price)} with its stop at {text(entry.stop)}"
        return Target(f"{number}-target", "sell", entry.target, entry.rest, exits=True, why=why)
    at = entry.at or view.price
    if not entry.stock or entry.retry_ms or _is_too_small(entry, view):
        return None
    return Target(
        f"{number}-out",
        "sell",
        at,
        entry.rest,
        "market",
        exits=True,
        after=f"{number}-stop" if f"{number}-stop" in view.standing else f"{number}-target",
        why=entry.reason,
    )


def learned(positions: Positions, order: Order, fill: Filled | None, view: View) -> Positions:
    """`positions` after `fill` changed `order`, or (None) after the order ended without being filled whole."""
    word, _, what = order.slot.partition("-")
    number = int(word)
    entry = next((one for one in positions.entries if one.number == number), None)
    if entry is None:
        return _stray(positions, number, order, fill, view.market)
    if what == "in":
        return _purchase(positions, entry, order, fill, view)
    return _sale(positions, entry, order, what, fill, view)


def _purchase(positions: Positions, entry: HeldEntry, order: Order, fill: Filled | None, view: View) -> Positions:
    market = view.market
    if fill is not None:
        if not entry.bought and positions.made < entry.number:
            first = positions.first if positions.taken else entry.wanted
            positions = positions._replace(made=entry.number, taken=positions.taken + 1, first=first)
        entry = entry._replace(
            bought=entry.bought + fill.quantity,
            value=entry.value + fill.price * fill.quantity,
            received=entry.received + received_of(fill, market),
            paid=entry.paid + paid_for(fill, market),
        )
        entry = entry if entry.stock else _placed(entry, market)
        if order.filled < order.quantity and not entry.stock:
            return _with(positions, entry)
    elif not entry.bought:
        return positions if entry.stock else _without(positions, entry)
    return _bought(positions, entry, market)


def _placed(entry: HeldEntry, market: Market) -> HeldEntry:
    """An entry with its stop and target, by what it has cost so far."""
    price, terms = entry.price, entry.terms
    stop = terms.stop_at(price, market)
    target = terms.target_at(price, market)
    middle = (price + target) / 2 if terms.trail and target else ZERO
    return entry._replace(stop=stop, target=target, line=stop, middle=middle)


def _bought(positions: Positions, entry: HeldEntry, market: Market) -> Positions:
    """What the purchase brought, and what was left over before, becomes stock in whole lots."""
    base, worth = positions.pool.base + entry.received, positions.pool.cost + entry.paid
    lots = max(ZERO, base // market.lot * market.lot)
    cost = part_of(worth, lots, base) if base else ZERO
    stock = entry.stock + lots
    entry = entry._replace(stock=stock, cost=entry.cost + cost, received=ZERO, paid=ZERO)
    if entry.phase == "buying":
        entry = entry._replace(phase="open")
    positions = positions._replace(pool=Pool(base - lots, worth - cost))
    least = market.least_quantity(entry.stop or entry.price)
    if stock < least:
        return _closed(positions, entry)
    return _with(positions, entry)


def _sale(
    positions: Positions, entry: HeldEntry, order: Order, what: str, fill: Filled | None, view: View
) -> Positions:
    market = view.market
    if fill is not None:
        by_stop = by_its_stop(order, fill)
        if by_stop and entry.phase == "open":
            entry = trusted(entry._replace(phase="leaving", reason=stop_words(order), at=fill.price), view)
        elif order.trigger is not None and not by_stop:
            entry = entry._replace(guard=entry.guard._replace(part_ms=view.at_ms + PART_MS))
        exited = entry.exited + fill.quantity if what == "out" or by_stop else entry.exited
        earned = entry.earned + earned_by(fill, market)
        entry = entry._replace(sold=entry.sold + fill.quantity, earned=earned, exited=exited, refusals=0)
        is_late = not order.is_open and (what == "out" or by_stop) and entry.rest < market.least_quantity(view.price)
        return _closed(positions, entry) if entry.sold >= entry.stock or is_late else _with(positions, entry)
    entry = entry._replace(guard=entry.guard.ended(order))
    price = entry.target if entry.phase == "open" and what == "target" else entry.at or view.price
    if what == "out":
        wait_ms = min(RETRY_MS << min(entry.refusals, 10), LONGEST_RETRY_MS)
        entry = entry._replace(retry_ms=view.at_ms + wait_ms, refusals=entry.refusals + 1)
    if entry.stock and entry.rest < market.least_quantity(price):
        return _closed(positions, entry)
    return _with(positions, entry)


def _is_too_small(entry: HeldEntry, view: View) -> bool:
    """Whether an exit cannot be ordered; what is left of one that trades may be ever so little."""
    return not entry.exited and entry.rest < view.market.least_quantity(entry.at or view.price)


def unsold_let_go(positions: Positions, view: View) -> Positions:
    """Without exits of which too little is left to be ordered: their coins join the pool."""
    for entry in positions.entries:
        if entry.phase == "leaving" and entry.stock and _is_too_small(entry, view):
            positions = _closed(positions, entry)
    return positions


def _closed(positions: Positions, entry: HeldEntry) -> Positions:
    """Without `entry`, which has sold what it could; what it could not joins the pool with its share of the cost."""
    pool, cost = positions.pool, entry.cost
    if entry.rest:
        cost = part_of(entry.cost, entry.sold, entry.stock) if entry.stock else ZERO
        pool = Pool(pool.base + entry.rest, pool.cost + entry.cost - cost)
    positions = positions._replace(
        pool=pool,
        profit=positions.profit + entry.earned - cost,
        round_trips=positions.round_trips + (1 if entry.sold else 0),
    )
    return _without(positions, entry)


def _stray(positions: Positions, number: int, order: Order, fill: Filled | None, market: Market) -> Positions:
    """A fill of an order whose entry is gone: late, after it was given up or sold."""
    if fill is None:
        return positions
    pool = positions.pool
    if order.side == "sell":
        return positions._replace(pool=Pool(pool.base - fill.quantity, pool.cost - earned_by(fill, market)))
    pool = Pool(pool.base + received_of(fill, market), pool.cost + paid_for(fill, market))
    return _adopted(positions._replace(pool=pool), number, market, "bought after it was given up", fill.price)


def _adopted(positions: Positions, number: int, market: Market, reason: str, at: Price) -> Positions:
    """Whole lots of the pool as an entry that leaves, where there are any; it takes `number`."""
    lots = positions.pool.base // market.lot * market.lot
    if lots <= 0:
        return positions
    cost, rest = positions.pool.draw(lots)
    terms = Terms(False, ZERO, ZERO, ZERO)
    entry = HeldEntry(number, "leaving", terms, at, lots, 0, reason, stock=lots, cost=cost)
    return positions._replace(
        entries=tuple(sorted((*positions.entries, entry._replace(reason=reason)), key=lambda one: one.number)),
        pool=rest,
        given=max(number, positions.given),
    )


def _with(positions: Positions, entry: HeldEntry) -> Positions:
    entries = tuple(entry if one.number == entry.number else one for one in positions.entries)
    return positions._replace(entries=entries)


def _without(positions: Positions, entry: HeldEntry) -> Positions:
    kept = tuple(one for one in positions.entries if one.number != entry.number)
    return _flat(positions._replace(entries=kept))


def _flat(positions: Positions) -> Positions:
    """`positions`; where nothing is held, the next entry is the first again."""
    if positions.entries or not positions.taken:
        return positions
    return positions._replace(taken=0, first=ZERO)


def _short(price: Price) -> str:
    """A mean price for a person, to the eighth decimal."""
    return text(price.quantize(Price("0.00000001")))
