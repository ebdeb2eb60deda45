"""SuperTrend has no recorded reference here, so it is calculated a second time, over whole columns."""

import random

from autogrid.trading.indicators import supertrend
from tests.candles import random_walk


def plain_atr(highs: list[float], lows: list[float], closes: list[float], period: int) -> list[float | None]:
    """Wilder's average of the true range by its definition."""
    ranges = [highs[0] - lows[0]]
    for high, low, before in zip(highs[1:], lows[1:], closes, strict=False):
        ranges.append(max(high, before) - min(low, before))
    averages: list[float | None] = [None] * (period - 1)
    average = sum(ranges[:period]) / period
    averages.append(average)
    for reach in ranges[period:]:
        average += (reach - average) / period
        averages.append(average)
    return averages


def plain_supertrend(
    highs: list[float], lows: list[float], closes: list[float], period: int, factor: float
) -> list[tuple[float, bool] | None]:
    """Bands that only come nearer while the close stays inside; the trend turns when it leaves."""
    found: list[tuple[float, bool] | None] = []
    rising, upper, lower = False, 0.0, 0.0
    for at, average in enumerate(plain_atr(highs, lows, closes, period)):
        if average is None:
            found.append(None)
            continue
        middle = (highs[at] + lows[at]) / 2
        if not found or found[-1] is None:
            upper, lower = middle + factor * average, middle - factor * average
        else:
            inside_upper, inside_lower = closes[at - 1] <= upper, closes[at - 1] >= lower
            upper = min(upper, middle + factor * average) if inside_upper else middle + factor * average
            lower = max(lower, middle - factor * average) if inside_lower else middle - factor * average
            if rising and closes[at] < lower:
                rising = False
            elif not rising and closes[at] > upper:
                rising = True
        found.append((lower if rising else upper, rising))
    return found


def test_supertrend_is_that_of_a_plain_calculation() -> None:
    turns = 0
    for seed in range(20):
        made = random_walk(seed, 300, price=random.Random(seed).choice(("0.5", "100", "60000")), tick="0.01")
        highs, lows, closes = ([float(getattr(c, name)) for c in made] for name in ("high", "low", "close"))
        state = supertrend.start(10, 1.5)
        for at, plain in enumerate(plain_supertrend(highs, lows, closes, 10, 1.5)):
            state = supertrend.update(state, highs[at], lows[at], closes[at])
            line = supertrend.value(state)
            if plain is None:
                assert line is None
                continue
            assert line is not None
            assert abs(line - plain[0]) <= 1e-9 * plain[0]
            assert supertrend.rising(state) == plain[1]
            turns += at > 0 and plain[1]
    assert turns > 1000
