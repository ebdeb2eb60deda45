"""Closed candles of a live market: each is told once, in order, closed by the exchange's clock, whatever goes wrong."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ccxt.async_support as ccxt
import pytest

from autogrid.exchanges.candle_download import UnableToDownload
from autogrid.exchanges.live_candles import BESIDE, LiveCandles, Wanted, source_of
from autogrid.exchanges.live_prices import Patience
from autogrid.trading.candle import MINUTE_MS, Candle
from tests.exchanges.fake_candles import ALL, START_MS, FakeCandles, row

HOUR_MS = 60 * MINUTE_MS


class Enough(Exception):
    """The time that a test looks at is over."""


@dataclass
class World:
    """Time, which goes on while something waits, and what is told when."""

    now: int = START_MS + 10_000
    """The exchange's clock."""
    ours_ahead_ms: int = 0
    told: list[tuple[int, Candle]] = field(default_factory=list)
    until_ms: int = 0
    every_ms: int = 1
    """So long a request takes."""
    patience: Patience = field(default_factory=Patience)

    def clock(self) -> int:
        self.now += self.every_ms
        return self.now

    def ours(self) -> int:
        return self.now + self.ours_ahead_ms

    async def sleep(self, wait_s: float) -> None:
        assert wait_s > 0
        self.now += int(wait_s * 1_000) + 1
        await asyncio.sleep(0)
        if self.now > self.until_ms:
            raise Enough

    def candles(
        self,
        exchange: FakeCandles,
        warm_up: int = 0,
        timeframe_ms: int = MINUTE_MS,
        exchange_ms: Callable[[], int | None] = lambda: None,
    ) -> LiveCandles:
        wanted = Wanted("binance", "BTC/USDT", timeframe_ms, warm_up)
        return LiveCandles(
            wanted,
            lambda candle: self.told.append((self.now, candle)),
            exchange_ms,
            exchange.client,
            patience=self.patience,
            clock_ms=self.ours,
            sleep=self.sleep,
        )

    def live(self, candles: LiveCandles, until_ms: int) -> list[int]:
        """The numbers of the candles that are told until then; those told before are forgotten."""
        self.told, self.until_ms = [], until_ms
        with pytest.raises(Enough):
            asyncio.run(candles.run())
        return [(candle.open_ms - START_MS) // candles._wanted.timeframe_ms for _, candle in self.told]

    def delays_ms(self) -> list[int]:
        """How long after its end each was told; only of those of a minute."""
        return [at - candle.open_ms - MINUTE_MS for at, candle in self.told]


def minute(number: float) -> int:
    return START_MS + int(number * MINUTE_MS)


def test_the_past_is_told_first_and_never_the_candle_that_is_still_open() -> None:
    world = World()
    exchange = FakeCandles(world.clock)
    candles = world.candles(exchange, warm_up=5)
    assert world.live(candles, minute(0.5)) == [-7, -6, -5, -4, -3, -2, -1]
    assert len(world.told) == 5 + BESIDE
    assert world.told[-1][1] == Candle(START_MS - MINUTE_MS, 998.0, 1004.0, 994.0, 999.0, 2.5)
    assert candles.known_ms == minute(-8)
    assert candles.caught_up
    assert all(client.closed for client in exchange.clients)


def test_each_candle_is_told_once_shortly_after_its_end() -> None:
    world = World()
    assert world.live(world.candles(FakeCandles(world.clock)), minute(6)) == [0, 1, 2, 3, 4]
    assert all(1_500 <= delay < 2_000 for delay in world.delays_ms())


def test_without_a_warm_up_nothing_of_the_past_is_told_but_it_is_known_where_it_ends() -> None:
    world = World()
    candles = world.candles(FakeCandles(world.clock))
    assert world.live(candles, minute(0.9)) == []
    assert candles.known_ms == minute(-1)


def test_a_past_longer_than_a_page_is_asked_for_page_by_page() -> None:
    world = World()
    exchange = FakeCandles(world.clock)
    assert world.live(world.candles(exchange, warm_up=250), minute(0.5)) == list(range(-252, 0))
    assert len(exchange.asked) == 3


def test_where_candles_are_left_out_the_past_is_asked_for_further_back() -> None:
    world = World()
    exchange = FakeCandles(world.clock, missing={number for number in range(-200, 0) if number % 4})
    assert world.live(world.candles(exchange, warm_up=10), minute(0.5)) == list(range(-48, 0, 4))


def test_a_young_market_tells_what_there_is() -> None:
    world = World()
    assert world.live(world.candles(FakeCandles(world.clock, first=-3), warm_up=50), minute(1.5)) == [-3, -2, -1, 0]


def test_a_market_that_has_not_begun_tells_its_first_candle() -> None:
    world = World()
    assert world.live(world.candles(FakeCandles(world.clock, first=2), warm_up=5), minute(4.5)) == [2, 3]


def test_a_candle_that_is_published_late_is_asked_for_again_until_it_is_there() -> None:
    world = World()
    exchange = FakeCandles(world.clock, late_ms={1: 12_000, 3: 40_000})
    assert world.live(world.candles(exchange), minute(5.5)) == [0, 1, 2, 3, 4]
    delays = world.delays_ms()
    assert 12_000 <= delays[1] < 23_000
    assert 40_000 <= delays[3] < 62_000
    assert delays[4] < 2_000


def test_a_candle_in_which_nobody_traded_is_passed_over_and_the_next_one_is_in_time() -> None:
    world = World()
    exchange = FakeCandles(world.clock, missing={1, 2, 3, 6})
    assert world.live(world.candles(exchange), minute(8.5)) == [0, 4, 5, 7]
    assert all(delay < 2_000 for delay in world.delays_ms())


def test_a_long_wait_for_one_candle_does_not_make_the_next_one_late() -> None:
    world = World()
    exchange = FakeCandles(world.clock, missing={1, 2, 3}, late_ms={4: 2_500})
    assert world.live(world.candles(exchange), minute(5.5)) == [0, 4]
    assert world.delays_ms()[1] < 4_500


def test_while_nothing_comes_the_exchange_is_asked_ever_more_seldom() -> None:
    world = World()
    exchange = FakeCandles(world.clock, HOUR_MS, missing=set(range(100)))
    world.live(world.candles(exchange, timeframe_ms=HOUR_MS), START_MS + 2 * HOUR_MS - 1)
    assert 50 < len(exchange.asked) < 80


def test_answers_in_disorder_and_twice_are_told_in_order_and_once() -> None:
    world = World()
    chance = random.Random(1)

    def wild(rows: list[Any]) -> list[Any]:
        return [*chance.sample([*rows, *rows], 2 * len(rows)), row(-500)]

    exchange = FakeCandles(world.clock, wild=wild)
    assert world.live(world.candles(exchange, warm_up=1), minute(4.5)) == [-3, -2, -1, 0, 1, 2, 3]


def test_after_an_outage_all_that_closed_meanwhile_is_told_in_order() -> None:
    world = World()
    exchange = FakeCandles(world.clock, away=lambda now: minute(2) <= now < minute(150))
    candles = world.candles(exchange)
    assert world.live(candles, minute(160)) == list(range(159))
    assert max(world.delays_ms()[151:]) < 2_000
    assert len(exchange.clients) > 1
    assert all(client.closed for client in exchange.clients)
    assert candles.fault is None


@pytest.mark.parametrize(
    "fault",
    [ccxt.NetworkError("reset"), ccxt.RateLimitExceeded("slower"), ccxt.BadResponse("html"), KeyError("x"), OSError()],
)
def test_a_fault_is_noted_and_tried_again_with_the_same_client(fault: Exception) -> None:
    world = World()
    exchange = FakeCandles(world.clock, faults=[fault, fault])
    assert world.live(world.candles(exchange, warm_up=3), minute(2.5)) == [-5, -4, -3, -2, -1, 0, 1]
    assert len(exchange.clients) == 1


@pytest.mark.parametrize(
    "bad",
    [
        ("x", 1, 1, 1, 1, 1),
        (minute(0), None, 1, 1, 1, 1),
        (minute(0), 1, "NaN", 1, 1, 1),
        (minute(0), 0, 1, 0, 1, 1),
        (minute(0), 1, 1, 1, 1, "inf"),
        (minute(0), 1),
        "Bad Gateway",
        None,
    ],
)
def test_what_is_no_candle_is_a_fault_and_nothing_is_told_of_it(bad: Any) -> None:
    world = World()
    exchange = FakeCandles(world.clock, wild=lambda rows: [*rows, bad] if world.now < minute(2) else rows)
    candles = world.candles(exchange)
    assert world.live(candles, minute(1.9)) == []
    assert candles.fault
    assert world.live(candles, minute(3.5)) == [2]


def test_a_candle_without_a_volume_has_none() -> None:
    world = World()
    exchange = FakeCandles(world.clock, wild=lambda rows: [(*one[:5], None) for one in rows])
    world.live(world.candles(exchange), minute(1.5))
    assert world.told[0][1].volume == 0.0


def test_a_resumed_one_tells_no_past_but_all_that_closed_since() -> None:
    world = World()
    candles = world.candles(FakeCandles(world.clock), warm_up=50)
    candles.resume_after(minute(-131))
    assert candles.known_ms == minute(-131)
    assert world.live(candles, minute(2.5)) == list(range(-130, 2))


@pytest.mark.parametrize("ahead_ms", [-3 * HOUR_MS, -5_000, 0, 5_000, 3 * HOUR_MS])
def test_the_exchanges_clock_says_what_is_closed_and_not_ours(ahead_ms: int) -> None:
    world = World(ours_ahead_ms=ahead_ms)
    assert world.live(world.candles(FakeCandles(world.clock), warm_up=1), minute(3.5)) == [-3, -2, -1, 0, 1, 2]
    assert all(1_500 <= delay < 2_000 for delay in world.delays_ms()[3:])


def test_a_clock_of_ours_that_is_set_back_and_forth_changes_nothing() -> None:
    world = World()
    exchange = FakeCandles(world.clock)
    candles = world.candles(exchange)
    chance = random.Random(3)

    async def sleep(wait_s: float) -> None:
        world.ours_ahead_ms = chance.choice([0, HOUR_MS, -HOUR_MS])
        await world.sleep(wait_s)

    candles._sleep = sleep
    assert world.live(candles, minute(30)) == list(range(29))
    assert all(1_500 <= delay < 32_000 for delay in world.delays_ms())


def test_an_exchange_that_tells_no_time_is_known_by_its_trades() -> None:
    world = World(ours_ahead_ms=HOUR_MS)
    last: list[int] = []
    exchange = FakeCandles(world.clock, tells_time=False)
    candles = world.candles(exchange, warm_up=1, exchange_ms=lambda: last[-1] if last else None)
    assert world.live(candles, minute(2)) == []
    assert not candles.caught_up
    last.append(minute(3) + 1_499)
    assert world.live(candles, minute(5)) == [-1, 0, 1]
    last.append(minute(3) + 1_500)
    assert world.live(candles, minute(6)) == [2]


def test_a_time_of_days_to_come_is_a_fault() -> None:
    world = World(ours_ahead_ms=-25 * HOUR_MS)
    candles = world.candles(FakeCandles(world.clock), warm_up=1)
    assert world.live(candles, minute(2)) == []
    assert candles.fault is not None
    assert "which is not yet" in candles.fault


def test_a_timeframe_that_is_not_offered_is_built_from_the_coarsest_that_divides_it() -> None:
    world = World()
    exchange = FakeCandles(world.clock, HOUR_MS, ("1m", "1h", "4h"))
    two_hours = 2 * HOUR_MS
    assert world.live(world.candles(exchange, 3, two_hours), START_MS + 2 * two_hours) == [-5, -4, -3, -2, -1, 0]
    assert {name for name, *_ in exchange.asked} == {"1h"}
    assert 1_500 <= world.told[-1][0] - START_MS - two_hours < 2_000
    assert world.told[-1][1] == Candle(START_MS, 999.0, 1006.0, 995.0, 1001.0, 5.0)


def test_a_built_candle_is_whole_after_a_restart_within_it_even_where_its_beginning_had_no_trades() -> None:
    world = World()
    two_hours = 2 * HOUR_MS
    exchange = FakeCandles(world.clock, HOUR_MS, ("1h",), missing={0})
    world.now = START_MS + HOUR_MS + 5
    candles = world.candles(exchange, 10, two_hours)
    candles.resume_after(START_MS - two_hours)
    assert world.live(candles, START_MS + 2 * two_hours) == [0]
    assert world.told[0][1] == Candle(START_MS, 1000.0, 1006.0, 996.0, 1001.0, 2.5)


@pytest.mark.parametrize(
    ("timeframe_ms", "offered", "name"),
    [
        (MINUTE_MS, ALL, "1m"),
        (5 * MINUTE_MS, ALL, "5m"),
        (15 * MINUTE_MS, ALL, "5m"),
        (3 * MINUTE_MS, ALL, "1m"),
        (4 * HOUR_MS, ALL, "1h"),
        (7 * 24 * HOUR_MS, ALL, "1d"),
        (7 * 24 * HOUR_MS, ("7d", "1M", "1w"), "1w"),
    ],
)
def test_the_source_of_a_timeframe(timeframe_ms: int, offered: tuple[str, ...], name: str) -> None:
    assert source_of(Wanted("gate", "BTC/USDT", timeframe_ms, 0), offered).name == name


def test_a_timeframe_that_cannot_be_had_is_an_error_and_the_client_is_closed() -> None:
    world = World()
    exchange = FakeCandles(world.clock, timeframes=("1h", "1d"))
    with pytest.raises(UnableToDownload, match=r"binance has no candles of 5m, .* it has 1h, 1d\.") as raised:
        asyncio.run(world.candles(exchange, timeframe_ms=5 * MINUTE_MS).run())
    assert raised.value.code == "unknown_timeframe"
    assert exchange.clients[0].closed


def test_markets_that_cannot_be_loaded_are_tried_again_with_a_new_client() -> None:
    world = World()
    exchange = FakeCandles(world.clock, away=lambda now: now < minute(1))
    assert world.live(world.candles(exchange, warm_up=1), minute(2.5)) == [-2, -1, 0, 1]
    assert len(exchange.clients) > 3


@pytest.mark.parametrize("seed", range(20))
def test_whatever_goes_wrong_all_are_told_once_in_order_and_only_when_closed(seed: int) -> None:
    chance = random.Random(seed)
    world = World(ours_ahead_ms=chance.randint(-90_000, 90_000), every_ms=chance.choice([1, 300, 2_000]))
    missing = {number for number in range(-20, 120) if chance.random() < 0.1}
    late = {number: chance.randint(0, 20_000) for number in range(120) if chance.random() < 0.3}
    outages = [(chance.randint(1, 100), chance.random() * 10) for _ in range(4)]
    exchange = FakeCandles(
        world.clock,
        missing=missing,
        late_ms=late,
        away=lambda now: any(minute(at) <= now < minute(at + long) for at, long in outages) or chance.random() < 0.1,
        wild=lambda rows: chance.sample([*rows, *rows], 2 * len(rows)),
    )
    candles, told = world.candles(exchange, warm_up=5), list[int]()
    for number in (40, 80, 130):
        told += world.live(candles, minute(number))
        candles = world.candles(exchange, warm_up=5)
        candles.resume_after(minute(told[-1]))
        assert all(delay >= 1_500 for delay in world.delays_ms())
    assert told == sorted(set(told))
    assert len([number for number in told if number < 0]) >= 5
    assert set(range(told[0], told[-1])) - set(told) <= missing
    assert told[-1] >= 110
