"""Candles and indicators of the signal oracle: straight from the definitions of spec/signals.md, loops over lists.

Every function gives one value per candle, None where the indicator has no value yet. Nothing here is shared
with the engine this is held against. "N n" in a comment is the number of a choice in SIGNAL_NOTES.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.oracle.grid_oracle import Candle

Series = list[float | None]

MINUTE = 60_000
UNITS = {"m": MINUTE, "h": 60 * MINUTE, "d": 24 * 60 * MINUTE, "w": 7 * 24 * 60 * MINUTE}
MONDAY = 4 * UNITS["d"]  # 1970-01-05, the first Monday of the epoch: weeks begin on Mondays
RELATIVE = 1e-10


# ---------------------------------------------------------------- comparisons


def equal(left: float, right: float) -> bool:
    """Prices within 1e-10 relative count as equal."""
    return abs(left - right) <= RELATIVE * max(abs(left), abs(right))


def above(left: float, right: float) -> bool:
    """Price above price, not equal to it."""
    return left > right and not equal(left, right)


def crossed(left: Series, right: Series, index: int) -> bool:
    """Prices: left is above right now and was not on the candle before."""
    if index == 0:
        return False
    now_left, now_right = left[index], right[index]
    was_left, was_right = left[index - 1], right[index - 1]
    if now_left is None or now_right is None or was_left is None or was_right is None:
        return False
    return above(now_left, now_right) and not above(was_left, was_right)


# ---------------------------------------------------------------- candles


@dataclass(frozen=True)
class Bar:
    """One candle in floats; it counts from `ends` on (its close time)."""

    time: int
    ends: int
    open: float
    high: float
    low: float
    close: float


def milliseconds(timeframe: str) -> int:
    """15m, 1h, 4h, 1d, 1w as milliseconds."""
    return int(timeframe[:-1]) * UNITS[timeframe[-1]]


def bucket_of(time: int, length: int) -> int:
    """The opening time of the candle of this length that holds the moment."""
    shift = MONDAY if length % UNITS["w"] == 0 else 0
    return (time - shift) // length * length + shift


def plain_bars(candles: Sequence[Candle], length: int) -> list[Bar]:
    """The tape as floats."""
    return [
        Bar(time, time + length, float(opened), float(high), float(low), float(close))
        for time, opened, high, low, close in candles
    ]


def built_bars(bars: Sequence[Bar], length: int) -> list[Bar]:
    """Longer candles out of shorter ones; a partial first bucket is dropped, an unfinished last one too."""
    buckets: dict[int, list[Bar]] = {}
    for bar in bars:
        buckets.setdefault(bucket_of(bar.time, length), []).append(bar)
    result: list[Bar] = []
    for start, parts in buckets.items():
        if not result and parts[0].time != start:
            continue
        result.append(
            Bar(
                start,
                start + length,
                parts[0].open,
                max(part.high for part in parts),
                min(part.low for part in parts),
                parts[-1].close,
            )
        )
    if result and bars[-1].ends < result[-1].ends:
        result.pop()
    return result


# ---------------------------------------------------------------- averages


def sma(values: Series, length: int) -> Series:
    """The mean of the last values, summed afresh, oldest first."""
    result: Series = []
    for index in range(len(values)):
        window = [value for value in values[max(0, index - length + 1) : index + 1] if value is not None]
        if len(window) < length:
            result.append(None)
            continue
        total = 0.0
        for value in window:
            total += value
        result.append(total / length)
    return result


def smoothed(values: Series, length: int, alpha: float) -> Series:
    """a*x + (1-a)*previous, seeded with the mean of the first values there are."""
    result: Series = []
    seed: list[float] = []
    previous: float | None = None
    for value in values:
        if value is None:
            result.append(None)
            continue
        if previous is None:
            seed.append(value)
            if len(seed) == length:
                total = 0.0
                for part in seed:
                    total += part
                previous = total / length
        else:
            previous = alpha * value + (1 - alpha) * previous
        result.append(previous)
    return result


def ema(values: Series, length: int) -> Series:
    """Alpha = 2/(n+1)."""
    return smoothed(values, length, 2 / (length + 1))


def rma(values: Series, length: int) -> Series:
    """Wilder: alpha = 1/n."""
    return smoothed(values, length, 1 / length)


# ---------------------------------------------------------------- indicators


def closes_of(bars: Sequence[Bar]) -> Series:
    """The closes."""
    return [bar.close for bar in bars]


def atr(bars: Sequence[Bar], length: int) -> Series:
    """RMA of the true range; the first candle's is high less low."""
    ranges: Series = []
    for index, bar in enumerate(bars):
        if index == 0:
            ranges.append(bar.high - bar.low)
        else:
            before = bars[index - 1].close
            ranges.append(max(bar.high - bar.low, abs(bar.high - before), abs(bar.low - before)))
    return rma(ranges, length)


