"""How a proposal reads in the terminal."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autogrid.backtesting.candle_faults import utc
from autogrid.services.proposals import Proposed, WindowRun, WindowsLeft
from autogrid.trading.money import text
from autogrid.trading.strategies.grid.auto_words import percent


def show(found: Proposed) -> None:
    """Print all of it but the commands."""
    console = Console(highlight=False)
    market, proposal, shown = found.market, found.proposal, found.shown
    console.print(f"\n [bold]A grid for {market.symbol}, {text(found.investment)} {market.quote}[/bold]")
    console.print(f" proposed from {found.timeframe} candles up to {utc(found.at_ms)} UTC\n")
    facts = Table.grid(padding=(0, 2))
    low, high = percent(shown.profit_low), percent(shown.profit_high)
    facts.add_row("  Range", f"{text(proposal.lower)} to {text(proposal.upper)} {market.quote}")
    facts.add_row("  Grids", str(proposal.grids))
    facts.add_row("  One round trip earns", f"{low if low == high else f'{low} to {high}'} after fees")
    facts.add_row("  Change at the lowest line", f"{_cents(shown.loss_at_lower)} {market.quote}")
    facts.add_row("  Least investment", f"{text(shown.least_investment)} {market.quote}")
    console.print(facts)
    _show_reasons(console, found)
    _show_runs(console, found)
    _show_left(console, found.left)
    if found.assumed:
        rules = ", ".join(f"{name.replace('_', ' ')} {text(getattr(market, name))}" for name in found.assumed)
        console.print()
        console.print(_indented(f"Rules of the market that nobody gave were assumed: {rules}.", 2))
    warnings = [said.en for said in (*proposal.warnings, *found.notes)] + list(shown.warnings)
    if warnings:
        console.print()
    for warning in warnings:
        console.print(_indented(Text.assemble(("! ", "yellow"), warning), 2))


def _show_reasons(console: Console, found: Proposed) -> None:
    console.print("\n [bold cyan]Why[/bold cyan]\n")
    for reason in found.proposal.reasons:
        console.print(_indented(Text.assemble((f"{reason.what.en}: ", ""), (reason.value, "bold")), 2))
        for words in (reason.formula, reason.why.en):
            if words:
                console.print(_indented(Text(words, "dim"), 6))


def _show_runs(console: Console, found: Proposed) -> None:
    console.print("\n [bold cyan]What such proposals would have done[/bold cyan]")
    console.print(" each made at the beginning of its window, from the days before it\n")
    if not found.runs:
        console.print("  The candles are too few for a window with 30 days before it.")
        return
    table = Table(box=None, padding=(0, 1, 0, 1), header_style="dim")
    for title in ("from", "range", "total", "holding", "deepest fall", "trips", "inside"):
        table.add_column(title, no_wrap=True, justify="left" if title in ("from", "range") else "right")
    for run in found.runs:
        table.add_row(*_cells(run))
    console.print(table)
    for run in found.runs:
        if run.refused is not None:
            console.print(_indented(f"{_day(run.start_ms)}: no grid, since {run.refused}", 2))
    totals = [Decimal(str(run.figures["total_profit"])) for run in found.runs if run.figures is not None]
    strict = [Decimal(run.through_profit) for run in found.runs if run.through_profit is not None]
    if totals:
        losing = sum(total < 0 for total in totals)
        worse = f"{_cents(sum(strict, Decimal(0)))}"
        console.print()
        console.print(
            _indented(
                f"Together {_cents(sum(totals, Decimal(0)))} {found.market.quote} in {len(totals)} windows of 30 days, "
                f"{losing} of them with a loss; {worse} if an order fills only one tick beyond its price.",
                2,
            )
        )


def _cells(run: WindowRun) -> tuple[str, ...]:
    proposal, figures = run.proposal, run.figures
    span = "–" if proposal is None else f"{text(proposal.lower)}–{text(proposal.upper)}"
    if figures is None:
        return (_day(run.start_ms), span, "–", "–", "–", "–", "–")
    return (
        _day(run.start_ms),
        span,
        _money(figures, "total_profit"),
        _money(figures, "hold_profit"),
        _share(figures["max_drawdown"]),
        str(figures["round_trips"]),
        _share(figures["time_in_range"]),
    )


def _show_left(console: Console, left: tuple[WindowsLeft, ...]) -> None:
    console.print("\n [bold cyan]How often the price left such a range[/bold cyan]\n")
    for one in left:
        if not one.windows:
            console.print(f"  within {one.days} days: the candles are too few to say")
            continue
        console.print(
            f"  within {one.days} days: {one.left} of {one.windows} windows ({one.share:.0%}); "
            f"below it in {one.below}, above in {one.above}"
        )


def _indented(words: Text | str, by: int) -> Padding:
    return Padding(words, (0, 0, 0, by), expand=False)


def _day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}"


def _money(figures: Mapping[str, object], key: str) -> str:
    return _cents(Decimal(str(figures[key])))


def _cents(number: Decimal) -> str:
    return f"{number.quantize(Decimal('0.01')):,}"


def _share(number: object) -> str:
    return "–" if number is None else f"{float(str(number)):.1%}"
