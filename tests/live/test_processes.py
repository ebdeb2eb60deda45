"""The whole of it as a person starts it: `autogrid simulator` and `autogrid engine` as processes, and commands between.

The engine has the patience it has in earnest, so the faults here are few; `test_through_faults` has all of them.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from autogrid.storage.database import open_database
from autogrid.storage.orders import list_fills, list_orders
from autogrid.storage.recall import Loaded, load
from autogrid.trading.order import OPEN, Status
from autogrid.trading.strategies.catalogue import build
from tests.live.through import lively_tape

RUN = (sys.executable, "-c", "from autogrid.cli.app import main; main()")
BOTS = {
    "steps": ("grid", ("lower=57000", "upper=63000", "grids=20")),
    "deals": ("dca", ("base_order=500", "safety_order=500", "deviation=0.003", "take_profit=0.003", "safety_orders=4")),
}


def autogrid(settings: Mapping[str, str], *words: str) -> str:
    """What a command says; fails where it fails."""
    done = subprocess.run(
        [*RUN, *words], env={**os.environ, **settings}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def process(settings: Mapping[str, str], log: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on until it is told to end; what it says is in `log`."""
    with log.open("w", encoding="utf-8") as said:
        one = subprocess.Popen([*RUN, *words], env={**os.environ, **settings}, stdout=said, stderr=said, text=True)
        try:
            yield one
        finally:
            one.send_signal(signal.SIGINT)
            try:
                one.wait(20)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()


def asked(port: int, path: str, body: object = None) -> Any:
    """What the simulator's control plane answers."""
    content = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(
        urllib.request.Request(f"http://127.0.0.1:{port}{path}", content), timeout=10
    ) as answer:
        return json.load(answer)


def until(log: Path, enough: re.Pattern[str], within_s: float = 60.0) -> str:
    """The line in a log that matches."""
    deadline = time.monotonic() + within_s
    while (found := enough.search(log.read_text(encoding="utf-8"))) is None:
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
        time.sleep(0.1)
    return found[0]


async def _loaded(folder: Path, name: str) -> tuple[Loaded, int, dict[str, tuple[Status, Decimal]]]:
    """A bot, how many fills it has booked, and its orders by wire id."""
    database = await open_database(folder)
    try:
        async with database.reading() as connection:
            loaded = await load(connection, name, build)
            assert loaded is not None
            fills = await list_fills(connection, loaded.row.id)
            orders = await list_orders(connection, loaded.row.id)
        named = {"-".join((loaded.row.id, *one.id.split("-")[:2])): (one.status, one.filled) for one in orders}
        return loaded, len(fills), named
    finally:
        await database.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to end them with")