def rsi(closes: Sequence[float], length: int) -> Series:
    """100 - 100/(1 + RMA(gain)/RMA(loss)); no loss 100, neither 50."""
    if not closes:
        return []
    gains: Series = [None]
    losses: Series = [None]
    for before, now in pairwise(closes):
        gains.append(max(now - before, 0.0))
        losses.append(max(before - now, 0.0))
    result: Series = []
    for gain, loss in zip(rma(gains, length), rma(losses, length), strict=True):
        if gain is None or loss is None:
            result.append(None)
        elif loss == 0:
            result.append(50.0 if gain == 0 else 100.0)
        else:
            result.append(100 - 100 / (1 + gain / loss))
    return result


def stochastic_rsi(closes: Sequence[float]) -> tuple[Series, Series]:
    """K and D of the stochastic RSI (14, 14, 3, 3)."""
    strength = rsi(closes, 14)
    raw: Series = []
    for index, value in enumerate(strength):
        window = [part for part in strength[max(0, index - 13) : index + 1] if part is not None]
        if value is None or len(window) < 14:
            raw.append(None)
            continue
        low, high = min(window), max(window)
        raw.append(50.0 if high - low < 1e-9 else 100 * (value - low) / (high - low))
    k = sma(raw, 3)
    return k, sma(k, 3)


def ewo(closes: Sequence[float], fast: int, slow: int) -> Series:
    """SMA less SMA of the close; under 1e-12 of the close it is nothing."""
    values: Series = list(closes)
    result: Series = []
    for close, quick, calm in zip(closes, sma(values, fast), sma(values, slow), strict=True):
        if quick is None or calm is None:
            result.append(None)
        else:
            result.append(0.0 if abs(quick - calm) < 1e-12 * close else quick - calm)
    return result


def heikin_ashi(bars: Sequence[Bar]) -> list[tuple[float, float, float, float]]:
    """Open, high, low, close of the Heikin Ashi candles."""
    result: list[tuple[float, float, float, float]] = []
    for bar in bars:
        close = (bar.open + bar.high + bar.low + bar.close) / 4
        if result:
            opened = (result[-1][0] + result[-1][3]) / 2
        else:
            opened = (bar.open + bar.close) / 2
        result.append((opened, max(bar.high, close, opened), min(bar.low, close, opened), close))
    return result


def ut_stop(bars: Sequence[Bar], key: float, length: int) -> Series:
    """The UT Bot's stop line over the close; its first value has no stop before it (N 3)."""
    result: Series = []
    stop: float | None = None
    for index, (bar, average) in enumerate(zip(bars, atr(bars, length), strict=True)):
        if average is None:
            result.append(None)
            continue
        source, loss = bar.close, key * average
        before = bars[index - 1].close if index else source
        if stop is None:
            stop = source - loss
        elif above(source, stop) and above(before, stop):
            stop = max(stop, source - loss)
        elif above(stop, source) and above(stop, before):
            stop = min(stop, source + loss)
        elif above(source, stop):
            stop = source - loss
        else:
            stop = source + loss
        result.append(stop)
    return result


def ut_signals(bars: Sequence[Bar], key: float, length: int) -> tuple[list[bool], list[bool]]:
    """On which candles the close crosses above (buy) and below (sell) the stop line."""
    stop = ut_stop(bars, key, length)
    closes = closes_of(bars)
    buys = [crossed(closes, stop, index) for index in range(len(bars))]
    sells = [crossed(stop, closes, index) for index in range(len(bars))]
    return buys, sells


def confirmed(bars: Sequence[Bar], moments: Sequence[int], length: int) -> list[bool]:
    """At each moment: the last closed longer candle is bullish in Heikin Ashi and its close above its EMA(20) (N 4)."""
    longer = built_bars(bars, length)
    average = ema(closes_of(longer), 20)
    verdicts: list[bool] = []
    for bar, (opened, _, _, close), level in zip(longer, heikin_ashi(longer), average, strict=True):
        verdicts.append(level is not None and above(close, opened) and above(bar.close, level))
    result: list[bool] = []
    seen = 0
    for moment in moments:
        while seen < len(longer) and longer[seen].ends <= moment:
            seen += 1
        result.append(seen > 0 and verdicts[seen - 1])
    return result
