"""A bot as a person looks at it: one frozen view, from which the terminal, `bot show` and the page are drawn.

Pure: it is made from what the bot knows and the last price, and works out no more than sums. Money is in the quote
asset where no other is named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from autogrid.backtesting.result import FillRow
from autogrid.backtesting.run import hold_quantity
from autogrid.services.picture_reasons import NO_WORDS, cells_of, reasons_of, state_of
from autogrid.services.picture_words import ORDERS
from autogrid.trading.bot import Bot
from autogrid.trading.event import Filled
from autogrid.trading.money import ONE, ZERO, Amount, Price, Quantity, Share, text
from autogrid.trading.order import Order, Side
from autogrid.trading.state import BotState, Step, find
from autogrid.trading.strategies.grid.memory import Cell, Phase


class Names(NamedTuple):
    """What people call the bot and the account it trades on."""

    bot: str
    account: str = "paper"


class OrderSeen(NamedTuple):
    """An order that has not ended."""

    id: str
    slot: str
    side: Side
    price: Price
    quantity: Quantity
    """Of base, all of it."""
    filled: Quantity
    """Of that, traded so far."""
    status: str
    words: str
    """The status, in words."""
    why: str = ""
    """Why it was placed, with values, where that is known."""


class Rung(NamedTuple):
    """One cell of the ladder."""

    name: str
    floor: Price
    roof: Price
    phase: Phase
    trips: int
    """Round trips it has made."""
    order: OrderSeen | None
    place: Literal["above", "here", "below"]
    """Where the cell lies as seen from the price; a price on a line lies in the cell below it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A bot at one moment."""

    names: Names
    strategy: str
    base_asset: str
    quote_asset: str
    at_ms: int
    price: Price | None
    start_price: Price | None
    move: Share | None
    """Of the price since the start; None before it."""
    state: str
    """As in `picture_words.STATES`."""
    state_words: str
    investment: Amount
    quote: Amount
    base: Quantity
    equity: Amount
    total_profit: Amount
    grid_profit: Amount
    """Of what was bought and sold again, whatever the strategy."""
    trend_profit: Amount
    """Total less grid: what the coins still held gained or lost."""
    hold_profit: Amount
    """What simply holding since the start would have made."""
    round_trips: int
    fees: Mapping[str, Amount]
    """By asset, each in its own unit."""
    rungs: tuple[Rung, ...]
    """From the top; none where the strategy has no cells."""
    orders: tuple[OrderSeen, ...]
    """From the highest price down."""
    fills: tuple[FillRow, ...]
    """The last ones, newest first."""
    reasons: tuple[str, ...]
    """Why there is no order at a line; of a strategy without lines, what it waits for."""

    @property
    def symbol(self) -> str:
        """Such as BTC/USDT."""
        return f"{self.base_asset}/{self.quote_asset}"


def picture_of(
    bot: Bot,
    state: BotState,
    fills: Sequence[FillRow],
    price: Price | None,
    names: Names,
    at_ms: int | None = None,
    refusals: Mapping[str, str] = NO_WORDS,
) -> Picture:
    """The bot in `state` at `price` (None: the last it heard). `fills` newest first; `at_ms`: now, UTC. `refusals`: by
    slot, with which words the exchange refused an order last.
    """
    price = state.price if price is None else price
    at_ms = state.at_ms if at_ms is None else at_ms
    market, ledger, tally = bot.market, state.ledger, state.strategy.tally(state.memory)
    start_price = state.strategy.start_price(state.memory)
    total = ZERO if price is None else ledger.profit(price)
    name, sentence = state_of(bot, state, price, at_ms)
    return Picture(
        names=names,
        strategy=state.strategy.name,
        base_asset=market.base,
        quote_asset=market.quote,
        at_ms=at_ms,
        price=price,
        start_price=start_price,
        move=price / start_price - ONE if price is not None and start_price else None,
        state=name,
        state_words=sentence,
        investment=bot.limits.investment,
        quote=ledger.quote,
        base=ledger.base,
        equity=ledger.quote if price is None else ledger.equity(price),
        total_profit=total,
        grid_profit=tally.profit,
        trend_profit=total - tally.profit,
        hold_profit=_hold(bot, state, start_price, price),
        round_trips=tally.round_trips,
        fees=ledger.fees(market),
        rungs=tuple(_rung(cell, state, price) for cell in cells_of(state)),
        orders=tuple(sorted(map(_seen, state.standing.values()), key=lambda order: -order.price)),
        fills=tuple(fills),
        reasons=reasons_of(bot, state, price, at_ms, refusals),
    )


def fill_of(before: BotState, step: Step) -> FillRow | None:
    """The fill that `step` booked, with the profit of the round trip it closed; None where it booked none."""
    fill, state = step.event, step.state
    if not isinstance(fill, Filled) or state.ledger is before.ledger:
        return None
    order = find(state, fill.order_id) or find(before, fill.order_id)
    if order is None:
        return None
    then, now = before.strategy.tally(before.memory), state.strategy.tally(state.memory)
    return FillRow(
        at_ms=fill.at_ms,
        side=order.side,
        price=fill.price,
        quantity=fill.quantity,
        fee=fill.fee,
        fee_asset=fill.fee_asset,
        slot=order.slot,
        profit=now.profit - then.profit if now.round_trips > then.round_trips else None,
    )


def explained(picture: Picture, whys: Mapping[str, str]) -> Picture:
    """`picture` with the reason of each order; `whys` by the order's id, as they were kept when it was placed."""
    return replace(picture, orders=tuple(order._replace(why=whys.get(order.id, "")) for order in picture.orders))


