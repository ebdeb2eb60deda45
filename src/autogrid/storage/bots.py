"""Bots as they are kept: what each is, what is wanted of it and what it does, and what a person asked of it."""

import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.storage import tables
from autogrid.storage.encoding import decode, decode_config, encode, encode_config
from autogrid.trading.market import Market
from autogrid.trading.money import Amount, Price, Quantity
from autogrid.trading.order import OPEN
from autogrid.trading.risk import Limits

Wanted: TypeAlias = Literal["running", "paused", "stopped"]
Actual: TypeAlias = Literal["stopped", "starting", "running", "paused", "stopping", "ended", "error"]
PAPER: Final = "paper"
"""The account of made-up money: its orders trade only while their bot runs."""
AT_REST: Final = frozenset({"stopped", "ended", "error"})
ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


class UnableToFindBot(Exception):
    """No bot is meant, or more than one may be. The sentence says which there are."""

    code = "bot-not-found"


class UnableToCreateBot(Exception):
    """A bot cannot be made so. The sentence says what would work."""

    code = "bot-not-created"


class UnableToDeleteBot(Exception):
    """The bot may still trade. The sentence says what comes first."""

    code = "bot-not-deleted"


class BotRow(NamedTuple):
    """A bot as it is kept."""

    id: str
    name: str
    strategy: str
    config: Mapping[str, str]
    symbol: str
    account: str
    """`paper`, or the name of an account."""
    market: Market
    limits: Limits
    investment: Amount
    """In quote."""
    own_base: Quantity
    """What it takes from the account beside the investment."""
    tape: str | None
    """Path of the candles a paper bot runs on; None: live prices."""
    speed: Decimal | None
    """Candle time per real time; 0: as fast as it goes."""
    exchange: str | None
    """Whose prices it sees, where it runs on live ones."""
    wanted: Wanted
    actual: Actual
    reason: str
    """Why it is as it is, for a person; empty where that is plain."""
    created_ms: int
    changed_ms: int
    price: Price | None
    """The market's, as the bot last heard it."""
    price_ms: int
    """When that was, market time."""


class NewBot(NamedTuple):
    """What a bot is made from; fields as in `BotRow`."""

    name: str
    strategy: str
    config: Mapping[str, str]
    account: str
    market: Market
    limits: Limits
    investment: Amount
    own_base: Quantity
    tape: str | None = None
    speed: Decimal | None = None
    exchange: str | None = None


async def create_bot(connection: AsyncConnection, new: NewBot, now_ms: int) -> BotRow:
    """A new bot, stopped. Raises `UnableToCreateBot` where its name is taken."""
    bot = BotRow(
        id="b" + "".join(secrets.choice(ALPHABET) for _ in range(7)),
        symbol=new.market.symbol,
        wanted="stopped",
        actual="stopped",
        reason="",
        created_ms=now_ms,
        changed_ms=now_ms,
        price=None,
        price_ms=0,
        **new._asdict(),
    )
    texts = {"config": encode_config(bot.config), "market": encode(bot.market), "limits": encode(bot.limits)}
    try:
        async with connection.begin_nested():  # so that the transaction can go on where the name is taken
            await connection.execute(insert(tables.bots).values({**bot._asdict(), **texts, "deleted": False}))
    except IntegrityError as fault:
        raise UnableToCreateBot(f"a bot named '{new.name}' exists already; choose another name") from fault
    return bot


async def list_bots(connection: AsyncConnection) -> list[BotRow]:
    """All bots, oldest first."""
    bots = tables.bots
    rows = await connection.execute(select(bots).where(~bots.c.deleted).order_by(bots.c.created_ms, bots.c.id))
    return [_bot(row) for row in rows.mappings()]


async def begun_on(connection: AsyncConnection, account: str) -> list[str]:
    """The ids of all bots on an account that have run and have not ended, oldest first."""
    bots, snapshots = tables.bots, tables.snapshots
    begun = select(snapshots.c.bot_id).where(snapshots.c.seq == 0)
    meant = (~bots.c.deleted, bots.c.account == account, bots.c.actual != "ended", bots.c.id.in_(begun))
    found = await connection.execute(select(bots.c.id).where(*meant).order_by(bots.c.created_ms, bots.c.id))
    return list(found.scalars())


