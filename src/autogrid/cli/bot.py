"""`autogrid bot`: paper bots of one's own."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from autogrid.backtesting.report import harmless
from autogrid.cli import market_lookup
from autogrid.cli.bot_answers import asked, json_option, say_bot
from autogrid.cli.bot_asks import ASKS
from autogrid.cli.markets import market_options, market_words
from autogrid.cli.options import FIGURE, config_options, read_config
from autogrid.cli.output import BadInput, say_json
from autogrid.cli.own import learn_own
from autogrid.cli.place import data_dir_option
from autogrid.services import bots, showing
from autogrid.services.credentials import found
from autogrid.services.markets import MarketWords
from autogrid.services.picture import to_json
from autogrid.services.showing import Shown
from autogrid.storage.bots import PAPER
from autogrid.trading.money import text

SYMBOL = re.compile(r"[A-Za-z0-9]+/[A-Za-z0-9]+")
FILLS_TOLD = 5
"""So many are told by `show`; --json gives more, `autogrid trades` all."""


@click.group()
def bot() -> None:
    """Your bots. `autogrid engine` runs them."""


@bot.command()
@click.argument("strategy")
@click.option("--account", required=True, help="paper (made-up money, no keys), or a name of `autogrid credentials`.")
@click.option("--symbol", required=True, metavar="BASE/QUOTE", help="Such as BTC/USDT.")
@click.option("--investment", required=True, type=FIGURE, help="In quote, such as 1000.")
@click.option("--name", help="What you call it; made from strategy and coin if left out.")
@click.option("--tape", type=click.Path(path_type=Path), metavar="FILE", help="Candles to run on.")
@click.option("--speed", type=FIGURE, help="Candle time per real time on a tape; 0: as fast as it goes.")
@click.option("--exchange", help="Whose live prices it sees, without a tape.  [default: binance]")
@click.option("--risk", type=click.Choice(["on", "off"]), default="on", help="Rules that watch windows of time.")
@config_options
@market_options
@data_dir_option
@json_option
def create(  # noqa: PLR0913, PLR0917
    strategy: str,
    account: str,
    symbol: str,
    investment: Decimal,
    name: str | None,
    tape: Path | None,
    speed: Decimal | None,
    exchange: str | None,
    risk: str,
    settings: tuple[str, ...],
    config_file: Path | None,
    data_dir: Path | None,
    as_json: bool,
    **words: Any,
) -> None:
    """Make a bot. It does nothing until it is started."""
    learn_own(data_dir, strategy)
    said = market_words(**words)
    if SYMBOL.fullmatch(symbol) is None:
        raise BadInput(f"--symbol is '{symbol}'; write it as BASE/QUOTE, such as BTC/USDT")
    if name is not None and not name.strip():
        raise BadInput("--name is empty; give one, or leave it out")
    if speed is not None and (tape is None or speed < 0):
        raise BadInput("--speed goes with --tape, and is 0 or more")
    if tape is not None and exchange is not None:
        raise BadInput("give --tape or --exchange, not both")
    if account != PAPER:
        its = asked(data_dir, lambda database: found(database, account)).exchange
        if exchange is not None and exchange.lower() != its:
            raise BadInput(f"account {account} is on {its}; leave --exchange out")
        exchange = its
    seen = None if tape is not None else (exchange or "binance").lower()
    if seen is not None:
        market = market_lookup.look_up(seen, symbol.upper(), data_dir)
        said = _with_known(said, market)
    request = bots.BotRequest(
        strategy=strategy,
        account=account,
        symbol=symbol,
        investment=investment,
        config=read_config(settings, config_file),
        words=said,
        name=name,
        tape=tape,
        speed=speed if speed is not None else Decimal(60),
        exchange=seen,
        risk=risk == "on",
    )
    say_bot(asked(data_dir, lambda database: bots.create(database, request)), as_json, "made")


def _with_known(words: MarketWords, market: Any) -> MarketWords:
    return MarketWords(
        words.tick, words.lot, words.min_notional, words.maker_fee, words.taker_fee, words.fee_in, words.known or market
    )


@bot.command()
@click.argument("meant", metavar="BOT")
@data_dir_option
@json_option
def start(meant: str, data_dir: Path | None, as_json: bool) -> None:
    """Want BOT to run; one that was paused goes on."""
    say_bot(asked(data_dir, lambda database: bots.start(database, meant)), as_json, "wanted; `autogrid engine` runs it")


@bot.command()
@click.argument("meant", metavar="BOT")
@click.option("--cancel", is_flag=True, help="Take resting orders out, too.")
@data_dir_option
@json_option
def pause(meant: str, cancel: bool, data_dir: Path | None, as_json: bool) -> None:
    """Place no new orders; resting ones stay, unless --cancel."""
    say_bot(asked(data_dir, lambda database: bots.pause(database, meant, cancel=cancel)), as_json, "will pause")


@bot.command()
@click.argument("meant", metavar="BOT")
@click.option("--sell", is_flag=True, help="Sell its coins at market; else they are kept.")
@data_dir_option
@json_option
def stop(meant: str, sell: bool, data_dir: Path | None, as_json: bool) -> None:
    """End BOT: its orders go, its coins are kept, or sold with --sell."""
    say_bot(asked(data_dir, lambda database: bots.stop(database, meant, sell=sell)), as_json, "will end")


@bot.command()
@click.argument("meant", metavar="BOT")
@config_options
@click.option("--yes", is_flag=True, help="Do it without showing the difference first.")
@data_dir_option
@json_option
def edit(
    meant: str, settings: tuple[str, ...], config_file: Path | None, yes: bool, data_dir: Path | None, as_json: bool
) -> None:
    """Change BOT's configuration. What it does to the resting orders is shown first."""
    config = read_config(settings, config_file)
    change = asked(data_dir, lambda database: showing.edit_preview(database, meant, config))
    if not yes and not as_json:
        click.echo(change)
        click.confirm("Change it so?", abort=True)
    say_bot(asked(data_dir, lambda database: bots.edit(database, meant, config)), as_json, "will change")


