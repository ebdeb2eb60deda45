"""`autogrid demo`: a paper grid on live public prices, on a tape, or on made-up prices, drawn in the terminal.

It runs the loop that backtest and live run; only the exchange is simulated. Without a terminal it writes a line per
event.
"""

import asyncio
import math
import time
from collections import deque
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console, RenderableType

from autogrid.backtesting.candle_faults import UnableToReadCandles
from autogrid.backtesting.result import FillRow
from autogrid.backtesting.tapes import read_tape
from autogrid.cli.demo import words
from autogrid.cli.demo.live import live_prices
from autogrid.cli.demo.prices import Prices, from_tape, made_up, range_around
from autogrid.cli.demo.scene import Scene, Spot
from autogrid.cli.demo.screen import ends_on_signals, has_screen, show
from autogrid.cli.demo.told import fill_line, opening_line, pace, source_line, span, stamp, summary
from autogrid.cli.demo.view import screen
from autogrid.cli.options import FIGURE
from autogrid.cli.output import BadInput
from autogrid.services.picture import Names, Picture, fill_of, picture_of
from autogrid.trading.bot import Bot
from autogrid.trading.ledger import opened
from autogrid.trading.money import text, use_exact_figures
from autogrid.trading.risk import Limits
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.catalogue import build
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid.grid import Grid
from autogrid.trading.strategies.grid.sizing import check_start
from autogrid.wiring.demo import demo as run_demo

FRESH_S = 1.2
"""So long the last trade is lit up."""
SPOT_S = {"live": 2.0, "tape": 0.4, "made-up": 0.4}
"""Between two columns of the price chart."""


class Wishes(NamedTuple):
    """What was asked for."""

    tape: Path | None
    speed: float | None
    seed: int | None
    symbol: str
    investment: Decimal
    grids: str
    lower: Decimal | None
    upper: Decimal | None
    seconds: float | None


@click.command()
@click.option("--tape", type=click.Path(path_type=Path), metavar="FILE", help="Run on the candles of a file.")
@click.option("--speed", metavar="N", help="Candle time per real time, such as 300; 0: as fast as it goes.")
@click.option("--seed", type=int, help="Run on made-up prices from this seed, and ask no exchange.")
@click.option("--symbol", default="BTC/USDT", show_default=True, help="What to trade on live prices.")
@click.option("--investment", default="1000", show_default=True, type=FIGURE, help="Paper money, in quote.")
@click.option("--grids", default="16", show_default=True, help="How many cells the grid has.")
@click.option("--lower", type=FIGURE, help="Lowest line; chosen around the first price where left out.")
@click.option("--upper", type=FIGURE, help="Highest line.")
@click.option("--seconds", metavar="N", help="Stop by itself after so long.")
def demo(  # noqa: PLR0913, PLR0917 (the options of a command)
    tape: Path | None,
    speed: str | None,
    seed: int | None,
    symbol: str,
    investment: Decimal,
    grids: str,
    lower: Decimal | None,
    upper: Decimal | None,
    seconds: str | None,
) -> None:
    """Watch a grid bot trade with paper money. It needs no account, and nothing is sent anywhere.

    Prices are live and public where an exchange can be reached, else made up and labelled so. q quits.
    """
    if tape is not None and seed is not None:
        raise BadInput(words.TAPE_AND_SEED)
    if (lower is None) != (upper is None):
        raise BadInput(words.ONE_SIDE)
    if not all(part.isalnum() for part in symbol.split("/")) or symbol.count("/") != 1:
        raise BadInput(words.BAD_PAIR.format(given=symbol))
    use_exact_figures()
    pace_asked = None if speed is None else _number(speed, words.BAD_SPEED, zero=True)
    length = None if seconds is None else _number(seconds, words.BAD_SECONDS, zero=False)
    asyncio.run(
        _run(Wishes(tape, pace_asked, seed, symbol.upper(), investment, grids, lower, upper, length), Console())
    )


def _number(given: str, sentence: str, *, zero: bool) -> float:
    try:
        number = float(given)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0 or (number == 0 and not zero):
        raise BadInput(sentence.format(given=given))
    return number


async def _run(wishes: Wishes, console: Console) -> None:
    stop = asyncio.Event()
    with ends_on_signals(stop):
        prices = await _prices(wishes)
        try:
            watch = Watch(wishes, prices)
        except UnableToConfigure as error:
            raise BadInput(str(error)) from None
        try:
            await watch.run(console, stop)
        finally:
            if prices.close is not None:
                await prices.close()


