"""An account on a real exchange, over ccxt: the port `Venue`.

Binance, Bybit and MEXC spot have a dialect each and are tested against a simulator of their wire; any other exchange
that ccxt knows is spoken to through ccxt's own structures, and is untested. What every exchange has in common stands
here: the clock, the markets, the stream's client. Keys are held by the ccxt client and told to nobody.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final

from autogrid.engine.venue import (
    Balance,
    ExchangeAway,
    ExchangeRefused,
    Intent,
    MarketNow,
    News,
    OwnOrder,
    OwnTrade,
    Page,
    Rights,
)
from autogrid.exchanges.binance_dialect import BinanceDialect
from autogrid.exchanges.bybit_dialect import BybitDialect
from autogrid.exchanges.candle_download import UnableToDownload
from autogrid.exchanges.ccxt_reading import market_now
from autogrid.exchanges.ccxt_wire import WINDOW_MS, Wire, prepare
from autogrid.exchanges.dialect import Dialect
from autogrid.exchanges.limits import Limiter
from autogrid.exchanges.market_cache import UnableToFindMarket
from autogrid.exchanges.mexc_dialect import MexcDialect
from autogrid.exchanges.other_dialect import OtherDialect
from autogrid.exchanges.public_client import public_client, streaming_client
from autogrid.exchanges.user_stream import STREAM_PATIENCE, StreamPatience, UserStream
from autogrid.trading.money import Price

DIALECTS: Final[Mapping[str, Callable[[Wire], Dialect]]] = {
    "binance": BinanceDialect,
    "bybit": BybitDialect,
    "mexc": MexcDialect,
}
TESTED: Final = frozenset(DIALECTS)
"""Exchanges whose dialect is tested; others are not."""


class CcxtExchange:
    """One account on one exchange; see `Venue` for what its methods promise."""

    def __init__(self, wire: Wire, dialect: Dialect, new_stream: Callable[[], Any], patience: StreamPatience) -> None:
        """Use `open_account`."""
        self._wire = wire
        self._dialect = dialect
        self._new_stream = new_stream
        self._patience = patience
        wire.server_ms = dialect.server_ms

    def __repr__(self) -> str:
        return f"CcxtExchange({self.exchange})"

    @property
    def exchange(self) -> str:
        """See Venue."""
        return self._wire.exchange

    @property
    def cancels_at_once(self) -> int:
        """See Venue."""
        return self._dialect.cancels_at_once

    async def place(self, intent: Intent, window_ms: int) -> OwnOrder:
        """See Venue. What is done before the order is sent counts into its window."""
        asked_s = time.monotonic()
        await self._ready()
        left_ms = min(window_ms, WINDOW_MS) - int((time.monotonic() - asked_s) * 1_000)
        return await self._dialect.place(intent, left_ms)

    async def cancel(self, symbol: str, client_ids: Sequence[str]) -> None:
        """See Venue."""
        await self._ready()
        await self._dialect.cancel(symbol, client_ids)

    async def find(self, symbol: str, client_id: str) -> OwnOrder | None:
        """See Venue."""
        await self._ready()
        return await self._dialect.find(symbol, client_id)

    async def find_by_id(self, symbol: str, exchange_id: str) -> OwnOrder | None:
        """See Venue."""
        await self._ready()
        return await self._dialect.find_by_id(symbol, exchange_id)

    async def open_orders(self, symbol: str) -> Sequence[OwnOrder]:
        """See Venue."""
        await self._ready()
        return await self._dialect.open_orders(symbol)

    async def trades_of(self, symbol: str, exchange_id: str) -> Sequence[OwnTrade]:
        """As `Venue.trades_of`."""
        return await self._dialect.trades_of(symbol, exchange_id)

    async def trades_after(self, symbol: str, cursor: str) -> Page:
        """See Venue."""
        await self._ready()
        return await self._dialect.trades_after(symbol, cursor)

    async def balances(self) -> Mapping[str, Balance]:
        """See Venue."""
        await self._ready()
        return await self._dialect.balances()

    async def rights(self) -> Rights:
        """See Venue."""
        await self._ready()
        return await self._dialect.rights()

    async def market(self, symbol: str) -> MarketNow:
        """See Venue."""
        await self._ready()
        told = await self._dialect.rules(symbol)
        if told is None or not told.get("spot", True):
            raise ExchangeRefused("symbol", f"{self.exchange} has no spot market '{symbol}'")
        try:
            return market_now(told, self.exchange)
        except UnableToFindMarket as error:
            raise ExchangeAway(error.sentence) from None

    async def price_of(self, symbol: str) -> Price | None:
        """See Venue."""
        return await self._dialect.price_of(symbol)

    def now_ms(self) -> int:
        """See Venue."""
        return self._wire.now_ms()

    async def measure_clock(self) -> int:
        """See Venue."""
        return await self._wire.measure_clock()

    def news(self) -> AsyncIterator[News]:
        """See Venue."""
        return UserStream(self._stream_client, self._dialect, self.now_ms, self._patience).news()

    async def aclose(self) -> None:
        """See Venue. A `news` that is being read is closed by its reader."""
        await self._wire.aclose()

    async def _ready(self) -> None:
        await self._wire.markets()
        await self._wire.measure_if_due()

    async def _stream_client(self) -> Any:
        """A fresh streaming client, on the exchange's clock. Raises ExchangeAway, ExchangeRefused."""
        await self._wire.markets()
        await self._wire.measure_clock()
        client = self._new_stream()
        client.set_markets_from_exchange(self._wire.client)
        client.options["timeDifference"] = self._wire.client.options["timeDifference"]
        client.options["recvWindow"] = WINDOW_MS
        client.streaming["keepAlive"] = int(self._patience.keep_alive_s * 1_000)
        return client


def open_account(
    exchange: str,
    api_key: str,
    secret: str,
    password: str | None = None,
    *,
    limiter: Limiter | None = None,
    patience: StreamPatience = STREAM_PATIENCE,
) -> CcxtExchange:
    """An account, by its key; nothing is asked yet. `limiter`: the process's own where none is given.

    Raises ExchangeRefused (`other`) where there is no such exchange.
    """

    def with_key(client: Any) -> Any:
        client.apiKey, client.secret = api_key, secret
        if password is not None:
            client.password = password
        return client

    try:
        wire = Wire(with_key(public_client(exchange)), limiter)
    except UnableToDownload as error:
        raise ExchangeRefused("other", error.sentence) from None
    dialect = DIALECTS.get(exchange, OtherDialect)(wire)
    return CcxtExchange(wire, dialect, lambda: prepare(with_key(streaming_client(exchange))), patience)
