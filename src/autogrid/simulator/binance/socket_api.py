"""Binance's WebSocket API: requests over a socket, and the user data stream by signature."""

import json
from collections.abc import Callable, Mapping
from typing import Final

from aiohttp import WSMsgType, web

from autogrid.simulator.app_keys import CALLS, SUBSCRIBERS
from autogrid.simulator.binance.endpoints import SOCKET, Endpoint, weight_of
from autogrid.simulator.binance.params import Params
from autogrid.simulator.binance.refusals import UnableToAnswer
from autogrid.simulator.binance.signed import check_signed, sorted_fields
from autogrid.simulator.binance.user_data import Listener, UserData
from autogrid.simulator.binance.venue import Asked, Venue
from autogrid.simulator.faults import Faults
from autogrid.simulator.streams import Subscriber
from autogrid.trading.money import use_exact_figures

PATH: Final = "/ws-api/v3"
PING_S: Final = 20.0
USER_DATA: Final = "userDataStream."


def add_socket_api(app: web.Application, venue: Venue, faults: Faults) -> None:
    """Serve it at /ws-api/v3."""
    user_data = UserData(venue)

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=PING_S)
        await socket.prepare(request)
        use_exact_figures()
        subscriber = Subscriber(socket, request, faults)
        app[SUBSCRIBERS].add(subscriber)
        connection = Connection(venue, user_data, subscriber, lambda name: app[CALLS].update([name]))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    subscriber.answer(json.dumps(connection.answer(message.data)))
        finally:
            user_data.remove(subscriber)
            app[SUBSCRIBERS].remove(subscriber)
            await subscriber.close()
        return socket

    async def stop(_: web.Application) -> None:
        user_data.stop()

    app.router.add_get(PATH, serve)
    app.on_cleanup.append(stop)


class Connection:
    """One socket of the API."""

    def __init__(
        self, venue: Venue, user_data: UserData, subscriber: Subscriber, count: Callable[[str], object]
    ) -> None:
        self._venue = venue
        self._user_data = user_data
        self._subscriber = subscriber
        self._count = count
        self._next_number = 0

    def answer(self, told: str) -> Mapping[str, object]:
        """What comes back for one frame."""
        request_id: object = None
        method = ""
        show_limits = True
        try:
            asked = json.loads(told, parse_float=str)
            if not isinstance(asked, dict) or not isinstance(asked.get("method"), str):
                raise UnableToAnswer(-1135, "Invalid JSON Request")
            request_id, method = asked.get("id"), asked["method"]
            given = _fields(asked.get("params"))
            show_limits = given.get("returnRateLimits") != "false"
            result = self._act(method, given)
            body: dict[str, object] = {"id": request_id, "status": 200, "result": result}
        except UnableToAnswer as refusal:
            body = {"id": request_id, "status": refusal.status, "error": refusal.body}
        except ValueError:
            body = {"id": None, "status": 400, "error": {"code": -1135, "msg": "Invalid JSON Request"}}
        if show_limits:
            endpoint = SOCKET.get(method)
            body["rateLimits"] = self._venue.limits.told(ordering=bool(endpoint and endpoint.orders))
        return body

    def _act(self, method: str, given: dict[str, str]) -> object:
        if method.startswith(USER_DATA):
            return self._user_stream(method.removeprefix(USER_DATA), given)
        if method == "session.subscriptions":
            return [{"subscriptionId": one.number} for one in self._user_data.of(self._subscriber)]
        if method == "session.logon":
            raise UnableToAnswer(-4056, "HMAC_SHA256 API key is not supported.")
        endpoint = SOCKET.get(method)
        if endpoint is None:
            raise UnableToAnswer(-1020, "This operation is not supported.")
        return self._endpoint(endpoint, given)

    def _endpoint(self, endpoint: Endpoint, given: dict[str, str]) -> object:
        self._count(endpoint.operation)
        self._venue.limits.ask(weight_of(endpoint, given), endpoint.orders)
        key = None
        if endpoint.right:
            key = check_signed(self._venue.world, given.get("apiKey", ""), given, sorted_fields(given), endpoint.right)
        return endpoint.act(Asked(self._venue, Params(given), key))

    def _user_stream(self, what: str, given: dict[str, str]) -> Mapping[str, object]:
        if what == "subscribe.signature":
            self._venue.limits.ask(2, 0)
            key = check_signed(self._venue.world, given.get("apiKey", ""), given, sorted_fields(given), "reads")
            number, self._next_number = self._next_number, self._next_number + 1
            self._user_data.add(Listener(self._subscriber, number, key.account))
            return {"subscriptionId": number}
        if what == "unsubscribe":
            self._venue.limits.ask(2, 0)
            number_given = Params(given).whole("subscriptionId")
            for gone in self._user_data.remove(self._subscriber, number_given):
                event = {"e": "eventStreamTerminated", "E": self._venue.world.now_ms()}
                self._subscriber.answer(json.dumps({"subscriptionId": gone.number, "event": event}))
            return {}
        raise UnableToAnswer(-1020, "This operation is not supported.")


def _fields(params: object) -> dict[str, str]:
    """Parameters as text, as they are signed. Raises UnableToAnswer."""
    if params is None:
        return {}
    if not isinstance(params, dict):
        raise UnableToAnswer(-1135, "Invalid JSON Request")
    return {str(name): _text(value) for name, value in params.items()}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, separators=(",", ":")) if isinstance(value, list) else str(value)
