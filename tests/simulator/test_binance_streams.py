"""Binance's market streams: how they are asked for, and what follows on what."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from autogrid.simulator.binance.stream_events import Events
from autogrid.simulator.binance.venue import Venue
from autogrid.simulator.records import Print, WorldNews
from autogrid.simulator.world import World
from autogrid.trading.candle import MINUTE_MS
from tests.simulator.local_binance import BTC, SYMBOL, local_binance, session_to

HOST = "wss://stream.binance.com:9443"


async def frame(socket: aiohttp.ClientWebSocketResponse) -> Any:
    return json.loads((await socket.receive(timeout=10)).data)


async def say(socket: aiohttp.ClientWebSocketResponse, **message: object) -> Any:
    await socket.send_str(json.dumps(message))
    return await frame(socket)


@pytest.mark.asyncio
async def test_a_raw_stream_tells_bare_events_and_a_combined_one_names_them(tmp_path: Path) -> None:
    async with (
        local_binance(tmp_path) as local,
        session_to(local) as session,
        session.ws_connect(f"{HOST}/ws/btcusdt@trade") as raw,
        session.ws_connect(f"{HOST}/stream?streams=btcusdt@aggTrade/ethusdt@trade") as combined,
    ):
        assert await say(raw, method="LIST_SUBSCRIPTIONS", id=1) == {"result": ["btcusdt@trade"], "id": 1}
        await say(combined, method="LIST_SUBSCRIPTIONS", id=1)
        local.world.move(SYMBOL, Decimal(60_001))
        told = await frame(raw)
        assert (told["e"], told["s"], told["p"]) == ("trade", "BTCUSDT", "60001.00000000")
        named = await frame(combined)
        assert (named["stream"], named["data"]["e"]) == ("btcusdt@aggTrade", "aggTrade")


@pytest.mark.asyncio
async def test_streams_are_taken_and_left_by_message(tmp_path: Path) -> None:
    async with (
        local_binance(tmp_path) as local,
        session_to(local) as session,
        session.ws_connect(f"{HOST}/ws") as socket,
    ):
        names = ["btcusdt@trade", "ethusdt@trade"]
        assert await say(socket, method="SUBSCRIBE", params=names, id=7) == {"result": None, "id": 7}
        assert await say(socket, method="UNSUBSCRIBE", params=names[:1], id=8) == {"result": None, "id": 8}
        local.world.move(SYMBOL, Decimal(60_001))
        local.world.move("ETH/USDT", Decimal(3_001))
        assert (await frame(socket))["s"] == "ETHUSDT"
        refusal = await say(socket, method="NONSENSE", id=9)
        assert (refusal["id"], refusal["error"]["code"]) == (9, 2)
        assert (await say(socket, method="SET_PROPERTY", params=["combined", True], id=10))["result"] is None
        local.world.move("ETH/USDT", Decimal(3_002))
        assert (await frame(socket))["stream"] == "ethusdt@trade"
        await socket.send_str("{")
        assert (await frame(socket))["error"]["code"] == 3


@pytest.mark.asyncio
async def test_what_tells_a_state_tells_it_at_once(tmp_path: Path) -> None:
    async with (
        local_binance(tmp_path) as local,
        session_to(local) as session,
        session.ws_connect(f"{HOST}/stream?streams=btcusdt@bookTicker/btcusdt@depth5/btcusdt@ticker") as socket,
    ):
        top, depth, ticker = [await frame(socket) for _ in range(3)]
        assert (top["data"]["b"], top["data"]["a"]) == ("59999.99000000", "60000.01000000")
        assert len(depth["data"]["bids"]) == 5
        assert ticker["data"]["c"] == "60000.00000000"


class Listened:
    """A world whose prints are rendered for some streams."""

    def __init__(self, *streams: str) -> None:
        self.ms = 1_700_000_040_000 // MINUTE_MS * MINUTE_MS
        self.world = World({SYMBOL: BTC}, lambda: self.ms)
        self.world.move(SYMBOL, Decimal(60_000))
        self.events = Events(Venue(self.world))
        self.told: list[Any] = []
        self._streams = streams
        for stream in streams:
            self.events.begun(stream)
        self.world.listen(self._hear)

    def _hear(self, news: WorldNews) -> None:
        if isinstance(news, Print):
            told = self.events.after(news, self._streams)
            self.told += [event for stream in self._streams for event in told.get(stream, [])]


def test_changes_of_the_book_join_one_another_and_lead_to_the_book() -> None:
    here = Listened("btcusdt@depth@100ms")
    before = here.world.prints(SYMBOL, 1)[-1].id
    bids: dict[str, str] = {}
    for price in (60_000, 60_001, 59_990, 60_100):
        here.world.move(SYMBOL, Decimal(price))
    for event in here.told:
        assert event["U"] == before + 1
        before = event["u"]
        bids.update(dict(event["b"]))
    left = {price for price, quantity in bids.items() if Decimal(quantity)}
    assert left <= {f"{Decimal(60_100) - BTC.tick * step:.8f}" for step in range(1, 21)}
    assert "60099.99000000" in left


def test_a_closed_candle_is_told_before_the_next_one() -> None:
    here = Listened("btcusdt@kline_1m")
    here.world.move(SYMBOL, Decimal(60_005))
    here.ms += MINUTE_MS
    here.world.move(SYMBOL, Decimal(60_010))
    told = [(event["k"]["o"], event["k"]["c"], event["k"]["x"]) for event in here.told]
    assert told == [
        ("60000.00000000", "60005.00000000", False),
        ("60000.00000000", "60005.00000000", True),
        ("60010.00000000", "60010.00000000", False),
    ]


def test_all_tickers_come_as_a_list_and_unknown_streams_are_silent() -> None:
    here = Listened("!ticker@arr", "btcusdt@nonsense", "btcusdt@kline_7m", "ethusdt@trade")
    here.world.move(SYMBOL, Decimal(60_001))
    ((ticker,),) = here.told
    assert ticker["e"] == "24hrTicker"
