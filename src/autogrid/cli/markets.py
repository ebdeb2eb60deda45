"""What the command line says of a market: its rules by hand, or `--market binance:BTC/USDT`."""

import importlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import click

from autogrid.cli.options import FIGURE
from autogrid.cli.output import BadInput
from autogrid.services.markets import MarketWords, UnableToDescribeMarket, fee_in
from autogrid.trading.market import Market

Command = TypeVar("Command", bound=Callable[..., Any])

OPTIONS = (
    click.option("--market", metavar="EXCHANGE:BASE/QUOTE", help="Take the rules from an exchange: binance:BTC/USDT."),
    click.option("--tick", type=FIGURE, help="Smallest step of a price, in quote."),
    click.option("--lot", type=FIGURE, help="Smallest step of a quantity, in base."),
    click.option("--min-notional", type=FIGURE, help="Smallest value of an order, in quote."),
    click.option("--fee", type=FIGURE, help="Fee of every fill as a fraction: 0.001 is 0.1 %."),
    click.option("--maker-fee", type=FIGURE, help="Fee of resting orders."),
    click.option("--taker-fee", type=FIGURE, help="Fee of orders that trade at once."),
    click.option("--fee-in", "fee_in_words", help="received (the default), quote, or ASSET:price (BNB:600)."),
)


def market_options(command: Command) -> Command:
    """The options that describe a market."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def known_market(words: str, data_dir: Path | None = None) -> Market:
    """The rules of `exchange:BASE/QUOTE`, from the exchange or as they were last fetched. Raises BadInput."""
    exchange, colon, symbol = words.partition(":")
    if not colon or "/" not in symbol:
        raise BadInput(f"--market is '{words}'; write it like binance:BTC/USDT")
    rules = importlib.import_module("autogrid.cli.market_lookup")
    market = rules.look_up(exchange.lower(), symbol.upper(), data_dir)
    assert isinstance(market, Market)
    return market


def market_words(
    *,
    market: str | None,
    tick: Decimal | None,
    lot: Decimal | None,
    min_notional: Decimal | None,
    fee: Decimal | None,
    maker_fee: Decimal | None,
    taker_fee: Decimal | None,
    fee_in_words: str | None,
) -> MarketWords:
    """What the options say of the market. Raises BadInput."""
    if fee is not None and (maker_fee is not None or taker_fee is not None):
        raise BadInput("give --fee, or --maker-fee and --taker-fee, not both")
    try:
        paid_in = None if fee_in_words is None else fee_in(fee_in_words)
    except UnableToDescribeMarket as error:
        raise BadInput(f"--{error}") from None
    return MarketWords(
        tick=tick,
        lot=lot,
        min_notional=min_notional,
        maker_fee=maker_fee if maker_fee is not None else fee,
        taker_fee=taker_fee if taker_fee is not None else fee,
        fee_in=paid_in,
        known=known_market(market) if market else None,
    )
