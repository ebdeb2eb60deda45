"""Whether a strategy is a pure function: asked twice it says the same, and it changes nothing."""

import ast
import inspect
from pathlib import Path
from typing import Any, Final, cast

from autogrid.testing.fault import Broken
from autogrid.testing.pictures import globals_picture, has_changed, memory_picture, object_picture
from autogrid.trading.plan import Wish
from autogrid.trading.strategies.strategy import AnyStrategy

ASKED: Final = (
    *("start", "look", "hear", "learn", "targets", "revise", "stop", "asked", "signalled", "funded", "edited"),
    *("tally", "start_price", "status"),
)
MEMORY: Final = frozenset({"start", "look", "hear", "learn", "stop", "asked", "signalled", "funded"})
"""What gives a memory."""
OUTSIDE: Final = frozenset(
    {
        *("asyncio", "http", "multiprocessing", "os", "pathlib", "random", "requests", "secrets", "shutil", "socket"),
        *("sqlite3", "subprocess", "tempfile", "threading", "time", "urllib", "uuid"),
    }
)
"""Modules that read a clock, chance or the outside world."""
SELDOM: Final = 8
"""A memory that stays the same object is looked at once in so many calls."""


class Twice:
    """A strategy that is asked everything twice."""

    def __init__(self, strategy: AnyStrategy) -> None:
        self._strategy = strategy
        self._last: object = None
        self._count = 0

    def __getattr__(self, name: str) -> Any:
        """As the strategy; its methods are watched."""
        found = getattr(self._strategy, name)
        if name not in ASKED:
            return found

        def ask(*given: Any, **named: Any) -> Any:
            return self._ask(name, given, named)

        return ask

    def _ask(self, name: str, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        strategy, method = self._strategy, getattr(self._strategy, name)
        memories = given[: 2 if name == "revise" else 1]
        self._count += 1
        if memories and memories[0] is self._last and self._count % SELDOM:
            memories = ()  # its picture was looked at a moment ago, and will be again
        elif memories:
            self._last = memories[0]
        before = [memory_picture(one) for one in memories]
        names, held = set(vars(strategy)), object_picture(vars(strategy))
        one = method(*given, **named)
        if [memory_picture(memory) for memory in memories] != before:
            raise Broken(f"{name}() changed the memory that it was given; use memory._replace(…)")
        two = method(*given, **named)
        if one != two:
            raise Broken(f"{name}() answered differently when asked the same twice:\n  {one}\n  {two}")
        if set(vars(strategy)) != names or has_changed(held, object_picture(vars(strategy))):
            raise Broken(f"{name}() changed the strategy itself; all that changes belongs into the memory")
        if name in MEMORY:
            _must_be_memory(name, one)
        if name == "look" and one is not given[0] and one == given[0]:
            raise Broken("look() gave a new memory that says the same; give back the same one, or each tick is kept")
        if name == "targets" and not isinstance(one, Wish):
            raise Broken(f"targets() gave a {type(one).__name__}; it must be a Wish")
        return (Twice(one[0]), one[1]) if name == "edited" else one


def _must_be_memory(name: str, memory: object) -> None:
    if not isinstance(memory, tuple) or not hasattr(memory, "_fields"):
        raise Broken(f"{name}() gave a {type(memory).__name__}; a memory is a NamedTuple")
    memory_picture(memory)


def twice(strategy: AnyStrategy) -> AnyStrategy:
    """The strategy, watched."""
    return cast("AnyStrategy", Twice(strategy))


class Surroundings:
    """The data around a strategy's class, which must stay as they are."""

    def __init__(self, strategy: AnyStrategy) -> None:
        self._kind = type(strategy)
        self._before = globals_picture(self._kind)

    def must_be_unchanged(self) -> None:
        """Raises `Broken` where the class or its module holds something else now."""
        after = globals_picture(self._kind)
        changed = [name for name in self._before.keys() | after.keys() if self._before.get(name) != after.get(name)]
        if changed:
            raise Broken(f"it changed {min(changed)}; all that changes belongs into the memory")


def must_read_nothing(strategy: AnyStrategy) -> None:
    """Raises `Broken` where the file of the strategy takes in a clock, chance or the outside world."""
    file = inspect.getsourcefile(type(strategy))
    if file is None or not Path(file).is_file():
        return
    for node in ast.walk(ast.parse(Path(file).read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module)):
                modules = [module]
            case ast.Call(func=ast.Attribute(attr="now" | "utcnow" | "today" as called)):
                raise Broken(f"{Path(file).name}, line {node.lineno}: {called}(): time comes with the view, at_ms")
            case ast.Call(func=ast.Name(id="open" | "print" | "input" as called)):
                raise Broken(f"{Path(file).name}, line {node.lineno}: {called}(): a strategy does no input or output")
            case _:
                continue
        for module in modules:
            if module.split(".")[0] in OUTSIDE:
                raise Broken(
                    f"{Path(file).name}, line {node.lineno}: imports {module}; a strategy looks at its memory and the "
                    "view, and at nothing else"
                )
