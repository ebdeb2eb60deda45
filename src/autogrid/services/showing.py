"""What a bot is and did, read from the database: its picture, its reasons, its orders and trades, its replay."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from autogrid.backtesting.result import FillRow
from autogrid.services.picture import Names, Picture, explained, picture_of
from autogrid.storage import orders as kept
from autogrid.storage.bots import BotRow, find_bot, list_bots
from autogrid.storage.database import Database
from autogrid.storage.recall import Loaded, Replayed, load, replay
from autogrid.trading.event import EditAsked
from autogrid.trading.money import text
from autogrid.trading.plan import Cancel
from autogrid.trading.strategies.catalogue import build
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.strategy import View

FILLS_SHOWN = 50


class Shown(NamedTuple):
    """A bot with what it did last."""

    row: BotRow
    picture: Picture | None
    """None: it never ran."""
    notices: tuple[str, ...]
    loaded: Loaded | None


async def show(database: Database, meant: str, fills: int = FILLS_SHOWN) -> Shown:
    """The bot as its journal has it. Raises `UnableToFindBot`, `UnableToReplay`."""
    async with database.reading() as connection:
        row = await find_bot(connection, meant)
        loaded = await load(connection, row.id, build)
        if loaded is None:
            return Shown(row, None, (), None)
        last = await kept.list_fills(connection, row.id, limit=fills)
        notices = await kept.last_notices(connection, row.id)
        orders = await kept.list_orders(connection, row.id, only_open=row.actual != "ended")
    seen = tuple(_seen(fill) for fill in last)
    price = row.price if row.price_ms >= loaded.state.at_ms else None
    names = Names(row.name, row.account)
    picture = picture_of(loaded.bot, loaded.state, seen, price, names, refusals=_refusals(notices))
    picture = explained(picture, {order.id: order.why for order in orders})
    return Shown(row, picture, tuple(notice.text for notice in notices), loaded)


def _refusals(notices: Sequence[kept.Notice]) -> dict[str, str]:
    """By slot, with which words the exchange refused an order last. `notices`: the last first."""
    found: dict[str, str] = {}
    for notice in notices:
        order, refused, words = notice.text.removeprefix("order ").partition(" refused by the exchange: ")
        if refused:
            found.setdefault(order.split("-", 2)[-1], words)
    return found


def _seen(fill: kept.FillRow) -> FillRow:
    return FillRow(*(getattr(fill, name) for name in FillRow.__dataclass_fields__))


async def check(database: Database, meant: str) -> tuple[BotRow, Replayed]:
    """Decide every step of the bot again. Raises `UnableToFindBot`."""
    async with database.reading() as connection:
        row = await find_bot(connection, meant)
        return row, await replay(connection, row.id, build)


async def edit_preview(database: Database, meant: str, config: Mapping[str, str]) -> str:
    """What an edit would do to the resting orders, in words. Raises `UnableToFindBot`, `UnableToEdit` as refusal."""
    if not config:
        raise UnableToConfigure("set", "nothing to change; give --set key=value")
    async with database.reading() as connection:
        row = await find_bot(connection, meant)
        loaded = await load(connection, row.id, build)
    if row.actual == "ended":
        raise UnableToConfigure("bot", f"{row.name} has ended ({row.reason}); create a new one")
    if loaded is None:
        build(row.strategy, {**row.config, **config}, row.market, row.investment)
        return f"{row.name} never ran: it will start with the new configuration."
    state = loaded.state
    step = loaded.bot.step(state, EditAsked(state.at_ms, dict(config)))
    if step.note.startswith("edit refused"):
        raise UnableToConfigure("set", step.note)
    after = step.state
    cancelled = {command.order_id for command in step.commands if isinstance(command, Cancel)}
    kept_orders = sum(order.id not in cancelled for order in state.standing.values())
    view = View(state.at_ms, state.price or Decimal(0), row.market, after.ledger, standing=after.standing)
    wanted = after.strategy.targets(after.memory, view).targets
    lines = [f"Orders kept: {kept_orders}, cancelled: {len(cancelled)}, placed: {len(wanted) - kept_orders}"]
    lines += [
        f"  cancel {order.side} {text(order.quantity)} at {text(order.price)}"
        for order in state.standing.values()
        if order.id in cancelled
    ]
    lines += [
        f"  place  {target.side} {text(target.quantity)} at {text(target.price)}"
        for slot, target in wanted.items()
        if slot not in state.standing or state.standing[slot].id in cancelled
    ]
    return "\n".join(lines)


async def bots(database: Database) -> list[BotRow]:
    """All bots, oldest first."""
    async with database.reading() as connection:
        return await list_bots(connection)


async def orders_of(database: Database, meant: str | None, *, only_open: bool) -> list[tuple[BotRow, kept.OrderRow]]:
    """Orders of one bot or of all, those placed last first. Raises `UnableToFindBot`."""
    async with database.reading() as connection:
        rows = [await find_bot(connection, meant)] if meant else await list_bots(connection)
        if only_open:  # what an ended paper bot had out went with it
            rows = [row for row in rows if row.actual != "ended"]
        return [
            (row, order) for row in rows for order in await kept.list_orders(connection, row.id, only_open=only_open)
        ]


async def trades_of(database: Database, meant: str | None) -> list[tuple[BotRow, kept.FillRow]]:
    """Fills of one bot or of all, oldest first. Raises `UnableToFindBot`."""
    async with database.reading() as connection:
        rows = [await find_bot(connection, meant)] if meant else await list_bots(connection)
        return [(row, fill) for row in rows for fill in await kept.list_fills(connection, row.id, oldest_first=True)]


def order_json(row: BotRow, order: kept.OrderRow) -> dict[str, object]:
    """An order as JSON; money as text."""
    return {"bot": row.id, **{name: _plain(value) for name, value in order._asdict().items()}}


def trade_json(row: BotRow, fill: kept.FillRow) -> dict[str, object]:
    """A fill as JSON; money as text."""
    return {"bot": row.id, "symbol": row.symbol, **{name: _plain(value) for name, value in fill._asdict().items()}}


def _plain(value: object) -> object:
    return text(value) if isinstance(value, Decimal) else value
