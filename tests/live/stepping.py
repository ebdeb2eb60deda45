"""A live bot on an exchange whose market moves only while the bot is quiet: so nothing is late, and nothing can differ.

Quiet is: the last price was heard, every order of the bot rests as the exchange has it, every trade is booked, and
nothing is on its way in either direction.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

from autogrid.backtesting.tapes import Tape
from autogrid.engine.inbox import Inbox
from autogrid.engine.live_exchange import Candles, LiveExchange
from autogrid.engine.prices import MarketPrices
from autogrid.engine.wire_ids import bot_of
from autogrid.services.bots import BotRequest, create, first_ledger, strategy_of
from autogrid.services.markets import MarketWords
from autogrid.simulator.price_source import LEAST_PRINT, tape_steps
from autogrid.storage.bots import PAPER, BotRow
from autogrid.trading.bot import Bot
from autogrid.trading.candle import Candle
from autogrid.trading.event import CandleClosed
from autogrid.trading.market import Market
from autogrid.trading.money import ZERO
from autogrid.wiring.live import LiveRun
from autogrid.wiring.paper import run_paper_bot
from autogrid.wiring.simulation import simulate
from tests.live.compare import name_of
from tests.live.decisions import Decisions, of_database, of_memory
from tests.live.local import OWNER, SYMBOL, AutoGrid, Local, autogrid, local_exchange, no_paper

QUIET_S: Final = 15.0
"""So long it may take a bot to become quiet."""


class TapeCandles:
    """The closed candles of a tape, told as the market that walks along it has passed their end.

    They come from the tape and not over the wire, where a candle of a minute takes a minute.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._taken = 0
        self.closed = 0
        """How many have closed by now."""
        self._news = asyncio.Event()

    def close_one(self) -> None:
        """One more has closed."""
        self.closed += 1
        self._news.set()

    async def run(self) -> None:
        """As `Candles`."""
        await asyncio.get_running_loop().create_future()

    def take(self) -> CandleClosed | None:
        """As `Candles`."""
        if self._taken == self.closed:
            return None
        index, self._taken = self._taken, self._taken + 1
        tape = self._tape
        opens, high, low, close = (float(int(units) * tape.unit) for units in tape.prices[index])
        opened = int(tape.times[index])
        candle = Candle(opened, opens, high, low, close, float(tape.volumes[index]))
        return CandleClosed(opened + tape.interval_ms, candle, False)

    @property
    def caught_up(self) -> bool:
        """As `Candles`."""
        return True

    def cursor(self) -> str:
        """As `Candles`."""
        return str(self._taken)

    async def news(self) -> None:
        """As `Candles`."""
        await self._news.wait()
        self._news.clear()


async def live(
    exchange: str, tape: Tape, strategy: str, config: Mapping[str, str], folder: Path, pace_s: float | None = None
) -> tuple[Decisions, BotRow]:
    """What a live bot decides on a market that waits for it at every step; and the bot, with its market's rules.

    `pace_s`: the market does not wait, but goes on after so long.
    """
    candles = TapeCandles(tape)

    def make_candles(row: BotRow, timeframe_ms: int, warm_up: int, prices: MarketPrices, cursor: str) -> Candles:
        assert timeframe_ms == tape.interval_ms
        return candles

    async with (
        local_exchange(exchange, folder, tape_steps(tape)) as local,
        autogrid(folder, make_candles=make_candles) as grid,
    ):
        await grid.add_key(exchange)
        made = await grid.make_bot(exchange, strategy, config)
        await grid.begin()
        await grid.until(made.id, lambda row: row.actual == "running")
        await quiet(local, grid, made.id)
        while (taken := local.prices.taken) < 4 * len(tape):
            local.prices.step(_stops(grid, made.id))
            if pace_s is not None:
                await asyncio.sleep(pace_s)
                continue
            await quiet(local, grid, made.id)
            if _waits_for_price(grid, made.id):
                _trade_again(local)
                await quiet(local, grid, made.id)
            if local.prices.taken != taken and local.prices.taken % 4 == 0:
                candles.close_one()
                await quiet(local, grid, made.id)
        await quiet(local, grid, made.id)
        await grid.end()
        return await of_database(grid.database, made.id), made


