"""Any other exchange that ccxt knows, by ccxt's own structures. Untested against any of them.

What it cannot do for certain it refuses: an order is taken as placed only with its id and our client id, and it is
found only where the exchange tells the client ids of its orders.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from autogrid.engine.venue import Balance, ExchangeRefused, Intent, News, OwnOrder, OwnTrade, Page, Rights
from autogrid.exchanges import ccxt_reading as reading
from autogrid.exchanges.ccxt_errors import lost
from autogrid.exchanges.ccxt_wire import Wire
from autogrid.exchanges.dialect import TimeCursor, name_of
from autogrid.trading.money import Price, text

PAGE: Final = 100
PARAMS: Final[Mapping[str, Mapping[str, object]]] = {
    "maker": {"postOnly": True},
    "limit": {"timeInForce": "GTC"},
    "now": {"timeInForce": "IOC"},
}
ENDED: Final = {"fetchOrders": "fetch_orders", "fetchCanceledAndClosedOrders": "fetch_canceled_and_closed_orders"}
"""Ways to ask for orders that ended in whatever way."""


class OtherDialect:
    """One account on an exchange that has no dialect of its own."""

    cancels_at_once = 1

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def place(self, intent: Intent, window_ms: int) -> OwnOrder:
        """See Dialect. The window is the exchange's own."""
        del window_ms
        if intent.kind not in PARAMS:
            raise ExchangeRefused("rule", f"orders of kind {intent.kind} are not sent to {self._wire.exchange}")
        await self._wire.id_of(intent.symbol)
        params = {**PARAMS[intent.kind], "clientOrderId": intent.client_id}
        send = self._wire.client.create_order
        told = await self._wire.unified(
            lambda: send(intent.symbol, "limit", intent.side, text(intent.quantity), text(intent.price), params),
            kind="create",
        )
        ids = self._wire.read(lambda: (reading.ident(told["id"]), str(told.get("clientOrderId"))), "create")
        if ids[1] != intent.client_id:
            raise lost(f"{self._wire.exchange} answered with another order than ours", "create")
        return OwnOrder(
            intent.symbol,
            ids[1],
            ids[0],
            intent.side,
            "open",
            intent.price,
            intent.quantity,
            intent.quantity * 0,
            self._wire.now_ms(),
        )

    async def cancel(self, symbol: str, client_ids: Sequence[str]) -> None:
        """See Dialect. By the exchange's ids, which are looked up first."""
        client = self._wire.client
        ids = [one.exchange_id for one in await self.open_orders(symbol) if one.client_id in client_ids]
        for order_id in ids:
            await self._wire.unified(partial(client.cancel_order, order_id, symbol), kind="cancel")

    async def find(self, symbol: str, client_id: str) -> OwnOrder | None:
        """See Dialect. Among the open and the newest ended orders; refused where the latter are not told."""
        client = self._wire.client
        told = list(await self._wire.unified(lambda: client.fetch_open_orders(symbol)))
        ended = next((name for name in ENDED if client.has.get(name)), None)
        if ended is not None:
            method = getattr(client, ENDED[ended])
            told += await self._wire.unified(lambda: method(symbol))
        for one in told:
            if str(one.get("clientOrderId")) == client_id:
                return self._wire.read(lambda one=one: reading.ccxt_order(one))  # type: ignore[misc]
        if ended is None:
            raise ExchangeRefused("other", f"{self._wire.exchange} does not tell ended orders; look there yourself")
        return None

    async def find_by_id(self, symbol: str, exchange_id: str) -> OwnOrder | None:
        """See Dialect."""
        told = await self._wire.unified(lambda: self._wire.client.fetch_order(exchange_id, symbol))
        return self._wire.read(lambda: reading.ccxt_order(told))

    async def open_orders(self, symbol: str) -> Sequence[OwnOrder]:
        """See Dialect."""
        await self._wire.id_of(symbol)
        told = await self._wire.unified(lambda: self._wire.client.fetch_open_orders(symbol))
        return self._wire.read(lambda: [reading.ccxt_order(one) for one in told])

    async def trades_after(self, symbol: str, cursor: str) -> Page:
        """See Dialect. By time, oldest first; the cursor is a TimeCursor."""
        await self._wire.id_of(symbol)
        known = self._wire.read(lambda: TimeCursor.of(cursor)) if cursor else TimeCursor(self._wire.now_ms(), {})
        found: dict[str, OwnTrade] = {}
        since_ms = known.since_ms
        while True:
            told = await self._wire.unified(partial(self._wire.client.fetch_my_trades, symbol, since_ms, PAGE))
            page = self._wire.read(lambda told=told: [reading.ccxt_trade(one) for one in told])  # type: ignore[misc]
            new = {name_of(one): one for one in page if name_of(one) not in found}
            found |= new
            if not new:
                break
            since_ms = max(one.at_ms for one in page)
        fresh = [one for name, one in found.items() if name not in known.ids] if cursor else []
        further = known.beyond({name: one.at_ms for name, one in found.items()})
        return Page(sorted(fresh, key=lambda one: (one.at_ms, one.trade_id)), str(further))

    async def trades_of(self, symbol: str, exchange_id: str) -> Sequence[OwnTrade]:
        """See Dialect. None where the exchange cannot be asked so."""
        if not self._wire.client.has.get("fetchOrderTrades"):
            return ()
        told = await self._wire.unified(partial(self._wire.client.fetch_order_trades, exchange_id, symbol))
        return self._wire.read(lambda: [reading.ccxt_trade(one) for one in told])

    async def balances(self) -> Mapping[str, Balance]:
        """See Dialect."""
        await self._wire.markets()
        told = await self._wire.unified(self._wire.client.fetch_balance)
        return self._wire.read(lambda: reading.ccxt_balances(told))

    async def rights(self) -> Rights:
        """See Dialect. Nothing is known of them."""
        return Rights(None, None, None, None)

    async def price_of(self, symbol: str) -> Price | None:
        """See Dialect."""
        if symbol not in await self._wire.markets():
            return None
        told = await self._wire.unified(lambda: self._wire.client.fetch_ticker(symbol))
        return self._wire.read(lambda: reading.needed(told["last"]))

    async def server_ms(self) -> int:
        """See Dialect. This machine's clock where the exchange tells none."""
        if not self._wire.client.has.get("fetchTime"):
            return int(self._wire.client.milliseconds())
        return int(await self._wire.unified(self._wire.client.fetch_time))

    async def rules(self, symbol: str) -> Mapping[str, Any] | None:
        """See Dialect. The whole table is read."""
        found: Mapping[str, Any] | None = (await self._wire.markets(anew=True)).get(symbol)
        return found

    def events(self) -> "OtherEvents":
        """See Dialect."""
        return OtherEvents()

    def watches(self, client: Any) -> Sequence[Callable[[], Awaitable[object]]]:
        """See Dialect. None: what is not read needs not flow."""
        del client
        return ()


class OtherEvents:
    """Raw frames are not read; trades are asked for."""

    def read(self, frame: object) -> Iterator[News]:
        """Nothing."""
        del frame
        yield from ()

    def confirms(self, frame: object) -> bool:
        """Never."""
        del frame
        return False
