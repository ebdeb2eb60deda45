"""Looking a market up at an exchange: its rules, kept for a day and usable without a network, and its last price."""

import asyncio
import importlib
import time
from decimal import Decimal
from pathlib import Path

import click

from autogrid.cli.output import BadInput, UnableToGoOn
from autogrid.cli.place import settings_for
from autogrid.exchanges.market_cache import AWAY, UnableToFindMarket, market_rules
from autogrid.trading.market import Market

WITHOUT = "Without a network, give a file of candles (--tape for a bot) and --tick, --lot and --min-notional."


def look_up(exchange: str, symbol: str, data_dir: Path | None) -> Market:
    """The rules of `symbol`, fetched, or as they were last fetched. Raises BadInput."""
    try:
        kept = asyncio.run(
            market_rules(settings_for(data_dir).data_dir, exchange, symbol, _fetch, now_ms=time.time_ns() // 1_000_000)
        )
    except UnableToFindMarket as error:
        if error.code in AWAY:
            raise UnableToGoOn(f"{error} {WITHOUT}") from None
        raise BadInput(str(error)) from None
    if kept.fault is not None:
        click.echo(f"Note: {kept.fault} Its rules are those of {kept.age(time.time_ns() // 1_000_000)} ago.", err=True)
    return kept.market


async def _fetch(exchange: str, symbol: str) -> Market:
    rules = importlib.import_module("autogrid.exchanges.market_rules")  # loads ccxt, which takes seconds
    market = await rules.fetch_market(exchange, symbol)
    assert isinstance(market, Market)
    return market


def last_price(words: str) -> Decimal:
    """The last price of `exchange:BASE/QUOTE`. Raises BadInput."""
    exchange, _, symbol = words.partition(":")
    return asyncio.run(_last_price(exchange.lower(), symbol.upper()))


async def _last_price(exchange: str, symbol: str) -> Decimal:
    feed = importlib.import_module("autogrid.exchanges.live_feed").LivePriceFeed(exchange, symbol)
    try:
        async with asyncio.timeout(15):
            await feed.ready()
            point = await feed.reach(None, None, None, every=True)
    except TimeoutError:
        raise BadInput(f"{exchange} told no price of {symbol} within 15 s; give --price") from None
    finally:
        await feed.aclose()
    price = point.price
    assert isinstance(price, Decimal)
    return price
