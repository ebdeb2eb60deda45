"""`autogrid bot show` of a strategy that says why it trades."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from autogrid.cli.app import autogrid
from autogrid.storage.codecs import forget
from autogrid.trading.strategies.catalogue import CATALOGUE
from tests.candles import csv_text, random_walk, write_text

OWN = """
from decimal import Decimal
from typing import NamedTuple

from autogrid.trading.plan import Target, Wish
from autogrid.storage.codecs import forget
from autogrid.trading.strategies.catalogue import Entry
from autogrid.trading.strategies.strategy import Strategy, Tally


class OnceMemory(NamedTuple):
    bought: bool = False


class Once(Strategy[OnceMemory]):
    name = "once"

    def start(self):
        return OnceMemory()

    def look(self, memory, view):
        return memory

    def learn(self, memory, order, fill, view):
        return OnceMemory(bought=memory.bought or fill is not None)

    def targets(self, memory, view):
        if memory.bought:
            return Wish({"2-target": Target("2-target", "sell", Decimal(900), Decimal(1), why="target, 900")})
        return Wish({"1-in": Target("1-in", "buy", view.price, Decimal(2), "market", why="bought \\x1b[2Jonce")})

    def tally(self, memory):
        return Tally(Decimal(0), 0)

    def start_price(self, memory):
        return Decimal(100)


ENTRY = Entry("once", "Once", "Uma vez", "buys once", "compra uma vez", (), Once, records=(OnceMemory,))
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder with a strategy of one's own in it."""
    folder = tmp_path / "data"
    (folder / "strategies").mkdir(parents=True)
    (folder / "strategies" / "once.py").write_text(OWN, encoding="utf-8")
    return folder


def told(home: Path, *words: str) -> str:
    result = CliRunner().invoke(autogrid, words, env={"AUTOGRID_DATA_DIR": str(home)})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_orders_and_fills_are_shown_with_their_reasons_as_plain_text(home: Path) -> None:
    tape = write_text(home / "binance_BTCUSDT_1m.csv", csv_text(random_walk(7, 20, price="100")))
    rules = ("--fee", "0.001", "--tick", "0.01", "--lot", "0.001", "--min-notional", "5")
    how = ("--account", "paper", "--symbol", "BTC/USDT", "--investment", "1000", "--name", "one", "--speed", "0")
    try:
        told(home, "bot", "create", "once", *how, "--tape", str(tape), "--risk", "off", *rules)
        told(home, "bot", "start", "one")
        told(home, "engine", "--until-idle")
        shown = told(home, "bot", "show", "one")
        found = json.loads(told(home, "bot", "show", "one", "--json"))
    finally:
        forget(CATALOGUE.pop("once").records)
    assert "0 trades closed, 1 order out" in shown
    assert "closed trades" in shown
    assert "grid" not in shown
    lines = [line.strip() for line in shown.splitlines()]
    assert lines[-1] == "bought \ufffd[2Jonce"
    assert "target, 900" in lines
    assert [order["why"] for order in found["orders"]] == ["target, 900"]
    assert [fill["why"] for fill in found["fills"]] == ["bought \x1b[2Jonce"]
