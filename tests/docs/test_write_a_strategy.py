"""The guide to a strategy of one's own: what it says is done, in its order, in an empty folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autogrid.testing.check import check_strategy, strategy_in
from autogrid.testing.fault import StrategyFault
from autogrid.testing.words import NEEDED
from autogrid.trading.candle import Candle
from autogrid.trading.event import Filled
from autogrid.trading.ledger import Ledger
from autogrid.trading.market import Market
from autogrid.trading.order import Order
from tests.docs.documents import Document
from tests.testing.own import GUIDE, blocks, dip_source, forgetful, strategies_folder

LIVELY = {"timeframe": "5m", "candles": "12", "dip": "0.01", "gain": "0.01"}
BREAKS = ("        if fill is None:\n", '        if fill is None or order.status != "filled":\n')


def commands() -> list[str]:
    """The command lines of the guide that can be typed as they stand."""
    lines = Document("docs/guide/write-a-strategy.md", GUIDE).lines
    return [line for line in lines if line.startswith(("autogrid ", "python -m autogrid.testing "))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a reader has in front of him after section 2, with the candles of section 4."""
    strategies_folder(tmp_path, dip=dip_source())
    [candles] = [block for block in blocks("python") if "candles.csv" in block]
    (tmp_path / "dip.toml").write_text(next(one for one in blocks("toml") if "dip =" in one), encoding="utf-8")
    subprocess.run([sys.executable, "-c", candles], cwd=tmp_path, check=True, timeout=60)
    return tmp_path


def typed(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What comes of a command line in a real process."""
    name, *words = line.split()
    start = (
        [sys.executable, "-c", "from autogrid.cli.app import main; main()"] if name == "autogrid" else [sys.executable]
    )
    environment = {**os.environ, "AUTOGRID_DATA_DIR": str(folder)}
    return subprocess.run(
        [*start, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_every_command_of_the_guide_works_in_its_order(folder: Path) -> None:
    said = {line: typed(line, folder) for line in commands()}
    assert {line: done.stderr for line, done in said.items() if done.returncode} == {}
    assert len(said) >= 11
    out = {line: done.stdout for line, done in said.items()}
    assert "so many candles are looked at" in out["autogrid strategies dip"]
    assert out["python -m autogrid.testing strategies/dip.py"].startswith("dip: every law holds")
    assert "Fills" in out["autogrid backtest dip --candles candles.csv --investment 1000 --config dip.toml"]
    assert "equity" in out["autogrid bot show my-dip"]
    assert "all as they were kept" in out["autogrid bot replay my-dip"]


def test_the_strategy_of_the_guide_keeps_every_law(tmp_path: Path) -> None:
    with forgetful():
        dip = strategy_in(strategies_folder(tmp_path, dip=dip_source()) / "strategies" / "dip.py")
        assert check_strategy(dip).fills > 100
        assert check_strategy(dip, LIVELY).fills > 500


def test_the_test_of_the_guide_passes(folder: Path) -> None:
    [test] = [block for block in blocks("python") if "def test_dip" in block]
    code = test.replace(", thorough=True", "") + "\ntest_dip()\n"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_the_guide_breaks_is_found(folder: Path) -> None:
    assert all(line.strip() in GUIDE for line in BREAKS)
    strategies_folder(folder, dip=dip_source().replace(*BREAKS))
    done = typed("python -m autogrid.testing strategies/dip.py", folder)
    assert done.returncode == 1
    assert "law 'cuts' is broken" in done.stderr


def with_stop() -> str:
    """The strategy with the stop-loss: what the guide puts at the end of the copy, and the stage that it adds."""
    [block] = [block for block in blocks("python") if block.startswith("LOSS =")]
    stages = 'stage: Literal["trading", "cutting", "leaving", "ended"]'
    assert stages in GUIDE
    return dip_source().replace('stage: Literal["trading", "leaving", "ended"]', stages) + "\n\n" + block


def test_the_stop_loss_of_the_guide_keeps_every_law(tmp_path: Path) -> None:
    (tmp_path / "dip_stop.py").write_text(with_stop(), encoding="utf-8")
    with forgetful():
        assert check_strategy(strategy_in(tmp_path / "dip_stop.py"), {**LIVELY, "gain": "0.1"}).fills > 100


def test_the_stop_loss_of_the_guide_needs_its_floor(tmp_path: Path) -> None:
    (tmp_path / "dip_stop.py").write_text(
        with_stop().replace("wish._replace(floor=self.floor(memory))", "wish"), "utf-8"
    )
    with forgetful(), pytest.raises(StrategyFault, match="look\\(\\) learns something there"):
        check_strategy(strategy_in(tmp_path / "dip_stop.py"), {**LIVELY, "gain": "0.1"}, only=("skip",))


@pytest.mark.parametrize("record", [Candle, Order, Filled, Ledger, Market])
def test_the_guide_names_only_fields_that_are_there(record: type) -> None:
    [row] = [line for line in GUIDE.splitlines() if line.startswith(f"| `{record.__name__}` | `")]
    names = [name.partition("(")[0] for name in re.findall("`([^`]+)`", row)[1:]]
    assert len(names) > 5
    assert [name for name in names if name not in (*getattr(record, "_fields", ()), *dir(record))] == []


def test_the_guide_names_every_method_that_must_be_written_and_no_other() -> None:
    must = GUIDE.partition("These methods **must** be written")[2].partition("And these **may** be")[0]
    assert set(re.findall(r"^\| `(\w+)\(", must, re.MULTILINE)) == set(NEEDED)
