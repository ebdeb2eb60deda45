"""What `doctor` looks at on this machine: each finding says how it stands, and how to mend it where it is not well."""

import os
import platform
import shutil
import socket
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final, Literal

from rich.console import Console

from autogrid.cli.own import load_own

LEAST_PYTHON: Final = (3, 11)
SURE_SQLITE: Final = (3, 51, 3)
"""Earlier ones can damage a database when two connections meet while the write-ahead log is reset."""
LEAST_FREE_BYTES: Final = 100 * 2**20
GOOD_FREE_BYTES: Final = 2**30
MOST_CLOCK_ERROR_MS: Final = 1_000
"""Exchanges refuse orders that seem to come from further in their future."""
LIBRARIES: Final = (
    *("aiosqlite", "alembic", "ccxt", "click", "numba", "numpy", "platformdirs", "pyarrow", "pydantic"),
    *("pydantic-settings", "rich", "sqlalchemy", "tzdata"),
)
PORT: Final = 8000


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing stands."""

    name: str
    state: Literal["good", "note", "broken"]
    """`note`: all works, and this should be known."""
    says: str
    mend: str | None = None
    """What to do about it."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Whether an exchange answered."""

    exchange: str
    clock_error_ms: int | None = None
    """How far this machine's clock is ahead of the exchange's; None where it told none."""
    fault: str | None = None
    """Why it did not answer."""


def local_findings(data_dir: Path, port: int = PORT) -> Iterator[Finding]:
    """All that can be seen without a network."""
    yield python()
    yield libraries()
    yield sqlite(sqlite3.sqlite_version)
    yield writable(data_dir)
    yield private(data_dir)
    yield disk(shutil.disk_usage(nearest(data_dir)).free, data_dir)
    yield own_strategies(load_own(data_dir), data_dir)
    yield compiled_cache()
    yield free_port(port)
    yield terminal(Console(stderr=True))


def python() -> Finding:
    """The interpreter's version."""
    says = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {sys.executable}"
    if sys.version_info[:2] >= LEAST_PYTHON:
        return Finding("python", "good", says)
    return Finding("python", "broken", says, "Install Python 3.11 or newer and set AutoGrid up with it.")


def libraries(names: Sequence[str] = LIBRARIES) -> Finding:
    """The versions of what AutoGrid stands on."""
    found, missing = [], []
    for name in names:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        mend = "Install AutoGrid anew: in a copy of the repository `make run` does."
        return Finding("libraries", "broken", f"missing: {', '.join(missing)}", mend)
    return Finding("libraries", "good", ", ".join(found))


def sqlite(version: str) -> Finding:
    """The version of SQLite that this Python brings."""
    says = f"SQLite {version}"
    if tuple(int(part) for part in version.split(".")[:3]) >= SURE_SQLITE:
        return Finding("sqlite", "good", says)
    return Finding(
        "sqlite",
        "note",
        f"{says}; before 3.51.3 a rare fault of its write-ahead log can damage a database that is busy",
        "Use a Python with a newer SQLite, such as one installed by uv, or keep backups.",
    )


def writable(data_dir: Path) -> Finding:
    """Whether state can be kept."""
    folder = nearest(data_dir)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding(
            "data folder",
            "broken",
            f"{folder} cannot be written to: {error.strerror or error}",
            "Give yourself the right to write there, or choose another with --data-dir or AUTOGRID_DATA_DIR.",
        )
    return Finding("data folder", "good", str(data_dir) if folder == data_dir else f"{data_dir}, not made yet")


def private(data_dir: Path) -> Finding:
    """Whether others on this machine can read what is kept."""
    if os.name != "posix" or not data_dir.exists():
        return Finding("privacy", "good", f"{data_dir} holds nothing that others could read")
    mode = stat.S_IMODE(data_dir.stat().st_mode)
    if mode & 0o077 == 0:
        return Finding("privacy", "good", f"only you can read {data_dir}")
    return Finding(
        "privacy", "note", f"others on this machine can look into {data_dir} ({mode:o})", f"chmod 700 '{data_dir}'"
    )


