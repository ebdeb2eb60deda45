"""Readers of Bybit's raw answers and events (v5, spot). The create answer holds the two ids and nothing else."""

from collections.abc import Iterator
from typing import Any, Final, Literal

from autogrid.engine.venue import Balance, News, OwnOrder, OwnTrade, Rights
from autogrid.exchanges.binance_reading import Name
from autogrid.exchanges.ccxt_reading import Raw, amount, ident, needed, side_of
from autogrid.trading.money import ZERO

Status = Literal["open", "filled", "cancelled", "expired", "rejected"]
STATUS: Final[dict[str, Status]] = {
    "Created": "open",
    "New": "open",
    "PartiallyFilled": "open",
    "Untriggered": "open",
    "Triggered": "open",
    "Active": "open",
    "Filled": "filled",
    "Cancelled": "cancelled",
    "PartiallyFilledCanceled": "cancelled",
    "Deactivated": "cancelled",
    "Rejected": "rejected",
}
NO_WORDS: Final = frozenset({"", "EC_NoError", "UNKNOWN"})
MOVES: Final = ("Wallet", "FiatP2P", "FiatBitPay", "FiatBybitPay", "BybitPay", "FiatConvertBroker")
"""Rights by which money can leave the account."""


def listed(told: Raw) -> list[Any]:
    """`{"retCode": 0, "result": {"list": […], "nextPageCursor": ""}}`."""
    found = told["result"]["list"]
    if not isinstance(found, list):
        raise TypeError("a list is missing")
    return found


def next_page(told: Raw) -> str:
    """Where the next page begins; empty on the last one."""
    return str(told["result"].get("nextPageCursor") or "")


def order(told: Raw, symbol: str) -> OwnOrder:
    """`{"orderId": "1", "orderLinkId": "a", "symbol": "BTCUSDT", "price": "1600.00", "qty": "0.10", "side": "Buy",
    "orderStatus": "New", "rejectReason": "EC_NoError", "cumExecQty": "0.00", "createdTime": "1684738540559",
    "updatedTime": "1684738540561"}`; in a stream the same.
    """
    words = str(told.get("rejectReason") or "")
    return OwnOrder(
        symbol=symbol,
        client_id=str(told.get("orderLinkId") or ""),
        exchange_id=ident(told["orderId"]),
        side=side_of(told["side"]),
        status=STATUS[str(told["orderStatus"])],
        price=amount(told.get("price")),
        quantity=amount(told["qty"]),
        filled=amount(told["cumExecQty"]),
        at_ms=int(told.get("updatedTime") or told.get("createdTime") or 0),
        words="" if words in NO_WORDS else words,
    )


def trade(told: Raw, symbol: str, asset: Name) -> OwnTrade:
    """`{"symbol": "BTCUSDT", "orderLinkId": "a", "orderId": "1", "execTime": "1699612608878", "execPrice": "29708.7",
    "side": "Buy", "isMaker": false, "execFee": "0.000000336", "feeCurrency": "BTC", "execId": "2100000000047087120",
    "execQty": "0.000336"}`; in a stream the same. Where `feeCurrency` is missing, it is what was received; a rebate is
    of the other.
    """
    side, fee = side_of(told["side"]), amount(told["execFee"])
    fee_asset = str(told.get("feeCurrency") or "")
    if not fee_asset:
        base, _, quote = symbol.partition("/")
        fee_asset = base if (side == "buy") == (fee >= 0) else quote
    return OwnTrade(
        symbol=symbol,
        trade_id=ident(told["execId"]),
        exchange_id=ident(told["orderId"]),
        client_id=str(told.get("orderLinkId") or ""),
        side=side,
        price=needed(told["execPrice"]),
        quantity=needed(told["execQty"]),
        fee=fee,
        fee_asset=asset(fee_asset),
        maker=told["isMaker"] in (True, "true"),
        at_ms=int(told["execTime"]),
    )


def is_trade(told: Raw) -> bool:
    """Whether an execution is a trade; funding and the like are not."""
    return str(told.get("execType") or "Trade") == "Trade"


def balances(told: Raw, asset: Name) -> dict[str, Balance]:
    """`{"result": {"list": [{"accountType": "UNIFIED", "coin": [{"coin": "BTC", "walletBalance": "1", "locked": "0",
    "spotBorrow": "0"}]}]}}`.
    """
    found: dict[str, Balance] = {}
    for account in listed(told):
        for coin in account["coin"]:
            held = amount(coin.get("locked"))
            free = amount(coin["walletBalance"]) - amount(coin.get("spotBorrow")) - held
            if free or held:
                found[asset(coin["coin"])] = Balance(max(ZERO, free), held)
    return found


def rights(told: Raw) -> Rights:
    """`{"result": {"readOnly": 0, "permissions": {"Spot": ["SpotTrade"], "Wallet": []}, "ips": ["*"]}}`."""
    its = told["result"]
    allowed, ips = its["permissions"], its.get("ips") or []
    return Rights(
        reads=True,
        trades=str(its["readOnly"]) == "0" and "SpotTrade" in (allowed.get("Spot") or []),
        withdraws=any(bool(allowed.get(name)) for name in MOVES) if "Wallet" in allowed else None,
        bound=bool(ips) and "*" not in ips,
    )


class Events:
    """Reads the account's stream."""

    def __init__(self, symbol: Name, asset: Name) -> None:
        self._symbol = symbol
        self._asset = asset

    def read(self, frame: object) -> Iterator[News]:
        """`{"topic": "order", "data": [{"category": "spot", …}]}`, or `execution`. Others give nothing."""
        if not isinstance(frame, dict):
            return
        topic = str(frame.get("topic") or "")
        if topic not in ("order", "execution"):
            return
        for one in frame["data"]:
            if one.get("category", "spot") != "spot":
                continue
            symbol = self._symbol(one["symbol"])
            if topic == "order":
                yield order(one, symbol)
            elif is_trade(one):
                yield trade(one, symbol, self._asset)

    def confirms(self, frame: object) -> bool:
        """`{"success": true, "ret_msg": "", "op": "subscribe", "conn_id": "cejreaspqfh3sjdnldmg-p"}`."""
        return isinstance(frame, dict) and frame.get("op") == "subscribe" and frame.get("success") is True
