"""Binance spot as a web application: REST under /api/v3 and /sapi, streams under /ws and /stream, the WebSocket API."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from autogrid.simulator.app_keys import FAULT_ANSWER, OPERATION
from autogrid.simulator.binance.endpoints import REST, Endpoint, weight_of
from autogrid.simulator.binance.keys import LIMITS
from autogrid.simulator.binance.market_streams import add_market_streams
from autogrid.simulator.binance.params import Params
from autogrid.simulator.binance.refusals import BAD_TIME, MAINTENANCE, NO_ORDER, TIMEOUT, UnableToAnswer
from autogrid.simulator.binance.signed import check_signed, fields_of, unsigned
from autogrid.simulator.binance.socket_api import add_socket_api
from autogrid.simulator.binance.venue import Asked, Venue
from autogrid.simulator.faults import Fault, Faults
from autogrid.simulator.world import World

Act = Callable[[web.Request], Awaitable[web.Response]]


def add_routes(app: web.Application, world: World, faults: Faults) -> None:
    """Make `app` speak Binance's protocols over `world`."""
    venue = Venue(world)
    app[LIMITS] = venue.limits
    app[OPERATION] = operation
    app[FAULT_ANSWER] = lambda fault, request: _made_up(venue, fault, request)
    for (method, path), endpoint in REST.items():
        app.router.add_route(method, path, _act(venue, endpoint))
    add_market_streams(app, venue, faults)
    add_socket_api(app, venue, faults)


def operation(request: web.Request) -> str:
    """Which operation a request is, for the faults."""
    endpoint = REST.get((request.method, request.path))
    if endpoint is not None:
        return endpoint.operation
    return "connect" if request.headers.get("Upgrade", "").lower() == "websocket" else "other"


def _act(venue: Venue, endpoint: Endpoint) -> Act:
    async def act(request: web.Request) -> web.Response:
        query, form = request.raw_path.partition("?")[2], (await request.text())
        try:
            given = fields_of(query, form)
            venue.limits.ask(weight_of(endpoint, given), endpoint.orders)
            key = None
            if endpoint.right:
                told = request.headers.get("X-MBX-APIKEY", "")
                key = check_signed(venue.world, told, given, unsigned(query, form), endpoint.right)
            answer = endpoint.act(Asked(venue, Params(given), key))
        except UnableToAnswer as refusal:
            return _refused(venue, refusal)
        return web.json_response(answer, headers=venue.limits.headers(ordering=bool(endpoint.orders)))

    return act


def _refused(venue: Venue, refusal: UnableToAnswer) -> web.Response:
    headers = venue.limits.headers(ordering=False)
    if refusal.wait_s is not None:
        headers["Retry-After"] = str(refusal.wait_s)
    return web.json_response(refusal.body, status=refusal.status, headers=headers)


def _made_up(venue: Venue, fault: Fault, request: web.Request) -> web.Response:  # noqa: ARG001
    """The refusal that a fault makes up; `ms` of a limit is how long it lasts."""
    wait_s = max(1, fault.ms // 1000)
    match fault.kind:
        case "limit-429":
            return _refused(venue, venue.limits.slow_down(wait_s))
        case "ban-418":
            venue.limits.ban(wait_s)
            return _refused(venue, UnableToAnswer(-1003, "Way too much request weight used; IP banned.", 418, wait_s))
        case "clock-skew":
            return _refused(venue, UnableToAnswer(*BAD_TIME))
        case "not-found-at-first":
            return _refused(venue, UnableToAnswer(*NO_ORDER))
        case "maintenance":
            return _refused(venue, UnableToAnswer(*MAINTENANCE, 503))
        case _:
            return _refused(venue, UnableToAnswer(*TIMEOUT, 504))
