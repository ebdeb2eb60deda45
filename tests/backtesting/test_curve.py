"""The vectorised curve against a plain loop over every point of the path, and cases worked by hand."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from autogrid.backtesting.curve import Standing, draw

Prices = NDArray[np.int64]

DAY = 86_400_000
HOUR = 3_600_000
UNIT = Decimal("0.01")


def candles(*closes: str) -> Prices:
    """Candles that open where the last one closed, with no wicks, in units of 0.01."""
    units = [int(Decimal(close) / UNIT) for close in closes]
    opens = [units[0], *units[:-1]]
    return np.array([[o, max(o, c), min(o, c), c] for o, c in zip(opens, units, strict=True)], np.int64)


def hours(count: int, start: int = 0) -> Prices:
    return start + HOUR * np.arange(count, dtype=np.int64)


def standing(row: int, price: str, quote: str, base: str) -> Standing:
    return Standing(row, Decimal(price), Decimal(quote), Decimal(base))


NO_BOUNDS = (None, None)


def test_equity_is_quote_and_base_at_each_close() -> None:
    held = [standing(0, "100", "1000", "0"), standing(1, "100", "500", "5")]
    curve = draw(hours(3), candles("100", "110", "90"), UNIT, HOUR, held, NO_BOUNDS)
    assert curve.equity.tolist() == [1000, 1050, 950]
    assert curve.times.tolist() == [HOUR, 2 * HOUR, 3 * HOUR]
    assert curve.exposure == pytest.approx((0 + 550 / 1050 + 450 / 950) / 3)
    assert curve.drawdown.tolist() == pytest.approx([0, 0, 100 / 1050])
    assert curve.max_drawdown == pytest.approx(100 / 1050)
    assert curve.max_drawdown_days == pytest.approx(1 / 24)


def test_a_fall_that_only_a_fill_saw_counts() -> None:
    # half is sold at 80 within candle 1, which closes at 100 again: equity 1000, 800, then 900
    held = [standing(0, "100", "0", "10"), standing(1, "80", "400", "5")]
    curve = draw(hours(2), candles("100", "100"), UNIT, HOUR, held, NO_BOUNDS)
    assert curve.max_drawdown == pytest.approx(0.2)
    assert curve.drawdown[-1] == pytest.approx(0.1)


def test_a_peak_that_only_a_fill_saw_is_what_the_close_falls_from() -> None:
    held = [standing(0, "100", "0", "10"), standing(1, "125", "125", "9")]
    curve = draw(hours(2), candles("100", "100"), UNIT, HOUR, held, NO_BOUNDS)
    assert curve.drawdown.tolist() == pytest.approx([0, 1 - 1025 / 1250])


def test_a_fall_ends_when_the_peak_is_reached_again_not_when_it_is_passed() -> None:
    closes = candles("100", "90", "95", "100", "99", "100")
    curve = draw(hours(6), closes, UNIT, HOUR, [standing(0, "100", "0", "1")], NO_BOUNDS)
    assert curve.max_drawdown_days * 24 == pytest.approx(3)


def test_a_peak_is_remembered_however_long_ago_it_was() -> None:
    closes = [1000 - step // 4 + 3 * (step % 7) for step in range(3000)]  # falls, in waves
    curve = draw(hours(3000), candles(*map(str, closes)), UNIT, HOUR, [standing(0, "1000", "0", "1")], NO_BOUNDS)
    peaks = [max(1000, *closes[: row + 1]) for row in range(3000)]
    expected = [1 - close / peak for close, peak in zip(closes, peaks, strict=True)]
    assert curve.drawdown.tolist() == pytest.approx(expected)


def test_equity_that_stays_on_its_peak_is_not_below_it() -> None:
    held = [standing(0, "100.07", "0.1", "0.7")]
    curve = draw(hours(9), candles(*["100.07"] * 9), UNIT, HOUR, held, NO_BOUNDS)
    assert (curve.max_drawdown, curve.max_drawdown_days) == (0, 0)


def test_rounding_of_floats_is_no_fall() -> None:
    # 1539 = 158.3163 + 9.79 · 141.03 exactly, but floats make 1538.9999999999998 of it
    held = [standing(0, "141.03", "1539", "0"), standing(1, "141.03", "158.3163", "9.79")]
    curve = draw(hours(50), candles(*["141.03"] * 50), UNIT, HOUR, held, NO_BOUNDS)
    assert curve.equity[-1] < curve.equity[0]
    assert (curve.max_drawdown, curve.max_drawdown_days) == (0, 0)


def test_a_close_on_a_bound_is_in_range() -> None:
    closes = candles("99.99", "100", "120", "120.01")
    start = [standing(0, "100", "1000", "0")]
    assert draw(hours(4), closes, UNIT, HOUR, start, (Decimal(100), Decimal(120))).time_in_range == 0.5
    assert draw(hours(4), closes, UNIT, HOUR, start, (Decimal("100.001"), None)).time_in_range == 0.5
    assert draw(hours(4), closes, UNIT, HOUR, start, (None, Decimal(120))).time_in_range == 0.75
    assert draw(hours(4), closes, UNIT, HOUR, start, NO_BOUNDS).time_in_range is None


def test_daily_marks_begin_with_the_start_when_it_is_midnight() -> None:
    closes = candles(*[str(100 + hour) for hour in range(48)])
    held = [standing(0, "99", "0", "2")]
    curve = draw(hours(48), closes, UNIT, HOUR, held, NO_BOUNDS)
    # start at 99; the candle that closes on the first midnight closes at 123, on the second at 147
    assert curve.daily == (Decimal(198), Decimal(246), Decimal(294))


def test_days_cut_by_the_start_or_the_end_are_no_days() -> None:
    closes = candles(*[str(100 + hour) for hour in range(40)])
    curve = draw(hours(40, start=5 * HOUR), closes, UNIT, HOUR, [standing(0, "100", "0", "1")], NO_BOUNDS)
    # from 05:00 to 21:00 of the next day: one midnight, after 19 candles
    assert curve.daily == (Decimal(118),)


def test_a_midnight_in_a_hole_takes_the_last_close_before_it() -> None:
    times = np.array([DAY - 2 * HOUR, DAY + 3 * HOUR, 2 * DAY + 3 * HOUR], np.int64)
    curve = draw(times, candles("100", "200", "300"), UNIT, HOUR, [standing(0, "50", "0", "1")], NO_BOUNDS)
    assert curve.daily == (Decimal(100), Decimal(200))


GOOD = standing(0, "1", "1", "0")


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ([], "first standing"),
        ([standing(1, "1", "1", "0")], "first standing"),
        ([GOOD, standing(2, "1", "1", "0"), standing(1, "1", "1", "0")], "back in time"),
        ([GOOD, standing(3, "1", "1", "0")], "beyond the 3 candles"),
        ([standing(0, "1", "0", "0")], "nothing at all"),
        ([standing(0, "1", "1", "-2")], "less than nothing"),
        ([standing(0, "1", "-3", "2")], "less than nothing"),
    ],
)
def test_standings_that_cannot_be_are_refused(held: list[Standing], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw(hours(3), candles("1", "1", "1"), UNIT, HOUR, held, NO_BOUNDS)


def test_no_candles_are_refused() -> None:
    with pytest.raises(ValueError, match="no candle"):
        draw(hours(0), np.empty((0, 4), np.int64), UNIT, HOUR, [standing(0, "1", "1", "0")], NO_BOUNDS)


@dataclass
class Loop:
    """The same figures, one point of the path at a time."""

    peak: float = 0.0
    peak_at: int = 0
    deepest: float = 0.0
    longest: int = 0
    low: bool = False

    def see(self, time: int, value: float) -> float:
        fall = 1 - value / max(self.peak, value)
        if fall > 1e-12:
            self.low = True
            self.deepest = max(self.deepest, fall)
        else:
            self.pass_time(time)
            self.low, self.peak_at, self.peak = False, time, max(value, self.peak)
        return fall

    def pass_time(self, time: int) -> None:
        if self.low:
            self.longest = max(self.longest, time - self.peak_at)


amounts = st.integers(0, 2_000).map(lambda cents: Decimal(cents) / 100)


@st.composite
def runs(draw_from: st.DrawFn) -> tuple[Prices, Prices, list[Standing]]:
    closes = draw_from(st.lists(st.integers(1, 9).map(str), min_size=1, max_size=60))
    tile = draw_from(st.sampled_from([1, 1, 30]))  # long enough to cross the blocks of the running peak
    steps = draw_from(st.lists(st.integers(1, 30), min_size=len(closes), max_size=len(closes)))
    times = draw_from(st.integers(0, 50)) * HOUR + np.cumsum(np.array(steps * tile, np.int64)) * HOUR
    rows = sorted(draw_from(st.lists(st.integers(0, len(times) - 1), max_size=12)))
    held = [
        Standing(row, draw_from(st.integers(1, 12).map(Decimal)), draw_from(amounts) + 1, draw_from(amounts))
        for row in [0, *rows]
    ]
    return times, candles(*(closes * tile)), held


@settings(max_examples=200, deadline=None)
@given(runs())
def test_the_curve_equals_a_plain_loop(run: tuple[Prices, Prices, list[Standing]]) -> None:
    times, prices, held = run
    found = draw(times, prices, UNIT, HOUR, held, (Decimal(3), Decimal(6)))
    at_row = {row: [each for each in held if each.row == row] for row in {each.row for each in held}}
    loop, now, equity, fall, share, inside = Loop(), held[0], [], [], [], 0
    for row, (opened, close) in enumerate(zip(times.tolist(), prices[:, 3].tolist(), strict=True)):
        for filled in at_row.get(row, []):
            now = filled
            loop.see(opened + HOUR, float(now.quote + now.base * now.price))
        value = float(now.quote + now.base * close * UNIT)
        equity.append(value)
        fall.append(loop.see(opened + HOUR, value))
        share.append(float(now.base * close * UNIT) / value)
        inside += 300 <= close <= 600
    loop.pass_time(int(times[-1]) + HOUR)
    assert found.equity.tolist() == pytest.approx(equity)
    assert found.drawdown.tolist() == pytest.approx(fall, abs=1e-9)
    assert found.exposure == pytest.approx(sum(share) / len(share), abs=1e-9)
    assert found.max_drawdown == pytest.approx(loop.deepest, abs=1e-9)
    assert found.max_drawdown_days == pytest.approx(loop.longest / DAY)
    assert found.time_in_range == pytest.approx(inside / len(times))
    assert found.daily == daily_by_hand(times.tolist(), prices, held)


def daily_by_hand(times: list[int], prices: Prices, held: list[Standing]) -> tuple[Decimal, ...]:
    marks, row = [], -1
    value = held[0].quote + held[0].base * held[0].price
    for midnight in range(0, times[-1] + HOUR + 1, DAY):
        while row + 1 < len(times) and times[row + 1] + HOUR <= midnight:
            row += 1
            last = [each for each in held if each.row <= row][-1]
            value = last.quote + last.base * int(prices[row, 3]) * UNIT
        if midnight >= times[0]:
            marks.append(value)
    return tuple(marks)
