"""The demo's screen: one picture of a bot as a rich renderable of exactly the terminal's size.

Colours are the terminal's own sixteen, so that dark and light backgrounds both stay readable; what a colour says is
also said by a word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from autogrid.cli import demo_words as words
from autogrid.cli.demo_ladder import ladder
from autogrid.cli.demo_prices import Kind
from autogrid.services.picture import Picture
from autogrid.trading.market import Market
from autogrid.trading.money import text

LEAST_WIDTH, LEAST_HEIGHT = 44, 12
BUY, SELL, QUIET, HEAD = "green", "red", "dim", "bold"
BLOCKS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Spot:
    """One column of the price chart."""

    price: float
    side: str = ""
    """`buy` or `sell` where the bot traded then."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the screen shows."""

    picture: Picture
    market: Market
    kind: Kind
    source: str
    pace: str
    elapsed: str
    spots: Sequence[Spot] = ()
    fresh: bool = False
    """Whether the last trade was only just made: it is lit up."""
    over: bool = False
    """Whether no more prices come."""
    trouble: str = ""
    """What is wrong with the prices; empty where nothing is."""


def screen(scene: Scene, width: int, height: int) -> RenderableType:
    """The whole screen, `width` by `height` characters."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return Text(words.TOO_SMALL.format(width=LEAST_WIDTH, height=LEAST_HEIGHT))
    head = _head(scene, width, idea=height >= 30)
    body = height - len(head) - 1
    middle = _wide(scene, width, body) if width >= 76 else _narrow(scene, width, body)
    return Group(*head, middle, _foot(scene, width))


def money(scene: Scene, amount: Decimal, *, signed: bool = False) -> str:
    """An amount of quote, with as many decimals as the investment's size asks for."""
    put_in = scene.picture.investment
    decimals = 2 if put_in >= 100 else 4 if put_in >= 1 else 8
    return f"{amount:{'+' if signed and round(amount, decimals) else ''},.{decimals}f}"


def trips(count: int) -> str:
    """So many round trips, in words."""
    return words.TRIP if count == 1 else words.TRIPS.format(count=count)


def _ends(left: Text, right: Text, width: int) -> Text:
    """One line: `left` at its left end, `right` at its right end where it fits."""
    line = left.copy()
    room = width - 2 - left.cell_len
    if room > right.cell_len:
        line.append(" " * (room - right.cell_len + 1))
        line.append_text(right)
    line.truncate(width, overflow="ellipsis")
    line.no_wrap = True
    return line


def _head(scene: Scene, width: int, *, idea: bool) -> list[Text]:
    picture = scene.picture
    title = Text.assemble((f" {words.TITLE}", HEAD), f" · {words.WHAT.format(symbol=picture.symbol)}")
    short = width < title.cell_len + len(words.PAPER) + 4
    paper = Text(words.PAPER_SHORT if short else words.PAPER, "bold green")
    tag, style, about = {
        "made-up": (words.MADE_UP, "bold black on yellow", _made_up(scene)),
        "live": (words.LIVE, "bold black on green", words.LIVE_FROM.format(exchange=scene.source)),
        "tape": (words.TAPE, "bold black on cyan", words.TAPE_FROM.format(source=scene.source)),
    }[scene.kind]
    source = Text.assemble(" ", (f" {tag} ", style), f" {about}")
    lines = [_ends(title, paper, width), _ends(source, Text(scene.pace, QUIET), width), _state(scene, width)]
    if idea:
        sentence = words.IDEA if width > len(words.IDEA) + 2 else words.IDEA_SHORT
        lines.insert(2, Text(f" {sentence}", QUIET, no_wrap=True, overflow="ellipsis"))
        lines.insert(2, Text(""))
    return lines


def _made_up(scene: Scene) -> str:
    return words.MADE_UP_ASKED.format(seed=scene.source) if scene.source else words.MADE_UP_WHY


def _state(scene: Scene, width: int) -> Text:
    picture = scene.picture
    if scene.trouble:
        return _ends(Text(f" ● {words.TROUBLE.format(why=scene.trouble)}", "bold yellow"), Text(""), width)
    fine = picture.state in ("running", "opening", "new", "waiting")
    said = words.PRICES_OVER if scene.over and picture.state != "ended" else picture.state_words
    state = Text.assemble((" ● ", BUY if fine else "bold yellow"), (said[:1].upper() + said[1:], HEAD))
    if picture.state == "running" and not scene.over and picture.round_trips:
        state.append(f": {trips(picture.round_trips)} earned ")
        state.append(
            f"{money(scene, picture.grid_profit, signed=True)} {picture.quote_asset}", tone(picture.grid_profit)
        )
    return _ends(state, Text(""), width)


