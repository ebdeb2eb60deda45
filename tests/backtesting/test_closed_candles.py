"""Candles of a strategy's timeframe: made from a finer tape, told behind their close, and never before."""

import asyncio
import random

import numpy as np
import pytest

from autogrid.backtesting.candle_faults import UnableToReadCandles
from autogrid.backtesting.closed_candles import ClosedCandles
from autogrid.backtesting.tape_feed import TapeFeed
from autogrid.backtesting.tapes import Tape
from autogrid.trading.candle import Bucket, Candle, bucket_of, joined
from autogrid.trading.event import CandleClosed
from tests.builders import MINUTE_MS, START_MS, tape_of

FIVE_MS = 5 * MINUTE_MS


def made_up_tape(seed: int, minutes: int = 60) -> Tape:
    """Minutes from anywhere in an hour on, some of them missing."""
    chance = random.Random(seed)
    candles, times, price = [], [], 10_000
    at = START_MS + chance.randrange(60) * MINUTE_MS
    for _ in range(minutes):
        close = price + chance.randint(-50, 50)
        candles.append(
            (price, max(price, close) + chance.randint(0, 9), min(price, close) - chance.randint(0, 9), close)
        )
        times.append(at)
        price = close + chance.randint(-3, 3)
        at += MINUTE_MS * (1 if chance.random() < 0.8 else chance.randint(2, 17))
    return tape_of(candles, times=times, volumes=[float(chance.randint(0, 9)) for _ in candles])


def plainly(tape: Tape, timeframe_ms: int) -> list[Candle]:
    """The same candles, gathered by hand."""
    found: dict[int, list[int]] = {}
    for index, at in enumerate(tape.times.tolist()):
        found.setdefault(at // timeframe_ms * timeframe_ms, []).append(index)
    candles = []
    for opens, inside in found.items():
        starts_late = inside[0] == 0 and tape.times.item(0) != opens
        is_open = inside[-1] == len(tape) - 1 and tape.times.item(-1) + MINUTE_MS < opens + timeframe_ms
        if starts_late or is_open:
            continue
        rows = tape.prices[inside] / 100
        high, low = float(rows[:, 1].max()), float(rows[:, 2].min())
        volume = float(tape.volumes[inside].sum())
        candles.append(Candle(opens, float(rows[0, 0]), high, low, float(rows[-1, 3]), volume))
    return candles


def told(tape: Tape, *, skip: bool, cursor_after: int | None = None) -> list[tuple[CandleClosed, int]]:
    """Each candle told, with the time of the last point before it; with a restart after so many points."""

    async def walk() -> list[tuple[CandleClosed, int]]:
        feed = TapeFeed(tape, skip=skip, timeframe_ms=FIVE_MS)
        found, points = [], 0
        while (point := await feed.reach(None, None, None, every=not skip)) is not None:
            points += 1
            if points == cursor_after:
                cursor = feed.cursor()
                feed = TapeFeed(tape, skip=skip, timeframe_ms=FIVE_MS)
                feed.seek(cursor)
            if (closed := feed.closed()) is not None:
                here = feed.here()
                assert here is not None
                assert here.in_jump
                assert here.price == point.price
                assert float(here.price) == closed.candle.close
                found.append((closed, point.at_ms))
            assert feed.closed() is None
        return found

    return asyncio.run(walk())


@pytest.mark.parametrize("seed", range(40))
def test_candles_are_those_gathered_by_hand(seed: int) -> None:
    tape = made_up_tape(seed)
    candles = ClosedCandles(tape, FIVE_MS)
    assert [candles.closed(i).candle for i in range(len(candles))] == plainly(tape, FIVE_MS)


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("seed", range(10))
def test_each_is_told_once_after_its_last_trade_and_before_any_later_one(seed: int, skip: bool) -> None:
    tape = made_up_tape(seed)
    found = told(tape, skip=skip)
    assert [closed.candle for closed, _ in found] == plainly(tape, FIVE_MS)
    for closed, last_ms in found:
        ends = closed.candle.open_ms + FIVE_MS
        assert closed.at_ms == ends
        assert last_ms < ends
        assert last_ms == max(at for at in tape.times.tolist() if at < ends)


@pytest.mark.parametrize("points", range(1, 60))
def test_a_feed_that_is_taken_up_again_tells_each_candle_once(points: int) -> None:
    tape = made_up_tape(3, minutes=30)
    assert told(tape, skip=False, cursor_after=points) == told(tape, skip=False)


def test_a_candle_that_was_told_is_not_told_again_after_a_restart() -> None:
    async def walk() -> None:
        tape = tape_of([(100, 110, 90, 105)] * 7)
        feed = TapeFeed(tape, timeframe_ms=FIVE_MS)
        await feed.reach(None, None, None, every=False)
        while feed.closed() is None:
            await feed.reach(None, None, None, every=False)
        again = TapeFeed(tape, timeframe_ms=FIVE_MS)
        again.seek(feed.cursor())
        assert again.closed() is None
        assert again.here() == feed.here()

    asyncio.run(walk())


def test_weekly_candles_begin_on_monday() -> None:
    day_ms = 1440 * MINUTE_MS
    monday_ms = START_MS - day_ms  # START_MS is a Tuesday
    assert [bucket_of(monday_ms + days * day_ms, 7 * day_ms) - monday_ms for days in (-1, 0, 6, 7)] == [
        -7 * day_ms,
        0,
        0,
        7 * day_ms,
    ]
    weeks = ClosedCandles(tape_of([(100 + n, 110 + n, 90, 101 + n) for n in range(15)], interval_ms=day_ms), 7 * day_ms)
    assert [weeks.closed(i).candle.open_ms - monday_ms for i in range(len(weeks))] == [7 * day_ms]
    assert weeks.closed(0).candle[1:5] == (1.06, 1.22, 0.9, 1.13)


def test_a_timeframe_that_the_tape_does_not_divide_is_refused() -> None:
    with pytest.raises(UnableToReadCandles, match="holds 5m candles, and 1m ones cannot be made"):
        ClosedCandles(tape_of([(1, 1, 1, 1)] * 3, interval_ms=FIVE_MS), MINUTE_MS)
    with pytest.raises(UnableToReadCandles, match="holds 2m candles, and 5m ones cannot be made"):
        ClosedCandles(tape_of([(1, 1, 1, 1)] * 3, interval_ms=2 * MINUTE_MS), FIVE_MS)


@pytest.mark.parametrize("seed", range(20))
def test_coarser_candles_built_one_by_one_are_those_of_the_tape(seed: int) -> None:
    tape = made_up_tape(seed, minutes=300)
    hour_ms = 60 * MINUTE_MS
    fine, coarse = ClosedCandles(tape, FIVE_MS), ClosedCandles(tape, hour_ms)
    bucket: Bucket | None = None
    found: list[Candle] = []
    for index in range(len(fine)):
        bucket, closed = joined(bucket, fine.closed(index).candle, hour_ms, FIVE_MS)
        found += closed
    wanted = [coarse.closed(i).candle for i in range(len(coarse))]
    wanted = [candle for candle in wanted if not found or candle.open_ms >= found[0].open_ms]
    assert found == wanted[: len(found)]
    assert len(wanted) - len(found) <= 1, "only the last may still wait for the candle after it"
    assert np.isfinite([value for candle in found for value in candle[1:]]).all()
