"""Imports: trading is pure, nothing is imported inside a function, every library is declared.

The order of the rooms is import-linter's (contracts in pyproject.toml). Here is what it cannot say.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator

import pytest

from tests.house.tree import ROOT, Finding, Source, package_sources, report

OUTSIDE_WORLD = frozenset(
    {
        "asyncio",
        "concurrent",
        "http",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "random",
        "secrets",
        "select",
        "shutil",
        "signal",
        "socket",
        "sqlite3",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "uuid",
    }
)
IMPORTLIB_THAT_READS = ("importlib.metadata", "importlib.resources")
MAY_IMPORT_BY_NAME = frozenset({"services/own_strategies.py"})
"""And the CLI: files of the user's own are known by their paths alone."""

PROVIDED_BY = {"google": "protobuf", "pydantic_settings": "pydantic-settings"}
"""Distributions whose name is not that of what is imported."""


def imported_modules(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import; `from a import b` gives `a`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def impurities(source: Source) -> list[Finding]:
    """What a file of trading/ takes from outside: libraries, clock, chance, files, the screen."""
    found = []
    for line, name in imported_modules(source.tree):
        root = name.split(".")[0]
        if name == "autogrid.trading" or name.startswith("autogrid.trading."):
            continue
        if root in OUTSIDE_WORLD:
            found.append(Finding(source.path, line, f"imports {root}: let the event bring in what is needed"))
        elif root not in sys.stdlib_module_names:
            mend = "trading imports the standard library and trading only"
            found.append(Finding(source.path, line, f"imports {name}: {mend}"))
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Attribute(attr="now" | "utcnow" | "today" as name):
                found.append(Finding(source.path, node.lineno, f"calls {name}(): time comes with the event"))
            case ast.Name(id="open" | "print" | "input" as name):
                found.append(Finding(source.path, node.lineno, f"calls {name}(): trading does no I/O"))
            case _:
                pass
    return found


def imports_inside_functions(source: Source) -> list[Finding]:
    """Import statements that do not stand at the top of the file."""
    return [
        Finding(source.path, inner.lineno, "imports inside a function: move it to the top of the file")
        for outer in ast.walk(source.tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(outer)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]


def imports_by_name(source: Source) -> list[Finding]:
    """Modules imported by their name at run time: the CLI may, to start fast, and what loads the user's strategies."""
    if source.room == "cli" or source.path in MAY_IMPORT_BY_NAME:
        return []
    mend = "import it plainly at the top; only the CLI loads its commands by name, and own_strategies.py the user's"
    used: list[tuple[int, str]] = []
    for node in ast.walk(source.tree):
        match node:
            case ast.Import():
                used += [(node.lineno, alias.name) for alias in node.names]
            case ast.ImportFrom(module="importlib"):
                used += [(node.lineno, f"importlib.{alias.name}") for alias in node.names]
            case ast.ImportFrom(module=str(module)):
                used.append((node.lineno, module))
            case ast.Name(id="__import__"):
                used.append((node.lineno, "importlib.__import__"))
            case ast.Attribute(value=ast.Name(id="importlib"), attr=attr):
                used.append((node.lineno, f"importlib.{attr}"))
            case _:
                pass
    return [
        Finding(source.path, line, f"uses {name}: {mend}")
        for line, name in used
        if name.split(".")[0] == "importlib" and not name.startswith(IMPORTLIB_THAT_READS)
    ]


def undeclared(source: Source, declared: frozenset[str]) -> list[Finding]:
    """Libraries that are imported but stand in pyproject.toml only by another library's grace."""
    found = []
    for line, name in imported_modules(source.tree):
        root = name.split(".")[0]
        if root in sys.stdlib_module_names or root in {"autogrid", ""}:
            continue
        if PROVIDED_BY.get(root, root) not in declared:
            mend = "add it to the dependencies in pyproject.toml and run `make lock`"
            found.append(Finding(source.path, line, f"imports {root}, which is not declared: {mend}"))
    return found


def declared_dependencies() -> frozenset[str]:
    """Names of the run-time dependencies, as in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return frozenset(re.split(r"[^A-Za-z0-9_.-]", line)[0].lower() for line in project["dependencies"])


def test_trading_imports_the_standard_library_only_and_reads_no_clock() -> None:
    rooms = (source for source in package_sources() if source.room == "trading")
    findings = [found for source in rooms for found in impurities(source)]
    assert not findings, report(findings)


def test_nothing_is_imported_inside_a_function() -> None:
    findings = [found for source in package_sources() for found in imports_inside_functions(source)]
    assert not findings, report(findings)


def test_only_the_cli_and_the_loader_of_own_strategies_import_by_name() -> None:
    findings = [found for source in package_sources() for found in imports_by_name(source)]
    assert not findings, report(findings)


def test_every_imported_library_is_declared() -> None:
    declared = declared_dependencies()
    findings = [found for source in package_sources() for found in undeclared(source, declared)]
    assert not findings, report(findings)


@pytest.mark.parametrize(
    "planted",
    [
        "import time",
        "import os.path",
        "from uuid import uuid4",
        "import numpy as np",
        "from autogrid.engine import session",
        "from . import order",
        "from datetime import datetime\nat = datetime.now()",
        "import datetime\nat = datetime.datetime.utcnow()",
        "print('filled')",
    ],
)
def test_an_impurity_in_trading_is_found(planted: str) -> None:
    assert impurities(Source("trading/planted.py", planted))


@pytest.mark.parametrize(
    "pure",
    [
        "from decimal import Decimal",
        "from collections.abc import Mapping",
        "from autogrid.trading.order import Order",
        "from datetime import UTC, datetime\nat = datetime.fromtimestamp(0, UTC)",
    ],
)
def test_what_trading_may_use_is_let_through(pure: str) -> None:
    assert not impurities(Source("trading/planted.py", pure))


@pytest.mark.parametrize(
    "planted",
    [
        "def f():\n    import ccxt",
        "async def f():\n    if True:\n        from ccxt import mexc",
        "class A:\n    def f(self):\n        import ccxt",
    ],
)
def test_an_import_inside_a_function_is_found(planted: str) -> None:
    assert imports_inside_functions(Source("exchanges/planted.py", planted))
    assert not imports_inside_functions(Source("exchanges/planted.py", "import ccxt\ndef f():\n    ccxt.mexc()"))


@pytest.mark.parametrize(
    "planted",
    [
        "import importlib",
        "from importlib import import_module",
        "import importlib.util",
        "import importlib.resources\nimportlib.import_module('x')",
        "__import__('x')",
    ],
)
def test_an_import_by_name_is_found_outside_the_cli(planted: str) -> None:
    assert imports_by_name(Source("wiring.py", planted))
    assert not imports_by_name(Source("cli.py", planted))
    assert not imports_by_name(Source("cli/lazy.py", planted))
    assert not imports_by_name(Source("services/own_strategies.py", planted))
    assert not imports_by_name(Source("storage/a.py", "from importlib.resources import files\nfiles('a')"))


def test_an_undeclared_library_is_found() -> None:
    source = Source("exchanges/planted.py", "import yarl\nimport pydantic_settings\nimport click\nimport re")
    declared = frozenset({"click", "pydantic-settings"})
    assert [found.line for found in undeclared(source, declared)] == [1]
