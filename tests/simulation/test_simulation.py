"""Bots on a simulated exchange that loses, delays and repeats, in processes that die: nothing is lost or doubled.

A run that goes wrong is made again by its seed: `python -m tests.simulation --seeds 17:18 --days 0.2 --log`.
"""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.__main__ import outcomes
from tests.simulation.chaos import SHARES
from tests.simulation.run import Outcome, Plan, simulate

ROOT = Path(__file__).resolve().parents[2]
FEW = (9, 22, 40)
"""Seeds of the default suite."""


def told(outcome: Outcome) -> str:
    return f"seed {outcome.seed}:\n" + "\n".join(outcome.wrong[:10])


@pytest.mark.parametrize("seed", FEW)
def test_nothing_is_lost_or_doubled(seed: int) -> None:
    outcome = simulate(Plan(seed, days=0.1))
    assert not outcome.wrong, told(outcome)
    assert outcome.checks >= 1
    assert outcome.steps > 0


def test_without_faults_bots_trade_and_rest_as_they_want() -> None:
    outcome = simulate(Plan(2, days=0.06, only=("partial fills", "burst")))
    assert not outcome.wrong, told(outcome)
    assert outcome.fills > 3


def test_one_seed_is_one_run_in_every_process() -> None:
    plan = Plan(9, days=0.05)
    first, again = simulate(plan), simulate(plan)
    assert first.trace == again.trace
    assert first._replace(took_s=0, turns=0) == again._replace(took_s=0, turns=0)
    words = "from tests.simulation.run import Plan, simulate; print(simulate(Plan(9, days=0.05)).trace)"
    elsewhere = subprocess.run(
        [sys.executable, "-c", words],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert elsewhere.stdout.strip() == first.trace


def test_another_seed_is_another_run() -> None:
    assert simulate(Plan(9, days=0.02)).trace != simulate(Plan(10, days=0.02)).trace


@pytest.mark.reliability
@pytest.mark.parametrize("first", range(10_000, 10_200, 25))
def test_nothing_is_lost_or_doubled_in_many_runs(first: int) -> None:
    found = [simulate(Plan(seed, days=1)) for seed in range(first, first + 25)]
    wrong = [told(outcome) for outcome in found if outcome.wrong]
    assert not wrong, "\n".join(wrong)


@pytest.mark.reliability
def test_every_fault_strikes() -> None:
    given: Counter[str] = Counter()
    for outcome in outcomes([Plan(seed, days=0.5) for seed in range(20_000, 20_030)], 2):
        assert not outcome.wrong, told(outcome)
        given += outcome.given
    assert [kind for kind in SHARES if not given[kind]] == []
