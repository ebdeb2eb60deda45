"""The control plane."""

import contextlib
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from autogrid.simulator.control import Control
from autogrid.simulator.price_source import Prices, walk_steps
from autogrid.simulator.records import Wanted
from autogrid.simulator.running import Exchange
from autogrid.simulator.server import Listening
from autogrid.trading.market import ThirdAsset
from tests.simulator.local_binance import ACCOUNT, SYMBOL, Local, ask, local_binance, session_to


class Desk(NamedTuple):
    """A Binance, its control plane, and a way to ask that."""

    local: Local
    session: aiohttp.ClientSession
    url: str
    prices: Prices

    async def get(self, path: str) -> Any:
        async with self.session.get(f"{self.url}{path}") as answer:
            assert answer.status == 200
            return await answer.json()

    async def post(self, path: str, body: object, status: int = 200) -> Any:
        async with self.session.post(f"{self.url}{path}", json=body) as answer:
            assert answer.status == status
            return await answer.json()


@contextlib.asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    async with local_binance(folder) as local:
        exchange = Exchange("binance", local.world, local.faults, local.listening)
        prices = Prices(SYMBOL, walk_steps(1, Decimal(60_000)), [local.world], 1)
        async with (
            Listening(Control([exchange], [prices]).app()) as control,
            aiohttp.ClientSession() as session,
        ):
            yield Desk(local, session, f"http://127.0.0.1:{control.port}", prices)


@pytest.mark.asyncio
async def test_the_world_is_shown_as_it_is(tmp_path: Path) -> None:
    async with desk(tmp_path) as at, session_to(at.local) as session:
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
        await ask(session, "POST", "/api/v3/order", order)
        shown = (await at.get("/world"))["binance"]
        (bought,) = shown["accounts"][ACCOUNT]["trades"]
        assert (bought["price"], bought["quantity"], bought["fee"], bought["maker"]) == (
            "60000",
            "0.01",
            "0.00001",
            False,
        )
        assert shown["accounts"][ACCOUNT]["orders"][0]["status"] == "filled"
        assert shown["accounts"][ACCOUNT]["wallet"]["USDT"] == {"free": "9400", "held": "0"}
        assert shown["calls"] == {"place": 1}
        assert shown["weight"]["used_1m"] == 1
        assert shown["markets"][SYMBOL]["price"] == "60000"


@pytest.mark.asyncio
async def test_faults_are_wanted_shown_counted_and_taken_back(tmp_path: Path) -> None:
    async with desk(tmp_path) as at, session_to(at.local) as session:
        wanted = [{"kind": "maintenance", "count": 1}, {"kind": "html", "where": "place"}]
        assert await at.post("/faults", wanted) == {"binance": [1, 2]}
        assert (await ask(session, "GET", "/api/v3/account"))[0] == 503
        told = (await at.get("/faults"))["binance"]
        assert (list(told["wanted"]), told["given"]) == (["2"], {"maintenance": 1})
        async with at.session.delete(f"{at.url}/faults/2"):
            assert at.local.faults.list() == {}
        await at.post("/faults", {"kind": "html"})
        async with at.session.delete(f"{at.url}/faults"):
            assert at.local.faults.list() == {}


