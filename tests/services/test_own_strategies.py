"""Strategies of the user's own: what is loaded, what is refused with which sentence, and what it costs."""

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from autogrid.cli.app import autogrid
from autogrid.cli.doctor_checks import own_strategies as own_finding
from autogrid.services import own_strategies
from autogrid.services.own_strategies import load_own_strategies
from autogrid.storage.codecs import KINDS, forget, learn
from autogrid.storage.encoding import decode, encode
from autogrid.trading.strategies.catalogue import CATALOGUE, UnableToAddStrategy, build
from tests.builders import D, market
from tests.testing.own import dip_source, forgetful, strategies_folder


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    with forgetful():
        yield


def test_a_file_brings_its_strategy_into_the_catalogue_and_its_memory_can_be_kept(tmp_path: Path) -> None:
    found = load_own_strategies(strategies_folder(tmp_path, dip=dip_source()))
    assert found == (("dip",), ())
    dip = build("dip", {"dip": "0.05"}, market(), D(1000))
    memory = dip.start()
    assert decode(type(memory), encode(memory)) == memory


def test_a_file_is_loaded_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    folder = strategies_folder(tmp_path, dip=dip_source())
    assert load_own_strategies(folder).names == ("dip",)
    entry = CATALOGUE["dip"]
    assert load_own_strategies(folder) == (("dip",), ())
    assert CATALOGUE["dip"] is entry


def test_a_file_may_define_several(tmp_path: Path) -> None:
    several = dip_source() + '\n\nENTRIES = (ENTRY, ENTRY._replace(name="dip_two"))\n'
    assert load_own_strategies(strategies_folder(tmp_path, dip=several)).names == ("dip", "dip_two")


def test_no_folder_and_files_that_are_none_are_no_faults(tmp_path: Path) -> None:
    assert load_own_strategies(tmp_path / "not there") == ((), ())
    folder = strategies_folder(tmp_path, _mine="raise ValueError", test_dip="raise ValueError")
    (folder / "strategies" / "notes.txt").write_text("not Python", encoding="utf-8")
    assert load_own_strategies(folder) == ((), ())


