"""The summary of a backtest in the terminal, for a person who has never seen one.

It says first what would have become of the money and what holding alone would have made, then where it came
from, what it took to bear it, and how far to trust it. In a file or a pipe it is plain text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autogrid.backtesting.result import FillRow, Result

ENTRIES = 5
"""Of a strategy that says why it buys, so many of the last purchases are listed."""

_GOOD, _BAD, _QUIET, _HEAD = "green", "red", "dim", "bold cyan"


def summary_text(result: Result, width: int = 80) -> str:
    """The summary as plain text, `width` characters wide, without colours."""
    out = StringIO()
    console = Console(file=out, width=width, color_system=None, legacy_windows=False)
    console.print(summary(result))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def summary(result: Result) -> RenderableType:
    """The summary for a rich console, which takes the colours out where the output is no terminal."""
    figures = _Figures(result.summary)
    parts = [
        _headline(figures),
        _section("Where it came from", _sources(figures)),
        _section("What it took", _risks(figures)),
        _section("The trades", _trades(figures)),
        *_entries(figures, result.fills),
        *_honesty(figures),
        *_notes(figures),
    ]
    return Group(*parts)


def harmless(words: str) -> str:
    """`words` in one line, without the signs that steer a terminal or turn the order of letters round."""
    return "".join(sign if sign.isprintable() else " " if sign.isspace() else "\ufffd" for sign in words)


@dataclass(frozen=True, slots=True)
class _Figures:
    """The summary's values as a person reads them; what is missing or None reads `n/a`."""

    summary: Mapping[str, object]

    def inner(self, key: str) -> Mapping[str, object]:
        value = self.summary.get(key)
        return value if isinstance(value, Mapping) else {}

    def number(self, key: str) -> Decimal | None:
        return _decimal(self.summary.get(key))

    @property
    def is_grid(self) -> bool:
        return self.summary.get("strategy") == "grid"

    @property
    def quote(self) -> str:
        return str(self.inner("market").get("quote") or "quote")

    @property
    def base(self) -> str:
        return str(self.inner("market").get("base") or "coins")

    def money(self, value: Decimal | None, *, signed: bool = False) -> str:
        """With as many decimals as the investment's size asks for, more where it would read as nothing."""
        if value is None:
            return "n/a"
        start = self.number("equity_start") or Decimal(1000)
        decimals = 2 if start >= 100 else 4 if start >= 1 else 8
        if value and not round(value, decimals):
            decimals = 8
        return f"{value:{'+' if signed and value else ''},.{decimals}f}"

    def price(self, value: Decimal | None) -> str:
        """With the decimals of the market's price step."""
        step = _decimal(self.inner("market").get("tick"))
        if value is None or step is None:
            return self.money(value)
        return f"{value:,.{max(0, -int(step.normalize().as_tuple().exponent))}f}"

    def share(self, key: str, *, signed: bool = False) -> str:
        value = self.number(key)
        return "n/a" if value is None else f"{value * 100:{'+' if signed else ''},.2f} %"

    def ratio(self, key: str) -> str:
        value = self.number(key)
        return "n/a" if value is None else f"{value:,.2f}"

    def count(self, key: str) -> str:
        return f"{int(self.number(key) or 0):,}"

    def fees(self) -> str:
        paid = [f"{_trim(_decimal(amount))} {asset}" for asset, amount in self.inner("fees").items()]
        return " + ".join(paid) or "none"


def _headline(figures: _Figures) -> RenderableType:
    total, hold = figures.number("total_profit"), figures.number("hold_profit")
    start, end = figures.number("equity_start"), figures.number("equity_end")
    candles = figures.inner("candles")
    symbol = figures.inner("market").get("symbol") or f"{figures.base}/{figures.quote}"
    span = f"{_day(candles.get('from'))} to {_day(candles.get('to'))}"
    rows = f"{int(_decimal(candles.get('rows')) or 0):,} candles of {candles.get('timeframe') or '?'}"
    gain = f"{figures.money(total, signed=True)} {figures.quote} ({figures.share('return', signed=True)})"
    text = Text.assemble(
        (f"Backtest · {figures.summary.get('strategy', 'strategy')} on {symbol}", "bold"),
        (f"\n{span} · {rows}\n\n", _QUIET),
        f"{figures.money(start)} {figures.quote} would have become ",
        (f"{figures.money(end)} {figures.quote}", "bold"),
        "\nThat is ",
        (gain, _tone(total)),
        ". Just holding would have made ",
        (figures.money(hold, signed=True), _tone(hold)),
        ".",
    )
    if total is not None and hold is not None:
        better = total - hold
        text.append(f"\nThe bot did {figures.money(abs(better))} {figures.quote} ")
        text.append("better" if better >= 0 else "worse", _tone(better))
        text.append(" than holding.")
    return Padding(text, (1, 1, 0, 1))


