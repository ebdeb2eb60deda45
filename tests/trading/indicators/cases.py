"""Every indicator with its step, as one table: what it starts from, how a candle moves it, what it then says."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

from autogrid.trading.candle import Candle
from autogrid.trading.indicators import (
    adx,
    atr,
    bollinger,
    ema,
    ewo,
    heikin_ashi,
    macd,
    rma,
    rsi,
    sma,
    stochastic_rsi,
    supertrend,
    ut_bot,
    vwap,
)

Said: TypeAlias = tuple[float | None, ...]
"""The values after a candle; None where there is none yet."""
Periods: TypeAlias = tuple[int, int, int]
"""Of an indicator, as far as it has that many."""


class Case(NamedTuple):
    name: str
    start: Callable[[Periods], Any]
    update: Callable[[Any, Candle], Any]
    ready: Callable[[Any], bool]
    say: Callable[[Any], Said]
    first: Callable[[Periods], int]
    """How many candles are needed until it is ready."""


def fields(value: tuple[float, ...] | None, count: int) -> Said:
    return (None,) * count if value is None else tuple(value)


def hl2(candle: Candle) -> float:
    return (candle.high + candle.low) / 2.0


def averaged(candle: Candle) -> float:
    return heikin_ashi.averaged_close(candle.open, candle.high, candle.low, candle.close)


def typical(candle: Candle) -> float:
    return vwap.typical(candle.high, candle.low, candle.close)


CASES = (
    Case(
        "sma",
        lambda p: sma.start(p[0]),
        lambda s, c: sma.update(s, c.volume),
        sma.ready,
        lambda s: (sma.value(s),),
        lambda p: p[0],
    ),
    Case(
        "ema",
        lambda p: ema.start(p[0]),
        lambda s, c: ema.update(s, c.close),
        ema.ready,
        lambda s: (ema.value(s),),
        lambda p: p[0],
    ),
    Case(
        "rma",
        lambda p: rma.start(p[0]),
        lambda s, c: rma.update(s, c.close),
        rma.ready,
        lambda s: (rma.value(s),),
        lambda p: p[0],
    ),
    Case(
        "atr",
        lambda p: atr.start(p[0]),
        lambda s, c: atr.update(s, c.high, c.low, c.close),
        atr.ready,
        lambda s: (atr.value(s),),
        lambda p: p[0],
    ),
    Case(
        "rsi",
        lambda p: rsi.start(p[0]),
        lambda s, c: rsi.update(s, c.close),
        rsi.ready,
        lambda s: (rsi.value(s),),
        lambda p: p[0] + 1,
    ),
    Case(
        "stochastic_rsi",
        lambda p: stochastic_rsi.start(p[0], p[1], p[2], p[0]),
        lambda s, c: stochastic_rsi.update(s, c.close),
        stochastic_rsi.ready,
        lambda s: (stochastic_rsi.k(s), stochastic_rsi.d(s)),
        lambda p: p[0] + p[1] + (p[2] - 1) + (p[0] - 1),
    ),
    Case(
        "ewo",
        lambda p: ewo.start(p[0], p[0] + p[1]),
        lambda s, c: ewo.update(s, hl2(c), c.close),
        ewo.ready,
        lambda s: (ewo.value(s),),
        lambda p: p[0] + p[1],
    ),
    Case(
        "ema_ewo",
        lambda p: ewo.start_ema(p[0], p[0] + p[1]),
        lambda s, c: ewo.update_ema(s, c.close, c.close),
        ewo.ready_ema,
        lambda s: (ewo.value_ema(s),),
        lambda p: p[0] + p[1],
    ),
    Case(
        "heikin_ashi",
        lambda p: heikin_ashi.start(),
        lambda s, c: heikin_ashi.update(s, c.open, c.high, c.low, c.close),
        heikin_ashi.ready,
        lambda s: fields(None if (made := heikin_ashi.value(s)) is None else made[1:], 4),
        lambda p: 1,
    ),
    Case(
        "ut_bot",
        lambda p: ut_bot.start(p[1] / 2, p[0]),
        lambda s, c: ut_bot.update(s, c.high, c.low, c.close, c.close),
        ut_bot.ready,
        lambda s: (ut_bot.value(s), s.position, s.buy, s.sell),
        lambda p: p[0],
    ),
    Case(
        "ut_bot_of_heikin_ashi",
        lambda p: ut_bot.start(p[1] / 2, p[0]),
        lambda s, c: ut_bot.update(s, c.high, c.low, c.close, averaged(c)),
        ut_bot.ready,
        lambda s: (ut_bot.value(s), s.position, s.buy, s.sell),
        lambda p: p[0],
    ),
    Case(
        "bollinger",
        lambda p: bollinger.start(p[0], p[1] / 2),
        lambda s, c: bollinger.update(s, c.close),
        bollinger.ready,
        lambda s: fields(bollinger.value(s), 3),
        lambda p: p[0],
    ),
    Case(
        "macd",
        lambda p: macd.start(p[0], p[0] + p[1], p[2]),
        lambda s, c: macd.update(s, c.close),
        macd.ready,
        lambda s: fields(macd.value(s), 3),
        lambda p: p[0] + p[1] + p[2] - 1,
    ),
    Case(
        "adx",
        lambda p: adx.start(p[0], p[1]),
        lambda s, c: adx.update(s, c.high, c.low, c.close),
        adx.ready,
        lambda s: fields(adx.value(s), 3),
        lambda p: p[0] + p[1],
    ),
    Case(
        "supertrend",
        lambda p: supertrend.start(p[0], p[1] / 2),
        lambda s, c: supertrend.update(s, c.high, c.low, c.close),
        supertrend.ready,
        lambda s: (supertrend.value(s), s.rising),
        lambda p: p[0],
    ),
    Case(
        "vwap",
        lambda p: vwap.start(p[0] * 3_600_000),
        lambda s, c: vwap.update(s, c.open_ms, typical(c), c.volume),
        vwap.ready,
        lambda s: (vwap.value(s),),
        lambda p: 1,
    ),
)


def named(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


def states(case: Case, candles: Iterable[Candle], periods: Periods) -> list[Any]:
    """The state after each candle."""
    state = case.start(periods)
    return [state := case.update(state, candle) for candle in candles]


def said(case: Case, candles: Iterable[Candle], periods: Periods) -> list[Said]:
    """What the indicator says after each candle."""
    return [case.say(state) for state in states(case, candles, periods)]


def candles_of(closes: Sequence[float]) -> list[Candle]:
    """Candles that do not move, at these prices."""
    return [Candle(at * 60_000, close, close, close, close, 1.0) for at, close in enumerate(closes)]
