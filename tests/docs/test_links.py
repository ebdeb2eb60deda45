"""Documents: every relative link leads to a file of the project."""

import re
from pathlib import Path

from tests.house.tree import ROOT, project_files

LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)(?:#[^)\s]*)?\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def dead_links(folder: Path, text: str) -> list[str]:
    """The targets of links in a Markdown text which stand nowhere."""
    return [target for target in LINK.findall(CODE.sub("", text)) if not (folder / target).exists()]


def test_every_link_leads_somewhere() -> None:
    documents = [path for path in project_files() if path.suffix == ".md"]
    dead = {
        path.relative_to(ROOT).as_posix(): found
        for path in documents
        if (found := dead_links(path.parent, path.read_text(encoding="utf-8")))
    }
    assert not dead, "links to files which do not exist; mend or remove them"


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("", encoding="utf-8")
    text = "[a](there.md) [b](there.md#part) [c](gone.md) `[d](code.md)` [e](https://example.org) [f](#here)"
    assert dead_links(tmp_path, text) == ["gone.md"]
