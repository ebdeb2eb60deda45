"""The boxes of the demo's screen, each drawn to a given width and height."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from autogrid.backtesting.result import FillRow
from autogrid.cli.demo import words
from autogrid.cli.demo.ladder import ladder, shows_trips
from autogrid.cli.demo.scene import BUY, HEAD, QUIET, SELL, Scene, Spot, money, price_text, tone, trips
from autogrid.services.picture import Picture
from autogrid.services.picture_words import EMPTY_LINE
from autogrid.trading.money import text

BLOCKS = " ▁▂▃▄▅▆▇█"
ROOMY = 48
"""A box of this width has room for notes."""


def panel(
    body: RenderableType, title: Text | str, width: int, height: int, *, note: str = "", under: str = ""
) -> Panel:
    """A box with a title, a quieter note beside it, and a word under it."""
    head = Text("", "not dim").append_text(Text(title, HEAD) if isinstance(title, str) else title)
    if note and head.cell_len + len(note) + 8 < width:
        head.append(f"  {note}", QUIET)
    return Panel(
        body,
        box=ROUNDED,
        title=head,
        title_align="left",
        subtitle=Text(under) if under else None,
        subtitle_align="right",
        border_style=QUIET,
        width=width,
        height=height,
    )


def ladder_panel(scene: Scene, width: int, height: int) -> Panel:
    """The lines with their orders, and the price between them."""
    picture = scene.picture
    body = ladder(picture, scene.market, width - 4, height - 2, fresh=scene.fresh)
    note = ""
    if picture.rungs:
        dots = shows_trips(picture, scene.market, width - 4)
        note = (words.LADDER_DOTS if dots else words.LADDER_OF).format(cells=len(picture.rungs))
    return panel(body, words.LADDER, width, height, note=note)


def ahead_panel(scene: Scene, width: int, height: int) -> Panel:
    """What the bot does next, and why there is no order where there is none."""
    table = Table.grid(padding=(0, 1, 0, 0))
    for sentence in (*_next_orders(scene), *_reasons(scene), words.NOTE_GRID):
        table.add_row(Text("·", QUIET), Text(sentence))
    return panel(table, words.AHEAD, width, height)


def _next_orders(scene: Scene) -> Iterator[str]:
    picture = scene.picture
    buys = [order for order in picture.orders if order.side == "buy"]
    sells = [order for order in picture.orders if order.side == "sell"]
    for found, sentence in ((buys[:1], words.IF_FALLS), (sells[-1:], words.IF_RISES)):
        for order in found:
            line, quantity = price_text(order.price, scene.market), text(order.quantity)
            yield sentence.format(line=line, quantity=quantity, base=picture.base_asset)


def _reasons(scene: Scene) -> Iterator[str]:
    """The picture's, the one about the free line in the form of this screen's prices."""
    picture = scene.picture
    lines = {rung.floor for rung in picture.rungs} | {rung.roof for rung in picture.rungs}
    free = {EMPTY_LINE.format(line=text(line)): price_text(line, scene.market) for line in lines}
    for reason in picture.reasons:
        said = EMPTY_LINE.format(line=free[reason]) if reason in free else reason
        yield f"{said[:1].upper()}{said[1:]}."


def chart_panel(scene: Scene, width: int, height: int) -> Panel:
    """The price over time."""
    rows, picture = height - 2, scene.picture
    title = Text(words.PRICE_TITLE, HEAD)
    if picture.price is not None:
        title.append(f" {price_text(picture.price, scene.market)}")
    if picture.move is not None:
        title.append(f"  {picture.move * 100:+.2f} %", f"not bold {tone(picture.move)}".strip())
    spots, under = scene.spots[4 - width :], ""
    if rows > 3 and spots:
        low, high = (Decimal(repr(find(spot.price for spot in spots))) for find in (min, max))
        under = f"{price_text(low, scene.market)} … {price_text(high, scene.market)}"
    return panel(chart(spots, rows), title, width, height, under=under)


def chart(spots: Sequence[Spot], rows: int) -> Text:
    """Columns of blocks, `rows` high; one in which the bot traded bears the side's colour."""
    low, high = min((s.price for s in spots), default=0.0), max((s.price for s in spots), default=0.0)
    span = high - low
    levels = [round(2 + (s.price - low) / span * (rows * 8 - 2)) if span else rows * 4 for s in spots]
    out = Text(no_wrap=True)
    for row in range(rows - 1, -1, -1):
        for spot, level in zip(spots, levels, strict=True):
            style = {"buy": BUY, "sell": SELL}.get(spot.side, "blue")
            out.append(BLOCKS[max(0, min(8, level - row * 8))], style)
        if row:
            out.append("\n")
    return out


