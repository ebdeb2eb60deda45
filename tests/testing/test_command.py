"""`python -m autogrid.testing FILE`: one sentence about what is wrong, and the command that shows it again."""

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from autogrid.testing.__main__ import check
from tests.testing.own import dip_source, forgetful

LIVELY = ("timeframe=5m", "candles=12", "dip=0.01", "gain=0.01")


def told(*words: str | Path) -> Result:
    with forgetful():
        return CliRunner().invoke(check, [str(word) for word in words])


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x = 1\ny = (\n", "dip.py, line 2: SyntaxError: '(' was never closed; correct it there, then try again\n"),
        ("def f():\n    return 1 / 0\n\n\nf()\n", "dip.py, line 2: ZeroDivisionError"),
        ("import no_such_library\n", "dip.py, line 1: ModuleNotFoundError"),
        ("x = 1\n", "dip.py: no ENTRY is defined"),
        (dip_source().replace('name="dip"', 'name="grid"'), "dip.py: a strategy named 'grid' is there already"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_one_line(source: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "dip.py").write_text(source, encoding="utf-8")
    done = told(tmp_path / "dip.py")
    assert done.exit_code == 1
    assert done.stderr.startswith(says)
    assert done.stderr.count("\n") == 1


def test_a_fault_is_seen_again_by_the_command_that_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a dip.py"
    file.write_text(dip_source().replace('f"buy-{memory.number}"', '"buy"'), encoding="utf-8")
    first = told(file, *LIVELY)
    assert first.exit_code == 1
    start, *words = shlex.split(first.stderr.rpartition("See it again with ")[2])
    assert (start, words[:2]) == ("python", ["-m", "autogrid.testing"])
    assert words[-4:-1:2] == ["--seed", "--only"]
    second = told(*words[2:])
    assert (second.exit_code, second.stderr) == (1, first.stderr)


def test_one_law_on_one_tape_is_looked_at_alone(tmp_path: Path) -> None:
    file = tmp_path / "dip.py"
    file.write_text(dip_source(), encoding="utf-8")
    done = told(file, *LIVELY, "--seed", "3", "--only", "funds")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("dip: law funds holds (1 runs, ")
