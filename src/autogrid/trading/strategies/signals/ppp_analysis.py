"""What PPP Vishva sees: its indicators, one closed candle after the other, and what follows from them for both sides.

Pure, and floats throughout: no money comes by here. Candles are counted as they are heard, so an age is a number of
candles. `side` is 1 for long and −1 for short, which mirrors it: every comparison the other way round.
"""

from typing import Final, Literal, NamedTuple, TypeAlias

from autogrid.trading.candle import Bucket, Candle, joined
from autogrid.trading.indicators import atr, ema, ewo, heikin_ashi, stochastic_rsi, ut_bot
from autogrid.trading.indicators.atr import AtrState
from autogrid.trading.indicators.comparison import above
from autogrid.trading.indicators.ema import EmaState
from autogrid.trading.indicators.ewo import EmaEwoState, EwoState
from autogrid.trading.indicators.heikin_ashi import HeikinAshiState
from autogrid.trading.indicators.stochastic_rsi import StochasticRsiState
from autogrid.trading.indicators.ut_bot import UtBotState
from autogrid.trading.indicators.window import Window, mean, moved
from autogrid.trading.strategies.signals.fields import NAMES, VOLUMES
from autogrid.trading.strategies.signals.ppp_config import CONFIRM_CANDLES, STOP_ATR_CANDLES, Looks

Side: TypeAlias = Literal[1, -1]
LONG: Final[Side] = 1
SHORT: Final[Side] = -1


class StochasticCross(NamedTuple):
    """When K of the Stochastic RSI last crossed D on its side of the oversold bound."""

    at: int
    """Which candle, counted from 1; 0: never."""
    k: float
    """0 to 100, as D."""
    d: float


class Coarser(NamedTuple):
    """A confirming timeframe, as of its last closed candle."""

    averaged: HeikinAshiState
    average: EmaState
    """Of the real closes."""
    close: float
    """The last real one, in quote; 0 before the first."""


class PppSeen(NamedTuple):
    """All that the candles have told so far."""

    heard: int
    """Candles so far."""
    close: float
    volume: float
    trend: EmaState
    ut: UtBotState
    reach: AtrState
    """ATR(14)."""
    wave: EwoState | EmaEwoState
    stochastic: StochasticRsiState
    volumes: Window
    """The last ones in base; empty where the volume does not count."""
    bought_at: int
    """The candle of the last UT Bot buy, 0: never."""
    sold_at: int
    """Of the last UT Bot sell."""
    risen: StochasticCross
    """K above D while oversold."""
    fallen: StochasticCross
    """K below D while overbought."""
    coarser: tuple[Coarser, ...]
    """The confirming timeframes."""
    buckets: tuple[Bucket | None, ...]
    """Their candles in the making."""


class Used(NamedTuple):
    """Signals that have served an entry already, by their candles."""

    ut_at: int
    cross_at: int


UNUSED: Final = Used(0, 0)
NO_CROSS: Final = StochasticCross(0, 0.0, 0.0)


def start(looks: Looks) -> PppSeen:
    """Before the first candle."""
    fast, slow = looks.ewo_fast, looks.ewo_slow
    coarser = Coarser(heikin_ashi.start(), ema.start(CONFIRM_CANDLES), 0.0)
    return PppSeen(
        0,
        0.0,
        0.0,
        ema.start(looks.ema),
        ut_bot.start(looks.ut_key, looks.ut_atr),
        atr.start(STOP_ATR_CANDLES),
        ewo.start(fast, slow) if looks.ewo_ma == "sma" else ewo.start_ema(fast, slow),
        stochastic_rsi.start(),
        (),
        0,
        0,
        NO_CROSS,
        NO_CROSS,
        (coarser,) * len(looks.confirm_ms),
        (None,) * len(looks.confirm_ms),
    )


def update(looks: Looks, seen: PppSeen, candle: Candle) -> PppSeen:
    """With a further closed candle."""
    _, _, high, low, close, volume = candle
    count = seen.heard + 1
    ut = ut_bot.update(seen.ut, high, low, close, close)
    stochastic = stochastic_rsi.update(seen.stochastic, close)
    risen, fallen = crossed(seen, stochastic, count, looks.oversold)
    source = close if looks.ewo_source == "close" else (high + low) / 2.0
    wave = seen.wave
    coarser, buckets = joined_all(looks, seen, candle)
    return PppSeen(
        count,
        close,
        volume,
        ema.update(seen.trend, close),
        ut,
        atr.update(seen.reach, high, low, close),
        ewo.update(wave, source, close) if type(wave) is EwoState else _waved(wave, source, close),
        stochastic,
        seen.volumes if looks.volume_ratio is None else moved(seen.volumes, VOLUMES, volume),
        count if ut.buy else seen.bought_at,
        count if ut.sell else seen.sold_at,
        risen,
        fallen,
        coarser,
        buckets,
    )


