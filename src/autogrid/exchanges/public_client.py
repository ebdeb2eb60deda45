"""A ccxt client for what an exchange tells everyone: spot markets only, no keys, figures as the text they came in.

ccxt turns figures into floats; here it is told to leave them as text (`number = str`), so that a price has the
digits the exchange sent. Where ccxt reckons in floats all the same, `exact` takes their shortest text.
"""

from decimal import Decimal
from typing import Any

import ccxt.async_support
import ccxt.pro

from autogrid.exchanges.candle_download import ccxt_client
from autogrid.exchanges.connect_to import through_shared_session
from autogrid.trading.money import figure

KEEP_ALIVE_MS = 10_000
"""So often a quiet stream is asked whether it lives."""


def public_client(exchange: str) -> Any:
    """A client for single requests. Raises UnableToDownload (`unknown_exchange`)."""
    return _only_spot(ccxt_client(exchange))


def streaming_client(exchange: str) -> Any:
    """As `public_client`, with streams where ccxt has them. Raises UnableToDownload (`unknown_exchange`)."""
    plain: Any = ccxt_client(exchange)
    if exchange not in ccxt.pro.exchanges:
        return _only_spot(plain)
    config = {
        "enableRateLimit": True,
        "options": {name: plain.options[name] for name in ("defaultType", "fetchMarkets")},
        "streaming": {"keepAlive": KEEP_ALIVE_MS},
    }
    return _only_spot(through_shared_session(getattr(ccxt.pro, exchange)(config)))


def exact(figure_told: object) -> Decimal | None:
    """A figure from a ccxt structure; None where there is none. Raises UnableToReadFigure."""
    if figure_told is None or figure_told == "":
        return None
    return figure(repr(figure_told) if isinstance(figure_told, float) else str(figure_told))


def _only_spot(client: Any) -> Any:
    client.number = str
    client.has["fetchCurrencies"] = False
    client.options["fetchMargins"] = False
    if isinstance(client, ccxt.async_support.mexc):
        # It asks for its futures whatever it is told, and fails where those fail.
        client.fetch_swap_markets = _no_markets
    return client


async def _no_markets(_params: object = None) -> list[Any]:
    return []
