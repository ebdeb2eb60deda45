"""One job, calculated twice: by the engine that trades, and by the oracle that shares no code with it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from autogrid.backtesting.run import result_of
from autogrid.backtesting.tapes import Tape
from autogrid.services.backtests import Walk
from autogrid.trading.bot import Bot
from autogrid.trading.ledger import opened
from autogrid.trading.market import FeeIn, Market, ThirdAsset
from autogrid.trading.matching import MatchingRules
from autogrid.trading.money import ZERO, figure, text
from autogrid.trading.risk import Limits
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid.grid import Grid
from autogrid.wiring.simulation import backtest
from tests.oracle import grid_oracle as oracle
from tests.oracle.grid_oracle import Candle, GridJob

TEXTS = ("base", "quote", "equity_start", "equity_end", "total_profit", "grid_profit", "trend_profit")


class Outcome(NamedTuple):
    """What a run gives, by the words of the specification; None where the job was refused."""

    refused: str
    facts: dict[str, Any]
    fills: list[tuple[str, Decimal, Decimal, Decimal]]
    """Side, price, quantity, fee."""


def candles_of(tape: Tape) -> list[Candle]:
    """The tape as the oracle reads candles."""
    rows = zip(tape.times.tolist(), tape.prices.tolist(), strict=True)
    return [(time, *(units * tape.unit for units in row)) for time, row in rows]


def fee_in_of(written: str) -> FeeIn:
    """`received`, `quote` or ASSET:price as the engine wants it."""
    if written in ("received", "quote"):
        return "received" if written == "received" else "quote"
    asset, _, price = written.partition(":")
    return ThirdAsset(asset, figure(price))


def market_of(job: GridJob) -> Market:
    """The market of a job."""
    return Market(
        "BASE", "QUOTE", job.tick, job.lot, job.min_notional, job.maker_fee, job.taker_fee, fee_in_of(job.fee_in)
    )


def config_of(job: GridJob) -> dict[str, str]:
    """The configuration of a job, as a person writes it."""
    config = {
        "lower": text(job.lower),
        "upper": text(job.upper),
        "grids": str(job.grids),
        "spacing": job.spacing,
        "sizing": job.sizing,
        "start": job.start,
        "reserve": text(job.reserve),
        "on_exit": job.on_exit,
    }
    for key in ("stop_loss", "take_profit", "trigger_price"):
        number = getattr(job, key)
        if number is not None:
            config[key] = text(number)
    if job.start == "own":
        config["own_base"] = text(job.own_base)
    return config


def ours(job: GridJob, tape: Tape, *, skip: bool = True) -> Outcome:
    """The engine's outcome."""
    market = market_of(job)
    try:
        grid = Grid(config_of(job), market, job.investment)
        lines = grid.lines
    except UnableToConfigure as refusal:
        return Outcome(str(refusal), {}, [])
    bot = Bot(market, Limits(job.investment, breakers=False))
    first = bot.start(grid, opened(job.investment, job.own_base, tape.prices.item(0, 0) * tape.unit))
    rules = MatchingRules("through" if job.fill == "through" else "touch", job.slippage)
    run = backtest(bot, first, tape, Walk(rules, backwards=job.path == "reversed", skip=skip))
    memory = run.last.memory
    if memory.why.startswith("not started"):
        return Outcome(memory.why, {}, [])
    result = result_of(run, lines, {})
    summary = result.summary
    facts: dict[str, Any] = {
        key: summary[key]
        for key in (*TEXTS, "hold_profit", "fills", "round_trips", "orders_placed", "orders_cancelled")
    }
    facts["fees"] = {a: f for a, f in summary["fees"].items() if f != "0"}  # type: ignore[attr-defined]
    facts["started"] = memory.start_price is not None
    facts["max_drawdown"] = summary["max_drawdown"]
    fills = [(row.side, row.price, row.quantity, row.fee) for row in result.fills]
    return Outcome("", facts, fills)


def theirs(job: GridJob, candles: Sequence[Candle]) -> Outcome:
    """The oracle's outcome."""
    try:
        result = oracle.run(job, candles)
    except ValueError as refusal:
        return Outcome(str(refusal), {}, [])
    names = {"base": "BASE", "quote": "QUOTE"}
    facts: dict[str, Any] = {key: oracle.plain(result[key]) for key in TEXTS}
    hold: Decimal = result["hold_profit"]
    facts["hold_profit"] = oracle.plain(hold)
    for key in ("fills", "round_trips", "orders_placed", "orders_cancelled"):
        facts[key] = result[key]
    facts["fees"] = {names.get(a, a): oracle.plain(f) for a, f in result["fees"].items() if f != ZERO}
    facts["started"] = bool(result["buy_quantity"])
    facts["start_price"] = result["start_price"]
    facts["max_drawdown"] = float(result["max_drawdown"])
    facts["refusals"] = result["orders_refused"]
    fills = [(side, price, quantity, fee) for _, side, price, quantity, fee, _, _ in result["fill_list"]]
    return Outcome("", facts, fills)