def _waved(wave: EwoState | EmaEwoState, source: float, close: float) -> EmaEwoState:
    assert isinstance(wave, EmaEwoState), "an EWO is made of SMAs or of EMAs"
    return ewo.update_ema(wave, source, close)


def crossed(
    seen: PppSeen, now: StochasticRsiState, count: int, oversold: float
) -> tuple[StochasticCross, StochasticCross]:
    """The last crosses up and down, with those of this candle."""
    risen, fallen = seen.risen, seen.fallen
    before = seen.stochastic
    if not stochastic_rsi.ready(before):
        return risen, fallen
    k = now.ks[-1]
    is_low, is_high = k < oversold, k > 100.0 - oversold
    if not (is_low or is_high):
        return risen, fallen
    k_before, d, d_before = before.ks[-1], mean(now.ks), mean(before.ks)
    if is_low and above(k, d) and not above(k_before, d_before):
        risen = StochasticCross(count, k, d)
    if is_high and above(d, k) and not above(d_before, k_before):
        fallen = StochasticCross(count, k, d)
    return risen, fallen


def joined_all(looks: Looks, seen: PppSeen, candle: Candle) -> tuple[tuple[Coarser, ...], tuple[Bucket | None, ...]]:
    """The confirming timeframes, and their candles in the making, with a further candle of the finer one."""
    coarser, buckets = seen.coarser, []
    for index, coarse_ms in enumerate(looks.confirm_ms):
        bucket, closed = joined(seen.buckets[index], candle, coarse_ms, looks.timeframe_ms)
        buckets.append(bucket)
        if closed:
            coarser = (*coarser[:index], _grown(coarser[index], closed), *coarser[index + 1 :])
    return coarser, tuple(buckets)


def _grown(coarser: Coarser, closed: tuple[Candle, ...]) -> Coarser:
    averaged, average, last = coarser
    for _, opening, high, low, close, _ in closed:
        averaged = heikin_ashi.update(averaged, opening, high, low, close)
        average, last = ema.update(average, close), close
    return Coarser(averaged, average, last)


def agrees(coarser: Coarser, side: Side) -> bool:
    """Whether a confirming timeframe's last closed candle says the same as `side`; no value yet is no."""
    averaged, average = coarser.averaged, ema.value(coarser.average)
    if average is None:
        return False
    return _beyond(averaged.close, averaged.open, side) and _beyond(coarser.close, average, side)


def confirmed(looks: Looks, seen: PppSeen, side: Side) -> bool:
    """Condition 5: the confirming timeframes agree."""
    if not looks.confirm_ms:
        return True
    voices = (agrees(one, side) for one in seen.coarser)
    return all(voices) if looks.confirm_all else any(voices)


def wave_of(seen: PppSeen) -> float | None:
    """The EWO in quote; None before it has a value."""
    wave = seen.wave
    return ewo.value(wave) if isinstance(wave, EwoState) else ewo.value_ema(wave)


def holds(looks: Looks, seen: PppSeen, side: Side) -> bool:
    """Conditions 1, 3 and 5, and the filters: what a first and an added entry both need."""
    trend, wave = ema.value(seen.trend), wave_of(seen)
    if trend is None or wave is None or not _beyond(seen.close, trend, side) or wave * side <= 0:
        return False
    return filtered(looks, seen) and confirmed(looks, seen, side)


def filtered(looks: Looks, seen: PppSeen) -> bool:
    """Whether the volume and the ATR's share of the close lie where the configuration wants them."""
    wanted, volumes = looks.volume_ratio, seen.volumes
    if wanted is not None and (len(volumes) < VOLUMES or seen.volume < wanted * mean(volumes)):
        return False
    reach = atr.value(seen.reach)
    if reach is None:
        return False
    share = reach / seen.close
    return (looks.atr_min is None or share >= looks.atr_min) and (looks.atr_max is None or share <= looks.atr_max)


def turned(looks: Looks, seen: PppSeen, side: Side, used: Used) -> bool:
    """Condition 2: a UT Bot signal of `side` within the window, none against it since, and not used yet."""
    ours, theirs = (seen.bought_at, seen.sold_at) if side > 0 else (seen.sold_at, seen.bought_at)
    return ours > theirs and ours > used.ut_at and seen.heard - ours <= looks.signal_window


def dipped(looks: Looks, seen: PppSeen, side: Side, used: Used) -> bool:
    """Condition 4: a cross of the Stochastic RSI within its window, not used yet."""
    cross = seen.risen if side > 0 else seen.fallen
    return cross.at > used.cross_at and seen.heard - cross.at <= looks.stoch_lookback


def enters(looks: Looks, seen: PppSeen, side: Side, used: Used) -> bool:
    """Whether all conditions of a first entry hold; the cheap ones are asked first.

    A cross serves one entry of a position: the next position, which needs a new UT Bot signal, may begin with the
    same one.
    """
    return turned(looks, seen, side, used) and dipped(looks, seen, side, UNUSED) and holds(looks, seen, side)


