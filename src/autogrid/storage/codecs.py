"""How each type of field becomes what JSON holds, and back: a codec for every kind of record, from its type hints.

The codecs are made once, when this is imported; a field of a type that none is known for fails there and then.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from decimal import Decimal
from math import isfinite
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Final, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin, get_type_hints

from autogrid.trading import event
from autogrid.trading.candle import Bucket, Candle
from autogrid.trading.ledger import Draw, Ledger, Pool
from autogrid.trading.market import Market, ThirdAsset
from autogrid.trading.money import text
from autogrid.trading.order import Order
from autogrid.trading.plan import Backoff, Bounds, Cancel, Fund, Place, Target, Wish
from autogrid.trading.risk import Holds, Limits, Mark, Refused, RiskState, Trip
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.catalogue import CATALOGUE, UnableToAddStrategy
from autogrid.trading.strategies.strategy import AnyStrategy, Strategy

KINDS: Final[dict[str, type]] = {
    kind.__name__: kind
    for kind in (
        *(event.Tick, event.Sending, event.Accepted, event.Rejected, event.Filled, event.Cancelled, event.Expired),
        *(event.Unclear, event.Missing, event.Started, event.FeedSilent, event.FeedBack, event.PauseAsked),
        *(event.ResumeAsked, event.StopAsked, event.KillAsked, event.EditAsked, event.ActionAsked),
        *(event.FundsAsked, event.SignalCame, event.CandleClosed),
        *(Order, Ledger, Pool, Draw, Market, ThirdAsset),
        *(Target, Bounds, Wish, Place, Cancel, Fund, Backoff),
        *(Limits, Refused, Trip, Mark, RiskState, Holds),
        *(Candle, Bucket),
        *(record for entry in CATALOGUE.values() for record in entry.records),
        *(BotState, Step),
    )
}
"""Every kind of record that can be written. Their names stand in databases. `learn` adds the user's own."""

Rebuild: TypeAlias = Callable[[str, Mapping[str, str]], AnyStrategy]
"""A strategy from its name and configuration."""
Writer: TypeAlias = Callable[[Any], object]
Reader: TypeAlias = Callable[[object, Rebuild], Any]


class UnableToReadRecord(ValueError):
    """A text that was kept is not a record as this version writes it. The sentence says what would help."""

    code = "unreadable-record"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}. It was written by another version of AutoGrid, or the database is damaged: "
            "start the version that wrote it, or restore a backup."
        )


class Codec(NamedTuple):
    """How a value of one type becomes what JSON holds, and back."""

    write: Writer
    read: Reader


def write_any(record: object) -> dict[str, object]:
    """A record of any kind, with its kind."""
    codec = _RECORDS.get(type(record).__name__)
    assert codec is not None, f"{type(record).__name__} is no record that can be written; add it to KINDS"
    written = codec.write(record)
    assert isinstance(written, dict)
    return written


def read_any(value: object, rebuild: Rebuild) -> object:
    """The record that `write_any` wrote. Raises `UnableToReadRecord`."""
    kind = _kind_of(value)
    if kind not in _RECORDS:
        raise UnableToReadRecord(f"'{kind}' is no kind of record that is known; is the file of its strategy gone?")
    return _RECORDS[kind].read(value, rebuild)


def _kind_of(value: object) -> str:
    kind = value.get("record") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) else ""


