"""`autogrid backtest`: the contract of its JSON, and the oracle's figures on the same candles."""

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from autogrid.cli.app import autogrid
from tests.candles import MadeCandle, csv_text, random_walk, write_parquet, write_text
from tests.oracle import grid_oracle as oracle
from tests.oracle.grid_oracle import Candle, GridJob

D = Decimal
REAL = (
    Path(__file__).resolve().parents[2].parent / "shared/data/candles/binance_spot_BTCUSDT_1m_20250520-20250630.parquet"
)
WALK = random_walk(7, 700, price="100")
RULES = ("--fee", "0.001", "--tick", "0.01", "--lot", "0.001", "--min-notional", "5")
GRID = ("--set", "lower=98", "--set", "upper=102", "--set", "grids=16")
JOB = GridJob(
    D(98), D(102), 16, D(1000), maker_fee=D("0.001"), taker_fee=D("0.001"), tick=D("0.01"), lot=D("0.001"),
    min_notional=D(5),
)  # fmt: skip
MONEY = (
    "base", "quote", "equity_start", "equity_end", "total_profit", "grid_profit", "trend_profit", "hold_profit",
)  # fmt: skip
COUNTS = ("fills", "round_trips", "orders_placed", "orders_cancelled")
RATIOS = (
    "return", "cagr", "max_drawdown", "max_drawdown_days", "sharpe", "sortino", "calmar", "volatility", "exposure",
    "profit_factor", "win_rate", "time_in_range",
)  # fmt: skip
DAYS_AND_TRADES = ("avg_win", "avg_loss", "best_day", "worst_day")
ABOUT = ("fees", "strategy", "market", "config", "candles", "elapsed_s")


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(autogrid, ["backtest", *map(str, words)])


