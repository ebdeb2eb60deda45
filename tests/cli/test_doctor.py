"""`autogrid doctor`: each trouble is seen, told with its mend, and only what is broken is a failure."""

import asyncio
import io
import json
import os
import socket
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import ccxt
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from autogrid.cli import doctor_checks as checks
from autogrid.cli.doctor import doctor, examine
from autogrid.cli.doctor_checks import Finding, Reached
from autogrid.cli.exchange_probe import probe

GIB = 2**30


def run(*words: str, folder: Path) -> Result:
    return CliRunner().invoke(doctor, list(words), env={"AUTOGRID_DATA_DIR": str(folder)})


def probes(monkeypatch: pytest.MonkeyPatch, *, ahead_ms: int | None = 0, fault: str | None = None) -> None:
    """Every exchange answers so."""

    async def answer(exchange: str) -> Reached:
        return Reached(exchange, ahead_ms, fault)

    made = types.ModuleType("made_up_probe")
    made.probe = answer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "autogrid.cli.exchange_probe", made)


def by_name(result: Result) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in json.loads(result.stdout)["findings"]}


def test_a_machine_in_order_is_told_and_exits_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probes(monkeypatch, ahead_ms=-40)
    tmp_path.chmod(0o700)
    result = run("--json", folder=tmp_path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout)["well"] is True
    found = by_name(result)
    assert found["clock"]["says"] == "40 ms behind binance's"
    assert {found[name]["state"] for name in ("python", "libraries", "data folder", "privacy", "clock", "mexc")} == {
        "good"
    }
    assert "ccxt 4" in found["libraries"]["says"]


def test_being_offline_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probes(monkeypatch, ahead_ms=None, fault="no route to host")
    result = run("--json", folder=tmp_path)
    found = by_name(result)
    assert result.exit_code == 0
    assert [found[name]["state"] for name in ("binance", "bybit", "mexc", "clock")] == ["note"] * 4
    assert "no route to host" in found["binance"]["says"]


def test_a_wrong_clock_is_broken_and_exits_1_with_its_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probes(monkeypatch, ahead_ms=3_600_000)
    result = run(folder=tmp_path)
    assert result.exit_code == 1
    assert "✗ clock: 3600000 ms ahead of binance's" in result.stdout
    assert "NTP" in result.stdout
    assert json.loads(run("--json", folder=tmp_path).stdout)["well"] is False


def test_nobody_is_asked_when_told_so(tmp_path: Path) -> None:
    assert "binance" not in by_name(run("--offline", "--json", folder=tmp_path))
    assert all(finding.name != "clock" for finding in examine(tmp_path, None))


def test_a_data_folder_that_is_a_file_is_bad_input() -> None:
    result = run("--data-dir", __file__, folder=Path())
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: --data-dir is ")
    assert result.stdout == ""


def test_a_library_that_is_missing_is_broken() -> None:
    finding = checks.libraries(["click", "no-such-library-of-ours"])
    assert (finding.state, finding.says) == ("broken", "missing: no-such-library-of-ours")
    assert finding.mend


@pytest.mark.parametrize(
    ("version", "state"), [("3.40.1", "note"), ("3.51.2", "note"), ("3.51.3", "good"), ("3.52.0", "good")]
)
def test_an_old_sqlite_is_told(version: str, state: str) -> None:
    finding = checks.sqlite(version)
    assert finding.state == state
    assert (finding.mend is None) == (state == "good")


@pytest.mark.parametrize(
    ("free", "state"), [(50 * 2**20, "broken"), (500 * 2**20, "note"), (GIB, "good"), (900 * GIB, "good")]
)
def test_a_full_disk_is_told(free: int, state: str) -> None:
    assert checks.disk(free, Path("data")).state == state


@pytest.mark.skipif(os.name != "posix", reason="rights are told otherwise there")
@pytest.mark.parametrize(("mode", "state"), [(0o700, "good"), (0o755, "note"), (0o770, "note")])
def test_a_data_folder_that_others_can_read_is_told_with_the_command_that_mends_it(
    tmp_path: Path, mode: int, state: str
) -> None:
    tmp_path.chmod(mode)
    finding = checks.private(tmp_path)
    assert finding.state == state
    assert (finding.mend == f"chmod 700 '{tmp_path}'") == (state == "note")


def test_a_data_folder_that_is_not_there_yet_is_good_where_it_can_be_made(tmp_path: Path) -> None:
    finding = checks.writable(tmp_path / "a" / "b")
    assert finding.state == "good"
    assert not (tmp_path / "a").exists()


def test_a_data_folder_that_cannot_be_written_to_is_broken(tmp_path: Path) -> None:
    (tmp_path / "in-the-way").write_text("a file", encoding="utf-8")
    finding = checks.writable(tmp_path / "in-the-way" / "data")
    assert finding.state == "broken"
    assert finding.mend


def test_a_port_in_use_is_a_note() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert checks.free_port(port).state == "note"
    assert checks.free_port(port).state == "good"


def test_where_compiled_code_cannot_be_kept_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert checks.compiled_cache() == Finding("compiled code", "good", f"is kept in {tmp_path}")
    (tmp_path / "file").write_text("a file", encoding="utf-8")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    assert checks.compiled_cache().state == "note"


@pytest.mark.parametrize(
    ("size", "colours", "state"),
    [((120, 40), "truecolor", "good"), ((60, 40), "truecolor", "note"), ((120, 10), "256", "note")],
)
def test_a_small_terminal_is_told(size: tuple[int, int], colours: Any, state: str) -> None:
    width, height = size
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=height, color_system=colours)
    assert checks.terminal(console).state == state


def test_a_terminal_without_colours_is_told() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120, height=40, color_system=None)
    assert checks.terminal(console).state == "note"
    assert checks.terminal(Console(file=io.StringIO())).state == "good"


def test_the_clock_is_compared_with_the_exchange_that_is_nearest() -> None:
    findings = list(checks.network_findings([Reached("a", 900), Reached("b", -20), Reached("c", fault="away")]))
    assert [finding.state for finding in findings] == ["good", "good", "note", "good"]
    assert findings[-1].says == "20 ms behind b's"


class Clock:
    """A client that tells a time, or fails, or never answers."""

    def __init__(self, told: int | Exception | None) -> None:
        self.told = told
        self.closed = False

    async def fetch_time(self) -> int:
        if self.told is None:
            await asyncio.Event().wait()
        if isinstance(self.told, Exception):
            raise self.told
        return self.told or 0

    async def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("told", "fault"),
    [(ccxt.NetworkError("no\n route."), "no route"), (None, "no answer within 0.01 s"), (OSError("gone"), "gone")],
)
def test_a_probe_tells_why_there_was_no_answer_and_closes_its_client(told: Exception | None, fault: str) -> None:
    client = Clock(told)
    assert asyncio.run(probe("binance", lambda _: client, 0.01)) == Reached("binance", None, fault)
    assert client.closed


def test_a_probe_measures_the_clock() -> None:
    reached = asyncio.run(probe("binance", lambda _: Clock(1_000)))
    assert reached.fault is None
    assert reached.clock_error_ms is not None
    assert reached.clock_error_ms > 1_700_000_000_000


def test_the_command_itself_speaks_as_a_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from autogrid.cli.app import main; main()", "doctor", "--offline", "--json"]
    done = subprocess.run(
        [*command, "--data-dir", str(tmp_path)], capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.stderr == ""
    assert done.returncode == (0 if json.loads(done.stdout)["well"] else 1)
