"""Proposals as a person asks for them: a grid from the past of a market, and how such proposals would have fared.

Rules, with T the close of the tape's last candle and a day 24 hours:
- A proposal at a moment is made from the candles of the 90 days before it, and of nothing after it; from at least 30.
- σ is that of the closes of whole UTC days, ATR that of whole hours, both within those days.
- Walk-forward: windows of 30 days begin 90, 60 and 30 days before T. Each is run with the proposal that would have been
  made at its beginning. Where the tape has not 30 days before a beginning, that window is left out, and it is said.
- Prices among the settings (stop-loss and the like) were chosen today, so they are left out of the windows' grids.
- Shares of windows that the price left: windows of 7 and of 30 days begin every day of the 90, as far as they end by T.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from autogrid.backtesting.candle_faults import UnableToReadCandles
from autogrid.backtesting.candle_warnings import timeframe_name
from autogrid.backtesting.closed_candles import check_timeframe
from autogrid.backtesting.run import result_of
from autogrid.backtesting.tapes import Tape
from autogrid.services.backtests import Runner, Walk, check_investment, effective, iso, market_facts
from autogrid.services.previews import share
from autogrid.services.proposal_figures import (
    DAY_MS,
    HOUR_MS,
    LEAST_DAYS,
    LOOK_BACK_DAYS,
    end_of,
    figures_before,
    moves_before,
    part,
)
from autogrid.trading.bot import Bot
from autogrid.trading.ledger import opened
from autogrid.trading.market import Market
from autogrid.trading.matching import MatchingRules
from autogrid.trading.money import Amount, Price, text
from autogrid.trading.risk import Limits
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid.auto import Proposal, propose, range_of
from autogrid.trading.strategies.grid.auto_words import Figures, Said
from autogrid.trading.strategies.grid.grid import Grid
from autogrid.trading.strategies.grid.preview import GridPreview, preview

WINDOW_DAYS: Final = 30
WINDOWS_BEGIN: Final = (90, 60, 30)
"""Days before the end at which walk-forward windows begin."""
LEFT_DAYS: Final = (7, 30)
CHOSEN_TODAY: Final = (
    "stop_loss", "stop_for", "take_profit", "trigger_price", "trailing_up_limit", "trailing_down_limit"
)  # fmt: skip
"""Prices, and what goes with them."""


@dataclass(frozen=True, slots=True)
class WindowRun:
    """One window of the walk-forward: what the proposal made at its beginning would have done in it."""

    start_ms: int
    """UTC; no candle from here on was known to the proposal."""
    end_ms: int
    """UTC, not included."""
    days_before: int
    """Of candles that the proposal was made from."""
    proposal: Proposal | None
    refused: str | None
    """Why there was no grid in this window; all figures below are None then."""
    figures: Mapping[str, object] | None
    """Of the run, by the names of a backtest's result: money as text, shares as numbers."""
    through_profit: str | None
    """The total profit where an order fills only one tick beyond its price."""
    left: bool | None
    """Whether the price went out of the range."""


@dataclass(frozen=True, slots=True)
class WindowsLeft:
    """How often the price left the range of the proposal made at a window's beginning, within the window."""

    days: int
    windows: int
    """How many were looked at; they overlap."""
    left: int
    below: int
    """Windows in which it went below the range."""
    above: int

    @property
    def share(self) -> float | None:
        """Of the windows, 0 to 1; None without any."""
        return self.left / self.windows if self.windows else None


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal with all that is shown beside it."""

    market: Market
    assumed: tuple[str, ...]
    """Names of the market's rules that nobody gave."""
    investment: Amount
    config: Mapping[str, str]
    """The grid's configuration: what was given, and what is proposed."""
    source: str
    """Names of the files of candles."""
    timeframe: str
    at_ms: int
    """When the last candle closed, UTC."""
    figures: Figures
    proposal: Proposal
    shown: GridPreview
    """The proposal's grid as it would start at the last close."""
    runs: tuple[WindowRun, ...]
    """Oldest first."""
    left: tuple[WindowsLeft, ...]
    notes: tuple[Said, ...]
    """What to mind of the candles and of the windows."""