def said(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    assert result.stdout.count("\n") == 1
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def ran(tape: Path, *more: str | Path, investment: str = "1000", grid: tuple[str, ...] = GRID) -> dict[str, Any]:
    return said(run("grid", "--candles", tape, "--investment", investment, *RULES, *grid, *more, "--json"))


def refused(result: Result) -> str:
    """The one sentence; the exit is 2 and nothing stands on standard output."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    return result.stderr


def as_oracle(walk: Sequence[MadeCandle]) -> list[Candle]:
    return [(candle.time_ms, *candle.prices) for candle in walk]  # type: ignore[misc]


def must_equal(found: dict[str, Any], job: GridJob, candles: Sequence[Candle], base: str, quote: str) -> None:
    """Every figure that the oracle knows is the same text."""
    expected = oracle.run(job, candles)
    for key in COUNTS:
        assert found[key] == expected[key], key
    for key in MONEY:
        assert found[key] == oracle.plain(expected[key]), key
    names = {"base": base, "quote": quote}
    fees = {names[asset]: oracle.plain(fee) for asset, fee in expected["fees"].items() if fee}
    assert {asset: fee for asset, fee in found["fees"].items() if fee != "0"} == fees
    assert found["max_drawdown"] == pytest.approx(float(expected["max_drawdown"]), abs=1e-9)


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_text(tmp_path_factory.mktemp("tapes") / "walk.csv", csv_text(WALK))


def test_json_is_one_object_with_every_field_and_money_as_text(tape: Path) -> None:
    found = ran(tape)
    assert {*MONEY, *COUNTS, *RATIOS, *DAYS_AND_TRADES, *ABOUT} <= found.keys()
    for key in MONEY:
        assert isinstance(found[key], str), key
        assert oracle.plain(D(found[key])) == found[key], key
    for key in COUNTS:
        assert type(found[key]) is int, key
    for key in RATIOS:
        assert found[key] is None or isinstance(found[key], int | float), key
    for key in DAYS_AND_TRADES:
        assert found[key] is None or isinstance(found[key], str), key
    assert all(isinstance(fee, str) for fee in found["fees"].values())
    assert {"rows", "from", "to", "gaps"} <= found["candles"].keys()
    assert (found["candles"]["rows"], found["candles"]["gaps"]) == (700, 0)
    assert found["strategy"] == "grid"
    assert found["config"]["lower"] == "98"
    assert found["market"]["lot"] == "0.001"
    assert found["round_trips"] > 20, "the tape gives the grid something to do"


def test_grid_and_trend_are_the_total_which_is_end_less_start(tape: Path) -> None:
    found = ran(tape)
    total = D(found["total_profit"])
    assert D(found["grid_profit"]) + D(found["trend_profit"]) == total
    assert D(found["equity_end"]) - D(found["equity_start"]) == total
    worth = D(found["quote"]) + D(found["base"]) * WALK[-1].close
    assert worth == D(found["equity_end"])


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ((), {}),
        (("--path", "reversed"), {"path": "reversed"}),
        (("--fill", "through"), {"fill": "through"}),
        (("--fee-in", "quote"), {"fee_in": "quote"}),
        (("--set", "spacing=arithmetic"), {"spacing": "arithmetic"}),
        (("--set", "sizing=equal_quote"), {"sizing": "equal_quote"}),
        (
            ("--set", "spacing=arithmetic", "--set", "sizing=equal_quote", "--fee-in", "quote", "--path", "reversed"),
            {"spacing": "arithmetic", "sizing": "equal_quote", "fee_in": "quote", "path": "reversed"},
        ),
        (
            ("--fill", "through", "--set", "sizing=equal_quote", "--set", "start=wait"),
            {"fill": "through", "sizing": "equal_quote", "start": "wait"},
        ),
    ],
)
def test_the_figures_are_those_of_the_oracle(tape: Path, words: tuple[str, ...], changes: dict[str, Any]) -> None:
    job, candles = replace(JOB, **changes), as_oracle(WALK)
    found = ran(tape, *words)
    if job.fill == "through":  # the oracle marks its drawdown where the path stands, not at the fill
        found["max_drawdown"] = float(oracle.run(job, candles)["max_drawdown"])
    must_equal(found, job, candles, "BASE", "QUOTE")


def test_parquet_gives_what_csv_gives(tape: Path, tmp_path: Path) -> None:
    found, other = ran(tape), ran(write_parquet(tmp_path / "walk.parquet", WALK))
    for one in (found, other):
        one.pop("elapsed_s")
        one["candles"].pop("source")
    assert found == other


def test_the_last_day_is_included_whole(tmp_path: Path) -> None:
    walk = random_walk(8, 3_000, price="100")  # 2025-05-20 00:00 to 2025-05-22 01:59
    tape = write_text(tmp_path / "days.csv", csv_text(walk))
    found = ran(tape, "--from", "2025-05-21", "--to", "2025-05-21")
    assert (found["candles"]["rows"], found["candles"]["from"]) == (1_440, "2025-05-21T00:00:00Z")
    must_equal(found, JOB, as_oracle(walk[1_440:2_880]), "BASE", "QUOTE")


def test_two_files_are_one_tape(tape: Path, tmp_path: Path) -> None:
    parts = [write_text(tmp_path / f"{n}.csv", csv_text(WALK[n : n + 350])) for n in (0, 350)]
    found = said(run("grid", "--candles", f"{parts[0]},{parts[1]}", "--investment", "1000", *RULES, *GRID, "--json"))
    must_equal(found, JOB, as_oracle(WALK), "BASE", "QUOTE")


def test_a_band_holds_both_runs(tape: Path) -> None:
    band = ran(tape, "--path", "band")["band"]
    assert set(band) == {"normal", "reversed"}
    for path in ("normal", "reversed"):
        must_equal(band[path], replace(JOB, path=path), as_oracle(WALK), "BASE", "QUOTE")


def test_out_gets_the_result_and_the_page(tape: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "out"
    found = ran(tape, "--out", folder)
    kept = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert {key: kept[key] for key in MONEY} == {key: found[key] for key in MONEY}
    assert len(kept["fill_list"]) == found["fills"]
    assert len(kept["equity_curve"]["time"]) == len(kept["drawdown_curve"]["drawdown"]) == 700
    assert {"equity_curve", "drawdown_curve", "fill_list"}.isdisjoint(found)
    assert "<html" in (folder / "result.html").read_text(encoding="utf-8").lower()


def test_without_json_a_person_reads_a_summary(tape: Path) -> None:
    result = run("grid", "--candles", tape, "--investment", "1000", *GRID)
    assert result.exit_code == 0, result.output
    assert "assumed" in result.stdout, "rules of the market were read off the candles"
    assert "{" not in result.stdout


def test_rules_that_nobody_gave_are_assumed_and_said(tape: Path) -> None:
    found = said(run("grid", "--candles", tape, "--investment", "1000", "--tick", "0.01", *GRID, "--json"))
    assert found["market"]["assumed_rules"] == ["lot", "min_notional"]
    assert ran(tape)["market"]["assumed"] is False


def test_keys_come_from_a_file_and_set_wins(tape: Path, tmp_path: Path) -> None:
    file = write_text(tmp_path / "grid.toml", 'lower = 98\nupper = "101.5"\ngrids = 10\nreserve = 0.05\n')
    found = ran(tape, grid=("--config", str(file), "--set", "grids=16", "--set", "upper=102"))
    assert {key: found["config"][key] for key in ("lower", "upper", "grids", "reserve")} == {
        "lower": "98",
        "upper": "102",
        "grids": "16",
        "reserve": "0.05",
    }
    must_equal(found, replace(JOB, reserve=D("0.05")), as_oracle(WALK), "BASE", "QUOTE")


@pytest.mark.skipif(not REAL.exists(), reason="needs the real candles of ../shared")
def test_real_candles_give_the_figures_of_the_oracle() -> None:
    words = ("--fee", "0.001", "--tick", "0.01", "--lot", "0.00001", "--min-notional", "5")
    grid = ("--set", "lower=98000", "--set", "upper=114000", "--set", "grids=50", "--set", "spacing=geometric")
    found = said(run("grid", "--candles", REAL, "--investment", "10000", *words, *grid, "--json"))
    job = replace(JOB, lower=D(98_000), upper=D(114_000), grids=50, investment=D(10_000), lot=D("0.00001"))
    must_equal(found, job, oracle.read_candles(REAL), "BTC", "USDT")
    assert found["round_trips"] > 100


BAD_SETTINGS = [
    (("lower=102", "upper=98"), "lower must be below upper"),
    (("lower=98", "upper=98"), "upper must be above lower"),
    (("grids=1",), "the least is 2"),
    (("grids=1001",), "the most is 1000"),
    (("grids=abc",), "'abc' is not a number"),
    (("grids=2.5",), "whole number"),
    (("lower=NaN",), "lower: 'NaN' is not a finite number"),
    (("upper=Infinity",), "upper: 'Infinity' is not a finite number"),
    (("upper=1e30",), "too large"),
    (("lower=-5",), "must be above 0"),
    (("uper=102",), "did you mean upper?"),
    (("spacing=geometrc",), "did you mean geometric?"),
    (("lower",), "write it as key=value"),
    (("=98",), "write it as key=value"),
]


@pytest.mark.parametrize(("settings", "says"), BAD_SETTINGS)
def test_a_bad_setting_is_one_sentence(tape: Path, settings: tuple[str, ...], says: str) -> None:
    words = [word for setting in settings for word in ("--set", setting)]
    assert says in refused(run("grid", "--candles", tape, "--investment", "1000", *RULES, *GRID, *words, "--json"))


BAD_OPTIONS = [
    (("--investment", "NaN"), "--investment: 'NaN'"),
    (("--investment", "0"), "must be above 0"),
    (("--investment", "-1000"), "must be above 0"),
    (("--investment", "1e30"), "too large"),
    (("--fee", "5"), "0.001 is 0.1 %"),
    (("--fee", "-0.001"), "0.001 is 0.1 %"),
    (("--maker-fee", "0.001"), "not both"),
    (("--fee-in", "gold"), "BNB:600"),
    (("--tick", "0"), "tick is 0"),
    (("--lot", "-1"), "lot is -1"),
    (("--slippage", "1"), "below 1"),
    (("--participation", "0"), "above 0"),
    (("--timeframe", "15m"), "leave it out"),
    (("--from", "2025-06-01", "--to", "2025-05-01"), "exchange them"),
    (("--from", "2025-02-30"), "which is no day"),
    (("--to", "yesterday"), "which is no day"),
    (("--from", "2030-01-01"), "holds 0 candles"),
    (("--candles", "nowhere.csv"), "nowhere.csv does not exist"),
    (("--candles", ","), "candles"),
    (("--config", "nowhere.toml"), "nowhere.toml cannot be read"),
    (("--market", "binance"), "binance:BTC/USDT"),
]


@pytest.mark.parametrize(("options", "says"), BAD_OPTIONS)
def test_a_bad_option_is_one_sentence(tape: Path, options: tuple[str, ...], says: str) -> None:
    words = ("grid", "--candles", tape, "--investment", "1000", *RULES, *GRID)
    assert says in refused(run(*words, *options, "--json"))


def test_a_bad_place_is_one_sentence(tape: Path, tmp_path: Path) -> None:
    empty, file = write_text(tmp_path / "empty.csv", ""), write_text(tmp_path / "file", "no candles\n")
    words = ("grid", "--candles", tape, "--investment", "1000", *GRID, "--json")
    assert "empty.csv is empty" in refused(run(*words, "--candles", empty))
    assert "is a directory" in refused(run(*words, "--candles", tmp_path))
    assert "file" in refused(run(*words, "--candles", file))
    assert "is no folder that can be written to" in refused(run(*words, "--out", file))
    assert "is no folder that can be written to" in refused(run(*words, "--out", file / "under"))
    assert "is not TOML" in refused(run(*words, "--config", file))
    assert "not under [grid]" in refused(run(*words, "--config", write_text(tmp_path / "a.toml", "[grid]\nlower=1\n")))


def test_an_unknown_strategy_is_told_the_nearest(tape: Path) -> None:
    assert "did you mean grid?" in refused(run("gird", "--candles", tape, "--investment", "1000", *GRID, "--json"))


def test_a_missing_key_is_named(tape: Path) -> None:
    assert "lower is missing" in refused(run("grid", "--candles", tape, "--investment", "1000", "--json"))


def test_an_investment_too_small_names_the_least_which_then_works(tape: Path) -> None:
    words = ("grid", "--candles", tape, *RULES, *GRID, "--json")
    sentence = refused(run(*words, "--investment", "20"))
    least = sentence.partition("at least ")[2].partition(" ")[0]
    assert said(run(*words, "--investment", least))["fills"] > 0
    assert "at least" in refused(run(*words, "--investment", str(D(least) - D("0.01"))))