def missing(looks: Looks, seen: PppSeen, side: Side, used: Used) -> tuple[str, ...]:
    """What a first entry still lacked on the last closed candle, in words; nothing where it lacked nothing."""
    trend, wave = ema.value(seen.trend), wave_of(seen)
    turn, word, over = ("buy", "above", "over") if side > 0 else ("sell", "below", "under")
    found = []
    if trend is None or not _beyond(seen.close, trend, side):
        found.append(f"the close {said(seen.close)} is not {word} EMA({looks.ema})")
    if not turned(looks, seen, side, used):
        found.append(f"no new UT Bot {turn} within {looks.signal_window} candles")
    if wave is None or wave * side <= 0:
        found.append(f"the EWO is not {over} 0")
    if not dipped(looks, seen, side, UNUSED):
        found.append(f"no cross of the Stochastic RSI within {looks.stoch_lookback} candles")
    if not confirmed(looks, seen, side):
        found.append("the coarser timeframes do not agree")
    if not filtered(looks, seen):
        found.append("volume or ATR is not where the filters want it")
    return tuple(found)


def adds(looks: Looks, seen: PppSeen, side: Side, used: Used) -> bool:
    """Whether those of a further entry hold: a newer cross while the UT Bot has not turned, and 1, 3 and 5 again."""
    ours, theirs = (seen.bought_at, seen.sold_at) if side > 0 else (seen.sold_at, seen.bought_at)
    return ours > theirs and dipped(looks, seen, side, used) and holds(looks, seen, side)


def against(seen: PppSeen, side: Side) -> bool:
    """Whether the UT Bot turned against `side` on this very candle."""
    return seen.ut.sell if side > 0 else seen.ut.buy


def broken(seen: PppSeen, side: Side, share: float) -> bool:
    """Whether the close lies beyond the trend's average by more than `share` of it, against `side`."""
    trend = ema.value(seen.trend)
    return trend is not None and _beyond(trend * (1.0 - side * share), seen.close, side)


def _beyond(left: float, right: float, side: Side) -> bool:
    """Whether `left` is above `right`, or for shorts below it."""
    return above(left, right) if side > 0 else above(right, left)


def reasons(looks: Looks, seen: PppSeen, side: Side, number: int) -> str:
    """Why entry `number` in a row is made, each reason with its values."""
    trend, wave = ema.value(seen.trend), wave_of(seen)
    assert trend is not None, "an entry has its trend"
    assert wave is not None, "an entry has its wave"
    sign, word, turn = (">", "above", "buy") if side > 0 else ("<", "below", "sell")
    turned_at = seen.bought_at if side > 0 else seen.sold_at
    cross = seen.risen if side > 0 else seen.fallen
    share = ewo.percentage(wave, seen.close) if looks.ewo_percent else None
    parts = [
        f"close {said(seen.close)} {sign} EMA({looks.ema}) {said(trend)}",
        f"UT Bot {turn} {ago(seen.heard - turned_at)}",
        f"EWO {said(wave)}" if share is None else f"EWO {said(share)} %",
        f"Stoch RSI K {said(cross.k)} crossed {word} D {said(cross.d)} {ago(seen.heard - cross.at)}",
    ]
    for length, coarser in zip(looks.confirm_ms, seen.coarser, strict=True):
        parts.append(_coarser_reason(NAMES[length], coarser, side))
    if looks.volume_ratio is not None:
        parts.append(f"volume {said(seen.volume)}, mean of {VOLUMES} {said(mean(seen.volumes))}")
    if looks.atr_min is not None or looks.atr_max is not None:
        parts.append(f"ATR({STOP_ATR_CANDLES}) {said(100.0 * seen.reach.average / seen.close)} % of the close")
    if number > 1:
        parts.append(f"entry {number} in a row")
    return "; ".join(parts)


def _coarser_reason(name: str, coarser: Coarser, side: Side) -> str:
    word = "agrees" if agrees(coarser, side) else "does not agree"
    averaged, average = coarser.averaged, ema.value(coarser.average)
    body = f"Heikin Ashi {said(averaged.open)} to {said(averaged.close)}" if averaged.begun else "no candle yet"
    trend = f"EMA({CONFIRM_CANDLES}) {'none yet' if average is None else said(average)}"
    return f"{name} {word} ({body}, close {said(coarser.close)}, {trend})"


def ago(age: int) -> str:
    """An age in candles, for a person."""
    if age == 0:
        return "on this candle"
    return "1 candle ago" if age == 1 else f"{age} candles ago"


def said(value: float) -> str:
    """A value for a person: five significant digits, thousands with commas."""
    plain = f"{value:.5g}"
    if "e" in plain:
        plain = f"{value:.0f}" if abs(value) >= 1 else f"{value:.10f}".rstrip("0")
    whole, dot, rest = plain.partition(".")
    return f"{int(whole):,}{dot}{rest}" if whole not in ("-0", "") else plain
