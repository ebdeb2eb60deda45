"""What the guide says, as files; and a catalogue that forgets what a test put into it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autogrid.services import own_strategies
from autogrid.storage import codecs
from autogrid.trading.strategies.catalogue import CATALOGUE
from tests.docs.documents import FENCE
from tests.house.tree import ROOT

GUIDE = (ROOT / "docs" / "guide" / "write-a-strategy.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of the guide in one language, in order."""
    return [block for found, block in FENCE.findall(GUIDE) if found == language]


def dip_source() -> str:
    """The strategy of the guide: its Python blocks up to the one with the entry, one after the other."""
    found = blocks("python")
    last = next(number for number, block in enumerate(found) if block.startswith("ENTRY ="))
    return "\n\n".join(found[: last + 1])


@contextmanager
def forgetful() -> Iterator[None]:
    """Whatever strategies are loaded inside are gone afterwards."""
    places: tuple[dict[str, object], ...] = (CATALOGUE, codecs.KINDS, codecs._RECORDS, own_strategies._LOADED)  # type: ignore[assignment]
    before = [dict(place) for place in places]
    try:
        yield
    finally:
        for place, held in zip(places, before, strict=True):
            place.clear()
            place.update(held)


def strategies_folder(data_dir: Path, **files: str) -> Path:
    """A data folder whose strategies are those files, by name without ending."""
    folder = data_dir / "strategies"
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in files.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    return data_dir
