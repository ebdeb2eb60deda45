"""Strategies of the user's own: files in `<data folder>/strategies/`, and entry points of installed packages.

A file defines `ENTRY`, or several as `ENTRIES`; so does what an entry point of the group `autogrid.strategies` names.
Such a file is a program with all rights of the person who runs it; nothing confines it. One that cannot be used never
takes the program down: what is wrong is told, with the file, the line and what to change, and the rest works.
"""

import re
import sys
from collections.abc import Callable, Iterable
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from traceback import extract_tb
from types import CodeType
from typing import Final, NamedTuple, TypeVar

from autogrid.storage.codecs import learn
from autogrid.trading.strategies.catalogue import CATALOGUE, Entry, UnableToAddStrategy, add
from autogrid.trading.strategies.fields import Field

FOLDER: Final = "strategies"
"""In the data folder."""
GROUP: Final = "autogrid.strategies"
NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
BUILT_IN: Final = dict(CATALOGUE)
"""What stood in the catalogue before anything was added."""

_LOADED: Final[dict[str, tuple[str, ...]]] = {}
"""What was loaded in this process, with the names of its strategies: files by their path, entry points by name."""

Found = TypeVar("Found")


class Fault(NamedTuple):
    """A file or an entry point that cannot be used."""

    where: str
    """Such as `dip.py, line 12`."""
    sentence: str
    """What is wrong, and what to change."""

    def __str__(self) -> str:
        """For a person."""
        return f"{self.where}: {self.sentence}"


class Loaded(NamedTuple):
    """What came of looking for strategies."""

    names: tuple[str, ...]
    faults: tuple[Fault, ...]


def load_own_strategies(data_dir: Path) -> Loaded:
    """Put every strategy of the user's own into the catalogue, once in a process."""
    names: list[str] = []
    faults: list[Fault] = []
    for path in strategy_files(data_dir):
        _load(str(path.resolve()), path.name, path, names, faults)
    for point in sorted(entry_points(group=GROUP)):
        _load(f"{GROUP}:{point.name}", f"entry point {point.name} = {point.value}", point, names, faults)
    return Loaded(tuple(names), tuple(faults))


def strategy_files(data_dir: Path) -> list[Path]:
    """The files that are looked at: not those that begin with `_`, `.` or `test_`."""
    found = (data_dir / FOLDER).glob("*.py")
    return sorted(path for path in found if not path.name.startswith(("_", ".", "test_")))


def entries_of(source: Path | EntryPoint) -> tuple[Entry, ...]:
    """The strategies that a file or an entry point defines, checked, not yet in the catalogue.

    Raises whatever the user's code raises, and `UnableToAddStrategy`.
    """
    if isinstance(source, EntryPoint):
        found: object = source.load()
    else:
        module = _module(source)
        found = getattr(module, "ENTRIES", None) or getattr(module, "ENTRY", None)
    if found is None:
        raise UnableToAddStrategy("no ENTRY is defined; write ENTRY = Entry(…) at the end of the file")
    several = (found,) if isinstance(found, Entry) else found
    if not isinstance(several, Iterable) or isinstance(several, str):
        raise UnableToAddStrategy(f"ENTRY is a {type(found).__name__}; it must be an Entry of the catalogue")
    entries = tuple(several)
    for entry in entries:
        check_entry(entry)
    return entries


def check_entry(entry: object) -> None:
    """Raises `UnableToAddStrategy` for an entry that cannot stand in the catalogue."""
    if not isinstance(entry, Entry):
        raise UnableToAddStrategy(f"{entry!r} is no Entry of autogrid.trading.strategies.catalogue")
    if NAME.fullmatch(str(entry.name)) is None:
        raise UnableToAddStrategy(f"the name {entry.name!r} is not allowed; take small letters, digits and _")
    if BUILT_IN.get(entry.name, entry) is not entry:
        raise UnableToAddStrategy(f"a strategy named '{entry.name}' is there already; give yours another name")
    if not all(isinstance(field, Field) for field in entry.fields):
        raise UnableToAddStrategy(f"the fields of {entry.name} must be a tuple of Field(…)")
    keys = [key for field in entry.fields for key in (field.key, *field.aliases)]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise UnableToAddStrategy(f"the key {twice[0]} of {entry.name} stands there twice; rename one")
    if not callable(entry.build):
        raise UnableToAddStrategy(f"the build of {entry.name} must be the class of the strategy")
    if not all(isinstance(record, type) for record in entry.records):
        raise UnableToAddStrategy(f"the records of {entry.name} must be the classes of its memory")


def _load(key: str, where: str, source: Path | EntryPoint, names: list[str], faults: list[Fault]) -> None:
    """Load one source, and note what came of it."""
    if key not in _LOADED:
        found = _attempted(where, source, lambda: _enter(entries_of(source)))
        if isinstance(found, Fault):
            faults.append(found)
            return
        _LOADED[key] = found
    names += _LOADED[key]


def entries_or_fault(path: Path) -> tuple[Entry, ...] | Fault:
    """As `entries_of`, of a file; what is wrong with it is given back, not raised."""
    return _attempted(path.name, path, lambda: entries_of(path))


def _attempted(where: str, source: Path | EntryPoint, attempt: Callable[[], Found]) -> Found | Fault:
    """What `attempt` gives, which runs the code of `source`."""
    try:
        return attempt()
    except UnableToAddStrategy as refusal:
        return Fault(where, str(refusal))
    except (Exception, SystemExit) as fault:  # an edge: the user's code may raise anything
        return _fault(where, source, fault)


def _enter(entries: tuple[Entry, ...]) -> tuple[str, ...]:
    """Put checked entries into the catalogue, and their records among what can be kept: all or none."""
    names = [entry.name for entry in entries]
    for name in names:
        if name in CATALOGUE or names.count(name) > 1:
            raise UnableToAddStrategy(f"a strategy named '{name}' is there already; give yours another name")
    learn([record for entry in entries for record in entry.records])
    for entry in entries:
        add(entry)
    return tuple(names)


def _fault(where: str, source: Path | EntryPoint, fault: BaseException) -> Fault:
    """What the user's code raised, with the line where it did."""
    path = str(source) if isinstance(source, Path) else ""
    if isinstance(fault, SyntaxError) and fault.filename == path:
        line = fault.lineno
    else:
        line = next((one.lineno for one in reversed(extract_tb(fault.__traceback__)) if one.filename == path), None)
    said = fault.msg if isinstance(fault, SyntaxError) else str(fault)
    sentence = f"{type(fault).__name__}: {said}; correct it there, then try again"
    return Fault(where if line is None else f"{where}, line {line}", " ".join(sentence.split()))


class _Fresh(SourceFileLoader):
    """Reads the source each time and writes no cache: a file that was just saved is never taken for the old one."""

    def get_code(self, fullname: str) -> CodeType:
        """The compiled source as it is now."""
        return self.source_to_code(self.get_data(self.get_filename(fullname)), self.path)


def _module(path: Path) -> object:
    """The file as a module, which stays among those of the process: type hints are looked up there."""
    name = f"autogrid_own_{re.sub(r'[^a-zA-Z0-9_]', '_', path.stem)}"
    while name in sys.modules and getattr(sys.modules[name], "__file__", "") != str(path):
        name += "_"
    spec: ModuleSpec | None = spec_from_loader(name, _Fresh(name, str(path)))
    assert spec is not None, "a loader was given"
    assert spec.loader is not None, "a loader was given"
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
