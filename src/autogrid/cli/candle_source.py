"""Where `data download` gets its candles: an exchange's public interface, through ccxt, which takes seconds to load."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from autogrid.backtesting.candle_store import Candle, CandleKey
from autogrid.exchanges.candle_download import Request, UnableToDownload, download
from autogrid.services.candles import UnableToFetchCandles


async def fetch(
    key: CandleKey, start_ms: int, end_ms: int, told: Callable[[float], None]
) -> AsyncGenerator[list[Candle], None]:
    """As `autogrid.services.candles.Fetch`."""
    request = Request(key.exchange, key.symbol, key.timeframe, start_ms, end_ms)
    try:
        async with aclosing(download(request, progress=lambda progress: told(progress.share))) as pages:
            async for page in pages:
                yield page
    except UnableToDownload as error:
        raise UnableToFetchCandles(error.code, error.sentence) from None