@bot.command()
@click.argument("meant", metavar="BOT")
@data_dir_option
@json_option
def delete(meant: str, data_dir: Path | None, as_json: bool) -> None:
    """Take BOT away from sight; refused while its orders may trade."""
    say_bot(asked(data_dir, lambda database: bots.remove(database, meant)), as_json, "deleted")


@bot.command("list")
@data_dir_option
@json_option
def list_(data_dir: Path | None, as_json: bool) -> None:
    """All bots."""
    rows = asked(data_dir, showing.bots)
    if as_json:
        say_json({"bots": [bots.bot_json(row) for row in rows]})
        return
    if not rows:
        click.echo("There are no bots yet. Make one with: autogrid bot create grid --account paper …")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("id", "name", "symbol", "state", "wanted", "investment", ""):
        table.add_column(title)
    for row in rows:
        table.add_row(row.id, row.name, row.symbol, row.actual, row.wanted, text(row.investment), row.reason)
    Console().print(table)


@bot.command()
@click.argument("meant", metavar="BOT")
@data_dir_option
@json_option
def show(meant: str, data_dir: Path | None, as_json: bool) -> None:
    """What BOT owns, has earned and has out."""
    shown = asked(data_dir, lambda database: showing.show(database, meant))
    if as_json:
        say_json(_show_json(shown))
        return
    row, picture = shown.row, shown.picture
    because = f" ({row.reason})" if row.reason else ""
    click.echo(f"{row.name} ({row.id}): {row.strategy} on {row.symbol}, {row.actual}{because}")
    if picture is None:
        click.echo(f"It never ran. Start it with: autogrid bot start {row.name}, then: autogrid engine")
        return
    if row.actual == "running" != picture.state_words:
        click.echo(f"  {harmless(picture.state_words)}")
    is_grid = picture.strategy == "grid"
    for name in ("equity", "total_profit", "grid_profit", "trend_profit", "hold_profit"):
        title = "closed trades" if name == "grid_profit" and not is_grid else name.replace("_", " ")
        click.echo(f"  {title:14} {_cents(getattr(picture, name)):>18} {picture.quote_asset}")
    fees = ", ".join(f"{text(fee)} {asset}" for asset, fee in picture.fees.items())
    click.echo(f"  {'fees paid':14} {fees}")
    click.echo(
        f"  {'owns':14} {text(picture.quote):>18} {picture.quote_asset} + {text(picture.base)} {picture.base_asset}"
    )
    closed = "round trips" if is_grid else "trades closed"
    out = "1 order" if len(picture.orders) == 1 else f"{len(picture.orders)} orders"
    click.echo(f"  {picture.round_trips} {closed}, {out} out")
    for order in picture.orders:
        click.echo(f"    {order.side:4} {text(order.quantity):>14} at {text(order.price):>14}  {order.words}")
        _say_why(order.why)
    if picture.fills:
        click.echo("  the last fills")
    for fill in picture.fills[:FILLS_TOLD]:
        profit = "" if fill.profit is None else f"  {fill.profit:+.4f} {picture.quote_asset}"
        at = f"{datetime.fromtimestamp(fill.at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
        click.echo(f"    {at} {fill.side:4} {text(fill.quantity):>14} at {text(fill.price):>14}{profit}")
        _say_why(fill.why)
    for notice in shown.notices[:3]:
        click.echo(f"  ! {harmless(notice)}")


