"""One request as the endpoints see it, and how they read its fields."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias, TypeVar
from urllib.parse import quote, unquote

from autogrid.simulator.bybit import codes
from autogrid.simulator.bybit.codes import UnableToAnswer
from autogrid.simulator.bybit.figures import Json, own_symbol
from autogrid.simulator.records import Key
from autogrid.simulator.world import World
from autogrid.trading.money import ZERO, UnableToReadFigure, figure

WEEK_MS: Final = 7 * 86_400_000
DAY_MS: Final = 86_400_000

T = TypeVar("T")
Place: TypeAlias = tuple[int, int]
"""Where something stands in a list."""


class Call(NamedTuple):
    """A request: what was sent, and by whom."""

    fields: Mapping[str, object]
    """Of the query, all text, or of the body."""
    key: Key

    @property
    def account(self) -> str:
        """Whose key it is."""
        return self.key.account


class Reply(NamedTuple):
    """What is answered."""

    result: Json
    more: Json | None = None
    """`retExtInfo`: how each order of a batch fared."""


def word(fields: Mapping[str, object], name: str) -> str:
    """A text field; empty where it is missing. Raises UnableToAnswer where it is no text."""
    told = fields.get(name)
    if told is None:
        return ""
    if not isinstance(told, str):
        raise UnableToAnswer(codes.BAD_REQUEST, f"Request parameter error: {name} is no string")
    return told


def amount(fields: Mapping[str, object], name: str) -> Decimal | None:
    """A figure above zero; None where it is missing or zero. Raises UnableToAnswer where it is none."""
    told = word(fields, name)
    if not told:
        return None
    try:
        number = figure(told)
    except UnableToReadFigure:
        number = Decimal(-1)
    if number < ZERO:
        raise UnableToAnswer(codes.BAD_FIELD, f"Data sent for paramter '{name}' is not valid.")
    return number or None


def whole(fields: Mapping[str, object], name: str, default: int, most: int) -> int:
    """A whole number from 1 to `most`. Raises UnableToAnswer."""
    told = str(fields.get(name) or default)
    if not told.isdigit() or not 1 <= int(told) <= most:
        raise UnableToAnswer(codes.BAD_REQUEST, f"Request parameter error: {name}")
    return int(told)


def only_spot(fields: Mapping[str, object]) -> None:
    """Raise UnableToAnswer where the request is about anything but spot."""
    if word(fields, "category") != "spot":
        raise UnableToAnswer(codes.BAD_REQUEST, "Request parameter error: category")


def symbol_of(world: World, fields: Mapping[str, object]) -> str:
    """The market, by our symbol; empty where none was named. Raises UnableToAnswer where there is no such."""
    name = word(fields, "symbol")
    if not name:
        return ""
    symbol = own_symbol(world, name)
    if not symbol:
        raise UnableToAnswer(*codes.REFUSALS["unknown-symbol"])
    return symbol


def span(fields: Mapping[str, object], now_ms: int) -> tuple[int, int]:
    """First and last ms asked for: a week at most, the last one unless said. Raises UnableToAnswer."""
    begin, end = (str(fields.get(name) or "") for name in ("startTime", "endTime"))
    if not all(one.isdigit() for one in (begin, end) if one):
        raise UnableToAnswer(codes.BAD_REQUEST, "Request parameter error: startTime or endTime")
    first = int(begin) if begin else (int(end) if end else now_ms) - WEEK_MS
    last = int(end) if end else first + WEEK_MS
    if last < first or last - first > WEEK_MS:
        raise UnableToAnswer(codes.BAD_REQUEST, "The time range between startTime and endTime cannot exceed 7 days")
    return first, last


def paged(
    found: Sequence[T],
    fields: Mapping[str, object],
    place_of: Callable[[T], Place],
    row_of: Callable[[T], Json],
    default: int,
    most: int,
) -> Json:
    """One page of what was `found`, which stands by its place, the greatest first, and the cursor of the next one.

    A cursor names the place of the last row told, so that what comes and goes meanwhile shifts nothing.
    """
    size = whole(fields, "limit", default, most)
    after = _place_in(word(fields, "cursor"))
    rest = [one for one in found if after is None or place_of(one) < after]
    page = rest[:size]
    following = ""
    if len(rest) > size:
        following = quote("{}:{},".format(*place_of(page[-1])), safe="")
    return {"category": "spot", "list": [row_of(one) for one in page], "nextPageCursor": following}


def _place_in(cursor: str) -> Place | None:
    """Cursors are told percent-encoded, and come back as they were told, decoded, or encoded once more."""
    if not cursor:
        return None
    first, colon, second = unquote(unquote(cursor)).rstrip(",").partition(":")
    if not (colon and first.isdigit() and second.isdigit()):
        raise UnableToAnswer(codes.BAD_REQUEST, "Request parameter error: cursor")
    return int(first), int(second)
