"""The endpoints of orders: create, cancel (one, several, all), and what stands and stood.

Source: Bybit's API document, "Trade". Answers to create and cancel say only that the request was taken; what became
of it is told by the streams and by asking.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple, get_args

from autogrid.simulator.bybit import codes
from autogrid.simulator.bybit.codes import UnableToAnswer
from autogrid.simulator.bybit.figures import Json, asked_order_row, execution_row, market_name, order_status, trade_id
from autogrid.simulator.bybit.requests import (
    DAY_MS,
    Call,
    Place,
    Reply,
    amount,
    only_spot,
    paged,
    span,
    symbol_of,
    word,
)
from autogrid.simulator.bybit.tickets import OrderFilter, Ticket, Tickets, blank
from autogrid.simulator.records import OrderType, SimTrade, UnableToTrade, Wanted
from autogrid.simulator.world import World
from autogrid.trading.money import Price
from autogrid.trading.order import BUY, SELL, Side

MOST_AT_ONCE: Final = 10
"""Orders in one batch on spot."""
EVERY_TRADE: Final = 10**9
RECENT: Final = 500
"""Ended orders that `realtime` still tells."""
LINK_ID: Final = re.compile(r"[A-Za-z0-9_-]{0,36}")
SIDES: Final[dict[str, Side]] = {"Buy": BUY, "Sell": SELL}
LIMIT_TYPES: Final[dict[str, OrderType]] = {"GTC": "limit", "PostOnly": "maker", "IOC": "ioc", "FOK": "fok"}
NOT_SIMULATED: Final = ("takeProfit", "stopLoss", "tpLimitPrice", "slLimitPrice")


class Asked(NamedTuple):
    """An order as it was asked for, read."""

    wanted: Wanted
    order_filter: OrderFilter
    market_unit: str
    time_in_force: str
    trigger: Price | None


def create(tickets: Tickets, call: Call) -> Reply:
    """POST /v5/order/create."""
    only_spot(call.fields)
    return Reply(_named(_create(tickets, call.account, call.fields)))


def create_batch(tickets: Tickets, call: Call) -> Reply:
    """POST /v5/order/create-batch."""
    return _batch(call, lambda fields: _create(tickets, call.account, fields), created=True)


def cancel(tickets: Tickets, call: Call) -> Reply:
    """POST /v5/order/cancel."""
    only_spot(call.fields)
    return Reply(_named(_cancel(tickets, call.account, call.fields)))


def cancel_batch(tickets: Tickets, call: Call) -> Reply:
    """POST /v5/order/cancel-batch."""
    return _batch(call, lambda fields: _cancel(tickets, call.account, fields), created=False)


def cancel_all(tickets: Tickets, call: Call) -> Reply:
    """POST /v5/order/cancel-all: of one market or of all; only plain orders, unless a filter says otherwise."""
    only_spot(call.fields)
    symbol, base = symbol_of(tickets.world, call.fields) or None, word(call.fields, "baseCoin")
    kind = word(call.fields, "orderFilter") or "Order"
    gone = [
        ticket
        for ticket in tickets.of(call.account, symbol)
        if ticket.order.is_open and ticket.order_filter == kind and ticket.order.symbol.startswith(base)
    ]
    for ticket in gone:
        tickets.cancel(ticket)
    return Reply({"list": [_named(ticket) for ticket in gone], "success": "1"})


def amend(tickets: Tickets, call: Call) -> Reply:
    """POST /v5/order/amend: not simulated, so refused."""
    only_spot(call.fields)
    _wanted_ticket(tickets, call.account, call.fields)
    raise UnableToAnswer(codes.NOT_AMENDABLE)


def realtime(tickets: Tickets, call: Call) -> Reply:
    """GET /v5/order/realtime: open orders, newest first; with `openOnly` 1 the latest that ended."""
    only_spot(call.fields)
    ended = word(call.fields, "openOnly") == "1"
    found = [ticket for ticket in _asked_for(tickets, call) if ticket.order.is_open != ended]
    return Reply(paged(found[:RECENT] if ended else found, call.fields, _place, asked_order_row, 20, 50))


def history(tickets: Tickets, call: Call) -> Reply:
    """GET /v5/order/history: ended orders, newest first; those that never traded only for a day."""
    only_spot(call.fields)
    now = tickets.world.now_ms()
    first, last = span(call.fields, now)
    status = word(call.fields, "orderStatus")
    found = [
        ticket
        for ticket in _asked_for(tickets, call)
        if not ticket.order.is_open
        and first <= ticket.made_ms <= last
        and (ticket.order.filled or ticket.order.changed_ms > now - DAY_MS)
        and status in ("", order_status(ticket))
    ]
    return Reply(paged(found, call.fields, _place, asked_order_row, 20, 50))


def executions(tickets: Tickets, call: Call) -> Reply:
    """GET /v5/execution/list: own trades, newest first."""
    only_spot(call.fields)
    world = tickets.world
    first, last = span(call.fields, world.now_ms())
    symbol = symbol_of(world, call.fields) or None
    order_id, link_id = word(call.fields, "orderId"), word(call.fields, "orderLinkId")
    only = tickets.find(call.account, order_id, link_id) if order_id or link_id else None
    trades: list[SimTrade] = []
    if only is not None:
        trades = only.order.trades
    elif not order_id and not link_id:
        trades = world.trades(call.account, symbol, limit=EVERY_TRADE)
    found = sorted(
        (one for one in trades if first <= one.at_ms <= last), key=partial(_trade_place, world), reverse=True
    )

    def row(trade: SimTrade) -> Json:
        return execution_row(world, tickets.with_exchange_id(trade.exchange_id), trade)

    return Reply(paged(found, call.fields, partial(_trade_place, world), row, 50, 100))


# --- within


def _place(ticket: Ticket) -> Place:
    return int(ticket.order_id), 0


def _trade_place(world: World, trade: SimTrade) -> Place:
    return trade.at_ms, int(trade_id(world, trade.symbol, trade.id))


def _create(tickets: Tickets, account: str, fields: Mapping[str, object]) -> Ticket:
    asked = _read(tickets, fields)
    ticket = blank(asked.order_filter, asked.market_unit, asked.time_in_force)
    if asked.order_filter != "StopOrder":
        return tickets.place(account, asked.wanted, ticket)
    world, wanted, trigger = tickets.world, asked.wanted, asked.trigger
    assert trigger is not None
    if trigger % world.markets[wanted.symbol].tick:
        raise UnableToAnswer(*codes.REFUSALS["tick"])
    kind: OrderType = "market" if wanted.type == "market" else "limit"
    try:
        world.check(account, wanted._replace(type=kind))
    except UnableToTrade as error:
        raise codes.refusal(error, wanted.side) from error
    return tickets.wait(account, wanted, ticket, trigger)


def _read(tickets: Tickets, fields: Mapping[str, object]) -> Asked:
    symbol = symbol_of(tickets.world, fields)
    if not symbol:
        raise UnableToAnswer(*codes.REFUSALS["unknown-symbol"])
    side, quantity = SIDES.get(word(fields, "side")), amount(fields, "qty")
    link_id = word(fields, "orderLinkId")
    if side is None:
        raise UnableToAnswer(codes.BAD_SIDE)
    if quantity is None:
        raise UnableToAnswer(codes.EMPTY_FIELD, "Parameter 'qty' was empty.")
    if LINK_ID.fullmatch(link_id) is None:
        raise UnableToAnswer(codes.BAD_REQUEST, "Request parameter error: orderLinkId")
    if fields.get("isLeverage") in (1, "1"):
        raise UnableToAnswer(170344, "Symbol is not supported on Margin Trading.")
    if any(amount(fields, name) is not None for name in NOT_SIMULATED):
        raise UnableToAnswer(170227, "This feature is not supported.")
    order_filter, trigger = _filter_of(fields)
    kind, price, time_in_force = _type_of(fields)
    is_market = kind == "market"
    unit = word(fields, "marketUnit") or ("quoteCoin" if side == BUY else "baseCoin") if is_market else ""
    by_value = unit == "quoteCoin"
    if order_filter == "tpslOrder":
        kind = "stop" if is_market else "stop_limit"
    wanted = Wanted(
        symbol,
        side,
        kind,
        link_id,
        price,
        None if by_value else quantity,
        quantity if by_value else None,
        trigger if order_filter == "tpslOrder" else None,
    )
    return Asked(wanted, order_filter, unit, time_in_force, trigger)


def _type_of(fields: Mapping[str, object]) -> tuple[OrderType, Price | None, str]:
    """The world's type, the limit, and the time in force of a plain order."""
    match word(fields, "orderType"):
        case "Market":
            return "market", None, "IOC"
        case "Limit":
            time_in_force = word(fields, "timeInForce") or "GTC"
            price = amount(fields, "price")
            if time_in_force not in LIMIT_TYPES:
                raise UnableToAnswer(codes.BAD_TIME_IN_FORCE)
            if price is None:
                raise UnableToAnswer(codes.EMPTY_FIELD, "Parameter 'price' was empty.")
            return LIMIT_TYPES[time_in_force], price, time_in_force
        case _:
            raise UnableToAnswer(codes.BAD_TYPE)


