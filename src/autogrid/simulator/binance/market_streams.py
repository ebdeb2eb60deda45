"""Binance's market streams: raw (/ws/btcusdt@trade), combined (/stream?streams=…), and subscriptions by message."""

import json
from collections.abc import Mapping
from typing import Final

from aiohttp import WSMsgType, web

from autogrid.simulator.app_keys import SUBSCRIBERS
from autogrid.simulator.binance.stream_events import Events
from autogrid.simulator.binance.venue import Venue
from autogrid.simulator.faults import Faults
from autogrid.simulator.records import Print, WorldNews
from autogrid.simulator.streams import Subscriber
from autogrid.trading.money import use_exact_figures

PING_S: Final = 20.0


class Watcher:
    """One socket and the streams it wants, in the order in which it asked for them."""

    def __init__(self, subscriber: Subscriber, *, combined: bool) -> None:
        self.subscriber = subscriber
        self.combined = combined
        self.streams: dict[str, None] = {}

    def tell(self, stream: str, event: object) -> None:
        """Send an event of a stream."""
        self.subscriber.send(json.dumps({"stream": stream, "data": event} if self.combined else event))


class Hub:
    """All sockets of the market streams."""

    def __init__(self, venue: Venue) -> None:
        self.watchers: set[Watcher] = set()
        self._events = Events(venue)
        self.stop = venue.world.listen(self._hear)

    def subscribe(self, watcher: Watcher, streams: list[str]) -> None:
        """Tell what is known at once where a stream tells states, and every change from now on."""
        for stream in streams:
            if stream not in watcher.streams:
                watcher.streams[stream] = None
                for event in self._events.begun(stream):
                    watcher.tell(stream, event)

    def answer(self, watcher: Watcher, told: str) -> Mapping[str, object]:
        """What comes back for a message."""
        try:
            asked = json.loads(told)
        except ValueError:
            return {"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}}
        if not isinstance(asked, dict):
            return {"error": {"code": 2, "msg": "Invalid request: request must be an object"}}
        request_id, params = asked.get("id"), asked.get("params") or []
        names = [name for name in params if isinstance(name, str)]
        match asked.get("method"):
            case "SUBSCRIBE":
                self.subscribe(watcher, names)
            case "UNSUBSCRIBE":
                for name in names:
                    watcher.streams.pop(name, None)
            case "LIST_SUBSCRIPTIONS":
                return {"result": list(watcher.streams), "id": request_id}
            case "SET_PROPERTY":
                watcher.combined = bool(params[1]) if len(params) == 2 and params[0] == "combined" else watcher.combined
            case other:
                words = f"Invalid request: unknown variant `{other}`"
                return {"error": {"code": 2, "msg": words}, "id": request_id}
        return {"result": None, "id": request_id}

    def _hear(self, news: WorldNews) -> None:
        if not isinstance(news, Print):
            return
        wanted = {stream for watcher in self.watchers for stream in watcher.streams}
        told = self._events.after(news, wanted)
        for watcher in self.watchers:
            for stream in watcher.streams:
                for event in told.get(stream, ()):
                    watcher.tell(stream, event)


def add_market_streams(app: web.Application, venue: Venue, faults: Faults) -> None:
    """Serve them at /ws and /stream."""
    hub = Hub(venue)

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=PING_S)
        await socket.prepare(request)
        use_exact_figures()
        subscriber = Subscriber(socket, request, faults)
        combined = request.path.startswith("/stream")
        watcher = Watcher(subscriber, combined=combined)
        app[SUBSCRIBERS].add(subscriber)
        hub.watchers.add(watcher)
        names = request.query.get("streams", "") if combined else request.match_info.get("streams", "")
        hub.subscribe(watcher, [name for name in names.split("/") if name])
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    subscriber.answer(json.dumps(hub.answer(watcher, message.data)))
        finally:
            hub.watchers.discard(watcher)
            app[SUBSCRIBERS].remove(subscriber)
            await subscriber.close()
        return socket

    async def stop(_: web.Application) -> None:
        hub.stop()

    for path in ("/ws", "/ws/{streams:.*}", "/stream", "/stream/{streams:.*}"):
        app.router.add_get(path, serve)
    app.on_cleanup.append(stop)
