"""Whose candles a file holds, as far as its name says: names of public archives, of freqtrade, and our own."""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from autogrid.backtesting.candle_store import TIMEFRAME

QUOTES: Final = ("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "USD", "EUR", "BRL", "GBP", "TRY", "BTC", "ETH", "BNB")
"""Assets that others are priced in, the more frequent first."""
EXCHANGES: Final = frozenset(
    {
        *("binance", "binanceus", "bitfinex", "bitget", "bitstamp", "bybit", "coinbase", "gate"),
        *("gateio", "huobi", "htx", "kraken", "kucoin", "mexc", "okx"),
    }
)
"""Exchanges whose names occur in names of files and folders, as ccxt calls them."""
FUTURES: Final = frozenset(
    {"usdm", "coinm", "um", "cm", "linear", "inverse", "futures", "future", "swap", "perp", "perpetual"}
)
ARCHIVE: Final = re.compile(r"[A-Z0-9]{5,}-[1-9]\d?(s|m|h|d|w|mo|M)-\d{4}-\d{2}(-\d{2})?")
"""Binance's public archive: `BTCUSDT-1m-2024-01.zip`."""


@dataclass(frozen=True, slots=True)
class NamedCandles:
    """What a name says; None: nothing."""

    exchange: str | None
    symbol: str | None
    """`BTC/USDT`."""
    timeframe: str | None
    futures: bool
    """Whether it says that these are no candles of a spot market."""


def named(path: Path) -> NamedCandles:
    """What the name of a file says, and of its folder."""
    stem = path.name.split(".")[0]
    words = [word for word in re.split(r"[^A-Za-z0-9]+", stem) if word]
    folders = [part.lower() for part in path.parts[-4:-1]]
    futures = any(word.lower() in FUTURES for word in (*words, *folders[-1:]))
    pairs = [word for word in words if not _is_said(word)]
    symbol = _pair(pairs) or _joined(pairs)
    # freqtrade writes what a future is settled in behind the pair: BTC_USDT_USDT.
    futures = futures or bool(symbol and symbol.replace("/", "_") + "_" + symbol.split("/")[1] in stem.upper())
    return NamedCandles(_exchange(stem, words, folders), symbol, _timeframe(words), futures)


def _is_said(word: str) -> bool:
    """Whether a word is something else than an asset."""
    low = word.lower()
    return low in EXCHANGES or low in FUTURES or low == "spot" or bool(TIMEFRAME.fullmatch(word))


def _exchange(stem: str, words: list[str], folders: list[str]) -> str | None:
    known = [word.lower() for word in words[:1] if word.lower() in EXCHANGES]
    known += [folder for folder in reversed(folders) if folder in EXCHANGES]
    return known[0] if known else "binance" if ARCHIVE.fullmatch(stem) else None


def _timeframe(words: list[str]) -> str | None:
    candidates = (re.sub(r"(?<=\d)mo$", "M", word) for word in words)
    return next((word for word in candidates if TIMEFRAME.fullmatch(word)), None)


def _pair(words: list[str]) -> str | None:
    """`BTC`, `USDT`."""
    upper = [word.upper() for word in words]
    for base, quote in pairwise(upper):
        if quote in QUOTES and not base.isdecimal():
            return f"{base}/{quote}"
    return None


def _joined(words: list[str]) -> str | None:
    """`BTCUSDT`."""
    for word in (one.upper() for one in words):
        for quote in QUOTES:
            if word.endswith(quote) and len(word) > len(quote):
                return f"{word.removesuffix(quote)}/{quote}"
    return None
