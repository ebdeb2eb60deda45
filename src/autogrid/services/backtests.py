"""Backtests as a person asks for them: files, a market, a strategy with its configuration, a way to walk."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

from autogrid.backtesting.candle_faults import UnableToReadCandles
from autogrid.backtesting.candle_warnings import timeframe_name
from autogrid.backtesting.closed_candles import ClosedCandles
from autogrid.backtesting.result import Result
from autogrid.backtesting.run import Run, result_of
from autogrid.backtesting.tapes import Tape, read_tape
from autogrid.services.markets import MarketWords, market_for
from autogrid.trading.bot import Bot
from autogrid.trading.event import Expired, Filled, Rejected
from autogrid.trading.ledger import opened
from autogrid.trading.market import Market, ThirdAsset
from autogrid.trading.matching import MatchingRules
from autogrid.trading.money import ZERO, Amount, Price, Share, text
from autogrid.trading.risk import Limits
from autogrid.trading.state import BotState
from autogrid.trading.strategies.catalogue import build, entry, with_preset
from autogrid.trading.strategies.fields import UnableToConfigure, named
from autogrid.trading.strategies.strategy import AnyStrategy

COARSE = Decimal("0.05")
"""A larger share between the two orders of walking a candle is worth a word."""
STARTS = 8
"""So many runs show how much hangs on the start."""
LARGEST_INVESTMENT = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Walk:
    """How a tape is walked."""

    rules: MatchingRules = field(default_factory=MatchingRules)
    backwards: bool = False
    """High and low in the other order."""
    latency_ms: int = 0
    skip: bool = True
    """Use the compiled scan; False: stop at every corner."""


Runner = Callable[[Bot, BotState, Tape, Walk], Run]
"""Runs a bot over a tape; given by the wiring."""


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """What is to be run."""

    strategy: str
    candles: tuple[Path, ...]
    investment: Amount
    config: Mapping[str, str]
    words: MarketWords = field(default_factory=MarketWords)
    path: Literal["normal", "reversed", "band"] = "normal"
    fill: Literal["touch", "through"] = "touch"
    slippage: Share = ZERO
    latency_ms: int = 0
    participation: Share | None = None
    risk: bool = False
    """Whether the rules that watch windows of time are on."""
    start: date | None = None
    end: date | None = None
    compare: bool = True
    """Whether the same run is made with the stricter rule of filling, to show beside it."""


@dataclass(frozen=True, slots=True)
class Job:
    """A request, read: everything that a run needs."""

    request: BacktestRequest
    tape: Tape
    market: Market
    assumed: tuple[str, ...]
    """Names of the market's rules that nobody gave."""
    strategy: AnyStrategy
    bot: Bot
    state: BotState


def prepare(request: BacktestRequest) -> Job:
    """Read the candles and check everything that can be checked before the run.

    Raises `UnableToReadCandles`, `UnableToDescribeMarket` or `UnableToConfigure`.
    """
    entry(request.strategy)
    check_investment(request.investment)
    tick = request.words.tick or (request.words.known.tick if request.words.known else None)
    decimals = 0 if tick is None else max(0, -int(tick.normalize().as_tuple().exponent))
    tape = read_tape(request.candles, start=request.start, end=request.end, at_least_decimals=decimals)
    market, assumed = market_for(tape, request.words)
    strategy = build(request.strategy, request.config, market, request.investment)
    price = strategy.trigger or Decimal(int(tape.prices[0, 0])) * tape.unit
    strategy.check(price)
    check_tape(strategy, tape)
    bot = Bot(market, Limits(request.investment, breakers=request.risk), at_once=not request.latency_ms)
    state = bot.start(strategy, opened(request.investment, strategy.own_base, price))
    return Job(request, tape, market, assumed, strategy, bot, state)


