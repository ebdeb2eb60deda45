"""What is remembered of purchases until they are sold again. What becomes of them: `positions`."""

from typing import Final, Literal, NamedTuple

from autogrid.trading.ledger import Pool
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, Amount, Price, Quantity, Share
from autogrid.trading.strategies.guard import NO_GUARD, Guard

NO_POOL: Final = Pool(ZERO, ZERO)

Phase = Literal["buying", "open", "leaving"]


class Terms(NamedTuple):
    """Where an entry's stop, target and trailing line lie, once it is known what it was bought at."""

    as_shares: bool
    stop: Amount
    """How far below: in quote, or as a share of the entry's price; zero: no stop."""
    target: Amount
    """How far above: in distances to the stop, or as a share of the entry's price; zero: no target."""
    trail: Amount
    """How far the trailing line follows below the highest price, in quote; zero: it does not."""
    at_exchange: bool = False
    """Whether the stop rests at the exchange."""
    slippage: Share = ZERO
    """How far below its trigger it may sell there."""

    def distance(self, price: Price) -> Amount:
        """How far the stop lies below an entry at `price`, in quote, before it is rounded; zero where there is none."""
        return price * self.stop if self.as_shares else self.stop

    def stop_at(self, price: Price, market: Market) -> Price:
        """The stop of an entry at `price`, down to the tick; zero where there is none."""
        if not self.stop:
            return ZERO
        return market.price_down(max(ZERO, price - self.distance(price)))

    def target_at(self, price: Price, market: Market) -> Price:
        """The target of an entry at `price`, up to the tick; zero where there is none."""
        if not self.target:
            return ZERO
        return market.price_up(price + self.target * (price if self.as_shares else self.stop))


class HeldEntry(NamedTuple):
    """One purchase, until the last coin of it is sold."""

    number: int
    phase: Phase
    terms: Terms
    at: Price
    """The price at which its purchase was decided, then its exit; zero: the market's."""
    wanted: Quantity
    """What its purchase takes, in base."""
    until_ms: int
    """A purchase that has brought nothing by then is given up; zero: by the next closed candle."""
    why: str
    """Why it was bought, with values."""
    bought: Quantity = ZERO
    """Filled of the purchase."""
    value: Amount = ZERO
    """Quote traded for that, without fees."""
    received: Quantity = ZERO
    """Base after fees, while the purchase is out."""
    paid: Amount = ZERO
    """Quote for that with all fees, while the purchase is out."""
    stock: Quantity = ZERO
    """What it sells in all, in whole lots; zero while the purchase is out."""
    cost: Amount = ZERO
    """What that stock cost, in quote."""
    sold: Quantity = ZERO
    earned: Amount = ZERO
    """For what was sold, after fees."""
    stop: Price = ZERO
    """Zero: none."""
    target: Price = ZERO
    """Zero: none."""
    line: Price = ZERO
    """The price at or below which it is sold: the stop, or the trailing line where that is higher."""
    middle: Price = ZERO
    """Half-way to the target: from there on the highest price is followed. Zero: never."""
    peak: Price = ZERO
    """The highest price since then; zero before."""
    reason: str = ""
    """Why it leaves, with values."""
    retry_ms: int = 0
    """When its exit may be tried again."""
    exited: Quantity = ZERO
    """Of what was sold, by its exit."""
    refusals: int = 0
    """How often in a row its exit ended without a fill."""
    guard: Guard = NO_GUARD

    @property
    def price(self) -> Price:
        """What it was bought at in the mean, without fees."""
        return self.value / self.bought

    @property
    def rest(self) -> Quantity:
        """What is still to be sold."""
        return self.stock - self.sold


class Positions(NamedTuple):
    """All that is bought and not yet sold, and what came of the rest."""

    entries: tuple[HeldEntry, ...] = ()
    """Oldest first."""
    pool: Pool = NO_POOL
    """Coins left over by rounding, with their cost; the next purchase takes them along."""
    profit: Amount = ZERO
    """Of all that was sold: proceeds less cost, after fees."""
    round_trips: int = 0
    given: int = 0
    """Numbers given so far."""
    made: int = 0
    """The last number whose purchase brought something."""
    taken: int = 0
    """Entries made since nothing was held."""
    first: Quantity = ZERO
    """What the first of them wanted, in base."""
    leaving: bool = False
    """Whether the user wants the end and everything is being sold."""
    ended: bool = False
    why: str = ""
    """Why it is ending or has ended."""
    start_price: Price | None = None

    @property
    def average(self) -> Price | None:
        """Mean price of the open entries by their coins, without fees; None where there is none."""
        opened = [entry for entry in self.entries if entry.stock and entry.bought]
        coins = sum((entry.stock for entry in opened), ZERO)
        return sum((entry.price * entry.stock for entry in opened), ZERO) / coins if coins else None

    @property
    def settled(self) -> bool:
        """Whether no purchase and no exit is under way."""
        return all(entry.phase == "open" for entry in self.entries)
