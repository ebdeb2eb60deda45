"""Downloads: every candle once, whatever an exchange's pages are like. The exchange here is made up."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import ccxt.async_support as ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.exchanges.candle_download import (
    Progress,
    Request,
    Row,
    UnableToDownload,
    ccxt_client,
    download,
    timeframe_ms,
)
from tests.candles import MINUTE_MS, START_MS, random_walk, without

WALK = [candle.row for candle in random_walk(5, 3_000)]
DAY_MS = 86_400_000
END_MS = START_MS + 3_000 * MINUTE_MS


@dataclass
class FakeExchange:
    """Answers as ccxt exchanges do; how their pages differ are the fields."""

    rows: Sequence[Row]
    cap: int = 1_000
    """The most candles of one answer."""
    window: bool = False
    """Only those of the `limit` timeframes after `since` are given (MEXC), else any after it (Binance)."""
    newest: bool = False
    """Of too many, the newest are given, else the oldest."""
    aligns_down: bool = False
    """The candle that contains `since` is given as well."""
    now_ms: int = END_MS + 10 * MINUTE_MS
    faults: list[Exception] = field(default_factory=list)
    """Raised, one a call, before anything is answered."""
    clock: bool = True
    asked: list[tuple[int | None, int | None]] = field(default_factory=list)
    closed: bool = False
    timeframes = {"1m": "1", "1h": "60", "1d": "D"}  # noqa: RUF012 as ccxt has it

    async def load_markets(self) -> dict[str, Any]:
        self._fail()
        return {
            "BTC/USDT": {"spot": True},
            "ETH/USDT": {"spot": True},
            "BTC/USDT:USDT": {"spot": False},
        }

    async def fetch_time(self) -> int:
        if not self.clock:
            raise ccxt.NotSupported("no clock")
        return self.now_ms

    async def fetch_ohlcv(
        self, symbol: str, timeframe: str, since: int | None = None, limit: int | None = None
    ) -> list[list[Any]]:
        self._fail()
        assert limit is not None
        self.asked.append((since, limit))
        step = {"1m": MINUTE_MS, "1d": DAY_MS}[timeframe]
        shown = [row for row in self.rows if row[0] <= self.now_ms]
        if timeframe == "1d":
            shown = [(day, 1.0, 1.0, 1.0, 1.0, 1.0) for day in sorted({row[0] // DAY_MS * DAY_MS for row in shown})]
        count = min(limit, self.cap)
        if since is None:
            return [list(row) for row in shown[-count:]]
        if self.aligns_down:
            since -= since % step
        found = [row for row in shown if row[0] >= since]
        if self.window:
            found = [row for row in found if row[0] < since + limit * step]
        return [list(row) for row in (found[-count:] if self.newest else found[:count])]

    async def close(self) -> None:
        self.closed = True

    def _fail(self) -> None:
        if self.faults:
            raise self.faults.pop(0)


def request(start_ms: int = START_MS, end_ms: int = END_MS, timeframe: str = "1m") -> Request:
    return Request("binance", "BTC/USDT", timeframe, start_ms, end_ms)


def fetched(exchange: FakeExchange, wanted: Request | None = None, waits: list[float] | None = None) -> list[Row]:
    async def sleep(seconds: float) -> None:
        if waits is not None:
            waits.append(seconds)

    async def run() -> list[Row]:
        pages = download(wanted or request(), lambda _: exchange, sleep=sleep)
        return [row async for page in pages for row in page]

    rows = asyncio.run(run())
    assert exchange.closed
    return rows


KINDS: dict[str, dict[str, Any]] = {
    "from since on": {},
    "fewer than asked": {"cap": 200},
    "one window": {"window": True},
    "one window, fewer than asked": {"window": True, "cap": 200},
    "the newest of one window": {"window": True, "cap": 200, "newest": True},
    "with the candle before": {"aligns_down": True},
    "without a clock": {"clock": False},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_candle_comes_once_from_every_kind_of_exchange(kind: str) -> None:
    made = FakeExchange(WALK, **KINDS[kind])
    rows = fetched(made)
    assert rows == (WALK if made.clock else WALK[:-1])


@pytest.mark.parametrize("kind", KINDS)
def test_holes_of_the_exchange_stay_holes_and_nothing_else_is_lost(kind: str) -> None:
    candles = without(random_walk(5, 3_000), slice(0, 1), slice(190, 420), slice(600, 601), slice(1000, 2600))
    rows = [candle.row for candle in candles]
    made = FakeExchange(rows, **KINDS[kind])
    assert fetched(made) == (rows if made.clock else rows[:-1])


@given(
    st.lists(st.tuples(st.integers(0, 2_999), st.integers(1, 700)), max_size=5),
    st.sampled_from(sorted(set(KINDS) - {"without a clock"})),
    st.integers(-500, 2_000),
    st.integers(1, 1_500),
)
def test_no_pattern_of_holes_loses_a_candle(holes: list[tuple[int, int]], kind: str, first: int, count: int) -> None:
    gone = {at for start, length in holes for at in range(start, start + length)}
    rows = [row for at, row in enumerate(WALK) if at not in gone]
    start_ms = START_MS + first * MINUTE_MS
    end_ms = start_ms + count * MINUTE_MS
    wanted = [row for row in rows if start_ms <= row[0] < end_ms]
    assert fetched(FakeExchange(rows, **KINDS[kind]), request(start_ms, end_ms)) == wanted


def test_the_candle_that_is_still_made_is_left_out() -> None:
    made = FakeExchange(WALK, now_ms=WALK[1_500][0] + 30_000)
    assert fetched(made) == WALK[:1_500]
    made = FakeExchange(WALK, now_ms=WALK[1_500][0] + MINUTE_MS)
    assert fetched(made) == WALK[:1_501]


def test_years_before_the_listing_cost_few_requests() -> None:
    made = FakeExchange(WALK, window=True)
    assert fetched(made, request(START_MS - 3 * 365 * 86_400_000)) == WALK
    assert len(made.asked) < 60


def test_years_after_the_last_candle_cost_few_requests() -> None:
    made = FakeExchange(WALK, window=True, now_ms=END_MS + 3 * 365 * 86_400_000)
    assert fetched(made, request(end_ms=made.now_ms)) == WALK
    assert len(made.asked) < 20


def test_a_market_without_candles_gives_none() -> None:
    made = FakeExchange([])
    assert fetched(made) == []
    assert len(made.asked) < 50


def test_network_errors_are_tried_again_with_longer_waits() -> None:
    waits: list[float] = []
    made = FakeExchange(WALK, faults=[ccxt.RequestTimeout("slow"), ccxt.DDoSProtection("429")])
    assert fetched(made, waits=waits) == WALK
    assert waits == [1.0, 2.0]


def test_an_exchange_that_stays_away_is_told_and_what_came_is_kept() -> None:
    made = FakeExchange(WALK)
    kept: list[Row] = []

    async def at_once(_: float) -> None:
        return None

    async def run() -> None:
        async for page in download(request(), lambda _: made, sleep=at_once):
            kept.extend(page)
            made.faults = [ccxt.ExchangeNotAvailable("no route to host")] * 20

    with pytest.raises(UnableToDownload, match=r"binance cannot be reached.*no route") as caught:
        asyncio.run(run())
    assert caught.value.code == "exchange_away"
    assert kept == WALK[:1_000]
    assert made.closed
    rest = fetched(FakeExchange(WALK), request(kept[-1][0] + 1))
    assert kept + rest == WALK


def test_a_refusal_is_not_tried_again() -> None:
    waits: list[float] = []
    made = FakeExchange(WALK, faults=[ccxt.BadRequest("illegal")])
    with pytest.raises(UnableToDownload, match="illegal") as caught:
        fetched(made, waits=waits)
    assert (caught.value.code, waits) == ("exchange_refused", [])


@pytest.mark.parametrize(("symbol", "near"), [("BTCUSDT", "BTC/USDT"), ("eth/usdt", "ETH/USDT")])
def test_an_unknown_market_is_told_with_the_nearest(symbol: str, near: str) -> None:
    with pytest.raises(UnableToDownload, match=f"did you mean.*{near}") as caught:
        fetched(FakeExchange(WALK), Request("binance", symbol, "1m", START_MS, END_MS))
    assert caught.value.code == "unknown_symbol"


def test_a_futures_market_is_refused() -> None:
    with pytest.raises(UnableToDownload, match="no spot market") as caught:
        fetched(FakeExchange(WALK), Request("binance", "BTC/USDT:USDT", "1m", START_MS, END_MS))
    assert caught.value.code == "unknown_symbol"


def test_an_unknown_timeframe_is_told_with_those_there_are() -> None:
    with pytest.raises(UnableToDownload, match="it has 1m, 1h, 1d") as caught:
        fetched(FakeExchange(WALK), request(timeframe="3m"))
    assert caught.value.code == "unknown_timeframe"
    for wrong in ("", "m", "0m", "1x", "m1"):
        with pytest.raises(UnableToDownload):
            timeframe_ms(wrong)


def test_a_candle_without_figures_is_told() -> None:
    broken: list[Any] = [*WALK[:5], (WALK[5][0], 1.0, None, 1.0, 1.0, 1.0)]
    with pytest.raises(UnableToDownload, match="is none") as caught:
        fetched(FakeExchange(broken))
    assert caught.value.code == "bad_answer"


def test_progress_rises_to_the_whole() -> None:
    told: list[Progress] = []

    async def run() -> None:
        async for _ in download(request(), lambda _: FakeExchange(WALK), progress=told.append):
            pass

    asyncio.run(run())
    assert [step.rows for step in told] == [1_000, 2_000, 3_000]
    assert [round(step.share, 2) for step in told] == [0.33, 0.67, 1.0]


def test_who_stops_early_gives_the_connections_back() -> None:
    made = FakeExchange(WALK)

    async def run() -> None:
        async with aclosing(download(request(), lambda _: made)) as pages:
            async for _ in pages:
                break

    asyncio.run(run())
    assert made.closed


def test_an_unknown_exchange_is_told_with_the_nearest() -> None:
    with pytest.raises(UnableToDownload, match=r"did you mean.*binance") as caught:
        ccxt_client("binnance")
    assert caught.value.code == "unknown_exchange"


@pytest.mark.parametrize("exchange", ["binance", "bybit", "mexc", "okx", "kraken"])
def test_real_exchanges_are_asked_for_spot_markets_only(exchange: str) -> None:
    async def run() -> Any:
        client: Any = ccxt_client(exchange)
        await client.close()
        return client

    client = asyncio.run(run())
    types = client.options["fetchMarkets"]["types"]
    spot = [kind for kind in types if isinstance(types, list) or types[kind]]
    assert spot == ["spot"]
    assert client.options["defaultType"] == "spot"
    assert client.has["fetchCurrencies"] is False
    assert client.enableRateLimit
