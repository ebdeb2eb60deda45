"""`autogrid simulator`: exchanges that are not there, speaking the real protocols, until stopped."""

import asyncio
import contextlib
import json
import random
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

import click

from autogrid.backtesting.candle_faults import UnableToReadCandles
from autogrid.backtesting.tapes import Tape, read_tape
from autogrid.simulator.certificate import make_certificates
from autogrid.simulator.control import Control, fault_of
from autogrid.simulator.faults import Fault, Faults, UnableToPlan
from autogrid.simulator.price_source import Prices, Step, tape_history, tape_steps, usual_market, walk_steps
from autogrid.simulator.records import Key
from autogrid.simulator.running import PROTOCOLS, Exchange, make_world
from autogrid.simulator.server import LOOPBACK, Listening, make_app
from autogrid.trading.money import use_exact_figures

ACCOUNT: Final = "user"
FUNDS: Final = Decimal(100_000)
"""Of the quote asset; of each base asset, what half of that buys."""
START: Final = {"BTC": Decimal(60_000), "ETH": Decimal(3_000)}
"""Where a walk begins; elsewhere at 100."""


class Wanted(NamedTuple):
    """What the command line asks for."""

    exchanges: tuple[str, ...]
    symbols: tuple[str, ...]
    tapes: tuple[Tape, ...]
    """Of the first symbols."""
    history: int
    speed: float
    seed: int
    faults: tuple[Fault, ...]
    port: int
    folder: Path


