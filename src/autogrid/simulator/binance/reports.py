"""The events of the user data stream, with every field that production sends."""

from autogrid.simulator.binance.shapes import working_ms
from autogrid.simulator.binance.venue import Venue
from autogrid.simulator.binance.wire import STATUSES, STP, TYPES, figure, wire_symbol
from autogrid.simulator.records import CreditNews, OrderNews, SimList, WalletNews
from autogrid.trading.money import ZERO

CAUSES = {
    "new": "NEW",
    "triggered": "NEW",
    "trade": "TRADE",
    "cancelled": "CANCELED",
    "expired": "EXPIRED",
    "rejected": "REJECTED",
}


def execution_report(news: OrderNews, venue: Venue, execution_id: int) -> dict[str, object]:
    """An order changed."""
    order, trade = news.order, news.trade
    kind, force = TYPES[order.type]
    gone = news.cause == "cancelled"
    resting = order.is_open and not order.waiting
    event: dict[str, object] = {
        "e": "executionReport",
        "E": venue.world.now_ms(),
        "s": wire_symbol(order.symbol),
        "c": venue.cancel_name(order.key) if gone else order.client_id,
        "S": order.side.upper(),
        "o": kind,
        "f": force,
        "q": figure(order.quantity),
        "p": figure(order.price),
        "P": figure(order.trigger or ZERO),
        "F": figure(ZERO),
        "g": -1 if order.list_id is None else order.list_id,
        "C": order.client_id if gone else "",
        "x": CAUSES[news.cause],
        "X": STATUSES[order.status],
        "r": "NONE",
        "i": order.exchange_id,
        "l": figure(trade.quantity if trade else ZERO),
        "z": figure(order.filled),
        "L": figure(trade.price if trade else ZERO),
        "n": figure(trade.fee) if trade else "0",
        "N": trade.fee_asset if trade else None,
        "T": trade.at_ms if trade else order.changed_ms,
        "t": trade.id if trade else -1,
        "I": execution_id,
        "w": resting and order.type != "market",
        "m": trade.maker if trade else False,
        "M": trade is not None,
        "O": order.made_ms,
        "Z": figure(order.value),
        "Y": figure(trade.price * trade.quantity if trade else ZERO),
        "Q": figure(order.quote_quantity),
        "V": STP,
    }
    if working_ms(order) >= 0:
        event["W"] = working_ms(order)
    return event


def account_position(changes: list[WalletNews], now_ms: int) -> dict[str, object]:
    """What the account owns of the assets that changed."""
    newest = {one.asset: one for one in changes}
    return {
        "e": "outboundAccountPosition",
        "E": now_ms,
        "u": max(one.at_ms for one in changes),
        "B": [
            {"a": asset, "f": figure(one.holding.free), "l": figure(one.holding.held)} for asset, one in newest.items()
        ],
    }


def balance_update(news: CreditNews, now_ms: int) -> dict[str, object]:
    """A deposit or a withdrawal."""
    return {"e": "balanceUpdate", "E": now_ms, "a": news.asset, "d": figure(news.amount), "T": news.at_ms}


def list_status(listed: SimList, now_ms: int) -> dict[str, object]:
    """An order list began, or is done."""
    return {
        "e": "listStatus",
        "E": now_ms,
        "s": wire_symbol(listed.symbol),
        "g": listed.list_id,
        "c": "OCO",
        "l": "EXEC_STARTED" if listed.is_open else "ALL_DONE",
        "L": "EXECUTING" if listed.is_open else "ALL_DONE",
        "r": "NONE",
        "C": listed.client_id,
        "T": listed.made_ms,
        "O": [{"s": wire_symbol(one.symbol), "i": one.exchange_id, "c": one.client_id} for one in listed.orders],
    }
