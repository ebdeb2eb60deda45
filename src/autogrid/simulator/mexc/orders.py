"""Orders in REST: placing, cancelling, finding.

What surprises, as recorded from MEXC: the answer to a new order does not repeat its client id; times of ended orders
and of trades are cut to the second, those of open orders are not; a post-only order that would trade is accepted and
then cancelled (no document tells of a refusal).
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from autogrid.simulator.mexc.asked import Asked
from autogrid.simulator.mexc.names import (
    SIDES,
    TYPE_NAMES,
    TYPES,
    digits_of,
    exchange_id,
    id_of,
    order_id,
    status_of,
    symbol_of,
)
from autogrid.simulator.mexc.public import DAY_MS, MOST_VALUE, MOST_VALUE_AT_MARKET
from autogrid.simulator.mexc.refusals import (
    BAD_AMOUNT_SCALE,
    BAD_COMBINATION,
    BAD_TYPE,
    NO_ORDER_ID,
    NOT_ABOVE_ZERO,
    TOO_LARGE,
    UNKNOWN_TO_CANCEL,
    UNKNOWN_TO_FIND,
    UnableToServe,
    illegal,
    mandatory,
    of_the_world,
)
from autogrid.simulator.records import SimOrder, UnableToTrade, Wanted
from autogrid.simulator.world import World
from autogrid.trading.money import text

CLIENT_ID_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
LONGEST_CLIENT_ID: Final = 32
MOST_IN_A_BATCH: Final = 20
MOST_SYMBOLS_TO_CANCEL: Final = 5
SECOND_MS: Final = 1000


def client_id_of(order: SimOrder) -> str | None:
    """What the order's sender called it; None where it gave no name and the world made one up."""
    return None if order.client_id == f"sim{order.exchange_id:019d}" else order.client_id


def wanted_order(world: World, asked: Asked) -> Wanted:
    """The order that is asked for. Raises UnableToServe."""
    symbol, type_name = symbol_of(world, asked.text("symbol")), asked.text("type")
    if asked.text("side") not in SIDES:
        raise mandatory("side")
    if type_name not in TYPES:
        raise UnableToServe(*BAD_TYPE)
    client_id = asked.maybe("newClientOrderId")
    if len(client_id) > LONGEST_CLIENT_ID or not CLIENT_ID_LETTERS.issuperset(client_id):
        raise illegal("newClientOrderId")
    wanted = Wanted(symbol, SIDES[asked.text("side")], TYPES[type_name], client_id)
    if type_name == "MARKET":
        return _at_market(world, asked, wanted)
    price, quantity = _above_zero(asked, "price"), _above_zero(asked, "quantity")
    if price * quantity > MOST_VALUE:
        raise UnableToServe(TOO_LARGE[0], f"{TOO_LARGE[1]}{text(MOST_VALUE)}")
    return wanted._replace(price=price, quantity=quantity)


def _at_market(world: World, asked: Asked, wanted: Wanted) -> Wanted:
    """A buy names what it spends, a sell what it gives, or what it is to bring."""
    if not asked.maybe("quoteOrderQty"):
        if wanted.side == "buy":
            raise UnableToServe(*BAD_COMBINATION)
        return wanted._replace(quantity=_above_zero(asked, "quantity"))
    amount = _above_zero(asked, "quoteOrderQty")
    if amount % Decimal(1).scaleb(-digits_of(world.markets[wanted.symbol].tick)):
        raise UnableToServe(*BAD_AMOUNT_SCALE)
    if amount > MOST_VALUE_AT_MARKET:
        raise UnableToServe(TOO_LARGE[0], f"{TOO_LARGE[1]}{text(MOST_VALUE_AT_MARKET)}")
    return wanted._replace(quote_quantity=amount)


def _above_zero(asked: Asked, name: str) -> Decimal:
    amount = asked.amount(name)
    if amount <= 0:
        raise UnableToServe(*NOT_ABOVE_ZERO)
    return amount


def place(world: World, account: str, asked: Asked) -> dict[str, object]:
    """Send an order."""
    wanted = wanted_order(world, asked)
    order = _taken(world, account, wanted)
    return {
        "symbol": id_of(order.symbol),
        "orderId": order_id(order.exchange_id),
        "orderListId": -1,
        "price": text(order.price),
        "origQty": text(order.quantity),
        "type": TYPE_NAMES[order.type],
        "side": order.side.upper(),
        "transactTime": order.made_ms,
    }


def _taken(world: World, account: str, wanted: Wanted) -> SimOrder:
    try:
        return world.place(account, wanted)
    except UnableToTrade as error:
        if error.why != "would-trade":
            raise of_the_world(error, wanted.side) from None
        return world.keep_rejected(account, wanted, str(error))


def try_out(world: World, account: str, asked: Asked) -> dict[str, object]:
    """Check an order against the rules of its market; funds are not looked at, and nothing is sent."""
    wanted = wanted_order(world, asked)
    try:
        world.check(account, wanted)
    except UnableToTrade as error:
        raise of_the_world(error, wanted.side) from None
    return {}


def place_batch(world: World, account: str, asked: Asked) -> list[dict[str, object]]:
    """Send up to 20 orders on one symbol; each is answered for itself."""
    try:
        batch = json.loads(asked.text("batchOrders"), parse_float=str, parse_int=str)
    except ValueError:
        raise mandatory("batchOrders") from None
    told_orders = [one for one in batch if isinstance(one, dict)] if isinstance(batch, list) else []
    orders = [Asked({name: value for name, value in one.items() if isinstance(value, str)}) for one in told_orders]
    if not 0 < len(orders) <= MOST_IN_A_BATCH or len({one.maybe("symbol") for one in orders}) > 1:
        raise mandatory("batchOrders")
    return [_one_of_a_batch(world, account, one) for one in orders]


