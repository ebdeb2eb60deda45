"""`autogrid` itself: its commands, its exit codes, and how little it loads to tell of them."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from autogrid import __version__
from autogrid.cli.app import COMMANDS, autogrid
from autogrid.trading.strategies.catalogue import CATALOGUE
from tests.candles import csv_text, random_walk, write_text

HEAVY = ("numpy", "numba", "ccxt", "sqlalchemy", "pyarrow", "rich", "asyncio")
CALL = "from autogrid.cli.app import main; main()"
GRID = ("--set", "lower=98", "--set", "upper=102", "--set", "grids=8")


def started(*words: str | Path, code: str = CALL) -> subprocess.CompletedProcess[str]:
    """A real process."""
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    code = "import sys\nsys.argv = ['autogrid', '--help']\nfrom autogrid.cli.app import main\nmain()\n"
    code += f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    done = started(code=code)
    assert (done.returncode, done.stderr) == (0, "[]\n")
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout, name


def test_the_bare_word_prints_the_help() -> None:
    done = started()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage:")
    assert "backtest" in done.stdout


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(autogrid, ["--version"])
    assert (result.exit_code, result.output) == (0, f"autogrid {__version__}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_json_where_it_gives_figures(name: str) -> None:
    result = CliRunner().invoke(autogrid, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("Usage:")
    if name not in ("bot", "credentials", "data", "demo", "engine", "keys"):  # groups, a view, the engine
        assert "--json" in result.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("backtset",), "backtset"),
        (("bot", "strat"), "strat"),
        (("--nonsense",), "--nonsense"),
        (("backtest", "grid"), "--candles"),
        (
            ("backtest", "grid", "--candles", "a.csv", "--investment", "1", "--path", "sideways"),
            "'sideways' is not one of",
        ),
        (("backtest", "grid", "--candles", "a.csv", "--investment", "1", *GRID), "a.csv does not exist"),
    ],
)
def test_a_slip_is_one_sentence_on_standard_error_and_exit_2(words: tuple[str, ...], says: str) -> None:
    done = started(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert says in done.stderr


def test_a_real_process_gives_one_json_object(tmp_path: Path) -> None:
    tape = write_text(tmp_path / "walk.csv", csv_text(random_walk(7, 300, price="100")))
    done = started("backtest", "grid", "--candles", tape, "--investment", "1000", *GRID, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["candles"]["rows"] == 300


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipe that breaks like this")
def test_a_reader_that_goes_away_is_no_fault() -> None:
    words = [sys.executable, "-c", CALL, "strategies", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_the_strategies_are_told_as_json_in_english_and_portuguese() -> None:
    result = CliRunner().invoke(autogrid, ["strategies", "--json"])
    assert (result.exit_code, result.stderr) == (0, "")
    found: dict[str, Any] = json.loads(result.stdout)["strategies"]
    assert set(found) == set(CATALOGUE)
    for schema in found.values():
        assert schema["title"]
        assert schema["title_pt_BR"]
        assert set(schema["required"]) <= set(schema["properties"])
        for key, one in schema["properties"].items():
            for words in ("title", "title_pt_BR", "description", "description_pt_BR", "unit"):
                assert one[words], (key, words)
    alone = CliRunner().invoke(autogrid, ["strategies", "grid", "--json"])
    assert json.loads(alone.stdout) == found["grid"]


def test_the_strategies_are_told_to_a_person() -> None:
    result = CliRunner().invoke(autogrid, ["strategies", "grid"])
    assert result.exit_code == 0
    for field in CATALOGUE["grid"].fields:
        assert field.key in result.output


def test_an_unknown_strategy_is_told_the_nearest() -> None:
    result = CliRunner().invoke(autogrid, ["strategies", "gird"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean grid?" in result.stderr


@pytest.mark.parametrize(("as_json", "says"), [(False, "comes out differently"), (True, '"equal": false')])
def test_a_journal_that_was_tampered_with_is_exit_1(tmp_path: Path, as_json: bool, says: str) -> None:
    tape = write_text(tmp_path / "walk.csv", csv_text(random_walk(7, 200, price="100")))
    folder = ("--data-dir", str(tmp_path / "data"))
    how = ("--account", "paper", "--symbol", "BTC/USDT", "--investment", "1000", "--name", "one", "--tape", str(tape))
    for words in (
        ("bot", "create", "grid", *how, "--speed", "0", *GRID, *folder),
        ("bot", "start", "one", *folder),
        ("engine", "--until-idle", *folder),
        ("bot", "replay", "one", *folder),
    ):
        result = CliRunner().invoke(autogrid, words)
        assert result.exit_code == 0, result.output
    with sqlite3.connect(tmp_path / "data" / "autogrid.db") as database:
        changed = database.execute(
            "UPDATE steps SET commands = replace(commands, '\"buy\"', '\"sell\"') "
            "WHERE seq = (SELECT max(seq) FROM steps WHERE commands LIKE '%\"buy\"%')"
        )
        assert changed.rowcount == 1
    database.close()
    result = CliRunner().invoke(autogrid, ["bot", "replay", "one", *folder, *(["--json"] if as_json else [])])
    assert result.exit_code == 1
    assert says in result.stdout
    assert "Traceback" not in result.output
