"""How the kit tells of a broken law: which, at which event, and how to see it again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from traceback import extract_tb
from typing import Final, NamedTuple

OURS: Final = "/autogrid/"


class Broken(Exception):
    """A law does not hold. The sentence says what was found; where is added by who runs it."""


class Again(NamedTuple):
    """How a fault is seen again."""

    words: str
    """In Python."""
    seeds: tuple[int, ...]
    law: str
    """Empty: all of them."""


class StrategyFault(AssertionError):
    """A strategy breaks a law of the kit."""

    def __init__(self, law: str, sentence: str, where: str, again: "Again") -> None:
        self.told = f"law '{law}' is broken{where}: {sentence}"
        super().__init__(f"{self.told}\nSee it again with {again.words}")
        self.law = law
        self.sentence = sentence
        self.again = again


@contextmanager
def telling(law: str, again: Again, where: Callable[[], str]) -> Iterator[None]:
    """Whatever goes wrong inside becomes a `StrategyFault` of that law; `where` is asked when it does."""
    try:
        yield
    except Broken as broken:
        raise StrategyFault(law, str(broken), where(), again) from None
    except StrategyFault:
        raise
    except Exception as fault:  # an edge: a strategy under test may raise anything
        sentence = f"{type(fault).__name__}: {fault} ({_line_of(fault)})"
        raise StrategyFault(law, sentence, where(), again) from fault


def _line_of(fault: BaseException) -> str:
    """The last line outside of AutoGrid that the exception came through, else the last of all."""
    frames = [(one.filename, one.lineno) for one in extract_tb(fault.__traceback__)]
    outside = [frame for frame in frames if OURS not in frame[0].replace("\\", "/") or "/strategies/" in frame[0]]
    name, line = (outside or frames)[-1]
    return f"{name}, line {line}"
