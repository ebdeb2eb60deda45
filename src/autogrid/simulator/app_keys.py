"""What each exchange's web application carries, for the server around it."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from aiohttp import web

from autogrid.simulator.faults import Fault, Faults
from autogrid.simulator.streams import Subscribers
from autogrid.simulator.world import World

WORLD: Final = web.AppKey("world", World)
FAULTS: Final = web.AppKey("faults", Faults)
SUBSCRIBERS: Final = web.AppKey("subscribers", Subscribers)
"""Of its streams, all that are open."""
CALLS: Final = web.AppKey("calls", Counter[str])
"""How often each operation was asked for."""
OPERATION: Final[web.AppKey[Callable[[web.Request], str]]] = web.AppKey("operation")
"""Which of `faults.OPERATIONS` a request is."""
FAULT_ANSWER: Final[web.AppKey[Callable[[Fault, web.Request], web.Response]]] = web.AppKey("fault_answer")
"""The exchange's own words for a refusal that a fault makes up: `error-5xx`, `limit-429`, `ban-418`, `clock-skew`,
`maintenance`, and `not-found-at-first`."""