def to_json(picture: Picture) -> dict[str, object]:
    """The picture as `bot show --json` gives it; money as text."""
    return {
        "name": picture.names.bot,
        "account": picture.names.account,
        "strategy": picture.strategy,
        "symbol": picture.symbol,
        "state": picture.state,
        "state_text": picture.state_words,
        "price": None if picture.price is None else text(picture.price),
        "start_price": None if picture.start_price is None else text(picture.start_price),
        "investment": text(picture.investment),
        "base": text(picture.base),
        "quote": text(picture.quote),
        "equity": text(picture.equity),
        "total_profit": text(picture.total_profit),
        "grid_profit": text(picture.grid_profit),
        "trend_profit": text(picture.trend_profit),
        "hold_profit": text(picture.hold_profit),
        "round_trips": picture.round_trips,
        "fees": {asset: text(fee) for asset, fee in picture.fees.items()},
        "cells": [_rung_json(rung) for rung in picture.rungs],
        "orders": [_order_json(order) for order in picture.orders],
        "fills": [_fill_json(fill) for fill in picture.fills],
        "reasons": list(picture.reasons),
    }


def _hold(bot: Bot, state: BotState, start: Price | None, price: Price | None) -> Amount:
    if start is None or price is None:
        return ZERO
    investment = bot.limits.investment
    bought = hold_quantity(investment, start, bot.market) * price - investment
    return bought + state.ledger.funded_base * (price - start)


def _rung(cell: Cell, state: BotState, price: Price | None) -> Rung:
    order = state.standing.get(cell.buy_slot) or state.standing.get(cell.sell_slot)
    place: Literal["above", "here", "below"] = "here"
    if price is None or price <= cell.floor:
        place = "above"
    elif price > cell.roof:
        place = "below"
    seen = _seen(order) if order else None
    return Rung(cell.name, cell.floor, cell.roof, cell.phase, cell.cycle, seen, place)


def _seen(order: Order) -> OrderSeen:
    status = order.status
    return OrderSeen(
        order.id,
        order.slot,
        order.side,
        order.price,
        order.quantity,
        order.filled,
        status,
        ORDERS.get(status, status),
    )


def _rung_json(rung: Rung) -> dict[str, object]:
    return {
        "floor": text(rung.floor),
        "roof": text(rung.roof),
        "phase": rung.phase,
        "round_trips": rung.trips,
        "order": None if rung.order is None else rung.order.id,
        "price_is": {"above": "below", "below": "above", "here": "inside"}[rung.place],
    }


def _order_json(order: OrderSeen) -> dict[str, object]:
    return {
        "id": order.id,
        "slot": order.slot,
        "side": order.side,
        "price": text(order.price),
        "quantity": text(order.quantity),
        "filled": text(order.filled),
        "status": order.status,
        "why": order.why,
    }


def _fill_json(fill: FillRow) -> dict[str, object]:
    at = datetime.fromtimestamp(fill.at_ms / 1000, UTC)
    return {
        "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "side": fill.side,
        "price": text(fill.price),
        "quantity": text(fill.quantity),
        "fee": text(fill.fee),
        "fee_asset": fill.fee_asset,
        "slot": fill.slot,
        "profit": None if fill.profit is None else text(fill.profit),
        "why": fill.why,
    }
