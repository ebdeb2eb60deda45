"""`autogrid propose`: what a person reads, what a program reads, and commands that can be pasted."""

import json
import re
import shlex
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from autogrid.backtesting.candle_store import CandleKey, save
from autogrid.backtesting.tapes import read_tape
from autogrid.cli import market_lookup
from autogrid.cli.app import autogrid
from tests.builders import market
from tests.candles import HOUR_MS, START_MS, csv_text, random_walk, write_parquet, write_text
from tests.house.tree import ROOT
from tests.services.test_proposals import lively

WALK = lively(7, 200)
RULES = ("--tick", "0.01", "--lot", "0.00001", "--min-notional", "5", "--fee", "0.001")
DAY_MS = 24 * HOUR_MS
GUIDE = ROOT / "docs" / "guide" / "automatic-parameters.md"


@pytest.fixture(scope="module")
def candles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_parquet(tmp_path_factory.mktemp("propose") / "binance_BTCUSDT_1h.parquet", WALK)


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(autogrid, [*map(str, words)])


def said(*words: str | Path) -> dict[str, Any]:
    result = run("propose", "grid", *words, "--json")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def refusal(*words: str | Path) -> str:
    result = run("propose", *words)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_a_person_reads_the_proposal_its_reasons_and_how_it_would_have_fared(candles: Path) -> None:
    result = run("propose", "grid", "--candles", candles, "--investment", "1000", *RULES)
    assert result.exit_code == 0, result.output
    for words in (
        "A grid for BTC/USDT, 1000 USDT", "Why", "exp(−1.28 · σ · √30)", "ATR / 2 / P0", "⌊ln(",
        "What such proposals would have done", "3 windows of 30 days", "within 7 days:", "of 84 windows",
        "within 30 days:", "of 61 windows", "There is no stop-loss", "autogrid preview grid",
        "autogrid bot create grid",
    ):  # fmt: skip
        assert words in result.stdout, words


def test_json_is_one_object_with_the_commands(candles: Path) -> None:
    found = said("--candles", candles, "--investment", "1000", *RULES)
    assert len(found["walk_forward"]) == 3
    assert set(found["commands"]) == {"preview", "create"}
    assert found["market"]["symbol"] == "BTC/USDT"
    assert found["market"]["assumed_rules"] == []


def test_the_printed_commands_do_what_was_proposed(candles: Path, tmp_path: Path) -> None:
    unnamed = write_parquet(tmp_path / "my candles.parquet", WALK)
    given = ("--investment", "1000", *RULES, "--fee-in", "quote", "--set", "sizing=equal_quote")
    found = said("--candles", unnamed, *given)
    words = shlex.split(found["commands"]["preview"].replace("\\\n", " "))
    previewed = json.loads(run(*words[1:], "--json").stdout)
    assert previewed["lines"][0]["price"] == found["proposal"]["upper"]
    assert previewed["lines"][-1]["price"] == found["proposal"]["lower"]
    assert len(previewed["lines"]) == found["proposal"]["grids"] + 1
    assert previewed["config"] == found["config"]
    assert previewed["market"]["fee_in"] == "quote"
    assert previewed["least_investment"] == found["least_investment"]
    words = shlex.split(found["commands"]["create"].replace("\\\n", " "))
    made = run(*words[1:], "--data-dir", tmp_path / "data", "--json")
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["symbol"] == "BASE/QUOTE"


def test_candles_whose_name_says_the_exchange_make_a_bot_on_its_live_prices(candles: Path) -> None:
    found = said("--candles", candles, "--investment", "1000")
    assert "--exchange binance" in found["commands"]["create"]
    assert "--symbol BTC/USDT" in found["commands"]["create"]
    assert found["market"]["assumed_rules"] == ["tick", "lot", "min_notional"]


