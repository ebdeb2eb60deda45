"""The signal oracle itself is checked: cases worked out by hand, reference runs, and the counts the rules print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from tests.oracle import signal_indicators as ind
from tests.oracle import signal_oracle as oracle
from tests.oracle.grid_oracle import Candle, read_candles
from tests.oracle.signal_indicators import Bar
from tests.oracle.signal_oracle import Market, Readings, Result, Run, run, walk
from tests.oracle.signal_views import View, full_config, oversold_crosses, rsi_views, vishva_views

D = Decimal
SHARED = Path(__file__).resolve().parents[3] / "shared"
DATA = SHARED / "data" / "candles"
REFERENCE = SHARED / "data" / "indicators" / "reference_runs" / "binance_ETHUSDT_15m_202506.parquet"
HOUR = ind.UNITS["h"]
MARKET = Market(D("0.01"), D("0.0001"))
LOTS = {"BTC": D("0.00001"), "ETH": D("0.0001"), "SOL": D("0.001")}


# ---------------------------------------------------------------- indicators


def bars_of(closes: Sequence[float], length: int = HOUR) -> list[Bar]:
    return [Bar(i * length, (i + 1) * length, close, close, close, close) for i, close in enumerate(closes)]


def test_averages_are_seeded_with_the_mean() -> None:
    values: ind.Series = [1.0, 2.0, 3.0, 5.0]
    assert ind.sma(values, 3) == [None, None, 2.0, 10 / 3]
    assert ind.ema(values, 3) == [None, None, 2.0, 3.5]
    assert ind.rma(values, 2) == [None, 1.5, 2.25, 3.625]


def test_the_true_range_counts_the_gap_to_the_close_before() -> None:
    bars = [Bar(0, 1, 10, 12, 9, 11), Bar(1, 2, 14, 15, 13, 14)]
    assert ind.atr(bars, 1) == [3.0, 4.0]


def test_rsi_without_losses_and_without_moves() -> None:
    assert ind.rsi([1, 2, 3], 2) == [None, None, 100.0]
    assert ind.rsi([1, 1, 1], 2) == [None, None, 50.0]
    assert ind.rsi([1, 2, 1], 2) == [None, None, 50.0]


def test_k_and_d_begin_at_29_and_31_and_a_flat_range_is_50() -> None:
    k, d = ind.stochastic_rsi([100.0] * 40)
    assert [value is not None for value in k].index(True) == 29
    assert [value is not None for value in d].index(True) == 31
    assert k[29] == d[31] == 50.0


def test_heikin_ashi() -> None:
    candles = ind.heikin_ashi([Bar(0, 1, 10, 14, 8, 12), Bar(1, 2, 12, 13, 11, 13)])
    assert candles == [(11.0, 14.0, 8.0, 11.0), (11.0, 13.0, 11.0, 12.25)]


def test_the_ut_stop_follows_and_turns() -> None:
    bars = [Bar(i, i + 1, c, c + 1, c - 1, c) for i, c in enumerate([10.0, 11.0, 12.0, 9.0])]
    # ranges 2, 2, 2, 4 with ATR(1): 10-2; max(8, 9); max(9, 10); 9 <= 10 turns it: 9+4
    assert ind.ut_stop(bars, 1, 1) == [8.0, 9.0, 10.0, 13.0]
    assert ind.ut_signals(bars, 1, 1) == ([False] * 4, [False, False, False, True])


def test_longer_candles_drop_a_partial_first_and_an_unfinished_last() -> None:
    bars = [Bar(i * HOUR, (i + 1) * HOUR, i, i + 0.5, i - 0.5, i + 0.25) for i in range(2, 11)]
    assert ind.built_bars(bars, 4 * HOUR) == [Bar(4 * HOUR, 8 * HOUR, 4, 7.5, 3.5, 7.25)]


def test_a_longer_candle_counts_from_its_close_on() -> None:
    bars = bars_of([100.0 + i for i in range(24 * 4)])
    verdicts = ind.confirmed(bars, [bar.ends for bar in bars], 4 * HOUR)
    # EMA(20) of 4h candles first with the 20th, which closes with the 80th hour
    assert verdicts.index(True) == 79


def test_prices_within_a_ten_billionth_are_equal() -> None:
    assert not ind.above(100 + 5e-9, 100)
    assert ind.above(100 + 2e-8, 100)


def test_the_indicators_against_the_reference_run() -> None:
    if not REFERENCE.exists():
        pytest.skip(f"no reference run at {REFERENCE}")
    table: dict[str, list[Any]] = parquet.read_table(REFERENCE).to_pydict()
    names = ("timestamp", "timestamp", "open", "high", "low", "close")
    bars = [Bar(*row) for row in zip(*(table[name] for name in names), strict=True)]
    closes = [bar.close for bar in bars]
    k, d = ind.stochastic_rsi(closes)
    mine = {
        "ema_100": ind.ema(ind.closes_of(bars), 100),
        "rsi_14": ind.rsi(closes, 14),
        "stochrsi_k": k,
        "stochrsi_d": d,
        "atr_14": ind.atr(bars, 14),
        "ut_a1_c10_stop": ind.ut_stop(bars, 1, 10),
    }
    for name, series in mine.items():
        for value, wanted in zip(series[100:], table[name][100:], strict=True):
            assert value is not None
            assert math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-9), name
    buys, sells = ind.ut_signals(bars, 1, 10)
    assert buys == [bool(value) for value in table["ut_a1_c10_buy"]]
    assert sells == [bool(value) for value in table["ut_a1_c10_sell"]]


# ---------------------------------------------------------------- money, with conditions made by hand


def tape_of(*rows: tuple[str, str, str, str]) -> list[Candle]:
    return [(i * HOUR, D(o), D(h), D(low), D(c)) for i, (o, h, low, c) in enumerate(rows)]


def view(index: int, close: str, **told: Any) -> View:
    given: dict[str, Any] = {"atr": 2.0, "steady": True, **told}
    return View((index + 1) * HOUR, D(close), **given)


def played(candles: list[Candle], seen: dict[int, dict[str, Any]], readings: Readings | None = None) -> Run:
    """Walks a tape on which only the given candles say something."""
    state = Run(full_config("ppp_vishva", {}), MARKET, D(10000), readings or Readings())
    walk(state, candles, [view(i, str(candles[i][4]), **seen.get(i, {})) for i in range(len(candles))], HOUR)
    return state


FLAT = ("100", "100", "100", "100")
ENTER = {0: {"trigger": 0, "reload": 0}}


def test_an_entry_fills_at_the_next_open_and_its_size_meets_the_cap() -> None:
    result = played(tape_of(FLAT, ("101", "101", "101", "101")), ENTER).result
    (entry,) = result.entries
    # wanted 10000*0.02/2.5 = 80; cap 2500/100 = 25 at the close of the decision
    assert (entry.time, entry.price, entry.quantity) == (HOUR, D(101), D(25))
    assert (entry.stop, entry.target) == (D("98.5"), D(106))
    assert result.fills[0].fee == D("0.025")
    assert (result.base, result.quote) == (D("24.975"), D(7475))


def test_risk_decides_where_the_stop_is_far() -> None:
    candles = tape_of(FLAT, FLAT)
    (entry,) = played(candles, {0: {"trigger": 0, "reload": 0, "atr": 20.0}}).result.entries
    assert entry.quantity == D(8)  # 200 / 25


def test_a_stop_fills_at_its_price_in_a_candle_and_at_the_end_of_a_jump() -> None:
    inside = played(tape_of(FLAT, ("100", "100", "97", "97.2")), ENTER).result
    assert [(fill.side, fill.price, fill.reason) for fill in inside.fills][1] == ("sell", D("97.5"), "stop")
    jumped = played(tape_of(FLAT, FLAT, ("96", "96", "96", "96")), ENTER).result
    assert [(fill.time, fill.price, fill.reason) for fill in jumped.fills][1] == (2 * HOUR, D(96), "stop")
    assert jumped.trades[0].profit == D("24.975") * 96 * D("0.999") - 2500
    assert jumped.base == 0


def test_the_path_decides_between_stop_and_target() -> None:
    low_first = played(tape_of(FLAT, ("100", "106", "97", "100")), ENTER).result
    assert low_first.fills[1].reason == "stop"
    high_first = played(tape_of(FLAT, ("100", "106", "97", "99")), ENTER).result
    assert (high_first.fills[1].reason, high_first.fills[1].price) == ("target", D(105))


def test_a_target_fills_at_its_own_price_in_a_jump() -> None:
    result = played(tape_of(FLAT, FLAT, ("107", "107", "107", "107")), ENTER).result
    assert (result.fills[1].reason, result.fills[1].price) == ("target", D(105))


def test_trailing_is_armed_by_touch_half_way_and_follows_the_peak() -> None:
    unarmed = played(tape_of(FLAT, ("100", "102.49", "100", "100.1")), ENTER).result
    assert len(unarmed.fills) == 1
    armed = played(tape_of(FLAT, ("100", "102.5", "100", "100.1")), ENTER).result
    assert (armed.fills[1].reason, armed.fills[1].price) == ("trailing", D("100.5"))
    higher = played(tape_of(FLAT, ("100", "104", "100", "103"), ("103", "103", "101", "101")), ENTER).result
    assert (higher.fills[1].reason, higher.fills[1].price) == ("trailing", D(102))


def test_leaving_sells_at_the_next_open_and_takes_the_target_back() -> None:
    candles = tape_of(FLAT, FLAT, ("107", "107", "107", "107"))
    result = played(candles, {**ENTER, 1: {"leave": "ut_sell", "long": False}}).result
    assert (result.fills[1].reason, result.fills[1].price) == ("ut_sell", D(107))


def test_added_entries_are_halved_in_profit_and_on_a_newer_cross() -> None:
    candles = tape_of(FLAT, FLAT, ("100", "101", "100", "101"), ("101", "101", "101", "101"), FLAT)
    more = {"reload": 1}
    assert len(played(candles, {**ENTER, 1: more}).result.entries) == 1  # not in profit
    assert len(played(candles, {**ENTER, 2: {"reload": 0}}).result.entries) == 1  # no newer cross
    assert len(played(candles, {**ENTER, 2: {"reload": 1, "long": False}}).result.entries) == 1
    assert len(played(candles, {**ENTER, 2: {"reload": 1, "steady": False}}).result.entries) == 1
    result = played(candles, {**ENTER, 2: more, 3: more}).result
    assert [(entry.number, entry.quantity) for entry in result.entries] == [(1, D(25)), (2, D("12.5"))]
    assert result.entries[1].stop == D("98.5")


def test_a_ut_buy_serves_one_first_entry_and_a_cross_one_entry_of_a_position() -> None:
    candles = tape_of(FLAT, ("100", "100", "97", "97"), ("97", "97", "97", "97"), ("97", "97", "97", "97"))
    again = {**ENTER, 1: {"trigger": 0, "reload": 1}}
    assert len(played(candles, again).result.entries) == 1
    same_cross = {**ENTER, 1: {"trigger": 1, "reload": 0}}
    assert len(played(candles, same_cross).result.entries) == 2
    assert len(played(candles, same_cross, Readings(cross_scope="run")).result.entries) == 1


def test_what_is_under_a_lot_goes_to_the_next_entry() -> None:
    down_again = ("100", "100", "97.5", "97.5")
    candles = tape_of(("99", "99", "99", "99"), down_again, ("99", "99", "99", "99"), down_again)
    twice = {**ENTER, 2: {"trigger": 2, "reload": 2}}
    result = played(candles, twice).result
    first, second = result.trades
    # 25.2525 bought, 25.2272475 received, 25.2272 sold, 0.0000475 left with its share of 2525.25
    assert first.quantity == D("25.2272")
    cost = (D("25.2272") * D("2525.25") / D("25.2272475")).quantize(D("0.00000001"))
    assert first.profit == D("97.5") * D("25.2272") - D("2.459652") - cost
    bought = result.fills[2]
    received = bought.quantity - bought.fee + D("0.0000475")
    assert second.quantity == received.quantize(D("0.0001"), ROUND_DOWN)
    assert result.base == received - second.quantity


def test_books_close() -> None:
    candles = tape_of(("99", "99", "99", "99"), ("100", "100", "97.5", "97.5"), ("98", "98", "98", "98"))
    state = played(candles, ENTER)
    result = state.result
    worth = sum(trade.profit for trade in result.trades) + state.dust * 98 - state.dust_cost
    assert result.quote + result.base * 98 - 10000 == worth


def test_a_daily_loss_halts_entries_until_midnight() -> None:
    rows = [FLAT, ("100", "100", "97", "97"), *([("97", "97", "97", "97")] * 24)]
    candles = tape_of(*rows)
    seen = {**ENTER, 2: {"trigger": 2, "reload": 2}, 23: {"trigger": 23, "reload": 23}}
    state = Run(full_config("ppp_vishva", {"max_daily_loss": "0.005"}), MARKET, D(10000), Readings())
    walk(state, candles, [view(i, str(candles[i][4]), **seen.get(i, {})) for i in range(len(candles))], HOUR)
    # the candle that closes at 00:00 already belongs to the new day
    assert [entry.time // HOUR for entry in state.result.entries] == [1, 24]


# ---------------------------------------------------------------- the strategies on small tapes


def closing(*closes: float) -> list[Candle]:
    """Candles that open where the one before closed."""
    result: list[Candle] = []
    before = closes[0]
    for index, close in enumerate(closes):
        prices = [D(repr(price)) for price in (before, max(before, close), min(before, close), close)]
        result.append((index * HOUR, prices[0], prices[1], prices[2], prices[3]))
        before = close
    return result


def test_sma_cross_in_and_out() -> None:
    config = {"timeframe": "1h", "fast": 1, "slow": 2}
    result = run("sma_cross", config, closing(100.0, 99.0, 100.0, 101.0, 100.5, 100.4), MARKET, D(10000), "1h")
    assert [(fill.time // HOUR, fill.side, fill.price, fill.reason) for fill in result.fills] == [
        (3, "buy", D(100), "first"),
        (5, "sell", D("100.5"), "cross_down"),
    ]
    assert (result.entries[0].stop, result.entries[0].target) == (D(98), D(104))


def test_rsi_comes_back_above_and_below() -> None:
    bars = bars_of([100, 99, 98, 99.5, 101, 102, 100])
    seen = rsi_views(full_config("rsi", {"period": 2}), bars)
    assert [index for index, one in enumerate(seen) if one.trigger == index] == [3]
    assert [index for index, one in enumerate(seen) if one.leave] == [6]


def test_a_finer_tape_builds_the_candles_of_the_strategy() -> None:
    config = {"timeframe": "2h", "fast": 1, "slow": 2}
    result = run("sma_cross", config, closing(9, 100, 9, 99, 9, 100, 101, 101), MARKET, D(10000), "1h")
    # closes of 2h: 100, 99, 100, 101; up with the third, filled at the open of 6:00
    assert [(fill.time // HOUR, fill.price) for fill in result.fills] == [(6, D(100))]


def test_refusals() -> None:
    with pytest.raises(ValueError, match="no colour"):
        run("rsi", {"colour": 1}, closing(1, 2), MARKET, D(100), "1h")
    with pytest.raises(ValueError, match="do not make"):
        run("rsi", {"timeframe": "15m"}, closing(1, 2), MARKET, D(100), "1h")
    with pytest.raises(ValueError, match="do not make"):
        run("ppp_vishva", {"timeframe": "1h", "confirm_timeframes": "90m"}, closing(1, 2), MARKET, D(100), "1h")


# ---------------------------------------------------------------- real candles


def real(symbol: str, timeframe: str, period: str, first: int | None = None) -> list[Candle]:
    path = DATA / f"binance_spot_{symbol}USDT_{timeframe}_{period}.parquet"
    if not path.exists():
        pytest.skip(f"no candles at {path}")
    return read_candles(path, first=first)


def vishva(symbol: str, candles: list[Candle], timeframe: str, **config: Any) -> Result:
    market = Market(D("0.01"), LOTS[symbol])
    return run("ppp_vishva", {"timeframe": timeframe, **config}, candles, market, D(10000), timeframe)


@pytest.mark.parametrize(
    ("symbol", "first", "every", "none"), [("BTC", 77, 77, 8), ("ETH", 25, 26, 2), ("SOL", 59, 59, 11)]
)
def test_the_printed_counts(symbol: str, first: int, every: int, none: int) -> None:
    candles = real(symbol, "15m", "20241230-20250630")
    result = vishva(symbol, candles, "15m")
    assert (result.first_entries(), len(result.entries)) == (first, every)
    bare = vishva(symbol, candles, "15m", signal_window=0, stoch_lookback=0)
    assert (bare.first_entries(), len(bare.entries)) == (none, none)


@pytest.mark.parametrize(("symbol", "counts"), [("BTC", (135, 139)), ("ETH", (128, 129)), ("SOL", (142, 144))])
def test_counts_on_hours(symbol: str, counts: tuple[int, int]) -> None:
    if symbol == "BTC":
        later = real("BTC", "1h", "20240421-20250630")
        earlier = real("BTC", "1h", "20170817-20240421", first=1640995200000)
        candles = [candle for candle in earlier if candle[0] < later[0][0]] + later
    else:
        candles = real(symbol, "1h", "20220101-20250630")
    result = vishva(symbol, candles, "1h")
    assert (result.first_entries(), len(result.entries)) == counts
    profit = sum(trade.profit for trade in result.trades)
    assert abs(profit - result.total_profit) < 1  # the rest is dust


def test_no_look_ahead() -> None:
    candles = real("SOL", "15m", "20241230-20250630")[:6000]
    config = full_config("ppp_vishva", {"timeframe": "15m"})
    whole = vishva_views(config, ind.plain_bars(candles, 15 * ind.MINUTE))
    for cut in (3001, 4444, 5999):
        part = vishva_views(config, ind.plain_bars(candles[:cut], 15 * ind.MINUTE))
        assert part == whole[:cut]


def test_a_cross_counts_on_its_own_candle_only() -> None:
    candles = real("ETH", "15m", "20241230-20250630")[:2000]
    closes = [float(candle[4]) for candle in candles]
    k, d = ind.stochastic_rsi(closes)
    marks = oversold_crosses(closes, 20)
    assert any(marks)
    for index, marked in enumerate(marks):
        if marked:
            now, line, was, line_was = k[index], d[index], k[index - 1], d[index - 1]
            assert now is not None
            assert line is not None
            assert was is not None
            assert line_was is not None
            assert line < now < 20
            assert was <= line_was


def test_the_readings_that_do_not_touch_the_counts() -> None:
    candles = real("ETH", "15m", "20241230-20250630")
    market = Market(D("0.01"), LOTS["ETH"])
    for readings in (
        Readings(profit="average"),
        Readings(slots="open"),
        Readings(size_at="fill"),
        Readings(dust="keep"),
    ):
        result = oracle.run("ppp_vishva", {"timeframe": "15m"}, candles, market, D(10000), "15m", readings)
        assert len(result.entries) == 26
