"""Documents: the page of the command line is up to date, and every error code has its line."""

import ast
import re
from collections.abc import Iterator

import click
import pytest

from docs.make_cli_reference import PAGE, reference, section
from tests.house.tree import ROOT, Source, package_sources

ERRORS = ROOT / "docs" / "reference" / "errors.md"
ROW = re.compile(r"^\| `([a-z][a-z0-9_-]*)` \| (.+?) \| (.+?) \|$", re.MULTILINE)
CODE = re.compile(r"[a-z]+(?:[_-][a-z]+)*")


def codes_of(source: Source) -> set[str]:
    """The error codes of a file: those of its classes, and those given where an error is made or a fault noted."""
    found = set()
    for node in ast.walk(source.tree):
        match node:
            case ast.ClassDef(name=name, body=body) if name.startswith(("UnableTo", "Exchange", "Lease")):
                found |= set(_class_codes(body))
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(code)), _, *_]) if is_coded(name):
                found.add(code)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="faults"), attr="add" | "extend"),
                args=[ast.Constant(value=str(code)), *_],
            ):
                found.add(code)
            case ast.Call(args=[ast.Name(id="faults"), ast.Constant(value=str(code)), *_]):
                found.add(code)
            case _:
                pass
    return {code for code in found if CODE.fullmatch(code)}


def _class_codes(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                yield code
            case _:
                pass


def is_coded(name: str) -> bool:
    """Whether the first argument of the exception is its code; of `UnableToConfigure` it is a configuration's key."""
    return name.startswith("UnableTo") and name != "UnableToConfigure"


def all_codes() -> set[str]:
    """Every error code of the package."""
    return {code for source in package_sources() for code in codes_of(source)}


def test_the_page_of_the_command_line_is_up_to_date() -> None:
    mend = "the commands have changed; write their page anew: .venv/bin/python docs/make_cli_reference.py"
    assert PAGE.read_text(encoding="utf-8") == reference(), mend


def test_every_error_code_has_its_line() -> None:
    listed = {code for code, _, _ in ROW.findall(ERRORS.read_text(encoding="utf-8"))}
    assert not all_codes() - listed, "add a sentence and the mend to docs/reference/errors.md"
    assert not listed - all_codes(), "no error of the package has this code any more; remove its line"


@pytest.mark.parametrize(
    ("planted", "code"),
    [
        ("class UnableToFly(Exception):\n    code = 'no-wings'", "no-wings"),
        ("raise UnableToReadCandles('upside_down', 'The file hangs.', 3)", "upside_down"),
        ("def f(faults):\n    faults.add('bent_row', where, rows, says)", "bent_row"),
        ("def f(faults):\n    faults.extend('bent_row', [], 1)", "bent_row"),
        ("_note(faults, 'bent_row', wrong, rows, column, name)", "bent_row"),
    ],
)
def test_an_error_code_is_found(planted: str, code: str) -> None:
    assert codes_of(Source("trading/planted.py", planted)) == {code}


@pytest.mark.parametrize(
    "planted",
    ["raise UnableToConfigure('lower', 'too low', 'order')", "names.add('lower')", "raise UnableToEdit('no such key')"],
)
def test_what_is_no_error_code_is_let_through(planted: str) -> None:
    assert not codes_of(Source("trading/planted.py", planted))


def test_a_page_is_made_of_any_command() -> None:
    @click.command()
    @click.argument("file")
    @click.option("--much", required=True, type=int, help="How much.")
    @click.option("--way", type=click.Choice(["up", "down"]), default="up", multiple=False, help="Which way.")
    @click.option("--json", "as_json", is_flag=True, help="As JSON.")
    def go() -> None:
        """Go there."""

    page = section(("autogrid", "go"), go)
    assert "autogrid go FILE" in page
    assert "| `--much INTEGER` | How much. Must be given. |" in page
    assert "| `--way up or down` | Which way. Default: `up`. |" in page
    assert "| `--json` | As JSON. |" in page
