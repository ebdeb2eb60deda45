"""The control plane: a plain HTTP port of the loopback through which a drill looks into the worlds and disturbs them.

Everything is JSON; money is text. `?exchange=binance` means that one exchange, without it all are meant. Answers are by
exchange.

    GET    /world                 wallets, orders, trades, prices, calls, rate limits, streams
    GET    /faults                those wanted, and how many of each kind were given
    POST   /faults                {"kind", "share", "count", "where", "ms"}, or a list of them
    DELETE /faults                no more of them; /faults/3: that one
    POST   /halt                  {"symbol", "halted": true}
    POST   /market                {"symbol", "tick": "0.1", …}: other rules
    POST   /credit                {"account", "asset", "amount": "-5"}
    POST   /move                  {"symbol", "price", "quantity", "most"}
    POST   /depth                 {"symbol", "depth": "0.5"}: what one arriving order may trade; null: any
    POST   /prices                {"running": false, "speed": 60}: the price source
    POST   /step                  {"stops": ["60000"]}: it stands, and goes on to the next corner, order or stop
    POST   /stall                 {"ms"}: streams are silent; 0: for ever
    POST   /drop-streams          they break
    POST   /refuse                {"refuse": true}: take no connections, until false
    POST   /forgive               no more 429 and 418
"""

import dataclasses
import json
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Final

from aiohttp import web

from autogrid.simulator.app_keys import SUBSCRIBERS
from autogrid.simulator.binance.keys import LIMITS
from autogrid.simulator.control_shapes import world_picture
from autogrid.simulator.faults import Fault, UnableToPlan
from autogrid.simulator.price_source import Prices
from autogrid.simulator.records import UnableToTrade
from autogrid.simulator.running import Exchange
from autogrid.trading.market import Market, ThirdAsset
from autogrid.trading.money import UnableToReadFigure, figure, text, use_exact_figures

Asked = Mapping[str, object]
Answer = Awaitable[web.Response]
Stream = Awaitable[web.StreamResponse]
FIGURES: Final = (
    "tick",
    "lot",
    "min_notional",
    "maker_fee",
    "taker_fee",
    "min_quantity",
    "max_quantity",
    "least_share",
    "most_share",
)
"""Rules of a market that are figures."""


class Control:
    """What can be asked of the control plane."""

    def __init__(self, exchanges: list[Exchange], prices: list[Prices]) -> None:
        self._exchanges = exchanges
        self._prices = prices

    def app(self) -> web.Application:
        """As a web application."""
        app = web.Application(middlewares=[in_sentences])
        app.router.add_get("/world", self._show)
        app.router.add_get("/faults", self._show_faults)
        app.router.add_post("/faults", self._add_faults)
        app.router.add_delete("/faults", self._remove_faults)
        app.router.add_delete("/faults/{id}", self._remove_faults)
        app.router.add_post("/prices", self._set_prices)
        app.router.add_post("/step", self._step)
        app.router.add_post("/refuse", self._refuse)
        acts: Mapping[str, Callable[[Exchange, Asked], object]] = {
            "/halt": _halt,
            "/market": _set_market,
            "/credit": _credit,
            "/move": _move,
            "/depth": _set_depth,
            "/stall": lambda one, asked: one.listening.app[SUBSCRIBERS].stall(_whole(asked, "ms")),
            "/drop-streams": lambda one, _: one.listening.app[SUBSCRIBERS].drop(),
            "/forgive": _forgive,
        }
        for path, act in acts.items():
            app.router.add_post(path, self._to_each(act))
        return app

    def _meant(self, request: web.Request) -> list[Exchange]:
        name = request.query.get("exchange")
        meant = [one for one in self._exchanges if name in (None, one.name)]
        if not meant:
            raise UnableToPlan(f"no exchange '{name}' runs here")
        return meant

    def _to_each(self, act: Callable[[Exchange, Asked], object]) -> Callable[[web.Request], Answer]:
        async def answer(request: web.Request) -> web.Response:
            asked = await _body(request)
            return web.json_response({one.name: act(one, asked) for one in self._meant(request)})

        return answer

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response({one.name: world_picture(one) for one in self._meant(request)})

    async def _show_faults(self, request: web.Request) -> web.Response:
        told = {}
        for one in self._meant(request):
            wanted = {str(number): dataclasses.asdict(fault) for number, fault in one.faults.list().items()}
            told[one.name] = {"wanted": wanted, "given": dict(one.faults.given)}
        return web.json_response(told)

    async def _add_faults(self, request: web.Request) -> web.Response:
        told = json.loads(await request.text())
        faults = [fault_of(one) for one in (told if isinstance(told, list) else [told])]
        return web.json_response(
            {one.name: [one.faults.add(fault) for fault in faults] for one in self._meant(request)}
        )

    async def _remove_faults(self, request: web.Request) -> web.Response:
        number = request.match_info.get("id")
        for one in self._meant(request):
            if number is None:
                one.faults.clear()
            else:
                one.faults.remove(int(number))
        return web.json_response({})

    async def _set_prices(self, request: web.Request) -> web.Response:
        asked = await _body(request)
        for one in self._prices:
            if "speed" in asked:
                one.speed = float(str(asked["speed"]))
            if "running" in asked:
                (one.go_on if asked["running"] else one.hold)()
        return web.json_response({one.symbol: {"steps": one.taken, "ended": one.ended} for one in self._prices})

    async def _step(self, request: web.Request) -> web.Response:
        asked = await _body(request)
        told = asked.get("stops", [])
        if not isinstance(told, list):
            raise UnableToPlan("'stops' is a list of prices")
        stops = [figure(str(one)) for one in told]
        reached = {one.symbol: one.step(stops) for one in self._prices}
        return web.json_response({symbol: None if price is None else text(price) for symbol, price in reached.items()})

    async def _refuse(self, request: web.Request) -> web.Response:
        asked = await _body(request)
        for one in self._meant(request):
            await (one.listening.refuse() if asked.get("refuse", True) else one.listening.start())
        return web.json_response({})


