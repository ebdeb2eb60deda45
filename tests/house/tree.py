"""What the house tests read: the files of the project, as text.

Every rule is a function from source text to findings, so that its test can also show it a violation.
"""

import ast
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "autogrid"

_NOT_OURS = {"node_modules", "dist", "build", "__pycache__", "out"}


class Finding(NamedTuple):
    """A broken rule: where, what, and what would be right."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        """As editors read it: a click leads there."""
        return f"{self.path}:{self.line}: {self.what}"


class Source(NamedTuple):
    """A Python file; `path` is relative to the package, with slashes: `trading/order.py`."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def room(self) -> str:
        """The first part of the path, without `.py`."""
        return self.path.split("/")[0].removesuffix(".py")


def package_sources() -> list[Source]:
    """Every Python file of the package."""
    return [
        Source(path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    ]


def project_files() -> list[Path]:
    """The files that are tracked or could be; without git, what an unpacked archive holds."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        if listed.returncode == 0:
            paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
            return sorted(path for path in paths if path.is_file())
    return sorted(_walk(ROOT))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        hidden = path.name.startswith(".") and path.name not in {".ci", ".github"}
        if path.is_dir() and not hidden and path.name not in _NOT_OURS:
            yield from _walk(path)
        elif path.is_file():
            yield path


def report(findings: list[Finding]) -> str:
    """One finding a line."""
    return "\n".join(map(str, findings))
