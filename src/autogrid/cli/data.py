"""`autogrid data`: candles downloaded, imported, listed, checked."""

import asyncio
import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from autogrid.backtesting.candle_faults import UnableToReadCandles
from autogrid.backtesting.candle_report import CandleReport
from autogrid.backtesting.candle_store import CandleKey, StoredCandles, UnableToStoreCandles
from autogrid.backtesting.candle_warnings import count, timeframe_name
from autogrid.cli.output import BadInput, UnableToGoOn, say_json
from autogrid.services import candles
from autogrid.services.candles import Fetch, Naming, Told, UnableToFetchCandles
from autogrid.settings import UnableToReadSettings, load_settings
from autogrid.trading.money import ZERO, text

Command = TypeVar("Command", bound=Callable[..., Any])

AWAY = frozenset({"exchange_away", "exchange_refused", "bad_answer"})
"""Faults of an exchange, not of what was asked for."""
SOURCE = "autogrid.cli.candle_source"
DATA_DIR = click.option("--data-dir", metavar="DIR", help="Where candles are kept; wins over AUTOGRID_DATA_DIR.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")


@click.group()
def data() -> None:
    """Candles: download them from an exchange, import, list and check files."""


@data.command()
@click.argument("exchange")
@click.argument("symbol")
@click.argument("timeframe")
@click.option("--from", "first", required=True, metavar="YYYY-MM-DD", help="First day, UTC, included.")
@click.option("--to", "last", metavar="YYYY-MM-DD", help="Last day, UTC, included whole; without it: until now.")
@DATA_DIR
@AS_JSON
def download(
    exchange: str, symbol: str, timeframe: str, first: str, last: str | None, data_dir: str | None, as_json: bool
) -> None:
    """Fetch candles that are not stored yet, such as: binance BTC/USDT 1m --from 2025-05-20.

    Needs no account. What came is kept when it breaks off; the same command goes on from there.
    """
    with _told_in_sentences():
        folder = _folder(data_dir)
        key = CandleKey(exchange.lower(), symbol.upper(), timeframe)
        start_ms, end_ms = candles.period(
            _day("--from", first), None if last is None else _day("--to", last), time.time_ns() // 1_000_000
        )
        with _bar(f"{key.exchange} {key.symbol} {key.timeframe}") as told:
            fetch: Fetch = cast(Fetch, importlib.import_module(SOURCE).fetch)
            done = asyncio.run(candles.download(folder, key, start_ms, end_ms, fetch, told))
    if as_json:
        say_json(_stored(done.stored) | {"fetched": done.fetched})
        return
    click.echo(f"Fetched {count(done.fetched, 'candle')}. {_sentence(done.stored)}")


@data.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--exchange", help="Whose candles they are, such as binance; without it: what the file's name says.")
@click.option("--symbol", help="Such as BTC/USDT; without it: what the file's name says.")
@click.option("--timeframe", help="Such as 1m; without it: what the file's name or its times say.")
@click.option("--replace", is_flag=True, help="Where stored candles differ from the file's, take the file's.")
@DATA_DIR
@AS_JSON
def import_(
    file: Path,
    exchange: str | None,
    symbol: str | None,
    timeframe: str | None,
    replace: bool,
    data_dir: str | None,
    as_json: bool,
) -> None:
    """Keep the candles of FILE: Parquet, CSV, JSON, feather, gzip or zip."""
    with _told_in_sentences():
        done = candles.import_file(_folder(data_dir), file, Naming(exchange, symbol, timeframe), replace=replace)
    if as_json:
        say_json(_stored(done.stored) | {"added": done.added, "warnings": done.warnings})
        return
    click.echo(f"Added {count(done.added, 'candle')}. {_sentence(done.stored)}")
    for warning in done.warnings:
        click.echo(f"Note: {warning}", err=True)


@data.command("list")
@DATA_DIR
@AS_JSON
def list_(data_dir: str | None, as_json: bool) -> None:
    """All stored candles."""
    with _told_in_sentences():
        folder = _folder(data_dir)
        stored = candles.list_all(folder)
    if as_json:
        say_json({"data_dir": folder, "candles": [_stored(one) for one in stored]})
        return
    for one in stored:
        click.echo(_sentence(one))
    if not stored:
        click.echo(f"No candles in {folder}; try: autogrid data download binance BTC/USDT 1h --from 2025-01-01")


