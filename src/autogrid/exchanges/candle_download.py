"""Candles of spot markets, fetched page by page from an exchange's public interface; needs no account.

Rules: the next page starts after the last candle that came, never a page's length after the last request,
because an exchange may give fewer candles than were asked for. A hole at the start of a page is asked for
again with a smaller limit, because an exchange may give the newest of a window that is longer than its page.
The candle that is still being made is left out. What failed on the way is tried again; what was yielded is
the caller's to keep, so that a download that broke off goes on from there.
"""

import asyncio
import difflib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

import ccxt.async_support as ccxt

from autogrid.exchanges.connect_to import through_shared_session

Row = tuple[int, float, float, float, float, float]
"""Open time in UTC ms, open, high, low, close, volume in base."""

PAGE = 1_000
SURE_PAGE = 100
"""No exchange gives fewer candles than this, so an empty answer leaves nothing out of so many."""
WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0)
DAY_MS = 86_400_000
UNIT_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "M": 31 * 86_400}


class UnableToDownload(Exception):
    """Candles that cannot be fetched; the text is one sentence for who asked.

    Codes: `unknown_exchange`, `unknown_symbol`, `unknown_timeframe`, `exchange_away` (try again later),
    `exchange_refused` (do not), `bad_answer`.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class CandleClient(Protocol):
    """The part of a ccxt exchange that is used here."""

    timeframes: Any

    async def load_markets(self) -> Any:
        """The markets by symbol."""

    async def fetch_time(self) -> Any:
        """The exchange's clock, UTC ms."""

    async def fetch_ohlcv(self, symbol: str, timeframe: str, since: int | None = None, limit: int | None = None) -> Any:
        """At most `limit` rows from `since` on."""

    async def close(self) -> None:
        """Give the connections back."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to fetch."""

    exchange: str
    """As ccxt calls it: `binance`."""
    symbol: str
    """`BTC/USDT`."""
    timeframe: str
    start_ms: int
    """UTC; included."""
    end_ms: int
    """UTC; not included."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is."""

    rows: int
    until_ms: int
    """All candles that open before this are there."""
    share: float
    """Of the time asked for, 0 to 1."""


ClientFactory = Callable[[str], CandleClient]


def ccxt_client(exchange: str) -> CandleClient:
    """A ccxt exchange that knows spot markets only and keeps to the exchange's rate limit.

    Raises UnableToDownload (`unknown_exchange`).
    """
    if exchange not in ccxt.exchanges:
        raise UnableToDownload(
            "unknown_exchange", f"There is no exchange '{exchange}'{_nearest(exchange, ccxt.exchanges)}."
        )
    client = through_shared_session(getattr(ccxt, exchange)({"enableRateLimit": True}))
    types = client.safe_dict(client.options, "fetchMarkets", {}).get("types")
    # Most exchanges list the kinds of markets, MEXC has a switch for each.
    spot = {kind: kind == "spot" and on for kind, on in types.items()} if isinstance(types, dict) else ["spot"]
    options = {"defaultType": "spot", "fetchMarkets": {"types": spot}}
    client.options = client.deep_extend(client.options, options)
    client.has["fetchCurrencies"] = False
    return cast(CandleClient, client)


