"""`autogrid data`: JSON alone on standard output, one sentence on standard error, exit 0, 1 or 2."""

import json
import os
import subprocess
import sys
import types
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from autogrid.backtesting.candle_store import Candle, CandleKey
from autogrid.cli.data import data
from autogrid.cli.output import one_line, say_json
from autogrid.services.candles import UnableToFetchCandles
from tests.candles import MINUTE_MS, START_MS, changed, csv_text, random_walk, without, write_parquet, write_text

WALK = random_walk(21, 300)
DOWNLOAD = ("download", "binance", "btc/usdt", "1m", "--from", "2025-05-20", "--to", "2025-05-20")


def run(*words: str | Path, folder: Path) -> Result:
    return CliRunner().invoke(data, [str(word) for word in words], env={"AUTOGRID_DATA_DIR": str(folder)})


def said(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    found: dict[str, Any] = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    return found


def fault(result: Result, code: int) -> str:
    assert result.exit_code == code, result.output
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """An exchange that gives the walk, unless there is a fault in the list."""
    faults: list[Exception] = []

    async def fetch(
        key: CandleKey, start_ms: int, end_ms: int, told: Callable[[float], None]
    ) -> AsyncGenerator[list[Candle], None]:
        if faults:
            raise faults[0]
        yield [candle.row for candle in WALK if start_ms <= candle.time_ms < end_ms]
        told(1.0)

    source = types.ModuleType("made_up_source")
    source.fetch = fetch  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "autogrid.cli.candle_source", source)
    return faults


