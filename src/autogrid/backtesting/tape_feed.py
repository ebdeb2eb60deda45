"""A tape as a feed: candles walked along the one path that the rules of the simulated exchange fix.

A candle is walked open, low, high, close where it closes at or above its open, else open, high, low, close
(`backwards` takes the other order). From a close to the next open is a jump. The corners of all candles, one after the
other, are the path; between two corners the price moves straight, so a bound in between is reached exactly.

With the compiled scan the feed goes from bound to bound; without it, it stops at every corner. The scan is never
trusted: tests run both and want equal journals. All points of a candle bear its open time, a point in a jump that of
the candle the jump leads to; with `clock`, time runs evenly along a candle's three segments.
"""

import asyncio
from decimal import Decimal
from typing import Final

import numpy as np

from autogrid.backtesting.closed_candles import ClosedCandles
from autogrid.backtesting.skip import first_reached
from autogrid.backtesting.tapes import Tape
from autogrid.trading.event import CandleClosed
from autogrid.trading.matching import Point
from autogrid.trading.money import Price

NEVER_BELOW: Final = -(1 << 62)
NEVER_ABOVE: Final = 1 << 62


class UnableToFindPlace(ValueError):
    """A cursor does not lie on this tape: the file is not the one the bot was running on."""

    code = "cursor-off-tape"


