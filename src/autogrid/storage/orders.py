"""A bot's orders, fills and notices, as they are shown."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Column, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from autogrid.storage import tables
from autogrid.trading.money import Amount, Price, Quantity
from autogrid.trading.order import OPEN, Kind, Side, Status


class OrderRow(NamedTuple):
    """An order as its last step left it."""

    id: str
    slot: str
    side: Side
    kind: Kind
    price: Price
    quantity: Quantity
    filled: Quantity
    value: Amount
    """Quote traded so far, without fees."""
    fee_base: Quantity
    fee_quote: Amount
    fee_value: Amount
    """In quote, of fees in a third asset."""
    status: Status
    placed_seq: int
    """The step that decided it."""
    placed_ms: int
    changed_ms: int
    why: str
    """Why it was placed, with values, where the strategy said so."""
    trigger: Price | None = None
    """Of a protective stop: the price at which it sells."""


class FillRow(NamedTuple):
    """A fill that was booked."""

    seq: int
    """The step that booked it."""
    order_id: str
    fill_id: str
    at_ms: int
    slot: str
    side: Side
    price: Price
    quantity: Quantity
    fee: Amount
    """Of `fee_asset`."""
    fee_asset: str
    fee_value: Amount
    """In quote, of a fee in a third asset."""
    maker: bool
    profit: Decimal | None
    """Of the round trip it closed, in quote, after fees."""
    why: str
    """Why its order was placed."""


class Notice(NamedTuple):
    """What a person should know of a step."""

    seq: int
    at_ms: int
    text: str


async def list_orders(
    connection: AsyncConnection, bot_id: str, *, only_open: bool = False, limit: int | None = None, offset: int = 0
) -> list[OrderRow]:
    """The bot's orders, those placed last first."""
    orders = tables.orders
    query = select(*_columns(orders.c, OrderRow._fields)).where(orders.c.bot_id == bot_id)
    if only_open:
        query = query.where(orders.c.status.in_(sorted(OPEN)))
    query = query.order_by(orders.c.placed_seq.desc(), orders.c.id).limit(limit).offset(offset)
    return [OrderRow(*row) for row in await connection.execute(query)]


async def owner_of(connection: AsyncConnection, account: str, symbol: str, exchange_id: str) -> tuple[str, str] | None:
    """The bot and the id of the order that the exchange calls so, of several the newest (a testnet begins anew now and
    then); None where no bot on the account knows one.
    """
    bots, orders = tables.bots, tables.orders
    query = select(orders.c.bot_id, orders.c.id).join_from(orders, bots)
    meant = (orders.c.exchange_id == exchange_id, orders.c.exchange_id != "")
    its = query.where(*meant, bots.c.account == account, bots.c.symbol == symbol)
    found = await connection.execute(its.order_by(orders.c.placed_ms.desc()).limit(1))
    row = found.first()
    return None if row is None else (row[0], row[1])


async def list_fills(
    connection: AsyncConnection, bot_id: str, *, limit: int | None = None, offset: int = 0, oldest_first: bool = False
) -> list[FillRow]:
    """The bot's fills, the last first."""
    fills, orders = tables.fills, tables.orders
    order = fills.c.seq if oldest_first else fills.c.seq.desc()
    columns = (*_columns(fills.c, FillRow._fields[:-1]), func.coalesce(orders.c.why, ""))
    its_order = (orders.c.bot_id == fills.c.bot_id) & (orders.c.id == fills.c.order_id)
    query = select(*columns).outerjoin(orders, its_order).where(fills.c.bot_id == bot_id)
    return [FillRow(*row) for row in await connection.execute(query.order_by(order).limit(limit).offset(offset))]


async def count_fills(connection: AsyncConnection, bot_id: str) -> int:
    """How many fills were booked."""
    query = select(func.count()).where(tables.fills.c.bot_id == bot_id)
    return int((await connection.execute(query)).scalar_one())


async def last_notices(connection: AsyncConnection, bot_id: str, *, limit: int = 20) -> list[Notice]:
    """What a person should know of the bot, the last first."""
    notices = tables.notices
    query = select(*_columns(notices.c, Notice._fields)).where(notices.c.bot_id == bot_id)
    return [Notice(*row) for row in await connection.execute(query.order_by(notices.c.seq.desc()).limit(limit))]


def _columns(columns: ReadOnlyColumnCollection[str, Column[Any]], names: Iterable[str]) -> list[Column[Any]]:
    return [columns[name] for name in names]
