"""Sizes: a file and a function stay short enough to be read in one go."""

import ast

import pytest

from tests.house.tree import Finding, Source, package_sources, report

FILE_LINES = 400
FUNCTION_LINES = 60


def long_files(source: Source) -> list[Finding]:
    """The file, when it is too long."""
    lines = len(source.text.splitlines())
    if lines <= FILE_LINES:
        return []
    mend = f"split it by what changes together, into files under {FILE_LINES} lines named for what they hold"
    return [Finding(source.path, FILE_LINES + 1, f"has {lines} lines: {mend}")]


def long_functions(source: Source) -> list[Finding]:
    """The functions that are too long; a docstring does not count, it may show a whole payload."""
    found = []
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = node.body[0]
        docstring = 0
        if isinstance(first, ast.Expr) and ast.get_docstring(node, clean=False) is not None:
            docstring = (first.end_lineno or first.lineno) - first.lineno + 1
        lines = (node.end_lineno or node.lineno) - node.lineno + 1 - docstring
        if lines > FUNCTION_LINES:
            mend = f"give its steps names, as functions under {FUNCTION_LINES} lines"
            found.append(Finding(source.path, node.lineno, f"{node.name} has {lines} lines: {mend}"))
    return found


def test_no_file_is_too_long() -> None:
    findings = [found for source in package_sources() for found in long_files(source)]
    assert not findings, report(findings)


def test_no_function_is_too_long() -> None:
    findings = [found for source in package_sources() for found in long_functions(source)]
    assert not findings, report(findings)


@pytest.mark.parametrize(("lines", "findings"), [(FILE_LINES, 0), (FILE_LINES + 1, 1)])
def test_a_file_that_is_too_long_is_found(lines: int, findings: int) -> None:
    assert len(long_files(Source("engine/planted.py", "x = 1\n" * lines))) == findings


@pytest.mark.parametrize("head", ["def f():", "async def f():", "class A:\n    def f(self):"])
@pytest.mark.parametrize(("lines", "findings"), [(FUNCTION_LINES - 1, 0), (FUNCTION_LINES, 1)])
def test_a_function_that_is_too_long_is_found(head: str, lines: int, findings: int) -> None:
    text = head + "\n" + "        x = 1\n" * lines
    assert len(long_functions(Source("engine/planted.py", text))) == findings


def test_a_docstring_does_not_make_a_function_long() -> None:
    text = 'def f():\n    """Payload.\n' + "    line\n" * FUNCTION_LINES + '    """\n    return 1\n'
    assert not long_functions(Source("exchanges/planted.py", text))
