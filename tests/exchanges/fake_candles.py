"""An exchange that tells candles: as they close, late, twice, not at all, or with an error."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from autogrid.trading.candle import MINUTE_MS

START_MS = 1_747_699_200_000
"""2025-05-20 00:00 UTC."""
ALL = ("1m", "5m", "1h", "1d")
Row = tuple[int, str, str, str, str, str | None]


def row(number: int, length: int = MINUTE_MS) -> Row:
    """The candle that opens `number` times `length` after the start; its close tells which it is."""
    close = 1_000 + number
    return (START_MS + number * length, str(close - 1), str(close + 5), str(close - 5), str(close), "2.5")


@dataclass
class FakeCandles:
    """What all clients of the exchange see."""

    clock: Callable[[], int]
    """The exchange's, UTC ms."""
    length: int = MINUTE_MS
    timeframes: tuple[str, ...] = ALL
    first: int = -100_000
    """The exchange knows nothing before this candle."""
    missing: set[int] = field(default_factory=set)
    """Nobody traded in these."""
    late_ms: dict[int, int] = field(default_factory=dict)
    """So long after its end a candle is published."""
    faults: list[Exception] = field(default_factory=list)
    """For the next requests of candles."""
    away: Callable[[int], bool] = lambda _: False
    """Whether the exchange cannot be reached at that time."""
    wild: Callable[[list[Any]], list[Any]] = list
    """What it makes of an answer."""
    tells_time: bool = True
    clients: list["FakeCandleClient"] = field(default_factory=list)
    asked: list[tuple[str, int, int]] = field(default_factory=list)
    """Timeframe, since and limit of each request."""

    def client(self, exchange: str) -> "FakeCandleClient":
        self.clients.append(FakeCandleClient(self))
        return self.clients[-1]

    def rows(self, since: int, limit: int) -> list[Row]:
        """As an exchange: the candle that is still open too, and no more than `limit`."""
        now = self.clock()
        number = max(self.first, -(-(since - START_MS) // self.length))
        found: list[Row] = []
        end = START_MS + number * self.length + limit * self.length
        while START_MS + number * self.length <= min(now, end - 1):
            closes = START_MS + (number + 1) * self.length
            if number not in self.missing and (now < closes or now >= closes + self.late_ms.get(number, 0)):
                found.append(row(number, self.length))
            number += 1
        return found


class FakeCandleClient:
    def __init__(self, exchange: FakeCandles) -> None:
        self.exchange = exchange
        self.timeframes = dict.fromkeys(exchange.timeframes)
        self.has = {"fetchTime": exchange.tells_time}
        self.closed = False

    async def load_markets(self) -> None:
        self._reach()

    async def fetch_time(self) -> int:
        self._reach()
        return self.exchange.clock()

    async def fetch_ohlcv(
        self, symbol: str, timeframe: str, since: int | None = None, limit: int | None = None
    ) -> list[Any]:
        assert since is not None
        assert limit is not None
        assert symbol == "BTC/USDT"
        assert timeframe in self.exchange.timeframes
        assert not self.closed
        self._reach()
        self.exchange.asked.append((timeframe, since, limit))
        if self.exchange.faults:
            raise self.exchange.faults.pop(0)
        return self.exchange.wild(list(self.exchange.rows(since, limit)))

    async def close(self) -> None:
        self.closed = True

    def _reach(self) -> None:
        if self.exchange.away(self.exchange.clock()):
            raise OSError("no route to host")
