"""The stream on which orders are sent: the same functions as the requests, answered in the connection.

Source: Bybit's API document, "WebSocket Trade". What is answered says only that the order was taken.
"""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from autogrid.simulator.bybit import codes, orders
from autogrid.simulator.bybit.codes import UnableToAnswer
from autogrid.simulator.bybit.figures import Json
from autogrid.simulator.bybit.limits import Limits
from autogrid.simulator.bybit.requests import Call, Reply
from autogrid.simulator.bybit.signing import in_time, may, signed_in
from autogrid.simulator.bybit.talk import Line, Talk, converse, topics_in
from autogrid.simulator.bybit.tickets import Tickets
from autogrid.simulator.faults import Faults
from autogrid.simulator.records import Key

OPERATIONS: Final[dict[str, tuple[Callable[[Tickets, Call], Reply], str]]] = {
    "order.create": (orders.create, "/v5/order/create"),
    "order.cancel": (orders.cancel, "/v5/order/cancel"),
    "order.amend": (orders.amend, "/v5/order/amend"),
    "order.create-batch": (orders.create_batch, "/v5/order/create-batch"),
    "order.cancel-batch": (orders.cancel_batch, "/v5/order/cancel-batch"),
}
"""What answers, and whose limit it counts against."""


class TradeStreams:
    """All connections on which orders are sent."""

    def __init__(self, tickets: Tickets, limits: Limits, faults: Faults) -> None:
        self._tickets = tickets
        self._limits = limits
        self._faults = faults

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """WS /v5/trade."""
        return await converse(request, self._faults, self._begin)

    def _begin(self, line: Line) -> Talk:
        return TradeTalk(self._tickets, self._limits, line)


class TradeTalk:
    """One connection on which orders are sent."""

    def __init__(self, tickets: Tickets, limits: Limits, line: Line) -> None:
        self._tickets = tickets
        self._world = tickets.world
        self._limits = limits
        self._line = line
        self._key: Key | None = None

    def hear(self, asked: Json) -> bool:
        """Answer a client; one that cannot sign in is disconnected."""
        match asked.get("op"):
            case "ping":
                now = str(self._world.now_ms())
                self._say(asked, codes.OK, codes.WORDS[codes.OK], {"op": "pong", "data": [now]})
            case "auth":
                return self._sign_in(asked)
            case _:
                self._act(asked)
        return True

    def gone(self) -> None:
        """Nothing is kept of it."""

    def _sign_in(self, asked: Json) -> bool:
        try:
            self._key = signed_in(self._world, asked.get("args"))
        except UnableToAnswer as error:
            self._say(asked, error.ret_code, str(error), {})
            return False
        self._say(asked, codes.OK, codes.WORDS[codes.OK], {})
        return True

    def _act(self, asked: Json) -> None:
        self._tickets.settle()
        more: Json = {"data": {}}
        try:
            reply = self._done(asked)
        except UnableToAnswer as error:
            self._say(asked, error.ret_code, str(error), more | self._header(asked))
        else:
            more = {"data": reply.result, "retExtInfo": reply.more or {}}
            self._say(asked, codes.OK, codes.WORDS[codes.OK], more | self._header(asked))

    def _done(self, asked: Json) -> Reply:
        answer, path = OPERATIONS.get(str(asked.get("op")), (None, ""))
        if self._key is None:
            raise UnableToAnswer(codes.WRONG_KEY, "Request not authorized")
        if answer is None:
            raise UnableToAnswer(codes.UNKNOWN_OPERATION, "op type is not found")
        may(self._key, "trade")
        header, args = asked.get("header"), asked.get("args")
        stamps = header if isinstance(header, dict) else {}
        in_time(self._world, str(stamps.get("X-BAPI-TIMESTAMP", "")), str(stamps.get("X-BAPI-RECV-WINDOW", "")))
        if not topics_in(asked) or not isinstance(args, list) or not isinstance(args[0], dict):
            raise UnableToAnswer(codes.BAD_REQUEST, "Request parameter error: args")
        batch = args[0].get("request")
        requests = len(batch) if isinstance(batch, list) and batch else 1
        self._limits.count(self._key.account, path, self._world.now_ms(), requests)
        return answer(self._tickets, Call(args[0], self._key))

    def _header(self, asked: Json) -> Json:
        now = self._world.now_ms()
        header: Json = {"Traceid": f"{now:032x}", "Timenow": str(now)}
        if self._key is not None and asked.get("op") in OPERATIONS:
            _, path = OPERATIONS[str(asked["op"])]
            header |= self._limits.standing(self._key.account, path, now).headers
        return {"header": header}

    def _say(self, asked: Json, ret_code: int, words: str, more: Json) -> None:
        answer: Json = {"reqId": str(asked["reqId"])} if "reqId" in asked else {}
        answer |= {"retCode": ret_code, "retMsg": words, "op": asked.get("op", "")}
        self._line.answer(answer | more | {"connId": self._line.id})
