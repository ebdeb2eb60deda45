"""Each planted fault must break the test that is named for it; on the sources as they are, that test must pass."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parity.mutants import MUTANTS as CORE_MUTANTS
from tests.parity.mutants import Mutant
from tests.parity.mutants_of_dca import DCA_MUTANTS
from tests.parity.mutants_of_grid import GRID_MUTANTS
from tests.parity.mutants_of_signals import SIGNAL_MUTANTS
from tests.parity.mutants_of_stops import STOP_MUTANTS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "autogrid"
TABLES = ((CORE_MUTANTS, 3), (GRID_MUTANTS, 5), (DCA_MUTANTS, 5), (SIGNAL_MUTANTS, 5), (STOP_MUTANTS, 5))
"""Of each table every third or fifth runs in the default suite; the rest under `reliability`."""
MUTANTS = tuple(mutant for table, _ in TABLES for mutant in table)

PROGRAM = """
import sys
from pathlib import Path
import autogrid
home = Path(sys.argv[1]).resolve()
found = Path(autogrid.__file__).resolve()
if home not in found.parents:
    sys.exit(f"the package of {found} would be tested, not the one below {home}")
import pytest
sys.exit(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-m", "", *sys.argv[2:]]))
"""
PASSED, FAILED = 0, 1
"""How pytest ends; anything else means that no test was run."""


def planted(mutant: Mutant, home: Path) -> None:
    """Put the mutant into the copy below `home`."""
    file = home / "autogrid" / mutant.file
    source = file.read_text(encoding="utf-8")
    assert source.count(mutant.text) == 1, (
        f"'{mutant.name}': its text stands {source.count(mutant.text)} times in {mutant.file}; "
        "find where the safeguard is now and mend the table in tests/parity"
    )
    for stale in file.parent.glob(f"__pycache__/{file.stem}.*"):
        stale.unlink()
    file.write_text(source.replace(mutant.text, mutant.instead), encoding="utf-8")


def copied(home: Path) -> None:
    """The package as it is, below `home`."""
    shutil.copytree(PACKAGE, home / "autogrid")


def run(home: Path, *tests: str) -> "subprocess.CompletedProcess[str]":
    """Run `tests` with the package below `home` instead of the one installed."""
    environment = {**os.environ, "PYTHONPATH": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(home), *tests],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def must_be_caught(mutant: Mutant, home: Path) -> None:
    copied(home)
    planted(mutant, home)
    found = run(home, mutant.breaks)
    assert found.returncode != PASSED, f"'{mutant.name}' was not noticed by {mutant.breaks}"
    assert found.returncode == FAILED, f"'{mutant.name}' ran no test:\n{found.stdout[-2000:]}\n{found.stderr[-2000:]}"
    assert " failed" in found.stdout
    assert " error" not in found.stdout.rsplit("\n", 2)[-2]


def by_name(mutants: tuple[Mutant, ...]) -> list[object]:
    return [pytest.param(mutant, id=mutant.name) for mutant in mutants]


FIRST = tuple(mutant for table, stride in TABLES for mutant in table[::stride])
REST = tuple(mutant for mutant in MUTANTS if mutant not in FIRST)


@pytest.mark.parametrize("mutant", by_name(FIRST))
def test_a_planted_fault_breaks_its_test(mutant: Mutant, tmp_path: Path) -> None:
    must_be_caught(mutant, tmp_path)


@pytest.mark.reliability
@pytest.mark.parametrize("mutant", by_name(REST))
def test_each_other_planted_fault_breaks_its_test(mutant: Mutant, tmp_path: Path) -> None:
    must_be_caught(mutant, tmp_path)


def test_all_named_tests_pass_on_a_copy_of_the_sources_as_they_are(tmp_path: Path) -> None:
    copied(tmp_path)
    found = run(tmp_path, *sorted({mutant.breaks for mutant in MUTANTS}))
    assert found.returncode == PASSED, found.stdout[-3000:] + found.stderr[-2000:]


@pytest.mark.parametrize("mutant", by_name(MUTANTS))
def test_the_text_of_each_planted_fault_stands_in_the_sources_once(mutant: Mutant) -> None:
    source = (PACKAGE / mutant.file).read_text(encoding="utf-8")
    assert source.count(mutant.text) == 1, f"'{mutant.name}': mend the table in tests/parity"
    assert mutant.text != mutant.instead


def test_a_copy_that_is_not_the_one_imported_is_noticed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    found = run(elsewhere, MUTANTS[0].breaks)
    assert found.returncode != PASSED
    assert "would be tested, not the one below" in found.stderr


def test_there_are_as_many_planted_faults_as_were_promised() -> None:
    assert len(CORE_MUTANTS) >= 25
    assert len(MUTANTS) - len(CORE_MUTANTS) >= 25
    assert len(FIRST) >= 25
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
