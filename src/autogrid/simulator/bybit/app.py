"""Bybit as a web application: which function answers which request, who may ask, and how answers are wrapped.

Everything is answered with HTTP 200 and a code in the body, but for what never reached the exchange's own servers.
Faults that are made up for it rotate through all that leaves the outcome unknown: a gateway's 502, and the codes
10000, 10016 and, of orders, 170146.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from aiohttp import web

from autogrid.simulator.app_keys import FAULT_ANSWER, OPERATION
from autogrid.simulator.bybit import accounts, codes, markets, orders
from autogrid.simulator.bybit.codes import UnableToAnswer
from autogrid.simulator.bybit.figures import Json
from autogrid.simulator.bybit.limits import Limits, Standing
from autogrid.simulator.bybit.private_stream import PrivateStreams
from autogrid.simulator.bybit.public_stream import PublicStreams
from autogrid.simulator.bybit.requests import Call, Reply
from autogrid.simulator.bybit.signing import Right, sender
from autogrid.simulator.bybit.tickets import Tickets
from autogrid.simulator.bybit.trade_stream import TradeStreams
from autogrid.simulator.faults import Fault, Faults
from autogrid.simulator.world import World

Public = Callable[[World, Mapping[str, object]], Reply]
Private = Callable[[Tickets, Call], Reply]


class Endpoint(NamedTuple):
    """What answers a private request, and the right that its key needs."""

    answer: Private
    right: Right
    operation: str
    """For faults."""


PUBLIC: Final[dict[str, Public]] = {
    "/v5/market/time": markets.time,
    "/v5/market/instruments-info": markets.instruments,
    "/v5/market/tickers": markets.tickers,
    "/v5/market/orderbook": markets.order_book,
    "/v5/market/recent-trade": markets.recent_trades,
    "/v5/market/kline": markets.candles,
}
READ: Final[dict[str, Endpoint]] = {
    "/v5/order/realtime": Endpoint(orders.realtime, "read", "open_orders"),
    "/v5/order/history": Endpoint(orders.history, "read", "find"),
    "/v5/execution/list": Endpoint(orders.executions, "read", "trades"),
    "/v5/account/wallet-balance": Endpoint(accounts.wallet_balance, "read", "balances"),
    "/v5/account/info": Endpoint(accounts.account, "read", "other"),
    "/v5/account/fee-rate": Endpoint(accounts.fee_rate, "read", "other"),
    "/v5/user/query-api": Endpoint(accounts.key_rights, "read", "other"),
    "/v5/asset/coin/query-info": Endpoint(accounts.coins, "read", "other"),
    "/v5/asset/transfer/query-account-coins-balance": Endpoint(accounts.funding_balance, "read", "balances"),
}
ACT: Final[dict[str, Endpoint]] = {
    "/v5/order/create": Endpoint(orders.create, "trade", "place"),
    "/v5/order/create-batch": Endpoint(orders.create_batch, "trade", "place"),
    "/v5/order/amend": Endpoint(orders.amend, "trade", "other"),
    "/v5/order/cancel": Endpoint(orders.cancel, "trade", "cancel"),
    "/v5/order/cancel-batch": Endpoint(orders.cancel_batch, "trade", "cancel"),
    "/v5/order/cancel-all": Endpoint(orders.cancel_all, "trade", "cancel"),
}
UNKNOWN_OUTCOMES: Final = (codes.SERVER_ERROR, codes.SERVER_TIMEOUT, codes.CREATION_TIMEOUT)
FREE: Final = Standing(1, 0, 0)


def add_routes(app: web.Application, world: World, faults: Faults) -> None:
    """Let `app` speak Bybit's protocol over `world`."""
    bybit = Bybit(world)
    app[OPERATION] = operation
    app[FAULT_ANSWER] = bybit.fault_answer
    app.router.add_routes([web.get(path, bybit.public) for path in PUBLIC])
    app.router.add_routes([web.get(path, bybit.private) for path in READ])
    app.router.add_routes([web.post(path, bybit.private) for path in ACT])
    app.router.add_get("/v5/public/spot", PublicStreams(world, faults).serve)
    app.router.add_get("/v5/private", PrivateStreams(bybit.tickets, faults).serve)
    app.router.add_get("/v5/trade", TradeStreams(bybit.tickets, bybit.limits, faults).serve)
    app.router.add_route("*", "/{path:.*}", bybit.nowhere)


