"""What an exchange has on record against what AutoGrid believes: every way in which the two may differ, in words.

Only the exchange's own records and the database are read. Empty where nothing differs.
"""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

from autogrid.engine.wire_ids import bot_of, wire_id
from autogrid.simulator.records import SimOrder, SimTrade
from autogrid.simulator.world import World
from autogrid.storage.bots import list_bots
from autogrid.storage.database import Database
from autogrid.storage.orders import FillRow, OrderRow, list_fills, list_orders
from autogrid.storage.recall import Loaded, load, replay
from autogrid.trading.money import ZERO, text
from autogrid.trading.order import OPEN
from autogrid.trading.strategies.catalogue import build

NEVER_THERE = ("absent", "rejected", "cancelled")
"""How an intent may have ended that the exchange never saw: not sent, refused, taken back in time."""


async def differences(
    world: World, owner: str, database: Database, funds: Mapping[str, Decimal], *, replayed: bool = True
) -> list[str]:
    """`funds`: what the account owned before any bot began, with what was credited since."""
    found: list[str] = []
    loads: list[Loaded] = []
    async with database.reading() as connection:
        for row in await list_bots(connection):
            loaded = await load(connection, row.id, build)
            if loaded is None:
                found.append(f"{row.name} has not begun")
                continue
            loads.append(loaded)
            orders = await list_orders(connection, row.id)
            fills = await list_fills(connection, row.id)
            found += orders_differ(row.id, orders, world.orders(owner, row.symbol))
            found += fills_differ(row.id, fills, world.trades(owner, row.symbol, limit=10**9))
            found += _restless(loaded)
            if replayed and (difference := (await replay(connection, row.id, build)).difference) is not None:
                found.append(f"{row.name}: step {difference.seq} of its journal comes out differently: {difference}")
    ours = {loaded.row.id for loaded in loads}
    for order in world.open_orders(owner):
        if bot_of(order.client_id) is not None and bot_of(order.client_id) not in ours:
            found.append(f"order {order.client_id} rests and belongs to no bot")
    return found + _money(world, owner, loads, funds)


def name_of(order: SimOrder) -> str:
    """The client id of an order as AutoGrid has it: the two orders of a list are one order to us."""
    return order.client_id.removesuffix("_a").removesuffix("_b")


def orders_differ(bot_id: str, kept: list[OrderRow], there: list[SimOrder]) -> list[str]:
    """Intents of a bot against its orders at the exchange."""
    found = []
    theirs = [order for order in there if bot_of(order.client_id) == bot_id]
    for client_id, count in Counter(order.client_id for order in theirs).items():
        if count > 1:
            found.append(f"the exchange has {count} orders {client_id}")
    known = {wire_id(bot_id, row.id): row for row in kept}
    for order in theirs:
        row = known.get(order.client_id)
        if row is None:
            found.append(f"order {order.client_id} is at the exchange and in no journal")
        elif order.is_open != (row.status in OPEN):
            found.append(f"order {order.client_id} is {order.status} at the exchange and {row.status} in the journal")
        elif (order.filled, order.value) != (row.filled, row.value):
            found.append(f"order {order.client_id} traded {order.filled} there; the journal has {row.filled}")
        elif (order.side, order.quantity) != (row.side, row.quantity):
            found.append(
                f"order {order.client_id} is {order.side} {order.quantity} there and {row.side} {row.quantity}"
            )
        elif row.status == "absent":
            found.append(f"order {order.client_id} is {order.status} there and given up for absent")
    names = {order.client_id for order in theirs}
    for client_id, row in known.items():
        if client_id not in names and row.status not in NEVER_THERE:
            found.append(f"order {client_id} is {row.status} in the journal and was never at the exchange")
    return found


def fills_differ(bot_id: str, kept: list[FillRow], there: list[SimTrade]) -> list[str]:
    """Booked fills of a bot against its trades at the exchange."""
    twice = [f"fill {name} is booked {n} times" for name, n in Counter(one.fill_id for one in kept).items() if n > 1]
    booked = Counter(
        (wire_id(bot_id, one.order_id), one.price, one.quantity, one.fee, one.fee_asset, one.maker) for one in kept
    )
    traded = Counter(  # without the trade's id: each protocol has its own form of it
        (one.client_id, one.price, one.quantity, one.fee, one.fee_asset, one.maker)
        for one in there
        if bot_of(one.client_id) == bot_id
    )
    missing = [f"trade {one} is not booked" for one in (traded - booked)]
    return twice + missing + [f"fill {one} was booked and not traded so" for one in (booked - traded)]


def _restless(loaded: Loaded) -> list[str]:
    """Orders that are still on their way somewhere."""
    return [
        f"order {order.id} of {loaded.row.name} is still {order.status}"
        for order in loaded.state.standing.values()
        if order.status not in ("working", "partial")
    ]


def _money(world: World, owner: str, loads: list[Loaded], funds: Mapping[str, Decimal]) -> list[str]:
    """What the bots' ledgers say and what no bot was given make up the wallet, to the last unit."""
    should = dict(funds)
    for row, _, state, _, _ in loads:
        for asset, now, given in (
            (row.market.quote, state.ledger.quote, state.ledger.funded_quote),
            (row.market.base, state.ledger.base, state.ledger.funded_base),
        ):
            should[asset] = should.get(asset, ZERO) + now - given
    for trade in world.trades(owner, limit=10**9):
        if trade.fee_asset not in trade.symbol.split("/"):
            should[trade.fee_asset] = should.get(trade.fee_asset, ZERO) - trade.fee
    return [
        f"the wallet has {text(there.free + there.held)} {asset}; ledgers and the rest make {text(should[asset])}"
        for asset, there in world.wallet(owner).items()
        if there.free + there.held != should[asset]
    ]
