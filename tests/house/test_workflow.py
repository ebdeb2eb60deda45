"""Workflows and scripts: valid, pinned, with least permissions, and calling the targets a person calls."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT, Finding, report

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = [*sorted((ROOT / "scripts").glob("*.sh")), ROOT / ".ci" / "run"]
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d")
ALLOWED_RUN = re.compile(r"(?:make [a-z]+|\.ci/run)$")

MINIMAL = """\
name: planted
on: push
permissions: {}
jobs:
  check:
    runs-on: ubuntu-24.04
    steps:
      - run: make test
"""


def tool(name: str) -> str:
    """Path of a program that came with the development lock."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert found, f"{name} is missing: sh scripts/setup.sh dev"
    return found


def says(*command: str) -> str:
    """What a checker has to say against a file; empty when it is content."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr or f"exit {done.returncode}"


def against_schema(path: Path) -> str:
    """The errors of a workflow against GitHub's schema."""
    return says(tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(path))


def against_safety(path: Path) -> str:
    """What zizmor finds: unpinned actions, wide permissions, injected expressions, kept credentials."""
    options = ["--offline", "--no-progress", "--quiet", "--no-config", "--persona=pedantic"]
    return says(tool("zizmor"), *options, str(path))


def loose_steps(path: str, text: str) -> list[Finding]:
    """Actions without a commit and its version, and steps that do what no person can call by name."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        step = line.strip().removeprefix("- ")
        if step.startswith("uses:") and not PINNED.match(step):
            found.append(Finding(path, number, "pin it: owner/action@<commit of 40 digits> # v1.2.3"))
        if step.startswith("run:") and not ALLOWED_RUN.match(step.removeprefix("run:").strip()):
            found.append(Finding(path, number, "make it a target of the Makefile, and call that"))
    return found


def test_there_is_a_workflow() -> None:
    assert WORKFLOWS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_valid_and_safe(path: Path) -> None:
    assert against_schema(path) == ""
    assert against_safety(path) == ""


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_calls_the_targets_a_person_calls(path: Path) -> None:
    findings = loose_steps(path.name, path.read_text(encoding="utf-8"))
    assert not findings, report(findings)


def test_an_invalid_workflow_is_found(tmp_path: Path) -> None:
    planted = tmp_path / "planted.yml"
    planted.write_text(MINIMAL.replace("runs-on", "run-on"), encoding="utf-8")
    assert "runs-on" in against_schema(planted)
    planted.write_text(MINIMAL, encoding="utf-8")
    assert against_schema(planted) == ""


def test_an_unsafe_workflow_is_found(tmp_path: Path) -> None:
    planted = tmp_path / ".github" / "workflows" / "planted.yml"
    planted.parent.mkdir(parents=True)
    planted.write_text(MINIMAL.replace("permissions: {}", "permissions: write-all"), encoding="utf-8")
    assert "excessive-permissions" in against_safety(planted)


@pytest.mark.parametrize("planted", ["- uses: actions/checkout@v5", "- run: pytest", "- run: make test && x"])
def test_a_loose_step_is_found(planted: str) -> None:
    assert loose_steps("planted.yml", MINIMAL + "      " + planted)
    assert not loose_steps("planted.yml", MINIMAL)


@pytest.mark.skipif(
    sys.platform == "linux" and not shutil.which("shellcheck", path=str(Path(sys.executable).parent)),
    reason="shellcheck comes as a wheel for x86-64 only",
)
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_passes_shellcheck(path: Path, tmp_path: Path) -> None:
    assert says(tool("shellcheck"), str(path)) == ""
    planted = tmp_path / "planted.sh"
    planted.write_text("#!/bin/sh\nrm -rf $1/*\n", encoding="utf-8")
    assert "SC2086" in says(tool("shellcheck"), str(planted))


def test_make_help_lists_every_target() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    [phony] = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    documented = re.findall(r"^([a-z]+):.* ## \S", text, re.MULTILINE)
    assert sorted(phony.split()) == sorted(documented)
    make = shutil.which("make")
    if make:
        alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        command = [make, "help"]
        listed = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, check=True).stdout
        assert [line.split()[1] for line in listed.splitlines()] == documented
