"""Readers of MEXC's raw answers and events (spot v3). Its streams are protobuf, read as ccxt's classes decode it."""

from collections.abc import Iterator
from typing import Final, Literal

from autogrid.engine.venue import Balance, News, OwnOrder, OwnTrade, Rights
from autogrid.exchanges.binance_reading import Name
from autogrid.exchanges.ccxt_reading import Raw, amount, ident, needed, side_of

Status = Literal["open", "filled", "cancelled", "expired", "rejected"]
STATUS: Final[dict[str, Status]] = {
    "NEW": "open",
    "PARTIALLY_FILLED": "open",
    "FILLED": "filled",
    "CANCELED": "cancelled",
    "PARTIALLY_CANCELED": "cancelled",
    "REJECTED": "rejected",
    "EXPIRED": "expired",
}
STREAM_STATUS: Final[dict[int, Status]] = {1: "open", 2: "filled", 3: "open", 4: "cancelled", 5: "cancelled"}


def order(told: Raw, symbol: str, *, asked_id: str = "") -> OwnOrder:
    """`{"symbol": "LTCBTC", "orderId": "C02__1", "clientOrderId": "myOrder1", "price": "0.1", "origQty": "1.0",
    "executedQty": "0.0", "status": "NEW", "type": "LIMIT", "side": "BUY", "time": 1499827319559, "updateTime": null}`.
    `asked_id`: the client id that was asked for, which an answer may leave out.
    """
    return OwnOrder(
        symbol=symbol,
        client_id=str(told.get("clientOrderId") or asked_id),
        exchange_id=ident(told["orderId"]),
        side=side_of(told["side"]),
        status=STATUS[str(told["status"])],
        price=amount(told.get("price")),
        quantity=amount(told["origQty"]),
        filled=amount(told["executedQty"]),
        at_ms=int(told.get("updateTime") or told.get("time") or 0),
    )


def trade(told: Raw, symbol: str, asset: Name) -> OwnTrade:
    """`{"symbol": "ATLASUSDT", "id": "dd44", "orderId": "C02__3", "price": "0.0045", "qty": "1220", "commission": "0",
    "commissionAsset": "USDT", "time": 1707671871000, "isBuyer": false, "isMaker": false, "clientOrderId": null}`.
    """
    return OwnTrade(
        symbol=symbol,
        trade_id=ident(told["id"]),
        exchange_id=ident(told["orderId"]),
        client_id=str(told.get("clientOrderId") or ""),
        side=side_of("buy" if told["isBuyer"] else "sell"),
        price=needed(told["price"]),
        quantity=needed(told["qty"]),
        fee=amount(told.get("commission")),
        fee_asset=asset(told["commissionAsset"]) if told.get("commissionAsset") else "",
        maker=bool(told["isMaker"]),
        at_ms=int(told["time"]),
    )


def balances(told: Raw, asset: Name) -> dict[str, Balance]:
    """`{"canTrade": true, "balances": [{"asset": "MX", "free": "3", "locked": "0"}], "permissions": ["SPOT"]}`."""
    found = {asset(one["asset"]): Balance(amount(one["free"]), amount(one["locked"])) for one in told["balances"]}
    return {name: its for name, its in found.items() if its.free or its.held}


def rights(told: Raw) -> Rights:
    """The same answer. What the key may do is not told, only whether the account may trade."""
    return Rights(reads=True, trades=bool(told["canTrade"]), withdraws=None, bound=None)


class Events:
    """Reads the account's stream."""

    def __init__(self, symbol: Name, asset: Name) -> None:
        self._symbol = symbol
        self._asset = asset

    def read(self, frame: object) -> Iterator[News]:
        """`{"channel": "spot@private.deals.…", "symbol": "MXUSDT", "privateDeals": {…}}`; or `privateOrders`."""
        if not isinstance(frame, dict):
            return
        if isinstance(told := frame.get("privateDeals"), dict):
            yield self._trade(told, self._symbol(frame["symbol"]))
        elif isinstance(told := frame.get("privateOrders"), dict):
            at_ms = int(frame.get("sendTime") or frame.get("createTime") or told.get("createTime") or 0)
            yield self._order(told, self._symbol(frame["symbol"]), at_ms)

    def confirms(self, frame: object) -> bool:
        """`{"id": 1, "code": 0, "msg": "spot@private.deals.v3.api.pb"}`."""
        return isinstance(frame, dict) and frame.get("code") == 0 and str(frame.get("msg")).startswith("spot@private.")

    def _trade(self, told: Raw, symbol: str) -> OwnTrade:
        """`{"price": "3.6962", "quantity": "1", "tradeType": 2, "tradeId": "505X1", "orderId": "C02__5",
        "clientOrderId": "a", "feeAmount": "0.0003", "feeCurrency": "MX", "time": "1736417034280"}`; `isMaker` is
        left out where false.
        """
        return OwnTrade(
            symbol=symbol,
            trade_id=ident(told["tradeId"]),
            exchange_id=ident(told["orderId"]),
            client_id=str(told.get("clientOrderId") or ""),
            side=side_of({1: "buy", 2: "sell"}[int(told["tradeType"])]),
            price=needed(told["price"]),
            quantity=needed(told["quantity"]),
            fee=amount(told.get("feeAmount")),
            fee_asset=self._asset(told["feeCurrency"]) if told.get("feeCurrency") else "",
            maker=bool(told.get("isMaker", False)),
            at_ms=int(told["time"]),
        )

    def _order(self, told: Raw, symbol: str, at_ms: int) -> OwnOrder:
        """`{"id": "C02__5", "clientId": "a", "price": "3.5", "quantity": "1", "orderType": 1, "tradeType": 1,
        "cumulativeQuantity": "0", "status": 1, "createTime": "1736417034259"}`.
        """
        return OwnOrder(
            symbol=symbol,
            client_id=str(told.get("clientId") or ""),
            exchange_id=ident(told["id"]),
            side=side_of({1: "buy", 2: "sell"}[int(told["tradeType"])]),
            status=STREAM_STATUS[int(told["status"])],
            price=amount(told.get("price")),
            quantity=amount(told.get("quantity")),
            filled=amount(told.get("cumulativeQuantity")),
            at_ms=at_ms,
        )
