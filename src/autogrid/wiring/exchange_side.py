"""The wiring of real exchanges: keys from the vault, prices and candles from the exchange.

Apart from `wiring.live` because ccxt takes seconds to load, and tests have exchanges of their own.
"""

from collections.abc import Callable
from typing import Any

from autogrid.engine.live_exchange import Candles
from autogrid.engine.prices import MarketPrices
from autogrid.engine.timing import PATIENT, Timing
from autogrid.engine.venue import Venue
from autogrid.exchanges.ccxt_exchange import open_account
from autogrid.exchanges.even_clock import even_ms
from autogrid.exchanges.limited_client import limited
from autogrid.exchanges.live_candles import Wanted
from autogrid.exchanges.live_closed import ClosedCandles
from autogrid.exchanges.live_prices import LivePrices, Traded
from autogrid.exchanges.public_client import public_client
from autogrid.exchanges.trade_stream import trade_client
from autogrid.exchanges.user_stream import STREAM_PATIENCE, StreamPatience
from autogrid.security.vault import Vault
from autogrid.services.credentials import opened
from autogrid.services.key_watch import KeyWatch
from autogrid.storage.bots import BotRow
from autogrid.storage.database import Database
from autogrid.trading.money import Price
from autogrid.wiring.credentials import account_to_check
from autogrid.wiring.live import LiveSide

ENGINE = "the engine"


def live_side(
    database: Database, vault: Vault, timing: Timing = PATIENT, patience: StreamPatience = STREAM_PATIENCE
) -> LiveSide:
    """Live trading with the keys of `vault`."""

    async def open_venue(name: str) -> Venue:
        key = await opened(database, vault, name, ENGINE, "to trade")
        return open_account(key.exchange, key.api_key.reveal(), key.secret.reveal(), patience=patience)

    keys = KeyWatch(database, vault, account_to_check)
    return LiveSide(database, open_venue, follow, closed_candles, timing, keys.attend, even_ms)


async def follow(exchange: str, symbol: str, hear: Callable[[int, Price], None]) -> None:
    """The prices of a market, until cancelled."""

    def tell(traded: Traded) -> None:
        hear(traded.at_ms, traded.price)

    await LivePrices((exchange, symbol), tell, trade_client, clock_ms=even_ms).run()


def closed_candles(row: BotRow, timeframe_ms: int, warm_up: int, prices: MarketPrices, cursor: str) -> Candles:
    """Closed candles for a bot."""
    wanted = Wanted(row.exchange or "", row.symbol, timeframe_ms, warm_up)
    return ClosedCandles(wanted, lambda: prices.at_ms or None, cursor, candle_client=_candle_client)


def _candle_client(exchange: str) -> Any:
    return limited(public_client(exchange))
