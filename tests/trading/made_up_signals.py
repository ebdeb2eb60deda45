"""Runs of strategies on signals made up from a seed: small indicators, lively tapes with jumps and gaps."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from autogrid.backtesting.tape_feed import TapeFeed
from autogrid.backtesting.tapes import Tape
from autogrid.engine.session import run
from autogrid.exchanges.simulated import SimulatedExchange
from autogrid.services.backtests import Walk
from autogrid.trading.bot import Bot
from autogrid.trading.event import Event, SignalCame, Started
from autogrid.trading.ledger import opened
from autogrid.trading.market import Market, Stops, ThirdAsset
from autogrid.trading.matching import Book, MatchingRules
from autogrid.trading.risk import Limits
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.catalogue import build
from tests.builders import MINUTE_MS, START_MS, market, tape_of
from tests.trading.made_up import Kept, Watching

D = Decimal

ON_CANDLES = ("ppp_vishva", "sma_cross", "rsi")


class MadeUp(NamedTuple):
    """A bot, its first state, and what it will walk over."""

    bot: Bot
    state: BotState
    tape: Tape
    walk: Walk
    seed: int


def random_market(chance: random.Random) -> Market:
    fee = D(chance.choice(["0", "0.0005", "0.001", "0.004"]))
    return market(
        lot=D(chance.choice(["0.00001", "0.001", "0.1"])),
        min_notional=D(chance.choice(["1", "5", "50"])),
        maker_fee=fee,
        taker_fee=fee + D(chance.choice(["0", "0.0005"])),
        fee_in=chance.choice(["received", "quote", ThirdAsset("BNB", D(600))]),
    )


def random_tape(chance: random.Random, candles: int = 420) -> Tape:
    """Around 100.00, in whole cents: waves, noise, some jumps between candles, some candles missing."""
    made, times = [], []
    at, drift, clock = 10_000, 0, START_MS + chance.choice([0, 7, 60]) * MINUTE_MS
    for number in range(candles):
        if number % chance.choice([9, 17, 31]) == 0:
            drift = chance.choice([-14, -6, 0, 6, 14])
        if chance.random() < 0.03:
            at = max(50, at + chance.randint(-250, 250))
        close = max(50, at + drift + chance.randint(-25, 25))
        high = max(at, close) + chance.randint(0, 15)
        low = max(1, min(at, close) - chance.randint(0, 15))
        made.append((at, high, low, close))
        times.append(clock)
        clock += MINUTE_MS * (chance.randint(2, 9) if chance.random() < 0.01 else 1)
        at = close
    volumes = [chance.choice([0.0, 0.5, 3.0, 40.0, 1000.0]) for _ in made]
    return tape_of(made, times=times, volumes=volumes)


def random_config(chance: random.Random, name: str) -> dict[str, str]:
    timeframe = chance.choice(["1m", "1m", "3m", "5m"])
    if name == "signal":
        found = {"size": chance.choice(["0.1", "0.4", "1"]), "max_entries": chance.choice(["1", "3"])}
        if chance.random() < 0.7:
            found["stop_loss"] = chance.choice(["0.004", "0.02"])
        if chance.random() < 0.7:
            found["take_profit"] = chance.choice(["0.003", "0.03"])
        return found
    sizes = {
        "timeframe": timeframe,
        "risk_per_trade": chance.choice(["0.005", "0.02", "0.1"]),
        "max_position": chance.choice(["0.25", "0.6", "1"]),
    }
    if name == "sma_cross":
        return {**sizes, "fast": "2", "slow": chance.choice(["4", "7"]), "stop": "0.01", "target": "0.01"}
    if name == "rsi":
        bounds = {"oversold": "45", "overbought": "60", "stop": "0.008", "target": "0.01"}
        return {**sizes, **bounds, "period": chance.choice(["2", "4"])}
    found = {
        **sizes,
        "ema": chance.choice(["3", "20"]),
        "ut_atr": chance.choice(["2", "10"]),
        "ewo_fast": "2",
        "ewo_slow": chance.choice(["4", "12"]),
        "ewo_ma": chance.choice(["sma", "ema"]),
        "oversold": "50",
        "signal_window": chance.choice(["2", "10"]),
        "stoch_lookback": "30",
        "confirm_timeframes": chance.choice(["none", "none", "15m"]),
        "stop_atr": chance.choice(["0.5", "1.25", "3"]),
        "reward_risk": chance.choice(["1", "2", "5"]),
        "trailing": chance.choice(["yes", "no"]),
        "max_entries": chance.choice(["1", "3", "10"]),
    }
    if chance.random() < 0.3:
        found["max_daily_loss"] = "0.01"
    if chance.random() < 0.2:
        found["volume_ratio"] = "0.3"
    return found


def made_up(
    seed: int,
    *,
    names: tuple[str, ...] = ON_CANDLES,
    latency_ms: int = 0,
    participation: Decimal | None = None,
    stops: Stops = "none",
) -> MadeUp:
    """One of `names` with any configuration over any tape, on a market that has these `stops`."""
    chance = random.Random(seed)
    name = chance.choice(names)
    on, funds = random_market(chance), D(chance.choice(["1000", "10000", "123456.78"]))
    config = random_config(chance, name)
    if stops != "none":
        on = replace(on, stops=stops)
        config["max_slippage"] = random.Random(seed).choice(["0", "0.001", "0.02"])
    strategy = build(name, config, on, funds)
    bot = Bot(on, Limits(funds, breakers=False), at_once=not latency_ms and chance.random() < 0.7)
    rules = MatchingRules(chance.choice(["touch", "through"]), D(chance.choice(["0", "0.001"])), participation)
    walk = Walk(rules, backwards=chance.random() < 0.3, latency_ms=latency_ms)
    return MadeUp(bot, bot.start(strategy, opened(funds)), random_tape(chance), walk, seed)


class Alerting(SimulatedExchange):
    """Tells alerts among what happens, some of them twice."""

    def __init__(self, book: Book, feed: TapeFeed, seed: int, **rest: Any) -> None:
        super().__init__(book, feed, **rest)
        self._chance = random.Random(seed)
        self._sent = 0

    async def events(self) -> AsyncGenerator[Event, None]:
        async for event in super().events():
            yield event
            if self._chance.random() < 0.1:
                self._sent += 1
                number = max(1, self._sent - self._chance.choice([0, 0, 0, 1]))
                size = self._chance.choice([None, None, D("0.3")])
                action = "enter" if self._chance.random() < 0.7 else "leave"
                yield SignalCame(event.at_ms, f"alert {number}", action, size)  # type: ignore[arg-type]


def watch(
    made: MadeUp, see: Callable[[BotState, Step], None] | None = None, *, skip: bool = True, tape: Tape | None = None
) -> tuple[BotState, list[Kept]]:
    """Run it as a backtest does, and look at every step that is journalled."""
    walk, over = made.walk, tape or made.tape
    feed = TapeFeed(
        over,
        backwards=walk.backwards,
        skip=skip and walk.rules.participation is None,
        clock=bool(walk.latency_ms),
        volumes=walk.rules.participation is not None,
        timeframe_ms=made.state.strategy.timeframe_ms,
    )
    book = Book(made.bot.market, walk.rules, made.state.ledger.quote, made.state.ledger.base)
    rest: dict[str, Any] = {"latency_ms": walk.latency_ms, "first": (Started(START_MS, "b"),)}
    if made.state.strategy.name == "signal":
        exchange: SimulatedExchange = Alerting(book, feed, made.seed, thin=False, **rest)
    else:
        exchange = SimulatedExchange(book, feed, thin=skip, **rest)
    journal = Watching(see)
    last = asyncio.run(run(made.bot, made.state, exchange, journal))
    return last, journal.kept


def cut(tape: Tape, candles: int) -> Tape:
    """The first candles of it."""
    return Tape(
        tape.source,
        tape.times[:candles],
        np.ascontiguousarray(tape.prices[:candles]),
        tape.volumes[:candles],
        tape.unit,
        tape.interval_ms,
        (),
        (),
    )


def with_other_future(tape: Tape, candles: int, seed: int) -> Tape:
    """The first candles of it, and then others."""
    other = random_tape(random.Random(seed), len(tape))
    prices, volumes = tape.prices.copy(), tape.volumes.copy()
    prices[candles:], volumes[candles:] = other.prices[candles:] + 777, other.volumes[candles:] + 1
    return Tape(tape.source, tape.times, prices, volumes, tape.unit, tape.interval_ms, (), ())
