"""MEXC's routes as a web application's: REST on api.mexc.com, the stream on wbs-api.mexc.com/ws."""

from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web

from autogrid.simulator.app_keys import FAULT_ANSWER, OPERATION
from autogrid.simulator.faults import Fault, Faults
from autogrid.simulator.mexc.asked import read
from autogrid.simulator.mexc.keys import ORDERS_A_SECOND, REQUESTS_IN_TEN_SECONDS, Pace, authenticate
from autogrid.simulator.mexc.listen_keys import ListenKeys
from autogrid.simulator.mexc.private import PRIVATE, Route, listen_key_routes
from autogrid.simulator.mexc.public import PUBLIC
from autogrid.simulator.mexc.refusals import BAD_TIME, TOO_MANY, UNKNOWN_TO_FIND, UnableToServe
from autogrid.simulator.mexc.stream import Streams
from autogrid.simulator.world import World

STREAM: Final = "/ws"
STREAMS: Final = web.AppKey("streams", Streams)
"""All that hear."""
PUBLIC_OPERATIONS: Final = {STREAM: "connect", "/api/v3/time": "time", "/api/v3/exchangeInfo": "market"}
LIMITED: Final = ("place", "cancel")
"""What the limit on orders counts."""


def add_routes(app: web.Application, world: World, _faults: Faults) -> None:
    """Make `app` speak as MEXC does."""
    keys = ListenKeys(world)
    streams = Streams(world, keys)
    desk = Desk(world, {**PRIVATE, **listen_key_routes(keys, streams.close_key)})
    app[STREAMS] = streams
    app[OPERATION] = operation
    app[FAULT_ANSWER] = fault_answer
    app.router.add_get(STREAM, streams.serve)
    for path in PUBLIC:
        app.router.add_get(path, desk.public)
    for method, path in desk.private_routes:
        app.router.add_route(method, path, desk.private)
    app.router.add_route("*", "/{path:.*}", unknown)

    async def listening(_app: web.Application) -> AsyncIterator[None]:
        stop = world.listen(streams.hear)
        yield
        stop()

    app.cleanup_ctx.append(listening)


class Desk:
    """Where REST requests are answered."""

    def __init__(self, world: World, private_routes: dict[tuple[str, str], Route]) -> None:
        self.private_routes = private_routes
        self._world = world
        self._orders = Pace(ORDERS_A_SECOND, 1_000)
        self._requests = Pace(REQUESTS_IN_TEN_SECONDS, 10_000)

    async def public(self, request: web.Request) -> web.Response:
        """Answer what everyone may ask."""
        try:
            return web.json_response(PUBLIC[request.path](self._world, read(_query(request), "")))
        except UnableToServe as error:
            return refusal(error)

    async def private(self, request: web.Request) -> web.Response:
        """Answer what the owner of a key may ask."""
        route, body = self.private_routes[request.method, request.path], await request.text()
        try:
            key_text = request.headers.get("X-MEXC-APIKEY", "")
            key, asked = authenticate(self._world, key_text, _query(request), body, route.right)
            pace = self._orders if route.operation in LIMITED else self._requests
            pace.take(key.account, self._world.now_ms())
            return web.json_response(route.act(self._world, key.account, asked))
        except UnableToServe as error:
            return refusal(error)


async def unknown(_request: web.Request) -> web.Response:
    """Answer what there is not."""
    return web.json_response({"code": 404, "msg": "Not Found"}, status=404)


def _query(request: web.Request) -> str:
    """As it was sent, byte by byte: it was signed so."""
    return request.raw_path.partition("?")[2]


def refusal(error: UnableToServe) -> web.Response:
    """A refusal as an answer."""
    headers = {} if error.wait_s is None else {"Retry-After": str(error.wait_s)}
    return web.json_response(error.answer, status=error.status, headers=headers)


def operation(request: web.Request) -> str:
    """Which of `faults.OPERATIONS` a request is."""
    route = PRIVATE.get((request.method, request.path))
    if route is not None:
        return route.operation
    return PUBLIC_OPERATIONS.get(request.path, "other")


def fault_answer(fault: Fault, _request: web.Request) -> web.Response:
    """MEXC's words for a refusal that a fault makes up."""
    wait_s = max(1, fault.ms // 1000)
    match fault.kind:
        case "limit-429":
            return refusal(UnableToServe(*TOO_MANY, status=429, wait_s=wait_s))
        case "ban-418":
            return refusal(UnableToServe(*TOO_MANY, status=418, wait_s=max(120, wait_s)))
        case "clock-skew":
            return refusal(UnableToServe(*BAD_TIME))
        case "not-found-at-first":
            return refusal(UnableToServe(*UNKNOWN_TO_FIND))
        case "maintenance":
            return refusal(UnableToServe(500, "Under maintenance, please try again later", status=503))
        case _:
            return refusal(UnableToServe(500, "Internal error", status=500))