def _say_why(why: str) -> None:
    if why:
        click.echo(f"         {harmless(why)}")


def _cents(number: Decimal) -> str:
    return f"{number.quantize(Decimal('0.01')):,}"


def _show_json(shown: Shown) -> dict[str, object]:
    found = bots.bot_json(shown.row)
    if shown.picture is not None:
        seen = to_json(shown.picture)
        found |= {key: value for key, value in seen.items() if key not in ("state", "name")}
        found["activity"] = seen.get("state")
    else:
        zero = dict.fromkeys(("total_profit", "grid_profit", "trend_profit", "hold_profit", "base"), "0")
        money = text(shown.row.investment)
        found |= {**zero, "quote": money, "equity": money, "fees": {}, "orders": [], "fills": [], "reasons": []}
    return found | {"state": shown.row.actual, "notices": list(shown.notices)}


@bot.command()
@click.argument("meant", metavar="BOT")
@data_dir_option
@json_option
def why(meant: str, data_dir: Path | None, as_json: bool) -> None:
    """Why BOT has no order at a line, in words."""
    shown = asked(data_dir, lambda database: showing.show(database, meant))
    reasons = list(shown.picture.reasons) if shown.picture else ["It never ran."]
    if shown.row.reason:
        reasons.insert(0, shown.row.reason)
    if as_json:
        say_json({"id": shown.row.id, "reasons": reasons, "notices": list(shown.notices)})
        return
    for notice in shown.notices[:3]:
        click.echo(f"- lately: {harmless(notice)}")
    for reason in reasons or ["Every line that should have an order has one."]:
        click.echo(f"- {reason}")


@bot.command()
@click.argument("meant", metavar="BOT")
@data_dir_option
@json_option
def replay(meant: str, data_dir: Path | None, as_json: bool) -> None:
    """Decide every step of BOT's journal again: each must come out as it was kept."""
    row, done = asked(data_dir, lambda database: showing.check(database, meant))
    if as_json:
        differs = done.difference and done.difference._asdict()
        say_json({"id": row.id, "steps": done.steps, "equal": done.difference is None, "difference": differs})
    elif done.difference is None:
        click.echo(f"{row.name}: {done.steps} steps decided again, all as they were kept.")
    else:
        click.echo(f"{row.name}: step {done.difference.seq} comes out differently ({done.difference.what}).")
    if done.difference is not None:
        raise click.exceptions.Exit(1)


for _command in ASKS:
    bot.add_command(_command)