@click.command()
@click.option("--exchange", "exchanges", default="binance", show_default=True, help="Such as binance,bybit,mexc.")
@click.option("--symbol", "symbols", multiple=True, metavar="BASE/QUOTE", help="A market; may be repeated.")
@click.option("--candles", multiple=True, type=click.Path(path_type=Path), help="Its prices; one for each --symbol.")
@click.option("--history", default=0, show_default=True, help="First candles of the file that count as past already.")
@click.option("--speed", default=1.0, show_default=True, help="Time of the candles per real time; 0: at once.")
@click.option("--seed", default=1, show_default=True, help="Of faults, keys, and the prices without candles.")
@click.option("--faults", type=click.Path(path_type=Path), help="A JSON list of faults.")
@click.option("--port", default=28443, show_default=True, help="The first exchange's; then upwards. 0: free ones.")
@click.option("--dir", "folder", type=click.Path(path_type=Path), help="For ca.pem; else a new one.")
@click.option("--json", "as_json", is_flag=True, help="Say it as one JSON object on one line.")
def simulator(  # noqa: PLR0913, PLR0917 (options of a command)
    exchanges: str,
    symbols: tuple[str, ...],
    candles: tuple[Path, ...],
    history: int,
    speed: float,
    seed: int,
    faults: Path | None,
    port: int,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Exchanges for trying out: real protocols, fake money, faults on demand; on this machine only.

    Prints what to set so that AutoGrid trades there. Ends with Ctrl-C.
    """
    use_exact_figures()
    names = tuple(name.strip().lower() for name in exchanges.split(",") if name.strip())
    unknown = [name for name in names if name not in PROTOCOLS]
    if unknown or not names:
        raise click.UsageError(f"--exchange: there are {', '.join(PROTOCOLS)}; not {', '.join(unknown) or 'none'}")
    symbols = symbols or ("BTC/USDT",)
    if any(len(symbol.split("/")) != 2 for symbol in symbols):
        raise click.UsageError("--symbol: write it like BTC/USDT")
    if len(candles) > len(symbols):
        raise click.UsageError("--candles: there are more files than --symbol")
    with _told_in_sentences():
        tapes = tuple(read_tape([path]) for path in candles)
        planned = () if faults is None else _faults(faults)
        wanted = Wanted(names, symbols, tapes, history, speed, seed, planned, port, folder or _new_folder())
        asyncio.run(_run(wanted, as_json=as_json))


@contextlib.contextmanager
def _told_in_sentences() -> Iterator[None]:
    try:
        yield
    except UnableToReadCandles as error:
        raise click.UsageError(str(error)) from None
    except UnableToPlan as error:
        raise click.UsageError(f"--faults: {error}") from None


def _faults(path: Path) -> tuple[Fault, ...]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnableToPlan(f"{path.name} is not a file of JSON: {error}") from None
    return tuple(fault_of(one) for one in (told if isinstance(told, list) else [told]))


def _new_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="autogrid-simulator-"))


async def _run(wanted: Wanted, *, as_json: bool) -> None:
    """Serve until a signal comes."""
    starts = [_start(wanted, index) for index in range(len(wanted.symbols))]
    tls = make_certificates(wanted.folder)
    exchanges = [_exchange(name, wanted, starts) for name in wanted.exchanges]
    worlds = [one.world for one in exchanges]
    prices = [
        Prices(symbol, _steps(wanted, index), worlds, wanted.speed) for index, symbol in enumerate(wanted.symbols)
    ]
    for one in prices:
        one.first()
    async with contextlib.AsyncExitStack() as stack:
        for index, exchange in enumerate(exchanges):
            port = wanted.port + index if wanted.port else 0
            exchange.listening = await stack.enter_async_context(Listening(exchange.listening.app, tls, port))
        last = wanted.port + len(exchanges) if wanted.port else 0
        control = await stack.enter_async_context(Listening(Control(exchanges, prices).app(), None, last))
        moving = [asyncio.create_task(one.run()) for one in prices]
        stopped = _stopped()
        _say(wanted, exchanges, control.port, as_json=as_json)
        await stopped.wait()
        for task in moving:
            task.cancel()
        await asyncio.gather(*moving, return_exceptions=True)


def _start(wanted: Wanted, index: int) -> Decimal:
    if index < len(wanted.tapes):
        tape = wanted.tapes[index]
        return int(tape.prices[0][0]) * tape.unit
    return START.get(wanted.symbols[index].split("/")[0], Decimal(100))


def _steps(wanted: Wanted, index: int) -> Iterator[Step]:
    if index < len(wanted.tapes):
        return tape_steps(wanted.tapes[index], _past(wanted, wanted.tapes[index]))
    return walk_steps(wanted.seed + index, _start(wanted, index))


def _past(wanted: Wanted, tape: Tape) -> int:
    return min(wanted.history, len(tape) - 1)


def _exchange(name: str, wanted: Wanted, starts: Sequence[Decimal]) -> Exchange:
    """One exchange with its markets, an account with fake funds, and its faults; not yet listening."""
    markets, funds = {}, {}
    for symbol, price in zip(wanted.symbols, starts, strict=True):
        base, quote = symbol.split("/")
        markets[symbol] = usual_market(base, quote, price)
        funds[quote] = FUNDS
        funds.setdefault(base, markets[symbol].quantity(FUNDS / 2 / price))
    world = make_world(name, markets, _wall_ms)
    world.add_account(ACCOUNT, funds)
    world.add_key(_key(name, wanted.seed))
    for symbol, tape in zip(wanted.symbols, wanted.tapes, strict=False):
        world.hand_history(symbol, tape_history(tape, _past(wanted, tape), _wall_ms()), tape.interval_ms)
    faults = Faults(wanted.seed)
    for fault in wanted.faults:
        faults.add(fault)
    return Exchange(name, world, faults, Listening(make_app(PROTOCOLS[name].add_routes, world, faults)))


def _key(name: str, seed: int) -> Key:
    chance = random.Random(f"{name}{seed}")  # noqa: S311 (these keys open nothing)
    key, secret = (f"simulator{chance.getrandbits(96):024x}" for _ in range(2))
    return Key(key, secret, ACCOUNT)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _say(wanted: Wanted, exchanges: Sequence[Exchange], control_port: int, *, as_json: bool) -> None:
    """What a user, or a program, needs to know to trade here."""
    ca_file = str((wanted.folder / "ca.pem").resolve())
    keys = {one.name: _key(one.name, wanted.seed) for one in exchanges}
    if as_json:
        told = {
            one.name: {"port": one.listening.port, "key": keys[one.name].key, "secret": keys[one.name].secret}
            for one in exchanges
        }
        click.echo(json.dumps({"exchanges": told, "control": control_port, "ca_file": ca_file}))
        return
    click.echo("Simulated exchanges: no real money, reachable from this machine only. Before `autogrid engine`:\n")
    for one in exchanges:
        prefix = f"export AUTOGRID_EXCHANGES__{one.name.upper()}__"
        click.echo(f"{prefix}CONNECT_TO={LOOPBACK}:{one.listening.port}\n{prefix}CA_FILE={ca_file}")
    click.echo("")
    for one in exchanges:
        click.echo(f"{one.name}: API key {keys[one.name].key}, secret {keys[one.name].secret}")
    click.echo(f"\nControl: http://{LOOPBACK}:{control_port}/world and /faults. Ctrl-C ends it.")


def _stopped() -> asyncio.Event:
    """Set when a signal asks for the end."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped
