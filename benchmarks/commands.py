"""Whole commands from the start of the process to its exit: what a person at the terminal waits for.

Each is run once unmeasured (caches of compiled code and of the file system), then `repeats` times.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from benchmarks.job import Job

COLD_CANDLES = 60_480
"""42 days of one-minute candles."""


class UnableToRun(Exception):
    """The command is not there or did not end well; the message says which."""


@dataclass(frozen=True, slots=True)
class Timed:
    """One command, measured."""

    name: str
    seconds: float
    """Best of the repeats, wall clock."""
    seconds_median: float
    cpu_seconds: float
    """Median, user and system, all threads."""
    peak_mib: float
    repeats: int
    said: str
    """Standard output of the last run."""

    def figure(self, key: str) -> str:
        """A field of the JSON object that the command printed, or an empty string."""
        try:
            spoken = json.loads(self.said)
        except ValueError:
            return ""
        return str(spoken.get(key, "")) if isinstance(spoken, dict) else ""


def bare_python(repeats: int) -> Timed:
    """The interpreter alone: what no command of ours can go below."""
    return timed("python -c pass", (sys.executable, "-c", "pass"), repeats)


def our_help(repeats: int) -> Timed:
    """`autogrid --help`."""
    return timed("autogrid --help", (our_script(), "--help"), repeats)


def cold_backtest(parquet: Path, repeats: int) -> Timed:
    """`autogrid backtest grid` of a Parquet file, as JSON."""
    job = Job()
    lower, upper = (job.start * share for share in (Decimal("0.93"), Decimal("1.08")))
    command = (
        *(our_script(), "backtest", "grid", "--candles", str(parquet), "--json"),
        *(
            "--investment",
            f"{job.investment}",
            "--fee",
            f"{job.fee}",
            "--tick",
            f"{job.tick}",
            "--lot",
            f"{job.lot}",
        ),
        *("--set", f"lower={lower:.2f}", "--set", f"upper={upper:.2f}"),
        *("--set", f"grids={job.grids}", "--set", "spacing=geometric"),
    )
    return timed("autogrid backtest", command, repeats)


def our_script() -> str:
    """The console script beside this Python."""
    script = Path(sys.executable).with_name("autogrid")
    if not script.exists():
        raise UnableToRun(f"{script} is not there: install the package first")
    return str(script)


def timed(name: str, command: tuple[str, ...], repeats: int) -> Timed:
    """Run a command once unmeasured and `repeats` times measured."""
    runs = [once(command) for _ in range(repeats + 1)][1:]
    return Timed(
        name=name,
        seconds=min(run.wall for run in runs),
        seconds_median=statistics.median(run.wall for run in runs),
        cpu_seconds=statistics.median(run.cpu for run in runs),
        peak_mib=max(run.peak_mib for run in runs),
        repeats=repeats,
        said=runs[-1].said,
    )


@dataclass(frozen=True, slots=True)
class Run:
    """One process that ended well."""

    wall: float
    cpu: float
    peak_mib: float
    said: str


def once(command: tuple[str, ...]) -> Run:
    """Run a process to its end and ask the kernel what it took.

    Its memory is counted from that of this process on, which is why this module imports so little.
    Raises `UnableToRun` when it does not exit with 0.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode != 0:
            last = err.read().strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
            raise UnableToRun(last[0])
        mib = usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
        return Run(wall, usage.ru_utime + usage.ru_stime, mib, out.read())
