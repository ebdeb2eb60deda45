"""MEXC spot v3: its requests.

The answer to a new order does not name its client id: it is ours where symbol, side, quantity and price are. Trades are
asked for by time, newest first and 100 at a time; the page before begins where this one ended. There are no stops
and no order lists for programs.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from autogrid.engine.venue import Balance, ExchangeRefused, Intent, OwnOrder, OwnTrade, Page, Rights
from autogrid.exchanges import mexc_reading as reading
from autogrid.exchanges.ccxt_errors import lost
from autogrid.exchanges.ccxt_reading import Raw, amount, ident, needed, side_of
from autogrid.exchanges.ccxt_wire import Wire
from autogrid.exchanges.dialect import TimeCursor, name_of
from autogrid.trading.money import ZERO, Price, text

PAGE: Final = 100
TYPES: Final = {"maker": "LIMIT_MAKER", "limit": "LIMIT", "now": "IMMEDIATE_OR_CANCEL"}


class MexcDialect:
    """One account on MEXC spot."""

    cancels_at_once = 1

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def place(self, intent: Intent, window_ms: int) -> OwnOrder:
        """See Dialect. `POST /api/v3/order`."""
        if intent.kind not in TYPES:
            raise ExchangeRefused("rule", f"mexc has no orders of kind {intent.kind} for programs")
        params = {
            "symbol": await self._wire.id_of(intent.symbol),
            "side": intent.side.upper(),
            "type": TYPES[intent.kind],
            "quantity": text(intent.quantity),
            "price": text(intent.price),
            "newClientOrderId": intent.client_id,
        }
        told = await self._wire.ask("spotPrivatePostOrder", params, kind="create", window_ms=window_ms)
        return self._placed(told, intent, params["symbol"])

    async def cancel(self, symbol: str, client_ids: Sequence[str]) -> None:
        """See Dialect. `DELETE /api/v3/order`."""
        market_id = await self._wire.id_of(symbol)
        for client_id in client_ids:
            try:
                params = {"symbol": market_id, "origClientOrderId": client_id}
                await self._wire.ask("spotPrivateDeleteOrder", params, kind="cancel")
            except ExchangeRefused as refusal:
                if refusal.why != "unknown-order":
                    raise

    async def find(self, symbol: str, client_id: str) -> OwnOrder | None:
        """See Dialect. `GET /api/v3/order`."""
        found = await self._order(symbol, {"origClientOrderId": client_id}, client_id)
        return found if found is not None and found.client_id == client_id else None

    async def find_by_id(self, symbol: str, exchange_id: str) -> OwnOrder | None:
        """See Dialect. `GET /api/v3/order`."""
        return await self._order(symbol, {"orderId": exchange_id}, "")

    async def open_orders(self, symbol: str) -> Sequence[OwnOrder]:
        """See Dialect. `GET /api/v3/openOrders`."""
        told = await self._wire.ask("spotPrivateGetOpenOrders", {"symbol": await self._wire.id_of(symbol)}, weight=3)
        return self._wire.read(lambda: [reading.order(one, symbol) for one in told])

    async def trades_after(self, symbol: str, cursor: str) -> Page:
        """See Dialect. `GET /api/v3/myTrades`; the cursor is a TimeCursor."""
        market_id, now_ms = await self._wire.id_of(symbol), self._wire.now_ms()
        known = self._wire.read(lambda: TimeCursor.of(cursor)) if cursor else TimeCursor(now_ms, {})
        found = await self._trades(symbol, market_id, known.since_ms)
        new = [one for name, one in found.items() if name not in known.ids] if cursor else []
        further = known.beyond({name: one.at_ms for name, one in found.items()})
        return Page(sorted(new, key=lambda one: (one.at_ms, one.trade_id)), str(further))

    async def trades_of(self, symbol: str, exchange_id: str) -> Sequence[OwnTrade]:
        """See Dialect. `GET /api/v3/myTrades` by `orderId`."""
        params = {"symbol": await self._wire.id_of(symbol), "orderId": exchange_id, "limit": PAGE}
        told = await self._wire.ask("spotPrivateGetMyTrades", params, weight=10)
        return self._wire.read(lambda: [reading.trade(one, symbol, self._wire.asset) for one in told])

    async def balances(self) -> Mapping[str, Balance]:
        """See Dialect. `GET /api/v3/account`."""
        await self._wire.markets()
        told = await self._wire.ask("spotPrivateGetAccount", {}, weight=10)
        return self._wire.read(lambda: reading.balances(told, self._wire.asset))

    async def rights(self) -> Rights:
        """See Dialect. `GET /api/v3/account`: it tells whether the account may trade, and no more."""
        told = await self._wire.ask("spotPrivateGetAccount", {}, weight=10)
        return self._wire.read(lambda: reading.rights(told))

    async def price_of(self, symbol: str) -> Price | None:
        """See Dialect. `GET /api/v3/ticker/price`."""
        try:
            params = {"symbol": await self._wire.id_of(symbol)}
            told = await self._wire.ask("spotPublicGetTickerPrice", params, weight=2)
        except ExchangeRefused as refusal:
            if refusal.why == "symbol":
                return None
            raise
        return self._wire.read(lambda: needed((told[0] if isinstance(told, list) else told)["price"]))

    async def server_ms(self) -> int:
        """See Dialect. `GET /api/v3/time`."""
        told = await self._wire.ask("spotPublicGetTime", {})
        return self._wire.read(lambda: int(told["serverTime"]))

    async def rules(self, symbol: str) -> Mapping[str, Any] | None:
        """See Dialect. `GET /api/v3/exchangeInfo` of one symbol."""
        params = {"symbol": await self._wire.id_of(symbol)}
        told = await self._wire.unified(lambda: self._wire.client.fetch_spot_markets(params), weight=10)
        return next((one for one in told if one["symbol"] == symbol), None)

    def events(self) -> reading.Events:
        """See Dialect."""
        return reading.Events(self._wire.symbol, self._wire.asset)

    def watches(self, client: Any) -> Sequence[Callable[[], Awaitable[object]]]:
        """See Dialect."""
        return (client.watch_orders, client.watch_my_trades)

    def _placed(self, told: Raw, intent: Intent, market_id: str) -> OwnOrder:
        """`{"symbol": "MXUSDT", "orderId": "06a4", "orderListId": -1, "price": "0.1", "origQty": "50", "type": "LIMIT",
        "side": "BUY", "transactTime": 1666676533741}`.
        """

        def placed() -> OwnOrder:
            client_id = str(told.get("clientOrderId") or intent.client_id)
            same = (
                client_id == intent.client_id
                and str(told["symbol"]) == market_id
                and side_of(told["side"]) == intent.side
                and amount(told["origQty"]) == intent.quantity
                and amount(told["price"]) == intent.price
            )
            if not same:
                raise ValueError("another order than ours")
            exchange_id, at_ms = ident(told["orderId"]), int(told.get("transactTime") or 0)
            return OwnOrder(
                intent.symbol, client_id, exchange_id, intent.side, "open", intent.price, intent.quantity, ZERO, at_ms
            )

        return self._wire.read(placed, "create")

    async def _order(self, symbol: str, by: Mapping[str, str], asked_id: str) -> OwnOrder | None:
        params = {"symbol": await self._wire.id_of(symbol), **by}
        try:
            told = await self._wire.ask("spotPrivateGetOrder", params, weight=2)
        except ExchangeRefused as refusal:
            if refusal.why != "unknown-order":
                raise
            return None
        return self._wire.read(lambda: reading.order(told, symbol, asked_id=asked_id))

    async def _trades(self, symbol: str, market_id: str, since_ms: int) -> dict[str, OwnTrade]:
        """All from `since_ms` on. Raises lost (away) where a page's worth fell into one ms, which cannot be paged."""
        found: dict[str, OwnTrade] = {}
        end_ms: int | None = None
        while True:
            params: dict[str, object] = {"symbol": market_id, "startTime": since_ms, "limit": PAGE}
            if end_ms is not None:
                params["endTime"] = end_ms
            told = await self._wire.ask("spotPrivateGetMyTrades", params, weight=10)
            page = self._wire.read(lambda told=told: [reading.trade(one, symbol, self._wire.asset) for one in told])  # type: ignore[misc]
            new = {name_of(one): one for one in page if name_of(one) not in found}
            found |= new
            if len(page) < PAGE:
                return found
            if not new:
                raise lost(
                    f"mexc tells more than {PAGE} trades of one millisecond, which cannot be paged through", "read"
                )
            end_ms = min(one.at_ms for one in page)
