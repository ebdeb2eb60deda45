"""Each fault planted in the live protocol is found by the seed named for it or one of the next few; without it they
find nothing. A seed stands for another run whenever the protocol changes, so one alone would be found or not by chance.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parity.mutants import Mutant
from tests.parity.test_mutants import PACKAGE, ROOT, copied, planted
from tests.simulation.mutants import PLANTED, Planted
from tests.simulation.run import simulate

PROGRAM = """
import sys
from pathlib import Path
import autogrid
home, name = sys.argv[1:]
assert Path(home).resolve() in Path(autogrid.__file__).resolve().parents, "another package would be tested"
from tests.simulation.mutants import PLANTED
from tests.simulation.run import simulate
for plan in next(one for one in PLANTED if one.name == name).plans:
    wrong = simulate(plan).wrong
    if wrong:
        print(f"seed {plan.seed}", *wrong[:3], sep="\\n")
        sys.exit(10)
"""
WRONG = 10


def must_be_found(mutant: Planted, home: Path) -> None:
    copied(home)
    planted(Mutant(mutant.name, mutant.file, mutant.text, mutant.instead, ""), home)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(home), str(ROOT))), "PYTHONDONTWRITEBYTECODE": "1"}
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(home), mutant.name],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert found.returncode == WRONG, f"'{mutant.name}' was not found:\n{found.stdout[-500:]}\n{found.stderr[-1500:]}"


def by_name(mutants: tuple[Planted, ...]) -> list[object]:
    return [pytest.param(mutant, id=mutant.name) for mutant in mutants]


@pytest.mark.parametrize("mutant", by_name(PLANTED[::5]))
def test_a_fault_planted_in_the_protocol_is_found(mutant: Planted, tmp_path: Path) -> None:
    must_be_found(mutant, tmp_path)


@pytest.mark.reliability
@pytest.mark.parametrize("mutant", by_name(tuple(one for one in PLANTED if one not in PLANTED[::5])))
def test_each_other_fault_planted_in_the_protocol_is_found(mutant: Planted, tmp_path: Path) -> None:
    must_be_found(mutant, tmp_path)


@pytest.mark.reliability
@pytest.mark.parametrize("mutant", by_name(PLANTED))
def test_the_seed_that_finds_a_fault_finds_nothing_without_it(mutant: Planted) -> None:
    outcome = simulate(mutant.plans[0])
    assert not outcome.wrong, outcome.wrong[:3]


@pytest.mark.parametrize("mutant", by_name(PLANTED))
def test_the_text_of_each_planted_fault_stands_in_the_sources_once(mutant: Planted) -> None:
    source = (PACKAGE / mutant.file).read_text(encoding="utf-8")
    assert source.count(mutant.text) == 1, f"'{mutant.name}': mend the table in tests/simulation"
    assert mutant.text != mutant.instead


def test_there_are_as_many_planted_faults_as_were_promised() -> None:
    assert len(PLANTED) >= 25
    assert len({mutant.name for mutant in PLANTED}) == len(PLANTED)
