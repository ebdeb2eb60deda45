"""`autogrid simulator`, as a process of its own."""

import contextlib
import json
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from autogrid.cli.app import autogrid

CANDLES = """timestamp,open,high,low,close,volume
1700000000000,100,101,99,100.5,10
1700000060000,100.5,102,100,101,10
1700000120000,101,103,100,102,10
"""


@contextlib.contextmanager
def running(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the first line that it says."""
    command = [sys.executable, "-c", "from autogrid.cli.app import main; main()", "simulator", "--port", "0", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0


def asked(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.loads(answer.read())


def test_three_exchanges_run_in_one_process_with_keys_and_a_certificate(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('[{"kind": "html", "where": "place"}]', encoding="utf-8")
    candles = tmp_path / "candles.csv"
    candles.write_text(CANDLES, encoding="utf-8")
    words = ("--exchange", "binance,bybit,mexc", "--dir", str(tmp_path), "--json", "--faults", str(faults))
    more = ("--symbol", "BTC/USDT", "--symbol", "ETH/USDT", "--candles", str(candles), "--history", "1")
    with running(*words, *more) as (_, said):
        told = json.loads(said)
        control = f"http://127.0.0.1:{told['control']}"
        world = asked(f"{control}/world")
        assert list(world) == ["binance", "bybit", "mexc"]
        assert list(world["binance"]["markets"]) == ["BTC/USDT", "ETH/USDT"]
        assert next(iter(asked(f"{control}/faults")["mexc"]["wanted"].values()))["kind"] == "html"
        assert told["exchanges"]["binance"]["key"].startswith("simulator")
        tls = ssl.create_default_context(cafile=told["ca_file"])
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=tls))
        path = f"https://localhost:{told['exchanges']['binance']['port']}/api/v3/klines?symbol=BTCUSDT&interval=1m"
        with opener.open(path, timeout=10) as answer:
            first, *_ = json.loads(answer.read())
        assert first[1:5] == ["100.00000000", "101.00000000", "99.00000000", "100.50000000"]


def test_what_to_set_is_printed(tmp_path: Path) -> None:
    with running("--dir", str(tmp_path)) as (process, _):
        assert process.stdout is not None
        process.stdout.readline()
        connect, ca_file = process.stdout.readline(), process.stdout.readline()
        assert connect.startswith("export AUTOGRID_EXCHANGES__BINANCE__CONNECT_TO=127.0.0.1:")
        assert ca_file == f"export AUTOGRID_EXCHANGES__BINANCE__CA_FILE={tmp_path}/ca.pem\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--exchange", "kraken"], "not kraken"),
        (["--exchange", ""], "--exchange"),
        (["--symbol", "BTCUSDT"], "write it like BTC/USDT"),
        (["--candles", "nowhere.csv"], "nowhere.csv"),
        (["--candles", "a.csv", "--candles", "b.csv"], "more files"),
        (["--faults", "nowhere.json"], "nowhere.json"),
    ],
)
def test_bad_input_is_told_in_a_sentence(words: list[str], sentence: str) -> None:
    result = CliRunner().invoke(autogrid, ["simulator", *words])
    assert result.exit_code == 2
    assert sentence in result.output


def test_a_fault_that_is_none_is_told(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('{"kind": "nonsense"}', encoding="utf-8")
    result = CliRunner().invoke(autogrid, ["simulator", "--faults", str(faults), "--port", "0"])
    assert (result.exit_code, "nonsense" in result.output) == (2, True)
