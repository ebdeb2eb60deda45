"""Whole series of indicators, compiled: the steps of `autogrid.trading.indicators` in a loop.

What is compiled are the very functions of the steps, so that a series equals the steps to the last bit; indicators that
keep a window keep none here, but hand a stretch of the series to the same functions. Nothing is compiled before it is
first called, and what was compiled is kept on disk, under a name that changes with the source of the indicators.

Series are one-dimensional arrays, oldest first, of one length: float64 prices and volumes (int64 for times). Where an
indicator has no value yet, and only there, a series of floats holds NaN.
"""

from collections.abc import Callable
from functools import cache, wraps
from hashlib import sha256
from inspect import getsourcefile, isfunction, signature
from pathlib import Path
from typing import Final, NamedTuple, ParamSpec, TypeAlias, TypeVar

import numpy as np
from numba import njit
from numba.extending import register_jitable
from numpy.typing import NDArray

from autogrid.trading.indicators import (
    adx,
    atr,
    bollinger,
    comparison,
    ema,
    ewo,
    heikin_ashi,
    macd,
    rma,
    rsi,
    smoothing,
    stochastic_rsi,
    supertrend,
    ut_bot,
    vwap,
    window,
)

Series: TypeAlias = NDArray[np.float64]
Times: TypeAlias = NDArray[np.int64]
"""UTC ms."""
Flags: TypeAlias = NDArray[np.bool_]

P = ParamSpec("P")
R = TypeVar("R")

_SMALL: Final = (comparison, smoothing, window)
_MODULES: Final = (
    *_SMALL,
    *(adx, atr, bollinger, ema, ewo, heikin_ashi, macd, rma, rsi, stochastic_rsi, supertrend, ut_bot, vwap),
)


@cache
def source_of_steps() -> str:
    """Lets compiled loops call the functions of the steps, once a process; gives a digest of their source."""
    digest = sha256()
    for module in _MODULES:
        digest.update(Path(getsourcefile(module) or "").read_bytes())
        for function in vars(module).values():
            if isfunction(function) and function.__module__ == module.__name__:
                register_jitable(function)
    return digest.hexdigest()[:16]


def compiled(loop: Callable[P, R]) -> Callable[P, R]:
    """The loop, compiled when it is first called.

    Numba's cache on disk looks at the file of the loop alone and would not see that a step changed; so the digest of
    the steps goes into the name by which the cache knows the loop.
    """
    parameters = signature(loop)

    @cache
    def kernel() -> Callable[..., R]:
        name = loop.__qualname__
        loop.__qualname__ = f"{name}_{source_of_steps()}"
        made: Callable[..., R] = njit(cache=True, nogil=True)(loop)
        loop.__qualname__ = name
        return made

    @wraps(loop)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        given = parameters.bind(*args, **kwargs)
        given.apply_defaults()
        plain = (np.ascontiguousarray(one) if isinstance(one, np.ndarray) else one for one in given.args)
        return kernel()(*plain)

    return called


class StochasticRsiSeries(NamedTuple):
    """0 to 100."""

    k: Series
    d: Series


class HeikinAshiSeries(NamedTuple):
    """The averaged candles, in quote."""

    open: Series
    high: Series
    low: Series
    close: Series


class UtBotSeries(NamedTuple):
    """As the fields of `UtBotState`."""

    stop: Series
    position: NDArray[np.int8]
    buy: Flags
    sell: Flags


class BollingerSeries(NamedTuple):
    """In the unit of the values."""

    lower: Series
    middle: Series
    upper: Series


class MacdSeries(NamedTuple):
    """In the unit of the values; none has a value before the signal has one."""

    line: Series
    signal: Series
    histogram: Series


class AdxSeries(NamedTuple):
    """0 to 100; none has a value before the ADX has one."""

    plus: Series
    minus: Series
    adx: Series


class SuperTrendSeries(NamedTuple):
    """As the fields of `SuperTrendState`."""

    line: Series
    rising: Flags