def money_panel(scene: Scene, width: int, height: int) -> Panel:
    """What it is worth and where that came from; the fees where there is room."""
    picture, wide = scene.picture, width >= ROOMY
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    if wide:
        table.add_column(style=QUIET, no_wrap=True, overflow="ellipsis")
    for label, shown, note in _money_rows(scene):
        table.add_row(label, shown, *([note] if wide else []))
    body: list[RenderableType] = [table]
    if height >= 9:
        body.append(_fees(picture, wide=wide))
    return panel(Group(*body), f"{words.MONEY} ({picture.quote_asset})", width, height)


def _money_rows(scene: Scene) -> Iterator[tuple[Text, Text, str]]:
    picture = scene.picture
    put_in = f"{money(scene, picture.investment)} {picture.quote_asset}"
    yield Text(words.WORTH), Text(money(scene, picture.equity), HEAD), words.WORTH_NOTE.format(put_in=put_in)
    share = picture.total_profit / picture.investment * 100
    for label, amount, note in (
        (words.GRID, picture.grid_profit, words.GRID_NOTE.format(trips=trips(picture.round_trips))),
        (words.TREND, picture.trend_profit, words.TREND_NOTE),
        (words.TOTAL, picture.total_profit, f"{share:+.2f} %"),
        (words.HOLDING, picture.hold_profit, words.HOLDING_NOTE.format(base=picture.base_asset)),
    ):
        strong = HEAD if label == words.TOTAL else ""
        yield Text(label, strong), Text(money(scene, amount, signed=True), f"{strong} {tone(amount)}".strip()), note


def _fees(picture: Picture, *, wide: bool) -> Text:
    """Fees by asset: in one line, or where that is too narrow in one line each."""
    paid = [
        f"{fee:,.2f} {asset}" if asset == picture.quote_asset else f"{text(round(fee, 7))} {asset}"
        for asset, fee in picture.fees.items()
        if fee
    ]
    lines = Text(f"\n{words.FEES}    " if wide else f"{words.FEES}    ")
    return lines.append((" + " if wide else "\n" + " " * 13).join(paid) or words.FEES_NONE, QUIET)


def fills_panel(scene: Scene, width: int, height: int) -> Panel:
    """The last trades, newest first."""
    picture = scene.picture
    if not picture.fills:
        return panel(Text(words.NO_TRADES, QUIET), words.FILLS, width, height)
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for _ in range(3 if width >= ROOMY else 2):
        table.add_column(justify="right", no_wrap=True)
    for index, fill in enumerate(picture.fills[: max(0, height - 2)]):
        table.add_row(*_fill(scene, fill, width >= ROOMY, lit=index == 0 and scene.fresh))
    return panel(table, words.FILLS, width, height)


def _fill(scene: Scene, fill: FillRow, wide: bool, *, lit: bool) -> list[Text]:
    at = datetime.fromtimestamp(fill.at_ms / 1000, UTC)
    bought = fill.side == "buy"
    style = f"{'reverse ' if lit else ''}{BUY if bought else SELL}"
    profit = Text("" if fill.profit is None else money(scene, fill.profit, signed=True), tone(fill.profit))
    if fill.slot.startswith("open"):
        profit = Text(words.TO_BEGIN, QUIET)
    return [
        Text(f"{at:%d %b %H:%M}" if wide else f"{at:%H:%M}", QUIET),
        Text(words.BOUGHT if bought else words.SOLD, style),
        *([Text(text(fill.quantity))] if wide else []),
        Text(price_text(fill.price, scene.market)),
        profit,
    ]
