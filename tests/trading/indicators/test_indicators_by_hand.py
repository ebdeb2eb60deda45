"""Figures worked out by hand from the definitions, a few candles each."""

from math import sqrt

import pytest

from autogrid.trading.indicators import (
    adx,
    atr,
    bollinger,
    ewo,
    heikin_ashi,
    macd,
    rma,
    sma,
    stochastic_rsi,
    supertrend,
    ut_bot,
    vwap,
)
from autogrid.trading.indicators.atr import AtrState
from autogrid.trading.indicators.comparison import above
from autogrid.trading.indicators.ut_bot import UtBotState
from tests.trading.indicators.cases import Said, candles_of, named, said

DAY = 86_400_000


def closes_said(name: str, closes: list[float], periods: tuple[int, int, int]) -> list[Said]:
    return said(named(name), candles_of(closes), periods)


def test_sma_is_the_mean_of_the_last_three() -> None:
    state, heard = sma.start(3), []
    for value in (1.0, 2.0, 4.0, 9.0):
        state = sma.update(state, value)
        heard.append(sma.value(state))
    assert heard == [None, None, 7 / 3, 5.0]


def test_an_sma_is_summed_afresh_from_the_oldest_on() -> None:
    state = sma.start(4)
    for value in (7.0, 1.0, 1e16, -1e16, 0.0):
        state = sma.update(state, value)
    assert sma.value(state) == 0.0, "a compensated sum, or one from the newest on, would give 0.25"


def test_ema_starts_from_the_mean() -> None:
    assert closes_said("ema", [1, 2, 6, 5], (3, 1, 1)) == [(None,), (None,), (3.0,), (4.0,)]


def test_rma_starts_from_the_mean_and_weighs_a_new_value_by_one_in_n() -> None:
    state, heard = rma.start(2), []
    for value in (2.0, 4.0, 7.0):
        state = rma.update(state, value)
        heard.append(rma.value(state))
    assert heard == [None, 3.0, 5.0]


def test_atr_counts_from_the_close_before() -> None:
    state, heard = atr.start(2), []
    for high, low, close in ((10.0, 8.0, 9.0), (12.0, 9.0, 11.0), (11.5, 7.0, 8.0), (6.0, 5.0, 5.5)):
        state = atr.update(state, high, low, close)
        heard.append(atr.value(state))
    assert heard == [None, 2.5, 3.5, 3.25]


@pytest.mark.parametrize(
    ("closes", "last"),
    [
        ([10, 12, 11], 100 - 100 / 3),
        ([10, 12, 11, 11], 100 - 100 / 3),
        ([10, 11, 12], 100.0),
        ([12, 11, 10], 0.0),
        ([10, 10, 10], 50.0),
        ([10, 12], None),
    ],
)
def test_rsi(closes: list[float], last: float | None) -> None:
    assert closes_said("rsi", closes, (2, 1, 1))[-1] == (pytest.approx(last) if last is not None else None,)


def test_stochastic_rsi() -> None:
    state, heard = stochastic_rsi.start(1, 2, 2, 2), []
    for close in (10.0, 11.0, 10.0, 11.0, 12.0):  # RSI(1): 100, 0, 100, 100; raw: 0, 100, 50
        state = stochastic_rsi.update(state, close)
        heard.append((stochastic_rsi.k(state), stochastic_rsi.d(state)))
    assert heard == [(None, None)] * 3 + [(50.0, None), (75.0, 62.5)]


def test_the_first_k_comes_with_candle_30_and_the_first_d_with_32() -> None:
    state, heard = stochastic_rsi.start(), []
    for close in range(40):
        state = stochastic_rsi.update(state, 100.0 + close % 7)
        heard.append((stochastic_rsi.k(state) is not None, stochastic_rsi.d(state) is not None))
    assert [heard.index((True, False)), heard.index((True, True))] == [29, 31]


@pytest.mark.parametrize(("span", "raw"), [(0.9e-9, 50.0), (1.1e-9, 100.0)])
def test_a_narrow_span_of_the_rsi_gives_the_middle(span: float, raw: float) -> None:
    assert stochastic_rsi.stochastic((0.0, span)) == raw