def test_a_named_market_uses_the_longest_stored_candles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = market(max_orders=20)
    monkeypatch.setattr(market_lookup, "look_up", lambda exchange, symbol, data_dir: known)
    now = time.time_ns() // 1_000_000 // DAY_MS * DAY_MS
    late = [replace(one, time_ms=one.time_ms - START_MS + now - 200 * DAY_MS) for one in WALK]
    for timeframe, kept in (("1h", late), ("4h", random_walk(1, 3000, interval_ms=4 * HOUR_MS))):
        tape = read_tape([write_parquet(tmp_path / f"{timeframe}.parquet", kept)])
        save(tmp_path, CandleKey("binance", "BTC/USDT", timeframe), tape)
    given = ("--market", "binance:BTC/USDT", "--investment", "1000", "--data-dir", tmp_path)
    found = said(*given)
    assert found["candles"]["timeframe"] == "1h"
    assert found["proposal"]["grids"] <= 16
    assert "--market binance:BTC/USDT" in found["commands"]["preview"]
    assert "newest stored candle" not in run("propose", "grid", *given).stdout


def test_stored_candles_that_are_old_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market_lookup, "look_up", lambda exchange, symbol, data_dir: market())
    save(tmp_path, CandleKey("binance", "BTC/USDT", "1h"), read_tape([write_parquet(tmp_path / "a.parquet", WALK)]))
    told = run("propose", "grid", "--market", "binance:BTC/USDT", "--investment", "1000", "--data-dir", tmp_path).stdout
    assert "newest stored candle" in told
    assert "autogrid data download binance BTC/USDT" in told


def test_without_enough_stored_candles_it_says_how_to_get_them(tmp_path: Path) -> None:
    given = ("grid", "--market", "binance:btc/usdt", "--investment", "1000", "--data-dir", tmp_path)
    assert "there are none: fetch them with: autogrid data download binance BTC/USDT 5m --from 20" in refusal(*given)
    short = read_tape([write_parquet(tmp_path / "a.parquet", WALK[: 40 * 24])])
    save(tmp_path, CandleKey("binance", "BTC/USDT", "1h"), short)
    assert "the longest has 40 days" in refusal(*given)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("grid",), "give --candles FILE, or --market"),
        (("gird",), "did you mean grid?"),
        (("grid", "--market", "BTC/USDT"), "write it like binance:BTC/USDT"),
        (("grid", "--market", "bin ance:BTC/USDT"), "no exchange and spot market"),
        (("grid", "--candles", "gone.csv"), "gone.csv"),
        (("grid", "--candles", ","), "No file of candles"),
        (("grid", "--candles", "{short}"), "at least 30 days"),
        (("grid", "--candles", "{candles}", "--set", "grids=5"), "grids is what is proposed"),
        (("grid", "--candles", "{candles}", "--set", "stoploss=5"), "did you mean stop_loss?"),
        (("grid", "--candles", "{candles}", "--set", "stop_loss=999999"), "must be below lower"),
        (("grid", "--candles", "{candles}", "--tick", "0"), "tick is 0"),
        (("grid", "--candles", "{candles}", "--fee", "2"), "fraction from 0"),
        (("grid", "--candles", "{candles}", "--investment", "2"), "too small even for 2 grids"),
        (("grid", "--candles", "{candles}", "--investment", "0"), "must be above 0"),
        (("grid", "--candles", "{candles}", "--investment", "much"), "not a number"),
    ],
)
def test_bad_input_is_one_sentence(candles: Path, tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    short = write_text(tmp_path / "short.csv", csv_text(WALK[: 20 * 24]))
    filled = [word.format(candles=candles, short=short) for word in words]
    if "--investment" not in filled:
        filled += ["--investment", "1000"]
    assert says in refusal(*filled)


def test_the_guide_shows_what_the_command_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guide's candles are those of `lively(7, 200)`."""
    write_text(tmp_path / "candles.csv", csv_text(WALK))
    monkeypatch.chdir(tmp_path)
    command, output = re.findall(r"```\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)[:2]
    result = run(*shlex.split(command.replace("\\\n", " "))[1:])
    assert result.exit_code == 0, result.output
    printed = [line.rstrip() for line in result.stdout.strip("\n").splitlines()]
    assert printed == [line.rstrip() for line in output.strip("\n").splitlines()]
