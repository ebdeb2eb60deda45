"""Live public prices for the demo, where an exchange can be reached. ccxt is loaded only once one answers."""

import asyncio
import importlib
from typing import Any, Final

from rich.console import Console

from autogrid.cli.demo import words
from autogrid.cli.demo.prices import LEAST_STEP, Prices, in_reach, step_for
from autogrid.wiring.demo import demo_feed

PATIENCE_S: Final = 8.0
"""So long an exchange may take to tell its rules and a first price."""


async def live_prices(symbol: str) -> Prices | None:
    """Prices of `symbol` from the first exchange that tells them; None where none does. It says what it tries."""
    say = Console(stderr=True, highlight=False, soft_wrap=True)
    say.print(words.LOOKING)
    near = await in_reach()
    if near:
        say.print(words.CONNECTING)
        feeds = importlib.import_module("autogrid.exchanges.live_feed")
        rules = importlib.import_module("autogrid.exchanges.market_rules")
        for exchange in near:
            say.print(words.TRYING.format(exchange=exchange))
            prices = await _from(exchange, symbol, feeds, rules, say)
            if prices is not None:
                return prices
    say.print(words.NO_NETWORK)
    return None


async def _from(exchange: str, symbol: str, feeds: Any, rules: Any, say: Console) -> Prices | None:
    """Raises nothing that an exchange or a network can lead to: what it was is said."""
    unknown = importlib.import_module("autogrid.exchanges.market_cache").UnableToFindMarket
    feed: Any = None
    try:
        async with asyncio.timeout(PATIENCE_S):
            market = await rules.fetch_market(exchange, symbol)
            feed = await demo_feed(feeds.LivePriceFeed, exchange, symbol, PATIENCE_S)
    except unknown as error:
        say.print(words.NOT_REACHED.format(exchange=exchange, why=str(error).rstrip(".")))
        return None
    except TimeoutError:
        feed = None
    if feed is None or (here := feed.here()) is None:
        say.print(words.NOT_REACHED.format(exchange=exchange, why=words.TOO_SLOW))
        return None
    return Prices(
        kind="live",
        source=exchange,
        feed=feed,
        market=market,
        first=here.price,
        at_ms=here.at_ms,
        step=step_for(market, LEAST_STEP / 10),
        trouble=lambda: feed.state.fault or "" if feed.state.silent_since_ms else "",
        close=feed.aclose,
    )
