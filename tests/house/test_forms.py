"""Forms that hide something: `except Exception`, `import *`, and packages that re-export."""

import ast

import pytest

from tests.house.tree import Finding, Source, package_sources, report

MAY_CATCH_ALL = frozenset(
    {
        "engine/supervisor.py",
        "services/own_strategies.py",  # runs files of the user's own
        "testing/fault.py",  # so does the test kit
        "testing/forms.py",
    }
)
"""And the CLI: the edges of a process, where an unknown fault must become a sentence or a stopped bot."""

CATCH_ALL = frozenset({"Exception", "BaseException"})


def catches_all(source: Source) -> list[Finding]:
    """Handlers that catch every exception, named or bare, and `suppress(Exception)`."""
    if source.room == "cli" or source.path in MAY_CATCH_ALL:
        return []
    mend = "name what is anticipated and let the rest reach the supervisor; to tidy up, use finally"
    found = []
    for node in ast.walk(source.tree):
        match node:
            case ast.ExceptHandler(type=None):
                named = {"Exception"}
            case ast.ExceptHandler(type=ast.expr() as caught):
                named = names_in(caught)
            case ast.Call(func=ast.Name(id="suppress") | ast.Attribute(attr="suppress"), args=args):
                named = {name for arg in args for name in names_in(arg)}
            case _:
                continue
        if named & CATCH_ALL:
            found.append(Finding(source.path, node.lineno, f"catches every exception: {mend}"))
    return found


def names_in(expression: ast.expr) -> set[str]:
    """The bare and dotted names of an expression, each by its last part."""
    names = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(expression) if isinstance(node, ast.Attribute)}


def star_imports(source: Source) -> list[Finding]:
    """`from x import *`."""
    return [
        Finding(source.path, node.lineno, "imports *: name what is used")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    ]


def re_exports(source: Source) -> list[Finding]:
    """Imports and `__all__` in a package's `__init__`; it holds the docstring of the room, and no more."""
    if source.path.split("/")[-1] != "__init__.py":
        return []
    mend = "import each name from the file that defines it"
    found = []
    for node in ast.walk(source.tree):
        match node:
            case ast.Import() | ast.ImportFrom():
                found.append(Finding(source.path, node.lineno, f"an __init__ that imports: {mend}"))
            case ast.Name(id="__all__"):
                found.append(Finding(source.path, node.lineno, f"an __init__ with __all__: {mend}"))
            case _:
                pass
    return found


def test_every_exception_is_caught_only_at_the_edges() -> None:
    findings = [found for source in package_sources() for found in catches_all(source)]
    assert not findings, report(findings)


def test_no_star_is_imported() -> None:
    findings = [found for source in package_sources() for found in star_imports(source)]
    assert not findings, report(findings)


def test_no_package_re_exports() -> None:
    findings = [found for source in package_sources() for found in re_exports(source)]
    assert not findings, report(findings)


@pytest.mark.parametrize(
    "planted",
    [
        "try:\n    f()\nexcept Exception:\n    pass",
        "try:\n    f()\nexcept Exception as error:\n    raise",
        "try:\n    f()\nexcept:\n    pass",
        "try:\n    f()\nexcept (ValueError, BaseException):\n    pass",
        "try:\n    f()\nexcept* builtins.Exception:\n    pass",
        "with contextlib.suppress(Exception):\n    f()",
    ],
)
def test_a_catch_all_is_found(planted: str) -> None:
    assert catches_all(Source("engine/session.py", planted))
    assert not catches_all(Source("engine/supervisor.py", planted))
    assert not catches_all(Source("cli.py", planted))


def test_a_named_exception_may_be_caught() -> None:
    assert not catches_all(Source("engine/session.py", "try:\n    f()\nexcept ExchangeAway:\n    g()"))


def test_a_star_import_is_found() -> None:
    assert star_imports(Source("trading/bot.py", "from decimal import *"))
    assert not star_imports(Source("trading/bot.py", "from decimal import Decimal"))


@pytest.mark.parametrize("planted", ["from autogrid.trading import bot", "import json", "__all__ = ['step']"])
def test_a_re_export_is_found(planted: str) -> None:
    assert re_exports(Source("trading/__init__.py", planted))
    assert not re_exports(Source("trading/bot.py", planted))
    assert not re_exports(Source("trading/__init__.py", '"""What a bot is and decides."""'))
