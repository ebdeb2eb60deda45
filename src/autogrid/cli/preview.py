"""`autogrid preview`: what a strategy would do at a price, before any money moves."""

import importlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autogrid.backtesting.candle_faults import UnableToReadCandles
from autogrid.backtesting.tapes import read_tape
from autogrid.cli.markets import market_options, market_words
from autogrid.cli.options import FIGURE, config_options, read_config
from autogrid.cli.output import BadInput, say_json
from autogrid.cli.own import learn_own, own_folder_option
from autogrid.services.markets import UnableToDescribeMarket, market_at, market_for
from autogrid.services.previews import preview_json, preview_of
from autogrid.trading.market import Market
from autogrid.trading.money import Price, text, use_exact_figures
from autogrid.trading.strategies.catalogue import entry
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid.preview import GridPreview
from autogrid.trading.strategies.preview import Preview


@click.command()
@click.argument("strategy")
@click.option("--price", type=FIGURE, help="The price at start; left out, the market's last one.")
@click.option("--investment", required=True, type=FIGURE, help="In quote, such as 1000.")
@config_options
@market_options
@own_folder_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def preview(
    strategy: str,
    price: Decimal | None,
    investment: Decimal,
    settings: tuple[str, ...],
    config_file: Path | None,
    data_dir: Path | None,
    as_json: bool,
    **words: Any,
) -> None:
    """Show every order STRATEGY would place, what it could earn and lose, and what to mind.

    --market takes an exchange's market (binance:BTC/USDT) or a file of candles.
    """
    learn_own(data_dir, strategy)
    use_exact_figures()
    config = read_config(settings, config_file)
    try:
        market, at, assumed = _market(price, words)
        shown = preview_of(strategy, config, market, investment, at)
    except (UnableToReadCandles, UnableToConfigure, UnableToDescribeMarket) as error:
        raise BadInput(str(error)) from None
    if as_json:
        say_json(preview_json(strategy, config, market, investment, shown) | {"assumed_rules": list(assumed)})
        return
    if isinstance(shown, GridPreview):
        _show(Console(), market, investment, shown)
    else:
        _show_table(
            Console(), f"{entry(strategy).title} on {market.symbol}", f"{text(investment)} {market.quote}", shown
        )
    if assumed:
        rules = ", ".join(f"{name.replace('_', ' ')} {text(getattr(market, name))}" for name in assumed)
        click.echo(f"  Rules of the market that nobody gave were assumed: {rules}. --market takes an exchange's own.\n")


def _market(price: Price | None, words: dict[str, Any]) -> tuple[Market, Price, tuple[str, ...]]:
    """The market, the price to start at (as given, or its last one), and the rules that had to be assumed."""
    named = words["market"]
    if named and Path(named).exists():
        tape = read_tape((Path(named),))
        last = Decimal(int(tape.prices[-1, 3])) * tape.unit
        market, assumed = market_for(tape, market_words(**(words | {"market": None})))
        return market, price if price is not None else last, assumed
    said = market_words(**words)
    if price is None and named:
        price = importlib.import_module("autogrid.cli.market_lookup").last_price(named)
    if price is None:
        raise BadInput("give --price, the price at start, or --market with an exchange's market or a file of candles")
    if price <= 0:
        raise BadInput(f"--price is {text(price)}; it must be above 0")
    decimals = max(2, -int(price.normalize().as_tuple().exponent))
    market, assumed = market_at(price, Decimal(1).scaleb(-decimals), ("BASE", "QUOTE"), said)
    return market, price, assumed


def _show(console: Console, market: Market, investment: Decimal, shown: GridPreview) -> None:
    quote, base = market.quote, market.base
    console.print(f"\n [bold]Grid on {market.symbol} at {text(shown.price)}[/bold], {text(investment)} {quote}\n")
    if shown.opening:
        console.print(f"  At the start it buys {text(shown.opening)} {base} for {_cents(shown.opening_cost)} {quote},")
        console.print(f"  {_cents(shown.quote_left)} {quote} rest in buys below and in the reserve.\n")
    table = Table(box=None, padding=(0, 2, 0, 2), header_style="dim")
    for title in ("price", "order", "quantity", "value"):
        table.add_column(title, justify="left" if title == "order" else "right")
    table.add_column("")
    for line in shown.lines:
        side = Text("–", "dim") if line.side is None else Text(line.side, "green" if line.side == "buy" else "red")
        blank = line.side is None
        table.add_row(
            text(line.price),
            side,
            "" if blank else text(line.quantity),
            "" if blank else _cents(line.value),
            Text(line.breach or "", "bold red"),
        )
    console.print(table)
    facts = Table.grid(padding=(0, 2))
    low, high = _percent(shown.profit_low), _percent(shown.profit_high)
    facts.add_row("  One round trip earns", f"{low if low == high else f'{low} to {high}'} after fees")
    facts.add_row("  Least investment", f"{text(shown.least_investment)} {quote}")
    for name, where, worth in shown.equity_at:
        facts.add_row(f"  Worth at {name} ({text(where)})", f"{_cents(worth)} {quote}")
    facts.add_row("  Change at the lowest line", f"{_cents(shown.loss_at_lower)} {quote}")
    if shown.loss_at_stop is not None:
        facts.add_row("  At the stop-loss", f"{_cents(shown.loss_at_stop)} {quote}")
    console.print()
    console.print(facts)
    for warning in shown.warnings:
        console.print(f"  [yellow]![/yellow] {warning}")
    console.print()


def _show_table(console: Console, title: str, funds: str, shown: Preview) -> None:
    console.print(f"\n [bold]{title} at {text(shown.price)}[/bold], {funds}\n")
    if shown.rows:
        table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
        table.add_column("")
        for column in shown.columns:
            table.add_column(column.title, justify="right", no_wrap=True)
        for row in shown.rows:
            table.add_row("", *row.cells)
        console.print(table)
        for row in shown.rows:
            if row.breach is not None:
                console.print(f"  [bold red]{row.cells[0]}: {row.breach}[/bold red]")
        console.print()
    facts = Table.grid(padding=(0, 2))
    for fact in shown.facts:
        facts.add_row(f"  {fact.title}", f"{fact.value} {fact.unit}".rstrip())
    console.print(facts)
    for warning in shown.warnings:
        console.print(f"  [yellow]![/yellow] {warning}")
    console.print()


def _cents(number: Decimal) -> str:
    return f"{number.quantize(Decimal('0.01')):,}"


def _percent(number: Decimal) -> str:
    return f"{(number * 100).quantize(Decimal('0.001'))} %"