def operation(request: web.Request) -> str:
    """Which of the operations of faults a request is."""
    path = request.path
    if path.startswith(("/v5/public/", "/v5/private", "/v5/trade")):
        return "connect"
    if path in PUBLIC:
        return "time" if path == "/v5/market/time" else "market"
    endpoint = READ.get(path) or ACT.get(path)
    if endpoint is None:
        return "other"
    named = "orderId" in request.query or "orderLinkId" in request.query
    return "find" if endpoint.operation == "open_orders" and named else endpoint.operation


class Bybit:
    """The exchange behind the routes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tickets = Tickets(world)
        self.limits = Limits()
        self._outcomes = 0

    async def public(self, request: web.Request) -> web.Response:
        """Answer what anyone may ask."""
        try:
            return self.answer(PUBLIC[request.path](self.world, request.query))
        except UnableToAnswer as error:
            return self.refuse(error)

    async def private(self, request: web.Request) -> web.Response:
        """Answer an account."""
        if "X-BAPI-API-KEY" not in request.headers:
            return web.Response(status=401)
        endpoint = READ.get(request.path) or ACT[request.path]
        body = await request.text()
        payload = request.rel_url.raw_query_string if request.method == "GET" else body
        self.tickets.settle()
        standing = FREE
        try:
            key = sender(self.world, request.headers, payload, endpoint.right)
            fields = request.query if request.method == "GET" else read_body(body)
            now = self.world.now_ms()
            try:
                self.limits.count(key.account, request.path, now, orders_in(fields))
            finally:
                standing = self.limits.standing(key.account, request.path, now)
            return self.answer(endpoint.answer(self.tickets, Call(fields, key)), standing)
        except UnableToAnswer as error:
            return self.refuse(error, standing)

    async def nowhere(self, request: web.Request) -> web.Response:
        """There is no such path."""
        del request
        return web.Response(status=404)

    def answer(self, reply: Reply, standing: Standing | None = None) -> web.Response:
        """A request that was taken."""
        return self._wrap(codes.OK, codes.WORDS[codes.OK], reply.result, reply.more or {}, standing)

    def refuse(self, error: UnableToAnswer, standing: Standing | None = None) -> web.Response:
        """A request that was not."""
        return self._wrap(error.ret_code, str(error), {}, {}, standing)

    def fault_answer(self, fault: Fault, request: web.Request) -> web.Response:
        """The words for a refusal that a fault makes up."""
        match fault.kind:
            case "limit-429":
                standing = Standing(20, 0, self.world.now_ms() + max(fault.ms, 1000))
                return self.refuse(UnableToAnswer(codes.TOO_MANY), standing)
            case "ban-418":
                return web.Response(status=403, text="403 access too frequent")
            case "clock-skew":
                words = "invalid request, please check your server timestamp or recv_window param."
                return self.refuse(UnableToAnswer(codes.OUTSIDE_WINDOW, words))
            case "not-found-at-first":
                return self.answer(Reply({"category": "spot", "list": [], "nextPageCursor": ""}))
            case "maintenance":
                return web.Response(status=503, text="Service Unavailable")
            case _:
                return self._unknown_outcome(request)

    def _unknown_outcome(self, request: web.Request) -> web.Response:
        self._outcomes += 1
        turn = self._outcomes % (len(UNKNOWN_OUTCOMES) + 1)
        if not turn or request.path.startswith(("/v5/public/", "/v5/private", "/v5/trade")):
            return web.Response(status=502, text="Bad Gateway")
        ret_code = UNKNOWN_OUTCOMES[turn - 1]
        if ret_code == codes.CREATION_TIMEOUT and operation(request) != "place":
            ret_code = codes.SERVER_ERROR
        return self.refuse(UnableToAnswer(ret_code))

    def _wrap(self, ret_code: int, words: str, result: Json, more: Json, standing: Standing | None) -> web.Response:
        now = self.world.now_ms()
        body = {"retCode": ret_code, "retMsg": words, "result": result, "retExtInfo": more, "time": now}
        headers = {"Timenow": str(now)} | ({} if standing is None or standing is FREE else standing.headers)
        return web.json_response(body, headers=headers)


def read_body(body: str) -> Mapping[str, object]:
    """The fields of a request. Raises UnableToAnswer."""
    try:
        fields: object = json.loads(body or "{}")
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise UnableToAnswer(codes.BAD_REQUEST, "Request parameter error: the body is no JSON object")
    return fields


def orders_in(fields: Mapping[str, object]) -> int:
    """How many requests one counts for: each order of a batch is one."""
    batch = fields.get("request")
    return max(1, len(batch)) if isinstance(batch, list) else 1
