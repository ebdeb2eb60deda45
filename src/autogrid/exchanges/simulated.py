"""The simulated exchange, on a tape or on live prices: backtest and paper are this one class."""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from decimal import Decimal
from typing import Final

from autogrid.engine.ports import Feed
from autogrid.trading.event import CandleClosed, Event, FeedBack, FeedSilent, OrderEvent, Tick
from autogrid.trading.matching import Book, Point
from autogrid.trading.order import Order
from autogrid.trading.plan import Bounds, Cancel, Command, Place
from autogrid.trading.state import BotState

MOST_AT_ONCE: Final = 20_000
"""No bot has a reason for more commands at one moment of the market."""


class UnableToSettle(Exception):
    """A strategy wants the same again and again at one moment, and it never comes about. The sentence says what."""

    code = "never-settles"


class SimulatedExchange:
    """A matching book that a feed of prices moves through."""

    def __init__(
        self,
        book: Book,
        feed: Feed,
        *,
        thin: bool = True,
        latency_ms: int = 0,
        first: Iterable[Event] = (),
        hearing: Callable[[bool], bool] | None = None,
    ) -> None:
        """`thin`: leave out ticks that the bot does not expect; not where breakers need their marks.

        `latency_ms`: how long a command is under way, in the feed's time. `first` is told before any price.
        `hearing`: whether the feed is heard, where it was so before or not; None: it cannot fall silent.
        """
        self._thin = thin
        self._book = book
        self._feed = feed
        self._latency_ms = latency_ms
        self._first: tuple[Event, ...] = tuple(first)
        self._answers: deque[OrderEvent] = deque()
        self._under_way: deque[tuple[int, Command]] = deque()
        self._quiet: Bounds | None = None
        self._candle = -1
        self._at_once = 0
        self._hearing = hearing
        self._hears = True
        """What the bot was told of that."""

    def expect(self, quiet: Bounds | None) -> None:
        """Where ticks would change nothing."""
        self._quiet = quiet

    def cursor(self) -> str:
        """Where the feed stands."""
        return self._feed.cursor()

    def resume(self, state: BotState) -> None:
        """Put back what `state`, the last that was kept, knows of, where the feed stands now.

        Orders that were accepted rest in the book again. What was on its way when the process ended comes now, in the
        order it would have come: the trade of an order that was just accepted, orders that were decided and may not
        have been sent, cancels. Not known are a latency, and what had filled within the candle under `participation`.
        """
        self._hears = not state.holds.silent
        point = self._feed.here()
        if point is not None:
            self._move(point)
        standing = sorted(state.standing.values(), key=_number)
        decided = [order for order in standing if order.status == "intended"]
        accepted = [order for order in standing if order.status != "intended"]
        arriving = [order for order in accepted if self._is_arriving(order)]
        for order in accepted:
            if order not in arriving:
                self._book.restore(order)
        cancels = [order for order in standing if order.cancel_asked and order not in arriving]
        newest = max(map(_number, cancels), default=0)
        before = [order for order in arriving if _number(order) < newest]  # no step takes out what it places itself
        for order in before:
            self._answers.extend(self._book.enter(order))
        commands: list[Command] = [Place(order) for order in decided if order.cancel_asked]
        commands += [Cancel(order.id) for order in cancels]
        for command in commands:
            self._answers.extend(self._book.execute(command))
        for order in arriving:
            if order not in before:
                self._answers.extend(self._book.enter(order))
        for order in decided:
            if not order.cancel_asked:
                self._answers.extend(self._book.execute(Place(order)))

    def _is_arriving(self, order: Order) -> bool:
        """Whether an order that was accepted must trade at once, and has not been told to have."""
        if order.filled or order.kind == "maker":
            return False
        return not self._book.at.in_jump if order.kind == "market" else self._book.crosses(order)

    async def execute(self, command: Command) -> None:
        """Carry out `command`, now or when it has arrived. Raises `UnableToSettle`."""
        self._at_once += 1
        if self._at_once > MOST_AT_ONCE:
            slot = command.order.slot if isinstance(command, Place) else ""
            raise UnableToSettle(
                f"the strategy asked for {MOST_AT_ONCE} orders at one moment, the last in slot '{slot}', and none "
                "settled it; it must count its tries, or wait"
            )
        if self._latency_ms:
            self._under_way.append((self._book.at.at_ms + self._latency_ms, command))
        else:
            self._answers.extend(self._book.execute(command))

    async def events(self) -> AsyncGenerator[Event, None]:
        """Ticks, and what they and the bot's commands lead to."""
        answers, book, feed = self._answers, self._book, self._feed
        for event in self._first:
            yield event
        while True:
            while answers:
                yield answers.popleft()
            if book.waiting and not book.at.in_jump:
                answers.extend(book.market_orders())
                continue
            while (fill := book.touched()) is not None:
                yield fill
                while answers:
                    yield answers.popleft()
            if (news := self._news()) is None and feed.waits:
                await feed.ready()
                if answers:
                    continue
                news = self._news()
            if news is not None:
                yield news
                continue
            point = await self._next()
            if point is None:
                return
            self._move(point)
            if self._is_wanted(point):
                yield _tick(point)
            self._arrive(point)

    def _move(self, point: Point) -> None:
        """The market stands at `point`; a new candle brings new volume to fill from."""
        book = self._book
        book.at = point
        self._at_once = 0
        if book.rules.participation is not None and point.candle != self._candle:
            self._candle = point.candle
            book.allowance = (point.volume or Decimal(0)) * book.rules.participation

    def _news(self) -> CandleClosed | FeedSilent | FeedBack | None:
        """What is to be told here beside a price.

        A silence bears the time of the last price: the market's time stands still meanwhile. Where a candle closed, the
        market then stands behind it.
        """
        if self._hearing is not None and self._hearing(self._hears) != self._hears:
            self._hears = not self._hears
            at_ms = self._book.at.at_ms
            return FeedBack(at_ms) if self._hears else FeedSilent(at_ms)
        closed, here = self._feed.closed(), self._feed.here()
        if closed is not None and here is not None:
            self._move(here)
        return closed

    def _is_wanted(self, point: Point) -> bool:
        """Whether the bot wants to hear of this price; a fill at it tells the price by itself."""
        quiet = self._quiet
        return (
            not self._thin
            or quiet is None
            or quiet.every
            or (quiet.floor is not None and point.price <= quiet.floor)
            or (quiet.roof is not None and point.price >= quiet.roof)
            or (quiet.until_ms is not None and point.at_ms >= quiet.until_ms)
            or self._feed.ended()
        )

    def _arrive(self, point: Point) -> None:
        while self._under_way and self._under_way[0][0] <= point.at_ms:
            self._answers.extend(self._book.execute(self._under_way.popleft()[1]))

    async def _next(self) -> Point | None:
        book, quiet = self._book, self._quiet
        floor, roof, until_ms = book.floor, book.roof, None
        every = not self._thin or quiet is None or quiet.every or bool(book.waiting)
        if quiet is not None:
            if floor is None or (quiet.floor is not None and quiet.floor > floor):
                floor = quiet.floor
            if roof is None or (quiet.roof is not None and quiet.roof < roof):
                roof = quiet.roof
            until_ms = quiet.until_ms
        if self._under_way:
            arrives = self._under_way[0][0]
            until_ms = arrives if until_ms is None else min(until_ms, arrives)
        return await self._feed.reach(floor, roof, until_ms, every=every)


def _tick(point: Point) -> Tick:
    return Tick(point.at_ms, point.price, not point.in_jump)


def _number(order: Order) -> int:
    """How many-th order of its bot it is: commands were given in this order."""
    return int(order.id.split("-", 2)[1])