async def _prices(wishes: Wishes) -> Prices:
    """The prices asked for; else live ones, else made-up ones."""
    if wishes.tape is not None:
        try:
            tape = read_tape((wishes.tape,))
        except UnableToReadCandles as error:
            raise BadInput(str(error)) from None
        return from_tape(tape, "tape", tape.source, wishes.speed)
    live = None if wishes.seed is not None else await live_prices(wishes.symbol)
    return live or made_up(wishes.seed, wishes.speed)


class Watch:
    """One bot that runs, and what is seen of it."""

    def __init__(self, wishes: Wishes, prices: Prices) -> None:
        """Raises `UnableToConfigure`."""
        self._prices, self._seconds = prices, wishes.seconds
        market = prices.market
        grids = max(2, int(wishes.grids)) if wishes.grids.isdigit() and len(wishes.grids) < 5 else 2
        lower, upper = wishes.lower, wishes.upper
        if lower is None or upper is None:
            lower, upper = range_around(prices, grids)
        self.config = {"lower": text(lower), "upper": text(upper), "grids": wishes.grids}
        strategy = build("grid", self.config, market, wishes.investment)
        assert isinstance(strategy, Grid)
        check_start(strategy.settings, strategy.lines, market, wishes.investment, prices.first)
        self._bot = Bot(market, Limits(wishes.investment, breakers=prices.kind == "live"), at_once=True)
        self._state = self._bot.start(strategy, opened(wishes.investment))
        self._fills: deque[FillRow] = deque(maxlen=100)
        self._spots: deque[Spot] = deque(maxlen=400)
        self._began = self._spotted = time.monotonic()
        self._filled_at = 0.0
        self._side = ""
        self._drawn: object = None
        self._over = False
        self._tells = False

    async def run(self, console: Console, stop: asyncio.Event) -> None:
        """Run to the end of the prices, of the time, or until `stop`; then say how it went."""
        prices = self._prices
        self._tells = not has_screen(console)
        if self._tells:
            click.echo(source_line(prices))
            click.echo(opening_line(prices, self.config, text(self._bot.limits.investment)))
        session = asyncio.create_task(run_demo(self._bot, self._state, prices.feed, prices.at_ms, self._hear))
        session.add_done_callback(lambda _: self._ended(stop))
        if self._seconds is not None:
            asyncio.get_running_loop().call_later(self._seconds, stop.set)
        try:
            if self._tells:
                await stop.wait()
            else:
                await show(self._draw, console, stop)
        finally:
            session.cancel()
            await asyncio.gather(session, return_exceptions=True)
        if not session.cancelled() and (fault := session.exception()):
            raise fault
        for line in summary(self._scene(), prices, time.monotonic() - self._began, self.config):
            click.echo(line)

    def _ended(self, stop: asyncio.Event) -> None:
        """The session is over: without a screen that is the end, with one a person may go on looking."""
        self._over = True
        if self._tells:
            stop.set()

    def _hear(self, before: BotState, step: Step) -> None:
        self._state = step.state
        fill = fill_of(before, step)
        if fill is not None:
            self._fills.appendleft(fill)
            self._filled_at = time.monotonic()
            self._side = fill.side
        if not self._tells:
            return
        if fill is not None:
            click.echo(f"{stamp(fill.at_ms)}  {fill_line(fill, self._bot.market)}")
        if step.note:
            click.echo(f"{stamp(step.event.at_ms)}  {step.note}")
        for refused in step.refused:
            click.echo(f"{stamp(step.event.at_ms)}  {refused.rule}: {refused.why}")

    def _picture(self) -> Picture:
        here = self._prices.feed.here()
        price = here.price if here else None
        at_ms = max(here.at_ms if here else 0, self._state.at_ms, self._prices.at_ms)
        return picture_of(self._bot, self._state, tuple(self._fills), price, Names("demo"), at_ms)

    def _scene(self) -> Scene:
        now, prices = time.monotonic(), self._prices
        return Scene(
            picture=self._picture(),
            market=prices.market,
            kind=prices.kind,
            source=prices.source,
            pace=pace(prices),
            elapsed=span(now - self._began),
            spots=tuple(self._spots),
            fresh=now - self._filled_at < FRESH_S,
            over=self._over,
            trouble=prices.trouble(),
        )

    def _draw(self, width: int, height: int) -> RenderableType | None:
        """The screen, where something on it has changed."""
        now, here = time.monotonic(), self._prices.feed.here()
        if here is not None and (now - self._spotted >= SPOT_S[self._prices.kind] or not self._spots):
            self._spots.append(Spot(float(here.price), self._side))
            self._spotted, self._side = now, ""
        fresh = now - self._filled_at < FRESH_S
        seen = (here and here.price, self._state, int(now - self._began), fresh, width, height, self._over)
        if seen == self._drawn:
            return None
        self._drawn = seen
        return screen(self._scene(), width, height)