def _filter_of(fields: Mapping[str, object]) -> tuple[OrderFilter, Price | None]:
    told, trigger = word(fields, "orderFilter") or "Order", amount(fields, "triggerPrice")
    for known in get_args(OrderFilter):
        if told == known and (told == "Order") == (trigger is None):
            return known, trigger
    raise UnableToAnswer(codes.BAD_FILTER)


def _cancel(tickets: Tickets, account: str, fields: Mapping[str, object]) -> Ticket:
    ticket = _wanted_ticket(tickets, account, fields)
    tickets.cancel(ticket)
    return ticket


def _wanted_ticket(tickets: Tickets, account: str, fields: Mapping[str, object]) -> Ticket:
    """The order that is named. Raises UnableToAnswer where there is none such."""
    symbol = symbol_of(tickets.world, fields)
    order_id, link_id = word(fields, "orderId"), word(fields, "orderLinkId")
    if not symbol or not (order_id or link_id):
        raise UnableToAnswer(codes.BAD_REQUEST, "Request parameter error: symbol, orderId or orderLinkId")
    ticket = tickets.find(account, order_id, link_id)
    if ticket is None or ticket.order.symbol != symbol:
        raise UnableToAnswer(*codes.REFUSALS["unknown-order"])
    return ticket


def _asked_for(tickets: Tickets, call: Call) -> list[Ticket]:
    """The orders that the filters of a request leave, newest first."""
    fields = call.fields
    order_id, link_id = word(fields, "orderId"), word(fields, "orderLinkId")
    if order_id or link_id:
        ticket = tickets.find(call.account, order_id, link_id)
        return [] if ticket is None else [ticket]
    symbol, base = symbol_of(tickets.world, fields) or None, word(fields, "baseCoin")
    kind = word(fields, "orderFilter")
    found = [
        ticket
        for ticket in tickets.of(call.account, symbol)
        if kind in ("", ticket.order_filter) and ticket.order.symbol.startswith(base)
    ]
    return found[::-1]