@data.command()
@click.argument("file", type=click.Path(path_type=Path))
@AS_JSON
def check(file: Path, as_json: bool) -> None:
    """Read FILE to its end and tell all there is to know of it; exit 2 where a backtest would refuse it."""
    report = candles.check_file(file)
    if as_json:
        say_json(_report(report))
    else:
        _tell(report)
    if report.unreadable is not None:
        raise BadInput(report.unreadable)
    if not report.good:
        raise BadInput(f"{report.faults[0].sentence(report.source)} {_in_all(report)}")


@contextmanager
def _told_in_sentences() -> Iterator[None]:
    """What can go wrong, as exit 2 where it is the input's fault, else as exit 1."""
    try:
        yield
    except UnableToFetchCandles as error:
        raise (UnableToGoOn if error.code in AWAY else BadInput)(error.sentence) from None
    except (UnableToReadCandles, UnableToStoreCandles, UnableToReadSettings) as error:
        raise BadInput(str(error)) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise UnableToGoOn(f"{place}{error.strerror or error}.") from None


def _folder(data_dir: str | None) -> Path:
    return load_settings(data_dir).data_dir


def _day(option: str, words: str) -> date:
    try:
        return datetime.strptime(words, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise BadInput(f"{option} is '{words}'; write a day as 2025-05-20.") from None


@contextmanager
def _bar(name: str) -> Iterator[Told]:
    """A bar on standard error; nothing where that is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _rows, _share: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(name, total=1.0)
        yield lambda rows, share: progress.update(task, completed=share, description=f"{name}, {rows:,} candles")


def _stored(stored: StoredCandles) -> dict[str, Any]:
    readable = stored.fault is None
    return {
        "exchange": stored.key.exchange,
        "symbol": stored.key.symbol,
        "timeframe": stored.key.timeframe,
        "path": stored.path,
        "rows": stored.rows,
        "from": _iso(stored.first_ms) if readable else None,
        "to": _iso(stored.last_ms) if readable else None,
        "gaps": stored.gaps,
        "missing": stored.missing,
        "bytes": stored.bytes,
        "fault": stored.fault,
    }


def _sentence(stored: StoredCandles) -> str:
    key = stored.key
    name = f"{key.exchange} {key.symbol} {key.timeframe}"
    if stored.fault is not None:
        return f"{name}: {stored.fault}"
    holes = f", {stored.missing} missing in {count(stored.gaps, 'hole')}" if stored.gaps else ""
    return (
        f"{name}: {count(stored.rows, 'candle')} from {_minute(stored.first_ms)} to {_minute(stored.last_ms)} UTC"
        f"{holes}; {stored.path}"
    )


def _report(report: CandleReport) -> dict[str, Any]:
    return {
        "source": report.source,
        "good": report.good,
        "rows": report.rows,
        "from": _iso(report.first_ms),
        "to": _iso(report.last_ms),
        "timeframe": None if report.interval_ms is None else timeframe_name(report.interval_ms),
        "gaps": [{"after": _iso(gap.after_ms), "missing": gap.missing} for gap in report.gaps],
        "missing": report.missing,
        "zero_volume": report.zero_volume,
        "decimals": report.decimals,
        "tick": report.tick,
        "warnings": report.warnings,
        "faults": [{"code": fault.code, "row": fault.row, "says": fault.says} for fault in report.faults],
        "fault_count": report.fault_count,
        "fault_codes": report.fault_codes,
        "unreadable": report.unreadable,
    }


def _tell(report: CandleReport) -> None:
    if report.first_ms is not None and report.last_ms is not None:
        frame = f"{timeframe_name(report.interval_ms)} " if report.interval_ms else ""
        click.echo(
            f"{report.source}: {report.rows} {frame}candles from {_minute(report.first_ms)} to "
            f"{_minute(report.last_ms)} UTC"
        )
    if report.good:
        click.echo(f"Prices have up to {report.decimals} decimals, all multiples of {text(report.tick or ZERO)}.")
        holes = f"{report.missing} missing in {count(len(report.gaps), 'hole')}" if report.gaps else "none missing"
        click.echo(f"Candles: {holes}, {report.zero_volume} without volume.")
    for warning in report.warnings:
        click.echo(f"Note: {warning}")
    for fault in report.faults:
        click.echo(f"Fault: {fault.sentence(report.source)}")
    if report.good:
        click.echo("A backtest takes this file.")


def _in_all(report: CandleReport) -> str:
    return "It is the only fault." if report.fault_count == 1 else f"There are {report.fault_count} faults in all."


def _iso(ms: int | None) -> str | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def _minute(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}"
