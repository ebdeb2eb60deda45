"""The virtual clock: time jumps, a frozen process stands still, a dead one never runs again."""

import asyncio
import time

import pytest

from tests.simulation.clock import Host, Stuck, VirtualLoop, run


def test_a_day_of_sleep_takes_no_time() -> None:
    async def main(loop: VirtualLoop) -> float:
        await asyncio.sleep(86_400)
        return loop.time()

    began = time.perf_counter()
    assert run(main) == pytest.approx(86_400)
    assert time.perf_counter() - began < 1


def test_timers_run_in_the_order_of_their_times() -> None:
    async def main(loop: VirtualLoop) -> list[int]:
        found: list[int] = []
        for delay in (3, 1, 2):
            loop.call_later(delay, found.append, delay)
        await asyncio.sleep(10)
        return found

    assert run(main) == [1, 2, 3]


def test_what_can_never_go_on_is_told() -> None:
    async def main(loop: VirtualLoop) -> None:
        await loop.create_future()

    with pytest.raises(Stuck):
        run(main)


async def ticking(found: list[float], loop: VirtualLoop) -> None:
    for _ in range(5):
        await asyncio.sleep(1)
        found.append(round(loop.time(), 3))


def test_a_frozen_process_goes_on_where_it_stood() -> None:
    async def main(loop: VirtualLoop) -> list[float]:
        host, found = Host("p"), list[float]()
        task = loop.begin(host, ticking(found, loop))
        await asyncio.sleep(1.5)
        host.frozen = True
        await asyncio.sleep(7)
        assert found == [1]
        loop.thaw(host)
        await task
        return found

    assert run(main) == [1, 8.5, 9.5, 10.5, 11.5]


def test_a_dead_process_never_runs_again() -> None:
    async def main(loop: VirtualLoop) -> list[float]:
        host, found = Host("p"), list[float]()
        loop.begin(host, ticking(found, loop))
        await asyncio.sleep(2.5)
        host.dead = True
        await asyncio.sleep(60)
        loop.bury(host)
        return found

    assert run(main) == [1, 2]


def test_a_task_of_a_process_belongs_to_it_too() -> None:
    async def main(loop: VirtualLoop) -> list[float]:
        host, found = Host("p"), list[float]()

        async def parent() -> None:
            await asyncio.gather(asyncio.create_task(ticking(found, loop)))

        loop.begin(host, parent())
        await asyncio.sleep(1.5)
        host.dead = True
        await asyncio.sleep(60)
        loop.bury(host)
        return found

    assert run(main) == [1]
