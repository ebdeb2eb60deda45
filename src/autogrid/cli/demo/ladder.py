"""The ladder: a grid's lines from the top, each with its order, and the price moving between them."""

from collections.abc import Iterator
from typing import NamedTuple

from rich.text import Text

from autogrid.cli.demo import words
from autogrid.cli.demo.scene import BUY, QUIET, SELL, decimals_of
from autogrid.services.picture import OrderSeen, Picture, Rung
from autogrid.trading.market import Market
from autogrid.trading.money import Price, text


class Row(NamedTuple):
    """One line of the grid."""

    line: Price
    order: OrderSeen | None
    says: str
    """Why there is no order, where there is none."""
    trips: int
    """Round trips of the cell whose order it is."""


def rows_of(picture: Picture) -> list[Row]:
    """Every line from the top, with its order or with why there is none."""
    rows: list[Row] = []
    lines = sorted({rung.floor for rung in picture.rungs} | {rung.roof for rung in picture.rungs}, reverse=True)
    wanted: dict[Price, list[Rung]] = {}
    for rung in picture.rungs:
        wanted.setdefault(rung.floor if rung.phase in ("empty", "waiting") else rung.roof, []).append(rung)
    for line in lines:
        rungs = wanted.get(line, [])
        rows += [Row(line, rung.order, "" if rung.order else _missing(rung), rung.trips) for rung in rungs]
        if not rungs:
            rows.append(Row(line, None, words.FREE_LINE, 0))
    return rows


def _missing(rung: Rung) -> str:
    if rung.phase == "waiting":
        return words.WAITS
    if rung.phase == "opening":
        return words.COMES
    return words.HELD_BACK.format(side=words.BUY if rung.phase == "empty" else words.SELL)


def ladder(picture: Picture, market: Market, width: int, height: int, *, fresh: bool) -> Text:
    """The ladder in `width` by `height` characters: the lines around the price, the others counted."""
    out = Text(no_wrap=True, overflow="crop")
    if not picture.rungs:
        return out.append(words.NO_PRICE if picture.price is None else picture.state_words, QUIET)
    rows, price = rows_of(picture), picture.price
    mark = sum(1 for row in rows if price is not None and row.line > price)
    last = picture.fills[0].price if picture.fills and fresh else None
    shape = _shape(rows, picture, market, width)
    shown = [_line(row, picture, shape, lit=row.line == last) for row in rows]
    if price is not None:
        shown.insert(mark, _marker(rows, mark, price, shape))
    return Text("\n", no_wrap=True, overflow="crop").join(_window(shown, mark, height))


def shows_trips(picture: Picture, market: Market, width: int) -> bool:
    """Whether there is room for a dot for each round trip."""
    return bool(picture.rungs) and _shape(rows_of(picture), picture, market, width).trips


def _window(shown: list[Text], mark: int, height: int) -> Iterator[Text]:
    """As many as fit around the price, with a count of those that do not."""
    if len(shown) <= height:
        yield from shown
        return
    start = min(max(0, mark - height // 2), len(shown) - height)
    above, below = start, len(shown) - start - height
    first, last = start + (1 if above else 0), start + height - (1 if below else 0)
    if above:
        yield Text(f"  ↑ {words.MORE_ABOVE.format(count=above + 1)}", QUIET)
    yield from shown[first:last]
    if below:
        yield Text(f"  ↓ {words.MORE_BELOW.format(count=below + 1)}", QUIET)


class _Shape(NamedTuple):
    """How wide the columns are."""

    width: int
    decimals: int
    price: int
    quantity: int
    value: bool
    distance: bool
    trips: bool


def _shape(rows: list[Row], picture: Picture, market: Market, width: int) -> _Shape:
    decimals = decimals_of(market)
    prices = [row.line for row in rows] + ([picture.price] if picture.price is not None else [])
    price = max(len(f"{one:,.{decimals}f}") for one in prices)
    quantity = max((len(text(row.order.quantity)) for row in rows if row.order), default=4)
    used = 4 + price + 2 + 4 + 1 + quantity + 1 + len(picture.base_asset)
    return _Shape(
        width,
        decimals,
        price,
        quantity,
        value=width >= used + 9 + 15,
        distance=width >= used + 9,
        trips=width >= used + 9 + 15 + 6,
    )


def _line(row: Row, picture: Picture, shape: _Shape, *, lit: bool) -> Text:
    price = f"{row.line:>{shape.price},.{shape.decimals}f}"
    if row.order is None:
        line = Text.assemble((f"  {price}  ", QUIET))
        return line.append(row.says, QUIET if row.says == words.FREE_LINE else "yellow")
    order = row.order
    style = BUY if order.side == "buy" else SELL
    name = words.BUY if order.side == "buy" else words.SELL
    line = Text.assemble(("▌ ", style), (price, "reverse" if lit else ""), "  ", (f"{name:<4}", style))
    line.append(f" {text(order.quantity):>{shape.quantity}} {picture.base_asset}")
    if order.status not in ("working", "partial"):
        return line.append(f"  {order.words}", QUIET)
    if order.filled:
        return line.append(f"  {order.words}: {text(order.filled)}", QUIET)
    if shape.value:
        line.append(f"{order.price * order.quantity:>10,.2f} {picture.quote_asset}", QUIET)
    if shape.distance and picture.price:
        line.append(f" {(order.price / picture.price - 1) * 100:>+6.2f} %", QUIET)
    if shape.trips and row.trips:
        line.append(f"  {'•' * min(row.trips, 5)}{'' if row.trips <= 5 else row.trips}", "cyan")
    return line


def _marker(rows: list[Row], mark: int, price: Price, shape: _Shape) -> Text:
    """The price, and how far it stands on its way from the line below (left) to the line above (right)."""
    line = Text.assemble(("▶ ", "bold"), (f"{price:>{shape.price},.{shape.decimals}f}", "bold reverse"), " ")
    room = shape.width - line.cell_len - 1
    if room < 6:
        return line
    if 0 < mark < len(rows):
        above, below = rows[mark - 1].line, rows[mark].line
        share = (price - below) / (above - below)
        at = int(share * (room - 1))
        line.append("─" * at, QUIET).append("●", "bold").append("─" * (room - 1 - at), QUIET)
        return line
    return line.append("─" * room, QUIET)
