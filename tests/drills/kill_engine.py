"""Kill a real engine process with signal 9 at random moments, start it again, and compare with an unbroken run.

The engine is `autogrid engine` on a data folder with one paper bot on a tape. After the last kill it runs to the end of
the tape. What must be equal, after session records and nonces are set aside: every step of the journal with its
commands and its place on the tape, every fill, and the ledger.
"""

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

NONCE = re.compile(r'"[0-9a-f]{6}-(\d+)-')


@dataclass(frozen=True, slots=True)
class Left:
    """What a run left behind."""

    steps: list[tuple[str, ...]]
    """Kind, event, commands, refusals, note and cursor of each step, session records left out."""
    fills: list[tuple[str, ...]]
    shown: dict[str, str]
    """Base, quote and profits, as `bot show` tells them."""


def autogrid(data_dir: Path, *words: str) -> str:
    """What the command line says; fails where it fails."""
    command = [sys.executable, "-c", "from autogrid.cli.app import main; main()", *words]
    environment = {**os.environ, "AUTOGRID_DATA_DIR": str(data_dir)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_bot(data_dir: Path, tape: Path, *settings: str) -> None:
    """A started paper bot named `drill` on `tape`, as fast as it goes."""
    words = [word for setting in settings for word in ("--set", setting)]
    money = ("--investment", "10000", "--symbol", "BTC/USDT", "--tape", str(tape), "--speed", "0")
    autogrid(data_dir, "bot", "create", "grid", "--account", "paper", "--name", "drill", *money, *words, "--json")
    autogrid(data_dir, "bot", "start", "drill", "--json")


def run_to_end(data_dir: Path) -> None:
    """Run the engine until the tape has ended."""
    autogrid(data_dir, "engine", "--until-idle")


def run_and_kill(data_dir: Path, after_s: float) -> bool:
    """Start the engine and kill it `after_s` after its bot began to run; False where it had ended by then."""
    command = [sys.executable, "-c", "from autogrid.cli.app import main; main()", "engine", "--until-idle"]
    environment = {**os.environ, "AUTOGRID_DATA_DIR": str(data_dir)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as engine:
        assert engine.stderr is not None
        for line in engine.stderr:
            if line.startswith("drill runs"):
                break
        time.sleep(after_s)
        killed = engine.poll() is None
        engine.send_signal(signal.SIGKILL)
        engine.wait()
    return killed


def left_by(data_dir: Path) -> Left:
    """What the run in `data_dir` left behind."""
    with sqlite3.connect(data_dir / "autogrid.db") as database:
        steps = database.execute(
            "SELECT kind, event, commands, refused, note, cursor FROM steps WHERE kind != 'Started' ORDER BY seq"
        ).fetchall()
        fills = database.execute(
            "SELECT slot, side, price, quantity, fee, fee_asset, profit FROM fills ORDER BY seq"
        ).fetchall()
    database.close()
    shown = json.loads(autogrid(data_dir, "bot", "show", "drill", "--json"))
    money = {key: shown[key] for key in ("base", "quote", "grid_profit", "fees")}
    return Left([tuple(NONCE.sub(r'"n-\1-', part) for part in step) for step in steps], fills, money)


def drill(data_dir: Path, kills: int, seed: int, longest_s: float) -> int:
    """Kill the engine so many times, then let it end; how many kills met a running engine."""
    chance = random.Random(seed)
    met = sum(run_and_kill(data_dir, chance.random() * longest_s) for _ in range(kills))
    run_to_end(data_dir)
    return met
