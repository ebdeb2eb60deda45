"""A paper bot whose engine is killed at random moments ends as if nothing had happened."""

import sys
from pathlib import Path

import pytest

from tests.drills.kill_engine import drill, left_by, make_bot, run_to_end

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
REAL = SHARED / "data/candles/binance_spot_BTCUSDT_1m_20250520-20250630.parquet"
GRID = ("lower=98000", "upper=114000", "grids=50")


def _compare(tmp_path: Path, tape: Path, settings: tuple[str, ...], kills: int, longest_s: float) -> tuple[int, int]:
    """Run broken and unbroken and hold them against each other; kills that met a running engine, and steps."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    make_bot(whole, tape, *settings)
    make_bot(broken, tape, *settings)
    met = drill(broken, kills, 20250520, longest_s)
    run_to_end(whole)
    unbroken, resumed = left_by(whole), left_by(broken)
    assert resumed.fills == unbroken.fills
    assert resumed.shown == unbroken.shown
    assert resumed.steps == unbroken.steps
    return met, len(unbroken.steps)


def _sawtooth(path: Path, candles: int) -> Path:
    """A tape that swings between 100 and 110 and back every 60 candles, as CSV."""
    rows = ["timestamp,open,high,low,close,volume"]
    price = 105.0
    for i in range(candles):
        ahead = 105 + 5 * (abs((i % 60) - 30) / 15 - 1) * (1 if (i // 60) % 2 else -1)
        low, high = min(price, ahead) - 0.2, max(price, ahead) + 0.2
        rows.append(f"{1_700_000_000_000 + i * 60_000},{price:.2f},{high:.2f},{low:.2f},{ahead:.2f},10")
        price = round(ahead, 2)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal 9")
def test_an_engine_killed_a_few_times_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    tape = _sawtooth(tmp_path / "tape.csv", 900)
    met, steps = _compare(tmp_path, tape, ("lower=98", "upper=112", "grids=14"), 4, 0.3)
    assert met >= 2
    assert steps > 150


@pytest.mark.reliability
@pytest.mark.skipif(not REAL.exists(), reason="needs the real candles of ../shared")
def test_an_engine_killed_two_hundred_times_on_real_candles_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    met, steps = _compare(tmp_path, REAL, GRID, 200, 0.2)
    print(f"\n{met} of 200 kills met a running engine; {steps} steps equal")  # noqa: T201
    assert met >= 150
