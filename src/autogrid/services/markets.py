"""A market's rules as a person gives them, or as they are assumed from candles where nobody gave them."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from autogrid.backtesting.tapes import Tape
from autogrid.services.candle_names import named
from autogrid.trading.market import QUOTE, RECEIVED, FeeIn, Market, ThirdAsset
from autogrid.trading.money import ZERO, Amount, Price, Quantity, Share, UnableToReadFigure, figure, text

LEAST_NOTIONAL = Decimal(5)
DEFAULT_FEE = Decimal("0.001")


class UnableToDescribeMarket(ValueError):
    """What was said of a market does not make one. The sentence says what to change."""

    code = "bad-market"


@dataclass(frozen=True, slots=True)
class MarketWords:
    """What a person said of a market; None: nothing."""

    tick: Price | None = None
    lot: Quantity | None = None
    min_notional: Amount | None = None
    maker_fee: Share | None = None
    taker_fee: Share | None = None
    fee_in: FeeIn | None = None
    known: Market | None = None
    """The exchange's own rules, where a market was named."""


def fee_in(words: str) -> FeeIn:
    """`received`, `quote` or `ASSET:price` as a value. Raises `UnableToDescribeMarket`."""
    if words == RECEIVED:
        return RECEIVED
    if words == QUOTE:
        return QUOTE
    asset, colon, price = words.partition(":")
    try:
        worth = figure(price) if colon and asset else ZERO
    except UnableToReadFigure:
        worth = ZERO
    if worth <= 0:
        raise UnableToDescribeMarket(
            f"fee-in is '{words}'; it is received, quote, or an asset with its price like BNB:600"
        )
    return ThirdAsset(asset.upper(), worth)


def symbol_in(name: str) -> tuple[str, str]:
    """Base and quote as the name of a file has them; BASE and QUOTE where it has none."""
    base, _, quote = (named(Path(name.split(",", maxsplit=1)[0])).symbol or "BASE/QUOTE").partition("/")
    return base, quote


def market_for(tape: Tape, words: MarketWords) -> tuple[Market, tuple[str, ...]]:
    """The market of `tape`, and the names of those rules that had to be assumed. Raises `UnableToDescribeMarket`."""
    price = Decimal(int(tape.prices[0, 0])) * tape.unit
    return market_at(price, tape.unit, symbol_in(tape.source), words)


def market_at(
    price: Price, finest: Price, symbol: tuple[str, str], words: MarketWords
) -> tuple[Market, tuple[str, ...]]:
    """A market at `price`, and the names of those rules that had to be assumed.

    Assumed are: `finest` (the finest decimal that occurs in the prices) as tick, a lot worth under 0.1 of the quote,
    least value 5, and 0.1 % of fees. Raises `UnableToDescribeMarket`.
    """
    known = words.known
    _check(words)
    maker = _first(words.maker_fee, known.maker_fee if known else DEFAULT_FEE)
    taker = _first(words.taker_fee, known.taker_fee if known else maker)
    for name, rate in (("fee of resting orders", maker), ("fee of orders that trade at once", taker)):
        if not 0 <= rate < Decimal("0.1"):
            raise UnableToDescribeMarket(
                f"the {name} is {text(rate)}; it is a fraction from 0 to below 0.1: 0.001 is 0.1 %"
            )
    market = Market(
        base=known.base if known else symbol[0],
        quote=known.quote if known else symbol[1],
        tick=_first(words.tick, known.tick if known else finest),
        lot=_first(words.lot, known.lot if known else assumed_lot(price)),
        min_notional=_first(words.min_notional, known.min_notional if known else LEAST_NOTIONAL),
        maker_fee=maker,
        taker_fee=taker,
        fee_in=words.fee_in or (known.fee_in if known else RECEIVED),
        min_quantity=known.min_quantity if known else ZERO,
        max_quantity=known.max_quantity if known else None,
        max_orders=known.max_orders if known else None,
        stops=known.stops if known else "none",
        least_share=known.least_share if known else None,
        most_share=known.most_share if known else None,
    )
    given = {"tick": words.tick, "lot": words.lot, "min_notional": words.min_notional}
    return market, tuple(name for name, figure in given.items() if figure is None and known is None)


def _first(given: Decimal | None, otherwise: Decimal) -> Decimal:
    """The figure that was given, or the other."""
    return otherwise if given is None else given


def _check(words: MarketWords) -> None:
    for name, given in (("tick", words.tick), ("lot", words.lot)):
        if given is not None and given <= 0:
            raise UnableToDescribeMarket(f"{name} is {text(given)}; it must be above 0")
    if words.min_notional is not None and words.min_notional < 0:
        raise UnableToDescribeMarket(f"min-notional is {text(words.min_notional)}; it must not be negative")


def assumed_lot(price: Price) -> Quantity:
    """The largest power of ten of base that is worth under 0.1 of the quote at `price`."""
    lot = Decimal(1)
    while lot * price >= Decimal("0.1"):
        lot = lot.scaleb(-1)
    while lot * 10 * price < Decimal("0.1"):
        lot = lot.scaleb(1)
    return lot
