"""Readers of what every exchange tells in its own way: figures, and ccxt's structures where we know no more.

A reader takes one payload, whose shape its docstring shows, and gives one record; it raises LookupError, TypeError or
ValueError where the payload is not what it should be. Figures are exact: they are read from the text that came.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from autogrid.engine.venue import Balance, MarketNow, OwnOrder, OwnTrade
from autogrid.exchanges.market_rules import market_from
from autogrid.exchanges.public_client import exact
from autogrid.trading.money import ZERO
from autogrid.trading.order import Side

Raw: TypeAlias = Mapping[str, Any]
"""A payload as it came, figures as text."""

CCXT_STATUS: Final = {
    "open": "open",
    "closed": "filled",
    "canceled": "cancelled",
    "canceling": "open",
    "expired": "expired",
    "rejected": "rejected",
}


def amount(told: object) -> Decimal:
    """A figure; nothing told is zero."""
    return exact(told) or ZERO


def needed(told: object) -> Decimal:
    """A figure that must be there and above zero."""
    found = exact(told)
    if found is None or found <= 0:
        raise ValueError(f"a figure above zero is missing: {told!r}")
    return found


def ident(told: object) -> str:
    """An id that must be there."""
    if told is None or not str(told):
        raise ValueError("an id is missing")
    return str(told)


def side_of(told: object) -> Side:
    """`BUY`, `Buy`, `buy` and the like."""
    side = str(told).lower()
    if side == "buy":
        return "buy"
    if side == "sell":
        return "sell"
    raise ValueError(f"'{told}' is no side")


def market_now(told: Raw, exchange: str) -> MarketNow:
    """`{"symbol": "BTC/USDT", "active": True, "precision": {…}, "limits": {…}, "info": {"status": "TRADING", …}}`."""
    info = told.get("info") or {}
    words = ""
    if told.get("active") is False:
        status = info.get("status")
        words = (
            "it is not open to programs"
            if info.get("isSpotTradingAllowed") is False
            else f"it is halted{f' (its status is {status})' if status else ''}"
        )
        words = f"{exchange} lists {told.get('symbol')}, but {words}"
    return MarketNow(market_from(told, exchange), not words, words)


def ccxt_order(told: Raw, *, asked_id: str = "") -> OwnOrder:
    """`{"id": "1", "clientOrderId": "a", "symbol": "BTC/USDT", "side": "buy", "status": "open", "price": "1", …}`."""
    status = CCXT_STATUS[str(told["status"])]
    filled, quantity = amount(told.get("filled")), amount(told.get("amount"))
    return OwnOrder(
        symbol=str(told["symbol"]),
        client_id=str(told.get("clientOrderId") or asked_id),
        exchange_id=ident(told["id"]),
        side=side_of(told["side"]),
        status="cancelled" if status == "filled" and filled < quantity else status,  # type: ignore[arg-type]
        price=amount(told.get("price")),
        quantity=quantity,
        filled=filled,
        at_ms=int(told.get("lastUpdateTimestamp") or told.get("lastTradeTimestamp") or told.get("timestamp") or 0),
    )


def ccxt_trade(told: Raw) -> OwnTrade:
    """`{"id": "7", "order": "1", "symbol": "BTC/USDT", "side": "buy", "price": "1", "amount": "2", "fee": {…}, …}`."""
    fee = told.get("fee") or {}
    return OwnTrade(
        symbol=str(told["symbol"]),
        trade_id=ident(told["id"]),
        exchange_id=ident(told["order"]),
        client_id=str(told.get("clientOrderId") or ""),
        side=side_of(told["side"]),
        price=needed(told["price"]),
        quantity=needed(told["amount"]),
        fee=amount(fee.get("cost")),
        fee_asset=str(fee.get("currency") or ""),
        maker=told.get("takerOrMaker") == "maker",
        at_ms=int(told["timestamp"]),
    )


def ccxt_balances(told: Raw) -> dict[str, Balance]:
    """`{"free": {"BTC": "1"}, "used": {"BTC": "0"}, "total": {…}, "info": …}`."""
    free, used = told.get("free") or {}, told.get("used") or {}
    found = {asset: Balance(amount(free.get(asset)), amount(used.get(asset))) for asset in {*free, *used}}
    return {asset: its for asset, its in found.items() if its.free or its.held}