def check_tape(strategy: AnyStrategy, tape: Tape) -> None:
    """Raises `UnableToReadCandles` where the tape's candles are too few or too coarse for the strategy."""
    coarsest_ms = strategy.coarsest_ms
    if coarsest_ms is not None and tape.interval_ms > coarsest_ms:
        raise UnableToReadCandles(
            "too_coarse",
            f"{tape.source} holds {timeframe_name(tape.interval_ms)} candles, and this configuration acts every "
            f"{timeframe_name(coarsest_ms)}; take candles of {timeframe_name(coarsest_ms)} or finer.",
        )
    if strategy.timeframe_ms is None:
        return
    found = len(ClosedCandles(tape, strategy.timeframe_ms))
    if found <= strategy.warm_up:
        name = timeframe_name(strategy.timeframe_ms)
        raise UnableToReadCandles(
            "too_few_to_warm_up",
            f"{tape.source} makes {found} closed candles of {name}, and {strategy.name} needs {strategy.warm_up} of "
            f"them before it can decide; take at least {strategy.warm_up + 1} (a longer file, or a finer timeframe).",
        )


def check_investment(investment: Amount) -> None:
    """Raises `UnableToConfigure` where it is no sum to trade with."""
    if investment <= 0:
        raise UnableToConfigure("investment", f"investment is {text(investment)}; it must be above 0")
    if investment > LARGEST_INVESTMENT:
        raise UnableToConfigure("investment", f"investment is {text(investment)}; at most 10^12 is allowed")


def backtest(request: BacktestRequest, run: Runner) -> Result:
    """The result of `request`. Raises as `prepare`."""
    job = prepare(request)
    result = _result(job, run, backwards=request.path == "reversed")
    if request.path != "band":
        return result
    other = _result(job, run, backwards=True)
    band = {"normal": result.summary, "reversed": other.summary}
    warnings = [*_warnings_of(result), *_band_warnings(result, other)]
    return replace(result, summary={**result.summary, "warnings": warnings, "band": band})


def _warnings_of(result: Result) -> list[str]:
    found = result.summary["warnings"]
    assert isinstance(found, list)
    return found


def _band_warnings(result: Result, other: Result) -> list[str]:
    """Whether the order of high and low within the candles decides much."""
    one, two = (Decimal(str(each.summary["total_profit"])) for each in (result, other))
    if abs(one - two) <= COARSE * max(abs(one), abs(two)):
        return []
    return [f"High first or low first makes {text(one)} or {text(two)}: the candles are too coarse; take finer ones."]


def _result(job: Job, run: Runner, *, backwards: bool) -> Result:
    request = job.request
    started = time.perf_counter()
    rules = MatchingRules(request.fill, request.slippage, request.participation)
    walk = Walk(rules, backwards, request.latency_ms)
    done = run(job.bot, job.state, job.tape, walk)
    elapsed_s = time.perf_counter() - started
    lines = job.strategy.lines
    facts = _facts(job, done) | {"elapsed_s": round(elapsed_s, 6)}
    if entry(request.strategy).depends_on_start:
        facts["starts"] = starts_of(job, run, walk, done)
    if request.compare and request.fill == "touch":
        stricter = run(job.bot, job.state, job.tape, replace(walk, rules=replace(rules, fill="through")))
        facts["through"] = _compared(stricter)
    return result_of(done, lines, facts)


