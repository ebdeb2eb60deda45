"""Who listens to which account, and what they are told of it."""

import asyncio
import json
from collections.abc import Mapping
from typing import NamedTuple

from autogrid.simulator.binance.reports import account_position, balance_update, execution_report, list_status
from autogrid.simulator.binance.venue import Venue
from autogrid.simulator.records import CreditNews, OrderNews, WalletNews, WorldNews
from autogrid.simulator.streams import Subscriber


class Listener(NamedTuple):
    """One subscription on one connection."""

    subscriber: Subscriber
    number: int
    account: str


class UserData:
    """The user data of all accounts."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._listeners: list[Listener] = []
        self._changes: dict[str, list[WalletNews]] = {}
        """By account, what is still to be told of its wallet."""
        self._executions = 0
        self.stop = venue.world.listen(self._hear)

    def add(self, listener: Listener) -> None:
        """Tell it from now on."""
        self._listeners.append(listener)

    def remove(self, subscriber: Subscriber, number: int | None = None) -> list[Listener]:
        """Tell it no more: one subscription of a connection, or all of them. Those that were there."""
        gone = [one for one in self._listeners if one.subscriber is subscriber and number in (None, one.number)]
        self._listeners = [one for one in self._listeners if one not in gone]
        return gone

    def of(self, subscriber: Subscriber) -> list[Listener]:
        """The subscriptions of one connection."""
        return [one for one in self._listeners if one.subscriber is subscriber]

    def _hear(self, news: WorldNews) -> None:
        match news:
            case OrderNews():
                self._executions += 1
                account = news.order.account
                report = execution_report(news, self._venue, self._executions)
                self._tell(account, report, str(news.order.key))
                self._tell_list(news)
            case WalletNews():
                self._change(news)
            case CreditNews():
                self._tell(news.account, balance_update(news, self._venue.world.now_ms()))
            case _:
                pass

    def _tell(self, account: str, event: Mapping[str, object], key: str = "") -> None:
        for listener in self._listeners:
            if listener.account == account:
                frame = json.dumps({"subscriptionId": listener.number, "event": event})
                listener.subscriber.send(frame, key)

    def _tell_list(self, news: OrderNews) -> None:
        """A list began with its second order, and ends with its last."""
        order = news.order
        if order.list_id is None:
            return
        listed = self._venue.world.lists[order.list_id]
        begins = news.cause == "new" and order is listed.orders[-1]
        if begins or not listed.is_open:
            self._tell(order.account, list_status(listed, self._venue.world.now_ms()))

    def _change(self, news: WalletNews) -> None:
        """The changes of one moment are told together, behind the orders that caused them."""
        if not any(listener.account == news.account for listener in self._listeners):
            return
        if news.account not in self._changes:
            self._changes[news.account] = []
            asyncio.get_running_loop().call_soon(self._tell_changes, news.account)
        self._changes[news.account].append(news)

    def _tell_changes(self, account: str) -> None:
        changes = self._changes.pop(account)
        self._tell(account, account_position(changes, self._venue.world.now_ms()))
