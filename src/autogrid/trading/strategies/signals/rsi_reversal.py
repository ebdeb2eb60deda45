"""RSI: enters where the RSI comes back above its lower bound, leaves where it comes back below its upper one.

Rules: docs/strategies/rsi.md.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from autogrid.trading.candle import Candle, exact
from autogrid.trading.indicators import rsi
from autogrid.trading.indicators.comparison import above
from autogrid.trading.indicators.ema import EmaState
from autogrid.trading.indicators.rsi import RsiState
from autogrid.trading.indicators.window import Window
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, Amount
from autogrid.trading.strategies.fields import Field, read_all
from autogrid.trading.strategies.guard import MAX_SLIPPAGE, STOP_AT
from autogrid.trading.strategies.signals.fields import (
    MAX_POSITION,
    RISK,
    STOP_HELPS,
    STOP_TITLES,
    TARGET_HELPS,
    TARGET_TITLES,
    VOLUME_RATIO,
    check_order,
    count,
    guarding,
    number,
    optional_number,
    share,
    timeframe,
    whole,
)
from autogrid.trading.strategies.signals.filters import Filters
from autogrid.trading.strategies.signals.held import Positions, Terms
from autogrid.trading.strategies.signals.on_signals import OnSignals
from autogrid.trading.strategies.signals.positions import given_up, left, unsold_let_go
from autogrid.trading.strategies.signals.ppp_analysis import said
from autogrid.trading.strategies.signals.sizing_by_risk import by_risk
from autogrid.trading.strategies.signals.sma_cross import TREND
from autogrid.trading.strategies.strategy import View


def _bound(key: str, titles: tuple[str, str], helps: tuple[str, str], default: str) -> Field:
    return Field(
        key, "factor", *titles, *helps, default=default, least=Decimal(1), most=Decimal(99), group="indicators"
    )


FIELDS: Final = (
    timeframe("1h"),
    count("period", ("RSI period", "Período do RSI"), ("candles in the RSI", "velas no RSI"), "14", 2, 500),
    _bound(
        "oversold",
        ("Oversold", "Sobrevendido"),
        ("enter when the RSI comes back above this", "entra quando o RSI volta acima disto"),
        "30",
    ),
    _bound(
        "overbought",
        ("Overbought", "Sobrecomprado"),
        ("leave when the RSI comes back below this", "sai quando o RSI volta abaixo disto"),
        "70",
    ),
    share("stop_loss", STOP_TITLES, STOP_HELPS, "0.03"),
    share("take_profit", TARGET_TITLES, TARGET_HELPS, "0.06"),
    RISK,
    MAX_POSITION,
    VOLUME_RATIO,
    TREND,
    STOP_AT,
    MAX_SLIPPAGE,
)


class RsiSeen(NamedTuple):
    """What the candles have told."""

    heard: int
    """Candles so far."""
    strength: RsiState
    volumes: Window
    trend: EmaState | None
    """None where no trend is asked for."""


class RsiMemory(NamedTuple):
    """All that an RSI bot remembers."""

    positions: Positions
    seen: RsiSeen


class RsiReversal(OnSignals[RsiMemory]):
    """An RSI bot with its configuration."""

    name = "rsi"

    def __init__(self, config: Mapping[str, str], market: Market, investment: Amount) -> None:
        """Raises `UnableToConfigure` where the configuration breaks a limit."""
        super().__init__(config, market, investment)
        values = read_all(FIELDS, config)
        check_order(values, "oversold", "overbought")
        self.timeframe_ms: int = whole(values["timeframe"])
        self.period = whole(values["period"])
        self.low, self.high = float(number(values["oversold"])), float(number(values["overbought"]))
        stop, target = number(values["stop_loss"]), number(values["take_profit"])
        self.terms = Terms(True, stop, target, ZERO, *guarding(values, market))
        self.take_profit = self.terms.target
        self.risk, self.most = number(values["risk_per_trade"]), number(values["max_position"])
        trend = None if values["trend_ema"] is None else whole(values["trend_ema"])
        self.filters = Filters(optional_number(values["volume_ratio"]), trend)
        self.warm_up = max(self.period + 2, self.filters.warm_up)

    def start(self) -> RsiMemory:
        """A bot that has heard nothing."""
        return RsiMemory(Positions(), RsiSeen(0, rsi.start(self.period), (), self.filters.start()))

    def hear(self, memory: RsiMemory, candle: Candle, view: View) -> RsiMemory:
        """The memory after a closed candle: what leaves, and what enters."""
        positions, before = memory
        seen = self._seen(before, candle)
        was, now = rsi.value(before.strength), rsi.value(seen.strength)
        if not view.price or was is None or now is None:
            return RsiMemory(positions, seen)
        view = view._replace(price=exact(candle.close))
        if positions.entries:
            positions = given_up(unsold_let_go(positions, view), view.at_ms, at_close=True)
            if positions.entries and above(self.high, now) and not above(self.high, was):
                why = f"RSI({self.period}) {said(now)} back below {said(self.high)}, before {said(was)}"
                return RsiMemory(left(positions, why, view.price), seen)
        if positions.entries or positions.leaving or positions.ended or not view.traded:
            return RsiMemory(positions, seen)
        if not above(now, self.low) or above(was, self.low) or not self.filters.fit(seen.volumes, seen.trend, candle):
            return RsiMemory(positions, seen)
        sized = by_risk(view, self.terms, self.risk, self.most)
        why = f"RSI({self.period}) {said(now)} back above {said(self.low)}, before {said(was)}"
        why = f"{why}; close {said(candle.close)}{self.filters.words(seen.volumes, seen.trend, candle)}"
        return RsiMemory(self.entered(positions, self.terms, sized, view, why), seen)

    def looks_at(self) -> object:
        """Everything that the RSI and the filters depend on."""
        return self.period, self.filters.looks_at

    def heard(self, memory: RsiMemory) -> int:
        """Candles heard."""
        return memory.seen.heard

    def _seen(self, seen: RsiSeen, candle: Candle) -> RsiSeen:
        volumes, trend = self.filters.update(seen.volumes, seen.trend, candle)
        return RsiSeen(seen.heard + 1, rsi.update(seen.strength, candle.close), volumes, trend)
