"""An exchange that does as a test says: what it answers to each order, and what it knows of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from decimal import Decimal

from autogrid.engine.venue import (
    Balance,
    ExchangeRefused,
    ExchangeUnclear,
    Intent,
    MarketNow,
    News,
    OwnOrder,
    OwnTrade,
    Page,
    Rights,
    StreamBegan,
)
from autogrid.trading.money import ZERO, Price
from tests.builders import START_MS


class ScriptedVenue:
    """The port `Venue`; what it was sent stands in `sent` and `cancelled`."""

    exchange = "scripted"
    cancels_at_once = 1

    def __init__(self) -> None:
        self.sent: list[Intent] = []
        self.windows: list[int] = []
        self.cancelled: list[str] = []
        self.orders: dict[str, OwnOrder] = {}
        """What the exchange knows, by client id."""
        self.trades: list[OwnTrade] = []
        self.hears: asyncio.Queue[News] = asyncio.Queue()
        self.answer: Callable[[Intent], Awaitable[OwnOrder]] = self.accept
        self.finding: Callable[[str], Awaitable[OwnOrder | None]] = self.known
        self.found = 0
        """How often an order was looked up."""
        self.owners_asked: list[str] = []
        """Orders that were looked up by the exchange's id."""

    def now_ms(self) -> int:
        return START_MS + int(asyncio.get_running_loop().time() * 1_000)

    async def accept(self, intent: Intent) -> OwnOrder:
        """The order rests."""
        order = OwnOrder(
            *(intent.symbol, intent.client_id, f"x{len(self.sent)}", intent.side, "open"),
            *(intent.price, intent.quantity, ZERO, self.now_ms()),
        )
        self.orders[intent.client_id] = order
        return order

    async def lose_answer(self, intent: Intent) -> OwnOrder:
        """The order rests, and nobody hears of it."""
        await self.accept(intent)
        raise ExchangeUnclear("connection reset")

    async def lose_request(self, intent: Intent) -> OwnOrder:
        """It never arrived, and nobody hears of that."""
        raise ExchangeUnclear("timeout")

    async def refuse(self, intent: Intent) -> OwnOrder:
        raise ExchangeRefused("funds", "balance insufficient")

    async def known(self, client_id: str) -> OwnOrder | None:
        return self.orders.get(client_id)

    def fill(self, client_id: str, quantity: str | Decimal, trade_id: str, *, told: bool = True) -> None:
        """Part or all of an order is traded; the stream tells it, or does not."""
        order = self.orders[client_id]
        filled = order.filled + Decimal(quantity)
        status = "filled" if filled == order.quantity else order.status
        self.orders[client_id] = order._replace(filled=filled, status=status)
        trade = OwnTrade(
            *(order.symbol, trade_id, order.exchange_id, client_id, order.side, order.price, Decimal(quantity)),
            *(ZERO, "USDT", True, self.now_ms()),
        )
        self.trades.append(trade)
        if told:
            self.hears.put_nowait(trade)

    def ended(self, client_id: str, *, told: bool = True) -> None:
        """The exchange has taken an order out."""
        self.orders[client_id] = self.orders[client_id]._replace(status="cancelled")
        if told:
            self.hears.put_nowait(self.orders[client_id])

    # --- the port -----------------------------------------------------------------------------------------------

    async def place(self, intent: Intent, window_ms: int) -> OwnOrder:
        self.sent.append(intent)
        self.windows.append(window_ms)
        await asyncio.sleep(0.02)
        return await self.answer(intent)

    async def cancel(self, symbol: str, client_ids: Sequence[str]) -> None:
        for client_id in client_ids:
            self.cancelled.append(client_id)
            order = self.orders.get(client_id)
            if order is not None and order.status == "open":
                self.ended(client_id)

    async def find(self, symbol: str, client_id: str) -> OwnOrder | None:
        self.found += 1
        return await self.finding(client_id)

    async def find_by_id(self, symbol: str, exchange_id: str) -> OwnOrder | None:
        self.owners_asked.append(exchange_id)
        return next((one for one in self.orders.values() if one.exchange_id == exchange_id), None)

    async def open_orders(self, symbol: str) -> Sequence[OwnOrder]:
        return [one for one in self.orders.values() if one.status == "open"]

    async def trades_after(self, symbol: str, cursor: str) -> Page:
        end = str(len(self.trades))
        return Page(self.trades[int(cursor) :] if cursor else (), end)

    async def trades_of(self, symbol: str, exchange_id: str) -> Sequence[OwnTrade]:
        return [one for one in self.trades if one.exchange_id == exchange_id]

    async def balances(self) -> Mapping[str, Balance]:
        return {}

    async def rights(self) -> Rights:
        return Rights(True, True, False, True)

    async def market(self, symbol: str) -> MarketNow:
        raise NotImplementedError

    async def price_of(self, symbol: str) -> Price | None:
        return Decimal(600) if symbol == "BNB/USDT" else None

    async def measure_clock(self) -> int:
        return 0

    async def news(self) -> AsyncIterator[News]:
        yield StreamBegan(self.now_ms())
        while True:
            yield await self.hears.get()

    async def aclose(self) -> None:
        """Nothing to give back."""
