"""Tapes made up from a seed, with everything in them that a market does: no market's prices.

A tape is a chain of stretches: a calm or a wild walk, a rise, a fall, hours in which the price stands still, jumps
between two candles, candles with long wicks, and holes in time. The same seed gives the same tape.
"""

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Final, TypeAlias

import numpy as np

from autogrid.backtesting.tapes import Tape
from autogrid.trading.candle import MINUTE_MS

START_MS: Final = 1_747_612_800_000
"""2025-05-19 00:00 UTC, a Monday: candles of every length begin there."""

Units: TypeAlias = int
Stretch: TypeAlias = Callable[[random.Random, Units, Units], tuple[Units, Units, Units, Units]]
"""From chance, the price and the size of a usual move to the next candle: open, high, low, close."""


def made_up(seed: int, price: Decimal, candles: int, interval_ms: int, tick: Decimal, size: float) -> Tape:
    """A tape of so many candles that opens at `price`; `size`: a volume, in base, that is large for the bot."""
    chance = random.Random(seed)  # noqa: S311
    unit = min(tick, Decimal(1).scaleb(int(tick.adjusted())))
    step = max(1, int(tick / unit))
    first = at = max(step * 20, int(price / unit))
    usual = max(step, first * chance.choice((2, 5, 12, 25)) // 1000)
    rows: list[tuple[Units, Units, Units, Units]] = []
    times: list[int] = []
    now = START_MS
    stretch, left = STRETCHES[0], 0
    for number in range(candles):
        if not left:
            stretch, left = _next(chance, at, first), chance.randint(3, max(4, candles // 8))
            now += interval_ms * chance.choice((0, 0, 0, 1, 7)) if number else 0
        left -= 1
        row = stretch(chance, at, usual)
        if number == 0:
            row = (first, max(first, row[1]), min(first, row[2]), row[3])
        row = _on_tick(row, step if chance.random() < 0.875 else 1)
        rows.append(row)
        times.append(now)
        now += interval_ms
        at = row[3]
    volumes = [size * chance.choice((0.0, 0.3, 2.0, 20.0)) for _ in rows]
    return Tape(
        f"made up from seed {seed}",
        np.array(times, np.int64),
        np.ascontiguousarray(np.array(rows, np.int64)),
        np.array(volumes, np.float64),
        unit,
        interval_ms,
        (),
        (),
    )


def other_future(tape: Tape, candle: int, seed: int) -> Tape:
    """The same tape up to `candle`, and other prices from there on."""
    chance = random.Random(seed)  # noqa: S311
    prices = tape.prices.copy()
    for index in range(candle, len(tape)):
        share = chance.randint(800, 1250)
        prices[index] = np.maximum(1, prices[index] * share // 1000)
    return Tape(tape.source, tape.times, prices, tape.volumes, tape.unit, tape.interval_ms, (), ())


def intervals(timeframe_ms: int | None, warm_up: int, candles: int) -> tuple[int, int]:
    """How long a tape's candles are, and how many: fine enough for the strategy's, and enough to warm up."""
    if timeframe_ms is None:
        return MINUTE_MS, candles
    parts = next((n for n in (3, 2) if timeframe_ms % (n * MINUTE_MS) == 0 and warm_up * n <= 600), 1)
    return timeframe_ms // parts, (warm_up + 1 + candles // 2) * parts


def _candle(chance: random.Random, opens: Units, closes: Units, wick: Units) -> tuple[Units, Units, Units, Units]:
    high = max(opens, closes) + chance.randint(0, wick)
    low = min(opens, closes) - chance.randint(0, wick)
    return opens, high, low, closes


def _calm(chance: random.Random, at: Units, usual: Units) -> tuple[Units, Units, Units, Units]:
    return _candle(chance, at, at + chance.randint(-usual, usual) // 4, usual // 8)


def _wild(chance: random.Random, at: Units, usual: Units) -> tuple[Units, Units, Units, Units]:
    return _candle(chance, at, at + chance.randint(-3 * usual, 3 * usual), usual)


def _rise(chance: random.Random, at: Units, usual: Units) -> tuple[Units, Units, Units, Units]:
    return _candle(chance, at, at + chance.randint(0, usual), usual // 4)


def _fall(chance: random.Random, at: Units, usual: Units) -> tuple[Units, Units, Units, Units]:
    return _candle(chance, at, at - chance.randint(0, usual), usual // 4)


def _still(_chance: random.Random, at: Units, _usual: Units) -> tuple[Units, Units, Units, Units]:
    return at, at, at, at


def _jumps(chance: random.Random, at: Units, usual: Units) -> tuple[Units, Units, Units, Units]:
    opens = at + chance.randint(-4 * usual, 4 * usual)
    return _candle(chance, opens, opens + chance.randint(-usual, usual), usual // 2)


def _wicks(chance: random.Random, at: Units, usual: Units) -> tuple[Units, Units, Units, Units]:
    return _candle(chance, at, at + chance.randint(-usual, usual), 5 * usual)


STRETCHES: Final[tuple[Stretch, ...]] = (_calm, _wild, _wild, _rise, _fall, _still, _jumps, _wicks)


def _next(chance: random.Random, at: Units, first: Units) -> Stretch:
    """Any stretch; one that leads back where the price has gone far."""
    if at > first * 3 // 2:
        return _fall
    return _rise if at < first * 2 // 3 else chance.choice(STRETCHES)


def _on_tick(row: tuple[Units, Units, Units, Units], step: Units) -> tuple[Units, Units, Units, Units]:
    """Each price above zero and on the step; high and low stay around the others."""
    opens, high, low, closes = (max(step, price // step * step) for price in row)
    return opens, max(opens, high, closes), min(opens, low, closes), closes
