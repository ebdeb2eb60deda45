"""Run all benchmarks one after another, each in a process of its own: `python -m benchmarks`.

This process stays small and does nothing while another measures. The figures are of one run on one machine:
compare the ratios, not the seconds. A contender that cannot run here is named with the reason, and the rest
goes on.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from benchmarks import report
from benchmarks.commands import COLD_CANDLES, Timed, UnableToRun, bare_python, cold_backtest, our_help
from benchmarks.environments import ROOM, ROOT, UnableToInstall, make_room, python_of
from benchmarks.job import Job
from benchmarks.measure import Result

TAPE = ROOM / "year.npz"
PARQUET = ROOM / "42-days.parquet"
NOT_MEASURED = "nautilus_trader is not measured by this program."


@dataclass(frozen=True, slots=True)
class Contender:
    """A module that does the job and prints one line of JSON."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    peer: str | None = None
    """Name of its environment; None is this one."""
    same_job: bool = True
    """Whether it belongs into the comparison."""


CONTENDERS = (
    Contender("autogrid-skip", "benchmarks.ours", ("skip",)),
    Contender("autogrid-plain", "benchmarks.ours", ("plain",)),
    Contender("vectorbt", "benchmarks.peers.vectorbt_grid", peer="vectorbt"),
    Contender("vectorbt-stats", "benchmarks.peers.vectorbt_grid", ("--stats",), peer="vectorbt"),
    Contender("backtesting.py", "benchmarks.peers.backtesting_py", peer="backtesting"),
    Contender("bare-numba", "benchmarks.plain_numba"),
    Contender("autogrid-scan", "benchmarks.ours", ("scan",), same_job=False),
    Contender("autogrid-steps", "benchmarks.ours", ("steps",), same_job=False),
    Contender("autogrid-ticks", "benchmarks.ours", ("ticks",), same_job=False),
    Contender("autogrid-dca", "benchmarks.strategies", ("dca",), same_job=False),
    Contender("autogrid-accumulate", "benchmarks.strategies", ("accumulate",), same_job=False),
    Contender("autogrid-ppp", "benchmarks.strategies", ("ppp",), same_job=False),
)

COMMANDS: dict[str, Callable[[int], Timed]] = {
    "python": bare_python,
    "help": our_help,
    "cold-backtest": lambda repeats: cold_backtest(PARQUET, repeats),
}


@dataclass(slots=True)
class Found:
    """All that a run of the benchmarks gave."""

    machine: str
    tape: str
    results: dict[str, Result] = field(default_factory=dict)
    commands: dict[str, Timed] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    """What was asked for and could not be measured, with the reason."""


