"""PPP Vishva: buys a dip that turns up within a rising market, on closed candles, and adds while it goes well.

An entry needs, within their windows: a close above the EMA, a UT Bot buy, a rising EWO, a cross of the Stochastic RSI
from oversold, and coarser timeframes that agree. What each of them is: `ppp_analysis`. Entries, stops and targets:
`positions`. Rules: docs/strategies/ppp-vishva.md.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from autogrid.trading.candle import Candle, exact
from autogrid.trading.indicators import atr, ema
from autogrid.trading.indicators.comparison import above
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, Amount, Price
from autogrid.trading.strategies.signals.held import Positions, Terms
from autogrid.trading.strategies.signals.on_signals import OnSignals
from autogrid.trading.strategies.signals.positions import given_up, left, unsold_let_go
from autogrid.trading.strategies.signals.ppp_analysis import (
    LONG,
    UNUSED,
    PppSeen,
    Used,
    adds,
    against,
    broken,
    enters,
    missing,
    reasons,
    said,
    start,
    update,
)
from autogrid.trading.strategies.signals.ppp_config import PppSettings, read_settings
from autogrid.trading.strategies.signals.sizing_by_risk import Sized, by_risk, capped
from autogrid.trading.strategies.strategy import View

DAY_MS: Final = 86_400_000
HALF: Final = Decimal("0.5")
NO_POSITIONS: Final = Positions()


class Day(NamedTuple):
    """The day's loss so far."""

    number: int
    """Days since 1970-01-01, UTC."""
    equity: Amount
    """In quote, when the day was first seen."""
    halted: bool
    """Whether too much of it was lost for another entry."""


NO_DAY: Final = Day(-1, ZERO, False)


class PppMemory(NamedTuple):
    """All that PPP Vishva remembers."""

    positions: Positions
    seen: PppSeen
    used: Used
    """Signals that have served an entry."""
    asked: Used
    """Signals of the last purchase that was decided; they are used once it has brought something."""
    day: Day


class PppVishva(OnSignals[PppMemory]):
    """PPP Vishva with its configuration."""

    name = "ppp_vishva"

    def __init__(self, config: Mapping[str, str], market: Market, investment: Amount) -> None:
        """Raises `UnableToConfigure` where the configuration breaks a limit."""
        super().__init__(config, market, investment)
        self.settings: PppSettings = read_settings(config, market)
        self.timeframe_ms = self.settings.looks.timeframe_ms
        self.warm_up = self.settings.looks.warm_up
        self.most = self.settings.most

    def start(self) -> PppMemory:
        """A bot that has heard nothing."""
        return PppMemory(NO_POSITIONS, start(self.settings.looks), UNUSED, UNUSED, NO_DAY)

    def hear(self, memory: PppMemory, candle: Candle, view: View) -> PppMemory:
        """The memory after a closed candle: what leaves, and what enters."""
        positions, seen, used, asked, day = memory
        seen = update(self.settings.looks, seen, candle)
        if not view.price:
            return PppMemory(positions, seen, used, asked, day)
        if positions.entries:
            positions = given_up(unsold_let_go(positions, view), view.at_ms, at_close=True)
            positions = self._left(positions, seen, exact(candle.close))
        if asked is not used and positions.made == positions.given:
            used = asked
        if self.settings.max_daily_loss is not None:
            day = self._day(day, view._replace(price=exact(candle.close)))
        if not view.traded or day.halted or positions.leaving or positions.ended or not positions.settled:
            return PppMemory(positions, seen, used, asked, day)
        if self._wants(positions, seen, used):
            entered = self._entered(positions, seen, view._replace(price=exact(candle.close)))
            if entered is not positions:
                positions, asked = entered, Used(seen.bought_at, seen.risen.at)
        return PppMemory(positions, seen, used, asked, day)

    def notices(self, memory: PppMemory) -> tuple[str, ...]:
        """What an entry lacks."""
        if memory.positions.entries or memory.seen.heard < self.warm_up:
            return ()
        if memory.day.halted:
            return ("no entry until 00:00 UTC: too much of the day's equity was lost",)
        lacks = missing(self.settings.looks, memory.seen, LONG, memory.used)
        return (f"no entry on the last closed candle: {'; '.join(lacks)}",) if lacks else ()

    def warmed(self, memory: PppMemory) -> PppMemory:
        """What is held stays, and so does a halt of the day."""
        return super().warmed(memory)._replace(day=memory.day)

    def looks_at(self) -> object:
        """Everything that the indicators depend on."""
        return self.settings.looks

    def heard(self, memory: PppMemory) -> int:
        """Candles heard."""
        return memory.seen.heard

    def _left(self, positions: Positions, seen: PppSeen, at: Price) -> Positions:
        """Everything is sold where the UT Bot turns, or the close falls too far below the average."""
        if against(seen, LONG):
            return left(positions, f"UT Bot sell: close {said(seen.close)} below its stop", at)
        if broken(seen, LONG, self.settings.ema_exit):
            name = f"EMA({self.settings.looks.ema})"
            average = ema.value(seen.trend) or 0.0
            share = f"{self.settings.ema_exit * 100:g} %"
            return left(positions, f"close {said(seen.close)} more than {share} below {name} {said(average)}", at)
        return positions

    def _wants(self, positions: Positions, seen: PppSeen, used: Used) -> bool:
        looks = self.settings.looks
        if not positions.entries:
            return enters(looks, seen, LONG, used)
        if positions.taken >= self.settings.max_entries or not adds(looks, seen, LONG, used):
            return False
        average = positions.average
        return average is not None and above(seen.close, float(average))

    def _entered(self, positions: Positions, seen: PppSeen, view: View) -> Positions:
        settings = self.settings
        reach = atr.value(seen.reach)
        if reach is None:
            return positions
        trail = exact(reach)
        follows = trail if settings.trailing else ZERO
        terms = Terms(False, trail * settings.stop_atr, settings.reward_risk, follows, *settings.guarding)
        stop = terms.stop_at(view.price, view.market)
        sized = self._sized(positions, view, terms)
        why = reasons(settings.looks, seen, LONG, positions.taken + 1)
        why = f"{why}; stop {settings.stop_atr} × ATR(14) {said(reach)} below"
        return self.entered(positions, terms, sized, view, why) if stop else positions

    def _sized(self, positions: Positions, view: View, terms: Terms) -> Sized:
        settings = self.settings
        if not positions.taken:
            return by_risk(view, terms, settings.risk, settings.most)
        stop = terms.stop_at(view.price, view.market)
        wanted = positions.first * HALF**positions.taken
        return capped(view, wanted, f"half of entry {positions.taken} in a row", stop, settings.most)

    def _day(self, day: Day, view: View) -> Day:
        """The day's loss by the equity at this close; the candle that closes at 00:00 UTC begins the next day."""
        number, equity = view.at_ms // DAY_MS, view.ledger.equity(view.price)
        if number != day.number:
            return Day(number, equity, False)
        most = self.settings.max_daily_loss
        assert most is not None, "a day is counted where a loss is set"
        if day.halted or day.equity - equity < day.equity * most:
            return day
        return day._replace(halted=True)
