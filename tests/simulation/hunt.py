"""Finds for each planted fault a seed that finds it: `python -m tests.simulation.hunt 8000:8012 [part of a name]`.

For whoever changes the protocol, or the simulation: then seeds stand for other runs, and the table in `mutants` is to
be written anew.
"""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.parity.mutants import Mutant
from tests.parity.test_mutants import ROOT, copied, planted
from tests.simulation.inline_sqlite import in_ram
from tests.simulation.mutants import PLANTED, Planted

LONGEST_S = 600


def hunted(mutant: Planted, seeds: str) -> str:
    """What the first run says that goes wrong; empty where none does."""
    with tempfile.TemporaryDirectory(dir=in_ram()) as folder:
        home = Path(folder) / "home"
        home.mkdir()
        copied(home)
        planted(Mutant(mutant.name, mutant.file, mutant.text, mutant.instead, ""), home)
        words = ["--seeds", seeds, "--days", str(mutant.days), "--jobs", "1", "--first", "--only", mutant.only]
        words += ["--strength", str(mutant.strength)]
        words += ["--engines", str(mutant.engines)] if mutant.engines else []
        words += ["--bots", str(mutant.bots)] if mutant.bots else []
        found = subprocess.run(
            [sys.executable, "-m", "tests.simulation", *words],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join((str(home), str(ROOT))), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
    lines = found.stdout.splitlines()
    return " ".join(line.strip() for line in lines[:2])[:200] if found.returncode == 1 and lines else ""


def main() -> None:
    """The command."""
    seeds, part = sys.argv[1], "".join(sys.argv[2:3])
    with ThreadPoolExecutor(2) as pool:
        hunts = {pool.submit(hunted, one, seeds): one.name for one in PLANTED if part in one.name}
        for hunt in as_completed(hunts):
            found = str(hunt.exception() or hunt.result() or "not found")
            sys.stdout.write(f"{hunts[hunt]}: {found[:300]}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