def test_ewo_and_its_percentage() -> None:
    state = ewo.start(2, 3)
    for value in (1.0, 2.0, 6.0):
        assert ewo.value(state) is None
        state = ewo.update(state, value, value)
    assert ewo.value(state) == 1.0
    assert ewo.percentage(1.0, 6.0) == pytest.approx(100 / 6)
    assert ewo.percentage(0.0, 0.0) is None


def test_ewo_of_emas() -> None:
    state = ewo.start_ema(1, 3)
    for value in (1.0, 2.0, 6.0, 5.0):
        state = ewo.update_ema(state, value, value)
    assert ewo.value_ema(state) == 1.0


def test_an_ewo_that_is_only_rounding_is_zero() -> None:
    state = ewo.start()
    for _ in range(35):
        state = ewo.update(state, 0.1, 0.1)
    window = state.window
    assert sum_of(window[:5]) / 5 != sum_of(window) / 35, "the two means differ by rounding"
    assert ewo.value(state) == 0.0


def sum_of(values: tuple[float, ...]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


def test_heikin_ashi() -> None:
    first = heikin_ashi.update(heikin_ashi.start(), 10.0, 12.0, 8.0, 11.0)
    assert first == (True, 10.5, 12.0, 8.0, 10.25)
    assert heikin_ashi.bullish(first) is False
    second = heikin_ashi.update(first, 11.0, 15.0, 11.0, 14.0)
    assert second == (True, 10.375, 15.0, 10.375, 12.75)
    assert heikin_ashi.bullish(second) is True
    assert heikin_ashi.bullish(heikin_ashi.start()) is None


def test_a_heikin_ashi_candle_reaches_to_its_own_open_after_a_jump() -> None:
    first = heikin_ashi.update(heikin_ashi.start(), 10.0, 12.0, 8.0, 11.0)
    assert heikin_ashi.update(first, 5.0, 6.0, 4.0, 5.0) == (True, 10.375, 10.375, 4.0, 5.0)
    assert heikin_ashi.update(first, 15.0, 16.0, 14.0, 15.0) == (True, 10.375, 16.0, 10.375, 15.0)


def test_ut_bot_trails_turns_and_signals() -> None:
    state, heard = ut_bot.start(1.0, 1), []
    rows = ((11.0, 10.0, 10.5), (12.0, 11.0, 12.0), (12.0, 9.0, 9.5), (10.0, 9.0, 9.0), (14.0, 9.0, 13.0))
    for high, low, close in rows:
        state = ut_bot.update(state, high, low, close, close)
        heard.append((ut_bot.value(state), state.position, state.buy, state.sell, ut_bot.trend(state)))
    assert heard == [
        (9.5, 0, False, False, 1),
        (10.5, 0, False, False, 1),
        (12.5, -1, False, True, -1),
        (10.0, -1, False, False, -1),
        (8.0, 1, True, False, 1),
    ]


@pytest.mark.parametrize(("close", "stop", "buy", "sell"), [(101.0, 100.0, True, False), (99.0, 100.0, False, True)])
def test_a_price_that_leaves_the_stop_it_lay_on_signals_but_has_not_come_through(
    close: float, stop: float, buy: bool, sell: bool
) -> None:
    state = ut_bot.start(1.0, 1)
    for price in (100.0, close):
        state = ut_bot.update(state, price, price, price, price)
    assert (state.stop, state.buy, state.sell, state.position) == (stop, buy, sell, 0)


def test_ut_bot_says_nothing_before_its_atr() -> None:
    state = ut_bot.start(1.0, 3)
    for close in (10.0, 20.0):
        state = ut_bot.update(state, close, close, close, close)
        assert (ut_bot.value(state), ut_bot.trend(state), state.buy, state.sell) == (None, None, False, False)


@pytest.mark.parametrize(
    ("source", "after"),
    [
        (100.0 * (1 + 1e-11), (100.0 * (1 + 1e-11) + 1.0, -1, False)),
        (100.0 * (1 + 1e-9), (100.0 * (1 + 1e-9) - 1.0, 1, True)),
    ],
)
def test_a_price_beyond_the_stop_by_rounding_alone_does_not_cross_it(
    source: float, after: tuple[float, int, bool]
) -> None:
    state = UtBotState(1.0, AtrState(1, 1, 1.0, 99.5), 99.5, 100.0, -1, False, False)
    state = ut_bot.update(state, 100.5, 99.5, 100.0, source)
    assert (state.stop, state.position, state.buy) == after
    assert not state.sell


def test_prices_within_rounding_are_equal() -> None:
    assert not above(1.0 + 9e-11, 1.0)
    assert above(1.0 + 2e-10, 1.0)
    assert not above(1.0, 1.0 + 2e-10)
    assert not above(0.0, 0.0)
    assert above(0.0, -1.0)


def test_bollinger_divides_by_n() -> None:
    state = bollinger.start(3, 2.0)
    for value in (9.0, 1.0, 2.0, 3.0):
        state = bollinger.update(state, value)
    assert bollinger.value(state) == pytest.approx((2 - 2 * sqrt(2 / 3), 2, 2 + 2 * sqrt(2 / 3)))


def test_macd_seeds_its_signal_with_the_first_lines() -> None:
    state, heard = macd.start(1, 2, 2), []
    for value in (1.0, 3.0, 6.0):  # slow: 2, 14/3; lines: 1, 4/3
        state = macd.update(state, value)
        heard.append(macd.value(state))
    assert heard[:2] == [None, None]
    assert heard[2] == pytest.approx((4 / 3, 7 / 6, 1 / 6))


def test_adx_of_one_rise_is_all_one_way() -> None:
    state = adx.update(adx.start(1, 1), 10.0, 8.0, 9.0)
    assert adx.value(state) is None
    state = adx.update(state, 12.0, 9.0, 11.0)
    assert adx.value(state) == pytest.approx((200 / 3, 0.0, 100.0))


def test_adx_keeps_its_direction_where_nothing_moves() -> None:
    state = adx.start(1, 1)
    for high, low, close in ((10.0, 8.0, 9.0), (12.0, 9.0, 11.0), (11.0, 11.0, 11.0)):
        state = adx.update(state, high, low, close)
    assert adx.value(state) == pytest.approx((200 / 3, 0.0, 100.0))


def test_supertrend_turns_up_and_down() -> None:
    state, heard = supertrend.start(1, 1.0), []
    for high, low, close in ((11.0, 9.0, 10.0), (15.0, 13.0, 14.0), (9.0, 7.0, 8.0)):
        state = supertrend.update(state, high, low, close)
        heard.append((supertrend.value(state), supertrend.rising(state)))
    assert heard == [(12.0, False), (9.0, True), (15.0, False)]


def test_supertrend_goes_on_with_a_close_on_its_line() -> None:
    state = supertrend.start(1, 1.0)
    for high, low, close in ((11.0, 9.0, 10.0), (15.0, 13.0, 14.0), (14.0, 9.0, 9.0)):
        state = supertrend.update(state, high, low, close)
    assert (state.lower, state.line, state.rising) == (9.0, 9.0, True)


def test_supertrend_falls_where_both_bands_have_met() -> None:
    state, heard = supertrend.start(1, 1.0), []
    for high, low, close in ((11.0, 9.0, 10.0), (15.0, 13.0, 14.0), (14.0, 14.0, 14.0), (14.0, 14.0, 14.0)):
        state = supertrend.update(state, high, low, close)
        heard.append((state.line, state.rising))
    assert heard[1:] == [(9.0, True), (14.0, True), (14.0, False)]


def test_vwap_begins_anew_each_day_and_is_none_until_something_is_traded() -> None:
    state, heard = vwap.start(), []
    for at, price, volume in ((0, 10.0, 1.0), (DAY - 1, 20.0, 3.0), (DAY, 99.0, 0.0), (DAY + 1, 30.0, 2.0)):
        state = vwap.update(state, at, price, volume)
        heard.append(vwap.value(state))
    assert heard == [10.0, 17.5, None, 30.0]
    assert vwap.typical(12.0, 9.0, 6.0) == 9.0
