"""Where the demo's prices come from: a tape, an exchange's public prices, or, failing that, a seed."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

import numpy as np

from autogrid.backtesting.made_up import made_up_tape
from autogrid.backtesting.tapes import Tape
from autogrid.engine.ports import Feed
from autogrid.services.markets import MarketWords, market_for
from autogrid.trading.market import Market
from autogrid.trading.money import ONE, Price, Share
from autogrid.wiring.demo import tape_feed

Kind = Literal["live", "tape", "made-up"]
CANDLES_A_SECOND: Final[Mapping[Kind, int]] = {"tape": 10, "made-up": 5, "live": 1}
"""How fast a tape runs where nobody said."""
LEAST_STEP: Final = Decimal("0.003")
MOST_STEP: Final = Decimal("0.03")
SEED: Final = 3
HOSTS: Final = {"binance": "api.binance.com", "bybit": "api.bybit.com", "mexc": "api.mexc.com"}
"""In the order in which they are tried."""
KNOCK_S: Final = 1.2
"""So long an exchange may take to open a connection before it counts as out of reach."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices to run on, and what is to be said of them."""

    kind: Kind
    source: str
    """The exchange, the file, or the seed where it was asked for."""
    feed: Feed
    market: Market
    first: Price
    at_ms: int
    step: Share
    """A distance of lines that these prices cross often, and that pays its fees."""
    interval_ms: int | None = None
    """Of a candle."""
    speed: float | None = None
    """Candle time per real time; 0: as fast as it goes; None: real time."""
    trouble: Callable[[], str] = str
    """What is wrong with them at this moment; empty where nothing is."""
    close: Callable[[], Awaitable[None]] | None = None
    """Gives their connections back."""


def from_tape(tape: Tape, kind: Kind, source: str, speed: float | None) -> Prices:
    """A tape's prices; its market's rules are assumed from it. `speed` None: a few candles a second."""
    market, _ = market_for(tape, MarketWords())
    pace = tape.interval_ms / 1000 * CANDLES_A_SECOND[kind] if speed is None else speed
    return Prices(
        kind=kind,
        source=source,
        feed=tape_feed(tape, pace),
        market=market,
        first=Decimal(int(tape.prices[0, 0])) * tape.unit,
        at_ms=tape.times.item(0),
        step=step_for(market, swing_of(tape)),
        interval_ms=tape.interval_ms,
        speed=pace,
    )


def made_up(seed: int | None, speed: float | None) -> Prices:
    """Prices from a seed; None: nobody asked for one."""
    return from_tape(made_up_tape(SEED if seed is None else seed), "made-up", "" if seed is None else str(seed), speed)


def swing_of(tape: Tape) -> Share:
    """How far a candle of this tape reaches from its low to its high: the middle one of the first thousand."""
    prices = tape.prices[:1000].astype(np.float64)
    return Decimal(repr(float(np.median((prices[:, 1] - prices[:, 2]) / prices[:, 0]))))


def step_for(market: Market, swing: Share) -> Share:
    """A distance of lines for candles that reach so far: crossed often, and wide enough to earn its fees."""
    step = max(swing * Decimal(2), market.maker_fee * 3, LEAST_STEP)
    return min(step, max(MOST_STEP, market.maker_fee * 3)).quantize(Decimal("0.0001"))


def range_around(prices: Prices, grids: int) -> tuple[Price, Price]:
    """Bounds with the first price in the middle, and so far apart that `grids` cells are one step wide."""
    half = (ONE + prices.step) ** (Decimal(grids) / 2)
    return prices.market.nearest_price(prices.first / half), prices.market.nearest_price(prices.first * half)


async def in_reach() -> tuple[str, ...]:
    """The exchanges that can be connected to within a moment, so that nobody waits for a network that is not there.

    Where a proxy is set, all of them: what lies behind it can only be seen by asking.
    """
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return tuple(HOSTS)
    answers = await asyncio.gather(*(_answers(host) for host in HOSTS.values()))
    return tuple(name for name, answered in zip(HOSTS, answers, strict=True) if answered)


async def _answers(host: str) -> bool:
    try:
        async with asyncio.timeout(KNOCK_S):
            _, writer = await asyncio.open_connection(host, 443)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
