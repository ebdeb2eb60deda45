"""What the demo's screen shows at one moment, and how its figures are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from autogrid.cli.demo import words
from autogrid.cli.demo.prices import Kind
from autogrid.services.picture import Picture
from autogrid.trading.market import Market

BUY: Final = "green"
SELL: Final = "red"
QUIET: Final = "dim"
HEAD: Final = "bold"


@dataclass(frozen=True, slots=True)
class Spot:
    """One column of the price chart."""

    price: float
    side: str = ""
    """`buy` or `sell` where the bot traded then."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the screen shows."""

    picture: Picture
    market: Market
    kind: Kind
    source: str
    pace: str
    elapsed: str
    spots: Sequence[Spot] = ()
    fresh: bool = False
    """Whether the last trade was only just made: it is lit up."""
    over: bool = False
    """Whether no more prices come."""
    trouble: str = ""
    """What is wrong with the prices; empty where nothing is."""


def money(scene: Scene, amount: Decimal, *, signed: bool = False) -> str:
    """An amount of quote, with as many decimals as the investment's size asks for."""
    put_in = scene.picture.investment
    decimals = 2 if put_in >= 100 else 4 if put_in >= 1 else 8
    shown = round(amount, decimals)
    return f"{shown or Decimal(0):{'+' if signed and shown else ''},.{decimals}f}"


def trips(count: int) -> str:
    """So many round trips, in words."""
    return words.TRIP if count == 1 else words.TRIPS.format(count=count)


def decimals_of(market: Market) -> int:
    """How many decimals the market's prices have."""
    return max(0, -int(market.tick.normalize().as_tuple().exponent))


def price_text(price: Decimal, market: Market) -> str:
    """A price with the market's decimals."""
    return f"{price:,.{decimals_of(market)}f}"


def tone(amount: Decimal | None) -> str:
    """The colour of a gain or a loss."""
    return "" if not amount else BUY if amount > 0 else SELL
