"""The rules of markets as exchanges tell them, read once for all bots and accounts of a process.

A question for the rules of one market weighs as much as a page of trades: five hundred bots that start together would
use up a minute's requests by asking one after the other.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from autogrid.engine.account import Account
from autogrid.engine.outgoing import within
from autogrid.engine.venue import MarketNow
from autogrid.trading.market import Market

FRESH_S: Final = 60.0
"""Rules that were read so lately count as read now; that a market does not trade is asked each time."""


class Rules:
    """The rules of every market that a bot of this process trades on."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[int, MarketNow]] = {}
        """With the time at which they were asked for, by the steady clock."""
        self._reading: dict[tuple[str, str], asyncio.Task[MarketNow]] = {}

    def of(self, exchange: str, symbol: str) -> MarketNow | None:
        """As they were told last; None where they were not."""
        known = self._known.get((exchange, symbol))
        return None if known is None else known[1]

    async def read(self, account: Account, symbol: str, fresh_s: float = FRESH_S) -> MarketNow:
        """As they are now, or were `fresh_s` ago. Raises `ExchangeAway`, `ExchangeRefused`, TimeoutError."""
        key = account.venue.exchange, symbol
        known = self._known.get(key)
        if known is not None and known[1].trading and account.hold.steady_ms() < known[0] + fresh_s * 1_000:
            return known[1]
        task = self._reading.get(key)
        if task is None:
            task = self._reading[key] = asyncio.create_task(self._ask(key, account))
            task.add_done_callback(lambda done: self._read(key, done))
        return await asyncio.shield(task)

    async def _ask(self, key: tuple[str, str], account: Account) -> MarketNow:
        asked_ms = account.hold.steady_ms()
        found = await within(account.timing, account.venue.market(key[1]))
        self._known[key] = asked_ms, found
        return found

    def _read(self, key: tuple[str, str], done: "asyncio.Task[MarketNow]") -> None:
        self._reading.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever waits is told; nobody may be waiting any more


def changed_rules(market: Market, now: MarketNow) -> str:
    """What the exchange changed since the bot was made, in a sentence; empty where it changed nothing that matters."""
    if not now.trading:
        return f"the exchange has halted {market.symbol}: {now.words}"
    names: Mapping[str, tuple[object, object]] = {
        "tick": (market.tick, now.market.tick),
        "lot": (market.lot, now.market.lot),
        "least value": (market.min_notional, now.market.min_notional),
    }
    changed = [f"{name} from {old} to {new}" for name, (old, new) in names.items() if old != new]
    if not changed:
        return ""
    return f"the exchange changed its rules ({', '.join(changed)}); stop this bot and make a new one to follow them"