FAULTS = {
    "a slip of the pen": ("x = 1\ny = (\n", ["bad.py, line 2", "SyntaxError"]),
    "an import that fails": ("import json\nimport no_such_library\n", ["bad.py, line 2", "no_such_library"]),
    "an exception": ("def f():\n    return 1 / 0\n\n\nf()\n", ["bad.py, line 2", "ZeroDivisionError"]),
    "an exit": ("import sys\nsys.exit('gone')\n", ["bad.py, line 2", "SystemExit: gone"]),
    "no entry": ("x = 1\n", ["bad.py: no ENTRY is defined"]),
    "an entry that is none": ("ENTRY = 'dip'\n", ["bad.py: ENTRY is a str"]),
    "a name that is taken": (dip_source().replace('name="dip"', 'name="grid"'), ["named 'grid' is there already"]),
    "a name that cannot be typed": (dip_source().replace('name="dip"', 'name="My Dip"'), ["'My Dip' is not allowed"]),
    "a key that stands there twice": (
        dip_source().replace('    "dip",\n        "share"', '    "gain",\n        "share"'),
        ["key gain of dip"],
    ),
    "a record whose name is taken": (dip_source().replace("DipMemory", "GridMemory"), ["a record named GridMemory"]),
    "a record that is none": (
        dip_source().replace("DipMemory(NamedTuple)", "DipMemory"),
        ["DipMemory is no NamedTuple"],
    ),
    "a field that cannot be kept": (
        dip_source().replace("highs: tuple[float, ...]", "highs: list[float]"),
        ["the field highs of DipMemory is a list", "tuple[X, ...]"],
    ),
    "a tuple of two kinds": (
        dip_source().replace("highs: tuple[float, ...]", "highs: tuple[float, str]"),
        ["the field highs of DipMemory"],
    ),
    "a table by numbers": (
        dip_source().replace("highs: tuple[float, ...]", "highs: Mapping[int, float]"),
        ["the field highs of DipMemory"],
    ),
    "a kind that is not there": (
        dip_source().replace("highs: tuple[float, ...]", 'highs: "tuple[Nowhere, ...]"'),
        ["DipMemory cannot be read", "Nowhere"],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_file_that_cannot_be_used_is_told_and_the_others_work(name: str, tmp_path: Path) -> None:
    source, says = FAULTS[name]
    before = dict(KINDS)
    found = load_own_strategies(strategies_folder(tmp_path, bad=source, good=good_source()))
    assert found.names == ("good",)
    [fault] = found.faults
    for words in says:
        assert words in str(fault), str(fault)
    assert "\n" not in str(fault)
    assert {kind for kind in KINDS if kind not in before} == {"GoodMemory"}


def good_source() -> str:
    return dip_source().replace('name="dip"', 'name="good"').replace("DipMemory", "GoodMemory")


def test_a_file_that_was_mended_is_read_anew_also_within_the_same_second(tmp_path: Path) -> None:
    folder = strategies_folder(tmp_path, dip=dip_source().replace("ENTRY =", "ENTRZ ="))
    assert load_own_strategies(folder).faults
    strategies_folder(tmp_path, dip=dip_source())
    assert load_own_strategies(folder) == (("dip",), ())


def test_an_entry_point_brings_its_strategy_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package_of_mine.py").write_text(dip_source(), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    points = (
        EntryPoint("dip", "package_of_mine:ENTRY", "autogrid.strategies"),
        EntryPoint("gone", "no_such_package:ENTRY", "autogrid.strategies"),
    )
    monkeypatch.setattr(own_strategies, "entry_points", lambda group: points)
    found = load_own_strategies(tmp_path)
    assert found.names == ("dip",)
    [fault] = found.faults
    assert "entry point gone = no_such_package:ENTRY: ModuleNotFoundError" in str(fault)


class Mine(NamedTuple):
    """A record of a test."""

    worth: "Pair | None"


class Pair(NamedTuple):
    """A record in another, named after it."""

    one: int
    two: tuple[str, ...]


def test_kinds_are_learned_all_or_none_and_may_stand_in_each_other() -> None:
    with pytest.raises(UnableToAddStrategy, match="the field worth of Mine"):
        learn((Mine,))
    assert "Mine" not in KINDS
    assert learn((Mine, Pair)) == (Mine, Pair)
    assert learn((Mine, Pair)) == ()
    assert decode(Mine, encode(Mine(Pair(1, ("a",))))) == Mine(Pair(1, ("a",)))
    forget((Mine, Pair))
    assert "Pair" not in KINDS


# ---------------------------------------------------------------- the command line


def invoke(*words: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(autogrid, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr


def test_the_command_line_knows_them_and_tells_what_is_wrong(tmp_path: Path) -> None:
    folder = strategies_folder(tmp_path, dip=dip_source(), bad="x = (\n")
    code, out, err = invoke("strategies", "dip", "--data-dir", folder, "--json")
    assert code == 0
    assert json.loads(out)["properties"]["dip"]["default"] == "0.03"
    assert err.startswith("Note: bad.py, line 1: SyntaxError")
    code, out, _ = invoke("preview", "dip", "--price", "100", "--investment", "1000", "--data-dir", folder, "--json")
    assert (code, json.loads(out)["strategy"]) == (0, "dip")


def test_a_name_that_nobody_has_is_still_one_sentence(tmp_path: Path) -> None:
    code, out, err = invoke("strategies", "dip", "--data-dir", tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith("Error: unknown strategy 'dip'")


def test_the_doctor_tells_of_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    folder = strategies_folder(tmp_path, bad="x = (\n")
    found = own_finding(load_own_strategies(folder).faults, folder)
    assert (found.state, "bad.py, line 1" in found.says) == ("note", True)
    assert own_finding((), folder).state == "good"
    _, out, _ = invoke("doctor", "--offline", "--data-dir", folder)
    assert "bad.py, line 1" in out


def test_a_built_in_strategy_is_shown_without_looking_for_others(tmp_path: Path) -> None:
    folder = strategies_folder(tmp_path, dip="raise SystemExit('it was read')\n")
    code = f"import sys; sys.argv = ['autogrid', 'strategies', 'grid', '--data-dir', {str(folder)!r}]\n"
    code += "from autogrid.cli.app import main\nmain()\n"
    code += "assert 'pydantic' not in sys.modules and 'autogrid.services.own_strategies' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
