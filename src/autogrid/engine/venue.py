"""What live trading needs from an exchange, for one account on it: the port `Venue`, and the records that cross it.

Two adapters: `exchanges/ccxt_exchange.py` (Binance, Bybit, MEXC over ccxt) and the simulated world of
`tests/simulation`, which loses answers on purpose. Client ids here are those that go over the wire.

Of a request three things can come, and each has its own exception, named by what to do about it: `ExchangeRefused` (it
was not done, and would not be), `ExchangeAway` (it was not done; try again later), `ExchangeUnclear` (it was sent and
whether it was done is unknown: look it up, never send it again). Whatever an adapter cannot place in the first two with
certainty is unclear.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias

from autogrid.trading.market import Market
from autogrid.trading.money import Amount, Price, Quantity
from autogrid.trading.order import Side

Why: TypeAlias = Literal[
    "key",  # wrong, expired, or not allowed from this address
    "right",  # the key may not do that
    "funds",
    "rule",  # tick, lot, least value, caps, price band: the rules of the market should be read anew
    "post-only",  # it would have traded at once
    "unknown-order",  # no such order is open
    "duplicate",  # an order with that client id is there
    "symbol",  # unknown, halted or delisted
    "clock",  # the request's time is off
    "other",
]
"""What a refusal is about."""


class ExchangeRefused(Exception):
    """The exchange refused for certain; nothing was done. `why` says what about, the text its words."""

    code = "exchange-refused"

    def __init__(self, why: Why, words: str) -> None:
        super().__init__(words)
        self.why = why


class ExchangeAway(Exception):
    """The exchange cannot be reached or does not answer now; nothing was done. Try again later."""

    code = "exchange-away"

    def __init__(self, words: str, wait_ms: int = 0) -> None:
        """`wait_ms`: how long the exchange asks to be left alone (a rate limit); 0: it does not say."""
        super().__init__(words)
        self.wait_ms = wait_ms


class ExchangeUnclear(Exception):
    """The request was sent and its outcome is unknown. Look it up; never send it again."""

    code = "exchange-unclear"


class Intent(NamedTuple):
    """An order to be sent, once."""

    symbol: str
    """Such as BTC/USDT."""
    client_id: str
    """`[a-z0-9-]`, at most 32 characters."""
    side: Side
    kind: Literal["maker", "limit", "now", "stop", "oco"]
    """`maker`: post-only. `limit`: may trade at once, then rests. `now`: what trades at once at `price` or better; the
    rest is cancelled (immediate or cancel). `stop`: a limit order at `price` once the market reaches `trigger`. `oco`:
    a resting limit at `price`, and a stop at `trigger` with its own limit `stop_price`; one that trades ends the other.
    """
    price: Price
    quantity: Quantity
    trigger: Price | None = None
    stop_price: Price | None = None


class OwnOrder(NamedTuple):
    """An order of the account, as the exchange tells it."""

    symbol: str
    client_id: str
    """Empty where its sender gave none."""
    exchange_id: str
    side: Side
    status: Literal["open", "filled", "cancelled", "expired", "rejected"]
    """`open`: it may still trade."""
    price: Price
    """Its limit; zero where it has none."""
    quantity: Quantity
    filled: Quantity
    at_ms: int
    """When it last changed, or was made; UTC."""
    words: str = ""
    """Why it ended, where the exchange says."""


class OwnTrade(NamedTuple):
    """A trade of the account, as the exchange tells it. Fills come from these and from nothing else."""

    symbol: str
    trade_id: str
    """The exchange's; unique within the symbol."""
    exchange_id: str
    """Of its order."""
    client_id: str
    """Of its order; empty where the answer does not tell it."""
    side: Side
    price: Price
    quantity: Quantity
    fee: Amount
    fee_asset: str
    maker: bool
    at_ms: int


class StreamBroke(NamedTuple):
    """The account's stream was lost: what it told from now on is unknown."""

    at_ms: int
    words: str


class StreamBegan(NamedTuple):
    """The account's stream tells again: what came meanwhile must be asked for."""

    at_ms: int


News: TypeAlias = OwnOrder | OwnTrade | StreamBroke | StreamBegan


class Balance(NamedTuple):
    """What the account owns of one asset."""

    free: Amount
    held: Amount
    """By open orders."""


class Rights(NamedTuple):
    """What a key may do. None: the exchange does not say."""

    reads: bool | None
    trades: bool | None
    withdraws: bool | None
    """Withdraw, or transfer to anyone."""
    bound: bool | None
    """To an internet address."""


class MarketNow(NamedTuple):
    """A market's rules as they are now."""

    market: Market
    trading: bool
    words: str
    """Why it does not trade, where it does not."""


class Page(NamedTuple):
    """Own trades, oldest first, and where to go on."""

    trades: Sequence[OwnTrade]
    cursor: str
    more: bool = False
    """Whether there may be more already."""


class Venue(Protocol):
    """One account on one exchange. Every method may raise `ExchangeAway` and `ExchangeRefused`."""

    @property
    def exchange(self) -> str:
        """Such as `binance`."""
        ...

    async def place(self, intent: Intent, window_ms: int) -> OwnOrder:
        """Send an order, once; the exchange may accept it within `window_ms` and not later.

        Given back only where the answer has an id and our client id. Raises `ExchangeUnclear` too.
        """
        ...

    async def cancel(self, symbol: str, client_ids: Sequence[str]) -> None:
        """Take orders out, all of one symbol, in one request where the exchange can. An order that the exchange does
        not know is no error here: what became of it is looked up. Raises `ExchangeUnclear` too.
        """
        ...

    @property
    def cancels_at_once(self) -> int:
        """How many orders one `cancel` may name."""
        ...

    async def find(self, symbol: str, client_id: str) -> OwnOrder | None:
        """The order, open or ended; None where the exchange says that it knows none such."""
        ...

    async def find_by_id(self, symbol: str, exchange_id: str) -> OwnOrder | None:
        """As `find`, by the exchange's own id."""
        ...

    async def open_orders(self, symbol: str) -> Sequence[OwnOrder]:
        """All open orders of the account on a symbol, whoever sent them."""
        ...

    async def trades_after(self, symbol: str, cursor: str) -> Page:
        """All own trades on a symbol after `cursor`. The empty cursor gives none, and where they end now."""
        ...

    async def trades_of(self, symbol: str, exchange_id: str) -> Sequence[OwnTrade]:
        """All trades of one order, by the exchange's id of it."""
        ...

    async def balances(self) -> Mapping[str, Balance]:
        """By asset; one that is not there is not owned."""
        ...

    async def rights(self) -> Rights:
        """What the key may do."""
        ...

    async def market(self, symbol: str) -> MarketNow:
        """The rules of a symbol, read anew. Raises `ExchangeRefused` (`symbol`) where there is none such."""
        ...

    async def price_of(self, symbol: str) -> Price | None:
        """The last price of a symbol, to value a fee; None where there is no such market."""
        ...

    def now_ms(self) -> int:
        """The exchange's clock, UTC, by the last measurement."""
        ...

    async def measure_clock(self) -> int:
        """Measure it anew; how far this machine's clock is ahead of the exchange's, in ms."""
        ...

    def news(self) -> AsyncIterator[News]:
        """What the account's stream tells, until closed; it begins with `StreamBegan` and heals itself."""
        ...

    async def aclose(self) -> None:
        """Give the connections back."""
        ...
