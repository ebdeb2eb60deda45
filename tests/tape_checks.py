"""What tests of candles ask of a tape, and of a refusal."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from autogrid.backtesting.candle_faults import UnableToReadCandles
from autogrid.backtesting.tapes import Tape, read_tape
from tests.candles import (
    Candles,
)


def prices_of(tape: Tape) -> list[list[Decimal]]:
    """Not by multiplying: that would round to the context's 28 digits."""
    exponent = tape.unit.as_tuple().exponent
    return [[Decimal(f"{units}e{exponent}") for units in row] for row in tape.prices.tolist()]


def must_equal(tape: Tape, candles: Candles) -> None:
    assert tape.times.tolist() == [candle.time_ms for candle in candles]
    assert prices_of(tape) == [list(candle.prices) for candle in candles]
    assert tape.volumes.tolist() == [float(candle.volume) for candle in candles]


def refusal(path: Path, **how: Any) -> UnableToReadCandles:
    with pytest.raises(UnableToReadCandles) as caught:
        read_tape([path], **how)
    assert path.name in str(caught.value)
    return caught.value
