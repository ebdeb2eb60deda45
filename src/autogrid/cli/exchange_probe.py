"""Whether an exchange answers, and how far our clock is from its: through ccxt, which takes seconds to load."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import ccxt

from autogrid.cli.doctor_checks import Reached
from autogrid.exchanges.public_client import public_client

PATIENCE_S: Final = 8.0


async def probe(
    exchange: str, client_factory: Callable[[str], Any] = public_client, patience_s: float = PATIENCE_S
) -> Reached:
    """Ask an exchange its time, once; the way there is taken to be as long as the way back. Raises nothing."""
    client = client_factory(exchange)
    try:
        async with asyncio.timeout(patience_s):
            began_ms = _now_ms()
            told_ms = int(await client.fetch_time())
            ended_ms = _now_ms()
    except TimeoutError:
        return Reached(exchange, fault=f"no answer within {patience_s:g} s")
    except (ccxt.BaseError, OSError, TypeError, ValueError) as error:
        return Reached(exchange, fault=_short(error))
    finally:
        await client.close()
    return Reached(exchange, (began_ms + ended_ms) // 2 - told_ms)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160].rstrip(".") or type(error).__name__