def test_the_commands_of_the_guide_run_bots_on_the_simulator_to_the_last_unit(tmp_path: Path) -> None:
    data, simulated = tmp_path / "data", tmp_path / "simulator"
    simulated.mkdir()
    lively_tape(9, 4, tmp_path, swing=0.006)
    said = simulated / "said"
    words = ("--candles", str(tmp_path / "lively-9-4.csv"), "--speed", "30", "--seed", "4", "--port", "0")
    with process({}, said, "simulator", "--dir", str(simulated), "--json", *words):
        told = json.loads(until(said, re.compile(r"^\{.*\}$", re.MULTILINE)))
        its, control = told["exchanges"]["binance"], told["control"]
        asked(control, "/prices", {"running": False})
        settings = {
            "AUTOGRID_DATA_DIR": str(data),
            "AUTOGRID_EXCHANGES__BINANCE__CONNECT_TO": f"127.0.0.1:{its['port']}",
            "AUTOGRID_EXCHANGES__BINANCE__CA_FILE": told["ca_file"],
            "AUTOGRID_API_KEY": its["key"],
            "AUTOGRID_API_SECRET": its["secret"],
        }
        funds = asked(control, "/world")["binance"]["accounts"]["user"]["wallet"]
        autogrid(settings, "credentials", "add", "binance", "--name", "main", "--from-env")
        ids = [_made(settings, name, *BOTS[name]) for name in BOTS]
        engine = tmp_path / "engine"
        with process(settings, engine, "engine"):
            until(engine, re.compile(r"deals runs on binance \(main\)"))
            _rests(control, 5)
            faults = [{"kind": kind, "share": 0.05, "where": "place"} for kind in ("lost-answer", "html", "error-5xx")]
            asked(control, "/faults", [*faults, {"kind": "duplicate-event", "share": 0.2, "where": "stream"}])
            asked(control, "/prices", {"running": True})
            _ended(control)
            urllib.request.urlopen(
                urllib.request.Request(f"http://127.0.0.1:{control}/faults", method="DELETE"), timeout=10
            ).close()
            wrong = _settled(data, control, ids, funds)
            assert wrong == []
            assert len(asked(control, "/world")["binance"]["accounts"]["user"]["trades"]) >= 4
            autogrid(settings, "kill", "--all")
            until(engine, re.compile(r"kill switch: \d+ orders taken out"))
        there = asked(control, "/world")["binance"]["accounts"]["user"]["orders"]
        assert [order for order in there if order["status"] in ("new", "partial")] == []
        assert "all as they were kept" in autogrid(settings, "bot", "replay", "steps")
        assert "kill switch" in autogrid(settings, "bot", "why", "steps")


def _made(settings: Mapping[str, str], name: str, strategy: str, config: tuple[str, ...]) -> str:
    sets = [word for one in config for word in ("--set", one)]
    money = ("--symbol", "BTC/USDT", "--investment", "5000", "--risk", "off")
    made = autogrid(settings, "bot", "create", strategy, "--account", "main", "--name", name, *money, *sets, "--json")
    autogrid(settings, "bot", "start", name)
    return str(json.loads(made)["id"])


def _rests(control: int, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(asked(control, "/world")["binance"]["accounts"]["user"]["orders"]) < count:
        assert time.monotonic() < deadline, "no orders came"
        time.sleep(0.2)


def _ended(control: int) -> None:
    deadline = time.monotonic() + 120
    while not asked(control, "/prices", {})["BTC/USDT"]["ended"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _settled(data: Path, control: int, ids: list[str], funds: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What differs between the journals and what the simulator tells, once that is nothing, or a minute has gone by."""
    deadline = time.monotonic() + 90
    while wrong := _wrong(data, asked(control, "/world")["binance"]["accounts"]["user"], ids, funds):
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    return wrong


def _wrong(data: Path, there: Any, ids: list[str], funds: Mapping[str, Mapping[str, str]]) -> list[str]:
    should = {asset: Decimal(one["free"]) + Decimal(one["held"]) for asset, one in funds.items()}
    found = []
    for name in ids:
        loaded, fills, kept = asyncio.run(_loaded(data, name))
        ledger, market = loaded.state.ledger, loaded.row.market
        should[market.quote] += ledger.quote - ledger.funded_quote
        should[market.base] += ledger.base - ledger.funded_base
        orders = [one for one in there["orders"] if one["client_id"].startswith(loaded.row.id)]
        trades = [one for one in there["trades"] if one["client_id"].startswith(loaded.row.id)]
        if len({one["client_id"] for one in orders}) < len(orders):
            found.append(f"{loaded.row.name}: an order was doubled")
        for one in orders:
            status, filled = kept.get(one["client_id"], ("absent", Decimal(0)))
            if (one["status"] in ("new", "partial")) != (status in OPEN) or filled != Decimal(one["filled"]):
                found.append(f"{one['client_id']} is {one['status']} there and {status} here")
        if len(trades) != fills:
            found.append(f"{loaded.row.name}: {len(trades)} trades, {fills} fills")
    for asset, one in there["wallet"].items():
        if Decimal(one["free"]) + Decimal(one["held"]) != should[asset]:
            found.append(f"{one} {asset} there, {should[asset]} by the books")
    return found
