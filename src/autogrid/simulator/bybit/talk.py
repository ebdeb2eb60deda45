"""One open WebSocket: what a client asks arrives here as JSON, and is answered in the same connection."""

import itertools
import json
from collections.abc import Callable
from typing import Final, Protocol

from aiohttp import WSMsgType, web

from autogrid.simulator.app_keys import SUBSCRIBERS
from autogrid.simulator.bybit.figures import Json
from autogrid.simulator.faults import Faults
from autogrid.simulator.streams import Subscriber
from autogrid.trading.money import use_exact_figures

MOST_TOPICS: Final = 10
"""That one request on spot may name."""


class Talk(Protocol):
    """What answers on one connection."""

    def hear(self, asked: Json) -> bool:
        """Answer; False: the connection ends."""
        ...

    def gone(self) -> None:
        """The connection has ended."""
        ...


class Line:
    """The sending side of one connection."""

    _numbers: Final = itertools.count(1)

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self.id = f"sim{next(self._numbers):017d}-1"
        """What Bybit calls the connection."""

    def answer(self, words: Json) -> None:
        """To what was asked."""
        self._subscriber.answer(json.dumps(words))

    def event(self, words: Json, key: str) -> None:
        """Something happened to what `key` names."""
        self._subscriber.send(json.dumps(words), key)


async def converse(request: web.Request, faults: Faults, begin: Callable[[Line], Talk]) -> web.WebSocketResponse:
    """Serve one connection until it ends."""
    use_exact_figures()
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    subscriber = Subscriber(socket, request, faults)
    request.app[SUBSCRIBERS].add(subscriber)
    talk = begin(Line(subscriber))
    try:
        async for message in socket:
            if message.type is WSMsgType.TEXT and not talk.hear(_read(message.data)):
                break
    finally:
        talk.gone()
        request.app[SUBSCRIBERS].remove(subscriber)
        await subscriber.close()
        await socket.close()
    return socket


def topics_in(asked: Json) -> list[str]:
    """The topics that a request names."""
    named = asked.get("args")
    return [str(topic) for topic in named] if isinstance(named, list) else []


def told(line: Line, asked: Json, words: str, *, success: bool = True) -> Json:
    """An answer in the form of the streams of market data and of the account."""
    answer: Json = {"success": success, "ret_msg": words, "conn_id": line.id}
    if "req_id" in asked:
        answer["req_id"] = str(asked["req_id"])
    return answer | {"op": asked.get("op", "")}


def _read(text: str) -> Json:
    try:
        asked: object = json.loads(text)
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}