def codec_for(hint: Any) -> Codec:
    """The codec of a field with that type hint."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if hint in KINDS.values():
        return _known(hint.__name__)
    return _composed(hint)


def _composed(hint: Any) -> Codec:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _as_is(str, inner)
    if origin in (Union, UnionType):
        return _either(inner)
    if origin is Mapping:
        return mapping_of(codec_for(inner[1]))
    if origin is frozenset:
        return _several(codec_for(inner[0]), frozenset, sort=True)
    if origin is tuple:
        return _several(codec_for(inner[0]), tuple, None if inner[-1] is ... else len(inner))
    if origin is Strategy:
        return Codec(_write_strategy, _read_strategy)
    raise TypeError(f"no way is known to write a field of type {hint}")


def fields_of(kind: type) -> dict[str, Codec]:
    """The codec of each field of a record, in order."""
    hints = get_type_hints(kind)
    names = [field.name for field in dataclass_fields(kind) if field.init] if is_dataclass(kind) else list(hints)
    return {name: codec_for(hints[name]) for name in names}


def _record(kind: type) -> Codec:
    tag, fields = kind.__name__, fields_of(kind)
    values: Callable[[Any], tuple[object, ...]] = tuple
    if is_dataclass(kind):
        values = attrgetter(*fields)
    writers = [(name, codec.write) for name, codec in fields.items()]
    readers = [(name, codec.read) for name, codec in fields.items()]
    expected = {"record", *fields}

    def write(record: object) -> dict[str, object]:
        written: dict[str, object] = {"record": tag}
        for (name, field), value in zip(writers, values(record), strict=True):
            written[name] = field(value)
        return written

    def read(value: object, rebuild: Rebuild) -> object:
        if not isinstance(value, dict) or value.get("record") != tag:
            raise UnableToReadRecord(f"{_kind_of(value) or repr(value)} stands where {tag} is expected")
        if value.keys() != expected:
            strange = ", ".join(sorted(value.keys() ^ expected))
            raise UnableToReadRecord(f"A record of the kind {tag} has other fields than it should: {strange}")
        return kind(*[field(value[name], rebuild) for name, field in readers])

    return Codec(write, read)


def _known(tag: str) -> Codec:
    """The codec of a kind, looked up when it is used: kinds may stand in each other, in any order."""

    def write(record: object) -> object:
        assert type(record).__name__ == tag, f"{record!r} is no {tag}"
        return _RECORDS[tag].write(record)

    def read(value: object, rebuild: Rebuild) -> object:
        return _RECORDS[tag].read(value, rebuild)

    return Codec(write, read)


def _write_figure(value: Decimal) -> str:
    assert type(value) is Decimal, f"{value!r} is no figure of money"
    assert value.is_finite(), f"{value!r} is no figure of money"
    return text(value)


def _read_figure(value: object, _: Rebuild) -> Decimal:
    if type(value) is str and value.isascii() and value.removeprefix("-").replace(".", "", 1).isdecimal():
        return Decimal(value)
    raise UnableToReadRecord(f"{value!r} is not a figure of money")


def _write_ratio(value: object) -> object:
    assert type(value) is float, f"{value!r} is no float"
    assert isfinite(value), f"{value!r} is no number that can be kept"
    return value


def _read_ratio(value: object, _: Rebuild) -> float:
    if type(value) is not float or not isfinite(value):
        raise UnableToReadRecord(f"{value!r} stands where a finite float is expected")
    return value


def _as_is(kind: type, allowed: tuple[object, ...] = ()) -> Codec:
    def write(value: object) -> object:
        assert type(value) is kind, f"{value!r} is no {kind.__name__}"
        return value

    def read(value: object, _: Rebuild) -> object:
        if type(value) is not kind or (allowed and value not in allowed):
            raise UnableToReadRecord(f"{value!r} stands where {allowed or kind.__name__} is expected")
        return value

    return Codec(write, read)


def _either(hints: tuple[Any, ...]) -> Codec:
    """Nothing, or one of several kinds of record, or a value of one other type."""
    records = {hint.__name__: codec_for(hint) for hint in hints if hint in KINDS.values()}
    others = [codec_for(hint) for hint in hints if hint is not NoneType and hint not in KINDS.values()]
    optional = NoneType in hints
    assert len(others) <= 1, f"{hints} cannot be told apart"
    other = others[0] if others else None

    def write(value: object) -> object:
        if value is None and optional:
            return None
        codec = records.get(type(value).__name__, other)
        assert codec is not None, f"{value!r} is none of {list(records)}"
        return codec.write(value)

    def read(value: object, rebuild: Rebuild) -> object:
        if value is None and optional:
            return None
        codec = records.get(_kind_of(value), other)
        if codec is None:
            raise UnableToReadRecord(f"{_kind_of(value) or repr(value)} stands where one of {[*records]} is expected")
        return codec.read(value, rebuild)

    return Codec(write, read)


def mapping_of(inner: Codec) -> Codec:
    """The codec of a table of such values by name; their order is kept."""

    def write(value: Mapping[str, object]) -> object:
        return {name: inner.write(one) for name, one in value.items()}

    def read(value: object, rebuild: Rebuild) -> object:
        if not isinstance(value, dict):
            raise UnableToReadRecord(f"{value!r} stands where a table is expected")
        return {name: inner.read(one, rebuild) for name, one in value.items()}

    return Codec(write, read)


def _several(inner: Codec, make: Callable[[Any], object], length: int | None = None, *, sort: bool = False) -> Codec:
    def write(value: Any) -> object:
        return [inner.write(one) for one in (sorted(value) if sort else value)]

    def read(value: object, rebuild: Rebuild) -> object:
        if not isinstance(value, list) or (length is not None and len(value) != length):
            raise UnableToReadRecord(f"{value!r} stands where a list is expected")
        return make(inner.read(one, rebuild) for one in value)

    return Codec(write, read)


_PLAIN: Final[Mapping[Any, Codec]] = {
    Decimal: Codec(_write_figure, _read_figure),
    str: _as_is(str),
    int: _as_is(int),
    bool: _as_is(bool),
    float: Codec(_write_ratio, _read_ratio),
    Any: Codec(write_any, read_any),
}

CONFIGURATION: Final = mapping_of(_PLAIN[str])


def _write_strategy(strategy: AnyStrategy) -> object:
    return {"strategy": strategy.name, "config": CONFIGURATION.write(strategy.config)}


def _read_strategy(value: object, rebuild: Rebuild) -> AnyStrategy:
    if not isinstance(value, dict) or value.keys() != {"strategy", "config"}:
        raise UnableToReadRecord(f"{value!r} stands where a strategy is expected")
    return rebuild(value["strategy"], CONFIGURATION.read(value["config"], rebuild))


_RECORDS: Final[dict[str, Codec]] = {tag: _record(kind) for tag, kind in KINDS.items()}


def learn(kinds: Sequence[type]) -> tuple[type, ...]:
    """Make kinds of the user's own storable, all of them or none; those that were not known before.

    Raises `UnableToAddStrategy` for a name that is taken, and for a field that cannot be kept.
    """
    new = {kind.__name__: kind for kind in kinds if KINDS.get(kind.__name__) is not kind}
    for name, kind in new.items():
        if name in KINDS:
            raise UnableToAddStrategy(f"a record named {name} is there already; give yours another name")
        if not issubclass(kind, tuple) or not hasattr(kind, "_fields"):
            raise UnableToAddStrategy(f"{name} is no NamedTuple; records of a memory derive from NamedTuple")
    KINDS.update(new)
    try:
        _RECORDS.update({name: _record_of_own(kind) for name, kind in new.items()})
    except UnableToAddStrategy:
        forget(tuple(new.values()))
        raise
    return tuple(new.values())


def forget(kinds: Sequence[type]) -> None:
    """Undo `learn`."""
    for kind in kinds:
        KINDS.pop(kind.__name__, None)
        _RECORDS.pop(kind.__name__, None)


def _record_of_own(kind: type) -> Codec:
    """As `_record`, with a sentence for who wrote the kind."""
    try:
        hints = get_type_hints(kind)
    except (NameError, TypeError, SyntaxError) as fault:
        raise UnableToAddStrategy(f"the types of the fields of {kind.__name__} cannot be read: {fault}") from None
    for name, hint in hints.items():
        try:
            _check_own(hint)
            codec_for(hint)
        except (TypeError, AssertionError, IndexError):
            raise UnableToAddStrategy(
                f"the field {name} of {kind.__name__} is a {getattr(hint, '__name__', hint)}, which cannot be kept; "
                "kept are Decimal, str, int, bool, float, records that stand in `records`, tuple[X, ...], "
                "frozenset[X], Mapping[str, X], Literal of texts, and X | None"
            ) from None
    return _record(kind)


def _check_own(hint: Any) -> None:
    """Raises TypeError for what looks as if it could be kept, and would not come back as it was."""
    origin, inner = get_origin(hint), get_args(hint)
    crooked = (
        (origin is Mapping and inner[0] is not str)
        or (origin is tuple and len({one for one in inner if one is not ...}) != 1)
        or (origin is Literal and not all(type(one) is str for one in inner))
        or (origin is None and hint not in _PLAIN and hint not in KINDS.values())
    )
    if crooked and hint is not NoneType:
        raise TypeError(f"no way is known to write {hint}")
    for one in inner if origin is not Literal else ():
        if one is not ...:
            _check_own(one)