def _one_of_a_batch(world: World, account: str, asked: Asked) -> dict[str, object]:
    named: dict[str, object] = {}
    if asked.maybe("newClientOrderId"):
        named["newClientOrderId"] = asked.maybe("newClientOrderId")
    try:
        placed = place(world, account, asked)
    except UnableToServe as error:
        return {**named, **error.answer}
    return {"symbol": placed["symbol"], "orderId": placed["orderId"], **named, "orderListId": -1}


def cancel(world: World, account: str, asked: Asked) -> dict[str, object]:
    """Cancel an open order."""
    return cancelled(found(world, account, asked, UNKNOWN_TO_CANCEL, world.cancel))


def cancel_all_of(world: World, account: str, asked: Asked) -> list[dict[str, object]]:
    """Cancel all open orders of up to five symbols."""
    ids = asked.text("symbol").split(",")
    if len(ids) > MOST_SYMBOLS_TO_CANCEL:
        raise mandatory("symbol")
    symbols = [symbol_of(world, one) for one in ids]
    return [cancelled(_cancelled(world, one)) for symbol in symbols for one in world.open_orders(account, symbol)]


def cancel_all(world: World, account: str, _asked: Asked) -> dict[str, object]:
    """Cancel all open orders."""
    for order in world.open_orders(account):
        _cancelled(world, order)
    return {"code": 200, "msg": "success", "timestamp": world.now_ms()}


def _cancelled(world: World, order: SimOrder) -> SimOrder:
    return world.cancel(order.account, order.symbol, exchange_id=order.exchange_id)


def find(world: World, account: str, asked: Asked) -> dict[str, object]:
    """One order, open or ended."""
    order = found(world, account, asked, UNKNOWN_TO_FIND, world.find)
    assert order is not None
    return told(order)


def found(
    world: World,
    account: str,
    asked: Asked,
    unknown: tuple[int, str],
    look_up: Callable[..., SimOrder | None],
) -> SimOrder:
    """The order that `look_up`, one of the world's, gives for the id or client id asked for; else `unknown`."""
    symbol = symbol_of(world, asked.text("symbol"))
    written, client_id = asked.maybe("orderId"), asked.maybe("origClientOrderId")
    if not written and not client_id:
        raise UnableToServe(*NO_ORDER_ID)
    try:
        if written:
            order = look_up(account, symbol, exchange_id=exchange_id(written))
        else:
            order = look_up(account, symbol, client_id=client_id)
    except (UnableToServe, UnableToTrade):
        order = None
    if order is None:
        raise UnableToServe(*unknown)
    return order


def open_orders(world: World, account: str, asked: Asked) -> list[dict[str, object]]:
    """The open orders, of a symbol or of all, newest first."""
    market_id = asked.maybe("symbol")
    symbol = symbol_of(world, market_id) if market_id else None
    return [told(order) for order in reversed(world.open_orders(account, symbol))]


def all_orders(world: World, account: str, asked: Asked) -> list[dict[str, object]]:
    """Orders of a symbol, newest first: of the last day where no time is named, never older than a week."""
    symbol, now_ms = symbol_of(world, asked.text("symbol")), world.now_ms()
    start = max(asked.whole("startTime", now_ms - DAY_MS), now_ms - 7 * DAY_MS)
    end, limit = asked.whole("endTime", now_ms), min(asked.whole("limit", 500), 1000)
    found_orders = [order for order in world.orders(account, symbol) if start <= to_second(order.made_ms) <= end]
    return [told(order) for order in found_orders[::-1][:limit]]


def to_second(at_ms: int) -> int:
    """As MEXC keeps the times of what is done."""
    return at_ms // SECOND_MS * SECOND_MS


def told(order: SimOrder) -> dict[str, object]:
    """An order as REST tells it."""
    value = order.quote_quantity or order.price * order.quantity
    return {
        "symbol": id_of(order.symbol),
        "orderId": order_id(order.exchange_id),
        "orderListId": -1,
        "clientOrderId": client_id_of(order),
        "price": text(order.price),
        "origQty": text(order.quantity),
        "executedQty": text(order.filled),
        "cummulativeQuoteQty": text(order.value),
        "status": status_of(order)[0],
        "stpMode": "",
        "timeInForce": None,
        "type": TYPE_NAMES[order.type],
        "side": order.side.upper(),
        "stopPrice": None,
        "icebergQty": None,
        "time": order.made_ms if order.is_open else to_second(order.made_ms),
        "updateTime": None if order.is_open else to_second(order.changed_ms),
        "isWorking": True,
        "origQuoteOrderQty": text(value),
    }


def cancelled(order: SimOrder) -> dict[str, object]:
    """An order as the answer to its cancelling tells it."""
    return {
        "symbol": id_of(order.symbol),
        "origClientOrderId": client_id_of(order),
        "orderId": order_id(order.exchange_id),
        "orderListId": -1,
        "clientOrderId": None,
        "price": text(order.price),
        "origQty": text(order.quantity),
        "executedQty": text(order.filled),
        "cummulativeQuoteQty": text(order.value),
        "status": status_of(order)[0],
        "timeInForce": None,
        "type": TYPE_NAMES[order.type],
        "side": order.side.upper(),
    }