async def find_bot(connection: AsyncConnection, meant: str) -> BotRow:
    """The bot with that id, that name, or an id that starts so. Raises `UnableToFindBot`."""
    table = tables.bots
    named = select(table).where(~table.c.deleted, (table.c.id == meant) | (table.c.name == meant))
    rows = (await connection.execute(named)).mappings().all()
    if rows:  # the first two are asked for apart: with thousands of bots, reading all of them is dear
        return _bot(next((row for row in rows if row["id"] == meant), rows[0]))
    bots = await list_bots(connection)
    found = [bot for bot in bots if meant and bot.id.startswith(meant)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UnableToFindBot(f"'{meant}' may be {_listed(found)}; write more of the id")
    there = f"there are {_listed(bots)}" if bots else "there are no bots yet"
    raise UnableToFindBot(f"no bot is called '{meant}'; {there}")


async def hold_bot(connection: AsyncConnection, meant: str) -> BotRow:
    """As `find_bot`, and nobody else changes its row until the transaction ends: for what rests on how it is now."""
    found = await find_bot(connection, meant)
    held = select(tables.bots.c.id).where(tables.bots.c.id == found.id).with_for_update(key_share=True)
    await connection.execute(held)
    return await find_bot(connection, found.id)


async def set_wanted(connection: AsyncConnection, bot_id: str, wanted: Wanted, now_ms: int) -> None:
    """What the bot should do from now on."""
    await _change(connection, bot_id, wanted=wanted, changed_ms=now_ms)


async def set_actual(connection: AsyncConnection, bot_id: str, actual: Actual, reason: str, now_ms: int) -> None:
    """What the bot does now, and why."""
    await _change(connection, bot_id, actual=actual, reason=reason, changed_ms=now_ms)


async def set_config(
    connection: AsyncConnection, bot_id: str, config: Mapping[str, str], own_base: Quantity, now_ms: int
) -> None:
    """Another configuration for a bot that never ran; one that did takes it by an `EditAsked` in its journal."""
    await _change(connection, bot_id, config=encode_config(config), own_base=own_base, changed_ms=now_ms)


async def set_price(connection: AsyncConnection, bot_id: str, price: Price, at_ms: int) -> None:
    """The market's price as the bot last heard it: ticks that change nothing are not in its journal."""
    await _change(connection, bot_id, price=price, price_ms=at_ms)


async def delete_bot(connection: AsyncConnection, bot_id: str, now_ms: int) -> None:
    """Take the bot away from sight; what it did is kept. Raises `UnableToDeleteBot` while it may trade."""
    bots, orders = tables.bots, tables.orders
    standing = select(bots.c.account, bots.c.actual).where(bots.c.id == bot_id).with_for_update(key_share=True)
    account, actual = (await connection.execute(standing)).one()
    if actual not in AT_REST:
        raise UnableToDeleteBot(f"bot {bot_id} is {actual}; stop it first")
    living = select(func.count()).where(orders.c.bot_id == bot_id, orders.c.status.in_(sorted(OPEN)))
    count = (await connection.execute(living)).scalar_one()
    if count and account != PAPER:
        raise UnableToDeleteBot(f"{count} orders of bot {bot_id} may still trade; start it, then stop it")
    await _change(connection, bot_id, deleted=True, wanted="stopped", changed_ms=now_ms)


async def _change(connection: AsyncConnection, bot_id: str, **values: object) -> None:
    await connection.execute(update(tables.bots).where(tables.bots.c.id == bot_id).values(**values))


def _listed(bots: list[BotRow]) -> str:
    return ", ".join(f"{bot.id} ({bot.name})" for bot in bots[:10]) + (", …" if len(bots) > 10 else "")


def _bot(row: Mapping[Any, Any]) -> BotRow:
    values = {name: row[name] for name in BotRow._fields}
    return BotRow(
        **{
            **values,
            "config": decode_config(row["config"]),
            "market": decode(Market, row["market"]),
            "limits": decode(Limits, row["limits"]),
        }
    )
