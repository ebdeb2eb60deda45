"""What the tests of the documents read: every Markdown file of the project, and the code in it."""

import re
from pathlib import Path
from typing import NamedTuple

from tests.house.tree import ROOT, project_files

FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


class Document(NamedTuple):
    """A Markdown text; `path` is relative to the repository."""

    path: str
    text: str

    @property
    def folder(self) -> Path:
        return (ROOT / self.path).parent

    @property
    def blocks(self) -> list[str]:
        """The code blocks, whole."""
        return [block for _, block in FENCE.findall(self.text)]

    @property
    def spans(self) -> list[str]:
        """The code that stands inside sentences."""
        return [span.strip() for span in SPAN.findall(FENCE.sub("", self.text))]

    @property
    def lines(self) -> list[str]:
        """The lines of the code blocks, those continued with a backslash as one; without prompts and comments."""
        raw = [line for block in self.blocks for line in block.replace("\\\n", " ").splitlines()]
        return [line for one in raw if (line := one.strip().removeprefix("$ ").split("  # ")[0].strip())]


def documents() -> list[Document]:
    """Every document of the project."""
    paths = [path for path in project_files() if path.suffix == ".md"]
    return [Document(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]
