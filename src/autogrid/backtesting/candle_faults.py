"""What is wrong with a file of candles, said so that its owner can mend it.

A fault has a code for programs and a sentence for people. Rows are counted from 1 over the candles of the
file: a header, and blank lines, are not counted. Times are UTC.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray


class UnableToReadCandles(Exception):
    """A file of candles that cannot be used; the text is one sentence for its owner."""

    def __init__(self, code: str, sentence: str, row: int | None = None) -> None:
        super().__init__(code, sentence, row)
        self.code = code
        self.sentence = sentence
        self.row = row

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one row."""

    code: str
    row: int
    """Counted from 1."""
    says: str
    """What is wrong and what would be right, without the file's name and the row."""

    def sentence(self, source: str) -> str:
        """The whole sentence, with the file and the row."""
        return f"{source}, row {self.row}: {self.says}."


@dataclass(slots=True)
class Faults:
    """The faults found in one file: all are counted, the first `keep` of each code are told."""

    source: str
    keep: int = 20
    told: list[Fault] = field(default_factory=list)
    count: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    """How many of each code were found."""

    def add(self, code: str, where: NDArray[np.intp], rows: NDArray[np.int64], says: Callable[[int], str]) -> None:
        """Note a fault at each position of `where`; `rows` gives each position's row, `says` its sentence."""
        self.extend(code, ((int(rows[at]), says(int(at))) for at in where[: self.keep]), len(where))

    def extend(self, code: str, found: Iterable[tuple[int, str]], count: int) -> None:
        """Note `count` faults of one code, of which `found` are told."""
        if count == 0:
            return
        self.told.extend(Fault(code, row, says) for row, says in found)
        self.count += count
        self.codes[code] = self.codes.get(code, 0) + count

    def first(self) -> list[Fault]:
        """The first `keep` of all faults, by row."""
        return sorted(self.told, key=lambda fault: fault.row)[: self.keep]

    def raise_first(self) -> None:
        """Raise the fault of the first row, if there is one."""
        if self.told:
            fault = self.first()[0]
            raise UnableToReadCandles(fault.code, fault.sentence(self.source), fault.row)


def utc(ms: Any) -> str:
    """A time in ms as `2025-05-20 00:00` (seconds and ms where there are any)."""
    at = datetime.fromtimestamp(int(ms) / 1000, UTC)
    text = f"{at:%Y-%m-%d %H:%M}"
    if at.second or at.microsecond:
        text += f":{at:%S}"
    return text + (f".{at.microsecond // 1000:03d}" if at.microsecond else "")
