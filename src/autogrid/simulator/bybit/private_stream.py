"""The stream of an account: its orders, its trades and what it owns, once a client has signed in."""

import asyncio
from typing import Final

from aiohttp import web

from autogrid.simulator.bybit.codes import UnableToAnswer
from autogrid.simulator.bybit.figures import (
    FIRST_SEQUENCE,
    Json,
    execution_row,
    fast_execution_row,
    order_row,
    wallet_row,
)
from autogrid.simulator.bybit.signing import signed_in
from autogrid.simulator.bybit.talk import Line, Talk, converse, told, topics_in
from autogrid.simulator.bybit.tickets import Ticket, Tickets
from autogrid.simulator.faults import Faults
from autogrid.simulator.records import OrderNews, WalletNews, WorldNews

TOLD: Final = ("order", "execution", "execution.fast")
"""Topics of orders and trades; each also for spot alone."""
SILENT: Final = ("position", "greeks", "dcp.future")
CATEGORIES: Final = ("", ".spot", ".linear", ".inverse", ".option")
TOPICS: Final = frozenset({f"{topic}{category}" for topic in (*TOLD, "position") for category in CATEGORIES}) | {
    "wallet",
    *SILENT,
}


class PrivateStreams:
    """All connections of accounts."""

    def __init__(self, tickets: Tickets, faults: Faults) -> None:
        self._tickets = tickets
        self._faults = faults
        self._talks: set[PrivateTalk] = set()
        self._dirty: dict[str, list[str]] = {}
        """By account, the assets whose change is still to be told; all changes of one moment are one event."""
        tickets.listen(self._follow_order)
        tickets.world.listen(self._follow)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """WS /v5/private."""
        return await converse(request, self._faults, self._begin)

    def _begin(self, line: Line) -> Talk:
        talk = PrivateTalk(self._tickets, line, self._talks)
        self._talks.add(talk)
        return talk

    def _follow_order(self, ticket: Ticket, news: OrderNews) -> None:
        for talk in tuple(self._talks):
            if talk.account == news.order.account:
                talk.tell_order(ticket, news)

    def _follow(self, news: WorldNews) -> None:
        if not isinstance(news, WalletNews) or all(talk.account != news.account for talk in self._talks):
            return
        if not self._dirty:
            asyncio.get_running_loop().call_soon(self._tell_wallets)
        changed = self._dirty.setdefault(news.account, [])
        if news.asset not in changed:
            changed.append(news.asset)

    def _tell_wallets(self) -> None:
        dirty, self._dirty = self._dirty, {}
        for account, assets in dirty.items():
            for talk in tuple(self._talks):
                if talk.account == account:
                    talk.tell_wallet(assets)


class PrivateTalk:
    """One connection of an account."""

    def __init__(self, tickets: Tickets, line: Line, talks: "set[PrivateTalk]") -> None:
        self.account: str | None = None
        """Once it has signed in."""
        self._world = tickets.world
        self._line = line
        self._talks = talks
        self._topics: dict[str, None] = {}

    def hear(self, asked: Json) -> bool:
        """Answer a client; one that cannot sign in is disconnected."""
        match asked.get("op"):
            case "ping":
                pong: Json = {"req_id": str(asked["req_id"])} if "req_id" in asked else {}
                pong |= {"op": "pong", "args": [str(self._world.now_ms())], "conn_id": self._line.id}
                self._line.answer(pong)
            case "auth":
                return self._sign_in(asked)
            case "subscribe":
                self._subscribe(asked)
            case "unsubscribe":
                for name in topics_in(asked):
                    self._topics.pop(name, None)
                self._line.answer(told(self._line, asked, ""))
            case _:
                self._line.answer(told(self._line, asked, "error:invalid op", success=False))
        return True

    def gone(self) -> None:
        """It is told of nothing more."""
        self._talks.discard(self)

    def tell_order(self, ticket: Ticket, news: OrderNews) -> None:
        """An order of the account changed."""
        for topic in self._topics:
            match topic.removesuffix(".spot"):
                case "execution" if news.trade is not None:
                    self._event(topic, execution_row(self._world, ticket, news.trade), ticket.order_id)
                case "execution.fast" if news.trade is not None:
                    self._event(topic, fast_execution_row(self._world, ticket, news.trade), ticket.order_id)
                case "order":
                    self._event(topic, order_row(ticket), ticket.order_id)
                case _:
                    pass

    def tell_wallet(self, assets: list[str]) -> None:
        """What the account owns of `assets` changed."""
        if "wallet" in self._topics and self.account is not None:
            self._event("wallet", wallet_row(self._world, self.account, assets), "wallet")

    def _sign_in(self, asked: Json) -> bool:
        try:
            self.account = signed_in(self._world, asked.get("args")).account
        except UnableToAnswer as error:
            self._line.answer(told(self._line, asked, str(error), success=False))
            return False
        self._line.answer(told(self._line, asked, ""))
        return True

    def _subscribe(self, asked: Json) -> None:
        names = topics_in(asked)
        unknown = next((name for name in names if name not in TOPICS), None)
        if self.account is None:
            self._line.answer(told(self._line, asked, "Request not authorized", success=False))
        elif unknown is not None or not names:
            self._line.answer(told(self._line, asked, f"error:handler not found,topic:{unknown}", success=False))
        else:
            self._topics.update(dict.fromkeys(names))
            self._line.answer(told(self._line, asked, ""))

    def _event(self, topic: str, row: Json, key: str) -> None:
        now = self._world.now_ms()
        words: Json = {"topic": topic, "id": f"{FIRST_SEQUENCE}_{now}", "creationTime": now, "data": [row]}
        if topic.startswith("execution.fast"):
            del words["id"]
        self._line.event(words, f"{topic} {key}")
