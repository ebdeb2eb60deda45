"""What each strategy sees on each closed candle of its timeframe: the conditions, before any position or money.

"N n" in a comment is the number of a choice in SIGNAL_NOTES.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.oracle import signal_indicators as ind
from tests.oracle.signal_indicators import Bar, Series

Config = Mapping[str, Any]

VISHVA: dict[str, Any] = {
    "timeframe": "1h",
    "signal_window": 3,
    "stoch_lookback": 10,
    "oversold": 20,
    "ema": 100,
    "ut_key": 1,
    "ut_atr": 10,
    "ewo_fast": 5,
    "ewo_slow": 35,
    "confirm_timeframes": "4h,1d",
    "confirm": "all",
    "stop_atr": "1.25",
    "reward_risk": "2",
    "risk_per_trade": "0.02",
    "max_position": "0.25",
    "max_entries": 5,
    "max_daily_loss": None,
    "ema_exit": "0.02",
    "trail_atr": "1",
}
SMA_CROSS: dict[str, Any] = {
    "timeframe": "4h",
    "fast": 10,
    "slow": 20,
    "stop_loss": "0.02",
    "take_profit": "0.04",
    "risk_per_trade": "0.02",
    "max_position": "0.25",
    "max_entries": 1,
    "max_daily_loss": None,
}
RSI: dict[str, Any] = {
    "timeframe": "1h",
    "period": 14,
    "oversold": 30,
    "overbought": 70,
    "stop_loss": "0.03",
    "take_profit": "0.06",
    "risk_per_trade": "0.02",
    "max_position": "0.25",
    "max_entries": 1,
    "max_daily_loss": None,
}
DEFAULTS = {"ppp_vishva": VISHVA, "sma_cross": SMA_CROSS, "rsi": RSI}


@dataclass(frozen=True)
class View:
    """One closed candle as a strategy sees it."""

    ends: int
    close: Decimal
    atr: float | None = None
    steady: bool = False  # what a first and an added entry ask for alike (Vishva: 1, 3 and 5)
    trigger: int | None = None  # the candle of the first entry's signal, where it is still within its window
    reload: int | None = None  # the candle of the last oversold cross, where it is within its window (Vishva: 4)
    long: bool = True  # the UT Bot is long
    leave: str = ""  # why all is to be sold


def full_config(strategy: str, config: Config) -> dict[str, Any]:
    """The defaults with the given keys over them; an unknown key is a mistake."""
    if strategy not in DEFAULTS:
        raise ValueError(f"no strategy {strategy!r}")
    known = DEFAULTS[strategy]
    unknown = sorted(set(config) - set(known))
    if unknown:
        raise ValueError(f"{strategy} has no {', '.join(unknown)}")
    return {**known, **config}


def views(strategy: str, config: Config, bars: Sequence[Bar]) -> list[View]:
    """One view per candle of the strategy's own timeframe."""
    if strategy == "ppp_vishva":
        return vishva_views(config, bars)
    if strategy == "sma_cross":
        return sma_views(config, bars)
    return rsi_views(config, bars)


def as_money(price: float) -> Decimal:
    """A float price by its shortest decimal text."""
    return Decimal(repr(price))


def confirming(config: Config) -> list[str]:
    """The confirming timeframes, if any."""
    names = [name.strip() for name in str(config.get("confirm_timeframes", "none")).split(",")]
    return [name for name in names if name not in ("", "none")]


def confirmations(config: Config, bars: Sequence[Bar]) -> list[bool]:
    """Condition 5 on every candle; without confirming timeframes it holds."""
    names = confirming(config)
    if not names:
        return [True] * len(bars)
    moments = [bar.ends for bar in bars]
    columns = [ind.confirmed(bars, moments, ind.milliseconds(name)) for name in names]
    joined = all if config["confirm"] == "all" else any
    return [joined(row) for row in zip(*columns, strict=True)]


def oversold_crosses(closes: Sequence[float], oversold: float) -> list[bool]:
    """K crosses above D on this candle with K under the level on this candle (N 6)."""
    k, d = ind.stochastic_rsi(closes)
    result = [False] * len(closes)
    for index in range(1, len(closes)):
        now_k, now_d, was_k, was_d = k[index], d[index], k[index - 1], d[index - 1]
        if now_k is not None and now_d is not None and was_k is not None and was_d is not None:
            result[index] = now_k > now_d and was_k <= was_d and now_k < oversold
    return result


def vishva_views(config: Config, bars: Sequence[Bar]) -> list[View]:
    """Conditions 1 to 5 and the exits of PPP Vishva."""
    closes = [bar.close for bar in bars]
    trend = ind.ema(ind.closes_of(bars), int(config["ema"]))
    buys, sells = ind.ut_signals(bars, float(config["ut_key"]), int(config["ut_atr"]))
    wave = ind.ewo(closes, int(config["ewo_fast"]), int(config["ewo_slow"]))
    crosses = oversold_crosses(closes, float(config["oversold"]))
    ranges = ind.atr(bars, 14)
    agreed = confirmations(config, bars)
    floor_share = 1 - float(config["ema_exit"])
    bought: int | None = None  # the last UT buy with no sell since
    cross: int | None = None
    result: list[View] = []
    for index, bar in enumerate(bars):
        if buys[index]:
            bought = index
        if sells[index]:
            bought = None
        if crosses[index]:
            cross = index
        level, swing = trend[index], wave[index]
        steady = level is not None and ind.above(bar.close, level) and swing is not None and swing > 0
        leave = "ut_sell" if sells[index] else ""
        if not leave and level is not None and ind.above(level * floor_share, bar.close):
            leave = "ema_exit"
        recent = bought is not None and index - bought <= int(config["signal_window"])
        fresh = cross is not None and index - cross <= int(config["stoch_lookback"])
        result.append(
            View(
                bar.ends,
                as_money(bar.close),
                ranges[index],
                steady and agreed[index],
                bought if recent else None,
                cross if fresh else None,
                bought is not None,
                leave,
            )
        )
    return result


def sma_views(config: Config, bars: Sequence[Bar]) -> list[View]:
    """In on the cross up, out on the cross down."""
    fast = ind.sma(ind.closes_of(bars), int(config["fast"]))
    slow = ind.sma(ind.closes_of(bars), int(config["slow"]))
    result: list[View] = []
    for index, bar in enumerate(bars):
        up = ind.crossed(fast, slow, index)
        leave = "cross_down" if ind.crossed(slow, fast, index) else ""
        result.append(
            View(
                bar.ends,
                as_money(bar.close),
                steady=True,
                trigger=index if up else None,
                reload=index if up else None,
                leave=leave,
            )
        )
    return result


def rsi_views(config: Config, bars: Sequence[Bar]) -> list[View]:
    """In when RSI comes back above the lower level, out when it comes back below the upper one (N 7)."""
    values: Series = ind.rsi([bar.close for bar in bars], int(config["period"]))
    lower, upper = float(config["oversold"]), float(config["overbought"])
    result: list[View] = []
    before: float | None = None
    for index, (bar, value) in enumerate(zip(bars, values, strict=True)):
        up = down = False
        if value is not None and before is not None:
            up = before <= lower < value
            down = before >= upper > value
        before = value
        result.append(
            View(
                bar.ends,
                as_money(bar.close),
                steady=True,
                trigger=index if up else None,
                reload=index if up else None,
                leave="rsi_exit" if down else "",
            )
        )
    return result
