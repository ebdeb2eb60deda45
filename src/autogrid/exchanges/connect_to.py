"""The connections of a process: one session an exchange, for requests and streams of every client, sent where the
operator says.

Rules: as curl's `--connect-to` and `--cacert`, `AUTOGRID_EXCHANGES__BINANCE__CONNECT_TO` moves the other end of the
wire and nothing else: URLs and the names that TLS checks stay those of the exchange. Then a host that is none of the
exchange's fails, and proxies of the environment are not used, so nothing leaks. A session is opened by its first user
and closed by its last. It keeps no cookies: accounts of several people share it.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import aiohttp
import certifi
from aiohttp.abc import AbstractResolver, ResolveResult

from autogrid.settings import ExchangeSettings, load_settings

ALSO: Final[Mapping[str, frozenset[str]]] = {
    "binance": frozenset({"binance.com", "binance.vision"}),
    "bybit": frozenset({"bybit.com", "bytick.com"}),
    "mexc": frozenset({"mexc.com"}),
}
"""Domains of an exchange that ccxt's table may not name."""


class UnknownHost(aiohttp.ClientConnectionError):
    """A host that is none of the exchange's, while its connections are sent elsewhere. Nothing was sent."""


@dataclass(slots=True)
class _Shared:
    session: aiohttp.ClientSession
    context: ssl.SSLContext
    users: int = 0


_SHARED: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Shared]]] = WeakKeyDictionary()


def through_shared_session(client: Any) -> Any:
    """Make a ccxt client use the process's one session of its exchange. Gives it back.

    Its first request opens the session, `close` gives it up. Raises UnableToReadSettings at the first request.
    """
    opened, closed = client.open, client.close
    client.own_session = False
    client.timeout_on_exit = 0
    held: list[_Shared] = []

    def open_shared(lazy: bool = False) -> None:
        if client.ssl_context is None or client.session is None:
            shared = _shared_by(client)
            client.ssl_context = shared.context
            opened(lazy)
            if not held:
                shared.users += 1
                held.append(shared)
            client.session = shared.session
        else:
            opened(lazy)

    async def close_shared(clean_instance_data: bool = False) -> None:
        try:
            await closed(clean_instance_data)
        finally:
            while held:
                await _give_up(client.id, held.pop())

    client.open, client.close = open_shared, close_shared
    return client


async def shared_session(client: Any) -> aiohttp.ClientSession:
    """The session of a client that went `through_shared_session`; it stays open until the client is closed."""
    client.open()
    session: aiohttp.ClientSession = client.session
    return session


def domains_of(client: Any) -> frozenset[str]:
    """The domains of an exchange, such as `binance.com`: those of every URL that ccxt has for it."""
    urls = (str(url).replace("{hostname}", str(client.hostname or "")) for url in _texts(client.urls))
    hosts = (urlsplit(url).hostname or "" for url in urls if "://" in url)
    ccxts = {".".join(host.split(".")[-2:]) for host in hosts if "." in host}
    return frozenset(ccxts) | ALSO.get(client.id, frozenset())


def new_session(place: ExchangeSettings, domains: frozenset[str]) -> tuple[aiohttp.ClientSession, ssl.SSLContext]:
    """A session as the settings of an exchange say; whoever asks closes it. Wants a running loop."""
    context = ssl.create_default_context(cafile=str(place.ca_file or certifi.where()))
    connector: aiohttp.TCPConnector
    if place.connect_to is None:
        connector = aiohttp.TCPConnector(ssl=context, limit=0, family=socket.AF_UNSPEC)
    else:
        connector = _Elsewhere(place.connect_to, domains, context)
    session = aiohttp.ClientSession(
        connector=connector, trust_env=place.connect_to is None, cookie_jar=aiohttp.DummyCookieJar()
    )
    return session, context


def _shared_by(client: Any) -> _Shared:
    of_loop = _SHARED.setdefault(asyncio.get_running_loop(), {})
    found = of_loop.get(client.id)
    if found is None or found.session.closed:
        place = load_settings().exchanges.get(client.id, ExchangeSettings())
        found = of_loop[client.id] = _Shared(*new_session(place, domains_of(client)))
    return found


async def _give_up(exchange: str, shared: _Shared) -> None:
    shared.users -= 1
    if shared.users == 0:
        of_loop = _SHARED.get(asyncio.get_running_loop(), {})
        if of_loop.get(exchange) is shared:
            del of_loop[exchange]
        await shared.session.close()


class _Elsewhere(aiohttp.TCPConnector):
    """Every host of some domains is reached at one address; any other fails."""

    def __init__(self, place: tuple[str, int], domains: frozenset[str], context: ssl.SSLContext) -> None:
        super().__init__(ssl=context, limit=0, family=socket.AF_UNSPEC, resolver=_Always(place), use_dns_cache=False)
        self._domains = domains

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 (aiohttp's)
    ) -> aiohttp.connector.Connection:
        """As any connector, for hosts of the exchange. Raises UnknownHost."""
        host = (req.url.raw_host or "").lower()
        if not any(host == domain or host.endswith(f".{domain}") for domain in self._domains):
            raise UnknownHost(f"{host} is no host of this exchange, whose connections are sent elsewhere")
        return await super().connect(req, traces, timeout)


class _Always(AbstractResolver):
    """Every name leads to the same place."""

    def __init__(self, place: tuple[str, int]) -> None:
        self._host, self._port = place

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The place, whatever `host` and `port` are."""
        del port
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._host, self._port, family=family, type=socket.SOCK_STREAM)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=its_family,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for its_family, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Nothing to give back."""


def _texts(tree: object) -> Iterator[str]:
    if isinstance(tree, Mapping):
        for branch in tree.values():
            yield from _texts(branch)
    elif isinstance(tree, str):
        yield tree
