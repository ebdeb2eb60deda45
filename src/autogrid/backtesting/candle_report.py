"""What `autogrid data check` tells of a file: all of it that can be told, the faulty rows among it."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from autogrid.backtesting.candle_checks import check_order, check_values
from autogrid.backtesting.candle_faults import Fault, Faults, UnableToReadCandles
from autogrid.backtesting.candle_files import open_candles
from autogrid.backtesting.candle_rows import CandleRows, most_common_distance, parse
from autogrid.backtesting.candle_warnings import Gap
from autogrid.backtesting.tapes import Tape, tape_of


@dataclass(frozen=True, slots=True)
class CandleReport:
    """What stands in a file of candles."""

    source: str
    rows: int
    """Rows that could be read as rows."""
    first_ms: int | None
    """The earliest open time, UTC ms; None where there is none, as with the figures below."""
    last_ms: int | None
    interval_ms: int | None
    """The timeframe."""
    gaps: tuple[Gap, ...]
    missing: int
    """Candles missing in the gaps."""
    zero_volume: int
    """Candles without volume."""
    decimals: int | None
    """The most decimals of a price; None where there are faults."""
    tick: Decimal | None
    """The largest step of which all prices are multiples, in quote; None where there are faults."""
    warnings: tuple[str, ...]
    faults: tuple[Fault, ...]
    """The first 20 by row."""
    fault_count: int
    fault_codes: dict[str, int]
    """How many faults of each kind."""
    unreadable: str | None
    """Why the file as a whole cannot be read, in a sentence."""

    @property
    def good(self) -> bool:
        """Whether a backtest takes this file."""
        return self.unreadable is None and self.fault_count == 0


def check(path: Path) -> CandleReport:
    """Read a file to its end whatever is wrong with it. Raises nothing for what the file holds."""
    faults = Faults(path.name)
    try:
        candles = parse(open_candles(path, faults), faults)
    except UnableToReadCandles as error:
        return _report(path.name, None, None, faults, error.sentence)
    check_values(candles, faults)
    check_order(candles, faults)
    unreadable = None
    if len(candles) < 2 and not faults.count:
        unreadable = f"{path.name} holds one candle; at least 2 are needed."
    if unreadable or faults.count:
        return _report(path.name, candles, None, faults, unreadable)
    return _report(path.name, candles, tape_of(candles, most_common_distance(candles.times)), faults, None)


def _report(
    source: str, candles: CandleRows | None, tape: Tape | None, faults: Faults, unreadable: str | None
) -> CandleReport:
    known = np.zeros(0, np.int64) if candles is None else np.unique(candles.times[candles.times > 0])
    return CandleReport(
        source=source,
        rows=0 if candles is None else len(candles),
        first_ms=int(known[0]) if len(known) else None,
        last_ms=int(known[-1]) if len(known) else None,
        interval_ms=most_common_distance(known) if len(known) > 1 else None,
        gaps=tape.gaps if tape else (),
        missing=sum(gap.missing for gap in tape.gaps) if tape else 0,
        zero_volume=0 if candles is None else int((candles.volumes == 0).sum()),
        decimals=-int(tape.unit.as_tuple().exponent) if tape else None,
        tick=tape.unit * int(np.gcd.reduce(tape.prices.ravel())) if tape else None,
        warnings=tape.warnings if tape else (),
        faults=tuple(faults.first()),
        fault_count=faults.count,
        fault_codes=dict(faults.codes),
        unreadable=unreadable,
    )
