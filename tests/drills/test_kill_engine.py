"""A paper bot whose engine is killed at random moments ends as if nothing had happened."""

import random
import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import copytree
from typing import Final

import pytest

from tests.drills.kill_engine import Left, drill, left_by, make_bot, run_to_end

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
REAL = SHARED / "data/candles/binance_spot_BTCUSDT_1m_20250520-20250630.parquet"
GRID = ("lower=98000", "upper=114000", "grids=50")


DCA = ("base_order=500", "safety_order=500", "deviation=0.004", "safety_orders=4", "take_profit=0.004")
PPP = ("timeframe=1m", "ema=3", "ut_atr=2", "ewo_fast=2", "ewo_slow=4", "oversold=50", "signal_window=10")
SIDE_BY_SIDE: Final = {
    "deals": ("dca", (*DCA, "stop_loss=0.03", "cooldown=90", "reinvest=yes")),
    "dips": ("ppp_vishva", (*PPP, "stoch_lookback=30", "confirm_timeframes=none", "stop_atr=0.5")),
}
"""Bots that run in one engine at the same time."""

Bots = Mapping[str, tuple[str, tuple[str, ...]]]
"""Strategy and settings by name."""


def _compare(tmp_path: Path, tape: Path, bots: Bots, kills: int, longest_s: float) -> tuple[int, dict[str, Left]]:
    """Run broken and unbroken and hold them against each other; kills that met a running engine, and what was left."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for name, (strategy, settings) in bots.items():
        make_bot(whole, tape, *settings, strategy=strategy, name=name)
    copytree(whole, broken)
    met = drill(broken, kills, 20250520, longest_s, len(bots))
    run_to_end(whole)
    found = {}
    for name in bots:
        unbroken, resumed = left_by(whole, name), left_by(broken, name)
        assert resumed.fills == unbroken.fills, name
        assert resumed.shown == unbroken.shown, name
        assert resumed.steps == unbroken.steps, name
        found[name] = unbroken
    return met, found


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


def _waves(path: Path, candles: int) -> Path:
    """A tape that wanders around 100 in steps of up to half a per cent, with jumps and holes, as CSV."""
    chance, price, at = random.Random(3), 100.0, 1_700_000_000_000
    rows = ["timestamp,open,high,low,close,volume"]
    for _ in range(candles):
        opens = price * (1 + (chance.gauss(0, 0.003) if chance.random() < 0.1 else 0))
        closes = opens * (1 + chance.gauss((100 - opens) / 5_000, 0.0025))
        high, low = max(opens, closes) * (1 + chance.random() / 800), min(opens, closes) * (1 - chance.random() / 800)
        rows.append(f"{at},{opens:.2f},{high:.2f},{low:.2f},{closes:.2f},10")
        price = closes
        at += 60_000 * (chance.randint(2, 200) if chance.random() < 0.01 else 1)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def _fills(left: dict[str, Left]) -> dict[str, int]:
    return {name: len(one.fills) for name, one in left.items()}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal 9")
def test_an_engine_killed_a_few_times_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    tape = _sawtooth(tmp_path / "tape.csv", 900)
    bots = {"drill": ("grid", ("lower=98", "upper=112", "grids=14"))}
    met, left = _compare(tmp_path, tape, bots, 4, 0.3)
    assert met >= 2
    assert len(left["drill"].steps) > 150


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal 9")
def test_an_engine_with_a_dca_and_a_ppp_bot_killed_a_few_times_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    tape = _waves(tmp_path / "tape.csv", 220)
    met, left = _compare(tmp_path, tape, SIDE_BY_SIDE, 3, 0.5)
    print(f"\n{met} of 3 kills met a running engine; fills: {_fills(left)}")  # noqa: T201
    assert met >= 2
    assert min(_fills(left).values()) >= 10


@pytest.mark.reliability
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal 9")
def test_an_engine_with_a_dca_and_a_ppp_bot_killed_many_times_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    tape = _waves(tmp_path / "tape.csv", 6_000)
    met, left = _compare(tmp_path, tape, SIDE_BY_SIDE, 60, 0.5)
    steps = {name: len(one.steps) for name, one in left.items()}
    print(f"\n{met} of 60 kills met a running engine; steps equal: {steps}; fills: {_fills(left)}")  # noqa: T201
    assert met >= 40


@pytest.mark.reliability
@pytest.mark.skipif(not REAL.exists(), reason="needs the real candles of ../shared")
def test_an_engine_killed_two_hundred_times_on_real_candles_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    met, left = _compare(tmp_path, REAL, {"drill": ("grid", GRID)}, 200, 0.2)
    print(f"\n{met} of 200 kills met a running engine; {len(left['drill'].steps)} steps equal")  # noqa: T201
    assert met >= 150