async def download(
    request: Request,
    client_factory: ClientFactory = ccxt_client,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[list[Row], None]:
    """The candles from start_ms on and before end_ms, in pages, by time, none twice, all of them closed.

    `progress` is told after a page was taken. Raises UnableToDownload; pages yielded before stay good. Who
    stops early closes the iterator (`contextlib.aclosing`).
    """
    client = client_factory(request.exchange)
    try:
        pages = _Pages(client, request, sleep)
        await pages.open()
        rows = 0
        async for page in pages:
            if not page:
                continue
            rows += len(page)
            yield page
            whole = max(1, pages.end - request.start_ms)
            progress(Progress(rows, pages.since, min(1.0, (pages.since - request.start_ms) / whole)))
    finally:
        await client.close()


class _Pages:
    """The pages of one download; `since` is where the next one starts."""

    def __init__(self, client: CandleClient, request: Request, sleep: Callable[[float], Awaitable[None]]) -> None:
        self.client = client
        self.request = request
        self.sleep = sleep
        self.since = request.start_ms
        self.end = request.end_ms
        self.limit = PAGE
        self.interval = timeframe_ms(request.timeframe)

    async def open(self) -> None:
        """Ask what the exchange has: the market, the timeframe, the newest closed candle, the first one."""
        markets = await self._try(self.client.load_markets)
        check_market(markets, self.client.timeframes or {}, self.request)
        now = await self._now()
        newest = await self._fetch(None, SURE_PAGE)
        if newest:
            self.end = min(self.end, newest[-1][0] + 1)
        self.end = min(self.end, now - self.interval + 1)
        await self._go_to_first()

    async def __aiter__(self) -> AsyncIterator[list[Row]]:
        while self.since < self.end:
            page = await self._page()
            if page:
                self.since = page[-1][0] + 1
                yield [row for row in page if row[0] < self.end]
            else:
                self.since += SURE_PAGE * self.interval

    async def _page(self) -> list[Row]:
        """The next candles; an earlier answer is sought while there is a hole before the first of them."""
        page = await self._fetch(self.since, self.limit)
        while page and (hole := (min(page[0][0], self.end) - self.since) // self.interval) > 0:
            limit = max(2, min(hole, self.limit - 1))
            earlier = await self._fetch(self.since, limit)
            if not earlier or earlier[0][0] >= page[0][0]:
                break
            page, self.limit = earlier, max(limit, SURE_PAGE)
        return page

    async def _go_to_first(self) -> None:
        """Where there is nothing at the start, find the first day by daily candles."""
        if self.since >= self.end or self.interval >= DAY_MS or "1d" not in (self.client.timeframes or {}):
            return
        if await self._fetch(self.since, SURE_PAGE):
            return
        day = self.since - DAY_MS
        while day < self.end:
            days = await self._fetch(day, SURE_PAGE, "1d")
            if days:
                self.since = max(self.since, days[0][0])
                return
            day += SURE_PAGE * DAY_MS
        self.since = self.end

    async def _fetch(self, since: int | None, limit: int, timeframe: str | None = None) -> list[Row]:
        """Rows from `since` on, by time, none twice, also after the end; without `since` the newest."""
        symbol, timeframe = self.request.symbol, timeframe or self.request.timeframe
        answer = await self._try(lambda: self.client.fetch_ohlcv(symbol, timeframe, since, limit))
        rows = {row[0]: row for row in map(self._row, answer or [])}
        return [rows[time] for time in sorted(rows) if time >= (since or 0)]

    def _row(self, row: Any) -> Row:
        try:
            time, open_, high, low, close, volume = row[:6]
            return int(time), float(open_), float(high), float(low), float(close), float(volume)
        except (TypeError, ValueError):
            raise UnableToDownload(
                "bad_answer", f"{self.request.exchange} sent a candle that is none: {str(row)[:120]}."
            ) from None

    async def _now(self) -> int:
        """The exchange's clock, which says what is closed; where it has none, the newest candle's end."""
        try:
            return int(await self._try(self.client.fetch_time))
        except (UnableToDownload, TypeError):
            newest = await self._fetch(None, SURE_PAGE)
            return newest[-1][0] + self.interval - 1 if newest else self.request.end_ms

    async def _try(self, call: Callable[[], Awaitable[Any]]) -> Any:
        exchange = self.request.exchange
        for wait_s in (*WAITS_S, None):
            try:
                return await call()
            except ccxt.NetworkError as error:
                if wait_s is None:
                    raise UnableToDownload(
                        "exchange_away", f"{exchange} cannot be reached, try again later: {_short(error)}."
                    ) from error
                await self.sleep(wait_s)
            except ccxt.BaseError as error:
                raise UnableToDownload(
                    "exchange_refused", f"{exchange} refuses to give these candles: {_short(error)}."
                ) from error
        raise AssertionError("the last wait is None")


def timeframe_ms(timeframe: str) -> int:
    """`1m` is 60,000; a month counts as 31 days. Raises UnableToDownload (`unknown_timeframe`)."""
    number, unit = timeframe[:-1], timeframe[-1:]
    if unit not in UNIT_S or not number.isdecimal() or int(number) == 0:
        raise UnableToDownload(
            "unknown_timeframe", f"'{timeframe}' is no timeframe; right would be 1m, 5m, 1h, 1d, 1w or 1M."
        )
    return int(number) * UNIT_S[unit] * 1_000


def check_market(markets: Mapping[str, Any], timeframes: Iterable[str], request: Request) -> None:
    """Raises UnableToDownload (`unknown_symbol`, `unknown_timeframe`), with what comes nearest."""
    market = markets.get(request.symbol)
    if market is None or not market.get("spot", True):
        spot = [symbol for symbol, its in markets.items() if its.get("spot", True)]
        near = _nearest(request.symbol.upper(), spot)
        raise UnableToDownload("unknown_symbol", f"{request.exchange} has no spot market '{request.symbol}'{near}.")
    if request.timeframe not in timeframes:
        raise UnableToDownload(
            "unknown_timeframe",
            f"{request.exchange} has no {request.timeframe} candles; it has {', '.join(timeframes)}.",
        )


def _nearest(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), n=3)
    return f"; did you mean {' or '.join(near)}" if near else ""


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
