"""The demo's screen: one scene as a rich renderable of exactly the terminal's size.

Colours are the terminal's own sixteen, so that dark and light backgrounds both stay readable; what a colour says is
also said by a word.
"""

from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autogrid.cli.demo import words
from autogrid.cli.demo.panels import ahead_panel, chart_panel, fills_panel, ladder_panel, money_panel
from autogrid.cli.demo.scene import BUY, HEAD, QUIET, Scene, money, tone, trips

LEAST_WIDTH, LEAST_HEIGHT = 44, 12
TWO_COLUMNS = 76
"""From this width on the ladder has the rest at its side."""
LADDER_WIDTH = 76
"""A ladder needs no more."""


def screen(scene: Scene, width: int, height: int) -> RenderableType:
    """The whole screen, `width` by `height` characters."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return Text(words.TOO_SMALL.format(width=LEAST_WIDTH, height=LEAST_HEIGHT))
    head = _head(scene, width, idea=height >= 30)
    body = height - len(head) - 1
    middle = _wide(scene, width, body) if width >= TWO_COLUMNS else _narrow(scene, width, body)
    return Group(*head, middle, _foot(scene, width))


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
    lines = [_title(scene.picture.symbol, width), _source(scene, width), _state(scene, width)]
    if idea:
        sentence = words.IDEA if width > len(words.IDEA) + 2 else words.IDEA_SHORT
        lines[2:2] = [Text(""), Text(f" {sentence}", QUIET, no_wrap=True, overflow="ellipsis")]
    return lines


def _title(symbol: str, width: int) -> Text:
    """The longest form that leaves room for saying that no money is at stake."""
    for about in (words.WHAT, words.WHAT_SHORT):
        title = Text.assemble((f" {words.TITLE}", HEAD), f" · {about.format(symbol=symbol)}")
        for paper in (words.PAPER, words.PAPER_SHORT):
            if title.cell_len + len(paper) + 3 <= width:
                return _ends(title, Text(paper, "bold green"), width)
    return _ends(Text(f" {words.PAPER_SHORT} · {symbol}", "bold green"), Text(""), width)


def _source(scene: Scene, width: int) -> Text:
    tag, style, about = {
        "made-up": (words.MADE_UP, "bold black on yellow", words.MADE_UP_WHY),
        "live": (words.LIVE, "bold black on green", words.LIVE_FROM.format(exchange=scene.source)),
        "tape": (words.TAPE, "bold black on cyan", scene.source),
    }[scene.kind]
    if scene.kind == "made-up" and scene.source:
        about = words.MADE_UP_ASKED.format(seed=scene.source)
    return _ends(Text.assemble(" ", (f" {tag} ", style), f" {about}"), Text(scene.pace, QUIET), width)


def _state(scene: Scene, width: int) -> Text:
    picture = scene.picture
    if scene.trouble:
        return _ends(Text(f" ● {words.TROUBLE.format(why=scene.trouble)}", "bold yellow"), Text(""), width)
    fine = picture.state in ("running", "opening", "new", "waiting")
    said = words.PRICES_OVER if scene.over and picture.state != "ended" else picture.state_words
    state = Text.assemble((" ● ", BUY if fine else "bold yellow"), (said[:1].upper() + said[1:], HEAD))
    if picture.state == "running" and not scene.over and picture.round_trips:
        earned = f"{money(scene, picture.grid_profit, signed=True)} {picture.quote_asset}"
        state.append(words.EARNED.format(trips=trips(picture.round_trips)))
        state.append(earned, tone(picture.grid_profit))
    return _ends(state, Text(""), width)


def _foot(scene: Scene, width: int) -> Text:
    elapsed = words.ELAPSED.format(elapsed=scene.elapsed)
    left = Text.assemble(" ", (f" {words.QUIT} ", "reverse"), (f"  {elapsed}", QUIET))
    at = datetime.fromtimestamp(scene.picture.at_ms / 1000, UTC)
    return _ends(left, Text(f"{at:%d %b %Y %H:%M:%S} UTC", QUIET), width)


def _wide(scene: Scene, width: int, height: int) -> RenderableType:
    right = max(34, min(56, width * 44 // 100), width - LADDER_WIDTH)
    left = width - right
    chart = 0 if height < 18 else 4 if height < 24 else max(7, height // 4)
    account = 9 if height > 15 else 7
    side: list[RenderableType] = [chart_panel(scene, right, chart)] if chart else []
    side.append(money_panel(scene, right, account))
    side.append(fills_panel(scene, right, height - chart - account))
    grid = Table.grid(padding=0)
    grid.add_column(width=left)
    grid.add_column(width=right)
    grid.add_row(_left(scene, left, height), Group(*side))
    return grid


def _left(scene: Scene, width: int, height: int) -> RenderableType:
    """The ladder, and where it leaves room, what happens next."""
    needs = len(scene.picture.rungs) + 4
    if not scene.picture.rungs or height - needs < 6:
        return ladder_panel(scene, width, height)
    return Group(ladder_panel(scene, width, needs), ahead_panel(scene, width, height - needs))


def _narrow(scene: Scene, width: int, height: int) -> RenderableType:
    fills = 5 if height >= 15 else 0
    parts: list[RenderableType] = [_sums(scene, width), ladder_panel(scene, width, height - 1 - fills)]
    if fills:
        parts.append(fills_panel(scene, width, fills))
    return Group(*parts)


def _sums(scene: Scene, width: int) -> Text:
    """The money in one line, for a narrow screen."""
    picture = scene.picture
    line = Text(" ")
    for label, amount in (
        (words.TOTAL_SHORT, picture.total_profit),
        (words.GRID_SHORT, picture.grid_profit),
        (words.TREND, picture.trend_profit),
        (words.HOLDING_SHORT, picture.hold_profit),
    ):
        line.append(f"{label} ", QUIET).append(money(scene, amount, signed=True), tone(amount)).append("  ")
    return _ends(line, Text(picture.quote_asset, QUIET), width)