@compiled
def sma_series(values: Series, period: int) -> Series:
    """SMA, as `sma.py`."""
    averages = np.full(len(values), np.nan)
    for i in range(period - 1, len(values)):
        averages[i] = window.mean(values[i + 1 - period : i + 1])
    return averages


@compiled
def ema_series(values: Series, period: int) -> Series:
    """EMA, as `ema.py`."""
    averages = np.empty(len(values))
    state = ema.start(period)
    for i in range(len(values)):
        state = ema.update(state, values[i])
        averages[i] = state.average if ema.ready(state) else np.nan
    return averages


@compiled
def rma_series(values: Series, period: int) -> Series:
    """RMA, as `rma.py`."""
    averages = np.empty(len(values))
    state = rma.start(period)
    for i in range(len(values)):
        state = rma.update(state, values[i])
        averages[i] = state.average if rma.ready(state) else np.nan
    return averages


@compiled
def atr_series(highs: Series, lows: Series, closes: Series, period: int = 14) -> Series:
    """ATR in quote, as `atr.py`."""
    averages = np.empty(len(closes))
    state = atr.start(period)
    for i in range(len(closes)):
        state = atr.update(state, highs[i], lows[i], closes[i])
        averages[i] = state.average if atr.ready(state) else np.nan
    return averages


@compiled
def rsi_series(closes: Series, period: int = 14) -> Series:
    """RSI, 0 to 100, as `rsi.py`."""
    strengths = np.empty(len(closes))
    state = rsi.start(period)
    for i in range(len(closes)):
        state = rsi.update(state, closes[i])
        strengths[i] = rsi.strength(state.gain, state.loss) if rsi.ready(state) else np.nan
    return strengths


@compiled
def stochastic_rsi_series(
    closes: Series, rsi_period: int = 14, stochastic_period: int = 14, k_period: int = 3, d_period: int = 3
) -> StochasticRsiSeries:
    """Stochastic RSI, as `stochastic_rsi.py`."""
    count = len(closes)
    strengths, raws, k, d = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    first_raw = rsi_period + stochastic_period - 1
    first_k = first_raw + k_period - 1
    first_d = first_k + d_period - 1
    state = rsi.start(rsi_period)
    for i in range(count):
        state = rsi.update(state, closes[i])
        strengths[i] = rsi.strength(state.gain, state.loss) if rsi.ready(state) else np.nan
        raws[i] = stochastic_rsi.stochastic(strengths[i + 1 - stochastic_period : i + 1]) if i >= first_raw else np.nan
        k[i] = window.mean(raws[i + 1 - k_period : i + 1]) if i >= first_k else np.nan
        d[i] = window.mean(k[i + 1 - d_period : i + 1]) if i >= first_d else np.nan
    return StochasticRsiSeries(k, d)


@compiled
def ewo_series(sources: Series, closes: Series, fast_period: int = 5, slow_period: int = 35) -> Series:
    """Elliott Wave Oscillator of SMAs in quote, as `ewo.py`."""
    waves = np.full(len(sources), np.nan)
    for i in range(slow_period - 1, len(sources)):
        fast = window.mean(sources[i + 1 - fast_period : i + 1])
        slow = window.mean(sources[i + 1 - slow_period : i + 1])
        waves[i] = ewo.oscillator(fast, slow, closes[i])
    return waves


@compiled
def ema_ewo_series(sources: Series, closes: Series, fast_period: int = 5, slow_period: int = 35) -> Series:
    """Elliott Wave Oscillator of EMAs in quote, as `ewo.py`."""
    waves = np.empty(len(sources))
    state = ewo.start_ema(fast_period, slow_period)
    for i in range(len(sources)):
        state = ewo.update_ema(state, sources[i], closes[i])
        wave = ewo.oscillator(state.fast.average, state.slow.average, state.close)
        waves[i] = wave if ewo.ready_ema(state) else np.nan
    return waves


