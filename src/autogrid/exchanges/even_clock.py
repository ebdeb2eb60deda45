"""A clock that goes on evenly: UTC as this machine had it when the process began, whatever is done to that clock since.

A machine's clock may be set by an hour while bots run. What only measures how long ago something was, and what an
exchange's clock is reckoned from, must not jump with it: a bot's time never runs back, so it would stand still for that
hour.
"""

import time
from typing import Final

from autogrid.engine.lease import steady_ms

_BEGAN_MS: Final = time.time_ns() // 1_000_000 - steady_ms()


def even_ms() -> int:
    """UTC milliseconds."""
    return _BEGAN_MS + steady_ms()


def even_s() -> float:
    """UTC seconds."""
    return even_ms() / 1_000