@pytest.mark.asyncio
async def test_the_market_is_moved_halted_and_given_other_rules(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        order = at.local.world.place(ACCOUNT, Wanted(SYMBOL, "buy", "limit", "", Decimal(59_000), Decimal("0.1")))
        await at.post("/move", {"symbol": SYMBOL, "price": "59000", "most": "0.04"})
        assert order.filled == Decimal("0.04")
        await at.post("/halt", {"symbol": SYMBOL})
        assert at.local.world.is_halted(SYMBOL)
        await at.post("/halt", {"symbol": SYMBOL, "halted": False})
        assert not at.local.world.is_halted(SYMBOL)
        rules = {"symbol": SYMBOL, "tick": "0.5", "max_orders": 3, "fee_in": {"asset": "BNB", "price": "600"}}
        await at.post("/market", rules)
        market = at.local.world.markets[SYMBOL]
        assert (market.tick, market.max_orders) == (Decimal("0.5"), 3)
        assert market.fee_in == ThirdAsset("BNB", Decimal(600))
        await at.post("/depth", {"symbol": SYMBOL, "depth": "0.01"})
        part = at.local.world.place(ACCOUNT, Wanted(SYMBOL, "buy", "market", "", quantity=Decimal("0.02")))
        assert part.filled == Decimal("0.01")


@pytest.mark.asyncio
async def test_money_comes_and_goes(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.post("/credit", {"account": ACCOUNT, "asset": "USDT", "amount": "-9000"})
        assert at.local.world.wallet(ACCOUNT)["USDT"].free == Decimal(1_000)
        told = await at.post("/credit", {"asset": "USDT", "amount": "-2000"}, 400)
        assert "free" in told["error"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/faults", {"kind": "nonsense"}),
        ("/faults", {"kind": "html", "often": 3}),
        ("/faults", {"kind": "html", "share": "often"}),
        ("/faults", {"kind": "html", "ms": 0.5}),
        ("/faults", [1]),
        ("/move", {"symbol": SYMBOL}),
        ("/move", {"symbol": "X/Y", "price": "1"}),
        ("/move", [1]),
        ("/credit", {"account": "nobody", "asset": "USDT", "amount": "1"}),
        ("/market", {"symbol": "X/Y"}),
        ("/market", {"symbol": SYMBOL, "fee_in": "gold"}),
        ("/market", {"symbol": SYMBOL, "tick": "none"}),
        ("/stall", {"ms": "long"}),
        ("/halt?exchange=other", {"symbol": SYMBOL}),
    ],
)
async def test_nonsense_is_refused_in_a_sentence(tmp_path: Path, path: str, body: object) -> None:
    async with desk(tmp_path) as at:
        assert (await at.post(path, body, 400))["error"]


@pytest.mark.asyncio
async def test_streams_fall_silent_and_break(tmp_path: Path) -> None:
    async with (
        desk(tmp_path) as at,
        session_to(at.local) as session,
        session.ws_connect("wss://stream.binance.com:9443/ws/btcusdt@trade") as socket,
    ):
        await socket.send_str('{"method": "LIST_SUBSCRIPTIONS", "id": 1}')
        await socket.receive(timeout=10)
        assert await at.post("/stall", {}) == {"binance": 1}
        await at.post("/move", {"symbol": SYMBOL, "price": "59999"})
        await socket.ping()
        await socket.send_str('{"method": "LIST_SUBSCRIPTIONS", "id": 2}')
        assert "result" in (await socket.receive(timeout=10)).data
        assert await at.post("/drop-streams", {}) == {"binance": 1}
        assert (await socket.receive(timeout=10)).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


@pytest.mark.asyncio
async def test_connections_are_refused_until_they_are_taken_again(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.post("/refuse", {"refuse": True})
        async with session_to(at.local) as session:
            with pytest.raises(aiohttp.ClientConnectorError):
                await ask(session, "GET", "/api/v3/account")
        await at.post("/refuse", {"refuse": False})
        async with session_to(at.local) as session:
            assert (await ask(session, "GET", "/api/v3/account"))[0] == 200


@pytest.mark.asyncio
async def test_a_ban_is_forgiven_and_prices_are_held(tmp_path: Path) -> None:
    async with desk(tmp_path) as at, session_to(at.local) as session:
        await at.post("/faults", {"kind": "ban-418", "count": 1, "ms": 60000})
        assert (await ask(session, "GET", "/api/v3/account"))[0] == 418
        assert (await ask(session, "GET", "/api/v3/account"))[0] == 418
        await at.post("/forgive", {})
        assert (await ask(session, "GET", "/api/v3/account"))[0] == 200
        told = await at.post("/prices", {"running": False, "speed": 5})
        assert told == {SYMBOL: {"steps": 0, "ended": False}}
        assert at.prices.speed == 5.0