def fault_of(told: object) -> Fault:
    """A fault as JSON tells it. Raises UnableToPlan."""
    if not isinstance(told, dict) or not isinstance(told.get("kind"), str):
        raise UnableToPlan('a fault is an object such as {"kind": "lost-answer", "share": 0.5, "where": "place"}')
    unknown = set(told) - {field.name for field in dataclasses.fields(Fault)}
    if unknown:
        raise UnableToPlan(f"a fault has no {', '.join(sorted(unknown))}")
    numbers = (told.get("share", 1.0), told.get("count") or 0, told.get("ms", 0))
    if not isinstance(numbers[0], int | float) or not all(isinstance(number, int) for number in numbers[1:]):
        raise UnableToPlan("share, count and ms of a fault are numbers")
    return Fault(**told)


async def _body(request: web.Request) -> Asked:
    told = json.loads(await request.text() or "{}")
    if not isinstance(told, dict):
        raise UnableToPlan("an object is wanted")
    return told


def _halt(one: Exchange, asked: Asked) -> object:
    (one.world.halt if asked.get("halted", True) else one.world.resume)(_text(asked, "symbol"))
    return None


def _set_market(one: Exchange, asked: Asked) -> object:
    symbol = _text(asked, "symbol")
    market = one.world.markets.get(symbol)
    if market is None:
        raise UnableToPlan(f"there is no market {symbol}")
    changed: dict[str, object] = {name: _figure(asked, name) for name in FIGURES if asked.get(name) is not None}
    if "max_orders" in asked:
        changed["max_orders"] = _whole(asked, "max_orders")
    if "fee_in" in asked:
        changed["fee_in"] = _fee_in(asked["fee_in"])
    one.world.set_market(symbol, _changed(market, changed))
    return None


def _changed(market: Market, changed: Mapping[str, object]) -> Market:
    return dataclasses.replace(market, **changed)  # type: ignore[arg-type]


def _fee_in(told: object) -> object:
    if isinstance(told, dict):
        return ThirdAsset(_text(told, "asset"), _figure(told, "price"))
    if told not in ("received", "quote"):
        raise UnableToPlan('fee_in is "received", "quote", or {"asset": "BNB", "price": "600"}')
    return told


def _credit(one: Exchange, asked: Asked) -> object:
    account = str(asked.get("account") or one.world.accounts()[0])
    if account not in one.world.accounts():
        raise UnableToPlan(f"there is no account {account}")
    one.world.credit(account, _text(asked, "asset"), _figure(asked, "amount"))
    return None


def _move(one: Exchange, asked: Asked) -> object:
    most = None if asked.get("most") is None else _figure(asked, "most")
    quantity = Decimal(1) if asked.get("quantity") is None else _figure(asked, "quantity")
    one.world.move(_text(asked, "symbol"), _figure(asked, "price"), quantity, most=most)
    return None


def _set_depth(one: Exchange, asked: Asked) -> object:
    one.world.set_depth(_text(asked, "symbol"), None if asked.get("depth") is None else _figure(asked, "depth"))
    return None


def _forgive(one: Exchange, asked: Asked) -> object:  # noqa: ARG001
    if LIMITS in one.listening.app:
        one.listening.app[LIMITS].forgive()
    return None


def _text(asked: Asked, name: str) -> str:
    told = asked.get(name)
    if not isinstance(told, str) or not told:
        raise UnableToPlan(f"'{name}' is missing")
    return told


def _figure(asked: Asked, name: str) -> Decimal:
    return figure(_text(asked, name))


def _whole(asked: Asked, name: str) -> int:
    told = asked.get(name, 0)
    if not isinstance(told, int):
        raise UnableToPlan(f"'{name}' is a whole number")
    return told


@web.middleware
async def in_sentences(request: web.Request, handler: Callable[[web.Request], Stream]) -> web.StreamResponse:
    """What cannot be done is said with 400."""
    use_exact_figures()
    try:
        return await handler(request)
    except (UnableToPlan, UnableToTrade, UnableToReadFigure, ValueError) as error:
        return web.json_response({"error": str(error)}, status=400)