def disk(free_bytes: int, data_dir: Path) -> Finding:
    """Whether there is room."""
    says = f"{free_bytes / 2**30:.1f} GiB free for {data_dir}"
    mend = "Free some space, or choose another place with --data-dir or AUTOGRID_DATA_DIR."
    if free_bytes < LEAST_FREE_BYTES:
        return Finding("disk", "broken", says, mend)
    return Finding("disk", "good", says) if free_bytes >= GOOD_FREE_BYTES else Finding("disk", "note", says, mend)


def own_strategies(faults: Sequence[object], data_dir: Path) -> Finding:
    """Whether every strategy of the user's own can be used."""
    if not faults:
        return Finding("own strategies", "good", f"nothing in {data_dir / 'strategies'} is wrong")
    says = "; ".join(map(str, faults))
    return Finding("own strategies", "note", says, "Correct that, or take the file out; all others can be used.")


def compiled_cache() -> Finding:
    """Whether compiled code can be kept from one run to the next."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(chosen) if chosen else Path(__file__).parents[1] / "backtesting"
    try:
        with tempfile.TemporaryFile(dir=nearest(folder)):
            return Finding("compiled code", "good", f"is kept in {folder}")
    except OSError:
        mend = "Set NUMBA_CACHE_DIR to a folder you can write to."
        return Finding("compiled code", "note", f"{folder} cannot be written to, so each start compiles anew", mend)


def free_port(port: int) -> Finding:
    """Whether the web page could be served."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            says = f"port {port} cannot be used: {error.strerror or error}"
            return Finding("port", "note", says, f"End what uses it, or start with --port {port + 1}.")
    return Finding("port", "good", f"port {port} is free")


def terminal(console: Console) -> Finding:
    """Whether the live view looks as it should."""
    if not console.is_terminal:
        return Finding("terminal", "good", "none here: a live view is told line by line")
    width, height, colours = console.width, console.height, console.color_system
    says = f"{width} × {height}, {colours or 'no'} colours"
    if width < 80 or height < 24:
        return Finding("terminal", "note", says, "Make the window at least 80 × 24 to see all of a live view.")
    if colours is None:
        return Finding("terminal", "note", says, "Set TERM to one with colours, such as xterm-256color.")
    return Finding("terminal", "good", says)


def network_findings(reached: Sequence[Reached]) -> Iterator[Finding]:
    """What the exchanges' answers say of the network and of the clock."""
    away = [one for one in reached if one.fault is not None]
    for one in reached:
        if one.fault is None:
            yield Finding(one.exchange, "good", "answers")
        else:
            mend = "Check the network, a firewall, HTTPS_PROXY; backtests and tapes need none."
            yield Finding(one.exchange, "note", f"cannot be reached: {one.fault}", mend)
    told = [one for one in reached if one.fault is None and one.clock_error_ms is not None]
    if told:
        yield clock(min(told, key=lambda one: abs(one.clock_error_ms or 0)))
    else:
        says = "not compared: no exchange told its time" if away else "not compared: offline"
        yield Finding("clock", "note", says, "Try again with a network before trading live.")


def clock(reached: Reached) -> Finding:
    """Whether an exchange would take our orders for orders of now."""
    error_ms = reached.clock_error_ms or 0
    says = f"{abs(error_ms)} ms {'ahead of' if error_ms >= 0 else 'behind'} {reached.exchange}'s"
    if abs(error_ms) < MOST_CLOCK_ERROR_MS:
        return Finding("clock", "good", says)
    return Finding("clock", "broken", says, "Let this machine set its clock from the network (NTP), then try again.")


def nearest(folder: Path) -> Path:
    """`folder`, or the closest one above it that is there."""
    return next((one for one in (folder, *folder.parents) if one.exists()), Path.cwd())