def main() -> int:
    """Measure what was asked for, print it, and exit with 1 when something of AutoGrid's own did not run."""
    given = options().parse_args()
    wanted: set[str] = set(given.only or names())
    found = Found(machine(), prepare())
    for contender in CONTENDERS:
        if contender.name in wanted:
            attempt(found, contender.name, partial(run, found, contender, given.repeats))
    for name in COMMANDS:
        if name in wanted:
            attempt(found, name, partial(time_command, found, name, given.repeats))
    show(found)
    if given.json:
        given.json.write_text(json.dumps(asdict(found), indent=1) + "\n")
    peers = {contender.name for contender in CONTENDERS if contender.peer}
    return 1 if set(found.missing) - peers else 0


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=names(), metavar="NAME", help=", ".join(names()))
    parser.add_argument("--repeats", type=count, default=5, metavar="N", help="warm repeats of each (default 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    return parser


def count(text: str) -> int:
    """A whole number from 1 on."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one repeat is needed")
    return number


def names() -> list[str]:
    """Everything that can be measured."""
    return [contender.name for contender in CONTENDERS] + list(COMMANDS)


def prepare() -> str:
    """Make the tape and its Parquet file anew, in processes of their own, and say which tape it is."""
    make_room()
    digest = python("benchmarks.candles", str(TAPE))
    python("benchmarks.parquet", str(PARQUET), "--candles", str(TAPE), "--count", str(COLD_CANDLES))
    job = Job()
    return (
        f"{job.candles:,} one-minute candles, seed {job.seed}, digest {digest}; "
        f"{job.grids} geometric cells {job.lower} to {job.upper}, start {job.start}, fee {job.fee}"
    )


def machine() -> str:
    """Where this was measured, and how busy it was before."""
    load = os.getloadavg()[0]
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{processor()}, {usable} CPUs, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, load before {load:.2f}"
    )


def processor() -> str:
    """The processor's own name, where the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def attempt(found: Found, name: str, measure: Callable[[], None]) -> None:
    """Measure one thing; what cannot be measured is noted and said."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    try:
        measure()
    except (UnableToInstall, UnableToRun) as reason:
        found.missing[name] = str(reason)
        print(f"{name}: not measured: {reason}", file=sys.stderr, flush=True)


def run(found: Found, contender: Contender, repeats: int) -> None:
    """Measure one contender in its own process and environment."""
    interpreter = python_of(contender.peer) if contender.peer else Path(sys.executable)
    arguments = (*contender.arguments, "--candles", str(TAPE), "--repeats", str(repeats))
    said = python(contender.module, *arguments, interpreter=interpreter)
    found.results[contender.name] = Result(**json.loads(said.splitlines()[-1]))


def time_command(found: Found, name: str, repeats: int) -> None:
    """Measure one command."""
    found.commands[name] = COMMANDS[name](repeats)


def python(module: str, *arguments: str, interpreter: Path | None = None) -> str:
    """Run a module of the benchmarks to its end and give what it printed."""
    command = (str(interpreter or sys.executable), "-m", module, *arguments)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise UnableToRun(last[0])
    return done.stdout.strip()


def show(found: Found) -> None:
    """Print the tables."""
    print(f"\n{found.machine}\n{found.tape}\n")
    same = [found.results[c.name] for c in CONTENDERS if c.same_job and c.name in found.results]
    if same:
        print(report.comparison(same, found.results.get("autogrid-skip")), end="\n\n")
        print(
            "cold: the first run in a new process, compiling included. ratio: median over that of AutoGrid with skip."
        )
        print("\n".join(f"{result.name}: {result.note}" for result in same if result.note))
        print(NOT_MEASURED, end="\n\n")
    if found.commands:
        print(report.commands(found.commands.values()), end="\n\n")
    reached = list(goals(found))
    if reached:
        print(report.goals(reached), end="\n\n")
    for name, reason in found.missing.items():
        print(f"Not measured: {name}: {reason}")


def goals(found: Found) -> Iterator[report.Goal]:
    """The figures to reach, as far as they were measured."""
    skip, steps, ticks = (found.results.get(f"autogrid-{name}") for name in ("skip", "steps", "ticks"))
    if skip:
        yield report.Goal("the job with skip, warm, median", 1e3 * skip.seconds_median, 60, "ms")
        yield report.Goal("its peak memory", skip.peak_mib, 250, "MiB")
        share = 1e6 * skip.seconds_median / skip.fills
        yield report.Goal("a fill with exchange, loop, journal, scan", share, 60_000 / skip.fills, "µs")
    if steps:
        yield report.Goal("a fill in Bot.step alone", 1e6 * steps.seconds_median / steps.fills, 25, "µs")
    if ticks:
        yield report.Goal("20 cells without skip", ticks.more["ticks_per_second"], 150_000, "ticks/s", at_least=True)
    for name, what, limit_ms in (("dca", "a year of DCA deals", 100), ("ppp", "a year of PPP Vishva on 15m", 1_500)):
        if result := found.results.get(f"autogrid-{name}"):
            yield report.Goal(what, result.seconds_median * 1000, limit_ms, "ms")
    if "cold-backtest" in found.commands:
        seconds = found.commands["cold-backtest"].seconds_median
        yield report.Goal(f"autogrid backtest of {COLD_CANDLES:,} candles", seconds, 1.5, "s")
    if "help" in found.commands:
        yield report.Goal("autogrid --help", found.commands["help"].seconds_median, 0.35, "s")


if __name__ == "__main__":
    sys.exit(main())