@compiled
def heikin_ashi_series(opens: Series, highs: Series, lows: Series, closes: Series) -> HeikinAshiSeries:
    """Heikin Ashi, as `heikin_ashi.py`."""
    count = len(closes)
    made = HeikinAshiSeries(np.empty(count), np.empty(count), np.empty(count), np.empty(count))
    state = heikin_ashi.start()
    for i in range(count):
        state = heikin_ashi.update(state, opens[i], highs[i], lows[i], closes[i])
        made.open[i], made.high[i], made.low[i], made.close[i] = state.open, state.high, state.low, state.close
    return made


@compiled
def ut_bot_series(
    highs: Series, lows: Series, closes: Series, sources: Series, factor: float = 1.0, period: int = 10
) -> UtBotSeries:
    """UT Bot, as `ut_bot.py`; `sources` are the closes, or those of Heikin Ashi."""
    count = len(closes)
    stops, positions = np.empty(count), np.empty(count, np.int8)
    buys, sells = np.empty(count, np.bool_), np.empty(count, np.bool_)
    state = ut_bot.start(factor, period)
    for i in range(count):
        state = ut_bot.update(state, highs[i], lows[i], closes[i], sources[i])
        stops[i] = state.stop if ut_bot.ready(state) else np.nan
        positions[i], buys[i], sells[i] = state.position, state.buy, state.sell
    return UtBotSeries(stops, positions, buys, sells)


@compiled
def bollinger_series(values: Series, period: int = 20, factor: float = 2.0) -> BollingerSeries:
    """Bollinger bands, as `bollinger.py`."""
    count = len(values)
    lower, middle, upper = np.full(count, np.nan), np.full(count, np.nan), np.full(count, np.nan)
    for i in range(period - 1, count):
        made = bollinger.bands(values[i + 1 - period : i + 1], factor)
        lower[i], middle[i], upper[i] = made.lower, made.middle, made.upper
    return BollingerSeries(lower, middle, upper)


@compiled
def macd_series(values: Series, fast_period: int = 12, slow_period: int = 26, signal_period: int = 9) -> MacdSeries:
    """MACD, as `macd.py`."""
    count = len(values)
    line, signal, histogram = np.full(count, np.nan), np.full(count, np.nan), np.full(count, np.nan)
    state = macd.start(fast_period, slow_period, signal_period)
    for i in range(count):
        state = macd.update(state, values[i])
        if macd.ready(state):
            made = macd.lines(state)
            line[i], signal[i], histogram[i] = made.line, made.signal, made.histogram
    return MacdSeries(line, signal, histogram)


@compiled
def adx_series(highs: Series, lows: Series, closes: Series, period: int = 14, smoothing_period: int = 14) -> AdxSeries:
    """ADX with +DI and −DI, as `adx.py`."""
    count = len(closes)
    plus, minus, strength = np.full(count, np.nan), np.full(count, np.nan), np.full(count, np.nan)
    state = adx.start(period, smoothing_period)
    for i in range(count):
        state = adx.update(state, highs[i], lows[i], closes[i])
        if adx.ready(state):
            made = adx.direction(state)
            plus[i], minus[i], strength[i] = made.plus, made.minus, made.adx
    return AdxSeries(plus, minus, strength)


@compiled
def supertrend_series(
    highs: Series, lows: Series, closes: Series, period: int = 10, factor: float = 3.0
) -> SuperTrendSeries:
    """SuperTrend, as `supertrend.py`."""
    count = len(closes)
    lines, rising = np.empty(count), np.empty(count, np.bool_)
    state = supertrend.start(period, factor)
    for i in range(count):
        state = supertrend.update(state, highs[i], lows[i], closes[i])
        lines[i] = state.line if supertrend.ready(state) else np.nan
        rising[i] = state.rising
    return SuperTrendSeries(lines, rising)


@compiled
def vwap_series(times: Times, prices: Series, volumes: Series, session_ms: int = vwap.DAY_MS) -> Series:
    """VWAP in quote, as `vwap.py`."""
    averages = np.empty(len(prices))
    state = vwap.start(session_ms)
    for i in range(len(prices)):
        state = vwap.update(state, times[i], prices[i], volumes[i])
        averages[i] = state.paid / state.volume if vwap.ready(state) else np.nan
    return averages
