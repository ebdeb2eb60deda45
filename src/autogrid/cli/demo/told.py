"""The demo in plain lines: events as they happen, and the words at its end."""

from collections.abc import Iterator
from datetime import UTC, datetime

from autogrid.backtesting.result import FillRow
from autogrid.cli.demo import words
from autogrid.cli.demo.prices import Prices
from autogrid.cli.demo.scene import Scene, money, price_text, trips
from autogrid.services.picture import Picture
from autogrid.trading.market import Market
from autogrid.trading.money import text


def span(seconds: float) -> str:
    """A length of time as people say it."""
    whole = int(seconds)
    days, hours, minutes = whole // 86_400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {whole % 60:02d} s" if minutes else f"{whole} s"


def pace(prices: Prices) -> str:
    """How fast a tape runs."""
    if prices.speed is None:
        return ""
    if prices.speed == 1:
        return words.LIFE
    return words.PACE.format(pace=f"{prices.speed:,g}") if prices.speed else words.PACE_FREE


def opening_line(prices: Prices, config: dict[str, str], investment: str) -> str:
    """The first line: what is run on what."""
    market = prices.market
    return words.EVENT_START.format(symbol=market.symbol, investment=investment, quote=market.quote, **config)


def source_line(prices: Prices) -> str:
    """What the prices are."""
    if prices.kind == "made-up":
        asked = words.EVENT_MADE_UP_ASKED.format(seed=prices.source)
        return asked if prices.source else words.EVENT_MADE_UP
    return f"{words.OF_LIVE if prices.kind == 'live' else words.TAPE.lower()}: {prices.source}"


def stamp(at_ms: int) -> str:
    """A time at the beginning of a line."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def fill_line(fill: FillRow, market: Market) -> str:
    """One fill."""
    line = words.EVENT_FILL.format(
        did=words.BOUGHT if fill.side == "buy" else words.SOLD,
        quantity=text(fill.quantity),
        base=market.base,
        price=price_text(fill.price, market),
    )
    if fill.profit is not None:
        line += words.EVENT_PROFIT.format(profit=f"{fill.profit:+.4f}", quote=market.quote)
    return line


def summary(scene: Scene, prices: Prices, elapsed_s: float, config: dict[str, str]) -> Iterator[str]:
    """What is said at the end: what it made, what holding would have made, and what to do next."""
    picture = scene.picture
    lasted = span((picture.at_ms - prices.at_ms) / 1000)
    kind = {"live": words.OF_LIVE, "tape": words.OF_TAPE, "made-up": words.OF_MADE_UP}[prices.kind]
    yield words.ENDED.format(elapsed=span(elapsed_s), kind=kind.format(span=lasted))
    yield from _result(scene, picture)
    if prices.kind == "made-up":
        yield words.MADE_UP_NOTE
    yield ""
    yield words.NEXT
    facts = {"symbol": picture.symbol, "investment": text(picture.investment), **config}
    if prices.kind == "made-up":
        facts |= {"lower": words.LOWEST, "upper": words.HIGHEST}
    for line in words.NEXT_STEPS:
        yield line.format(**facts)


def _result(scene: Scene, picture: Picture) -> Iterator[str]:
    if picture.start_price is None:
        yield words.NOTHING_YET
        return
    yield words.MADE.format(
        total=money(scene, picture.total_profit, signed=True),
        quote=picture.quote_asset,
        investment=money(scene, picture.investment),
        grid=money(scene, picture.grid_profit, signed=True),
        trips=trips(picture.round_trips),
        trend=money(scene, picture.trend_profit, signed=True),
    )
    hold = money(scene, picture.hold_profit, signed=True)
    yield words.WOULD_HOLD.format(base=picture.base_asset, hold=hold, quote=picture.quote_asset)