class TapeFeed:
    """One walk along a tape."""

    def __init__(
        self,
        tape: Tape,
        *,
        backwards: bool = False,
        skip: bool = True,
        clock: bool = False,
        volumes: bool = False,
        speed: float | None = None,
        timeframe_ms: int | None = None,
    ) -> None:
        """`skip`: use the compiled scan where nothing in between is wanted. `speed`: candle time per real time, 0 as
        fast as it goes while others may run; None: nothing else runs. `timeframe_ms`: tell candles of that length, made
        from those of the tape, as they close. Raises `UnableToReadCandles` where the tape's do not divide it.
        """
        self._prices = tape.prices
        self._backwards = backwards
        self._times = tape.times
        self._interval_ms = tape.interval_ms
        self._unit = tape.unit
        self._volumes = tape.volumes if volumes else None
        self._skip = skip and tape.prices.dtype == np.int64 and not clock
        self._clock = clock
        self._speed = speed
        self._end = 4 * len(tape.prices)
        self._next = 0
        """Index of the corner that the price moves to."""
        self._price = 0
        """In units."""
        self._point: Point | None = None
        self._bounds: tuple[Price | None, Price | None] = (None, None)
        self._floor, self._roof = NEVER_BELOW, NEVER_ABOVE
        self._until: int | None = None
        self._stop = self._end
        """The corner at which `until` is reached."""
        self._known: dict[int, Price] = {}
        self._candles = None if timeframe_ms is None else ClosedCandles(tape, timeframe_ms)
        self._closing = self._end if self._candles is None else self._candles.corner(0)
        """The corner at which the next candle closes."""
        self._told = 0
        """How many of them were told."""
        self._untold = False
        """Whether the feed stands where one closes, and it was not told."""

    @property
    def candle_ms(self) -> int:
        """Length of the tape's candles."""
        return self._interval_ms

    @property
    def waits(self) -> bool:
        """Whether the tape is told at a speed."""
        return self._speed is not None

    async def ready(self) -> None:
        """Wait as long as a candle's quarter takes at this speed; at speed 0 only let others run."""
        pause_s = self._interval_ms / 4000 / self._speed if self._speed else 0.0
        await asyncio.sleep(pause_s)

    def first_price(self) -> Price:
        """The first open."""
        return self._corner(0) * self._unit

    def here(self) -> Point | None:
        """The last point given."""
        return self._point

    def ended(self) -> bool:
        """Whether the whole path was told."""
        return self._next >= self._end

    def cursor(self) -> str:
        """The next corner and the price, in units; with a clock the time too, since it may stand between two prices."""
        place = f"{self._next}:{self._price}"
        if self._clock and self._point is not None:
            place = f"{place}:{self._point.at_ms}"
        return f"{place}:untold" if self._untold else place

    def seek(self, cursor: str) -> None:
        """Stand where `cursor` was taken. Raises `UnableToFindPlace` where that is not on this tape's path."""
        if not cursor:
            return
        try:
            index, units, *at_ms = map(int, cursor.removesuffix(":untold").split(":"))
        except ValueError:
            index, units, at_ms = -1, 0, []
        if index == 0:
            return
        on_path = 0 < index <= self._end and len(at_ms) == self._clock
        ends = sorted((self._corner(index - 1), self._corner(min(index, self._end - 1)))) if on_path else (1, 0)
        if not ends[0] <= units <= ends[1]:
            raise UnableToFindPlace("the tape is not the one this bot was running on; give it the same file")
        self._next, self._price = index, units
        at_corner = units == self._corner(index - 1)
        point = self._at(index - 1 if at_corner else index, units)
        self._point = point._replace(at_ms=at_ms[0]) if at_ms else point
        if self._candles is not None:
            self._told = self._candles.before(index)
            self._closing = self._candles.corner(self._told)
            self._untold = cursor.endswith(":untold")
            if self._untold:
                self._told -= 1
            elif self._told and at_corner and self._candles.corner(self._told - 1) == index - 1:
                self._point = self._point._replace(in_jump=True)

    def closed(self) -> CandleClosed | None:
        """As `Feed.closed`."""
        if not self._untold:
            return None
        assert self._candles is not None, "only candles that are told are left untold"
        assert self._point is not None, "a candle closes at a point"
        self._untold = False
        self._point = self._point._replace(in_jump=True)
        self._told += 1
        return self._candles.closed(self._told - 1)

    async def reach(
        self, floor: Price | None, roof: Price | None, until_ms: int | None, *, every: bool
    ) -> Point | None:
        """As `Feed.reach`."""
        if floor is not self._bounds[0] or roof is not self._bounds[1]:
            self._bound(floor, roof)
        if until_ms != self._until:
            self._until = until_ms
            self._stop = self._corner_at(until_ms)
        index, end = self._next, self._end
        if index >= end:
            return None
        low, high = self._floor, self._roof
        if index == 0 or self._price <= low or self._price >= high:
            return self._arrive(index)
        if self._clock and until_ms is not None:
            return self._timed(index, until_ms)
        stop = self._stop
        if every or not self._skip or stop <= index or self._closing <= index:
            price = self._corner(index)
            return self._cross(index, price) if price <= low or price >= high else self._arrive(index)
        last = min(stop, self._closing, end - 1)
        found = first_reached(self._prices, self._backwards, index, last + 1, low, high)
        return self._arrive(last) if found > last else self._cross(found, self._corner(found))

    def _corner(self, index: int) -> int:
        """The price of a corner, in units; corners are counted along the whole tape."""
        candle, corner = index >> 2, index & 3
        if corner in (0, 3):
            return int(self._prices.item(candle, corner))
        low_first = (self._prices.item(candle, 3) >= self._prices.item(candle, 0)) != self._backwards
        return int(self._prices.item(candle, 2 if (corner == 1) == low_first else 1))

    def _arrive(self, index: int) -> Point:
        """Stand on a corner."""
        self._next, self._price = index + 1, self._corner(index)
        self._point = point = self._at(index, self._price)
        if index == self._closing:
            assert self._candles is not None, "only with candles something closes"
            self._untold = True
            self._closing = self._candles.corner(self._told + 1)
        return point

    def _cross(self, index: int, corner: int) -> Point:
        """Stand where the way to `corner` meets a bound."""
        price = self._floor if corner <= self._floor else self._roof
        if price == corner:
            return self._arrive(index)
        self._next, self._price = index, price
        self._point = point = self._at(index, price)
        return point

    def _at(self, index: int, units: int) -> Point:
        candle = index >> 2
        price = self._known.get(units)
        if price is None:
            price = self._known[units] = units * self._unit
        in_jump = index & 3 == 0 and units != self._corner(index)
        volume = None if self._volumes is None else Decimal(repr(float(self._volumes[candle])))
        at_ms = self._times.item(candle)
        if self._clock:
            at_ms += self._elapsed(index, units)
        return Point(at_ms, price, in_jump, volume, candle)

    def _elapsed(self, index: int, units: int) -> int:
        """Milliseconds since the candle's open: each of its three segments takes a third."""
        leg = index & 3
        if leg == 0:
            return 0
        start, end = self._corner(index - 1), self._corner(index)
        done = abs(units - start) / abs(end - start) if end != start else 1.0
        return int((leg - 1 + done) * self._interval_ms / 3)

    def _timed(self, index: int, until_ms: int) -> Point:
        """With a clock: the next corner or bound, or the place at `until_ms` where that comes before."""
        corner = self._corner(index)
        crosses = corner <= self._floor or corner >= self._roof
        units = corner
        if crosses:
            units = self._floor if corner <= self._floor else self._roof
        here = self._point
        if index & 3 and here is not None and here.at_ms < until_ms < self._at(index, units).at_ms:
            return self._place_at(index, until_ms)
        return self._cross(index, corner) if crosses else self._arrive(index)

    def _place_at(self, index: int, until_ms: int) -> Point:
        start, end = self._corner(index - 1), self._corner(index)
        spent = until_ms - self._times.item(index >> 2) - (index & 3) * self._interval_ms / 3
        part = 1 + spent * 3 / self._interval_ms
        units = start + int((end - start) * part)
        self._next, self._price = index, units
        self._point = point = self._at(index, units)._replace(at_ms=until_ms)
        return point

    def _bound(self, floor: Price | None, roof: Price | None) -> None:
        self._bounds = (floor, roof)
        unit = self._unit
        self._floor = NEVER_BELOW if floor is None else min(int(floor // unit), NEVER_ABOVE)
        self._roof = NEVER_ABOVE if roof is None else min(int(roof // unit) + (roof % unit != 0), NEVER_ABOVE)

    def _corner_at(self, until_ms: int | None) -> int:
        if until_ms is None:
            return self._end
        return int(np.searchsorted(self._times, until_ms)) * 4
