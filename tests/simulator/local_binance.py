"""A Binance of our own for one test, on a TLS port of the loopback, and a session that leads every host name there."""

import contextlib
import hashlib
import hmac
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import aiohttp
import ccxt.pro
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from autogrid.simulator.binance.app import add_routes
from autogrid.simulator.certificate import make_certificates
from autogrid.simulator.faults import Faults
from autogrid.simulator.records import Key
from autogrid.simulator.server import Listening, make_app
from autogrid.simulator.world import World
from autogrid.trading.market import Market

SYMBOL = "BTC/USDT"
KEY, SECRET, ACCOUNT = "simulatorkey0000", "simulatorsecret", "anna"
BTC = Market(
    "BTC",
    "USDT",
    Decimal("0.01"),
    Decimal("0.00001"),
    Decimal(5),
    Decimal("0.001"),
    Decimal("0.001"),
    max_orders=200,
    least_share=Decimal("0.2"),
    most_share=Decimal(5),
)
ETH = Market("ETH", "USDT", Decimal("0.01"), Decimal("0.0001"), Decimal(5), Decimal("0.001"), Decimal("0.001"))


class Local(NamedTuple):
    """What a test needs of it."""

    world: World
    faults: Faults
    listening: Listening
    port: int
    ca_file: Path


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def small_world() -> World:
    world = World({SYMBOL: BTC, "ETH/USDT": ETH}, wall_ms)
    world.add_account(ACCOUNT, {"USDT": Decimal(10_000), "BTC": Decimal(1), "ETH": Decimal(0)})
    world.add_key(Key(KEY, SECRET, ACCOUNT))
    world.move(SYMBOL, Decimal(60_000))
    world.move("ETH/USDT", Decimal(3_000))
    return world


@contextlib.asynccontextmanager
async def local_binance(folder: Path) -> AsyncIterator[Local]:
    world, faults = small_world(), Faults(1)
    app = make_app(add_routes, world, faults)
    async with Listening(app, make_certificates(folder)) as listening:
        yield Local(world, faults, listening, listening.port, folder / "ca.pem")


class Loopback(AbstractResolver):
    """Every name is this machine, and every port is ours, as curl's --connect-to has it."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=self._port, family=socket.AF_INET, proto=0, flags=0)
        ]

    async def close(self) -> None:
        pass


@contextlib.asynccontextmanager
async def session_to(local: Local) -> AsyncIterator[aiohttp.ClientSession]:
    tls = ssl.create_default_context(cafile=str(local.ca_file))
    connector = aiohttp.TCPConnector(resolver=Loopback(local.port), ssl=tls, family=socket.AF_INET)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


@contextlib.asynccontextmanager
async def ccxt_binance(local: Local) -> AsyncIterator[Any]:
    async with session_to(local) as session:
        options = {"fetchMarkets": {"types": ["spot"]}, "fetchMargins": False, "fetchCurrencies": False}
        client = ccxt.pro.binance({"apiKey": KEY, "secret": SECRET, "session": session, "options": options})
        try:
            yield client
        finally:
            await client.close()


@contextlib.contextmanager
def every_host_here(local: Local, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For clients in threads: names of the production hosts lead to our port, and our authority is trusted."""
    real = socket.getaddrinfo

    def lead(host: str | bytes | None, port: object, *args: Any, **kwargs: Any) -> Any:
        if isinstance(host, str) and host.endswith(("binance.com", "binance.vision")):
            return real("127.0.0.1", local.port, *args, **kwargs)
        return real(host, port, *args, **kwargs)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", lead)
        patch.setenv("REQUESTS_CA_BUNDLE", str(local.ca_file))
        patch.setenv("SSL_CERT_FILE", str(local.ca_file))
        yield


def signed_request(method: str, params: dict[str, str]) -> str:
    """A frame of the WebSocket API."""
    given = {**params, "apiKey": KEY, "timestamp": str(wall_ms())}
    query = "&".join(f"{name}={value}" for name, value in sorted(given.items()))
    given["signature"] = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
    return json.dumps({"id": method, "method": method, "params": given})


async def ask(
    session: aiohttp.ClientSession, method: str, path: str, params: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """A signed REST request, put together by hand: status and answer."""
    query = urlencode({**(params or {}), "timestamp": str(wall_ms())})
    proof = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
    url = URL(f"https://api.binance.com{path}?{query}&signature={proof}", encoded=True)
    async with session.request(method, url, headers={"X-MBX-APIKEY": KEY}) as answer:
        return answer.status, await answer.json()
