"""Documents: every `autogrid …` command and every `make` target that is named can be typed so."""

import re
import shlex
from collections.abc import Sequence

import click
import pytest

from autogrid.cli.app import autogrid
from autogrid.trading.strategies.catalogue import CATALOGUE
from tests.docs.documents import Document, documents
from tests.house.tree import ROOT

TARGET = re.compile(r"^([a-z]+):.*## ", re.MULTILINE)
MAKE = re.compile(r"(?:^|[\s`;&])make ([a-z]+)(?![a-z0-9])")
OPEN_ENDED = ("…", "...", "[OPTIONS]", "COMMAND")
"""Stand for more that is left out."""


def command_faults(line: str, *, whole: bool) -> list[str]:
    """What is wrong with a command line; `whole`: nothing that must be given may be missing."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        return [f"'{line}' cannot be split into words: {error}"]
    left_out = any(word in OPEN_ENDED for word in words)
    words = [word for word in words if word not in OPEN_ENDED]
    command: click.Command = autogrid
    context = click.Context(command, info_name="autogrid")
    words = words[1:]
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        found = command.get_command(context, name)
        if found is None:
            return [f"'{line}': there is no command {name}"]
        command, context = found, click.Context(found, parent=context, info_name=name)
    return [f"'{line}': {fault}" for fault in _argument_faults(command, context, words, whole and not left_out)]


def _argument_faults(command: click.Command, context: click.Context, words: Sequence[str], whole: bool) -> list[str]:
    if isinstance(command, click.Group) and not words:
        return []
    wants_help = {"--help", "-h", "--version"} & set(words)
    try:
        given, rest, _ = command.make_parser(context).parse_args(list(words))
    except click.UsageError as error:
        return [error.format_message()]
    faults = [f"there is no place for {' '.join(rest)}"] if rest else []
    for param in command.params:
        value = given.get(param.name or "")
        missing = not isinstance(value, str | list | tuple | bool) or value == ()
        if missing and param.required and whole and not wants_help:
            faults.append(f"{param.name} is missing")
        if isinstance(param.type, click.Choice) and isinstance(value, str) and value not in param.type.choices:
            faults.append(f"{param.name} cannot be {value}")
    faults += _unknown_keys(given.get("strategy"), given.get("settings") or ())
    return faults


def _unknown_keys(strategy: object, settings: Sequence[object]) -> list[str]:
    """Keys of `--set` that the strategy does not have; any strategy, where none is named."""
    chosen = [CATALOGUE[strategy]] if isinstance(strategy, str) and strategy in CATALOGUE else CATALOGUE.values()
    known = {field.key for one in chosen for field in one.fields} | {"key", "KEY"}
    keys = [one.partition("=")[0] for one in settings if isinstance(one, str)]
    return [f"no strategy has the key {key}" for key in keys if key not in known | set(OPEN_ENDED)]


def faults_in(document: Document) -> list[str]:
    """What is wrong with the commands of one document."""
    found = []
    for line in document.lines:
        if re.match(r"(\.venv/bin/)?autogrid\b", line):
            found += command_faults(line, whole="COMMAND" not in line)
    for span in document.spans:
        if re.match(r"(\.venv/bin/)?autogrid\s", span):
            found += command_faults(span, whole=False)
    return found


def unknown_targets(document: Document, known: set[str]) -> list[str]:
    """Targets of make that stand in code and not in the Makefile."""
    named = {name for code in (*document.lines, *document.spans) for name in MAKE.findall(code)}
    return sorted(named - known)


def test_every_command_in_the_documents_can_be_typed() -> None:
    faults = {one.path: found for one in documents() if (found := faults_in(one))}
    assert not faults, "mend the document, or the command"


def test_every_make_target_in_the_documents_exists() -> None:
    known = set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    unknown = {one.path: found for one in documents() if (found := unknown_targets(one, known))}
    assert not unknown, f"there are {sorted(known)}"


@pytest.mark.parametrize(
    ("planted", "says"),
    [
        ("autogrid grow grid", "no command grow"),
        ("autogrid backtest grid --candels a.csv --investment 1", "No such option"),
        ("autogrid backtest grid --investment 1", "candles is missing"),
        ("autogrid backtest --candles a.csv --investment 1", "strategy is missing"),
        ("autogrid backtest grid much --candles a.csv --investment 1", "no place for much"),
        ("autogrid backtest grid --candles a.csv --investment 1 --path sideways", "cannot be sideways"),
        ("autogrid backtest grid --candles a.csv --investment 1 --set cells=5", "the key cells"),
        ("autogrid backtest grid --candles a.csv --investment", "requires an argument"),
    ],
)
def test_a_command_that_cannot_be_typed_is_found(planted: str, says: str) -> None:
    assert any(says in fault for fault in faults_in(Document("a.md", f"```\n{planted}\n```\n")))


def test_a_command_that_can_be_typed_is_let_through() -> None:
    text = """
Say `autogrid backtest --path reversed` or `autogrid backtest …`; `autogrid.db` is a file.

```
$ autogrid backtest grid --candles a.csv --investment 1000 \\
    --set lower=1 --set upper=2 --set grids=5  # with a comment
autogrid --version
autogrid backtest --help
```
"""
    assert faults_in(Document("a.md", text)) == []


def test_an_unknown_command_inside_a_sentence_is_found() -> None:
    assert faults_in(Document("a.md", "Say `autogrid backtest --lot-size 1`."))


def test_an_unknown_target_is_found() -> None:
    document = Document("a.md", "Run `make test`, then:\n\n```\nmake moon ARGS=1\n```\n")
    assert unknown_targets(document, {"test"}) == ["moon"]