def _sources(figures: _Figures) -> Table:
    grid, trend, total = (figures.number(f"{name}_profit") for name in ("grid", "trend", "total"))
    table = _table()
    title = "Grid profit" if figures.is_grid else "Closed trades"
    count = figures.count("round_trips")
    what = "round trips" if figures.is_grid else "of them"
    earned = f"what {count} {what} earned" if count != "0" else "none closed"
    table.add_row(title, _signed(figures, grid), earned)
    table.add_row("Trend", _signed(figures, trend), f"what the {figures.base} still held gained or lost")
    table.add_row("Total", _signed(figures, total), "both together, with all fees taken off")
    table.add_row("Fees paid", "", figures.fees())
    return table


def _risks(figures: _Figures) -> Table:
    days = figures.number("max_drawdown_days")
    lasted = "" if days is None else f"; up to {days:,.1f} days below a peak"
    table = _table()
    table.add_row("Deepest fall", figures.share("max_drawdown"), f"from an earlier peak{lasted}")
    table.add_row("In coins", figures.share("exposure"), f"of the worth, on average, stood in {figures.base}")
    if figures.number("time_in_range") is not None:
        table.add_row("In range", figures.share("time_in_range"), "of candles closed within the bounds")
    best, worst = (figures.share(key, signed=True) for key in ("best_day", "worst_day"))
    table.add_row("Swing a year", figures.share("volatility"), f"best day {best}, worst day {worst}")
    ratios = f"Sortino {figures.ratio('sortino')}, Calmar {figures.ratio('calmar')}; gain for the risk borne"
    if figures.number("sharpe") is None:
        ratios = "needs 30 whole days with ups and downs"
    table.add_row("Sharpe", figures.ratio("sharpe"), ratios)
    return table


def _trades(figures: _Figures) -> Table:
    table = _table()
    orders = f"{figures.count('orders_placed')} orders placed, {figures.count('orders_cancelled')} cancelled"
    table.add_row("Fills", figures.count("fills"), orders)
    won = "Trips won" if figures.is_grid else "Trades won"
    table.add_row(won, figures.share("win_rate"), _averages(figures))
    if "open_position" in figures.summary:
        table.add_row("Still open", *_still_open(figures))
    if figures.number("win_rate") is not None:
        table.add_row("Just holding", _signed(figures, figures.number("hold_profit")), "with the same money")
    quote, base = figures.number("quote"), figures.number("base")
    left = f"{figures.money(quote)} {figures.quote} + {_trim(base)} {figures.base}"
    table.add_row("Left at the end", "", left)
    return table


def _averages(figures: _Figures) -> str:
    """The mean win and loss, and the loss that no closed trade shows because it is not taken yet."""
    said = [
        f"average {says} {figures.money(value, signed=True)} {figures.quote}"
        for says, value in (("win", figures.number("avg_win")), ("loss", figures.number("avg_loss")))
        if value is not None
    ]
    unrealised = _decimal(figures.inner("open_position").get("unrealised"))
    if unrealised is not None and unrealised < 0:
        said.append(f"not counted: {figures.money(unrealised, signed=True)} {figures.quote} still open")
    return ", ".join(said) or "none closed"


def _still_open(figures: _Figures) -> tuple[Text | str, str]:
    """What the coins still held gained or lost so far, and what they are."""
    held = figures.inner("open_position")
    if not held:
        return "", "nothing, less than a lot is left" if figures.number("base") else "nothing, no coins are left"
    unrealised = _decimal(held.get("unrealised"))
    kind = "nothing gained or lost yet" if not unrealised else f"{'gain' if unrealised > 0 else 'loss'} not taken yet"
    coins = f"{_trim(_decimal(held.get('base')))} {figures.base}"
    average = f"{figures.price(_decimal(held.get('average_cost')))} {figures.quote}"
    return _signed(figures, unrealised), f"{kind}: {coins}, bought at {average} on average"


def _entries(figures: _Figures, fills: Sequence[FillRow]) -> Iterable[RenderableType]:
    """The last purchases with their reasons, where the strategy gives any."""
    bought = [fill for fill in fills if fill.side == "buy" and fill.why]
    if figures.is_grid or not bought:
        return
    said: list[RenderableType] = []
    for fill in bought[-ENTRIES:]:
        at = f"{datetime.fromtimestamp(fill.at_ms / 1000, UTC):%d %b %Y %H:%M}"
        what = f"  {_trim(fill.quantity)} {figures.base} at {figures.price(fill.price)} {figures.quote}"
        said += [Text.assemble((at, _QUIET), what), Padding(Text(harmless(fill.why), _QUIET), (0, 0, 0, 3))]
    if len(bought) > ENTRIES:
        said.append(Text(f"These are the last {ENTRIES} of {len(bought):,}; the page and result.json list every fill."))
    yield _section("The last purchases, and why", Group(*said))


