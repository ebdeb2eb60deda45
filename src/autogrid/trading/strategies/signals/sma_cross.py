"""SMA cross: enters where the fast average crosses above the slow one, leaves where it crosses below.

Rules: docs/strategies/sma-cross.md.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from autogrid.trading.candle import Candle, exact
from autogrid.trading.indicators.comparison import above
from autogrid.trading.indicators.ema import EmaState
from autogrid.trading.indicators.window import Window, mean, moved
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
from autogrid.trading.strategies.strategy import View

TREND: Final = Field(
    "trend_ema",
    "count",
    "Trend filter",
    "Filtro de tendência",
    "enter only where the close is above the EMA of so many candles",
    "entra só onde o fechamento está acima da MME de tantas velas",
    optional=True,
    least=Decimal(2),
    most=Decimal(1000),
    group="filters",
)

FIELDS: Final = (
    timeframe("4h"),
    count("fast", ("Fast SMA", "MMS rápida"), ("candles in the fast average", "velas na média rápida"), "10", 1, 500),
    count("slow", ("Slow SMA", "MMS lenta"), ("candles in the slow average", "velas na média lenta"), "20", 2, 1000),
    share("stop_loss", STOP_TITLES, STOP_HELPS, "0.02"),
    share("take_profit", TARGET_TITLES, TARGET_HELPS, "0.04"),
    RISK,
    MAX_POSITION,
    VOLUME_RATIO,
    TREND,
    STOP_AT,
    MAX_SLIPPAGE,
)


class CrossSeen(NamedTuple):
    """What the candles have told."""

    heard: int
    """Candles so far."""
    closes: Window
    """The last ones, in quote, at most as many as the slow average has."""
    fast: float
    """The averages of the last candle, in quote; 0 before they have a value."""
    slow: float
    volumes: Window
    trend: EmaState | None
    """None where no trend is asked for."""


class CrossMemory(NamedTuple):
    """All that an SMA cross remembers."""

    positions: Positions
    seen: CrossSeen


class SmaCross(OnSignals[CrossMemory]):
    """An SMA cross with its configuration."""

    name = "sma_cross"

    def __init__(self, config: Mapping[str, str], market: Market, investment: Amount) -> None:
        """Raises `UnableToConfigure` where the configuration breaks a limit."""
        super().__init__(config, market, investment)
        values = read_all(FIELDS, config)
        check_order(values, "fast", "slow")
        self.timeframe_ms: int = whole(values["timeframe"])
        self.fast, self.slow = whole(values["fast"]), whole(values["slow"])
        stop, target = number(values["stop_loss"]), number(values["take_profit"])
        self.terms = Terms(True, stop, target, ZERO, *guarding(values, market))
        self.take_profit = self.terms.target
        self.risk, self.most = number(values["risk_per_trade"]), number(values["max_position"])
        trend = None if values["trend_ema"] is None else whole(values["trend_ema"])
        self.filters = Filters(optional_number(values["volume_ratio"]), trend)
        self.warm_up = max(self.slow + 1, self.filters.warm_up)

    def start(self) -> CrossMemory:
        """A bot that has heard nothing."""
        return CrossMemory(Positions(), CrossSeen(0, (), 0.0, 0.0, (), self.filters.start()))

    def hear(self, memory: CrossMemory, candle: Candle, view: View) -> CrossMemory:
        """The memory after a closed candle: what leaves, and what enters."""
        positions, before = memory
        seen = self._seen(before, candle)
        if not view.price or not before.slow:
            return CrossMemory(positions, seen)
        view = view._replace(price=exact(candle.close))
        if positions.entries:
            positions = given_up(unsold_let_go(positions, view), view.at_ms, at_close=True)
            if positions.entries and above(seen.slow, seen.fast) and not above(before.slow, before.fast):
                return CrossMemory(left(positions, f"{self._averages(seen)}: crossed below", view.price), seen)
        if positions.entries or positions.leaving or positions.ended or not view.traded:
            return CrossMemory(positions, seen)
        crossed = above(seen.fast, seen.slow) and not above(before.fast, before.slow)
        if not crossed or not self.filters.fit(seen.volumes, seen.trend, candle):
            return CrossMemory(positions, seen)
        sized = by_risk(view, self.terms, self.risk, self.most)
        filters = self.filters.words(seen.volumes, seen.trend, candle)
        why = f"{self._averages(seen)}: crossed above; close {said(candle.close)}{filters}"
        return CrossMemory(self.entered(positions, self.terms, sized, view, why), seen)

    def looks_at(self) -> object:
        """Everything that the averages depend on."""
        return self.fast, self.slow, self.filters.looks_at

    def heard(self, memory: CrossMemory) -> int:
        """Candles heard."""
        return memory.seen.heard

    def _seen(self, seen: CrossSeen, candle: Candle) -> CrossSeen:
        closes = moved(seen.closes, self.slow, candle.close)
        fast = slow = 0.0
        if len(closes) == self.slow:
            fast, slow = mean(closes[self.slow - self.fast :]), mean(closes)
        volumes, trend = self.filters.update(seen.volumes, seen.trend, candle)
        return CrossSeen(seen.heard + 1, closes, fast, slow, volumes, trend)

    def _averages(self, seen: CrossSeen) -> str:
        return f"SMA({self.fast}) {said(seen.fast)}, SMA({self.slow}) {said(seen.slow)}"
