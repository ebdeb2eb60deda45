"""What SMA cross and RSI ask beside their signal, where it is set: enough volume, and a close above an EMA."""

from decimal import Decimal
from typing import NamedTuple

from autogrid.trading.candle import Candle
from autogrid.trading.indicators import ema
from autogrid.trading.indicators.comparison import above
from autogrid.trading.indicators.ema import EmaState
from autogrid.trading.indicators.window import Window, mean, moved
from autogrid.trading.strategies.signals.fields import VOLUMES
from autogrid.trading.strategies.signals.ppp_analysis import said


class Filters(NamedTuple):
    """The two filters. A strategy remembers the volumes and the EMA that they look at."""

    volume_ratio: Decimal | None
    """At least so many times the mean volume; None: any."""
    trend: int | None
    """Candles of the EMA that the close must be above; None: none."""

    @property
    def warm_up(self) -> int:
        """Candles that they need."""
        return max(self.trend or 0, VOLUMES if self.volume_ratio else 0)

    @property
    def looks_at(self) -> object:
        """Everything that what they remember depends on."""
        return self.trend, self.volume_ratio is None

    def start(self) -> EmaState | None:
        """The EMA before the first candle; None where none is asked for. There are no volumes yet."""
        return None if self.trend is None else ema.start(self.trend)

    def update(self, volumes: Window, average: EmaState | None, candle: Candle) -> tuple[Window, EmaState | None]:
        """Volumes and EMA with a further candle."""
        if self.volume_ratio is not None:
            volumes = moved(volumes, VOLUMES, candle.volume)
        return volumes, None if average is None else ema.update(average, candle.close)

    def fit(self, volumes: Window, average: EmaState | None, candle: Candle) -> bool:
        """Whether the volume and the trend are as wanted; no value yet is no."""
        if self.volume_ratio is not None and (
            len(volumes) < VOLUMES or candle.volume < float(self.volume_ratio) * mean(volumes)
        ):
            return False
        trend = None if average is None else ema.value(average)
        return average is None or (trend is not None and above(candle.close, trend))

    def words(self, volumes: Window, average: EmaState | None, candle: Candle) -> str:
        """What they found, with values, to stand behind the close; empty where nothing is asked."""
        found = "" if average is None else f" > EMA({self.trend}) {said(average.average)}"
        if self.volume_ratio is not None:
            found += f"; volume {said(candle.volume)}, mean of {VOLUMES} {said(mean(volumes))}"
        return found
