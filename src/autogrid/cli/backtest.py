"""`autogrid backtest`: a strategy over past candles."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import click
from rich.console import Console

from autogrid.backtesting.candle_faults import UnableToReadCandles
from autogrid.backtesting.page import write_page
from autogrid.backtesting.report import summary
from autogrid.backtesting.result import to_json
from autogrid.cli.markets import market_options, market_words
from autogrid.cli.options import FIGURE, config_options, read_config
from autogrid.cli.output import BadInput, say_json
from autogrid.cli.own import learn_own, own_folder_option
from autogrid.exchanges.simulated import UnableToSettle
from autogrid.services.backtests import BacktestRequest
from autogrid.services.backtests import backtest as run_backtest
from autogrid.services.markets import UnableToDescribeMarket
from autogrid.trading.money import use_exact_figures
from autogrid.trading.strategies.catalogue import entry
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.wiring.simulation import backtest as simulated_backtest


@click.command()
@click.argument("strategy")
@click.option("--candles", required=True, metavar="FILE[,FILE…]", help="Parquet, CSV, feather, gzip or zip.")
@click.option("--investment", required=True, type=FIGURE, help="In quote, such as 1000.")
@config_options
@market_options
@click.option("--path", type=click.Choice(["normal", "reversed", "band"]), default="normal", help="High or low first.")
@click.option("--fill", type=click.Choice(["touch", "through"]), default="touch", help="When a resting order fills.")
@click.option("--slippage", type=FIGURE, default="0", help="Share by which market orders fill worse.")
@click.option("--latency-ms", type=click.IntRange(0, 3_600_000), default=0, help="How long an order is under way.")
@click.option("--participation", type=FIGURE, help="Share of a candle's volume that may fill within it.")
@click.option("--risk", type=click.Choice(["on", "off"]), default="off", help="Rules that watch windows of time.")
@click.option("--timeframe", help="The strategy's own candles, such as 15m, made from finer ones.")
@click.option("--from", "start", metavar="YYYY-MM-DD", help="First day, included.")
@click.option("--to", "end", metavar="YYYY-MM-DD", help="Last day, included whole.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for result.json and result.html.")
@own_folder_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def backtest(as_json: bool, out: Path | None, data_dir: Path | None, **given: Any) -> None:
    """Run STRATEGY over past candles, with the very code that trades."""
    learn_own(data_dir, given["strategy"])
    use_exact_figures()
    try:
        result = run_backtest(_request(**given, compare=not as_json or out is not None), simulated_backtest)
    except (UnableToReadCandles, UnableToConfigure, UnableToDescribeMarket, UnableToSettle) as error:
        raise BadInput(str(error)) from None
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
            (out / "result.json").write_text(json.dumps(to_json(result, curves=True)), encoding="utf-8")
            write_page(result, out / "result.html")
        except OSError as error:
            raise BadInput(f"--out {out} is no folder that can be written to ({error.strerror or error})") from None
    if as_json:
        say_json(to_json(result, curves=False))
        return
    console = Console()
    console.print(summary(result))
    if out is not None:
        console.print(f" Written: {out / 'result.html'} and {out / 'result.json'}\n")


def _request(  # noqa: PLR0913
    *,
    strategy: str,
    candles: str,
    investment: Decimal,
    settings: tuple[str, ...],
    config_file: Path | None,
    path: Literal["normal", "reversed", "band"],
    fill: Literal["touch", "through"],
    slippage: Decimal,
    latency_ms: int,
    participation: Decimal | None,
    risk: str,
    timeframe: str | None,
    start: str | None,
    end: str | None,
    compare: bool,
    **words: Any,
) -> BacktestRequest:
    if not 0 <= slippage < 1:
        raise BadInput(f"--slippage is {slippage}; it is a fraction from 0 to below 1, 0.001 is 0.1 %")
    if participation is not None and not 0 < participation <= 1:
        raise BadInput(f"--participation is {participation}; it is a fraction above 0 and up to 1")
    first, last = _day("--from", start), _day("--to", end)
    if first is not None and last is not None and first > last:
        raise BadInput(f"--from {first} is after --to {last}; exchange them")
    return BacktestRequest(
        strategy=strategy,
        candles=tuple(Path(one.strip()) for one in candles.split(",") if one.strip()),
        investment=investment,
        config=_with_timeframe(strategy, read_config(settings, config_file), timeframe),
        words=market_words(**words),
        path=path,
        fill=fill,
        slippage=slippage,
        latency_ms=latency_ms,
        participation=participation,
        risk=risk == "on",
        start=first,
        end=last,
        compare=compare,
    )


def _with_timeframe(strategy: str, config: dict[str, str], timeframe: str | None) -> dict[str, str]:
    """`--timeframe` is short for the key of that name."""
    if timeframe is None:
        return config
    if not any(field.key == "timeframe" for field in entry(strategy).fields):
        raise BadInput(f"--timeframe {timeframe}: {strategy} looks at no candles of its own; leave it out")
    if config.get("timeframe", timeframe) != timeframe:
        raise BadInput(f"--timeframe is {timeframe} and timeframe={config['timeframe']}; give one of them")
    return {**config, "timeframe": timeframe}


def _day(option: str, words: str | None) -> date | None:
    if words is None:
        return None
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise BadInput(f"{option} is '{words}', which is no day; write one as 2025-05-20") from None
