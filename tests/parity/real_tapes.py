"""Real candles, where they are at hand."""

from pathlib import Path

import pytest

from autogrid.backtesting.tapes import Tape, read_tape

CANDLES = Path(__file__).parents[3] / "shared" / "data" / "candles"


def real_tape(name: str) -> Tape:
    """The candles of that file; the test is skipped where it is absent."""
    path = CANDLES / name
    if not path.exists():
        pytest.skip("the real candles are not at hand")
    return read_tape((path,))
