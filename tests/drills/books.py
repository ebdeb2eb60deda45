"""The books of a drill: what the journals hold against what the exchanges hold, to the last unit.

Lost: a trade at the exchange that is not booked once. Doubled: an order at the exchange that no intent stands for, or
two of one intent. Orphaned: an order that rests while its bot does not think so, or the other way round.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple

from autogrid.engine.wire_ids import bot_of, wire_id
from autogrid.services.bots import first_ledger
from autogrid.simulator.bybit.figures import trade_id as bybit_id
from autogrid.simulator.mexc.names import trade_id as mexc_id
from autogrid.simulator.records import OrderNews, SimTrade, WorldNews
from autogrid.storage.bots import BotRow, list_bots
from autogrid.storage.database import Database, open_database
from autogrid.storage.orders import FillRow, OrderRow, list_fills, list_orders
from autogrid.storage.recall import load, replay
from autogrid.trading.money import ZERO, use_exact_figures
from autogrid.trading.order import OPEN
from autogrid.trading.state import BotState
from autogrid.trading.strategies.catalogue import build
from tests.drills.engines import Stage, named
from tests.drills.exchanges_here import Exchange


def told_id(exchange: Exchange, trade: SimTrade) -> str:
    """The number of a trade, as an exchange writes it."""
    if exchange.name == "bybit":
        return bybit_id(exchange.world, trade.symbol, trade.id)
    return mexc_id(trade) if exchange.name == "mexc" else str(trade.id)


class Books(NamedTuple):
    """What was found; all well where `wrong` is empty."""

    orders: int
    fills: int
    lost: int
    doubled: int
    orphaned: int
    steps: int
    """Of all journals, each decided again and equal."""
    wrong: tuple[str, ...]

    @property
    def line(self) -> str:
        return (
            f"{self.orders} orders, {self.fills} fills, {self.steps} steps replayed: {self.lost} lost, "
            f"{self.doubled} doubled, {self.orphaned} orphaned, {len(self.wrong)} differences"
        )


class _Kept(NamedTuple):
    row: BotRow
    state: BotState
    orders: list[OrderRow]
    fills: list[FillRow]


async def compare(stage: Stage) -> Books:
    """Hold the journals of a stopped engine against the exchanges."""
    use_exact_figures()
    database = await open_database(stage.data_dir, stage.database_url)
    try:
        kept, steps, wrong = await _kept(database)
    finally:
        await database.close()
    lost = doubled = orphaned = orders = fills = 0
    for exchange in stage.exchanges.values():
        for account in exchange.accounts:
            bots = {bot_id: one for bot_id, one in kept.items() if one.row.account == named(exchange.name, account)}
            found = _Account(exchange, account, bots, wrong)
            orders, fills = orders + found.count_orders(), fills + found.count_fills()
            lost, doubled, orphaned = lost + found.lost(), doubled + found.doubled(), orphaned + found.orphaned()
            found.money()
    return Books(orders, fills, lost, doubled, orphaned, steps, tuple(wrong))


async def _kept(database: Database) -> tuple[dict[str, _Kept], int, list[str]]:
    found, steps, wrong = {}, 0, list[str]()
    async with database.reading() as connection:
        for row in await list_bots(connection):
            done = await replay(connection, row.id, build)
            if done.difference is not None:
                wrong.append(f"{row.name}: step {done.difference.seq} is decided otherwise ({done.difference.what})")
            steps += done.steps
            loaded = await load(connection, row.id, build)
            if loaded is None:
                wrong.append(f"{row.name} never began")
                continue
            orders = await list_orders(connection, row.id)
            found[row.id] = _Kept(row, loaded.state, orders, await list_fills(connection, row.id))
    return found, steps, wrong


class _Account:
    """One account and the bots on it."""

    def __init__(self, exchange: Exchange, account: str, bots: Mapping[str, _Kept], wrong: list[str]) -> None:
        self._wallet, self._begun = exchange.wallet(account), exchange.begun[account]
        self._wrong = wrong
        self._bots = bots
        self._at_exchange = exchange.world.orders(account)
        self._trades: dict[str, dict[str, SimTrade]] = defaultdict(dict)
        self._by_hand: list[SimTrade] = []
        for trade in exchange.world.trades(account, limit=10**9):
            if (bot_id := bot_of(trade.client_id)) is not None:
                self._trades[bot_id][told_id(exchange, trade)] = trade
            else:
                self._by_hand.append(trade)
        self._intents = {wire_id(bot_id, row.id): row for bot_id, one in bots.items() for row in one.orders}

    def count_orders(self) -> int:
        return sum(bot_of(order.client_id) is not None for order in self._at_exchange)

    def count_fills(self) -> int:
        return sum(len(trades) for trades in self._trades.values())

    def lost(self) -> int:
        """Trades that are not booked exactly once, with their figures; or booked and never made."""
        count = 0
        for bot_id, one in self._bots.items():
            booked = Counter(fill.fill_id for fill in one.fills)
            trades = self._trades[bot_id]
            by_id = {fill.fill_id: fill for fill in one.fills}
            for trade_id in {*trades, *booked}:
                trade, fill = trades.get(trade_id), by_id.get(trade_id)
                well = (
                    trade is not None
                    and fill is not None
                    and booked[trade_id] == 1
                    and wire_id(bot_id, fill.order_id) == trade.client_id
                    and (fill.price, fill.quantity, fill.side) == (trade.price, trade.quantity, trade.side)
                    and (fill.fee, fill.fee_asset) == (trade.fee, trade.fee_asset)
                )
                if not well:
                    count += 1
                    self._wrong.append(f"{one.row.name}: trade {trade_id}: exchange {trade}, journal {fill}")
        return count

    def doubled(self) -> int:
        """Orders at the exchange beyond one for each intent, or in one place of a bot at one time."""
        count = 0
        accepted = Counter(order.client_id for order in self._at_exchange if bot_of(order.client_id) is not None)
        for client_id, number in accepted.items():
            if number != 1 or client_id not in self._intents:
                count += 1
                known = client_id in self._intents
                self._wrong.append(f"order {client_id}: {number} at the exchange, intended: {known}")
        slots = Counter(
            (bot_of(order.client_id), self._intents[order.client_id].slot)
            for order in self._at_exchange
            if order.is_open and order.client_id in self._intents
        )
        for place, number in slots.items():
            if number != 1:
                count += 1
                self._wrong.append(f"{number} orders rest in {place}")
        return count

    def orphaned(self) -> int:
        """Orders that rest here and not there."""
        resting = {o.client_id: o for o in self._at_exchange if o.is_open and bot_of(o.client_id) is not None}
        thought = {client_id: row for client_id, row in self._intents.items() if row.status in OPEN}
        count = 0
        for client_id in {*resting, *thought}:
            there, here = resting.get(client_id), thought.get(client_id)
            if there is None or here is None or (there.filled, there.value) != (here.filled, here.value):
                count += 1
                self._wrong.append(f"order {client_id}: exchange {there}, journal {here}")
        return count

    def money(self) -> None:
        """What the ledgers have moved is what the wallet has moved."""
        moved: dict[str, Decimal] = defaultdict(Decimal)
        for one in self._bots.values():
            market, ledger = one.row.market, one.state.ledger
            first = first_ledger(one.row, one.state.price or ZERO)
            moved[market.quote] += ledger.quote - first.quote
            moved[market.base] += ledger.base - first.base
        for trade in self._by_hand:
            base, quote = trade.symbol.split("/")
            sign = 1 if trade.side == "buy" else -1
            moved[base] += sign * trade.quantity
            moved[quote] -= sign * trade.quantity * trade.price
            moved[trade.fee_asset] -= trade.fee
        for asset in {*self._wallet, *moved}:
            owned, should = self._wallet.get(asset, ZERO), self._begun.get(asset, ZERO) + moved[asset]
            if owned != should:
                self._wrong.append(f"{asset}: the account owns {owned}, the books say {should}")


class Watch:
    """At every order that arrives: its intent is in the journal already, and no second one bears its id."""

    def __init__(self, stage: Stage, exchange: Exchange, intended: Callable[[str, str], bool]) -> None:
        """`intended`: whether the journal has an order of a bot whose id begins so."""
        self.arrived: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.end = exchange.world.listen(self._hear)
        self._intended = intended

    def _hear(self, news: WorldNews) -> None:
        if not isinstance(news, OrderNews) or news.cause != "new":
            return
        client_id = news.order.client_id
        bot_id = bot_of(client_id)
        if bot_id is None:
            return
        self.arrived[client_id] += 1
        _, nonce, number = client_id.split("-")
        if self.arrived[client_id] > 1:
            self.wrong.append(f"two orders bear the id {client_id}")
        if not self._intended(bot_id, f"{nonce}-{number}-"):
            self.wrong.append(f"order {client_id} arrived and no intent of it is in the journal")


def in_sqlite(database: sqlite3.Connection) -> Callable[[str, str], bool]:
    """`Watch.intended` of a file of SQLite."""
    query = "SELECT 1 FROM orders WHERE bot_id = ? AND id >= ? AND id < ? LIMIT 1"

    def intended(bot_id: str, first: str) -> bool:
        return database.execute(query, (bot_id, first, first + "\x7f")).fetchone() is not None

    return intended
