"""Trailing, infinity and reverse over a real crash (August 2024) and a real rally (2023), every step looked at."""

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from autogrid.backtesting.tapes import Tape, read_tape
from autogrid.services.backtests import Walk
from autogrid.trading.bot import Bot
from autogrid.trading.event import Filled
from autogrid.trading.ledger import opened
from autogrid.trading.order import Order
from autogrid.trading.plan import Place
from autogrid.trading.risk import Limits
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.grid.grid import Grid
from tests.builders import market
from tests.parity.random_jobs import random_job
from tests.trading.made_up import Kept, MadeUp, watch
from tests.trading.made_up_grids import all_of_it, memory_of

D = Decimal
CRASH = ("binance_spot_BTCUSDT_1m_20240726-20240825.parquet", date(2024, 8, 1), date(2024, 8, 9))
RALLY = ("binance_spot_BTCUSDT_15m_20230101-20231231.parquet", date(2023, 9, 15), date(2023, 12, 15))


@pytest.fixture(params=[CRASH, RALLY], ids=["crash", "rally"])
def tape(request: pytest.FixtureRequest, shared_data: Path) -> Tape:
    name, start, end = request.param
    path = shared_data / "data" / "candles" / name
    if not path.is_file():
        pytest.skip(f"the candles are not at {path}")
    return read_tape((path,), start=start, end=end)


def made_of(config: dict[str, str], tape: Tape) -> MadeUp:
    """A bot with 10,000 at the beginning of the tape."""
    funds, on = D(10_000), market()
    bot = Bot(on, Limits(funds, breakers=False), at_once=True)
    first = opened(funds, D(0), tape.prices.item(0, 0) * tape.unit)
    return MadeUp(random_job(random.Random(0)), bot, bot.start(Grid(config, on, funds), first), tape, Walk())


def walked(config: dict[str, str], tape: Tape) -> tuple[BotState, list[Kept]]:
    """Over all of the tape, with every law at every step."""
    return watch(made_of(config, tape), all_of_it)


def around(tape: Tape, **config: str) -> dict[str, str]:
    """A grid of 20 cells, 8 % to each side of the first price."""
    first = tape.prices.item(0, 0) * tape.unit
    low, high = (str((first * share).quantize(D(1))) for share in (D("0.92"), D("1.08")))
    return {"lower": low, "upper": high, "grids": "20", **config}


def orders_of(kept: list[Kept]) -> list[Order]:
    return [command.order for _, step in kept for command in step.commands if isinstance(command, Place)]


def fills_of(kept: list[Kept]) -> int:
    return sum(isinstance(step.event, Filled) for _, step in kept)


def test_trailing_up_follows_and_sends_no_market_order_after_the_opening(tape: Tape) -> None:
    last, kept = walked(around(tape, trailing_up="yes"), tape)
    orders = orders_of(kept)
    assert [order.slot for order in orders if order.kind == "market"] == ["open-0"]
    assert len({order.slot for order in orders}) == len(orders)
    assert len(memory_of(last).cells) == 20
    extras = memory_of(last).extras
    highest = max(tape.prices[:, 1].tolist()) * tape.unit
    top = max(cell.roof for cell in memory_of(last).cells.values())
    assert highest < top * (1 + D("0.17") / 20)
    assert (extras.high > 0) == (highest > D(around(tape)["upper"]) * D("1.0081"))
    assert not any(step.refused for _, step in kept)
    assert fills_of(kept) > 40


def test_trailing_both_ways_sells_nothing_for_less_than_it_cost(tape: Tape) -> None:
    config = around(tape, trailing_up="yes", trailing_down="yes", reserve="0.3")

    def gains(before: BotState, step: Step) -> None:
        all_of_it(before, step)
        assert memory_of(step.state).profit >= memory_of(before).profit

    last, kept = watch(made_of(config, tape), gains)
    assert memory_of(last).extras.low != 0
    assert fills_of(kept) > 40


def test_infinity_keeps_its_worth_in_coins(tape: Tape) -> None:
    first = tape.prices.item(0, 0) * tape.unit
    config = {"lower": str((first * D("0.7")).quantize(D(1))), "upper": "none", "step": "0.01"}
    last, kept = walked(config, tape)
    value = D(10_000) * D("0.98") * D(config["lower"]) / first
    final = tape.prices.item(len(tape) - 1, 3) * tape.unit
    assert abs(last.ledger.base * final / value - 1) < D("0.03")
    assert not any(step.refused for _, step in kept)
    assert fills_of(kept) > 40


def test_reverse_gathers_coins(tape: Tape) -> None:
    last, kept = walked(around(tape, reverse="yes"), tape)
    memory = memory_of(last)
    assert memory.extras.store.base > 0
    assert memory.profit > 0
    assert memory.round_trips > 20
    assert not any(step.refused for _, step in kept)
    cells = memory.cells.values()
    assert all(cell.stock - cell.sold >= 0 for cell in cells)


@pytest.mark.parametrize("choice", [{"trailing_up": "yes", "trailing_down": "yes"}, {"reverse": "yes"}], ids=str)
def test_the_plain_walk_and_the_skip_agree_on_it(choice: dict[str, str], tape: Tape) -> None:
    part = replace(tape, times=tape.times[:4000], prices=tape.prices[:4000], volumes=tape.volumes[:4000])
    made = made_of(around(part, **choice), part)
    one, other = watch(made), watch(made, skip=False)
    assert one[0].ledger == other[0].ledger
    assert [step.event for _, step in one[1]] == [step.event for _, step in other[1]]
