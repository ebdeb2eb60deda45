"""Documents: every setting has its line, and every setting or variable that is named exists."""

import re

import pytest

from autogrid.settings import PREFIX, ExchangeSettings, Settings
from tests.docs.documents import Document, documents
from tests.house.tree import ROOT

PAGE = ROOT / "docs" / "reference" / "settings.md"
NAME = re.compile(r"\bAUTOGRID_[A-Z][A-Z_]*\b")
SET_UP = ROOT / "scripts" / "setup.sh"


def settings() -> set[str]:
    """Every setting by its name in the environment; those of every exchange by Binance's."""
    plain = {PREFIX + name.upper() for name in Settings.model_fields if name != "exchanges"}
    return plain | {f"{PREFIX}EXCHANGES__BINANCE__{name.upper()}" for name in ExchangeSettings.model_fields}


def unknown_names(document: Document, known: set[str]) -> list[str]:
    """Names in a document, wherever they stand, that look like settings and are none."""
    named = {re.sub(r"(?<=EXCHANGES__)[A-Z]+(?=__)", "BINANCE", name) for name in NAME.findall(document.text)}
    return sorted(named - known)


def test_every_setting_has_its_line() -> None:
    listed = set(re.findall(r"^\| `(AUTOGRID_[A-Z_]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert not settings() - listed, "add a line to docs/reference/settings.md"


def test_every_setting_that_is_named_exists() -> None:
    known = settings() | set(NAME.findall(SET_UP.read_text(encoding="utf-8")))
    unknown = {one.path: found for one in documents() if (found := unknown_names(one, known))}
    assert not unknown, f"there are {sorted(known)}"


@pytest.mark.parametrize(
    "planted", ["Set `AUTOGRID_MOON` to 1.", "```\nAUTOGRID_MOON=1 make test\n```\n", "AUTOGRID_MOON"]
)
def test_a_setting_that_does_not_exist_is_found(planted: str) -> None:
    assert unknown_names(Document("a.md", planted), {"AUTOGRID_DATA_DIR"}) == ["AUTOGRID_MOON"]


def test_a_setting_that_exists_is_let_through() -> None:
    assert unknown_names(Document("a.md", "Set `AUTOGRID_DATA_DIR`."), {"AUTOGRID_DATA_DIR"}) == []
