"""Whose money is whose on an account that bots of this process trade on: what each owns, and what it was promised.

What was granted counts at once, before anything else is asked of the account: so no two are given the same coin.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.engine.funds import Owned, shortfall, unable_to_fund
from autogrid.engine.venue import Balance
from autogrid.storage.bots import BotRow, begun_on, find_bot
from autogrid.storage.codecs import UnableToReadRecord
from autogrid.storage.recall import UnableToReplay, load
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, Amount
from autogrid.trading.state import BotState
from autogrid.trading.strategies.catalogue import build
from autogrid.trading.strategies.fields import UnableToConfigure

UNREADABLE: Final = (UnableToReplay, UnableToReadRecord, UnableToConfigure)
"""Why a bot's journal tells nothing."""

Balances = Mapping[str, Balance]


class Reserves:
    """Of one account."""

    def __init__(self) -> None:
        self._owned: dict[str, Owned] = {}
        """By bot, as far as this process knows."""
        self._promised: dict[str, list[Owned]] = {}
        """By bot: deposits that were granted and are not in its ledger yet, oldest first."""

    async def learn(self, connection: AsyncConnection, account: str) -> None:
        """Get to know the bots on the account that do not run here. One whose journal cannot be read owns what it was
        made with.
        """
        for bot_id in await begun_on(connection, account):
            if bot_id in self._owned:
                continue
            try:
                loaded = await load(connection, bot_id, build)
            except UNREADABLE:
                self._owned.setdefault(bot_id, made_with(await find_bot(connection, bot_id)))
                continue
            if loaded is not None and not loaded.state.ended_why:
                self._owned.setdefault(bot_id, owned(loaded.row.market, loaded.state))

    def unable_to_begin(self, row: BotRow, balances: Balances) -> str:
        """Why the account cannot give a bot what it is made with; where it can, it is the bot's from now on."""
        wanted = made_with(row)
        fault = unable_to_fund(row.name, wanted, self._all(but=row.id), balances)
        if not fault:
            self._owned[row.id] = wanted
        return fault

    def unable_to_deposit(self, row: BotRow, amount: Amount, balances: Balances) -> str:
        """Why the account cannot give a bot so much more quote; where it can, it is promised to the bot."""
        wanted = Owned(row.market.quote, row.market.base, amount, ZERO)
        fault = unable_to_fund(row.name, wanted, self._all(), balances)
        if not fault:
            self._promised.setdefault(row.id, []).append(wanted)
        return fault

    def owns(self, bot_id: str, market: Market, state: BotState) -> None:
        """A bot's ledger is so now."""
        self._owned[bot_id] = owned(market, state)

    def took_in(self, bot_id: str) -> None:
        """The oldest deposit that a bot was promised is in its ledger."""
        del self._promised.get(bot_id, [])[:1]

    def stops(self, bot_id: str, *, ended: bool) -> None:
        """A run of a bot is over; `ended`: the bot is, and owns nothing more."""
        self._promised.pop(bot_id, None)
        if ended:
            self._owned.pop(bot_id, None)

    def shortfall(self, balances: Balances) -> str:
        """What bots own and the account does not have, in a sentence; empty where all is there."""
        return shortfall(self._owned.values(), balances)

    def _all(self, but: str = "") -> list[Owned]:
        own = [its for bot_id, its in self._owned.items() if bot_id != but]
        return own + [one for promised in self._promised.values() for one in promised]


def made_with(row: BotRow) -> Owned:
    """What a bot is to begin with."""
    return Owned(row.market.quote, row.market.base, row.investment, row.own_base)


def owned(market: Market, state: BotState) -> Owned:
    """What a bot's ledger says that it owns."""
    return Owned(market.quote, market.base, state.ledger.quote, state.ledger.base)
