"""Documents: every file and folder that is named in code exists, and so does every test named with its file."""

import re
from pathlib import Path

import pytest

from tests.docs.documents import Document, documents
from tests.house.tree import PACKAGE, ROOT

SUFFIXES = "py|md|toml|lock|sh|svg|yml|html|json|css|js|db|csv|parquet"
NAMED = re.compile(
    rf"^\.?[\w-][\w.*-]*(?:/[\w.*-]+)*(?:/|\.(?:{SUFFIXES}))(?:::\w+)?$|^(?:[\w.-]+/)+[\w.-]+(?:::\w+)?$"
)
ROOTS = frozenset(path.name for place in (ROOT, PACKAGE) for path in place.iterdir() if path.is_dir())

NOT_IN_THE_TREE = {
    "result.html": "written by a backtest with --out",
    "result.json": "written by a backtest with --out",
    "autogrid.db": "stands in the data folder once there is a bot",
    "engine.lock": "stands in the data folder while the engine runs",
    "candles/": "a folder of the data folder",
    "markets/": "a folder of the data folder",
    "bots.csv": "a file that a reader makes",
    "candles.csv": "a file of the reader's own",
    "trades.csv": "a file that a reader makes",
    "grid.toml": "a file of the reader's own",
    "uv.lock": "docs/adr/0007 says why there is none",
    ".venv": "made by the first make",
    ".venv/": "made by the first make",
    ".bench/": "made by make bench",
    "spec/grid.md": "what the independent calculation was written from; kept outside of the repository",
    "spec/simulation.md": "as spec/grid.md",
    "spec/cli.md": "as spec/grid.md",
    "spec/dca.md": "as spec/grid.md",
    "spec/signals.md": "as spec/grid.md",
    "strategies/": "a folder of the data folder",
}


def is_path(span: str) -> bool:
    """Whether a piece of code names a file or a folder: by its ending, or by beginning with a folder of ours."""
    if not NAMED.match(span) or span.startswith("/"):
        return False
    name = span.partition("::")[0]
    if re.search(rf"(?:\.(?:{SUFFIXES})|/)$", name):
        return not re.match(r"^\d", name)
    return name.split("/")[0] in ROOTS


def is_missing(folder: Path, named: str) -> bool:
    """Whether what is named stands neither in the repository, nor in the package, nor beside the document."""
    name, _, test = named.partition("::")
    found = [path for place in (ROOT, PACKAGE, folder) for path in _matches(place, name)]
    if not test:
        return not found
    return not any(f"def {test}(" in path.read_text(encoding="utf-8") for path in found if path.is_file())


def _matches(place: Path, name: str) -> list[Path]:
    if "*" in name:
        return list(place.glob(name))
    return [path for path in (place / name, place / f"{name}.py") if path.exists()]


def missing_paths(document: Document) -> list[str]:
    """The paths in a document that lead nowhere."""
    named = {span for span in document.spans if is_path(span) and span not in NOT_IN_THE_TREE}
    return sorted(span for span in named if is_missing(document.folder, span))


def test_every_path_in_the_documents_exists() -> None:
    missing = {one.path: found for one in documents() if (found := missing_paths(one))}
    assert not missing, "mend the path, or explain it in NOT_IN_THE_TREE"


@pytest.mark.parametrize(
    "planted",
    [
        "src/autogrid/trading/moon.py",
        "trading/moon.py",
        "moon.md",
        "docs/moon",
        "tests/moon/",
        "docs/adr/9*.md",
        "tests/docs/test_paths.py::test_that_is_not_there",
    ],
)
def test_a_path_that_leads_nowhere_is_found(planted: str) -> None:
    assert missing_paths(Document("a.md", f"See `{planted}`.")) == [planted]


@pytest.mark.parametrize(
    "right",
    [
        "src/autogrid/trading/bot.py",
        "trading/bot.py",
        "engine/session",
        "trading/",
        "docs/adr",
        "docs/adr/0001*.md",
        "tests/docs/test_paths.py::test_every_path_in_the_documents_exists",
        "result.html",
        "BTC/USDT",
        "1/255",
        "autogrid bot show",
        "state.memory",
    ],
)
def test_a_path_that_exists_and_what_is_none_are_let_through(right: str) -> None:
    assert missing_paths(Document("a.md", f"See `{right}`.")) == []
