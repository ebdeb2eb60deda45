"""`autogrid preview`: what a grid would do, and what to mind."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from autogrid.cli.app import autogrid
from tests.candles import csv_text, random_walk, write_text

WALK = random_walk(7, 50, price="100")
GRID = (
    "--set", "lower=45000", "--set", "upper=65000", "--set", "grids=5", "--set", "spacing=arithmetic",
    "--set", "reserve=0.05",
)  # fmt: skip
MARKET = ("--tick", "0.01", "--lot", "0.00000001", "--min-notional", "5", "--fee", "0.001")
EXAMPLE = ("grid", "--investment", "23610", *MARKET, *GRID)


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(autogrid, ["preview", *map(str, words)])


def said(*words: str | Path) -> dict[str, Any]:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    assert result.stdout.count("\n") == 1
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_example_of_bybit_comes_out_to_the_last_digit() -> None:
    found = said(*EXAMPLE, "--price", "54000")
    assert found["quantity"] == "0.08795882"
    assert [(line["price"], line["side"], line["quantity"]) for line in found["lines"]] == [
        ("65000", "sell", "0.08787086"),
        ("61000", "sell", "0.08787086"),
        ("57000", None, "0"),
        ("53000", "buy", "0.08795882"),
        ("49000", "buy", "0.08795882"),
        ("45000", "buy", "0.08795882"),
    ]
    assert found["opening_quantity"] == "0.17591764"
    assert all(line["passes"] for line in found["lines"])
    assert found["needs_confirmation"] is False
    assert found["assumed_rules"] == []


def test_json_holds_every_field_with_money_as_text() -> None:
    found = said(*EXAMPLE, "--price", "54000", "--set", "stop_loss=40000")
    money = (
        "investment", "price", "opening_quantity", "opening_cost", "quote_left", "quantity", "least_investment",
        "break_even_step", "loss_at_lower", "loss_at_stop",
    )  # fmt: skip
    for key in money:
        assert isinstance(found[key], str), key
        Decimal(found[key])
    assert Decimal(found["opening_cost"]) + Decimal(found["quote_left"]) == 23_610
    assert Decimal(found["loss_at_stop"]) < Decimal(found["loss_at_lower"]) < 0
    assert Decimal(found["profit_per_grid"]["lowest"]) < Decimal(found["profit_per_grid"]["highest"])
    assert set(found["equity"]) == {"lower", "start", "upper"}
    assert found["config"]["sizing"] == "equal_base"
    assert found["market"]["maker_fee"] == "0.001"
    assert not any("stop-loss" in warning for warning in found["warnings"])


def test_a_grid_without_a_stop_is_warned_of() -> None:
    found = said(*EXAMPLE, "--price", "54000")
    assert found["loss_at_stop"] is None
    assert any("no stop-loss" in warning for warning in found["warnings"])


def test_a_price_above_the_range_waits_to_buy() -> None:
    found = said(*EXAMPLE, "--price", "70000")
    assert any("above the range" in warning for warning in found["warnings"])
    assert found["opening_quantity"] == "0"
    assert not any(line["side"] == "sell" for line in found["lines"])


def test_a_price_below_the_range_spends_almost_all_and_wants_a_confirmation() -> None:
    found = said(*EXAMPLE, "--price", "44000")
    assert any("below the range" in warning for warning in found["warnings"])
    assert found["needs_confirmation"] is True
    assert not any(line["side"] == "buy" for line in found["lines"])
    assert Decimal(found["opening_cost"]) > Decimal("0.9") * 23_610


def test_a_file_is_a_market_and_gives_its_last_price(tmp_path: Path) -> None:
    tape = write_text(tmp_path / "binance_BTCUSDT_1m.csv", csv_text(WALK))
    words = ("grid", "--market", tape, "--investment", "1000", "--set", "lower=98", "--set", "upper=102")
    found = said(*words, "--set", "grids=8")
    assert Decimal(found["price"]) == WALK[-1].close
    assert found["market"]["symbol"] == "BTC/USDT"
    assert found["assumed_rules"] == ["tick", "lot", "min_notional"]
    assert said(*words, "--set", "grids=8", "--price", "99.5")["price"] == "99.5"


def test_a_person_reads_each_order_and_what_was_assumed() -> None:
    result = run("grid", "--investment", "23610", "--price", "54000", "--lot", "0.00000001", *GRID)
    assert result.exit_code == 0, result.output
    for words in ("0.08795882", "0.08787086", "57,000", "no stop-loss", "were assumed"):
        assert words in result.stdout or words.replace(",", "") in result.stdout, words


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "give --price"),
        (("--price", "0"), "must be above 0"),
        (("--price", "-54000"), "above 0"),
        (("--price", "abc"), "--price: 'abc' is not a number"),
        (("--price", "NaN"), "not a finite number"),
        (("--price", "54000", "--set", "lower=65000"), "upper must be above lower"),
        (("--price", "54000", "--set", "lower=66000"), "lower must be below upper"),
        (("--price", "54000", "--set", "gridz=4"), "did you mean grids?"),
        (("--price", "54000", "--investment", "3"), "at least"),
        (("--price", "54000", "--investment", "-3"), "must be above 0"),
        (("--price", "54000", "--market", "nowhere.csv"), "binance:BTC/USDT"),
        (("--price", "54000", "--fee", "5"), "0.001 is 0.1 %"),
        (("--market", str(Path(__file__))), "test_preview.py"),
        (("--market", str(Path(__file__).parent)), "is a directory"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(options: tuple[str, ...], says: str) -> None:
    result = run(*EXAMPLE, *options, "--json")
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert says in result.stderr


def test_an_unknown_strategy_is_told_the_nearest() -> None:
    result = run("grit", "--investment", "1000", "--price", "54000")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean grid?" in result.stderr