def starts_of(job: Job, run: Runner, walk: Walk, whole: Run) -> dict[str, object]:
    """The `whole` run beside those from seven later moments of its first half: how much hangs on the start."""
    profits = [whole.last.ledger.profit(_last_price(whole))]
    for part in range(1, STARTS):
        first = len(job.tape) * part // (2 * STARTS)
        tape = begun_at(job.tape, first)
        price = Decimal(int(tape.prices[0, 0])) * tape.unit
        try:
            job.strategy.check(price)
        except UnableToConfigure:
            continue
        state = job.bot.start(job.strategy, opened(job.request.investment, job.strategy.own_base, price))
        done = run(job.bot, state, tape, walk)
        profits.append(done.last.ledger.profit(_last_price(done)))
    profits.sort()
    return {
        "runs": len(profits),
        "losing": sum(profit < 0 for profit in profits),
        "lowest": text(profits[0]),
        "median": text(profits[len(profits) // 2]),
        "highest": text(profits[-1]),
    }


def begun_at(tape: Tape, first: int) -> Tape:
    """`tape` from its candle `first` on."""
    return replace(tape, times=tape.times[first:], prices=tape.prices[first:], volumes=tape.volumes[first:])


def _last_price(run: Run) -> Price:
    return Decimal(int(run.tape.prices[-1, 3])) * run.tape.unit


def _compared(run: Run) -> dict[str, object]:
    """The few figures of a run that stand beside another's."""
    tally, total = run.last.strategy.tally(run.last.memory), run.last.ledger.profit(_last_price(run))
    return {
        "round_trips": tally.round_trips,
        "total_profit": text(total),
        "grid_profit": text(tally.profit),
        "trend_profit": text(total - tally.profit),
    }


def _facts(job: Job, run: Run) -> dict[str, object]:
    tape, market = job.tape, job.market
    warnings = [*_range_warnings(job, run.start_price), *tape.warnings]
    if job.strategy.hears_signals:
        warnings.append(
            "No signals come in a backtest, so this bot never buys here. Try it on paper, with: autogrid bot signal."
        )
    warnings += _refusals(run)
    if run.last.ended_why:
        warnings.append(f"The bot ended before the candles did: {run.last.ended_why}.")
    if run.last.refused:
        worst = run.last.refused[0]
        warnings.append(f"At the end {len(run.last.refused)} orders were held back: {worst.rule}, {worst.why}.")
    return {
        "strategy": job.request.strategy,
        "market": market_facts(market) | {"assumed": bool(job.assumed), "assumed_rules": list(job.assumed)},
        "investment": text(job.request.investment),
        "config": effective(job.request.strategy, job.request.config),
        "candles": {
            "rows": len(tape),
            "from": iso(tape.times.item(0)),
            "to": iso(tape.times.item(-1)),
            "gaps": len(tape.gaps),
            "missing": sum(gap.missing for gap in tape.gaps),
            "timeframe": timeframe_name(tape.interval_ms),
            "source": tape.source,
        },
        "path": job.request.path,
        "fill": job.request.fill,
        "warnings": warnings,
    }


def _refusals(run: Run) -> list[str]:
    """Orders that came to nothing, where hardly any did better."""
    failed = [row.event for row in run.rows if isinstance(row.event, Rejected | Expired)]
    fills = sum(isinstance(row.event, Filled) for row in run.rows)
    if len(failed) <= fills:
        return []
    last = failed[-1]
    why = last.reason if isinstance(last, Rejected) else "it could not be traded at once: too little money or volume"
    return [f"{len(failed)} orders came to nothing, {fills} were filled. The last: {why}."]


def _range_warnings(job: Job, price: Price) -> list[str]:
    """What to know of a start outside the range."""
    lines = job.strategy.lines
    if lines and price > lines[-1]:
        return [f"The price at the start, {text(price)}, was above the range: all cells waited to buy."]
    if lines and price < lines[0]:
        return [f"The price at the start, {text(price)}, was below the range: almost all was spent at once."]
    return []


def market_facts(market: Market) -> dict[str, object]:
    """A market's rules as JSON; figures as text."""
    fees = market.fee_in
    return {
        "symbol": market.symbol,
        "base": market.base,
        "quote": market.quote,
        "tick": text(market.tick),
        "lot": text(market.lot),
        "min_notional": text(market.min_notional),
        "maker_fee": text(market.maker_fee),
        "taker_fee": text(market.taker_fee),
        "fee_in": f"{fees.asset}:{text(fees.price)}" if isinstance(fees, ThirdAsset) else fees,
    }


def effective(strategy: str, config: Mapping[str, str]) -> dict[str, str | None]:
    """Every key of the configuration with the value in force."""
    found = entry(strategy)
    given = named(found.fields, with_preset(found, config))
    return {one.key: given.get(one.key, one.default) for one in found.fields}


def iso(at_ms: int) -> str:
    """A time as people and JSON get it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
