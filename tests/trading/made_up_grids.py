"""Grids with the choices beside the plain rules, made up from a seed, over tapes that leave the range far behind."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Final

from hypothesis import reject

from autogrid.backtesting.tape_feed import TapeFeed
from autogrid.backtesting.tapes import Tape
from autogrid.exchanges.simulated import SimulatedExchange
from autogrid.services.backtests import Walk
from autogrid.trading.bot import Bot
from autogrid.trading.event import EditAsked, Event, FundsAsked, Started
from autogrid.trading.ledger import opened
from autogrid.trading.matching import Book, MatchingRules
from autogrid.trading.money import ZERO, text
from autogrid.trading.risk import Limits
from autogrid.trading.state import BotState, Step, is_news
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid.grid import Grid
from autogrid.trading.strategies.grid.memory import GridMemory
from tests.builders import START_MS, tape_of
from tests.oracle.grid_oracle import GridJob
from tests.parity.oracle_run import config_of, market_of
from tests.parity.random_jobs import random_job
from tests.trading.made_up import Kept, MadeUp
from tests.trading.test_laws import books_close, nothing_is_owed, one_order_a_cell, stands_as_wanted

D = Decimal
WAYS: Final = ("trailing", "infinity", "reverse", "reinvest", "stops")


def wide_tape(chance: random.Random, job: GridJob) -> Tape:
    """A walk in long waves that go far above and below the job's range, with gaps between candles."""
    unit = D("0.001") if job.tick == D("0.001") or chance.random() < 0.3 else D("0.01")
    step = int(job.tick / unit) or 1
    low, high = int(job.lower / unit), int(job.upper / unit)
    price = chance.randint(low - (high - low) // 3, high + (high - low) // 3)
    rows: list[tuple[int, int, int, int]] = []

    def on(value: int) -> int:
        return max(step * 500, value // step * step)

    price, drift = on(price), 0
    for _ in range(chance.randint(20, 120)):
        if chance.random() < 0.15:
            drift = chance.choice([-1, 0, 1]) * (high - low) // chance.choice([4, 10, 30])
        reach = max(4, price // chance.choice([10, 40, 100]))
        jump = chance.randint(-reach, reach) if chance.random() < 0.25 else 0
        first = on(price + jump)
        close = on(first + chance.randint(-reach, reach) + (drift if first > low // 3 or drift > 0 else 0))
        top, bottom = max(first, close) + chance.randint(0, reach), min(first, close) - chance.randint(0, reach)
        rows.append((first, max(on(top), first, close), min(on(bottom), first, close), close))
        price = close
    return tape_of(rows, unit=str(unit))


def choices_of(way: str, job: GridJob, chance: random.Random) -> dict[str, str]:
    """A configuration with that choice, and others that go with it."""
    pick, width = chance.choice, job.upper - job.lower
    config = config_of(job)
    if way == "trailing":
        config |= {"trailing_up": pick(["yes", "yes", "no"]), "trailing_down": pick(["yes", "no"])}
        config |= {"sizing": "equal_quote", "reinvest": pick(["yes", "no"]), "crossed": pick(["send", "send", "wait"])}
        if config["trailing_up"] == "yes" and chance.random() < 0.3:
            config["trailing_up_limit"] = text(job.upper + width)
        if config["trailing_down"] == "yes":
            config |= {"reserve": pick(["0.02", "0.2", "0.5"]), "stop_loss": pick(["none", "none", "1", "50"])}
        if config["trailing_down"] == "yes" and chance.random() < 0.3:
            config["trailing_down_limit"] = text(max(job.lower - width, D(1)))
    elif way == "infinity":
        for key in ("grids", "spacing", "sizing", "start", "own_base"):
            config.pop(key, None)
        config |= {"upper": "none", "step": pick(["0.008", "0.01", "0.02", "0.1"])}
    elif way != "stops":
        config[way] = "yes"
    if way == "stops" or chance.random() < 0.2:
        config |= {"total_profit_stop": pick(["none", "0.01", "0.1"]), "total_loss_stop": pick(["none", "0.05", "0.2"])}
        if "stop_loss" in config:
            config["stop_for"] = pick(["0", "60", "300", "301"])
    return config


def unchecked_grid(
    seed: int,
    way: str,
    *,
    breakers: bool = False,
    latency_ms: int = 0,
    participation: Decimal | None = None,
) -> MadeUp:
    """A grid with the choice `way` over a wide tape. Raises `UnableToConfigure`."""
    chance = random.Random(seed)
    job = random_job(chance)
    job = replace(job, investment=max(job.investment, D(1000)), min_notional=D(1), slippage=ZERO)
    if way == "infinity":
        job = replace(job, start="market", own_base=ZERO)
    elif chance.random() < 0.7 and job.trigger_price is None:
        job = replace(job, stop_loss=job.lower - chance.randint(1, 30))
    config = choices_of(way, job, chance)
    tape = wide_tape(chance, job)
    if participation is not None:
        volumes = [chance.choice([0.0, 0.5, 3.0, 40.0, 1000.0]) for _ in range(len(tape))]
        tape = replace(tape, volumes=tape.volumes * 0 + volumes)
    market = market_of(job)
    grid = Grid(config, market, job.investment)
    bot = Bot(market, Limits(job.investment, breakers=breakers), at_once=not latency_ms and chance.random() < 0.5)
    ledger = opened(job.investment, job.own_base, tape.prices.item(0, 0) * tape.unit)
    rules = MatchingRules("through" if job.fill == "through" else "touch", ZERO, participation)
    walk = Walk(rules, backwards=job.path == "reversed", latency_ms=latency_ms)
    return MadeUp(job, bot, bot.start(grid, ledger), tape, walk)


def made_up_grid(seed: int, way: str, *, latency_ms: int = 0, participation: Decimal | None = None) -> MadeUp:
    """As `unchecked_grid`; a configuration that is refused is none of the test's business."""
    try:
        return unchecked_grid(seed, way, latency_ms=latency_ms, participation=participation)
    except UnableToConfigure:
        reject()


def watch_asking(made: MadeUp, see: Callable[[BotState, Step], None], seed: int) -> list[Kept]:
    """Run it step by step, while its user gives and takes funds and edits what can be edited."""
    chance = random.Random(seed)
    walk, tape = made.walk, made.tape
    feed = TapeFeed(tape, backwards=walk.backwards, skip=True)
    book = Book(made.bot.market, walk.rules, made.state.ledger.quote, made.state.ledger.base)
    exchange = SimulatedExchange(book, feed, first=(Started(START_MS, "b"),))
    kept: list[Kept] = []

    async def run() -> None:
        state = made.state
        async for told in exchange.events():
            events: list[Event] = [told]
            if chance.random() < 0.05:
                events.append(_wish(told.at_ms, state, chance))
            for event in events:
                step = made.bot.step(state, event)
                if is_news(state, step):
                    kept.append((state, step))
                    see(state, step)
                state = step.state
                exchange.expect(made.bot.quiet(state))
                for command in step.commands:
                    await exchange.execute(command)
            if state.ended_why:
                break

    asyncio.run(run())
    return kept


def _wish(at_ms: int, state: BotState, chance: random.Random) -> Event:
    if chance.random() < 0.6:
        amount = D(chance.randint(-400, 700))
        return FundsAsked(at_ms, amount or D(1))
    config = chance.choice(
        [
            {"grids": str(chance.randint(2, 12))},
            {"upper": text(D(chance.randint(150, 300)))},
            {"trailing_up": "yes", "sizing": "equal_quote"},
            {"trailing_up": "no", "trailing_up_limit": "none"},
            {"reinvest": "yes"},
            {"total_loss_stop": "0.9"},
            {"stop_loss": "1"},
        ]
    )
    return EditAsked(at_ms, config)


def memory_of(state: BotState) -> GridMemory:
    """The grid's."""
    assert isinstance(state.memory, GridMemory)
    return state.memory


def coins_are_somewhere(before: BotState, step: Step) -> None:
    """All base of the ledger lies in a cell, in a pool, or in the opening; and so does what it cost."""
    memory, ledger = memory_of(step.state), step.state.ledger
    if memory.stage not in ("opening", "running"):
        return
    base, cost = memory.pool.base + memory.extras.store.base, memory.pool.cost + memory.extras.store.cost
    for cell in memory.cells.values():
        base += cell.stock - cell.sold + cell.received
        cost += cell.cost - cell.earned + cell.paid
    opening = memory.opening
    if memory.stage == "opening":
        base, cost = base + opening.received, cost + opening.paid
    own = opening.wanted if ledger.funded_base else ZERO
    assert ledger.base == base + ledger.funded_base - own
    value = own * (memory.start_price or ZERO)
    assert cost - memory.profit == ledger.paid + ledger.fee_quote + ledger.fee_value - ledger.earned + value


def all_of_it(before: BotState, step: Step) -> None:
    """Every law of a step."""
    for law in (books_close, nothing_is_owed, coins_are_somewhere, one_order_a_cell, stands_as_wanted):
        law(before, step)