def test_a_download_says_what_is_stored(tmp_path: Path, exchange: list[Exception]) -> None:
    found = said(run(*DOWNLOAD, "--json", folder=tmp_path))
    assert found == {
        "exchange": "binance",
        "symbol": "BTC/USDT",
        "timeframe": "1m",
        "path": str(tmp_path / "candles" / "binance_BTC-USDT_1m.parquet"),
        "rows": 300,
        "from": "2025-05-20T00:00:00Z",
        "to": "2025-05-20T04:59:00Z",
        "gaps": 0,
        "missing": 0,
        "bytes": found["bytes"],
        "fault": None,
        "fetched": 300,
    }
    again = run(*DOWNLOAD, folder=tmp_path)
    assert "Fetched 0 candles. binance BTC/USDT 1m: 300 candles" in again.stdout
    assert again.stderr == ""


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("exchange_away", 1),
        ("exchange_refused", 1),
        ("bad_answer", 1),
        ("unknown_symbol", 2),
        ("unknown_exchange", 2),
        ("unknown_timeframe", 2),
    ],
)
def test_a_fault_of_the_exchange_is_1_and_one_of_the_input_2(
    tmp_path: Path, exchange: list[Exception], code: str, exit_code: int
) -> None:
    exchange.append(UnableToFetchCandles(code, "It is so."))
    result = run(*DOWNLOAD, "--json", folder=tmp_path)
    assert fault(result, exit_code) == "Error: It is so.\n"
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("download", "binance", "BTC", "1m", "--from", "2025-05-20"), "right would be: binance BTC/USDT"),
        (("download", "binance", "BTC/USDT", "1x", "--from", "2025-05-20"), "right would be 1m"),
        (("download", "binance", "BTC/USDT", "1m", "--from", "20.5.2025"), "write a day as 2025-05-20"),
        (("download", "binance", "BTC/USDT", "1m", "--from", "2025-02-30"), "write a day as 2025-05-20"),
        (("download", "binance", "BTC/USDT", "1m", "--from", "2025-05-20", "--to", "2025-05-19"), "exchange them"),
        (("download", "binance", "BTC/USDT", "1m", "--from", "2125-05-20"), "lies in the future"),
        (("import", "nowhere.csv"), "does not exist"),
        (("list", "--data-dir", __file__), "it is a file, and must be a folder"),
        (("check", "nowhere.csv"), "does not exist"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(
    tmp_path: Path, exchange: list[Exception], words: tuple[str, ...], says: str
) -> None:
    assert says in fault(run(*words, folder=tmp_path), 2)


def test_an_import_says_what_was_added(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "bybit_ETHUSDT_1m.parquet", WALK)
    found = said(run("import", file, "--json", folder=tmp_path))
    assert (found["exchange"], found["symbol"], found["added"], found["rows"]) == ("bybit", "ETH/USDT", 300, 300)
    assert found["warnings"] == []


def test_an_import_for_people_tells_holes_on_standard_error(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "holes.parquet", without(WALK, slice(50, 60)))
    result = run("import", file, "--exchange", "mexc", "--symbol", "ETH/USDT", folder=tmp_path)
    assert result.exit_code == 0
    assert "Added 290 candles" in result.stdout
    assert "10 missing in 1 hole" in result.stdout
    assert "Note: 3.33% of all candles are missing" in result.stderr


def test_an_import_that_disagrees_is_refused_until_told_to_replace(tmp_path: Path) -> None:
    name = "bybit_ETHUSDT_1m.parquet"
    run("import", write_parquet(tmp_path / name, WALK), folder=tmp_path)
    other = write_parquet(tmp_path / name, random_walk(22, 300))
    fault(run("import", other, folder=tmp_path), 2)
    assert said(run("import", other, "--replace", "--json", folder=tmp_path))["added"] == 0


def test_the_list_is_empty_at_first_and_then_holds_each_market(tmp_path: Path) -> None:
    assert said(run("list", "--json", folder=tmp_path)) == {"data_dir": str(tmp_path), "candles": []}
    assert "No candles" in run("list", folder=tmp_path).stdout
    for symbol in ("BTCUSDT", "ETHUSDT"):
        run("import", write_parquet(tmp_path / f"bybit_{symbol}_1m.parquet", WALK), folder=tmp_path)
    listed = said(run("list", "--json", folder=tmp_path))["candles"]
    assert [one["symbol"] for one in listed] == ["BTC/USDT", "ETH/USDT"]
    assert len(run("list", folder=tmp_path).stdout.splitlines()) == 2


def test_a_damaged_store_is_listed_with_its_fault(tmp_path: Path) -> None:
    (tmp_path / "candles").mkdir()
    (tmp_path / "candles" / "binance_BTC-USDT_1m.parquet").write_bytes(b"PAR1 and no more")
    (one,) = said(run("list", "--json", folder=tmp_path))["candles"]
    assert "cannot be read" in one["fault"]
    assert (one["rows"], one["from"]) == (0, None)


def test_a_good_file_is_checked_with_its_figures_as_text(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "walk.parquet", without(WALK, slice(50, 60)))
    found = said(run("check", file, "--json", folder=tmp_path))
    assert (found["good"], found["rows"], found["timeframe"], found["tick"]) == (True, 290, "1m", "0.01")
    assert found["gaps"] == [{"after": "2025-05-20T00:49:00Z", "missing": 10}]
    assert "A backtest takes this file." in run("check", file, folder=tmp_path).stdout


def test_a_faulty_file_is_told_row_by_row_and_is_bad_input(tmp_path: Path) -> None:
    candles = changed(changed(WALK, 7, low=WALK[6].high * 2), 9, time_ms=START_MS + 7 * MINUTE_MS)
    file = write_text(tmp_path / "faulty.csv", csv_text(candles))
    result = run("check", file, "--json", folder=tmp_path)
    assert "faulty.csv, row 7" in fault(result, 2)
    found = json.loads(result.stdout)
    assert found["good"] is False
    assert [one["row"] for one in found["faults"]] == sorted(one["row"] for one in found["faults"])
    assert {7, 9} <= {one["row"] for one in found["faults"]}
    assert f"There are {found['fault_count']} faults in all." in result.stderr


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a folder that cannot be written to")
def test_a_folder_that_cannot_be_written_to_is_no_bad_input(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "bybit_ETHUSDT_1m.parquet", WALK)
    tmp_path.chmod(0o500)
    assert "ermission" in fault(run("import", file, folder=tmp_path), 1)


def test_a_place_that_cannot_be_a_folder_is_no_bad_input(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "bybit_ETHUSDT_1m.parquet", WALK)
    (tmp_path / "candles").write_text("in the way", encoding="utf-8")
    fault(run("import", file, folder=tmp_path), 1)


def test_json_refuses_what_has_no_form_in_it() -> None:
    with pytest.raises(TypeError):
        say_json({"at": object()})
    with pytest.raises(ValueError):
        say_json({"at": float("nan")})
    assert one_line("one\n  two") == "one two"
    assert isinstance(data, click.Group)


def test_the_command_itself_speaks_as_a_process(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "bybit_ETHUSDT_1m.parquet", WALK)
    command = [sys.executable, "-c", "from autogrid.cli.app import main; main()", "data"]
    environment = os.environ | {"AUTOGRID_DATA_DIR": str(tmp_path)}

    def process(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *words], env=environment, capture_output=True, text=True, check=False)

    good = process("import", str(file), "--json")
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["added"] == 300
    bad = process("import", str(tmp_path / "nowhere.csv"), "--json")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.startswith("Error: ")
    assert bad.stderr.count("\n") == 1
