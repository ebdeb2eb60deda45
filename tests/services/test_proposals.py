"""Proposals from candles: the figures by hand, and that nothing that came later is known. No market's candles."""

import json
import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from autogrid.backtesting.candle_faults import UnableToReadCandles
from autogrid.backtesting.run import Run
from autogrid.backtesting.tapes import Tape
from autogrid.services.backtests import Walk
from autogrid.services.proposal_figures import DAY_MS, HOUR_MS, end_of, figures_before, part
from autogrid.services.proposals import Proposed, WindowsLeft, proposed, to_json, walk_forward, windows_left
from autogrid.trading.bot import Bot
from autogrid.trading.state import BotState
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.wiring.simulation import backtest
from tests.builders import START_MS, D, market, tape_of
from tests.candles import MadeCandle

PLAIN = market()


def lively(seed: int, days: int, *, price: str = "50000", interval_ms: int = HOUR_MS) -> list[MadeCandle]:
    """A walk in shares, about 2.5 % a day, on the tick of 0.01; neighbours join."""
    chance, at = random.Random(seed), float(price)
    reach = 0.009 * math.sqrt(interval_ms / HOUR_MS)
    made = []
    for number in range(days * DAY_MS // interval_ms):
        close = at * math.exp(chance.uniform(-reach, reach))
        high, low = (
            max(at, close) * (1 + chance.random() * reach / 3),
            min(at, close) * (1 - chance.random() * reach / 3),
        )
        opened, top, bottom, last = (Decimal(round(one * 100)).scaleb(-2) for one in (at, high, low, close))
        made.append(MadeCandle(START_MS + number * interval_ms, opened, top, bottom, last, Decimal(10)))
        at = float(last)
    return made


def tape(candles: Sequence[MadeCandle], interval_ms: int = HOUR_MS) -> Tape:
    units = [tuple(int(price * 100) for price in candle.prices) for candle in candles]
    return tape_of(units, interval_ms=interval_ms, times=[candle.time_ms for candle in candles])  # type: ignore[arg-type]


LONG = tape(lively(1, 190))


def asked(given: Tape, settings: dict[str, str] | None = None, investment: str = "1000", **changes: Any) -> Proposed:
    return proposed(given, market(**changes), D(investment), settings or {}, backtest)


def test_the_figures_are_those_of_the_last_ninety_days_by_hand() -> None:
    candles = lively(2, 100)
    found = figures_before(tape(candles), end_of(tape(candles)))
    last = candles[-90 * 24 :]
    assert found.price == last[-1].close
    assert (found.low, found.high) == (min(one.low for one in last), max(one.high for one in last))
    assert found.days == 90
    closes = [float(one.close) for one in last[23::24]]
    returns = [math.log(after / before) for before, after in pairwise(closes)]
    assert len(returns) == 89
    assert float(found.sigma_day) == pytest.approx(statistics.stdev(returns), rel=1e-9)
    average, close = 0.0, None
    for number, one in enumerate(last):
        high, low = float(one.high), float(one.low)
        reach = high - low if close is None else max(high - low, abs(high - close), abs(low - close))
        average = average + reach / 14 if number < 14 else (average * 13 + reach) / 14
        close = float(one.close)
    assert float(found.atr_hour) == pytest.approx(average, rel=1e-9)


def test_finer_candles_give_the_figures_of_their_hours() -> None:
    fine = lively(3, 40, interval_ms=HOUR_MS // 4)
    hours = [
        MadeCandle(
            four[0].time_ms, four[0].open, max(c.high for c in four), min(c.low for c in four), four[3].close, D(1)
        )
        for four in (fine[at : at + 4] for at in range(0, len(fine), 4))
    ]
    fine_tape, hour_tape = tape(fine, HOUR_MS // 4), tape(hours)
    assert figures_before(fine_tape, end_of(fine_tape)) == figures_before(hour_tape, end_of(hour_tape))


def test_a_proposal_has_three_windows_and_counts_every_day() -> None:
    found = asked(LONG)
    assert [(found.at_ms - run.start_ms) // DAY_MS for run in found.runs] == [90, 60, 30]
    assert all(run.end_ms - run.start_ms == 30 * DAY_MS and run.days_before == 90 for run in found.runs)
    assert all(run.refused is None and run.figures is not None and run.proposal is not None for run in found.runs)
    assert [(one.days, one.windows) for one in found.left] == [(7, 84), (30, 61)]
    assert all(one.left <= one.windows and max(one.below, one.above) <= one.left for one in found.left)
    assert found.left[1].left > found.left[0].left > 0
    assert found.notes == ()


def changed_from(given: Tape, at_ms: int) -> Tape:
    """Everything that opens at `at_ms` or later is at half the price."""
    prices = given.prices.copy()
    prices[np.searchsorted(given.times, at_ms) :] //= 2
    return replace(given, prices=prices)


@pytest.mark.parametrize("days", [90, 60, 30])
def test_later_candles_change_nothing_of_an_earlier_proposal(days: int) -> None:
    start_ms = end_of(LONG) - days * DAY_MS
    other = changed_from(LONG, start_ms)
    before, after = (walk_forward(each, PLAIN, D(1000), {}, backtest) for each in (LONG, other))
    for one, two in zip(before, after, strict=True):
        if one.start_ms <= start_ms:
            assert one.proposal == two.proposal
        if one.end_ms <= start_ms:
            assert one == two
        if one.start_ms == start_ms:
            assert one.figures != two.figures
        if one.start_ms > start_ms:
            assert one.proposal != two.proposal


def test_figures_know_the_candle_that_closes_at_their_moment_and_none_after_it() -> None:
    at_ms = end_of(LONG) - 30 * DAY_MS
    last = changed_from(LONG, at_ms - HOUR_MS)
    assert figures_before(changed_from(LONG, at_ms), at_ms) == figures_before(LONG, at_ms)
    assert figures_before(last, at_ms) != figures_before(LONG, at_ms)


def test_a_candle_that_is_not_closed_at_the_moment_is_not_in_the_part() -> None:
    at_ms = end_of(LONG) - 30 * DAY_MS
    inside = part(LONG, at_ms - DAY_MS, at_ms + HOUR_MS // 2)
    assert (len(inside), inside.times.item(-1)) == (24, at_ms - HOUR_MS)
    assert len(part(LONG, at_ms, at_ms)) == 0


def test_each_window_is_run_with_its_own_proposal_over_its_own_candles() -> None:
    ran: list[tuple[tuple[Decimal, ...], int, int, str]] = []

    def recorded(bot: Bot, state: BotState, given: Tape, walk: Walk) -> Run:
        ran.append((state.strategy.lines, given.times.item(0), len(given), walk.rules.fill))
        return backtest(bot, state, given, walk)

    runs = walk_forward(LONG, PLAIN, D(1000), {}, recorded)
    assert [fill for *_, fill in ran] == ["touch", "through"] * 3
    for run, (lines, start_ms, count, _) in zip(runs, ran[::2], strict=True):
        assert run.proposal is not None
        assert (lines[0], lines[-1], len(lines) - 1) == (run.proposal.lower, run.proposal.upper, run.proposal.grids)
        assert (start_ms, count) == (run.start_ms, 30 * 24)


@pytest.mark.parametrize(
    ("days", "windows", "seven", "thirty"),
    [(30, 0, 0, 0), (59, 0, 23, 0), (60, 1, 24, 1), (95, 2, 59, 36), (120, 3, 84, 61)],
)
def test_a_short_past_has_fewer_windows_and_says_so(days: int, windows: int, seven: int, thirty: int) -> None:
    found = asked(tape(lively(4, days)))
    assert len(found.runs) == windows
    assert [one.windows for one in found.left] == [seven, thirty]
    told = " ".join(said.en for said in found.notes)
    assert (f"Only {windows} of 3 windows" in told) == (windows < 3)
    assert (f"reach back {days} days of 90" in told) == (days < 90)
    assert ("from fewer than 90 days" in told) == (windows > 0)
    if not seven:
        assert found.left[0].share is None


def test_a_price_that_leaves_its_range_is_counted_on_its_side() -> None:
    """A crash ten days before the end: the windows of seven days that begin 16 to 10 days before it reach into it."""
    flat = [(p, p + 20_000, p - 20_000, p) for p in (5_000_000 + 60_000 * ((i // 24) % 2) for i in range(90 * 24))]
    for price, below, above in ((3_000_000, 7, 0), (7_000_000, 0, 7)):
        broken = tape_of([*flat, *[(price,) * 4] * (10 * 24)], interval_ms=HOUR_MS)
        assert windows_left(broken, PLAIN, 7) == WindowsLeft(7, 64, 7, below, above)


def test_prices_chosen_today_are_not_used_in_the_past_and_it_is_said() -> None:
    plain = asked(LONG)
    stop = str(plain.proposal.lower - 100)
    found = asked(LONG, {"stop_loss": stop})
    assert found.config["stop_loss"] == stop
    assert [run.figures for run in found.runs] == [run.figures for run in plain.runs]
    assert any("without stop_loss" in said.en for said in found.notes)
    assert asked(LONG, {"sizing": "equal_quote"}).runs[0].figures != plain.runs[0].figures


def test_a_window_in_which_no_grid_could_be_paid_says_so() -> None:
    # Half a year ago the price was ten times as high, and the least quantity cost ten times as much.
    high, low = lively(5, 150, price="500000"), lively(6, 60, price="20000")
    both = [*high, *(replace(one, time_ms=one.time_ms + 150 * DAY_MS) for one in low)]
    runs = walk_forward(tape(both), market(min_quantity=D("0.001")), D(500), {}, backtest)
    assert runs[0].refused is not None
    assert "too small" in runs[0].refused
    assert (runs[0].figures, runs[0].left, runs[0].through_profit) == (None, None, None)


def test_a_hole_in_a_window_is_walked_and_one_without_candles_is_told() -> None:
    end_ms = end_of(LONG)
    gone = (LONG.times >= end_ms - 60 * DAY_MS) & (LONG.times < end_ms - 30 * DAY_MS)
    holed = replace(LONG, times=LONG.times[~gone], prices=LONG.prices[~gone], volumes=LONG.volumes[~gone])
    runs = walk_forward(holed, PLAIN, D(1000), {}, backtest)
    assert [run.refused for run in runs] == [None, "it holds no candles", None]


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        (tape(lively(1, 29)), "too_few_to_warm_up", "29 days; at least 30 days are needed"),
        (tape(lively(1, 190)[::4], 4 * HOUR_MS), "too_coarse", "4h candles"),
        (tape(lively(1, 190)[::24], DAY_MS), "too_coarse", "1h or finer"),
        (replace(LONG, interval_ms=45 * 60_000), "timeframe", "45m"),
        (tape([*lively(1, 10), *lively(1, 40)[-24:]]), "too_few_to_warm_up", "11 whole UTC days"),
    ],
)
def test_candles_that_are_too_few_or_too_coarse_are_refused(given: Tape, code: str, says: str) -> None:
    with pytest.raises(UnableToReadCandles) as caught:
        asked(given)
    assert caught.value.code == code
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("investment", "says"), [("0", "above 0"), ("-5", "above 0"), ("3", "too small"), ("1e13", "at most")]
)
def test_an_investment_that_buys_no_grid_is_refused(investment: str, says: str) -> None:
    with pytest.raises(UnableToConfigure, match=says):
        asked(LONG, investment=investment)


def test_json_holds_money_as_text_and_everything_that_is_shown() -> None:
    found = json.loads(json.dumps(to_json(asked(LONG, max_orders=200)), allow_nan=False))
    assert found["config"]["lower"] == found["proposal"]["lower"]
    assert found["config"]["grids"] == str(found["proposal"]["grids"])
    for key in ("price", "sigma_day", "atr_hour", "low", "high"):
        Decimal(found["figures"][key])
    assert len(found["reasons"]) == 8
    assert set(found["reasons"][0]["why"]) == {"en", "pt"}
    for run in found["walk_forward"]:
        Decimal(run["total_profit"]) + Decimal(run["through_profit"]) + Decimal(run["hold_profit"])
        assert 0 <= run["max_drawdown"] < 1
    assert found["windows_left"][0]["share"] == found["windows_left"][0]["left"] / 84
