"""Where simulated prices come from."""

import asyncio
from decimal import Decimal
from itertools import islice

import numpy as np
import pytest

from autogrid.backtesting.tapes import Tape
from autogrid.simulator.price_source import Prices, Step, tape_history, tape_steps, usual_market, walk_steps
from autogrid.simulator.world import World
from autogrid.trading.candle import MINUTE_MS

SYMBOL = "BTC/USDT"


def tape() -> Tape:
    prices = np.array([[100, 110, 90, 105], [105, 120, 95, 100]], dtype=np.int64)
    times = np.array([0, MINUTE_MS], dtype=np.int64)
    return Tape("made up", times, prices, np.array([4.0, 0.0]), Decimal("0.1"), MINUTE_MS, (), ())


def test_a_candle_is_walked_by_its_low_first_where_it_rises_and_by_its_high_where_it_falls() -> None:
    steps = list(tape_steps(tape()))
    figures = ["10", "9", "11", "10.5", "10.5", "12", "9.5", "10"]
    assert [step.price for step in steps] == [Decimal(one) for one in figures]
    assert {step.after_ms for step in steps} == {15_000}
    assert [step.quantity for step in steps[:1]] == [Decimal(1)]
    assert all(step.quantity > 0 for step in steps)
    assert list(tape_steps(tape(), 1)) == steps[4:]


def test_history_ends_now_and_keeps_its_distances() -> None:
    now = 1_700_000_000_000
    found = tape_history(tape(), 2, now)
    assert [candle.open_ms for candle in found] == [now // MINUTE_MS * MINUTE_MS - n * MINUTE_MS for n in (2, 1)]
    assert (found[0].open, found[0].high, found[0].low, found[0].close) == (10.0, 11.0, 9.0, 10.5)


def test_a_walk_is_the_same_for_the_same_seed() -> None:
    def first(seed: int) -> list[Step]:
        return list(islice(walk_steps(seed, Decimal(100)), 50))

    assert first(1) == first(1) != first(2)
    assert all(50 < step.price < 200 for step in first(1))


@pytest.mark.parametrize("price", ["60000", "3000", "100", "5", "0.5", "0.05", "0.00001"])
def test_usual_rules_suit_the_price(price: str) -> None:
    market = usual_market("BTC", "USDT", Decimal(price))
    assert market.tick <= Decimal(price) / 1000
    assert market.lot * Decimal(price) <= 1


@pytest.mark.asyncio
async def test_prices_move_every_world_on_its_ticks_at_the_speed_that_is_wanted() -> None:
    worlds = [World({SYMBOL: usual_market("BTC", "USDT", Decimal(10))}, lambda: 0) for _ in range(2)]
    waits: list[float] = []
    done = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 10:
            done.set()
        await asyncio.sleep(0)

    prices = Prices(SYMBOL, tape_steps(tape()), worlds, 60)
    prices.first()
    running = asyncio.create_task(prices.run(sleep))
    await asyncio.wait_for(done.wait(), 5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert waits[:7] == [0.25] * 7
    assert prices.ended
    assert set(waits[7:]) == {1.0}
    for world in worlds:
        assert [one.price for one in world.prints(SYMBOL)][:3] == [Decimal(10), Decimal(9), Decimal(11)]
        assert world.price(SYMBOL) == Decimal(10)


@pytest.mark.asyncio
async def test_prices_that_are_held_stand_still_until_they_go_on() -> None:
    world = World({SYMBOL: usual_market("BTC", "USDT", Decimal(10))}, lambda: 0)
    prices = Prices(SYMBOL, tape_steps(tape()), [world], 0)
    prices.first()
    prices.hold()
    running = asyncio.create_task(prices.run())
    await asyncio.wait([running], timeout=0.05)
    assert prices.taken == 1
    prices.go_on()
    while prices.taken < 8:
        await asyncio.wait([running], timeout=0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
