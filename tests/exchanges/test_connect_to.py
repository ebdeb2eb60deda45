"""Connections sent elsewhere: names stay, unknown hosts fail, one session an exchange."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from unittest import mock

import aiohttp
import ccxt
import pytest
import pytest_asyncio
from aiohttp import web

from autogrid.exchanges.connect_to import UnknownHost, domains_of, new_session, through_shared_session
from autogrid.exchanges.public_client import public_client, streaming_client
from autogrid.settings import ExchangeSettings, UnableToReadSettings, load_settings
from autogrid.simulator.certificate import make_certificates
from autogrid.simulator.server import LOOPBACK, Listening

DOMAINS = frozenset({"binance.com"})


async def told(request: web.Request) -> web.StreamResponse:
    if request.headers.get("Upgrade"):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(request.host)
        await socket.close()
        return socket
    return web.json_response({"host": request.host, "path": request.path})


@pytest_asyncio.fixture
async def elsewhere(tmp_path: Path) -> AsyncIterator[ExchangeSettings]:
    app = web.Application()
    app.router.add_get("/{path:.*}", told)
    async with Listening(app, tls=make_certificates(tmp_path)) as listening:
        yield ExchangeSettings(connect_to=(LOOPBACK, listening.port), ca_file=tmp_path / "ca.pem")


@pytest.mark.asyncio
async def test_every_host_of_the_exchange_is_reached_there_by_its_own_name(elsewhere: ExchangeSettings) -> None:
    session, _ = new_session(elsewhere, DOMAINS)
    async with session:
        for host in ("api.binance.com", "binance.com", "stream.binance.com:9443"):
            async with session.get(f"https://{host}/api/v3/time") as answer:
                assert await answer.json() == {"host": host, "path": "/api/v3/time"}
        async with session.ws_connect("wss://stream.binance.com:9443/ws") as socket:
            assert (await socket.receive()).data == "stream.binance.com:9443"


@pytest.mark.asyncio
@pytest.mark.parametrize("host", ["api.bybit.com", "notbinance.com", "binance.com.evil.test", "127.0.0.1"])
async def test_any_other_host_fails_and_nothing_is_sent(elsewhere: ExchangeSettings, host: str) -> None:
    session, _ = new_session(elsewhere, DOMAINS)
    async with session:
        with pytest.raises(UnknownHost):
            await session.get(f"https://{host}/")


@pytest.mark.asyncio
async def test_a_certificate_that_is_not_trusted_fails(elsewhere: ExchangeSettings) -> None:
    session, _ = new_session(elsewhere.model_copy(update={"ca_file": None}), DOMAINS)
    async with session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get("https://api.binance.com/")


@pytest.mark.asyncio
async def test_a_proxy_of_the_environment_is_not_used(elsewhere: ExchangeSettings) -> None:
    with mock.patch.dict(os.environ, {"HTTPS_PROXY": "http://127.0.0.1:9"}):
        session, _ = new_session(elsewhere, DOMAINS)
        async with session, session.get("https://api.binance.com/") as answer:
            assert answer.status == 200


@pytest.mark.asyncio
async def test_clients_of_an_exchange_share_a_session_until_the_last_is_closed() -> None:
    first, second, other = public_client("binance"), streaming_client("binance"), public_client("bybit")
    for client in (first, second, other):
        client.open()
    session = first.session
    assert second.session is session
    assert other.session is not session
    await first.close()
    assert not session.closed
    await second.close()
    assert session.closed
    await other.close()


@pytest.mark.asyncio
async def test_a_client_that_was_closed_may_be_used_again() -> None:
    client = public_client("binance")
    client.open()
    first = client.session
    await client.close()
    client.open()
    assert client.session is not first
    assert not client.session.closed
    await client.close()


@pytest.mark.asyncio
async def test_a_stream_of_ccxt_goes_through_the_session_too(elsewhere: ExchangeSettings, tmp_path: Path) -> None:
    assert elsewhere.connect_to is not None
    there = {
        "AUTOGRID_EXCHANGES__BINANCE__CONNECT_TO": f"{LOOPBACK}:{elsewhere.connect_to[1]}",
        "AUTOGRID_EXCHANGES__BINANCE__CA_FILE": str(tmp_path / "ca.pem"),
    }
    with mock.patch.dict(os.environ, there):
        client = streaming_client("binance")
        connection = client.client("wss://stream.binance.com:9443/ws/1")
        await asyncio.wait_for(connection.connect(client.session), 5)
        assert connection.connection is not None
        await client.close()


def test_the_domains_of_an_exchange_are_those_of_its_urls() -> None:
    assert {"binance.com", "binance.vision"} <= domains_of(public_client("binance"))
    assert "bybit.com" in domains_of(public_client("bybit"))
    assert "kraken.com" in domains_of(through_shared_session(ccxt.async_support.kraken()))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("BINANCE__CONNECT_TO", "localhost", "it must be a host and a port"),
        ("BINANCE__CONNECT_TO", "localhost:0", "it must be a host and a port"),
        ("BINANCE__CONNECT_TO", "https://localhost:1", "it must be a host and a port"),
        ("BINANCE__CA_FILE", "/there/is/none", "there is no such file"),
        ("BINANCE__CONECT_TO", "localhost:1", "There is no setting AUTOGRID_EXCHANGES__BINANCE__CONECT_TO"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_in_a_sentence(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"AUTOGRID_EXCHANGES__{name}", value)
    with pytest.raises(UnableToReadSettings) as caught:
        load_settings()
    assert sentence in str(caught.value)
    assert f"AUTOGRID_EXCHANGES__{name}" in str(caught.value)


def test_places_are_read_by_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRID_EXCHANGES__BYBIT__CONNECT_TO", "127.0.0.1:28444")
    monkeypatch.setenv("AUTOGRID_EXCHANGES__MEXC__CONNECT_TO", "[::1]:443")
    places = load_settings().exchanges
    assert places["bybit"].connect_to == ("127.0.0.1", 28444)
    assert places["mexc"].connect_to == ("::1", 443)
    assert "binance" not in places
