"""The terminal summary and the JSON: what a newcomer reads, from a result whose figures are known."""

import io
import json
import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from rich.console import Console

from autogrid.backtesting.report import ENTRIES, harmless, summary, summary_text
from autogrid.backtesting.result import FillRow, Result, to_json

START_MS = 1_747_699_200_000
"""2025-05-20 00:00 UTC."""

SUMMARY: dict[str, object] = {
    "strategy": "grid",
    "market": {
        "symbol": "BTC/USDT",
        "base": "BTC",
        "quote": "USDT",
        "tick": "0.01",
        "lot": "0.00001",
        "min_notional": "5",
        "assumed": True,
    },
    "config": {"lower": "90", "upper": "120", "grids": 3},
    "candles": {
        "rows": 3,
        "from": "2025-05-20T00:00:00Z",
        "to": "2025-05-20T00:02:00Z",
        "gaps": 1,
        "timeframe": "1m",
    },
    "fills": 4,
    "round_trips": 2,
    "orders_placed": 7,
    "orders_cancelled": 0,
    "fees": {"BTC": "0.00001", "USDT": "1.25"},
    "base": "0.5",
    "quote": "1030.5",
    "equity_start": "1000",
    "equity_end": "1080.5",
    "total_profit": "80.5",
    "grid_profit": "90.25",
    "trend_profit": "-9.75",
    "hold_profit": "100",
    "return": 0.0805,
    "cagr": None,
    "max_drawdown": 0.0095,
    "max_drawdown_days": 0.0007,
    "sharpe": None,
    "sortino": None,
    "calmar": None,
    "volatility": None,
    "exposure": 0.25,
    "profit_factor": None,
    "win_rate": 1.0,
    "avg_win": "45.125",
    "avg_loss": None,
    "best_day": None,
    "worst_day": None,
    "time_in_range": 1.0,
    "through": {"total_profit": "60", "grid_profit": "70", "round_trips": 1, "fills": 2},
    "warnings": ["One lot is 3 % of a cell."],
    "elapsed_s": 0.02,
}


def with_figures(**figures: object) -> Result:
    """The small result with some figures of its summary replaced."""
    buy = FillRow(
        START_MS + 60_000,
        "buy",
        Decimal("100.00"),
        Decimal("0.5"),
        Decimal("0.00050"),
        "BTC",
        "7.1",
        None,
    )
    sell = FillRow(
        START_MS + 120_000,
        "sell",
        Decimal(110),
        Decimal("0.50"),
        Decimal("0.055"),
        "USDT",
        "7.1",
        Decimal("4.945"),
    )
    return Result(
        summary=SUMMARY | figures,
        fills=(buy, sell, buy, sell),
        lines=(Decimal(90), Decimal(100), Decimal(110), Decimal(120)),
        times=START_MS + 60_000 * np.arange(1, 4, dtype=np.int64),
        prices=np.array([[100, 101, 99, 100], [100, 100, 94, 95], [95, 111, 95, 110.01]], np.float64),
        equity=np.array([1000, 990.5, 1080.5]),
        holding=np.array([1000, 950, 1100], np.float64),
        drawdown=np.array([0, 0.0095, 0]),
    )


def a_result() -> Result:
    """The small result: two round trips, a gap, assumed rules, too short for a Sharpe ratio."""
    return with_figures()


def test_it_says_first_what_would_have_become_of_the_money() -> None:
    shown = summary_text(a_result())
    assert "Backtest · grid on BTC/USDT" in shown
    assert "1,000.00 USDT would have become 1,080.50 USDT" in shown
    assert "That is +80.50 USDT (+8.05 %). Just holding would have made +100.00." in shown
    assert "The bot did 19.50 USDT worse than holding." in shown


def test_grid_profit_and_trend_stand_beside_their_total_and_the_fees() -> None:
    lines = [" ".join(line.split()) for line in summary_text(a_result()).splitlines()]
    assert "Grid profit +90.25 what 2 round trips earned" in lines
    assert "Trend -9.75 what the BTC still held gained or lost" in lines
    assert "Total +80.50 both together, with all fees taken off" in lines
    assert "Fees paid 0.00001 BTC + 1.25 USDT" in lines


def test_the_stricter_run_stands_beside_the_kind_one() -> None:
    lines = [" ".join(line.split()) for line in summary_text(a_result()).splitlines()]
    assert "the price touches it +80.50 +90.25 2" in lines
    assert "the price goes one tick beyond it +60.00 +70.00 1" in lines


