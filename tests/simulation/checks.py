"""What must hold: at every step of a run, and whenever the faults have stopped and some time has passed.

The checks read the exchange's own records and what is committed in the database, and believe nothing else.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

from autogrid.engine.venue import Intent
from autogrid.engine.wire_ids import bot_of, wire_id
from autogrid.simulator.records import CreditNews, OrderNews, SimTrade, WorldNews
from autogrid.storage.database import Database
from autogrid.storage.recall import Loaded, load, replay
from autogrid.trading.event import Tick
from autogrid.trading.money import ZERO, text
from autogrid.trading.order import OPEN
from autogrid.trading.strategies.catalogue import build
from tests.simulation.clock import Host
from tests.simulation.exchange_side import ExchangeSide
from tests.simulation.leasing import Leasing

KILL_MS = 1_000
ENDS = ("Cancelled", "Rejected", "Expired", "Missing")
HEARD_MS = 30_000
"""What a bot should have done by a clock it may do at the next price, which comes within this."""
LATELY_MS = 20_000
"""So long the trades of an order that has just left may take to be told."""
SHORT = 100_000
"""Steps up to which a journal is decided again from the first."""


class Checks:
    """The invariants of one run."""

    def __init__(self, side: ExchangeSide, path: Path, wrong: "Wrong") -> None:
        self._side = side
        self._wrong = wrong
        self._file = sqlite3.connect(path, isolation_level=None)
        self.bots: dict[str, tuple[str, str]] = {}
        """Account and symbol by bot."""
        self._arrived: dict[str, None] = {}
        self._accepted: dict[str, str] = {}
        self._trades: dict[str, dict[str, SimTrade]] = defaultdict(dict)
        self.outside: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        """What each account owns of an asset beside its bots' ledgers."""
        self.killed_ms: dict[str, int] = {}
        self.orders = self.fills = self.made = self._steps = 0
        side.heard.append(self.hear)

    def close(self) -> None:
        self._file.close()

    # --- at every step ------------------------------------------------------------------------------------------

    def leaves(self, account: str, intent: Intent, *, excused: bool) -> None:
        """An order is handed to the wire."""
        bot_id = bot_of(intent.client_id)
        killed_ms = self.killed_ms.get(bot_id or "")
        if killed_ms is not None and self._side.now_ms() > killed_ms + KILL_MS and not excused:
            self._wrong(f"order {intent.client_id} left {self._side.now_ms() - killed_ms} ms after the kill")
        if self._status(intent.client_id) is None:
            self._wrong(f"order {intent.client_id} leaves and no intent of it is in the journal")

    def arrives(self, account: str, epoch: int, newest: int, intent: Intent) -> None:
        """An order reaches the exchange within its window."""
        if epoch < newest:
            self._wrong(f"order {intent.client_id} of epoch {epoch} arrived on {account} at epoch {newest}")
        if intent.client_id in self._arrived:
            self._wrong(f"order {intent.client_id} arrived twice")
        if (status := self._status(intent.client_id)) not in OPEN:
            self._wrong(f"order {intent.client_id} arrived when the journal had it {status} already")
        self._arrived[intent.client_id] = None

    def cancels(self, account: str, client_id: str) -> None:
        """A cancel reaches the exchange."""
        bot_id = bot_of(client_id)
        if bot_id is None or self.bots.get(bot_id, ("", ""))[0] != account:
            self._wrong(f"order {client_id} on {account} is not ours and was cancelled")

    def hear(self, news: WorldNews) -> None:
        """What the exchange does."""
        if isinstance(news, CreditNews):
            self.outside[news.account, news.asset] += news.amount
        if not isinstance(news, OrderNews):
            return
        order, bot_id = news.order, bot_of(news.order.client_id)
        ours = bot_id in self.bots
        if news.cause == "new" and ours:
            self.orders += 1
            if order.client_id in self._accepted:
                self._wrong(f"two orders at the exchange bear the id {order.client_id}")
            self._accepted[order.client_id] = str(order.exchange_id)
        if (trade := news.trade) is None:
            return
        if ours and bot_id is not None:
            self.fills += 1
            self._trades[bot_id][str(trade.id)] = trade
            if trade.fee_asset not in order.symbol.split("/"):
                self.outside[order.account, trade.fee_asset] -= trade.fee
        else:
            for asset, change in _changes(trade).items():
                self.outside[order.account, asset] += change

    def committed(self, host: Host, leasing: Leasing) -> None:
        """A transaction of the process is durable: it wrote no step of a bot on an account that is another's."""
        steps = "SELECT rowid, bot_id, kind, event FROM steps WHERE rowid > ?"
        for number, bot_id, kind, event in self._file.execute(steps, (self._steps,)).fetchall():
            self._steps = number
            account, symbol = self.bots[bot_id]
            if leasing.holder(account) is not host:
                self._wrong(f"{host.name} kept a step of {bot_id}, whose account is another's")
            if kind in ENDS:
                client_id = wire_id(bot_id, json.loads(event)["order_id"])
                order = self._side.world.find(account, symbol, client_id=client_id)
                if order is not None and order.is_open:
                    self._wrong(f"order {client_id} was told to be at its end ({kind}) and is open")

    def _status(self, client_id: str) -> str | None:
        """What the journal has an order for; None where it does not know it."""
        bot_id, nonce, number = client_id.split("-")
        first = f"{nonce}-{number}-"
        row = self._file.execute(
            "SELECT status FROM orders WHERE bot_id = ? AND id >= ? AND id < ? LIMIT 1", (bot_id, first, first + "\x7f")
        ).fetchone()
        return None if row is None else str(row[0])

    def awaits_answer(self) -> bool:
        """Whether an order has just left, such as one that is tried again, or due, in its time."""
        count = "SELECT count(*) FROM orders WHERE status IN ('intended', 'sending', 'unclear') OR changed_ms > ?"
        return bool(self._file.execute(count, (self._side.now_ms() - LATELY_MS,)).fetchone()[0])

    # --- when all is quiet --------------------------------------------------------------------------------------

    async def all(self, database: Database, ended: Mapping[str, str], *, whole: bool) -> None:
        """Everything. `whole`: the journals are decided again from their first step."""
        self.made += 1
        loads: dict[str, Loaded] = {}
        for bot_id in self.bots:
            async with database.reading() as connection:
                loaded = await load(connection, bot_id, build)
                if loaded is None:
                    self._wrong(f"bot {bot_id} has not begun")
                    continue
                loads[bot_id] = loaded
                if whole:
                    replayed = await replay(connection, bot_id, build)
                    if replayed.difference is not None:
                        self._wrong(f"the journal of {bot_id} comes out otherwise: {replayed.difference}")
            self._orders_of(loaded)
            self._fills_of(loaded)
            if bot_id not in ended:
                self._is_free(loaded)
        self._funds(loads.values())

    def _orders_of(self, loaded: Loaded) -> None:
        """Orders at the exchange are those of the journal, each once, with what they traded."""
        bot_id, world = loaded.row.id, self._side.world
        account, symbol = self.bots[bot_id]
        rows = self._file.execute("SELECT id, status, filled FROM orders WHERE bot_id = ?", (bot_id,)).fetchall()
        kept = {wire_id(bot_id, one[0]): (one[1], Decimal(one[2])) for one in rows}
        there = {o.client_id: o for o in world.orders(account, symbol) if bot_of(o.client_id) == bot_id}
        for client_id, order in there.items():
            if client_id not in kept:
                self._wrong(f"order {client_id} is at the exchange and not in the journal")
                continue
            status, filled = kept[client_id]
            if order.is_open and status not in OPEN:
                self._wrong(f"order {client_id} rests at the exchange; the journal has it {status}")
            if not order.is_open and status in OPEN:
                self._wrong(f"order {client_id} has {order.status} at the exchange; the journal has it {status}")
            if filled != order.filled:
                self._wrong(f"order {client_id} traded {text(order.filled)}; the journal has {text(filled)}")
            if status == "absent":
                self._wrong(f"order {client_id} is {order.status} at the exchange and given up for absent")
        for client_id, (status, _) in kept.items():
            if client_id not in there and status not in ("absent", "rejected", "cancelled"):
                self._wrong(f"order {client_id} is {status} in the journal and unknown to the exchange")

    def _fills_of(self, loaded: Loaded) -> None:
        """Every trade of its orders is booked, once and as it was."""
        bot_id = loaded.row.id
        rows = self._file.execute(
            "SELECT fill_id, order_id, price, quantity, fee, fee_asset FROM fills WHERE bot_id = ?", (bot_id,)
        ).fetchall()
        booked: dict[str, tuple[str, Decimal, Decimal, Decimal, str]] = {}
        for fill_id, order_id, price, quantity, fee, asset in rows:
            if fill_id in booked:
                self._wrong(f"fill {fill_id} of {bot_id} is booked twice")
            booked[fill_id] = wire_id(bot_id, order_id), Decimal(price), Decimal(quantity), Decimal(fee), asset
        for trade_id, trade in self._trades[bot_id].items():
            found = booked.pop(trade_id, None)
            was = (trade.client_id, trade.price, trade.quantity, trade.fee, trade.fee_asset)
            if found is None:
                self._wrong(f"trade {trade_id} of {trade.client_id} is not booked")
            elif found != was:
                self._wrong(f"trade {trade_id} was {was} and is booked as {found}")
        for fill_id in booked:
            self._wrong(f"fill {fill_id} of {bot_id} is booked and was never traded")

    def _is_free(self, loaded: Loaded) -> None:
        """The bot's orders rest, and it wants nothing else."""
        row, bot, state = loaded.row, loaded.bot, loaded.state
        for order in state.standing.values():
            if order.status not in ("working", "partial") or order.cancel_asked:
                asked = ", to be taken out" if order.cancel_asked else ""
                self._wrong(f"order {wire_id(row.id, order.id)} is still {order.status}{asked}")
        price = self._side.world.price(row.symbol)
        assert price is not None
        if state.holds.silent:
            self._wrong(f"bot {row.id} still takes the market for silent")
            return
        step = bot.step(state, Tick(max(state.at_ms, self._side.now_ms() - HEARD_MS), price))
        if step.commands:
            self._wrong(f"bot {row.id} wants something else: {step.commands}")

    def _funds(self, loads: Iterable[Loaded]) -> None:
        """What the bots own and what is nobody's make up what the account owns, to the last unit."""
        owned: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        funded: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row, _, state, _, _ in loads:
            owned[row.account, row.market.quote] += state.ledger.quote
            owned[row.account, row.market.base] += state.ledger.base
            funded[row.account, row.market.quote] += state.ledger.funded_quote - row.investment
        for account in self._side.world.accounts():
            for asset, (free, held) in self._side.world.wallet(account).items():
                ours, rest = owned[account, asset], self.outside[account, asset] - funded[account, asset]
                if ours + rest != free + held:
                    self._wrong(
                        f"{account} owns {text(free + held)} {asset}; the books say {text(ours)}, beside them are "
                        f"{text(rest)}: {text(free + held - ours - rest)} is not accounted for"
                    )


class Wrong:
    """Collects what was found wrong; a Protocol would do, but this is the only one."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def __call__(self, what: str) -> None:
        if len(self.found) < SHORT:
            self.found.append(what)


def _changes(trade: SimTrade) -> dict[str, Decimal]:
    """What a trade changes of what its account owns."""
    base, quote = trade.symbol.split("/")
    sign = 1 if trade.side == "buy" else -1
    changes = {base: sign * trade.quantity, quote: -sign * trade.price * trade.quantity}
    changes[trade.fee_asset] = changes.get(trade.fee_asset, ZERO) - trade.fee
    return changes
