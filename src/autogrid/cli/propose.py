"""`autogrid propose`: a grid proposed from a market's past, why so, and how such proposals would have fared."""

import shlex
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from autogrid.backtesting.candle_faults import UnableToReadCandles, utc
from autogrid.backtesting.candle_store import CandleKey, StoredCandles, UnableToStoreCandles
from autogrid.backtesting.tapes import Tape, read_tape
from autogrid.cli.markets import known_market, market_options, market_words
from autogrid.cli.options import FIGURE, config_options, read_config
from autogrid.cli.output import BadInput, say_json
from autogrid.cli.place import data_dir_option, settings_for
from autogrid.cli.propose_shown import show
from autogrid.services.candle_names import named
from autogrid.services.candles import list_all
from autogrid.services.markets import MarketWords, UnableToDescribeMarket, market_for
from autogrid.services.proposal_figures import DAY_MS, HOUR_MS, LOOK_BACK_DAYS
from autogrid.services.proposals import Proposed, proposed, to_json
from autogrid.trading.market import ThirdAsset
from autogrid.trading.money import text, use_exact_figures
from autogrid.trading.strategies.catalogue import entry
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.wiring.simulation import backtest as simulated_backtest

KNOWN = "grid"
TIMEFRAME = "5m"
"""Fine enough for a grid's steps, and half a year of it is fetched within a minute or two."""
FETCH_DAYS = 2 * LOOK_BACK_DAYS + 1
STALE_MS = 2 * DAY_MS


@click.command()
@click.argument("strategy")
@click.option("--candles", metavar="FILE[,FILE…]", help="The past; left out, what is stored of --market.")
@click.option("--investment", required=True, type=FIGURE, help="In quote, such as 1000.")
@config_options
@market_options
@data_dir_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def propose(
    strategy: str,
    candles: str | None,
    investment: Decimal,
    settings: tuple[str, ...],
    config_file: Path | None,
    data_dir: Path | None,
    as_json: bool,
    **words: Any,
) -> None:
    """Propose a range, a step and a number of grids from the last 90 days, and show why.

    Also shown: what such proposals would have done in the last windows of 30 days, each made without knowing what came,
    and how often the price left them. STRATEGY is grid.
    """
    use_exact_figures()
    config = read_config(settings, config_file)
    try:
        entry(strategy)
        if strategy != KNOWN:
            raise BadInput(f"there are no automatic parameters for {strategy}; they are for {KNOWN}")
        files = _files(candles) if candles else _stored_files(words["market"], data_dir)
        said = market_words(**(words | {"market": None}))
        if words["market"]:
            said = replace(said, known=known_market(words["market"], data_dir))
        tape = _read(files, said)
        market, assumed = market_for(tape, said)
        found = proposed(tape, market, investment, config, simulated_backtest, assumed=assumed)
    except (UnableToReadCandles, UnableToConfigure, UnableToDescribeMarket) as error:
        raise BadInput(str(error)) from None
    commands = commands_of(found, config, files, words)
    if as_json:
        say_json(to_json(found) | {"commands": commands})
        return
    show(found)
    if not candles and found.at_ms < time.time_ns() // 1_000_000 - STALE_MS:
        click.echo(
            f"  ! The newest stored candle is of {utc(found.at_ms)} UTC: {_fetching(words['market'], TIMEFRAME)}"
        )
    click.echo("\n To see every order, and to let it run with paper money (change what you like):\n")
    for command in commands.values():
        click.echo(command + "\n")


def _files(candles: str) -> tuple[Path, ...]:
    return tuple(Path(one.strip()) for one in candles.split(",") if one.strip())


def _read(files: tuple[Path, ...], said: MarketWords) -> Tape:
    tick = said.tick or (said.known.tick if said.known else None)
    decimals = 0 if tick is None else max(0, -int(tick.normalize().as_tuple().exponent))
    return read_tape(files, at_least_decimals=decimals)