def proposed(
    tape: Tape,
    market: Market,
    investment: Amount,
    settings: Mapping[str, str],
    run: Runner,
    *,
    assumed: tuple[str, ...] = (),
) -> Proposed:
    """The proposal of a grid at the end of `tape`, and how its like would have fared.

    Raises `UnableToReadCandles` where the candles are too coarse or too few, `UnableToConfigure` where no grid can be
    traded.
    """
    check_investment(investment)
    if tape.interval_ms > HOUR_MS:
        raise UnableToReadCandles(
            "too_coarse",
            f"{tape.source} holds {timeframe_name(tape.interval_ms)} candles; a proposal looks at the movement within "
            "an hour: take candles of 1h or finer.",
        )
    check_timeframe(tape, HOUR_MS)
    at_ms = end_of(tape)
    figures = figures_before(tape, at_ms)
    proposal = propose(figures, market, investment, settings)
    config = proposal.config(settings)
    runs = walk_forward(tape, market, investment, settings, run)
    return Proposed(
        market,
        assumed,
        investment,
        config,
        tape.source,
        timeframe_name(tape.interval_ms),
        at_ms,
        figures,
        proposal,
        preview(Grid(config, market, investment), figures.price),
        runs,
        tuple(windows_left(tape, market, days) for days in LEFT_DAYS),
        tuple(_notes(tape, figures, settings, runs)),
    )


def walk_forward(
    tape: Tape, market: Market, investment: Amount, settings: Mapping[str, str], run: Runner
) -> tuple[WindowRun, ...]:
    """The windows of the last 90 days, each with the proposal of its beginning; fewer on a short tape."""
    end_ms, timeless = end_of(tape), {key: value for key, value in settings.items() if key not in CHOSEN_TODAY}
    found = []
    for days in WINDOWS_BEGIN:
        start_ms = end_ms - days * DAY_MS
        if start_ms - tape.times.item(0) >= LEAST_DAYS * DAY_MS:
            found.append(_window(tape, start_ms, market, investment, timeless, run))
    return tuple(found)