_COMPARED = ("total_profit", "grid_profit", "round_trips")


def _honesty(figures: _Figures) -> Iterable[RenderableType]:
    """The same run under stricter assumptions, and from other starts; the truth lies most likely between."""
    band = figures.inner("band")
    runs: list[tuple[str, object]] = [("the price touches it", figures.summary)]
    runs.append(("the price goes one tick beyond it", figures.summary.get("through")))
    runs.append(("touched, candles walked in reverse", band.get("reversed")))
    known = [(says, run) for says, run in runs if isinstance(run, Mapping)]
    parts: list[RenderableType] = []
    if len(known) > 1:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style=_QUIET)
        table.add_column("An order fills when …", width=34)
        for title in ("total", "grid", "round trips") if figures.is_grid else ("total", "closed", "trades"):
            table.add_column(title, justify="right", min_width=11)
        for says, run in known:
            table.add_row(says, *(_compared(figures, key, _decimal(run.get(key))) for key in _COMPARED))
        parts.append(table)
    if starts := _starts(figures):
        parts.append(Padding(starts, (1 if parts else 0, 0, 0, 0)))
    if parts:
        yield _section("How sure is this?", Group(*parts))


def _starts(figures: _Figures) -> Text | None:
    """How much hangs on the day of the start; None where that was not tried."""
    starts = figures.inner("starts")
    runs, losing = (int(_decimal(starts.get(key)) or 0) for key in ("runs", "losing"))
    if not runs:
        return None
    lowest, median, highest = (_signed(figures, _decimal(starts.get(key))) for key in ("lowest", "median", "highest"))
    return Text.assemble(
        f"Much may hang on the day of the start. Begun at {runs} times in the first half of the candles, "
        "each run going on to the end, it makes ",
        lowest,
        " to ",
        highest,
        f" {figures.quote}, the middle one ",
        median,
        "; ",
        (f"{losing} of {runs} lost money" if losing else f"none of {runs} lost money", _BAD if losing else ""),
        ".",
    )


def _compared(figures: _Figures, key: str, value: Decimal | None) -> Text | str:
    if value is not None and key == "round_trips":
        return f"{int(value):,}"
    return _signed(figures, value)


def _notes(figures: _Figures) -> Iterable[RenderableType]:
    market, candles = figures.inner("market"), figures.inner("candles")
    notes = []
    if market.get("assumed"):
        named = market.get("assumed_rules")
        assumed = named if isinstance(named, Sequence) else [key for _, key in _RULES]
        rules = ", ".join(f"{says} {market.get(key)}" for says, key in _RULES if key in assumed)
        notes.append(f"Rules of the market that nobody gave were assumed: {rules}.")
    gaps = candles.get("gaps")
    holes = len(gaps) if isinstance(gaps, (list, tuple)) else int(_decimal(gaps) or 0)
    if holes:
        notes.append(f"Gaps in the candles: {holes:,}; each was walked as one jump.")
    warnings = figures.summary.get("warnings")
    notes += [str(each) for each in warnings] if isinstance(warnings, Sequence) else []
    if notes:
        table = Table.grid(padding=(0, 1))
        for note in notes:
            table.add_row(Text("!", "bold yellow"), Text(harmless(note)))
        yield _section("Good to know", table)
    elapsed = _decimal(figures.summary.get("elapsed_s"))
    took = "" if elapsed is None else f" Worked out in {elapsed:,.2f} s."
    yield Padding(Text(f"The past does not repeat itself.{took}", _QUIET), (1, 1))


_RULES = (("price step", "tick"), ("smallest lot", "lot"), ("least order", "min_notional"))


def _section(title: str, body: RenderableType) -> RenderableType:
    return Group(Padding(Text(title, _HEAD), (1, 1, 0, 1)), Padding(body, (0, 1, 0, 3)))


def _table() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=15)
    table.add_column(justify="right", min_width=11)
    table.add_column(style=_QUIET)
    return table


def _signed(figures: _Figures, value: Decimal | None) -> Text:
    return Text(figures.money(value, signed=True), _tone(value))


def _tone(value: Decimal | None) -> str:
    return "" if not value else _GOOD if value > 0 else _BAD


def _decimal(value: object) -> Decimal | None:
    """Text, int or float of the summary as a figure; floats by their shortest text."""
    return None if value is None else Decimal(str(value))


def _trim(value: Decimal | None) -> str:
    if value is None:
        return "n/a"
    return f"{value:,.8f}".rstrip("0").rstrip(".")


def _day(value: object) -> str:
    """A time of the summary as a day; ms since 1970 and ISO 8601 are both met with."""
    if isinstance(value, int):
        return f"{datetime.fromtimestamp(value / 1000, UTC):%d %b %Y}"
    try:
        return f"{datetime.fromisoformat(str(value)):%d %b %Y}"
    except ValueError:
        return str(value)