def _stored_files(market: str | None, data_dir: Path | None) -> tuple[Path, ...]:
    """The file of the stored candles that serve best. Raises BadInput, with how to get some."""
    if not market:
        raise BadInput("give --candles FILE, or --market with an exchange's market such as binance:BTC/USDT")
    exchange, colon, symbol = market.partition(":")
    if not colon or "/" not in symbol:
        raise BadInput(f"--market is '{market}'; write it like binance:BTC/USDT, or give a file with --candles")
    try:
        key = CandleKey(exchange.lower(), symbol.upper(), TIMEFRAME)
    except UnableToStoreCandles as error:
        raise BadInput(str(error)) from None
    there = [
        one
        for one in list_all(settings_for(data_dir).data_dir)
        if (one.key.exchange, one.key.symbol) == (key.exchange, key.symbol)
        and one.fault is None
        and one.key.interval_ms() <= HOUR_MS
    ]
    long = [one for one in there if _days(one) >= LOOK_BACK_DAYS]
    if not long:
        most = f"the longest has {max(map(_days, there)):.0f} days" if there else "there are none"
        raise BadInput(
            f"a proposal looks at {LOOK_BACK_DAYS} days of candles of {key.exchange} {key.symbol}, of 1h or finer, and "
            f"of those that are stored {most}: {_fetching(market, TIMEFRAME)}"
        )
    return (max(long, key=lambda one: (min(_days(one), FETCH_DAYS - 1), one.last_ms, -one.key.interval_ms())).path,)


def _days(stored: StoredCandles) -> int:
    return (stored.last_ms + stored.key.interval_ms() - stored.first_ms) // DAY_MS


def _fetching(market: str, timeframe: str) -> str:
    """How to fetch enough of them."""
    exchange, _, symbol = market.partition(":")
    first = datetime.now(UTC).date() - timedelta(days=FETCH_DAYS)
    return f"fetch them with: autogrid data download {exchange.lower()} {symbol.upper()} {timeframe} --from {first}"


def commands_of(
    found: Proposed, given: Mapping[str, str], files: tuple[Path, ...], words: Mapping[str, Any]
) -> dict[str, str]:
    """Commands to paste: the preview of the proposal, and a paper bot of it."""
    keys = [f"--set {shlex.quote(f'{key}={value}')}" for key, value in _keys(found, given)]
    money = f"--investment {text(found.investment)}"
    market = found.market
    named_market = [f"--market {shlex.quote(words['market'])}"] if words["market"] else []
    rules = [*named_market, *(_said(words) if named_market else _rules(found))]
    exchange = words["market"].partition(":")[0].lower() if words["market"] else named(files[0]).exchange
    if exchange and market.base != "BASE":
        source = [f"--exchange {exchange}", *_said(words)]
    else:
        source = [f"--tape {shlex.quote(str(files[0]))}", *_rules(found)]
    start = f"--account paper --symbol {market.symbol}"
    return {
        "preview": _lines("autogrid preview grid", [f"--price {text(found.figures.price)} {money}", *rules], keys),
        "create": _lines("autogrid bot create grid", [f"{start} {money}", *source], keys),
    }


def _keys(found: Proposed, given: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """What is proposed first, then what was given."""
    return ((key, found.config[key]) for key in ("lower", "upper", "grids", *given))


def _said(words: Mapping[str, Any]) -> list[str]:
    """The options of the market that were given by hand."""
    options = {name: words[name] for name in ("tick", "lot", "min_notional", "fee", "maker_fee", "taker_fee")}
    given = [f"--{name.replace('_', '-')} {text(value)}" for name, value in options.items() if value is not None]
    return given + ([f"--fee-in {shlex.quote(words['fee_in_words'])}"] if words["fee_in_words"] else [])


def _rules(found: Proposed) -> list[str]:
    """All rules of the market, as options."""
    market = found.market
    names = ("tick", "lot", "min_notional", "maker_fee", "taker_fee")
    paid = market.fee_in
    fee_in = f"{paid.asset}:{text(paid.price)}" if isinstance(paid, ThirdAsset) else paid
    rules = [f"--{name.replace('_', '-')} {text(getattr(market, name))}" for name in names]
    return rules if fee_in == "received" else [*rules, f"--fee-in {fee_in}"]


def _lines(command: str, options: list[str], keys: list[str]) -> str:
    """One command over three lines."""
    return f"{command} {options[0]} \\\n  {' '.join(options[1:])} \\\n  {' '.join(keys)}"