def _window(
    tape: Tape, start_ms: int, market: Market, investment: Amount, settings: Mapping[str, str], run: Runner
) -> WindowRun:
    end_ms = start_ms + WINDOW_DAYS * DAY_MS
    days = min(LOOK_BACK_DAYS, (start_ms - tape.times.item(0)) // DAY_MS)
    inside, proposal = part(tape, start_ms, end_ms), None
    try:
        proposal = propose(figures_before(tape, start_ms), market, investment, settings)
        grid = Grid(proposal.config(settings), market, investment)
        if len(inside) < 2:
            return WindowRun(start_ms, end_ms, days, proposal, "it holds no candles", None, None, None)
        price = int(inside.prices[0, 0]) * inside.unit
        grid.check(price)
    except (UnableToReadCandles, UnableToConfigure) as error:
        return WindowRun(start_ms, end_ms, days, proposal, str(error), None, None, None)
    bot = Bot(market, Limits(investment, breakers=False), at_once=True)
    state = bot.start(grid, opened(investment, grid.own_base, price))
    done, stricter = (run(bot, state, inside, Walk(MatchingRules(fill))) for fill in ("touch", "through"))
    summary = result_of(done, grid.lines, {}).summary
    strict = result_of(stricter, grid.lines, {}).summary
    below, above = _beyond(inside, proposal.lower, proposal.upper)
    return WindowRun(start_ms, end_ms, days, proposal, None, summary, str(strict["total_profit"]), below or above)


def _beyond(tape: Tape, lower: Price, upper: Price) -> tuple[bool, bool]:
    """Whether the price went below `lower`, and whether above `upper`."""
    return (
        int(tape.prices[:, 2].min()) * tape.unit < lower,
        int(tape.prices[:, 1].max()) * tape.unit > upper,
    )


def windows_left(tape: Tape, market: Market, days: int) -> WindowsLeft:
    """Of the windows of so many days within the last 90: in how many the price left the range proposed before."""
    end_ms = end_of(tape)
    windows = left = below = above = 0
    for back in range(LOOK_BACK_DAYS, days - 1, -1):
        start_ms = end_ms - back * DAY_MS
        inside = part(tape, start_ms, start_ms + days * DAY_MS)
        try:
            moves = moves_before(tape, start_ms)
        except UnableToReadCandles:
            continue
        lower, upper = range_of(moves.price, moves.sigma_day, moves.low, moves.high, market)
        if lower >= upper or not len(inside):
            continue
        under, over = _beyond(inside, lower, upper)
        windows += 1
        left += under or over
        below += under
        above += over
    return WindowsLeft(days, windows, left, below, above)


def _notes(tape: Tape, figures: Figures, settings: Mapping[str, str], runs: tuple[WindowRun, ...]) -> list[Said]:
    found = [Said(warning, warning) for warning in tape.warnings]
    if figures.days < LOOK_BACK_DAYS:
        found.append(
            Said(
                f"The candles reach back {figures.days} days of {LOOK_BACK_DAYS}: it knows less than it should.",
                f"Os candles cobrem {figures.days} dias, não {LOOK_BACK_DAYS}: a proposta sabe menos que o normal.",
            )
        )
    missing = len(WINDOWS_BEGIN) - len(runs)
    if missing:
        found.append(
            Said(
                f"Only {len(runs)} of {len(WINDOWS_BEGIN)} windows could be tried: {2 * LOOK_BACK_DAYS} days are "
                f"wanted, and a window needs at least {LEAST_DAYS} days before it.",
                f"Só {len(runs)} de {len(WINDOWS_BEGIN)} janelas puderam ser testadas: {2 * LOOK_BACK_DAYS} dias de "
                f"candles são desejados, e uma janela precisa de ao menos {LEAST_DAYS} dias antes dela.",
            )
        )
    shorter = [run.days_before for run in runs if run.days_before < LOOK_BACK_DAYS]
    if shorter:
        days = ", ".join(map(str, shorter))
        found.append(
            Said(
                f"Earlier proposals were made from fewer than {LOOK_BACK_DAYS} days: {days}.",
                f"Propostas anteriores foram feitas com menos de {LOOK_BACK_DAYS} dias: {days}.",
            )
        )
    dropped = [key for key in CHOSEN_TODAY if key in settings]
    if dropped:
        keys = ", ".join(dropped)
        found.append(
            Said(
                f"The earlier windows were run without {keys}: prices chosen today would be hindsight there.",
                f"As janelas anteriores rodaram sem {keys}: preços escolhidos hoje seriam conhecimento do futuro lá.",
            )
        )
    return found


SHOWN_FIGURES: Final = (
    "round_trips", "total_profit", "grid_profit", "trend_profit", "hold_profit", "return", "max_drawdown",
    "time_in_range", "fills",
)  # fmt: skip
"""Of a window's run, in JSON; the names are those of a backtest's result."""


def to_json(found: Proposed) -> dict[str, object]:
    """A proposal as JSON: money and measured figures as text, shares of windows and of runs as numbers."""
    proposal, figures, shown = found.proposal, found.figures, found.shown
    return {
        "strategy": Grid.name,
        "market": market_facts(found.market) | {"assumed_rules": list(found.assumed)},
        "investment": text(found.investment),
        "candles": {"source": found.source, "timeframe": found.timeframe, "to": iso(found.at_ms)},
        "figures": {key: value if isinstance(value, int) else text(value) for key, value in figures._asdict().items()},
        "proposal": _proposal_json(proposal),
        "config": effective(Grid.name, found.config),
        "reasons": [
            {
                "key": reason.key,
                "what": reason.what._asdict(),
                "formula": reason.formula,
                "value": reason.value,
                "why": reason.why._asdict(),
            }
            for reason in proposal.reasons
        ],
        "loss_at_lower": text(shown.loss_at_lower),
        "least_investment": text(shown.least_investment),
        "profit_per_grid": {"lowest": share(shown.profit_low), "highest": share(shown.profit_high)},
        "walk_forward": [_run_json(one) for one in found.runs],
        "windows_left": [
            {
                "days": one.days,
                "windows": one.windows,
                "left": one.left,
                "below": one.below,
                "above": one.above,
                "share": one.share,
            }
            for one in found.left
        ],
        "warnings": [said._asdict() for said in (*proposal.warnings, *found.notes)],
        "preview_warnings": list(shown.warnings),
    }


def _proposal_json(proposal: Proposal) -> dict[str, object]:
    return {
        "lower": text(proposal.lower),
        "upper": text(proposal.upper),
        "grids": proposal.grids,
        "step": text(proposal.step),
    }


def _run_json(one: WindowRun) -> dict[str, object]:
    figures = one.figures
    return {
        "from": iso(one.start_ms),
        "to": iso(one.end_ms),
        "days_before": one.days_before,
        "proposal": None if one.proposal is None else _proposal_json(one.proposal),
        "refused": one.refused,
        "left_range": one.left,
        "through_profit": one.through_profit,
        **{key: None if figures is None else figures[key] for key in SHOWN_FIGURES},
    }
