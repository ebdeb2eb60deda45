"""Public prices and candles wait for their turn at an exchange, as all other requests of the process do.

Without this the prices of a bot would go on asking while the exchange wants to be left alone, which earns a ban for the
address and so for every bot on it.
"""

from collections.abc import Mapping
from typing import Any, Final

import ccxt

from autogrid.engine.venue import ExchangeAway
from autogrid.exchanges.limits import limiter_of

WEIGHT: Final = 25
"""Of the dearest request that prices make, at Binance: the newest trades."""
WAIT_S: Final = {429: 10.0, 418: 120.0, 403: 120.0}
"""Where the exchange does not say how long to stay away."""


def limited(client: Any) -> Any:
    """A ccxt client whose requests wait for their turn from now on; itself. Wants a running loop.

    They raise `ccxt.RateLimitExceeded` where their turn does not come in time.
    """
    limiter = limiter_of(client.id)
    fetch, on_response = client.fetch, client.on_rest_response

    async def in_turn(url: str, *more: Any, **named: Any) -> Any:
        try:
            await limiter.turn("read", WEIGHT)
        except ExchangeAway as away:
            raise ccxt.RateLimitExceeded(str(away)) from None
        return await fetch(url, *more, **named)

    def noted(status: int, reason: str, url: str, method: str, headers: Mapping[str, str], *more: Any) -> Any:
        if status in WAIT_S:
            told = {str(name).lower(): str(value) for name, value in headers.items()}.get("retry-after", "")
            limiter.stop(float(told) if told.isdecimal() else WAIT_S[status], banned=status != 429)
        return on_response(status, reason, url, method, headers, *more)

    client.fetch, client.on_rest_response = in_turn, noted
    return client
