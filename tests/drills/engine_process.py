"""The engine of a drill: the product's own, in a process forked from a warm one, so that a start costs no imports.

What runs is `run_engine` of `autogrid engine` on the real database and the real way to an exchange. Other than there:
the waits of `Timing` are shorter (no exchange of a drill is as slow as a real one), this machine's clock can be shifted
(SIGUSR1: an hour ahead, SIGUSR2: an hour back), and a moment can be named at which the process stops dead. Whoever
warms a process imports this module and opens nothing.
"""

import asyncio
import contextlib
import gc
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Literal

import aiosqlite
import asyncpg  # type: ignore[import-untyped]

import autogrid.cli.bot
import autogrid.cli.credentials
import autogrid.cli.kill
import autogrid.exchanges.market_rules
import autogrid.wiring.credentials
from autogrid.cli import app
from autogrid.cli.engine import run_engine, run_fast
from autogrid.engine import lease
from autogrid.engine.timing import Timing
from autogrid.exchanges.user_stream import STREAM_PATIENCE, StreamPatience
from autogrid.services.keys import vault_of
from autogrid.services.running import Side
from autogrid.settings import Settings, load_settings
from autogrid.storage.commits import Write
from autogrid.storage.database import Database
from autogrid.wiring.exchange_side import live_side

Moment = Literal["before a commit", "after a commit"]
HOUR_S: Final = 3_600.0
QUICK: Final = Timing(
    settle_s=0.3,
    look_s=(0.2, 0.4, 0.8, 1.5),
    answer_s=4.0,
    listen_s=0.5,
    round_s=3.0,
    blind_s=0.5,
    end_s=0.2,
    silent_s=5.0,
    close_s=2.0,
)
QUICK_STREAM: Final = StreamPatience(
    keep_alive_s=2.0, begin_s=5.0, settle_s=0.3, compare_s=1.0, look_s=0.1, again_s=(0.1, 0.2, 0.5, 1.0), close_s=1.0
)
QUICK_WINDOW_MS: Final = 1_000
"""So long an exchange may take to accept an order: what was not answered is known to be lost soon after."""


@dataclass(frozen=True)
class Plan:
    """How an engine is to be run."""

    environment: Mapping[str, str]
    log: Path
    timing: Timing = QUICK
    quick: bool = True
    """Whether windows and streams are impatient too."""
    stop_at: tuple[Moment, int] | None = None
    """The moment at which it stops dead, and the how manieth."""
    gate: Connection | None = field(default=None, compare=False)
    """Where there is one, it tells the drill of the moment and waits for an answer instead of dying."""


def engine(plan: Plan) -> None:
    """Run an engine until a signal ends it."""
    _become(plan.environment, plan.log)
    if plan.quick:
        lease.LONGEST_WINDOW_MS = QUICK_WINDOW_MS  # type: ignore[misc]
    _shift_on_signals()
    if plan.stop_at is not None:
        _stop_at(*plan.stop_at, plan.gate)

    def open_live(database: Database, settings: Settings) -> Side:
        patience = QUICK_STREAM if plan.quick else STREAM_PATIENCE
        return live_side(database, vault_of(settings), plan.timing, patience)

    run_fast(run_engine(load_settings(), until_idle=False, open_live=open_live))


def command(environment: Mapping[str, str], log: Path, words: Sequence[str]) -> None:
    """Run `autogrid` with these words; what it says goes to `log`."""
    _become(environment, log)
    sys.argv = ["autogrid", *words]
    app.main()


def _become(environment: Mapping[str, str], log: Path) -> None:
    os.environ.update(environment)
    with log.open("ab") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115


def _shift_on_signals() -> None:
    """Let this machine's clock be wrong on demand."""
    real_s, real_ns = time.time, time.time_ns
    shift_s = [0.0]
    time.time = lambda: real_s() + shift_s[0]
    time.time_ns = lambda: real_ns() + int(shift_s[0] * 1e9)

    def shift(by_s: float) -> None:
        shift_s[0] += by_s
        sys.stderr.write(f"the clock is {shift_s[0]:+.0f} s wrong now\n")

    signal.signal(signal.SIGUSR1, lambda *_: shift(HOUR_S))
    signal.signal(signal.SIGUSR2, lambda *_: shift(-HOUR_S))


def _stop_at(moment: Moment, number: int, gate: Connection | None) -> None:
    """Stop dead just before, or just after, a commit of steps."""
    keep, left = Database.keep, [number]

    def here() -> None:
        left[0] -= 1
        if left[0]:
            return
        if gate is None:
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            with contextlib.suppress(EOFError, OSError):
                gate.send(moment)
                gate.recv()

    async def stopping(self: Database, writes: Sequence[Write]) -> None:
        if moment == "before a commit":
            here()
        await keep(self, writes)
        if moment == "after a commit":
            here()

    Database.keep = stopping  # type: ignore[method-assign]


WARM: Final[tuple[Any, ...]] = (
    asyncio,
    aiosqlite,
    asyncpg,
    autogrid.cli.bot,
    autogrid.cli.credentials,
    autogrid.cli.kill,
    autogrid.exchanges.market_rules,
    autogrid.wiring.credentials,
)
"""What a command loads when it is asked for, loaded already."""
gc.collect()
gc.freeze()
