"""The one place where faults strike requests: a middleware around every exchange's routes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from autogrid.simulator.app_keys import CALLS, FAULT_ANSWER, FAULTS, OPERATION
from autogrid.simulator.faults import Fault
from autogrid.trading.money import use_exact_figures

Act = Callable[[web.Request], Awaitable[web.StreamResponse]]
HTML: Final = "<html><head><title>Just a moment...</title></head><body><h1>502 Bad Gateway</h1></body></html>"
BEFORE: Final = ("refuse-connect", "reset-before", "delay-before")
REFUSED: Final = ("limit-429", "ban-418", "clock-skew", "maintenance", "error-5xx")
AFTER: Final = ("lost-answer", "truncated", "html", "delay-after")


@web.middleware
async def strike(request: web.Request, handler: Act) -> web.StreamResponse:
    """Do what is asked, unless and until a fault strikes."""
    use_exact_figures()
    app = request.app
    operation, faults = app[OPERATION](request), app[FAULTS]
    app[CALLS][operation] += 1
    before = faults.draw(operation, *BEFORE)
    if before is not None and before.kind == "delay-before":
        await asyncio.sleep(before.ms / 1000)
    elif before is not None:
        return _gone(request)
    refused = faults.draw(operation, *REFUSED, *(("not-found-at-first",) if operation == "find" else ()))
    if refused is not None and not (refused.kind == "error-5xx" and refused.ms == 1):
        return app[FAULT_ANSWER](refused, request)
    done = await handler(request)
    if refused is not None:
        return app[FAULT_ANSWER](refused, request)
    after = faults.draw(operation, *AFTER) if isinstance(done, web.Response) else None
    return done if after is None or not isinstance(done, web.Response) else await _spoil(request, done, after)


async def _spoil(request: web.Request, done: web.Response, fault: Fault) -> web.StreamResponse:
    """The answer of a request that was done, as `fault` lets it arrive."""
    if fault.kind == "delay-after":
        await asyncio.sleep(fault.ms / 1000)
        return done
    if fault.kind == "lost-answer":
        return _gone(request)
    if fault.kind == "html":
        return web.Response(text=HTML, content_type="text/html")
    body = done.body if isinstance(done.body, bytes) else b""
    half = web.StreamResponse(status=done.status, headers={"Content-Type": "application/json"})
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return half


def _gone(request: web.Request) -> web.Response:
    """The connection ends here."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
