"""One engine per data folder: a lock that the operating system lets go of when its holder dies, however it dies."""

import sqlite3
from pathlib import Path


class UnableToLock(Exception):
    """Another engine runs on this data folder."""

    code = "engine-runs"


class EngineLock:
    """Held from its making until `release`, or until the process ends."""

    def __init__(self, data_dir: Path) -> None:
        """Raises `UnableToLock` where another process holds it."""
        self._connection = sqlite3.connect(data_dir / "engine.lock", timeout=0, isolation_level=None)
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            self._connection.close()
            raise UnableToLock(
                f"another engine runs on {data_dir}; stop it first, or give another --data-dir"
            ) from None

    def release(self) -> None:
        """Let the next one in."""
        self._connection.close()
