"""The exchange of the live benchmarks: the simulator's Binance over TLS in a process of its own, and what drives it.

Orders, fills, streams and answers are the simulator's. Other than there: most public trades are told at the price that
stands, straight to who follows them, for moving the books of a thousand bots five thousand times a second is more than
a core can do; about once a second each symbol moves, and then its books are filled as ever. And the limits of requests
are lifted on demand, so that a thousand bots can place their first orders in a minute.

It listens to commands on its standard input and answers on its standard output, one JSON object a line:
`{"messages": 5000}` a second, `{"step": 0.001}` how far a symbol moves in a second (share, standard deviation; 0: it
stands), `{"limits": true}` as Binance's, from nothing, or none, `{"tell": true}` how much was done so far.
"""

import argparse
import asyncio
import json
import random
import resource
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import uvloop

from autogrid.simulator.app_keys import CALLS
from autogrid.simulator.binance.app import add_routes
from autogrid.simulator.binance.keys import LIMITS
from autogrid.simulator.binance.limits import MINUTE_MS, Window
from autogrid.simulator.binance.market_streams import Hub
from autogrid.simulator.certificate import make_certificates
from autogrid.simulator.faults import Faults
from autogrid.simulator.price_source import usual_market
from autogrid.simulator.records import Key, OrderNews, WorldNews
from autogrid.simulator.running import make_world
from autogrid.simulator.server import Listening, make_app
from autogrid.simulator.world import World
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO, Price, use_exact_figures

SLICE_S: Final = 0.005
"""So often trades are told."""
MOST_WAITING: Final = 20_000
"""Frames that may wait to be written to one follower; beyond that it is not told."""
SWING: Final = 0.03
"""Prices stay this close to where they began, as a share."""
PULL: Final = 200.0
"""Seconds in which most of a deviation from the first price is lost."""
LIFTED: Final = 1_000_000_000


def symbols_of(count: int) -> dict[str, Price]:
    """Symbols and where their prices begin."""
    return {f"C{number:02d}/USDT": Decimal(100 * (number + 1)) for number in range(count)}


def market_of(symbol: str, price: Price) -> Market:
    """The rules of a symbol."""
    base, quote = symbol.split("/")
    return usual_market(base, quote, price)


def key_of(account: str) -> tuple[str, str]:
    """Key and secret of an account; they open nothing."""
    return f"load{account}key0000000", f"load{account}secret000000"


