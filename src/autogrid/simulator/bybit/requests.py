"""One request as the endpoints see it, and how they read its fields."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from autogrid.simulator.bybit import codes
from autogrid.simulator.bybit.codes import UnableToAnswer
from autogrid.simulator.bybit.figures import Json, own_symbol
from autogrid.simulator.records import Key
from autogrid.simulator.world import World
from autogrid.trading.money import ZERO, UnableToReadFigure, figure

WEEK_MS: Final = 7 * 86_400_000
DAY_MS: Final = 86_400_000


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


def paged(rows: list[Json], fields: Mapping[str, object], id_name: str, default: int, most: int) -> Json:
    """One page of `rows`, which are sorted newest first, and the cursor of the next one.

    A cursor names the last row told, so that rows that come meanwhile shift nothing.
    """
    size = whole(fields, "limit", default, most)
    cursor = unquote(unquote(word(fields, "cursor")))
    after = cursor.removeprefix("page_token=").rstrip("&")
    places = [place for place, row in enumerate(rows) if row[id_name] == after]
    if after and not places:
        raise UnableToAnswer(codes.BAD_REQUEST, "Request parameter error: cursor")
    page = rows[places[0] + 1 :] if places else rows
    more = len(page) > size
    page = page[:size]
    following = quote(f"page_token={page[-1][id_name]}&", safe="") if more else ""
    return {"category": "spot", "list": page, "nextPageCursor": following}