def _foot(scene: Scene, width: int) -> Text:
    left = Text.assemble(
        " ", (f" {words.QUIT} ", "reverse"), (f"  {words.ELAPSED.format(elapsed=scene.elapsed)}", QUIET)
    )
    at = datetime.fromtimestamp(scene.picture.at_ms / 1000, UTC)
    return _ends(left, Text(f"{at:%d %b %Y %H:%M:%S} UTC", QUIET), width)


def _wide(scene: Scene, width: int, height: int) -> RenderableType:
    right = max(34, min(56, width * 44 // 100))
    left = width - right
    chart = 4 if height < 24 else 7 if height < 34 else 9
    account = 9 if height > 15 else 7
    grid = Table.grid(padding=0)
    grid.add_column(width=left)
    grid.add_column(width=right)
    side: list[RenderableType] = []
    if height >= 18:
        side.append(_chart(scene, right, chart))
        side.append(_money(scene, right, account))
        side.append(_fills(scene, right, height - chart - account))
    else:
        side.append(_money(scene, right, account))
        side.append(_fills(scene, right, height - account))
    grid.add_row(_left(scene, left, height), Group(*side))
    return grid


def _left(scene: Scene, width: int, height: int) -> RenderableType:
    """The ladder, and where it leaves room, what happens next."""
    needs = len(scene.picture.rungs) + 4
    if not scene.picture.rungs or height - needs < 6:
        return _ladder(scene, width, height)
    return Group(_ladder(scene, width, needs), _ahead(scene, width, height - needs))


def _ahead(scene: Scene, width: int, height: int) -> Panel:
    picture = scene.picture
    sentences = []
    for side, sentence in (("buy", words.IF_FALLS), ("sell", words.IF_RISES)):
        orders = [order for order in picture.orders if order.side == side]
        if orders:
            order = orders[0] if side == "buy" else orders[-1]
            line = price_text(order.price, scene.market)
            sentences.append(sentence.format(line=line, quantity=text(order.quantity), base=picture.base_asset))
    sentences += [reason[:1].upper() + reason[1:] + "." for reason in picture.reasons]
    body = Text("\n").join(Text(f"· {sentence}") for sentence in [*sentences, words.NOTE_GRID])
    return _panel(body, words.AHEAD, width, height)


def _narrow(scene: Scene, width: int, height: int) -> RenderableType:
    parts: list[RenderableType] = [_sums(scene, width)]
    rest = height - 1
    fills = 5 if rest >= 14 else 0
    parts.append(_ladder(scene, width, rest - fills))
    if fills:
        parts.append(_fills(scene, width, fills))
    return Group(*parts)


def _panel(body: RenderableType, title: str, width: int, height: int, note: str = "", under: str = "") -> Panel:
    head = Text(title, "bold not dim")
    if note and len(title) + len(note) + 8 < width:
        head.append(f"  {note}", "not bold")
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


def _ladder(scene: Scene, width: int, height: int) -> Panel:
    rungs = len(scene.picture.rungs)
    body = ladder(scene.picture, scene.market, width - 4, height - 2, fresh=scene.fresh)
    return _panel(body, words.LADDER, width, height, words.LADDER_OF.format(cells=rungs) if rungs else "")


def _chart(scene: Scene, width: int, height: int) -> Panel:
    rows, room = height - 2, width - 4
    picture = scene.picture
    title = f"{words.PRICE_TITLE} {'' if picture.price is None else price_text(picture.price, scene.market)}"
    move = "" if picture.move is None else f"{picture.move * 100:+.2f} %"
    spots = scene.spots[-room:]
    under = ""
    if rows > 3 and spots:
        low, high = (Decimal(repr(find(s.price for s in spots))) for find in (min, max))
        under = f"{price_text(low, scene.market)} … {price_text(high, scene.market)}"
    return _panel(chart(spots, rows), title, width, height, move, under)


def chart(spots: Sequence[Spot], rows: int) -> Text:
    """The price over time as columns of blocks; a column where the bot traded bears the side's colour."""
    low, high = min((s.price for s in spots), default=0.0), max((s.price for s in spots), default=0.0)
    span = high - low
    steps = [round(2 + (s.price - low) / span * (rows * 8 - 2)) if span else rows * 4 for s in spots]
    out = Text(no_wrap=True)
    for row in range(rows - 1, -1, -1):
        for spot, level in zip(spots, steps, strict=True):
            style = {"buy": BUY, "sell": SELL}.get(spot.side, "blue")
            out.append(BLOCKS[max(0, min(8, level - row * 8))], style)
        if row:
            out.append("\n")
    return out


def _money(scene: Scene, width: int, height: int) -> Panel:
    picture = scene.picture
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    if width >= 48:
        table.add_column(style=QUIET, no_wrap=True, overflow="ellipsis", max_width=width - 4 - 23)
    share = picture.total_profit / picture.investment * 100
    rows: list[tuple[str, Decimal | None, str]] = [
        (words.GRID, picture.grid_profit, words.GRID_NOTE.format(trips=trips(picture.round_trips))),
        (words.TREND, picture.trend_profit, words.TREND_NOTE),
        (words.TOTAL, picture.total_profit, f"{share:+.2f} %"),
        (words.HOLDING, picture.hold_profit, words.HOLDING_NOTE.format(base=picture.base_asset)),
    ]
    wide = width >= 48
    put_in = f"{money(scene, picture.investment)} {picture.quote_asset}" if wide else ""
    first = Text(money(scene, picture.equity), HEAD)
    table.add_row(words.WORTH, first, *([f"of {put_in}"] if wide else []))
    for label, amount, note in rows:
        assert amount is not None
        strong = "bold " if label == words.TOTAL else ""
        shown = Text(money(scene, amount, signed=True), f"{strong}{tone(amount)}".strip())
        table.add_row(Text(label, strong.strip()), shown, *([note] if wide else []))
    if height < 9:
        return _panel(table, f"{words.MONEY} ({picture.quote_asset})", width, height)
    fees = Text.assemble(f"{words.FEES}  ", (fees_text(picture), QUIET))
    fees.truncate(width - 4, overflow="ellipsis")
    return _panel(Group(table, Text(""), fees), f"{words.MONEY} ({picture.quote_asset})", width, height)


def fees_text(picture: Picture) -> str:
    """Fees by asset, the small ones short."""
    paid = [
        f"{fee:,.2f} {asset}" if asset == picture.quote_asset else f"{text(round(fee, 7))} {asset}"
        for asset, fee in picture.fees.items()
        if fee
    ]
    return " + ".join(paid) or words.FEES_NONE


def _sums(scene: Scene, width: int) -> Text:
    """The money in one line, for a narrow screen."""
    picture = scene.picture
    line = Text(" ")
    for label, amount in (
        (words.TOTAL.split()[0], picture.total_profit),
        (words.GRID.split()[0], picture.grid_profit),
        (words.TREND, picture.trend_profit),
        (words.HOLDING.split()[-1], picture.hold_profit),
    ):
        line.append(f"{label} ", QUIET).append(money(scene, amount, signed=True), tone(amount)).append("  ")
    return _ends(line, Text(picture.quote_asset, QUIET), width)


def _fills(scene: Scene, width: int, height: int) -> Panel:
    picture = scene.picture
    if not picture.fills:
        return _panel(Text(words.NO_TRADES, QUIET, overflow="ellipsis"), words.FILLS, width, height)
    table = Table.grid(padding=(0, 1, 0, 0))
    for justify in ("left", "left", "right", "right", "right"):
        table.add_column(justify=justify, no_wrap=True)
    for index, fill in enumerate(picture.fills[: max(0, height - 2)]):
        at = datetime.fromtimestamp(fill.at_ms / 1000, UTC)
        lit = "reverse " if index == 0 and scene.fresh else ""
        bought = fill.side == "buy"
        cells = [
            Text(f"{at:%H:%M}" if width < 48 else f"{at:%d %b %H:%M}", QUIET),
            Text(words.BOUGHT if bought else words.SOLD, f"{lit}{BUY if bought else SELL}"),
            Text(price_text(fill.price, scene.market)),
            Text("" if fill.profit is None else money(scene, fill.profit, signed=True), tone(fill.profit)),
        ]
        if width >= 48:
            cells.insert(2, Text(text(fill.quantity)))
        table.add_row(*cells)
    return _panel(table, words.FILLS, width, height)


def price_text(price: Decimal, market: Market) -> str:
    """A price with the market's decimals."""
    decimals = max(0, -int(market.tick.normalize().as_tuple().exponent))
    return f"{price:,.{decimals}f}"


def tone(amount: Decimal | None) -> str:
    """The colour of a gain or a loss."""
    return "" if not amount else BUY if amount > 0 else SELL
