"""Drills on real engines, real databases and simulated exchanges: short here, long with `make reliability`.

Every drill prints its figure as one line (`pytest -s`, and in the report of a failure).
"""

import asyncio
import contextlib
import logging
import sqlite3
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from autogrid.simulator.records import Wanted
from tests.drills import (
    disturbed_streams,
    full_disk,
    kill_live_engine,
    kill_switch,
    killed_database,
    shifted_clock,
    two_engines,
)
from tests.drills.books import Books, compare
from tests.drills.engines import Stage
from tests.postgres import own_server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal 9")


@pytest.fixture(autouse=True)
def _quiet_servers() -> Iterator[None]:
    """Connections of killed engines break in the simulated exchange, which would log each."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def _well(line: str, books: Books) -> None:
    print(f"\n{line}")  # noqa: T201
    assert not books.wrong, "\n".join(books.wrong[:20])
    assert (books.lost, books.doubled, books.orphaned) == (0, 0, 0)


async def _planted_faults_are_found(stage: Stage) -> None:
    """The comparison is worth something only where it sees what is wrong."""
    assert not (await compare(stage)).wrong
    with contextlib.closing(sqlite3.connect(stage.data_dir / "autogrid.db", isolation_level=None)) as journal:
        journal.execute("CREATE TABLE kept AS SELECT * FROM fills LIMIT 1")
        journal.execute("DELETE FROM fills WHERE (bot_id, seq) IN (SELECT bot_id, seq FROM kept)")
        assert (await compare(stage)).lost == 1
        journal.execute("INSERT INTO fills SELECT * FROM kept")
        filled = "SELECT rowid FROM orders WHERE status = 'filled' LIMIT 1"
        journal.execute(f"UPDATE orders SET status = 'working' WHERE rowid = ({filled})")
        assert (await compare(stage)).orphaned == 1
        journal.execute("UPDATE orders SET status = 'filled' WHERE status = 'working' AND filled = quantity")
    world = stage.exchanges["binance"].world
    world.credit("main", "USDT", Decimal("0.00000001"))
    assert len((await compare(stage)).wrong) == 1
    world.credit("main", "USDT", Decimal("-0.00000001"))
    unknown = f"{next(iter(stage.bots))}-abcdef-99999"
    world.place("main", Wanted("BTC/USDT", "buy", "limit", unknown, Decimal(50_000), Decimal("0.001")))
    books = await compare(stage)
    assert (books.lost, books.doubled, books.orphaned) == (0, 1, 1)


def test_an_engine_killed_a_few_times_while_it_trades_loses_and_doubles_nothing(tmp_path: Path) -> None:
    found = asyncio.run(kill_live_engine.drill(tmp_path, "binance", 6, 1, afterwards=_planted_faults_are_found))
    _well(found.line, found.books)
    assert sum(found.kills.values()) == 6
    assert found.books.orders > 20


def test_an_engine_stopped_past_its_lease_is_replaced_and_does_nothing_after(tmp_path: Path) -> None:
    found = asyncio.run(two_engines.stop_by_signal(tmp_path, 1))
    _well(found.line, found.books)
    assert (found.stale_rows, found.stale_orders) == (0, 0)
    assert max(found.failovers_s) < 10


@pytest.mark.reliability
@pytest.mark.parametrize(("exchange", "kills"), [("binance", 600), ("bybit", 250), ("mexc", 150)])
def test_an_engine_killed_hundreds_of_times_loses_and_doubles_nothing(
    tmp_path: Path, exchange: str, kills: int
) -> None:
    found = asyncio.run(kill_live_engine.drill(tmp_path, exchange, kills, 11))
    _well(f"{exchange} on SQLite: {found.line}", found.books)
    assert sum(found.kills.values()) == kills
    assert found.in_doubt > kills / 3


@pytest.mark.reliability
def test_an_engine_on_postgresql_killed_many_times_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with own_server(in_memory=False) as server:
        found = asyncio.run(kill_live_engine.drill(tmp_path, "binance", 60, 12, server=server))
    _well(f"binance on PostgreSQL: {found.line}", found.books)


@pytest.mark.reliability
def test_two_engines_take_over_from_each_other_again_and_again(tmp_path: Path) -> None:
    found = asyncio.run(two_engines.stop_by_signal(tmp_path, 6))
    _well(found.line, found.books)
    assert (found.stale_rows, found.stale_orders) == (0, 0)
    assert max(found.failovers_s) < 10


@pytest.mark.reliability
def test_engines_restarted_one_after_the_other_lose_nothing_and_orders_keep_resting(tmp_path: Path) -> None:
    found = asyncio.run(two_engines.roll(tmp_path, 6))
    _well(found.line, found.books)
    assert max(found.gaps_s) < 10
    assert min(found.resting) > 10


@pytest.mark.reliability
def test_a_database_killed_at_commits_leaves_nothing_sent_that_is_not_kept(tmp_path: Path) -> None:
    found = asyncio.run(killed_database.drill(tmp_path, 12))
    _well(found.line, found.books)
    assert found.unknown == 0


@pytest.mark.reliability
def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    with full_disk.small_disk(tmp_path) as place:
        if place is None:
            pytest.skip("only root on Linux may make a small disk")
        found = asyncio.run(full_disk.drill(tmp_path, place))
    _well(found.line, found.books)


@pytest.mark.reliability
def test_a_clock_that_jumps_by_an_hour_stops_no_bot(tmp_path: Path) -> None:
    found = asyncio.run(shifted_clock.drill(tmp_path))
    _well(found.line, found.books)
    assert max(found.again_s) < 20


@pytest.mark.reliability
@pytest.mark.parametrize("quick", [True, False], ids=["quick", "as the product waits"])
def test_fills_are_booked_through_broken_streams_and_nothing_is_ordered_at_stale_prices(
    tmp_path: Path, quick: bool
) -> None:
    found = asyncio.run(disturbed_streams.drill(tmp_path, quick=quick))
    _well(found.line, found.books)
    assert found.ordered_while_silent == 0
    assert max(took for _, took in found.booked_s.values()) < 60


@pytest.mark.reliability
def test_a_kill_takes_two_hundred_orders_of_three_accounts_out_and_stands(tmp_path: Path) -> None:
    found = asyncio.run(kill_switch.drill(tmp_path, kill_switch.LINES))
    _well(found.line, found.books)
    assert found.resting >= 195
    assert found.gone_s <= 10
    assert found.last_create_s <= 1
    assert (found.after_restart, found.by_hand) == (0, 0)
