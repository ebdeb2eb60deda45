"""How a contender is measured: the same stopwatch in every process, whatever its environment.

Standard library only. A contender's process does the job once cold (what is compiled in the process is
compiled then; caches on disk are as earlier runs left them) and then `repeats` times warm. CPU time counts
all threads.
"""

import gc
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the job gave: equal for all who did the same thing."""

    fills: int
    """Fills of cells; the opening purchase is not counted."""
    final_equity: float
    """Quote and base at the last close, in quote."""


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table, and the one line of JSON that a contender prints."""

    name: str
    version: str
    seconds_cold: float
    seconds: float
    """Best of the warm repeats."""
    seconds_median: float
    cpu_seconds: float
    """Median of the warm repeats."""
    repeats: int
    fills: int
    final_equity: float
    peak_mib: float
    """Most memory the process ever held, interpreter and libraries included."""
    ready_mib: float
    """Most memory it held before the first run: libraries and candles."""
    note: str = ""
    """Where the contender does not do quite the same thing."""
    more: dict[str, float] = field(default_factory=dict)
    """Further figures of this contender."""


def measure(name: str, version: str, run: Callable[[], Outcome], repeats: int, note: str = "") -> Result:
    """Time `run` cold once and warm `repeats` times.

    Raises `AssertionError` when two runs do not give the same outcome.
    """
    ready = peak_mib()
    walls: list[float] = []
    cpus: list[float] = []
    outcomes: set[Outcome] = set()
    for _ in range(repeats + 1):
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        outcomes.add(run())
        cpus.append(time.process_time() - cpu)
        walls.append(time.perf_counter() - wall)
    assert len(outcomes) == 1, f"{name} gave different results for the same job: {outcomes}"
    outcome = outcomes.pop()
    return Result(
        name=name,
        version=version,
        seconds_cold=walls[0],
        seconds=min(walls[1:]),
        seconds_median=statistics.median(walls[1:]),
        cpu_seconds=statistics.median(cpus[1:]),
        repeats=repeats,
        fills=outcome.fills,
        final_equity=outcome.final_equity,
        peak_mib=peak_mib(),
        ready_mib=ready,
        note=note,
    )


def tell(result: Result) -> None:
    """Print the result as one line of JSON."""
    print(json.dumps(asdict(result)), flush=True)


def peak_mib() -> float:
    """Most memory this process ever held, in MiB.

    On Linux the kernel's `VmHWM`, because `ru_maxrss` of a new process starts at what its parent held.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)
