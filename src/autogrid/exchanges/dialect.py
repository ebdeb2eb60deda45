"""How one exchange is asked for what the port `Venue` needs: its requests, and what reads its answers."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from autogrid.engine.venue import Balance, Intent, News, OwnOrder, OwnTrade, Page, Rights
from autogrid.trading.money import Price

OVERLAP_MS = 10_000
"""Where trades are asked for by time: so far back what was told already is asked for again, and left out by its id."""


class StreamEnded(Exception):
    """The exchange says that it tells no more on this stream."""


class EventReader(Protocol):
    """Reads the frames of an account's stream, in their order."""

    def read(self, frame: object) -> Iterator[News]:
        """What a frame tells; most tell nothing. Raises StreamEnded."""
        ...

    def confirms(self, frame: object) -> bool:
        """Whether the frame says that one of the `watches` flows."""
        ...


class Dialect(Protocol):
    """One account's requests to one exchange. Each method does what `Venue`'s of the same name does."""

    @property
    def cancels_at_once(self) -> int:
        """How many orders one cancel may name."""
        ...

    async def place(self, intent: Intent, window_ms: int) -> OwnOrder:
        """Send an order, once."""
        ...

    async def cancel(self, symbol: str, client_ids: Sequence[str]) -> None:
        """Take orders out."""
        ...

    async def find(self, symbol: str, client_id: str) -> OwnOrder | None:
        """The order, open or ended."""
        ...

    async def find_by_id(self, symbol: str, exchange_id: str) -> OwnOrder | None:
        """The order, open or ended."""
        ...

    async def open_orders(self, symbol: str) -> Sequence[OwnOrder]:
        """All open orders on a symbol."""
        ...

    async def trades_after(self, symbol: str, cursor: str) -> Page:
        """All own trades on a symbol after a cursor."""
        ...

    async def trades_of(self, symbol: str, exchange_id: str) -> Sequence[OwnTrade]:
        """All trades of one order."""
        ...

    async def balances(self) -> Mapping[str, Balance]:
        """By asset."""
        ...

    async def rights(self) -> Rights:
        """What the key may do."""
        ...

    async def price_of(self, symbol: str) -> Price | None:
        """The last price."""
        ...

    async def server_ms(self) -> int:
        """The exchange's clock, UTC."""
        ...

    async def rules(self, symbol: str) -> Mapping[str, Any] | None:
        """A symbol's market as ccxt tells it, read anew; None where there is none such."""
        ...

    def events(self) -> EventReader:
        """A fresh reader of the account's stream."""
        ...

    def watches(self, client: Any) -> Sequence[Callable[[], Awaitable[object]]]:
        """What to call on a streaming ccxt client, again and again, so that its stream flows; each is confirmed."""
        ...


def name_of(trade: OwnTrade) -> str:
    """What no other trade of the account on its symbol is called: of a trade with oneself both sides bear one id."""
    return f"{trade.trade_id}.{trade.side}"


class TimeCursor:
    """How far trades are known, where they are asked for by time: a moment, and the ids known from just before it."""

    def __init__(self, at_ms: int, ids: Mapping[str, int]) -> None:
        self.at_ms = at_ms
        self.ids = dict(ids)
        """When each was traded, by `name_of`."""

    @property
    def since_ms(self) -> int:
        """From when on to ask."""
        return max(0, self.at_ms - OVERLAP_MS)

    def beyond(self, now: Mapping[str, int]) -> "TimeCursor":
        """The cursor after trades were told, given when each was traded."""
        known = {**self.ids, **now}
        at_ms = max([self.at_ms, *now.values()])
        return TimeCursor(at_ms, {name: ms for name, ms in known.items() if ms >= at_ms - OVERLAP_MS})

    def __str__(self) -> str:
        return f"{self.at_ms}:" + ",".join(f"{name}@{ms}" for name, ms in sorted(self.ids.items()))

    @classmethod
    def of(cls, text: str) -> "TimeCursor":
        """A cursor from its text. Raises ValueError."""
        at_ms, _, ids = text.partition(":")
        pairs = (one.rpartition("@") for one in ids.split(",") if one)
        return cls(int(at_ms), {name: int(ms) for name, _, ms in pairs})
