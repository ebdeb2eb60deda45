"""What Binance's web application carries besides, for the control plane."""

from typing import Final

from aiohttp import web

from autogrid.simulator.binance.limits import Limits

LIMITS: Final = web.AppKey("limits", Limits)
"""Its rate limits."""
