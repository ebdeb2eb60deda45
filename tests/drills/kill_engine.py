"""Kill a real engine process with signal 9 at random moments, start it again, and compare with an unbroken run.

The engine is `autogrid engine` on a data folder with paper bots on a tape. After the last kill it runs to the end of
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


def make_bot(data_dir: Path, tape: Path, *settings: str, strategy: str = "grid", name: str = "drill") -> None:
    """A started paper bot on `tape`, as fast as it goes."""
    words = [word for setting in settings for word in ("--set", setting)]
    money = ("--investment", "10000", "--symbol", "BTC/USDT", "--tape", str(tape), "--speed", "0")
    autogrid(data_dir, "bot", "create", strategy, "--account", "paper", "--name", name, *money, *words, "--json")
    autogrid(data_dir, "bot", "start", name, "--json")


def run_to_end(data_dir: Path) -> None:
    """Run the engine until the tape has ended."""
    autogrid(data_dir, "engine", "--until-idle")


def run_and_kill(data_dir: Path, after_s: float, bots: int = 1) -> bool:
    """Start the engine and kill it `after_s` after its `bots` began to run; False where it had ended by then.

    Fewer may begin, since the others have ended.
    """
    command = [sys.executable, "-c", "from autogrid.cli.app import main; main()", "engine", "--until-idle"]
    environment = {**os.environ, "AUTOGRID_DATA_DIR": str(data_dir)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as engine:
        assert engine.stderr is not None
        begun = 0
        for line in engine.stderr:
            begun += " runs on " in line
            if begun == bots or " ended: " in line:
                break
        time.sleep(after_s)
        killed = engine.poll() is None
        engine.send_signal(signal.SIGKILL)
        engine.wait()
    return killed


def left_by(data_dir: Path, name: str = "drill") -> Left:
    """What the run in `data_dir` left behind of that bot."""
    ours = "bot_id = (SELECT id FROM bots WHERE name = ?)"
    with sqlite3.connect(data_dir / "autogrid.db") as database:
        steps = database.execute(
            f"SELECT kind, event, commands, refused, note, cursor FROM steps WHERE kind != 'Started' AND {ours} "
            "ORDER BY seq",
            (name,),
        ).fetchall()
        fills = database.execute(
            f"SELECT slot, side, price, quantity, fee, fee_asset, profit FROM fills WHERE {ours} ORDER BY seq", (name,)
        ).fetchall()
    database.close()
    shown = json.loads(autogrid(data_dir, "bot", "show", name, "--json"))
    money = {key: shown[key] for key in ("base", "quote", "grid_profit", "fees")}
    return Left([tuple(NONCE.sub(r'"n-\1-', part) for part in step) for step in steps], fills, money)


def drill(data_dir: Path, kills: int, seed: int, longest_s: float, bots: int = 1) -> int:
    """Kill the engine so many times, then let it end; how many kills met a running engine."""
    chance = random.Random(seed)
    met = sum(run_and_kill(data_dir, chance.random() * longest_s, bots) for _ in range(kills))
    run_to_end(data_dir)
    return met