def _named(ticket: Ticket) -> Json:
    return {"orderId": ticket.order_id, "orderLinkId": ticket.order.client_id}


def _batch(call: Call, act: Callable[[Mapping[str, object]], Ticket], *, created: bool) -> Reply:
    """Each order for itself; the answer tells how each fared."""
    only_spot(call.fields)
    asked = call.fields.get("request")
    if not isinstance(asked, list) or not 1 <= len(asked) <= MOST_AT_ONCE:
        raise UnableToAnswer(codes.BAD_REQUEST, f"Request parameter error: 1 to {MOST_AT_ONCE} orders")
    rows: list[Json] = []
    fared: list[Json] = []
    for one in asked:
        fields: Mapping[str, object] = one if isinstance(one, dict) else {}
        row: Json = {"category": "spot", "symbol": fields.get("symbol", "")}
        try:
            ticket = act(fields)
        except UnableToAnswer as error:
            row |= {"orderId": "", "orderLinkId": fields.get("orderLinkId", "")}
            made = ""
            fared.append({"code": error.ret_code, "msg": str(error)})
        else:
            row |= {"symbol": market_name(ticket.order.symbol)} | _named(ticket)
            made = str(ticket.made_ms)
            fared.append({"code": codes.OK, "msg": codes.WORDS[codes.OK]})
        rows.append(row | ({"createAt": made} if created else {}))
    return Reply({"list": rows}, {"list": fared})
