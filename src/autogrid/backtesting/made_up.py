"""Prices made up from a seed, for a demonstration without an exchange. They are no market's, and say so.

A random walk that is drawn back to where it began, so that a grid around that price has something to do: calm and
lively hours take turns. The same seed gives the same tape.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from autogrid.backtesting.tapes import Tape

MINUTE_MS: Final = 60_000
STARTS_MS: Final = (datetime(2025, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
PARTS: Final = 6
"""Steps of the walk within one candle."""
SWING: Final = 0.0013
"""Deviation of one candle's move, as a share."""
DRAW: Final = 0.009
"""Part of the distance to the first price by which each candle is drawn back."""
UNIT: Final = Decimal("0.01")


def made_up_tape(seed: int, candles: int = 30 * 24 * 60, price: int = 100_000) -> Tape:
    """A tape of `candles` minutes that starts at `price`, made up from `seed`."""
    chance = np.random.default_rng(seed)
    steps = candles * PARTS
    lively = np.exp(0.35 * np.sin(np.arange(steps) / (PARTS * 47.0)) + 0.2 * np.sin(np.arange(steps) / 911.0))
    moves = chance.standard_normal(steps) * lively * (SWING / PARTS**0.5)
    log = np.empty(steps + 1)
    at = log[0] = 0.0
    keep = 1 - DRAW / PARTS
    for index, move in enumerate(moves.tolist()):
        at = at * keep + move
        log[index + 1] = at
    walked = np.round(price * 100 * np.exp(log)).astype(np.int64)
    inner = np.stack([walked[part : steps + part : PARTS][:candles] for part in range(PARTS + 1)], axis=1)
    prices = np.stack([inner[:, 0], inner.max(axis=1), inner.min(axis=1), inner[:, -1]], axis=1)
    return Tape(
        source="made up BTCUSDT",
        times=STARTS_MS + np.arange(candles, dtype=np.int64) * MINUTE_MS,
        prices=np.ascontiguousarray(prices),
        volumes=chance.uniform(1, 20, candles),
        unit=UNIT,
        interval_ms=MINUTE_MS,
        gaps=(),
        warnings=(),
    )