def test_without_a_stricter_run_nothing_is_made_up() -> None:
    assert "How sure" not in summary_text(with_figures(through=None))


def test_assumed_market_rules_gaps_and_warnings_are_said() -> None:
    shown = " ".join(summary_text(a_result()).split())
    assert "price step 0.01, smallest lot 0.00001, least order 5." in shown
    assert "Gaps in the candles: 1; each was walked as one jump." in shown
    assert "! One lot is 3 % of a cell." in shown


def test_market_rules_that_were_given_need_no_word() -> None:
    market = {"symbol": "BTC/USDT", "base": "BTC", "quote": "USDT", "assumed": False}
    assert "nobody gave" not in summary_text(with_figures(market=market))


def test_what_cannot_be_said_reads_so_and_says_why() -> None:
    lines = [" ".join(line.split()) for line in summary_text(a_result()).splitlines()]
    assert "Sharpe n/a needs 30 whole days with ups and downs" in lines


def test_a_strategy_without_a_range_has_no_line_for_it() -> None:
    assert "In range" in summary_text(a_result())
    assert "In range" not in summary_text(with_figures(time_in_range=None))


def lines_of(result: Result, width: int = 100) -> list[str]:
    """The summary's lines, each with single spaces."""
    return [" ".join(line.split()) for line in summary_text(result, width).splitlines()]


OPEN_AT_A_LOSS = {"base": "0.5", "cost": "60", "average_cost": "120.123456", "value": "50.25", "unrealised": "-9.75"}
WHY = "RSI 31.2 crossed above 30; stop at 97.00, 3 % below"


def of_signals(buys: int = 2, why: str = WHY, **figures: object) -> Result:
    """The small result as a strategy on signals gives it: no lines, a reason with each fill."""
    found = with_figures(strategy="rsi", time_in_range=None, **figures)
    buy, sell = found.fills[:2]
    pairs = [
        (
            replace(buy, slot=f"{number}-in", why=f"{why} ({number})"),
            replace(sell, slot=f"{number}-target", why="target of its entry"),
        )
        for number in range(1, buys + 1)
    ]
    return replace(found, lines=(), fills=tuple(fill for pair in pairs for fill in pair))


def test_what_is_still_held_at_the_end_is_shown_with_its_loss_beside_the_share_of_trips_won() -> None:
    lines = lines_of(with_figures(open_position=OPEN_AT_A_LOSS))
    assert "Still open -9.75 loss not taken yet: 0.5 BTC, bought at 120.12 USDT on average" in lines
    assert "Trips won 100.00 % average win +45.12 USDT, not counted: -9.75 USDT still open" in lines
    assert "Just holding +100.00 with the same money" in lines


@pytest.mark.parametrize(
    ("open_position", "base", "said"),
    [
        (OPEN_AT_A_LOSS | {"unrealised": "0.5"}, "0.5", "Still open +0.50 gain not taken yet: 0.5 BTC, bought at"),
        (OPEN_AT_A_LOSS | {"unrealised": "0"}, "0.5", "Still open 0.00 nothing gained or lost yet: 0.5 BTC, bought at"),
        (None, "0.0000001", "Still open nothing, less than a lot is left"),
        (None, "0", "Still open nothing, no coins are left"),
    ],
)
def test_a_gain_and_an_end_without_coins_are_said_as_such(open_position: object, base: str, said: str) -> None:
    result = with_figures(open_position=open_position, base=base)
    assert any(line.startswith(said) for line in lines_of(result))
    assert "not counted" not in summary_text(result)


def test_a_strategy_that_is_no_grid_is_told_in_words_that_fit_it() -> None:
    lines = lines_of(of_signals())
    assert "Closed trades +90.25 what 2 of them earned" in lines
    assert "An order fills when … total closed trades" in lines
    assert any(line.startswith("Trades won 100.00 %") for line in lines)
    assert not re.search(r"(?i)grid|trip|\bcell|in range", summary_text(of_signals(warnings=[])))


def test_the_last_purchases_are_listed_with_their_reasons_and_the_rest_is_counted() -> None:
    lines = lines_of(of_signals(buys=ENTRIES + 2))
    reasons = [line for line in lines if line.startswith("RSI 31.2")]
    assert reasons == [f"{WHY} ({number})" for number in range(3, ENTRIES + 3)]
    assert lines[lines.index(reasons[0]) - 1] == "20 May 2025 00:01 0.5 BTC at 100.00 USDT"
    assert "These are the last 5 of 7; the page and result.json list every fill." in lines
    assert "These are the last" not in summary_text(of_signals(buys=ENTRIES))
    assert "purchases" not in summary_text(a_result())


