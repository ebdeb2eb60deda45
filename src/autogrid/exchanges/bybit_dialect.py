"""Bybit spot, v5 on a unified account: its requests.

An order is found among the open and newest ones (`realtime`), then in the history. A stop is a `tpslOrder`, which holds
its assets while it waits. Trades are asked for by time, in windows of at most 7 days, and paged through; an id that was
told is left out. There are no order lists (OCO) for programs.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from autogrid.engine.venue import (
    Balance,
    ExchangeRefused,
    ExchangeUnclear,
    Intent,
    OwnOrder,
    OwnTrade,
    Page,
    Rights,
)
from autogrid.exchanges import bybit_reading as reading
from autogrid.exchanges.ccxt_errors import lost, refused
from autogrid.exchanges.ccxt_reading import Raw, needed
from autogrid.exchanges.ccxt_wire import Wire
from autogrid.exchanges.dialect import TimeCursor, name_of
from autogrid.trading.money import Price, text

SPOT: Final = {"category": "spot"}
WINDOW_MS: Final = 7 * 86_400_000
KEPT_MS: Final = 730 * 86_400_000
"""Older trades the exchange does not tell."""
IN_FORCE: Final = {"maker": "PostOnly", "limit": "GTC", "now": "IOC", "stop": "GTC"}


class BybitDialect:
    """One unified account on Bybit, spot."""

    cancels_at_once = 10

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._stops: set[str] = set()
        """Client ids of stops that this process sent."""

    async def place(self, intent: Intent, window_ms: int) -> OwnOrder:
        """See Dialect. `POST /v5/order/create` answers with ids only; a post-only order may be cancelled afterwards."""
        if intent.kind == "oco":
            raise ExchangeRefused("rule", "bybit has no order lists (OCO) for programs")
        params = {
            **SPOT,
            "symbol": await self._wire.id_of(intent.symbol),
            "side": intent.side.capitalize(),
            "orderType": "Limit",
            "qty": text(intent.quantity),
            "price": text(intent.price),
            "timeInForce": IN_FORCE[intent.kind],
            "orderLinkId": intent.client_id,
        }
        if intent.kind == "stop":
            if intent.trigger is None:
                raise ExchangeRefused("rule", "an order of kind stop needs a trigger")
            params |= {"orderFilter": "tpslOrder", "triggerPrice": text(intent.trigger)}
            self._stops.add(intent.client_id)
        told = await self._wire.ask("privatePostV5OrderCreate", params, kind="create", window_ms=window_ms)
        ids = self._wire.read(lambda: (str(told["result"]["orderId"]), str(told["result"]["orderLinkId"])), "create")
        if not ids[0] or ids[1] != intent.client_id:
            raise lost("bybit answered with another order than ours", "create")
        at_ms = self._wire.read(lambda: int(told.get("time") or 0), "create")
        none = intent.quantity * 0
        return OwnOrder(intent.symbol, ids[1], ids[0], intent.side, "open", intent.price, intent.quantity, none, at_ms)

    async def cancel(self, symbol: str, client_ids: Sequence[str]) -> None:
        """See Dialect. `POST /v5/order/cancel-batch`, or `/v5/order/cancel` for one or a stop."""
        market = {**SPOT, "symbol": await self._wire.id_of(symbol)}
        plain = [client_id for client_id in client_ids if client_id not in self._stops]
        if len(plain) > 1:
            await self._cancel_many(market["symbol"], plain)
        for client_id in plain if len(plain) == 1 else ():
            if not await self._cancelled({**market, "orderLinkId": client_id}):
                await self._cancelled({**market, "orderLinkId": client_id, "orderFilter": "tpslOrder"})
        for client_id in client_ids:
            waits = {**market, "orderLinkId": client_id, "orderFilter": "tpslOrder"}
            if client_id in self._stops and not await self._cancelled(waits):
                await self._cancelled({**market, "orderLinkId": client_id})

    async def find(self, symbol: str, client_id: str) -> OwnOrder | None:
        """See Dialect. `GET /v5/order/realtime`, then `/v5/order/history`."""
        return await self._find(symbol, "orderLinkId", client_id)

    async def find_by_id(self, symbol: str, exchange_id: str) -> OwnOrder | None:
        """See Dialect. As `find`."""
        return await self._find(symbol, "orderId", exchange_id)

    async def open_orders(self, symbol: str) -> Sequence[OwnOrder]:
        """See Dialect. `GET /v5/order/realtime`, page by page."""
        params: dict[str, object] = {**SPOT, "symbol": await self._wire.id_of(symbol), "openOnly": 0, "limit": 50}
        found: dict[str, OwnOrder] = {}
        async for one in self._pages("privateGetV5OrderRealtime", params):
            order = self._wire.read(lambda one=one: reading.order(one, symbol))  # type: ignore[misc]
            if order.status == "open":
                found[order.exchange_id] = order
        return list(found.values())

    async def trades_after(self, symbol: str, cursor: str) -> Page:
        """See Dialect. `GET /v5/execution/list`; the cursor is a TimeCursor."""
        market_id, now_ms = await self._wire.id_of(symbol), self._wire.now_ms()
        known = self._wire.read(lambda: TimeCursor.of(cursor)) if cursor else TimeCursor(now_ms, {})
        found: dict[str, OwnTrade] = {}
        start_ms = max(known.since_ms, now_ms - KEPT_MS)
        while start_ms <= now_ms:
            params: dict[str, object] = {**SPOT, "symbol": market_id, "startTime": start_ms, "limit": 100}
            params["endTime"] = start_ms + WINDOW_MS - 1
            async for one in self._pages("privateGetV5ExecutionList", params):
                if reading.is_trade(one):
                    trade = self._wire.read(lambda one=one: reading.trade(one, symbol, self._wire.asset))  # type: ignore[misc]
                    found[name_of(trade)] = trade
            start_ms += WINDOW_MS
        new = [one for name, one in found.items() if name not in known.ids] if cursor else []
        further = known.beyond({name: one.at_ms for name, one in found.items()})
        return Page(sorted(new, key=lambda one: (one.at_ms, one.trade_id)), str(further))

    async def trades_of(self, symbol: str, exchange_id: str) -> Sequence[OwnTrade]:
        """See Dialect. `GET /v5/execution/list` by `orderId`."""
        market_id = await self._wire.id_of(symbol)
        params: dict[str, object] = {**SPOT, "symbol": market_id, "orderId": exchange_id, "limit": 100}
        told = [one async for one in self._pages("privateGetV5ExecutionList", params) if reading.is_trade(one)]
        return self._wire.read(lambda: [reading.trade(one, symbol, self._wire.asset) for one in told])

    async def balances(self) -> Mapping[str, Balance]:
        """See Dialect. `GET /v5/account/wallet-balance`."""
        await self._wire.markets()
        told = await self._wire.ask("privateGetV5AccountWalletBalance", {"accountType": "UNIFIED"})
        return self._wire.read(lambda: reading.balances(told, self._wire.asset))

    async def rights(self) -> Rights:
        """See Dialect. `GET /v5/user/query-api`."""
        told = await self._wire.ask("privateGetV5UserQueryApi", {})
        return self._wire.read(lambda: reading.rights(told))

    async def price_of(self, symbol: str) -> Price | None:
        """See Dialect. `GET /v5/market/tickers`."""
        try:
            params = {**SPOT, "symbol": await self._wire.id_of(symbol)}
            told = await self._wire.ask("publicGetV5MarketTickers", params)
        except ExchangeRefused as refusal:
            if refusal.why == "symbol":
                return None
            raise
        return self._wire.read(lambda: needed(reading.listed(told)[0]["lastPrice"]))

    async def server_ms(self) -> int:
        """See Dialect. `GET /v5/market/time`."""
        told = await self._wire.ask("publicGetV5MarketTime", {})
        return self._wire.read(lambda: int(told["result"]["timeNano"]) // 1_000_000)

    async def rules(self, symbol: str) -> Mapping[str, Any] | None:
        """See Dialect. `GET /v5/market/instruments-info` of one symbol."""
        params = {"symbol": await self._wire.id_of(symbol)}
        told = await self._wire.unified(lambda: self._wire.client.fetch_markets(params))
        return next((one for one in told if one["symbol"] == symbol), None)

    def events(self) -> reading.Events:
        """See Dialect."""
        return reading.Events(self._wire.symbol, self._wire.asset)

    def watches(self, client: Any) -> Sequence[Callable[[], Awaitable[object]]]:
        """See Dialect."""
        # ccxt would ask what kind of account it is, which is a request more; only unified ones are served here.
        client.options["unifiedMarginStatus"] = 6
        client.options["enableUnifiedMargin"], client.options["enableUnifiedAccount"] = False, True
        return (client.watch_orders, client.watch_my_trades)

    async def _find(self, symbol: str, by: str, value: str) -> OwnOrder | None:
        params = {**SPOT, "symbol": await self._wire.id_of(symbol), by: value}
        for method in ("privateGetV5OrderRealtime", "privateGetV5OrderHistory"):
            try:
                told = await self._wire.ask(method, params)
            except ExchangeRefused as refusal:
                if refusal.why == "unknown-order":
                    continue
                raise
            for one in self._wire.read(lambda told=told: reading.listed(told)):  # type: ignore[misc]
                if str(one.get(by)) == value:
                    return self._wire.read(lambda one=one: reading.order(one, symbol))  # type: ignore[misc]
        return None

    async def _cancel_many(self, market_id: str, client_ids: Sequence[str]) -> None:
        """One request; each order of it has its own code, in the order in which they were named."""
        request = [{"symbol": market_id, "orderLinkId": client_id} for client_id in client_ids]
        told = await self._wire.ask(
            "privatePostV5OrderCancelBatch", {**SPOT, "request": request}, kind="cancel", weight=len(request)
        )
        codes = self._wire.read(
            lambda: [(str(one["code"]), str(one.get("msg") or "")) for one in told["retExtInfo"]["list"]], "cancel"
        )
        if len(codes) != len(request):
            raise ExchangeUnclear("bybit answered for another number of cancels than were sent")
        for (code, words), client_id in zip(codes, client_ids, strict=True):
            if code == "0":
                continue
            refusal = refused("bybit", code, words)
            if refusal is None:
                raise ExchangeUnclear(f"bybit says {code} to the cancel of {client_id}")
            if refusal.why != "unknown-order":
                raise refusal
            await self._cancelled({**SPOT, "symbol": market_id, "orderLinkId": client_id, "orderFilter": "tpslOrder"})

    async def _cancelled(self, params: Mapping[str, object]) -> bool:
        """Whether such an order was open."""
        try:
            await self._wire.ask("privatePostV5OrderCancel", params, kind="cancel")
        except ExchangeRefused as refusal:
            if refusal.why != "unknown-order":
                raise
            return False
        return True

    async def _pages(self, method: str, params: Mapping[str, object]) -> Any:
        cursor = ""
        while True:
            told: Raw = await self._wire.ask(method, {**params, "cursor": cursor} if cursor else params)
            rows = self._wire.read(lambda told=told: reading.listed(told))  # type: ignore[misc]
            for row in rows:
                yield row
            last, cursor = cursor, self._wire.read(lambda told=told: reading.next_page(told))  # type: ignore[misc]
            if not rows or not cursor or cursor == last:
                return
