"""Closed candles, as strategies that look at indicators hear of them, and how coarser ones are built from finer ones.

Prices and volumes are floats here: indicators are ratios, not money. Whatever becomes an order's price or quantity is
made an exact figure first.
"""

from typing import Final, NamedTuple

from autogrid.trading.money import Price


class Candle(NamedTuple):
    """What was traded from `open_ms` on for one timeframe, once that time is over."""

    open_ms: int
    """UTC milliseconds."""
    open: float
    """Quote per base, as the other three prices."""
    high: float
    low: float
    close: float
    volume: float
    """Of the base asset."""


MINUTE_MS: Final = 60_000
TIMEFRAMES: Final = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": 60 * MINUTE_MS,
    "2h": 120 * MINUTE_MS,
    "4h": 240 * MINUTE_MS,
    "6h": 360 * MINUTE_MS,
    "8h": 480 * MINUTE_MS,
    "12h": 720 * MINUTE_MS,
    "1d": 1440 * MINUTE_MS,
    "1w": 7 * 1440 * MINUTE_MS,
}
"""The timeframes of exchanges, with their lengths in ms, finest first."""

MONDAY_MS: Final = 4 * 1440 * MINUTE_MS
"""The first Monday after 1970-01-01: weeks are counted from it, everything shorter from 1970-01-01."""


def bucket_of(at_ms: int, timeframe_ms: int) -> int:
    """When the candle of `timeframe_ms` that holds `at_ms` opens, UTC ms: days at 00:00, weeks on Monday."""
    shift = MONDAY_MS if timeframe_ms % (7 * 1440 * MINUTE_MS) == 0 else 0
    return (at_ms - shift) // timeframe_ms * timeframe_ms + shift


class Bucket(NamedTuple):
    """A coarser candle that is being built from finer ones."""

    candle: Candle
    """As far as it has come."""
    pending: bool
    """Whether it is still to be told; not one whose beginning was not seen."""


def joined(
    bucket: Bucket | None, candle: Candle, timeframe_ms: int, finer_ms: int
) -> tuple[Bucket, tuple[Candle, ...]]:
    """The coarser candle in the making with the closed finer `candle` in it, and the coarser ones that are closed now.

    A coarser candle closes together with the last finer one inside it; where nothing was traded at its end, with the
    next candle there is. The first one is dropped unless it was seen from its beginning.
    """
    opens = bucket_of(candle.open_ms, timeframe_ms)
    closed: tuple[Candle, ...] = ()
    if bucket is None:
        bucket = Bucket(candle._replace(open_ms=opens), candle.open_ms == opens)
    elif bucket.candle.open_ms != opens:
        closed = (bucket.candle,) if bucket.pending else ()
        bucket = Bucket(candle._replace(open_ms=opens), True)
    else:
        bucket = Bucket(_grown(bucket.candle, candle), bucket.pending)
    if bucket.pending and candle.open_ms + finer_ms >= opens + timeframe_ms:
        return Bucket(bucket.candle, False), (*closed, bucket.candle)
    return bucket, closed


def _grown(coarse: Candle, fine: Candle) -> Candle:
    high, low = max(coarse.high, fine.high), min(coarse.low, fine.low)
    return Candle(coarse.open_ms, coarse.open, high, low, fine.close, coarse.volume + fine.volume)


def exact(number: float) -> Price:
    """The shortest decimal text of a float as an exact figure."""
    return Price(repr(number))
