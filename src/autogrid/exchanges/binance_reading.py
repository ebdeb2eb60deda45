"""Readers of Binance's raw answers and events.

An order list (OCO) is two orders there and one intent here. Its legs carry the intent's client id and a suffix that no
intent can have, because `_` is not in the alphabet of client ids; readers tell the intent's.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal

from autogrid.engine.venue import Balance, News, OwnOrder, OwnTrade, Rights
from autogrid.exchanges.ccxt_reading import Raw, amount, ident, needed, side_of
from autogrid.exchanges.dialect import StreamEnded
from autogrid.trading.money import ZERO

LIMIT_LEG: Final = "_a"
STOP_LEG: Final = "_b"
Status = Literal["open", "filled", "cancelled", "expired", "rejected"]
STATUS: Final[dict[str, Status]] = {
    "NEW": "open",
    "PENDING_NEW": "open",
    "PARTIALLY_FILLED": "open",
    "PENDING_CANCEL": "open",
    "FILLED": "filled",
    "CANCELED": "cancelled",
    "REJECTED": "rejected",
    "EXPIRED": "expired",
    "EXPIRED_IN_MATCH": "expired",
}
NO_LIST: Final = frozenset({"", "-1", "None"})
Name = Callable[[object], str]
"""What we call something of theirs."""


def intent_id(client_id: str) -> str:
    """The client id of the intent that an order belongs to."""
    return client_id.removesuffix(LIMIT_LEG).removesuffix(STOP_LEG)


def order(told: Raw, symbol: str) -> OwnOrder:
    """`{"symbol": "LTCBTC", "orderId": 1, "orderListId": -1, "clientOrderId": "myOrder1", "price": "0.1", "origQty":
    "1.0", "executedQty": "0.0", "status": "NEW", "type": "LIMIT", "side": "BUY", "time": 1499827319559, "updateTime":
    1499827319559}`; the answer to a new order has `transactTime` instead of the last two.
    """
    return OwnOrder(
        symbol=symbol,
        client_id=intent_id(str(told.get("clientOrderId") or "")),
        exchange_id=ident(told["orderId"]),
        side=side_of(told["side"]),
        status=STATUS[str(told["status"])],
        price=amount(told.get("price")),
        quantity=amount(told["origQty"]),
        filled=amount(told["executedQty"]),
        at_ms=int(told.get("updateTime") or told.get("transactTime") or told.get("time") or 0),
    )


def in_list(told: Raw) -> bool:
    """Whether an order or a trade belongs to an order list."""
    return str(told.get("orderListId", "")) not in NO_LIST


def whole_list(legs: Iterable[OwnOrder]) -> OwnOrder:
    """The legs of an order list, the limit first, as the one order they are to us."""
    known = list(legs)
    first, filled = known[0], sum((leg.filled for leg in known), ZERO)
    for status in ("filled", "open"):
        if any(leg.status == status for leg in known):
            return first._replace(status=status, filled=filled, at_ms=max(leg.at_ms for leg in known))
    return first._replace(filled=filled, at_ms=max(leg.at_ms for leg in known))


def trade(told: Raw, symbol: str, client_id: str, asset: Name) -> OwnTrade:
    """`{"symbol": "LTCUSDT", "id": 309520010, "orderId": 3784695242, "orderListId": -1, "price": "69.63", "qty": "0.2",
    "commission": "0.013926", "commissionAsset": "USDT", "time": 1698138992358, "isBuyer": false, "isMaker": false}`.
    """
    return OwnTrade(
        symbol=symbol,
        trade_id=ident(told["id"]),
        exchange_id=ident(told["orderId"]),
        client_id=client_id,
        side=side_of("buy" if told["isBuyer"] else "sell"),
        price=needed(told["price"]),
        quantity=needed(told["qty"]),
        fee=amount(told["commission"]),
        fee_asset=asset(told["commissionAsset"]),
        maker=bool(told["isMaker"]),
        at_ms=int(told["time"]),
    )


def balances(told: Raw, asset: Name) -> dict[str, Balance]:
    """`{"canTrade": true, "balances": [{"asset": "BTC", "free": "4723846.89208129", "locked": "0.00000000"}]}`."""
    found = {asset(one["asset"]): Balance(amount(one["free"]), amount(one["locked"])) for one in told["balances"]}
    return {name: its for name, its in found.items() if its.free or its.held}


def rights(told: Raw) -> Rights:
    """`{"ipRestrict": false, "enableReading": true, "enableWithdrawals": false, "enableInternalTransfer": false,
    "permitsUniversalTransfer": false, "enableSpotAndMarginTrading": false}`.
    """
    moves = ("enableWithdrawals", "enableInternalTransfer", "permitsUniversalTransfer")
    return Rights(
        reads=bool(told["enableReading"]),
        trades=bool(told["enableSpotAndMarginTrading"]),
        withdraws=any(bool(told[name]) for name in moves),
        bound=bool(told["ipRestrict"]),
    )


class Events:
    """Reads the account's stream; what it told of an order list is kept until the list ends."""

    def __init__(self, symbol: Name, asset: Name) -> None:
        self._symbol = symbol
        self._asset = asset
        self._lists: dict[str, dict[str, OwnOrder]] = {}

    def read(self, frame: object) -> Iterator[News]:
        """`{"subscriptionId": 0, "event": {"e": "executionReport", …}}`, or the event alone. Others give nothing."""
        if not isinstance(frame, dict):
            return
        wrapped = frame.get("event")
        event: Raw = wrapped if isinstance(wrapped, dict) else frame
        if event.get("e") == "executionReport":
            yield from self._report(event)
        elif event.get("e") == "eventStreamTerminated":
            raise StreamEnded("binance ended the stream")
        elif event.get("e") == "listStatus" and event.get("L") == "ALL_DONE":
            yield from self._list_done(event)

    def confirms(self, frame: object) -> bool:
        """`{"id": "1", "status": 200, "result": {"subscriptionId": 0}}`."""
        result = frame.get("result") if isinstance(frame, dict) else None
        return isinstance(result, dict) and "subscriptionId" in result

    def _report(self, event: Raw) -> Iterator[News]:
        """`{"e": "executionReport", "s": "ETHUSDT", "c": "myOrder", "S": "BUY", "q": "1", "p": "2500", "x": "TRADE",
        "X": "FILLED", "r": "NONE", "i": 12345678, "l": "1", "z": "1", "L": "2500", "n": "0.001", "N": "ETH", "T":
        1709654401000, "t": 98765432, "m": true, "g": -1, "C": ""}`: `x` is what happened, `X` what the order is now,
        `l`, `L`, `n`, `N`, `t` are its trade's; after a cancel `C` is the order's client id, and `c` the cancel's.
        """
        original = str(event.get("C") or "")
        client_id = intent_id(original if original not in ("", "null") else str(event.get("c") or ""))
        symbol, order_id, at_ms = self._symbol(event["s"]), ident(event["i"]), int(event["T"])
        side = side_of(event["S"])
        if event["x"] == "TRADE":
            yield OwnTrade(
                symbol=symbol,
                trade_id=ident(event["t"]),
                exchange_id=order_id,
                client_id=client_id,
                side=side,
                price=needed(event["L"]),
                quantity=needed(event["l"]),
                fee=amount(event["n"]),
                fee_asset=self._asset(event["N"]) if event["N"] else "",
                maker=bool(event["m"]),
                at_ms=at_ms,
            )
        words = str(event.get("r") or "")
        now = OwnOrder(
            symbol=symbol,
            client_id=client_id,
            exchange_id=order_id,
            side=side,
            status=STATUS[str(event["X"])],
            price=amount(event["p"]),
            quantity=amount(event["q"]),
            filled=amount(event["z"]),
            at_ms=at_ms,
            words="" if words == "NONE" else words,
        )
        list_id = str(event.get("g", -1))
        if list_id in NO_LIST:
            yield now
            return
        legs = self._lists.setdefault(list_id, {})
        legs[order_id] = now
        if now.status in ("open", "filled"):
            yield now._replace(filled=sum((leg.filled for leg in legs.values()), ZERO))

    def _list_done(self, event: Raw) -> Iterator[News]:
        """`{"e": "listStatus", "s": "ETHBTC", "g": 2, "c": "OCO", "l": "ALL_DONE", "L": "ALL_DONE", "C": "myList", "T":
        1564035303625, "O": [{"s": "ETHBTC", "i": 17, "c": "myList_a"}, …]}`.
        """
        legs = self._lists.pop(str(event["g"]), {})
        whole = whole_list(legs.values()) if legs else None
        if whole is not None and whole.status not in ("open", "filled"):
            yield whole._replace(at_ms=int(event["T"]))
