"""The candles of a strategy's timeframe, made from the finer ones of a tape, and where on its path each closes."""

import numpy as np

from autogrid.backtesting.candle_faults import UnableToReadCandles
from autogrid.backtesting.candle_warnings import timeframe_name
from autogrid.backtesting.tapes import Tape
from autogrid.trading.candle import Candle, bucket_of
from autogrid.trading.event import CandleClosed


class ClosedCandles:
    """All candles of one timeframe on a tape, oldest first; the first only where the tape has its beginning.

    A candle closes at the close of the last finer one inside it. One that nothing was traded in is not there.
    """

    def __init__(self, tape: Tape, timeframe_ms: int) -> None:
        """Raises `UnableToReadCandles` where the tape's candles do not divide `timeframe_ms`."""
        check_timeframe(tape, timeframe_ms)
        self._timeframe_ms = timeframe_ms
        first = bucket_of(tape.times.item(0), timeframe_ms)
        opens = (tape.times - first) // timeframe_ms
        starts = np.flatnonzero(np.diff(opens, prepend=-1))
        if tape.times.item(0) != first:
            starts = starts[1:]
        ends = np.append(starts[1:], len(tape.times)) - 1
        if len(ends) and tape.times.item(-1) + tape.interval_ms < first + (opens.item(-1) + 1) * timeframe_ms:
            starts, ends = starts[:-1], ends[:-1]
        scale = 10.0 ** -int(tape.unit.adjusted())
        end = int(ends[-1]) + 1 if len(ends) else 0
        prices, volumes = tape.prices[:end], tape.volumes[:end]
        self._ends = ends
        self._times = first + opens[starts] * timeframe_ms
        self._columns = (
            prices[starts, 0] / scale,
            np.maximum.reduceat(prices[:, 1], starts) / scale if len(starts) else starts / scale,
            np.minimum.reduceat(prices[:, 2], starts) / scale if len(starts) else starts / scale,
            prices[ends, 3] / scale,
            np.add.reduceat(volumes, starts) if len(starts) else starts / scale,
        )
        self._beyond = 4 * len(tape.times)

    def __len__(self) -> int:
        return len(self._ends)

    def corner(self, index: int) -> int:
        """The corner of the path at which candle `index` closes; beyond the path where there is none."""
        return 4 * self._ends.item(index) + 3 if index < len(self._ends) else self._beyond

    def before(self, corner: int) -> int:
        """How many have closed at the corners before `corner`."""
        return int(np.searchsorted(4 * self._ends + 3, corner))

    def closed(self, index: int) -> CandleClosed:
        """That candle."""
        opens = self._times.item(index)
        opened, high, low, close, volume = (float(column[index]) for column in self._columns)
        return CandleClosed(opens + self._timeframe_ms, Candle(opens, opened, high, low, close, volume))


def check_timeframe(tape: Tape, timeframe_ms: int) -> None:
    """Raises `UnableToReadCandles` where candles of `timeframe_ms` cannot be made from those of the tape."""
    if timeframe_ms % tape.interval_ms == 0:
        return
    given, wanted = timeframe_name(tape.interval_ms), timeframe_name(timeframe_ms)
    raise UnableToReadCandles(
        "timeframe",
        f"{tape.source} holds {given} candles, and {wanted} ones cannot be made from them; "
        f"take finer candles, or a timeframe that is a multiple of {given}.",
    )
