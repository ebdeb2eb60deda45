"""A grid and a DCA bot on one account over a stretch of tape, with every fault there is, and what is left afterwards.

    the tape runs, faults strike   ->   the tape has ended, faults are off   ->   all settles   ->   compare

A person's own order rests on the same account all the while, and must be there in the end.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from autogrid.backtesting.tapes import Tape, read_tape
from autogrid.simulator.binance.keys import LIMITS
from autogrid.simulator.faults import Fault
from autogrid.simulator.price_source import tape_steps
from autogrid.simulator.records import SimOrder, Wanted
from tests.candles import START_MS
from tests.live.compare import differences
from tests.live.local import FUNDS, OWNER, SYMBOL, AutoGrid, Local, autogrid, local_exchange

SHARED: Final = Path(__file__).resolve().parents[2].parent / "shared"
REAL: Final = SHARED / "data/candles/binance_spot_BTCUSDT_1m_20240726-20240825.parquet"
FIRST: Final = 13_900
"""Of its candles: the night of 5 August 2024, when the market fell by a tenth."""
SETTLES_S: Final = 150.0
"""A ban, which the simulated Binance gives to who calls on inside a 429, lasts two minutes."""

REQUESTS: Final = (
    Fault("lost-answer", 0.03),
    Fault("truncated", 0.02),
    Fault("html", 0.02),
    Fault("delay-before", 0.04, ms=400),
    Fault("delay-after", 0.04, ms=600),
    Fault("error-5xx", 0.02),
    Fault("error-5xx", 0.02, ms=1),
    Fault("clock-skew", 0.01),
    Fault("reset-before", 0.02),
    Fault("refuse-connect", 0.01),
    Fault("maintenance", 0.005),
    Fault("limit-429", 0.002, ms=1_000),
    Fault("not-found-at-first", 0.02, where="find"),
)
STREAMS: Final = (
    Fault("duplicate-event", 0.03, where="stream"),
    Fault("swap-events", 0.03, where="stream"),
    Fault("drop-event", 0.02, where="stream"),
    Fault("coalesce", 0.03, where="stream"),
    Fault("drop-stream", 0.003, where="stream"),
    Fault("bad-frame", 0.002, where="stream"),
    Fault("stall", 0.001, where="stream", ms=3_000),
)
EVERYTHING: Final = (*REQUESTS, *STREAMS)


@dataclass
class Plan:
    """What a run is made of."""

    exchange: str
    minutes: int
    seed: int = 1
    speed: float = 60.0
    faults: Sequence[Fault] = EVERYTHING
    real: bool = False
    crashes: int = 0
    """So often the engine is ended on the way, as by a crash, and begun anew."""


@dataclass
class Outcome:
    """What came of it."""

    wrong: list[str]
    given: Counter[str]
    orders: int = 0
    trades: int = 0
    rejected: int = 0
    took_s: float = 0.0
    said: list[str] = field(default_factory=list)


def tape_for(plan: Plan, folder: Path) -> Tape:
    """Candles of a minute: the real ones, or a lively market that is made up."""
    if plan.real:
        first = FIRST + plan.seed * 37 % 400
        return stretch(read_tape([REAL]), first, plan.minutes)
    return lively_tape(plan.seed, plan.minutes, folder)


def stretch(tape: Tape, first: int, count: int) -> Tape:
    """So many candles of a tape."""
    part = slice(first, first + count)
    return replace(tape, times=tape.times[part], prices=tape.prices[part], volumes=tape.volumes[part])


def lively_tape(seed: int, minutes: int, folder: Path, swing: float = 0.004) -> Tape:
    """A market that swings by about `swing` of its price a minute, as a tape, and as a file in `folder`."""
    chance, price, rows = random.Random(seed), 60_000.0, ["timestamp,open,high,low,close,volume"]
    for minute in range(max(2, minutes)):
        close = price * (1 + chance.gauss((60_000 - price) / 600_000, swing))
        high, low = (
            far * (1 + way * chance.random() * swing) for far, way in ((max(price, close), 1), (min(price, close), -1))
        )
        figures = ",".join(f"{figure:.2f}" for figure in (price, high, low, close))
        rows.append(f"{START_MS + minute * 60_000},{figures},{chance.randint(1, 50)}")
        price = close
    path = folder / f"lively-{seed}-{minutes}.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return read_tape([path])


async def trade_through(plan: Plan, folder: Path) -> Outcome:
    """Make the run."""
    began, tape = time.monotonic(), tape_for(plan, folder)
    async with (
        local_exchange(plan.exchange, folder, tape_steps(tape), speed=plan.speed, seed=plan.seed) as local,
        autogrid(folder) as grid,
    ):
        await grid.add_key(plan.exchange)
        names = await _make_bots(grid, plan, local)
        foreign = _place_by_hand(local)
        await grid.begin()
        for name in names:
            await grid.until(name, lambda row: row.actual == "running")
        for fault in plan.faults:
            local.faults.add(fault)
        local.prices.go_on()
        for _ in range(plan.crashes):
            await asyncio.sleep(plan.minutes * 60 / plan.speed / (plan.crashes + 1))
            await grid.crash()
            await grid.begin()
        while not local.prices.ended:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        local.prices.hold()
        outcome = await _settled(local, grid, plan)
        if not foreign.is_open:
            outcome.wrong.append("the order that a person had placed by hand is gone")
        outcome.took_s = time.monotonic() - began
        return outcome


async def _make_bots(grid: AutoGrid, plan: Plan, local: Local) -> list[str]:
    price = local.world.price(SYMBOL)
    assert price is not None
    tick = local.world.markets[SYMBOL].tick
    lower, upper = (str((price * part // tick) * tick) for part in (Decimal("0.92"), Decimal("1.04")))
    wanted: Iterable[tuple[str, dict[str, str]]] = (
        ("grid", {"lower": lower, "upper": upper, "grids": "45"}),
        (
            "dca",
            {
                "base_order": "500",
                "safety_order": "500",
                "deviation": "0.003",
                "safety_orders": "6",
                "take_profit": "0.004",
            },
        ),
    )
    return [(await grid.make_bot(plan.exchange, strategy, config)).name for strategy, config in wanted]


def _place_by_hand(local: Local) -> SimOrder:
    price = local.world.price(SYMBOL)
    assert price is not None
    market = local.world.markets[SYMBOL]
    low = market.price_down(price / 2)
    return local.world.place(OWNER, Wanted(SYMBOL, "buy", "limit", "by-hand", low, market.lot * 100))


async def _settled(local: Local, grid: AutoGrid, plan: Plan) -> Outcome:
    """What still differs once the faults are off and some time has passed."""
    local.faults.clear()
    given = Counter(local.faults.given)
    if LIMITS in local.exchange.listening.app:
        local.exchange.listening.app[LIMITS].forgive()
    deadline = time.monotonic() + SETTLES_S
    while wrong := await differences(local.world, OWNER, grid.database, FUNDS, replayed=False):
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(0.3)
    await asyncio.sleep(0.5)
    await grid.end()
    wrong = await differences(local.world, OWNER, grid.database, FUNDS)
    orders = local.world.orders(OWNER)
    ours = [order for order in orders if order.client_id != "by-hand"]
    return Outcome(
        wrong,
        given,
        len(ours),
        len(local.world.trades(OWNER, limit=10**9)),
        sum(order.status == "rejected" for order in ours),
        said=grid.said,
    )