class Crowd:
    """All others who trade: they move prices, and tell of trades."""

    def __init__(self, world: World, starts: dict[str, Price]) -> None:
        self.world = world
        self.messages = 0
        """A second."""
        self.step = 0.0
        self.told = self.left_out = self.orders = self.fills = 0
        self._starts = starts
        self._chance = random.Random(7)
        self._shares = dict.fromkeys(starts, 1.0)
        listeners = (getattr(hear, "__self__", None) for hear in world._listeners)  # noqa: SLF001
        self._hub = next(one for one in listeners if isinstance(one, Hub))
        self._order = cycle(self._drawn())
        self._next_id = 1_000_000_000
        world.listen(self._hear)

    def _drawn(self) -> list[str]:
        """In which order symbols are traded: some much more than others."""
        names = list(self._starts)
        weights = [1 / (place + 1) ** 0.7 for place in range(len(names))]
        return self._chance.choices(names, weights, k=10_007)

    def _hear(self, news: WorldNews) -> None:
        if isinstance(news, OrderNews):
            self.orders += news.cause == "new"
            self.fills += news.cause == "trade"

    async def tell(self) -> None:
        """Tell of trades at the prices that stand, so many a second, for ever."""
        loop = asyncio.get_running_loop()
        last, owed = loop.time(), 0.0
        while True:
            await asyncio.sleep(SLICE_S)
            now = loop.time()
            owed, last = owed + (now - last) * self.messages, now
            for symbol, frame in self._frames(int(owed)):
                self._send(f"{symbol.replace('/', '').lower()}@trade", frame)
            owed -= int(owed)

    def _frames(self, count: int) -> Iterator[tuple[str, str]]:
        prices = {symbol: str(self.world.price(symbol)) for symbol in self._starts} if count else {}
        at_ms = time.time_ns() // 1_000_000
        for _ in range(count):
            symbol = next(self._order)
            self._next_id += 1
            name, price = symbol.replace("/", ""), prices[symbol]
            head = f'{{"e":"trade","E":{at_ms},"s":"{name}","t":{self._next_id}'
            yield symbol, f'{head},"p":"{price}","q":"0.12300000","T":{at_ms},"m":true,"M":true}}'

    def _send(self, stream: str, frame: str) -> None:
        for watcher in self._hub.watchers:
            if stream in watcher.streams:
                if watcher.subscriber._frames.qsize() > MOST_WAITING:  # noqa: SLF001
                    self.left_out += 1
                else:
                    watcher.subscriber.answer(frame)
                    self.told += 1

    async def move(self) -> None:
        """Move each symbol about once a second, for ever."""
        use_exact_figures()
        while True:
            for symbol in self._starts:
                await asyncio.sleep(1 / len(self._starts))
                if self.step:
                    self._move(symbol)

    def _move(self, symbol: str) -> None:
        share = self._shares[symbol]
        share *= 1 + self._chance.gauss((1 - share) / PULL, self.step)
        self._shares[symbol] = share = min(1 + SWING, max(1 - SWING, share))
        price = self.world.markets[symbol].nearest_price(self._starts[symbol] * Decimal(repr(round(share, 6))))
        self.world.move(symbol, price)


async def serve(folder: Path, symbols: int, accounts: int) -> None:
    """Serve until the input ends."""
    use_exact_figures()
    starts = symbols_of(symbols)
    markets = {symbol: market_of(symbol, price) for symbol, price in starts.items()}
    world = make_world("binance", markets, lambda: time.time_ns() // 1_000_000)
    funds = {"USDT": Decimal(10_000_000)} | {market.base: ZERO for market in markets.values()}
    for number in range(accounts):
        world.add_account(f"a{number}", funds)
        world.add_key(Key(*key_of(f"a{number}"), f"a{number}"))
    app = make_app(add_routes, world, Faults(1))
    for symbol, price in starts.items():
        world.move(symbol, price)
    async with Listening(app, make_certificates(folder)) as listening:
        crowd = Crowd(world, starts)
        tasks = [asyncio.create_task(crowd.tell()), asyncio.create_task(crowd.move())]
        say({"port": listening.port, "ca_file": str(folder / "ca.pem")})
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            say(obey(json.loads(line), crowd, app))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def obey(asked: dict[str, Any], crowd: Crowd, app: Any) -> dict[str, Any]:
    """Do what a line asks; the answer."""
    limits = app[LIMITS]
    crowd.messages = asked.get("messages", crowd.messages)
    crowd.step = asked.get("step", crowd.step)
    if "limits" in asked:
        limits.weight = Window(MINUTE_MS, 6_000 if asked["limits"] else LIFTED)
        limits.orders["10S"].most = 100 if asked["limits"] else LIFTED
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "told": crowd.told,
        "left_out": crowd.left_out,
        "orders": crowd.orders,
        "fills": crowd.fills,
        "open": sum(len(crowd.world.open_orders(name)) for name in crowd.world.accounts()),
        "weight": limits.total_weight,
        "refused": limits.refused,
        "calls": dict(app[CALLS]),
        "cpu_s": usage.ru_utime + usage.ru_stime,
    }


def say(told: dict[str, Any]) -> None:
    """One line."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_load_exchange", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="for its certificate")
    parser.add_argument("--symbols", type=int, default=20)
    parser.add_argument("--accounts", type=int, default=10)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(given.folder, given.symbols, given.accounts))


if __name__ == "__main__":
    main()