async def backtest(row: BotRow, tape: Tape) -> Decisions:
    """What the same bot decides in a backtest."""
    price = int(tape.prices[0][0]) * tape.unit
    machine = Bot(row.market, row.limits, at_once=True)
    state = machine.start(strategy_of(row), first_ledger(row, price))
    return of_memory((await asyncio.to_thread(simulate, machine, state, tape))[1])


async def paper(row: BotRow, market: Market, path: Path, folder: Path) -> Decisions:
    """What the same bot decides on paper, on the tape's file."""
    folder.mkdir()  # noqa: ASYNC240
    async with autogrid(folder) as grid:
        request = BotRequest(
            strategy=row.strategy,
            account=PAPER,
            symbol=SYMBOL,
            investment=row.investment,
            config=row.config,
            words=MarketWords(known=market),
            tape=path,
            speed=Decimal(0),
            risk=False,
        )
        made = await create(grid.database, request)
        await run_paper_bot(grid.database, no_paper, made, Inbox())
        return await of_database(grid.database, made.id)


def exchange_of(grid: AutoGrid, bot_id: str) -> LiveExchange | None:
    """The bot's side of the exchange, while it runs."""
    assert grid.engine is not None
    run = grid.engine._bots.running.get(bot_id)
    return run._exchange if isinstance(run, LiveRun) else None


def _stops(grid: AutoGrid, bot_id: str) -> list[Decimal]:
    """Prices at which the bot wants to be asked: in a backtest the tape stops there."""
    exchange = exchange_of(grid, bot_id)
    bounds = None if exchange is None else exchange.bounds
    return [] if bounds is None else [price for price in (bounds.floor, bounds.roof) if price is not None]


def _waits_for_price(grid: AutoGrid, bot_id: str) -> bool:
    """Whether the bot goes on with the next price, whatever it is: a backtest tells it the present one."""
    exchange = exchange_of(grid, bot_id)
    bounds = None if exchange is None else exchange.bounds
    return exchange is not None and (bounds is None or bounds.every or bounds.until_ms is not None)


def _trade_again(local: Local) -> None:
    price = local.world.price(SYMBOL)
    assert price is not None
    local.world.move(SYMBOL, price, LEAST_PRINT)


async def quiet(local: Local, grid: AutoGrid, bot_id: str) -> None:
    """Return once the bot is quiet, twice in a row. Fails with what is not."""
    deadline, calm = time.monotonic() + QUIET_S, 0
    while calm < 2:
        noise = _noise(local, grid, bot_id)
        calm = 0 if noise else calm + 1
        assert time.monotonic() < deadline, f"{noise}; {grid.said}"
        await asyncio.sleep(0.004)


def _noise(local: Local, grid: AutoGrid, bot_id: str) -> str:
    """What keeps the bot from being quiet."""
    assert grid.side is not None
    exchange = exchange_of(grid, bot_id)
    if exchange is None:
        return "" if any(" ended" in one for one in grid.said) else "it does not run"
    desk, outgoing = exchange.desk, exchange._account.outgoing
    prices, last = grid.side.prices(local.name, SYMBOL), local.world.prints(SYMBOL, 1)[-1]
    legs = [order for order in local.world.orders(OWNER, SYMBOL) if bot_of(name_of(order)) == bot_id]
    traded = {name: sum((leg.filled for leg in legs if name_of(leg) == name), ZERO) for name in map(name_of, legs)}
    known = {one.client_id: one.order for one in desk.known._by_id.values()}
    checks: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("the price has not come", lambda: prices.price != last.price or prices.at_ms < last.at_ms),
        ("it takes the market for silent", lambda: exchange._said_silent),
        ("it is deciding", lambda: bool(exchange._told._waiting) or not exchange._told._news._waiters),
        ("an order waits", lambda: bool(desk._waiting or outgoing._orders or outgoing._cancels or outgoing._working)),
        (
            "an order is on its way",
            lambda: any(one.is_open and one.status not in ("working", "partial") for one in known.values()),
        ),
        (
            "the exchange has other orders",
            lambda: (
                {name_of(leg) for leg in legs if leg.is_open} != {name for name, one in known.items() if one.is_open}
            ),
        ),
        (
            "a trade is not known",
            lambda: any(name in known and known[name].filled != filled for name, filled in traded.items()),
        ),
    )
    return next((words for words, is_so in checks if is_so()), "")
