"""Faults of requests: what a client sees, and what has happened."""

import asyncio
import time
from pathlib import Path

import aiohttp
import pytest

from autogrid.simulator.faults import Fault
from tests.simulator.local_binance import ACCOUNT, ask, local_binance, session_to

ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "59000",
    "newClientOrderId": "one",
}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fault", "error", "placed"),
    [
        (Fault("lost-answer", where="place"), aiohttp.ServerDisconnectedError, True),
        (Fault("truncated", where="place"), aiohttp.ClientPayloadError, True),
        (Fault("html", where="place"), aiohttp.ContentTypeError, True),
        (Fault("reset-before", where="place"), aiohttp.ServerDisconnectedError, False),
        (Fault("refuse-connect", where="place"), aiohttp.ServerDisconnectedError, False),
    ],
)
async def test_an_answer_that_does_not_come_may_stand_for_an_order_that_did(
    tmp_path: Path, fault: Fault, error: type[Exception], placed: bool
) -> None:
    async with local_binance(tmp_path) as local, session_to(local) as session:
        local.faults.add(fault)
        with pytest.raises(error):
            await ask(session, "POST", "/api/v3/order", ORDER)
        assert [order.client_id for order in local.world.orders(ACCOUNT)] == (["one"] if placed else [])


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fault", "status", "number", "placed"),
    [
        (Fault("error-5xx"), 504, -1007, False),
        (Fault("error-5xx", ms=1), 504, -1007, True),
        (Fault("limit-429"), 429, -1003, False),
        (Fault("ban-418"), 418, -1003, False),
        (Fault("clock-skew"), 400, -1021, False),
        (Fault("maintenance"), 503, 1, False),
    ],
)
async def test_a_made_up_refusal_is_worded_as_binance_words_it(
    tmp_path: Path, fault: Fault, status: int, number: int, placed: bool
) -> None:
    async with local_binance(tmp_path) as local, session_to(local) as session:
        local.faults.add(fault)
        found, told = await ask(session, "POST", "/api/v3/order", ORDER)
        assert (found, told["code"]) == (status, number)
        assert bool(local.world.orders(ACCOUNT)) == placed


@pytest.mark.asyncio
async def test_an_order_that_was_just_placed_may_not_be_found_at_first(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, session_to(local) as session:
        local.faults.add(Fault("not-found-at-first", count=1))
        assert (await ask(session, "POST", "/api/v3/order", ORDER))[0] == 200
        named = {"symbol": "BTCUSDT", "origClientOrderId": "one"}
        status, told = await ask(session, "GET", "/api/v3/order", named)
        assert (status, told["code"]) == (400, -2013)
        assert (await ask(session, "GET", "/api/v3/order", named))[1]["clientOrderId"] == "one"


@pytest.mark.asyncio
@pytest.mark.parametrize(("kind", "placed"), [("delay-before", False), ("delay-after", True)])
async def test_a_delay_comes_before_or_after_the_order(tmp_path: Path, kind: str, placed: bool) -> None:
    async with local_binance(tmp_path) as local, session_to(local) as session:
        local.faults.add(Fault(kind, count=1, where="place", ms=300))
        began = time.monotonic()
        asked = asyncio.create_task(ask(session, "POST", "/api/v3/order", ORDER))
        await asyncio.wait([asked], timeout=0.15)
        assert bool(local.world.orders(ACCOUNT)) == placed
        assert (await asked)[0] == 200
        assert time.monotonic() - began > 0.25
