"""Binance spot: its requests. Weights are of the 6,000 a minute that an address has.

An order is found by `origClientOrderId`. An order list (OCO) is found, and cancelled, by its legs, whose client ids
follow from the intent's. Own trades do not tell client ids; those of an order list are looked up.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from autogrid.engine.venue import Balance, ExchangeRefused, Intent, OwnOrder, OwnTrade, Page, Rights
from autogrid.exchanges import binance_reading as reading
from autogrid.exchanges.binance_reading import LIMIT_LEG, STOP_LEG
from autogrid.exchanges.ccxt_errors import lost
from autogrid.exchanges.ccxt_reading import Raw, needed
from autogrid.exchanges.ccxt_wire import Wire
from autogrid.trading.money import Price, text

PAGE: Final = 1_000
KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "maker": {"type": "LIMIT_MAKER"},
    "limit": {"type": "LIMIT", "timeInForce": "GTC"},
    "now": {"type": "LIMIT", "timeInForce": "IOC"},
    "stop": {"type": "STOP_LOSS_LIMIT", "timeInForce": "GTC"},
}


class BinanceDialect:
    """One account on Binance spot."""

    cancels_at_once = 1

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def place(self, intent: Intent, window_ms: int) -> OwnOrder:
        """See Dialect. `POST /api/v3/order`, or `/api/v3/orderList/oco`."""
        common = {"symbol": await self._wire.id_of(intent.symbol), "side": intent.side.upper()}
        if intent.kind == "oco":
            return await self._place_list(intent, common, window_ms)
        params = {
            **common,
            **KINDS[intent.kind],
            "quantity": text(intent.quantity),
            "price": text(intent.price),
            "newClientOrderId": intent.client_id,
            "newOrderRespType": "RESULT",
        }
        if intent.kind == "stop":
            params["stopPrice"] = _trigger(intent)
        told = await self._wire.ask("privatePostOrder", params, kind="create", window_ms=window_ms)
        return self._placed(told, intent)

    async def cancel(self, symbol: str, client_ids: Sequence[str]) -> None:
        """See Dialect. `DELETE /api/v3/order`; a leg of an order list takes the whole list out."""
        market_id = await self._wire.id_of(symbol)
        for client_id in client_ids:
            if not await self._cancelled(market_id, client_id):
                await self._cancelled(market_id, client_id + LIMIT_LEG)

    async def find(self, symbol: str, client_id: str) -> OwnOrder | None:
        """See Dialect. `GET /api/v3/order`."""
        found = await self._order(symbol, {"origClientOrderId": client_id})
        if found is not None:
            return found
        legs = [await self._order(symbol, {"origClientOrderId": client_id + LIMIT_LEG})]
        if legs[0] is None:
            return None
        legs.append(await self._order(symbol, {"origClientOrderId": client_id + STOP_LEG}))
        return reading.whole_list(leg for leg in legs if leg is not None)

    async def find_by_id(self, symbol: str, exchange_id: str) -> OwnOrder | None:
        """See Dialect. `GET /api/v3/order`."""
        raw = await self._raw_order(symbol, {"orderId": exchange_id})
        if raw is None:
            return None
        found = self._wire.read(lambda: reading.order(raw, symbol))
        ours = str(raw.get("clientOrderId")) != found.client_id
        return await self.find(symbol, found.client_id) if ours else found

    async def open_orders(self, symbol: str) -> Sequence[OwnOrder]:
        """See Dialect. `GET /api/v3/openOrders`; the legs of an order list are one order."""
        told = await self._wire.ask("privateGetOpenOrders", {"symbol": await self._wire.id_of(symbol)}, weight=6)
        return self._wire.read(lambda: self._joined(told, symbol))

    async def trades_after(self, symbol: str, cursor: str) -> Page:
        """See Dialect. `GET /api/v3/myTrades` by `fromId`; the cursor is the id that comes next."""
        market_id = await self._wire.id_of(symbol)
        if not cursor:
            newest = await self._wire.ask("privateGetMyTrades", {"symbol": market_id, "limit": 1}, weight=20)
            return Page((), str(self._wire.read(lambda: max((int(one["id"]) + 1 for one in newest), default=0))))
        found: list[OwnTrade] = []
        clients: dict[str, str] = {}
        from_id = int(cursor)
        while True:
            params = {"symbol": market_id, "fromId": from_id, "limit": PAGE}
            page = await self._wire.ask("privateGetMyTrades", params, weight=20)
            for raw in page:
                if reading.in_list(raw) and str(raw["orderId"]) not in clients:
                    order = await self._order(symbol, {"orderId": str(raw["orderId"])})
                    clients[str(raw["orderId"])] = order.client_id if order else ""
            found += self._wire.read(lambda page=page: [self._trade(one, symbol, clients) for one in page])  # type: ignore[misc]
            from_id = max([from_id, *(int(one.trade_id) + 1 for one in found)])
            if len(page) < PAGE:
                return Page(sorted(found, key=lambda one: int(one.trade_id)), str(from_id))

    async def trades_of(self, symbol: str, exchange_id: str) -> Sequence[OwnTrade]:
        """See Dialect. `GET /api/v3/myTrades` by `orderId`; of an OCO the leg of that id."""
        params = {"symbol": await self._wire.id_of(symbol), "orderId": exchange_id, "limit": PAGE}
        told = await self._wire.ask("privateGetMyTrades", params, weight=5)
        return self._wire.read(lambda: [self._trade(one, symbol, {}) for one in told])

    async def balances(self) -> Mapping[str, Balance]:
        """See Dialect. `GET /api/v3/account`."""
        await self._wire.markets()
        told = await self._wire.ask("privateGetAccount", {"omitZeroBalances": "true"}, weight=20)
        return self._wire.read(lambda: reading.balances(told, self._wire.asset))

    async def rights(self) -> Rights:
        """See Dialect. `GET /sapi/v1/account/apiRestrictions`."""
        told = await self._wire.ask("sapiGetAccountApiRestrictions", {})
        return self._wire.read(lambda: reading.rights(told))

    async def price_of(self, symbol: str) -> Price | None:
        """See Dialect. `GET /api/v3/ticker/price`."""
        try:
            params = {"symbol": await self._wire.id_of(symbol)}
            told = await self._wire.ask("publicGetTickerPrice", params, weight=2)
        except ExchangeRefused as refusal:
            if refusal.why == "symbol":
                return None
            raise
        return self._wire.read(lambda: needed(told["price"]))

    async def server_ms(self) -> int:
        """See Dialect. `GET /api/v3/time`."""
        told = await self._wire.ask("publicGetTime", {})
        return self._wire.read(lambda: int(told["serverTime"]))

    async def rules(self, symbol: str) -> Mapping[str, Any] | None:
        """See Dialect. `GET /api/v3/exchangeInfo` of one symbol."""
        params = {"symbol": await self._wire.id_of(symbol)}
        told = await self._wire.unified(lambda: self._wire.client.fetch_markets(params), weight=20)
        return next((one for one in told if one["symbol"] == symbol), None)

    def events(self) -> reading.Events:
        """See Dialect."""
        return reading.Events(self._wire.symbol, self._wire.asset)

    def watches(self, client: Any) -> Sequence[Callable[[], Awaitable[object]]]:
        """See Dialect. One subscription tells orders, trades and balances."""
        return (client.watch_orders,)

    async def _place_list(self, intent: Intent, common: Mapping[str, str], window_ms: int) -> OwnOrder:
        """Above and below are those of the market: a sell's limit stands above it, a buy's below."""
        if intent.stop_price is None:
            raise ExchangeRefused("rule", "an order list needs the limit of its stop")
        limit, stop = ("above", "below") if intent.side == "sell" else ("below", "above")
        params = {
            **common,
            "quantity": text(intent.quantity),
            "listClientOrderId": intent.client_id,
            f"{limit}Type": "LIMIT_MAKER",
            f"{limit}Price": text(intent.price),
            f"{limit}ClientOrderId": intent.client_id + LIMIT_LEG,
            f"{stop}Type": "STOP_LOSS_LIMIT",
            f"{stop}StopPrice": _trigger(intent),
            f"{stop}Price": text(intent.stop_price),
            f"{stop}TimeInForce": "GTC",
            f"{stop}ClientOrderId": intent.client_id + STOP_LEG,
            "newOrderRespType": "RESULT",
        }
        told = await self._wire.ask("privatePostOrderListOco", params, kind="create", window_ms=window_ms)

        def legs() -> OwnOrder:
            if told["listClientOrderId"] != intent.client_id:
                raise ValueError("another list than ours")
            by_id = {str(one["clientOrderId"]): reading.order(one, intent.symbol) for one in told["orderReports"]}
            return reading.whole_list((by_id[intent.client_id + LIMIT_LEG], by_id[intent.client_id + STOP_LEG]))

        return self._wire.read(legs, "create")

    def _placed(self, told: Raw, intent: Intent) -> OwnOrder:
        placed = self._wire.read(lambda: reading.order(told, intent.symbol), "create")
        if placed.client_id != intent.client_id:
            raise lost("binance answered with another order than ours", "create")
        return placed

    async def _cancelled(self, market_id: str, client_id: str) -> bool:
        """Whether an order of that client id was open."""
        params = {"symbol": market_id, "origClientOrderId": client_id}
        try:
            await self._wire.ask("privateDeleteOrder", params, kind="cancel")
        except ExchangeRefused as refusal:
            if refusal.why != "unknown-order":
                raise
            return False
        return True

    async def _raw_order(self, symbol: str, by: Mapping[str, str]) -> Raw | None:
        params = {"symbol": await self._wire.id_of(symbol), **by}
        try:
            found: Raw = await self._wire.ask("privateGetOrder", params, weight=4)
        except ExchangeRefused as refusal:
            if refusal.why != "unknown-order":
                raise
            return None
        return found

    async def _order(self, symbol: str, by: Mapping[str, str]) -> OwnOrder | None:
        raw = await self._raw_order(symbol, by)
        return None if raw is None else self._wire.read(lambda: reading.order(raw, symbol))

    def _joined(self, told: Sequence[Raw], symbol: str) -> list[OwnOrder]:
        plain = [reading.order(one, symbol) for one in told if not reading.in_list(one)]
        lists: dict[str, list[Raw]] = {}
        for one in told:
            if reading.in_list(one):
                lists.setdefault(str(one["orderListId"]), []).append(one)
        for legs in lists.values():
            legs.sort(key=lambda one: str(one["clientOrderId"]))
            plain.append(reading.whole_list(reading.order(leg, symbol) for leg in legs))
        return plain

    def _trade(self, raw: Raw, symbol: str, clients: Mapping[str, str]) -> OwnTrade:
        return reading.trade(raw, symbol, clients.get(str(raw["orderId"]), ""), self._wire.asset)


def _trigger(intent: Intent) -> str:
    if intent.trigger is None:
        raise ExchangeRefused("rule", f"an order of kind {intent.kind} needs a trigger")
    return text(intent.trigger)
