"""The locks: hashed, complete, and at one with each other and with pyproject.toml."""

import re
import tomllib

import pytest

from tests.house.tree import ROOT

ENTRY = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)([^\\\n]*)", re.MULTILINE)


def pins(lock: str) -> dict[str, set[str]]:
    """Each package with the versions it is locked to; several where they depend on the Python."""
    found: dict[str, set[str]] = {}
    for name, version, _ in ENTRY.findall(lock):
        found.setdefault(name, set()).add(version)
    return found


def unhashed(lock: str) -> list[str]:
    """The lines of a lock that are neither a pin followed by a hash nor a hash."""
    logical = lock.replace("\\\n", " ").splitlines()
    return [line for line in logical if line.strip() and not (ENTRY.match(line) and "--hash=sha256:" in line)]


def missing(requirements: list[str], lock: str) -> list[str]:
    """Requirements of pyproject.toml that the lock does not hold."""
    locked = pins(lock)
    names = [re.split(r"[^A-Za-z0-9_.-]", line)[0].lower() for line in requirements]
    return [name for name in names if name not in locked]


def disagreements(one: str, other: str) -> list[str]:
    """Packages of the one lock that the other lacks or holds in another version."""
    theirs = pins(other)
    return [name for name, versions in pins(one).items() if theirs.get(name) != versions]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-uv.lock"])
def test_every_line_of_a_lock_is_hashed(name: str) -> None:
    assert unhashed(read(name)) == []


def test_the_locks_hold_what_pyproject_asks_for() -> None:
    pyproject = tomllib.loads(read("pyproject.toml"))
    groups = pyproject["dependency-groups"]
    run = [*pyproject["project"]["dependencies"], *groups["build"]]
    mend = "run `make lock`"
    assert missing(run, read("requirements.lock")) == [], mend
    assert missing([*run, *groups["dev"]], read("requirements-dev.lock")) == [], mend
    assert missing(groups["uv"], read("requirements-uv.lock")) == [], mend


def test_the_development_lock_holds_the_other_two_unchanged() -> None:
    development = read("requirements-dev.lock")
    assert disagreements(read("requirements.lock"), development) == []
    assert disagreements(read("requirements-uv.lock"), development) == []


HASH = " \\\n    --hash=sha256:00\n"


def test_a_faulty_lock_is_found() -> None:
    assert unhashed("click==8.2" + HASH + "rich==14\n") == ["rich==14"]
    assert unhashed("https://mirror.example/click.whl" + HASH)
    assert unhashed("click==8.2 ; python_version < '3.12'" + HASH) == []
    assert missing(["click>=8", "sqlalchemy[asyncio]>=2.1"], "click==8.2" + HASH) == ["sqlalchemy"]
    assert disagreements("click==8.2" + HASH, "click==8.3" + HASH) == ["click"]
    assert disagreements("click==8.2" + HASH, "") == ["click"]