STARTS = {"runs": 8, "losing": 3, "lowest": "-120.5", "median": "41", "highest": "300"}


def test_how_much_hangs_on_the_day_of_the_start_is_said_with_the_band_and_the_losing_runs() -> None:
    shown = " ".join(summary_text(with_figures(starts=STARTS)).split())
    assert "Begun at 8 times in the first half of the candles" in shown
    assert "it makes -120.50 to +300.00 USDT, the middle one +41.00; 3 of 8 lost money." in shown
    none = STARTS | {"losing": 0, "lowest": "1"}
    assert "none of 8 lost money." in " ".join(summary_text(with_figures(starts=none)).split())


def test_the_band_stands_without_a_stricter_run_too_and_not_where_no_start_was_possible() -> None:
    assert "3 of 8 lost money" in summary_text(with_figures(starts=STARTS, through=None))
    nowhere = {"runs": 0, "losing": 0, "lowest": None, "median": None, "highest": None}
    assert "How sure" not in summary_text(with_figures(starts=nowhere, through=None))


def test_a_reason_with_markup_or_terminal_codes_stays_text() -> None:
    evil = "[red]sig[/red]\x1b[2J\x1b]0;owned\x07 \u202etxt\nnext \ud800"
    shown = summary_text(of_signals(why=evil))
    assert "[red]sig[/red]\ufffd[2J\ufffd]0;owned\ufffd \ufffdtxt next \ufffd" in shown
    assert not set(shown) & {"\x1b", "\x07", "\u202e"}
    assert "\x1b" not in summary_text(with_figures(warnings=["said \x1b[2J"]))
    assert harmless("plain – São 5 × 3 %") == "plain – São 5 × 3 %"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_long_reasons_wrap(width: int) -> None:
    result = of_signals(why=WHY * 9, starts=STARTS, open_position=OPEN_AT_A_LOSS)
    assert max(map(len, summary_text(result, width).splitlines())) <= width


def test_a_tiny_profit_is_not_shown_as_nothing() -> None:
    assert "+0.00040000 USDT" in summary_text(with_figures(total_profit="0.0004"))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, summary_text(a_result(), width).splitlines())) <= width


def test_in_a_pipe_there_is_no_escape_code_and_in_a_terminal_there_is() -> None:
    out = io.StringIO()
    Console(file=out, width=80, force_terminal=True, color_system="standard").print(summary(a_result()))
    assert "\x1b[" in out.getvalue()
    assert "\x1b" not in summary_text(a_result())


def test_a_name_with_markup_stays_text() -> None:
    assert "[red]grid[/red] on" in summary_text(with_figures(strategy="[red]grid[/red]"))
    assert "[bold]careful[/bold]" in summary_text(with_figures(warnings=["[bold]careful[/bold]"]))


def test_the_json_without_curves_is_the_summary() -> None:
    result = a_result()
    assert to_json(result, curves=False) == dict(result.summary)


def test_the_json_with_curves_has_every_point_and_every_fill_with_money_as_text() -> None:
    found = json.loads(json.dumps(to_json(a_result(), curves=True), allow_nan=False))
    assert found["equity_curve"]["equity"] == ["1000", "990.5", "1080.5"]
    assert found["equity_curve"]["holding"] == ["1000", "950", "1100"]
    assert found["drawdown_curve"]["drawdown"] == [0.0, 0.0095, 0.0]
    assert found["equity_curve"]["time"] == found["drawdown_curve"]["time"] == a_result().times.tolist()
    assert found["fill_list"][1] == {
        "at": 1_747_699_320_000,
        "side": "sell",
        "price": "110",
        "quantity": "0.5",
        "fee": "0.055",
        "fee_asset": "USDT",
        "slot": "7.1",
        "profit": "4.945",
        "why": "",
    }
    assert found["fill_list"][0]["profit"] is None
    assert found["fills"] == 4


def test_a_price_in_scientific_notation_becomes_plain() -> None:
    row = replace(a_result().fills[0], price=Decimal("1E+5"), fee=Decimal("1E-8"))
    base = a_result()
    result = Result(base.summary, (row,), (), base.times, base.prices, base.equity, base.holding, base.drawdown)
    listed = to_json(result, curves=True)["fill_list"][0]
    assert (listed["price"], listed["fee"]) == ("100000", "0.00000001")
