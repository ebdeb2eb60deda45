"""The peers' own environments under `.bench/`, made on demand by uv from hashed locks.

A lock is renewed with (here for vectorbt):

    echo vectorbt | uv pip compile - --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --output-file benchmarks/peers/vectorbt.lock
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ROOM = ROOT / ".bench"


class UnableToInstall(Exception):
    """The environment of a peer cannot be made on this machine; the message says why."""


def python_of(peer: str) -> Path:
    """The interpreter of a peer's environment, which holds exactly what the peer's lock says.

    Raises `UnableToInstall` where uv is missing or the packages cannot be had.
    """
    lock = HERE / "peers" / f"{peer}.lock"
    stamp = ROOM / peer / "installed.sha256"
    python = ROOM / peer / "bin" / "python"
    want = hashlib.sha256(lock.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == want:
        return python
    make_room()
    uv = uv_program()
    print(f"Making the environment of {peer} in {ROOM / peer} ...", file=sys.stderr, flush=True)
    call(uv, "venv", "--clear", "--python", sys.executable, str(ROOM / peer))
    call(uv, "pip", "sync", "--require-hashes", "--python", str(python), str(lock))
    stamp.write_text(want)
    return python


def make_room() -> Path:
    """The directory for all that a benchmark leaves behind; git does not look into it."""
    ROOM.mkdir(exist_ok=True)
    (ROOM / ".gitignore").write_text("*\n")
    return ROOM


def uv_program() -> str:
    """Where uv is: beside this Python, else on the path."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise UnableToInstall("uv is needed for it and is not installed (pip install uv)")
    return found


def call(*command: str) -> None:
    """Run a command quietly, or raise with the last line that it said."""
    settings = os.environ | {"UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(command, capture_output=True, text=True, env=settings, check=False)
    if done.returncode != 0:
        said = [line.strip(" ×") for line in done.stderr.splitlines() if line.strip()]
        reason = next((line for line in said if "rror" in line or "No solution" in line), said[-1] if said else "")
        raise UnableToInstall(f"uv {' '.join(command[1:3])} ended with {done.returncode}: {reason}")
