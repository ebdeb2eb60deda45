"""The limiter, on a clock of its own."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from autogrid.engine.venue import ExchangeAway
from autogrid.exchanges.limits import ALL, CREATES, RULES, Kind, Limiter, Rule, limiter_of


class FakeTime:
    """A clock that goes on only when everyone waits; who sleeps longest last wakes last."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def clock_s(self) -> float:
        return self.now_s

    async def sleep(self, for_s: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now_s + for_s, woken))
        await woken

    async def go_on(self, for_s: float) -> None:
        """Let time pass."""
        until_s = self.now_s + for_s
        while True:
            for _ in range(20):
                await asyncio.sleep(0)
            due = sorted((one for one in self._sleepers if one[0] <= until_s), key=lambda one: one[0])
            if not due:
                break
            self.now_s = max(self.now_s, due[0][0])
            self._sleepers.remove(due[0])
            if not due[0][1].done():
                due[0][1].set_result(None)
        self.now_s = until_s


Passed = list[tuple[float, str]]


async def passing(
    limiter: Limiter, time: FakeTime, passed: Passed, name: str, turn: Callable[[], Awaitable[None]]
) -> None:
    try:
        await turn()
    except ExchangeAway:
        passed.append((time.now_s, f"{name} not"))
    else:
        passed.append((time.now_s, name))


class Bench:
    def __init__(self, *rules: Rule) -> None:
        self.time = FakeTime()
        self.limiter = Limiter("binance", rules, self.time.clock_s, self.time.sleep)
        self.passed: Passed = []
        self._tasks: list[asyncio.Task[None]] = []

    def ask(self, name: str, kind: Kind, weight: int = 1, key: str = "", within_s: float = 1_000.0) -> None:
        turn = lambda: self.limiter.turn(kind, weight, key=key, within_s=within_s)  # noqa: E731
        self._tasks.append(asyncio.create_task(passing(self.limiter, self.time, self.passed, name, turn)))

    @property
    def names(self) -> list[str]:
        return [name for _, name in self.passed]


@pytest.mark.asyncio
async def test_no_more_pass_in_a_window_than_may() -> None:
    bench = Bench(Rule(5, 10.0, CREATES))
    for number in range(12):
        bench.ask(str(number), "create")
    await bench.time.go_on(9.0)
    assert bench.names == ["0", "1", "2", "3", "4"]
    await bench.time.go_on(2.0)
    assert len(bench.names) == 10
    await bench.time.go_on(10.0)
    assert bench.names == [str(number) for number in range(12)]


@pytest.mark.asyncio
async def test_cancels_pass_before_queued_orders_and_questions() -> None:
    bench = Bench(Rule(1, 10.0, ALL))
    bench.ask("first", "cancel")
    await bench.time.go_on(0.0)
    bench.ask("question", "read")
    bench.ask("order", "create")
    bench.ask("cancel", "cancel")
    await bench.time.go_on(30.0)
    assert bench.names == ["first", "cancel", "order", "question"]


@pytest.mark.asyncio
async def test_questions_leave_room_for_orders_and_orders_for_cancels() -> None:
    bench = Bench(Rule(100, 60.0, ALL))
    for number in range(100):
        bench.ask(f"question{number}", "read")
    await bench.time.go_on(1.0)
    assert len(bench.names) == 80
    for number in range(100):
        bench.ask(f"order{number}", "create")
    await bench.time.go_on(1.0)
    assert len(bench.names) == 95
    for number in range(5):
        bench.ask(f"cancel{number}", "cancel")
    await bench.time.go_on(1.0)
    assert len(bench.names) == 100


@pytest.mark.asyncio
async def test_a_429_stops_all_but_cancels_for_as_long_as_the_exchange_says() -> None:
    bench = Bench(*RULES["binance"])
    bench.limiter.stop(30.0)
    bench.ask("order", "create")
    bench.ask("question", "read")
    bench.ask("cancel", "cancel")
    await bench.time.go_on(29.0)
    assert bench.names == ["cancel"]
    await bench.time.go_on(2.0)
    assert sorted(bench.names) == ["cancel", "order", "question"]


@pytest.mark.asyncio
async def test_a_ban_stops_cancels_too() -> None:
    bench = Bench(*RULES["binance"])
    bench.limiter.stop(30.0, banned=True)
    bench.ask("cancel", "cancel")
    await bench.time.go_on(29.0)
    assert bench.names == []


@pytest.mark.asyncio
async def test_who_cannot_be_served_in_time_is_told_at_once_and_takes_no_room() -> None:
    bench = Bench(Rule(1, 10.0, CREATES))
    bench.ask("first", "create")
    bench.ask("hasty", "create", within_s=3.0)
    bench.ask("patient", "create", within_s=11.0)
    await bench.time.go_on(1.0)
    assert bench.names == ["first", "hasty not"]
    await bench.time.go_on(20.0)
    assert bench.names == ["first", "hasty not", "patient"]


@pytest.mark.asyncio
async def test_one_keys_orders_do_not_hold_up_anothers() -> None:
    bench = Bench(*RULES["bybit"])
    for number in range(30):
        bench.ask(f"ann{number}", "create", key="ann")
    bench.ask("bob", "create", key="bob")
    await bench.time.go_on(0.5)
    assert len([name for name in bench.names if name.startswith("ann")]) == 20
    assert "bob" in bench.names


@pytest.mark.asyncio
async def test_what_others_at_this_address_spent_counts() -> None:
    bench = Bench(*RULES["binance"])
    bench.limiter.heard({"x-mbx-used-weight-1m": "4790"})
    bench.ask("heavy", "read", weight=20)
    bench.ask("order", "create")
    await bench.time.go_on(1.0)
    assert bench.names == ["order"]
    await bench.time.go_on(60.0)
    assert bench.names == ["order", "heavy"]


@pytest.mark.asyncio
async def test_who_gives_up_waiting_is_forgotten() -> None:
    bench = Bench(Rule(1, 10.0, CREATES))
    bench.ask("first", "create")
    bench.ask("second", "create")
    bench.ask("third", "create")
    await bench.time.go_on(0.0)
    bench._tasks[1].cancel()
    await bench.time.go_on(10.5)
    assert bench.names == ["first", "third"]


@pytest.mark.asyncio
async def test_a_process_has_one_limiter_an_exchange() -> None:
    assert limiter_of("binance") is limiter_of("binance")
    assert limiter_of("binance") is not limiter_of("bybit")
