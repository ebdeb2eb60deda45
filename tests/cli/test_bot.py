"""`autogrid bot`, `engine`, `orders` and `trades`: a paper bot from its making to its end."""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from autogrid.cli.app import autogrid
from autogrid.storage.lock import EngineLock
from tests.candles import csv_text, random_walk, write_text

WALK = random_walk(7, 500, price="100")
RULES = ("--fee", "0.001", "--tick", "0.01", "--lot", "0.001", "--min-notional", "5")
GRID = ("--set", "lower=98", "--set", "upper=102", "--set", "grids=16")
MONEY = ("base", "quote", "fees", "grid_profit", "total_profit", "trend_profit", "hold_profit", "round_trips")
ENGINE = [sys.executable, "-c", "from autogrid.cli.app import main; main()", "engine", "--until-idle"]


class Home:
    """A data folder, and what the command line says on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "data"
        self.tape = write_text(folder / "binance_BTCUSDT_1m.csv", csv_text(WALK))

    def run(self, *words: str | Path, typed: str | None = None) -> Result:
        return CliRunner().invoke(
            autogrid, [str(word) for word in words], input=typed, env={"AUTOGRID_DATA_DIR": str(self.folder)}
        )

    def told(self, *words: str | Path, typed: str | None = None) -> str:
        """What it says to a person."""
        result = self.run(*words, typed=typed)
        assert result.exit_code == 0, result.output
        return result.stdout

    def said(self, *words: str | Path) -> dict[str, Any]:
        """Its one JSON object."""
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        assert result.stdout.count("\n") == 1
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def refused(self, *words: str | Path) -> str:
        """Its one sentence, with exit 2."""
        result = self.run(*words)
        assert result.exit_code == 2, result.output
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1
        return result.stderr

    def creation(self, name: str, *more: str | Path) -> tuple[str | Path, ...]:
        """The words that make a bot on the tape; the last of an option wins."""
        how = ("--account", "paper", "--symbol", "BTC/USDT", "--investment", "1000", "--name", name)
        return (
            "bot",
            "create",
            "grid",
            *how,
            "--tape",
            self.tape,
            "--speed",
            "0",
            "--risk",
            "off",
            *RULES,
            *GRID,
            *more,
        )

    def made(self, name: str = "one", *more: str | Path) -> dict[str, Any]:
        return self.said(*self.creation(name, *more))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_bot_ends_with_the_figures_of_the_backtest(home: Home) -> None:
    made = home.made()
    assert {key: made[key] for key in ("name", "strategy", "symbol", "account", "state", "wanted")} == {
        "name": "one",
        "strategy": "grid",
        "symbol": "BTC/USDT",
        "account": "paper",
        "state": "stopped",
        "wanted": "stopped",
    }
    assert home.said("bot", "start", made["id"])["wanted"] == "running"
    engine = home.run("engine", "--until-idle")
    assert engine.exit_code == 0, engine.output
    assert engine.stdout == ""
    assert "one ended: its prices have come to an end" in engine.stderr
    shown = home.said("bot", "show", made["id"][:6])
    expected = home.said("backtest", "grid", "--candles", home.tape, "--investment", "1000", *RULES, *GRID)
    assert {key: shown[key] for key in MONEY} == {key: expected[key] for key in MONEY}
    assert (shown["equity"], shown["state"]) == (expected["equity_end"], "ended")
    assert expected["round_trips"] > 10, "the tape gives the bot something to do"
    trades = home.said("trades", "--bot", "one")["trades"]
    assert len(trades) == expected["fills"]
    replayed = home.said("bot", "replay", "one")
    assert (replayed["equal"], replayed["difference"]) == (True, None)
    assert replayed["steps"] > len(trades)


def test_what_a_bot_did_can_be_listed_and_explained(home: Home, tmp_path: Path) -> None:
    home.made()
    home.told("bot", "start", "one")
    home.told("engine", "--until-idle")
    trades = home.said("trades")["trades"]
    sheet = tmp_path / "trades.csv"
    assert f"{len(trades)} trades written" in home.told("trades", "--csv", sheet)
    rows = list(csv.DictReader(sheet.read_text(encoding="utf-8").splitlines()))
    assert [(row["side"], row["price"], row["quantity"], row["fee"]) for row in rows] == [
        (trade["side"], trade["price"], trade["quantity"], trade["fee"]) for trade in trades
    ]
    assert all(isinstance(trade["price"], str) for trade in trades)
    orders = home.said("orders", "--all", "--bot", "one")["orders"]
    assert sum(order["status"] == "filled" for order in orders) == len(trades)
    assert home.said("orders")["orders"] == []
    why = home.said("bot", "why", "one")["reasons"]
    assert why[0] == "its prices have come to an end"
    assert any("one line always stays free" in reason for reason in why)
    assert "round trips" in home.told("bot", "show", "one")
    assert "all as they were kept" in home.told("bot", "replay", "one")
    assert trades[0]["price"] in home.told("trades")
    assert "ended" in home.told("bot", "list")


def test_a_bot_that_never_ran_shows_its_investment(home: Home) -> None:
    home.made()
    shown = home.said("bot", "show", "one")
    assert (shown["quote"], shown["equity"], shown["base"], shown["total_profit"]) == ("1000", "1000", "0", "0")
    keys = {"base", "quote", "equity", "total_profit", "grid_profit", "trend_profit", "hold_profit", "fees", "orders"}
    assert keys | {"fills", "wanted", "reasons"} <= shown.keys()
    assert "It never ran" in home.told("bot", "show", "one")
    assert home.said("bot", "why", "one")["reasons"] == ["It never ran."]
    assert "There are no orders." in home.told("orders")
    assert "There are no trades yet." in home.told("trades")


def test_names_are_made_where_none_is_given_and_deleted_bots_are_out_of_sight(home: Home) -> None:
    assert "no bots yet" in home.told("bot", "list")
    words = [word for word in home.creation("x") if word not in ("--name", "x")]
    assert [home.said(*words)["name"] for _ in range(2)] == ["grid-btc", "grid-btc-2"]
    assert [bot["name"] for bot in home.said("bot", "list")["bots"]] == ["grid-btc", "grid-btc-2"]
    home.said("bot", "delete", "grid-btc")
    assert [bot["name"] for bot in home.said("bot", "list")["bots"]] == ["grid-btc-2"]
    assert "no bot is called 'grid-btc'" in home.refused("bot", "show", "grid-btc")


def test_an_edit_before_the_first_run_counts_from_the_start(home: Home) -> None:
    home.made()
    assert "it will start with the new configuration" in home.told(
        "bot", "edit", "one", "--set", "grids=8", typed="y\n"
    )
    assert home.said("bot", "show", "one")["config"]["grids"] == "8"
    home.told("bot", "start", "one")
    home.told("engine", "--until-idle")
    grid = (*GRID, "--set", "grids=8")
    expected = home.said("backtest", "grid", "--candles", home.tape, "--investment", "1000", *RULES, *grid)
    shown = home.said("bot", "show", "one")
    assert {key: shown[key] for key in MONEY} == {key: expected[key] for key in MONEY}


def test_an_edit_that_is_declined_changes_nothing(home: Home) -> None:
    home.made()
    assert home.run("bot", "edit", "one", "--set", "grids=8", typed="n\n").exit_code == 1
    assert home.said("bot", "show", "one")["config"]["grids"] == "16"


def until(look: Callable[[], bool], what: str) -> None:
    """Wait for what an engine does beside us."""
    end = time.monotonic() + 20
    while not look():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def test_a_running_bot_pauses_goes_on_changes_and_stops_as_it_is_told(home: Home) -> None:
    home.made("one", "--speed", "600")  # 10 candles a second
    home.told("bot", "start", "one")

    def shown() -> dict[str, Any]:
        return home.said("bot", "show", "one")

    environment = {**os.environ, "AUTOGRID_DATA_DIR": str(home.folder)}
    with subprocess.Popen(ENGINE, env=environment, stderr=subprocess.PIPE, text=True) as engine:
        try:
            until(lambda: len(shown()["orders"]) > 12, "its orders go out")
            assert shown()["state"] == "running"
            assert "is running; stop it first" in home.refused("bot", "delete", "one")
            assert "another engine runs" in home.refused("engine", "--until-idle")
            home.told("bot", "pause", "one", "--cancel")
            until(lambda: shown()["state"] == "paused" and not shown()["orders"], "it pauses without orders")
            home.told("bot", "start", "one")
            until(lambda: shown()["state"] == "running" and len(shown()["orders"]) > 12, "it goes on")
            assert "Orders kept" in home.told("bot", "edit", "one", "--set", "grids=8", typed="y\n")
            until(
                lambda: shown()["config"]["grids"] == "8" and 4 < len(shown()["orders"]) <= 8, "it has the other grid"
            )
            home.told("bot", "stop", "one", "--sell")
            _, words = engine.communicate(timeout=20)
        finally:
            engine.kill()
    assert engine.returncode == 0, words
    last = shown()
    assert (last["state"], last["orders"]) == ("ended", [])
    assert float(last["base"]) < 0.001, "what is less than a lot cannot be sold"
    assert home.said("bot", "replay", "one")["equal"] is True
    home.told("bot", "delete", "one")
    assert home.said("bot", "list")["bots"] == []


def test_a_second_engine_is_refused_while_one_holds_the_lock(home: Home) -> None:
    home.made()
    home.told("bot", "start", "one")
    lock = EngineLock(home.folder)
    try:
        assert "another engine runs on" in home.refused("engine", "--until-idle")
    finally:
        lock.release()
    home.told("engine", "--until-idle")
    assert home.said("bot", "show", "one")["state"] == "ended"


def test_a_bot_whose_tape_vanished_stops_with_a_sentence_and_starts_again_when_it_is_back(home: Home) -> None:
    home.made()
    home.told("bot", "start", "one")
    away = home.tape.rename(home.tape.with_suffix(".away"))
    result = home.run("engine", "--until-idle")
    assert result.exit_code == 1
    assert "one stopped by a fault: " in result.stderr
    assert "Traceback" not in result.stderr
    shown = home.said("bot", "show", "one")
    assert shown["state"] == "error"
    assert "binance_BTCUSDT_1m.csv does not exist" in shown["reason"]
    assert "does not exist" in home.said("bot", "why", "one")["reasons"][0]
    assert "start it again, or delete it" in home.refused("bot", "pause", "one")
    away.rename(home.tape)
    home.told("bot", "start", "one")
    home.told("engine", "--until-idle")
    assert home.said("bot", "show", "one")["state"] == "ended"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--account", "binance"), "no key is called 'binance'"),
        (("--symbol", "BTCUSDT"), "write it as BASE/QUOTE"),
        (("--symbol", "ETH/USDT"), "the tape's name says BTC/USDT"),
        (("--tape", "nowhere.csv"), "nowhere.csv does not exist"),
        (("--exchange", "binance"), "give --tape or --exchange"),
        (("--speed", "-1"), "--speed goes with --tape"),
        (("--investment", "20"), "at least"),
        (("--investment", "-1"), "must be above 0"),
        (("--set", "lower=103"), "lower must be below upper"),
        (("--set", "lower"), "write it as key=value"),
        (("--set", "gridz=3"), "did you mean grids?"),
        (("--fee", "5"), "0.001 is 0.1 %"),
    ],
)
def test_a_bot_that_could_not_trade_is_not_made(home: Home, more: tuple[str, ...], says: str) -> None:
    assert says in home.refused(*home.creation("one", *more))
    assert home.said("bot", "list")["bots"] == []


def test_what_cannot_be_done_with_a_bot_is_one_sentence(home: Home, tmp_path: Path) -> None:
    made = home.made()
    assert "a bot named 'one' exists already" in home.refused(*home.creation("one"))
    assert f"there are {made['id']} (one)" in home.refused("bot", "show", "nobody")
    for words in (("start",), ("pause",), ("stop",), ("why",), ("replay",), ("delete",), ("edit", "--set", "grids=8")):
        assert "no bot is called 'nobody'" in home.refused("bot", words[0], "nobody", *words[1:])
    for words in (("orders",), ("trades",)):
        assert "no bot is called 'nobody'" in home.refused(*words, "--bot", "nobody")
    for word in ("pause", "stop"):
        assert "start it first" in home.refused("bot", word, "one")
    assert "nothing to change" in home.refused("bot", "edit", "one", "--yes")
    assert "did you mean grids?" in home.refused("bot", "edit", "one", "--yes", "--set", "grid=8")
    assert "No such file" in home.refused("trades", "--csv", tmp_path / "no" / "trades.csv")


def test_an_ended_bot_is_not_started_again(home: Home) -> None:
    home.made()
    home.told("bot", "start", "one")
    home.told("engine", "--until-idle")
    assert "one has ended (its prices have come to an end); create a new one" in home.refused("bot", "start", "one")
    for words in (("pause", "one"), ("stop", "one"), ("edit", "one", "--yes", "--set", "grids=8")):
        assert "one has ended" in home.refused("bot", *words)


def test_a_start_of_an_id_must_mean_one_bot(home: Home) -> None:
    ids: dict[str, str] = {}
    while True:  # until two begin alike: at most as often as there are letters and digits
        found: str = home.made(f"bot number {len(ids)}")["id"]
        if found[0] in ids:
            break
        ids[found[0]] = found
    sentence = home.refused("bot", "show", found[0])
    assert "write more of the id" in sentence
    assert found in sentence
    assert ids[found[0]] in sentence
    assert home.said("bot", "show", found)["id"] == found
