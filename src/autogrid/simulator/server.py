"""Web servers for the simulated exchanges: each on a TLS port of its own, which answers to any host name.

An exchange's package gives its routes (`add_routes`), how to tell operations apart, and its words for refusals that
faults make up; here they become an application with the faults around it.
"""

import ssl
from collections import Counter
from collections.abc import Callable
from typing import Final

from aiohttp import web

from autogrid.simulator.app_keys import CALLS, FAULTS, SUBSCRIBERS, WORLD
from autogrid.simulator.faults import Faults
from autogrid.simulator.request_faults import strike
from autogrid.simulator.streams import Subscribers
from autogrid.simulator.world import World

AddRoutes = Callable[[web.Application, World, Faults], None]
"""Adds an exchange's routes to the application, and sets its OPERATION and FAULT_ANSWER."""
LOOPBACK: Final = "127.0.0.1"


def make_app(add_routes: AddRoutes, world: World, faults: Faults) -> web.Application:
    """One exchange as a web application."""
    app = web.Application(middlewares=[strike])
    app[WORLD], app[FAULTS] = world, faults
    app[CALLS], app[SUBSCRIBERS] = Counter(), Subscribers()
    add_routes(app, world, faults)
    return app


class Listening:
    """An application that listens on a port of the loopback."""

    def __init__(self, app: web.Application, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        """`port` 0: any that is free."""
        self.app = app
        self.port = port
        self._tls = tls
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handle_signals=False)
        self._site: web.TCPSite | None = None

    async def start(self) -> None:
        """Listen. Raises OSError where the port is taken."""
        if self._runner.server is None:
            await self._runner.setup()
        self._site = web.TCPSite(self._runner, LOOPBACK, self.port, ssl_context=self._tls, reuse_address=True)
        await self._site.start()
        assert self._runner.addresses
        self.port = int(self._runner.addresses[0][1])

    async def refuse(self) -> None:
        """Take no more connections, until `start`; those that stand go on."""
        if self._site is not None:
            await self._site.stop()
            self._site = None

    async def stop(self) -> None:
        """End."""
        await self._runner.cleanup()

    async def __aenter__(self) -> "Listening":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
