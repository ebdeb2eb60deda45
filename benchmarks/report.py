"""What the benchmarks found, as tables for the terminal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.commands import Timed
from benchmarks.measure import Result


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that AutoGrid wants to reach."""

    what: str
    reached: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure is on the right side of its limit."""
        return self.reached >= self.limit if self.at_least else self.reached <= self.limit


def comparison(results: Sequence[Result], baseline: Result | None) -> str:
    """One row for each contender; the ratio is its median over AutoGrid's of the same run."""
    head = (
        "contender",
        "version",
        "cold s",
        "median ms",
        "best ms",
        "CPU ms",
        "ratio",
        "fills",
        "equity",
        "peak MiB",
    )
    return table(head, [row(result, baseline) for result in results])


def row(result: Result, baseline: Result | None) -> tuple[str, ...]:
    """The cells of a contender's row."""
    ratio = f"{result.seconds_median / baseline.seconds_median:,.2f}" if baseline else "-"
    return (
        result.name,
        result.version,
        f"{result.seconds_cold:,.2f}",
        f"{1e3 * result.seconds_median:,.1f}",
        f"{1e3 * result.seconds:,.1f}",
        f"{1e3 * result.cpu_seconds:,.1f}",
        ratio,
        f"{result.fills:,}",
        f"{result.final_equity:,.2f}",
        f"{result.peak_mib:,.0f}",
    )


def commands(timed: Iterable[Timed]) -> str:
    """One row for each command, process start to exit."""
    head = ("command", "median s", "best s", "CPU s", "peak MiB", "fills")
    rows = [
        (
            run.name,
            f"{run.seconds_median:.3f}",
            f"{run.seconds:.3f}",
            f"{run.cpu_seconds:.3f}",
            f"{run.peak_mib:,.0f}",
            run.figure("fills") or "-",
        )
        for run in timed
    ]
    return table(head, rows)


def goals(found: Iterable[Goal]) -> str:
    """One row for each figure to reach."""
    rows = [
        (
            goal.what,
            f"{goal.reached:,.4g}" if goal.reached < 1000 else f"{goal.reached:,.0f}",
            f"{'≥' if goal.at_least else '≤'} {goal.limit:,g}",
            goal.unit,
            "met" if goal.met else "MISSED",
        )
        for goal in found
    ]
    return table(("figure to reach", "here", "goal", "unit", ""), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, the first to the left and the rest to the right."""
    widths = [max(len(cells[i]) for cells in (head, *rows)) for i in range(len(head))]
    rule = ["-" * width for width in widths]
    return "\n".join(aligned(cells, widths) for cells in (head, rule, *rows))


def aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """One line of a table."""
    first, *rest = (
        f"{cell:>{width}}" if i else f"{cell:<{width}}"
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join((first, *rest))
