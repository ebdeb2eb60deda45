"""No file names a package registry or a folder of one machine: locks hold hashes, so any mirror works."""

import re

import pytest

from tests.house.tree import ROOT, Finding, project_files, report

# Put together from pieces, so that this file does not break its own rule.
HOSTS = (
    "pypi" + r"\.org",
    "python" + r"hosted\.org",
    "registry" + r"\.npmjs\.(?:org|com)",
    "registry" + r"\.yarnpkg\.com",
    "npm" + r"mirror\.com",
)
MACHINES = (
    r"/wo" + "rk/",
    r"/ho" + "me/[a-z]",
    r"/Us" + "ers/[A-Za-z]",
    r"/ro" + "ot/",
    r"/opt/(?:py" + "pi|wheels)",
)
FLAGS = ("--" + "index-url", "--" + "extra-index-url", "--" + "find-links")

REGISTRY = re.compile("|".join(HOSTS).encode())
MACHINE = re.compile(("(?<![A-Za-z0-9_.$~*}-])(?:" + "|".join(MACHINES) + ")").encode())
FLAG = re.compile("|".join(FLAGS).encode())


def traces(path: str, content: bytes) -> list[Finding]:
    """Lines that name a registry, a choice of registry, or a machine's own folders."""
    rules = (
        (REGISTRY, "names a package registry: write the lock without (`make lock`)"),
        (FLAG, "chooses a package registry: that belongs into the user's settings"),
        (MACHINE, "names a folder of one machine: make it relative or a setting"),
    )
    return [
        Finding(path, number, what)
        for number, line in enumerate(content.split(b"\n"), start=1)
        for pattern, what in rules
        if pattern.search(line)
    ]


def test_no_file_names_a_registry_or_a_machine() -> None:
    findings = [
        found
        for path in project_files()
        if b"\0" not in (content := path.read_bytes())[:4096]
        for found in traces(path.relative_to(ROOT).as_posix(), content)
    ]
    assert not findings, report(findings)


@pytest.mark.parametrize(
    "planted",
    [
        "https://" + "pypi" + ".org/simple",
        '"resolved": "https://' + "registry" + '.npmjs.org/react"',
        "https://files." + "python" + "hosted.org/packages/a.whl",
        "--" + "extra-index-url https://mirror.example/simple",
        "open('/wo" + "rk/shared/data/a.csv')",
        "cache = /ho" + "me/ann/.cache",
    ],
)
def test_a_trace_is_found(planted: str) -> None:
    assert traces("requirements.lock", b"click==8.2\n" + planted.encode())


@pytest.mark.parametrize("clean", ["src/wo" + "rk/a.py", "$ROOT/ho" + "me/ann", "click==8.2"])
def test_what_only_looks_like_one_is_let_through(clean: str) -> None:
    assert not traces("a.md", clean.encode())
